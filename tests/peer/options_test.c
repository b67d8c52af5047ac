#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/options_table.h"
#include "shared/error.h"

static struct options o;
static char trouble[256], next[128];

/* `line` is split at spaces. */
static int parse(const char *line)
{
	static char copy[512];
	char *argv[32] = { "palique" };
	int argc = 1;

	strncpy(copy, line, sizeof copy - 1);
	for (char *word = strtok(copy, " "); word && argc < 31; word = strtok(NULL, " "))
		argv[argc++] = word;
	trouble[0] = next[0] = '\0';
	return options_parse(&o, argc, argv, trouble, sizeof trouble, next, sizeof next);
}

static void options_may_stand_before_and_behind_the_command(void **state)
{
	(void)state;
	assert_int_equal(parse("--home /x --json join palique:h --name bob"), 0);
	assert_int_equal(o.command, CMD_JOIN);
	assert_string_equal(o.value[OPT_HOME], "/x");
	assert_string_equal(o.value[OPT_NAME], "bob");
	assert_non_null(o.value[OPT_JSON]);
	assert_int_equal(o.argument_count, 1);
	assert_string_equal(o.arguments[0], "palique:h");
}

static void a_value_may_hang_on_an_equals_sign(void **state)
{
	(void)state;
	assert_int_equal(parse("history bob --limit=5"), 0);
	assert_string_equal(o.value[OPT_LIMIT], "5");
}

static void a_message_is_the_rest_of_the_line(void **state)
{
	(void)state;
	assert_int_equal(parse("send bob it is -5 degrees"), 0);
	assert_int_equal(o.argument_count, 5);
	assert_string_equal(o.arguments[3], "-5");
}

static void an_option_behind_the_text_is_never_sent_to_somebody(void **state)
{
	(void)state;
	assert_int_equal(parse("send bob hi --wait delivered --timeout 3"), 0);
	assert_int_equal(o.argument_count, 2);
	assert_string_equal(o.value[OPT_WAIT], "delivered");
	assert_int_equal(parse("send bob hi --wiat delivered"), ERR_FORMAT);
	assert_non_null(strstr(trouble, "--wiat"));
}

static void behind_two_dashes_everything_is_text(void **state)
{
	(void)state;
	assert_int_equal(parse("send bob -- I love --json"), 0);
	assert_int_equal(o.argument_count, 4);
	assert_null(o.value[OPT_JSON]);
}

static void a_single_dash_is_an_argument(void **state)
{
	(void)state;
	assert_int_equal(parse("send bob -"), 0);
	assert_string_equal(o.arguments[1], "-");
}

static void one_letter_stands_for_what_the_command_takes(void **state)
{
	(void)state;
	assert_int_equal(parse("send bob -f picture.png look at this"), 0);
	assert_string_equal(o.value[OPT_FILE], "picture.png");
	assert_null(o.value[OPT_FOLLOW]);
	assert_int_equal(o.argument_count, 4);
	assert_int_equal(parse("send -f - bob"), 0);
	assert_string_equal(o.value[OPT_FILE], "-");
	assert_int_equal(parse("recv -f"), 0);
	assert_non_null(o.value[OPT_FOLLOW]);
	assert_int_equal(parse("send bob look -f x"), 0);
	assert_null(o.value[OPT_FILE]);
	assert_int_equal(o.argument_count, 4);
}

static void a_text_about_a_message_may_begin_with_a_dash(void **state)
{
	(void)state;
	assert_int_equal(parse("reply 17 -5 degrees"), 0);
	assert_string_equal(o.arguments[1], "-5");
	assert_int_equal(parse("react 17"), 0);
	assert_int_equal(parse("search two words --with bob"), 0);
	assert_string_equal(o.value[OPT_WITH], "bob");
	assert_int_equal(o.argument_count, 2);
}

/* One key of 64 begins with a dash, one of 4096 with two. */
static void a_device_may_be_called_by_a_key_that_begins_with_dashes(void **state)
{
	(void)state;
	assert_int_equal(parse("devices revoke -3f9a --yes"), 0);
	assert_string_equal(o.arguments[1], "-3f9a");
	assert_non_null(o.value[OPT_YES]);
	assert_int_equal(parse("devices --json name --3f9a laptop"), 0);
	assert_int_equal(o.argument_count, 3);
	assert_string_equal(o.arguments[1], "--3f9a");
	assert_int_equal(parse("devices revoke --yes --yes3f9a"), 0);
	assert_string_equal(o.arguments[1], "--yes3f9a");
	assert_non_null(o.value[OPT_YES]);
	assert_int_equal(parse("devices grant laptop --dyas 30"), ERR_FORMAT);
}

