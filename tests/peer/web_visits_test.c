#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "peer/faces/web/visits.h"
#include "shared/error.h"

struct secrets {
	char cookie[VISITS_TEXT_SIZE], key[VISITS_TEXT_SIZE];
};

static int64_t enter(struct visits *v, mono_ns now, struct secrets *s)
{
	char token[VISITS_TEXT_SIZE];

	visits_token(v, now, token);
	return visits_trade(v, token, now, s->cookie, s->key);
}

static void a_token_opens_one_session_once(void **state)
{
	struct visits *v = visits_new();
	char token[VISITS_TEXT_SIZE];
	struct secrets s, again;
	int64_t session;

	(void)state;
	visits_token(v, SECOND, token);
	session = visits_trade(v, token, SECOND, s.cookie, s.key);
	assert_true(session > 0);
	assert_int_equal(visits_trade(v, token, SECOND, again.cookie, again.key), ERR_AUTH);
	assert_int_equal(visits_find(v, s.cookie, s.key, SECOND), session);
	visits_free(v);
}

static void a_token_is_void_after_five_minutes(void **state)
{
	struct visits *v = visits_new();
	char token[VISITS_TEXT_SIZE];
	struct secrets s;

	(void)state;
	visits_token(v, SECOND, token);
	assert_int_equal(visits_trade(v, token, (1 + VISITS_TOKEN_S) * SECOND, s.cookie, s.key),
			 ERR_AUTH);
	visits_token(v, SECOND, token);
	assert_true(visits_trade(v, token, VISITS_TOKEN_S * SECOND, s.cookie, s.key) > 0);
	visits_free(v);
}

static void what_is_no_secret_opens_nothing(void **state)
{
	static const char *const bad[] = {
		NULL,
		"",
		"x",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"===========================================",
	};
	struct visits *v = visits_new();
	char token[VISITS_TEXT_SIZE];
	struct secrets s, out;
	uint64_t message;

	(void)state;
	enter(v, SECOND, &s);
	visits_token(v, SECOND, token);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(visits_trade(v, bad[i], SECOND, out.cookie, out.key),
				 ERR_AUTH);
		assert_int_equal(visits_find(v, bad[i], NULL, SECOND), ERR_AUTH);
		assert_int_equal(visits_find(v, bad[i], s.key, SECOND), ERR_AUTH);
		if (bad[i])
			assert_int_equal(visits_find(v, s.cookie, bad[i], SECOND), ERR_AUTH);
		assert_int_equal(visits_redeem(v, 1, bad[i], SECOND, &message), ERR_AUTH);
	}
	assert_true(visits_trade(v, token, SECOND, out.cookie, out.key) > 0);
	visits_free(v);
}

static void cookie_and_key_must_be_of_one_session(void **state)
{
	struct visits *v = visits_new();
	struct secrets one, two;
	int64_t first = enter(v, SECOND, &one), second = enter(v, SECOND, &two);

	(void)state;
	assert_true(first != second);
	assert_int_equal(visits_find(v, one.cookie, two.key, SECOND), ERR_AUTH);
	assert_int_equal(visits_find(v, one.key, one.cookie, SECOND), ERR_AUTH);
	assert_int_equal(visits_find(v, two.cookie, two.key, SECOND), second);
	assert_int_equal(visits_find(v, one.cookie, NULL, SECOND), first);
	visits_end(v, first);
	assert_int_equal(visits_find(v, one.cookie, one.key, SECOND), ERR_AUTH);
	assert_int_equal(visits_find(v, two.cookie, two.key, SECOND), second);
	visits_end_all(v);
	assert_int_equal(visits_find(v, two.cookie, two.key, SECOND), ERR_AUTH);
	assert_true(enter(v, SECOND, &one) > second);
	visits_free(v);
}

static void the_session_that_was_not_used_for_longest_makes_room(void **state)
{
	struct visits *v = visits_new();
	struct secrets s[VISITS_MAX], more;

	(void)state;
	for (unsigned i = 0; i < VISITS_MAX; i++)
		enter(v, (i + 1) * SECOND, &s[i]);
	assert_true(visits_find(v, s[0].cookie, s[0].key, 100 * SECOND) > 0);
	assert_true(enter(v, 101 * SECOND, &more) > 0);
	assert_int_equal(visits_find(v, s[1].cookie, s[1].key, 102 * SECOND), ERR_AUTH);
	assert_true(visits_find(v, s[0].cookie, s[0].key, 102 * SECOND) > 0);
	assert_true(visits_find(v, s[2].cookie, s[2].key, 102 * SECOND) > 0);
	visits_free(v);
}

static void many_tokens_make_room_for_one_another(void **state)
{
	char tokens[VISITS_TOKENS_MAX + 1][VISITS_TEXT_SIZE];
	struct visits *v = visits_new();
	struct secrets s;

	(void)state;
	for (unsigned i = 0; i <= VISITS_TOKENS_MAX; i++)
		visits_token(v, (i + 1) * SECOND, tokens[i]);
	assert_int_equal(visits_trade(v, tokens[0], 20 * SECOND, s.cookie, s.key), ERR_AUTH);
	for (unsigned i = 1; i <= VISITS_TOKENS_MAX; i++)
		assert_true(visits_trade(v, tokens[i], 20 * SECOND, s.cookie, s.key) > 0);
	visits_free(v);
}

static void a_ticket_is_of_its_session_and_for_a_minute_after_its_last_use(void **state)
{
	struct visits *v = visits_new();
	char ticket[VISITS_TEXT_SIZE];
	struct secrets s;
	int64_t one = enter(v, SECOND, &s), two = enter(v, SECOND, &s);
	uint64_t message = 0;

	(void)state;
	visits_ticket(v, one, 17, SECOND, ticket);
	assert_int_equal(visits_redeem(v, two, ticket, SECOND, &message), ERR_AUTH);
	assert_int_equal(visits_redeem(v, one, ticket, 50 * SECOND, &message), 0);
	assert_int_equal(message, 17);
	assert_int_equal(visits_redeem(v, one, ticket, 100 * SECOND, &message), 0);
	assert_int_equal(visits_redeem(v, one, ticket, 161 * SECOND, &message), ERR_AUTH);
	visits_ticket(v, one, 18, SECOND, ticket);
	visits_end(v, one);
	assert_int_equal(visits_redeem(v, one, ticket, SECOND, &message), ERR_AUTH);
	visits_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_opens_one_session_once),
		cmocka_unit_test(a_token_is_void_after_five_minutes),
		cmocka_unit_test(what_is_no_secret_opens_nothing),
		cmocka_unit_test(cookie_and_key_must_be_of_one_session),
		cmocka_unit_test(the_session_that_was_not_used_for_longest_makes_room),
		cmocka_unit_test(many_tokens_make_room_for_one_another),
		cmocka_unit_test(
			a_ticket_is_of_its_session_and_for_a_minute_after_its_last_use),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
