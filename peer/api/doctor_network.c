#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/doctor_inside.h"
#include "peer/api/network.h"
#include "shared/text.h"

/* --- this machine --- */

static void check_machine(struct findings *f, const struct api_machine *machine)
{
	const struct address *list = machine->addresses;
	unsigned outside = 0;
	char text[256];

	snprintf(text, sizeof text, _("UDP port %u is open for peers"), machine->port);
	doctor_note(f, "port", machine->port ? text : _("no UDP port is open"),
		    machine->port ? NULL : "palique stop");
	for (unsigned i = 0; i < machine->address_count; i++)
		outside += !address_is_loopback(&list[i]) && !address_is_link_local(&list[i]);
	if (outside)
		snprintf(text, sizeof text,
			 ngettext("%u address on the network", "%u addresses on the network",
				  outside),
			 outside);
	else
		snprintf(text, sizeof text, "%s",
			 _("no address on any network: only programs on this machine can be "
			   "reached"));
	doctor_note(f, "addresses", text,
		    outside ? NULL
			    : _("plug in a cable, or switch Wi-Fi on (ip address shows what "
				"this machine has)"));
}

/* --- whether anything gets out --- */

static void check_udp(struct findings *f, const struct engine_reach *reach,
		      const struct engine_account *account)
{
	char place[URI_HOST_MAX + 9], text[URI_HOST_MAX + 256], hint[320];

	place_print(&account->place, place);
	/* Of a machine without addresses its own line has said enough. */
	if (network_is_blocked(reach, account) && network_is_alone(&reach->network))
		return;
	if (network_is_blocked(reach, account)) {
		snprintf(text, sizeof text,
			 _("UDP does not get out of this network, or the directory is down: "
			   "nothing came back from %s in %.1f s"),
			 place, (double)ENGINE_BLOCKED / (double)SECOND);
		snprintf(hint, sizeof hint,
			 _("another network, a phone's for example; or ask who runs this one "
			   "to let UDP out: to port %u for the directory, to any for contacts"),
			 account->place.port);
		doctor_note(f, "udp", text, hint);
	} else if (account->state == ACCOUNT_ONLINE) {
		doctor_note(f, "udp", _("UDP gets out of this network and back"), NULL);
	}
}

/* --- the router before us --- */

static bool is_hard(const struct nat *nat)
{
	return nat->mapping == NAT_SEQUENTIAL || nat->mapping == NAT_BLOCK ||
	       nat->mapping == NAT_RANDOM;
}

/* A directory in our own network, or on this machine, cannot tell how the internet sees us. */
static bool is_seen_from_inside(const struct sighting_report *sighting)
{
	const struct address *seen = &sighting->seen;

	return sighting->nat.mapping == NAT_NONE && seen->family == 4 &&
	       (address_is_private(seen) || address_is_loopback(seen));
}

static void check_nat(struct findings *f, const struct sighting_report *sighting)
{
	static const struct {
		enum nat_mapping mapping;
		bool is_remark;
		const char *text;
	} rows[] = {
		{ NAT_NONE, false,
		  N_("no router between here and the directory changes this machine's "
		     "addresses "
		     "(no NAT)") },
		{ NAT_EASY, false,
		  N_("the router here is easy to get through: everybody sees this machine at "
		     "the same port (NAT with endpoint-independent mapping)") },
		{ NAT_SEQUENTIAL, true,
		  N_("the router here shows another port to everybody, one after the other "
		     "(hard NAT, sequential ports): direct paths are found by guessing the "
		     "next ones") },
		{ NAT_BLOCK, true,
		  N_("the router here shows another port to everybody, out of a small range "
		     "(hard NAT, a block of ports, as providers have it): direct paths are "
		     "found by trying the range") },
		{ NAT_RANDOM, true,
		  N_("the router here shows everybody another, random port (hard NAT, "
		     "symmetric): "
		     "direct paths work with people behind easy routers; with others it "
		     "needs a relay") },
	};

	if (!sighting->is_done)
		return;
	if (is_seen_from_inside(sighting)) {
		doctor_remark(
			f, "nat",
			_("the directory is in this machine's own network, and cannot tell how "
			  "the internet sees it: people outside reach it by a port that the "
			  "router opens, by IPv6 or through a relay"));
		return;
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].mapping != sighting->nat.mapping)
			continue;
		if (rows[i].is_remark)
			doctor_remark(f, "nat", _(rows[i].text));
		else
			doctor_note(f, "nat", _(rows[i].text), NULL);
		return;
	}
	doctor_remark(
		f, "nat",
		_("what kind of router is before this machine could not be found out: the "
		  "directory's second UDP port does not answer (a matter for its operator: "
		  "sight-port, outside-address); some paths take longer so, or need a relay"));
}

