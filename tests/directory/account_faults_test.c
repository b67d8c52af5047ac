/* What becomes of accounts when somebody guesses, the operator decides, or something is broken at
 * the directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "shared/error.h"
#include "shared/proof.h"
#include "tests/account_net.h"

/* --- guessing --- */

static void guesses_cost_work_and_never_keep_a_device_out(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *eve = small_client_sibling(alice), *new;

	(void)state;
	eve->works = true;
	for (int i = 0; i < 8; i++)
		assert_int_equal(small_client_login(eve, "guess"), ERR_AUTH);
	assert_int_equal(eve->refusal.error, ERR_AUTH);
	eve->works = false;
	assert_int_equal(small_client_login(eve, "guess"), ERR_BUSY);
	assert_int_equal(eve->refusal.work.bits, 6);
	small_client_hang_up(alice);
	small_client_dial(alice, LINK_IK);
	assert_true(small_client_hears(alice, WIRE_WELCOME, &m));
	assert_int_equal(m.welcome.failed, 8);
	small_client_hang_up(alice);
	small_client_dial(alice, LINK_IK);
	assert_true(small_client_hears(alice, WIRE_WELCOME, &m));
	assert_int_equal(m.welcome.failed, 0);
	new = small_client_sibling(alice); /* and with work the owner comes in from anywhere */
	new->works = true;
	assert_int_equal(small_client_login(new, "password"), 0);
	/* an unknown name costs the same */
	eve->name = (struct name){ "nobody" };
	for (int i = 0; i < 5; i++)
		assert_int_equal(small_client_login(eve, "guess"), ERR_AUTH);
	assert_int_equal(small_client_login(eve, "guess"), ERR_BUSY);
	assert_int_equal(eve->refusal.work.bits, 6);
}

static void failed_logins_are_written_down_in_time_and_at_the_end(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *eve = small_client_sibling(alice);

	(void)state;
	small_client_hang_up(alice);
	assert_int_equal(small_client_login(eve, "guess"), ERR_AUTH);
	small_net_run(&net, 61 * SECOND);
	assert_int_equal(small_client_login(eve, "guess"), ERR_AUTH);
	small_net_restart(&net, &config);
	small_client_dial(alice, LINK_IK);
	assert_true(small_client_hears(alice, WIRE_WELCOME, &m));
	assert_int_equal(m.welcome.failed, 2);
}

/* --- the operator, and the end --- */

static void a_suspended_account_is_out_until_it_is_lifted(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *two = small_client_sibling(alice);

	(void)state;
	assert_int_equal(registry()->suspend(registry(), &alice->name, true), 0);
	assert_int_equal(server_suspend(net.server, &alice->name), 1);
	small_net_run(&net, 10 * MILLISECOND);
	assert_null(alice->link);
	assert_int_equal(alice->down_code, LINK_CODE_RESTART);
	assert_true(small_client_hears(alice, WIRE_REFUSAL, &m));
	assert_int_equal(m.refusal.error, ERR_SUSPENDED);
	assert_int_equal(small_client_come(alice), ERR_TIMEOUT);
	assert_int_equal(alice->refusal.error, ERR_SUSPENDED);
	assert_int_equal(alice->down_code, LINK_CODE_RESTART);
	assert_int_equal(small_client_login(two, "password"), ERR_SUSPENDED);
	assert_int_equal(small_client_login(two, "guess"), ERR_AUTH);
	assert_int_equal(registry()->suspend(registry(), &alice->name, false), 0);
	assert_int_equal(small_client_come(alice), 0);
}

