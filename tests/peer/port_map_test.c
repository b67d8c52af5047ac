/* Asking routers for a port, against routers that are a few lines here: honest ones, and others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "peer/candidates.h"
#include "peer/pcp.h"
#include "peer/port_map.h"
#include "shared/error.h"
#include "tests/at.h"

enum { OURS = 7171, HEARD_MAX = 64 };

static struct rooms rooms;
static struct port_map *map;
static struct network network;
static struct address gateway, gateway6, outer, seen;

/* What the router got since it was last looked at. */
struct heard {
	uint8_t data[64];
	size_t size;
	struct path path;
};
static struct heard heard[HEARD_MAX];
static unsigned heard_count;

static void take_sent(void)
{
	static uint8_t room[ENDPOINT_LOOPBACK_MAX];
	struct datagram d;

	heard_count = 0;
	while (endpoint_send(rooms.endpoint, room, &d, rooms.now)) {
		struct heard *h = &heard[heard_count++];

		assert_true(heard_count < HEARD_MAX && d.size <= sizeof h->data);
		memcpy(h->data, room, d.size);
		h->size = d.size;
		h->path = d.path;
		assert_int_equal(d.path.remote.port, PCP_PORT);
	}
}

/* Of those, the one of this kind; NULL: there is none. */
static const struct heard *asked(uint8_t version, uint8_t opcode, uint8_t family)
{
	for (unsigned i = 0; i < heard_count; i++)
		if (heard[i].data[0] == version && heard[i].data[1] == opcode &&
		    heard[i].path.remote.family == family)
			return &heard[i];
	return NULL;
}

static mono_ns step(void)
{
	mono_ns deadline = port_map_step(map);

	take_sent();
	return deadline;
}

/* The next moment something is due, or so much later. */
static mono_ns step_at_deadline(void)
{
	rooms.now = step();
	return step();
}

static int begin(void **state)
{
	struct endpoint_config config = { .policy = ENDPOINT_ADMITTED, .idle_timeout = SECOND };

	(void)state;
	device_make(&config.device);
	rooms = (struct rooms){ .now = 1000 * SECOND };
	rooms.endpoint = endpoint_new(&config, rooms.now);
	rooms.candidates = own_candidates_new();
	map = port_map_new(&rooms);
	gateway = at("192.168.1.1:5351");
	outer = at("203.0.113.9:4000");
	seen = at("203.0.113.9:999");
	network = (struct network){ .port = OURS,
				    .gateway4 = at("192.168.1.1"),
				    .toward4 = at("192.168.1.7") };
	gateway6 = at("[fe80::1]:5351");
	gateway6.scope = 3;
	own_candidates_set_network(rooms.candidates, &network);
	own_candidates_set_observed(rooms.candidates, &seen);
	return 0;
}

static int end(void **state)
{
	(void)state;
	port_map_free(map);
	own_candidates_free(rooms.candidates);
	endpoint_free(rooms.endpoint);
	return 0;
}

static bool say(const struct address *from, const void *data, size_t size)
{
	struct path path = { .remote = *from };

	return port_map_stray(map, &path, bytes_of(data, size));
}

