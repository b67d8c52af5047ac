#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/archive.h"
#include "shared/error.h"
#include "tests/scratch.h"

enum { SMALL = 300 }; /* bytes of a store, which need be no database here */

static char folder[128], file[160], store[160], out[160];
static unsigned next_folder;
static const struct symmetric_key store_key = { "0123456789abcdef0123456789abcdef" };

static int fresh(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "%s/%u", scratch, next_folder++);
	snprintf(file, sizeof file, "%s/account.palique", folder);
	snprintf(store, sizeof store, "%s/store", folder);
	snprintf(out, sizeof out, "%s/out", folder);
	return mkdir(folder, 0700);
}

static void write_file(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), (ssize_t)size);
	close(fd);
}

static size_t read_file(const char *path, uint8_t *data, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t got;

	assert_true(fd >= 0);
	got = read(fd, data, size);
	assert_true(got >= 0);
	close(fd);
	return (size_t)got;
}

static unsigned files(void)
{
	DIR *all = opendir(folder);
	unsigned count = 0;

	assert_non_null(all);
	while (readdir(all))
		count++;
	closedir(all);
	return count - 2;
}

static void make_store(size_t size)
{
	uint8_t *data = malloc(size);

	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 7 + (i >> 8));
	write_file(store, data, size);
	free(data);
}

static int export(const char *passphrase, bool replace)
{
	const struct archive_order order = {
		.file = file,
		.replace = replace,
		.passphrase = bytes_text(passphrase),
		.ksf = KSF_ARGON2ID_64M,
		.store_key = &store_key,
		.store = store,
		.made_at = 1234567890123,
	};

	return archive_write(&order);
}

static int import(const char *passphrase, struct symmetric_key *key)
{
	return archive_read(file, bytes_text(passphrase), out, key);
}

