#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/log.h"

static char written[65536];
static int kept_stderr, file;

static void catch_stderr(void)
{
	char path[] = "/tmp/palique-log-XXXXXX";

	kept_stderr = dup(STDERR_FILENO);
	file = mkstemp(path);
	assert_true(file >= 0);
	unlink(path);
	dup2(file, STDERR_FILENO);
}

static const char *caught(void)
{
	ssize_t size = pread(file, written, sizeof written - 1, 0);

	dup2(kept_stderr, STDERR_FILENO);
	close(kept_stderr);
	close(file);
	assert_true(size >= 0);
	written[size] = 0;
	return written;
}

/* Behind the time: "2026-11-22T08:35:10.123Z " */
static const char *caught_after_time(void)
{
	const char *line = caught();

	assert_true(strlen(line) > 25);
	assert_int_equal(line[10], 'T');
	assert_memory_equal(line + 23, "Z ", 2);
	return line + 25;
}

static void an_event_is_one_line_of_pairs(void **state)
{
	(void)state;
	log_init(LOG_INFO, false);
	catch_stderr();
	log_event(LOG_NOTICE, "listening", "port", log_int(7272), "error",
		  log_error(ERR_LOCKED), NULL);
	assert_string_equal(caught_after_time(), "notice listening port=7272 error=locked\n");
}

static void values_are_quoted_where_needed(void **state)
{
	(void)state;
	log_init(LOG_INFO, false);
	catch_stderr();
	log_event(LOG_ERROR, "x", "a", "two words", "b", "say \"hi\"", "c", "", "d", "a=b",
		  NULL);
	assert_string_equal(caught_after_time(),
			    "error x a=\"two words\" b=\"say \\\"hi\\\"\" c=\"\" d=\"a=b\"\n");
}

static void a_value_cannot_forge_a_line(void **state)
{
	const char *line;

	(void)state;
	log_init(LOG_INFO, false);
	catch_stderr();
	log_event(LOG_WARNING, "x", "a", "b\nerror forged\x1b[2J\xff", NULL);
	line = caught_after_time();
	assert_int_equal(strcspn(line, "\n"), strlen(line) - 1);
	assert_null(strchr(line, '\x1b'));
	assert_non_null(strstr(line, "\\u000a"));
}

static void json_lines_carry_numbers_as_numbers(void **state)
{
	const char *line;

	(void)state;
	log_init(LOG_INFO, true);
	catch_stderr();
	log_event(LOG_INFO, "seen", "n", log_int(-5), "text", "a \"b\" \\ \n", NULL);
	line = caught();
	assert_int_equal(strncmp(line, "{\"time\":\"20", 11), 0);
	assert_non_null(strstr(line, "\",\"level\":\"info\",\"event\":\"seen\",\"n\":-5,"
				     "\"text\":\"a \\\"b\\\" \\\\ \\\\u000a\"}\n"));
}

static void what_is_above_the_level_is_not_written(void **state)
{
	(void)state;
	log_init(LOG_WARNING, false);
	catch_stderr();
	log_event(LOG_NOTICE, "quiet", NULL);
	log_event(LOG_WARNING, "loud", NULL);
	assert_string_equal(caught_after_time(), "warning loud\n");
}

static void a_long_value_is_cut(void **state)
{
	static char many[100000];
	const char *line;

	(void)state;
	memset(many, 'a', sizeof many - 1);
	log_init(LOG_INFO, false);
	catch_stderr();
	log_event(LOG_INFO, "x", "v", many, "after", "it", NULL);
	line = caught();
	assert_true(strlen(line) < 1000);
	assert_non_null(strstr(line, "...\" after=it\n"));
}

static void in_the_journal_a_priority_stands_before_the_event(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	catch_stderr();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init(LOG_INFO, false);
	unsetenv("JOURNAL_STREAM");
	log_event(LOG_WARNING, "x", "n", log_int(1), NULL);
	assert_string_equal(caught(), "<4>x n=1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_one_line_of_pairs),
		cmocka_unit_test(values_are_quoted_where_needed),
		cmocka_unit_test(a_value_cannot_forge_a_line),
		cmocka_unit_test(json_lines_carry_numbers_as_numbers),
		cmocka_unit_test(what_is_above_the_level_is_not_written),
		cmocka_unit_test(a_long_value_is_cut),
		cmocka_unit_test(in_the_journal_a_priority_stands_before_the_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
