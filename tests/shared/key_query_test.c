#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "shared/error.h"
#include "shared/key_query.h"

static const struct key_query_nonce nonce = { { 1, 2, 3, 4 } };
static const struct device_public key = { { 9, 8, 7 } };

static void a_question_is_understood_and_padded(void **state)
{
	uint8_t query[KEY_QUERY_SIZE];
	struct key_query_nonce got;

	(void)state;
	key_query_encode(query, &nonce);
	assert_int_equal(query[0], 1);
	assert_memory_equal(query + 1, "palq-key", 8);
	assert_int_equal(key_query_decode(&got, BYTES(query)), 0);
	assert_memory_equal(got.bytes, nonce.bytes, sizeof got.bytes);
	assert_true(KEY_ANSWER_SIZE < KEY_QUERY_SIZE);
}

static void anything_else_is_no_question(void **state)
{
	uint8_t query[KEY_QUERY_SIZE + 1] = { 0 };
	struct key_query_nonce got;

	(void)state;
	key_query_encode(query, &nonce);
	assert_int_equal(key_query_decode(&got, bytes_of(query, KEY_QUERY_SIZE - 1)),
			 ERR_FORMAT);
	assert_int_equal(key_query_decode(&got, bytes_of(query, KEY_QUERY_SIZE + 1)),
			 ERR_FORMAT);
	assert_int_equal(key_query_decode(&got, bytes_of(NULL, 0)), ERR_FORMAT);
	query[KEY_QUERY_SIZE - 1] = 1;
	assert_int_equal(key_query_decode(&got, bytes_of(query, KEY_QUERY_SIZE)), ERR_FORMAT);
	query[KEY_QUERY_SIZE - 1] = 0;
	query[4] ^= 1;
	assert_int_equal(key_query_decode(&got, bytes_of(query, KEY_QUERY_SIZE)), ERR_FORMAT);
}

static void an_answer_is_taken_only_for_its_own_question(void **state)
{
	uint8_t answer[KEY_ANSWER_SIZE];
	struct key_query_nonce other = nonce;
	struct device_public got = { { 0 } };

	(void)state;
	key_answer_encode(answer, &nonce, &key);
	other.bytes[15] ^= 1;
	assert_int_equal(key_answer_decode(&got, BYTES(answer), &other), ERR_AUTH);
	assert_int_equal(got.bytes[0], 0);
	assert_int_equal(key_answer_decode(&got, bytes_of(answer, 48), &nonce), ERR_FORMAT);
	assert_int_equal(key_answer_decode(&got, BYTES(answer), &nonce), 0);
	assert_memory_equal(got.bytes, key.bytes, sizeof got.bytes);
	answer[0] = 1;
	assert_int_equal(key_answer_decode(&got, BYTES(answer), &nonce), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_understood_and_padded),
		cmocka_unit_test(anything_else_is_no_question),
		cmocka_unit_test(an_answer_is_taken_only_for_its_own_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
