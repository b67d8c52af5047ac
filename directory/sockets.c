#include "directory/sockets.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "shared/error.h"
#include "shared/log.h"
#include "shared/text.h"
#include "shared/udp_socket.h"

static bool is_wildcard(const struct address *a)
{
	static const uint8_t nothing[16];

	return memcmp(a->ip, nothing, sizeof nothing) == 0;
}

static int open_one(struct sockets *s, struct udp *udp, enum sight_kind kind,
		    const struct address *at)
{
	struct socket_opened *o = &s->opened[s->count];
	int err = udp_listen(udp, at, &o->bound);

	if (err < 0)
		return err;
	o->kind = kind;
	s->count++;
	return 0;
}

/* --- where clients connect --- */

static int open_main(struct sockets *s, struct udp *udp, const struct address *at, char *reason,
		     size_t reason_size)
{
	char text[ADDRESS_TEXT_SIZE];
	int err = open_one(s, udp, SIGHT_MAIN, at);

	if (err < 0) {
		address_print(at, text);
		snprintf(reason, reason_size, _("Cannot listen on %s: %s."), text,
			 udp_socket_trouble(err));
		return ERR_EXISTS;
	}
	address_print(&s->opened[s->count - 1].bound, text);
	log_event(LOG_NOTICE, "listening", "address", text, NULL);
	return 0;
}

/* --- the further and hidden ports --- */

/* 0: none there. Nobody is behind a NAT who comes by loopback: only when asked for. */
static uint16_t further_port(const struct config *config, const struct address *main)
{
	if (config->sight_port == CONFIG_SIGHT_NONE)
		return 0;
	if (config->sight_port)
		return (uint16_t)config->sight_port;
	return address_is_loopback(main) || main->port == UINT16_MAX ? 0 : main->port + 1;
}

static bool is_open(const struct sockets *s, const struct address *at)
{
	for (unsigned i = 0; i < s->count; i++)
		if (address_equal(&s->opened[i].bound, at))
			return true;
	return false;
}

static void open_further(struct sockets *s, struct udp *udp, const struct config *config,
			 const struct address *main)
{
	struct address at = *main;
	char text[ADDRESS_TEXT_SIZE];
	int err;

	at.port = further_port(config, main);
	if (!at.port || is_open(s, &at))
		return;
	err = open_one(s, udp, SIGHT_FURTHER, &at);
	address_print(&at, text);
	if (err < 0)
		log_event(LOG_WARNING, "no-sight-port", "address", text, "reason",
			  udp_socket_trouble(err), "do",
			  "set sight-port in directory.conf to a free one, or to none: clients "
			  "learn less of their NATs without it",
			  NULL);
	else
		log_event(LOG_INFO, "sight-listening", "address", text, NULL);
}

static void open_hidden(struct sockets *s, struct udp *udp, const struct address *main)
{
	struct address at = *main;
	char text[ADDRESS_TEXT_SIZE];
	int err;

	/* two main ports of one address need but one */
	for (unsigned i = s->main_count; i < s->count; i++)
		if (s->opened[i].kind == SIGHT_HIDDEN &&
		    address_same_ip(&s->opened[i].bound, main))
			return;
	at.port = 0;
	err = open_one(s, udp, SIGHT_HIDDEN, &at);
	if (err == 0)
		return;
	address_print(main, text);
	log_event(LOG_WARNING, "no-hidden-port", "address", text, "reason",
		  udp_socket_trouble(err), NULL);
}

static void note_one(struct sockets *s, const struct config *config, const struct address *main)
{
	struct address at = *main;

	s->outside[s->outside_count++] = (struct socket_opened){ SIGHT_MAIN, at };
	at.port = further_port(config, main);
	if (at.port)
		s->outside[s->outside_count++] = (struct socket_opened){ SIGHT_FURTHER, at };
}

