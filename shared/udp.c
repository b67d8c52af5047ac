#include "shared/udp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/udp_socket.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h; not in every libc's header */
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
	SOCKETS_MAX = 16,
	RECEIVE_BATCH = 16, /* messages a call; each perhaps many datagrams (GRO) */
	RECEIVE_ROUNDS = 8, /* calls before others in the loop get their turn */
	RECEIVE_SIZE = 65536,
	SEND_BATCH = 256,      /* datagrams collected before a call */
	SEND_SIZE = 512 << 10, /* bytes of them */
	SEGMENTS_MAX = 64,     /* in one segmented message (Linux: UDP_MAX_SEGMENTS) */
	SEGMENTED_MAX = 65000, /* bytes of it */
	CONTROL_SIZE = 128,
	MESSAGES = 64, /* in one sendmmsg */
};

struct socket {
	struct udp *udp;
	uv_poll_t poll;
	int fd;
	uint8_t index;
	bool is_v6, is_dual, is_waiting; /* waiting: for room to send */
	struct address bound;
};

struct outgoing {
	size_t offset, size;
	struct path path;
	struct socket *socket;
};

/* One message to the kernel: one datagram, or several segments of one size. */
struct message {
	struct sockaddr_storage to;
	struct iovec part;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_SIZE];
	unsigned datagrams;
};

struct udp {
	uv_loop_t *loop;
	struct endpoint *e;
	udp_step *step;
	void *user;
	struct socket *sockets[SOCKETS_MAX];
	unsigned socket_count;
	uv_timer_t timer;
	uv_idle_t idle;   /* both run at once when there is something to do now: */
	uv_check_t check; /* behind the sockets in this turn, or before them in the next */
	unsigned handles;
	bool is_closing, is_soon, is_in_turn;
	bool has_segmentation;
	uint8_t *in, *out;
	struct outgoing list[SEND_BATCH];
	struct message messages[MESSAGES];
	size_t out_size;
	unsigned first, count; /* of `list`: [first, count) is yet to be sent */
};

mono_ns udp_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (mono_ns)t.tv_sec * SECOND + (mono_ns)t.tv_nsec;
}

wall_ms udp_wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (wall_ms)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- receiving --- */

static void note_control(struct msghdr *m, const struct socket *s, struct path *path,
			 size_t *segment)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
			int size;

			memcpy(&size, CMSG_DATA(c), sizeof size);
			if (size > 0)
				*segment = size;
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			struct sockaddr_in to = { .sin_family = AF_INET };

			memcpy(&info, CMSG_DATA(c), sizeof info);
			to.sin_addr = info.ipi_addr;
			to.sin_port = htons(s->bound.port);
			address_from_sockaddr(&path->local, &to);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			struct sockaddr_in6 to = { .sin6_family = AF_INET6 };

			memcpy(&info, CMSG_DATA(c), sizeof info);
			to.sin6_addr = info.ipi6_addr;
			to.sin6_port = htons(s->bound.port);
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				to.sin6_scope_id = info.ipi6_ifindex;
			address_from_sockaddr(&path->local, &to);
		}
	}
}

static void receive_one(struct udp *udp, struct socket *s, struct msghdr *m, size_t size,
			mono_ns now)
{
	struct path path = { .socket = s->index };
	uint8_t *data = m->msg_iov->iov_base;
	size_t segment = size;

	if (size == 0 || address_from_sockaddr(&path.remote, m->msg_name) < 0)
		return;
	note_control(m, s, &path, &segment);
	while (size > 0) {
		size_t part = size < segment ? size : segment;

		endpoint_receive(udp->e, &path, data, part, now);
		data += part;
		size -= part;
	}
}

static int receive_batch(struct udp *udp, struct socket *s)
{
	struct mmsghdr messages[RECEIVE_BATCH];
	struct iovec parts[RECEIVE_BATCH];
	struct sockaddr_storage from[RECEIVE_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[RECEIVE_BATCH][CONTROL_SIZE];
	int count;
	mono_ns now;

	for (int i = 0; i < RECEIVE_BATCH; i++) {
		parts[i] = (struct iovec){ udp->in + (size_t)i * RECEIVE_SIZE, RECEIVE_SIZE };
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i],
			.msg_namelen = sizeof from[i],
			.msg_iov = &parts[i],
			.msg_iovlen = 1,
			.msg_control = control[i],
			.msg_controllen = sizeof control[i],
		};
	}
	count = recvmmsg(s->fd, messages, RECEIVE_BATCH, MSG_DONTWAIT, NULL);
	now = udp_now();
	for (int i = 0; i < count; i++)
		receive_one(udp, s, &messages[i].msg_hdr, messages[i].msg_len, now);
	return count;
}

