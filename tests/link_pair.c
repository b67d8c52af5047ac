#include "tests/link_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "shared/link.h"

struct net net;

int nobody(void **state)
{
	(void)state;
	net_init(&net);
	return 0;
}

int two_peers(void **state)
{
	nobody(state);
	net_add(&net, ENDPOINT_ADMITTED);
	net_add(&net, ENDPOINT_ADMITTED);
	net_befriend(&net, 2);
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
	net_add(&net, ENDPOINT_ADMITTED);
	net_add(&net, ENDPOINT_ANYONE);
	return 0;
}

int net_end(void **state)
{
	(void)state;
	net_clear(&net);
	return 0;
}

bool both_up(struct net *n)
{
	return n->nodes[0].link && n->nodes[1].link;
}

void connect_both(void)
{
	assert_non_null(net_dial(&net, 0, 1));
	assert_true(net_run_until(&net, both_up, 30 * SECOND));
}

void settle_both(void)
{
	connect_both();
	net_run(&net, SECOND);
}

void assert_works(unsigned from, unsigned to)
{
	buf_clear(&net.nodes[to].inbox);
	net_write(&net, from, LINK_CONTROL, "does this arrive");
	net_run(&net, 3 * SECOND);
	assert_true(net_inbox_is(&net, to, "does this arrive"));
}
