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
	peer_join(&old, &net);
	peer_join(&bob, &net);
	peer_befriend(&old, &bob);
	peer_tell_devices(&old, &net, bobs, 1);
	peer_tell_devices(&bob, &net, alice, 1);
	pass(SECOND);
	talk();
	peer_make_sibling(&fresh, &old);
	peer_join(&fresh, &net);
	peer_add(&fresh, &bob);
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
