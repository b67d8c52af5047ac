#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "shared/error.h"
#include "shared/qr.h"
#include "shared/safety.h"

static void begin(const char *color)
{
	struct options o = { 0 };

	o.value[OPT_COLOR] = color;
	assert_int_equal(out_init(&o), 0);
}

static void colours_are_off_where_nobody_looks(void **state)
{
	(void)state;
	begin("never");
	assert_string_equal(out_color(COLOR_GOOD, "yes"), "yes");
	begin("always");
	assert_string_equal(out_color(COLOR_GOOD, "yes"), "\033[32myes\033[0m");
	begin("never");
}

static void no_color_is_heeded_unless_colours_are_demanded(void **state)
{
	(void)state;
	setenv("NO_COLOR", "1", 1);
	begin(NULL);
	assert_string_equal(out_color(COLOR_BAD, "no"), "no");
	begin("always");
	assert_string_not_equal(out_color(COLOR_BAD, "no"), "no");
	unsetenv("NO_COLOR");
	begin("never");
}

static void another_colour_word_is_refused(void **state)
{
	struct options o = { 0 };

	(void)state;
	o.value[OPT_COLOR] = "pink";
	assert_int_equal(out_init(&o), ERR_FORMAT);
}

static void broken_is(const char *text, unsigned columns, unsigned used, const char *wanted)
{
	char *broken = out_broken(text, columns, used, 2);

	assert_string_equal(broken, wanted);
	free(broken);
}

static void lines_are_broken_between_words(void **state)
{
	(void)state;
	broken_is("fits", 20, 0, "fits");
	broken_is("twenty columns it is. And more", 21, 0, "twenty columns it is.\n  And more");
	broken_is("twenty columns it is. And more", 21, 2, "twenty columns it\n  is. And more");
	broken_is("    a margin of four stays so", 24, 0, "    a margin of four\n    stays so");
	broken_is("one line\nand another one is here", 20, 0,
		  "one line\nand another one is\n  here");
	broken_is("\303\261\303\261\303\261\303\261 \303\261\303\261\303\261\303\261\303\261 "
		  "\033[32m12345678\033[0m x",
		  20, 0,
		  "\303\261\303\261\303\261\303\261 \303\261\303\261\303\261\303\261\303\261 "
		  "\033[32m12345678\033[0m\n  x");
	broken_is("a wordthatislongerthanalineofthisterminal b", 30, 0,
		  "a\n  wordthatislongerthanalineofthisterminal\n  b");
}

static void a_command_to_type_is_not_broken_where_it_fits(void **state)
{
	(void)state;
	broken_is("try again with: palique accept ana", 30, 0,
		  "try again with:\n  palique accept ana");
	broken_is("she still waits (palique accept ana) for you", 30, 0,
		  "she still waits\n  (palique accept ana) for you");
	broken_is("type: palique ls, or what else there is", 30, 0,
		  "type: palique ls, or what else\n  there is");
	broken_is("palique devices name 12345678 another-name of it", 30, 0,
		  "palique devices name 12345678\n  another-name of it");
}

static void text_from_outside_cannot_reach_the_terminal_raw(void **state)
{
	(void)state;
	assert_null(strchr(out_safe("red\033[31m"), '\033'));
	assert_null(strchr(out_safe("two\nlines"), '\n'));
	assert_non_null(strchr(out_safe_lines("two\nlines"), '\n'));
	assert_null(strstr(out_safe("right\xe2\x80\xaeleft"), "\xe2\x80\xae"));
	assert_string_equal(out_safe("¿qué tal?"), "¿qué tal?");
}

static void a_message_of_several_lines_cannot_look_like_several_messages(void **state)
{
	(void)state;
	assert_string_equal(out_safe_lines("hi\n14:05 bob: lie"), "hi\n      14:05 bob: lie");
}

static void a_moment_today_is_an_hour_and_another_day_has_its_date(void **state)
{
	const char *text;
	time_t now;

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	assert_string_equal(out_time(1000000000000), "2001-09-09 01:46");
	do { /* again, should midnight come in between */
		now = time(NULL);
		text = out_time((wall_ms)now * 1000);
	} while (time(NULL) / 86400 != now / 86400);
	assert_int_equal(strlen(text), 5);
}

static void durations_have_a_unit_people_know(void **state)
{
	(void)state;
	assert_string_equal(out_duration(0.42), "0.4 ms");
	assert_string_equal(out_duration(12.3), "12 ms");
	assert_string_equal(out_duration(1500), "1.5 s");
}

static void lines_beside_a_code_stand_alone_where_nobody_looks(void **state)
{
	static const char *const lines[] = { "You and bob", "", "01234 56789" };
	FILE *before = stdout;
	char *text = NULL;
	size_t size = 0;

	(void)state;
	begin("never");
	stdout = open_memstream(&text, &size);
	out_beside_qr("palique-safety:1:x", lines, 3);
	fclose(stdout);
	stdout = before;
	assert_string_equal(text, "You and bob\n\n01234 56789\n");
	free(text);
}

