#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/menu.h"

static int buttons(const char *lines)
{
	return menu_check_buttons(bytes_text(lines));
}

static int commands(const char *lines)
{
	return menu_check_commands(bytes_text(lines));
}

static void buttons_are_up_to_eight_lines_that_can_be_read(void **state)
{
	(void)state;
	assert_int_equal(buttons(""), 0);
	assert_int_equal(buttons("yes\nno"), 0);
	assert_int_equal(buttons("sí, señor 👍"), 0);
	assert_int_equal(buttons("1\n2\n3\n4\n5\n6\n7\n8"), 0);
	assert_int_equal(buttons("1\n2\n3\n4\n5\n6\n7\n8\n9"), ERR_LIMIT);
	assert_int_equal(buttons("0123456789012345678901234567890123456789012345678901234567890123"), 0);
	assert_int_equal(buttons("01234567890123456789012345678901234567890123456789012345678901234"),
			 ERR_LIMIT);
}

static void a_line_that_shows_something_else_than_it_is_is_refused(void **state)
{
	static const char *const wrong[] = {
		"yes\n",      "\nyes",         "yes\n\nno",     " ",           "a\tb",
		"a\x1b[31mb", "a\x7f",         "a\xc2\x9b" "b", "a\u202e" "b", "\u2066x",
		"a\u200f",    "a\xff",         "a\xc0\x80",     "a\u2028",     "\xef\xbb\xbfx",
		"a\rb",       "a\xed\xa0\x80",
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		if (buttons(wrong[i]) != ERR_FORMAT)
			fail_msg("line %zu is taken", i);
	}
	assert_int_equal(menu_check_buttons(bytes_of("a\0b", 3)), ERR_FORMAT);
}

static void a_command_is_a_name_and_what_it_is_for(void **state)
{
	(void)state;
	assert_int_equal(commands("list what waits\nforget NUMBER: takes one away"), 0);
	assert_int_equal(commands("list"), ERR_FORMAT);
	assert_int_equal(commands("list "), ERR_FORMAT);
	assert_int_equal(commands(" list x"), ERR_FORMAT);
	assert_int_equal(commands("List x"), ERR_FORMAT);
	assert_int_equal(commands("/list x"), ERR_FORMAT);
	assert_int_equal(commands("a23456789012345678901234567890123 x"), ERR_LIMIT);
	assert_int_equal(commands("list a\u202eb"), ERR_FORMAT);
}

static void lines_are_taken_one_after_the_other(void **state)
{
	struct bytes lines = bytes_text("list what waits\nend x"), line, name, about;

	(void)state;
	assert_true(menu_next(&lines, &line));
	menu_split(line, &name, &about);
	assert_true(bytes_equal(name, bytes_text("list")));
	assert_true(bytes_equal(about, bytes_text("what waits")));
	assert_true(menu_next(&lines, &line));
	assert_true(bytes_equal(line, bytes_text("end x")));
	assert_false(menu_next(&lines, &line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buttons_are_up_to_eight_lines_that_can_be_read),
		cmocka_unit_test(a_line_that_shows_something_else_than_it_is_is_refused),
		cmocka_unit_test(a_command_is_a_name_and_what_it_is_for),
		cmocka_unit_test(lines_are_taken_one_after_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
