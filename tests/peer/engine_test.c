#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory/admin.h"
#include "directory/server.h"
#include "peer/engine.h"
#include "peer/rooms.h"
#include "peer/store.h"
#include "shared/error.h"
#include "tests/town.h"

/* --- the tests --- */

static void somebody_joins_and_is_online(void **state)
{
	struct town *t = *state;
	struct engine_account account;

	assert_int_equal(join(t, &t->homes[0], "alice", true), 0);
	wait_online(t, &t->homes[0]);
	engine_account(t->homes[0].engine, &account);
	assert_string_equal(account.name.text, "alice");
	assert_false(account.is_key_pinned_on_trust);
	assert_true(server_is_online(t->server, "alice"));
}

static void a_home_holds_one_account(void **state)
{
	struct town *t = *state;

	assert_int_equal(join(t, &t->homes[0], "alice", true), 0);
	assert_int_equal(join(t, &t->homes[0], "alicia", true), ERR_EXISTS);
}

static void a_taken_name_is_refused_and_leaves_the_home_empty(void **state)
{
	struct town *t = *state;
	struct engine_account account;

	assert_int_equal(join(t, &t->homes[0], "alice", true), 0);
	assert_int_equal(join(t, &t->homes[1], "alice", true), ERR_EXISTS);
	engine_account(t->homes[1].engine, &account);
	assert_int_equal(account.state, ACCOUNT_NONE);
	assert_int_equal(join(t, &t->homes[1], "bob", true), 0);
}

static void a_link_without_key_pins_the_first_one_and_says_so(void **state)
{
	struct town *t = *state;
	struct engine_account account;

	assert_int_equal(join(t, &t->homes[0], "alice", false), 0);
	engine_account(t->homes[0].engine, &account);
	assert_true(account.is_key_pinned_on_trust);
	assert_memory_equal(&account.directory_key, server_key(t->server), 32);
	assert_int_equal(count_events(&t->homes[0], EVENT_WARNING), 1);
}

static void a_request_is_shown_once_and_accepting_makes_both_visible(void **state)
{
	struct town *t = *state;
	struct contact c;

	befriend(t);
	assert_int_equal(engine_contact(t->homes[0].engine, "bob", &c), 0);
	assert_int_equal(c.state, CONTACT_MUTUAL);
	assert_true(c.has_identity);
	assert_int_equal(count_events(&t->homes[1], EVENT_REQUEST), 1);
}

static void a_greeting_sealed_to_the_identity_is_read(void **state)
{
	struct town *t = *state;
	struct engine_account bob;

	assert_int_equal(join(t, &t->homes[0], "alice", true), 0);
	assert_int_equal(join(t, &t->homes[1], "bob", true), 0);
	wait_online(t, &t->homes[0]);
	wait_online(t, &t->homes[1]);
	engine_account(t->homes[1].engine, &bob);
	assert_int_equal(engine_add(t->homes[0].engine, "bob", NULL, "hola"), ERR_STATE);
	assert_int_equal(engine_add(t->homes[0].engine, "bob", &bob.identity, "¡hola!"), 0);
	wait_for(t, &t->homes[1], EVENT_REQUEST, 1);
	assert_string_equal(find_event(&t->homes[1], EVENT_REQUEST)->greeting, "¡hola!");
}

static void messages_arrive_in_order_and_are_told_delivered(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t last;

	befriend(t);
	say(t, a, "bob", "one");
	say(t, a, "bob", "two");
	last = say(t, a, "bob", "three");
	wait_for(t, b, EVENT_HEARD, 3);
	assert_heard(b, 0, "one");
	assert_heard(b, 1, "two");
	assert_heard(b, 2, "three");
	say(t, b, "alice", "four");
	wait_for(t, a, EVENT_HEARD, 1);
	assert_heard(a, 0, "four");
	wait_for(t, a, EVENT_DELIVERED, 1);
	assert_int_equal(find_event(a, EVENT_DELIVERED)->message_id, last);
}

static bool on_history(void *user, const struct message *m)
{
	char *out = user;
	size_t used = strlen(out);

	snprintf(out + used, 200 - used, "%s%.*s:%d ", m->is_ours ? ">" : "<",
		 (int)m->text.size, (const char *)m->text.data, m->state);
	return true;
}

