#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/methods.h"
#include "peer/faces/web/bridge.h"
#include "shared/error.h"
#include "shared/json.h"

static int spool(void *user, const char *name, char path[BRIDGE_PATH_MAX])
{
	(void)user;
	if (strcmp(name, "0123") != 0)
		return ERR_NOT_FOUND;
	snprintf(path, BRIDGE_PATH_MAX, "/home/alice/spool/%s", name);
	return 0;
}

static const struct bridge_calls calls = { .spool = spool };

static void takes(const char *message, const char *line)
{
	char *got;

	if (bridge_take(bytes_text(message), &calls, &got) != 0)
		fail_msg("%s: %s", message, got ? got : "(nothing)");
	assert_string_equal(got, line);
	free(got);
}

/* `words` NULL: nothing is answered. */
static void refuses(const char *message, const char *words)
{
	char *got;

	if (bridge_take(bytes_text(message), &calls, &got) == 0)
		fail_msg("taken: %s", message);
	if (!words != !got || (words && !strstr(got, words)))
		fail_msg("%s: %s", message, got ? got : "(nothing)");
	free(got);
}

static void what_a_person_does_goes_on_as_it_is(void **state)
{
	(void)state;
	takes("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}",
	      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}");
	takes(" {\"jsonrpc\" "
	      ":\n\"2.0\",\"method\":\"send\",\"params\":{\"conversation\":\"bob\",\"text\":"
	      "\"a\\nb\"}}",
	      "{\"jsonrpc\":\"2.0\",\"method\":\"send\",\"params\":{\"conversation\":\"bob\","
	      "\"text\":\"a\\nb\"}}");
	takes("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"sendFile\",\"params\":{"
	      "\"conversation\":\"bob\",\"spool\":\"0123\"}}",
	      "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"sendFile\",\"params\":{"
	      "\"conversation\":\"bob\",\"spool\":\"0123\"}}");
}

static void what_ends_the_engine_or_makes_ways_in_is_refused(void **state)
{
	static const char *const methods[] = { "stop",          "openWeb",       "closeWeb",
					       "exportAccount", "exportHistory", "createBot",
					       "authenticate" };

	(void)state;
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		char message[128];

		snprintf(message, sizeof message,
			 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}", methods[i]);
		refuses(message, "\"code\":-32007");
		assert_false(bridge_allows(methods[i], NULL));
	}
}

static void paths_of_the_machine_are_refused_and_spools_become_paths(void **state)
{
	(void)state;
	refuses("{\"id\":1,\"method\":\"sendFile\",\"params\":{\"conversation\":\"bob\","
		"\"path\":\"/etc/passwd\"}}",
		"\"refused\"");
	refuses("{\"id\":1,\"method\":\"acceptFile\",\"params\":{\"id\":\"1\",\"folder\":\"/"
		"\"}}",
		"\"refused\"");
	refuses("{\"id\":1,\"method\":\"setSettings\",\"params\":{\"downloads\":\"/\"}}",
		"\"refused\"");
	refuses("{\"id\":1,\"method\":\"setProfile\",\"params\":{\"picture\":\"/etc/passwd\"}}",
		"\"not-found\"");
	refuses("{\"id\":1,\"method\":\"setProfile\",\"params\":{\"picture=spool\":\"0123\"}}",
		"\"refused\"");
	refuses("{\"id\":1,\"method\":\"setProfile\",\"params\":{\"\":\"0123\"}}",
		"\"refused\"");
	takes("{\"id\":1,\"method\":\"setProfile\",\"params\":{\"picture\":\"0123\",\"title\":"
	      "\"Ana\"}}",
	      "{\"id\":1,\"method\":\"setProfile\",\"params\":{\"picture\":\"/home/alice/spool/"
	      "0123\",\"title\":\"Ana\"}}");
	takes("{\"id\":1,\"method\":\"setProfile\",\"params\":{\"picture\":\"\"}}",
	      "{\"id\":1,\"method\":\"setProfile\",\"params\":{\"picture\":\"\"}}");
}

static void what_is_no_request_is_answered_as_such(void **state)
{
	(void)state;
	refuses("", "-32700");
	refuses("{", "-32700");
	refuses("{\"id\":1,\"id\":2,\"method\":\"version\"}", "-32700");
	refuses("[]", "-32600");
	refuses("[{\"id\":1,\"method\":\"version\"}]", "-32600");
	refuses("{}", "-32600");
	refuses("{\"id\":1,\"method\":7}", "-32600");
	refuses("{\"id\":1,\"method\":\"version\",\"params\":[]}", "-32600");
	refuses("{\"id\":1,\"method\":\"nothing\"}", "-32601");
	refuses("{\"method\":\"nothing\"}", NULL);
	refuses("{\"method\":\"stop\"}", NULL);
}

static void a_message_that_is_too_long_is_refused(void **state)
{
	char *much = calloc(1, BRIDGE_MESSAGE_MAX + 2), *got;

	(void)state;
	memset(much, ' ', BRIDGE_MESSAGE_MAX + 1);
	assert_int_equal(bridge_take(bytes_of(much, BRIDGE_MESSAGE_MAX + 1), &calls, &got),
			 ERR_LIMIT);
	free(got);
	free(much);
}

/* Paths of this machine, and what is for programs alone. */
static bool is_left_out(const char *method, const char *param)
{
	return !strcmp(param, "path") || !strcmp(param, "folder") ||
	       !strcmp(param, "downloads") || !strcmp(param, "resume") ||
	       (!strcmp(method, "send") && !strcmp(param, "bot"));
}

/* A method that is added to the API is a page's, or it is not: somebody has to say so. */
static void the_table_says_something_of_every_method(void **state)
{
	const struct method *m;

	(void)state;
	for (unsigned i = 0; (m = method_at(i)) != NULL; i++) {
		if (!bridge_knows(m->name))
			fail_msg("peer/faces/web/bridge.c says nothing of %s", m->name);
		for (unsigned k = 0; k < METHOD_PARAMS_MAX && m->params[k].name; k++)
			if (bridge_allows(m->name, NULL) &&
			    !is_left_out(m->name, m->params[k].name) &&
			    !bridge_allows(m->name, m->params[k].name))
				fail_msg("peer/faces/web/bridge.c lets a page call %s, but not "
					 "with %s",
					 m->name, m->params[k].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_person_does_goes_on_as_it_is),
		cmocka_unit_test(what_ends_the_engine_or_makes_ways_in_is_refused),
		cmocka_unit_test(paths_of_the_machine_are_refused_and_spools_become_paths),
		cmocka_unit_test(what_is_no_request_is_answered_as_such),
		cmocka_unit_test(a_message_that_is_too_long_is_refused),
		cmocka_unit_test(the_table_says_something_of_every_method),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