static void put32(uint8_t *out, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void put_outer(uint8_t *out, const struct address *a)
{
	out[42] = (uint8_t)(a->port >> 8);
	out[43] = (uint8_t)a->port;
	memset(out + 44, 0, 16);
	if (a->family == 4) {
		out[54] = out[55] = 0xff;
		memcpy(out + 56, a->ip, 4);
	} else {
		memcpy(out + 44, a->ip, 16);
	}
}

/* To the last question of PCP. */
static void make_pcp(uint8_t out[PCP_MAP_SIZE], const struct heard *question, uint8_t result,
		     uint32_t life, uint32_t epoch, const struct address *where)
{
	assert_non_null(question);
	memcpy(out, question->data, PCP_MAP_SIZE);
	out[1] |= 0x80;
	out[3] = result;
	put32(out + 4, life);
	put32(out + 8, epoch);
	memset(out + 12, 0, 12);
	put_outer(out, where);
}

static void answer_pcp(uint8_t result, uint32_t life, uint32_t epoch,
		       const struct address *where)
{
	uint8_t d[PCP_MAP_SIZE];

	make_pcp(d, asked(2, 1, 4), result, life, epoch, where);
	assert_true(say(&gateway, d, sizeof d));
}

static void answer_natpmp(const struct address *where, uint32_t life, uint32_t epoch)
{
	uint8_t address[12] = { 0, 0x80 }, mapping[16] = { 0, 0x81 };

	put32(address + 4, epoch);
	memcpy(address + 8, where->ip, 4);
	put32(mapping + 4, epoch);
	mapping[8] = OURS >> 8;
	mapping[9] = (uint8_t)OURS;
	mapping[10] = (uint8_t)(where->port >> 8);
	mapping[11] = (uint8_t)where->port;
	put32(mapping + 12, life);
	assert_true(say(&gateway, address, sizeof address));
	assert_true(say(&gateway, mapping, sizeof mapping));
}

static enum port_map_state state_of(enum port_map_way way)
{
	return port_map_report(map, way).state;
}

static bool is_published(const struct address *a)
{
	const struct candidates *c = own_candidates(rooms.candidates);

	for (unsigned i = 0; i < c->count; i++)
		if (c->list[i].kind == CANDIDATE_MAPPED &&
		    address_equal(&c->list[i].address, a))
			return true;
	return false;
}

/* --- honest routers --- */

static void all_ways_are_asked_at_once_with_our_port(void **state)
{
	struct job job;

	(void)state;
	assert_int_equal(state_of(PORT_MAP_PCP), PORT_MAP_OFF);
	assert_int_equal(step(), rooms.now + 250 * MILLISECOND);
	assert_non_null(asked(2, 1, 4));
	assert_non_null(asked(0, 0, 4));
	assert_non_null(asked(0, 1, 4));
	assert_null(asked(2, 1, 6));
	assert_int_equal(asked(2, 1, 4)->data[40] << 8 | asked(2, 1, 4)->data[41], OURS);
	assert_true(address_same_ip(&asked(2, 1, 4)->path.local, &network.toward4));
	assert_true(port_map_next_job(map, &job));
	assert_int_equal(job.kind, JOB_UPNP);
	assert_int_equal(job.port, OURS);
	assert_true(address_same_ip(&job.addresses[0], &network.toward4));
	assert_true(address_same_ip(&job.addresses[1], &network.gateway4));
	assert_false(port_map_next_job(map, &job));
}

static void a_mapping_is_held_published_and_renewed_at_half_of_its_life(void **state)
{
	mono_ns begun = rooms.now;
	uint8_t nonce[12];

	(void)state;
	step();
	memcpy(nonce, asked(2, 1, 4)->data + 24, sizeof nonce);
	answer_pcp(0, 600, 50, &outer);
	assert_int_equal(state_of(PORT_MAP_PCP), PORT_MAP_HELD);
	assert_false(port_map_report(map, PORT_MAP_PCP).is_behind);
	step();
	assert_true(is_published(&outer));
	rooms.now = begun + 299 * SECOND;
	step();
	assert_null(asked(2, 1, 4));
	rooms.now = begun + 300 * SECOND;
	step();
	assert_non_null(asked(2, 1, 4)); /* by the same name, for the same address */
	assert_memory_equal(asked(2, 1, 4)->data + 24, nonce, sizeof nonce);
	assert_int_equal(asked(2, 1, 4)->data[42] << 8 | asked(2, 1, 4)->data[43], 4000);
	answer_pcp(0, 600, 350, &outer);
	rooms.now = begun + 601 * SECOND; /* renewed, or it would be over */
	step();
	assert_int_equal(state_of(PORT_MAP_PCP), PORT_MAP_HELD);
}

static void a_mapping_that_nobody_renews_is_over_in_time(void **state)
{
	mono_ns begun = rooms.now;
	unsigned questions = 0;

	(void)state;
	step();
	answer_pcp(0, 600, 50, &outer);
	for (rooms.now = step(); rooms.now < begun + 600 * SECOND; rooms.now = step())
		questions += asked(2, 1, 4) != NULL;
	assert_int_equal(rooms.now, begun + 600 * SECOND);
	step();
	assert_int_not_equal(state_of(PORT_MAP_PCP), PORT_MAP_HELD);
	assert_false(is_published(&outer));
	assert_true(questions >= 6 && questions < 60); /* 1/2, 3/4, 7/8 ... */
}

static void a_question_is_asked_six_times_and_then_rarely(void **state)
{
	mono_ns begun = rooms.now;
	unsigned questions = 0;

	(void)state;
	while (state_of(PORT_MAP_PCP) != PORT_MAP_SILENT) {
		rooms.now = step();
		questions += asked(2, 1, 4) != NULL;
		assert_true(questions < 10);
	}
	assert_int_equal(questions, 6);
	assert_int_equal(state_of(PORT_MAP_NATPMP), PORT_MAP_SILENT);
	assert_true(rooms.now < begun + 20 * SECOND + 900 * SECOND);
}

static void nat_pmp_is_held_when_both_parts_are_there(void **state)
{
	(void)state;
	step();
	answer_natpmp(&outer, 600, 50);
	assert_int_equal(state_of(PORT_MAP_NATPMP), PORT_MAP_HELD);
	step();
	assert_true(is_published(&outer));
}

static void a_router_of_another_version_is_left_alone(void **state)
{
	(void)state;
	step();
	assert_true(say(&gateway, "\0\x81\0\1\0\0\0\7", 8));
	assert_int_equal(state_of(PORT_MAP_PCP), PORT_MAP_SILENT);
	assert_int_equal(state_of(PORT_MAP_NATPMP), PORT_MAP_ASKING);
	step_at_deadline();
	assert_null(asked(2, 1, 4));
	assert_non_null(asked(0, 1, 4));
}

static void a_refusal_is_kept_for_the_doctor_and_not_argued_with(void **state)
{
	(void)state;
	step();
	answer_pcp(8, 300, 50, &outer);
	assert_int_equal(state_of(PORT_MAP_PCP), PORT_MAP_REFUSED);
	assert_int_equal(port_map_report(map, PORT_MAP_PCP).error, 8);
	rooms.now += 299 * SECOND;
	step();
	assert_null(asked(2, 1, 4));
	rooms.now += SECOND;
	step();
	assert_non_null(asked(2, 1, 4));
}

static void a_firewall_of_v6_is_asked_for_a_pinhole(void **state)
{
	struct address toward = at("2001:db8::7"), own = at("[2001:db8::7]:7171");
	uint8_t d[PCP_MAP_SIZE];

	(void)state;
	network.gateway6 = gateway6;
	network.gateway6.port = 0;
	network.toward6 = toward;
	network.addresses[network.address_count++] = toward;
	own_candidates_set_network(rooms.candidates, &network);
	step();
	assert_non_null(asked(2, 1, 6));
	assert_int_equal(asked(2, 1, 6)->path.remote.scope, 3);
	assert_true(address_same_ip(&asked(2, 1, 6)->path.local, &toward));
	assert_memory_equal(asked(2, 1, 6)->data + 8, toward.ip, 16);
	make_pcp(d, asked(2, 1, 6), 0, 600, 9, &own);
	assert_true(say(&gateway6, d, sizeof d));
	step();
	rooms.now += 300 * SECOND;
	step();
	assert_non_null(asked(2, 1, 6)); /* a renewal: so it is held */
	port_map_set_enabled(map, false);
	take_sent();
	assert_non_null(asked(2, 1, 6));
	assert_memory_equal(asked(2, 1, 6)->data + 4, "\0\0\0\0", 4);
}

static void another_network_is_asked_anew(void **state)
{
	uint8_t nonce[12];

	(void)state;
	step();
	memcpy(nonce, asked(2, 1, 4)->data + 24, sizeof nonce);
	answer_pcp(0, 600, 50, &outer);
	network.gateway4 = at("10.0.0.1");
	network.toward4 = at("10.0.0.7");
	own_candidates_set_network(rooms.candidates, &network);
	step();
	assert_false(is_published(&outer));
	assert_int_equal(asked(2, 1, 4)->path.remote.ip[0], 10);
	assert_memory_not_equal(asked(2, 1, 4)->data + 24, nonce, sizeof nonce);
}

static void after_a_sleep_and_when_seen_elsewhere_it_is_asked_again(void **state)
{
	struct address elsewhere = at("203.0.113.200:999");

	(void)state;
	step();
	answer_pcp(0, 600, 50, &outer);
	step();
	network.wakes++;
	own_candidates_set_network(rooms.candidates, &network);
	step();
	assert_non_null(asked(2, 1, 4));
	assert_int_equal(state_of(PORT_MAP_PCP), PORT_MAP_HELD); /* till it is known better */
	answer_pcp(0, 600, 50, &outer);
	own_candidates_set_observed(rooms.candidates, &elsewhere);
	step();
	assert_non_null(asked(2, 1, 4));
	assert_true(port_map_report(map, PORT_MAP_PCP).is_behind);
}

static void a_directory_that_sees_us_elsewhere_each_time_makes_no_noise(void **state)
{
	unsigned questions = 0;

	(void)state;
	step();
	answer_pcp(0, 6000, 50, &outer);
	step();
	for (unsigned i = 0; i < 100; i++) {
		seen.ip[3] = (uint8_t)(100 + i);
		own_candidates_set_observed(rooms.candidates, &seen);
		rooms.now += SECOND / 10;
		step();
		if (asked(2, 1, 4)) {
			questions++;
			answer_pcp(0, 6000, 50 + i / 10, &outer);
		}
	}
	assert_true(questions >= 1 && questions <= 2);
}

/* --- UPnP --- */

static struct job upnp_answer(struct job job, const char *where)
{
	job.addresses[0] = at(where);
	job.address_count = 1;
	memcpy(job.router, "Box/1", 6);
	memcpy(job.url, "http://192.168.1.1/d", 21);
	return job;
}

static void what_upnp_has_mapped_is_published_and_removed_at_the_end(void **state)
{
	struct job job, answer;

	(void)state;
	step();
	assert_true(port_map_next_job(map, &job));
	answer = upnp_answer(job, "203.0.113.9:4000");
	port_map_job_done(map, &answer);
	step();
	assert_true(is_published(&outer));
	assert_string_equal(port_map_report(map, PORT_MAP_UPNP).router, "Box/1");
	rooms.now += 3600 * SECOND;
	step();
	assert_true(port_map_next_job(map, &job)); /* half of two hours */
	assert_string_equal(job.url, "http://192.168.1.1/d");
	assert_int_equal(job.addresses[2].port, 4000);
	answer = upnp_answer(job, "203.0.113.9:4000");
	port_map_job_done(map, &answer);
	assert_true(port_map_goodbye(map, &job));
	assert_true(job.is_removal);
	assert_int_equal(job.addresses[2].port, 4000);
	assert_false(port_map_goodbye(map, &job));
}

static void a_router_that_is_being_looked_for_is_not_waited_for_at_the_end(void **state)
{
	struct job job;

	(void)state;
	step();
	assert_true(port_map_next_job(map, &job));
	assert_false(port_map_goodbye(map, &job));
}

static void the_answer_to_a_job_of_another_network_is_nobodys(void **state)
{
	struct job job, answer;

	(void)state;
	step();
	assert_true(port_map_next_job(map, &job));
	network.gateway4 = at("10.0.0.1");
	own_candidates_set_network(rooms.candidates, &network);
	step();
	answer = upnp_answer(job, "203.0.113.9:4000");
	port_map_job_done(map, &answer);
	step();
	assert_false(is_published(&outer));
	assert_int_equal(state_of(PORT_MAP_UPNP), PORT_MAP_ASKING);
}

static void a_job_that_failed_is_not_tried_again_soon(void **state)
{
	struct job job;

	(void)state;
	step();
	assert_true(port_map_next_job(map, &job));
	job.err = ERR_TIMEOUT;
	port_map_job_done(map, &job);
	assert_int_equal(state_of(PORT_MAP_UPNP), PORT_MAP_SILENT);
	rooms.now += 3599 * SECOND;
	step();
	assert_false(port_map_next_job(map, &job));
	rooms.now += SECOND;
	step();
	assert_true(port_map_next_job(map, &job));
}

static void upnp_that_names_nobody_is_not_believed(void **state)
{
	struct job job, answer;

	(void)state;
	step();
	assert_true(port_map_next_job(map, &job));
	answer = upnp_answer(job, "127.0.0.1:4000");
	port_map_job_done(map, &answer);
	assert_int_equal(state_of(PORT_MAP_UPNP), PORT_MAP_SILENT);
}

/* --- the end --- */

static void what_is_held_is_given_back(void **state)
{
	struct job job;

	(void)state;
	step();
	answer_natpmp(&outer, 600, 50);
	answer_pcp(0, 600, 50, &outer);
	step();
	assert_false(port_map_goodbye(map, &job)); /* UPnP was never begun */
	take_sent();
	assert_memory_equal(asked(2, 1, 4)->data + 4, "\0\0\0\0", 4);
	assert_memory_equal(asked(0, 1, 4)->data + 6, "\0\0\0\0\0\0", 6);
	assert_false(is_published(&outer));
	assert_int_equal(step(), NEVER);
	assert_int_equal(heard_count, 0);
}

static void switched_off_it_asks_nobody_and_takes_back_what_there_was(void **state)
{
	struct job job, answer;

	(void)state;
	port_map_set_enabled(map, false);
	assert_int_equal(step(), NEVER);
	assert_int_equal(heard_count, 0);
	assert_false(port_map_next_job(map, &job));
	port_map_set_enabled(map, true);
	step();
	assert_true(port_map_next_job(map, &job));
	answer = upnp_answer(job, "203.0.113.9:4000");
	port_map_job_done(map, &answer);
	port_map_set_enabled(map, false);
	assert_true(port_map_next_job(map, &job));
	assert_true(job.is_removal);
	step();
	assert_false(is_published(&outer));
}

/* --- routers that lie, and those that only claim to be one --- */

static void only_the_router_is_heard(void **state)
{
	static const char *const others[] = { "192.168.1.2:5351", "192.168.1.1:5350",
					      "203.0.113.9:5351" };
	uint8_t d[PCP_MAP_SIZE];

	(void)state;
	step();
	make_pcp(d, asked(2, 1, 4), 0, 600, 50, &outer);
	for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
		struct address other = at(others[i]);

		assert_false(say(&other, d, sizeof d));
	}
	assert_int_equal(state_of(PORT_MAP_PCP), PORT_MAP_ASKING);
}

