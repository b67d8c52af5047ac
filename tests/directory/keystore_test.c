#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/keystore.h"
#include "shared/error.h"

static char folder[64], path[96], reason[512];

static int begin(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/palique-keystore-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/keys", folder);
	return keystore_make(folder, reason, sizeof reason);
}

static int end(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static int open_and_close(void)
{
	struct keystore *k;
	int err = keystore_open(&k, folder, reason, sizeof reason);

	if (!err)
		keystore_close(k);
	return err;
}

static size_t read_file(uint8_t *out, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, out, size);

	close(fd);
	return (size_t)n;
}

static void write_file(const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static void keys_come_back_as_they_were_made(void **state)
{
	struct keystore *one, *two;
	struct stat st;
	uint8_t point[32];

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(keystore_open(&one, folder, reason, sizeof reason), 0);
	assert_int_equal(keystore_open(&two, folder, reason, sizeof reason), 0);
	assert_memory_equal(one, two, sizeof *one);
	crypto_scalarmult_base(point, one->noise.secret.bytes);
	assert_memory_equal(point, one->noise.public.bytes, 32);
	crypto_scalarmult_ristretto255_base(point, one->opaque.secret);
	assert_memory_equal(point, one->opaque.public, 32);
	assert_false(sodium_is_zero(one->opaque.oprf_seed, 64));
	keystore_close(one);
	keystore_close(two);
}

static void keys_are_never_written_over(void **state)
{
	uint8_t before[512], after[512];
	size_t size = read_file(before, sizeof before);

	(void)state;
	assert_int_equal(keystore_make(folder, reason, sizeof reason), ERR_EXISTS);
	assert_int_equal(read_file(after, sizeof after), size);
	assert_memory_equal(before, after, size);
}

static void keys_that_others_can_read_are_refused(void **state)
{
	(void)state;
	assert_int_equal(open_and_close(), 0);
	chmod(path, 0640);
	assert_int_equal(open_and_close(), ERR_REFUSED);
	assert_non_null(strstr(reason, "chmod 600"));
	chmod(path, 0604);
	assert_int_equal(open_and_close(), ERR_REFUSED);
}

static void every_damaged_byte_is_noticed(void **state)
{
	uint8_t file[512];
	size_t size = read_file(file, sizeof file);

	(void)state;
	for (size_t i = 0; i < size; i++) {
		int err;

		file[i] ^= 0x10;
		write_file(file, size);
		err = open_and_close();
		assert_true(err == ERR_CORRUPT || err == ERR_VERSION);
		file[i] ^= 0x10;
	}
	write_file(file, size - 1);
	assert_int_equal(open_and_close(), ERR_CORRUPT);
	write_file(file, size);
	assert_int_equal(open_and_close(), 0);
}

static void missing_keys_are_told_as_such(void **state)
{
	char aside[128];

	(void)state;
	snprintf(aside, sizeof aside, "%s/aside", folder);
	rename(path, aside);
	assert_int_equal(open_and_close(), ERR_NOT_FOUND);
	rename(aside, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(keys_come_back_as_they_were_made),      ROW(keys_are_never_written_over),
		ROW(keys_that_others_can_read_are_refused), ROW(every_damaged_byte_is_noticed),
		ROW(missing_keys_are_told_as_such),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
