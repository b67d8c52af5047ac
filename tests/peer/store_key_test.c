#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/store_key.h"
#include "shared/error.h"
#include "tests/scratch.h"

static struct home home;
static char reason[512];
static unsigned next_folder;

static const struct bytes none;
#define KSF KSF_ARGON2ID_64M /* as slow as it must be, and no slower */

/* A home of its own for each test. */
static int fresh(void **state)
{
	char folder[256];

	(void)state;
	snprintf(folder, sizeof folder, "%s/%u", scratch, next_folder++);
	reason[0] = '\0';
	return home_find(&home, folder, reason, sizeof reason);
}

static const char *path_of(const char *name)
{
	static char path[HOME_PATH_MAX];

	assert_int_equal(home_path(&home, name, path), 0);
	return path;
}

static bool exists(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

static void write_file(const char *name, const void *data, size_t size)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), (ssize_t)size);
	close(fd);
}

static size_t read_file(const char *name, uint8_t *out, size_t size)
{
	int fd = open(path_of(name), O_RDONLY);
	ssize_t got;

	assert_true(fd >= 0);
	got = read(fd, out, size);
	assert_true(got >= 0);
	close(fd);
	return (size_t)got;
}

static int open_key(const char *passphrase, struct symmetric_key *key)
{
	reason[0] = '\0';
	return store_key_open(&home, passphrase ? bytes_text(passphrase) : none, key, reason,
			      sizeof reason);
}

static int lock(const char *passphrase)
{
	return store_key_lock(&home, bytes_text(passphrase), KSF, reason, sizeof reason);
}

static enum store_key_kind look(void)
{
	enum store_key_kind kind;

	assert_int_equal(store_key_look(&home, &kind, reason, sizeof reason), 0);
	return kind;
}

