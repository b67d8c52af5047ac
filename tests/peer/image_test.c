/* Images of every kind, read by the process that looks at them. This program is what is begun anew,
 * as palique is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/image_asked.h"

static void it_knows_images_by_their_first_bytes(void **state)
{
	(void)state;
	assert_int_equal(image_sniff(bytes_text("\x89PNG\r\n\x1a\n________")), IMAGE_PNG);
	assert_int_equal(image_sniff(bytes_text("\xff\xd8\xff\xe0____________")), IMAGE_JPEG);
	assert_int_equal(image_sniff(bytes_text("RIFF____WEBPVP8 ")), IMAGE_WEBP);
	assert_int_equal(image_sniff(bytes_text("RIFF____WAVEfmt ")), IMAGE_NONE);
	assert_int_equal(image_sniff(bytes_text("<svg>___________")), IMAGE_NONE);
	assert_int_equal(image_sniff(bytes_of(NULL, 0)), IMAGE_NONE);
	assert_string_equal(image_type(IMAGE_PNG), "image/png");
	assert_string_equal(image_type(IMAGE_JPEG), "image/jpeg");
	assert_string_equal(image_type(IMAGE_WEBP), "image/webp");
	assert_null(image_type(IMAGE_NONE));
	assert_null(image_type((enum image_kind)77));
}

static void a_png_of_every_kind_is_read(void **state)
{
	static const struct {
		enum maker_color color;
		unsigned depth;
		const char *order;
	} kinds[] = {
		{ MAKER_RGB, 8, "rgbx" },     { MAKER_RGB, 16, "rgbx" },
		{ MAKER_RGBA, 8, "rg-x" },    { MAKER_RGBA, 16, "rg-x" },
		{ MAKER_GREY, 8, "RGBx" },    { MAKER_GREY, 16, "RGBx" },
		{ MAKER_PALETTE, 8, "rgbx" }, { MAKER_PALETTE, 4, "rgbx" },
		{ MAKER_PALETTE, 2, "rgbx" }, { MAKER_PALETTE, 1, "rgrg" },
		{ MAKER_GREY, 1, "kwkw" },
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(kinds) * 2; i++) {
		struct maker m = { .width = 501,
				   .height = 387,
				   .color = kinds[i / 2].color,
				   .depth = kinds[i / 2].depth,
				   .is_interlaced = i % 2 };
		struct buf image = { 0 };
		struct image_work w;

		maker_png(&m, &image);
		see_quarters(&image, kinds[i / 2].order, 0);
		assert_int_equal(look(&w, &image), 0);
		assert_int_equal(w.kind, IMAGE_PNG);
		assert_int_equal(w.width, 501);
		assert_int_equal(w.height, 387);
		assert_int_equal(w.small_width, 320);
		assert_int_equal(w.small_height, 247);
		buf_clear(&image);
	}
}

static void a_jpeg_of_every_kind_is_read(void **state)
{
	static const struct {
		enum maker_color color;
		const char *order;
	} kinds[] = { { MAKER_RGB, "rgbx" }, { MAKER_GREY, "RGBx" }, { MAKER_CMYK, "rgbx" } };

	(void)state;
	for (unsigned i = 0; i < COUNT(kinds) * 2; i++) {
		static const unsigned widths[] = { 200, 400, 801, 1600, 3000 };

		for (unsigned j = 0; j < COUNT(widths); j++) { /* each way to scale */
			struct maker m = { .width = widths[j],
					   .height = 300,
					   .color = kinds[i / 2].color,
					   .is_interlaced = i % 2 };
			struct buf image = { 0 };
			struct image_work w;

			maker_jpeg(&m, &image);
			see_quarters(&image, kinds[i / 2].order, 6);
			assert_int_equal(look(&w, &image), 0);
			assert_int_equal(w.kind, IMAGE_JPEG);
			assert_int_equal(w.width, m.width);
			assert_int_equal(w.height, 300);
			buf_clear(&image);
		}
	}
}

static void a_webp_of_every_kind_is_read(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct maker m = { .width = i & 4 ? 600 : 100,
				   .height = i & 4 ? 500 : 90,
				   .color = i & 1 ? MAKER_RGBA : MAKER_RGB,
				   .is_lossless = i & 2 };
		struct buf image = { 0 };
		struct image_work w;

		maker_webp(&m, &image);
		see_quarters(&image, i & 1 ? "rg-x" : "rgbx", 12);
		assert_int_equal(look(&w, &image), 0);
		assert_int_equal(w.kind, IMAGE_WEBP);
		assert_int_equal(w.width, m.width);
		buf_clear(&image);
		maker_webp_animation(&m, &image);
		see_quarters(&image, i & 1 ? "rg-x" : "rgbx", 12);
		buf_clear(&image);
	}
}

static void a_photograph_is_turned_as_its_camera_was_held(void **state)
{
	/* what lies in the file as rg/bx */
	static const char *const orders[] = {
		[1] = "rgbx", [2] = "grxb", [3] = "xbgr", [4] = "bxrg",
		[5] = "rbgx", [6] = "brxg", [7] = "xgbr", [8] = "gxrb"
	};

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		struct maker m = { .width = 1200,
				   .height = 600,
				   .orientation = i / 2 + 1,
				   .is_little = i % 2 };
		struct buf image = { 0 };
		struct image_work w;

		maker_jpeg(&m, &image);
		see_quarters(&image, orders[m.orientation], 6);
		assert_int_equal(look(&w, &image), 0);
		assert_int_equal(w.width, m.orientation < 5 ? 1200 : 600);
		assert_int_equal(w.height, m.orientation < 5 ? 600 : 1200);
		assert_int_equal(w.small_width, m.orientation < 5 ? 320 : 160);
		assert_int_equal(w.small_height, m.orientation < 5 ? 160 : 320);
		buf_clear(&image);
	}
}

static void nonsense_about_orientation_is_passed_over(void **state)
{
	struct maker m = { .width = 64, .height = 32, .orientation = 6 };
	struct buf image = { 0 };

	(void)state;
	maker_jpeg(&m, &image);
	assert_int_equal(image_exif_orientation(buf_view(&image)), 6);
	for (size_t size = 0; size < image.size; size++) { /* no byte beyond its end is read */
		uint8_t *copy = malloc(size ? size : 1);

		memcpy(copy, image.data, size);
		image_exif_orientation(bytes_of(copy, size));
		free(copy);
	}
	for (size_t i = 2; i < 200; i++) {
		uint8_t was = image.data[i];

		for (unsigned value = 0; value < 256; value += 5) {
			unsigned orientation;

			image.data[i] = (uint8_t)value;
			orientation = image_exif_orientation(buf_view(&image));
			assert_in_range(orientation, 1, 8);
		}
		image.data[i] = was;
	}
	buf_clear(&image);
	m.orientation = 9;
	maker_jpeg(&m, &image);
	assert_int_equal(image_exif_orientation(buf_view(&image)), 1);
	buf_clear(&image);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_knows_images_by_their_first_bytes),
		cmocka_unit_test(a_png_of_every_kind_is_read),
		cmocka_unit_test(a_jpeg_of_every_kind_is_read),
		cmocka_unit_test(a_webp_of_every_kind_is_read),
		cmocka_unit_test(a_photograph_is_turned_as_its_camera_was_held),
		cmocka_unit_test(nonsense_about_orientation_is_passed_over),
	};

	if (image_is_called(argc, argv))
		return image_main(argc, argv);
	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
