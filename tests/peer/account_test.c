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
#include "directory/server_inside.h"
#include "peer/account.h"
#include "peer/engine_inside.h"
#include "peer/safe.h"
#include "peer/siblings.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/json.h"
#include "tests/town.h"

static const struct directory_place PLACE = { "10.0.0.1", 7000 };
static const char PASSWORD[] = "correct horse";

/* --- what a person does --- */

static int login(struct town *t, struct home *h, const char *name, const char *password,
		 bool begin_anew)
{
	int err = engine_login(h->engine, name, &PLACE, server_key(t->server),
			       bytes_text(password), begin_anew, ++t->tickets);

	return err < 0 ? err : answer_of(t, h, t->tickets);
}

static int passwd(struct town *t, struct home *h, const char *old, const char *new,
		  bool everywhere)
{
	int err = engine_passwd(h->engine, bytes_text(old), bytes_text(new), everywhere,
				++t->tickets);

	return err < 0 ? err : answer_of(t, h, t->tickets);
}

static int recover(struct town *t, struct home *h, const char *name,
		   const struct recovery_code *code, const char *new)
{
	int err = engine_recover(h->engine, name, &PLACE, server_key(t->server), code,
				 bytes_text(new), ++t->tickets);

	return err < 0 ? err : answer_of(t, h, t->tickets);
}

static void pass(struct town *t, unsigned seconds)
{
	calm_net_run(&t->net, seconds * SECOND, NULL, NULL);
}

static enum account_state state_of(const struct home *h)
{
	struct engine_account a;

	engine_account(h->engine, &a);
	return a.state;
}

static const char *detail_of(const struct home *h, uint64_t ticket)
{
	for (unsigned i = 0; i < h->count; i++) {
		if (h->events[i].kind == EVENT_ANSWER && h->events[i].ticket == ticket)
			return h->events[i].detail;
	}
	return "";
}

static bool was_told(const struct home *h, enum event_kind kind, const char *part)
{
	for (unsigned i = 0; i < h->count; i++) {
		if (h->events[i].kind == kind && strstr(h->events[i].detail, part))
			return true;
	}
	return false;
}

static struct contact get(const struct home *h, const char *name)
{
	struct contact c;

	if (engine_contact(h->engine, name, &c) < 0)
		fail_msg("%s is no contact", name);
	return c;
}

static bool knows(const struct home *h, const char *name)
{
	struct contact c;

	return engine_contact(h->engine, name, &c) == 0;
}

/* Alice in 0, Bob in 1, and Alice's second device in 2. */
static void two_devices(struct town *t)
{
	befriend(t);
	assert_int_equal(login(t, &t->homes[2], "alice", PASSWORD, false), 0);
	wait_online(t, &t->homes[2]);
	wait_seen(t, &t->homes[2], "bob", true);
	pass(t, 5);
}

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
	pass(t, 120);
	assert_int_equal(login(t, &t->homes[1], "alice", PASSWORD, false), 0);
	assert_true(was_told(&t->homes[1], EVENT_NOTICE, "3 attempts"));
}

static void who_guesses_often_works_for_it_and_the_owner_comes_in(void **state)
{
	struct town *t = *state;
	struct home *owner = &t->homes[1];

	assert_int_equal(join(t, &t->homes[0], "alice", true), 0);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(login(t, owner, "alice", "wrong", false), ERR_AUTH);
	assert_int_equal(login(t, owner, "alice", PASSWORD, false), 0);
	wait_online(t, owner);
}

/* --- the vault --- */

