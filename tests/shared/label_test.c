#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shared/label.h"

static void what_can_be_shown_on_a_line_is_a_label(void **state)
{
	static const char *const good[] = { "", "laptop", "Ana's phone", "\xc3\xb1\xc2\xa0",
					    "12345678901234567890123456789012" };
	static const char *const bad[] = { "a\nb",
					   "\x1b[m",
					   "a\x7f",
					   "\xc2\x85",
					   "\xff\xff",
					   "\xc3",
					   "123456789012345678901234567890123" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(label_is_good(bytes_text(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(label_is_good(bytes_text(bad[i])));
	assert_false(label_is_good(bytes_of("a\0b", 3)));
}

static void a_label_is_cut_before_what_may_not_stand_in_one(void **state)
{
	(void)state;
	assert_int_equal(label_cut("laptop"), 6);
	assert_int_equal(label_cut("one\ntwo"), 3);
	assert_int_equal(label_cut("1234567890123456789012345678901\xc3\xbc more"), 31);
	assert_int_equal(label_cut("123456789012345678901234567890\xc3\xbc more"), 32);
	assert_int_equal(label_cut("\n"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_be_shown_on_a_line_is_a_label),
		cmocka_unit_test(a_label_is_cut_before_what_may_not_stand_in_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
