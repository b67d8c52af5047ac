/* Paths, relays and what the doctor says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/doctor_inside.h"
#include "peer/api/methods.h"
#include "peer/api/network.h"
#include "peer/api/notify.h"
#include "shared/error.h"
#include "tests/asked.h"
#include "tests/peer_fixture.h"

static void the_doctor_has_a_finding_for_a_home_without_account(void **state)
{
	struct json *answer = asked_call("doctor", "{}");
	const struct json *checks = json_get(json_get(answer, "result"), "checks");
	bool is_found = false;

	(void)state;
	for (size_t i = 0; i < json_count(checks); i++)
		is_found |= !strcmp(json_text(json_at(checks, i), "check"), "account") &&
			    !json_bool(json_at(checks, i), "ok", true) &&
			    !strcmp(json_text(json_at(checks, i), "hint"),
				    "palique join LINK, or palique login NAME@DIRECTORY");
	assert_true(is_found);
}

static const struct json *result_of(const char *method, const char *params)
{
	return json_get(asked_call(method, params), "result");
}

static void a_contact_says_by_what_path_it_is_linked(void **state)
{
	struct contact c = { .is_linked = true, .round_trip = 43 * MILLISECOND };
	struct json *o;

	(void)state;
	c.name = name_of("bob");
	assert_int_equal(address_parse(&c.path.remote, "203.0.113.7:4711", 0), 0);
	c.path_kind = PATH_PUNCHED;
	o = notify_contact(asked.engine, &c);
	assert_string_equal(json_text(o, "pathKind"), "punched");
	assert_string_equal(json_text(o, "address"), "203.0.113.7:4711");
	assert_true(json_real(o, "roundTripMs", 0) > 42.9);
	assert_null(json_text(o, "relay"));
	assert_string_equal(json_text(o, "consent"), "direct");
	json_free(o);
	c.path_kind = PATH_RELAYED;
	c.path.tunnel = 3;
	c.relay = name_of("carol");
	c.consent = CONSENT_RELAY;
	o = notify_contact(asked.engine, &c);
	assert_string_equal(json_text(o, "pathKind"), "relayed");
	assert_null(json_text(o, "address"));
	assert_true(json_real(o, "roundTripMs", 0) > 42.9);
	assert_string_equal(json_text(o, "relay"), "carol");
	assert_string_equal(json_text(o, "consent"), "relay");
	json_free(o);
	c.is_linked = false;
	c.is_looking = true;
	o = notify_contact(asked.engine, &c);
	assert_true(json_has(o, "pathKind"));
	assert_null(json_text(o, "pathKind"));
	assert_null(json_text(o, "relay"));
	assert_false(json_has(o, "roundTripMs"));
	assert_true(json_bool(o, "looking", false));
	json_free(o);
}

static void a_connection_tells_its_kind(void **state)
{
	struct event up = { .id = 7, .kind = EVENT_LINK, .is_linked = true };
	struct json *params = json_object();

	(void)state;
	up.name = name_of("bob");
	up.path_kind = PATH_LAN;
	assert_int_equal(address_parse(&up.path.remote, "192.168.1.7:4711", 0), 0);
	assert_string_equal(notify_event(asked.engine, &up, params), "connection");
	assert_string_equal(json_text(params, "pathKind"), "lan");
	assert_string_equal(json_text(params, "address"), "192.168.1.7:4711");
	json_free(params);
	params = json_object();
	up.is_linked = false;
	notify_event(asked.engine, &up, params);
	assert_null(json_text(params, "pathKind"));
	assert_null(json_text(params, "address"));
	json_free(params);
}

static void consent_is_one_of_three_words(void **state)
{
	static const char *const all[] = { "relay", "never", "direct" };
	char params[128];

	(void)state;
	asked_call("addContact", "{\"contact\":\"bob\"}");
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		snprintf(params, sizeof params, "{\"name\":\"bob\",\"consent\":\"%s\"}",
			 all[i]);
		assert_string_equal(
			json_text(json_get(result_of("setConsent", params), "contact"),
				  "consent"),
			all[i]);
		assert_string_equal(
			json_text(json_get(result_of("getContact", "{\"name\":\"bob\"}"),
					   "contact"),
				  "consent"),
			all[i]);
	}
	assert_int_equal(
		code_of(asked_call("setConsent", "{\"name\":\"bob\",\"consent\":\"often\"}")),
		-32000 + ERR_FORMAT);
	assert_int_equal(
		code_of(asked_call("setConsent", "{\"name\":\"zoe\",\"consent\":\"never\"}")),
		-32000 + ERR_NOT_FOUND);
}

static void relaying_is_off_until_it_is_switched_on(void **state)
{
	const struct json *relay = json_get(json_get(result_of("status", "{}"), "network"),
					    "relay");

	(void)state;
	assert_false(json_bool(relay, "on", true));
	relay = json_get(result_of("setRelay", "{\"on\":true}"), "relay");
	assert_true(json_bool(relay, "on", false));
	assert_int_equal(json_int(relay, "rate", 0), NETWORK_RELAY_RATE);
	relay = json_get(result_of("setRelay", "{\"on\":true,\"rate\":65536}"), "relay");
	assert_int_equal(json_int(relay, "rate", 0), 65536);
	/* Without a rate the one that was chosen stays. */
	relay = json_get(result_of("setRelay", "{\"on\":true}"), "relay");
	assert_int_equal(json_int(relay, "rate", 0), 65536);
	relay = json_get(result_of("setRelay", "{\"on\":false}"), "relay");
	assert_false(json_bool(relay, "on", true));
	assert_int_equal(code_of(asked_call("setRelay", "{\"on\":true,\"rate\":1}")), -32602);
	assert_int_equal(code_of(asked_call("setRelay", "{}")), -32602);
}

