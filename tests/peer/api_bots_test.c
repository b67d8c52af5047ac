/* A program at the local API: what a token opens, and that nothing it does reaches further. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/api.h"
#include "peer/api/methods.h"
#include "peer/api/rights.h"
#include "peer/persons.h"
#include "peer/search.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/menu.h"
#include "tests/peer_fixture.h"
#include "tests/written.h"

#define WALL ((wall_ms)1700000000000)
enum { EVENTS = 600, FACES = 3 };

struct face {
	struct api_client *client;
	struct json *last; /* answer */
	unsigned told;     /* events */
	bool is_over;
	bool is_broken; /* nothing can be sent to it; the shell will say that it is gone */
};

static struct peer alice, bob, eve;
static struct api *api;
static struct face person, faces[FACES];
static mono_ns now = 100 * SECOND;

/* The API's clock, in place of shared/clock.c: it goes on with steps alone, however fast the machine is. */
mono_ns clock_now(void)
{
	return now;
}

wall_ms clock_wall(void)
{
	return WALL;
}

static int on_send(void *connection, struct bytes line)
{
	struct face *to = connection;
	struct json *o;

	if (to->is_broken)
		return ERR_CLOSED;
	assert_int_equal(json_parse(&o, line), 0);
	if (!json_has(o, "id")) {
		to->told++;
		json_free(o);
		return 0;
	}
	json_free(to->last);
	to->last = o;
	return 0;
}

static void on_end(void *connection)
{
	struct face *to = connection;

	to->is_over = true;
	api_disconnect(to->client);
}

static void step(void)
{
	now += MILLISECOND;
	engine_step(alice.engine, now, WALL);
	while (api_step(api))
		;
}

static int begin(void **state)
{
	struct api_config shell = { .send = on_send, .end = on_end };
	struct peer *others[] = { &bob, &eve };

	(void)state;
	memset(&alice, 0, sizeof alice);
	memset(&person, 0, sizeof person);
	memset(faces, 0, sizeof faces);
	peer_make(&alice, "alice");
	peer_open(&alice, now, WALL);
	for (int i = 0; i < 2; i++) {
		memset(others[i], 0, sizeof *others[i]);
		peer_make(others[i], i ? "eve" : "bob");
		assert_int_equal(engine_add(alice.engine, others[i]->name.text,
					    &others[i]->identity.public, NULL),
				 0);
	}
	shell.engine = alice.engine;
	api = api_new(&shell);
	person.client = api_connect(api, &person);
	for (int i = 0; i < FACES; i++)
		faces[i].client = api_connect_guest(api, &faces[i]);
	step();
	return 0;
}

static int end(void **state)
{
	(void)state;
	api_free(api);
	json_free(person.last);
	for (int i = 0; i < FACES; i++)
		json_free(faces[i].last);
	peer_remove(&alice);
	peer_remove(&bob);
	peer_remove(&eve);
	return 0;
}

/* Its result, or the kind of its error. */
static const char *ask(struct face *f, const char *method, const char *params)
{
	static char line[8192];
	const char *kind;

	json_free(f->last);
	f->last = NULL;
	snprintf(line, sizeof line,
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method,
		 params);
	api_line(f->client, bytes_text(line));
	step();
	if (!f->last)
		return "nothing";
	kind = json_text(json_get(json_get(f->last, "error"), "data"), "kind");
	return kind ? kind : "";
}

static const struct json *result(const struct face *f)
{
	return json_get(f->last, "result");
}

static char token[BOT_TOKEN_SIZE];

static void make(const char *name, const char *may)
{
	char params[200];

	snprintf(params, sizeof params,
		 "{\"name\":\"%s\",\"conversations\":[\"bob\"],\"may\":\"%s\",\"rate\":600}",
		 name, may);
	assert_string_equal(ask(&person, "createBot", params), "");
	snprintf(token, sizeof token, "%s", json_text(result(&person), "token"));
}

static const char *enter(struct face *f)
{
	char params[100];

	snprintf(params, sizeof params, "{\"token\":\"%s\"}", token);
	return ask(f, "authenticate", params);
}

static void say(struct face *f, const char *to, const char *text, char id[24])
{
	char params[200];

	snprintf(params, sizeof params, "{\"conversation\":\"%s\",\"text\":\"%s\"}", to, text);
	assert_string_equal(ask(f, "send", params), "");
	snprintf(id, 24, "%s", json_text(result(f), "id"));
}

/* --- what a token opens --- */