static void an_answer_to_a_question_of_somebody_else_is_none(void **state)
{
	uint8_t d[PCP_MAP_SIZE];

	(void)state;
	step();
	make_pcp(d, asked(2, 1, 4), 0, 600, 50, &outer);
	d[30] ^= 1; /* the nonce */
	assert_true(say(&gateway, d, sizeof d));
	d[30] ^= 1;
	d[41] ^= 1; /* the port */
	assert_true(say(&gateway, d, sizeof d));
	assert_int_equal(state_of(PORT_MAP_PCP), PORT_MAP_ASKING);
}

static void an_outer_address_of_somebody_else_is_not_published(void **state)
{
	struct address victim = at("198.51.100.1:53");

	(void)state;
	step();
	answer_pcp(0, 600, 50, &victim);
	answer_natpmp(&victim, 600, 50);
	step();
	assert_true(port_map_report(map, PORT_MAP_PCP).is_behind);
	assert_true(port_map_report(map, PORT_MAP_NATPMP).is_behind);
	assert_false(is_published(&victim));
}

static void behind_a_carriers_nat_nothing_is_published(void **state)
{
	struct address inside = at("100.64.3.4:4000");

	(void)state;
	step();
	answer_pcp(0, 600, 50, &inside);
	step();
	assert_int_equal(state_of(PORT_MAP_PCP), PORT_MAP_HELD);
	assert_true(port_map_report(map, PORT_MAP_PCP).is_behind);
	assert_false(is_published(&inside));
}

