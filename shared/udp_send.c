#include "shared/udp_inside.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "shared/error.h"

enum {
	SEGMENTS_MAX = 64,     /* in one segmented message (Linux: UDP_MAX_SEGMENTS) */
	SEGMENTED_MAX = 65000, /* bytes of it */
};

/* --- from which socket --- */

static bool can_reach(const struct socket *s, const struct address *to)
{
	if (to->family == 4 ? s->is_v6 && !s->is_dual : !s->is_v6)
		return false;
	return !address_is_loopback(&s->bound) || address_is_loopback(to);
}

static struct socket *usual_socket(struct udp *udp, const struct address *to)
{
	for (unsigned i = 0; i < udp->socket_count; i++)
		if (can_reach(udp->sockets[i], to))
			return udp->sockets[i];
	return NULL;
}

/* An extra socket is opened by the first datagram from it: a port of its own at the address of
 * the usual one. NULL: v4 only, or no more descriptors; what was to leave from it is lost. */
static struct socket *extra_socket(struct udp *udp, const struct path *path)
{
	const struct socket *usual = usual_socket(udp, &path->remote);
	unsigned at = path->socket - PATH_EXTRA;
	struct address where = { .family = 4 };
	struct udp_socket opened;

	if (at >= PATH_EXTRA_MAX || !usual || path->remote.family != 4)
		return NULL;
	if (udp->extras[at])
		return udp->extras[at];
	if (usual->bound.family == 4)
		where = usual->bound;
	where.port = 0;
	if (udp_socket_open(&opened, &where) == 0)
		udp->extras[at] = udp_attach(udp, &opened, path->socket);
	return udp->extras[at];
}

static struct socket *socket_for(struct udp *udp, const struct path *path)
{
	if (path->socket >= PATH_EXTRA)
		return extra_socket(udp, path);
	if (path->local.family && path->socket < udp->socket_count)
		return udp->sockets[path->socket];
	return usual_socket(udp, &path->remote);
}

/* --- messages --- */

static void control_add(struct msghdr *m, int level, int type, const void *data, size_t size)
{
	struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)m->msg_control + m->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
	m->msg_controllen += CMSG_SPACE(size);
}

/* The answer leaves from the address that was spoken to; what is for a group, by the interface
 * that is meant. A v6 socket is told about v4 in mapped addresses. */
static void control_from(struct msghdr *m, const struct socket *s, const struct address *to,
			 const struct address *from)
{
	struct address source = *from;
	struct sockaddr_storage raw;
	uint32_t link = address_is_multicast(to) ? to->scope : from->scope;

	if (!from->family && !link)
		return;
	if (!from->family)
		source = (struct address){ .family = to->family };
	address_to_sockaddr(&source, s->is_v6, &raw);
	if (s->is_v6) {
		struct in6_pktinfo info = {
			.ipi6_addr = ((const struct sockaddr_in6 *)&raw)->sin6_addr,
			.ipi6_ifindex = link,
		};

		control_add(m, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
	} else {
		struct in_pktinfo info = {
			.ipi_spec_dst = ((const struct sockaddr_in *)&raw)->sin_addr,
			.ipi_ifindex = (int)link,
		};

		control_add(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
	}
}

static bool go_together(const struct outgoing *a, const struct outgoing *b)
{
	return a->socket == b->socket && a->ttl == b->ttl && path_equal(&a->path, &b->path) &&
	       a->path.remote.scope == b->path.remote.scope;
}

/* One message out of as many datagrams from list[at] as go together. */
static void message_make(struct udp *udp, unsigned at, struct message *m, struct msghdr *h,
			 bool is_single, bool has_source)
{
	static const struct address any;
	const struct outgoing *first = &udp->list[at], *next;
	size_t total = first->size;
	unsigned count = 1;

	while (!is_single && udp->has_segmentation && at + count < udp->count &&
	       count < SEGMENTS_MAX) {
		next = &udp->list[at + count];
		if (next->size > first->size || total + next->size > SEGMENTED_MAX ||
		    !go_together(next, first))
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
	control_from(h, first->socket, &first->path.remote,
		     has_source ? &first->path.local : &any);
	if (first->ttl && first->path.remote.family == 4) {
		int ttl = first->ttl;

		control_add(h, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
	}
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
			udp_wait_for_room(s);
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

void udp_flush(struct udp *udp, size_t most)
{
	mono_ns now = clock_now();
	struct datagram d;
	size_t sent = 0;

	if (udp->count > 0 && !send_collected(udp))
		return;
	while (sent < most && endpoint_send(udp->e, udp->out + udp->out_size, &d, now)) {
		struct socket *s = socket_for(udp, &d.path);

		if (!s)
			continue; /* no socket of that family: as if lost */
		udp->list[udp->count++] = (struct outgoing){ udp->out_size, d.size, d.path, s,
							     d.ttl };
		udp->out_size += d.size;
		sent += d.size;
		if (udp->count < SEND_BATCH &&
		    udp->out_size + ENDPOINT_LOOPBACK_MAX <= SEND_SIZE)
			continue;
		if (!send_collected(udp))
			return;
		now = clock_now();
	}
	send_collected(udp);
}
