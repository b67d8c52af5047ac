#include "tests/link_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "shared/link.h"

struct net wires;

int nobody(void **state)
{
	(void)state;
	net_init(&wires);
	return 0;
}

int two_peers(void **state)
{
	nobody(state);
	net_add(&wires, ENDPOINT_ADMITTED);
	net_add(&wires, ENDPOINT_ADMITTED);
	net_befriend(&wires, 2);
	return 0;
}

int two_linked(void **state)
{
	two_peers(state);
	settle_both();
	return 0;
}

int device_and_directory(void **state)
{
	nobody(state);
	net_add(&wires, ENDPOINT_ADMITTED);
	net_add(&wires, ENDPOINT_ANYONE);
	return 0;
}

int net_end(void **state)
{
	(void)state;
	net_clear(&wires);
	return 0;
}

bool both_up(struct net *n)
{
	return n->nodes[0].link && n->nodes[1].link;
}

void connect_both(void)
{
	assert_non_null(net_dial(&wires, 0, 1));
	assert_true(net_run_until(&wires, both_up, 30 * SECOND));
}

void settle_both(void)
{
	connect_both();
	net_run(&wires, SECOND);
}

void assert_works(unsigned from, unsigned to)
{
	buf_clear(&wires.nodes[to].inbox);
	net_write(&wires, from, LINK_CONTROL, "does this arrive");
	net_run(&wires, 3 * SECOND);
	assert_true(net_inbox_is(&wires, to, "does this arrive"));
}
