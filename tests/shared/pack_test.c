#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/pack.h"

static const uint64_t uints[] = {
	0, 1, 127, 128, 255, 256, 65535, 65536, 0xffffffff, 0x100000000, INT64_MAX, UINT64_MAX
};
static const int64_t ints[] = { 0,
				-1,
				-32,
				-33,
				-128,
				-129,
				-32768,
				-32769,
				127,
				INT32_MIN,
				(int64_t)INT32_MIN - 1,
				INT64_MAX,
				INT64_MIN,
				65536 };
static const size_t sizes[] = { 0, 1, 31, 32, 255, 256, 65535, 65536 };

enum { UINTS = sizeof uints / sizeof uints[0], INTS = sizeof ints / sizeof ints[0] };
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void every_size_of_number_comes_back(void **state)
{
	struct buf out = { 0 };
	struct pack p;
	struct unpack u;

	(void)state;
	pack_begin(&p, &out);
	for (size_t i = 0; i < UINTS; i++)
		pack_uint(&p, uints[i]);
	for (size_t i = 0; i < INTS; i++)
		pack_int(&p, ints[i]);
	pack_bool(&p, true);
	pack_bool(&p, false);
	pack_nil(&p);
	assert_int_equal(pack_end(&p), 0);

	unpack_begin(&u, buf_view(&out));
	for (size_t i = 0; i < UINTS; i++)
		assert_true(unpack_uint(&u, UINT64_MAX) == uints[i]);
	for (size_t i = 0; i < INTS; i++)
		assert_true(unpack_int(&u) == ints[i]);
	assert_false(unpack_is_nil(&u));
	assert_true(unpack_bool(&u));
	assert_false(unpack_bool(&u));
	assert_true(unpack_is_nil(&u));
	assert_false(unpack_is_nil(&u));
	assert_int_equal(unpack_end(&u), 0);
	buf_clear(&out);
}

static void every_size_of_string_and_array_comes_back(void **state)
{
	static uint8_t data[65536];
	struct buf out = { 0 };
	struct pack p;
	struct unpack u;

	(void)state;
	memset(data, 'x', sizeof data);
	pack_begin(&p, &out);
	for (size_t i = 0; i < SIZES; i++) {
		pack_bin(&p, bytes_of(data, sizes[i]));
		pack_text(&p, bytes_of(data, sizes[i]));
		pack_array(&p, (uint32_t)sizes[i]);
	}
	assert_int_equal(pack_end(&p), 0);

	unpack_begin(&u, buf_view(&out));
	for (size_t i = 0; i < SIZES; i++) {
		assert_true(bytes_equal(unpack_bin(&u, sizes[i]), bytes_of(data, sizes[i])));
		assert_true(bytes_equal(unpack_text(&u, sizes[i]), bytes_of(data, sizes[i])));
		assert_int_equal(unpack_array(&u, (uint32_t)sizes[i]), sizes[i]);
	}
	assert_int_equal(unpack_end(&u), 0);
	buf_clear(&out);
}

/* Whether any reader takes the value, whatever it is. */
static bool is_taken(struct bytes b)
{
	bool taken = false;

	for (int reader = 0; reader < 6; reader++) {
		struct unpack u;

		unpack_begin(&u, b);
		switch (reader) {
		case 0:
			unpack_uint(&u, UINT64_MAX);
			break;
		case 1:
			unpack_int(&u);
			break;
		case 2:
			unpack_bool(&u);
			break;
		case 3:
			assert_true(unpack_bin(&u, SIZE_MAX).size <= b.size);
			break;
		case 4:
			assert_true(unpack_text(&u, SIZE_MAX).size <= b.size);
			break;
		case 5:
			unpack_array(&u, UINT32_MAX);
			break;
		}
		taken |= unpack_end(&u) == 0;
	}
	return taken;
}

