/* The table of what a program may call: pure, and the room of bots beneath it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/methods.h"
#include "peer/api/rights.h"
#include "shared/error.h"

static struct bot bot_of(enum bot_may may, const char *names)
{
	struct bot bot = { .id = 1, .name = { "echo" }, .may = may, .rate = 20 };

	snprintf(bot.names, sizeof bot.names, "%s", names);
	return bot;
}

static int check(const struct bot *bot, const char *method, const char *params)
{
	struct json *given;
	int err;

	assert_int_equal(json_parse(&given, bytes_text(params)), 0);
	err = right_check(right_find(method), bot, given);
	json_free(given);
	return err;
}

static void what_is_not_in_the_table_is_refused(void **state)
{
	static const char *const never[] = {
		"stop",           "createBot",      "listBots",
		"removeBot",      "authenticate",   "exportAccount",
		"exportHistory",  "setSettings",    "addContact",
		"acceptContact",  "removeContact",  "getSafety",
		"verifyContact",  "changePassword", "deleteAccount",
		"listDevices",    "revokeDevice",   "approveProposal",
		"rejectProposal", "openWeb",        "forward",
		"markRead",       "setProfile",     "createRecoveryCode",
		"host",           "nothing",        "",
	};
	struct bot bot = bot_of(BOT_SENDS, "*");

	(void)state;
	for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
		assert_null(right_find(never[i]));
		assert_int_equal(check(&bot, never[i], "{}"), ERR_REFUSED);
	}
}

static void every_right_is_one_of_a_method_with_these_parameters(void **state)
{
	const struct method *m;
	unsigned count = 0;

	(void)state;
	for (unsigned i = 0; (m = method_at(i)) != NULL; i++) {
		const struct right *right = right_find(m->name);
		char words[256], *word, *rest;

		if (!right)
			continue;
		count++;
		snprintf(words, sizeof words, "%s", right->params);
		for (rest = words; (word = strsep(&rest, " ")) != NULL && *word;) {
			bool is_there = false;

			for (unsigned k = 0; k < METHOD_PARAMS_MAX && m->params[k].name; k++)
				is_there |= !strcmp(m->params[k].name, word);
			if (!is_there)
				fail_msg("%s has no parameter %s", m->name, word);
		}
		if (right->conversation)
			assert_non_null(strstr(right->params, right->conversation));
		if (right->message)
			assert_non_null(strstr(right->params, right->message));
		/* Who names a conversation or a message names one of its own. */
		if (strstr(right->params, "conversation"))
			assert_string_equal(right->conversation, "conversation");
		if (!strncmp(right->params, "id", 2))
			assert_string_equal(right->message, "id");
	}
	assert_true(count > 20);
}

static void who_may_read_proposes_and_sends_nothing(void **state)
{
	struct bot reads = bot_of(BOT_READS, " bob "), proposes = bot_of(BOT_PROPOSES, " bob "),
		   sends = bot_of(BOT_SENDS, " bob ");

	(void)state;
	assert_int_equal(check(&reads, "getMessages", "{\"conversation\":\"bob\"}"), 0);
	assert_int_equal(check(&reads, "send", "{\"conversation\":\"bob\",\"text\":\"x\"}"),
			 ERR_REFUSED);
	assert_int_equal(check(&proposes, "send", "{\"conversation\":\"bob\",\"text\":\"x\"}"),
			 0);
	assert_int_equal(check(&proposes, "sendReaction", "{\"id\":\"1\",\"reactions\":\"x\"}"),
			 ERR_REFUSED);
	assert_int_equal(check(&proposes, "newSpool", "{}"), ERR_REFUSED);
	assert_int_equal(check(&sends, "newSpool", "{}"), 0);
}

static void a_conversation_is_named_and_one_of_its_own(void **state)
{
	static const char *const others[] = { "carol", "bo",     "bobb",      "BOB",
					      "bob ",  " bob",   " bob ",     "*",
					      "",      " ",      "bob carol", "palique:bob@x",
					      "bob@x", "b\\nob", "bob\\u0000" };
	struct bot bot = bot_of(BOT_SENDS, " bob dan ");
	char params[128];

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct json *given;

		snprintf(params, sizeof params, "{\"conversation\":\"%s\"}", others[i]);
		if (json_parse(&given, bytes_text(params)) < 0)
			continue; /* no NUL in a text */
		assert_int_equal(right_check(right_find("getMessages"), &bot, given),
				 ERR_REFUSED);
		json_free(given);
	}
	assert_int_equal(check(&bot, "getMessages", "{\"conversation\":\"dan\"}"), 0);
	assert_int_equal(check(&bot, "getMessages", "{}"), ERR_REFUSED);
	assert_int_equal(check(&bot, "getMessages", "{\"conversation\":[\"bob\"]}"),
			 ERR_REFUSED);
	assert_int_equal(check(&bot, "searchMessages", "{\"query\":\"x\"}"), ERR_REFUSED);
	assert_int_equal(
		check(&bot, "sendFile", "{\"conversation\":\"bob\",\"path\":\"/etc/passwd\"}"),
		ERR_REFUSED);
	assert_int_equal(check(&bot, "deleteMessage", "{\"id\":\"1\",\"here\":true}"),
			 ERR_REFUSED);
	assert_int_equal(
		check(&bot, "send", "{\"conversation\":\"bob\",\"text\":\"x\",\"bot\":\"y\"}"),
		ERR_REFUSED);
}