static void an_account_that_is_deleted_is_gone(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice"), *two = another(alice);
	struct small_client *bob = small_client_online(&net, "bob");

	(void)state;
	befriend(alice, bob);
	m = (struct wire_message){ .type = WIRE_DELETE };
	proof_delete(m.delete.proof, &bob->identity, link_handshake_hash(alice->link),
		     &alice->name);
	assert_int_equal(small_client_ask(alice, &m, WIRE_DELETE_DONE), ERR_AUTH);
	m = (struct wire_message){ .type = WIRE_DELETE };
	proof_delete(m.delete.proof, &alice->identity, link_handshake_hash(two->link),
		     &alice->name);
	assert_int_equal(small_client_ask(alice, &m, WIRE_DELETE_DONE), ERR_AUTH);
	m = (struct wire_message){ .type = WIRE_DELETE };
	proof_delete(m.delete.proof, &alice->identity, link_handshake_hash(alice->link),
		     &alice->name);
	assert_int_equal(small_client_ask(alice, &m, WIRE_DELETE_DONE), 0);
	assert_null(alice->link);
	assert_null(two->link);
	assert_int_equal(two->down_code, LINK_CODE_UNKNOWN);
	while (small_client_hears(bob, WIRE_PRESENCE, &m))
		;
	assert_int_equal(m.presence.device_count, 0);
	assert_int_equal(m.presence.devices.version, 0);
	assert_int_equal(small_client_come(alice), ERR_TIMEOUT);
	assert_int_equal(small_client_login(alice, "password"), ERR_AUTH);
	assert_int_equal(registry()->count(registry()), 1);
}

/* --- faults --- */

/* A key-holder in another process: its answers come later, or it is away. */
static struct late {
	struct holder row;
	struct holder *real;
	bool is_away, is_slow;
} late;

static void late_ask(struct holder *h, uint64_t ticket, const struct name *name,
		     const uint8_t blinded[32], const uint8_t *keyshare)
{
	(void)h;
	late.real->ask(late.real, ticket, name, blinded, keyshare);
}

static bool late_next(struct holder *h, struct holder_answer *answer)
{
	(void)h;
	if (late.is_slow || !late.real->next(late.real, answer))
		return false;
	if (late.is_away)
		*answer = (struct holder_answer){ .ticket = answer->ticket,
						  .err = ERR_OFFLINE };
	return true;
}

static const uint8_t *late_public_key(const struct holder *h)
{
	(void)h;
	return late.real->public_key(late.real);
}

static void a_key_holder_that_is_slow_or_away_stops_nobody_else(void **state)
{
	struct small_client *alice, *bob;
	struct wire_message say = { .type = WIRE_LOGIN_START };
	char reason[256];

	(void)state;
	late = (struct late){
		.row = { .ask = late_ask, .next = late_next, .public_key = late_public_key }
	};
	assert_int_equal(holder_local_open(&late.real, net.data, reason, sizeof reason), 0);
	config.holder = &late.row;
	small_net_restart(&net, &config);
	alice = small_client_online(&net, "alice");
	bob = small_client_online(&net, "bob");
	befriend(alice, bob);
	late.is_away = true;
	assert_int_equal(small_client_login(small_client_sibling(alice), "password"),
			 ERR_OFFLINE);
	assert_int_equal(small_client_prove(alice, "password", &m), ERR_OFFLINE);
	assert_true(m.refusal.retry_after > 0);
	small_client_hang_up(bob);
	assert_int_equal(small_client_come(bob), 0); /* needs no key-holder */
	small_client_publish(bob);
	small_client_list(bob, "alice", NULL);
	assert_true(small_client_hears(bob, WIRE_PRESENCE, &m));
	assert_int_equal(m.presence.device_count, 1);
	late.is_away = false;
	/* what alice says behind a question is heard once that is answered */
	late.is_slow = true;
	say.login_start.name = alice->name;
	memset(say.login_start.ke1, 1, sizeof say.login_start.ke1);
	small_client_say(alice, &say);
	small_client_list(alice, NULL);
	assert_false(small_client_hears(bob, WIRE_PRESENCE, &m));
	late.is_slow = false;
	small_net_run(&net, 10 * MILLISECOND);
	assert_true(small_client_hears(bob, WIRE_PRESENCE, &m));
	assert_int_equal(m.presence.device_count, 0);
	server_close(net.server);
	net.server = NULL;
	late.real->close(late.real);
}

/* As if the disk was full: no file grows any more. */
static void fill_disk(bool is_full)
{
	static struct rlimit before;
	struct rlimit none = { 0 };

	if (is_full) {
		signal(SIGXFSZ, SIG_IGN);
		assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
		none.rlim_max = before.rlim_max;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	} else {
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	}
}

