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
static int open_bound(const struct address *at, bool *is_v6, bool *is_dual)
{
	struct address where = *at;
	struct sockaddr_storage raw;
	int fd;

	*is_v6 = at->family == 6;
	*is_dual = *is_v6 && is_wildcard(at);
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

int udp_socket_open(struct udp_socket *s, const struct address *at)
{
	struct sockaddr_storage raw;
	socklen_t size = sizeof raw;

	s->fd = open_bound(at, &s->is_v6, &s->is_dual);
	if (s->fd < 0)
		return error_of_bind(errno);
	if (getsockname(s->fd, (struct sockaddr *)&raw, &size) < 0 ||
	    address_from_sockaddr(&s->bound, &raw) < 0) {
		close(s->fd);
		return ERR_IO;
	}
	return 0;
}

int udp_socket_try(const struct address *at)
{
	bool is_v6, is_dual;
	int fd = open_bound(at, &is_v6, &is_dual);

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
