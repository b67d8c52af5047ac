/* The vault: one of all devices, whatever a directory says of it. */
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
#include "peer/safe.h"
#include "shared/error.h"
#include "tests/town.h"
#include "tests/town_account.h"

static void two_devices_that_change_contacts_at_once_end_the_same(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];

	two_devices(t);
	assert_int_equal(engine_add(a->engine, "carol", NULL, NULL), 0);
	assert_int_equal(engine_add(c->engine, "dave", NULL, NULL), 0);
	assert_int_equal(engine_block(a->engine, "eve"), 0);
	assert_int_equal(engine_set_requests(c->engine, REQUESTS_LINK), 0);
	pass_seconds(t, 30);
	assert_true(knows(a, "dave") && knows(c, "carol"));
	assert_int_equal(get(c, "eve").state, CONTACT_BLOCKED);
	assert_int_equal(engine_requests(a->engine), REQUESTS_LINK);
	assert_int_equal(engine_remove(c->engine, "carol"), 0);
	assert_int_equal(engine_verify(a->engine, "bob", true), 0);
	pass_seconds(t, 30);
	assert_false(knows(a, "carol"));
	assert_true(get(c, "bob").is_verified);
	pass_seconds(t, 30);
	for (unsigned i = 0; i < 3; i += 2) {
		struct engine_account account;

		engine_account(t->homes[i].engine, &account);
		assert_false(account.is_vault_due);
		assert_int_equal(count_events(&t->homes[i], EVENT_WARNING), 0);
	}
}

static void a_block_on_one_device_changes_the_knock_of_all(void **state)
{
	struct town *t = *state;
	const struct account *first = engine_rooms(t->homes[0].engine)->account;
	const struct account *other = engine_rooms(t->homes[2].engine)->account;
	struct knock first_before, other_before;
	struct home *b = &t->homes[1];

	two_devices(t);
	first_before = *account_knock(first);
	other_before = *account_knock(other);
	assert_int_equal(engine_block(t->homes[0].engine, "bob"), 0);
	pass_seconds(t, 10);
	assert_int_equal(get(&t->homes[2], "bob").state, CONTACT_BLOCKED);
	assert_memory_not_equal(account_knock(first), &first_before, sizeof first_before);
	assert_memory_not_equal(account_knock(other), &other_before, sizeof other_before);
	assert_false(get(b, "alice").is_online);
}

static void what_changed_while_away_is_in_the_vault_after_a_restart(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct engine_account account;

	two_devices(t);
	stop_server(t);
	assert_int_equal(engine_add(a->engine, "carol", NULL, NULL), 0);
	engine_account(a->engine, &account);
	assert_true(account.is_vault_due);
	pass_seconds(t, 1);
	stop_home(t, a);
	start_home(t, a);
	start_server(t);
	wait_online(t, a);
	pass_seconds(t, 60);
	assert_true(knows(&t->homes[2], "carol"));
}

static void run(const char *command, const char *a, const char *b)
{
	char text[400];

	snprintf(text, sizeof text, command, a, b);
	assert_int_equal(system(text), 0);
}

/* The directory as it is now, for later. */
static void save_copy(struct town *t, char copy[100], unsigned seconds)
{
	stop_server(t);
	snprintf(copy, 100, "%s.copy", t->folder);
	run("cp -r '%s' '%s'", t->folder, copy);
	start_server(t);
	pass_seconds(t, seconds);
}

static void put_back(struct town *t, const char *copy)
{
	stop_server(t);
	run("cp '%s'/accounts.db* '%s'/", copy, t->folder);
	run("rm -rf '%s'%s", copy, "");
	start_server(t);
}

/* The same, and `a` has spoken to it. */
static void put_back_and_tell(struct town *t, const char *copy, struct home *a)
{
	put_back(t, copy);
	pass_seconds(t, 90);
	wait_online(t, a);
	pass_seconds(t, 10);
}