static void without_an_account_nothing_is_relayed(void **state)
{
	(void)state;
	assert_int_equal(code_of(asked_call("setRelay", "{\"on\":true}")), -32000 + ERR_STATE);
}

static const struct json *find_check(const struct json *result, const char *check)
{
	const struct json *checks = json_get(result, "checks");

	for (size_t i = 0; i < json_count(checks); i++)
		if (!strcmp(json_text(json_at(checks, i), "check"), check))
			return json_at(checks, i);
	return NULL;
}

static void a_network_from_which_nothing_comes_back_is_named_in_three_seconds(void **state)
{
	const struct json *network, *check;
	mono_ns begun = asked.now;

	(void)state;
	asked_step();
	network = json_get(result_of("status", "{}"), "network");
	assert_false(json_bool(network, "udpBlocked", true));
	assert_true(json_bool(network, "settling", false));
	while (asked.now < begun + ENGINE_BLOCKED) {
		asked.now += 50 * MILLISECOND;
		asked_step();
	}
	network = json_get(result_of("status", "{}"), "network");
	assert_true(json_bool(network, "udpBlocked", false));
	assert_false(json_bool(network, "settling", true));
	assert_non_null(
		strstr(json_text(json_get(result_of("status", "{}"), "account"), "trouble"),
		       "UDP does not get out"));
	check = find_check(result_of("doctor", "{}"), "udp");
	assert_non_null(check);
	assert_false(json_bool(check, "ok", true));
	assert_non_null(strstr(json_text(check, "hint"), "another network"));
	/* Once is enough. */
	assert_null(find_check(result_of("doctor", "{}"), "directory"));
}

static void a_directory_on_this_machine_is_not_cut_off_by_a_network(void **state)
{
	struct engine_reach reach = { .is_udp_blocked = true };
	struct engine_account account = { .state = ACCOUNT_CONNECTING };

	(void)state;
	assert_int_equal(place_parse(&account.place, "203.0.113.9"), 0);
	assert_true(network_is_blocked(&reach, &account));
	account.state = ACCOUNT_ONLINE;
	assert_false(network_is_blocked(&reach, &account));
	account.state = ACCOUNT_JOINING;
	assert_true(network_is_blocked(&reach, &account));
	assert_int_equal(place_parse(&account.place, "127.0.0.1:9"), 0);
	assert_false(network_is_blocked(&reach, &account));
	assert_int_equal(place_parse(&account.place, "[::1]:9"), 0);
	assert_false(network_is_blocked(&reach, &account));
}

