/* Routers that lie or forget, and those that only claim to be one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>

#include "tests/port_map_asked.h"

/* --- others who say where we are --- */

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
		T(a_directory_that_sees_us_elsewhere_each_time_makes_no_noise),
		T(upnp_that_names_nobody_is_not_believed),
		T(only_the_router_is_heard),
		T(an_answer_to_a_question_of_somebody_else_is_none),
		T(an_outer_address_of_somebody_else_is_not_published),
		T(behind_a_carriers_nat_nothing_is_published),
		T(addresses_that_are_none_are_refused),
		T(lives_without_sense_are_bounded),
		T(a_flood_of_answers_sends_nothing_and_changes_nothing),
		T(noise_from_the_router_is_heard_and_means_nothing),
		T(a_router_that_forgot_makes_upnp_ask_anew),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
