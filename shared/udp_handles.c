/* The sockets that the loop watches, and how many of libuv's handles are still open. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shared/udp_inside.h"

struct socket *udp_attach(struct udp *udp, const struct udp_socket *opened, uint16_t number)
{
	struct socket *s = memory_new(sizeof *s);

	*s = (struct socket){ .udp = udp,
			      .fd = opened->fd,
			      .number = number,
			      .is_v6 = opened->is_v6,
			      .is_dual = opened->is_dual,
			      .bound = opened->bound };
	if (uv_poll_init(udp->loop, &s->poll, s->fd) < 0) {
		close(s->fd);
		free(s);
		return NULL;
	}
	s->poll.data = s;
	uv_poll_start(&s->poll, UV_READABLE, udp->on_socket);
	udp->handles++;
	return s;
}

void udp_wait_for_room(struct socket *s)
{
	s->is_waiting = true;
	uv_poll_start(&s->poll, UV_READABLE | UV_WRITABLE, s->udp->on_socket);
}

void udp_release(struct udp *udp)
{
	if (--udp->handles > 0)
		return;
	munmap(udp->in, RECEIVE_BATCH * RECEIVE_SIZE);
	munmap(udp->out, SEND_SIZE);
	free(udp);
}

static void on_socket_closed(uv_handle_t *handle)
{
	struct socket *s = handle->data;
	struct udp *udp = s->udp;

	close(s->fd);
	free(s);
	udp_release(udp);
}

void udp_detach(struct socket *s)
{
	uv_close((uv_handle_t *)&s->poll, on_socket_closed);
}
