/* Pages over the conversations, and what the terminal's face is told by the person alone. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "peer/faces/tui/bidi.h"
#include "peer/faces/tui/page.h"
#include "peer/faces/tui/wishes.h"
#include "shared/error.h"

static void choose(struct tui *tui, const char *item)
{
	(void)tui;
	(void)item;
}

static struct page *three_items(void)
{
	struct page *p = page_new("title", 20, choose);

	sheet_add(page_sheet(p), STYLE_PLAIN, "above all of them");
	for (int i = 0; i < 3; i++) {
		char name[8];

		snprintf(name, sizeof name, "item%d", i);
		page_item(p, name);
		sheet_add(page_sheet(p), STYLE_PLAIN, "a text that takes two lines here");
	}
	page_item(p, NULL);
	sheet_add(page_sheet(p), STYLE_PLAIN, "below");
	page_done(p);
	return p;
}

static void the_first_item_is_chosen_and_the_ends_hold(void **state)
{
	struct page *p = three_items();
	bool is_chosen;

	(void)state;
	assert_string_equal(page_chosen_item(p), "item0");
	page_line(p, 0, &is_chosen);
	assert_false(is_chosen);
	page_line(p, 1, &is_chosen);
	assert_true(is_chosen);
	page_move(p, -1, 4);
	assert_string_equal(page_chosen_item(p), "item0");
	page_move(p, 100, 4);
	assert_string_equal(page_chosen_item(p), "item2");
	assert_true(page_top(p) > 0);
	assert_false(page_choose_line(p, 0));
	assert_false(page_choose_line(p, page_lines(p) - 1));
	assert_false(page_choose_line(p, 1000));
	assert_true(page_choose_line(p, 3));
	assert_string_equal(page_chosen_item(p), "item1");
	page_free(p);
}

static void a_page_made_again_stays_where_it_was(void **state)
{
	struct page *before = three_items(), *after = three_items();

	(void)state;
	page_move(before, 1, 3);
	page_stay(after, before, 3);
	assert_string_equal(page_chosen_item(after), "item1");
	assert_int_equal(page_top(after), page_top(before));
	page_free(before);
	page_free(after);
}

static void text_alone_is_scrolled_within_its_ends(void **state)
{
	struct page *p = page_new("title", 20, NULL);

	(void)state;
	for (int i = 0; i < 50; i++) {
		sheet_add(page_sheet(p), STYLE_PLAIN, "line");
		sheet_break(page_sheet(p));
	}
	page_done(p);
	assert_null(page_chosen_item(p));
	page_move(p, 1000, 10);
	assert_int_equal(page_top(p), 40);
	page_move(p, -1000, 10);
	assert_int_equal(page_top(p), 0);
	page_free(p);
}

static void wishes_are_kept_and_a_damaged_file_is_none(void **state)
{
	char home[] = "/tmp/palique-wishes-XXXXXX", path[64];
	struct wishes w;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(home));
	w = wishes_read(home);
	assert_true(w.bell && w.mouse && w.images);
	*wishes_find(&w, "bell") = false;
	assert_int_equal(wishes_keep(&w, home), 0);
	assert_false(wishes_read(home).bell);
	assert_true(wishes_read(home).mouse);
	assert_null(wishes_find(&w, "nothing"));
	snprintf(path, sizeof path, "%s/terminal.json", home);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("{\"bell\": fal", f);
	fclose(f);
	assert_true(wishes_read(home).bell);
	unlink(path);
	rmdir(home);
	assert_int_equal(wishes_keep(&w, "/nowhere/at/all"), ERR_IO);
}

static void what_is_read_from_right_to_left_is_put_in_order(void **state)
{
	static const wchar_t text[] = L"\u05d0\u05d1 ab 12";
	wchar_t seen[8];
	size_t from[8];

	(void)state;
	assert_false(bidi_order(L"plain", 5, false, seen, from));
	if (!bidi_can_order())
		skip();
	assert_true(bidi_order(text, 8, true, seen, from));
	assert_memory_equal(seen, L"ab 12 \u05d1\u05d0", 8 * sizeof(wchar_t));
	assert_int_equal(from[7], 0);
	assert_int_equal(from[0], 3);
	assert_false(bidi_order(text, BIDI_MAX + 1, true, seen, from));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_item_is_chosen_and_the_ends_hold),
		cmocka_unit_test(a_page_made_again_stays_where_it_was),
		cmocka_unit_test(text_alone_is_scrolled_within_its_ends),
		cmocka_unit_test(wishes_are_kept_and_a_damaged_file_is_none),
		cmocka_unit_test(what_is_read_from_right_to_left_is_put_in_order),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