static void a_full_disk_refuses_what_is_new_and_keeps_the_rest_going(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *bob = small_client_online(&net, "bob");
	struct small_client *carol = small_client_new(&net, "carol");
	int put, made;

	(void)state;
	befriend(alice, bob);
	fill_disk(true);
	put = small_client_put_vault(alice, 2, 9000);
	made = small_client_register(carol, "password", NULL);
	fill_disk(false);
	assert_int_equal(put, ERR_BUSY);
	assert_int_equal(made, ERR_OFFLINE);
	assert_true(alice->refusal.retry_after > 0);
	assert_non_null(alice->link);
	small_client_hang_up(bob);
	while (small_client_hears(alice, WIRE_PRESENCE, &m))
		;
	assert_int_equal(m.presence.device_count, 0);
	assert_int_equal(small_client_put_vault(alice, 2, 9000), 0);
	assert_int_equal(small_client_register(carol, "password", NULL), 0);
	assert_int_equal(small_client_come(carol), 0);
}

static void a_store_that_another_has_locked_refuses_for_a_while(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct registry *other;
	char reason[256];

	(void)state;
	assert_int_equal(registry_sqlite_open(&other, net.data, true, reason, sizeof reason),
			 0);
	assert_int_equal(db_begin(registry_self(other)->db), 0);
	assert_int_equal(small_client_put_vault(alice, 2, 100), ERR_BUSY);
	db_rollback(registry_self(other)->db);
	other->close(other);
	assert_int_equal(small_client_put_vault(alice, 2, 100), 0);
}

static void spoil_store(void)
{
	char path[128];
	uint8_t noise[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/accounts.db", net.data);
	f = fopen(path, "r+");
	assert_non_null(f);
	randombytes_buf(noise, sizeof noise);
	fseek(f, 0, SEEK_END);
	for (long at = 4096, size = ftell(f); at < size; at += 512) {
		fseek(f, at, SEEK_SET);
		fwrite(noise, 1, sizeof noise, f);
	}
	fclose(f);
}

static void a_spoilt_store_is_refused_with_a_reason(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct server_config c = config;
	struct server *server;
	char reason[512] = "";
	int err;

	(void)state;
	(void)alice;
	server_close(net.server);
	net.server = NULL;
	spoil_store();
	c.data = net.data;
	err = server_open(&server, &c, net.now, net.wall, reason, sizeof reason);
	assert_int_equal(err, ERR_CORRUPT);
	assert_non_null(strstr(reason, "accounts.db"));
}

/* The wall clock is what people set; what counts time here does not hang on it. */
static void a_clock_that_jumps_ten_years_changes_nothing_for_who_is_here(void **state)
{
	static const wall_ms decade = (wall_ms)3653 * 24 * 60 * 60 * 1000;
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *eve = small_client_sibling(alice);
	wall_ms before = net.wall;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(small_client_login(eve, "guess"), ERR_AUTH);
	for (int i = -1; i <= 1; i += 2) {
		net.wall = before + i * decade;
		small_net_run(&net, SECOND);
		assert_non_null(alice->link);
		assert_int_equal(small_client_login(eve, "guess"), ERR_BUSY);
		assert_int_equal(small_client_put_vault(alice, i < 0 ? 2 : 3, 100), 0);
		small_client_hang_up(alice);
		assert_int_equal(small_client_come(alice), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ACCOUNT(guesses_cost_work_and_never_keep_a_device_out),
		ACCOUNT(failed_logins_are_written_down_in_time_and_at_the_end),
		ACCOUNT(a_suspended_account_is_out_until_it_is_lifted),
		ACCOUNT(an_account_that_is_deleted_is_gone),
		ACCOUNT(a_key_holder_that_is_slow_or_away_stops_nobody_else),
		ACCOUNT(a_full_disk_refuses_what_is_new_and_keeps_the_rest_going),
		ACCOUNT(a_store_that_another_has_locked_refuses_for_a_while),
		ACCOUNT(a_spoilt_store_is_refused_with_a_reason),
		ACCOUNT(a_clock_that_jumps_ten_years_changes_nothing_for_who_is_here),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
