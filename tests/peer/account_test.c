#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "directory/server_inside.h"
#include "peer/account.h"
#include "peer/engine_inside.h"
#include "peer/siblings.h"
#include "peer/store.h"
#include "shared/error.h"
#include "tests/town.h"
#include "tests/town_account.h"

/* --- login --- */

static void a_login_on_a_new_machine_brings_identity_and_contacts_back(void **state)
{
	struct town *t = *state;
	struct engine_account a, b;

	two_devices(t);
	engine_account(t->homes[0].engine, &a);
	engine_account(t->homes[2].engine, &b);
	assert_memory_equal(&a.identity, &b.identity, sizeof a.identity);
	assert_int_equal(get(&t->homes[2], "bob").state, CONTACT_MUTUAL);
	assert_int_equal(engine_devices(t->homes[0].engine)->count, 2);
	assert_int_equal(engine_devices(t->homes[2].engine)->count, 2);
	assert_true(was_told(&t->homes[0], EVENT_NOTICE, "another device"));
	assert_int_equal(get(&t->homes[1], "alice").devices, 2);
	assert_true(
		engine_device_is_online(t->homes[0].engine, engine_device(t->homes[2].engine)));
	say(t, &t->homes[1], "alice", "to both");
	wait_for(t, &t->homes[0], EVENT_HEARD, 1);
	wait_for(t, &t->homes[2], EVENT_HEARD, 1);
}

static void a_wrong_password_is_told_at_the_next_login(void **state)
{
	struct town *t = *state;

	assert_int_equal(join(t, &t->homes[0], "alice", true), 0);
	wait_online(t, &t->homes[0]);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(login(t, &t->homes[1], "alice", "wrong", false), ERR_AUTH);
	assert_int_equal(state_of(&t->homes[1]), ACCOUNT_NONE);
	pass_seconds(t, 120);
	assert_int_equal(login(t, &t->homes[1], "alice", town_password, false), 0);
	assert_true(was_told(&t->homes[1], EVENT_NOTICE, "3 attempts"));
}

static void who_guesses_often_works_for_it_and_the_owner_comes_in(void **state)
{
	struct town *t = *state;
	struct home *owner = &t->homes[1];

	assert_int_equal(join(t, &t->homes[0], "alice", true), 0);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(login(t, owner, "alice", "wrong", false), ERR_AUTH);
	assert_int_equal(login(t, owner, "alice", town_password, false), 0);
	wait_online(t, owner);
}

/* --- devices --- */

static void a_revoked_device_is_cut_off_and_may_log_in_again(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];
	struct engine_account account;
	struct device_public device;

	two_devices(t);
	device = *engine_device(c->engine);
	assert_int_equal(engine_revoke_device(a->engine, engine_device(a->engine), 5),
			 ERR_REFUSED);
	assert_int_equal(engine_revoke_device(a->engine, &device, 6), 0);
	assert_int_equal(answer_of(t, a, 6), 0);
	pass_seconds(t, 1);
	engine_account(c->engine, &account);
	assert_int_equal(account.state, ACCOUNT_REFUSED);
	assert_non_null(strstr(account.trouble, "palique login alice@10.0.0.1:7000"));
	assert_false(get(c, "bob").is_online);
	assert_int_equal(get(c, "bob").state, CONTACT_MUTUAL);
	assert_int_equal(engine_devices(c->engine)->count, 0);
	assert_false(siblings_is_online(engine_rooms(c->engine), engine_device(a->engine)));
	stop_home(t, c);
	start_home(t, c);
	pass_seconds(t, 5);
	assert_false(get(c, "bob").is_online);
	assert_int_equal(engine_devices(c->engine)->count, 0);
	assert_int_equal(get(&t->homes[1], "alice").devices, 1);
	assert_int_equal(engine_revoke_device(a->engine, &device, 7), ERR_NOT_FOUND);
	assert_int_equal(login(t, c, "alice", town_password, false), 0);
	wait_online(t, c);
	wait_seen(t, c, "bob", true);
	pass_seconds(t, 5);
	assert_int_equal(engine_devices(a->engine)->count, 2);
	assert_int_equal(engine_devices(c->engine)->count, 2);
	assert_true(siblings_is_online(engine_rooms(c->engine), engine_device(a->engine)));
	say(t, &t->homes[1], "alice", "back again");
	wait_for(t, c, EVENT_HEARD, 1);
}

