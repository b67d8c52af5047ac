#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "shared/error.h"
#include "shared/sight.h"

static const struct sight_nonce nonce = { { 1, 2, 3, 4, [15] = 9 } };

static void a_question_is_understood_and_padded(void **state)
{
	static const struct sight_question asked[] = { { nonce, SIGHT_PLAIN, 0 },
						       { nonce, SIGHT_CROSS, 0 },
						       { nonce, SIGHT_PORT, 0x1234 } };

	(void)state;
	assert_true(SIGHT_ANSWER_SIZE < SIGHT_QUESTION_SIZE);
	for (unsigned i = 0; i < 3; i++) {
		uint8_t out[SIGHT_QUESTION_SIZE];
		struct sight_question got;

		sight_question_encode(out, &asked[i]);
		assert_int_equal(out[0], 3);
		assert_memory_equal(out + 1, "palq-see", 8);
		assert_memory_equal(out + 9, nonce.bytes, 16);
		assert_int_equal(out[25], asked[i].wants);
		assert_int_equal(out[26] << 8 | out[27], asked[i].port);
		assert_int_equal(sight_question_decode(&got, BYTES(out)), 0);
		assert_memory_equal(&got.nonce, &nonce, sizeof nonce);
		assert_int_equal(got.wants, asked[i].wants);
		assert_int_equal(got.port, asked[i].port);
	}
}

static void anything_else_is_no_question(void **state)
{
	static const struct {
		unsigned at;
		uint8_t is;
	} changes[] = { { 0, 4 },  { 1, 'q' }, { 8, 'E' }, { 25, 3 }, { 25, 2 },
			{ 26, 1 }, { 27, 1 },  { 28, 1 },  { 63, 1 } };
	struct sight_question q = { nonce, SIGHT_CROSS, 0 }, got = { 0 };
	uint8_t out[SIGHT_QUESTION_SIZE + 1] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		sight_question_encode(out, &q);
		out[changes[i].at] = changes[i].is;
		assert_int_equal(sight_question_decode(&got, bytes_of(out, 64)), ERR_FORMAT);
	}
	sight_question_encode(out, &q);
	assert_int_equal(sight_question_decode(&got, bytes_of(out, 63)), ERR_FORMAT);
	assert_int_equal(sight_question_decode(&got, bytes_of(out, 65)), ERR_FORMAT);
	assert_int_equal(sight_question_decode(&got, bytes_of(NULL, 0)), ERR_FORMAT);
	assert_int_equal(got.nonce.bytes[0], 0);
}

static void an_answer_tells_the_address(void **state)
{
	static const char *const seen[] = { "192.0.2.7:4660", "[2001:db8::1]:65535" };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct address a, got;
		struct sight_nonce to;
		uint8_t out[SIGHT_ANSWER_SIZE];

		assert_int_equal(address_parse(&a, seen[i], 0), 0);
		sight_answer_encode(out, &nonce, &a);
		assert_int_equal(out[0], 4);
		assert_int_equal(out[17], i == 0 ? 4 : 6);
		assert_int_equal(sight_answer_decode(&to, &got, BYTES(out)), 0);
		assert_true(address_equal(&a, &got));
		assert_memory_equal(&to, &nonce, sizeof to);
	}
}

static void an_answer_without_a_good_address_is_refused(void **state)
{
	static const struct {
		unsigned at;
		uint8_t is;
	} changes[] = { { 0, 3 }, { 17, 0 }, { 17, 5 }, { 18, 224 }, { 22, 1 }, { 33, 1 } };
	static const uint8_t v4_mapped[16] = { [10] = 0xff, [11] = 0xff, 1, 2, 3, 4 };
	struct address a, got = { 0 };
	struct sight_nonce to;
	uint8_t out[SIGHT_ANSWER_SIZE + 1] = { 0 };

	(void)state;
	address_parse(&a, "192.0.2.7:4660", 0);
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		sight_answer_encode(out, &nonce, &a);
		out[changes[i].at] = changes[i].is;
		assert_int_equal(
			sight_answer_decode(&to, &got, bytes_of(out, SIGHT_ANSWER_SIZE)),
			ERR_FORMAT);
	}
	sight_answer_encode(out, &nonce, &a);
	assert_int_equal(sight_answer_decode(&to, &got, bytes_of(out, SIGHT_ANSWER_SIZE - 1)),
			 ERR_FORMAT);
	assert_int_equal(sight_answer_decode(&to, &got, BYTES(out)), ERR_FORMAT);
	out[34] = out[35] = 0; /* no port */
	assert_int_equal(sight_answer_decode(&to, &got, bytes_of(out, SIGHT_ANSWER_SIZE)),
			 ERR_FORMAT);
	out[17] = 6, out[35] = 1;
	memcpy(out + 18, v4_mapped, sizeof v4_mapped);
	assert_int_equal(sight_answer_decode(&to, &got, bytes_of(out, SIGHT_ANSWER_SIZE)),
			 ERR_FORMAT);
	assert_int_equal(got.family, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_understood_and_padded),
		cmocka_unit_test(anything_else_is_no_question),
		cmocka_unit_test(an_answer_tells_the_address),
		cmocka_unit_test(an_answer_without_a_good_address_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
