#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "directory/options.h"
#include "shared/error.h"

enum { WORDS_MAX = 24 };
static char reason[256];

/* What stands behind the command, up to NULL. */
static int read_words(struct options *o, unsigned taken, char **words)
{
	char *argv[WORDS_MAX + 2] = { "command" };
	int argc = 1;

	while (*words && argc <= WORDS_MAX)
		argv[argc++] = *words++;
	reason[0] = 0;
	return options_read(o, argc, argv, taken, reason, sizeof reason);
}
#define READ(o, taken, ...) read_words(o, taken, (char *[]){ __VA_ARGS__, NULL })

static void what_is_given_is_read_and_the_rest_is_as_it_is_by_itself(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(READ(&o, OPTION_COUNT | OPTION_EXPIRES | OPTION_LISTEN, "--count",
			      "12", "--expires=2w", "--listen", "10.0.0.1:99", "--listen",
			      "10.0.0.2", "--data", "/srv/d", "--json"),
			 0);
	assert_int_equal(o.given, OPTION_COUNT | OPTION_EXPIRES | OPTION_LISTEN | OPTION_DATA |
					  OPTION_JSON);
	assert_int_equal(o.count, 12);
	assert_int_equal(o.expires, 2 * 604800);
	assert_int_equal(o.listen_count, 2);
	assert_int_equal(o.listen[0].port, 99);
	assert_int_equal(o.listen[1].port, DIRECTORY_PORT);
	assert_string_equal(o.data, "/srv/d");
	assert_int_equal(o.password_fd, -1);
	assert_int_equal(o.line, -1);
	assert_int_equal(o.word_count, 0);

	assert_int_equal(READ(&o, OPTION_COUNT, "--json"), 0);
	assert_int_equal(o.count, 1);
	assert_true(strlen(o.data) > 0);
}

static void words_stand_between_options_and_behind_two_dashes(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(READ(&o, OPTION_COUNT, "revoke", "--count", "2", "x", "--", "--json"),
			 0);
	assert_int_equal(o.word_count, 3);
	assert_string_equal(o.words[0], "revoke");
	assert_string_equal(o.words[1], "x");
	assert_string_equal(o.words[2], "--json");
	assert_int_equal(o.given, OPTION_COUNT);
}

static void an_option_of_another_command_is_refused_by_name(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(READ(&o, OPTION_COUNT, "--line", "3"), ERR_FORMAT);
	assert_non_null(strstr(reason, "--line"));
	assert_int_equal(READ(&o, OPTION_COUNT, "--colour"), ERR_FORMAT);
	assert_non_null(strstr(reason, "--colour"));
	assert_int_equal(READ(&o, OPTION_COUNT, "--count"), ERR_FORMAT);
	assert_non_null(strstr(reason, "--count"));
}

static void a_value_that_is_none_is_refused_and_named(void **state)
{
	static char *const bad[][2] = {
		{ "--count", "0" },       { "--count", "10001" },
		{ "--count", "-1" },      { "--count", "2x" },
		{ "--count", "" },        { "--count", "99999999999" },
		{ "--expires", "7" },     { "--expires", "0d" },
		{ "--expires", "7y" },    { "--expires", "7dd" },
		{ "--expires", "d" },     { "--expires", "1000001m" },
		{ "--password-fd", "x" }, { "--line", "65536" },
		{ "--line", "+1" },       { "--listen", "10.0.0:1" },
		{ "--listen", "" },       { "--data", "" },
		{ "--socket", "" },       { "--allow-user", "" },
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (READ(&o, ~0U, bad[i][0], bad[i][1]) != ERR_FORMAT)
			fail_msg("%s '%s' is taken", bad[i][0], bad[i][1]);
		assert_non_null(strstr(reason, bad[i][0]));
	}
}

static void what_may_be_repeated_has_a_limit(void **state)
{
	char *words[WORDS_MAX + 1];
	struct options o;

	(void)state;
	for (int i = 0; i <= OPTIONS_ALLOW_MAX; i++) {
		words[2 * i] = "--allow-user";
		words[2 * i + 1] = "somebody";
	}
	words[2 * OPTIONS_ALLOW_MAX] = NULL;
	assert_int_equal(read_words(&o, OPTION_ALLOW_USER, words), 0);
	assert_int_equal(o.allow_count, OPTIONS_ALLOW_MAX);
	words[2 * OPTIONS_ALLOW_MAX] = "--allow-user";
	words[2 * OPTIONS_ALLOW_MAX + 2] = NULL;
	assert_int_equal(read_words(&o, OPTION_ALLOW_USER, words), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_given_is_read_and_the_rest_is_as_it_is_by_itself),
		cmocka_unit_test(words_stand_between_options_and_behind_two_dashes),
		cmocka_unit_test(an_option_of_another_command_is_refused_by_name),
		cmocka_unit_test(a_value_that_is_none_is_refused_and_named),
		cmocka_unit_test(what_may_be_repeated_has_a_limit),
	};

	setenv("LC_ALL", "C", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
