#include "tests/town_account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "directory/server.h"
#include "peer/account.h"
#include "peer/engine_inside.h"

const struct directory_place town_place = { "10.0.0.1", 7000 };
const char town_password[] = "correct horse";

int login(struct town *t, struct home *h, const char *name, const char *password,
	  bool begin_anew)
{
	int err = engine_login(h->engine, name, &town_place, server_key(t->server),
			       bytes_text(password), begin_anew, ++t->tickets);

	return err < 0 ? err : answer_of(t, h, t->tickets);
}

int recover(struct town *t, struct home *h, const char *name, const struct recovery_code *code,
	    const char *new)
{
	int err = engine_recover(h->engine, name, &town_place, server_key(t->server), code,
				 bytes_text(new), ++t->tickets);

	return err < 0 ? err : answer_of(t, h, t->tickets);
}

void pass_seconds(struct town *t, unsigned seconds)
{
	calm_net_run(&t->net, seconds * SECOND, NULL, NULL);
}

enum account_state state_of(const struct home *h)
{
	struct engine_account a;

	engine_account(h->engine, &a);
	return a.state;
}

bool was_told(const struct home *h, enum event_kind kind, const char *part)
{
	for (unsigned i = 0; i < h->count; i++) {
		if (h->events[i].kind == kind && strstr(h->events[i].detail, part))
			return true;
	}
	return false;
}

struct contact get(const struct home *h, const char *name)
{
	struct contact c;

	if (engine_contact(h->engine, name, &c) < 0)
		fail_msg("%s is no contact", name);
	return c;
}

bool knows(const struct home *h, const char *name)
{
	struct contact c;

	return engine_contact(h->engine, name, &c) == 0;
}

void two_devices(struct town *t)
{
	befriend(t);
	assert_int_equal(login(t, &t->homes[2], "alice", town_password, false), 0);
	wait_online(t, &t->homes[2]);
	wait_seen(t, &t->homes[2], "bob", true);
	pass_seconds(t, 5);
}

void make_code(struct town *t, struct home *h, struct recovery_code *code)
{
	assert_int_equal(engine_recovery(h->engine, code, ++t->tickets), 0);
	assert_int_equal(answer_of(t, h, t->tickets), 0);
}

struct vault ours_in_vault(const struct home *h)
{
	struct vault v = { 0 };

	account_vault_fill(engine_rooms(h->engine)->account, &v);
	return v;
}

void assert_is_alice(struct town *t, struct home *h, const struct identity_public *identity)
{
	struct engine_account account;

	wait_online(t, h);
	wait_seen(t, h, "bob", true);
	wait_seen(t, &t->homes[1], "alice", true);
	engine_account(h->engine, &account);
	assert_memory_equal(&account.identity, identity, sizeof *identity);
	pass_seconds(t, 10);
	forget_events(&t->homes[1]);
	say(t, h, "bob", "it is me");
	wait_for(t, &t->homes[1], EVENT_HEARD, 1);
	assert_false(ours_in_vault(h).has_next);
}

bool has_next(void *user)
{
	return ours_in_vault(user).has_next;
}

void another_device(struct town *t, struct home *h, const char *name)
{
	assert_int_equal(login(t, h, name, town_password, false), 0);
	wait_online(t, h);
	pass_seconds(t, 3);
}