static void history_is_there_after_a_restart(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char text[200] = "";

	befriend(t);
	say(t, a, "bob", "one");
	wait_for(t, b, EVENT_HEARD, 1);
	say(t, b, "alice", "two");
	wait_for(t, a, EVENT_HEARD, 1);
	wait_for(t, a, EVENT_DELIVERED, 1);
	stop_home(t, a);
	start_home(t, a);
	assert_int_equal(engine_history(a->engine, "bob", 0, 10, on_history, text), 0);
	assert_string_equal(text, "<two:3 >one:2 ");
}

static uint64_t datagrams_of_a_start(struct town *t, struct home *h)
{
	uint64_t before = t->net.nodes[t->server_node].received;

	start_home(t, h);
	wait_online(t, h);
	return t->net.nodes[t->server_node].received - before;
}

static void who_comes_back_proves_the_address_without_a_round_trip(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	uint64_t known, unknown;

	assert_int_equal(join(t, a, "alice", true), 0);
	wait_online(t, a);
	stop_home(t, a);
	known = datagrams_of_a_start(t, a);
	stop_home(t, a);
	stop_server(t);
	start_server(t); /* its tokens ended with it */
	unknown = datagrams_of_a_start(t, a);
	assert_int_equal(unknown, known + 1);
}

static void what_is_said_while_away_is_delivered_later_once(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];

	befriend(t);
	stop_home(t, b);
	wait_seen(t, a, "bob", false);
	say(t, a, "bob", "one");
	say(t, a, "bob", "two");
	calm_net_run(&t->net, 100 * SECOND, NULL, NULL);
	assert_int_equal(count_events(a, EVENT_DELIVERED), 0);
	stop_home(t, a);
	start_home(t, b);
	start_home(t, a);
	wait_for(t, b, EVENT_HEARD, 2);
	calm_net_run(&t->net, 60 * SECOND, NULL, NULL);
	assert_int_equal(count_events(b, EVENT_HEARD), 2);
	assert_heard(b, 0, "one");
	assert_heard(b, 1, "two");
}

static void a_crash_of_the_receiver_loses_and_repeats_nothing(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char text[16];

	befriend(t);
	for (int i = 0; i < 40; i++) {
		snprintf(text, sizeof text, "%d", i);
		say(t, a, "bob", text);
		if (i % 10 == 5) {
			stop_home(t, b);
			start_home(t, b);
		}
	}
	wait_for(t, b, EVENT_HEARD, 40);
	calm_net_run(&t->net, 60 * SECOND, NULL, NULL);
	assert_int_equal(count_events(b, EVENT_HEARD), 40);
	for (int i = 0; i < 40; i++) {
		snprintf(text, sizeof text, "%d", i);
		assert_heard(b, (unsigned)i, text);
	}
}

static void a_conversation_goes_on_while_the_directory_is_away(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];

	befriend(t);
	say(t, a, "bob", "one");
	wait_for(t, b, EVENT_HEARD, 1);
	stop_server(t);
	calm_net_run(&t->net, 40 * SECOND, NULL, NULL);
	say(t, b, "alice", "two");
	wait_for(t, a, EVENT_HEARD, 1);
	start_server(t);
	calm_net_run(&t->net, 60 * SECOND, NULL, NULL);
	assert_true(is_online(a));
	assert_true(is_online(b));
	wait_seen(t, a, "bob", true);
	wait_seen(t, b, "alice", true);
}

static void who_leaves_is_seen_to_leave_at_once(void **state)
{
	struct town *t = *state;
	struct home *b = &t->homes[1];
	struct wait w = { .home = &t->homes[0], .name = "bob" };
	static uint8_t room[ENDPOINT_LOOPBACK_MAX];
	struct datagram d;
	mono_ns start;

	befriend(t);
	engine_goodbye(b->engine, t->net.now);
	while (endpoint_send(engine_endpoint(b->engine), room, &d, t->net.now)) {
		struct path path = { .local = t->net.nodes[t->server_node].address,
				     .remote = t->net.nodes[b->node].address };

		if (address_equal(&d.path.remote, &path.local))
			endpoint_receive(server_endpoint(t->server), &path, room, d.size,
					 t->net.now);
	}
	stop_home(t, b);
	start = t->net.now;
	assert_true(calm_net_run(&t->net, 60 * SECOND, sees_offline, &w));
	assert_true(t->net.now - start < SECOND);
}