static void of_all_is_of_every_name_and_of_nothing_else(void **state)
{
	struct bot bot = bot_of(BOT_SENDS, "*");

	(void)state;
	assert_true(bot_has(&bot, "bob"));
	assert_false(bot_has(&bot, "*"));
	assert_false(bot_has(&bot, "palique:bob@x"));
	assert_false(bot_has(&bot, ""));
}

static void names_are_added_until_there_is_no_room(void **state)
{
	struct bot bot = bot_of(BOT_READS, "");
	char name[NAME_MAX + 1];
	int err = 0;

	(void)state;
	assert_int_equal(bot_add_name(&bot, "a b"), ERR_NAME);
	assert_int_equal(bot_add_name(&bot, ""), ERR_NAME);
	assert_string_equal(bot.names, "");
	for (unsigned i = 0; i < BOT_NAMES_MAX; i++) {
		snprintf(name, sizeof name, "a%031u", i);
		assert_int_equal(bot_add_name(&bot, name), 0);
		assert_true(bot_has(&bot, name));
	}
	err = bot_add_name(&bot, "one-more");
	assert_int_equal(err, ERR_FULL);
	assert_false(bot_has(&bot, "one-more"));
	assert_int_equal(bot_add_name(&bot, name), 0); /* it is there */
}

static void events_of_others_and_of_the_account_are_not_heard(void **state)
{
	static const enum event_kind never[] = {
		EVENT_ACCOUNT, EVENT_CONTACT, EVENT_REQUEST, EVENT_KEY_CHANGED, EVENT_LINK,
		EVENT_WARNING, EVENT_NOTICE,  EVENT_DEVICES, EVENT_SEEN,        EVENT_MISSING,
		EVENT_TIMER,   EVENT_PROFILE, EVENT_HISTORY, EVENT_PROPOSAL,    EVENT_ANSWER
	};
	struct bot bot = bot_of(BOT_SENDS, " bob "), all = bot_of(BOT_SENDS, "*");
	static struct event e;

	(void)state;
	snprintf(e.name.text, sizeof e.name.text, "bob");
	for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
		e.kind = never[i];
		assert_false(right_hears(&bot, &e));
		assert_false(right_hears(&all, &e));
	}
	e.kind = EVENT_HEARD;
	assert_true(right_hears(&bot, &e));
	snprintf(e.name.text, sizeof e.name.text, "carol");
	assert_false(right_hears(&bot, &e));
	assert_true(right_hears(&all, &e));
	e.kind = EVENT_SETTLED;
	snprintf(e.detail, sizeof e.detail, "other");
	assert_false(right_hears(&all, &e));
	snprintf(e.detail, sizeof e.detail, "echo");
	e.id = 5;
	bot.first = 4;
	assert_true(right_hears(&bot, &e));
	bot.first = 5; /* of another one, that had its name before it */
	assert_false(right_hears(&bot, &e));
}

static void a_bot_expires_at_its_moment(void **state)
{
	struct bot bot = bot_of(BOT_READS, "*");

	(void)state;
	assert_false(bot_is_expired(&bot, INT64_MAX));
	bot.expires = 1000;
	assert_false(bot_is_expired(&bot, 999));
	assert_true(bot_is_expired(&bot, 1000));
}

static void only_who_may_send_to_all_shows_commands(void **state)
{
	struct bot bot = bot_of(BOT_SENDS, " bob ");

	(void)state;
	assert_false(bot_is_shown(&bot));
	bot = bot_of(BOT_PROPOSES, "*");
	assert_false(bot_is_shown(&bot));
	bot = bot_of(BOT_SENDS, "*");
	assert_true(bot_is_shown(&bot));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_in_the_table_is_refused),
		cmocka_unit_test(every_right_is_one_of_a_method_with_these_parameters),
		cmocka_unit_test(who_may_read_proposes_and_sends_nothing),
		cmocka_unit_test(a_conversation_is_named_and_one_of_its_own),
		cmocka_unit_test(of_all_is_of_every_name_and_of_nothing_else),
		cmocka_unit_test(names_are_added_until_there_is_no_room),
		cmocka_unit_test(events_of_others_and_of_the_account_are_not_heard),
		cmocka_unit_test(a_bot_expires_at_its_moment),
		cmocka_unit_test(only_who_may_send_to_all_shows_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
