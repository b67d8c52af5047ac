#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/json.h"
#include "shared/text.h"

static void becomes(const char *in, size_t size, const char *out)
{
	char *safe = text_safe(in, size, false);

	assert_string_equal(safe, out);
	free(safe);
}
#define BECOMES(in, out) becomes(in, sizeof(in) - 1, out)

static void what_people_write_stays_as_it_is(void **state)
{
	(void)state;
	BECOMES("", "");
	BECOMES("¡Hola, mañana! ~", "¡Hola, mañana! ~");
	BECOMES("日本語 \xf0\x9f\x98\x80 \xe2\x9d\xa4\xef\xb8\x8f",
		"日本語 \xf0\x9f\x98\x80 \xe2\x9d\xa4\xef\xb8\x8f");
	BECOMES("\xf4\x8f\xbf\xbd", "\xf4\x8f\xbf\xbd"); /* nearly the last code point */
	BECOMES("\\u202e", "\\u202e");
}

static void controls_become_visible(void **state)
{
	(void)state;
	BECOMES("\x1b]0;x\x07", "\\u001b]0;x\\u0007");
	BECOMES("a\0b", "a\\u0000b");
	BECOMES("a\nb\tc\r", "a\\u000ab\\u0009c\\u000d");
	BECOMES("\x7f", "\\u007f");
	BECOMES("\xc2\x9b"
		"31m",
		"\\u009b31m"); /* C1: also a way to begin an escape */
	BECOMES("\xe2\x80\xae"
		"gpj.exe",
		"\\u202egpj.exe");
	BECOMES("\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069");
	BECOMES("a\xe2\x80\x8b\xe2\x80\x8f", "a\\u200b\\u200f");
	BECOMES("\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029");
	BECOMES("\xd8\x9c\xc2\xad", "\\u061c\\u00ad");
	BECOMES("\xef\xbb\xbf", "\\ufeff");
	BECOMES("\xf3\xa0\x81\xa1", "\\U000e0061");
	BECOMES("\xe2\x81\xa0\xe2\x81\xaf", "\\u2060\\u206f");
}

static void joiners_stay_only_where_scripts_and_emoji_need_them(void **state)
{
	(void)state;
	BECOMES("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
		"\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645");
	BECOMES("\U0001f468\u200d\U0001f469\u200d\U0001f467",
		"\U0001f468\u200d\U0001f469\u200d\U0001f467");
	BECOMES("\u2764\ufe0f\u200d\U0001f525", "\u2764\ufe0f\u200d\U0001f525");
	BECOMES("pay\u200dpal", "pay\\u200dpal");
	BECOMES("\u0645\u200ca", "\u0645\\u200ca");
	BECOMES("a\u200c\u0645", "a\\u200c\u0645");
	BECOMES("\u0645\u200c\u200c\u0645", "\u0645\\u200c\\u200c\u0645");
	BECOMES("\u200d\u0645\u200d", "\\u200d\u0645\\u200d");
	BECOMES("\u0645\u200d\u202e", "\u0645\\u200d\\u202e");
}

static void neighbours_of_controls_stay(void **state)
{
	(void)state;
	BECOMES(" ~\xc2\xa0", " ~\xc2\xa0");
	BECOMES("\xe2\x80\x8a\xe2\x80\x90", "\xe2\x80\x8a\xe2\x80\x90"); /* 200A, 2010 */
	BECOMES("\xe2\x80\xa7\xe2\x80\xaf", "\xe2\x80\xa7\xe2\x80\xaf"); /* 2027, 202F */
	BECOMES("\xe2\x81\x9f\xe2\x81\xb0", "\xe2\x81\x9f\xe2\x81\xb0"); /* 205F, 2070 */
}

static void lines_keep_newlines_and_tabs_only(void **state)
{
	char *safe = text_safe("a\nb\tc\r\x1b", 7, true);

	(void)state;
	assert_string_equal(safe, "a\nb\tc\\u000d\\u001b");
	free(safe);
}

static void what_is_not_utf8_is_replaced(void **state)
{
	(void)state;
	BECOMES("\x80", "\ufffd");
	BECOMES("a\xff"
		"b",
		"a\ufffdb");
	BECOMES("\xc0\xaf", "\ufffd\ufffd");           /* overlong */
	BECOMES("\xe0\x80\xaf", "\ufffd\ufffd\ufffd"); /* overlong */
	BECOMES("\xe0\x9f\xbf", "\ufffd\ufffd\ufffd"); /* overlong */
	BECOMES("\xf0\x8f\xbf\xbf", "\ufffd\ufffd\ufffd\ufffd");
	BECOMES("\xed\xa0\x80", "\ufffd\ufffd\ufffd"); /* surrogate */
	BECOMES("\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd");
	BECOMES("\xf5\x80\x80\x80", "\ufffd\ufffd\ufffd\ufffd");
	BECOMES("\xe2\x82", "\ufffd"); /* cut short */
	BECOMES("\xe2\x82"
		"A",
		"\ufffd"
		"A");
	BECOMES("\xe2\x80\x1b", "\ufffd\\u001b"); /* a control cannot hide in a sequence */
	BECOMES("\xf0\x9f\x98", "\ufffd");
}

