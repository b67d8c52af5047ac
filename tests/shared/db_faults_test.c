#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>

#include "shared/db.h"
#include "shared/error.h"
#include "tests/bad_disk.h"
#include "tests/scratch.h"

enum { ROWS = 200 };

static const char *const migrations[] = {
	"CREATE TABLE said(n INTEGER PRIMARY KEY, body BLOB NOT NULL);",
};
static char path[128];
static struct db *db;

static int begin(void **state)
{
	struct db_config config = {
		.path = path, .durable = true, .migrations = migrations, .migration_count = 1
	};

	(void)state;
	snprintf(path, sizeof path, "%s/store.db", scratch);
	remove(path);
	assert_int_equal(db_open(&db, &config, NULL, 0), 0);
	assert_int_equal(db_exec(db, "PRAGMA cache_size=1"), 0);
	for (int i = 0; i < ROWS; i++)
		assert_int_equal(db_exec(db, "INSERT INTO said(body) VALUES(zeroblob(3000))"),
				 0);
	return 0;
}

static void spoil(enum bad_disk_fault fault, unsigned operations)
{
	struct bad_disk_plan plan = { .fault = fault, .operations = operations };

	bad_disk_plan(scratch, &plan);
}

static int end(void **state)
{
	(void)state;
	spoil(BAD_DISK_WELL, 0);
	db_close(db);
	bad_disk_forget(scratch);
	return 0;
}

static int64_t number(const char *sql)
{
	struct statement *s = db_sql(db, sql);
	int64_t n = db_step(s);

	n = n == 1 ? column_int(s, 0) : n;
	db_done(s);
	return n;
}

static void what_follows_a_query_that_failed_is_not_committed(void **state)
{
	(void)state;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_exec(db, "UPDATE said SET body = zeroblob(1) WHERE n = 1"), 0);
	spoil(BAD_DISK_FAILS, BAD_DISK_READS);
	assert_int_equal(number("SELECT sum(length(body)) FROM said"), ERR_IO);
	spoil(BAD_DISK_WELL, 0);
	assert_int_equal(db_run(db_sql(db, "UPDATE said SET body = zeroblob(2) WHERE n = 2")),
			 ERR_IO);
	assert_int_equal(db_commit(db), ERR_IO);
	assert_int_equal(number("SELECT sum(length(body)) FROM said"), ROWS * 3000);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db_sql(db, "UPDATE said SET body = zeroblob(2) WHERE n = 2")),
			 1);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(number("SELECT sum(length(body)) FROM said"), (ROWS - 1) * 3000 + 2);
}

static void a_constraint_is_no_failure(void **state)
{
	(void)state;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db_sql(db, "INSERT INTO said VALUES(1, zeroblob(1))")),
			 ERR_EXISTS);
	assert_int_equal(db_run(db_sql(db, "UPDATE said SET body = zeroblob(2) WHERE n = 2")),
			 1);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(number("SELECT length(body) FROM said WHERE n = 2"), 2);
}

static void a_full_disk_keeps_what_was_there_and_goes_on_with_room(void **state)
{
	(void)state;
	spoil(BAD_DISK_FULL, BAD_DISK_WRITES);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db_sql(db, "UPDATE said SET body = zeroblob(2) WHERE n = 2")),
			 1);
	assert_int_equal(db_commit(db), ERR_FULL);
	assert_int_equal(number("SELECT length(body) FROM said WHERE n = 2"), 3000);
	spoil(BAD_DISK_WELL, 0);
	assert_int_equal(db_exec(db, "UPDATE said SET body = zeroblob(2) WHERE n = 2"), 0);
	assert_int_equal(number("SELECT length(body) FROM said WHERE n = 2"), 2);
}

#define DB(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DB(what_follows_a_query_that_failed_is_not_committed),
		DB(a_constraint_is_no_failure),
		DB(a_full_disk_keeps_what_was_there_and_goes_on_with_room),
	};

	bad_disk_begin();
	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
