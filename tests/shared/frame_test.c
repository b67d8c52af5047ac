#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "shared/error.h"
#include "shared/frame.h"

static void frames_come_out_as_they_went_in(void **state)
{
	static uint8_t big[FRAME_MAX];
	struct buf stream = { 0 };
	struct bytes rest, contents;
	size_t total;

	(void)state;
	memset(big, 7, sizeof big);
	assert_int_equal(frame_append(&stream, bytes_text("one")), 0);
	assert_int_equal(frame_append(&stream, BYTES(big)), 0);
	rest = buf_view(&stream);
	assert_memory_equal(rest.data, "\0\0\0\3one\0\1\0\0", 11);
	assert_int_equal(frame_take(rest, &contents, &total), 1);
	assert_true(bytes_equal(contents, bytes_text("one")));
	assert_int_equal(total, 7);
	rest = bytes_of(rest.data + total, rest.size - total);
	assert_int_equal(frame_take(rest, &contents, &total), 1);
	assert_true(bytes_equal(contents, BYTES(big)));
	assert_int_equal(total, rest.size);
	for (size_t size = 0; size < rest.size; size += size < 8 ? 1 : 999)
		assert_int_equal(frame_take(bytes_of(rest.data, size), &contents, &total), 0);
	buf_clear(&stream);
}

static void empty_and_oversized_frames_break_the_stream(void **state)
{
	static uint8_t big[FRAME_MAX + 1];
	struct buf out = { .limit = 10 };
	struct bytes contents;
	size_t total;

	(void)state;
	assert_int_equal(frame_take(bytes_of("\0\0\0\0", 4), &contents, &total), ERR_FORMAT);
	assert_int_equal(frame_take(bytes_of("\0\1\0\1", 4), &contents, &total), ERR_LIMIT);
	assert_int_equal(frame_take(bytes_of("\xff\xff\xff\xff", 4), &contents, &total),
			 ERR_LIMIT);
	assert_int_equal(frame_append(&out, (struct bytes){ 0 }), ERR_FORMAT);
	assert_int_equal(frame_append(&out, BYTES(big)), ERR_LIMIT);
	assert_int_equal(frame_append(&out, bytes_text("1234567")), ERR_LIMIT);
	assert_int_equal(out.size, 0);
	assert_int_equal(frame_append(&out, bytes_text("123456")), 0);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_out_as_they_went_in),
		cmocka_unit_test(empty_and_oversized_frames_break_the_stream),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