static void two_devices_that_change_contacts_at_once_end_the_same(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];

	two_devices(t);
	assert_int_equal(engine_add(a->engine, "carol", NULL, NULL), 0);
	assert_int_equal(engine_add(c->engine, "dave", NULL, NULL), 0);
	assert_int_equal(engine_block(a->engine, "eve"), 0);
	assert_int_equal(engine_set_requests(c->engine, REQUESTS_LINK), 0);
	pass(t, 30);
	assert_true(knows(a, "dave") && knows(c, "carol"));
	assert_int_equal(get(c, "eve").state, CONTACT_BLOCKED);
	assert_int_equal(engine_requests(a->engine), REQUESTS_LINK);
	assert_int_equal(engine_remove(c->engine, "carol"), 0);
	assert_int_equal(engine_verify(a->engine, "bob", true), 0);
	pass(t, 30);
	assert_false(knows(a, "carol"));
	assert_true(get(c, "bob").is_verified);
	pass(t, 30);
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
	pass(t, 10);
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
	pass(t, 1);
	stop_home(t, a);
	start_home(t, a);
	start_server(t);
	wait_online(t, a);
	pass(t, 60);
	assert_true(knows(&t->homes[2], "carol"));
}

static void run(const char *command, const char *a, const char *b)
{
	char text[400];

	snprintf(text, sizeof text, command, a, b);
	assert_int_equal(system(text), 0);
}

static void a_directory_put_back_from_an_old_copy_is_noticed_and_mended(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	char copy[100];

	assert_int_equal(join(t, a, "alice", true), 0);
	wait_online(t, a);
	assert_int_equal(engine_add(a->engine, "carol", NULL, NULL), 0);
	pass(t, 10);
	stop_server(t);
	snprintf(copy, sizeof copy, "%s.copy", t->folder);
	run("cp -r '%s' '%s'", t->folder, copy);
	start_server(t);
	pass(t, 70);
	assert_int_equal(engine_add(a->engine, "dave", NULL, NULL), 0);
	pass(t, 10);
	assert_int_equal(engine_add(a->engine, "eve", NULL, NULL), 0);
	pass(t, 10);
	assert_int_equal(count_events(a, EVENT_WARNING), 0);
	stop_server(t);
	run("cp '%s'/accounts.db* '%s'/", copy, t->folder);
	run("rm -rf '%s'%s", copy, "");
	start_server(t);
	pass(t, 90);
	wait_online(t, a);
	pass(t, 10);
	assert_true(was_told(a, EVENT_WARNING, "older vault"));
	assert_int_equal(login(t, &t->homes[2], "alice", PASSWORD, false), 0);
	wait_online(t, &t->homes[2]);
	pass(t, 10);
	assert_true(knows(&t->homes[2], "eve") && knows(&t->homes[2], "dave"));
}

static void a_device_list_put_back_from_an_old_copy_is_mended_too(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2], *d = &t->homes[3];
	uint64_t before;
	char copy[100];

	two_devices(t);
	stop_server(t);
	snprintf(copy, sizeof copy, "%s.copy", t->folder);
	run("cp -r '%s' '%s'", t->folder, copy);
	start_server(t);
	pass(t, 90);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(
			engine_name_device(a->engine, engine_device(a->engine), "x", i + 5), 0);
		assert_int_equal(answer_of(t, a, i + 5), 0);
	}
	assert_int_equal(engine_revoke_device(a->engine, engine_device(c->engine), 8), 0);
	assert_int_equal(answer_of(t, a, 8), 0);
	before = engine_devices(a->engine)->version;
	stop_server(t);
	run("cp '%s'/accounts.db* '%s'/", copy, t->folder);
	run("rm -rf '%s'%s", copy, "");
	start_server(t);
	pass(t, 90);
	wait_online(t, a);
	pass(t, 10);
	assert_int_equal(engine_devices(a->engine)->count, 1);
	assert_true(engine_devices(a->engine)->version > before);
	assert_int_equal(login(t, d, "alice", PASSWORD, false), 0);
	wait_online(t, d);
	pass(t, 10);
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
	pass(t, 10);
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
	pass(t, 5);
	assert_int_equal(count_events(a, EVENT_WARNING), 1);
	assert_int_equal(get(a, "bob").state, CONTACT_MUTUAL);
}

static void save_copy(struct town *t, char copy[100])
{
	stop_server(t);
	snprintf(copy, 100, "%s.copy", t->folder);
	run("cp -r '%s' '%s'", t->folder, copy);
	start_server(t);
	pass(t, 90);
}

