#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "directory/keyholder.h"
#include "shared/error.h"

static struct opaque_server secrets;
static struct keyholder *holder;
static uint8_t question[HOLDING_QUESTION_SIZE], answer[HOLDING_ANSWER_SIZE];

static int begin(void **state)
{
	struct keyholder_limits limits = { .name = { 3, 1000 }, .all = { 5, 1000 } };

	(void)state;
	opaque_server_make(&secrets);
	holder = keyholder_new(&secrets, &limits);
	return 0;
}

static int end(void **state)
{
	(void)state;
	keyholder_free(holder);
	return 0;
}

static struct holding_question about(const char *name, enum holding_kind kind)
{
	struct holding_question q = { .kind = kind, .ticket = 0x0102030405060708 };

	snprintf(q.name.text, sizeof q.name.text, "%s", name);
	crypto_core_ristretto255_random(q.blinded);
	if (kind == HOLDING_LOGIN)
		crypto_core_ristretto255_random(q.keyshare);
	return q;
}

static int ask(struct holder_answer *a, const struct holding_question *q, mono_ns now)
{
	int err;

	holding_ask(question, q);
	err = keyholder_answer(holder, question, answer, now);
	if (!err)
		err = holding_read_answer(a, answer);
	if (!err)
		assert_int_equal(a->ticket, q->ticket);
	return err;
}

static void a_login_is_answered_as_the_secrets_would(void **state)
{
	struct holding_question q = about("ana", HOLDING_LOGIN);
	struct opaque_held expected;
	struct holder_answer a;

	(void)state;
	assert_int_equal(ask(&a, &q, 0), 0);
	assert_int_equal(a.err, 0);
	assert_int_equal(
		opaque_hold(&secrets, bytes_text("ana"), q.blinded, q.keyshare, &expected), 0);
	assert_memory_equal(&a.held, &expected, sizeof expected);
}

static void a_registration_has_no_shared_key(void **state)
{
	struct holding_question q = about("ana", HOLDING_REGISTER);
	struct opaque_held expected;
	struct holder_answer a;

	(void)state;
	assert_int_equal(ask(&a, &q, 0), 0);
	assert_int_equal(a.err, 0);
	assert_int_equal(opaque_hold(&secrets, bytes_text("ana"), q.blinded, NULL, &expected),
			 0);
	assert_memory_equal(a.held.evaluated, expected.evaluated, 32);
	assert_true(sodium_is_zero(a.held.shared, 32));
}

static void the_public_key_is_told_however_often(void **state)
{
	struct holding_question q = { .kind = HOLDING_KEY, .ticket = 9 };
	struct holder_answer a;

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(ask(&a, &q, 0), 0);
		assert_int_equal(a.err, 0);
		assert_memory_equal(a.held.evaluated, secrets.public, 32);
	}
}

static void what_is_no_element_is_answered_with_nothing(void **state)
{
	struct holding_question q = about("ana", HOLDING_LOGIN);
	struct holder_answer a;

	(void)state;
	memset(q.blinded, 0xff, sizeof q.blinded);
	assert_int_equal(ask(&a, &q, 0), 0);
	assert_int_equal(a.err, ERR_AUTH);
	assert_true(sodium_is_zero((const uint8_t *)&a.held, sizeof a.held));
}

static void one_name_is_answered_only_so_often(void **state)
{
	struct holding_question q = about("ana", HOLDING_LOGIN);
	struct holder_answer a;

	(void)state;
	for (int i = 0; i < 3; i++) {
		ask(&a, &q, SECOND);
		assert_int_equal(a.err, 0);
	}
	ask(&a, &q, SECOND);
	assert_int_equal(a.err, ERR_BUSY);
	assert_true(sodium_is_zero((const uint8_t *)&a.held, sizeof a.held));
	/* a registration is no way around it */
	q = about("ana", HOLDING_REGISTER);
	ask(&a, &q, SECOND);
	assert_int_equal(a.err, ERR_BUSY);
	ask(&a, &q, 2 * SECOND + MILLISECOND);
	assert_int_equal(a.err, 0);
}

static void who_is_refused_takes_nothing_from_others(void **state)
{
	struct holding_question ana = about("ana", HOLDING_LOGIN);
	struct holding_question bob = about("bob", HOLDING_LOGIN);
	struct holder_answer a;

	(void)state;
	for (int i = 0; i < 50; i++)
		ask(&a, &ana, SECOND);
	assert_int_equal(a.err, ERR_BUSY);
	for (int i = 0; i < 2; i++) {
		ask(&a, &bob, SECOND);
		assert_int_equal(a.err, 0);
	}
}

