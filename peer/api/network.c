#include "peer/api/network.h"

#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

const char network_blocked_trouble[] = N_(
	"nothing comes back from the directory: UDP does not get out of this network, or the "
	"directory is down (palique doctor)");
const char network_alone_trouble[] = N_("this machine is in no network (palique doctor)");

/* --- names --- */

static const char *const path_kinds[] = {
	[PATH_LOOPBACK] = "loopback", [PATH_LAN] = "lan",         [PATH_IPV6] = "ipv6",
	[PATH_PUBLIC] = "public",     [PATH_MAPPED] = "mapped",   [PATH_PUNCHED] = "punched",
	[PATH_SPRAYED] = "sprayed",   [PATH_RELAYED] = "relayed",
};
static const char *const consents[] = {
	[CONSENT_DIRECT] = "direct",
	[CONSENT_RELAY] = "relay",
	[CONSENT_NEVER] = "never",
};
static const char *const mappings[] = {
	[NAT_UNKNOWN] = "unknown",       [NAT_NONE] = "none",   [NAT_EASY] = "easy",
	[NAT_SEQUENTIAL] = "sequential", [NAT_BLOCK] = "block", [NAT_RANDOM] = "random",
};
static const char *const filterings[] = {
	[NAT_FILTER_UNKNOWN] = "unknown",
	[NAT_OPEN] = "open",
	[NAT_FILTERED] = "filtered",
};
static const char *const ports[] = {
	[PORT_UNTRIED] = "untried",
	[PORT_TRYING] = "trying",
	[PORT_OPEN] = "open",
	[PORT_SHUT] = "shut",
};
static const char *const ways[PORT_MAP_WAYS] = {
	[PORT_MAP_PCP] = "pcp",
	[PORT_MAP_NATPMP] = "natpmp",
	[PORT_MAP_UPNP] = "upnp",
};
static const char *const map_states[] = {
	[PORT_MAP_OFF] = "off",       [PORT_MAP_ASKING] = "asking",
	[PORT_MAP_SILENT] = "silent", [PORT_MAP_REFUSED] = "refused",
	[PORT_MAP_HELD] = "held",
};
#define NAME_OF(names, value)                                                                  \
	((size_t)(value) < sizeof(names) / sizeof *(names) ? (names)[value] : NULL)

const char *network_path_kind(enum path_kind kind)
{
	return NAME_OF(path_kinds, kind);
}

const char *network_consent(enum consent consent)
{
	return NAME_OF(consents, consent);
}

int network_consent_parse(enum consent *consent, const char *text)
{
	for (size_t i = 0; i < sizeof consents / sizeof *consents; i++) {
		if (strcmp(consents[i], text))
			continue;
		*consent = (enum consent)i;
		return 0;
	}
	return ERR_FORMAT;
}

/* --- what it comes to --- */

static bool is_seeking(const struct engine_account *account)
{
	return account->state == ACCOUNT_JOINING || account->state == ACCOUNT_CONNECTING;
}

static bool is_here(const struct directory_place *place)
{
	struct address at;

	return place_address(place, &at) == 0 && address_is_loopback(&at);
}

bool network_is_blocked(const struct engine_reach *reach, const struct engine_account *account)
{
	return reach->is_udp_blocked && is_seeking(account) && !is_here(&account->place);
}

/* Something was asked and may still be answered: what is said now will be said otherwise soon. */
static bool is_settling(const struct engine_reach *reach, const struct engine_account *account)
{
	if (is_seeking(account))
		return reach->is_udp_asked && !reach->is_udp_blocked;
	if (account->state != ACCOUNT_ONLINE)
		return false;
	for (unsigned i = 0; i < PORT_MAP_WAYS; i++) {
		if (reach->maps[i].state == PORT_MAP_ASKING)
			return true;
	}
	return !reach->sighting.is_done || reach->sighting.port == PORT_TRYING;
}

static bool is_beyond(const struct address *a)
{
	return !address_is_loopback(a) && !address_is_link_local(a);
}

bool network_is_alone(const struct network *network)
{
	for (unsigned i = 0; i < network->address_count; i++)
		if (is_beyond(&network->addresses[i]))
			return false;
	return network->address_count > 0; /* none, not even the loopback's: not known yet */
}

bool network_has_ipv4(const struct network *network)
{
	for (unsigned i = 0; i < network->address_count; i++)
		if (network->addresses[i].family == 4 && is_beyond(&network->addresses[i]))
			return true;
	return false;
}

bool network_has_ipv6(const struct network *network)
{
	for (unsigned i = 0; i < network->address_count; i++) {
		const struct address *a = &network->addresses[i];

		if (a->family == 6 && address_is_global(a))
			return true;
	}
	return false;
}

/* --- views --- */

static void set_address(struct json *o, const char *key, const struct address *a)
{
	char text[ADDRESS_TEXT_SIZE];

	if (a->family == 0)
		return;
	address_print(a, text);
	json_set_text(o, key, text);
}

static struct json *view_maps(const struct engine_reach *reach)
{
	struct json *list = json_array();

	for (unsigned i = 0; i < PORT_MAP_WAYS; i++) {
		const struct port_map_report *m = &reach->maps[i];
		struct json *o = json_set_text(json_object(), "way", ways[i]);
		const char *state = NAME_OF(map_states, m->state);
		char *router = text_safe(m->router, strlen(m->router), false);

		json_set_text(o, "state", state ? state : "off");
		if (m->state == PORT_MAP_HELD) {
			set_address(o, "outer", &m->outer);
			json_set_bool(o, "behind", m->is_behind);
		}
		if (m->state == PORT_MAP_REFUSED)
			json_set_int(o, "error", m->error);
		if (*router)
			json_set_text(o, "router", router);
		free(router);
		json_add(list, o);
	}
	return list;
}

struct json *network_relay(const struct engine_reach *reach)
{
	struct json *o = json_set_bool(json_object(), "on", reach->is_relay);

	json_set_int(o, "rate", reach->is_relay ? reach->relay_rate : 0);
	json_set_int(o, "circuits", reach->relay.circuits);
	json_set_int(o, "bytes", (int64_t)reach->relay.bytes);
	return o;
}

struct json *network_view(const struct engine_reach *reach,
			  const struct engine_account *account)
{
	const struct nat *nat = &reach->sighting.nat;
	struct json *o = json_object(), *shown = json_object();
	const char *mapping = NAME_OF(mappings, nat->mapping),
		   *filtering = NAME_OF(filterings, nat->filtering),
		   *port = NAME_OF(ports, reach->sighting.port);

	json_set_text(shown, "mapping", mapping ? mapping : "unknown");
	json_set_text(shown, "filtering", filtering ? filtering : "unknown");
	json_set(o, "nat", shown);
	set_address(o, "seen", &reach->sighting.seen);
	json_set_int(o, "receivedBytes", (int64_t)reach->received_bytes);
	json_set_int(o, "sentBytes", (int64_t)reach->sent_bytes);
	json_set_bool(o, "ipv6", network_has_ipv6(&reach->network));
	json_set_bool(o, "metered", reach->network.is_metered);
	json_set(o, "mappings", view_maps(reach));
	json_set_text(o, "mappedPort", port ? port : "untried");
	json_set_bool(o, "udpBlocked", network_is_blocked(reach, account));
	json_set_bool(o, "settling", is_settling(reach, account));
	json_set(o, "relay", network_relay(reach));
	json_set_int(o, "lanFound", reach->lan_found);
	json_set_int(o, "published", reach->published);
	return o;
}
