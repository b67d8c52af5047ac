#include "peer/netlink.h"

#include <errno.h>
#include <net/if_arp.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "shared/error.h"

enum {
	INTERFACES_MAX = 256,
	FOUND_MAX = 256,        /* addresses looked at */
	ANSWER_SIZE = 32768,    /* the kernel's own choice for a dump */
	MESSAGES_MAX = 1 << 17, /* of one dump; a router of the Internet's core has more */
	WAIT_MS = 1000,         /* the kernel answers at once, or not at all */
};

#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519 /* linux/if_arp.h; not in every libc: modems (rmnet, qmi) */
#endif

struct interface {
	uint32_t index;
	unsigned flags, type;
	char name[IFNAMSIZ];
};

struct found {
	uint32_t index;
	struct address address;
	uint8_t prefix;
	uint32_t flags;
};

struct route {
	bool is_there;
	uint32_t metric, index;
	struct address gateway, source; /* family 0: not told */
};

struct look {
	unsigned interface_count, found_count;
	struct interface interfaces[INTERFACES_MAX];
	struct found found[FOUND_MAX];
	struct route v4, v6;
};

typedef void on_message(struct look *look, const struct nlmsghdr *h);

/* --- reading --- */

static struct address address_of(uint8_t family, const struct rtattr *a)
{
	struct address out = { 0 };

	if (family == AF_INET && RTA_PAYLOAD(a) >= 4) {
		out.family = 4;
		memcpy(out.ip, RTA_DATA(a), 4);
	} else if (family == AF_INET6 && RTA_PAYLOAD(a) >= 16) {
		out.family = 6;
		memcpy(out.ip, RTA_DATA(a), 16);
	}
	return out;
}

static uint32_t number_of(const struct rtattr *a)
{
	uint32_t v = 0;

	if (RTA_PAYLOAD(a) >= sizeof v)
		memcpy(&v, RTA_DATA(a), sizeof v);
	return v;
}

static struct interface *interface_of(struct look *look, uint32_t index)
{
	for (unsigned i = 0; i < look->interface_count; i++)
		if (look->interfaces[i].index == index)
			return &look->interfaces[i];
	return NULL;
}

static void on_interface(struct look *look, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	int left = (int)NLMSG_PAYLOAD(h, sizeof *m);
	struct interface *one;

	if (h->nlmsg_type != RTM_NEWLINK || left < 0 || look->interface_count == INTERFACES_MAX)
		return;
	one = &look->interfaces[look->interface_count++];
	*one = (struct interface){ .index = (uint32_t)m->ifi_index,
				   .flags = m->ifi_flags,
				   .type = m->ifi_type };
	for (struct rtattr *a = IFLA_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFLA_IFNAME && RTA_PAYLOAD(a) < sizeof one->name)
			memcpy(one->name, RTA_DATA(a), RTA_PAYLOAD(a));
}

static bool is_up(const struct interface *one)
{
	return one && (one->flags & IFF_UP) && (one->flags & IFF_RUNNING);
}

static void on_address(struct look *look, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	int left = (int)NLMSG_PAYLOAD(h, sizeof *m);
	const struct interface *where;
	struct found f = { 0 };

	if (h->nlmsg_type != RTM_NEWADDR || left < 0 || look->found_count == FOUND_MAX)
		return;
	where = interface_of(look, m->ifa_index);
	f.index = m->ifa_index;
	f.prefix = m->ifa_prefixlen;
	f.flags = m->ifa_flags;
	for (struct rtattr *a = IFA_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		/* On a line between two, IFA_ADDRESS is the other end's. */
		if (a->rta_type == IFA_LOCAL ||
		    (a->rta_type == IFA_ADDRESS && !f.address.family))
			f.address = address_of(m->ifa_family, a);
		else if (a->rta_type == IFA_FLAGS)
			f.flags = number_of(a);
	}
	/* Not yet known to be ours alone, known not to be, or on its way out. */
	if (!f.address.family || !is_up(where) ||
	    (f.flags & (IFA_F_DADFAILED | IFA_F_DEPRECATED)))
		return;
	if ((f.flags & IFA_F_TENTATIVE) && !(f.flags & IFA_F_OPTIMISTIC))
		return;
	if (f.address.family == 6 && address_is_link_local(&f.address))
		f.address.scope = m->ifa_index;
	look->found[look->found_count++] = f;
}

/* Several next hops: the first. */
static void note_hops(struct route *r, uint8_t family, struct rtattr *list)
{
	struct rtnexthop *hop = RTA_DATA(list);
	int left;

	if (RTA_PAYLOAD(list) < sizeof *hop || hop->rtnh_len > RTA_PAYLOAD(list))
		return;
	r->index = (uint32_t)hop->rtnh_ifindex;
	left = (int)(hop->rtnh_len - sizeof *hop);
	for (struct rtattr *a = RTNH_DATA(hop); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == RTA_GATEWAY)
			r->gateway = address_of(family, a);
}

