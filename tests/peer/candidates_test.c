#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "peer/candidates.h"

static struct address at(const char *text)
{
	struct address a;

	assert_int_equal(address_parse(&a, text, 1), 0);
	return a;
}

static bool has(const struct own_candidates *c, const char *text, enum candidate_kind kind)
{
	struct address a = at(text);

	for (unsigned i = 0; i < own_candidates(c)->count; i++) {
		if (own_candidates(c)->list[i].kind == kind &&
		    address_equal(&own_candidates(c)->list[i].address, &a))
			return true;
	}
	return false;
}

static void interfaces_get_the_port_of_the_socket(void **state)
{
	struct own_candidates *c = own_candidates_new();
	struct address list[] = { at("192.168.1.5:1"), at("[2001:db8::5]:2") };

	(void)state;
	assert_true(own_candidates_set_host(c, list, 2, 4242));
	assert_true(has(c, "192.168.1.5:4242", CANDIDATE_HOST));
	assert_true(has(c, "[2001:db8::5]:4242", CANDIDATE_HOST));
	assert_int_equal(own_candidates(c)->count, 2);
	own_candidates_free(c);
}

static void the_same_again_is_no_change(void **state)
{
	struct own_candidates *c = own_candidates_new();
	struct address list[] = { at("192.168.1.5:1") };

	(void)state;
	assert_true(own_candidates_set_host(c, list, 1, 4242));
	assert_false(own_candidates_set_host(c, list, 1, 4242));
	assert_true(own_candidates_set_host(c, list, 1, 4243));
	own_candidates_free(c);
}

static void loopback_is_published_only_to_a_directory_on_this_machine(void **state)
{
	struct own_candidates *c = own_candidates_new();
	struct address list[] = { at("127.0.0.1:1"), at("192.168.1.5:1") };
	struct address outside = at("203.0.113.9:999"), inside = at("127.0.0.1:4242");

	(void)state;
	own_candidates_set_host(c, list, 2, 4242);
	assert_false(has(c, "127.0.0.1:4242", CANDIDATE_HOST));
	assert_true(own_candidates_set_observed(c, &outside));
	assert_false(has(c, "127.0.0.1:4242", CANDIDATE_HOST));
	assert_true(has(c, "203.0.113.9:999", CANDIDATE_REFLEXIVE));
	assert_true(own_candidates_set_observed(c, &inside));
	assert_true(has(c, "127.0.0.1:4242", CANDIDATE_HOST));
	own_candidates_free(c);
}

static void link_local_v6_stays_at_home(void **state)
{
	struct own_candidates *c = own_candidates_new();
	struct address list[] = { at("[fe80::1]:1") };

	(void)state;
	assert_false(own_candidates_set_host(c, list, 1, 4242));
	assert_int_equal(own_candidates(c)->count, 0);
	own_candidates_free(c);
}

static void more_addresses_than_fit_keep_the_list_within_its_limit(void **state)
{
	struct own_candidates *c = own_candidates_new();
	struct address list[100];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		list[i] = at("10.0.0.1:1");
		list[i].ip[3] = (uint8_t)(i + 1);
	}
	own_candidates_set_host(c, list, 100, 4242);
	assert_int_equal(own_candidates(c)->count, CANDIDATES_MAX);
	own_candidates_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_get_the_port_of_the_socket),
		cmocka_unit_test(the_same_again_is_no_change),
		cmocka_unit_test(loopback_is_published_only_to_a_directory_on_this_machine),
		cmocka_unit_test(link_local_v6_stays_at_home),
		cmocka_unit_test(more_addresses_than_fit_keep_the_list_within_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