/* One that was down already, and that nobody was told of yet, is gone at once. */
static void who_leaves_knows_of_no_link_any_more(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	static uint8_t room[ENDPOINT_LOOPBACK_MAX];
	struct contact c;
	struct datagram d;

	befriend(t);
	say(t, b, "alice", "hello");
	wait_for(t, a, EVENT_HEARD, 1);
	engine_goodbye(b->engine, t->net.now);
	while (endpoint_send(engine_endpoint(b->engine), room, &d, t->net.now)) {
		struct path path = { .local = t->net.nodes[a->node].address,
				     .remote = t->net.nodes[b->node].address };

		if (address_equal(&d.path.remote, &path.local))
			endpoint_receive(engine_endpoint(a->engine), &path, room, d.size,
					 t->net.now);
	}
	engine_goodbye(a->engine, t->net.now);
	assert_int_equal(engine_contact(a->engine, "bob", &c), 0);
	assert_false(c.is_linked);
	stop_home(t, a);
	stop_home(t, b);
}

static void a_blocked_contact_sees_us_no_more_and_hears_nothing(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct contact c;

	befriend(t);
	say(t, b, "alice", "hello");
	wait_for(t, a, EVENT_HEARD, 1);
	assert_int_equal(engine_block(a->engine, "bob"), 0);
	wait_seen(t, b, "alice", false);
	assert_int_equal(engine_send(a->engine, "bob", bytes_text("x"), 0, 1), ERR_REFUSED);
	say(t, b, "alice", "are you there?");
	calm_net_run(&t->net, 100 * SECOND, NULL, NULL);
	assert_int_equal(count_events(a, EVENT_HEARD), 1);
	assert_int_equal(engine_contact(a->engine, "bob", &c), 0);
	assert_int_equal(c.state, CONTACT_BLOCKED);
	assert_false(c.is_linked);
}

static void a_request_of_somebody_blocked_is_dropped_silently(void **state)
{
	struct town *t = *state;

	assert_int_equal(join(t, &t->homes[0], "alice", true), 0);
	assert_int_equal(join(t, &t->homes[1], "bob", true), 0);
	wait_online(t, &t->homes[0]);
	wait_online(t, &t->homes[1]);
	assert_int_equal(engine_block(t->homes[1].engine, "alice"), 0);
	assert_int_equal(engine_add(t->homes[0].engine, "bob", NULL, NULL), 0);
	calm_net_run(&t->net, 30 * SECOND, NULL, NULL);
	assert_int_equal(count_events(&t->homes[1], EVENT_REQUEST), 0);
}

static void sending_to_nobody_too_much_or_nothing_is_refused(void **state)
{
	struct town *t = *state;
	static uint8_t big[WIRE_TEXT_MAX + 1];
	struct engine *e;

	befriend(t);
	e = t->homes[0].engine;
	memset(big, 'x', sizeof big);
	assert_int_equal(engine_send(e, "carol", bytes_text("x"), 0, 1), ERR_NOT_FOUND);
	assert_int_equal(engine_send(e, "bob", BYTES(big), 0, 1), ERR_LIMIT);
	assert_int_equal(engine_send(e, "bob", bytes_text(""), 0, 1), ERR_FORMAT);
	assert_int_equal(engine_send(e, "bob", bytes_text("\xff"), 0, 1), ERR_FORMAT);
	assert_int_equal(engine_send(e, "bob", bytes_of(big, WIRE_TEXT_MAX), 0, 99), 0);
	assert_int_equal(answer_of(t, &t->homes[0], 99), 0);
	wait_for(t, &t->homes[1], EVENT_HEARD, 1);
	assert_int_equal(find_event(&t->homes[1], EVENT_HEARD)->message.text.size,
			 WIRE_TEXT_MAX);
}

static bool count_resumed(void *user, const struct event *e)
{
	uint64_t *last = user;

	assert_int_equal(e->id, *last + 1);
	*last = e->id;
	return true;
}

static void events_can_be_resumed_without_a_gap(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	uint64_t last = 0;

	befriend(t);
	say(t, a, "bob", "one");
	wait_for(t, a, EVENT_DELIVERED, 1);
	assert_int_equal(engine_events_since(a->engine, 0, count_resumed, &last), 0);
	assert_int_equal(last, engine_last_event(a->engine));
	stop_home(t, a);
	start_home(t, a);
	last = 0;
	assert_int_equal(engine_events_since(a->engine, 0, count_resumed, &last), 0);
	assert_int_equal(last, engine_last_event(a->engine));
}