static void all_together_are_answered_only_so_often(void **state)
{
	static const char *const names[] = { "ana", "bob", "cleo", "dora", "eva", "fred" };
	struct holder_answer a = { 0 };

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct holding_question q = about(names[i], HOLDING_LOGIN);

		ask(&a, &q, SECOND);
		assert_int_equal(a.err, i < 5 ? 0 : ERR_BUSY);
	}
}

static void what_is_no_question_is_not_answered(void **state)
{
	struct holding_question q = about("ana", HOLDING_REGISTER);
	static const struct {
		size_t at;
		uint8_t value;
	} wrong[] = {
		{ 0, 2 }, /* another version */
		{ 1, 0 },
		{ 1, 4 }, /* no such kind */
		{ 1, 1 }, /* the key, with a name */
		{ 10, 'A' },
		{ 11, ' ' },                      /* not a name */
		{ 10, 0 },                        /* nor an empty one */
		{ 10 + 5, 'x' },                  /* something behind its end */
		{ HOLDING_QUESTION_SIZE - 1, 1 }, /* a key share, for a registration */
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		holding_ask(question, &q);
		question[wrong[i].at] = wrong[i].value;
		memset(answer, 7, sizeof answer);
		assert_int_equal(keyholder_answer(holder, question, answer, 0), ERR_FORMAT);
		for (size_t b = 0; b < sizeof answer; b++)
			assert_int_equal(answer[b], 7);
	}
}

static void what_is_no_answer_is_refused(void **state)
{
	struct holder_answer a = { .ticket = 5, .err = ERR_BUSY }, read;

	(void)state;
	holding_answer(answer, &a);
	assert_int_equal(holding_read_answer(&read, answer), 0);
	assert_int_equal(read.err, ERR_BUSY);
	assert_int_equal(read.ticket, 5);
	answer[20] = 1; /* something beside an error */
	assert_int_equal(holding_read_answer(&read, answer), ERR_FORMAT);
	holding_answer(answer, &a);
	answer[1] = 200;
	assert_int_equal(holding_read_answer(&read, answer), ERR_FORMAT);
	holding_answer(answer, &a);
	answer[0] = 0;
	assert_int_equal(holding_read_answer(&read, answer), ERR_FORMAT);
}

/* --- the one in this process --- */

static void a_local_holder_answers_in_order(void **state)
{
	struct holder *h = holder_local(&secrets);
	struct opaque_held expected;
	struct holder_answer a;
	uint64_t taken = 0;

	(void)state;
	assert_memory_equal(h->public_key(h), secrets.public, 32);
	assert_false(h->next(h, &a));
	for (uint64_t asked = 0; asked < 200;) {
		for (int i = 0; i < 7 && asked < 200; i++, asked++) {
			struct holding_question q = about("ana", HOLDING_LOGIN);

			h->ask(h, asked, &q.name, q.blinded, asked % 2 ? q.keyshare : NULL);
		}
		for (int i = 0; i < 5 && h->next(h, &a); i++)
			assert_int_equal(a.ticket, taken++);
	}
	while (h->next(h, &a))
		assert_int_equal(a.ticket, taken++);
	assert_int_equal(taken, 200);
	memset(question, 0xff, 32);
	struct name ana = { "ana" };
	h->ask(h, 1, &ana, question, NULL);
	assert_true(h->next(h, &a));
	assert_int_equal(a.err, ERR_AUTH);
	crypto_core_ristretto255_random(question);
	h->ask(h, 1, &ana, question, NULL);
	assert_true(h->next(h, &a));
	assert_int_equal(opaque_hold(&secrets, bytes_text("ana"), question, NULL, &expected),
			 0);
	assert_memory_equal(&a.held, &expected, sizeof expected);
	h->close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(a_login_is_answered_as_the_secrets_would),
		ROW(a_registration_has_no_shared_key),
		ROW(the_public_key_is_told_however_often),
		ROW(what_is_no_element_is_answered_with_nothing),
		ROW(one_name_is_answered_only_so_often),
		ROW(who_is_refused_takes_nothing_from_others),
		ROW(all_together_are_answered_only_so_often),
		ROW(what_is_no_question_is_not_answered),
		ROW(what_is_no_answer_is_refused),
		ROW(a_local_holder_answers_in_order),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