static void a_directory_put_back_from_an_old_copy_is_noticed_and_mended(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	char copy[100];

	assert_int_equal(join(t, a, "alice", true), 0);
	wait_online(t, a);
	assert_int_equal(engine_add(a->engine, "carol", NULL, NULL), 0);
	pass_seconds(t, 10);
	save_copy(t, copy, 70);
	assert_int_equal(engine_add(a->engine, "dave", NULL, NULL), 0);
	pass_seconds(t, 10);
	assert_int_equal(engine_add(a->engine, "eve", NULL, NULL), 0);
	pass_seconds(t, 10);
	assert_int_equal(count_events(a, EVENT_WARNING), 0);
	put_back_and_tell(t, copy, a);
	assert_true(was_told(a, EVENT_WARNING, "older vault"));
	assert_int_equal(login(t, &t->homes[2], "alice", town_password, false), 0);
	wait_online(t, &t->homes[2]);
	pass_seconds(t, 10);
	assert_true(knows(&t->homes[2], "eve") && knows(&t->homes[2], "dave"));
}

static void a_device_list_put_back_from_an_old_copy_is_mended_too(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2], *d = &t->homes[3];
	uint64_t before;
	char copy[100];

	two_devices(t);
	save_copy(t, copy, 90);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(
			engine_name_device(a->engine, engine_device(a->engine), "x", i + 5), 0);
		assert_int_equal(answer_of(t, a, i + 5), 0);
	}
	assert_int_equal(engine_revoke_device(a->engine, engine_device(c->engine), 8), 0);
	assert_int_equal(answer_of(t, a, 8), 0);
	before = engine_devices(a->engine)->version;
	put_back_and_tell(t, copy, a);
	assert_int_equal(engine_devices(a->engine)->count, 1);
	assert_true(engine_devices(a->engine)->version > before);
	assert_int_equal(login(t, d, "alice", town_password, false), 0);
	wait_online(t, d);
	pass_seconds(t, 10);
	assert_int_equal(get(&t->homes[1], "alice").devices, 2);
	say(t, &t->homes[1], "alice", "hello");
	wait_for(t, d, EVENT_HEARD, 1);
}

static void a_forged_vault_is_refused_and_told_once(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct wire_message m = { .type = WIRE_VAULT_NOW };
	static uint8_t bytes[VAULT_FIRST_SIZE];

	befriend(t);
	pass_seconds(t, 10);
	for (unsigned i = 0; i < 2; i++) {
		m = (struct wire_message){ .type = WIRE_VAULT_NOW };
		m.vault_now.version = 1000;
		safe_hear(a->engine->safe, &m);
		m = (struct wire_message){ .type = WIRE_VAULT_PART };
		m.vault_part.version = 1000;
		m.vault_part.total = sizeof bytes;
		m.vault_part.part = BYTES(bytes);
		safe_hear(a->engine->safe, &m);
	}
	pass_seconds(t, 5);
	assert_int_equal(count_events(a, EVENT_WARNING), 1);
	assert_int_equal(get(a, "bob").state, CONTACT_MUTUAL);
}

static void who_logs_in_again_remembers_how_new_the_vault_was(void **state)
{
	static const char *const names[] = { "dave", "eve", "fred" };
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];
	char copy[100];

	two_devices(t);
	save_copy(t, copy, 90);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(engine_add(a->engine, names[i], NULL, NULL), 0);
		pass_seconds(t, 5);
	}
	assert_true(knows(c, "fred"));
	assert_int_equal(engine_revoke_device(a->engine, engine_device(c->engine), 8), 0);
	assert_int_equal(answer_of(t, a, 8), 0);
	pass_seconds(t, 5);
	assert_int_equal(state_of(c), ACCOUNT_REFUSED);
	stop_home(t, a);
	put_back(t, copy);
	assert_int_equal(login(t, c, "alice", town_password, false), 0);
	wait_online(t, c);
	pass_seconds(t, 20);
	assert_true(was_told(c, EVENT_WARNING, "older vault"));
	assert_int_equal(login(t, &t->homes[3], "alice", town_password, false), 0);
	wait_online(t, &t->homes[3]);
	pass_seconds(t, 10);
	assert_true(knows(&t->homes[3], "fred"));
}

