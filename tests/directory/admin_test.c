#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/admin.h"
#include "directory/enlist.h"
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
		{ "{\"command\":\"ban\",\"name\":\"nobody\"}", ERR_NOT_FOUND },
		{ "{\"command\":\"unban\",\"name\":\"nobody\"}", ERR_NOT_FOUND },
		{ "{\"command\":\"kick\"}", ERR_NAME },
		{ "{\"command\":\"reset\",\"name\":\"nobody\"}", ERR_NOT_FOUND },
		{ "{\"command\":\"reset\",\"name\":\"nobody\",\"expires\":59}", ERR_LIMIT },
		{ "{\"command\":\"revoke\"}", ERR_FORMAT },
		{ "{\"command\":\"revoke\",\"handle\":\"ABCDEF01\"}", ERR_FORMAT },
		{ "{\"command\":\"revoke\",\"handle\":\"abcdef012\"}", ERR_FORMAT },
		{ "{\"command\":\"revoke\",\"handle\":\"abcdef01\"}", ERR_NOT_FOUND },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ask(cases[i].request);
		assert_non_null(json_text(answer, "message"));
		assert_string_equal(json_text(answer, "error"), error_name(cases[i].err));
	}
}

static void users_are_listed_and_kicked_and_may_come_back(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");

	(void)state;
	ask("{\"command\":\"users\"}");
	assert_int_equal(json_count(json_get(answer, "users")), 1);
	assert_string_equal(json_text(json_at(json_get(answer, "users"), 0), "name"), "alice");
	ask("{\"command\":\"kick\",\"name\":\"alice\"}");
	assert_int_equal(json_int(answer, "dropped", 0), 1);
	small_net_run(&net, MILLISECOND);
	assert_null(alice->link);
	assert_int_equal(alice->down_code, LINK_CODE_RESTART);
	ask("{\"command\":\"kick\",\"name\":\"alice\"}");
	assert_int_equal(json_int(answer, "dropped", 9), 0);
	assert_int_equal(small_client_come(alice), 0);
}

static void who_is_banned_is_told_and_kept_out_until_it_is_lifted(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct wire_message m;

	(void)state;
	ask("{\"command\":\"ban\",\"name\":\"alice\"}");
	assert_string_equal(json_text(answer, "banned"), "alice");
	assert_int_equal(json_int(answer, "dropped", 0), 1);
	small_net_run(&net, MILLISECOND);
	assert_null(alice->link);
	assert_true(small_client_hears(alice, WIRE_REFUSAL, &m));
	assert_int_equal(m.refusal.error, ERR_SUSPENDED);
	ask("{\"command\":\"users\"}");
	assert_true(json_bool(json_at(json_get(answer, "users"), 0), "is_banned", false));
	assert_int_equal(small_client_come(alice), ERR_TIMEOUT);
	assert_null(alice->link);
	assert_int_equal(small_client_login(alice, "password"), ERR_SUSPENDED);
	ask("{\"command\":\"unban\",\"name\":\"alice\"}");
	assert_string_equal(json_text(answer, "unbanned"), "alice");
	assert_int_equal(small_client_come(alice), 0);
}

static void who_is_removed_is_unknown(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");

	(void)state;
	ask("{\"command\":\"remove\",\"name\":\"alice\"}");
	assert_string_equal(json_text(answer, "removed"), "alice");
	small_net_run(&net, MILLISECOND);
	assert_null(alice->link);
	assert_int_equal(alice->down_code, LINK_CODE_UNKNOWN);
	ask("{\"command\":\"users\"}");
	assert_int_equal(json_count(json_get(answer, "users")), 0);
}

