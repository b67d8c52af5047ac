#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>

#include "peer/expiry.h"
#include "peer/candidates.h"
#include "peer/history.h"
#include "peer/settings.h"
#include "tests/small_home.h"
#include "tests/written.h"

#define HOUR ((wall_ms)3600 * 1000)
#define YEAR (365 * 24 * HOUR)

static struct small_home alice, bob;
static struct person *p;
static struct written w;

static int begin(void **state)
{
	(void)state;
	small_home_begin(&alice, "alice");
	small_home_begin(&bob, "bob");
	p = small_home_meet(&alice, &bob);
	written_begin(&w, alice.rooms.store, p->id, 1);
	w.arrived_at = alice.rooms.wall;
	small_home_commit(&alice);
	return 0;
}

static int end(void **state)
{
	(void)state;
	small_home_end(&alice);
	small_home_end(&bob);
	return 0;
}

/* Time goes by on both clocks, in steps of half a minute. What was due is collected, and goes. */
static uint64_t due[512];
static unsigned due_count;

static void step(void)
{
	struct rooms *r = &alice.rooms;
	uint64_t id;

	expiry_step(r->expiry);
	while (expiry_next(r->expiry, &id)) {
		due[due_count++] = id;
		written_sql(&w,
			    "UPDATE message SET expires = NULL, kind = %d, flags = %d"
			    " WHERE id = %d",
			    SAY_GONE, ENTRY_SILENT, (int)id);
	}
	small_home_commit(&alice);
}

static void pass(wall_ms ms)
{
	due_count = 0;
	while (ms > 0) {
		wall_ms slice = ms < 30000 ? ms : 30000;

		alice.rooms.now += (mono_ns)slice * MILLISECOND;
		alice.rooms.wall += slice;
		ms -= slice;
		step();
	}
}

static uint64_t ours_with_life(uint32_t life)
{
	uint64_t id = written_text(&w, true, "short");

	written_sql(&w, "UPDATE message SET life = %u, expires = %lld WHERE id = %d", life,
		    (long long)expiry_at(alice.rooms.expiry, alice.rooms.wall, life), (int)id);
	small_home_commit(&alice);
	return id;
}

static void a_message_of_ours_goes_so_long_after_it_was_said(void **state)
{
	(void)state;
	ours_with_life(3600);
	pass(HOUR - 1000);
	assert_int_equal(due_count, 0);
	pass(1000);
	assert_int_equal(due_count, 1);
	pass(HOUR);
	assert_int_equal(due_count, 0);
}

static void read_all_below(unsigned next)
{
	written_sql(&w, "UPDATE chain SET read = %u", next);
	expiry_read(alice.rooms.expiry, p);
	small_home_commit(&alice);
}

static void one_of_theirs_counts_from_when_it_was_read(void **state)
{
	(void)state;
	written_text(&w, false, "a");
	written_text(&w, false, "b");
	written_sql(&w, "UPDATE message SET life = 60");
	small_home_commit(&alice);
	pass(10 * HOUR);
	assert_int_equal(due_count, 0);
	read_all_below(2);
	pass(HOUR);
	assert_int_equal(due_count, 1);
	assert_int_equal(due[0], 1);
	/* Read again it does not begin anew, and the other one still waits. */
	read_all_below(3);
	read_all_below(3);
	pass(61000);
	assert_int_equal(due_count, 1);
	assert_int_equal(due[0], 2);
}

static void a_wish_for_a_timer_is_not_a_message_that_disappears(void **state)
{
	static const uint8_t none;
	uint64_t id;

	(void)state;
	id = written_entry(&w, false, SAY_TIMER, (struct bytes){ &none, 0 });
	written_sql(&w, "UPDATE message SET life = 60");
	small_home_commit(&alice);
	read_all_below((unsigned)id + 1);
	pass(HOUR);
	assert_int_equal(due_count, 0);
}

static void a_clock_that_is_set_lets_nothing_go_and_keeps_nothing_for_ever(void **state)
{
	static const wall_ms leaps[] = { 3 * YEAR, -3 * YEAR, HOUR, -HOUR };

	(void)state;
	for (size_t i = 0; i < sizeof leaps / sizeof *leaps; i++) {
		ours_with_life(2 * 3600);
		pass(HOUR);
		alice.rooms.wall += leaps[i];
		pass(HOUR - 60000);
		assert_int_equal(due_count, 0);
		pass(90000);
		assert_int_equal(due_count, 1);
	}
}