static void put_back(struct town *t, const char *copy)
{
	stop_server(t);
	run("cp '%s'/accounts.db* '%s'/", copy, t->folder);
	run("rm -rf '%s'%s", copy, "");
	start_server(t);
}

static void who_logs_in_again_remembers_how_new_the_vault_was(void **state)
{
	static const char *const names[] = { "dave", "eve", "fred" };
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];
	char copy[100];

	two_devices(t);
	save_copy(t, copy);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(engine_add(a->engine, names[i], NULL, NULL), 0);
		pass(t, 5);
	}
	assert_true(knows(c, "fred"));
	assert_int_equal(engine_revoke_device(a->engine, engine_device(c->engine), 8), 0);
	assert_int_equal(answer_of(t, a, 8), 0);
	pass(t, 5);
	assert_int_equal(state_of(c), ACCOUNT_REFUSED);
	stop_home(t, a);
	put_back(t, copy);
	assert_int_equal(login(t, c, "alice", PASSWORD, false), 0);
	wait_online(t, c);
	pass(t, 20);
	assert_true(was_told(c, EVENT_WARNING, "older vault"));
	assert_int_equal(login(t, &t->homes[3], "alice", PASSWORD, false), 0);
	wait_online(t, &t->homes[3]);
	pass(t, 10);
	assert_true(knows(&t->homes[3], "fred"));
}

static void a_directory_cannot_lead_back_to_a_key_that_was_given_up(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct engine_account before, after;
	char copy[100];

	befriend(t);
	pass(t, 10);
	save_copy(t, copy);
	wait_online(t, a);
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_int_equal(answer_of(t, a, 6), 0);
	wait_online(t, a);
	pass(t, 10);
	engine_account(a->engine, &before);
	put_back(t, copy);
	pass(t, 120);
	assert_int_equal(state_of(a), ACCOUNT_REFUSED);
	assert_int_equal(login(t, a, "alice", PASSWORD, false), ERR_KEY_CHANGED);
	engine_account(a->engine, &after);
	assert_memory_equal(&before.identity, &after.identity, 32);
	/* Only who is told to. */
	assert_int_equal(login(t, a, "alice", PASSWORD, true), 0);
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
	pass(t, 5);
	old = *engine_devices(t->homes[0].engine);
	assert_int_equal(login(t, c, "alice", PASSWORD, false), 0);
	wait_online(t, c);
	pass(t, 10);
	version = engine_devices(c->engine)->version;
	account_told_devices(engine_rooms(c->engine)->account, &old);
	assert_false(account_next(engine_rooms(c->engine)->account, &m));
	pass(t, 20);
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
	pass(t, 5);
	old = *engine_devices(a->engine);
	assert_int_equal(login(t, c, "alice", PASSWORD, false), 0);
	wait_online(t, c);
	pass(t, 10);
	assert_true(engine_devices(a->engine)->version > old.version);
	account_told_devices(engine_rooms(a->engine)->account, &old);
	assert_false(account_next(engine_rooms(a->engine)->account, &m));
	pass(t, 20);
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
	pass(t, 10);
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
			pass(t, 1);
	}
	/* It may have told of a version that there is not: until it tells of the one there is. */
	safe_hear(a->engine->safe,
		  &(struct wire_message){ .type = WIRE_VAULT_NOW, .vault_now.version = held });
	pass(t, 180);
	assert_int_equal(state_of(a), ACCOUNT_ONLINE);
	assert_true(knows(a, "bob"));
	assert_int_equal(engine_add(a->engine, "eve", NULL, NULL), 0);
	pass(t, 90);
	assert_true(count_events(a, EVENT_WARNING) <= 1);
	assert_int_equal(login(t, &t->homes[2], "alice", PASSWORD, false), 0);
	wait_online(t, &t->homes[2]);
	pass(t, 10);
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
	pass(t, 10);
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
	pass(t, 60);
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
	pass(t, 10);
	assert_int_equal(engine_add(a->engine, "eve", NULL, NULL), 0);
	m.refusal.about = WIRE_VAULT_PUT;
	m.refusal.error = ERR_STATE;
	for (unsigned i = 0; i < 8; i++)
		safe_hear(a->engine->safe, &m);
	assert_true(safe_step(a->engine->safe) <= t->net.now + SAFE_PAUSE);
	safe_hear(a->engine->safe, &m);
	assert_true(safe_step(a->engine->safe) > t->net.now + SAFE_RETRY / 2);
	pass(t, 90);
	assert_int_equal(login(t, &t->homes[2], "alice", PASSWORD, false), 0);
	wait_online(t, &t->homes[2]);
	pass(t, 10);
	assert_true(knows(&t->homes[2], "eve"));
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
	pass(t, 10);
	for (unsigned i = 0; i < a->count; i++)
		count += a->events[i].kind == EVENT_NOTICE &&
			 strstr(a->events[i].detail, "palique recovery") != NULL;
	assert_int_equal(count, 1);
}

