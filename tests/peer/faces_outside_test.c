/* A command of palique begun by a face: the words that it gets. This program is begun anew in its place, and writes
 * them down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peer/faces/outside.h"
#include "shared/error.h"

enum { CODE = 7 };

static char file[] = "/tmp/palique-outside-XXXXXX";

static int write_down(int count, char **words)
{
	FILE *out = fopen(getenv("OUTSIDE_FILE"), "w");

	if (!out)
		return 1;
	for (int i = 1; i < count; i++)
		fprintf(out, "<%s>", words[i]);
	return fclose(out) == 0 ? CODE : 1;
}

static void assert_words(const char *line, const char *words)
{
	struct client_place place = { .home = "/a home" };
	char is[512] = "";
	FILE *in;

	assert_int_equal(outside_run(&place, line), CODE);
	in = fopen(file, "r");
	assert_non_null(in);
	assert_non_null(fgets(is, sizeof is, in));
	fclose(in);
	assert_string_equal(is, words);
}

static void words_are_told_apart_as_a_person_means_them(void **state)
{
	(void)state;
	assert_words("passwd", "<--home></a home><passwd>");
	assert_words("backup  ~/x \"a file\" 'and it\"s' $HOME;ls",
		     "<--home></a home><backup></at/home/x><a file><and it\"s><$HOME;ls>");
	assert_words("export \"\" ~x", "<--home></a home><export><><~x>");
}

static void what_has_no_end_is_not_begun(void **state)
{
	struct client_place place = { .home = "/a home" };
	char many[400];

	(void)state;
	assert_int_equal(outside_run(&place, "backup \"a file"), ERR_FORMAT);
	for (size_t i = 0; i < sizeof many - 1; i++)
		many[i] = i % 2 ? ' ' : 'x';
	many[sizeof many - 1] = '\0';
	assert_int_equal(outside_run(&place, many), ERR_FORMAT);
}

static void only_what_comes_to_an_end_can_be_begun(void **state)
{
	(void)state;
	assert_true(outside_can("passwd"));
	assert_true(outside_can("backup"));
	assert_false(outside_can("daemon"));
	assert_false(outside_can("chat"));
	assert_false(outside_can("nothing"));
	assert_false(outside_can(""));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_told_apart_as_a_person_means_them),
		cmocka_unit_test(what_has_no_end_is_not_begun),
		cmocka_unit_test(only_what_comes_to_an_end_can_be_begun),
	};
	int failed, fd;

	if (argc > 1 && !strcmp(argv[1], "--home"))
		return write_down(argc, argv);
	fd = mkstemp(file);
	if (fd < 0 || setenv("OUTSIDE_FILE", file, 1) < 0 || setenv("HOME", "/at/home", 1) < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	remove(file);
	return failed;
}