static void a_machine_in_no_network_is_told_of_its_cable_and_not_of_a_firewall(void **state)
{
	struct engine_reach reach = { .is_udp_blocked = true, .network.address_count = 1 };
	struct findings f = { .list = json_array(), .is_well = true };
	struct engine_account account = { .state = ACCOUNT_CONNECTING };

	(void)state;
	assert_int_equal(address_parse(&reach.network.addresses[0], "127.0.0.1:1", 0), 0);
	assert_true(network_is_alone(&reach.network));
	assert_int_equal(place_parse(&account.place, "203.0.113.9"), 0);
	doctor_check_reach(&f, &reach, &account);
	assert_int_equal(json_count(f.list), 0); /* what it lacks, "addresses" has said */
	assert_int_equal(address_parse(&reach.network.addresses[0], "192.168.1.5:1", 0), 0);
	assert_false(network_is_alone(&reach.network));
	doctor_check_reach(&f, &reach, &account);
	assert_int_equal(json_count(f.list), 1);
	json_free(f.list);
}

static void what_a_router_calls_itself_is_shown_safely(void **state)
{
	struct engine_account account = { .state = ACCOUNT_ONLINE };
	struct engine_reach reach = { .is_relay = true, .relay_rate = 65536 };
	const struct json *list, *upnp;
	struct json *o;

	(void)state;
	reach.sighting.is_done = true;
	reach.sighting.nat.mapping = NAT_RANDOM;
	reach.sighting.nat.filtering = NAT_FILTERED;
	reach.maps[PORT_MAP_UPNP].state = PORT_MAP_HELD;
	reach.maps[PORT_MAP_UPNP].is_behind = true;
	assert_int_equal(address_parse(&reach.maps[PORT_MAP_UPNP].outer, "100.64.0.9:4711", 0),
			 0);
	snprintf(reach.maps[PORT_MAP_UPNP].router, sizeof reach.maps[0].router, "evil\033[2J");
	reach.maps[PORT_MAP_PCP].state = PORT_MAP_REFUSED;
	reach.maps[PORT_MAP_PCP].error = 2;
	o = network_view(&reach, &account);
	assert_string_equal(json_text(json_get(o, "nat"), "mapping"), "random");
	list = json_get(o, "mappings");
	assert_int_equal(json_count(list), PORT_MAP_WAYS);
	upnp = json_at(list, PORT_MAP_UPNP);
	assert_string_equal(json_text(upnp, "way"), "upnp");
	assert_string_equal(json_text(upnp, "outer"), "100.64.0.9:4711");
	assert_true(json_bool(upnp, "behind", false));
	assert_null(strchr(json_text(upnp, "router"), '\033'));
	assert_int_equal(json_int(json_at(list, PORT_MAP_PCP), "error", 0), 2);
	assert_int_equal(json_int(json_get(o, "relay"), "rate", 0), 65536);
	json_free(o);
}

/* What the doctor says of a network under `check`; NULL: nothing. */
static char *diagnose(const struct engine_reach *reach, enum account_state state,
		      const char *check)
{
	struct engine_account account = { .state = state };
	struct findings f = { .list = json_array(), .is_well = true };
	struct json *result = json_object();
	const struct json *found;
	char *said = NULL;

	doctor_check_reach(&f, reach, &account);
	json_set(result, "checks", f.list);
	found = find_check(result, check);
	if (found) {
		said = memory_new(1024);
		snprintf(
			said, 1024, "%s%s%s", json_text(found, "text"),
			json_bool(found, "ok", true) ? "" : " TRY: ", json_text(found, "hint"));
	}
	json_free(result);
	return said;
}

static void says(const struct engine_reach *reach, const char *check, const char *words)
{
	char *said = diagnose(reach, ACCOUNT_ONLINE, check);

	if (!words)
		assert_null(said);
	else if (!said || !strstr(said, words))
		fail_msg("%s: \"%s\" lacks \"%s\"", check, said ? said : "", words);
	free(said);
}