static void make_code(struct town *t, struct home *h, struct recovery_code *code)
{
	assert_int_equal(engine_recovery(h->engine, code, ++t->tickets), 0);
	assert_int_equal(answer_of(t, h, t->tickets), 0);
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
	pass(t, 5);
	assert_int_equal(recover(t, &t->homes[2], "alice", &wrong, "new"), ERR_AUTH);
	assert_int_equal(recover(t, &t->homes[2], "alice", &code, "new"), 0);
	wait_online(t, &t->homes[2]);
	pass(t, 5);
	assert_true(knows(&t->homes[2], "bob"));
	engine_account(t->homes[2].engine, &account);
	assert_true(account.has_recovery);
	assert_int_equal(login(t, &t->homes[3], "alice", PASSWORD, false), ERR_AUTH);
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
	assert_int_equal(passwd(t, &t->homes[0], PASSWORD, "new", false), 0);
	pass(t, 30);
	assert_int_equal(state_of(&t->homes[0]), ACCOUNT_ONLINE);
	assert_int_equal(state_of(&t->homes[2]), ACCOUNT_ONLINE);
	assert_int_equal(login(t, &t->homes[3], "alice", PASSWORD, false), ERR_AUTH);
	assert_int_equal(login(t, &t->homes[3], "alice", "new", false), 0);
	wait_online(t, &t->homes[3]);
	pass(t, 5);
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
	assert_int_equal(passwd(t, &t->homes[0], PASSWORD, "new", false), ERR_FULL);
	pass(t, 30);
	assert_int_equal(login(t, &t->homes[2], "alice", PASSWORD, false), 0);
	assert_int_equal(passwd(t, &t->homes[0], PASSWORD, "new", false), 0);
}

static void a_login_that_was_refused_at_once_does_not_come_in(void **state)
{
	struct town *t = *state;

	befriend(t);
	spoil(&t->homes[2]);
	assert_int_equal(login(t, &t->homes[2], "alice", PASSWORD, false), ERR_FULL);
	pass(t, 30);
	assert_int_equal(state_of(&t->homes[2]), ACCOUNT_NONE);
	assert_int_equal(engine_devices(t->homes[0].engine)->count, 1);
	assert_int_equal(login(t, &t->homes[2], "alice", PASSWORD, false), 0);
	wait_online(t, &t->homes[2]);
}

/* What was promised is answered, whatever becomes of later commits. */
static void a_login_goes_on_when_a_later_commit_fails(void **state)
{
	struct town *t = *state;
	struct home *h = &t->homes[2];

	befriend(t);
	assert_int_equal(engine_login(h->engine, "alice", &PLACE, server_key(t->server),
				      bytes_text(PASSWORD), false, ++t->tickets),
			 0);
	spoil(h);
	assert_int_equal(answer_of(t, h, t->tickets), 0);
	wait_online(t, h);
}

static void a_new_password_everywhere_logs_the_others_out(void **state)
{
	struct town *t = *state;

	two_devices(t);
	assert_int_equal(passwd(t, &t->homes[0], PASSWORD, "new", true), 0);
	pass(t, 30);
	assert_int_equal(state_of(&t->homes[0]), ACCOUNT_ONLINE);
	assert_int_equal(state_of(&t->homes[2]), ACCOUNT_REFUSED);
	assert_int_equal(engine_devices(t->homes[0].engine)->count, 1);
	assert_int_equal(login(t, &t->homes[2], "alice", "new", false), 0);
	wait_online(t, &t->homes[2]);
}