static void addresses_that_are_none_are_refused(void **state)
{
	static const char *const none[] = { "127.0.0.1:4000", "169.254.1.1:4000",
					    "[2001:db8::1]:4000" };

	(void)state;
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++) {
		struct address a = at(none[i]);

		end(NULL);
		begin(NULL);
		step();
		answer_pcp(0, 600, 50, &a);
		assert_int_equal(state_of(PORT_MAP_PCP), PORT_MAP_REFUSED);
	}
}

static void lives_without_sense_are_bounded(void **state)
{
	mono_ns next;

	(void)state;
	step();
	answer_pcp(0, 0, 50, &outer);
	assert_int_equal(state_of(PORT_MAP_PCP), PORT_MAP_REFUSED);
	end(NULL);
	begin(NULL);
	step();
	answer_pcp(0, UINT32_MAX, 50, &outer);
	answer_natpmp(&outer, UINT32_MAX, 50);
	assert_int_equal(state_of(PORT_MAP_PCP), PORT_MAP_HELD);
	next = step();
	assert_true(next > rooms.now && next <= rooms.now + 900 * SECOND);
	end(NULL);
	begin(NULL);
	step();
	answer_pcp(0, 1, 50, &outer); /* no reason to ask all the time */
	rooms.now += SECOND;
	step();
	assert_null(asked(2, 1, 4));
}

