#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "shared/error.h"
#include "shared/name.h"

static void a_name_is_lower_cased_when_a_person_gives_it(void **state)
{
	struct name n, m;

	(void)state;
	assert_int_equal(name_parse(&n, bytes_text("Alice.B_c-9")), 0);
	assert_string_equal(n.text, "alice.b_c-9");
	assert_int_equal(name_check(&m, bytes_text("alice.b_c-9")), 0);
	assert_true(name_equal(&n, &m));
	assert_int_equal(name_check(&m, bytes_text("bob")), 0);
	assert_false(name_equal(&n, &m));
}

static void upper_case_on_the_wire_is_refused(void **state)
{
	struct name n = { "before" };

	(void)state;
	assert_int_equal(name_check(&n, bytes_text("Alice")), ERR_NAME);
	assert_string_equal(n.text, "before");
}

static void what_is_not_a_name_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"",
		"a",
		".a",
		"_a",
		"-a",
		"a b",
		"a\n",
		"añ",
		"a@b",
		"a/b",
		"012345678901234567890123456789012",
		"a\x7f",
		"\xc3\xa1lvaro",
	};
	struct name n = { "before" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(name_parse(&n, bytes_text(bad[i])), ERR_NAME);
	assert_int_equal(name_parse(&n, bytes_of("ab\0", 3)), ERR_NAME);
	assert_int_equal(name_parse(&n, (struct bytes){ 0 }), ERR_NAME);
	assert_string_equal(n.text, "before");
}

static void a_name_may_have_2_to_32_characters(void **state)
{
	struct name n;

	(void)state;
	assert_int_equal(name_check(&n, bytes_text("a0")), 0);
	assert_int_equal(name_check(&n, bytes_text("01234567890123456789012345678901")), 0);
	assert_int_equal(strlen(n.text), NAME_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_lower_cased_when_a_person_gives_it),
		cmocka_unit_test(upper_case_on_the_wire_is_refused),
		cmocka_unit_test(what_is_not_a_name_is_refused_and_changes_nothing),
		cmocka_unit_test(a_name_may_have_2_to_32_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
