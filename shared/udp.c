#include "shared/udp_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "shared/error.h"

/* Before others in the loop get their turn: batches, and bytes of them; and bytes sent. A message that
 * somebody types waits for no more than that where a file runs. */
enum { RECEIVE_ROUNDS = 8, RECEIVE_BYTES = 256 << 10, SEND_BYTES = 256 << 10 };

/* --- the turn --- */

static void on_timer(uv_timer_t *timer);
static void on_idle(uv_idle_t *idle);
static void on_check(uv_check_t *check);

static void soon(struct udp *udp)
{
	if (udp->is_soon || udp->is_closing)
		return;
	udp->is_soon = true;
	uv_idle_start(&udp->idle, on_idle);
	uv_check_start(&udp->check, on_check);
}

static void arm(struct udp *udp, mono_ns at, mono_ns now)
{
	uint64_t wait;

	if (at == NEVER) {
		uv_timer_stop(&udp->timer);
		return;
	}
	if (at <= now) {
		soon(udp);
		return;
	}
	/* libuv counts in whole milliseconds from its own idea of now. Never 0: a timer
	 * of 0 set anew in its own callback would keep the loop from everything else. */
	wait = (at - now + MILLISECOND - 1) / MILLISECOND;
	uv_update_time(udp->loop);
	uv_timer_start(&udp->timer, on_timer, wait > 0 ? wait : 1, 0);
}

/* What still waits for room may be about to leave from one of them. */
static void close_released(struct udp *udp)
{
	uint16_t number;

	while (udp->count == 0 && endpoint_next_released(udp->e, &number)) {
		unsigned at = number - PATH_EXTRA;

		if (number < PATH_EXTRA || at >= PATH_EXTRA_MAX || !udp->extras[at])
			continue;
		udp_detach(udp->extras[at]);
		udp->extras[at] = NULL;
	}
}

/* Core, owner, network, clock: after anything has happened. */
static void turn(struct udp *udp)
{
	mono_ns now = clock_now(), wanted, due;

	if (udp->is_closing || udp->is_in_turn)
		return;
	udp->is_in_turn = true;
	if (udp->is_soon) {
		udp->is_soon = false;
		uv_idle_stop(&udp->idle);
		uv_check_stop(&udp->check);
	}
	if (endpoint_deadline(udp->e) <= now)
		endpoint_tick(udp->e, now);
	wanted = udp->step(udp->user, now);
	if (!udp->is_closing) {
		udp_flush(udp, SEND_BYTES);
		close_released(udp);
		/* With a full socket the core's wish to send waits for room. */
		due = udp->count > 0 ? NEVER : endpoint_deadline(udp->e);
		arm(udp, mono_earlier(wanted, due), clock_now());
	}
	udp->is_in_turn = false;
}

static void on_timer(uv_timer_t *timer)
{
	turn(timer->data);
}

static void on_idle(uv_idle_t *idle)
{
	turn(idle->data);
}

static void on_check(uv_check_t *check)
{
	turn(check->data);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct socket *s = poll->data;
	struct udp *udp = s->udp;
	size_t bytes = 0;

	if (status < 0) { /* libuv watches it no more; whatever an ICMP said ends nothing */
		int error;
		socklen_t size = sizeof error;

		getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
		uv_poll_start(&s->poll, UV_READABLE, on_socket);
	}
	if (events & UV_WRITABLE && s->is_waiting) {
		s->is_waiting = false;
		uv_poll_start(&s->poll, UV_READABLE, on_socket);
	}
	for (int i = 0; i < RECEIVE_ROUNDS && bytes < RECEIVE_BYTES; i++) {
		if (udp_receive_batch(udp, s, &bytes) != RECEIVE_BATCH)
			break;
	}
	turn(udp);
}

void udp_wake(struct udp *udp)
{
	soon(udp);
}

/* --- begin and end --- */

/* Pages, so that what is never used costs nothing. */
static void *pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

int udp_new(struct udp **out, uv_loop_t *loop, struct endpoint *e, udp_step *step, void *user)
{
	struct udp *udp = memory_new(sizeof *udp);

	udp->loop = loop;
	udp->e = e;
	udp->step = step;
	udp->user = user;
	udp->on_socket = on_socket;
	udp->has_segmentation = true;
	udp->in = pages(RECEIVE_BATCH * RECEIVE_SIZE);
	udp->out = pages(SEND_SIZE);
	uv_timer_init(loop, &udp->timer);
	uv_idle_init(loop, &udp->idle);
	uv_check_init(loop, &udp->check);
	udp->timer.data = udp->idle.data = udp->check.data = udp;
	udp->handles = 3;
	soon(udp);
	*out = udp;
	return 0;
}

int udp_listen(struct udp *udp, const struct address *at, struct address *bound)
{
	struct udp_socket opened;
	struct socket *s;
	int err;

	if (udp->socket_count == SOCKETS_MAX)
		return ERR_LIMIT;
	err = udp_socket_open(&opened, at);
	if (err < 0)
		return err;
	s = udp_attach(udp, &opened, (uint16_t)udp->socket_count);
	if (!s)
		return ERR_IO;
	udp->sockets[udp->socket_count++] = s;
	if (bound)
		*bound = s->bound;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	udp_release(handle->data);
}

void udp_close(struct udp *udp)
{
	if (!udp || udp->is_closing)
		return;
	udp_flush(udp, SIZE_MAX);
	udp->is_closing = true;
	for (unsigned i = 0; i < udp->socket_count; i++)
		udp_detach(udp->sockets[i]);
	for (unsigned i = 0; i < udp->group_count; i++)
		udp_detach(udp->groups[i]);
	for (unsigned i = 0; i < PATH_EXTRA_MAX; i++)
		if (udp->extras[i])
			udp_detach(udp->extras[i]);
	uv_close((uv_handle_t *)&udp->timer, on_closed);
	uv_close((uv_handle_t *)&udp->idle, on_closed);
	uv_close((uv_handle_t *)&udp->check, on_closed);
}