static void longer_forms_than_needed_are_refused(void **state)
{
#define CASE(text)                                                                             \
	{                                                                                      \
		text, sizeof text - 1                                                          \
	}
	static const struct {
		const char *data;
		size_t size;
	} bad[] = {
		CASE("\xcc\x7f"),
		CASE("\xcd\x00\xff"),
		CASE("\xce\x00\x00\xff\xff"),
		CASE("\xcf\x00\x00\x00\x00\xff\xff\xff\xff"),
		CASE("\xd0\x05"),
		CASE("\xd0\x7f"),
		CASE("\xd0\xe0"),
		CASE("\xd1\x00\x80"),
		CASE("\xd1\xff\x80"),
		CASE("\xd2\x00\x00\x80\x00"),
		CASE("\xd2\xff\xff\x80\x00"),
		CASE("\xd3\x00\x00\x00\x00\x80\x00\x00\x00"),
		CASE("\xd3\xff\xff\xff\xff\x80\x00\x00\x00"),
		CASE("\xd9\x01x"),
		CASE("\xda\x00\x01x"),
		CASE("\xdb\x00\x00\x00\x01x"),
		CASE("\xc5\x00\x01x"),
		CASE("\xc6\x00\x00\x00\x01x"),
		CASE("\xdc\x00\x01"),
		CASE("\xdd\x00\x00\x00\x01"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (is_taken(bytes_of(bad[i].data, bad[i].size)))
			fail_msg("case %zu taken", i);
}

static void maps_floats_extensions_and_the_unused_byte_are_refused(void **state)
{
	uint8_t data[64] = { 0 };

	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		bool is_other = (first >= 0x80 && first <= 0x8f) || first == 0xc1 ||
				(first >= 0xc7 && first <= 0xcb) ||
				(first >= 0xd4 && first <= 0xd8) || first >= 0xde;

		if (!is_other || first >= 0xe0)
			continue;
		data[0] = (uint8_t)first;
		for (size_t size = 1; size < sizeof data; size++)
			assert_false(is_taken(bytes_of(data, size)));
	}
}

static void what_was_cut_short_or_trails_is_refused(void **state)
{
	static uint8_t data[300];
	struct buf out = { 0 };
	struct pack p;

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		buf_clear(&out);
		memset(data, 'x', sizeof data);
		pack_begin(&p, &out);
		if (kind == 0)
			pack_bin(&p, BYTES(data));
		else if (kind == 1)
			pack_text(&p, BYTES(data));
		else if (kind == 2)
			pack_uint(&p, UINT64_MAX);
		else
			pack_int(&p, INT64_MIN);
		for (size_t size = 0; size < out.size; size++) {
			uint8_t *exact = malloc(size ? size : 1); /* reading beyond is seen */

			memcpy(exact, out.data, size);
			assert_false(is_taken(bytes_of(exact, size)));
			free(exact);
		}
		assert_true(is_taken(buf_view(&out)));
		assert_int_equal(buf_append_byte(&out, 0xc0), 0);
		assert_false(is_taken(buf_view(&out)));
	}
	buf_clear(&out);
}

static void limits_are_kept_and_the_first_error_sticks(void **state)
{
	static const uint8_t data[] = { 0x05, 0x93, 0xc4, 0x02, 1, 2, 0xa2, 'h', 'i' };
	uint8_t out[2] = { 9, 9 };
	struct unpack u;

	(void)state;
	unpack_begin(&u, BYTES(data));
	assert_int_equal(unpack_uint(&u, 4), 0);
	assert_int_equal(u.err, ERR_LIMIT);
	assert_int_equal(unpack_uint(&u, 5), 0);
	assert_int_equal(unpack_text(&u, 9).size, 0);
	assert_int_equal(unpack_end(&u), ERR_LIMIT);

	unpack_begin(&u, bytes_of(data + 1, sizeof data - 1));
	assert_int_equal(unpack_array(&u, 2), 0);
	assert_int_equal(unpack_end(&u), ERR_LIMIT);
	unpack_begin(&u, bytes_of(data + 2, 4));
	assert_int_equal(unpack_bin(&u, 1).size, 0);
	assert_int_equal(unpack_end(&u), ERR_LIMIT);
	unpack_begin(&u, bytes_of(data + 2, 4));
	unpack_bin_to(&u, out, 1);
	assert_int_equal(unpack_end(&u), ERR_FORMAT);
	assert_int_equal(out[0], 0);
	unpack_begin(&u, bytes_of(data + 6, 3));
	assert_int_equal(unpack_text(&u, 1).size, 0);
	assert_int_equal(unpack_end(&u), ERR_LIMIT);
	unpack_begin(&u, bytes_of("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9));
	assert_int_equal(unpack_int(&u), 0);
	assert_int_equal(unpack_end(&u), ERR_LIMIT);
}

static void text_is_utf8_both_ways(void **state)
{
	struct buf out = { 0 };
	struct unpack u;
	struct pack p;

	(void)state;
	pack_begin(&p, &out);
	pack_text(&p, bytes_of("\xff", 1));
	pack_uint(&p, 1);
	assert_int_equal(pack_end(&p), ERR_FORMAT);
	unpack_begin(&u, bytes_of("\xa1\xff", 2));
	unpack_text(&u, 9);
	assert_int_equal(unpack_end(&u), ERR_FORMAT);
	unpack_begin(&u, bytes_of("\xa1\x00", 2));
	unpack_text(&u, 9);
	assert_int_equal(unpack_end(&u), ERR_FORMAT);
	buf_clear(&out);
}

static void a_full_buffer_is_reported(void **state)
{
	struct buf out = { .limit = 3 };
	struct pack p;

	(void)state;
	pack_begin(&p, &out);
	pack_bin(&p, bytes_of("four", 4));
	pack_nil(&p);
	assert_int_equal(pack_end(&p), ERR_LIMIT);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_of_number_comes_back),
		cmocka_unit_test(every_size_of_string_and_array_comes_back),
		cmocka_unit_test(longer_forms_than_needed_are_refused),
		cmocka_unit_test(maps_floats_extensions_and_the_unused_byte_are_refused),
		cmocka_unit_test(what_was_cut_short_or_trails_is_refused),
		cmocka_unit_test(limits_are_kept_and_the_first_error_sticks),
		cmocka_unit_test(text_is_utf8_both_ways),
		cmocka_unit_test(a_full_buffer_is_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