static void open_invitations_are_listed_and_taken_back(void **state)
{
	const struct json *one;
	char request[128];

	(void)state;
	ask("{\"command\":\"invites\"}");
	assert_int_equal(json_count(json_get(answer, "invites")), 0);
	ask("{\"command\":\"invite\",\"count\":3,\"name\":\"bob\"}");
	ask("{\"command\":\"invites\"}");
	assert_int_equal(json_count(json_get(answer, "invites")), 1);
	one = json_at(json_get(answer, "invites"), 0);
	assert_string_equal(json_text(one, "kind"), "invitation");
	assert_string_equal(json_text(one, "name"), "bob");
	assert_int_equal(json_int(one, "uses", 0), 3);
	assert_int_equal(json_int(one, "expires", 0),
			 net.wall + (wall_ms)ADMIN_INVITE_DAYS * 86400000);
	snprintf(request, sizeof request, "{\"command\":\"revoke\",\"handle\":\"%s\"}",
		 json_text(one, "handle"));
	ask(request);
	assert_non_null(json_text(answer, "revoked"));
	ask(request);
	assert_string_equal(json_text(answer, "error"), error_name(ERR_NOT_FOUND));
	ask("{\"command\":\"invites\"}");
	assert_int_equal(json_count(json_get(answer, "invites")), 0);
}

static void a_one_time_code_sets_a_password_once(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct wire_message m;
	struct uri uri;

	(void)state;
	ask("{\"command\":\"reset\",\"name\":\"alice\"}");
	assert_string_equal(json_text(answer, "name"), "alice");
	assert_int_equal(uri_parse(&uri, json_text(answer, "link")), 0);
	assert_int_equal(uri.kind, URI_RESET);
	assert_string_equal(uri.code, json_text(answer, "code"));
	assert_int_equal(json_int(answer, "expires", 0),
			 net.wall + (wall_ms)ADMIN_RESET_HOURS * 3600000);
	small_client_hang_up(alice);
	for (int i = 0; i < 2; i++) {
		small_client_dial(alice, LINK_NK);
		small_net_run(&net, MILLISECOND);
		m = (struct wire_message){ .type = WIRE_RESET,
					   .reset.code = bytes_text(uri.code) };
		assert_int_equal(small_client_ask(alice, &m, WIRE_RESET_DONE),
				 i ? ERR_REFUSED : 0);
		if (!i)
			assert_int_equal(small_client_password(alice, "new", false), 0);
		small_client_hang_up(alice);
	}
}

static void a_public_name_may_be_offered_where_none_is_known(void **state)
{
	struct server_config nameless = config;
	struct uri uri;

	(void)state;
	nameless.has_place = false;
	server_configure(net.server, &nameless);
	ask("{\"command\":\"link\"}");
	assert_string_equal(json_text(answer, "error"), error_name(ERR_STATE));
	ask("{\"command\":\"link\",\"place\":\"not a place\"}");
	assert_string_equal(json_text(answer, "error"), error_name(ERR_STATE));
	ask("{\"command\":\"link\",\"place\":\"192.0.2.1:7000\"}");
	assert_int_equal(uri_parse(&uri, json_text(answer, "link")), 0);
	assert_string_equal(uri.place.host, "192.0.2.1");
	server_configure(net.server, &config);
	ask("{\"command\":\"link\",\"place\":\"192.0.2.1:7000\"}");
	uri_parse(&uri, json_text(answer, "link"));
	assert_string_equal(uri.place.host, "dir.example.org");
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
	struct holder *holder;
	char reason[256];

	(void)state;
	/* beside the running server, as the command line does it */
	assert_int_equal(registry_sqlite_open(&registry, net.data, true, reason, sizeof reason),
			 0);
	assert_int_equal(holder_local_open(&holder, net.data, reason, sizeof reason), 0);
	assert_int_equal(enlist(registry, holder, &alice->name, bytes_text("secret"), net.wall),
			 0);
	assert_int_equal(enlist(registry, holder, &alice->name, bytes_text("secret"), net.wall),
			 ERR_EXISTS);
	registry->close(registry);
	holder->close(holder);
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
		ROW(users_are_listed_and_kicked_and_may_come_back),
		ROW(who_is_banned_is_told_and_kept_out_until_it_is_lifted),
		ROW(who_is_removed_is_unknown),
		ROW(open_invitations_are_listed_and_taken_back),
		ROW(a_one_time_code_sets_a_password_once),
		ROW(a_public_name_may_be_offered_where_none_is_known),
		ROW(without_a_server_there_is_no_status),
		ROW(an_account_made_by_the_operator_takes_its_first_identity),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