static void a_flood_of_answers_sends_nothing_and_changes_nothing(void **state)
{
	struct address victim = at("198.51.100.1:53");
	struct port_map_report report;
	uint8_t d[PCP_MAP_SIZE];

	(void)state;
	step();
	make_pcp(d, asked(2, 1, 4), 0, 600, 50, &outer);
	assert_true(say(&gateway, d, sizeof d));
	for (unsigned i = 0; i < 10000; i++) {
		put_outer(d, &victim);
		put32(d + 8, i); /* it forgets all the time */
		assert_true(say(&gateway, d, sizeof d));
		randombytes_buf(d + 36, 4);
		assert_true(say(&gateway, d, sizeof d));
	}
	report = port_map_report(map, PORT_MAP_PCP);
	assert_true(address_equal(&report.outer, &outer));
	step();
	assert_null(asked(2, 1, 4));
	assert_true(heard_count <= 2); /* NAT-PMP, which was not answered */
}

static void noise_from_the_router_is_heard_and_means_nothing(void **state)
{
	uint8_t d[PCP_DATAGRAM_MAX + 100];

	(void)state;
	step();
	for (unsigned i = 0; i < 1000; i++) {
		randombytes_buf(d, sizeof d);
		d[0] = i % 2 ? 2 : 0;
		assert_true(say(&gateway, d, randombytes_uniform(sizeof d)));
	}
	assert_int_not_equal(state_of(PORT_MAP_PCP), PORT_MAP_HELD);
}

