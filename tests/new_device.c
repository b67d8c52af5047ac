#include "tests/new_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "shared/error.h"
#include "tests/shown.h"

struct calm_net net;
struct peer old, fresh, bob;

static void join_net(struct peer *p)
{
	peer_open(p, net.now, net.wall);
	p->node = calm_net_add(&net, engine_endpoint(p->engine), peer_step, p);
}

static void meet(struct peer *p, const struct peer *other)
{
	assert_int_equal(engine_add(p->engine, other->name.text, &other->identity.public, NULL),
			 0);
}

void tell_all(void)
{
	const struct peer *alice[] = { &old, &fresh }, *bobs[] = { &bob };

	peer_tell_devices(&old, &net, alice, 2);
	peer_tell_devices(&fresh, &net, alice, 2);
	peer_tell_devices(&bob, &net, alice, 2);
	peer_tell_devices(&old, &net, bobs, 1);
	peer_tell_devices(&fresh, &net, bobs, 1);
}

void assert_shows(struct peer *p, const char *with, const char *what)
{
	struct shown shown;

	shown_read(&shown, p->engine, with);
	assert_string_equal(shown.text, what);
}

int new_device_begin(void (*talk)(void))
{
	const struct peer *alice[] = { &old }, *bobs[] = { &bob };

	calm_net_init(&net);
	peer_make(&old, "alice");
	peer_make(&bob, "bob");
	join_net(&old);
	join_net(&bob);
	meet(&old, &bob);
	meet(&bob, &old);
	peer_tell_devices(&old, &net, bobs, 1);
	peer_tell_devices(&bob, &net, alice, 1);
	pass(SECOND);
	talk();
	peer_make_sibling(&fresh, &old);
	join_net(&fresh);
	meet(&fresh, &bob);
	tell_all();
	pass(2 * SECOND);
	return 0;
}

int new_device_end(void **state)
{
	(void)state;
	peer_remove(&old);
	peer_remove(&fresh);
	peer_remove(&bob);
	return 0;
}
