#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/engine.h"
#include "peer/files.h"
#include "shared/error.h"
#include "tests/town.h"
#include "tests/scratch.h"
#include "tests/town_account.h"
#include "tests/town_files.h"

/* --- the tests --- */

static void a_small_file_arrives_without_being_asked_for(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];
	uint64_t ours, theirs;

	befriend(t);
	make_file(t, "note.txt", 1000, path);
	ours = offer(t, a, "bob", path);
	theirs = heard(t, b);
	assert_int_not_equal(find_event(b, EVENT_HEARD)->message.file.state, TRANSFER_OFFERED);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, theirs).path));
	await(t, a, ours, TRANSFER_DONE);
}

struct words {
	char caption[100], alt[100];
	bool is_forwarded;
};

static bool on_words(void *user, const struct message *m)
{
	struct words *w = user;

	w->is_forwarded = m->is_forwarded;
	snprintf(w->caption, sizeof w->caption, "%.*s", (int)m->text.size,
		 (const char *)m->text.data);
	snprintf(w->alt, sizeof w->alt, "%.*s", (int)m->file.alt.size,
		 (const char *)m->file.alt.data);
	return false;
}

static void a_file_goes_on_with_its_words_as_they_are_now(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct words words = { 0 };
	char path[200], much[5000];
	uint64_t ours, theirs, ticket = ++t->tickets;

	befriend(t);
	make_file(t, "moon.bin", 1000, path);
	ours = offer_as(
		t, a, "bob",
		&(struct engine_file){ .path = path, .caption = "the son", .alt = "a disc" });
	theirs = heard(t, b);
	await(t, b, theirs, TRANSFER_DONE);
	assert_int_equal(engine_edit(a->engine, ours, bytes_text("the moon"), ticket), 0);
	assert_int_equal(answer_of(t, a, ticket), 0);
	wait_for(t, b, EVENT_CHANGED, 1);
	ticket = ++t->tickets;
	assert_int_equal(engine_forward(b->engine, theirs, "alice", ticket), 0);
	assert_int_equal(answer_of(t, b, ticket), 0);
	assert_int_equal(engine_message(a->engine, heard(t, a), on_words, &words), 0);
	assert_true(words.is_forwarded);
	assert_string_equal(words.caption, "the moon");
	assert_string_equal(words.alt, "a disc");

	/* More than an offer holds. */
	memset(much, 'm', sizeof much);
	ticket = ++t->tickets;
	assert_int_equal(engine_edit(a->engine, ours, bytes_of(much, sizeof much), ticket), 0);
	assert_int_equal(answer_of(t, a, ticket), 0);
	assert_int_equal(engine_forward(a->engine, ours, "bob", ++t->tickets), ERR_LIMIT);
}

static void a_large_file_waits_until_it_is_accepted(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct engine_settings settings;
	char path[200];
	uint64_t theirs;

	befriend(t);
	engine_settings(b->engine, &settings);
	settings.accept_up_to = LARGE - 1;
	assert_int_equal(engine_set_settings(b->engine, &settings), 0);
	make_file(t, "large.bin", LARGE, path);
	offer(t, a, "bob", path);
	theirs = heard(t, b);
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(see(b, theirs).state, TRANSFER_OFFERED);
	assert_int_equal(engine_accept_file(b->engine, theirs, NULL), 0);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, theirs).path));
	assert_int_equal(engine_accept_file(b->engine, theirs, NULL), ERR_STATE);
}

/* What is fetched unasked in a day has its bound, but for what the person said. */
static void a_file_as_large_as_was_said_comes_unasked_once_a_day(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct engine_settings settings;
	char path[200];

	befriend(t);
	engine_settings(b->engine, &settings);
	settings.accept_up_to = FILES_AUTO_BYTES + 2;
	assert_int_equal(engine_set_settings(b->engine, &settings), 0);
	make_file(t, "sparse.bin", 0, path);
	assert_int_equal(truncate(path, FILES_AUTO_BYTES + 1), 0);
	for (unsigned i = 0; i < 2; i++) {
		forget_events(b);
		offer(t, a, "bob", path);
		assert_int_equal(see(b, heard(t, b)).state == TRANSFER_OFFERED, i > 0);
	}
}