static void a_directory_cannot_lead_back_to_a_key_that_was_given_up(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct engine_account before, after;
	char copy[100];

	befriend(t);
	pass_seconds(t, 10);
	save_copy(t, copy, 90);
	wait_online(t, a);
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_int_equal(answer_of(t, a, 6), 0);
	wait_online(t, a);
	pass_seconds(t, 10);
	engine_account(a->engine, &before);
	put_back(t, copy);
	pass_seconds(t, 120);
	assert_int_equal(state_of(a), ACCOUNT_REFUSED);
	assert_int_equal(login(t, a, "alice", town_password, false), ERR_KEY_CHANGED);
	engine_account(a->engine, &after);
	assert_memory_equal(&before.identity, &after.identity, 32);
	/* Only who is told to. */
	assert_int_equal(login(t, a, "alice", town_password, true), 0);
	wait_online(t, a);
}

/* The same each time. */
static uint64_t random_below(uint64_t limit)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (x >> 16) % limit;
}

static void an_old_list_without_this_device_is_not_signed_again(void **state)
{
	struct town *t = *state;
	struct home *c = &t->homes[2];
	struct device_list old;
	struct wire_message m;
	uint64_t version;

	befriend(t);
	pass_seconds(t, 5);
	old = *engine_devices(t->homes[0].engine);
	assert_int_equal(login(t, c, "alice", town_password, false), 0);
	wait_online(t, c);
	pass_seconds(t, 10);
	version = engine_devices(c->engine)->version;
	account_told_devices(engine_rooms(c->engine)->account, &old);
	assert_false(account_next(engine_rooms(c->engine)->account, &m));
	pass_seconds(t, 20);
	assert_int_equal(state_of(c), ACCOUNT_ONLINE);
	assert_true(engine_devices(c->engine)->version == version);
	assert_int_equal(engine_name_device(c->engine, engine_device(c->engine), "x", 5), 0);
	assert_int_equal(answer_of(t, c, 5), 0);
}

/* What a sibling told is newer than what the directory had sent before: nothing was lost there,
 * and the newcomer is not thrown out. */
static void a_list_that_we_called_with_is_no_older_one(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];
	struct device_list old;
	struct wire_message m;

	befriend(t);
	pass_seconds(t, 5);
	old = *engine_devices(a->engine);
	assert_int_equal(login(t, c, "alice", town_password, false), 0);
	wait_online(t, c);
	pass_seconds(t, 10);
	assert_true(engine_devices(a->engine)->version > old.version);
	account_told_devices(engine_rooms(a->engine)->account, &old);
	assert_false(account_next(engine_rooms(a->engine)->account, &m));
	pass_seconds(t, 20);
	assert_int_equal(state_of(c), ACCOUNT_ONLINE);
	assert_int_equal(engine_devices(a->engine)->count, 2);
}

/* Whatever it says of the vault, in whatever order. */
static void no_word_about_the_vault_harms_what_is_known_here(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct account *account = engine_rooms(a->engine)->account;
	static uint8_t bytes[VAULT_SIZE_MAX];
	uint64_t held, size;

	befriend(t);
	pass_seconds(t, 10);
	held = account_vault_version(account);
	for (unsigned i = 0; i < 3000; i++) {
		struct wire_message m = { 0 };

		switch (random_below(4)) {
		case 0:
			m.type = WIRE_VAULT_NOW;
			m.vault_now.version = random_below(8) ? held + random_below(3)
							      : INT64_MAX;
			break;
		case 1:
			m.type = WIRE_REFUSAL;
			m.refusal.about = random_below(2) ? WIRE_VAULT_PUT : WIRE_VAULT_GET;
			m.refusal.error = random_below(2) ? ERR_STATE : ERR_NOT_FOUND;
			break;
		default:
			m.type = WIRE_VAULT_PART;
			m.vault_part.version = random_below(4) ? held + 1 : held;
			size = 1 + random_below(3 * VAULT_STEP);
			m.vault_part.total = random_below(8) ? VAULT_FIRST_SIZE
							     : 1 + random_below(INT32_MAX);
			m.vault_part.offset = random_below(2) ? 0 : size;
			m.vault_part.part = bytes_of(bytes, random_below(2) ? size : 1);
			break;
		}
		safe_hear(a->engine->safe, &m);
		(void)safe_step(a->engine->safe);
		if (i % 100 == 0)
			pass_seconds(t, 1);
	}
	/* It may have told of a version that there is not: until it tells of the one there is. */
	safe_hear(a->engine->safe,
		  &(struct wire_message){ .type = WIRE_VAULT_NOW, .vault_now.version = held });
	pass_seconds(t, 180);
	assert_int_equal(state_of(a), ACCOUNT_ONLINE);
	assert_true(knows(a, "bob"));
	assert_int_equal(engine_add(a->engine, "eve", NULL, NULL), 0);
	pass_seconds(t, 90);
	assert_true(count_events(a, EVENT_WARNING) <= 1);
	assert_int_equal(login(t, &t->homes[2], "alice", town_password, false), 0);
	wait_online(t, &t->homes[2]);
	pass_seconds(t, 10);
	assert_true(knows(&t->homes[2], "bob") && knows(&t->homes[2], "eve"));
}