static void the_doctor_says_what_the_router_is_and_what_helps(void **state)
{
	struct engine_reach reach = { .network = { .port = 40123, .address_count = 1 } };

	(void)state;
	assert_int_equal(address_parse(&reach.network.addresses[0], "192.168.1.5:40123", 0), 0);
	says(&reach, "udp", "UDP gets out");
	says(&reach, "nat", NULL);
	reach.sighting.is_done = true;
	says(&reach, "nat", "could not be found out");
	reach.sighting.nat = (struct nat){ .mapping = NAT_NONE };
	says(&reach, "nat", "no NAT");
	assert_int_equal(address_parse(&reach.sighting.seen, "192.168.1.5:40123", 0), 0);
	says(&reach, "nat", "own network");
	reach.sighting.nat = (struct nat){ .mapping = NAT_EASY, .filtering = NAT_FILTERED };
	says(&reach, "nat", "easy to get through");
	says(&reach, "strangers", "only who is called gets in");
	says(&reach, "mapping", NULL); /* switched off, or there is no router */
	for (unsigned i = 0; i < PORT_MAP_WAYS; i++)
		reach.maps[i].state = PORT_MAP_SILENT;
	says(&reach, "mapping", "does not answer PCP, NAT-PMP or UPnP");
	reach.sighting.nat.mapping = NAT_RANDOM;
	says(&reach, "nat", "symmetric");
	says(&reach, "mapping", "TRY: switch UPnP, NAT-PMP or PCP on in the router");
	reach.maps[PORT_MAP_NATPMP].state = PORT_MAP_REFUSED;
	reach.maps[PORT_MAP_NATPMP].error = 2;
	says(&reach, "mapping", "answers NAT-PMP and refuses to open a port (its code: 2)");
	reach.maps[PORT_MAP_UPNP].state = PORT_MAP_ASKING;
	says(&reach, "mapping", "being asked");
	reach.maps[PORT_MAP_UPNP].state = PORT_MAP_HELD;
	reach.maps[PORT_MAP_UPNP].is_behind = true;
	assert_int_equal(address_parse(&reach.maps[PORT_MAP_UPNP].outer, "100.64.0.9:40123", 0),
			 0);
	says(&reach, "mapping", "carrier-grade NAT");
	reach.maps[PORT_MAP_PCP].state = PORT_MAP_HELD;
	assert_int_equal(address_parse(&reach.maps[PORT_MAP_PCP].outer, "203.0.113.9:40123", 0),
			 0);
	says(&reach, "mapping", "opened 203.0.113.9:40123 for this machine by PCP");
	reach.sighting.port = PORT_OPEN;
	says(&reach, "strangers", "from anywhere: the directory tried");
	says(&reach, "ipv6", "no IPv6");
	reach.network.address_count = 1;
	assert_int_equal(address_parse(&reach.network.addresses[0], "[2001:db8::1]:1", 0), 0);
	says(&reach, "ipv6", "IPv6 alone");
	says(&reach, "nat", NULL);
	says(&reach, "mapping", NULL);
	reach.network.address_count = 2;
	assert_int_equal(address_parse(&reach.network.addresses[1], "192.168.1.5:40123", 0), 0);
	says(&reach, "ipv6", "there is IPv6, where");
	says(&reach, "metered", NULL);
	reach.network.is_metered = true;
	says(&reach, "metered", "each byte may cost");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EMPTY(the_doctor_has_a_finding_for_a_home_without_account),
		EMPTY(a_contact_says_by_what_path_it_is_linked),
		MEMBER(a_connection_tells_its_kind),
		MEMBER(consent_is_one_of_three_words),
		MEMBER(relaying_is_off_until_it_is_switched_on),
		EMPTY(without_an_account_nothing_is_relayed),
		MEMBER(a_network_from_which_nothing_comes_back_is_named_in_three_seconds),
		EMPTY(a_directory_on_this_machine_is_not_cut_off_by_a_network),
		EMPTY(a_machine_in_no_network_is_told_of_its_cable_and_not_of_a_firewall),
		EMPTY(what_a_router_calls_itself_is_shown_safely),
		EMPTY(the_doctor_says_what_the_router_is_and_what_helps),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
