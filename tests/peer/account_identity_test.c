/* Another identity for the same account: whom it is told, what is stored first, who may be left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>

#include "peer/account.h"
#include "peer/engine_inside.h"
#include "peer/safe.h"
#include "peer/store.h"
#include "shared/error.h"
#include "tests/town.h"
#include "tests/town_account.h"

/* --- another identity --- */

static void a_signed_change_is_a_notice_and_sending_goes_on(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1], *c = &t->homes[2];
	struct engine_account before, after;
	struct contact contact;

	two_devices(t);
	engine_account(a->engine, &before);
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_int_equal(answer_of(t, a, 6), 0);
	wait_online(t, a);
	engine_account(a->engine, &after);
	assert_memory_not_equal(&before.identity, &after.identity, 32);
	wait_seen(t, b, "alice", true);
	pass_seconds(t, 10);
	assert_true(was_told(b, EVENT_NOTICE, "new key"));
	assert_int_equal(count_events(b, EVENT_KEY_CHANGED), 0);
	contact = get(b, "alice");
	assert_memory_equal(&contact.identity, &after.identity, 32);
	assert_int_equal(state_of(c), ACCOUNT_REFUSED);
	say(t, b, "alice", "still there?");
	wait_for(t, a, EVENT_HEARD, 1);
	say(t, a, "bob", "yes");
	wait_for(t, b, EVENT_HEARD, 1);
	/* The vault has the new one. */
	assert_int_equal(login(t, c, "alice", town_password, false), 0);
	wait_online(t, c);
	engine_account(c->engine, &before);
	assert_memory_equal(&before.identity, &after.identity, 32);
}

static bool on_newest(void *user, const struct message *m)
{
	*(uint64_t *)user = m->id;
	return false;
}

static uint64_t newest(struct home *h, const char *name)
{
	uint64_t id = 0;

	assert_int_equal(engine_history(h->engine, name, 0, 1, on_newest, &id), 0);
	return id;
}

static void what_was_said_before_a_change_stays_as_it_was_said(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t ours, theirs;

	befriend(t);
	say(t, a, "bob", "before");
	wait_for(t, b, EVENT_HEARD, 1);
	ours = newest(a, "bob");
	theirs = newest(b, "alice");
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_int_equal(answer_of(t, a, 6), 0);
	wait_online(t, a);
	wait_seen(t, b, "alice", true);
	pass_seconds(t, 10);
	assert_int_equal(engine_edit(a->engine, ours, bytes_text("x"), 7), ERR_EXPIRED);
	assert_int_equal(engine_retract(a->engine, ours, 8), ERR_EXPIRED);
	assert_int_equal(engine_react(b->engine, theirs, bytes_text("x"), 9), ERR_EXPIRED);
	assert_int_equal(engine_forget_message(a->engine, ours), 0);
	say(t, a, "bob", "after");
	wait_for(t, b, EVENT_HEARD, 1);
	assert_int_equal(engine_edit(a->engine, newest(a, "bob"), bytes_text("x"), 10), 0);
	wait_for(t, b, EVENT_CHANGED, 1);
}

static void for_a_verified_contact_a_signed_change_stops_too(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct engine_safety ours, theirs;

	befriend(t);
	assert_int_equal(engine_safety(a->engine, "bob", &ours), 0);
	assert_int_equal(engine_safety(b->engine, "alice", &theirs), 0);
	assert_string_equal(ours.digits, theirs.digits);
	assert_string_equal(ours.code, theirs.code);
	assert_int_equal(engine_verify(b->engine, "alice", true), 0);
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_int_equal(answer_of(t, a, 6), 0);
	wait_for(t, b, EVENT_KEY_CHANGED, 1);
	assert_true(get(b, "alice").is_change_signed);
	assert_int_equal(engine_send(b->engine, "alice", bytes_text("x"), 0, 7),
			 ERR_KEY_CHANGED);
	assert_int_equal(engine_verify(b->engine, "alice", true), ERR_KEY_CHANGED);
	wait_online(t, a);
	assert_int_equal(engine_safety(a->engine, "bob", &ours), 0);
	assert_int_equal(engine_safety(b->engine, "alice", &theirs), 0);
	assert_string_equal(ours.digits, theirs.digits);
	assert_false(theirs.is_verified);
	assert_int_equal(engine_accept(b->engine, "alice"), 0);
	wait_seen(t, b, "alice", true);
	say(t, b, "alice", "hello");
	wait_for(t, a, EVENT_HEARD, 1);
}