/* Every parameter of it, or those that it needs, about the conversation with `name` and the message `id`. */
static void params_of(const struct method *m, bool with_all, const char *name, const char *id,
		      char *out, size_t size)
{
	size_t at = (size_t)snprintf(out, size, "{");

	for (unsigned i = 0; i < METHOD_PARAMS_MAX && m->params[i].name; i++) {
		const struct param *p = &m->params[i];
		char value[64] = "true";

		if (!with_all && !p->is_required)
			continue;
		if (p->kind == PARAM_TEXT || p->kind == PARAM_SECRET)
			snprintf(value, sizeof value, "\"%s\"", name);
		if (p->kind == PARAM_ID)
			snprintf(value, sizeof value, "\"%s\"", id);
		if (p->kind == PARAM_INT)
			snprintf(value, sizeof value, "%lld",
				 (long long)(p->min > 1 ? p->min : 1));
		if (p->kind == PARAM_LIST)
			snprintf(value, sizeof value, "[\"a b\"]");
		at += (size_t)snprintf(out + at, size - at, "%s\"%s\":%s", at > 1 ? "," : "",
				       p->name, value);
	}
	snprintf(out + at, size - at, "}");
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++) {
		if (!strcmp(word, *words))
			return true;
	}
	return false;
}

/* Of nobody's conversation; what they say of people is narrowed (bots.sh). */
static const char *const harmless[] = { "version",     "methods",      "setLanguage",
					"status",      "listContacts", "subscribe",
					"unsubscribe", "ackEvents",    NULL };

static void every_method_is_refused_to_who_may_read_unless_it_reads_what_is_its(void **state)
{
	char params[1024], secret[24];
	const struct method *m;
	unsigned refused = 0, read = 0, count = 0;

	(void)state;
	make("echo", "read");
	assert_string_equal(enter(&faces[0]), "");
	say(&person, "eve", "a secret", secret);
	for (unsigned i = 0; (m = method_at(i)) != NULL; i++) {
		const struct right *right = right_find(m->name);

		count++;
		for (int with_all = 0; with_all < 2; with_all++) {
			const char *kind;

			params_of(m, with_all, "eve", secret, params, sizeof params);
			kind = ask(&faces[0], m->name, params);
			if (!right || right->may > BOT_READS || right->conversation) {
				if (strcmp(kind, "refused"))
					fail_msg("%s %s: %s", m->name, params, kind);
				refused++;
			} else if (right->message) {
				if (strcmp(kind, "not-found"))
					fail_msg("%s %s: %s", m->name, params, kind);
				refused++;
			} else {
				assert_true(is_one_of(m->name, harmless));
				read++;
			}
		}
	}
	assert_true(count > 75);
	assert_int_equal(refused, 2 * count - 16);
	assert_int_equal(read, 16);
}

static void a_stranger_may_only_show_a_token(void **state)
{
	const struct method *m;
	unsigned asked = 0;

	(void)state;
	for (unsigned i = 0; asked + 1 < API_STRANGE_MAX && (m = method_at(i)) != NULL; i++) {
		char params[1024];

		if (!strcmp(m->name, "authenticate"))
			continue;
		params_of(m, true, "bob", "1", params, sizeof params);
		/* What does not even fit its row is refused as that. */
		assert_true(*ask(&faces[0], m->name, params));
		asked++;
	}
	assert_false(faces[0].is_over);
	ask(&faces[0], "version", "{}");
	assert_true(faces[0].is_over);
}

static void who_calls_without_end_is_put_out(void **state)
{
	static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}";
	unsigned calls = 0;

	(void)state;
	make("echo", "read");
	assert_string_equal(enter(&faces[0]), "");
	for (; calls < 100000 && !faces[0].is_over; calls++) {
		api_line(faces[0].client, bytes_text(line));
		if (calls % 100 == 0)
			step();
	}
	step();
	assert_true(faces[0].is_over);
	assert_true(calls >= 5 * BOT_CALLS);
	/* Nor may it come again before it has waited. */
	assert_string_equal(enter(&faces[1]), "busy");
	assert_string_equal(ask(&person, "version", "{}"), "");
}

static void much_in_an_answer_is_owed_for(void **state)
{
	char id[24];
	unsigned calls = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		say(&person, "bob", "a word", id);
	make("echo", "read");
	assert_string_equal(enter(&faces[0]), "");
	while (calls < 5 * BOT_CALLS &&
	       !*ask(&faces[0], "getMessages", "{\"conversation\":\"bob\",\"limit\":100}"))
		calls++;
	/* Each is six calls; few come back meanwhile. */
	assert_in_range(calls, 5 * BOT_CALLS / 6, 5 * BOT_CALLS / 5);
	assert_string_equal(ask(&faces[0], "version", "{}"), "busy");
}

