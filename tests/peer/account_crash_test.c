/* A crash, or the loss of a device, between any two steps of what changes an account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "directory/server_inside.h"
#include "peer/account.h"
#include "peer/engine_inside.h"
#include "shared/error.h"
#include "tests/town.h"
#include "tests/town_account.h"

enum { STEPS = 30 };

struct until {
	struct home *home;
	unsigned steps;
};

static bool has_stepped(void *user)
{
	struct until *u = user;

	return u->home->steps >= u->steps;
}

static void crash_after(struct town *t, struct home *h, unsigned steps)
{
	struct until u = { h, h->steps + steps };

	calm_net_run(&t->net, 5 * SECOND, has_stepped, &u);
	stop_home(t, h);
	start_home(t, h);
}

static void forget_home(struct town *t, struct home *h)
{
	char command[200];

	stop_home(t, h);
	snprintf(command, sizeof command, "rm -f '%s'*", h->path);
	assert_int_equal(system(command), 0);
	forget_events(h);
	h->last_id = 0;
	start_home(t, h);
}

static void a_crash_anywhere_in_a_login_leaves_an_account_that_works(void **state)
{
	struct town *t = *state;
	struct home *c = &t->homes[2];

	befriend(t);
	for (unsigned steps = 1; steps < STEPS; steps++) {
		assert_int_equal(engine_login(c->engine, "alice", &town_place,
					      server_key(t->server), bytes_text(town_password),
					      false, 1000 + steps),
				 0);
		crash_after(t, c, steps);
		pass_seconds(t, 20);
		if (state_of(c) == ACCOUNT_NONE)
			assert_int_equal(login(t, c, "alice", town_password, false), 0);
		wait_online(t, c);
		pass_seconds(t, 5);
		assert_true(knows(c, "bob"));
		assert_int_equal(engine_revoke_device(t->homes[0].engine,
						      engine_device(c->engine), 5000 + steps),
				 0);
		assert_int_equal(answer_of(t, &t->homes[0], 5000 + steps), 0);
		forget_home(t, c);
		pass_seconds(t, 200); /* the directory counts logins */
	}
}

static void a_crash_anywhere_in_a_new_key_leaves_an_account_that_works(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];

	befriend(t);
	for (unsigned steps = 0; steps < 24; steps++) {
		assert_int_equal(engine_rekey(a->engine, 1000 + steps), 0);
		crash_after(t, a, steps);
		wait_online(t, a);
		wait_seen(t, b, "alice", true);
		pass_seconds(t, 10);
		forget_events(b);
		say(t, a, "bob", "is it me?");
		wait_for(t, b, EVENT_HEARD, 1);
	}
	assert_int_equal(login(t, &t->homes[2], "alice", town_password, false), 0);
	wait_online(t, &t->homes[2]);
}

static bool has_succeeded(void *user)
{
	struct home *h = user;

	return engine_devices(h->engine)->past_count > 0;
}

static void a_device_that_is_lost_with_its_new_key_takes_nothing_along(void **state)
{
	uint64_t kept;
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2], *d = &t->homes[3];
	struct identity_public identity;

	befriend(t);
	pass_seconds(t, 10);
	assert_int_equal(engine_add(a->engine, "eve", NULL, NULL), 0);
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_true(calm_net_run(&t->net, 30 * SECOND, has_succeeded, a));
	identity = engine_devices(a->engine)->identity;
	kept = account_vault_kept(engine_rooms(a->engine)->account);
	stop_home(t, a);
	/* The vault is still of the one before: both take from it what they need. */
	assert_int_equal(login(t, c, "alice", town_password, false), 0);
	assert_is_alice(t, c, &identity);
	assert_true(knows(c, "eve"));
	assert_true(account_vault_kept(engine_rooms(c->engine)->account) > kept);
	assert_int_equal(login(t, d, "alice", town_password, false), 0);
	assert_is_alice(t, d, &identity);
	assert_true(knows(d, "eve"));
	assert_int_equal(count_events(c, EVENT_WARNING) + count_events(d, EVENT_WARNING), 0);
}

static void the_recovery_code_brings_a_lost_new_key_back_too(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];
	struct identity_public identity;
	struct recovery_code code;

	befriend(t);
	make_code(t, a, &code);
	pass_seconds(t, 10);
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_true(calm_net_run(&t->net, 30 * SECOND, has_succeeded, a));
	identity = engine_devices(a->engine)->identity;
	stop_home(t, a);
	assert_int_equal(recover(t, c, "alice", &code, "new"), 0);
	assert_is_alice(t, c, &identity);
}