/* --- the end, and a pause --- */

static void a_new_key_that_cannot_be_stored_never_leaves(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct store *store = engine_rooms(a->engine)->store;
	struct engine_account before, after;

	assert_int_equal(join(t, a, "alice", true), 0);
	wait_online(t, a);
	pass_seconds(t, 5);
	engine_account(a->engine, &before);
	assert_int_equal(db_exec(store_db(store), "PRAGMA query_only = 1"), 0);
	assert_true(engine_rekey(a->engine, 5) < 0);
	pass_seconds(t, 5);
	assert_int_equal(db_exec(store_db(store), "PRAGMA query_only = 0"), 0);
	pass_seconds(t, 5);
	wait_online(t, a);
	engine_account(a->engine, &after);
	assert_memory_equal(&before.identity, &after.identity, 32);
	assert_int_equal(engine_devices(a->engine)->version, 1);
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_int_equal(answer_of(t, a, 6), 0);
}

static void a_new_key_that_cannot_be_stored_when_its_time_comes_is_given_up(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct store *store = engine_rooms(a->engine)->store;

	two_devices(t);
	assert_int_equal(engine_rekey(a->engine, 6), 0); /* at first the others go */
	assert_int_equal(db_exec(store_db(store), "PRAGMA query_only = 1"), 0);
	assert_int_equal(answer_of(t, a, 6), ERR_IO);
	assert_int_equal(db_exec(store_db(store), "PRAGMA query_only = 0"), 0);
	pass_seconds(t, 5);
	wait_online(t, a);
	assert_int_equal(engine_devices(a->engine)->past_count, 0);
	assert_int_equal(engine_rekey(a->engine, 7), 0);
	assert_int_equal(answer_of(t, a, 7), 0);
	assert_int_equal(engine_devices(a->engine)->past_count, 1);
}

/* --- a crash between any two steps --- */

static void who_is_left_out_never_learns_the_new_key(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];

	two_devices(t);
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_false(calm_net_run(&t->net, 20 * SECOND, has_next, c));
	assert_int_equal(answer_of(t, a, 6), 0);
	assert_int_equal(state_of(c), ACCOUNT_REFUSED);
	assert_int_equal(engine_devices(a->engine)->count, 1);
	assert_int_equal(engine_devices(a->engine)->past_count, 1);
}

static void two_devices_that_change_the_key_at_once_leave_one_account(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];
	struct identity_public identity;
	int first, second;

	two_devices(t);
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_int_equal(engine_rekey(c->engine, 7), 0);
	first = answer_of(t, a, 6);
	second = answer_of(t, c, 7);
	assert_true((first == 0) != (second == 0));
	pass_seconds(t, 10);
	if (first < 0)
		a = &t->homes[2], c = &t->homes[0];
	assert_int_equal(state_of(c), ACCOUNT_REFUSED);
	identity = engine_devices(a->engine)->identity;
	assert_is_alice(t, a, &identity);
	assert_int_equal(login(t, c, "alice", town_password, false), 0);
	assert_is_alice(t, c, &identity);
}

static bool is_put(void *user)
{
	struct home *h = user;
	struct engine_account account;

	engine_account(h->engine, &account);
	return !account.is_vault_due && ours_in_vault(h).has_next;
}

static void
who_comes_in_during_a_change_keeps_what_is_to_come_until_it_is_given_up(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];
	struct vault mine, theirs;

	befriend(t);
	pass_seconds(t, 10);
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	t->net.is_cut = NULL;
	assert_true(calm_net_run(&t->net, 30 * SECOND, is_put, a));
	/* What it says next is lost with it. */
	t->net.is_cut = calm_net_everything;
	pass_seconds(t, 1);
	mine = ours_in_vault(a);
	stop_home(t, a);
	t->net.is_cut = NULL;
	pass_seconds(t, 120);
	assert_int_equal(login(t, c, "alice", town_password, false), 0);
	wait_online(t, c);
	pass_seconds(t, 10);
	assert_int_equal(engine_add(c->engine, "eve", NULL, NULL), 0);
	pass_seconds(t, 10);
	stop_home(t, c);
	start_home(t, c);
	wait_online(t, c);
	pass_seconds(t, 10);
	theirs = ours_in_vault(c);
	assert_true(mine.has_next && theirs.has_next);
	assert_memory_equal(&mine.next, &theirs.next, sizeof mine.next);
	assert_memory_equal(&mine.identity, &theirs.identity, sizeof mine.identity);
	/* The one that asked comes back: it was not done. */
	start_home(t, a);
	wait_online(t, a);
	pass_seconds(t, 10);
	assert_false(ours_in_vault(a).has_next);
	assert_false(ours_in_vault(c).has_next);
	assert_true(knows(a, "eve"));
	/* That is over: another one that is to come is kept. */
	identity_make(&theirs.next);
	assert_false(account_next_merge(engine_rooms(a->engine)->account, &theirs));
	assert_true(ours_in_vault(a).has_next);
	assert_int_equal(engine_rekey(c->engine, 8), 0);
	assert_int_equal(answer_of(t, c, 8), 0);
	assert_int_equal(count_events(a, EVENT_WARNING) + count_events(c, EVENT_WARNING), 0);
	vault_clear(&mine);
	vault_clear(&theirs);
}

