/* The line that is written: whole characters, history, what was cut; and signs by their names. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peer/faces/tui/compose.h"
#include "peer/faces/tui/draft.h"
#include "peer/faces/tui/emoji.h"
#include "shared/bytes.h"

static void write_text(struct compose *c, const char *text)
{
	assert_true(compose_insert(c, text, strlen(text)));
}

static void the_cursor_steps_over_whole_characters(void **state)
{
	struct compose *c = compose_new();

	(void)state;
	write_text(c, "ae\u0301\U0001f469\u200d\U0001f680z");
	compose_move(c, MOVE_LEFT);
	compose_move(c, MOVE_LEFT); /* both people of a joined sign at once */
	assert_int_equal(compose_cursor(c), strlen("ae\u0301"));
	compose_cut(c, MOVE_LEFT); /* with the accent on it */
	assert_string_equal(compose_text(c), "a\U0001f469\u200d\U0001f680z");
	compose_cut(c, MOVE_RIGHT);
	assert_string_equal(compose_text(c), "az");
	compose_free(c);
}

static void what_was_cut_comes_back(void **state)
{
	struct compose *c = compose_new();

	(void)state;
	write_text(c, "one two three");
	compose_cut(c, MOVE_WORD_LEFT);
	assert_string_equal(compose_text(c), "one two ");
	compose_move(c, MOVE_HOME);
	compose_yank(c);
	assert_string_equal(compose_text(c), "threeone two ");
	compose_cut(c, MOVE_END);
	assert_string_equal(compose_text(c), "three");
	compose_free(c);
}

static void what_was_being_written_comes_back_behind_the_history(void **state)
{
	struct compose *c = compose_new();

	(void)state;
	write_text(c, "first");
	free(compose_take(c));
	write_text(c, "second");
	free(compose_take(c));
	free(compose_take(c)); /* an empty one is none */
	write_text(c, "third, not sai");
	assert_true(compose_recall(c, true));
	assert_string_equal(compose_text(c), "second");
	assert_true(compose_recall(c, true));
	assert_string_equal(compose_text(c), "first");
	assert_false(compose_recall(c, true));
	assert_true(compose_recall(c, false));
	assert_true(compose_recall(c, false));
	assert_string_equal(compose_text(c), "third, not sai");
	assert_false(compose_recall(c, false));
	compose_free(c);
}

static void what_does_not_fit_changes_nothing(void **state)
{
	struct compose *c = compose_new();
	char *most = memory_new(COMPOSE_MAX + 2);

	(void)state;
	memset(most, 'x', COMPOSE_MAX + 1);
	assert_false(compose_insert(c, most, COMPOSE_MAX + 1));
	assert_true(compose_is_empty(c));
	assert_true(compose_insert(c, most, COMPOSE_MAX));
	assert_false(compose_insert(c, "y", 1));
	assert_false(compose_insert(c, "\xc3", 1)); /* half a character */
	assert_int_equal(strlen(compose_text(c)), COMPOSE_MAX);
	free(most);
	compose_free(c);
}

static void what_is_pasted_has_newlines_and_no_controls(void **state)
{
	struct compose *c = compose_new();

	(void)state;
	write_text(c, "a\r\nb\rc\033d\x01\te");
	assert_string_equal(compose_text(c), "a\nb\ncd\te");
	assert_true(compose_move(c, MOVE_UP));
	assert_true(compose_move(c, MOVE_UP));
	assert_false(compose_move(c, MOVE_UP));
	compose_free(c);
}

static void a_full_row_has_one_behind_it_for_the_cursor(void **state)
{
	struct compose *c = compose_new();
	unsigned at;

	(void)state;
	assert_int_equal(draft_rows(c, 4, &at), 1);
	write_text(c, "abc");
	assert_int_equal(draft_rows(c, 4, &at), 1);
	write_text(c, "d");
	assert_int_equal(draft_rows(c, 4, &at), 2);
	assert_int_equal(at, 1);
	write_text(c, "\n漢字漢");
	assert_int_equal(draft_rows(c, 4, &at), 3);
	assert_int_equal(at, 2);
	compose_move(c, MOVE_HOME);
	draft_rows(c, 4, &at);
	assert_int_equal(at, 1);
	compose_free(c);
}

static void names_between_colons_become_signs(void **state)
{
	char out[64], small[6];

	(void)state;
	emoji_replace("I :heart: it :+1: at 10:30:00 :nosuch:", out, sizeof out);
	assert_string_equal(out, "I ❤️ it 👍 at 10:30:00 :nosuch:");
	emoji_replace("ab:heart:", small, sizeof small); /* not half of one */
	assert_string_equal(small, "ab");
	emoji_replace("\xc3", out, sizeof out);
	assert_int_equal(strlen(out), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cursor_steps_over_whole_characters),
		cmocka_unit_test(what_was_cut_comes_back),
		cmocka_unit_test(what_was_being_written_comes_back_behind_the_history),
		cmocka_unit_test(what_does_not_fit_changes_nothing),
		cmocka_unit_test(what_is_pasted_has_newlines_and_no_controls),
		cmocka_unit_test(a_full_row_has_one_behind_it_for_the_cursor),
		cmocka_unit_test(names_between_colons_become_signs),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