static void sizes_and_times_are_read_whole(void **state)
{
	int64_t bytes;
	long seconds;

	(void)state;
	assert_int_equal(options_parse_bytes("50M", &bytes), 0);
	assert_int_equal(bytes, 50 << 20);
	assert_int_equal(options_parse_bytes("2T", &bytes), 0);
	assert_int_equal(bytes, (int64_t)2 << 40);
	assert_int_equal(options_parse_bytes("0", &bytes), 0);
	assert_int_equal(options_parse_bytes("50MB", &bytes), ERR_FORMAT);
	assert_int_equal(options_parse_bytes("-1", &bytes), ERR_FORMAT);
	assert_int_equal(options_parse_bytes("9223372036854775807k", &bytes), ERR_FORMAT);
	assert_int_equal(options_parse_bytes("", &bytes), ERR_FORMAT);
	assert_int_equal(options_parse_duration("2w", &seconds), 0);
	assert_int_equal(seconds, 14 * 86400);
	assert_int_equal(options_parse_duration("0", &seconds), ERR_FORMAT);
	assert_int_equal(options_parse_duration("1x", &seconds), ERR_FORMAT);
}

static void an_unknown_command_is_named_and_help_is_offered(void **state)
{
	(void)state;
	assert_int_equal(parse("frobnicate"), ERR_FORMAT);
	assert_non_null(strstr(trouble, "frobnicate"));
	assert_string_equal(next, "palique --help");
}

static void an_option_of_another_command_is_refused(void **state)
{
	(void)state;
	assert_int_equal(parse("ls --follow"), ERR_FORMAT);
	assert_string_equal(next, "palique ls --help");
}

static void missing_and_superfluous_words_are_refused(void **state)
{
	(void)state;
	assert_int_equal(parse("send"), ERR_FORMAT);
	assert_int_equal(parse("reply 17"), ERR_FORMAT);
	assert_int_equal(parse("accept"), ERR_FORMAT);
	assert_int_equal(parse("accept bob carol"), ERR_FORMAT);
	assert_non_null(strstr(trouble, "carol"));
	assert_int_equal(parse("ls now"), ERR_FORMAT);
}

static void an_option_at_the_end_needs_its_value(void **state)
{
	(void)state;
	assert_int_equal(parse("ls --home"), ERR_FORMAT);
	assert_int_equal(parse("ls --json=yes"), ERR_FORMAT);
}

static void help_needs_no_arguments(void **state)
{
	(void)state;
	assert_int_equal(parse("send --help"), 0);
	assert_non_null(o.value[OPT_HELP]);
	assert_int_equal(parse("-h"), 0);
	assert_int_equal(o.command, COMMAND_COUNT);
}

static void numbers_are_taken_in_their_range_only(void **state)
{
	static const char *const bad[] = { "history b --limit 0", "history b --limit 1001",
					   "history b --limit 5x", "history b --limit x",
					   "history b --limit 99999999999999999999" };
	long n;

	(void)state;
	assert_int_equal(parse("history b --limit 7"), 0);
	assert_int_equal(options_number(&o, OPT_LIMIT, 1, 1000, 20, &n), 0);
	assert_int_equal(n, 7);
	assert_int_equal(parse("history b"), 0);
	assert_int_equal(options_number(&o, OPT_LIMIT, 1, 1000, 20, &n), 0);
	assert_int_equal(n, 20);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(parse(bad[i]), 0);
		assert_int_equal(options_number(&o, OPT_LIMIT, 1, 1000, 20, &n), ERR_FORMAT);
	}
}

static void sizes_know_their_units(void **state)
{
	static const char *const bad[] = { "relay on --rate -1", "relay on --rate 64kk",
					   "relay on --rate 64x", "relay on --rate k",
					   "relay on --rate 9223372036854775807M" };
	int64_t n;

	(void)state;
	parse("relay on --rate 64k");
	assert_int_equal(options_bytes(&o, OPT_RATE, 1, &n), 0);
	assert_int_equal(n, 65536);
	parse("relay on --rate 2M");
	assert_int_equal(options_bytes(&o, OPT_RATE, 1, &n), 0);
	assert_int_equal(n, 2 << 20);
	parse("relay on --rate 70000");
	assert_int_equal(options_bytes(&o, OPT_RATE, 1, &n), 0);
	assert_int_equal(n, 70000);
	parse("relay on");
	assert_int_equal(options_bytes(&o, OPT_RATE, 7, &n), 0);
	assert_int_equal(n, 7);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		parse(bad[i]);
		assert_int_equal(options_bytes(&o, OPT_RATE, 1, &n), ERR_FORMAT);
	}
}

