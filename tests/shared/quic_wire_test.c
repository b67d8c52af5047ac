#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/error.h"
#include "shared/quic_wire.h"

/* An Initial without token, then a Handshake packet, then a short one; version 1. */
static const uint8_t coalesced[] = {
	0xc0, 0, 0,    0,    1, 2,    0xaa, 0xbb, 1, 0xcc, 0, 0x40, 3, 7, 7, 7, 0xe0, 0, 0, 0,
	1,    2, 0xaa, 0xbb, 1, 0xcc, 2,    8,    8, 0x40, 1, 2,    3, 4, 5, 6, 7,    8, 9,
};

static void every_long_header_gets_our_number_and_back(void **state)
{
	uint8_t data[sizeof coalesced];

	(void)state;
	memcpy(data, coalesced, sizeof data);
	quic_wire_out(data, sizeof data);
	assert_memory_equal(data + 1, "pal\1", 4);
	assert_memory_equal(data + 17, "pal\1", 4);
	assert_memory_equal(data + 29, coalesced + 29, sizeof data - 29);
	assert_int_equal(quic_wire_in(data, sizeof data), 0);
	assert_memory_equal(data, coalesced, sizeof data);
}

static void another_version_is_refused(void **state)
{
	uint8_t data[sizeof coalesced];

	(void)state;
	memcpy(data, coalesced, sizeof data);
	assert_int_equal(quic_wire_in(data, sizeof data), ERR_FORMAT);
	memset(data + 1, 0, 4); /* Version Negotiation */
	assert_int_equal(quic_wire_in(data, sizeof data), ERR_FORMAT);
}

static void a_packet_cut_off_anywhere_is_refused(void **state)
{
	uint8_t data[sizeof coalesced], part[sizeof coalesced];

	(void)state;
	memcpy(data, coalesced, sizeof data);
	quic_wire_out(data, sizeof data);
	for (size_t size = 1; size < 29; size++) {
		memcpy(part, data, size);
		assert_int_equal(quic_wire_in(part, size), size == 16 ? 0 : ERR_FORMAT);
	}
}

static void the_id_is_found_in_both_forms(void **state)
{
	static const uint8_t brief[] = { 0x40, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct bytes cid = quic_wire_dcid(coalesced, sizeof coalesced);

	(void)state;
	assert_int_equal(cid.size, 2);
	assert_ptr_equal(cid.data, coalesced + 6);
	cid = quic_wire_dcid(brief, sizeof brief);
	assert_int_equal(cid.size, QUIC_CID_SIZE);
	assert_ptr_equal(cid.data, brief + 1);
	for (size_t size = 0; size <= QUIC_CID_SIZE; size++)
		assert_int_equal(quic_wire_dcid(brief, size).size, 0);
	for (size_t size = 1; size < 8; size++)
		assert_int_equal(quic_wire_dcid(coalesced, size).size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_long_header_gets_our_number_and_back),
		cmocka_unit_test(another_version_is_refused),
		cmocka_unit_test(a_packet_cut_off_anywhere_is_refused),
		cmocka_unit_test(the_id_is_found_in_both_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
