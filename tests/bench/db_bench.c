/* What sealing costs: the same work on a plain and on a sealed store, side by side and
 * in turns (medians of ROUNDS), for a disk's mood changes. In the folder given as argument,
 * else $TMPDIR, else here. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shared/db.h"
#include "shared/error.h"
#include "tests/passing.h"

enum {
	ROUNDS = 5,
	BODY = 100,
	BATCH = 50000,
	DURABLE = 300,
	QUICK = 5000,
	READS = 20000,
	OPENS = 50,
};

static const char *const migrations[] = {
	"CREATE TABLE said(n INTEGER PRIMARY KEY, conversation INTEGER, body TEXT);"
	"CREATE INDEX said_in ON said(conversation, n);",
};
static const struct symmetric_key key = { "0123456789abcdef0123456789abcdef" };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int result)
{
	if (result >= 0)
		return;
	fprintf(stderr, "db_bench: %s\n", error_text(result));
	exit(1);
}

static void say(struct db *db, int64_t n)
{
	static char body[BODY + 1];
	struct statement *s = db_sql(db, "INSERT INTO said VALUES(?, ?, ?)");

	memset(body, 'a' + (int)(n % 26), BODY);
	bind_int(s, 1, n);
	bind_int(s, 2, n % 50);
	bind_text(s, 3, body);
	must(db_run(s));
}

static double each_its_own_transaction(struct db *db, int64_t *n, int count)
{
	double begin = now();

	for (int i = 0; i < count; i++) {
		must(db_begin(db));
		say(db, ++*n);
		must(db_commit(db));
	}
	return count / (now() - begin);
}

static double all_in_one_transaction(struct db *db, int64_t *n, int count)
{
	double begin = now();

	must(db_begin(db));
	for (int i = 0; i < count; i++)
		say(db, ++*n);
	must(db_commit(db));
	return count / (now() - begin);
}

static double one_by_one(struct db *db, int64_t n)
{
	double begin = now();

	for (int i = 0; i < READS; i++) {
		struct statement *s = db_sql(db, "SELECT body FROM said WHERE n = ?");

		bind_int(s, 1, 1 + randombytes_uniform((uint32_t)n));
		must(db_step(s));
		db_done(s);
	}
	return READS / (now() - begin);
}

static double whole_store(struct db *db, int64_t n)
{
	struct statement *s = db_sql(db, "SELECT sum(length(body)) FROM said NOT INDEXED");
	double begin = now();

	must(db_step(s));
	db_done(s);
	return (double)n / (now() - begin);
}

static double opened_and_closed(const struct db_config *config)
{
	double begin = now();
	struct db *db;

	for (int i = 0; i < OPENS; i++) {
		must(db_open(&db, config, NULL, 0));
		db_close(db);
	}
	return (now() - begin) / OPENS * 1e3;
}

enum figure {
	FIGURE_DURABLE,
	FIGURE_QUICK,
	FIGURE_BATCH,
	FIGURE_RANDOM,
	FIGURE_SCAN,
	FIGURE_OPEN,
	FIGURES
};

static const struct {
	const char *what, *unit;
} names[FIGURES] = {
	[FIGURE_DURABLE] = { "one per transaction, durable", "messages/s" },
	[FIGURE_QUICK] = { "one per transaction, not durable", "messages/s" },
	[FIGURE_BATCH] = { "50000 in one transaction", "messages/s" },
	[FIGURE_RANDOM] = { "read one by one, in no order", "messages/s" },
	[FIGURE_SCAN] = { "read all, cold", "messages/s" },
	[FIGURE_OPEN] = { "open and close", "ms" },
};

static void measure(double f[FIGURES], const char *folder, const struct symmetric_key *with)
{
	char path[512], log[520];
	struct db_config config = {
		.path = path, .key = with, .migrations = migrations, .migration_count = 1
	};
	struct db *db;
	int64_t n = 0;

	snprintf(path, sizeof path, "%s/db", folder);
	snprintf(log, sizeof log, "%s-wal", path);
	unlink(path);
	unlink(log);
	config.durable = true;
	must(db_open(&db, &config, NULL, 0));
	f[FIGURE_DURABLE] = each_its_own_transaction(db, &n, DURABLE);
	db_close(db);
	config.durable = false;
	must(db_open(&db, &config, NULL, 0));
	f[FIGURE_QUICK] = each_its_own_transaction(db, &n, QUICK);
	f[FIGURE_BATCH] = all_in_one_transaction(db, &n, BATCH);
	db_close(db);
	must(db_open(&db, &config, NULL, 0));
	f[FIGURE_SCAN] = whole_store(db, n);
	f[FIGURE_RANDOM] = one_by_one(db, n);
	db_close(db);
	f[FIGURE_OPEN] = opened_and_closed(&config);
	unlink(path);
	unlink(log);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double rounds[ROUNDS][FIGURES], enum figure which)
{
	double sorted[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		sorted[i] = rounds[i][which];
	qsort(sorted, ROUNDS, sizeof *sorted, by_size);
	return sorted[ROUNDS / 2];
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : getenv("TMPDIR");
	static double plain[ROUNDS][FIGURES], sealed[ROUNDS][FIGURES];

	if (sodium_init() < 0)
		return 1;
	folder = passing_folder(folder ? folder : ".");
	for (int i = 0; i < ROUNDS; i++) {
		measure(plain[i], folder, NULL);
		measure(sealed[i], folder, &key);
	}
	printf("%-36s %12s %12s\n", "store, messages of 100 bytes", "plain", "sealed");
	for (enum figure i = 0; i < FIGURES; i++) {
		double a = median(plain, i), b = median(sealed, i);

		printf("%-36s %12.*f %12.*f  %s\n", names[i].what, a < 10 ? 2 : 0, a,
		       b < 10 ? 2 : 0, b, names[i].unit);
	}
	return 0;
}
