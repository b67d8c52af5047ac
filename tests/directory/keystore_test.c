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
#include "directory/secrets.h"
#include "shared/error.h"

static char folder[64], path[96], reason[512];
static char apart[96], secrets_path[128]; /* the key-holder's folder, and its file */

static int begin(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/palique-keystore-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/keys", folder);
	snprintf(apart, sizeof apart, "%s/keyholder", folder);
	snprintf(secrets_path, sizeof secrets_path, "%s/secrets", apart);
	return keystore_make(folder, reason, sizeof reason);
}

static int end(void **state)
{
	(void)state;
	unlink(path);
	unlink(secrets_path);
	rmdir(apart);
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

/* --- what is the key-holder's --- */

static void secrets_come_back_as_they_were_made(void **state)
{
	struct opaque_server *one, *two;
	struct stat st;
	uint8_t point[32];

	(void)state;
	assert_int_equal(secrets_make(apart, reason, sizeof reason), 0);
	assert_int_equal(stat(apart, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(secrets_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(secrets_open(&one, apart, reason, sizeof reason), 0);
	assert_int_equal(secrets_open(&two, apart, reason, sizeof reason), 0);
	assert_memory_equal(one, two, sizeof *one);
	crypto_scalarmult_ristretto255_base(point, one->secret);
	assert_memory_equal(point, one->public, 32);
	assert_false(sodium_is_zero(one->oprf_seed, 64));
	assert_int_equal(secrets_make(apart, reason, sizeof reason), ERR_EXISTS);
	secrets_close(two);
	assert_int_equal(secrets_open(&two, apart, reason, sizeof reason), 0);
	assert_memory_equal(one, two, sizeof *one);
	secrets_close(one);
	secrets_close(two);
}

/* A file of version 1, as it was written before the key-holder was apart. */
static void write_old(uint8_t secrets[128])
{
	static const char magic[] = "palique-directory-keys 1\n";
	uint8_t file[25 + 128 + 32];

	randombytes_buf(secrets, 128);
	crypto_core_ristretto255_scalar_random(secrets + 96);
	memcpy(file, magic, 25);
	memcpy(file + 25, secrets, 128);
	crypto_generichash(file + 25 + 128, 32, file, 25 + 128, NULL, 0);
	write_file(file, sizeof file);
}

static void check_split(const uint8_t secrets[128])
{
	struct opaque_server *there;
	struct keystore *keys;
	uint8_t file[512];
	size_t size;

	assert_int_equal(secrets_open(&there, apart, reason, sizeof reason), 0);
	assert_memory_equal(there->oprf_seed, secrets + 32, 64);
	assert_memory_equal(there->secret, secrets + 96, 32);
	secrets_close(there);
	assert_int_equal(keystore_open(&keys, folder, reason, sizeof reason), 0);
	assert_memory_equal(keys->noise.secret.bytes, secrets, 32);
	keystore_close(keys);
	size = read_file(file, sizeof file);
	assert_int_equal(size, 25 + 32 + 32);
	assert_null(memmem(file, size, secrets + 32, 16));
	assert_null(memmem(file, size, secrets + 96, 16));
}

static void keys_of_before_are_split(void **state)
{
	uint8_t secrets[128];
	struct keystore *keys;

	(void)state;
	write_old(secrets);
	assert_int_equal(keystore_open(&keys, folder, reason, sizeof reason), 0);
	assert_memory_equal(keys->noise.secret.bytes, secrets, 32);
	keystore_close(keys);
	assert_int_equal(keystore_split(folder, apart, reason, sizeof reason), 0);
	check_split(secrets);
	assert_int_equal(keystore_split(folder, apart, reason, sizeof reason), 0);
	check_split(secrets);
}

static void an_interrupted_split_goes_on(void **state)
{
	struct opaque_server half = { 0 };
	uint8_t secrets[128];

	(void)state;
	write_old(secrets);
	memcpy(half.oprf_seed, secrets + 32, 64);
	memcpy(half.secret, secrets + 96, 32);
	assert_int_equal(secrets_write(apart, &half, reason, sizeof reason), 0);
	assert_int_equal(keystore_split(folder, apart, reason, sizeof reason), 0);
	check_split(secrets);
}

static void a_split_writes_over_nobody_elses_secrets(void **state)
{
	uint8_t secrets[128], before[512], after[512];
	size_t size;

	(void)state;
	write_old(secrets);
	size = read_file(before, sizeof before);
	assert_int_equal(secrets_make(apart, reason, sizeof reason), 0);
	assert_int_equal(keystore_split(folder, apart, reason, sizeof reason), ERR_EXISTS);
	assert_int_equal(read_file(after, sizeof after), size);
	assert_memory_equal(before, after, size);
}

static void a_newer_file_is_told_from_a_damaged_one(void **state)
{
	static const char newer[] = "palique-directory-keys 3\nwhat it is only they know";

	(void)state;
	write_file((const uint8_t *)newer, sizeof newer - 1);
	assert_int_equal(open_and_close(), ERR_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(keys_come_back_as_they_were_made),
		ROW(keys_are_never_written_over),
		ROW(keys_that_others_can_read_are_refused),
		ROW(every_damaged_byte_is_noticed),
		ROW(missing_keys_are_told_as_such),
		ROW(secrets_come_back_as_they_were_made),
		ROW(keys_of_before_are_split),
		ROW(an_interrupted_split_goes_on),
		ROW(a_split_writes_over_nobody_elses_secrets),
		ROW(a_newer_file_is_told_from_a_damaged_one),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