/* Between the leap and the moment when it is clear what it was. */
static void what_is_read_or_said_while_the_clock_leaps_counts_from_then(void **state)
{
	static const wall_ms leaps[] = { 3 * YEAR, -3 * YEAR };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t id = written_text(&w, false, "theirs"), own;

		written_sql(&w, "UPDATE message SET life = 7200 WHERE id = %d", (int)id);
		pass(HOUR);
		alice.rooms.wall += leaps[i];
		read_all_below(1000);
		step();
		own = written_text(&w, true, "ours");
		written_sql(&w,
			    "UPDATE message SET life = 7200, expires = nullif(%lld, 0)"
			    " WHERE id = %d",
			    (long long)expiry_at(alice.rooms.expiry, alice.rooms.wall, 7200),
			    (int)own);
		small_home_commit(&alice);
		pass(2 * HOUR - 60000);
		assert_int_equal(due_count, 0);
		pass(120000);
		assert_int_equal(due_count, 2);
	}
}

static void what_is_read_as_the_machine_wakes_counts_from_then(void **state)
{
	struct network awake = alice.network;
	uint64_t id = written_text(&w, false, "theirs");

	(void)state;
	written_sql(&w, "UPDATE message SET life = 7200 WHERE id = %d", (int)id);
	pass(60000);
	awake.wakes++;
	own_candidates_set_network(alice.rooms.candidates, &awake);
	alice.rooms.wall += 20 * HOUR;
	read_all_below(2);
	pass(2 * HOUR - 60000);
	assert_int_equal(due_count, 0);
	pass(120000);
	assert_int_equal(due_count, 1);
}

static void sleep_counts_up_to_a_day(void **state)
{
	struct network awake = alice.network;

	(void)state;
	ours_with_life(2 * 3600);
	ours_with_life(30 * 3600);
	pass(60000);
	awake.wakes++;
	own_candidates_set_network(alice.rooms.candidates, &awake);
	alice.rooms.wall += 3 * HOUR;
	pass(60000);
	assert_int_equal(due_count, 1);
	awake.wakes++;
	own_candidates_set_network(alice.rooms.candidates, &awake);
	alice.rooms.wall += YEAR;
	pass(60000);
	assert_int_equal(due_count, 0);
	pass(4 * HOUR);
	assert_int_equal(due_count, 1);
}

static void restart_after(wall_ms away)
{
	small_home_commit(&alice);
	alice.rooms.wall += away;
	alice.rooms.now = 5 * SECOND; /* another boot */
	small_home_restart(&alice);
	p = small_home_person(&alice, &bob);
}

static void time_without_the_program_counts_up_to_a_day_and_never_backwards(void **state)
{
	(void)state;
	ours_with_life(2 * 3600);
	ours_with_life(48 * 3600);
	pass(HOUR + 60000);
	restart_after(-2 * YEAR);
	pass(HOUR / 2);
	assert_int_equal(due_count, 0);
	restart_after(5 * YEAR);
	pass(60000);
	assert_int_equal(due_count, 1);
	pass(20 * HOUR);
	assert_int_equal(due_count, 0);
	pass(4 * HOUR);
	assert_int_equal(due_count, 1);
}

static void a_clock_set_while_the_program_rests_is_noticed_after_its_first_moment(void **state)
{
	(void)state;
	ours_with_life(2 * 3600);
	restart_after(-2 * YEAR);
	pass(2 * HOUR - 60000);
	assert_int_equal(due_count, 0);
	pass(120000);
	assert_int_equal(due_count, 1);
}

/* They were left by a program that did not know better. */
static void what_was_read_and_does_not_count_does_so_after_a_start(void **state)
{
	(void)state;
	written_text(&w, false, "read");
	written_text(&w, false, "unread");
	written_sql(&w, "UPDATE message SET life = 60");
	written_sql(&w, "UPDATE chain SET read = 2");
	restart_after(1000);
	pass(120000);
	assert_int_equal(due_count, 1);
	assert_int_equal(due[0], 1);
}

static void rules_let_go_what_is_older_and_delivered(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		written_text(&w, i % 2, "a");
		w.arrived_at += 24 * HOUR;
	}
	w.arrived_at -= 24 * HOUR;
	written_text(&w, true, "the third of ours");
	small_home_commit(&alice);
	for (int i = 0; i < 3; i++)
		restart_after(24 * HOUR);
	pass(2 * HOUR);
	assert_int_equal(due_count, 0);

	settings_set_number(alice.rooms.store, "keep_days", 1);
	small_home_commit(&alice);
	expiry_changed(alice.rooms.expiry);
	pass(1000);
	/* 2 (ours) is on the way still. */
	assert_int_equal(due_count, 2);
	assert_int_equal(due[0], 1);
	assert_int_equal(due[1], 3);
	written_sql(&w, "UPDATE conversation SET delivered = 9");
	small_home_commit(&alice);
	pass(HOUR);
	assert_int_equal(due_count, 1);
	assert_int_equal(due[0], 2);

	/* One person has another rule. */
	written_sql(&w, "UPDATE contact SET keep_days = 0");
	small_home_commit(&alice);
	pass(72 * HOUR);
	assert_int_equal(due_count, 0);
}

