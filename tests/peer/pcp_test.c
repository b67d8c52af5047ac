#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "peer/pcp.h"
#include "shared/error.h"
#include "tests/at.h"

/* RFC 6887 figures 2 and 9, by hand */
static void a_question_has_the_bytes_of_the_rfc(void **state)
{
	static const uint8_t expected[PCP_MAP_SIZE] = {
		2,   1,   0,   0,   0,    0,    0x1c, 0x20, 0,   0,   0,   0,
		0,   0,   0,   0,   0,    0,    0xff, 0xff, 192, 168, 1,   7,
		'n', 'o', 'n', 'c', 'e',  '0',  '1',  '2',  '3', '4', '5', '6',
		17,  0,   0,   0,   0x1c, 0x69, 0x20, 0x01, 0,   0,   0,   0,
		0,   0,   0,   0,   0,    0,    0xff, 0xff, 0,   0,   0,   0,
	};
	struct pcp_question q = { .client = at("192.168.1.7:7273"),
				  .outer = { .family = 4, .port = 0x2001 },
				  .life = 7200 };
	uint8_t out[PCP_MAP_SIZE];

	(void)state;
	memcpy(q.nonce.bytes, "nonce0123456", 12);
	pcp_map_encode(out, &q);
	assert_memory_equal(out, expected, sizeof expected);
}

static void a_question_of_nat_pmp_has_the_bytes_of_the_rfc(void **state)
{
	static const uint8_t expected[NATPMP_MAP_SIZE] = { 0,    1,    0, 0, 0x1c, 0x69,
							   0x20, 0x01, 0, 0, 0x1c, 0x20 };
	uint8_t out[NATPMP_MAP_SIZE], address[NATPMP_ADDRESS_SIZE];

	(void)state;
	natpmp_map_encode(out, 7273, 0x2001, 7200);
	assert_memory_equal(out, expected, sizeof expected);
	natpmp_address_encode(address);
	assert_memory_equal(address, "\0\0", 2);
}

static void make_answer(uint8_t out[PCP_MAP_SIZE])
{
	struct pcp_question q = { .client = at("192.168.1.7:7273"),
				  .outer = at("203.0.113.9:4000"),
				  .life = 600 };

	pcp_map_encode(out, &q);
	out[1] |= 0x80;
	memset(out + 8, 0, 16);
	out[11] = 77; /* epoch */
}

static void an_answer_is_read(void **state)
{
	uint8_t d[PCP_MAP_SIZE];
	struct pcp_answer a;
	struct address outer = at("203.0.113.9:4000");

	(void)state;
	make_answer(d);
	assert_int_equal(pcp_decode(&a, BYTES(d)), 0);
	assert_int_equal(a.kind, PCP_MAP);
	assert_int_equal(a.result, 0);
	assert_int_equal(a.life, 600);
	assert_int_equal(a.epoch, 77);
	assert_int_equal(a.port, 7273);
	assert_true(address_equal(&a.outer, &outer));
}

static void an_answer_that_says_no_is_read(void **state)
{
	uint8_t d[PCP_MAP_SIZE];
	struct pcp_answer a;

	(void)state;
	make_answer(d);
	d[3] = 8; /* NO_RESOURCES */
	memset(d + 42, 0, 18);
	assert_int_equal(pcp_decode(&a, BYTES(d)), 0);
	assert_int_equal(a.result, 8);
	assert_int_equal(a.outer.family, 0);
	d[3] = 1;
	assert_int_equal(pcp_decode(&a, bytes_of(d, 24)), 0);
	assert_int_equal(a.kind, PCP_OTHER_VERSION);
	assert_int_equal(a.version, 2);
	assert_int_equal(pcp_decode(&a, bytes_of("\0\x81\0\1\0\0\0\7", 8)), 0);
	assert_int_equal(a.kind, PCP_OTHER_VERSION);
	assert_int_equal(a.version, 0);
}