static void a_file_is_never_stored_over_another(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200], first[300];
	uint64_t theirs;

	befriend(t);
	make_file(t, "note.tar.gz", 1000, path);
	offer(t, a, "bob", path);
	theirs = heard(t, b);
	await(t, b, theirs, TRANSFER_DONE);
	snprintf(first, sizeof first, "%s", see(b, theirs).path);
	forget_events(b);
	offer_as(t, a, "bob",
		 &(struct engine_file){ .path = path, .name = "../../.note.tar.gz" });
	theirs = heard(t, b);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, first));
	assert_true(are_equal(path, see(b, theirs).path));
	assert_non_null(strstr(see(b, theirs).path, "/files1/note (2).tar.gz"));
}

static void an_empty_file_arrives(void **state)
{
	struct town *t = *state;
	char path[200];
	uint64_t theirs;

	befriend(t);
	make_file(t, "empty", 0, path);
	offer(t, &t->homes[0], "bob", path);
	theirs = heard(t, &t->homes[1]);
	await(t, &t->homes[1], theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(&t->homes[1], theirs).path));
}

static void a_folder_arrives_with_all_in_it(void **state)
{
	struct town *t = *state;
	struct home *b = &t->homes[1];
	char path[200], name[200];
	uint64_t theirs;

	befriend(t);
	accept_all(b);
	make_folder(t, path);
	path_in(t, "things/link", name);
	assert_int_equal(symlink("/etc/passwd", name), 0);
	offer(t, &t->homes[0], "bob", path);
	unlink(name); /* it is not in what is compared, for it is not in what was offered */
	theirs = heard(t, b);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, theirs).path));
}

/* Not begun again and again. */
static void a_folder_that_was_changed_is_not_fetched_and_both_hear_why(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t ours, theirs;
	char path[200], name[200];

	befriend(t);
	make_folder(t, path);
	ours = offer(t, a, "bob", path);
	theirs = heard(t, b);
	make_file(t, "things/z", 11, name);
	assert_int_equal(engine_accept_file(b->engine, theirs, NULL), 0);
	await(t, b, theirs, TRANSFER_FAILED);
	assert_int_equal(see(b, theirs).error, ERR_CORRUPT);
	await(t, a, ours, TRANSFER_FAILED);
}

/* --- interruptions --- */

static void what_is_neither_file_nor_folder_is_refused(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	char path[200];

	befriend(t);
	path_in(t, "pipe", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(engine_send_file(a->engine,
					  &(struct engine_file){ .to = "bob", .path = path },
					  ++t->tickets),
			 0);
	assert_int_equal(answer_of(t, a, t->tickets), ERR_REFUSED);
	assert_int_equal(
		engine_send_file(a->engine,
				 &(struct engine_file){ .to = "bob", .path = "/none/such" },
				 ++t->tickets),
		0);
	assert_int_equal(answer_of(t, a, t->tickets), ERR_NOT_FOUND);
}

static void many_files_have_their_turns(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200], name[20];

	befriend(t);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "f%u", i);
		make_file(t, name, 300000, path);
		offer(t, a, "bob", path);
	}
	wait_for(t, b, EVENT_HEARD, 20);
	for (unsigned i = 0; i < b->count; i++) {
		if (b->events[i].kind == EVENT_HEARD)
			await(t, b, b->events[i].message.id, TRANSFER_DONE);
	}
	assert_int_equal(count_in(b->downloads), 20);
}

/* --- several devices of one person --- */

