/* Text laid out for a terminal: nothing of it is wider than it may be, and nothing that a terminal obeys is
 * left in it. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peer/faces/tui/sheet.h"
#include "shared/bytes.h"

/* The line's pieces, one behind the other. */
static char *text_of(const struct sheet *s, size_t i)
{
	const struct sheet_line *line = sheet_line(s, i);
	struct buf all = { 0 };

	for (size_t k = 0; k < line->count; k++)
		buf_append(&all, bytes_text(line->pieces[k].text));
	buf_append_byte(&all, '\0');
	return (char *)all.data;
}

static void assert_line(const struct sheet *s, size_t i, const char *wanted)
{
	char *is = text_of(s, i);

	assert_string_equal(is, wanted);
	free(is);
}

static void words_that_do_not_fit_go_to_the_next_line(void **state)
{
	struct sheet *s = sheet_new(10);

	(void)state;
	sheet_add(s, STYLE_PLAIN, "the train on Monday");
	assert_int_equal(sheet_lines(s), 2);
	assert_line(s, 0, "the train ");
	assert_line(s, 1, "on Monday");
	for (size_t i = 0; i < sheet_lines(s); i++)
		assert_true(sheet_line(s, i)->columns <= 10);
	sheet_free(s);
}

static void a_word_wider_than_the_line_is_broken(void **state)
{
	struct sheet *s = sheet_new(4);

	(void)state;
	sheet_add(s, STYLE_PLAIN, "abcdefghij");
	assert_int_equal(sheet_lines(s), 3);
	assert_line(s, 0, "abcd");
	assert_line(s, 2, "ij");
	assert_true(sheet_line(s, 1)->goes_on);
	assert_false(sheet_line(s, 0)->goes_on);
	sheet_free(s);
}

static void wide_characters_are_never_cut_in_two(void **state)
{
	struct sheet *s = sheet_new(5);

	(void)state;
	sheet_add(s, STYLE_PLAIN, "漢字漢字");
	assert_int_equal(sheet_lines(s), 2);
	assert_line(s, 0, "漢字");
	assert_int_equal(sheet_line(s, 0)->columns, 4);
	assert_int_equal(sheet_fit("漢字", 3), strlen("漢"));
	sheet_free(s);
}

static void what_a_terminal_obeys_is_shown_and_not_obeyed(void **state)
{
	static const char *const hostile[] = { "\033[31mred", "a\rb",      "\u202eevil",
					       "\u200bx",     "\xc2\x9bm", "\x7f",
					       "\xff\xfe",    "\u2066y",   "\033]2;title\a" };
	(void)state;
	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
		struct sheet *s = sheet_new(40);
		char *text;

		sheet_add_marked(s, STYLE_PLAIN, hostile[i]);
		assert_int_equal(sheet_lines(s), 1);
		text = text_of(s, 0);
		assert_true(bytes_is_utf8(bytes_text(text)));
		for (const unsigned char *c = (unsigned char *)text; *c; c++)
			assert_true(*c >= 0x20 && *c != 0x7f);
		assert_null(strstr(text, "\u202e"));
		assert_null(strstr(text, "\u200b"));
		assert_null(strstr(text, "\xc2\x9b"));
		assert_null(strstr(text, "\u2066"));
		free(text);
		sheet_free(s);
	}
}

static void marks_do_not_grow_over_other_lines(void **state)
{
	char zalgo[2 + 2 * 500 + 1] = "e";
	struct sheet *s = sheet_new(10);
	char *text;

	(void)state;
	for (size_t i = 0; i < 500; i++)
		memcpy(zalgo + 1 + 2 * i, "\u0301", 3);
	sheet_add(s, STYLE_PLAIN, zalgo);
	assert_int_equal(sheet_lines(s), 1);
	text = text_of(s, 0);
	assert_int_equal(strlen(text), 1 + 2 * SHEET_MARKS_MAX);
	assert_int_equal(sheet_line(s, 0)->columns, 1);
	free(text);
	sheet_free(s);
}