static void consent_and_relay_show_or_change(void **state)
{
	(void)state;
	assert_int_equal(parse("consent bob"), 0);
	assert_int_equal(o.command, CMD_CONSENT);
	assert_int_equal(parse("consent bob relay"), 0);
	assert_int_equal(o.argument_count, 2);
	assert_int_equal(parse("consent"), ERR_FORMAT);
	assert_int_equal(parse("consent bob relay never"), ERR_FORMAT);
	assert_int_equal(parse("relay"), 0);
	assert_int_equal(parse("relay on --rate 64k"), 0);
	assert_int_equal(parse("consent bob --rate 64k"), ERR_FORMAT);
}

static void durations_know_their_units(void **state)
{
	long n;

	(void)state;
	parse("invite --expires 90m");
	assert_int_equal(options_duration(&o, OPT_EXPIRES, 1, &n), 0);
	assert_int_equal(n, 5400);
	parse("invite --expires 7d");
	assert_int_equal(options_duration(&o, OPT_EXPIRES, 1, &n), 0);
	assert_int_equal(n, 7 * 86400);
	parse("invite --expires 7y");
	assert_int_equal(options_duration(&o, OPT_EXPIRES, 1, &n), ERR_FORMAT);
	parse("invite --expires 7dd");
	assert_int_equal(options_duration(&o, OPT_EXPIRES, 1, &n), ERR_FORMAT);
	parse("invite --expires -5");
	assert_int_equal(options_duration(&o, OPT_EXPIRES, 1, &n), ERR_FORMAT);
}

static void devices_are_listed_named_and_revoked_in_so_many_words(void **state)
{
	(void)state;
	assert_int_equal(parse("devices"), 0);
	assert_int_equal(o.argument_count, 0);
	assert_int_equal(parse("devices name laptop desk"), 0);
	assert_int_equal(o.argument_count, 3);
	assert_int_equal(parse("devices revoke phone --yes"), 0);
	assert_non_null(o.value[OPT_YES]);
	assert_int_equal(parse("devices revoke phone -y"), 0);
	assert_non_null(o.value[OPT_YES]);
	assert_int_equal(parse("devices name laptop my desk"), ERR_FORMAT);
	assert_int_equal(parse("devices revoke -g61pLKW --yes"), 0);
	assert_string_equal(o.arguments[1], "-g61pLKW");
	assert_int_equal(parse("devices -g61pLKW"), ERR_FORMAT);
}

static void digits_of_a_safety_number_may_be_typed_in_groups(void **state)
{
	(void)state;
	assert_int_equal(
		parse("verify bob 01234 56789 01234 56789 01234 56789 01234 56789 01234 "
		      "56789 01234 56789"),
		0);
	assert_int_equal(o.argument_count, 13);
	assert_int_equal(parse("verify bob --undo"), 0);
	assert_non_null(o.value[OPT_UNDO]);
	assert_int_equal(parse("safety bob --undo"), ERR_FORMAT);
}

static void options_of_an_account_belong_to_their_commands(void **state)
{
	(void)state;
	assert_int_equal(parse("login ana@h --begin-anew"), 0);
	assert_int_equal(parse("recover ana@h --begin-anew"), ERR_FORMAT);
	assert_int_equal(parse("recover ana@h --words-fd 3 --password-fd 3"), 0);
	assert_string_equal(o.value[OPT_WORDS_FD], "3");
	assert_int_equal(parse("passwd --everywhere"), 0);
	assert_int_equal(parse("passwd secret"), ERR_FORMAT);
	assert_int_equal(parse("recovery --force"), 0);
	assert_int_equal(parse("ls --force"), ERR_FORMAT);
	assert_int_equal(parse("account"), ERR_FORMAT);
	assert_int_equal(parse("requests link"), 0);
	assert_int_equal(parse("unblock eve"), 0);
}

static void help_names_every_command(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	options_help(out, COMMAND_COUNT);
	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		options_help(out, (enum command)i);
	fclose(out);
	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		assert_non_null(strstr(text, options_command_name((enum command)i)));
	assert_non_null(strstr(text, "--password-fd N"));
	assert_null(strstr(text, "--ready-fd"));
	free(text);
}

/* What --help says of one command, up to what is everywhere. */
static char *help_of(enum command command)
{
	char *text = NULL, *end;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	options_help(out, command);
	fclose(out);
	end = strstr(text, "\nEverywhere:");
	assert_non_null(end);
	*end = '\0';
	return text;
}

static void help_of_a_command_shows_its_options_and_no_others(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COMMAND_COUNT; i++) {
		char *text = help_of((enum command)i);
		for (unsigned j = 0; j < OPTION_COUNT; j++) {
			char line[64];
			bool is_its = (command_rows[i].options & OPTION_BIT(j)) &&
				      option_rows[j].about;
			snprintf(line, sizeof line, "\n  %s", option_rows[j].name);
			assert_int_equal(strstr(text, line) != NULL, is_its);
		}
		free(text);
	}
}