static void a_device_is_named_for_all(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];
	const struct listed_device *d;

	two_devices(t);
	/* Both machines have the same name; the one that came later is told apart. */
	d = device_list_find(engine_devices(a->engine), engine_device(a->engine));
	assert_string_equal(d->label, "test");
	d = device_list_find(engine_devices(a->engine), engine_device(c->engine));
	assert_string_equal(d->label, "test 2");
	assert_int_equal(engine_name_device(a->engine, engine_device(c->engine), "", 5),
			 ERR_FORMAT);
	assert_int_equal(engine_name_device(a->engine, engine_device(c->engine), "a\nb", 5),
			 ERR_FORMAT);
	/* Both at once: the second is made again from the newer list. */
	assert_int_equal(engine_name_device(a->engine, engine_device(c->engine), "Küche", 5),
			 0);
	assert_int_equal(engine_name_device(c->engine, engine_device(a->engine), "desk", 6), 0);
	assert_int_equal(engine_name_device(c->engine, engine_device(a->engine), "no", 7),
			 ERR_BUSY);
	assert_int_equal(answer_of(t, a, 5), 0);
	assert_int_equal(answer_of(t, c, 6), 0);
	pass_seconds(t, 5);
	for (unsigned i = 0; i < 3; i += 2) {
		d = device_list_find(engine_devices(t->homes[i].engine),
				     engine_device(c->engine));
		assert_string_equal(d->label, "Küche");
		d = device_list_find(engine_devices(t->homes[i].engine),
				     engine_device(a->engine));
		assert_string_equal(d->label, "desk");
	}
}

static void a_change_whose_answer_was_lost_is_found_out(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];

	two_devices(t);
	t->net.is_cut = calm_net_everything;
	assert_int_equal(engine_revoke_device(a->engine, engine_device(c->engine), 6), 0);
	pass_seconds(t, 12);
	t->net.is_cut = NULL;
	assert_int_equal(answer_of(t, a, 6), 0);
	pass_seconds(t, 60);
	assert_int_equal(engine_devices(a->engine)->count, 1);
	assert_int_equal(state_of(c), ACCOUNT_REFUSED);
}

/* --- requests --- */

static void requests_can_be_refused_or_allowed_with_a_link_only(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1], *c = &t->homes[2];
	struct engine_account alice;

	assert_int_equal(join(t, a, "alice", true), 0);
	assert_int_equal(join(t, b, "bob", true), 0);
	assert_int_equal(join(t, c, "carol", true), 0);
	wait_online(t, a);
	wait_online(t, b);
	wait_online(t, c);
	engine_account(a->engine, &alice);
	assert_int_equal(engine_set_requests(a->engine, REQUESTS_LINK), 0);
	assert_int_equal(engine_add(b->engine, "alice", NULL, NULL), 0);
	pass_seconds(t, 5);
	assert_int_equal(count_events(a, EVENT_REQUEST), 0);
	assert_int_equal(engine_add(c->engine, "alice", &alice.identity, NULL), 0);
	wait_for(t, a, EVENT_REQUEST, 1);
	assert_false(knows(a, "bob"));
	assert_int_equal(engine_set_requests(a->engine, REQUESTS_NONE), 0);
	assert_int_equal(engine_add(b->engine, "alice", &alice.identity, "please"), 0);
	pass_seconds(t, 5);
	assert_int_equal(count_events(a, EVENT_REQUEST), 1);
}

/* --- the end, and a pause --- */

static void an_account_is_deleted_here_and_there_and_the_name_is_free(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];

	two_devices(t);
	say(t, a, "bob", "farewell");
	wait_for(t, b, EVENT_HEARD, 1);
	assert_int_equal(engine_delete(a->engine, 6), 0);
	assert_int_equal(answer_of(t, a, 6), 0);
	assert_int_equal(state_of(a), ACCOUNT_NONE);
	assert_false(knows(a, "bob"));
	wait_seen(t, b, "alice", false);
	pass_seconds(t, 20);
	assert_int_equal(state_of(&t->homes[2]), ACCOUNT_REFUSED);
	assert_int_equal(engine_devices(a->engine)->version, 0);
	assert_int_equal(join(t, a, "alicia", true), 0);
	wait_online(t, a);
	assert_false(knows(a, "bob"));
}