static struct session *session_of(struct town *t, const char *text)
{
	struct server *server = t->server;
	struct name name;

	assert_int_equal(name_parse(&name, bytes_text(text)), 0);
	return record_user(presence_at(server->presence, names_find(server->names, &name), 0));
}

static void a_flood_from_the_directory_waits(void **state)
{
	enum { ROUNDS = 100, EACH = 2000 };
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct wire_message m = { .type = WIRE_ASKED };
	static const uint8_t greeting[600];
	unsigned taken = 0, before;

	befriend(t);
	pass_seconds(t, 10);
	before = a->steps;
	assert_int_equal(name_parse(&m.asked.name, bytes_text("bob")), 0);
	m.asked.identity = *account_identity(engine_rooms(t->homes[1].engine)->account);
	m.asked.greeting = BYTES(greeting);
	for (unsigned i = 0; i < ROUNDS; i++) {
		for (unsigned k = 0; k < EACH; k++)
			taken += server_tell(t->server, session_of(t, "alice"), &m) == 0;
		calm_net_run(&t->net, SECOND / 10, NULL, NULL);
	}
	assert_true(taken < ROUNDS * EACH / 2);
	assert_true(a->steps - before < 1000); /* nor does it turn in circles */
	pass_seconds(t, 60);
	stop_home(t, &t->homes[1]);
	wait_seen(t, a, "bob", false);
	assert_int_equal(state_of(a), ACCOUNT_ONLINE);
}

static void a_directory_that_refuses_every_vault_is_not_asked_all_the_time(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct wire_message m = { .type = WIRE_REFUSAL };

	befriend(t);
	pass_seconds(t, 10);
	assert_int_equal(engine_add(a->engine, "eve", NULL, NULL), 0);
	m.refusal.about = WIRE_VAULT_PUT;
	m.refusal.error = ERR_STATE;
	for (unsigned i = 0; i < 8; i++)
		safe_hear(a->engine->safe, &m);
	assert_true(safe_step(a->engine->safe) <= t->net.now + SAFE_PAUSE);
	safe_hear(a->engine->safe, &m);
	assert_true(safe_step(a->engine->safe) > t->net.now + SAFE_RETRY / 2);
	pass_seconds(t, 90);
	assert_int_equal(login(t, &t->homes[2], "alice", town_password, false), 0);
	wait_online(t, &t->homes[2]);
	pass_seconds(t, 10);
	assert_true(knows(&t->homes[2], "eve"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(two_devices_that_change_contacts_at_once_end_the_same),
		TOWN(a_block_on_one_device_changes_the_knock_of_all),
		TOWN(what_changed_while_away_is_in_the_vault_after_a_restart),
		TOWN(a_directory_put_back_from_an_old_copy_is_noticed_and_mended),
		TOWN(a_device_list_put_back_from_an_old_copy_is_mended_too),
		TOWN(a_forged_vault_is_refused_and_told_once),
		TOWN(who_logs_in_again_remembers_how_new_the_vault_was),
		TOWN(a_directory_cannot_lead_back_to_a_key_that_was_given_up),
		TOWN(no_word_about_the_vault_harms_what_is_known_here),
		TOWN(an_old_list_without_this_device_is_not_signed_again),
		TOWN(a_list_that_we_called_with_is_no_older_one),
		TOWN(a_flood_from_the_directory_waits),
		TOWN(a_directory_that_refuses_every_vault_is_not_asked_all_the_time),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
