/* What people show of themselves: with real engines and a real directory. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "peer/image.h"
#include "peer/persons.h"
#include "peer/profiles.h"
#include "peer/reach.h"
#include "peer/rooms.h"
#include "peer/store.h"
#include "peer/way.h"
#include "shared/error.h"
#include "tests/couple.h"

static unsigned images;

/* An image is what ends with "png"; made small it is "small" and its first letter. */
static int make_image(struct image_work *work)
{
	const char *path = work->path ? work->path : "";
	size_t size = strlen(path);

	images++;
	if (work->path)
		memcpy(work->thumbnail, path + size - 4, 4);
	else if (work->given.size >= 4 && memcmp(work->given.data + 1, "png", 3) == 0)
		memcpy(work->thumbnail, work->given.data, 4);
	else
		return ERR_FORMAT;
	work->size = 4;
	return 0;
}

static int build(void **state)
{
	town_image = make_image;
	images = 0;
	return build_couple(state);
}

static void change(struct town *t, unsigned i, const char *title, const char *status,
		   const char *picture)
{
	enum availability busy = BUSY;
	const struct engine_profile_change what = {
		.availability = &busy, .title = title, .status = status, .picture = picture
	};

	assert_int_equal(engine_set_profile(at(t, i), &what, ++t->tickets), 0);
	assert_int_equal(answer_of(t, &t->homes[i], t->tickets), 0);
}

static void who_is_linked_hears_at_once(void **state)
{
	struct town *t = *state;

	say(t, &t->homes[ALICE], "bob", "hello");
	pass(t, SECOND);
	change(t, ALICE, "Alice", "at lunch", NULL);
	pass(t, SECOND);
	assert_string_equal(contact(t, BOB, "alice").title, "Alice");
	assert_string_equal(contact(t, BOB, "alice").status, "at lunch");
	assert_int_equal(contact(t, BOB, "alice").availability, BUSY);
	assert_false(contact(t, BOB, "alice").has_picture);
	assert_int_equal(count_events(&t->homes[BOB], EVENT_PROFILE), 1);
	assert_int_equal(count_events(&t->homes[ALICE], EVENT_PROFILE), 1);
}

static void who_is_online_is_called_for_it_and_not_twice(void **state)
{
	struct town *t = *state;

	assert_false(contact(t, BOB, "alice").is_linked);
	change(t, ALICE, "Alice", "", NULL);
	pass(t, 3 * SECOND);
	assert_string_equal(contact(t, BOB, "alice").title, "Alice");
	pass(t, 400 * SECOND);
	assert_false(contact(t, BOB, "alice").is_linked);
	forget_events(&t->homes[BOB]);
	stop_home(t, &t->homes[ALICE]);
	start_home(t, &t->homes[ALICE]);
	wait_online(t, &t->homes[ALICE]);
	pass(t, 400 * SECOND);
	assert_int_equal(count_events(&t->homes[BOB], EVENT_LINK), 0);
	assert_int_equal(count_events(&t->homes[BOB], EVENT_PROFILE), 0);
}

static void who_is_away_hears_at_the_next_link_also_after_a_restart(void **state)
{
	struct town *t = *state;

	stop_home(t, &t->homes[BOB]);
	pass(t, 60 * SECOND);
	change(t, ALICE, "Alice", "", NULL);
	pass(t, 10 * SECOND);
	start_home(t, &t->homes[BOB]);
	wait_seen(t, &t->homes[BOB], "alice", true);
	say(t, &t->homes[BOB], "alice", "back");
	pass(t, 3 * SECOND);
	assert_string_equal(contact(t, BOB, "alice").title, "Alice");
	stop_home(t, &t->homes[BOB]);
	start_home(t, &t->homes[BOB]);
	assert_string_equal(contact(t, BOB, "alice").title, "Alice");
}

static void a_picture_is_looked_at_before_anybody_sees_it(void **state)
{
	struct town *t = *state;
	struct bytes picture;
	struct profile ours;

	say(t, &t->homes[ALICE], "bob", "hello");
	change(t, ALICE, "Alice", "", "/home/alice/apng");
	pass(t, 3 * SECOND);
	assert_int_equal(images, 2);
	assert_int_equal(engine_picture(at(t, BOB), "alice", &picture), 0);
	assert_true(bytes_equal(picture, bytes_text("apng")));
	engine_profile(at(t, ALICE), &ours);
	assert_true(bytes_equal(ours.picture, bytes_text("apng")));
	change(t, ALICE, NULL, "same picture", NULL);
	pass(t, 3 * SECOND);
	assert_int_equal(images, 2);
	assert_true(contact(t, BOB, "alice").has_picture);
	assert_string_equal(contact(t, BOB, "alice").status, "same picture");
	change(t, ALICE, NULL, NULL, "");
	pass(t, 10 * SECOND);
	assert_int_equal(engine_picture(at(t, BOB), "alice", &picture), ERR_NOT_FOUND);
	pass(t, 10 * SECOND);
	/* Hers can be shown by her machine; at his it is no image. */
	change(t, ALICE, "no picture", NULL, "/home/alice/xyzw");
	pass(t, 10 * SECOND);
	assert_false(contact(t, BOB, "alice").has_picture);
	assert_string_equal(contact(t, BOB, "alice").title, "no picture");
}

