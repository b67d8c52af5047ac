/* What a machine that was stolen tries while it is still one of ours, and what it tries to stay:
 * it has the account's identity, so it can sign whatever a device of ours could. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "peer/account_inside.h"
#include "peer/contacts.h"
#include "peer/engine_inside.h"
#include "peer/persons.h"
#include "peer/store.h"
#include "shared/error.h"
#include "tests/town_account.h"

/* Alice in 0, Bob in 1, and in 2 the device of Alice's that was stolen. */
static void stolen(struct town *t)
{
	befriend(t);
	assert_int_equal(login(t, &t->homes[2], "alice", town_password, false), 0);
	wait_online(t, &t->homes[2]);
	wait_seen(t, &t->homes[2], "bob", true);
	pass_seconds(t, 5);
	assert_int_equal(engine_devices(t->homes[0].engine)->version, 2);
}

/* The list of now, so much higher; `is_alone`: of the stolen device alone. */
static struct device_list forge(const struct town *t, uint64_t version, bool is_alone)
{
	const struct home *thief = &t->homes[2];
	struct device_list l = *engine_devices(thief->engine);

	if (is_alone)
		assert_int_equal(device_list_remove(&l, engine_device(t->homes[0].engine)), 0);
	l.version = version - 1;
	device_list_sign(&l, &thief->engine->rooms.account->identity);
	return l;
}

/* As it would be said over a link. */
static void tell_alice(struct town *t, const struct device_list *l)
{
	account_hear_devices(t->homes[0].engine->rooms.account, l);
	pass_seconds(t, 2);
}

static void tell_bob(struct town *t, const struct device_list *l)
{
	struct rooms *r = &t->homes[1].engine->rooms;
	struct name alice;

	assert_int_equal(name_parse(&alice, bytes_text("alice")), 0);
	contacts_devices(r->contacts, persons_find(r->persons, &alice), l);
	pass_seconds(t, 2);
}

static struct contact alice_of_bob(const struct town *t)
{
	struct contact c;

	assert_int_equal(engine_contact(t->homes[1].engine, "alice", &c), 0);
	return c;
}

static int revoke(struct town *t)
{
	int err = engine_revoke_device(t->homes[0].engine, engine_device(t->homes[2].engine),
				       ++t->tickets);

	return err < 0 ? err : answer_of(t, &t->homes[0], t->tickets);
}

static void a_stolen_device_cannot_use_up_the_numbers(void **state)
{
	static const uint64_t tops[] = { INT64_MAX, INT64_MAX - 1, INT64_MAX / 2, 1ull << 40 };
	struct town *t = *state;

	stolen(t);
	for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
		struct device_list l = forge(t, tops[i], false);

		tell_alice(t, &l);
		tell_bob(t, &l);
	}
	assert_int_equal(engine_devices(t->homes[0].engine)->version, 2);
	assert_int_equal(revoke(t), 0);
	pass_seconds(t, 5);
	assert_int_equal(engine_devices(t->homes[0].engine)->count, 1);
	assert_int_equal(alice_of_bob(t).devices, 1);
}

static void a_stolen_device_that_runs_ahead_is_revoked_all_the_same(void **state)
{
	struct town *t = *state;
	struct device_list l;

	stolen(t);
	l = forge(t, 100000, false);
	tell_bob(t, &l);
	tell_alice(t, &l);
	assert_int_equal(revoke(t), 0);
	pass_seconds(t, 5);
	assert_int_equal(engine_devices(t->homes[0].engine)->version, 100001);
	assert_int_equal(engine_devices(t->homes[0].engine)->count, 1);
	assert_int_equal(alice_of_bob(t).devices, 1);
	say(t, &t->homes[1], "alice", "still there?");
	wait_for(t, &t->homes[0], EVENT_HEARD, 1);
	assert_int_equal(count_events(&t->homes[2], EVENT_HEARD), 0);
}

static void who_was_left_out_by_a_stolen_device_comes_back_with_the_password(void **state)
{
	struct town *t = *state;
	struct device_list l;

	stolen(t);
	l = forge(t, 100000, true);
	tell_bob(t, &l);
	tell_alice(t, &l);
	assert_int_equal(login(t, &t->homes[0], "alice", town_password, false), 0);
	wait_online(t, &t->homes[0]);
	pass_seconds(t, 10);
	assert_int_equal(revoke(t), 0);
	pass_seconds(t, 10);
	assert_int_equal(engine_devices(t->homes[0].engine)->count, 1);
	assert_int_equal(alice_of_bob(t).devices, 1);
	say(t, &t->homes[1], "alice", "is that you?");
	wait_for(t, &t->homes[0], EVENT_HEARD, 1);
	assert_int_equal(count_events(&t->homes[2], EVENT_HEARD), 0);
}

static struct contact bob_of(const struct home *h)
{
	struct contact c;

	assert_int_equal(engine_contact(h->engine, "bob", &c), 0);
	return c;
}