static void a_device_lost_anywhere_in_a_new_key_leaves_an_account_to_log_in_to(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1], *c = &t->homes[2];

	befriend(t);
	for (unsigned steps = 0; steps < 24; steps++) {
		struct home *before = a;
		struct until u = { a, a->steps + steps };

		assert_int_equal(engine_rekey(a->engine, 1000 + steps), 0);
		calm_net_run(&t->net, 5 * SECOND, has_stepped, &u);
		forget_home(t, a);
		pass_seconds(t, 120);
		a = c, c = before;
		assert_int_equal(login(t, a, "alice", town_password, false), 0);
		wait_online(t, a);
		wait_seen(t, b, "alice", true);
		pass_seconds(t, 10);
		assert_true(knows(a, "bob"));
		forget_events(b);
		say(t, a, "bob", "is it me?");
		wait_for(t, b, EVENT_HEARD, 1);
		assert_int_equal(count_events(a, EVENT_WARNING), 0);
	}
}

static void a_crash_anywhere_in_a_recovery_leaves_an_account_that_works(void **state)
{
	struct town *t = *state;
	struct home *c = &t->homes[2];
	struct recovery_code code;
	char password[32] = "", before[32];

	befriend(t);
	make_code(t, &t->homes[0], &code);
	snprintf(password, sizeof password, "%s", town_password);
	for (unsigned steps = 1; steps < 24; steps++) {
		snprintf(before, sizeof before, "%s", password);
		snprintf(password, sizeof password, "new %u", steps);
		assert_int_equal(engine_recover(c->engine, "alice", &town_place,
						server_key(t->server), &code,
						bytes_text(password), 1000 + steps),
				 0);
		crash_after(t, c, steps);
		pass_seconds(t, 20);
		if (state_of(c) == ACCOUNT_NONE &&
		    login(t, c, "alice", password, false) == ERR_AUTH) {
			snprintf(password, sizeof password, "%s", before);
			assert_int_equal(login(t, c, "alice", password, false), 0);
		}
		wait_online(t, c);
		pass_seconds(t, 5);
		assert_true(knows(c, "bob"));
		forget_home(t, c);
		pass_seconds(t, 300);
		for (unsigned i = 0; i < engine_devices(t->homes[0].engine)->count; i++) {
			struct device_public d =
				engine_devices(t->homes[0].engine)->devices[i].device;

			if (engine_revoke_device(t->homes[0].engine, &d, 5000 + steps) == 0)
				assert_int_equal(answer_of(t, &t->homes[0], 5000 + steps), 0);
		}
	}
}

static void a_crash_anywhere_in_a_new_password_leaves_one_of_both(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];
	char password[32], next[32];

	befriend(t);
	snprintf(password, sizeof password, "%s", town_password);
	for (unsigned steps = 0; steps < 12; steps++) {
		snprintf(next, sizeof next, "new %u", steps);
		assert_int_equal(engine_passwd(a->engine, bytes_text(password),
					       bytes_text(next), steps % 2, 1000 + steps),
				 0);
		crash_after(t, a, steps);
		wait_online(t, a);
		pass_seconds(t, 5);
		if (login(t, c, "alice", next, false) == 0)
			snprintf(password, sizeof password, "%s", next);
		else
			assert_int_equal(login(t, c, "alice", password, false), 0);
		wait_online(t, c);
		pass_seconds(t, 5);
		assert_true(knows(c, "bob"));
		assert_int_equal(
			engine_revoke_device(a->engine, engine_device(c->engine), 5000 + steps),
			0);
		assert_int_equal(answer_of(t, a, 5000 + steps), 0);
		forget_home(t, c);
		pass_seconds(t, 300);
	}
	assert_string_not_equal(password, town_password);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(a_crash_anywhere_in_a_login_leaves_an_account_that_works),
		TOWN(a_crash_anywhere_in_a_new_key_leaves_an_account_that_works),
		TOWN(a_device_that_is_lost_with_its_new_key_takes_nothing_along),
		TOWN(the_recovery_code_brings_a_lost_new_key_back_too),
		TOWN(a_device_lost_anywhere_in_a_new_key_leaves_an_account_to_log_in_to),
		TOWN(a_crash_anywhere_in_a_new_password_leaves_one_of_both),
		TOWN(a_crash_anywhere_in_a_recovery_leaves_an_account_that_works),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
