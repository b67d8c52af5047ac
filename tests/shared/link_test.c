#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/error.h"
#include "tests/link_net.h"

static bool both_up(struct net *net)
{
	return net->nodes[0].link && net->nodes[1].link;
}

static struct net net;

static int two_peers(void **state)
{
	(void)state;
	net_init(&net);
	net_add(&net, ENDPOINT_ADMITTED);
	net_add(&net, ENDPOINT_ADMITTED);
	net_befriend(&net, 2);
	return 0;
}

static int clear(void **state)
{
	(void)state;
	net_clear(&net);
	return 0;
}

static void connect_both(void)
{
	assert_non_null(net_dial(&net, 0, 1));
	assert_true(net_run_until(&net, both_up, 10 * SECOND));
}

static void a_handshake_of_two_peers_proves_both(void **state)
{
	(void)state;
	connect_both();
	assert_true(device_public_equal(link_device(net.nodes[1].link),
					&net.nodes[0].config.device.public));
	assert_true(identity_public_equal(&link_certificate(net.nodes[1].link)->identity,
					  &net.nodes[0].identity.public));
	assert_true(identity_public_equal(&link_certificate(net.nodes[0].link)->identity,
					  &net.nodes[1].identity.public));
	assert_memory_equal(link_handshake_hash(net.nodes[0].link),
			    link_handshake_hash(net.nodes[1].link), 64);
	assert_true(link_is_initiator(net.nodes[0].link));
	assert_false(link_is_initiator(net.nodes[1].link));
}

static void both_sides_speak_on_the_control_stream(void **state)
{
	(void)state;
	connect_both();
	net_write(&net, 1, LINK_CONTROL, "responder first");
	net_run(&net, SECOND);
	assert_true(net_inbox_is(&net, 0, "responder first"));
	net_write(&net, 0, LINK_CONTROL, "then the initiator");
	net_run(&net, SECOND);
	assert_true(net_inbox_is(&net, 1, "then the initiator"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_handshake_of_two_peers_proves_both, two_peers,
						clear),
		cmocka_unit_test_setup_teardown(both_sides_speak_on_the_control_stream,
						two_peers, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