static void what_a_stolen_device_put_into_the_vault_does_not_hold_for_ever(void **state)
{
	struct town *t = *state;
	struct rooms *thief;
	struct account *a;
	struct person *p;
	struct name bob;

	stolen(t);
	thief = &t->homes[2].engine->rooms;
	a = thief->account;
	assert_int_equal(name_parse(&bob, bytes_text("bob")), 0);
	p = persons_find(thief->persons, &bob);
	p->state = CONTACT_BLOCKED;
	p->stamp = INT64_MAX;
	a->requests = REQUESTS_NONE;
	a->settings_stamp = INT64_MAX;
	account_vault_changed(a);
	pass_seconds(t, 10);
	assert_int_equal(revoke(t), 0);
	pass_seconds(t, 10);
	/* what holds is what is said from now on, here and on the next machine */
	assert_int_equal(engine_set_requests(t->homes[0].engine, REQUESTS_LINK), 0);
	if (bob_of(&t->homes[0]).state != CONTACT_MUTUAL) {
		assert_int_equal(engine_remove(t->homes[0].engine, "bob"), 0);
		assert_int_equal(engine_add(t->homes[0].engine, "bob", NULL, ""), 0);
	}
	pass_seconds(t, 10);
	assert_int_equal(engine_requests(t->homes[0].engine), REQUESTS_LINK);
	assert_int_equal(login(t, &t->homes[3], "alice", town_password, false), 0);
	wait_online(t, &t->homes[3]);
	wait_seen(t, &t->homes[3], "bob", true);
	pass_seconds(t, 10);
	assert_int_equal(engine_requests(t->homes[3].engine), REQUESTS_LINK);
	assert_int_equal(bob_of(&t->homes[3]).state, CONTACT_MUTUAL);
}

/* As `palique devices revoke` advises: the thief knew the password and made a code. */
static void after_a_theft_there_is_no_way_back(void **state)
{
	struct town *t = *state;
	struct home *alice = &t->homes[0], *thief = &t->homes[2], *elsewhere = &t->homes[3];
	struct recovery_code theirs, ours;
	struct person *p;
	struct name name;

	stolen(t);
	assert_int_equal(engine_recovery(thief->engine, &theirs, ++t->tickets), 0);
	assert_int_equal(answer_of(t, thief, t->tickets), 0);
	pass_seconds(t, 5);
	assert_int_equal(revoke(t), 0);
	assert_int_equal(engine_passwd(alice->engine, bytes_text("correct horse"),
				       bytes_text("another"), false, ++t->tickets),
			 0);
	assert_int_equal(answer_of(t, alice, t->tickets), 0);
	assert_int_equal(engine_recovery(alice->engine, &ours, ++t->tickets), 0);
	assert_int_equal(answer_of(t, alice, t->tickets), 0);
	assert_int_equal(engine_rekey(alice->engine, ++t->tickets), 0);
	assert_int_equal(answer_of(t, alice, t->tickets), 0);
	pass_seconds(t, 10);

	assert_int_equal(login(t, thief, "alice", town_password, false), ERR_AUTH);
	assert_int_equal(recover(t, thief, "alice", &theirs, "the thief\'s"), ERR_AUTH);
	assert_int_equal(login(t, elsewhere, "alice", town_password, false), ERR_AUTH);
	assert_int_equal(recover(t, elsewhere, "alice", &theirs, "the thief\'s"), ERR_AUTH);
	/* and the identity that it has is nobody's any more */
	assert_int_equal(name_parse(&name, bytes_text("alice")), 0);
	p = persons_find(t->homes[1].engine->rooms.persons, &name);
	assert_memory_equal(&p->identity, account_identity(alice->engine->rooms.account),
			    sizeof p->identity);
	assert_false(p->is_key_changed);
	assert_int_equal(login(t, elsewhere, "alice", "another", false), 0);
}

/* --- who was blocked while a device of ours was away --- */

static void
a_device_that_comes_back_shows_itself_to_nobody_who_was_blocked_meanwhile(void **state)
{
	struct town *t = *state;

	stolen(t); /* or not, this time */
	stop_home(t, &t->homes[2]);
	pass_seconds(t, 60);
	assert_int_equal(engine_block(t->homes[0].engine, "bob"), 0);
	pass_seconds(t, 10);
	forget_events(&t->homes[1]);
	start_home(t, &t->homes[2]);
	wait_online(t, &t->homes[2]);
	pass_seconds(t, 10);
	assert_int_equal(bob_of(&t->homes[2]).state, CONTACT_BLOCKED);
	assert_int_equal(count_events(&t->homes[1], EVENT_PRESENCE), 0);
}

/* --- a store that somebody else has made, and that was imported --- */

static void what_cannot_stand_in_a_store_is_not_believed(void **state)
{
	static const char *const spoilt[] = {
		"UPDATE contact SET state = 99",
		"UPDATE contact SET state = -1",
		"UPDATE contact SET name = '../../' || char(27) || '[2J'",
		"UPDATE contact SET name = ''",
	};
	struct town *t = *state;
	struct rooms *r;

	befriend(t);
	r = &t->homes[0].engine->rooms;
	for (size_t i = 0; i < sizeof spoilt / sizeof spoilt[0]; i++) {
		struct statement *s = db_sql(store_db(r->store), spoilt[i]);

		assert_int_equal(db_begin(store_db(r->store)), 0);
		assert_int_equal(db_run(s), 1);
		assert_int_equal(persons_load(r->persons), ERR_CORRUPT);
		db_rollback(store_db(r->store));
	}
	assert_int_equal(persons_load(r->persons), 0);
	assert_int_equal(bob_of(&t->homes[0]).state, CONTACT_MUTUAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(a_stolen_device_cannot_use_up_the_numbers),
		TOWN(a_stolen_device_that_runs_ahead_is_revoked_all_the_same),
		TOWN(who_was_left_out_by_a_stolen_device_comes_back_with_the_password),
		TOWN(what_a_stolen_device_put_into_the_vault_does_not_hold_for_ever),
		TOWN(after_a_theft_there_is_no_way_back),
		TOWN(a_device_that_comes_back_shows_itself_to_nobody_who_was_blocked_meanwhile),
		TOWN(what_cannot_stand_in_a_store_is_not_believed),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