static void what_is_no_answer_is_refused(void **state)
{
	static const struct {
		unsigned at;
		uint8_t value;
	} rows[] = {
		{ 0, 1 },    /* a version before the standard's */
		{ 1, 1 },    /* a question */
		{ 1, 0x82 }, /* about something else */
		{ 36, 6 },   /* TCP */
	};
	uint8_t d[PCP_MAP_SIZE], large[PCP_DATAGRAM_MAX + 4] = { 2, 0x81 };
	struct pcp_answer a;

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		make_answer(d);
		d[rows[i].at] = rows[i].value;
		assert_int_equal(pcp_decode(&a, BYTES(d)), ERR_FORMAT);
	}
	make_answer(d);
	for (unsigned size = 0; size < PCP_MAP_SIZE; size++)
		assert_int_equal(pcp_decode(&a, bytes_of(d, size)), ERR_FORMAT);
	assert_int_equal(pcp_decode(&a, BYTES(large)), ERR_FORMAT);
	d[42] = d[43] = 0; /* port 0 */
	assert_int_equal(pcp_decode(&a, BYTES(d)), ERR_FORMAT);
	make_answer(d);
	d[56] = 239; /* a group */
	assert_int_equal(pcp_decode(&a, BYTES(d)), ERR_FORMAT);
	make_answer(d);
	memset(d + 56, 0, 4);
	assert_int_equal(pcp_decode(&a, BYTES(d)), ERR_FORMAT);
}

static void answers_of_nat_pmp_are_read(void **state)
{
	static const uint8_t address[] = { 0, 0x80, 0, 0, 0, 0, 1, 0, 203, 0, 113, 9 };
	static const uint8_t map[] = { 0,    0x81, 0,    0,    0, 0, 1,    1,
				       0x1c, 0x69, 0x20, 0x01, 0, 0, 0x1c, 0x20 };
	uint8_t other[sizeof map];
	struct pcp_answer a;

	(void)state;
	assert_int_equal(pcp_decode(&a, BYTES(address)), 0);
	assert_int_equal(a.kind, NATPMP_ADDRESS);
	assert_int_equal(a.outer.ip[3], 9);
	assert_int_equal(a.epoch, 256);
	assert_int_equal(pcp_decode(&a, BYTES(map)), 0);
	assert_int_equal(a.kind, NATPMP_MAP);
	assert_int_equal(a.port, 7273);
	assert_int_equal(a.outer.port, 0x2001);
	assert_int_equal(a.life, 7200);
	for (unsigned size = 0; size < sizeof map; size++)
		assert_int_equal(pcp_decode(&a, bytes_of(map, size)), ERR_FORMAT);
	memcpy(other, map, sizeof map);
	other[10] = other[11] = 0;
	assert_int_equal(pcp_decode(&a, BYTES(other)), ERR_FORMAT);
	other[3] = 2; /* not authorized, and so without a port */
	assert_int_equal(pcp_decode(&a, BYTES(other)), 0);
	assert_int_equal(a.result, 2);
	for (unsigned size = 0; size < sizeof address; size++)
		assert_int_equal(pcp_decode(&a, bytes_of(address, size)), ERR_FORMAT);
	memcpy(other, address, sizeof address);
	memset(other + 8, 255, 4);
	assert_int_equal(pcp_decode(&a, bytes_of(other, sizeof address)), ERR_FORMAT);
	other[3] = 3; /* it has no network, and so no address */
	assert_int_equal(pcp_decode(&a, bytes_of(other, sizeof address)), 0);
	assert_int_equal(a.kind, NATPMP_ADDRESS);
	assert_int_equal(a.result, 3);
}

/* RFC 6887 section 8.5 */
static void a_router_that_forgot_is_recognised_by_its_clock(void **state)
{
	(void)state;
	assert_true(pcp_epoch_goes_on(1000, 1000, 0));
	assert_true(pcp_epoch_goes_on(1000, 1600, 600));
	assert_true(pcp_epoch_goes_on(1000, 999, 0)); /* overtaken on the way */
	assert_true(pcp_epoch_goes_on(1000, 1570, 600));
	assert_false(pcp_epoch_goes_on(1000, 998, 0));
	assert_false(pcp_epoch_goes_on(1000, 5, 600));
	assert_false(pcp_epoch_goes_on(1000, 1500, 600));
	assert_false(pcp_epoch_goes_on(1000, 1700, 600));
	assert_true(pcp_epoch_goes_on(UINT32_MAX, UINT32_MAX, 0));
	assert_false(pcp_epoch_goes_on(UINT32_MAX, 0, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_has_the_bytes_of_the_rfc),
		cmocka_unit_test(a_question_of_nat_pmp_has_the_bytes_of_the_rfc),
		cmocka_unit_test(an_answer_is_read),
		cmocka_unit_test(an_answer_that_says_no_is_read),
		cmocka_unit_test(what_is_no_answer_is_refused),
		cmocka_unit_test(answers_of_nat_pmp_are_read),
		cmocka_unit_test(a_router_that_forgot_is_recognised_by_its_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