static void on_route(struct look *look, const struct nlmsghdr *h)
{
	const struct rtmsg *m = NLMSG_DATA(h);
	int left = (int)NLMSG_PAYLOAD(h, sizeof *m);
	struct route r = { .is_there = true };
	struct route *best = m->rtm_family == AF_INET ? &look->v4 : &look->v6;
	uint32_t table;

	if (h->nlmsg_type != RTM_NEWROUTE || left < 0 || m->rtm_dst_len != 0 ||
	    m->rtm_src_len != 0 || m->rtm_type != RTN_UNICAST)
		return;
	table = m->rtm_table;
	for (struct rtattr *a = RTM_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_GATEWAY)
			r.gateway = address_of(m->rtm_family, a);
		else if (a->rta_type == RTA_PREFSRC)
			r.source = address_of(m->rtm_family, a);
		else if (a->rta_type == RTA_OIF)
			r.index = number_of(a);
		else if (a->rta_type == RTA_PRIORITY)
			r.metric = number_of(a);
		else if (a->rta_type == RTA_TABLE)
			table = number_of(a);
		else if (a->rta_type == RTA_MULTIPATH)
			note_hops(&r, m->rtm_family, a);
	}
	if (table != RT_TABLE_MAIN || !is_up(interface_of(look, r.index)) ||
	    (best->is_there && best->metric <= r.metric))
		return;
	if (r.gateway.family == 6 && address_is_link_local(&r.gateway))
		r.gateway.scope = r.index;
	*best = r;
}

/* --- asking --- */

/* False: the end, or nothing more comes. */
static bool read_part(struct look *look, int fd, uint8_t *room, on_message *each,
		      unsigned *count, int *err)
{
	ssize_t got = recv(fd, room, ANSWER_SIZE, 0);

	if (got < 0 && errno == EINTR)
		return true;
	if (got <= 0)
		return false;
	for (struct nlmsghdr *h = (struct nlmsghdr *)room; NLMSG_OK(h, got);
	     h = NLMSG_NEXT(h, got)) {
		if (h->nlmsg_type == NLMSG_DONE) {
			*err = 0;
			return false;
		}
		if (h->nlmsg_type == NLMSG_ERROR)
			return false;
		each(look, h);
		++*count;
	}
	return *count < MESSAGES_MAX;
}

