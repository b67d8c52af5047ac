/* The small copy of an image: how large it is, what is in it and what is not. This program is what is
 * begun anew, as palique is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/image_asked.h"

static bool holds(struct bytes all, const char *text)
{
	return memmem(all.data, all.size, text, strlen(text)) != NULL;
}

/* The markers of a JPEG are those of pixels and no others. */
static void check_jpeg_is_bare(struct bytes jpeg)
{
	size_t at = 2;

	assert_memory_equal(jpeg.data, "\xff\xd8", 2);
	for (;;) {
		uint8_t marker = jpeg.data[at + 1];

		assert_int_equal(jpeg.data[at], 0xff);
		if (marker == 0xda)
			return;
		/* JFIF's own, tables, frame */
		assert_true(marker == 0xe0 || marker == 0xdb || marker == 0xc0 ||
			    marker == 0xc4);
		if (marker == 0xe0)
			assert_int_equal(jpeg.data[at + 3], 16); /* no thumbnail in it */
		at += 2 + ((size_t)jpeg.data[at + 2] << 8 | jpeg.data[at + 3]);
		assert_true(at + 4 < jpeg.size);
	}
}

static void check_webp_is_bare(struct bytes webp)
{
	for (size_t at = 12; at < webp.size;) {
		const uint8_t *chunk = webp.data + at;
		size_t size = chunk[4] | (size_t)chunk[5] << 8 | (size_t)chunk[6] << 16;

		assert_true(memcmp(chunk, "VP8X", 4) == 0 || memcmp(chunk, "VP8 ", 4) == 0 ||
			    memcmp(chunk, "VP8L", 4) == 0 || memcmp(chunk, "ALPH", 4) == 0);
		at += 8 + size + size % 2;
	}
}

static void nothing_but_pixels_survives(void **state)
{
	static void (*const makers[])(const struct maker *,
				      struct buf *) = { maker_png, maker_jpeg, maker_webp,
							maker_webp };

	(void)state;
	for (unsigned i = 0; i < COUNT(makers) * 2; i++) {
		struct maker m = { .width = 600,
				   .height = 500,
				   .depth = 8,
				   .color = i % 2 ? MAKER_RGBA : MAKER_RGB,
				   .orientation = 3,
				   .is_lossless = i / 2 == 3 };
		struct buf image = { 0 };
		struct image_work w;
		struct bytes thumbnail;

		makers[i / 2](&m, &image);
		assert_true(holds(buf_view(&image), MAKER_SECRET));
		assert_int_equal(look_at_file(&w, &image), 0);
		thumbnail = bytes_of(w.thumbnail, w.size);
		assert_false(holds(thumbnail, MAKER_SECRET));
		if (i % 2 &&
		    makers[i / 2] != maker_jpeg) { /* what can be seen through stays so */
			assert_int_equal(image_sniff(thumbnail), IMAGE_WEBP);
			check_webp_is_bare(thumbnail);
		} else {
			assert_int_equal(image_sniff(thumbnail), IMAGE_JPEG);
			check_jpeg_is_bare(thumbnail);
		}
		buf_clear(&image);
	}
}

static void a_thumbnail_is_small_whatever_is_in_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct maker m = { .width = 320,
				   .height = 320,
				   .depth = 8,
				   .is_noise = true,
				   .color = i ? MAKER_RGBA : MAKER_RGB };
		struct buf image = { 0 };
		struct image_work w;

		maker_png(&m, &image);
		assert_int_equal(look(&w, &image), 0);
		assert_int_equal(w.small_width, 320);
		assert_in_range(w.size, 1, IMAGE_THUMBNAIL_MAX);
		buf_clear(&image);
	}
}