static void a_suspended_account_stays_and_comes_back_by_itself(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct registry *r = server_registry(t->server);
	struct engine_account account;
	struct name name;

	assert_int_equal(join(t, a, "alice", true), 0);
	wait_online(t, a);
	assert_int_equal(name_parse(&name, bytes_text("alice")), 0);
	assert_int_equal(r->suspend(r, &name, true), 0);
	server_suspend(t->server, &name);
	pass_seconds(t, 150);
	engine_account(a->engine, &account);
	assert_int_equal(account.state, ACCOUNT_CONNECTING);
	assert_non_null(strstr(account.trouble, "suspended"));
	assert_int_equal(account.why, ERR_SUSPENDED);
	assert_int_equal(r->suspend(r, &name, false), 0);
	wait_online(t, a);
	engine_account(a->engine, &account);
	assert_int_equal(account.why, 0);
}

static bool wants_last(void *user)
{
	struct home *h = user;

	return account_standing(engine_rooms(h->engine)->account) == STANDING_PENDING;
}

static void keys_that_cannot_be_stored_never_leave(void **state)
{
	struct town *t = *state;
	struct home *c = &t->homes[2];
	struct store *store = engine_rooms(c->engine)->store;
	struct server_status status;
	struct uri link = link_of(t, true);

	assert_int_equal(engine_join(c->engine, &link, "carol", bytes_text("pass"), 5), 0);
	assert_int_equal(db_exec(store_db(store), "PRAGMA query_only = 1"), 0);
	assert_false(calm_net_run(&t->net, 10 * SECOND, wants_last, c));
	assert_true(answer_of(t, c, 5) < 0);
	server_status(t->server, &status);
	assert_int_equal(status.accounts, 0);
	assert_int_equal(db_exec(store_db(store), "PRAGMA query_only = 0"), 0);
	assert_int_equal(join(t, c, "carol", true), 0);
	wait_online(t, c);
}

/* The directory never saw its keys, and says so while that cannot be stored. */
static void who_was_not_taken_while_its_disk_was_full_may_join_again(void **state)
{
	struct town *t = *state;
	struct home *c = &t->homes[2];
	struct store *store = engine_rooms(c->engine)->store;
	struct uri link = link_of(t, true);
	struct engine_account account;

	assert_int_equal(engine_join(c->engine, &link, "carol", bytes_text("pass"), 5), 0);
	assert_true(calm_net_run(&t->net, 10 * SECOND, wants_last, c));
	stop_server(t);
	pass_seconds(t, 300);
	start_server(t);
	assert_int_equal(db_exec(store_db(store), "PRAGMA query_only = 1"), 0);
	pass_seconds(t, 600);
	assert_int_equal(db_exec(store_db(store), "PRAGMA query_only = 0"), 0);
	pass_seconds(t, 300);
	engine_account(c->engine, &account);
	assert_int_equal(account.state, ACCOUNT_NONE);
	assert_int_equal(join(t, c, "carol", true), 0);
	wait_online(t, c);
}

static void who_is_told_when_to_come_back_waits_until_then(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct engine_account account;

	assert_int_equal(join(t, a, "alice", true), 0);
	wait_online(t, a);
	server_goodbye(t->server, 40, t->net.now);
	pass_seconds(t, 1);
	engine_account(a->engine, &account);
	assert_non_null(strstr(account.trouble, "comes back by itself"));
	stop_server(t);
	start_server(t);
	pass_seconds(t, 38);
	assert_int_equal(state_of(a), ACCOUNT_CONNECTING);
	pass_seconds(t, 25); /* half as much again at random */
	assert_int_equal(state_of(a), ACCOUNT_ONLINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(a_login_on_a_new_machine_brings_identity_and_contacts_back),
		TOWN(a_wrong_password_is_told_at_the_next_login),
		TOWN(who_guesses_often_works_for_it_and_the_owner_comes_in),
		TOWN(a_revoked_device_is_cut_off_and_may_log_in_again),
		TOWN(a_device_is_named_for_all),
		TOWN(a_change_whose_answer_was_lost_is_found_out),
		TOWN(requests_can_be_refused_or_allowed_with_a_link_only),
		TOWN(an_account_is_deleted_here_and_there_and_the_name_is_free),
		TOWN(a_suspended_account_stays_and_comes_back_by_itself),
		TOWN(keys_that_cannot_be_stored_never_leave),
		TOWN(who_was_not_taken_while_its_disk_was_full_may_join_again),
		TOWN(who_is_told_when_to_come_back_waits_until_then),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