static void what_goes_in_comes_out(void **state)
{
	static const size_t sizes[] = {
		1, SMALL, ARCHIVE_CHUNK - 32, ARCHIVE_CHUNK - 31, 3 * ARCHIVE_CHUNK - 32, 200000
	};
	static uint8_t before[200000], after[200001];
	struct symmetric_key key;
	struct stat st;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		make_store(sizes[i]);
		assert_int_equal(export("one", true), 0);
		assert_int_equal(stat(file, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		assert_int_equal(import("one", &key), 0);
		assert_memory_equal(&key, &store_key, sizeof key);
		assert_int_equal(read_file(out, after, sizeof after), sizes[i]);
		assert_int_equal(read_file(store, before, sizeof before), sizes[i]);
		assert_memory_equal(before, after, sizes[i]);
		assert_int_equal(stat(out, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		assert_int_equal(unlink(out), 0);
		assert_int_equal(files(), 2);
	}
}

static void nothing_of_it_is_legible(void **state)
{
	static uint8_t bytes[4096];
	size_t size;

	(void)state;
	make_store(SMALL);
	assert_int_equal(export("one", false), 0);
	size = read_file(file, bytes, sizeof bytes);
	assert_int_equal(size, ARCHIVE_START + ARCHIVE_HEAD + 32 + SMALL + 2 * ARCHIVE_TAG);
	assert_null(memmem(bytes, size, store_key.bytes, 8));
	assert_null(memmem(bytes, size, "store", 5));
}

static void a_wrong_passphrase_opens_nothing(void **state)
{
	struct symmetric_key key;

	(void)state;
	make_store(SMALL);
	assert_int_equal(export("one", false), 0);
	assert_int_equal(import("onE", &key), ERR_AUTH);
	assert_true(sodium_is_zero(key.bytes, sizeof key.bytes));
	assert_int_equal(files(), 2);
}

/* A small archive and the key to it, so that each try costs no second. */
struct opened {
	uint8_t bytes[2048];
	size_t size;
	struct symmetric_key key;
};

static void open_small(struct opened *o)
{
	struct archive_start start;
	int fd;

	make_store(SMALL);
	assert_int_equal(export("one", true), 0);
	o->size = read_file(file, o->bytes, sizeof o->bytes);
	fd = open(file, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(archive_start_read(fd, &start), 0);
	assert_int_equal(archive_key(&start, bytes_text("one"), &o->key), 0);
	close(fd);
}

/* As archive_read(), but for the key, which is at hand. */
static int try(const struct opened *o, const uint8_t *bytes, size_t size)
{
	struct archive_start start;
	struct symmetric_key key = { { 1 } };
	int in, to, err;

	write_file(file, bytes, size);
	in = open(file, O_RDONLY);
	to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(in >= 0 && to >= 0);
	err = archive_start_read(in, &start);
	if (err == 0) {
		err = archive_open(in, &start, &o->key, to, &key);
		if (err < 0)
			assert_true(sodium_is_zero(key.bytes, sizeof key.bytes));
	}
	close(in);
	close(to);
	return err;
}

static void every_byte_changed_is_refused(void **state)
{
	struct opened o;

	(void)state;
	open_small(&o);
	assert_int_equal(try(&o, o.bytes, o.size), 0);
	for (size_t i = 0; i < o.size; i++) {
		o.bytes[i] ^= (uint8_t)(1 << (i % 8));
		assert_true(try(&o, o.bytes, o.size) < 0);
		o.bytes[i] ^= (uint8_t)(1 << (i % 8));
	}
	assert_int_equal(try(&o, o.bytes, o.size), 0);
}

static void every_cut_is_refused_and_so_is_what_hangs_behind(void **state)
{
	struct opened o;

	(void)state;
	open_small(&o);
	for (size_t size = 0; size < o.size; size++)
		assert_true(try(&o, o.bytes, size) < 0);
	o.bytes[o.size] = 0;
	assert_int_equal(try(&o, o.bytes, o.size + 1), ERR_CORRUPT);
}

/* Chunks that are whole, but not in their places, or of another archive. */
static void chunks_that_are_moved_are_refused(void **state)
{
	enum { CHUNK = ARCHIVE_CHUNK + ARCHIVE_TAG, SIZE = 3 * ARCHIVE_CHUNK - 32 };
	static uint8_t all[4 * CHUNK], moved[4 * CHUNK];
	const size_t first = ARCHIVE_START + ARCHIVE_HEAD + ARCHIVE_TAG;
	struct opened o;
	struct stat st;
	size_t size;

	(void)state;
	open_small(&o);
	make_store(SIZE);
	assert_int_equal(export("one", true), 0);
	size = read_file(file, all, sizeof all);
	int fd = open(file, O_RDONLY);
	struct archive_start start;
	assert_int_equal(archive_start_read(fd, &start), 0);
	assert_int_equal(archive_key(&start, bytes_text("one"), &o.key), 0);
	close(fd);
	assert_int_equal(try(&o, all, size), 0);
	memcpy(moved, all, size);
	memcpy(moved + first, all + first + CHUNK, CHUNK);
	memcpy(moved + first + CHUNK, all + first, CHUNK);
	assert_int_equal(try(&o, moved, size), ERR_CORRUPT);
	memcpy(moved, all, size);
	memcpy(moved + first + CHUNK, all + first, CHUNK);
	assert_int_equal(try(&o, moved, size), ERR_CORRUPT);
	assert_int_equal(try(&o, all, size - CHUNK), ERR_CORRUPT); /* cut between two */
	/* and that was known before anything was written */
	assert_int_equal(stat(out, &st), 0);
	assert_int_equal(st.st_size, 0);
}

/* The same out of a pipe, whose length nobody knows before. */
static void a_pipe_is_read_to_its_end_too(void **state)
{
	struct symmetric_key key;
	struct archive_start start;
	struct opened o;

	(void)state;
	open_small(&o);
	for (int more = -1; more <= 1; more++) {
		int ends[2], to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600), err;
		assert_int_equal(pipe(ends), 0);
		o.bytes[o.size] = 0;
		assert_true(write(ends[1], o.bytes, o.size + (size_t)more) > 0);
		close(ends[1]);
		err = archive_start_read(ends[0], &start);
		assert_int_equal(err, 0);
		err = archive_open(ends[0], &start, &o.key, to, &key);
		assert_int_equal(err, more == 0 ? 0 : ERR_CORRUPT);
		close(ends[0]);
		close(to);
	}
}

/* Sealed with the right key, but the last chunk does not say that it is the last. */
static void an_end_that_is_not_marked_is_refused(void **state)
{
	crypto_secretstream_xchacha20poly1305_state stream;
	static uint8_t sealed[4096];
	uint8_t *at = sealed, plain[2048];
	struct opened o;

	(void)state;
	open_small(&o);
	for (int is_marked = 0; is_marked < 2; is_marked++) {
		/* opened once more by hand, and sealed again */
		const size_t rest = o.size - ARCHIVE_START - ARCHIVE_HEAD - ARCHIVE_TAG;
		const uint8_t *in = o.bytes + ARCHIVE_START;
		uint8_t head[ARCHIVE_HEAD], start[ARCHIVE_START], tag;
		memcpy(start, o.bytes, sizeof start);
		crypto_secretstream_xchacha20poly1305_init_pull(
			&stream, start + sizeof start - 24, o.key.bytes);
		assert_int_equal(crypto_secretstream_xchacha20poly1305_pull(
					 &stream, head, NULL, &tag, in,
					 ARCHIVE_HEAD + ARCHIVE_TAG, start, sizeof start),
				 0);
		assert_int_equal(crypto_secretstream_xchacha20poly1305_pull(
					 &stream, plain, NULL, &tag,
					 in + ARCHIVE_HEAD + ARCHIVE_TAG, rest, NULL, 0),
				 0);
		crypto_secretstream_xchacha20poly1305_init_push(
			&stream, start + sizeof start - 24, o.key.bytes);
		at = sealed;
		memcpy(at, start, sizeof start);
		at += sizeof start;
		crypto_secretstream_xchacha20poly1305_push(&stream, at, NULL, head, sizeof head,
							   start, sizeof start, 0);
		at += ARCHIVE_HEAD + ARCHIVE_TAG;
		crypto_secretstream_xchacha20poly1305_push(
			&stream, at, NULL, plain, rest - ARCHIVE_TAG, NULL, 0,
			is_marked ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0);
		assert_int_equal(try(&o, sealed, o.size), is_marked ? 0 : ERR_CORRUPT);
	}
}

static void what_is_not_ours_or_newer_is_told_apart(void **state)
{
	struct symmetric_key key;
	struct opened o;

	(void)state;
	write_file(file, "PK\3\4 something else altogether, and long enough for it", 55);
	assert_int_equal(import("one", &key), ERR_FORMAT);
	write_file(file, "", 0);
	assert_int_equal(import("one", &key), ERR_FORMAT);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(import("one", &key), ERR_NOT_FOUND);
	open_small(&o);
	o.bytes[8] = ARCHIVE_VERSION + 1;
	write_file(file, o.bytes, o.size);
	assert_int_equal(import("one", &key), ERR_VERSION);
	o.bytes[8] = ARCHIVE_VERSION;
	o.bytes[9] = 77; /* a stretching that this program does not know */
	write_file(file, o.bytes, o.size);
	assert_int_equal(import("one", &key), ERR_VERSION);
	assert_int_equal(files(), 2);
}

static void damage_far_behind_leaves_nothing_either(void **state)
{
	static uint8_t bytes[300000];
	struct symmetric_key key;
	size_t size;

	(void)state;
	make_store(200000);
	assert_int_equal(export("one", false), 0);
	size = read_file(file, bytes, sizeof bytes);
	bytes[size - 1] ^= 1;
	write_file(file, bytes, size);
	assert_int_equal(import("one", &key), ERR_CORRUPT);
	assert_true(sodium_is_zero(key.bytes, sizeof key.bytes));
	assert_int_equal(files(), 2);
}

static void a_file_that_is_there_stays_unless_it_is_to_be_replaced(void **state)
{
	uint8_t bytes[16];
	struct symmetric_key key;

	(void)state;
	make_store(SMALL);
	write_file(file, "precious", 8);
	assert_int_equal(export("one", false), ERR_EXISTS);
	assert_int_equal(read_file(file, bytes, sizeof bytes), 8);
	assert_int_equal(files(), 2);
	assert_int_equal(export("one", true), 0);
	assert_int_equal(import("one", &key), 0);
	snprintf(file, sizeof file, "%s/nowhere/account", folder);
	assert_int_equal(export("one", false), ERR_NOT_FOUND);
}

/* What an export that was killed left goes; what somebody else calls so does not. */
static void what_lies_under_the_name_in_between_is_looked_at(void **state)
{
	char between[sizeof file + 8];
	uint8_t bytes[16];

	(void)state;
	make_store(SMALL);
	snprintf(between, sizeof between, "%s.new", file);
	write_file(between, "a letter", 8);
	assert_int_equal(export("one", false), ERR_EXISTS);
	assert_int_equal(read_file(between, bytes, sizeof bytes), 8);
	write_file(between, "palique\n and so on", 18);
	assert_int_equal(export("one", false), 0);
	assert_int_equal(files(), 2);
}

/* Both ways, with room for a part of it only; in a process of its own, which has the limit. */
static void a_full_disk_is_told_and_leaves_nothing(void **state)
{
	int status;
	pid_t child;

	(void)state;
	make_store(200000);
	assert_int_equal(export("one", false), 0);
	child = fork();
	if (child == 0) {
		struct rlimit limit = { 100000, 100000 };
		struct symmetric_key key;
		bool is_well;

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		is_well = import("one", &key) == ERR_FULL && access(out, F_OK) < 0;
		is_well = is_well && export("one", true) == ERR_FULL;
		_exit(is_well ? 0 : 1);
	}
	assert_true(waitpid(child, &status, 0) == child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(files(), 2);
	struct symmetric_key key;
	assert_int_equal(import("one", &key), 0); /* the one that was there is whole */
}

static void one_that_is_given_up_leaves_nothing(void **state)
{
	const _Atomic bool is_given_up = true;
	const struct archive_order order = {
		.file = file,
		.passphrase = bytes_text("one"),
		.ksf = KSF_ARGON2ID_64M,
		.store_key = &store_key,
		.store = store,
		.is_given_up = &is_given_up,
	};

	(void)state;
	make_store(SMALL);
	assert_int_equal(archive_write(&order), ERR_CLOSED);
	assert_int_equal(files(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_goes_in_comes_out, fresh),
		cmocka_unit_test_setup(nothing_of_it_is_legible, fresh),
		cmocka_unit_test_setup(a_wrong_passphrase_opens_nothing, fresh),
		cmocka_unit_test_setup(every_byte_changed_is_refused, fresh),
		cmocka_unit_test_setup(every_cut_is_refused_and_so_is_what_hangs_behind, fresh),
		cmocka_unit_test_setup(chunks_that_are_moved_are_refused, fresh),
		cmocka_unit_test_setup(a_pipe_is_read_to_its_end_too, fresh),
		cmocka_unit_test_setup(an_end_that_is_not_marked_is_refused, fresh),
		cmocka_unit_test_setup(what_is_not_ours_or_newer_is_told_apart, fresh),
		cmocka_unit_test_setup(damage_far_behind_leaves_nothing_either, fresh),
		cmocka_unit_test_setup(a_file_that_is_there_stays_unless_it_is_to_be_replaced,
				       fresh),
		cmocka_unit_test_setup(what_lies_under_the_name_in_between_is_looked_at, fresh),
		cmocka_unit_test_setup(a_full_disk_is_told_and_leaves_nothing, fresh),
		cmocka_unit_test_setup(one_that_is_given_up_leaves_nothing, fresh),
	};

	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
