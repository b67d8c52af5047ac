/* Who is no contact yet is written to by contact link: it waits here until they accept. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "shared/error.h"
#include "tests/town.h"

enum { ALICE, BOB };

static char link_text[URI_MAX + 1];

static struct engine *at(struct town *t, unsigned i)
{
	return t->homes[i].engine;
}

static void pass(struct town *t, mono_ns length)
{
	calm_net_run(&t->net, length, NULL, NULL);
}

static int build(void **state)
{
	struct uri link = { .kind = URI_CONTACT, .place = { "10.0.0.1", 7000 } };
	struct engine_account bob;
	struct town *t;

	build_town(state);
	t = *state;
	assert_int_equal(join(t, &t->homes[ALICE], "alice", true), 0);
	assert_int_equal(join(t, &t->homes[BOB], "bob", true), 0);
	wait_online(t, &t->homes[ALICE]);
	wait_online(t, &t->homes[BOB]);
	engine_account(at(t, BOB), &bob);
	link.name = bob.name;
	link.has_identity = true;
	link.identity = bob.identity;
	assert_int_equal(uri_print(&link, link_text), 0);
	return 0;
}

static struct contact contact(struct town *t, unsigned i, const char *name)
{
	struct contact c;

	assert_int_equal(engine_contact(at(t, i), name, &c), 0);
	return c;
}

static void the_first_message_waits_until_they_accept(void **state)
{
	struct town *t = *state;

	say(t, &t->homes[ALICE], link_text, "we met in Sevilla");
	say(t, &t->homes[ALICE], "bob", "and in Lima");
	assert_int_equal(contact(t, ALICE, "bob").state, CONTACT_ASKED);
	assert_true(contact(t, ALICE, "bob").has_identity);
	assert_int_equal(contact(t, ALICE, "bob").queued, 2);
	wait_for(t, &t->homes[BOB], EVENT_REQUEST, 1);
	assert_string_equal(find_event(&t->homes[BOB], EVENT_REQUEST)->greeting, "");
	pass(t, 60 * SECOND);
	assert_int_equal(count_events(&t->homes[BOB], EVENT_HEARD), 0);
	assert_int_equal(engine_accept(at(t, BOB), "alice"), 0);
	pass(t, 2 * SECOND);
	assert_heard(&t->homes[BOB], 0, "we met in Sevilla");
	assert_heard(&t->homes[BOB], 1, "and in Lima");
	pass(t, SECOND);
	assert_int_equal(contact(t, ALICE, "bob").queued, 0);
}

static void it_waits_through_restarts_of_both(void **state)
{
	struct town *t = *state;

	say(t, &t->homes[ALICE], link_text, "one");
	wait_for(t, &t->homes[BOB], EVENT_REQUEST, 1);
	stop_home(t, &t->homes[ALICE]);
	stop_home(t, &t->homes[BOB]);
	start_home(t, &t->homes[BOB]);
	wait_online(t, &t->homes[BOB]);
	assert_int_equal(engine_accept(at(t, BOB), "alice"), 0);
	pass(t, 5 * SECOND);
	start_home(t, &t->homes[ALICE]);
	pass(t, 10 * SECOND);
	assert_heard(&t->homes[BOB], 0, "one");
	assert_int_equal(contact(t, ALICE, "bob").state, CONTACT_MUTUAL);
}

static void to_who_blocks_us_it_waits_for_ever(void **state)
{
	struct town *t = *state;

	say(t, &t->homes[ALICE], link_text, "one");
	wait_for(t, &t->homes[BOB], EVENT_REQUEST, 1);
	assert_int_equal(engine_block(at(t, BOB), "alice"), 0);
	pass(t, 300 * SECOND);
	assert_int_equal(contact(t, ALICE, "bob").state, CONTACT_ASKED);
	assert_int_equal(contact(t, ALICE, "bob").queued, 1);
	assert_int_equal(count_events(&t->homes[BOB], EVENT_HEARD), 0);
}

static bool on_message(void *user, const struct message *m)
{
	*(enum transfer_state *)user = m->file.state;
	return false;
}

static bool is_fetched(void *user)
{
	struct town *t = user;
	const struct event *e = find_event(&t->homes[BOB], EVENT_HEARD);
	enum transfer_state state = TRANSFER_OFFERED;

	return e && engine_message(at(t, BOB), e->message.id, on_message, &state) == 0 &&
	       state == TRANSFER_DONE;
}

static void a_file_waits_until_they_accept(void **state)
{
	struct town *t = *state;
	char path[100];
	FILE *file;

	snprintf(path, sizeof path, "%s/first.txt", t->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("we met in Sevilla", file);
	fclose(file);
	assert_int_equal(
		engine_send_file(at(t, ALICE),
				 &(struct engine_file){ .to = link_text, .path = path },
				 ++t->tickets),
		0);
	assert_int_equal(answer_of(t, &t->homes[ALICE], t->tickets), 0);
	assert_int_equal(contact(t, ALICE, "bob").state, CONTACT_ASKED);
	assert_int_equal(contact(t, ALICE, "bob").queued, 1);
	wait_for(t, &t->homes[BOB], EVENT_REQUEST, 1);
	pass(t, 60 * SECOND);
	assert_int_equal(count_events(&t->homes[BOB], EVENT_HEARD), 0);
	assert_int_equal(engine_accept(at(t, BOB), "alice"), 0);
	assert_true(calm_net_run(&t->net, 60 * SECOND, is_fetched, t));
}

/* What cannot be sent adds nobody. */
static void a_file_that_cannot_be_said_adds_nobody(void **state)
{
	struct town *t = *state;
	struct engine_file file = { .to = link_text, .path = "relative" };
	struct contact c;

	assert_int_equal(engine_send_file(at(t, ALICE), &file, 1), ERR_FORMAT);
	file.path = "/dev/null";
	file.caption = "\xff";
	assert_int_equal(engine_send_file(at(t, ALICE), &file, 2), ERR_FORMAT);
	assert_int_equal(engine_contact(at(t, ALICE), "bob", &c), ERR_NOT_FOUND);
}

