#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/qr.h"
#include "shared/uri.h"

static void the_longest_link_fits_a_terminal(void **state)
{
	struct buf out = { 0 };
	char text[URI_MAX + 1];
	unsigned rows = 0, columns = 0, widest = 0;

	(void)state;
	memset(text, 'x', URI_MAX);
	text[URI_MAX] = 0;
	assert_int_equal(qr_print(&out, text), 0);
	for (size_t i = 0; i < out.size; i++) {
		if (out.data[i] == '\n') {
			rows++;
			widest = columns > widest ? columns : widest;
			columns = 0;
		} else if ((out.data[i] & 0xc0) != 0x80) {
			columns++;
		}
	}
	assert_int_equal(rows, 22); /* with two lines of a page above and below it */
	assert_true(widest < 80);
	assert_true(bytes_is_utf8(buf_view(&out)));
	buf_clear(&out);
}

/* The corner mark is a dark ring of seven modules around a dark square, on a light margin:
 * light is drawn, dark is left. */
static void the_corner_is_where_a_camera_looks_for_it(void **state)
{
	static const char *const expected[] = {
		"██████████", "██ ▄▄▄▄▄ █", "██ █   █ █", "██ █▄▄▄█ █", "██▄▄▄▄▄▄▄█",
	};
	struct buf out = { 0 };
	const char *line;

	(void)state;
	assert_int_equal(qr_print(&out, "palique:dir.example.org"), 0);
	buf_append_byte(&out, 0);
	line = (const char *)out.data;
	for (int i = 0; i < 5; i++) {
		assert_memory_equal(line, expected[i], strlen(expected[i]));
		line = strchr(line, '\n') + 1;
	}
	buf_clear(&out);
}

/* The same corner: behind a margin of four modules seven dark ones, and the one below on their left. */
static void an_image_has_the_corner_behind_its_margin(void **state)
{
	struct buf out = { 0 };
	const char *text;

	(void)state;
	assert_int_equal(qr_svg(&out, "palique:dir.example.org?<&\""), 0);
	buf_append_byte(&out, 0);
	text = (const char *)out.data;
	assert_ptr_equal(strstr(text, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox="),
			 text);
	assert_non_null(strstr(text, "\"M4 4h1v1h-1zM5 4h1v1h-1zM6 4h"));
	assert_non_null(strstr(text, "M10 4h1v1h-1z"));
	assert_null(strstr(text, "M11 4h"));
	assert_non_null(strstr(text, "M4 5h1v1h-1z"));
	assert_null(strstr(text, "M5 5h"));
	assert_null(strstr(text, "M3 "));
	/* what it says is in the modules, and nowhere as text */
	assert_null(strstr(text, "palique"));
	buf_clear(&out);
}

static void what_is_too_long_is_refused_whole(void **state)
{
	struct buf out = { 0 };
	char *text = malloc(5001);

	(void)state;
	memset(text, 'x', 5000);
	text[5000] = 0;
	assert_int_equal(qr_print(&out, text), ERR_LIMIT);
	assert_int_equal(qr_svg(&out, text), ERR_LIMIT);
	assert_int_equal(out.size, 0);
	out.limit = 100;
	assert_int_equal(qr_print(&out, "palique:dir.example.org"), ERR_LIMIT);
	assert_int_equal(out.size, 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_link_fits_a_terminal),
		cmocka_unit_test(the_corner_is_where_a_camera_looks_for_it),
		cmocka_unit_test(an_image_has_the_corner_behind_its_margin),
		cmocka_unit_test(what_is_too_long_is_refused_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