/* Whether somebody can call us who was never called. */
static void check_strangers(struct findings *f, const struct sighting_report *sighting)
{
	if (sighting->port == PORT_OPEN)
		doctor_note(f, "strangers",
			    _("contacts can call this machine from anywhere: the directory "
			      "tried the port that the router opened"),
			    NULL);
	else if (sighting->is_done && sighting->nat.filtering == NAT_OPEN)
		doctor_note(f, "strangers",
			    _("contacts can call this machine from anywhere: nothing before it "
			      "holds back who was not called (open filtering)"),
			    NULL);
	else if (sighting->port == PORT_SHUT)
		doctor_remark(f, "strangers",
			      _("the router said that it opened a port, but what the directory "
				"sent to it did not come through"));
	else if (sighting->is_done && sighting->nat.filtering == NAT_FILTERED)
		doctor_remark(f, "strangers",
			      _("only who is called gets in (filtering): both sides open the "
				"way at the same moment, when the directory introduces them"));
}

static const char *const way_names[PORT_MAP_WAYS] = {
	[PORT_MAP_PCP] = "PCP",
	[PORT_MAP_NATPMP] = "NAT-PMP",
	[PORT_MAP_UPNP] = "UPnP",
};

/* One that reaches the internet, else any; NULL: none is held. */
static const struct port_map_report *held(const struct engine_reach *reach, unsigned *way)
{
	const struct port_map_report *found = NULL;

	for (unsigned i = 0; i < PORT_MAP_WAYS; i++) {
		const struct port_map_report *m = &reach->maps[i];
		if (m->state != PORT_MAP_HELD || (found && !found->is_behind))
			continue;
		if (found && m->is_behind)
			continue;
		found = m;
		*way = i;
	}
	return found;
}

static void tell_held(struct findings *f, const struct port_map_report *m, unsigned way)
{
	char text[512], outer[ADDRESS_TEXT_SIZE], name[sizeof m->router + 4] = "";
	char *router = text_safe(m->router, strlen(m->router), false);

	address_print(&m->outer, outer);
	if (*router)
		snprintf(name, sizeof name, " (%.60s)", router);
	free(router);
	if (m->is_behind) {
		snprintf(text, sizeof text,
			 _("the router%s opened %s by %s, but that is not where the internet "
			   "sees us: there is a second router, your provider's as a rule "
			   "(carrier-grade NAT), and nobody here can open that one"),
			 name, outer, way_names[way]);
		doctor_remark(f, "mapping", text);
		return;
	}
	snprintf(text, sizeof text, _("the router%s opened %s for this machine by %s"), name,
		 outer, way_names[way]);
	doctor_note(f, "mapping", text, NULL);
}

static unsigned count_maps(const struct engine_reach *reach, enum port_map_state state)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PORT_MAP_WAYS; i++)
		count += reach->maps[i].state == state;
	return count;
}

/* Without a port at the router: what it said, and what to do. Where our NAT is easy, or there is none,
 * nothing needs to be done. */
static void tell_unheld(struct findings *f, const struct engine_reach *reach)
{
	const struct nat *nat = &reach->sighting.nat;
	const char *hint;
	char text[256];

	if (!reach->sighting.is_done ||
	    (nat->mapping == NAT_NONE && !is_seen_from_inside(&reach->sighting)) ||
	    count_maps(reach, PORT_MAP_OFF) == PORT_MAP_WAYS)
		return;
	if (count_maps(reach, PORT_MAP_ASKING)) {
		doctor_remark(f, "mapping",
			      _("the router is being asked to open a port; its answer is here "
				"in a moment"));
		return;
	}
	snprintf(text, sizeof text, "%s",
		 _("your router does not answer PCP, NAT-PMP or UPnP, by which it would open a "
		   "port"));
	for (unsigned i = 0; i < PORT_MAP_WAYS; i++)
		if (reach->maps[i].state == PORT_MAP_REFUSED)
			snprintf(text, sizeof text,
				 _("your router answers %s and refuses to open a port (its "
				   "code: %d)"),
				 way_names[i], reach->maps[i].error);
	hint = count_maps(reach, PORT_MAP_REFUSED)
		       ? _("allow it in the router's own settings")
		       : _("switch UPnP, NAT-PMP or PCP on in the router's own settings");
	if (is_hard(nat))
		doctor_note(f, "mapping", text, hint);
	else
		doctor_remark(f, "mapping", text);
}

