/* What this machine is connected to, as its kernel says, in a network namespace of this test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <net/if.h>

#include "peer/netlink.h"
#include "peer/netwatch.h"
#include "tests/own_network.h"

static uv_loop_t loop;
static struct netwatch *watch;
static struct network last;
static unsigned changes;
static struct address everywhere = { .family = 6, .port = 7171 };

static void on_changed(void *user, const struct network *network)
{
	(void)user;
	last = *network;
	changes++;
}

static struct address at(const char *text)
{
	struct address a;

	assert_int_equal(address_parse(&a, text, 7171), 0);
	return a;
}

static bool has(const char *text)
{
	struct address a = at(text);

	return network_has(&last, &a);
}

static bool is_at(const struct address *a, const char *text)
{
	struct address wanted = at(text);

	return a->family == wanted.family && memcmp(a->ip, wanted.ip, sizeof a->ip) == 0;
}

/* One interface with a cable: look0, whose other end is look1. */
static int begin(void **state)
{
	(void)state;
	own_network_ip("link add look0 type veth peer name look1");
	own_network_ip("link set look1 up");
	uv_loop_init(&loop);
	watch = netwatch_new(&loop, &everywhere, METERED_AUTO, on_changed, NULL);
	last = *netwatch_network(watch);
	changes = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	netwatch_close(watch);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	own_network_ip("link del look0");
	return 0;
}

static void run_until(bool (*is_so)(void))
{
	while (!is_so())
		uv_run(&loop, UV_RUN_ONCE);
}

static bool is_home(void)
{
	return has("10.9.9.2");
}

static bool is_away(void)
{
	return !has("10.9.9.2");
}

static bool has_routes(void)
{
	return last.gateway4.family && last.gateway6.family;
}

static void go_home(void)
{
	own_network_ip("link set look0 up");
	own_network_ip("addr add 10.9.9.2/24 dev look0");
	own_network_ip("addr add 2001:db8::2/64 dev look0 nodad");
}

static void an_address_that_comes_and_goes_is_told(void **state)
{
	(void)state;
	assert_false(has("10.9.9.2"));
	assert_true(has("127.0.0.1"));
	assert_int_equal(last.port, 7171);
	go_home();
	run_until(is_home);
	assert_int_equal(last.link_count, 1);
	assert_int_equal(last.links[0], if_nametoindex("look0"));
	own_network_ip("addr del 10.9.9.2/24 dev look0");
	run_until(is_away);
	assert_true(has("2001:db8::2"));
}

static void a_cable_that_is_pulled_takes_the_address_with_it(void **state)
{
	(void)state;
	go_home();
	run_until(is_home);
	own_network_ip("link set look1 down");
	run_until(is_away);
	assert_int_equal(last.link_count, 0);
	own_network_ip("link set look1 up");
	run_until(is_home);
}

static const struct address *link_local(void)
{
	for (unsigned i = 0; i < last.address_count; i++)
		if (is_at(&last.addresses[i], "fe80::7"))
			return &last.addresses[i];
	return NULL;
}

static bool has_link_local(void)
{
	return link_local() != NULL;
}

static void a_link_local_address_says_where(void **state)
{
	(void)state;
	own_network_ip("link set look0 up");
	own_network_ip("addr add fe80::7/64 dev look0 nodad");
	run_until(has_link_local);
	assert_int_equal(link_local()->scope, if_nametoindex("look0"));
	/* and so do those that the kernel gives itself after a while, at the other end too */
	for (unsigned i = 0; i < last.address_count; i++)
		assert_int_equal(last.addresses[i].scope != 0,
				 address_is_link_local(&last.addresses[i]));
}

