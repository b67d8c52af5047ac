#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/bytes.h"
#include "shared/error.h"

static void a_buffer_keeps_what_is_appended_in_order(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(buf_append(&b, bytes_text("one ")), 0);
	assert_int_equal(buf_append_byte(&b, '2'), 0);
	assert_int_equal(buf_append(&b, (struct bytes){ 0 }), 0);
	assert_true(bytes_equal(buf_view(&b), bytes_text("one 2")));
	buf_clear(&b);
	assert_null(b.data);
	buf_clear(&b);
}

static void a_buffer_refuses_to_pass_its_limit_and_stays_as_it_was(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	assert_int_equal(buf_append(&b, bytes_text("1234")), 0);
	assert_int_equal(buf_append(&b, bytes_text("56")), ERR_LIMIT);
	assert_null(buf_room(&b, 2));
	assert_null(buf_room(&b, SIZE_MAX));
	assert_true(bytes_equal(buf_view(&b), bytes_text("1234")));
	assert_int_equal(buf_append(&b, bytes_text("5")), 0);
	assert_int_equal(buf_append_byte(&b, '6'), ERR_LIMIT);
	buf_clear(&b);
	assert_int_equal(b.limit, 5);
}

static void a_buffer_grows_far_beyond_its_first_capacity(void **state)
{
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 10000; i++)
		buf_append_byte(&b, (uint8_t)i);
	assert_int_equal(b.size, 10000);
	for (i = 0; i < 10000; i++)
		assert_int_equal(b.data[i], (uint8_t)i);
	buf_clear(&b);
}

static void the_front_of_a_buffer_can_be_dropped(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_append(&b, bytes_text("abcdef"));
	buf_drop_front(&b, 2);
	assert_true(bytes_equal(buf_view(&b), bytes_text("cdef")));
	buf_drop_front(&b, 0);
	buf_drop_front(&b, 4);
	assert_int_equal(b.size, 0);
	buf_clear(&b);
}

static void utf8_is_told_from_what_only_looks_like_it(void **state)
{
	static const char *const good[] = { "",
					    "plain",
					    "\xc3\xbc",
					    "\xe2\x82\xac",
					    "\xf0\x9f\x98\x80",
					    "\xed\x9f\xbf",
					    "\xee\x80\x80",
					    "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = {
		"\x80",
		"\xc3",
		"\xc0\xaf",
		"\xc1\xbf",
		"\xe0\x9f\xbf",
		"\xed\xa0\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"a\xe2\x82",
		"\xe2\x28\xa1",
		"\xf0\x9f\x98",
		"\xf0\x9f\x28\x80",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(bytes_is_utf8(bytes_text(good[i])));
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(bytes_is_utf8(bytes_text(bad[i])));
	assert_false(bytes_is_utf8(bytes_of("a\0b", 3)));
}

static void hexadecimal_goes_both_ways_and_is_strict(void **state)
{
	uint8_t out[3];
	char text[BYTES_HEX_SIZE(3)];

	(void)state;
	assert_int_equal(bytes_from_hex("00fFa5", out, 3), 0);
	assert_memory_equal(out, "\x00\xff\xa5", 3);
	bytes_to_hex(BYTES(out), text);
	assert_string_equal(text, "00ffa5");
	assert_int_equal(bytes_from_hex("00ffa", out, 3), ERR_FORMAT);
	assert_int_equal(bytes_from_hex("00ffa500", out, 3), ERR_FORMAT);
	assert_int_equal(bytes_from_hex("00ffag", out, 3), ERR_FORMAT);
	assert_int_equal(bytes_from_hex("00 ffa", out, 3), ERR_FORMAT);
	assert_int_equal(bytes_from_hex("", out, 0), 0);
}

static void base64_goes_both_ways_for_every_length(void **state)
{
	uint8_t in[70], out[70];
	char text[BYTES_BASE64_SIZE(70)];
	size_t size;

	(void)state;
	for (size = 0; size < sizeof in; size++) {
		in[size] = (uint8_t)(size * 37 + 251);
		bytes_to_base64(bytes_of(in, size), text);
		assert_int_equal(strlen(text) + 1, BYTES_BASE64_SIZE(size));
		assert_int_equal(bytes_from_base64(text, strlen(text), out, size), 0);
		assert_memory_equal(in, out, size);
		assert_int_equal(bytes_from_base64(text, strlen(text), out, size + 1),
				 ERR_FORMAT);
	}
}

static void base64_is_the_alphabet_for_links_without_padding(void **state)
{
	uint8_t out[2];
	char text[BYTES_BASE64_SIZE(2)];

	(void)state;
	bytes_to_base64(bytes_of("\xfb\xff", 2), text);
	assert_string_equal(text, "-_8");
	assert_int_equal(bytes_from_base64("+/8", 3, out, 2), ERR_FORMAT);
	assert_int_equal(bytes_from_base64("-_8=", 4, out, 2), ERR_FORMAT);
	assert_int_equal(bytes_from_base64("-_9", 3, out, 2), ERR_FORMAT); /* bits left over */
	assert_int_equal(bytes_from_base64("-\0008", 3, out, 2), ERR_FORMAT);
}

static void every_error_has_a_text_and_a_name_of_its_own(void **state)
{
	int a, b;

	(void)state;
	for (a = 0; a > ERR_LAST; a--) {
		assert_true(error_text(a)[0] != '\0');
		for (b = 0; b > a; b--)
			assert_string_not_equal(error_name(a), error_name(b));
	}
	assert_string_equal(error_name(ERR_NOT_FOUND), "not-found");
	assert_string_equal(error_name(ERR_LAST), "unknown");
	assert_string_equal(error_name(1), "unknown");
	assert_non_null(error_text(-1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_keeps_what_is_appended_in_order),
		cmocka_unit_test(a_buffer_refuses_to_pass_its_limit_and_stays_as_it_was),
		cmocka_unit_test(a_buffer_grows_far_beyond_its_first_capacity),
		cmocka_unit_test(the_front_of_a_buffer_can_be_dropped),
		cmocka_unit_test(utf8_is_told_from_what_only_looks_like_it),
		cmocka_unit_test(hexadecimal_goes_both_ways_and_is_strict),
		cmocka_unit_test(base64_goes_both_ways_for_every_length),
		cmocka_unit_test(base64_is_the_alphabet_for_links_without_padding),
		cmocka_unit_test(every_error_has_a_text_and_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