/* Another picture sooner than it is looked at: it is said again when it can be. */
static void what_came_too_soon_is_said_again(void **state)
{
	struct town *t = *state;
	struct bytes picture;

	say(t, &t->homes[ALICE], "bob", "hello");
	pass(t, SECOND);
	change(t, ALICE, NULL, "one", "/home/alice/apng");
	pass(t, 1500 * MILLISECOND);
	change(t, ALICE, NULL, "two", "/home/alice/bpng");
	pass(t, 1500 * MILLISECOND);
	assert_string_equal(contact(t, BOB, "alice").status, "one");
	pass(t, 15 * SECOND);
	assert_string_equal(contact(t, BOB, "alice").status, "two");
	assert_int_equal(engine_picture(at(t, BOB), "alice", &picture), 0);
	assert_true(bytes_equal(picture, bytes_text("bpng")));
}

/* His next commit fails. */
static bool spoil_bob(void *user)
{
	store_failed(engine_rooms(at(user, BOB))->store, ERR_FULL);
	return false;
}

static void what_could_not_be_stored_is_said_again(void **state)
{
	struct town *t = *state;
	const struct engine_profile_change what = { .title = "Alice" };

	say(t, &t->homes[ALICE], "bob", "hello");
	pass(t, SECOND);
	assert_int_equal(engine_set_profile(at(t, ALICE), &what, ++t->tickets), 0);
	calm_net_run(&t->net, SECOND / 2, spoil_bob, t);
	assert_string_equal(contact(t, BOB, "alice").title, "");
	pass(t, 5 * SECOND);
	assert_string_equal(contact(t, BOB, "alice").title, "Alice");
}

static void own_devices_agree_and_new_ones_hear(void **state)
{
	struct town *t = *state;
	struct profile ours;

	change(t, ALICE, "Alice", "one", "/home/alice/apng");
	log_in_too(t);
	pass(t, 5 * SECOND);
	engine_profile(at(t, ALICE_TOO), &ours);
	assert_string_equal(ours.status, "one");
	assert_true(bytes_equal(ours.picture, bytes_text("apng")));
	change(t, ALICE_TOO, NULL, "two", NULL);
	pass(t, 5 * SECOND);
	engine_profile(at(t, ALICE), &ours);
	assert_string_equal(ours.status, "two");
	assert_string_equal(contact(t, BOB, "alice").status, "two");
	assert_true(contact(t, BOB, "alice").has_picture);
}

static void two_changes_at_the_same_moment_end_as_one(void **state)
{
	struct town *t = *state;
	struct profile one, other;

	log_in_too(t);
	stop_server(t);
	change(t, ALICE, "Alice", "one", NULL);
	change(t, ALICE_TOO, "Alice", "two", NULL);
	start_server(t);
	pass(t, 60 * SECOND);
	engine_profile(at(t, ALICE), &one);
	engine_profile(at(t, ALICE_TOO), &other);
	assert_string_equal(one.status, other.status);
	assert_string_equal(contact(t, BOB, "alice").status, one.status);
}

static void of_many_changes_the_last_one_counts(void **state)
{
	struct town *t = *state;
	char status[16];

	say(t, &t->homes[ALICE], "bob", "hello");
	pass(t, SECOND);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(status, sizeof status, "%u", i);
		change(t, ALICE, NULL, status, NULL);
		pass(t, 50 * MILLISECOND);
	}
	pass(t, 5 * SECOND);
	assert_string_equal(contact(t, BOB, "alice").status, "99");
	assert_in_range(count_events(&t->homes[BOB], EVENT_PROFILE), 2, 8);
}