/* --- the operator's one-time link --- */

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
	pass(t, 30);
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
	pass(t, 5);
	assert_true(knows(&t->homes[2], "bob"));
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
	pass(t, 1);
	engine_account(c->engine, &account);
	assert_int_equal(account.state, ACCOUNT_REFUSED);
	assert_non_null(strstr(account.trouble, "palique login alice@10.0.0.1:7000"));
	assert_false(get(c, "bob").is_online);
	assert_int_equal(get(c, "bob").state, CONTACT_MUTUAL);
	assert_int_equal(engine_devices(c->engine)->count, 0);
	assert_false(siblings_is_online(engine_rooms(c->engine), engine_device(a->engine)));
	stop_home(t, c);
	start_home(t, c);
	pass(t, 5);
	assert_false(get(c, "bob").is_online);
	assert_int_equal(engine_devices(c->engine)->count, 0);
	assert_int_equal(get(&t->homes[1], "alice").devices, 1);
	assert_int_equal(engine_revoke_device(a->engine, &device, 7), ERR_NOT_FOUND);
	assert_int_equal(login(t, c, "alice", PASSWORD, false), 0);
	wait_online(t, c);
	wait_seen(t, c, "bob", true);
	pass(t, 5);
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
	pass(t, 5);
	for (unsigned i = 0; i < 3; i += 2) {
		d = device_list_find(engine_devices(t->homes[i].engine),
				     engine_device(c->engine));
		assert_string_equal(d->label, "Küche");
		d = device_list_find(engine_devices(t->homes[i].engine),
				     engine_device(a->engine));
		assert_string_equal(d->label, "desk");
	}
}

static bool everything(void *user, const struct calm_net_node *from,
		       const struct calm_net_node *to)
{
	(void)user, (void)from, (void)to;
	return true;
}

static void a_change_whose_answer_was_lost_is_found_out(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2];

	two_devices(t);
	t->net.is_cut = everything;
	assert_int_equal(engine_revoke_device(a->engine, engine_device(c->engine), 6), 0);
	pass(t, 12);
	t->net.is_cut = NULL;
	assert_int_equal(answer_of(t, a, 6), 0);
	pass(t, 60);
	assert_int_equal(engine_devices(a->engine)->count, 1);
	assert_int_equal(state_of(c), ACCOUNT_REFUSED);
}

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
	pass(t, 10);
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
	assert_int_equal(login(t, c, "alice", PASSWORD, false), 0);
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
	pass(t, 10);
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
	pass(t, 5);
	assert_int_equal(count_events(a, EVENT_REQUEST), 0);
	assert_int_equal(engine_add(c->engine, "alice", &alice.identity, NULL), 0);
	wait_for(t, a, EVENT_REQUEST, 1);
	assert_false(knows(a, "bob"));
	assert_int_equal(engine_set_requests(a->engine, REQUESTS_NONE), 0);
	assert_int_equal(engine_add(b->engine, "alice", &alice.identity, "please"), 0);
	pass(t, 5);
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
	pass(t, 20);
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
	pass(t, 150);
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
	pass(t, 300);
	start_server(t);
	assert_int_equal(db_exec(store_db(store), "PRAGMA query_only = 1"), 0);
	pass(t, 600);
	assert_int_equal(db_exec(store_db(store), "PRAGMA query_only = 0"), 0);
	pass(t, 300);
	engine_account(c->engine, &account);
	assert_int_equal(account.state, ACCOUNT_NONE);
	assert_int_equal(join(t, c, "carol", true), 0);
	wait_online(t, c);
}