/* Of the size that all of them have, and with letters that no shorter mode can write. */
static void a_safety_code_and_the_lines_beside_it_fit_a_terminal(void **state)
{
	static const char code[] = "palique-safety:1:"
				   "aZ0_bY1-cX2_dW3-eV4_fU5-gT6_hS7-iR8_jQ9-kP0_"
				   "lO1-mN2_nM3-oL4_pK5-qJ6_rI7-sH8_tG9-uF0_vE";
	unsigned rows = 0, columns = 0;
	struct buf out;

	(void)state;
	assert_int_equal(sizeof code, SAFETY_CODE_SIZE);
	buf_init(&out, 65536);
	assert_int_equal(qr_print(&out, code), 0);
	for (size_t i = 0; i < out.size; i++) {
		rows += out.data[i] == '\n';
		columns += rows == 0 && (out.data[i] & 0xc0) != 0x80;
	}
	assert_true(rows <= 22);
	assert_true(columns + 2 + OUT_BESIDE < 80);
	buf_clear(&out);
}

static void path_is(const char *contact, const char *brief, const char *full)
{
	struct json *o = NULL;
	char words[256];

	assert_int_equal(json_parse(&o, bytes_text(contact)), 0);
	assert_string_equal(cmd_way(o), brief);
	cmd_path(o, words, sizeof words);
	assert_string_equal(words, full);
	json_free(o);
}

static void a_path_is_told_in_words(void **state)
{
	(void)state;
	path_is("{\"connected\":true,\"pathKind\":\"punched\",\"address\":\"203.0.113.7:4711\","
		"\"roundTripMs\":43.2}",
		" (direct 203.0.113.7:4711, 43 ms)",
		"linked: direct through the routers, 203.0.113.7:4711, 43 ms");
	path_is("{\"connected\":true,\"pathKind\":\"relayed\",\"relay\":\"carol\","
		"\"roundTripMs\":80}",
		" (through carol, 80 ms)", "linked: through carol (relay), 80 ms");
	path_is("{\"connected\":true,\"pathKind\":\"lan\",\"address\":\"192.168.1.7:1\","
		"\"roundTripMs\":0.4}",
		" (same network 192.168.1.7:1, 0.4 ms)",
		"linked: on the same network, 192.168.1.7:1, 0.4 ms");
	path_is("{\"connected\":false,\"pathKind\":null,\"looking\":true}", "",
		"online, looking for a path");
	path_is("{\"connected\":false,\"pathKind\":null,\"consent\":\"never\"}", "",
		"online; you chose that no connection is made");
	/* Of a kind that this face has never heard of. */
	path_is("{\"connected\":true,\"pathKind\":\"carrier-pigeon\",\"address\":\"10.0.0.1:"
		"1\","
		"\"roundTripMs\":43}",
		" (direct 10.0.0.1:1, 43 ms)", "linked: direct, 10.0.0.1:1, 43 ms");
}

static void light_formatting_shows_and_keeps_its_signs(void **state)
{
	(void)state;
	begin("always");
	assert_string_equal(out_marked("a *b c* d"), "a \033[1m*b c*\033[0m d");
	assert_string_equal(out_marked("_x_, `y`"), "\033[3m_x_\033[0m, \033[2m`y`\033[0m");
	assert_string_equal(out_marked("2*3*4 snake_case_name * a*"),
			    "2*3*4 snake_case_name * a*");
	assert_string_equal(out_marked("*open\nend*"), "*open\n      end*");
	assert_string_equal(out_marked("*\033[31m*"), "\033[1m*\\u001b[31m*\033[0m");
	begin("never");
	assert_string_equal(out_marked("a *b*"), "a *b*");
}

static void what_was_found_is_marked_and_nothing_else_gets_through(void **state)
{
	(void)state;
	begin("never");
	assert_string_equal(out_found("the \002train\003 \033[2J"), "the train \\u001b[2J");
	begin("always");
	assert_string_equal(out_found("\002a\003 b"), "\033[1ma\033[0m b");
}

static void sizes_and_spans_have_a_unit_people_know(void **state)
{
	(void)state;
	assert_string_equal(out_size(0), "0 bytes");
	assert_string_equal(out_size(999), "999 bytes");
	assert_string_equal(out_size(2100000), "2.1 MB");
	assert_string_equal(out_size(999999), "1.0 MB");
	assert_string_equal(out_size(INT64_MAX), "9223 PB");
	assert_string_equal(out_span(40), "40 s");
	assert_string_equal(out_span(86400), "24 h");
	assert_string_equal(out_span(14 * 86400), "14 days");
}

static struct json *parsed(const char *text)
{
	struct json *o;

	assert_int_equal(json_parse(&o, bytes_text(text)), 0);
	return o;
}