static void an_option_is_explained_as_its_command_means_it(void **state)
{
	static const struct {
		enum command command;
		const char *words;
	} said[] = {
		{ CMD_JOIN, "your name at the directory" },
		{ CMD_SEND, "what the file is called there" },
		{ CMD_PROFILE, "the name that others are shown" },
		{ CMD_LOGIN, "a new identity" },
		{ CMD_DAEMON, "an empty store" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		for (size_t j = 0; j < sizeof said / sizeof *said; j++) {
			char *text = help_of(said[i].command);
			assert_int_equal(strstr(text, said[j].words) != NULL, i == j);
			free(text);
		}
}

static void help_of_chat_lists_what_begins_with_a_slash(void **state)
{
	char *text = help_of(CMD_CHAT);

	(void)state;
	assert_non_null(strstr(text, "/delete N [--here]"));
	assert_non_null(strstr(text, "/quit"));
	free(text);
	text = help_of(CMD_READ);
	assert_null(strstr(text, "/quit"));
	free(text);
}

/* Words between quotes are one. */
static void join_quoted(char *line)
{
	bool is_quoted = false;

	for (; *line; line++) {
		is_quoted ^= *line == '\'';
		if (is_quoted && *line == ' ')
			*line = '_';
	}
}

static void every_example_is_understood_as_it_stands(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COMMAND_COUNT; i++) {
		const char *lines = command_rows[i].examples;
		assert_non_null(lines);
		while (*lines) {
			size_t size = strcspn(lines, "\n");
			char line[256];
			snprintf(line, sizeof line, "%.*s", (int)size, lines);
			line[strcspn(line, "<>")] = '\0'; /* the shell's */
			join_quoted(line);
			assert_int_equal(parse(line), 0);
			assert_int_equal(o.command, i);
			lines += size + (lines[size] == '\n');
		}
	}
}

static void a_mistyped_option_names_the_one_that_is_meant(void **state)
{
	(void)state;
	assert_int_equal(parse("send bob hi --wiat delivered"), ERR_FORMAT);
	assert_string_equal(next, "palique send --wait");
	assert_int_equal(parse("history bob --befor 17"), ERR_FORMAT);
	assert_string_equal(next, "palique history --before");
	assert_int_equal(parse("ls --jsno"), ERR_FORMAT);
	assert_string_equal(next, "palique ls --json");
	assert_int_equal(parse("--hoem /x ls"), ERR_FORMAT);
	assert_string_equal(next, "palique --home");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_before_and_behind_the_command),
		cmocka_unit_test(a_value_may_hang_on_an_equals_sign),
		cmocka_unit_test(a_message_is_the_rest_of_the_line),
		cmocka_unit_test(an_option_behind_the_text_is_never_sent_to_somebody),
		cmocka_unit_test(behind_two_dashes_everything_is_text),
		cmocka_unit_test(a_single_dash_is_an_argument),
		cmocka_unit_test(an_unknown_command_is_named_and_help_is_offered),
		cmocka_unit_test(an_option_of_another_command_is_refused),
		cmocka_unit_test(missing_and_superfluous_words_are_refused),
		cmocka_unit_test(an_option_at_the_end_needs_its_value),
		cmocka_unit_test(help_needs_no_arguments),
		cmocka_unit_test(numbers_are_taken_in_their_range_only),
		cmocka_unit_test(durations_know_their_units),
		cmocka_unit_test(sizes_know_their_units),
		cmocka_unit_test(consent_and_relay_show_or_change),
		cmocka_unit_test(devices_are_listed_named_and_revoked_in_so_many_words),
		cmocka_unit_test(digits_of_a_safety_number_may_be_typed_in_groups),
		cmocka_unit_test(options_of_an_account_belong_to_their_commands),
		cmocka_unit_test(one_letter_stands_for_what_the_command_takes),
		cmocka_unit_test(a_text_about_a_message_may_begin_with_a_dash),
		cmocka_unit_test(a_device_may_be_called_by_a_key_that_begins_with_dashes),
		cmocka_unit_test(sizes_and_times_are_read_whole),
		cmocka_unit_test(help_names_every_command),
		cmocka_unit_test(help_of_a_command_shows_its_options_and_no_others),
		cmocka_unit_test(an_option_is_explained_as_its_command_means_it),
		cmocka_unit_test(help_of_chat_lists_what_begins_with_a_slash),
		cmocka_unit_test(every_example_is_understood_as_it_stands),
		cmocka_unit_test(a_mistyped_option_names_the_one_that_is_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