/* --- events --- */

static void told_again_bots_take_turns_and_a_step_is_one_slice(void **state)
{
	unsigned before[FACES];
	char id[24];

	(void)state;
	for (int i = 0; i < EVENTS; i++)
		say(&person, "bob", "a word", id);
	make("echo", "read");
	for (int i = 0; i < FACES; i++)
		assert_string_equal(enter(&faces[i]), "");
	for (int i = 0; i < FACES; i++) {
		static const char line[] =
			"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"subscribe\","
			"\"params\":{\"since\":\"1\"}}";

		api_line(faces[i].client, bytes_text(line));
	}
	engine_step(alice.engine, now, WALL);
	for (int turn = 0; turn < 2 * FACES; turn++) {
		unsigned moved = 0, all = 0;

		for (int i = 0; i < FACES; i++)
			before[i] = faces[i].told;
		assert_true(api_step(api));
		for (int i = 0; i < FACES; i++) {
			moved += faces[i].told != before[i];
			all += faces[i].told - before[i];
		}
		assert_int_equal(moved, 1);
		assert_true(all <= API_BOT_SLICES * BOT_SLICE);
	}
	for (int i = 0; i < FACES; i++)
		assert_in_range(faces[i].told, 2, 2 * API_BOT_SLICES * BOT_SLICE);
	step();
	for (int i = 0; i < FACES; i++)
		assert_true(faces[i].told >= EVENTS);
}

static void who_is_told_again_without_end_has_to_wait(void **state)
{
	unsigned slices = 0;
	struct bot bot;

	(void)state;
	make("echo", "read");
	assert_int_equal(engine_bot_at(alice.engine, 0, &bot), 0);
	while (engine_bot_spend(alice.engine, bot.id, BOT_REPLAY, now) == 0)
		slices++;
	assert_int_equal(slices, 5 * BOT_CALLS);
	/* It may call meanwhile: what it does with events. */
	assert_int_equal(engine_bot_spend(alice.engine, bot.id, BOT_CALL, now), 0);
	assert_int_equal(engine_bot_spend(alice.engine, bot.id, BOT_REPLAY, now + SECOND), 0);
}

/* --- the end of a connection --- */

/* The shell keeps a line for a while after it broke, and the API's client with it: both end when it says so. */
static void whose_line_breaks_while_it_is_put_out_is_there_until_the_shell_says_so(void **state)
{
	(void)state;
	make("echo", "read");
	assert_string_equal(enter(&faces[0]), "");
	faces[0].is_broken = true;
	api_line(faces[0].client, bytes_text("no JSON"));
	ask(&person, "removeBot", "{\"name\":\"echo\"}");
	for (int i = 0; i < 3; i++)
		step();
	assert_false(faces[0].is_over);
	api_disconnect(faces[0].client); /* its memory is there: AddressSanitizer */
	step();
	assert_string_equal(ask(&person, "version", "{}"), "");
}

/* More than a search looks at in one call, and indexed by nothing yet. */
static void write_many(void)
{
	struct rooms *r = engine_rooms(alice.engine);
	struct written w;

	store_write(r->store);
	written_begin(&w, r->store, persons_find(r->persons, &bob.name)->id, 1);
	written_text(&w, false, "needle");
	for (int i = 0; i < 3 * SEARCH_SLICE / 64; i++)
		written_text(&w, false, "hay");
	assert_int_equal(store_commit(r->store), 0);
}

static void who_is_removed_in_the_middle_of_a_search_is_told_nothing_of_it(void **state)
{
	static const char search[] =
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"searchMessages\","
		"\"params\":{\"conversation\":\"bob\",\"query\":\"needle\"}}";
	const struct json *error;

	(void)state;
	make("echo", "read");
	assert_string_equal(enter(&faces[0]), "");
	write_many();
	json_free(faces[0].last);
	faces[0].last = NULL;
	api_line(faces[0].client, bytes_text(search));
	api_step(api);
	assert_null(faces[0].last);
	assert_int_equal(engine_remove_bot(alice.engine, "echo"), 0);
	step();
	step();
	error = json_get(faces[0].last, "error");
	assert_non_null(error);
	assert_string_equal(json_text(json_get(error, "data"), "kind"), "auth");
}

/* --- another token, other rights --- */

static void another_token_ends_the_connections_of_the_one_before(void **state)
{
	char old[BOT_TOKEN_SIZE];

	(void)state;
	make("echo", "send");
	assert_string_equal(enter(&faces[0]), "");
	memcpy(old, token, sizeof old);
	assert_string_equal(ask(&person, "changeBot", "{\"name\":\"echo\",\"newToken\":true}"),
			    "");
	snprintf(token, sizeof token, "%s", json_text(result(&person), "token"));
	step();
	assert_true(faces[0].is_over);
	assert_string_equal(enter(&faces[1]), "");
	memcpy(token, old, sizeof token);
	enter(&faces[2]);
	step();
	assert_null(result(&faces[2]));
}