static void many_messages_both_ways_arrive_once_and_in_order(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char text[16];

	befriend(t);
	forget_events(a);
	forget_events(b);
	for (int i = 0; i < 2000; i++) {
		snprintf(text, sizeof text, "%d", i);
		assert_int_equal(engine_send(a->engine, "bob", bytes_text(text), 0, 0), 0);
		assert_int_equal(engine_send(b->engine, "alice", bytes_text(text), 0, 0), 0);
	}
	wait_for(t, a, EVENT_HEARD, 2000);
	wait_for(t, b, EVENT_HEARD, 2000);
	for (unsigned i = 0, k = 0; i < b->count; i++) {
		if (b->events[i].kind != EVENT_HEARD)
			continue;
		snprintf(text, sizeof text, "%u", k++);
		assert_true(bytes_equal(b->events[i].message.text, bytes_text(text)));
	}
}

static void remove_user(struct town *t, const char *name)
{
	struct json *request = json_object(), *answer;

	json_set_text(request, "command", "remove");
	json_set_text(request, "name", name);
	answer = admin_server(t->server, request);
	assert_non_null(json_text(answer, "removed"));
	json_free(answer);
	json_free(request);
}

static void a_device_the_directory_forgot_is_told_to_log_in_again(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct engine_account account;

	assert_int_equal(join(t, a, "alice", true), 0);
	wait_online(t, a);
	engine_account(a->engine, &account);
	assert_true(account.has_directory_clock);
	assert_true(account.directory_ahead_ms > -1000 && account.directory_ahead_ms < 1000);
	remove_user(t, "alice");
	calm_net_run(&t->net, 90 * SECOND, NULL, NULL);
	engine_account(a->engine, &account);
	assert_int_equal(account.state, ACCOUNT_REFUSED);
	assert_non_null(strstr(account.trouble, "palique login alice@10.0.0.1:7000"));
}

/* Bob's account is taken away and made anew, in another home, by whoever that is. */
static void replace_bob(struct town *t)
{
	remove_user(t, "bob");
	stop_home(t, &t->homes[1]);
	assert_int_equal(join(t, &t->homes[2], "bob", true), 0);
	wait_online(t, &t->homes[2]);
	assert_int_equal(engine_add(t->homes[2].engine, "alice", NULL, NULL), 0);
}

static void a_changed_key_stops_sending_until_the_person_accepts(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];
	struct contact contact;

	befriend(t);
	say(t, a, "bob", "to the old bob");
	wait_for(t, &t->homes[1], EVENT_HEARD, 1);
	wait_for(t, a, EVENT_DELIVERED, 1);
	stop_home(t, &t->homes[1]);
	wait_seen(t, a, "bob", false);
	say(t, a, "bob", "queued");
	start_home(t, &t->homes[1]);
	t->net.nodes[t->homes[1].node].endpoint = NULL; /* never heard of again */
	replace_bob(t);
	wait_for(t, a, EVENT_KEY_CHANGED, 1);
	calm_net_run(&t->net, 60 * SECOND, NULL, NULL);
	assert_int_equal(count_events(a, EVENT_KEY_CHANGED), 1);
	assert_int_equal(count_events(c, EVENT_HEARD), 0);
	assert_int_equal(engine_send(a->engine, "bob", bytes_text("x"), 0, 1), ERR_KEY_CHANGED);
	assert_int_equal(engine_contact(a->engine, "bob", &contact), 0);
	assert_true(contact.is_key_changed);
	assert_memory_not_equal(&contact.identity, &contact.new_identity, 32);

	assert_int_equal(engine_accept(a->engine, "bob"), 0);
	wait_for(t, c, EVENT_HEARD, 1);
	assert_heard(c, 0, "queued");
	say(t, c, "alice", "thank you");
	wait_for(t, a, EVENT_HEARD, 1);
	calm_net_run(&t->net, 30 * SECOND, NULL, NULL);
	assert_int_equal(count_events(c, EVENT_HEARD), 1);
}

