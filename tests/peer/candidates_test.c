#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "peer/candidates.h"
#include "tests/at.h"

static struct own_candidates *own;

static bool has(const char *text, enum candidate_kind kind)
{
	struct address a = at(text);

	for (unsigned i = 0; i < own_candidates(own)->count; i++) {
		if (own_candidates(own)->list[i].kind == kind &&
		    address_equal(&own_candidates(own)->list[i].address, &a))
			return true;
	}
	return false;
}

static void set_network(uint16_t port, const char *one, const char *two)
{
	struct network network = { .port = port };

	network.addresses[network.address_count++] = at(one);
	if (two)
		network.addresses[network.address_count++] = at(two);
	own_candidates_set_network(own, &network);
}

static void observe(const char *text)
{
	struct address a = at(text);

	own_candidates_set_observed(own, &a);
}

static void map(const char *text)
{
	struct address a = at(text);

	own_candidates_set_mapped(own, &a, 1);
}

static int begin(void **state)
{
	(void)state;
	own = own_candidates_new();
	return 0;
}

static int end(void **state)
{
	(void)state;
	own_candidates_free(own);
	return 0;
}

static void interfaces_get_the_port_of_the_socket(void **state)
{
	(void)state;
	set_network(4242, "192.168.1.5:1", "[2001:db8::5]:2");
	assert_true(has("192.168.1.5:4242", CANDIDATE_HOST));
	assert_true(has("[2001:db8::5]:4242", CANDIDATE_HOST));
	assert_int_equal(own_candidates(own)->count, 2);
}

static void the_same_again_is_no_change(void **state)
{
	struct nat nat = { .mapping = NAT_EASY };
	uint64_t version;

	(void)state;
	set_network(4242, "192.168.1.5:1", NULL);
	observe("203.0.113.9:999");
	map("203.0.113.9:4242");
	own_candidates_set_nat(own, &nat);
	version = own_candidates_version(own);
	set_network(4242, "192.168.1.5:1", NULL);
	observe("203.0.113.9:999");
	map("203.0.113.9:4242");
	own_candidates_set_nat(own, &nat);
	assert_int_equal(own_candidates_version(own), version);
	set_network(4243, "192.168.1.5:1", NULL);
	assert_int_equal(own_candidates_version(own), version + 1);
	nat.filtering = NAT_OPEN;
	own_candidates_set_nat(own, &nat);
	assert_int_equal(own_candidates_version(own), version + 2);
	own_candidates_set_mapped(own, NULL, 0);
	assert_int_equal(own_candidates_version(own), version + 3);
	own_candidates_set_observed(own, NULL);
	assert_int_equal(own_candidates_version(own), version + 4);
	assert_int_equal(own_candidates_observed(own)->family, 0);
}

static void loopback_is_published_only_to_a_directory_on_this_machine(void **state)
{
	(void)state;
	set_network(4242, "127.0.0.1:1", "192.168.1.5:1");
	assert_false(has("127.0.0.1:4242", CANDIDATE_HOST));
	observe("203.0.113.9:999");
	assert_false(has("127.0.0.1:4242", CANDIDATE_HOST));
	assert_true(has("203.0.113.9:999", CANDIDATE_REFLEXIVE));
	observe("127.0.0.1:4242");
	assert_true(has("127.0.0.1:4242", CANDIDATE_HOST));
}

static void link_local_v6_stays_at_home(void **state)
{
	(void)state;
	set_network(4242, "[fe80::1]:1", NULL);
	assert_int_equal(own_candidates(own)->count, 0);
}

static void more_addresses_than_fit_keep_the_list_within_its_limit(void **state)
{
	struct network network = { .port = 4242, .address_count = NETWORK_ADDRESSES_MAX };

	(void)state;
	for (unsigned i = 0; i < NETWORK_ADDRESSES_MAX; i++) {
		network.addresses[i] = at("10.0.0.1:1");
		network.addresses[i].ip[3] = (uint8_t)(i + 1);
	}
	own_candidates_set_network(own, &network);
	assert_int_equal(own_candidates(own)->count, CANDIDATES_MAX);
}

