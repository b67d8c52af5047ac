#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shared/nearest.h"

static const char *meant(const char *typed)
{
	static const char *const words[] = {
		"send", "stop", "status", "recv", "history", "ls"
	};
	struct nearest n;

	nearest_begin(&n, typed);
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		nearest_offer(&n, words[i]);
	return n.word;
}

static void one_mistake_of_each_kind_counts_one(void **state)
{
	(void)state;
	assert_int_equal(nearest_distance("send", "send"), 0);
	assert_int_equal(nearest_distance("sned", "send"), 1);
	assert_int_equal(nearest_distance("sand", "send"), 1);
	assert_int_equal(nearest_distance("snd", "send"), 1);
	assert_int_equal(nearest_distance("seend", "send"), 1);
	assert_int_equal(nearest_distance("", "send"), 4);
}

static void a_slip_or_a_beginning_finds_its_word(void **state)
{
	(void)state;
	assert_string_equal(meant("sned"), "send");
	assert_string_equal(meant("rec"), "recv");
	assert_string_equal(meant("hist"), "history");
	assert_string_equal(meant("statsu"), "status");
}

static void what_is_like_nothing_finds_nothing(void **state)
{
	(void)state;
	assert_null(meant("frobnicate"));
	assert_null(meant("x"));
	assert_null(meant(""));
	assert_null(meant("sendsendsendsendsendsendsendsendsendsend"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_mistake_of_each_kind_counts_one),
		cmocka_unit_test(a_slip_or_a_beginning_finds_its_word),
		cmocka_unit_test(what_is_like_nothing_finds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
