#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/door.h"
#include "shared/error.h"

static const uint8_t dcid[16] = { 1, 2, 3 }, new_dcid[8] = { 9 };
static const struct address from = { .family = 4, .port = 77, .ip = { 5, 6, 7, 8 } };
static const mono_ns begin = 1000 * SECOND;

static struct door_keys keys_of(uint8_t knock)
{
	struct device_public responder = { { 4 } };
	struct door_keys keys;

	door_keys_make(&keys, &(struct knock){ { knock } }, &responder);
	return keys;
}

static void a_knock_token_opens_its_door_only(void **state)
{
	struct door_keys right = keys_of(1), wrong = keys_of(2);
	uint8_t token[DOOR_TOKEN_MAX];
	struct bytes rest, whole = { token, 0 };

	(void)state;
	whole.size = door_token_make(token, &right, BYTES(dcid), bytes_text("behind"));
	assert_int_equal(door_token_check(&right, BYTES(dcid), whole, &rest), 0);
	assert_true(bytes_equal(rest, bytes_text("behind")));
	assert_int_equal(door_token_check(&wrong, BYTES(dcid), whole, &rest), ERR_AUTH);
	assert_int_equal(door_token_check(&right, BYTES(new_dcid), whole, &rest), ERR_AUTH);
	for (size_t i = 0; i < DOOR_TOKEN_SIZE; i++) {
		token[i] ^= 1;
		assert_int_equal(door_token_check(&right, BYTES(dcid), whole, &rest), ERR_AUTH);
		token[i] ^= 1;
		assert_int_equal(
			door_token_check(&right, BYTES(dcid), bytes_of(token, i), &rest),
			ERR_AUTH);
	}
}

static void a_retry_token_holds_for_its_address_and_two_minutes(void **state)
{
	struct door *d = door_new(), *other = door_new();
	uint8_t token[DOOR_RETRY_SIZE], original[DOOR_CID_MAX];
	struct address moved = from;
	size_t size;

	(void)state;
	moved.port++;
	door_retry_make(d, token, &from, BYTES(dcid), BYTES(new_dcid), begin);
	assert_true(door_is_retry(BYTES(token)));
	assert_int_equal(door_retry_open(d, BYTES(token), &from, BYTES(new_dcid),
					 begin + 119 * SECOND, original, &size),
			 0);
	assert_int_equal(size, sizeof dcid);
	assert_memory_equal(original, dcid, size);
	assert_int_equal(door_retry_open(d, BYTES(token), &from, BYTES(new_dcid),
					 begin + 121 * SECOND, original, &size),
			 ERR_AUTH);
	assert_int_equal(door_retry_open(d, BYTES(token), &moved, BYTES(new_dcid), begin,
					 original, &size),
			 ERR_AUTH);
	assert_int_equal(
		door_retry_open(d, BYTES(token), &from, BYTES(dcid), begin, original, &size),
		ERR_AUTH);
	assert_int_equal(door_retry_open(other, BYTES(token), &from, BYTES(new_dcid), begin,
					 original, &size),
			 ERR_AUTH);
	for (size_t i = 0; i < sizeof token; i++) {
		token[i] ^= 4;
		assert_int_equal(door_retry_open(d, BYTES(token), &from, BYTES(new_dcid), begin,
						 original, &size),
				 ERR_AUTH);
		token[i] ^= 4;
	}
	door_free(d);
	door_free(other);
}

static void an_address_token_holds_for_its_ip_and_a_day(void **state)
{
	struct door *d = door_new();
	uint8_t token[DOOR_ADDRESS_TOKEN_SIZE];
	struct address other_port = from, other_ip = from;

	(void)state;
	other_port.port = 1;
	other_ip.ip[0] = 1;
	door_address_token_make(d, token, &from, begin);
	assert_int_equal(door_address_token_open(d, BYTES(token), &other_port,
						 begin + 23 * 3600 * SECOND),
			 0);
	assert_int_equal(
		door_address_token_open(d, BYTES(token), &from, begin + 25 * 3600 * SECOND),
		ERR_AUTH);
	assert_int_equal(door_address_token_open(d, BYTES(token), &from, begin - 1), ERR_AUTH);
	assert_int_equal(door_address_token_open(d, BYTES(token), &other_ip, begin), ERR_AUTH);
	assert_int_equal(
		door_address_token_open(d, bytes_of(token, sizeof token - 1), &from, begin),
		ERR_AUTH);
	assert_int_equal(door_address_token_open(d, bytes_of(NULL, 0), &from, begin), ERR_AUTH);
	door_free(d);
}

static unsigned allowed(struct door *d, const struct address *a, mono_ns now)
{
	unsigned count = 0;

	while (count < 10000 && door_allows(d, a, 20, now))
		count++;
	return count;
}

static void a_network_has_a_rate_and_others_have_their_own(void **state)
{
	struct door *d = door_new();
	struct address neighbour = from,
		       far = { .family = 4, .port = 1, .ip = { 99, 1, 1, 1 } };
	struct address here = { .family = 4, .port = 1, .ip = { 127, 0, 0, 1 } };

	(void)state;
	neighbour.ip[3]++;
	assert_int_equal(allowed(d, &from, begin), 60);
	assert_int_equal(allowed(d, &neighbour, begin), 0);
	assert_int_equal(allowed(d, &far, begin), 60);
	assert_int_equal(allowed(d, &from, begin + SECOND), 20);
	assert_int_equal(allowed(d, &from, begin + 1000 * SECOND), 60);
	assert_int_equal(allowed(d, &here, begin), 10000);
	door_free(d);
}

static void a_first_message_is_new_once(void **state)
{
	struct door *d = door_new();
	struct device_public e = { { 1 } };

	(void)state;
	assert_true(door_is_new(d, &e));
	door_remember(d, &e);
	assert_false(door_is_new(d, &e));
	e.bytes[0]++;
	assert_true(door_is_new(d, &e));
	door_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_knock_token_opens_its_door_only),
		cmocka_unit_test(a_retry_token_holds_for_its_address_and_two_minutes),
		cmocka_unit_test(an_address_token_holds_for_its_ip_and_a_day),
		cmocka_unit_test(a_network_has_a_rate_and_others_have_their_own),
		cmocka_unit_test(a_first_message_is_new_once),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
