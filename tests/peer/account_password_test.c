/* The recovery code, a new password, and the operator's one-time link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "directory/server_inside.h"
#include "peer/engine_inside.h"
#include "peer/store.h"
#include "shared/error.h"
#include "tests/town.h"
#include "tests/town_account.h"

static int passwd(struct town *t, struct home *h, const char *old, const char *new,
		  bool everywhere)
{
	int err = engine_passwd(h->engine, bytes_text(old), bytes_text(new), everywhere,
				++t->tickets);

	return err < 0 ? err : answer_of(t, h, t->tickets);
}

static const char *detail_of(const struct home *h, uint64_t ticket)
{
	for (unsigned i = 0; i < h->count; i++) {
		if (h->events[i].kind == EVENT_ANSWER && h->events[i].ticket == ticket)
			return h->events[i].detail;
	}
	return "";
}

/* --- the recovery code, a new password --- */

static void a_recovery_code_is_offered_once_after_the_first_message(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	unsigned count = 0;

	befriend(t);
	assert_false(was_told(a, EVENT_NOTICE, "palique recovery"));
	say(t, a, "bob", "one");
	wait_for(t, a, EVENT_DELIVERED, 1);
	say(t, a, "bob", "two");
	wait_for(t, a, EVENT_DELIVERED, 2);
	stop_home(t, a);
	start_home(t, a);
	pass_seconds(t, 10);
	for (unsigned i = 0; i < a->count; i++)
		count += a->events[i].kind == EVENT_NOTICE &&
			 strstr(a->events[i].detail, "palique recovery") != NULL;
	assert_int_equal(count, 1);
}

static void the_recovery_code_opens_the_vault_and_sets_a_password(void **state)
{
	struct town *t = *state;
	struct recovery_code code, wrong = { { 1 } };
	struct engine_account account;

	befriend(t);
	make_code(t, &t->homes[0], &code);
	engine_account(t->homes[0].engine, &account);
	assert_true(account.has_recovery);
	pass_seconds(t, 5);
	assert_int_equal(recover(t, &t->homes[2], "alice", &wrong, "new"), ERR_AUTH);
	assert_int_equal(recover(t, &t->homes[2], "alice", &code, "new"), 0);
	wait_online(t, &t->homes[2]);
	pass_seconds(t, 5);
	assert_true(knows(&t->homes[2], "bob"));
	engine_account(t->homes[2].engine, &account);
	assert_true(account.has_recovery);
	assert_int_equal(login(t, &t->homes[3], "alice", town_password, false), ERR_AUTH);
	assert_int_equal(login(t, &t->homes[3], "alice", "new", false), 0);
}

static void another_recovery_code_makes_the_one_before_useless(void **state)
{
	struct town *t = *state;
	struct recovery_code first, second;

	befriend(t);
	make_code(t, &t->homes[0], &first);
	make_code(t, &t->homes[0], &second);
	assert_int_equal(recover(t, &t->homes[2], "alice", &first, "new"), ERR_AUTH);
	assert_int_equal(engine_recovery(t->homes[0].engine, NULL, 901), 0);
	assert_int_equal(answer_of(t, &t->homes[0], 901), 0);
	assert_int_equal(recover(t, &t->homes[2], "alice", &second, "new"), ERR_AUTH);
}

static void a_new_password_leaves_other_devices_in(void **state)
{
	struct town *t = *state;

	two_devices(t);
	assert_int_equal(passwd(t, &t->homes[0], "wrong", "new", false), ERR_AUTH);
	assert_int_equal(passwd(t, &t->homes[0], town_password, "new", false), 0);
	pass_seconds(t, 30);
	assert_int_equal(state_of(&t->homes[0]), ACCOUNT_ONLINE);
	assert_int_equal(state_of(&t->homes[2]), ACCOUNT_ONLINE);
	assert_int_equal(login(t, &t->homes[3], "alice", town_password, false), ERR_AUTH);
	assert_int_equal(login(t, &t->homes[3], "alice", "new", false), 0);
	wait_online(t, &t->homes[3]);
	pass_seconds(t, 5);
	assert_true(knows(&t->homes[3], "bob"));
}

/* The next commit fails. */
static void spoil(struct home *h)
{
	store_failed(engine_rooms(h->engine)->store, ERR_FULL);
}

static void a_new_password_that_was_refused_at_once_is_not_set(void **state)
{
	struct town *t = *state;

	befriend(t);
	spoil(&t->homes[0]);
	assert_int_equal(passwd(t, &t->homes[0], town_password, "new", false), ERR_FULL);
	pass_seconds(t, 30);
	assert_int_equal(login(t, &t->homes[2], "alice", town_password, false), 0);
	assert_int_equal(passwd(t, &t->homes[0], town_password, "new", false), 0);
}