static void other_rights_hold_at_once_on_connections_that_there_are(void **state)
{
	char params[100], id[24];
	int64_t expires;

	(void)state;
	make("echo", "send");
	assert_string_equal(enter(&faces[0]), "");
	say(&faces[0], "bob", "hello", id);
	assert_string_equal(ask(&faces[0], "getMessages", "{\"conversation\":\"eve\"}"),
			    "refused");
	snprintf(params, sizeof params,
		 "{\"name\":\"echo\",\"may\":\"read\",\"conversations\":[\"eve\"],\"expires\":"
		 "60}");
	assert_string_equal(ask(&person, "changeBot", params), "");
	expires = json_int(json_get(result(&person), "bot"), "expires", 0);
	assert_true(expires > 0);
	assert_int_equal(json_int(json_get(result(&person), "bot"), "rate", 0), 600);
	assert_false(json_has(result(&person), "token"));
	assert_string_equal(ask(&faces[0], "send", "{\"conversation\":\"eve\",\"text\":\"x\"}"),
			    "refused");
	assert_string_equal(ask(&faces[0], "getMessages", "{\"conversation\":\"bob\"}"),
			    "refused");
	assert_string_equal(ask(&faces[0], "getMessages", "{\"conversation\":\"eve\"}"), "");
	/* What is not said stays; zero is for ever. */
	assert_string_equal(ask(&person, "changeBot", "{\"name\":\"echo\",\"rate\":7}"), "");
	assert_int_equal(json_int(json_get(result(&person), "bot"), "expires", 0), expires);
	assert_string_equal(ask(&person, "changeBot", "{\"name\":\"echo\",\"expires\":0}"), "");
	assert_false(json_has(json_get(result(&person), "bot"), "expires"));
	assert_string_equal(json_text(json_get(result(&person), "bot"), "may"), "read");
	/* And what is wrong changes nothing. */
	assert_string_equal(ask(&person, "changeBot", "{\"name\":\"echo\",\"may\":\"all\"}"),
			    "format");
	assert_string_equal(ask(&person, "changeBot", "{\"name\":\"other\",\"may\":\"send\"}"),
			    "not-found");
	assert_string_equal(
		ask(&person, "changeBot", "{\"name\":\"echo\",\"conversations\":[\"nobody\"]}"),
		"not-found");
	assert_string_equal(
		ask(&person, "changeBot", "{\"name\":\"echo\",\"conversations\":[]}"),
		"format");
	peer_close(&alice);
	api_free(api);
	peer_open(&alice, now, WALL);
	struct bot bot;
	assert_int_equal(engine_bot_named(alice.engine, "echo", &bot), 0);
	assert_int_equal(bot.may, BOT_READS);
	assert_int_equal(bot.rate, 7);
	assert_true(bot_has(&bot, "eve") && !bot_has(&bot, "bob"));
	api = api_new(&(struct api_config){ .engine = alice.engine });
}

static void who_comes_under_an_old_name_changes_nothing_of_the_one_before(void **state)
{
	char params[100], id[24];

	(void)state;
	make("echo", "send");
	assert_string_equal(enter(&faces[0]), "");
	say(&faces[0], "bob", "of the first", id);
	snprintf(params, sizeof params, "{\"id\":\"%s\",\"text\":\"changed\"}", id);
	assert_string_equal(ask(&faces[0], "editMessage", params), "");
	assert_string_equal(ask(&person, "removeBot", "{\"name\":\"echo\"}"), "");
	make("echo", "send");
	assert_string_equal(enter(&faces[1]), "");
	assert_string_equal(ask(&faces[1], "editMessage", params), "refused");
	snprintf(params, sizeof params, "{\"id\":\"%s\"}", id);
	assert_string_equal(ask(&faces[1], "deleteMessage", params), "refused");
	/* Nor what a person lets say under that name. */
	assert_string_equal(ask(&person, "send",
				"{\"conversation\":\"bob\",\"text\":\"x\",\"bot\":\"echo\"}"),
			    "");
	snprintf(params, sizeof params, "{\"id\":\"%s\"}", json_text(result(&person), "id"));
	assert_string_equal(ask(&faces[1], "deleteMessage", params), "refused");
}

/* --- proposals --- */

