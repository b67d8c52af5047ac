/* A sealed store and its log, changed at the places that the input names, opened with the
 * right key: it is refused or what it says is true; nothing else happens to it. */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/db.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAID = 60, FILE_MAX = 1 << 20 };

struct image {
	uint8_t bytes[FILE_MAX];
	size_t size;
};

static const struct symmetric_key key = { "0123456789abcdef0123456789abcdef" };
static const char *const migrations[] = { "CREATE TABLE said(n INTEGER PRIMARY KEY, body)" };
static char path[64], log_path[72];
static struct db_config config = {
	.path = path, .key = &key, .migrations = migrations, .migration_count = 1
};
static struct image store, logged, changed;

static void load(struct image *image, const char *from)
{
	int fd = open(from, O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read(fd, image->bytes, FILE_MAX);

	if (size < 0)
		abort();
	image->size = (size_t)size;
	close(fd);
}

static void save(const struct image *image, const char *to)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, image->bytes, image->size) != (ssize_t)image->size)
		abort();
	close(fd);
}

static void say(struct db *db, int64_t from, int64_t to)
{
	for (int64_t n = from; n < to; n++) {
		struct statement *s = db_sql(
			db, "INSERT INTO said VALUES(?1, hex(zeroblob(?1 * 9)))");

		bind_int(s, 1, n);
		if (db_run(s) != 1)
			abort();
	}
}

static void remove_files(void)
{
	unlink(path);
	unlink(log_path);
}

/* Half in the file; the other half in the log of one that never closed it. */
static void make(void)
{
	struct db *db;

	if (sodium_init() < 0)
		abort();
	snprintf(path, sizeof path, "%s/palique-fuzz-%d.db",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
	snprintf(log_path, sizeof log_path, "%s-wal", path);
	remove_files();
	atexit(remove_files);
	if (db_open(&db, &config, NULL, 0) < 0)
		abort();
	say(db, 0, SAID / 2);
	db_close(db);
	if (db_open(&db, &config, NULL, 0) < 0)
		abort();
	say(db, SAID / 2, SAID);
	load(&store, path);
	load(&logged, log_path);
	db_close(db);
}

/* Four bytes each: what, where, with what. */
static void change(struct image *image, struct bytes how)
{
	for (; how.size >= 4; how = bytes_of(how.data + 4, how.size - 4)) {
		size_t at = (size_t)how.data[1] << 8 | how.data[2];

		at = at * 7 % (image->size + 1);
		if (how.data[0] % 8 == 0)
			image->size = at;
		else if (how.data[0] % 8 == 1 && at + 8192 < image->size)
			memcpy(image->bytes + at, image->bytes + at + 4096, 4096);
		else if (at < image->size)
			image->bytes[at] ^= how.data[3];
	}
}

static void read_it(void)
{
	struct statement *s;
	struct db *db;
	int64_t n = 0;

	if (db_open(&db, &config, NULL, 0) < 0)
		return;
	s = db_sql(db, "SELECT n, length(body) FROM said ORDER BY n");
	while (db_step(s) == 1) {
		if (column_int(s, 0) != n || column_int(s, 1) != n * 18)
			abort();
		n++;
	}
	db_done(s);
	db_close(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!path[0])
		make();
	if (size < 1)
		return 0;
	config.durable = data[0] & 1;
	changed = store;
	if (data[0] & 2)
		change(&changed, bytes_of(data + 1, size - 1));
	save(&changed, path);
	changed = logged;
	if (!(data[0] & 2) || data[0] & 4)
		change(&changed, bytes_of(data + 1, size - 1));
	save(&changed, log_path);
	if (data[0] & 8)
		unlink(log_path);
	read_it();
	return 0;
}
