#include "shared/udp_inside.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

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
	struct path path = { .socket = s->number };
	uint8_t *data = m->msg_iov->iov_base;
	size_t segment = size;

	if (size == 0 || address_from_sockaddr(&path.remote, m->msg_name) < 0)
		return;
	note_control(m, s, &path, &segment);
	if (s->group.family && !address_same_ip(&path.local, &s->group))
		return; /* sent to us alone, at the port of the group */
	if (address_is_multicast(&path.local)) {
		/* Nobody answers from a group's address: from the first socket, then. */
		path.local = (struct address){ 0 };
		path.socket = 0;
	}
	while (size > 0) {
		size_t part = size < segment ? size : segment;

		endpoint_receive(udp->e, &path, data, part, now);
		data += part;
		size -= part;
	}
}

int udp_receive_batch(struct udp *udp, struct socket *s, size_t *bytes)
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
	now = clock_now();
	for (int i = 0; i < count; i++) {
		receive_one(udp, s, &messages[i].msg_hdr, messages[i].msg_len, now);
		*bytes += messages[i].msg_len;
	}
	return count;
}