/* Bytes behind the end are never part of the text. */
static void the_size_ends_the_text(void **state)
{
	(void)state;
	becomes("\xc3\xb1", 1, "\ufffd");
	becomes("abc", 2, "ab");
}

/* The program itself, run as T/bin/say with a catalogue in T/locale or T/share/locale: what it says, first of all in the
 * language of its locale, then in each of `languages`. */
static void say_as(const char *folder, const char *locale, const char *languages,
		   const char *expected)
{
	char command[400], all[256] = "";
	FILE *out;

	snprintf(command, sizeof command,
		 "env -u LANGUAGE -u LC_ALL -u LANG LC_MESSAGES=C LC_ALL=%s '%s/bin/say' --say "
		 "%s",
		 locale, folder, languages);
	out = popen(command, "r");
	assert_non_null(out);
	assert_true(fread(all, 1, sizeof all - 1, out) > 0);
	assert_int_equal(pclose(out), 0);
	assert_string_equal(all, expected);
}

static void say_in(const char *folder, const char *locale, const char *expected)
{
	say_as(folder, locale, "", expected);
}

static void the_catalogue_beside_the_program_is_found(void **state)
{
	char folder[] = "/tmp/palique-text-XXXXXX", command[1024];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(command, sizeof command,
		 "cd %s && mkdir -p bin locale/es/LC_MESSAGES share &&"
		 "cp /proc/%d/exe bin/say &&"
		 "printf 'msgid \"\"\\nmsgstr \"Content-Type: text/plain; "
		 "charset=UTF-8\\\\n\"\\n"
		 "msgid \"tomorrow\"\\nmsgstr \"mañana\"\\n' |"
		 "msgfmt -o locale/es/LC_MESSAGES/palique.mo -",
		 folder, (int)getpid());
	assert_int_equal(system(command), 0);
	/* whether or not this machine has generated that locale */
	say_in(folder, "es_CR.UTF-8", "mañana\n");
	say_in(folder, "C", "tomorrow\n");
	say_in(folder, "de_DE.UTF-8", "tomorrow\n");
	/* of a country, of none, and what nobody speaks, which gettext is never asked for */
	say_as(folder, "C", "es es_MX de zz qq_QQ es",
	       "tomorrow\nes mañana\nes mañana\nen tomorrow\nen tomorrow\nen tomorrow\nes "
	       "mañana\n");
	snprintf(command, sizeof command, "cd %s && mv locale share/", folder);
	assert_int_equal(system(command), 0);
	say_in(folder, "es_CR.UTF-8", "mañana\n");
	snprintf(command, sizeof command, "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

static void json_stays_the_same_and_loses_its_hidden_characters(void **state)
{
	static const char raw[] =
		"{\"t\":\"\xc2\x9b [ \xe2\x80\xae \x7f \xf3\xa0\x81\xa1 \xc3\xb1\"}";
	char *safe = text_safe_json(raw, sizeof raw - 1);
	struct json *before = NULL, *after = NULL;

	(void)state;
	assert_string_equal(safe,
			    "{\"t\":\"\\u009b [ \\u202e \\u007f \\udb40\\udc61 \xc3\xb1\"}");
	assert_int_equal(json_parse(&before, bytes_text(raw)), 0);
	assert_int_equal(json_parse(&after, bytes_text(safe)), 0);
	assert_string_equal(json_text(before, "t"), json_text(after, "t"));
	json_free(before);
	json_free(after);
	free(safe);
}

static void columns_are_counted_in_characters(void **state)
{
	char line[64];

	(void)state;
	assert_int_equal(text_pad("DIR", 10), 10);
	assert_int_equal(text_pad("CÓDIGO", 10), 11);
	assert_int_equal(text_pad("日本", 10), 14);
	snprintf(line, sizeof line, "%-*s|", text_pad("ñ", 4), "ñ");
	assert_string_equal(line, "ñ   |");
}

static void what_is_no_language_changes_nothing(void **state)
{
	(void)state;
	setenv("LANGUAGE", "en", 1);
	text_init();
	text_use("../../etc");
	text_use("a");
	text_use("abcdefghijklmnopq");
	text_use("");
	text_use(NULL);
	assert_string_equal(getenv("LANGUAGE"), "en");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_people_write_stays_as_it_is),
		cmocka_unit_test(controls_become_visible),
		cmocka_unit_test(joiners_stay_only_where_scripts_and_emoji_need_them),
		cmocka_unit_test(neighbours_of_controls_stay),
		cmocka_unit_test(lines_keep_newlines_and_tabs_only),
		cmocka_unit_test(what_is_not_utf8_is_replaced),
		cmocka_unit_test(the_size_ends_the_text),
		cmocka_unit_test(json_stays_the_same_and_loses_its_hidden_characters),
		cmocka_unit_test(the_catalogue_beside_the_program_is_found),
		cmocka_unit_test(columns_are_counted_in_characters),
		cmocka_unit_test(what_is_no_language_changes_nothing),
	};

	if (argc >= 2 && strcmp(argv[1], "--say") == 0) {
		text_init();
		puts(_("tomorrow"));
		for (int i = 2; i < argc; i++) {
			text_use(argv[i]);
			printf("%s %s\n", getenv("LANGUAGE"), _("tomorrow"));
		}
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
