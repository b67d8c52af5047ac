/* The process that looks at images. This program is what is begun anew, as palique is; and it can
 * behave as one that was taken over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/image_inside.h"
#include "shared/error.h"
#include "shared/file.h"
#include "shared/job.h"
#include "tests/image_maker.h"
#include "tests/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- asking --- */

static int run(struct image_work *w)
{
	struct job job = { .kind = JOB_IMAGE, .task = w };

	return image_run(&job);
}

/* Of what others gave. */
static int look(struct image_work *w, const struct buf *image)
{
	*w = (struct image_work){ .given = buf_view(image) };
	return run(w);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", scratch, name);
	return path;
}

static int look_at_path(struct image_work *w, const char *path)
{
	int err;

	*w = (struct image_work){ .path = memory_text(path) };
	err = run(w);
	free(w->path);
	w->path = NULL;
	return err;
}

static int look_at_file(struct image_work *w, const struct buf *image)
{
	int fd = open(path_of("image"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(file_write(fd, buf_view(image)), 0);
	close(fd);
	return look_at_path(w, path_of("image"));
}

static bool holds(struct bytes all, const char *text)
{
	return memmem(all.data, all.size, text, strlen(text)) != NULL;
}

/* Where red, green, blue and grey are expected: top left, top right, bottom left, bottom right. */
static void check_quarters(const struct image_pixels *p, const char *order, unsigned near)
{
	static const struct {
		char name;
		uint8_t rgb[3];
	} colors[] = { { 'r', { 255, 0, 0 } },  { 'g', { 0, 255, 0 } },
		       { 'b', { 0, 0, 255 } },  { 'x', { 128, 128, 128 } },
		       { 'R', { 76, 76, 76 } }, { 'G', { 149, 149, 149 } },
		       { 'B', { 29, 29, 29 } }, { 'w', { 255, 255, 255 } },
		       { 'k', { 0, 0, 0 } } };

	for (unsigned quarter = 0; quarter < 4; quarter++) {
		unsigned x = p->width / 4 + quarter % 2 * (p->width / 2);
		unsigned y = p->height / 4 + quarter / 2 * (p->height / 2);
		const uint8_t *at = p->rgba + ((size_t)y * p->width + x) * 4;

		if (order[quarter] == '-') {
			assert_int_equal(at[3], 0);
			continue;
		}
		assert_int_equal(at[3], 255);
		for (unsigned i = 0; i < COUNT(colors); i++)
			for (int c = 0; colors[i].name == order[quarter] && c < 3; c++)
				if (abs(at[c] - colors[i].rgb[c]) > (int)near)
					fail_msg("quarter %u is %u %u %u instead of %c",
						 quarter, at[0], at[1], at[2], order[quarter]);
	}
}

static void see_quarters(const struct buf *image, const char *order, unsigned near)
{
	struct image_pixels p;

	assert_int_equal(image_see(buf_view(image), 0, &p), 0);
	check_quarters(&p, order, near);
	free(p.rgba);
}

/* --- one that was taken over: what this program does when it is begun as the child --- */

#define MANNER "PALIQUE_IMAGE_TEST_MANNER"

static const struct image_answer good = { .kind = IMAGE_JPEG,
					  .width = 640,
					  .height = 480,
					  .small_width = 320,
					  .small_height = 240,
					  .size = 4 };

static void say(const void *data, size_t size)
{
	(void)!write(STDOUT_FILENO, data, size);
}

static void say_good(void)
{
	say(&good, sizeof good);
	say("\xff\xd8\xff\xd9", 4);
}

static void enter_room(void)
{
	image_shut_in(&(struct image_task){
		.side = 320, .pixels_max = 1000, .megabytes = 64, .seconds = 2 });
}

static void behave(const char *manner)
{
	if (strcmp(manner, "good") == 0) {
		enter_room();
		say_good();
	} else if (strcmp(manner, "dies") == 0) {
		raise(SIGSEGV);
	} else if (strcmp(manner, "dies-late") == 0) {
		say(&good, sizeof good);
		raise(SIGSEGV);
	} else if (strcmp(manner, "silent") == 0) {
		for (;;)
			pause();
	} else if (strcmp(manner, "spins") == 0) {
		enter_room();
		for (;;)
			__asm__ volatile("");
	} else if (strcmp(manner, "talks") == 0) {
		static uint8_t much[64 << 10];

		for (;;)
			say(much, sizeof much);
	} else if (strcmp(manner, "adds") == 0) {
		say_good();
		say("!", 1);
	} else if (strcmp(manner, "hungry") == 0) {
		enter_room();
		if (mmap(NULL, 65 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0) != MAP_FAILED)
			say_good();
	} else {
		enter_room();
		if (strcmp(manner, "opens") == 0)
			(void)!open("/etc/passwd", O_RDONLY | O_CLOEXEC);
		else if (strcmp(manner, "connects") == 0)
			(void)!socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		else if (strcmp(manner, "forks") == 0)
			(void)!fork();
		else if (strcmp(manner, "executes") == 0)
			execl("/bin/true", "true", NULL);
		else if (strcmp(manner, "makes-code") == 0)
			(void)!mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		else if (strcmp(manner, "kills") == 0)
			kill(getppid(), 0);
		say_good();
	}
	_exit(0);
}

/* --- tests --- */

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
		assert_int_equal(run(&w), 0);
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

static void a_size_beyond_the_limits_is_refused_from_the_header(void **state)
{
	static const uint32_t sizes[][2] = { { 60000, 60000 },
					     { IMAGE_SIDE_MAX + 1, 1 },
					     { 1, IMAGE_SIDE_MAX + 1 },
					     { 10001, 10000 },
					     { 0x7fffffff, 0x7fffffff } };
	struct maker m = { .width = 64, .height = 64 };
	struct buf image = { 0 };
	struct image_work w;
	uint8_t *frame;

	(void)state;
	for (unsigned i = 0; i < COUNT(sizes); i++) {
		maker_png_claims(sizes[i][0], sizes[i][1], bytes_of(NULL, 0), &image);
		assert_int_equal(look_at_file(&w, &image), ERR_LIMIT);
		buf_clear(&image);
	}
	maker_jpeg(&m, &image);
	frame = memmem(image.data, image.size, "\xff\xc0", 2);
	memcpy(frame + 5, "\xff\xdc\xff\xdc", 4);
	assert_int_equal(look_at_file(&w, &image), ERR_LIMIT);
	buf_clear(&image);
	m.is_lossless = m.is_plain = true;
	maker_webp(&m, &image);
	memset(image.data + 21, 0xff, 3); /* 14 bits each: 16384 x 16384 */
	image.data[24] |= 0x0f;
	assert_int_equal(look_at_file(&w, &image), ERR_LIMIT);
	buf_clear(&image);
}

static void what_others_gave_may_be_less(void **state)
{
	struct maker m = { .width = 2001, .height = 2000, .depth = 8, .color = MAKER_GREY };
	struct buf image = { 0 };
	struct image_work w;

	(void)state;
	maker_png(&m, &image);
	assert_int_equal(look(&w, &image), ERR_LIMIT);
	assert_int_equal(look_at_file(&w, &image), 0);
	buf_clear(&image);
	m.width = m.height = 600;
	m.is_noise = true;
	m.color = MAKER_RGB;
	maker_png(&m, &image);
	assert_true(image.size > IMAGE_GIVEN_MAX);
	assert_int_equal(look(&w, &image), ERR_LIMIT);
	assert_int_equal(look_at_file(&w, &image), 0);
	buf_clear(&image);
	assert_int_equal(look(&w, &image), ERR_FORMAT); /* nothing at all */
}

static void one_whose_data_is_not_what_its_header_says_is_refused(void **state)
{
	struct buf image = { 0 };
	struct image_work w;
	uint8_t *zeroes = memory_new(16 << 20);

	(void)state;
	/* a few rows of ten thousand */
	maker_png_claims(10000, 10000, bytes_of(zeroes, 40001 * 3), &image);
	assert_int_equal(look_at_file(&w, &image), ERR_FORMAT);
	buf_clear(&image);
	/* far more than belongs to one row: what it is of them is shown, the rest not unpacked */
	maker_png_claims(10, 1, bytes_of(zeroes, 16 << 20), &image);
	assert_int_equal(look_at_file(&w, &image), 0);
	buf_clear(&image);
	free(zeroes);
}

static void one_that_was_cut_short_is_refused(void **state)
{
	static void (*const makers[])(const struct maker *,
				      struct buf *) = { maker_png, maker_jpeg, maker_webp };

	(void)state;
	for (unsigned i = 0; i < COUNT(makers) * 2; i++) {
		struct maker m = { .width = 400,
				   .height = 300,
				   .depth = 8,
				   .is_plain = true,
				   .is_interlaced = i % 2,
				   .is_lossless = i % 2 };
		static const unsigned parts[] = { 1, 20, 50, 90, 99 };
		struct buf image = { 0 };
		struct image_work w;
		size_t whole;

		makers[i / 2](&m, &image);
		whole = image.size;
		for (unsigned j = 0; j < COUNT(parts); j++) {
			image.size = whole * parts[j] / 100;
			assert_int_equal(look(&w, &image), ERR_FORMAT);
		}
		image.size = whole - 1;
		if (i / 2 != 2) /* of a WebP that may be padding */
			assert_int_equal(look(&w, &image), ERR_FORMAT);
		image.size = whole;
		assert_int_equal(look(&w, &image), 0);
		buf_clear(&image);
	}
}

static void only_a_file_is_opened(void **state)
{
	struct maker m = { .width = 40, .height = 30, .depth = 8 };
	char link[128], fifo[128];
	struct buf image = { 0 };
	struct image_work w;

	(void)state;
	maker_png(&m, &image);
	assert_int_equal(look_at_file(&w, &image), 0);
	buf_clear(&image);
	snprintf(link, sizeof link, "%s", path_of("link"));
	snprintf(fifo, sizeof fifo, "%s", path_of("fifo"));
	assert_int_equal(symlink(path_of("image"), link), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(look_at_path(&w, link), ERR_FORMAT);
	assert_int_equal(look_at_path(&w, fifo), ERR_FORMAT);
	assert_int_equal(look_at_path(&w, "/dev/zero"), ERR_FORMAT);
	assert_int_equal(look_at_path(&w, "/dev/null"), ERR_FORMAT);
	assert_int_equal(look_at_path(&w, scratch), ERR_FORMAT);
	assert_int_equal(look_at_path(&w, path_of("nothing")), ERR_NOT_FOUND);
	assert_int_equal(look_at_path(&w, path_of("image/nothing")), ERR_NOT_FOUND);
	assert_int_equal(truncate(path_of("image"), IMAGE_FILE_MAX + 1L), 0);
	assert_int_equal(look_at_path(&w, path_of("image")), ERR_LIMIT);
	assert_int_equal(truncate(path_of("image"), 0), 0);
	assert_int_equal(look_at_path(&w, path_of("image")), ERR_FORMAT);
}

static void a_name_says_nothing_of_what_it_is(void **state)
{
	struct maker m = { .width = 40, .height = 30, .depth = 8 };
	struct buf image = { 0 };
	char path[128];
	struct image_work w;

	(void)state;
	maker_png(&m, &image);
	assert_int_equal(look_at_file(&w, &image), 0);
	snprintf(path, sizeof path, "%s", path_of("really.jpg"));
	assert_int_equal(rename(path_of("image"), path), 0);
	assert_int_equal(look_at_path(&w, path), 0);
	assert_int_equal(w.kind, IMAGE_PNG);
	buf_clear(&image);
	buf_append(&image, bytes_text("<html><script>alert(1)</script></html>"));
	assert_int_equal(look_at_file(&w, &image), ERR_FORMAT);
	buf_clear(&image);
}

static void a_broken_byte_anywhere_ends_no_engine(void **state)
{
	static void (*const makers[])(const struct maker *,
				      struct buf *) = { maker_png, maker_jpeg, maker_webp };

	(void)state;
	for (unsigned i = 0; i < COUNT(makers); i++) {
		struct maker m = { .width = 60, .height = 50, .depth = 8 };
		struct buf image = { 0 };
		struct image_work w;

		makers[i](&m, &image);
		for (size_t at = 0; at < image.size; at += image.size / 16) {
			int err;

			image.data[at] ^= 0x5a;
			err = look(&w, &image);
			assert_true(err == 0 || err == ERR_FORMAT || err == ERR_LIMIT);
			image.data[at] ^= 0x5a;
		}
		buf_clear(&image);
	}
}

static int of_manner(const char *manner)
{
	struct buf image = { 0 };
	struct image_work w;
	int err;

	buf_append(&image, bytes_text("anything"));
	setenv(MANNER, manner, 1);
	err = look(&w, &image);
	unsetenv(MANNER);
	buf_clear(&image);
	return err;
}

static void a_child_that_was_taken_over_gets_nowhere(void **state)
{
	static const char *const manners[] = { "dies",       "dies-late", "talks", "adds",
					       "opens",      "connects",  "forks", "executes",
					       "makes-code", "kills",     "hungry" };

	(void)state;
	assert_int_equal(of_manner("good"), 0); /* so that the others fail for what they do */
	for (unsigned i = 0; i < COUNT(manners); i++)
		if (of_manner(manners[i]) != ERR_FORMAT)
			fail_msg("%s", manners[i]);
}

static void a_child_that_does_not_end_is_ended(void **state)
{
	(void)state;
	assert_int_equal(of_manner("silent"), ERR_LIMIT);
	assert_int_equal(of_manner("spins"), ERR_LIMIT);
}

static void the_word_of_a_child_is_checked(void **state)
{
	struct image_task task = { .side = 320, .pixels_max = 1000000 };
	struct image_answer a = good;

	(void)state;
	assert_true(image_answer_fits(&a, &task, 4));
	assert_false(image_answer_fits(&a, &task, 5));
	assert_false(image_answer_fits(&a, &task, 0));
#define CHECK(member, value)                                                                   \
	a = good;                                                                              \
	a.member = value;                                                                      \
	assert_false(image_answer_fits(&a, &task, 4))
	CHECK(kind, 0);
	CHECK(kind, 4);
	CHECK(width, 0);
	CHECK(width, IMAGE_SIDE_MAX + 1);
	CHECK(width, 1000000);
	CHECK(height, 200);  /* less than the small one */
	CHECK(height, 2000); /* more pixels than were allowed */
	CHECK(small_width, 0);
	CHECK(small_width, 321);
	CHECK(small_height, 0);
	CHECK(small_height, 321);
	CHECK(size, 5);
	CHECK(err, 1);
	CHECK(err, ERR_LAST);
	CHECK(err, ERR_FORMAT); /* and yet there is something */
	a = (struct image_answer){ .err = ERR_FORMAT };
	assert_true(image_answer_fits(&a, &task, 0));
	a = good;
	a.size = IMAGE_THUMBNAIL_MAX + 1;
	assert_false(image_answer_fits(&a, &task, a.size));
	task.wants_pixels = true;
	assert_false(image_answer_fits(&a, &task, a.size));
	a.size = 320 * 240 * 4;
	assert_true(image_answer_fits(&a, &task, a.size));
}

static unsigned open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void nothing_is_left_open(void **state)
{
	struct maker m = { .width = 40, .height = 30, .depth = 8 };
	unsigned before = open_files();
	struct buf image = { 0 };
	struct image_work w;

	(void)state;
	maker_png(&m, &image);
	assert_int_equal(look(&w, &image), 0);
	assert_int_equal(look_at_file(&w, &image), 0);
	image.size = 20;
	assert_int_equal(look(&w, &image), ERR_FORMAT);
	assert_int_equal(look_at_path(&w, scratch), ERR_FORMAT);
	assert_int_equal(of_manner("dies"), ERR_FORMAT);
	assert_int_equal(open_files(), before);
	buf_clear(&image);
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
		cmocka_unit_test(it_knows_images_by_their_first_bytes),
		cmocka_unit_test(a_png_of_every_kind_is_read),
		cmocka_unit_test(a_jpeg_of_every_kind_is_read),
		cmocka_unit_test(a_webp_of_every_kind_is_read),
		cmocka_unit_test(a_photograph_is_turned_as_its_camera_was_held),
		cmocka_unit_test(nonsense_about_orientation_is_passed_over),
		cmocka_unit_test(nothing_but_pixels_survives),
		cmocka_unit_test(a_thumbnail_is_small_whatever_is_in_it),
		cmocka_unit_test(
			a_thumbnail_is_as_large_as_was_asked_but_never_larger_than_the_image),
		cmocka_unit_test(its_own_thumbnails_are_read_again),
		cmocka_unit_test(a_size_beyond_the_limits_is_refused_from_the_header),
		cmocka_unit_test(what_others_gave_may_be_less),
		cmocka_unit_test(one_whose_data_is_not_what_its_header_says_is_refused),
		cmocka_unit_test(one_that_was_cut_short_is_refused),
		cmocka_unit_test(only_a_file_is_opened),
		cmocka_unit_test(a_name_says_nothing_of_what_it_is),
		cmocka_unit_test(a_broken_byte_anywhere_ends_no_engine),
		cmocka_unit_test(a_child_that_was_taken_over_gets_nowhere),
		cmocka_unit_test(a_child_that_does_not_end_is_ended),
		cmocka_unit_test(the_word_of_a_child_is_checked),
		cmocka_unit_test(nothing_is_left_open),
		cmocka_unit_test(the_mean_is_the_same_in_any_order),
		cmocka_unit_test(what_cannot_be_seen_gives_no_color_to_its_neighbours),
	};

	if (image_is_called(argc, argv)) {
		if (getenv(MANNER))
			behave(getenv(MANNER));
		return image_main(argc, argv);
	}
	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