static void a_login_that_was_refused_at_once_does_not_come_in(void **state)
{
	struct town *t = *state;

	befriend(t);
	spoil(&t->homes[2]);
	assert_int_equal(login(t, &t->homes[2], "alice", town_password, false), ERR_FULL);
	pass_seconds(t, 30);
	assert_int_equal(state_of(&t->homes[2]), ACCOUNT_NONE);
	assert_int_equal(engine_devices(t->homes[0].engine)->count, 1);
	assert_int_equal(login(t, &t->homes[2], "alice", town_password, false), 0);
	wait_online(t, &t->homes[2]);
}

/* What was promised is answered, whatever becomes of later commits. */
static void a_login_goes_on_when_a_later_commit_fails(void **state)
{
	struct town *t = *state;
	struct home *h = &t->homes[2];

	befriend(t);
	assert_int_equal(engine_login(h->engine, "alice", &town_place, server_key(t->server),
				      bytes_text(town_password), false, ++t->tickets),
			 0);
	spoil(h);
	assert_int_equal(answer_of(t, h, t->tickets), 0);
	wait_online(t, h);
}

static void a_new_password_everywhere_logs_the_others_out(void **state)
{
	struct town *t = *state;

	two_devices(t);
	assert_int_equal(passwd(t, &t->homes[0], town_password, "new", true), 0);
	pass_seconds(t, 30);
	assert_int_equal(state_of(&t->homes[0]), ACCOUNT_ONLINE);
	assert_int_equal(state_of(&t->homes[2]), ACCOUNT_REFUSED);
	assert_int_equal(engine_devices(t->homes[0].engine)->count, 1);
	assert_int_equal(login(t, &t->homes[2], "alice", "new", false), 0);
	wait_online(t, &t->homes[2]);
}

static void reset_link(struct town *t, const char *name, struct uri *link)
{
	struct name parsed;

	*link = link_of(t, true);
	link->kind = URI_RESET;
	snprintf(link->code, sizeof link->code, "abcdefgh01234567ABCDEFGH");
	assert_int_equal(name_parse(&parsed, bytes_text(name)), 0);
	assert_int_equal(server_registry(t->server)->invite_reset(
				 server_registry(t->server), link->code, &parsed,
				 t->net.wall + 1000000, t->net.wall),
			 0);
}

static void reset(struct town *t, struct home *h, const char *name)
{
	struct uri link;

	reset_link(t, name, &link);
	assert_int_equal(engine_reset(h->engine, &link, bytes_text("new"), ++t->tickets), 0);
	assert_int_equal(answer_of(t, h, t->tickets), 0);
	assert_string_equal(detail_of(h, t->tickets), name);
	assert_int_equal(engine_reset(h->engine, &link, bytes_text("newer"), ++t->tickets), 0);
	assert_true(answer_of(t, h, t->tickets) < 0); /* one time */
}

/* --- the operator's one-time link --- */

static void after_a_reset_the_vault_stays_sealed_and_one_may_begin_anew(void **state)
{
	struct town *t = *state;
	struct home *b = &t->homes[1], *c = &t->homes[2];

	befriend(t);
	stop_home(t, &t->homes[0]);
	reset(t, c, "alice");
	assert_int_equal(login(t, c, "alice", "new", false), ERR_KEY_CHANGED);
	assert_non_null(strstr(detail_of(c, t->tickets), "palique recover"));
	assert_int_equal(state_of(c), ACCOUNT_NONE);
	assert_int_equal(login(t, c, "alice", "new", true), 0);
	wait_online(t, c);
	assert_int_equal(engine_devices(c->engine)->count, 1);
	assert_int_equal(engine_add(c->engine, "bob", NULL, NULL), 0);
	wait_for(t, b, EVENT_KEY_CHANGED, 1);
	assert_false(get(b, "alice").is_change_signed);
	start_home(t, &t->homes[0]);
	pass_seconds(t, 30);
	assert_int_equal(state_of(&t->homes[0]), ACCOUNT_REFUSED);
}

static void after_a_reset_a_home_that_holds_the_key_wraps_it_anew(void **state)
{
	struct town *t = *state;

	befriend(t);
	reset(t, &t->homes[0], "alice");
	assert_int_equal(login(t, &t->homes[0], "alice", "new", false), 0);
	wait_online(t, &t->homes[0]);
	assert_int_equal(login(t, &t->homes[2], "alice", "new", false), 0);
	wait_online(t, &t->homes[2]);
	pass_seconds(t, 5);
	assert_true(knows(&t->homes[2], "bob"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(a_recovery_code_is_offered_once_after_the_first_message),
		TOWN(the_recovery_code_opens_the_vault_and_sets_a_password),
		TOWN(another_recovery_code_makes_the_one_before_useless),
		TOWN(a_new_password_leaves_other_devices_in),
		TOWN(a_new_password_that_was_refused_at_once_is_not_set),
		TOWN(a_login_that_was_refused_at_once_does_not_come_in),
		TOWN(a_login_goes_on_when_a_later_commit_fails),
		TOWN(a_new_password_everywhere_logs_the_others_out),
		TOWN(after_a_reset_the_vault_stays_sealed_and_one_may_begin_anew),
		TOWN(after_a_reset_a_home_that_holds_the_key_wraps_it_anew),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