static bool to_alice(void *user, const struct calm_net_node *from,
		     const struct calm_net_node *to)
{
	struct town *t = user;

	return from == &t->net.nodes[t->server_node] && to == &t->net.nodes[t->homes[0].node];
}

static void a_new_key_whose_answer_never_came_is_not_thrown_away(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct engine_account before, after;

	befriend(t);
	pass_seconds(t, 10);
	engine_account(a->engine, &before);
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_true(calm_net_run(&t->net, 30 * SECOND, is_put, a));
	t->net.is_cut = to_alice;
	t->net.cut_user = t;
	pass_seconds(t, 100);
	assert_int_equal(answer_of(t, a, 6), ERR_TIMEOUT);
	t->net.is_cut = NULL;
	wait_online(t, a);
	engine_account(a->engine, &after);
	assert_memory_not_equal(&before.identity, &after.identity, 32);
	assert_is_alice(t, a, &after.identity);
}

static void who_hears_of_an_identity_it_does_not_have_logs_in_for_it(void **state)
{
	struct town *t = *state;
	struct home *c = &t->homes[2];
	struct vault v;
	struct identity to;
	struct device_list list;

	two_devices(t);
	identity_make(&to);
	v = ours_in_vault(&t->homes[0]);
	list = *engine_devices(c->engine);
	device_list_succeed(&list, &v.identity, &to.public);
	device_list_sign(&list, &to);
	assert_int_equal(account_hear_devices(engine_rooms(c->engine)->account, &list), 1);
	assert_int_equal(state_of(c), ACCOUNT_REFUSED);
	pass_seconds(t, 5);
	vault_clear(&v);
}

static void a_vault_that_is_not_confirmed_keeps_the_key_from_changing(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct safe *safe = engine_rooms(a->engine) ? a->engine->safe : NULL;
	struct wire_message m = { .type = WIRE_REFUSAL };

	befriend(t);
	pass_seconds(t, 10);
	m.refusal.about = WIRE_VAULT_PUT;
	m.refusal.error = ERR_LIMIT;
	safe_hear(safe, &m); /* and nothing is put for a minute */
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_int_equal(answer_of(t, a, 6), ERR_TIMEOUT);
	assert_int_equal(engine_devices(a->engine)->past_count, 0);
	pass_seconds(t, 90);
	assert_false(ours_in_vault(a).has_next);
	assert_int_equal(engine_rekey(a->engine, 7), 0);
	assert_int_equal(answer_of(t, a, 7), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(a_signed_change_is_a_notice_and_sending_goes_on),
		TOWN(for_a_verified_contact_a_signed_change_stops_too),
		TOWN(what_was_said_before_a_change_stays_as_it_was_said),
		TOWN(a_new_key_that_cannot_be_stored_never_leaves),
		TOWN(a_new_key_that_cannot_be_stored_when_its_time_comes_is_given_up),
		TOWN(who_is_left_out_never_learns_the_new_key),
		TOWN(two_devices_that_change_the_key_at_once_leave_one_account),
		TOWN(who_comes_in_during_a_change_keeps_what_is_to_come_until_it_is_given_up),
		TOWN(a_new_key_whose_answer_never_came_is_not_thrown_away),
		TOWN(who_hears_of_an_identity_it_does_not_have_logs_in_for_it),
		TOWN(a_vault_that_is_not_confirmed_keeps_the_key_from_changing),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
