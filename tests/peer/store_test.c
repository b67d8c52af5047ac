#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/store.h"
#include "shared/error.h"

static char path[64];
static const struct symmetric_key right = { { 1, 2, 3 } }, wrong = { { 3, 2, 1 } };

static int new_path(void **state)
{
	int file;

	(void)state;
	snprintf(path, sizeof path, "/tmp/palique-store-XXXXXX");
	file = mkstemp(path);
	return file < 0 || close(file) || unlink(path);
}

static int old_path(void **state)
{
	char name[80];

	(void)state;
	unlink(path);
	snprintf(name, sizeof name, "%s-wal", path);
	unlink(name);
	return 0;
}

static int count_rows(struct store *s)
{
	struct statement *q = db_sql(store_db(s), "SELECT count(*) FROM conversation");
	int rows;

	assert_int_equal(db_step(q), 1);
	rows = (int)column_int(q, 0);
	db_done(q);
	return rows;
}

static int add_row(struct store *s, int64_t id)
{
	struct statement *q;

	store_write(s);
	q = db_sql(store_db(s), "INSERT INTO conversation(id, contact) VALUES(?, 1)");
	bind_int(q, 1, id);
	return store_run(s, q);
}

static struct store *open_store(const struct symmetric_key *key)
{
	struct store *s;
	char reason[200] = "";

	if (store_open(&s, path, key, true, reason, sizeof reason) < 0)
		fail_msg("%s", reason);
	return s;
}

static void what_is_committed_is_there_again_and_the_rest_is_not(void **state)
{
	struct store *s = open_store(&right);

	(void)state;
	add_row(s, 1);
	assert_int_equal(store_commit(s), 0);
	add_row(s, 2);
	store_close(s);
	s = open_store(&right);
	assert_int_equal(count_rows(s), 1);
	store_close(s);
}

static void a_failed_write_undoes_the_whole_transaction(void **state)
{
	struct store *s = open_store(NULL);

	(void)state;
	add_row(s, 1);
	store_failed(s, ERR_FULL);
	assert_int_equal(add_row(s, 2), ERR_FULL);
	assert_int_equal(store_commit(s), ERR_FULL);
	assert_int_equal(count_rows(s), 0);
	assert_int_equal(add_row(s, 3), 1);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(count_rows(s), 1);
	store_close(s);
}

static void a_broken_constraint_is_the_callers_to_understand(void **state)
{
	struct store *s = open_store(NULL);

	(void)state;
	assert_int_equal(add_row(s, 1), 1);
	assert_int_equal(add_row(s, 1), ERR_EXISTS);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(count_rows(s), 1);
	store_close(s);
}

static void committing_nothing_succeeds(void **state)
{
	struct store *s = open_store(NULL);

	(void)state;
	assert_false(store_is_writing(s));
	assert_int_equal(store_commit(s), 0);
	store_close(s);
}

static void read_all(uint8_t hash[32])
{
	FILE *f = fopen(path, "rb");
	static uint8_t all[1 << 20];
	size_t size = fread(all, 1, sizeof all, f);

	fclose(f);
	crypto_generichash(hash, 32, all, size, NULL, 0);
}

static void a_store_that_cannot_be_read_is_not_touched(void **state)
{
	struct store *s = open_store(&right);
	char reason[200] = "";
	uint8_t before[32], after[32];

	(void)state;
	add_row(s, 1);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
	read_all(before);
	assert_true(store_open(&s, path, &wrong, true, reason, sizeof reason) < 0);
	assert_true(strlen(reason) > 0);
	read_all(after);
	assert_memory_equal(before, after, 32);
	s = open_store(&right);
	assert_int_equal(count_rows(s), 1);
	store_close(s);
}

#define STORE(test) cmocka_unit_test_setup_teardown(test, new_path, old_path)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE(what_is_committed_is_there_again_and_the_rest_is_not),
		STORE(a_failed_write_undoes_the_whole_transaction),
		STORE(a_broken_constraint_is_the_callers_to_understand),
		STORE(committing_nothing_succeeds),
		STORE(a_store_that_cannot_be_read_is_not_touched),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