static void a_thumbnail_is_as_large_as_was_asked_but_never_larger_than_the_image(void **state)
{
	static const unsigned cases[][5] = {
		/* image, side, thumbnail */
		{ 640, 480, 64, 64, 48 },
		{ 640, 480, 0, 320, 240 },
		{ 640, 480, 5000, 320, 240 },
		{ 20, 10, 0, 20, 10 },
		{ 1, 1, 0, 1, 1 },
		{ 3000, 1, 0, 320, 1 },
		{ 1, 3000, 100, 1, 100 },
		{ 321, 320, 0, 320, 319 },
		{ 640, 480, 1, 1, 1 },
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases) * 3; i++) {
		static void (*const makers[])(const struct maker *,
					      struct buf *) = { maker_png, maker_jpeg,
								maker_webp };
		const unsigned *c = cases[i / 3];
		struct maker m = {
			.width = c[0], .height = c[1], .depth = 8, .is_plain = true
		};
		struct buf image = { 0 };
		struct image_work w;

		makers[i % 3](&m, &image);
		w = (struct image_work){ .given = buf_view(&image), .side = c[2] };
		assert_int_equal(ask_image(&w), 0);
		assert_int_equal(w.small_width, c[3]);
		assert_int_equal(w.small_height, c[4]);
		buf_clear(&image);
	}
}

static void its_own_thumbnails_are_read_again(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct maker m = { .width = 900,
				   .height = 700,
				   .depth = 8,
				   .color = i ? MAKER_RGBA : MAKER_RGB };
		struct buf image = { 0 }, again = { 0 };
		struct image_work w;

		maker_png(&m, &image);
		assert_int_equal(look(&w, &image), 0);
		buf_append(&again, bytes_of(w.thumbnail, w.size));
		see_quarters(&again, i ? "rg-x" : "rgbx", 12);
		buf_clear(&image);
		buf_clear(&again);
	}
}

static void the_mean_is_the_same_in_any_order(void **state)
{
	enum { W = 37, H = 23, SW = 11, SH = 7 };
	uint8_t image[H][W][4], one[SH * SW * 4], other[SH * SW * 4];
	struct shrink *a = shrink_new(W, H, SW, SH), *b = shrink_new(W, H, SW, SH);

	(void)state;
	for (unsigned y = 0; y < H; y++)
		for (unsigned x = 0; x < W; x++)
			for (unsigned c = 0; c < 4; c++)
				image[y][x][c] = (uint8_t)((x * 7 + y * 13 + c * 101) *
							   (x + y));
	for (unsigned y = 0; y < H; y++) {
		uint8_t even[(W + 1) / 2][4];

		shrink_row(a, y, 0, 1, W, image[y][0]);
		for (unsigned x = 0; x < W; x += 2)
			memcpy(even[x / 2], image[H - 1 - y][x], 4);
		shrink_row(b, H - 1 - y, 0, 2, (W + 1) / 2, even[0]);
		for (unsigned x = 1; x < W; x += 2)
			shrink_row(b, H - 1 - y, x, 1, 1, image[H - 1 - y][x]);
	}
	shrink_take(a, one);
	shrink_take(b, other);
	assert_memory_equal(one, other, sizeof one);
	shrink_free(a);
	shrink_free(b);
}

static void what_cannot_be_seen_gives_no_color_to_its_neighbours(void **state)
{
	static const uint8_t row[] = { 255, 255, 255, 0, 10, 20, 30, 255 };
	struct shrink *s = shrink_new(2, 1, 1, 1);
	uint8_t out[4];

	(void)state;
	shrink_row(s, 0, 0, 1, 2, row);
	shrink_take(s, out);
	assert_memory_equal(out, ((uint8_t[]){ 10, 20, 30, 128 }), 4);
	shrink_free(s);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_but_pixels_survives),
		cmocka_unit_test(a_thumbnail_is_small_whatever_is_in_it),
		cmocka_unit_test(
			a_thumbnail_is_as_large_as_was_asked_but_never_larger_than_the_image),
		cmocka_unit_test(its_own_thumbnails_are_read_again),
		cmocka_unit_test(the_mean_is_the_same_in_any_order),
		cmocka_unit_test(what_cannot_be_seen_gives_no_color_to_its_neighbours),
	};

	if (image_is_called(argc, argv))
		return image_main(argc, argv);
	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