/* Where we are reached behind somebody else's address: as configured, or as our links say. */
static void note_outside(struct sockets *s, const struct config *config)
{
	struct address at;

	for (unsigned i = 0; i < config->outside_count; i++)
		note_one(s, config, &config->outside[i]);
	if (config->outside_count || !config->has_place)
		return;
	if (place_address(&config->place, &at) == 0 && address_is_unicast(&at))
		note_one(s, config, &at);
}

int sockets_open(struct sockets *s, struct udp *udp, const struct config *config, char *reason,
		 size_t reason_size)
{
	struct address all = { .family = 6, .port = DIRECTORY_PORT };
	const struct address *list = config->listen_count ? config->listen : &all;
	unsigned count = config->listen_count ? config->listen_count : 1;

	*s = (struct sockets){ 0 };
	for (unsigned i = 0; i < count; i++) {
		int err = open_main(s, udp, &list[i], reason, reason_size);

		if (err < 0)
			return err;
	}
	s->main_count = s->count;
	for (unsigned i = 0; i < s->main_count; i++)
		open_further(s, udp, config, &s->opened[i].bound);
	for (unsigned i = 0; i < s->main_count; i++)
		open_hidden(s, udp, &s->opened[i].bound);
	note_outside(s, config);
	if (sockets_lack_outside(s, config))
		log_event(LOG_NOTICE, "no-outside-address", "do",
			  "where a router is between this machine and the internet, set "
			  "outside-address in directory.conf to its address there, as "
			  "203.0.113.5:7272: clients learn less of their NATs without it",
			  NULL);
	return 0;
}

/* --- what they are to the core --- */

struct sight_list {
	struct sight *out;
	unsigned count;
};

static void add(struct sight_list *list, enum sight_kind kind, unsigned socket, bool is_named,
		const struct address *at)
{
	if (list->count < SIGHTS_MAX && address_is_unicast(at))
		list->out[list->count++] = (struct sight){ .kind = kind,
							   .socket = (uint16_t)socket,
							   .is_named = is_named,
							   .at = *at };
}

/* Behind a wildcard: all that the machine has now. */
static void add_interfaces(struct sight_list *list, const struct ifaddrs *interfaces,
			   unsigned socket, const struct socket_opened *o)
{
	for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next) {
		struct address at = { 0 };

		if (!i->ifa_addr || !(i->ifa_flags & IFF_UP))
			continue;
		if (i->ifa_addr->sa_family != AF_INET &&
		    (i->ifa_addr->sa_family != AF_INET6 || o->bound.family == 4))
			continue;
		if (address_from_sockaddr(&at, i->ifa_addr) < 0)
			continue;
		/* told to nobody, and some machines have hundreds */
		if (at.family == 6 && address_is_link_local(&at))
			continue;
		at.port = o->bound.port;
		add(list, o->kind, socket, false, &at);
	}
}

unsigned sockets_sights(const struct sockets *s, struct sight out[SIGHTS_MAX])
{
	struct sight_list list = { out, 0 };
	struct ifaddrs *interfaces = NULL;

	for (unsigned i = 0; i < s->outside_count; i++)
		add(&list, s->outside[i].kind, 0, true, &s->outside[i].bound);
	for (unsigned i = 0; i < s->count; i++)
		if (!is_wildcard(&s->opened[i].bound))
			add(&list, s->opened[i].kind, i, true, &s->opened[i].bound);
	if (getifaddrs(&interfaces) < 0)
		interfaces = NULL;
	for (unsigned i = 0; i < s->count; i++)
		if (is_wildcard(&s->opened[i].bound))
			add_interfaces(&list, interfaces, i, &s->opened[i]);
	if (interfaces)
		freeifaddrs(interfaces);
	return list.count;
}

bool sockets_lack_outside(const struct sockets *s, const struct config *config)
{
	struct sight sights[SIGHTS_MAX];
	unsigned count = sockets_sights(s, sights);
	bool has_private = false;

	if (!config->has_place || s->outside_count)
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (sights[i].at.family == 4 && address_is_global(&sights[i].at))
			return false;
		has_private |= sights[i].at.family == 4 && address_is_private(&sights[i].at);
	}
	return has_private;
}