/* Nothing was ever said to the one whose key it is not. */
static void it_goes_to_the_key_in_the_link_only(void **state)
{
	struct town *t = *state;
	struct uri link;

	assert_int_equal(uri_parse(&link, link_text), 0);
	link.identity.bytes[3] ^= 1;
	assert_int_equal(uri_print(&link, link_text), 0);
	say(t, &t->homes[ALICE], link_text, "for the other Bob");
	wait_for(t, &t->homes[BOB], EVENT_REQUEST, 1);
	assert_int_equal(engine_accept(at(t, BOB), "alice"), 0);
	pass(t, 10 * SECOND);
	assert_int_equal(count_events(&t->homes[BOB], EVENT_HEARD), 0);
	assert_true(contact(t, ALICE, "bob").is_key_changed);
}

static void what_is_no_contact_link_adds_nobody(void **state)
{
	struct town *t = *state;
	struct bytes text = bytes_text("hello");
	struct engine_account alice;
	struct uri ours = { .kind = URI_CONTACT, .place = { "10.0.0.1", 7000 } };
	struct contact c;

	assert_int_equal(engine_send(at(t, ALICE), "palique:10.0.0.1", text, 0, 1), ERR_FORMAT);
	assert_int_equal(engine_send(at(t, ALICE), "palique:bob@10.0.0.1", text, 0, 1),
			 ERR_FORMAT);
	assert_int_equal(engine_send(at(t, ALICE), link_text, bytes_text(""), 0, 1),
			 ERR_FORMAT);
	assert_int_equal(engine_contact(at(t, ALICE), "bob", &c), ERR_NOT_FOUND);
	engine_account(at(t, ALICE), &alice);
	ours.name = alice.name;
	ours.has_identity = true;
	ours.identity = alice.identity;
	assert_int_equal(uri_print(&ours, link_text), 0);
	assert_int_equal(engine_send(at(t, ALICE), link_text, text, 0, 1), ERR_REFUSED);
}

static void a_link_does_not_let_in_again_who_is_blocked(void **state)
{
	struct town *t = *state;

	assert_int_equal(engine_block(at(t, ALICE), "bob"), 0);
	assert_int_equal(engine_send(at(t, ALICE), link_text, bytes_text("hello"), 0, 1),
			 ERR_REFUSED);
	assert_int_equal(contact(t, ALICE, "bob").state, CONTACT_BLOCKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, build, raze_town)
		ROW(the_first_message_waits_until_they_accept),
		ROW(it_waits_through_restarts_of_both),
		ROW(to_who_blocks_us_it_waits_for_ever),
		ROW(a_file_waits_until_they_accept),
		ROW(a_file_that_cannot_be_said_adds_nobody),
		ROW(it_goes_to_the_key_in_the_link_only),
		ROW(what_is_no_contact_link_adds_nobody),
		ROW(a_link_does_not_let_in_again_who_is_blocked),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