static void routers_are_those_of_the_best_default_routes(void **state)
{
	(void)state;
	go_home();
	own_network_ip("addr add 10.9.8.2/24 dev look0");
	own_network_ip("route add default via 10.9.8.1 dev look0 metric 600");
	own_network_ip("route add default via 10.9.9.1 dev look0 metric 100");
	own_network_ip("route add 192.0.2.0/24 via 10.9.9.77 dev look0 metric 1");
	own_network_ip("-6 route add default via fe80::1 dev look0 metric 100");
	run_until(has_routes);
	while (!is_at(&last.gateway4, "10.9.9.1"))
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(is_at(&last.toward4, "10.9.9.2")); /* of two the one on its network */
	assert_true(is_at(&last.gateway6, "fe80::1"));
	assert_int_equal(last.gateway6.scope, if_nametoindex("look0"));
	assert_true(is_at(&last.toward6, "2001:db8::2"));
	own_network_ip("route del default via 10.9.9.1 dev look0 metric 100");
	while (!is_at(&last.gateway4, "10.9.8.1"))
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(is_at(&last.toward4, "10.9.8.2"));
	own_network_ip("route change default via 10.9.8.1 dev look0 metric 600 src 10.9.9.2");
	while (!is_at(&last.toward4, "10.9.9.2"))
		uv_run(&loop, UV_RUN_ONCE);
}

static void changes_that_come_together_are_told_once(void **state)
{
	(void)state;
	own_network_ip("link set look0 up");
	own_network_ip("addr add 10.9.9.2/24 dev look0");
	for (unsigned i = 10; i < 20; i++) /* before the loop has looked even once */
		own_network_ip("addr add 10.9.9.%u/24 dev look0", i);
	changes = 0;
	run_until(is_home);
	assert_int_equal(changes, 1);
	assert_true(has("10.9.9.19"));
}

static void a_socket_of_one_address_is_reached_by_that_alone(void **state)
{
	struct address bound = at("10.9.9.2:7171");
	struct network n = { 0 };

	(void)state;
	go_home();
	own_network_ip("route add default via 10.9.9.1 dev look0");
	own_network_ip("-6 route add default via fe80::1 dev look0");
	assert_int_equal(netlink_look(&n, &bound), 0);
	assert_int_equal(n.address_count, 1);
	assert_true(is_at(&n.toward4, "10.9.9.2"));
	assert_int_equal(n.gateway6.family, 0);
	assert_int_equal(n.link_count, 1);
	bound = at("127.0.0.1:7171");
	assert_int_equal(netlink_look(&n, &bound), 0);
	assert_int_equal(n.address_count, 1);
	assert_int_equal(n.gateway4.family, 0);
	assert_int_equal(n.link_count, 0);
	bound = at("0.0.0.0:7171");
	assert_int_equal(netlink_look(&n, &bound), 0);
	for (unsigned i = 0; i < n.address_count; i++)
		assert_int_equal(n.addresses[i].family, 4);
}

static bool is_metered(void)
{
	return last.is_metered;
}

static bool is_free(void)
{
	return !last.is_metered;
}

static void a_modem_is_metered_unless_told_otherwise(void **state)
{
	(void)state;
	go_home();
	own_network_ip("link set look0 down");
	own_network_ip("link set look0 name wwan0");
	own_network_ip("link set wwan0 up");
	own_network_ip("route add default via 10.9.9.1 dev wwan0");
	run_until(is_metered);
	netwatch_set_metered(watch, METERED_NO);
	run_until(is_free);
	netwatch_set_metered(watch, METERED_YES);
	run_until(is_metered);
	netwatch_set_metered(watch, METERED_AUTO);
	own_network_ip("link set wwan0 down");
	own_network_ip("link set wwan0 name look0");
	run_until(is_free); /* nothing leaves by it */
}

static int in_own_network(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
		T(an_address_that_comes_and_goes_is_told),
		T(a_cable_that_is_pulled_takes_the_address_with_it),
		T(a_link_local_address_says_where),
		T(routers_are_those_of_the_best_default_routes),
		T(changes_that_come_together_are_told_once),
		T(a_socket_of_one_address_is_reached_by_that_alone),
		T(a_modem_is_metered_unless_told_otherwise),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	const char *why_not = own_network_enter();

	if (why_not) {
		printf("netwatch: skipped: %s\n", why_not);
		return 0;
	}
	return in_own_network();
}
