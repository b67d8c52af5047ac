/* Our port at honest routers, by each way, and what is given back in the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sodium.h>

#include "shared/error.h"
#include "tests/port_map_asked.h"

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

/* --- UPnP --- */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
		T(what_upnp_has_mapped_is_published_and_removed_at_the_end),
		T(a_router_that_is_being_looked_for_is_not_waited_for_at_the_end),
		T(the_answer_to_a_job_of_another_network_is_nobodys),
		T(a_job_that_failed_is_not_tried_again_soon),
		T(what_is_held_is_given_back),
		T(switched_off_it_asks_nobody_and_takes_back_what_there_was),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