static void a_router_that_forgot_makes_upnp_ask_anew(void **state)
{
	struct job job, answer;

	(void)state;
	step();
	answer_pcp(0, 600, 5000, &outer);
	assert_true(port_map_next_job(map, &job));
	answer = upnp_answer(job, "203.0.113.9:4000");
	port_map_job_done(map, &answer);
	rooms.now += 300 * SECOND;
	step();
	assert_false(port_map_next_job(map, &job));
	answer_pcp(0, 600, 10, &outer); /* it has been started again */
	step();
	assert_true(port_map_next_job(map, &job));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
		T(all_ways_are_asked_at_once_with_our_port),
		T(a_mapping_is_held_published_and_renewed_at_half_of_its_life),
		T(a_mapping_that_nobody_renews_is_over_in_time),
		T(a_question_is_asked_six_times_and_then_rarely),
		T(nat_pmp_is_held_when_both_parts_are_there),
		T(a_router_of_another_version_is_left_alone),
		T(a_refusal_is_kept_for_the_doctor_and_not_argued_with),
		T(a_firewall_of_v6_is_asked_for_a_pinhole),
		T(another_network_is_asked_anew),
		T(after_a_sleep_and_when_seen_elsewhere_it_is_asked_again),
		T(a_directory_that_sees_us_elsewhere_each_time_makes_no_noise),
		T(what_upnp_has_mapped_is_published_and_removed_at_the_end),
		T(a_router_that_is_being_looked_for_is_not_waited_for_at_the_end),
		T(the_answer_to_a_job_of_another_network_is_nobodys),
		T(a_job_that_failed_is_not_tried_again_soon),
		T(upnp_that_names_nobody_is_not_believed),
		T(what_is_held_is_given_back),
		T(switched_off_it_asks_nobody_and_takes_back_what_there_was),
		T(only_the_router_is_heard),
		T(an_answer_to_a_question_of_somebody_else_is_none),
		T(an_outer_address_of_somebody_else_is_not_published),
		T(behind_a_carriers_nat_nothing_is_published),
		T(addresses_that_are_none_are_refused),
		T(lives_without_sense_are_bounded),
		T(a_flood_of_answers_sends_nothing_and_changes_nothing),
		T(noise_from_the_router_is_heard_and_means_nothing),
		T(a_router_that_forgot_makes_upnp_ask_anew),
#undef T
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
