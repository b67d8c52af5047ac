/* Images that are none, and the process that looks at them taken over by one. This program is what is
 * begun anew, as palique is; and it can behave as one that was taken over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/error.h"
#include "tests/image_asked.h"

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
	snprintf(link, sizeof link, "%s", scratch_path("link"));
	snprintf(fifo, sizeof fifo, "%s", scratch_path("fifo"));
	assert_int_equal(symlink(scratch_path("image"), link), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(look_at_path(&w, link), ERR_FORMAT);
	assert_int_equal(look_at_path(&w, fifo), ERR_FORMAT);
	assert_int_equal(look_at_path(&w, "/dev/zero"), ERR_FORMAT);
	assert_int_equal(look_at_path(&w, "/dev/null"), ERR_FORMAT);
	assert_int_equal(look_at_path(&w, scratch), ERR_FORMAT);
	assert_int_equal(look_at_path(&w, scratch_path("nothing")), ERR_NOT_FOUND);
	assert_int_equal(look_at_path(&w, scratch_path("image/nothing")), ERR_NOT_FOUND);
	assert_int_equal(truncate(scratch_path("image"), IMAGE_FILE_MAX + 1L), 0);
	assert_int_equal(look_at_path(&w, scratch_path("image")), ERR_LIMIT);
	assert_int_equal(truncate(scratch_path("image"), 0), 0);
	assert_int_equal(look_at_path(&w, scratch_path("image")), ERR_FORMAT);
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
	snprintf(path, sizeof path, "%s", scratch_path("really.jpg"));
	assert_int_equal(rename(scratch_path("image"), path), 0);
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

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
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
	};

	if (image_is_called(argc, argv)) {
		if (getenv(MANNER))
			behave(getenv(MANNER));
		return image_main(argc, argv);
	}
	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