static void files_are_told_in_words_whatever_they_are_called(void **state)
{
	struct json *o = parsed(
		"{\"name\":\"a\\u202eb\",\"type\":\"image/png\",\"size\":2100000,"
		"\"width\":1920,\"height\":1080,\"alt\":\"a \\u001b[2Jcat\"}");
	char words[256];

	(void)state;
	cmd_file_words(o, words, sizeof words);
	assert_string_equal(words, "[image PNG 1920x1080, 2.1 MB: a \\u001b[2Jcat]");
	json_free(o);
	o = parsed("{\"name\":\"a\\u202eb\",\"type\":\"text/plain\",\"size\":5}");
	cmd_file_words(o, words, sizeof words);
	assert_string_equal(words, "[file a\\u202eb, 5 bytes]");
	json_free(o);
	o = parsed("{\"state\":\"running\",\"done\":50,\"size\":200,\"rate\":10,"
		   "\"secondsLeft\":15}");
	cmd_transfer_words(o, false, "bob", "7", words, sizeof words);
	assert_string_equal(words, "25 %, 50 bytes of 200 bytes, 10 bytes/s, 15 s left");
	json_free(o);
	o = parsed("{\"state\":\"offered\"}");
	cmd_transfer_words(o, false, "bob", "7", words, sizeof words);
	assert_string_equal(words, "not fetched: palique files accept 7");
	cmd_transfer_words(o, true, "bob", "7", words, sizeof words);
	assert_string_equal(words, "offered by another device of yours");
	json_free(o);
	o = parsed("{\"state\":\"offered\",\"path\":\"/home/alice/cat.png\"}");
	cmd_transfer_words(o, true, "bob", "7", words, sizeof words);
	assert_string_equal(words, "offered; bob has not fetched it yet");
	json_free(o);
	o = parsed("{\"state\":\"offered\",\"path\":\"/cat.png\",\"done\":43,\"size\":100}");
	cmd_transfer_words(o, true, "bob", "7", words, sizeof words);
	assert_string_equal(words, "interrupted at 43 %: goes on when bob is there and asks "
				   "for the rest");
	json_free(o);
	o = parsed("{\"state\":\"paused\",\"done\":43,\"size\":100}");
	cmd_transfer_words(o, false, "bob", "7", words, sizeof words);
	assert_string_equal(words, "paused at 43 %: palique files resume 7");
	json_free(o);
	o = parsed("{\"state\":\"waiting\",\"done\":43,\"size\":100,\"reason\":\"why\"}");
	cmd_transfer_words(o, false, "bob", "7", words, sizeof words);
	assert_string_equal(words, "waits for bob: why");
	json_free(o);
	o = parsed("{\"state\":\"failed\",\"error\":\"expired\",\"reason\":\"why\"}");
	cmd_transfer_words(o, false, "bob", "7", words, sizeof words);
	assert_string_equal(words, "bob has taken the offer back");
	cmd_transfer_words(o, true, "bob", "7", words, sizeof words);
	assert_string_equal(words, "bob has cancelled it; they may fetch it all the same");
	json_free(o);
}

static void a_message_is_named_by_its_digits(void **state)
{
	(void)state;
	assert_string_equal(cmd_id("17"), "17");
	assert_string_equal(cmd_id("#17"), "17");
	assert_string_equal(cmd_id("[17]"), "17");
	assert_null(cmd_id("17x"));
	assert_null(cmd_id(""));
	assert_null(cmd_id("-1"));
	assert_null(cmd_id("99999999999999999999"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(colours_are_off_where_nobody_looks),
		cmocka_unit_test(no_color_is_heeded_unless_colours_are_demanded),
		cmocka_unit_test(another_colour_word_is_refused),
		cmocka_unit_test(lines_are_broken_between_words),
		cmocka_unit_test(a_command_to_type_is_not_broken_where_it_fits),
		cmocka_unit_test(text_from_outside_cannot_reach_the_terminal_raw),
		cmocka_unit_test(a_message_of_several_lines_cannot_look_like_several_messages),
		cmocka_unit_test(a_moment_today_is_an_hour_and_another_day_has_its_date),
		cmocka_unit_test(durations_have_a_unit_people_know),
		cmocka_unit_test(lines_beside_a_code_stand_alone_where_nobody_looks),
		cmocka_unit_test(a_path_is_told_in_words),
		cmocka_unit_test(light_formatting_shows_and_keeps_its_signs),
		cmocka_unit_test(what_was_found_is_marked_and_nothing_else_gets_through),
		cmocka_unit_test(sizes_and_spans_have_a_unit_people_know),
		cmocka_unit_test(files_are_told_in_words_whatever_they_are_called),
		cmocka_unit_test(a_message_is_named_by_its_digits),
		cmocka_unit_test(a_safety_code_and_the_lines_beside_it_fit_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