static void a_full_disk_is_told_and_nothing_is_lost_or_said_twice(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct db *db;
	static char text[WIRE_TEXT_MAX + 1];

	befriend(t);
	say(t, a, "bob", "before");
	wait_for(t, b, EVENT_HEARD, 1);
	db = store_db(engine_rooms(b->engine)->store);
	assert_int_equal(db_exec(db, "PRAGMA max_page_count = 1"), 0);
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	for (int i = 0; i < 30; i++)
		say(t, a, "bob", text);
	calm_net_run(&t->net, 20 * SECOND, NULL, NULL);
	assert_true(count_events(b, EVENT_HEARD) < 31);
	assert_int_equal(engine_send(b->engine, "alice", bytes_text(text), 0, 501), 0);
	assert_int_equal(answer_of(t, b, 501), ERR_FULL);
	assert_int_equal(db_exec(db, "PRAGMA max_page_count = 100000"), 0);
	wait_for(t, b, EVENT_HEARD, 31);
	assert_int_equal(engine_send(b->engine, "alice", bytes_text("room again"), 0, 502), 0);
	assert_int_equal(answer_of(t, b, 502), 0);
	wait_for(t, a, EVENT_HEARD, 1);
	calm_net_run(&t->net, 60 * SECOND, NULL, NULL);
	assert_int_equal(count_events(b, EVENT_HEARD), 31);
	assert_int_equal(count_events(a, EVENT_HEARD), 1);
}