/* --- sending --- */

static bool can_reach(const struct socket *s, const struct address *to)
{
	if (to->family == 4 ? s->is_v6 && !s->is_dual : !s->is_v6)
		return false;
	return !address_is_loopback(&s->bound) || address_is_loopback(to);
}

static struct socket *socket_for(struct udp *udp, const struct path *path)
{
	if (path->local.family && path->socket < udp->socket_count)
		return udp->sockets[path->socket];
	for (unsigned i = 0; i < udp->socket_count; i++)
		if (can_reach(udp->sockets[i], &path->remote))
			return udp->sockets[i];
	return NULL;
}

static void control_add(struct msghdr *m, int level, int type, const void *data, size_t size)
{
	struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)m->msg_control + m->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
	m->msg_controllen += CMSG_SPACE(size);
}

/* The answer leaves from the address that was spoken to. */
static void control_from(struct msghdr *m, const struct socket *s, const struct address *from)
{
	struct sockaddr_storage raw;

	if (!from->family)
		return;
	address_to_sockaddr(from, s->is_v6, &raw);
	if (s->is_v6) {
		const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)&raw;
		struct in6_pktinfo info = { .ipi6_addr = a->sin6_addr,
					    .ipi6_ifindex = a->sin6_scope_id };

		control_add(m, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
	} else {
		struct in_pktinfo info = {
			.ipi_spec_dst = ((const struct sockaddr_in *)&raw)->sin_addr
		};

		control_add(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
	}
}

/* One message out of as many datagrams from list[at] as go together. */
static void message_make(struct udp *udp, unsigned at, struct message *m, struct msghdr *h,
			 bool is_single, bool has_source)
{
	const struct outgoing *first = &udp->list[at], *next;
	size_t total = first->size;
	unsigned count = 1;

	while (!is_single && udp->has_segmentation && at + count < udp->count &&
	       count < SEGMENTS_MAX) {
		next = &udp->list[at + count];
		if (next->size > first->size || total + next->size > SEGMENTED_MAX ||
		    next->socket != first->socket || !path_equal(&next->path, &first->path))
			break;
		total += next->size;
		count++;
		if (next->size < first->size)
			break; /* only the last may be shorter */
	}
	m->part = (struct iovec){ udp->out + first->offset, total };
	m->datagrams = count;
	memset(m->control, 0, sizeof m->control);
	*h = (struct msghdr){ .msg_name = &m->to,
			      .msg_iov = &m->part,
			      .msg_iovlen = 1,
			      .msg_control = m->control };
	h->msg_namelen = address_to_sockaddr(&first->path.remote, first->socket->is_v6, &m->to);
	if (has_source)
		control_from(h, first->socket, &first->path.local);
	if (count > 1) {
		uint16_t segment = first->size;

		control_add(h, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment);
	}
	if (h->msg_controllen == 0)
		h->msg_control = NULL;
}

/* What could not be sent as it was is tried in the plainest way: each alone, then from
 * whatever address the system chooses. What fails then is lost, as datagrams may be.
 * False: the socket is full. `is_fault_of_segments`: each alone went as it was. */
static bool send_plainly(struct udp *udp, unsigned at, unsigned count,
			 bool *is_fault_of_segments)
{
	*is_fault_of_segments = count > 1;
	for (unsigned i = at; i < at + count; i++) {
		struct message m;
		struct msghdr h;

		message_make(udp, i, &m, &h, true, true);
		if (sendmsg(udp->list[i].socket->fd, &h, MSG_DONTWAIT) >= 0)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return false;
		*is_fault_of_segments = false;
		message_make(udp, i, &m, &h, true, false);
		(void)!sendmsg(udp->list[i].socket->fd, &h, MSG_DONTWAIT);
	}
	return true;
}

static void wait_for_room(struct socket *s);

/* Sends what is collected; false: a socket is full, the rest waits. */
static bool send_collected(struct udp *udp)
{
	struct message *messages = udp->messages;
	struct mmsghdr headers[MESSAGES];

	while (udp->first < udp->count) {
		struct socket *s = udp->list[udp->first].socket;
		unsigned made = 0, at = udp->first;
		bool is_fault_of_segments;
		int sent, err;

		while (made < MESSAGES && at < udp->count && udp->list[at].socket == s) {
			message_make(udp, at, &messages[made], &headers[made].msg_hdr, false,
				     true);
			at += messages[made++].datagrams;
		}
		sent = sendmmsg(s->fd, headers, made, MSG_DONTWAIT);
		err = errno;
		for (int i = 0; i < sent; i++)
			udp->first += messages[i].datagrams;
		if (sent >= 0 || err == EINTR)
			continue;
		if (err == EAGAIN || err == EWOULDBLOCK ||
		    !send_plainly(udp, udp->first, messages[0].datagrams,
				  &is_fault_of_segments)) {
			wait_for_room(s);
			return false;
		}
		if (is_fault_of_segments && (err == EINVAL || err == EIO || err == EOPNOTSUPP))
			udp->has_segmentation = false; /* this kernel or device has none */
		udp->first += messages[0].datagrams;
	}
	udp->first = udp->count = 0;
	udp->out_size = 0;
	return true;
}

/* Takes all that the core wants to send. */
static void flush(struct udp *udp)
{
	mono_ns now = udp_now();
	struct datagram d;

	if (udp->count > 0 && !send_collected(udp))
		return;
	while (endpoint_send(udp->e, udp->out + udp->out_size, &d, now)) {
		struct socket *s = socket_for(udp, &d.path);

		if (!s)
			continue; /* no socket of that family: as if lost */
		udp->list[udp->count++] = (struct outgoing){ udp->out_size, d.size, d.path, s };
		udp->out_size += d.size;
		if (udp->count < SEND_BATCH &&
		    udp->out_size + ENDPOINT_LOOPBACK_MAX <= SEND_SIZE)
			continue;
		if (!send_collected(udp))
			return;
		now = udp_now();
	}
	send_collected(udp);
}

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

/* Core, owner, network, clock: after anything has happened. */
static void turn(struct udp *udp)
{
	mono_ns now = udp_now(), wanted, due;

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
		flush(udp);
		/* With a full socket the core's wish to send waits for room. */
		due = udp->count > 0 ? NEVER : endpoint_deadline(udp->e);
		arm(udp, mono_earlier(wanted, due), udp_now());
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

	(void)status;
	if (events & UV_WRITABLE && s->is_waiting) {
		s->is_waiting = false;
		uv_poll_start(&s->poll, UV_READABLE, on_socket);
	}
	for (int i = 0; i < RECEIVE_ROUNDS && receive_batch(udp, s) == RECEIVE_BATCH; i++)
		;
	turn(udp);
}

static void wait_for_room(struct socket *s)
{
	s->is_waiting = true;
	uv_poll_start(&s->poll, UV_READABLE | UV_WRITABLE, on_socket);
}

void udp_wake(struct udp *udp)
{
	soon(udp);
}

/* --- begin and end --- */

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
	udp->has_segmentation = true;
	/* Pages, so that what is never used costs nothing. */
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
	s = memory_new(sizeof *s);
	*s = (struct socket){ .udp = udp,
			      .fd = opened.fd,
			      .index = udp->socket_count,
			      .is_v6 = opened.is_v6,
			      .is_dual = opened.is_dual,
			      .bound = opened.bound };
	if (uv_poll_init(udp->loop, &s->poll, s->fd) < 0) {
		close(s->fd);
		free(s);
		return ERR_IO;
	}
	s->poll.data = s;
	uv_poll_start(&s->poll, UV_READABLE, on_socket);
	udp->sockets[udp->socket_count++] = s;
	udp->handles++;
	if (bound)
		*bound = s->bound;
	return 0;
}

static void on_closed(uv_handle_t *handle);

static void release(struct udp *udp)
{
	if (--udp->handles > 0)
		return;
	munmap(udp->in, RECEIVE_BATCH * RECEIVE_SIZE);
	munmap(udp->out, SEND_SIZE);
	free(udp);
}

static void on_closed(uv_handle_t *handle)
{
	release(handle->data);
}

static void on_socket_closed(uv_handle_t *handle)
{
	struct socket *s = handle->data;
	struct udp *udp = s->udp;

	close(s->fd);
	free(s);
	release(udp);
}

void udp_close(struct udp *udp)
{
	if (!udp || udp->is_closing)
		return;
	flush(udp);
	udp->is_closing = true;
	for (unsigned i = 0; i < udp->socket_count; i++)
		uv_close((uv_handle_t *)&udp->sockets[i]->poll, on_socket_closed);
	uv_close((uv_handle_t *)&udp->timer, on_closed);
	uv_close((uv_handle_t *)&udp->idle, on_closed);
	uv_close((uv_handle_t *)&udp->check, on_closed);
}
