#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/pair.h"
#include "shared/probe.h"

static const struct device_public one = { { 1 } }, two = { { 2 } };
static const struct knock knock_one = { { 11 } }, knock_two = { { 22 } };
static struct probe_keys ours, theirs; /* of device one and of device two */
static struct symmetric_key pair;

static int setup(void **state)
{
	struct identity alice, bob;

	(void)state;
	if (sodium_init() < 0)
		return -1;
	identity_make(&alice);
	identity_make(&bob);
	pair_key_make(&pair, &alice, &bob.public);
	probe_keys_make(&ours, &pair, &one, &two, &knock_one, &knock_two);
	probe_keys_make(&theirs, &pair, &two, &one, &knock_two, &knock_one);
	return 0;
}

static void the_tag_finds_the_sender(void **state)
{
	struct probe_tag tag;
	struct probe_keys renewed;
	struct knock other = { { 33 } };
	uint8_t out[PROBE_SIZE_MAX];
	struct probe p = { .nonce = { "12345678" } };
	size_t size = probe_encode(out, &p, &ours);

	(void)state;
	assert_int_equal(probe_tag_of(&tag, bytes_of(out, size)), 0);
	assert_memory_equal(&tag, &theirs.tag_in, sizeof tag);
	assert_memory_equal(&ours.tag_in, &theirs.tag_out, sizeof tag);
	assert_memory_not_equal(&ours.tag_in, &ours.tag_out, sizeof tag);
	/* A new knock of the receiver changes it, one of the sender does not. */
	probe_keys_make(&renewed, &pair, &one, &two, &knock_one, &other);
	assert_memory_not_equal(&renewed.tag_out, &ours.tag_out, sizeof tag);
	assert_memory_equal(&renewed.tag_in, &ours.tag_in, sizeof tag);
}

static void a_probe_and_its_answer_arrive(void **state)
{
	uint8_t out[PROBE_SIZE_MAX];
	struct probe asked = { .nonce = { "asking-1" } }, got;
	struct probe answer = { .is_answer = true, .nonce = { "answer-2" } };
	size_t size = probe_encode(out, &asked, &ours);

	(void)state;
	assert_int_equal(size, 33);
	assert_int_equal(out[0], 0x10);
	assert_int_equal(probe_decode(&got, bytes_of(out, size), &theirs), 0);
	assert_false(got.is_answer);
	assert_memory_equal(&got.nonce, &asked.nonce, sizeof got.nonce);

	answer.echo = got.nonce;
	size = probe_encode(out, &answer, &theirs);
	assert_int_equal(size, 41);
	assert_int_equal(out[0], 0x11);
	assert_int_equal(probe_decode(&got, bytes_of(out, size), &ours), 0);
	assert_true(got.is_answer);
	assert_memory_equal(&got.nonce, &answer.nonce, sizeof got.nonce);
	assert_memory_equal(&got.echo, &asked.nonce, sizeof got.echo);
}

static void every_changed_bit_is_found(void **state)
{
	static const struct probe nothing;
	struct probe p = { .is_answer = true, .nonce = { "1" }, .echo = { "2" } }, got;
	uint8_t out[PROBE_SIZE_MAX];
	struct bytes all = bytes_of(out, probe_encode(out, &p, &ours));

	(void)state;
	for (size_t bit = 0; bit < all.size * 8; bit++) {
		out[bit / 8] ^= (uint8_t)(1 << bit % 8);
		memset(&got, 1, sizeof got);
		assert_true(probe_decode(&got, all, &theirs) < 0);
		assert_memory_equal(&got, &nothing, sizeof got);
		out[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(probe_decode(&got, all, &theirs), 0);
}

static void what_we_sent_is_not_taken_back(void **state)
{
	struct probe p = { .nonce = { "1" } }, got;
	uint8_t out[PROBE_SIZE_MAX];
	size_t size = probe_encode(out, &p, &ours);

	(void)state;
	assert_int_equal(probe_decode(&got, bytes_of(out, size), &ours), ERR_AUTH);
}

static void a_recording_from_before_our_knock_changed_is_refused(void **state)
{
	struct probe p = { .nonce = { "1" } }, got;
	struct knock fresh = { { 44 } };
	struct probe_keys now;
	uint8_t out[PROBE_SIZE_MAX];
	size_t size = probe_encode(out, &p, &ours);

	(void)state;
	probe_keys_make(&now, &pair, &two, &one, &fresh, &knock_one);
	assert_int_equal(probe_decode(&got, bytes_of(out, size), &now), ERR_AUTH);
}

static void other_datagrams_are_no_probes(void **state)
{
	uint8_t out[PROBE_SIZE_MAX + 1] = { 0 };
	struct probe p = { .nonce = { "1" } }, got;
	struct probe_tag tag;

	(void)state;
	probe_encode(out, &p, &ours);
	for (size_t size = 0; size <= sizeof out; size++) {
		struct bytes b = bytes_of(size ? out : NULL, size);

		if (size == PROBE_SIZE)
			continue;
		assert_int_equal(probe_tag_of(&tag, b), ERR_FORMAT);
		assert_int_equal(probe_decode(&got, b, &theirs), ERR_FORMAT);
	}
	out[0] = 0x11; /* of the other size */
	assert_int_equal(probe_decode(&got, bytes_of(out, PROBE_SIZE), &theirs), ERR_FORMAT);
	out[0] = 0x12;
	assert_int_equal(probe_tag_of(&tag, bytes_of(out, PROBE_SIZE)), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tag_finds_the_sender),
		cmocka_unit_test(a_probe_and_its_answer_arrive),
		cmocka_unit_test(every_changed_bit_is_found),
		cmocka_unit_test(what_we_sent_is_not_taken_back),
		cmocka_unit_test(a_recording_from_before_our_knock_changed_is_refused),
		cmocka_unit_test(other_datagrams_are_no_probes),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
