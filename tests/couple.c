#include "tests/couple.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct engine *at(struct town *t, unsigned i)
{
	return t->homes[i].engine;
}

void pass(struct town *t, mono_ns length)
{
	calm_net_run(&t->net, length, NULL, NULL);
}

struct contact contact(struct town *t, unsigned i, const char *name)
{
	struct contact c;

	assert_int_equal(engine_contact(at(t, i), name, &c), 0);
	return c;
}

int build_couple(void **state)
{
	build_town(state);
	befriend(*state);
	return 0;
}

void log_in_too(struct town *t)
{
	const struct directory_place place = { "10.0.0.1", 7000 };

	assert_int_equal(engine_login(at(t, ALICE_TOO), "alice", &place, server_key(t->server),
				      bytes_text("correct horse"), false, ++t->tickets),
			 0);
	assert_int_equal(answer_of(t, &t->homes[ALICE_TOO], t->tickets), 0);
	wait_online(t, &t->homes[ALICE_TOO]);
	pass(t, 3 * SECOND);
}
