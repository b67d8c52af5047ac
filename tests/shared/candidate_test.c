#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "shared/candidate.h"

static void add(struct candidates *all, enum candidate_kind kind, const char *text)
{
	struct address a;

	assert_int_equal(address_parse(&a, text, 0), 0);
	candidates_add(all, kind, &a);
}

static void the_list_is_sorted_by_worth(void **state)
{
	static const char *const want[] = { "[fd00::1]:1", "10.0.0.1:1", "[2001:db8::1]:1",
					    "5.6.7.8:1",   "9.9.9.9:1",  "7.7.7.7:1",
					    "8.8.8.8:1" };
	struct candidates all = { 0 };
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	add(&all, CANDIDATE_RELAY, "8.8.8.8:1");
	add(&all, CANDIDATE_REFLEXIVE, "7.7.7.7:1");
	add(&all, CANDIDATE_MAPPED, "9.9.9.9:1");
	add(&all, CANDIDATE_HOST, "5.6.7.8:1");
	add(&all, CANDIDATE_HOST, "[2001:db8::1]:1");
	add(&all, CANDIDATE_HOST, "10.0.0.1:1");
	add(&all, CANDIDATE_HOST, "[fd00::1]:1");
	assert_int_equal(all.count, 7);
	for (unsigned i = 0; i < all.count; i++) {
		address_print(&all.list[i].address, text);
		assert_string_equal(text, want[i]);
		if (i > 0)
			assert_true(candidate_priority(&all.list[i - 1]) >=
				    candidate_priority(&all.list[i]));
	}
}

static void an_address_is_listed_once_and_only_if_it_can_be_reached(void **state)
{
	struct candidates all = { 0 };

	(void)state;
	add(&all, CANDIDATE_HOST, "10.0.0.1:1");
	add(&all, CANDIDATE_REFLEXIVE, "10.0.0.1:1");
	add(&all, CANDIDATE_HOST, "0.0.0.0:1");
	add(&all, CANDIDATE_HOST, "224.0.0.1:1");
	add(&all, CANDIDATE_HOST, "10.0.0.1:0");
	assert_int_equal(all.count, 1);
	add(&all, CANDIDATE_HOST, "10.0.0.1:2");
	assert_int_equal(all.count, 2);
	add(&all, CANDIDATE_HOST, "[fe80::1%2]:1");
	add(&all, CANDIDATE_HOST, "[fe80::1%3]:1");
	assert_int_equal(all.count, 3);
}

static void when_full_the_least_worthy_gives_way(void **state)
{
	struct candidates all = { 0 };
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	for (unsigned i = 0; i < CANDIDATES_MAX + 4; i++) {
		snprintf(text, sizeof text, "7.7.7.7:%u", 1 + i);
		add(&all, CANDIDATE_REFLEXIVE, text);
	}
	assert_int_equal(all.count, CANDIDATES_MAX);
	assert_int_equal(all.list[CANDIDATES_MAX - 1].address.port, CANDIDATES_MAX);
	add(&all, CANDIDATE_RELAY, "8.8.8.8:1");
	assert_int_equal(all.list[CANDIDATES_MAX - 1].kind, CANDIDATE_REFLEXIVE);
	add(&all, CANDIDATE_HOST, "10.0.0.1:9");
	assert_int_equal(all.count, CANDIDATES_MAX);
	assert_int_equal(all.list[0].kind, CANDIDATE_HOST);
	assert_int_equal(all.list[CANDIDATES_MAX - 1].address.port, CANDIDATES_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_is_sorted_by_worth),
		cmocka_unit_test(an_address_is_listed_once_and_only_if_it_can_be_reached),
		cmocka_unit_test(when_full_the_least_worthy_gives_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