static int dump(struct look *look, int fd, uint16_t type, uint8_t family, on_message *each)
{
	/* The head of each kind of question begins with the family; nothing else is asked. */
	struct {
		struct nlmsghdr h;
		union {
			struct ifinfomsg link;
			struct ifaddrmsg address;
			struct rtmsg route;
		};
	} question = { .h = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	_Alignas(struct nlmsghdr) uint8_t room[ANSWER_SIZE];
	unsigned count = 0;
	int err = ERR_IO;

	question.link.ifi_family = family;
	question.h.nlmsg_len = NLMSG_LENGTH(type == RTM_GETLINK   ? sizeof question.link
					    : type == RTM_GETADDR ? sizeof question.address
								  : sizeof question.route);
	if (send(fd, &question, question.h.nlmsg_len, 0) < 0)
		return ERR_IO;
	while (read_part(look, fd, room, each, &count, &err))
		;
	return count >= MESSAGES_MAX ? ERR_LIMIT : err;
}

static int ask_all(struct look *look)
{
	struct timeval wait = { .tv_sec = WAIT_MS / 1000 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err;

	if (fd < 0)
		return ERR_IO;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	err = dump(look, fd, RTM_GETLINK, AF_UNSPEC, on_interface);
	if (err == 0)
		err = dump(look, fd, RTM_GETADDR, AF_UNSPEC, on_address);
	/* Without routes, or too many of them, there is a network still; a kernel without v6
	 * has no routes of it. */
	if (err == 0 && dump(look, fd, RTM_GETROUTE, AF_INET, on_route) == 0)
		(void)dump(look, fd, RTM_GETROUTE, AF_INET6, on_route);
	close(fd);
	return err;
}

/* --- what it comes to --- */

static bool is_wildcard(const struct address *a)
{
	static const uint8_t zeros[16];

	return !memcmp(a->ip, zeros, sizeof zeros);
}

static bool can_be_reached(const struct address *bound, const struct address *a)
{
	if (!is_wildcard(bound))
		return address_same_ip(bound, a);
	return bound->family == 6 || a->family == 4;
}

static void take_addresses(struct network *n, const struct look *look,
			   const struct address *bound)
{
	for (unsigned i = 0; i < look->found_count; i++) {
		struct address a = look->found[i].address;

		if (!can_be_reached(bound, &a) || n->address_count == NETWORK_ADDRESSES_MAX)
			continue;
		a.port = bound->port;
		n->addresses[n->address_count++] = a;
	}
}

/* Whether the socket has an address on it, and others may be there. */
static bool carries_groups(const struct look *look, const struct interface *one,
			   const struct address *bound)
{
	if (!is_up(one) || !(one->flags & IFF_MULTICAST) ||
	    (one->flags & (IFF_LOOPBACK | IFF_POINTOPOINT)))
		return false;
	for (unsigned i = 0; i < look->found_count; i++)
		if (look->found[i].index == one->index &&
		    can_be_reached(bound, &look->found[i].address))
			return true;
	return false;
}

static void take_links(struct network *n, const struct look *look, const struct address *bound)
{
	for (unsigned i = 0; i < look->interface_count; i++)
		if (n->link_count < NETWORK_LINKS_MAX &&
		    carries_groups(look, &look->interfaces[i], bound))
			n->links[n->link_count++] = look->interfaces[i].index;
}

static bool same_network(const struct found *f, const struct address *a)
{
	unsigned bytes = f->prefix / 8, bits = f->prefix % 8;

	if (f->address.family != a->family || bytes > 16)
		return false;
	if (memcmp(f->address.ip, a->ip, bytes) != 0)
		return false;
	return bits == 0 || bytes == 16 ||
	       (f->address.ip[bytes] ^ a->ip[bytes]) >> (8 - bits) == 0;
}

/* How well the router can take us for who we are by this address; 0: not at all. One that
 * lasts is better than one that is changed for privacy's sake: its pinhole lasts too. */
static int worth(const struct route *r, const struct found *f)
{
	if (f->index != r->index || f->address.family != r->gateway.family ||
	    address_is_loopback(&f->address) || address_is_link_local(&f->address))
		return 0;
	if (r->source.family && address_same_ip(&f->address, &r->source))
		return 4;
	return 1 + (same_network(f, &r->gateway) ? 2 : 0) + !(f->flags & IFA_F_TEMPORARY);
}

static void take_route(struct address *gateway, struct address *toward, const struct look *look,
		       const struct route *r, const struct address *bound)
{
	int best = 0;

	if (!r->is_there || !r->gateway.family)
		return;
	for (unsigned i = 0; i < look->found_count; i++) {
		const struct found *f = &look->found[i];

		if (!can_be_reached(bound, &f->address) || worth(r, f) <= best)
			continue;
		best = worth(r, f);
		*toward = f->address;
		*gateway = r->gateway;
	}
}

/* What a modem's interface is called, and of which types it is. */
static bool is_modem(const struct interface *one)
{
	static const char *const names[] = { "wwan",  "wwp",   "wws", "ppp",
					     "rmnet", "ccmni", "pdp" };

	if (!one)
		return false;
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (!strncmp(one->name, names[i], strlen(names[i])))
			return true;
	return one->type == ARPHRD_PPP || one->type == ARPHRD_RAWIP;
}

static bool is_metered(struct look *look)
{
	const struct route *r = &look->v4;

	if (!r->is_there || (look->v6.is_there && look->v6.metric < r->metric))
		r = &look->v6;
	return r->is_there && is_modem(interface_of(look, r->index));
}

int netlink_look(struct network *n, const struct address *bound)
{
	struct look *look = memory_new(sizeof *look);
	uint32_t wakes = n->wakes;
	int err = ask_all(look);

	if (err < 0)
		goto out;
	memset(n, 0, sizeof *n);
	n->wakes = wakes;
	n->port = bound->port;
	take_addresses(n, look, bound);
	take_links(n, look, bound);
	take_route(&n->gateway4, &n->toward4, look, &look->v4, bound);
	take_route(&n->gateway6, &n->toward6, look, &look->v6, bound);
	n->is_metered = is_metered(look);
out:
	free(look);
	return err;
}

/* --- watching --- */

int netlink_watch(void)
{
	struct sockaddr_nl all = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0)
		return ERR_IO;
	if (bind(fd, (struct sockaddr *)&all, sizeof all) < 0) {
		close(fd);
		return ERR_IO;
	}
	return fd;
}

void netlink_drain(int fd)
{
	uint8_t room[4096];

	/* ENOBUFS: more has happened than it could hold, which is as good */
	while (recv(fd, room, sizeof room, MSG_TRUNC) > 0 || errno == ENOBUFS || errno == EINTR)
		errno = 0;
}
