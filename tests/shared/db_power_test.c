/* Power cuts, simulated: a VFS beneath everything remembers what was written since the
 * last sync. When the power goes, each of those writes, or each sector of them, is on the
 * disk or is not, as the seed has it. What a durable commit promised must be there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/db.h"
#include "shared/error.h"

enum { FILES_MAX = 8, SECTOR = 512, FILE_MAX = 8 << 20, MESSAGES = 40 };

/* --- the disk ---------------------------------------------------------------------- */

struct op {
	struct op *next;
	sqlite3_int64 offset;
	int size; /* -1: truncated to `offset` */
	uint8_t data[];
};

struct disk_file {
	char name[128];
	uint8_t *kept; /* what a power cut cannot take */
	size_t size;
	bool is_kept; /* its name neither: synced once, or there from the beginning */
	bool is_deleted;
	struct op *first, **last;
};

static struct disk_file disk[FILES_MAX];
static uint64_t seed;
static int64_t ops_left; /* until the power goes; negative: it stays */
static bool is_recording;

static uint32_t choose(uint32_t bound)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 20) % bound;
}

static void put(struct disk_file *f, size_t at, const uint8_t *data, size_t size)
{
	if (at + size > FILE_MAX)
		abort();
	memcpy(f->kept + at, data, size);
	if (at + size > f->size)
		f->size = at + size;
}

static void cut_to(struct disk_file *f, size_t size)
{
	if (size < f->size)
		memset(f->kept + size, 0, f->size - size);
	f->size = size;
}

/* The whole of it, or sector by sector as it comes. */
static void apply(struct disk_file *f, const struct op *op, bool is_torn)
{
	if (op->size < 0) {
		cut_to(f, (size_t)op->offset);
		return;
	}
	for (size_t from = 0, size; from < (size_t)op->size; from += size) {
		size = SECTOR - ((size_t)op->offset + from) % SECTOR;
		if (size > (size_t)op->size - from)
			size = (size_t)op->size - from;
		if (!is_torn || choose(2))
			put(f, (size_t)op->offset + from, op->data + from, size);
	}
}

static void forget_ops(struct disk_file *f)
{
	while (f->first) {
		struct op *op = f->first;

		f->first = op->next;
		free(op);
	}
	f->last = &f->first;
}

static void sync_disk(struct disk_file *f)
{
	for (struct op *op = f->first; op; op = op->next)
		apply(f, op, false);
	forget_ops(f);
	f->is_kept = true;
}

static void lose_power(void)
{
	unsigned how = choose(4), among = 2 + choose(4);

	for (struct disk_file *f = disk; f < disk + FILES_MAX && f->name[0]; f++) {
		int fd;

		/* how 0: nothing more came; 1: all; 2: some writes; 3: some sectors */
		for (struct op *op = f->first; op && how; op = op->next)
			if (how == 1 || choose(among))
				apply(f, op, how == 3);
		if ((f->is_deleted && choose(2)) || (!f->is_kept && choose(2))) {
			unlink(f->name);
			continue;
		}
		fd = open(f->name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || write(fd, f->kept, f->size) != (ssize_t)f->size)
			abort();
		close(fd);
	}
	_exit(0);
}

static void count_op(void)
{
	if (is_recording && ops_left >= 0 && ops_left-- == 0)
		lose_power();
}

static struct disk_file *disk_of(const char *name)
{
	struct disk_file *f = disk;
	int fd;

	while (f->name[0] && strcmp(f->name, name) != 0)
		f++;
	f->is_deleted = false;
	if (f->name[0])
		return f;
	snprintf(f->name, sizeof f->name, "%s", name);
	f->kept = calloc(1, FILE_MAX);
	f->last = &f->first;
	fd = open(name, O_RDONLY);
	if (fd >= 0) {
		ssize_t size = read(fd, f->kept, FILE_MAX);

		f->size = size > 0 ? (size_t)size : 0;
		f->is_kept = true;
		close(fd);
	}
	return f;
}

/* --- the VFS ----------------------------------------------------------------------- */