/* As a backup put back: what was said since is at the other side only. */
static void a_home_put_back_from_an_older_copy_goes_on_without_collision(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char copy[200], command[600];

	befriend(t);
	say(t, a, "bob", "one");
	wait_for(t, b, EVENT_HEARD, 1);
	wait_for(t, a, EVENT_DELIVERED, 1);
	stop_home(t, a);
	snprintf(copy, sizeof copy, "%s.copy", a->path);
	snprintf(command, sizeof command, "cp '%s' '%s'", a->path, copy);
	assert_int_equal(system(command), 0);
	start_home(t, a);
	say(t, a, "bob", "two");
	say(t, a, "bob", "three");
	wait_for(t, b, EVENT_HEARD, 3);
	stop_home(t, a);
	snprintf(command, sizeof command, "rm -f '%s' '%s-wal' '%s-shm'", a->path, a->path,
		 a->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(rename(copy, a->path), 0);
	forget_events(a);
	a->last_id = 0;
	start_home(t, a);
	a->last_id = engine_last_event(a->engine) - 1; /* that one is still to be handed out */
	say(t, a, "bob", "four");
	wait_for(t, b, EVENT_HEARD, 4);
	say(t, a, "bob", "five");
	wait_for(t, b, EVENT_HEARD, 5);
	assert_heard(b, 3, "four");
	assert_heard(b, 4, "five");
	calm_net_run(&t->net, 60 * SECOND, NULL, NULL);
	assert_int_equal(count_events(b, EVENT_HEARD), 5);
}

static void a_password_login_enrols_this_home_again(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct directory_place place = { "10.0.0.1", 7000 };

	assert_int_equal(join(t, a, "alice", true), 0);
	assert_int_equal(
		engine_login(a->engine, "alice", &place, NULL, bytes_text("wrong"), false, 77),
		0);
	assert_int_equal(answer_of(t, a, 77), ERR_AUTH);
	assert_int_equal(engine_login(a->engine, "alice", &place, NULL,
				      bytes_text("correct horse"), false, 78),
			 0);
	assert_int_equal(answer_of(t, a, 78), 0);
	wait_online(t, a);
	assert_int_equal(
		engine_login(a->engine, "bob", &place, NULL, bytes_text("x"), false, 79),
		ERR_REFUSED);
}

/* --- a crash in the middle of joining --- */

static bool is_registered(void *user)
{
	struct town *t = user;
	struct server_status status;

	server_status(t->server, &status);
	return status.registrations > 0;
}

static bool is_pending(void *user)
{
	struct home *h = user;
	struct statement *s = db_sql(store_db(engine_rooms(h->engine)->store),
				     "SELECT standing FROM account");
	bool pending = db_step(s) == 1 && column_int(s, 0) == 1;

	db_done(s);
	return pending;
}

static void a_crash_after_the_directory_took_us_keeps_the_account(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct uri link = link_of(t, true);

	assert_int_equal(engine_join(a->engine, &link, "alice", bytes_text("pass"), 1), 0);
	assert_true(calm_net_run(&t->net, 60 * SECOND, is_registered, t));
	assert_true(is_pending(a));
	stop_home(t, a);
	start_home(t, a);
	wait_online(t, a);
	assert_true(server_is_online(t->server, "alice"));
}

static void a_crash_before_the_directory_heard_us_leaves_an_empty_home(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct uri link = link_of(t, true);
	struct engine_account account;

	assert_int_equal(engine_join(a->engine, &link, "alice", bytes_text("pass"), 1), 0);
	assert_true(calm_net_run(&t->net, 60 * SECOND, is_pending, a));
	t->net.is_cut = calm_net_everything;
	calm_net_run(&t->net, SECOND, NULL, NULL);
	stop_home(t, a);
	t->net.is_cut = NULL;
	start_home(t, a);
	calm_net_run(&t->net, 30 * SECOND, NULL, NULL);
	engine_account(a->engine, &account);
	assert_int_equal(account.state, ACCOUNT_NONE);
	assert_int_equal(join(t, a, "alice", true), 0);
	wait_online(t, a);
}

static void a_lost_last_answer_is_found_out_with_the_device_key(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct uri link = link_of(t, true);

	assert_int_equal(engine_join(a->engine, &link, "alice", bytes_text("pass"), 1), 0);
	assert_true(calm_net_run(&t->net, 60 * SECOND, is_registered, t));
	t->net.is_cut = calm_net_everything;
	calm_net_run(&t->net, 20 * SECOND, NULL, NULL);
	t->net.is_cut = NULL;
	assert_int_equal(answer_of(t, a, 1), 0);
	wait_online(t, a);
}

static void an_unreachable_directory_is_told(void **state)
{
	struct town *t = *state;
	struct engine_account account;

	t->net.is_cut = calm_net_everything;
	assert_int_equal(join(t, &t->homes[0], "alice", true), ERR_TIMEOUT);
	engine_account(t->homes[0].engine, &account);
	assert_int_equal(account.state, ACCOUNT_NONE);
}

static void a_closed_contact_link_does_not_tell_a_block(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct contact c;

	befriend(t);
	say(t, b, "alice", "hello");
	wait_for(t, a, EVENT_HEARD, 1);
	assert_int_equal(engine_block(a->engine, "bob"), 0);
	wait_for(t, b, EVENT_LINK, 2);
	wait_seen(t, b, "alice", false);
	assert_int_equal(engine_contact(b->engine, "alice", &c), 0);
	assert_int_equal(c.state, CONTACT_MUTUAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(somebody_joins_and_is_online),
		TOWN(a_home_holds_one_account),
		TOWN(a_taken_name_is_refused_and_leaves_the_home_empty),
		TOWN(a_link_without_key_pins_the_first_one_and_says_so),
		TOWN(a_request_is_shown_once_and_accepting_makes_both_visible),
		TOWN(a_greeting_sealed_to_the_identity_is_read),
		TOWN(messages_arrive_in_order_and_are_told_delivered),
		TOWN(history_is_there_after_a_restart),
		TOWN(who_comes_back_proves_the_address_without_a_round_trip),
		TOWN(what_is_said_while_away_is_delivered_later_once),
		TOWN(a_crash_of_the_receiver_loses_and_repeats_nothing),
		TOWN(a_conversation_goes_on_while_the_directory_is_away),
		TOWN(who_leaves_is_seen_to_leave_at_once),
		TOWN(who_leaves_knows_of_no_link_any_more),
		TOWN(a_blocked_contact_sees_us_no_more_and_hears_nothing),
		TOWN(a_request_of_somebody_blocked_is_dropped_silently),
		TOWN(sending_to_nobody_too_much_or_nothing_is_refused),
		TOWN(events_can_be_resumed_without_a_gap),
		TOWN(many_messages_both_ways_arrive_once_and_in_order),
		TOWN(a_device_the_directory_forgot_is_told_to_log_in_again),
		TOWN(a_changed_key_stops_sending_until_the_person_accepts),
		TOWN(a_full_disk_is_told_and_nothing_is_lost_or_said_twice),
		TOWN(a_home_put_back_from_an_older_copy_goes_on_without_collision),
		TOWN(a_password_login_enrols_this_home_again),
		TOWN(a_crash_after_the_directory_took_us_keeps_the_account),
		TOWN(a_crash_before_the_directory_heard_us_leaves_an_empty_home),
		TOWN(a_lost_last_answer_is_found_out_with_the_device_key),
		TOWN(an_unreachable_directory_is_told),
		TOWN(a_closed_contact_link_does_not_tell_a_block),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
