#include "shared/udp_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/text.h"

#ifndef UDP_GRO
#define UDP_GRO 104 /* linux/udp.h; not in every libc's header */
#endif

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29 /* linux/in6.h */
#endif

enum { KERNEL_BUFFER = 4 << 20 };

static bool is_wildcard(const struct address *a)
{
	static const uint8_t zero[16];

	return memcmp(a->ip, zero, sizeof zero) == 0;
}

static void set(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof value);
}

static void set_options(int fd, bool is_v6)
{
	set(fd, SOL_SOCKET, SO_RCVBUF, KERNEL_BUFFER);
	set(fd, SOL_SOCKET, SO_SNDBUF, KERNEL_BUFFER);
	set(fd, SOL_UDP, UDP_GRO, 1);
	/* Never fragment, never believe a forged ICMP: the link finds the size by itself
	 * (RFC 8899). */
	set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	set(fd, IPPROTO_IP, IP_PKTINFO, 1);
	if (is_v6) {
		set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
		set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	}
}

/* The descriptor, or -1 and errno. */
static int open_bound(const struct address *at, bool is_shared, bool *is_v6, bool *is_dual)
{
	struct address where = *at;
	struct sockaddr_storage raw;
	int fd;

	*is_v6 = at->family == 6;
	*is_dual = *is_v6 && is_wildcard(at) && !is_shared;
	fd = socket(*is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 && *is_dual) { /* a kernel without v6 */
		where.family = 4;
		*is_v6 = *is_dual = false;
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	}
	if (fd < 0)
		return -1;
	if (*is_v6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !*is_dual);
	set_options(fd, *is_v6);
	if (is_shared)
		set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (struct sockaddr *)&raw, address_to_sockaddr(&where, false, &raw)) < 0) {
		int number = errno;

		close(fd);
		errno = number;
		return -1;
	}
	return fd;
}

static int error_of_bind(int number)
{
	switch (number) {
	case EADDRINUSE:
		return ERR_EXISTS;
	case EADDRNOTAVAIL:
		return ERR_NOT_FOUND;
	case EACCES:
		return ERR_REFUSED;
	default:
		return ERR_IO;
	}
}

static int open_socket(struct udp_socket *s, const struct address *at, bool is_shared)
{
	struct sockaddr_storage raw;
	socklen_t size = sizeof raw;

	s->fd = open_bound(at, is_shared, &s->is_v6, &s->is_dual);
	if (s->fd < 0)
		return error_of_bind(errno);
	if (getsockname(s->fd, (struct sockaddr *)&raw, &size) < 0 ||
	    address_from_sockaddr(&s->bound, &raw) < 0) {
		close(s->fd);
		return ERR_IO;
	}
	return 0;
}

int udp_socket_open(struct udp_socket *s, const struct address *at)
{
	return open_socket(s, at, false);
}

/* Bound to the wildcard: a group of one link (ff02::/16) could only be bound to on one. */
int udp_socket_open_group(struct udp_socket *s, const struct address *group)
{
	struct address any = { .family = group->family, .port = group->port };
	int err = open_socket(s, &any, true);

	if (err < 0)
		return err;
	/* Not what others on this machine have joined. */
	if (s->is_v6)
		set(s->fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
	else
		set(s->fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	return 0;
}

static int membership(int fd, const struct address *group, uint32_t link, bool is_member)
{
	if (group->family == 4) {
		struct ip_mreqn m = { .imr_ifindex = (int)link };

		memcpy(&m.imr_multiaddr, group->ip, 4);
		return setsockopt(fd, IPPROTO_IP,
				  is_member ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &m,
				  sizeof m);
	}
	struct ipv6_mreq m = { .ipv6mr_interface = link };

	memcpy(&m.ipv6mr_multiaddr, group->ip, 16);
	return setsockopt(fd, IPPROTO_IPV6, is_member ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &m,
			  sizeof m);
}

int udp_socket_join(int fd, const struct address *group, uint32_t link)
{
	return membership(fd, group, link, true) < 0 ? ERR_IO : 0;
}

void udp_socket_leave(int fd, const struct address *group, uint32_t link)
{
	(void)membership(fd, group, link, false);
}

int udp_socket_try(const struct address *at)
{
	bool is_v6, is_dual;
	int fd = open_bound(at, false, &is_v6, &is_dual);

	if (fd < 0)
		return error_of_bind(errno);
	close(fd);
	return 0;
}

const char *udp_socket_trouble(int err)
{
	switch (err) {
	case ERR_EXISTS:
		return _("it is in use by another program");
	case ERR_NOT_FOUND:
		return _("this machine has no such address");
	case ERR_REFUSED:
		return _("ports below 1024 need the rights of root");
	default:
		return error_text(err);
	}
}