static void a_new_key_that_cannot_be_stored_never_leaves(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct store *store = engine_rooms(a->engine)->store;
	struct engine_account before, after;

	assert_int_equal(join(t, a, "alice", true), 0);
	wait_online(t, a);
	pass(t, 5);
	engine_account(a->engine, &before);
	assert_int_equal(db_exec(store_db(store), "PRAGMA query_only = 1"), 0);
	assert_true(engine_rekey(a->engine, 5) < 0);
	pass(t, 5);
	assert_int_equal(db_exec(store_db(store), "PRAGMA query_only = 0"), 0);
	pass(t, 5);
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
	pass(t, 5);
	wait_online(t, a);
	assert_int_equal(engine_devices(a->engine)->past_count, 0);
	assert_int_equal(engine_rekey(a->engine, 7), 0);
	assert_int_equal(answer_of(t, a, 7), 0);
	assert_int_equal(engine_devices(a->engine)->past_count, 1);
}

static void who_is_told_when_to_come_back_waits_until_then(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct engine_account account;

	assert_int_equal(join(t, a, "alice", true), 0);
	wait_online(t, a);
	server_goodbye(t->server, 40, t->net.now);
	pass(t, 1);
	engine_account(a->engine, &account);
	assert_non_null(strstr(account.trouble, "comes back by itself"));
	stop_server(t);
	start_server(t);
	pass(t, 38);
	assert_int_equal(state_of(a), ACCOUNT_CONNECTING);
	pass(t, 25); /* half as much again at random */
	assert_int_equal(state_of(a), ACCOUNT_ONLINE);
}

/* --- a crash between any two steps --- */

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
		assert_int_equal(engine_login(c->engine, "alice", &PLACE, server_key(t->server),
					      bytes_text(PASSWORD), false, 1000 + steps),
				 0);
		crash_after(t, c, steps);
		pass(t, 20);
		if (state_of(c) == ACCOUNT_NONE)
			assert_int_equal(login(t, c, "alice", PASSWORD, false), 0);
		wait_online(t, c);
		pass(t, 5);
		assert_true(knows(c, "bob"));
		assert_int_equal(engine_revoke_device(t->homes[0].engine,
						      engine_device(c->engine), 5000 + steps),
				 0);
		assert_int_equal(answer_of(t, &t->homes[0], 5000 + steps), 0);
		forget_home(t, c);
		pass(t, 200); /* the directory counts logins */
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
		pass(t, 10);
		forget_events(b);
		say(t, a, "bob", "is it me?");
		wait_for(t, b, EVENT_HEARD, 1);
	}
	assert_int_equal(login(t, &t->homes[2], "alice", PASSWORD, false), 0);
	wait_online(t, &t->homes[2]);
}

static struct vault ours_in_vault(const struct home *h)
{
	struct vault v = { 0 };

	account_vault_fill(engine_rooms(h->engine)->account, &v);
	return v;
}

static bool has_succeeded(void *user)
{
	struct home *h = user;

	return engine_devices(h->engine)->past_count > 0;
}

static void assert_is_alice(struct town *t, struct home *h,
			    const struct identity_public *identity)
{
	struct engine_account account;

	wait_online(t, h);
	wait_seen(t, h, "bob", true);
	wait_seen(t, &t->homes[1], "alice", true);
	engine_account(h->engine, &account);
	assert_memory_equal(&account.identity, identity, sizeof *identity);
	pass(t, 10);
	forget_events(&t->homes[1]);
	say(t, h, "bob", "it is me");
	wait_for(t, &t->homes[1], EVENT_HEARD, 1);
	assert_false(ours_in_vault(h).has_next);
}

static void a_device_that_is_lost_with_its_new_key_takes_nothing_along(void **state)
{
	uint64_t kept;
	struct town *t = *state;
	struct home *a = &t->homes[0], *c = &t->homes[2], *d = &t->homes[3];
	struct identity_public identity;

	befriend(t);
	pass(t, 10);
	assert_int_equal(engine_add(a->engine, "eve", NULL, NULL), 0);
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_true(calm_net_run(&t->net, 30 * SECOND, has_succeeded, a));
	identity = engine_devices(a->engine)->identity;
	kept = account_vault_kept(engine_rooms(a->engine)->account);
	stop_home(t, a);
	/* The vault is still of the one before: both take from it what they need. */
	assert_int_equal(login(t, c, "alice", PASSWORD, false), 0);
	assert_is_alice(t, c, &identity);
	assert_true(knows(c, "eve"));
	assert_true(account_vault_kept(engine_rooms(c->engine)->account) > kept);
	assert_int_equal(login(t, d, "alice", PASSWORD, false), 0);
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
	pass(t, 10);
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
		pass(t, 120);
		a = c, c = before;
		assert_int_equal(login(t, a, "alice", PASSWORD, false), 0);
		wait_online(t, a);
		wait_seen(t, b, "alice", true);
		pass(t, 10);
		assert_true(knows(a, "bob"));
		forget_events(b);
		say(t, a, "bob", "is it me?");
		wait_for(t, b, EVENT_HEARD, 1);
		assert_int_equal(count_events(a, EVENT_WARNING), 0);
	}
}