static void rules_do_not_believe_a_clock_that_is_set(void **state)
{
	(void)state;
	settings_set_number(alice.rooms.store, "keep_days", 2);
	written_text(&w, false, "before");
	written_sql(&w, "UPDATE conversation SET delivered = 9");
	small_home_commit(&alice);
	pass(HOUR);
	alice.rooms.wall += 4 * YEAR;
	pass(HOUR);
	assert_int_equal(due_count, 0);
	w.arrived_at = alice.rooms.wall;
	written_text(&w, false, "in years that are not");
	small_home_commit(&alice);
	pass(HOUR);
	alice.rooms.wall -= 4 * YEAR;
	pass(43 * HOUR);
	assert_int_equal(due_count, 0);
	pass(3 * HOUR);
	assert_int_equal(due_count, 1);
	pass(3 * HOUR);
	assert_int_equal(due_count, 1);
}

static void rules_know_what_came_while_the_clock_leapt(void **state)
{
	static const wall_ms leaps[] = { 4 * YEAR, -4 * YEAR };

	(void)state;
	settings_set_number(alice.rooms.store, "keep_days", 2);
	small_home_commit(&alice);
	for (unsigned i = 0; i < 2; i++) {
		pass(HOUR);
		w.arrived_at = alice.rooms.wall;
		written_text(&w, false, "before it");
		alice.rooms.wall += leaps[i];
		w.arrived_at = alice.rooms.wall;
		written_text(&w, false, "in its moment");
		step();
		pass(47 * HOUR);
		assert_int_equal(due_count, 0);
		pass(3 * HOUR);
		assert_int_equal(due_count, 2);
	}
}

static void what_cannot_go_yet_is_due_again_in_an_hour(void **state)
{
	uint64_t id = ours_with_life(60);

	(void)state;
	alice.rooms.now += 61 * SECOND;
	alice.rooms.wall += 61000;
	expiry_step(alice.rooms.expiry);
	assert_true(expiry_next(alice.rooms.expiry, &id));
	expiry_later(alice.rooms.expiry, id);
	small_home_commit(&alice);
	pass(HOUR - 60000);
	assert_int_equal(due_count, 0);
	pass(120000);
	assert_int_equal(due_count, 1);
}

static bool on_message(void *user, const struct message *m)
{
	*(wall_ms *)user = m->expires_at;
	return true;
}

static void a_deadline_is_shown_by_the_clock_on_the_wall(void **state)
{
	uint64_t id = ours_with_life(7200);
	wall_ms shown = 0;

	(void)state;
	pass(HOUR);
	alice.rooms.wall -= YEAR;
	pass(60000);
	assert_int_equal(history_one(&alice.rooms, id, on_message, &shown), 0);
	assert_in_range(shown, alice.rooms.wall + HOUR - 200000, alice.rooms.wall + HOUR);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		EACH(a_message_of_ours_goes_so_long_after_it_was_said),
		EACH(one_of_theirs_counts_from_when_it_was_read),
		EACH(a_wish_for_a_timer_is_not_a_message_that_disappears),
		EACH(a_clock_that_is_set_lets_nothing_go_and_keeps_nothing_for_ever),
		EACH(what_is_read_or_said_while_the_clock_leaps_counts_from_then),
		EACH(what_is_read_as_the_machine_wakes_counts_from_then),
		EACH(sleep_counts_up_to_a_day),
		EACH(time_without_the_program_counts_up_to_a_day_and_never_backwards),
		EACH(a_clock_set_while_the_program_rests_is_noticed_after_its_first_moment),
		EACH(what_was_read_and_does_not_count_does_so_after_a_start),
		EACH(rules_let_go_what_is_older_and_delivered),
		EACH(rules_do_not_believe_a_clock_that_is_set),
		EACH(rules_know_what_came_while_the_clock_leapt),
		EACH(what_cannot_go_yet_is_due_again_in_an_hour),
		EACH(a_deadline_is_shown_by_the_clock_on_the_wall),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