static void the_key_is_made_once_and_read_again(void **state)
{
	struct symmetric_key first, second;
	struct stat st;

	(void)state;
	assert_int_equal(look(), STORE_KEY_NONE);
	assert_int_equal(open_key(NULL, &first), 0);
	assert_int_equal(open_key(NULL, &second), 0);
	assert_memory_equal(&first, &second, sizeof first);
	assert_false(sodium_is_zero(first.bytes, sizeof first.bytes));
	assert_int_equal(stat(path_of("store.key"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(look(), STORE_KEY_PLAIN);
}

static void a_store_without_its_key_gets_no_new_one(void **state)
{
	struct symmetric_key key;

	(void)state;
	write_file("store.db", "sealed", 6);
	assert_int_equal(open_key(NULL, &key), ERR_NOT_FOUND);
	assert_non_null(strstr(reason, "store.key"));
	assert_false(exists("store.key"));
}

static void a_damaged_key_is_refused_and_left_as_it_is(void **state)
{
	struct symmetric_key key;
	uint8_t text[64];

	(void)state;
	write_file("store.key", "not a key\n", 10);
	assert_int_equal(open_key(NULL, &key), ERR_CORRUPT);
	assert_true(sodium_is_zero(key.bytes, sizeof key.bytes));
	assert_int_equal(lock("x"), ERR_CORRUPT);
	assert_int_equal(read_file("store.key", text, sizeof text), 10);
	assert_memory_equal(text, "not a key\n", 10);
}

static void a_key_that_others_may_read_is_refused(void **state)
{
	struct symmetric_key key;

	(void)state;
	assert_int_equal(open_key(NULL, &key), 0);
	chmod(path_of("store.key"), 0644);
	assert_int_equal(open_key(NULL, &key), ERR_REFUSED);
	assert_non_null(strstr(reason, "chmod 600"));
	assert_int_equal(lock("x"), ERR_REFUSED);
}

/* What was there before is no empty store now. */
static void a_store_that_is_gone_is_not_begun_anew_unasked(void **state)
{
	struct symmetric_key key, again;

	(void)state;
	assert_int_equal(open_key(NULL, &key), 0);
	write_file("store.db", "sealed", 6);
	assert_int_equal(store_key_store_is_made(&home), 0);
	assert_int_equal(store_key_store_is_made(&home), 0);
	assert_int_equal(open_key(NULL, &key), 0);
	assert_int_equal(store_key_begin_anew(&home, reason, sizeof reason), ERR_EXISTS);
	assert_int_equal(unlink(path_of("store.db")), 0);
	write_file("store.db-wal", "log", 3);
	assert_int_equal(open_key(NULL, &again), ERR_NOT_FOUND);
	assert_non_null(strstr(reason, "--begin-anew"));
	assert_non_null(strstr(reason, "palique restore"));
	assert_int_equal(store_key_begin_anew(&home, reason, sizeof reason), 0);
	assert_int_equal(open_key(NULL, &again), 0);
	/* the key stays, for a store that turns up again; its log is out of the way */
	assert_memory_equal(&key, &again, sizeof key);
	assert_false(exists("store.db-wal"));
	assert_true(exists("store.db-wal.lost"));
}

static void a_locked_home_opens_with_its_passphrase_alone(void **state)
{
	struct symmetric_key key, again;
	char hex[BYTES_HEX_SIZE(32)], said[sizeof reason];
	uint8_t file[256];
	struct stat st;
	size_t size;

	(void)state;
	assert_int_equal(open_key(NULL, &key), 0);
	assert_int_equal(lock("correct horse"), 0);
	assert_int_equal(look(), STORE_KEY_LOCKED);
	assert_int_equal(open_key(NULL, &again), ERR_LOCKED);
	assert_true(sodium_is_zero(again.bytes, sizeof again.bytes));
	assert_int_equal(open_key("correct hors", &again), ERR_AUTH);
	assert_true(sodium_is_zero(again.bytes, sizeof again.bytes));
	snprintf(said, sizeof said, "%s", reason);
	assert_int_equal(open_key("", &again), ERR_AUTH);
	assert_string_equal(reason, said);
	assert_null(strstr(reason, "hors"));
	assert_int_equal(open_key("correct horse", &again), 0);
	assert_memory_equal(&key, &again, sizeof key);
	assert_int_equal(stat(path_of("store.key"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_false(exists("store.key.new"));
	size = read_file("store.key", file, sizeof file);
	bytes_to_hex(BYTES(key.bytes), hex);
	assert_null(memmem(file, size, hex, sizeof hex - 1));
	assert_null(memmem(file, size, key.bytes, sizeof key.bytes));
}

static void what_was_there_before_a_lock_is_overwritten(void **state)
{
	static const uint8_t zeros[65];
	struct symmetric_key key;
	uint8_t file[128];
	int fd;

	(void)state;
	assert_int_equal(open_key(NULL, &key), 0);
	fd = open(path_of("store.key"), O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(lock("correct horse"), 0);
	assert_int_equal(read(fd, file, sizeof file), sizeof zeros);
	assert_memory_equal(file, zeros, sizeof zeros);
	close(fd);
}

static void a_passphrase_is_changed_and_a_lock_taken_away(void **state)
{
	const struct bytes one = bytes_text("one"), two = bytes_text("two");
	struct symmetric_key key, again;

	(void)state;
	assert_int_equal(store_key_lock(&home, one, KSF, reason, sizeof reason), ERR_NOT_FOUND);
	assert_int_equal(open_key(NULL, &key), 0);
	assert_int_equal(store_key_free(&home, one, reason, sizeof reason), ERR_STATE);
	assert_int_equal(store_key_change(&home, one, two, KSF, reason, sizeof reason),
			 ERR_STATE);
	assert_int_equal(lock("one"), 0);
	assert_int_equal(lock("two"), ERR_STATE);
	assert_int_equal(store_key_change(&home, two, two, KSF, reason, sizeof reason),
			 ERR_AUTH);
	assert_int_equal(store_key_change(&home, one, two, KSF, reason, sizeof reason), 0);
	assert_int_equal(open_key("one", &again), ERR_AUTH);
	assert_int_equal(open_key("two", &again), 0);
	assert_memory_equal(&key, &again, sizeof key);
	assert_int_equal(store_key_free(&home, one, reason, sizeof reason), ERR_AUTH);
	assert_int_equal(look(), STORE_KEY_LOCKED);
	assert_int_equal(store_key_free(&home, two, reason, sizeof reason), 0);
	assert_int_equal(look(), STORE_KEY_PLAIN);
	assert_int_equal(open_key(NULL, &again), 0);
	assert_memory_equal(&key, &again, sizeof key);
}

/* A crash in the middle of locking leaves the key as it was, and something beside it. */
static void what_a_crash_left_is_in_nobodys_way(void **state)
{
	struct symmetric_key key, again;

	(void)state;
	assert_int_equal(open_key(NULL, &key), 0);
	write_file("store.key.new", "half a k", 8);
	assert_int_equal(open_key(NULL, &again), 0);
	assert_memory_equal(&key, &again, sizeof key);
	assert_int_equal(lock("one"), 0);
	assert_int_equal(open_key("one", &again), 0);
	assert_memory_equal(&key, &again, sizeof key);
}

static void a_locked_key_that_was_changed_is_refused(void **state)
{
	/* one byte in the version, the KSF id, the salt, the nonce, the key and the tag */
	static const struct {
		size_t at;
		int err;
	} changes[] = { { 0, ERR_CORRUPT },  { 11, ERR_CORRUPT }, { 12, ERR_VERSION },
			{ 13, ERR_VERSION }, { 14, ERR_AUTH },    { 30, ERR_AUTH },
			{ 54, ERR_AUTH },    { 101, ERR_AUTH } };
	struct symmetric_key key;
	enum store_key_kind kind;
	uint8_t file[128];
	size_t size;

	(void)state;
	assert_int_equal(open_key(NULL, &key), 0);
	assert_int_equal(lock("one"), 0);
	size = read_file("store.key", file, sizeof file);
	assert_int_equal(size, 102);
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		file[changes[i].at] ^= 0x40;
		assert_int_equal(
			store_key_parse(bytes_of(file, size), bytes_text("one"), &key, &kind),
			changes[i].err);
		assert_true(sodium_is_zero(key.bytes, sizeof key.bytes));
		file[changes[i].at] ^= 0x40;
	}
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(
			store_key_parse(bytes_of(file, cut), bytes_text("one"), &key, &kind),
			ERR_CORRUPT);
	assert_int_equal(
		store_key_parse(bytes_of(file, size + 1), bytes_text("one"), &key, &kind),
		ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_key_is_made_once_and_read_again, fresh),
		cmocka_unit_test_setup(a_store_without_its_key_gets_no_new_one, fresh),
		cmocka_unit_test_setup(a_damaged_key_is_refused_and_left_as_it_is, fresh),
		cmocka_unit_test_setup(a_key_that_others_may_read_is_refused, fresh),
		cmocka_unit_test_setup(a_store_that_is_gone_is_not_begun_anew_unasked, fresh),
		cmocka_unit_test_setup(a_locked_home_opens_with_its_passphrase_alone, fresh),
		cmocka_unit_test_setup(what_was_there_before_a_lock_is_overwritten, fresh),
		cmocka_unit_test_setup(a_passphrase_is_changed_and_a_lock_taken_away, fresh),
		cmocka_unit_test_setup(what_a_crash_left_is_in_nobodys_way, fresh),
		cmocka_unit_test_setup(a_locked_key_that_was_changed_is_refused, fresh),
	};

	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