static bool has_next(void *user)
{
	return ours_in_vault(user).has_next;
}

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
	pass(t, 10);
	if (first < 0)
		a = &t->homes[2], c = &t->homes[0];
	assert_int_equal(state_of(c), ACCOUNT_REFUSED);
	identity = engine_devices(a->engine)->identity;
	assert_is_alice(t, a, &identity);
	assert_int_equal(login(t, c, "alice", PASSWORD, false), 0);
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
	pass(t, 10);
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	t->net.is_cut = NULL;
	assert_true(calm_net_run(&t->net, 30 * SECOND, is_put, a));
	/* What it says next is lost with it. */
	t->net.is_cut = everything;
	pass(t, 1);
	mine = ours_in_vault(a);
	stop_home(t, a);
	t->net.is_cut = NULL;
	pass(t, 120);
	assert_int_equal(login(t, c, "alice", PASSWORD, false), 0);
	wait_online(t, c);
	pass(t, 10);
	assert_int_equal(engine_add(c->engine, "eve", NULL, NULL), 0);
	pass(t, 10);
	stop_home(t, c);
	start_home(t, c);
	wait_online(t, c);
	pass(t, 10);
	theirs = ours_in_vault(c);
	assert_true(mine.has_next && theirs.has_next);
	assert_memory_equal(&mine.next, &theirs.next, sizeof mine.next);
	assert_memory_equal(&mine.identity, &theirs.identity, sizeof mine.identity);
	/* The one that asked comes back: it was not done. */
	start_home(t, a);
	wait_online(t, a);
	pass(t, 10);
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
	pass(t, 10);
	engine_account(a->engine, &before);
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_true(calm_net_run(&t->net, 30 * SECOND, is_put, a));
	t->net.is_cut = to_alice;
	t->net.cut_user = t;
	pass(t, 100);
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
	pass(t, 5);
	vault_clear(&v);
}

static void a_vault_that_is_not_confirmed_keeps_the_key_from_changing(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0];
	struct safe *safe = engine_rooms(a->engine) ? a->engine->safe : NULL;
	struct wire_message m = { .type = WIRE_REFUSAL };

	befriend(t);
	pass(t, 10);
	m.refusal.about = WIRE_VAULT_PUT;
	m.refusal.error = ERR_LIMIT;
	safe_hear(safe, &m); /* and nothing is put for a minute */
	assert_int_equal(engine_rekey(a->engine, 6), 0);
	assert_int_equal(answer_of(t, a, 6), ERR_TIMEOUT);
	assert_int_equal(engine_devices(a->engine)->past_count, 0);
	pass(t, 90);
	assert_false(ours_in_vault(a).has_next);
	assert_int_equal(engine_rekey(a->engine, 7), 0);
	assert_int_equal(answer_of(t, a, 7), 0);
}