static void what_is_not_a_line_is_refused(void **state)
{
	struct town *t = *state;
	char longest[WIRE_STATUS_MAX + 2];
	struct engine_profile_change what = { .title = "two\nlines" };
	enum availability none = (enum availability)(BUSY + 1);

	assert_int_equal(engine_set_profile(at(t, ALICE), &what, 1), ERR_FORMAT);
	what.title = "\xff";
	assert_int_equal(engine_set_profile(at(t, ALICE), &what, 1), ERR_FORMAT);
	memset(longest, 'a', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	what = (struct engine_profile_change){ .status = longest };
	assert_int_equal(engine_set_profile(at(t, ALICE), &what, 1), ERR_LIMIT);
	what = (struct engine_profile_change){ .availability = &none };
	assert_int_equal(engine_set_profile(at(t, ALICE), &what, 1), ERR_FORMAT);
}

static void nobody_hears_from_whom_we_are_hidden(void **state)
{
	struct town *t = *state;

	assert_int_equal(engine_hide_from(at(t, ALICE), "bob", true), 0);
	change(t, ALICE, "Alice", "", NULL);
	pass(t, 10 * SECOND);
	say(t, &t->homes[ALICE], "bob", "hello");
	pass(t, 10 * SECOND);
	assert_heard(&t->homes[BOB], 0, "hello");
	assert_string_equal(contact(t, BOB, "alice").title, "");
	assert_int_equal(engine_hide_from(at(t, ALICE), "bob", false), 0);
	pass(t, 10 * SECOND);
	assert_string_equal(contact(t, BOB, "alice").title, "Alice");
}

static struct way *linked_way(struct town *t, unsigned i, const char *name)
{
	struct rooms *r = engine_rooms(at(t, i));
	struct way *w;

	for (unsigned k = 0; (w = reach_way_at(r->reach, k)) != NULL; k++) {
		if (w->state == WAY_LINKED && strcmp(w->person->name.text, name) == 0)
			return w;
	}
	fail_msg("no link");
	return NULL;
}

static void what_is_old_changes_nothing_and_a_flood_is_stored_once_a_second(void **state)
{
	struct town *t = *state;
	struct wire_message m = { .type = WIRE_PROFILE };
	struct rooms *r = engine_rooms(at(t, BOB));
	struct way *w;

	say(t, &t->homes[ALICE], "bob", "hello");
	pass(t, SECOND);
	w = linked_way(t, BOB, "alice");
	m.profile.number = 5;
	change(t, ALICE, "Alice", "", NULL);
	pass(t, 2 * SECOND);
	m.profile.title = bytes_text("old");
	assert_int_equal(profiles_hear(r->profiles, w, &m), 0);
	m.profile.title = bytes_text("flood");
	forget_events(&t->homes[BOB]);
	for (unsigned i = 0; i < 1000; i++) {
		m.profile.number = INT64_MAX - 1000 + i;
		assert_int_equal(profiles_hear(r->profiles, w, &m), 0);
	}
	pass(t, SECOND);
	assert_int_equal(count_events(&t->homes[BOB], EVENT_PROFILE), 1);
	assert_string_equal(contact(t, BOB, "alice").title, "flood");
}

static void a_machine_that_began_anew_shows_what_it_has(void **state)
{
	struct town *t = *state;

	change(t, ALICE, "Alice", "before", NULL);
	pass(t, 5 * SECOND);
	assert_string_equal(contact(t, BOB, "alice").status, "before");
	stop_home(t, &t->homes[ALICE]);
	pass(t, 60 * SECOND);
	log_in_too(t);
	assert_int_equal(
		engine_revoke_device(at(t, ALICE_TOO),
				     &engine_devices(at(t, ALICE_TOO))->devices[0].device,
				     ++t->tickets),
		0);
	assert_int_equal(answer_of(t, &t->homes[ALICE_TOO], t->tickets), 0);
	say(t, &t->homes[BOB], "alice", "who are you?");
	pass(t, 10 * SECOND);
	assert_string_equal(contact(t, BOB, "alice").status, "");
}

static void a_contact_that_goes_takes_its_picture_along(void **state)
{
	struct town *t = *state;

	change(t, ALICE, "Alice", "", NULL);
	pass(t, 5 * SECOND);
	assert_int_equal(engine_block(at(t, BOB), "alice"), 0);
	pass(t, SECOND);
	assert_string_equal(contact(t, BOB, "alice").title, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, build, raze_town)
		ROW(who_is_linked_hears_at_once),
		ROW(who_is_online_is_called_for_it_and_not_twice),
		ROW(who_is_away_hears_at_the_next_link_also_after_a_restart),
		ROW(a_picture_is_looked_at_before_anybody_sees_it),
		ROW(what_came_too_soon_is_said_again),
		ROW(what_could_not_be_stored_is_said_again),
		ROW(own_devices_agree_and_new_ones_hear),
		ROW(two_changes_at_the_same_moment_end_as_one),
		ROW(of_many_changes_the_last_one_counts),
		ROW(what_is_not_a_line_is_refused),
		ROW(nobody_hears_from_whom_we_are_hidden),
		ROW(what_is_old_changes_nothing_and_a_flood_is_stored_once_a_second),
		ROW(a_machine_that_began_anew_shows_what_it_has),
		ROW(a_contact_that_goes_takes_its_picture_along),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