static void stretches_are_marked_and_their_signs_stay(void **state)
{
	struct sheet *s = sheet_new(80);
	const struct sheet_line *line;

	(void)state;
	sheet_add_marked(s, STYLE_PLAIN, "a *bold* and `code`, 2*3*4 and https://x.org/a_b_c.");
	assert_int_equal(sheet_lines(s), 1);
	line = sheet_line(s, 0);
	assert_int_equal(line->count, 7);
	assert_int_equal(line->pieces[1].style, STYLE_STRONG);
	assert_string_equal(line->pieces[1].text, "*bold*");
	assert_int_equal(line->pieces[3].style, STYLE_CODE);
	assert_int_equal(line->pieces[5].style, STYLE_LINK);
	assert_string_equal(line->pieces[5].text, "https://x.org/a_b_c");
	assert_string_equal(line->pieces[6].text, ".");
	sheet_free(s);
}

static void a_line_knows_which_way_it_is_read(void **state)
{
	struct sheet *s = sheet_new(8);

	(void)state;
	sheet_add(s, STYLE_PLAIN, "\u05e9\u05dc\u05d5\u05dd abcdef ghij\nplain \u05d0");
	assert_true(sheet_lines(s) >= 4);
	assert_true(sheet_line(s, 0)->is_right_to_left);
	assert_true(sheet_line(s, 1)->is_right_to_left); /* a part of the same */
	assert_false(sheet_line(s, 1)->has_right_to_left);
	assert_false(sheet_line(s, sheet_lines(s) - 1)->is_right_to_left);
	assert_true(sheet_line(s, sheet_lines(s) - 1)->has_right_to_left);
	sheet_free(s);
}

static void too_many_lines_are_left_out_and_that_is_shown(void **state)
{
	char *lines = memory_new(2 * SHEET_LINES_MAX + 3);
	struct sheet *s = sheet_new(10);

	(void)state;
	for (size_t i = 0; i < SHEET_LINES_MAX + 1; i++)
		memcpy(lines + 2 * i, "x\n", 2);
	sheet_add(s, STYLE_PLAIN, lines);
	sheet_add(s, STYLE_PLAIN, "more");
	assert_true(sheet_lines(s) <= SHEET_LINES_MAX);
	sheet_free(s);
	free(lines);
}

static void a_sheet_that_is_cut_goes_on_behind_what_is_left(void **state)
{
	struct sheet *s = sheet_new(10), *other = sheet_new(10);

	(void)state;
	sheet_add(s, STYLE_PLAIN, "one\ntwo\nthree");
	sheet_cut(s, 1);
	assert_int_equal(sheet_lines(s), 1);
	sheet_add(s, STYLE_PLAIN, "four");
	sheet_add(other, STYLE_BAD, "five");
	assert_int_equal(sheet_lines(other), 1);
	sheet_add_line(s, sheet_line(other, 0));
	assert_int_equal(sheet_lines(s), 2);
	assert_line(s, 0, "one");
	assert_line(s, 1, "fourfive");
	sheet_cut(s, 0);
	assert_int_equal(sheet_lines(s), 0);
	sheet_free(s);
	sheet_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_that_do_not_fit_go_to_the_next_line),
		cmocka_unit_test(a_word_wider_than_the_line_is_broken),
		cmocka_unit_test(wide_characters_are_never_cut_in_two),
		cmocka_unit_test(what_a_terminal_obeys_is_shown_and_not_obeyed),
		cmocka_unit_test(marks_do_not_grow_over_other_lines),
		cmocka_unit_test(stretches_are_marked_and_their_signs_stay),
		cmocka_unit_test(a_line_knows_which_way_it_is_read),
		cmocka_unit_test(too_many_lines_are_left_out_and_that_is_shown),
		cmocka_unit_test(a_sheet_that_is_cut_goes_on_behind_what_is_left),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