static void
what_a_router_maps_is_published_where_the_directory_sees_the_same_outside(void **state)
{
	(void)state;
	set_network(4242, "192.168.1.5:1", NULL);
	observe("203.0.113.9:999");
	map("203.0.113.9:4242");
	assert_true(has("203.0.113.9:4242", CANDIDATE_MAPPED));
}

static void behind_a_carrier_s_nat_a_mapping_is_nobody_s_business(void **state)
{
	(void)state;
	set_network(4242, "192.168.1.5:1", NULL);
	observe("203.0.113.9:999");
	map("100.64.7.7:4242");
	assert_false(has("100.64.7.7:4242", CANDIDATE_MAPPED));
}

static void an_outer_address_that_is_somebody_else_s_is_not_published(void **state)
{
	(void)state;
	set_network(4242, "192.168.1.5:1", "[2001:db8::5]:1");
	observe("203.0.113.9:999");
	map("198.51.100.1:4242");
	assert_int_equal(own_candidates(own)->count, 4);
	assert_false(has("198.51.100.1:4242", CANDIDATE_MAPPED));
	map("[2001:db8::6]:4242");
	assert_int_equal(own_candidates(own)->count, 4);
}

static void our_own_port_is_tried_at_the_outer_address(void **state)
{
	struct nat none = { .mapping = NAT_NONE };

	(void)state;
	set_network(4242, "192.168.1.5:1", NULL);
	observe("203.0.113.9:999");
	assert_true(has("203.0.113.9:999", CANDIDATE_REFLEXIVE));
	assert_true(has("203.0.113.9:4242", CANDIDATE_REFLEXIVE));
	observe("10.9.9.9:999"); /* a directory in the house does not know the outer one */
	assert_false(has("10.9.9.9:4242", CANDIDATE_REFLEXIVE));
	observe("203.0.113.9:999");
	own_candidates_set_nat(own, &none);
	assert_false(has("203.0.113.9:4242", CANDIDATE_REFLEXIVE));
}

static void a_directory_at_home_does_not_keep_a_mapping_from_those_outside(void **state)
{
	(void)state;
	set_network(4242, "192.168.1.5:1", NULL);
	observe("192.168.1.5:4242");
	map("203.0.113.9:4242");
	assert_true(has("203.0.113.9:4242", CANDIDATE_MAPPED));
	map("100.64.7.7:4242");
	assert_int_equal(own_candidates(own)->count, 1);
}

static void networks_are_the_same_in_all_or_not(void **state)
{
	struct network a = { .port = 1, .address_count = 1, .link_count = 1 }, b;

	(void)state;
	a.addresses[0] = at("[fe80::1]:1");
	b = a;
	assert_true(network_equal(&a, &b));
	b.addresses[0].scope = 3;
	assert_false(network_equal(&a, &b));
	b = a;
	b.wakes++;
	assert_false(network_equal(&a, &b));
	b = a;
	b.gateway4 = at("192.168.1.1:1");
	assert_false(network_equal(&a, &b));
	b = a;
	b.links[0] = 9;
	assert_false(network_equal(&a, &b));
	assert_true(network_has(&a, &a.addresses[0]));
	assert_false(network_has(&a, &b.gateway6));
}

#define OWN(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(interfaces_get_the_port_of_the_socket),
		OWN(the_same_again_is_no_change),
		OWN(loopback_is_published_only_to_a_directory_on_this_machine),
		OWN(link_local_v6_stays_at_home),
		OWN(more_addresses_than_fit_keep_the_list_within_its_limit),
		OWN(what_a_router_maps_is_published_where_the_directory_sees_the_same_outside),
		OWN(behind_a_carrier_s_nat_a_mapping_is_nobody_s_business),
		OWN(an_outer_address_that_is_somebody_else_s_is_not_published),
		OWN(our_own_port_is_tried_at_the_outer_address),
		OWN(a_directory_at_home_does_not_keep_a_mapping_from_those_outside),
		OWN(networks_are_the_same_in_all_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