struct file {
	sqlite3_file base;
	struct disk_file *disk;
};

static sqlite3_vfs recording, *under;

static sqlite3_file *real_of(sqlite3_file *f)
{
	return (sqlite3_file *)((struct file *)f + 1);
}

static void remember(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
	struct disk_file *f = ((struct file *)file)->disk;
	struct op *op;

	if (!f)
		return;
	op = malloc(sizeof *op + (size > 0 ? (size_t)size : 0));
	*op = (struct op){ .offset = offset, .size = size };
	if (size > 0)
		memcpy(op->data, data, (size_t)size);
	*f->last = op;
	f->last = &op->next;
	count_op();
}

static int on_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int on_read(sqlite3_file *file, void *out, int size, sqlite3_int64 offset)
{
	return real_of(file)->pMethods->xRead(real_of(file), out, size, offset);
}

static int on_write(sqlite3_file *file, const void *in, int size, sqlite3_int64 offset)
{
	remember(file, in, size, offset);
	return real_of(file)->pMethods->xWrite(real_of(file), in, size, offset);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	remember(file, NULL, -1, size);
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int on_sync(sqlite3_file *file, int flags)
{
	struct disk_file *f = ((struct file *)file)->disk;

	(void)flags;
	count_op();
	if (f)
		sync_disk(f);
	return SQLITE_OK;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int on_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int on_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int on_check_lock(sqlite3_file *file, int *out)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int on_control(sqlite3_file *file, int op, void *arg)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int on_sector_size(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int on_characteristics(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static const sqlite3_io_methods methods = {
	1,
	on_close,
	on_read,
	on_write,
	on_truncate,
	on_sync,
	on_size,
	on_lock,
	on_unlock,
	on_check_lock,
	on_control,
	on_sector_size,
	on_characteristics,
};

static int on_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
		   int *out_flags)
{
	struct file *f = (struct file *)file;
	int code;

	(void)vfs;
	f->base.pMethods = NULL;
	f->disk = is_recording && name ? disk_of(name) : NULL;
	code = under->xOpen(under, name, real_of(file), flags, out_flags);
	if (code == SQLITE_OK)
		f->base.pMethods = &methods;
	return code;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	(void)vfs;
	if (is_recording) {
		count_op();
		disk_of(name)->is_deleted = true;
	}
	return under->xDelete(under, name, sync_folder);
}

static void register_vfs(void)
{
	sqlite3_initialize();
	under = sqlite3_vfs_find(NULL);
	recording = *under;
	recording.zName = "recording";
	recording.pNext = NULL;
	recording.szOsFile = (int)sizeof(struct file) + under->szOsFile;
	recording.xOpen = on_open;
	recording.xDelete = on_delete;
	if (sqlite3_vfs_register(&recording, 1) != SQLITE_OK)
		abort();
}

/* --- the store --------------------------------------------------------------------- */

static const char *const migrations[] = {
	"CREATE TABLE said(n INTEGER PRIMARY KEY, body BLOB NOT NULL);"
	"CREATE TABLE total(id INTEGER PRIMARY KEY, n INTEGER NOT NULL);"
	"INSERT INTO total VALUES(1, 0);",
};
static const struct symmetric_key key = { "0123456789abcdef0123456789abcdef" };
static char folder[64], path[80];
static struct db_config config = { .path = path,
				   .migrations = migrations,
				   .migration_count = 1 };

/* What the process told the world before the power went. */
static struct told {
	int64_t committed;
	uint64_t commits;
} * told;

static int say(struct db *db, int64_t n)
{
	struct statement *s;
	int err = db_begin(db);

	s = db_sql(db, "INSERT INTO said VALUES(?1, zeroblob(?1 * 331 % 9000))");
	bind_int(s, 1, n);
	if (err >= 0)
		err = db_run(s);
	s = db_sql(db, "UPDATE total SET n = ?1");
	bind_int(s, 1, n);
	if (err >= 0)
		err = db_run(s);
	s = db_sql(db, "DELETE FROM said WHERE n = ?1 - 60");
	bind_int(s, 1, n);
	if (err >= 0)
		err = db_run(s);
	return err < 0 ? err : db_commit(db);
}

static void write_until_the_power_goes(int64_t from)
{
	struct db *db;
	char sql[128];

	snprintf(sql, sizeof sql, "PRAGMA wal_autocheckpoint=%u; PRAGMA cache_size=%u",
		 3 + choose(30), 4 + choose(60));
	ops_left = choose(700);
	is_recording = true;
	if (db_open(&db, &config, NULL, 0) < 0 || db_exec(db, sql) < 0)
		_exit(1);
	for (int64_t n = from; n < from + MESSAGES; n++) {
		if (say(db, n) < 0)
			_exit(2);
		told->committed = n;
		told->commits++;
	}
	db_close(db);
	ops_left = -1;
	lose_power();
}

static int64_t read_total(void)
{
	struct statement *s;
	struct db *db;
	int64_t n, expected;
	int err = db_open(&db, &config, NULL, 0);

	if (err < 0)
		return err;
	s = db_sql(db, "PRAGMA integrity_check");
	assert_int_equal(db_step(s), 1);
	assert_string_equal(column_text(s, 0), "ok");
	db_done(s);
	s = db_sql(db, "SELECT n FROM total");
	assert_int_equal(db_step(s), 1);
	n = column_int(s, 0);
	db_done(s);
	expected = n > 60 ? n - 59 : 1;
	s = db_sql(db, "SELECT n, length(body) FROM said ORDER BY n");
	while (db_step(s) == 1) {
		assert_int_equal(column_int(s, 0), expected);
		assert_int_equal(column_int(s, 1), expected * 331 % 9000);
		expected++;
	}
	db_done(s);
	assert_int_equal(expected, n + 1);
	db_close(db);
	return n;
}

static void remove_store(void)
{
	char log[96];

	snprintf(log, sizeof log, "%s-wal", path);
	unlink(path);
	unlink(log);
}

static void cut_power_often(unsigned rounds)
{
	int64_t known = 0, read;
	unsigned lost = 0;

	told->commits = 0;
	for (unsigned round = 1; round <= rounds; round++) {
		pid_t child;
		int status;

		if (round % 10 == 1) {
			remove_store();
			known = read_total();
			assert_int_equal(known, 0);
		}
		told->committed = known;
		child = fork();
		if (child == 0) {
			seed = round * 0x9e3779b97f4a7c15u;
			write_until_the_power_goes(known + 1);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		read = read_total();
		if (read > told->committed + 1 || read < 0 ||
		    (config.durable && read < told->committed))
			fail_msg("round %u: %lld, not %lld", round, (long long)read,
				 (long long)told->committed);
		lost += read < told->committed;
		known = read;
	}
	print_message("%u power cuts, %llu commits, %u times some were missing\n", rounds,
		      (unsigned long long)told->commits, lost);
	remove_store();
}

static void a_durable_commit_survives_every_power_cut_sealed(void **state)
{
	(void)state;
	config.key = &key;
	config.durable = true;
	cut_power_often(300);
}

static void a_durable_commit_survives_every_power_cut_plain(void **state)
{
	(void)state;
	config.key = NULL;
	config.durable = true;
	cut_power_often(100);
}

/* Whole transactions from the end may be missing, never the middle of something. */
static void without_durability_a_power_cut_leaves_a_beginning(void **state)
{
	(void)state;
	config.key = &key;
	config.durable = false;
	cut_power_often(200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_durable_commit_survives_every_power_cut_sealed),
		cmocka_unit_test(a_durable_commit_survives_every_power_cut_plain),
		cmocka_unit_test(without_durability_a_power_cut_leaves_a_beginning),
	};
	int failed;

	snprintf(folder, sizeof folder, "%s/palique-power-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (sodium_init() < 0 || !mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/store.db", folder);
	told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	if (told == MAP_FAILED)
		return 1;
	register_vfs(); /* before db_seal, which stacks itself upon the default */
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	remove_store();
	rmdir(folder);
	return failed;
}
