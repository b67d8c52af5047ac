#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/packet.h"

static const uint8_t key[PACKET_KEY_SIZE] = { 9, 8, 7 };
static const uint8_t iv[PACKET_IV_SIZE] = { 1, 2, 3 };

static void a_packet_opens_with_its_number_and_header_only(void **state)
{
	uint8_t nonce[12], sealed[4 + 16], opened[4];

	(void)state;
	packet_nonce(nonce, iv, 7);
	packet_seal(sealed, key, nonce, bytes_text("text"), bytes_text("header"));
	assert_int_equal(packet_open(opened, key, nonce, BYTES(sealed), bytes_text("header")),
			 0);
	assert_memory_equal(opened, "text", 4);
	assert_int_equal(packet_open(opened, key, nonce, BYTES(sealed), bytes_text("Header")),
			 ERR_AUTH);
	packet_nonce(nonce, iv, 8);
	assert_int_equal(packet_open(opened, key, nonce, BYTES(sealed), bytes_text("header")),
			 ERR_AUTH);
}

static void what_does_not_open_leaves_no_text_behind(void **state)
{
	uint8_t nonce[12], sealed[4 + 16], opened[4];
	size_t size;

	(void)state;
	packet_nonce(nonce, iv, 1);
	packet_seal(sealed, key, nonce, bytes_text("text"), bytes_text(""));
	for (size = 0; size < sizeof sealed; size++) {
		assert_int_equal(
			packet_open(opened, key, nonce, bytes_of(sealed, size), bytes_text("")),
			ERR_AUTH);
		assert_memory_not_equal(opened, "text", 4);
	}
}

static void sealing_in_place_is_the_same_as_elsewhere(void **state)
{
	uint8_t nonce[12], a[100 + 16], b[100 + 16];

	(void)state;
	packet_nonce(nonce, iv, 2);
	memset(a, 0x33, 100);
	packet_seal(b, key, nonce, bytes_of(a, 100), bytes_text("h"));
	packet_seal(a, key, nonce, bytes_of(a, 100), bytes_text("h"));
	assert_memory_equal(a, b, sizeof a);
}

static void each_number_has_its_nonce(void **state)
{
	uint8_t a[12], b[12];

	(void)state;
	packet_nonce(a, iv, 0);
	assert_memory_equal(a, iv, 12);
	packet_nonce(a, iv, 0x0102030405060708);
	assert_memory_equal(a, "\1\2\3\0\1\2\3\4\5\6\7\10", 12);
	packet_nonce(b, iv, 0x0102030405060709);
	assert_memory_not_equal(a, b, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_opens_with_its_number_and_header_only),
		cmocka_unit_test(what_does_not_open_leaves_no_text_behind),
		cmocka_unit_test(sealing_in_place_is_the_same_as_elsewhere),
		cmocka_unit_test(each_number_has_its_nonce),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