static const struct json *proposal(unsigned index)
{
	assert_string_equal(ask(&person, "listProposals", "{}"), "");
	return json_at(json_get(result(&person), "proposals"), index);
}

static bool see(void *user, const struct message *m)
{
	snprintf(user, 64, "%.*s", (int)m->text.size, m->text.data);
	return true;
}

static void what_is_said_is_what_was_shown_byte_for_byte(void **state)
{
	static const char *const texts[] = {
		"plain",
		"a\\u202eb\\u2066c",
		"\\u200bzero\\ufeff width",
		"two\\nlines\\r\\n",
		" ",
		"\\u0001\\u001b[31mred",
		"\\ud83d\\ude00",
	};
	char params[300], shown[64], said[64];

	(void)state;
	make("helper", "propose");
	assert_string_equal(enter(&faces[0]), "");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const struct json *one;
		char id[24];

		snprintf(params, sizeof params, "{\"conversation\":\"bob\",\"text\":\"%s\"}",
			 texts[i]);
		assert_string_equal(ask(&faces[0], "send", params), "");
		snprintf(id, sizeof id, "%s", json_text(result(&faces[0]), "id"));
		assert_string_equal(json_text(result(&faces[0]), "state"), "proposed");
		/* Nothing that it may call changes what waits. */
		snprintf(params, sizeof params, "{\"id\":\"%s\",\"text\":\"other\"}", id);
		assert_string_equal(ask(&faces[0], "editMessage", params), "refused");
		assert_string_equal(ask(&faces[0], "approveProposal", params), "refused");
		one = proposal(0);
		assert_string_equal(json_text(one, "id"), id);
		snprintf(shown, sizeof shown, "%s", json_text(one, "text"));
		snprintf(params, sizeof params, "{\"id\":\"%s\"}", id);
		assert_string_equal(ask(&person, "approveProposal", params), "");
		assert_int_equal(engine_history_after(alice.engine, "bob", 0, 100, see, said),
				 0);
		assert_string_equal(said, shown);
		/* That number is nothing else's, ever. */
		assert_string_equal(ask(&person, "approveProposal", params), "not-found");
	}
}

static void other_words_that_are_none_are_no_yes(void **state)
{
	char params[100];

	(void)state;
	make("helper", "propose");
	assert_string_equal(enter(&faces[0]), "");
	assert_string_equal(ask(&faces[0], "send", "{\"conversation\":\"bob\",\"text\":\"x\"}"),
			    "");
	snprintf(params, sizeof params, "{\"id\":\"%s\",\"text\":\"\"}",
		 json_text(result(&faces[0]), "id"));
	assert_string_equal(ask(&person, "approveProposal", params), "format");
	assert_non_null(proposal(0));
}

/* --- connections --- */

static void nobody_keeps_more_than_so_many_lines_open(void **state)
{
	static struct face many[2 * API_HELD_MAX];
	unsigned let_in = 0;

	(void)state;
	memset(many, 0, sizeof many);
	for (unsigned i = 0; i < 2 * API_HELD_MAX; i++) {
		/* A guess holds its line for a second, and counts. */
		many[i].client = api_connect_guest(api, &many[i]);
		if (!many[i].client)
			continue;
		let_in++;
		api_line(many[i].client,
			 bytes_text("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"authenticate\","
				    "\"params\":{\"token\":\"palique-bot-x\"}}"));
	}
	assert_in_range(let_in, API_STRANGERS_MAX, API_HELD_MAX);
	assert_string_equal(ask(&person, "version", "{}"), "");
	for (unsigned i = 0; i < 2 * API_HELD_MAX; i++)
		json_free(many[i].last);
}

#define BOTS(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTS(every_method_is_refused_to_who_may_read_unless_it_reads_what_is_its),
		BOTS(a_stranger_may_only_show_a_token),
		BOTS(who_calls_without_end_is_put_out),
		BOTS(much_in_an_answer_is_owed_for),
		BOTS(told_again_bots_take_turns_and_a_step_is_one_slice),
		BOTS(who_is_told_again_without_end_has_to_wait),
		BOTS(whose_line_breaks_while_it_is_put_out_is_there_until_the_shell_says_so),
		BOTS(who_is_removed_in_the_middle_of_a_search_is_told_nothing_of_it),
		BOTS(another_token_ends_the_connections_of_the_one_before),
		BOTS(other_rights_hold_at_once_on_connections_that_there_are),
		BOTS(who_comes_under_an_old_name_changes_nothing_of_the_one_before),
		BOTS(what_is_said_is_what_was_shown_byte_for_byte),
		BOTS(other_words_that_are_none_are_no_yes),
		BOTS(nobody_keeps_more_than_so_many_lines_open),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