static void check_mapping(struct findings *f, const struct engine_reach *reach)
{
	unsigned way = 0;
	const struct port_map_report *m = held(reach, &way);

	if (m)
		tell_held(f, m, way);
	else
		tell_unheld(f, reach);
}

/* --- the rest --- */

static void check_ipv6(struct findings *f, const struct network *network)
{
	if (network_has_ipv6(network) && !network_has_ipv4(network))
		doctor_remark(
			f, "ipv6",
			_("there is IPv6 alone, where routers change no addresses; who has "
			  "IPv4 only is reached through a relay"));
	else if (network_has_ipv6(network))
		doctor_note(f, "ipv6", _("there is IPv6, where routers change no addresses"),
			    NULL);
	else
		doctor_remark(f, "ipv6",
			      _("there is no IPv6 here: IPv4 alone does as a rule; who has "
				"IPv6 only is reached through a relay"));
}

static void check_others(struct findings *f, const struct engine_reach *reach)
{
	char text[256];

	if (reach->network.is_metered)
		doctor_remark(f, "metered",
			      _("each byte may cost here (a metered network): paths that need "
				"many packets to be found are not looked for"));
	if (reach->lan_found) {
		snprintf(text, sizeof text,
			 ngettext("%u device of contacts was found on this network",
				  "%u devices of contacts were found on this network",
				  reach->lan_found),
			 reach->lan_found);
		doctor_note(f, "lan", text, NULL);
	}
	if (reach->is_relay) {
		snprintf(text, sizeof text,
			 _("this device relays for contacts (palique relay off ends it): "
			   "connections now: %u, kB so far: %llu"),
			 reach->relay.circuits, (unsigned long long)(reach->relay.bytes >> 10));
		doctor_remark(f, "relay", text);
	}
}

void doctor_check_reach(struct findings *f, const struct engine_reach *reach,
			const struct engine_account *account)
{
	if (account->state == ACCOUNT_NONE)
		return;
	check_udp(f, reach, account);
	if (account->state != ACCOUNT_ONLINE)
		return;
	/* What is asked there is about the routers of IPv4. */
	bool has_router = !network_has_ipv6(&reach->network) ||
			  network_has_ipv4(&reach->network);
	if (has_router)
		check_nat(f, &reach->sighting);
	check_strangers(f, &reach->sighting);
	if (has_router)
		check_mapping(f, reach);
	check_ipv6(f, &reach->network);
	check_others(f, reach);
}

void doctor_check_network(struct findings *f, const struct call *call,
			  const struct engine_account *account)
{
	struct engine_reach reach;

	engine_reach(call->engine, &reach);
	check_machine(f, call->machine);
	doctor_check_reach(f, &reach, account);
}

/* --- contacts --- */

void doctor_describe_path(const struct contact *c, char *text, size_t size)
{
	static const char *const words[] = {
		[PATH_NONE] = N_("%s is connected directly (%s, %.1f ms)"),
		[PATH_LOOPBACK] = N_("%s is connected on this machine (%s, %.1f ms)"),
		[PATH_LAN] = N_("%s is connected on the same network (%s, %.1f ms)"),
		[PATH_IPV6] = N_("%s is connected directly by IPv6 (%s, %.1f ms)"),
		[PATH_PUBLIC] = N_("%s is connected directly (%s, %.1f ms)"),
		[PATH_MAPPED] = N_(
			"%s is connected directly, by a port that a router opened (%s, %.1f "
			"ms)"),
		[PATH_PUNCHED] = N_(
			"%s is connected directly, through the routers (%s, %.1f ms)"),
		[PATH_SPRAYED] = N_(
			"%s is connected directly, through the routers by a guessed port "
			"(%s, %.1f ms)"),
		[PATH_RELAYED] = N_(
			"%s is connected through a contact of both, %s, who relays (%.1f "
			"ms)"),
	};
	const char *pattern = c->path_kind <= PATH_RELAYED ? words[c->path_kind] : words[0];
	char where[ADDRESS_TEXT_SIZE];

	if (c->path_kind == PATH_RELAYED)
		snprintf(where, sizeof where, "%s", c->relay.text[0] ? c->relay.text : "?");
	else
		address_print(&c->path.remote, where);
	snprintf(text, size, _(pattern), c->name.text, where,
		 (double)c->round_trip / (double)MILLISECOND);
}
