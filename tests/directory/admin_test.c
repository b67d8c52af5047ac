#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "directory/admin.h"
#include "directory/enlist.h"
#include "directory/keystore.h"
#include "shared/error.h"
#include "tests/small_client.h"

static struct small_net net;
static const struct server_config config = { .registration = REGISTRATION_OPEN,
					     .has_place = true,
					     .place = { "dir.example.org", 7272 } };
static struct json *answer;

static int begin(void **state)
{
	(void)state;
	small_net_begin(&net, &config);
	answer = NULL;
	return 0;
}

static int end(void **state)
{
	(void)state;
	json_free(answer);
	small_net_end(&net);
	return 0;
}

static void ask(const char *request)
{
	struct json *q = NULL;

	json_parse(&q, bytes_text(request));
	json_free(answer);
	answer = admin_server(net.server, q);
	json_free(q);
}

static void status_counts_and_names_nobody(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	char *text;

	(void)state;
	small_client_list(alice, NULL);
	ask("{\"command\":\"status\"}");
	assert_int_equal(json_int(answer, "online_devices", -1), 1);
	assert_int_equal(json_int(answer, "accounts", -1), 1);
	assert_int_equal(json_int(answer, "registrations", -1), 1);
	assert_int_equal(json_int(json_get(answer, "messages_in"), "LIST", -1), 1);
	assert_true(json_int(json_get(answer, "traffic"), "received", -1) > 0);
	text = json_print(answer);
	assert_null(strstr(text, "alice"));
	free(text);
}

static void an_invitation_is_as_asked(void **state)
{
	struct uri uri;

	(void)state;
	ask("{\"command\":\"invite\",\"count\":3,\"expires\":3600,\"name\":\"Bob\"}");
	assert_int_equal(uri_parse(&uri, json_text(answer, "link")), 0);
	assert_int_equal(uri.kind, URI_INVITATION);
	assert_string_equal(uri.code, json_text(answer, "code"));
	assert_true(device_public_equal(&uri.directory_key, server_key(net.server)));
	assert_int_equal(json_int(answer, "count", 0), 3);
	assert_int_equal(json_int(answer, "expires", 0), net.wall + 3600 * 1000);
	assert_string_equal(json_text(answer, "name"), "bob");
	ask("{\"command\":\"link\"}");
	assert_int_equal(uri_parse(&uri, json_text(answer, "link")), 0);
	assert_int_equal(uri.kind, URI_DIRECTORY);
}

static void what_cannot_be_is_refused_by_name(void **state)
{
	static const struct {
		const char *request;
		int err;
	} cases[] = {
		{ "{}", ERR_FORMAT },
		{ "[]", ERR_FORMAT },
		{ "{\"command\":7}", ERR_FORMAT },
		{ "{\"command\":\"explode\"}", ERR_FORMAT },
		{ "{\"command\":\"invite\",\"count\":0}", ERR_LIMIT },
		{ "{\"command\":\"invite\",\"count\":10001}", ERR_LIMIT },
		{ "{\"command\":\"invite\",\"expires\":1}", ERR_LIMIT },
		{ "{\"command\":\"invite\",\"expires\":9000000000000000000}", ERR_LIMIT },
		{ "{\"command\":\"invite\",\"name\":\"!\"}", ERR_NAME },
		{ "{\"command\":\"remove\"}", ERR_NAME },
		{ "{\"command\":\"remove\",\"name\":\"nobody\"}", ERR_NOT_FOUND },
		{ "{\"command\":\"remove\",\"name\":\"\"}", ERR_NAME },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ask(cases[i].request);
		assert_non_null(json_text(answer, "message"));
		assert_string_equal(json_text(answer, "error"), error_name(cases[i].err));
	}
}

static void users_are_listed_and_dropped(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");

	(void)state;
	ask("{\"command\":\"users\"}");
	assert_int_equal(json_count(json_get(answer, "users")), 1);
	assert_string_equal(json_text(json_at(json_get(answer, "users"), 0), "name"), "alice");
	ask("{\"command\":\"drop\",\"name\":\"alice\"}");
	assert_int_equal(json_int(answer, "dropped", 0), 1);
	small_net_run(&net, MILLISECOND);
	assert_null(alice->link);
	ask("{\"command\":\"drop\",\"name\":\"alice\"}");
	assert_int_equal(json_int(answer, "dropped", 9), 0);
}

static void without_a_server_there_is_no_status(void **state)
{
	struct admin_desk desk = { .now = 1 };
	struct json *q;

	(void)state;
	json_parse(&q, bytes_text("{\"command\":\"status\"}"));
	answer = admin_answer(&desk, q);
	json_free(q);
	assert_string_equal(json_text(answer, "error"), error_name(ERR_OFFLINE));
}

static void an_account_made_by_the_operator_takes_its_first_identity(void **state)
{
	struct small_client *alice = small_client_new(&net, "alice");
	struct registry *registry;
	struct keystore *keys;
	char reason[256];

	(void)state;
	/* beside the running server, as the command line does it */
	assert_int_equal(registry_sqlite_open(&registry, net.data, true, reason, sizeof reason),
			 0);
	assert_int_equal(keystore_open(&keys, net.data, reason, sizeof reason), 0);
	assert_int_equal(enlist(registry, keys, &alice->name, bytes_text("secret"), net.wall),
			 0);
	assert_int_equal(enlist(registry, keys, &alice->name, bytes_text("secret"), net.wall),
			 ERR_EXISTS);
	registry->close(registry);
	keystore_close(keys);
	alice->stretches = true;
	assert_int_equal(small_client_login(alice, "wrong"), ERR_AUTH);
	assert_int_equal(small_client_login(alice, "secret"), 0);
	assert_int_equal(small_client_come(alice), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(status_counts_and_names_nobody),
		ROW(an_invitation_is_as_asked),
		ROW(what_cannot_be_is_refused_by_name),
		ROW(users_are_listed_and_dropped),
		ROW(without_a_server_there_is_no_status),
		ROW(an_account_made_by_the_operator_takes_its_first_identity),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