static void a_crash_anywhere_in_a_recovery_leaves_an_account_that_works(void **state)
{
	struct town *t = *state;
	struct home *c = &t->homes[2];
	struct recovery_code code;
	char password[32] = "", before[32];

	befriend(t);
	make_code(t, &t->homes[0], &code);
	snprintf(password, sizeof password, "%s", PASSWORD);
	for (unsigned steps = 1; steps < 24; steps++) {
		snprintf(before, sizeof before, "%s", password);
		snprintf(password, sizeof password, "new %u", steps);
		assert_int_equal(engine_recover(c->engine, "alice", &PLACE,
						server_key(t->server), &code,
						bytes_text(password), 1000 + steps),
				 0);
		crash_after(t, c, steps);
		pass(t, 20);
		if (state_of(c) == ACCOUNT_NONE &&
		    login(t, c, "alice", password, false) == ERR_AUTH) {
			snprintf(password, sizeof password, "%s", before);
			assert_int_equal(login(t, c, "alice", password, false), 0);
		}
		wait_online(t, c);
		pass(t, 5);
		assert_true(knows(c, "bob"));
		forget_home(t, c);
		pass(t, 300);
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
	snprintf(password, sizeof password, "%s", PASSWORD);
	for (unsigned steps = 0; steps < 12; steps++) {
		snprintf(next, sizeof next, "new %u", steps);
		assert_int_equal(engine_passwd(a->engine, bytes_text(password),
					       bytes_text(next), steps % 2, 1000 + steps),
				 0);
		crash_after(t, a, steps);
		wait_online(t, a);
		pass(t, 5);
		if (login(t, c, "alice", next, false) == 0)
			snprintf(password, sizeof password, "%s", next);
		else
			assert_int_equal(login(t, c, "alice", password, false), 0);
		wait_online(t, c);
		pass(t, 5);
		assert_true(knows(c, "bob"));
		assert_int_equal(
			engine_revoke_device(a->engine, engine_device(c->engine), 5000 + steps),
			0);
		assert_int_equal(answer_of(t, a, 5000 + steps), 0);
		forget_home(t, c);
		pass(t, 300);
	}
	assert_string_not_equal(password, PASSWORD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(a_login_on_a_new_machine_brings_identity_and_contacts_back),
		TOWN(a_wrong_password_is_told_at_the_next_login),
		TOWN(who_guesses_often_works_for_it_and_the_owner_comes_in),
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
		TOWN(a_revoked_device_is_cut_off_and_may_log_in_again),
		TOWN(a_device_is_named_for_all),
		TOWN(a_change_whose_answer_was_lost_is_found_out),
		TOWN(a_signed_change_is_a_notice_and_sending_goes_on),
		TOWN(for_a_verified_contact_a_signed_change_stops_too),
		TOWN(what_was_said_before_a_change_stays_as_it_was_said),
		TOWN(requests_can_be_refused_or_allowed_with_a_link_only),
		TOWN(an_account_is_deleted_here_and_there_and_the_name_is_free),
		TOWN(a_suspended_account_stays_and_comes_back_by_itself),
		TOWN(keys_that_cannot_be_stored_never_leave),
		TOWN(who_was_not_taken_while_its_disk_was_full_may_join_again),
		TOWN(a_new_key_that_cannot_be_stored_never_leaves),
		TOWN(a_new_key_that_cannot_be_stored_when_its_time_comes_is_given_up),
		TOWN(a_crash_anywhere_in_a_login_leaves_an_account_that_works),
		TOWN(a_crash_anywhere_in_a_new_key_leaves_an_account_that_works),
		TOWN(a_device_that_is_lost_with_its_new_key_takes_nothing_along),
		TOWN(the_recovery_code_brings_a_lost_new_key_back_too),
		TOWN(a_device_lost_anywhere_in_a_new_key_leaves_an_account_to_log_in_to),
		TOWN(who_is_left_out_never_learns_the_new_key),
		TOWN(two_devices_that_change_the_key_at_once_leave_one_account),
		TOWN(who_comes_in_during_a_change_keeps_what_is_to_come_until_it_is_given_up),
		TOWN(a_new_key_whose_answer_never_came_is_not_thrown_away),
		TOWN(who_hears_of_an_identity_it_does_not_have_logs_in_for_it),
		TOWN(a_vault_that_is_not_confirmed_keeps_the_key_from_changing),
		TOWN(who_is_told_when_to_come_back_waits_until_then),
		TOWN(a_crash_anywhere_in_a_new_password_leaves_one_of_both),
		TOWN(a_crash_anywhere_in_a_recovery_leaves_an_account_that_works),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
