#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/account.h"
#include "peer/conversations.h"
#include "peer/engine.h"
#include "peer/files.h"
#include "peer/persons.h"
#include "peer/rooms.h"
#include "peer/way.h"
#include "shared/error.h"
#include "shared/file.h"
#include "shared/frame.h"
#include "tests/town_files.h"

/* A contact asks for much, or offers what takes much room. */

enum { ASKS = 600, EMPTY = 3000, EDITS = 2000 };

static void who_asks_for_a_file_again_and_again_is_heard_at_a_pace(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct wire_message m = { .type = WIRE_FILE_GET };
	struct link *link;
	char path[200];
	uint64_t ours;
	int64_t stream;

	befriend(t);
	make_file(t, "note.txt", 1000, path);
	ours = offer(t, a, "bob", path);
	await(t, b, heard(t, b), TRANSFER_DONE);
	await(t, a, ours, TRANSFER_DONE);
	memcpy(m.file_get.id, see(a, ours).file, sizeof m.file_get.id);
	forget_events(a);
	link = link_to(b, "alice");
	for (unsigned i = 0; i < ASKS; i++) {
		assert_int_equal(link_open(link, &stream), 0);
		say_on(link, stream, &m);
		calm_net_run(&t->net, 5 * MILLISECOND, NULL, NULL);
		link_abandon(link, stream, FILES_CODE_DONE);
		calm_net_run(&t->net, 5 * MILLISECOND, NULL, NULL);
	}
	/* 200 at once, 20 in a second, each with a beginning and an end. */
	assert_in_range(count_events(a, EVENT_PROGRESS), 100, 2 * (200 + 20 * 8));
	forget_events(b);
	say(t, a, "bob", "still here");
	wait_for(t, b, EVENT_HEARD, 1);
	/* Later it is heard again. */
	calm_net_run(&t->net, 20 * SECOND, NULL, NULL);
	forget_events(a);
	assert_int_equal(link_open(link_to(b, "alice"), &stream), 0);
	say_on(link_to(b, "alice"), stream, &m);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_true(count_events(a, EVENT_PROGRESS) > 0);
}

static void a_folder_of_much_that_is_empty_waits_until_it_is_accepted(void **state)
{
	struct town *t = *state;
	struct home *b = &t->homes[1];
	char path[200], name[200], text[32];
	uint64_t theirs;

	befriend(t);
	path_in(t, "things", path);
	assert_int_equal(mkdir(path, 0700), 0);
	for (unsigned i = 0; i < EMPTY; i++) {
		snprintf(text, sizeof text, "things/%u", i);
		make_file(t, text, 0, name);
	}
	offer(t, &t->homes[0], "bob", path);
	theirs = heard(t, b);
	calm_net_run(&t->net, 5 * SECOND, NULL, NULL);
	assert_int_equal(see(b, theirs).state, TRANSFER_OFFERED);
	assert_int_equal(engine_accept_file(b->engine, theirs, NULL), 0);
	await(t, b, theirs, TRANSFER_DONE);
}

static struct person *person_of(struct home *home, const char *name)
{
	struct name n;

	assert_int_equal(name_parse(&n, bytes_text(name)), 0);
	return persons_find(engine_rooms(home->engine)->persons, &n);
}

/* Each edit changes the index of words by a long text. */
static void who_edits_a_message_a_thousand_times_is_heard_at_a_pace(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct wire_message m = { .type = WIRE_SAY };
	static char text[300];
	struct conversation *v;

	befriend(t);
	say(t, b, "alice", "hello");
	(void)heard(t, a);
	v = person_of(b, "alice")->conversation;
	memset(text, 'x', sizeof text);
	m.say = (struct wire_say){ .conversation = v->wire,
				   .author = *account_device(engine_rooms(b->engine)->account),
				   .seq = v->ours.next,
				   .previous = v->ours.last,
				   .kind = SAY_EDIT,
				   .body = bytes_of((const uint8_t *)text, sizeof text),
				   .is_about = true };
	m.say.about_author = m.say.author;
	m.say.about_seq = m.say.seq - 1;
	forget_events(a);
	for (unsigned i = 0; i < EDITS; i++) {
		m.say.time++;
		while (link_room(link_to(b, "alice"), LINK_CONTROL) < 1000)
			calm_net_run(&t->net, MILLISECOND, NULL, NULL);
		say_on(link_to(b, "alice"), LINK_CONTROL, &m);
		m.say.previous = message_hash(&m.say);
		v->ours.next = ++m.say.seq; /* its program must not wonder */
	}
	calm_net_run(&t->net, SECOND, NULL, NULL);
	/* 800 at once, 80 in a second. */
	assert_in_range(count_events(a, EVENT_CHANGED), 500, 1000);
	calm_net_run(&t->net, 30 * SECOND, NULL, NULL);
	assert_int_equal(count_events(a, EVENT_CHANGED), EDITS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(who_asks_for_a_file_again_and_again_is_heard_at_a_pace),
		TOWN(who_edits_a_message_a_thousand_times_is_heard_at_a_pace),
		TOWN(a_folder_of_much_that_is_empty_waits_until_it_is_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