static void each_device_gets_what_is_offered(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1], *too = &t->homes[2];
	char path[200];

	befriend(t);
	another_device(t, too, "bob");
	make_file(t, "note.txt", 1000, path);
	offer(t, a, "bob", path);
	await(t, b, heard(t, b), TRANSFER_DONE);
	await(t, too, heard(t, too), TRANSFER_DONE);
}

static void a_file_is_fetched_from_another_own_device_where_its_author_is_away(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1], *too = &t->homes[2];
	struct engine_settings settings;
	char path[200];
	uint64_t theirs;

	befriend(t);
	another_device(t, too, "bob");
	engine_settings(too->engine, &settings);
	settings.accept_up_to = 0;
	assert_int_equal(engine_set_settings(too->engine, &settings), 0);
	make_file(t, "large.bin", LARGE, path);
	offer(t, a, "bob", path);
	await(t, b, heard(t, b), TRANSFER_DONE);
	theirs = heard(t, too);
	stop_home(t, a);
	assert_int_equal(engine_accept_file(too->engine, theirs, NULL), 0);
	await(t, too, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(too, theirs).path));
}

static void a_folder_is_fetched_from_another_own_device_where_its_author_is_away(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1], *too = &t->homes[2];
	struct engine_settings settings;
	char path[200], name[200];
	uint64_t theirs, there;

	befriend(t);
	another_device(t, too, "bob");
	engine_settings(too->engine, &settings);
	settings.accept_up_to = 0;
	assert_int_equal(engine_set_settings(too->engine, &settings), 0);
	accept_all(b);
	make_folder(t, path);
	/* Its name is another one where it was fetched. */
	make_file(t, "things/why? a:b", 7, name);
	offer(t, a, "bob", path);
	there = heard(t, b);
	await(t, b, there, TRANSFER_DONE);
	theirs = heard(t, too);
	stop_home(t, a);
	assert_int_equal(engine_accept_file(too->engine, theirs, NULL), 0);
	await(t, too, theirs, TRANSFER_DONE);
	assert_true(are_equal(see(b, there).path, see(too, theirs).path));
	assert_int_equal(unlink(name), 0);
	make_file(t, "things/why_ a_b", 7, name);
	assert_true(are_equal(path, see(too, theirs).path));
}

static void what_one_device_sent_another_one_can_have(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *too = &t->homes[2];
	char path[200];
	uint64_t ours;

	befriend(t);
	another_device(t, too, "alice");
	forget_events(too);
	make_file(t, "large.bin", LARGE, path);
	offer(t, a, "bob", path);
	wait_for(t, too, EVENT_SAID, 1);
	ours = find_event(too, EVENT_SAID)->message.id;
	calm_net_run(&t->net, 3 * SECOND, NULL, NULL);
	assert_int_equal(see(too, ours).state, TRANSFER_OFFERED);
	assert_int_equal(engine_accept_file(too->engine, ours, NULL), 0);
	await(t, too, ours, TRANSFER_DONE);
	assert_true(are_equal(path, see(too, ours).path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(a_small_file_arrives_without_being_asked_for),
		TOWN(a_file_goes_on_with_its_words_as_they_are_now),
		TOWN(a_large_file_waits_until_it_is_accepted),
		TOWN(a_file_as_large_as_was_said_comes_unasked_once_a_day),
		TOWN(a_file_is_never_stored_over_another),
		TOWN(an_empty_file_arrives),
		TOWN(a_folder_arrives_with_all_in_it),
		TOWN(a_folder_that_was_changed_is_not_fetched_and_both_hear_why),
		TOWN(what_is_neither_file_nor_folder_is_refused),
		TOWN(many_files_have_their_turns),
		TOWN(each_device_gets_what_is_offered),
		TOWN(a_file_is_fetched_from_another_own_device_where_its_author_is_away),
		TOWN(a_folder_is_fetched_from_another_own_device_where_its_author_is_away),
		TOWN(what_one_device_sent_another_one_can_have),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
