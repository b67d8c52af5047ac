#include "tests/bad_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/bytes.h"
#include "tests/world/disk.h"

enum { SECTOR = 512, FOLDER_SIZE = 256, NAME_SIZE = 64 };

/* A write since the last sync: what was there, and what came. */
struct change {
	struct change *older, *newer;
	sqlite3_int64 offset, size_before; /* of the file */
	size_t old_size, size;             /* size 0: the file was cut to `offset` */
	uint8_t *old, *data;
};

struct spoilt_file {
	struct spoilt_file *next;
	char name[NAME_SIZE]; /* within its folder */
	bool is_kept;         /* its name outlives a power cut */
	struct change *oldest, *newest;
};

struct spoilt_disk {
	struct spoilt_disk *next;
	char folder[FOLDER_SIZE];
	struct spoilt_file *files;
	struct bad_disk_plan plan;
	uint64_t seen, struck;
	bool is_dead;
};

static struct spoilt_disk *disks;
static sqlite3_vfs spoilt, *under;

static uint32_t choose(uint64_t *seed, uint32_t bound)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)(*seed >> 20) % bound;
}

/* --- disks and files --- */

static struct spoilt_disk *disk_of(const char *folder)
{
	struct spoilt_disk *d = disks;

	while (d && strcmp(d->folder, folder) != 0)
		d = d->next;
	if (d)
		return d;
	d = memory_new(sizeof *d);
	if (snprintf(d->folder, sizeof d->folder, "%s", folder) >= (int)sizeof d->folder)
		abort();
	d->next = disks;
	disks = d;
	return d;
}

static struct spoilt_file *file_of(struct spoilt_disk *d, const char *name)
{
	struct spoilt_file *f = d->files;

	while (f && strcmp(f->name, name) != 0)
		f = f->next;
	if (f)
		return f;
	f = memory_new(sizeof *f);
	if (snprintf(f->name, sizeof f->name, "%s", name) >= (int)sizeof f->name)
		abort();
	f->next = d->files;
	d->files = f;
	return f;
}

static void forget_changes(struct spoilt_file *f)
{
	while (f->newest) {
		struct change *c = f->newest;

		f->newest = c->older;
		free(c->old);
		free(c->data);
		free(c);
	}
	f->oldest = NULL;
}

void bad_disk_forget(const char *folder)
{
	struct spoilt_disk **at = &disks, *d;

	while (*at && strcmp((*at)->folder, folder) != 0)
		at = &(*at)->next;
	d = *at;
	if (!d)
		return;
	*at = d->next;
	while (d->files) {
		struct spoilt_file *f = d->files;

		d->files = f->next;
		forget_changes(f);
		free(f);
	}
	free(d);
}

void bad_disk_plan(const char *folder, const struct bad_disk_plan *plan)
{
	struct spoilt_disk *d = disk_of(folder);

	d->plan = *plan;
	d->seen = d->struck = 0;
}

uint64_t bad_disk_seen(const char *folder)
{
	return disk_of(folder)->seen;
}

uint64_t bad_disk_struck(const char *folder)
{
	return disk_of(folder)->struck;
}

void bad_disk_read_often(bool often)
{
	sqlite3_soft_heap_limit64(often ? 1 : 0);
}

/* --- the power cut --- */

static uint8_t *contents_of(const char *path, size_t *size, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat about;
	uint8_t *all;

	if (fd < 0 || fstat(fd, &about) < 0)
		abort();
	*size = (size_t)about.st_size;
	all = memory_new((*size > room ? *size : room) + 1);
	if (read(fd, all, *size) != (ssize_t)*size)
		abort();
	close(fd);
	return all;
}

static void write_contents(const char *path, const uint8_t *all, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, all, size) != (ssize_t)size)
		abort();
	close(fd);
}

/* How far the file ever reached. */
static size_t reach_of(const struct spoilt_file *f)
{
	size_t most = 0;

	for (const struct change *c = f->oldest; c; c = c->newer) {
		size_t end = (size_t)c->offset + c->size;

		most = (size_t)c->size_before > most ? (size_t)c->size_before : most;
		most = end > most ? end : most;
	}
	return most;
}

static void undo(const struct change *c, uint8_t *all, size_t *size)
{
	memcpy(all + c->offset, c->old, c->old_size);
	*size = (size_t)c->size_before;
}

static void do_again(const struct change *c, uint8_t *all, size_t *size, uint64_t *torn)
{
	if (c->size == 0) {
		*size = (size_t)c->offset;
		return;
	}
	for (size_t from = 0, part; from < c->size; from += part) {
		part = SECTOR - ((size_t)c->offset + from) % SECTOR;
		part = part > c->size - from ? c->size - from : part;
		if (torn && !choose(torn, 2))
			continue;
		/* What was never written between is zeros. */
		if ((size_t)c->offset + from > *size)
			memset(all + *size, 0, (size_t)c->offset + from - *size);
		memcpy(all + c->offset + from, c->data + from, part);
		if ((size_t)c->offset + from + part > *size)
			*size = (size_t)c->offset + from + part;
	}
}

/* how 0: nothing more came; 1: all; 2: some writes; 3: some sectors. */
static void lose_some(const struct spoilt_file *f, unsigned how, uint64_t *seed, uint8_t *all,
		      size_t *size)
{
	unsigned among = 2 + choose(seed, 4);

	for (const struct change *c = f->newest; c && how != 1; c = c->older)
		undo(c, all, size);
	for (const struct change *c = f->oldest; c && how > 1; c = c->newer)
		if (choose(seed, among))
			do_again(c, all, size, how == 3 ? seed : NULL);
}

static void lose_power(const struct spoilt_disk *d, const char *to, uint64_t seed)
{
	DIR *dir = opendir(d->folder);
	unsigned how;

	if (mkdir(to, 0700) < 0 || !dir)
		abort();
	seed = seed * 0x9e3779b97f4a7c15u + 0x50a1;
	how = choose(&seed, 4);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		const struct spoilt_file *f = d->files;
		char from[FOLDER_SIZE * 3], kept[FOLDER_SIZE * 3];
		uint8_t *all;
		size_t size;

		while (f && strcmp(f->name, entry->d_name) != 0)
			f = f->next;
		snprintf(from, sizeof from, "%s/%s", d->folder, entry->d_name);
		snprintf(kept, sizeof kept, "%s/%s", to, entry->d_name);
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			disk_copy(from, kept);
		if (entry->d_type != DT_REG)
			continue;
		if (f && !f->is_kept && choose(&seed, 2))
			continue;
		all = contents_of(from, &size, f ? reach_of(f) : 0);
		if (f)
			lose_some(f, how, &seed, all, &size);
		write_contents(kept, all, size);
		free(all);
	}
	closedir(dir);
}

void bad_disk_lose_power(const char *from, const char *to, uint64_t seed)
{
	struct spoilt_disk *d = disk_of(from);

	lose_power(d, to, seed);
	d->is_dead = true;
}

/* What becomes of this operation. */
static enum bad_disk_fault strike(struct spoilt_disk *d, unsigned operation)
{
	struct bad_disk_plan *p = &d->plan;
	uint64_t at;

	if (d->is_dead)
		return operation & (BAD_DISK_WRITES | BAD_DISK_SYNCS) ? BAD_DISK_FAILS
								      : BAD_DISK_WELL;
	if (!(p->operations & operation))
		return BAD_DISK_WELL;
	at = d->seen++;
	if (p->fault == BAD_DISK_WELL || at < p->after ||
	    (p->count && at >= p->after + p->count))
		return BAD_DISK_WELL;
	d->struck++;
	if (p->fault != BAD_DISK_POWER)
		return p->fault;
	bad_disk_lose_power(d->folder, p->image, p->seed);
	return BAD_DISK_FAILS;
}

/* --- the VFS --- */

struct file {
	sqlite3_file base;
	struct spoilt_disk *disk; /* NULL: a file without a name */
	struct spoilt_file *file;
};

static sqlite3_file *real_of(sqlite3_file *f)
{
	return (sqlite3_file *)((struct file *)f + 1);
}

static void remember(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
	struct spoilt_file *f = ((struct file *)file)->file;
	sqlite3_file *real = real_of(file);
	struct change *c = memory_new(sizeof *c);
	sqlite3_int64 end;

	if (real->pMethods->xFileSize(real, &c->size_before) != SQLITE_OK)
		abort();
	c->offset = offset;
	c->size = (size_t)size;
	end = size > 0 && offset + size < c->size_before ? offset + size : c->size_before;
	c->old_size = end > offset ? (size_t)(end - offset) : 0;
	c->old = memory_new(c->old_size + 1);
	c->data = memory_new(c->size + 1);
	if (c->old_size > 0 &&
	    real->pMethods->xRead(real, c->old, (int)c->old_size, offset) != SQLITE_OK)
		abort();
	if (size > 0)
		memcpy(c->data, data, c->size);
	c->older = f->newest;
	*(f->newest ? &f->newest->newer : &f->oldest) = c;
	f->newest = c;
}

static int on_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int on_read(sqlite3_file *file, void *out, int size, sqlite3_int64 offset)
{
	struct file *f = (struct file *)file;

	if (f->disk && strike(f->disk, BAD_DISK_READS) != BAD_DISK_WELL)
		return SQLITE_IOERR_READ;
	return real_of(file)->pMethods->xRead(real_of(file), out, size, offset);
}

static int on_write(sqlite3_file *file, const void *in, int size, sqlite3_int64 offset)
{
	struct file *f = (struct file *)file;
	enum bad_disk_fault fault = f->disk ? strike(f->disk, BAD_DISK_WRITES) : BAD_DISK_WELL;
	int code;

	if (fault == BAD_DISK_FAILS)
		return SQLITE_IOERR_WRITE;
	if (fault == BAD_DISK_FULL)
		size /= 2;
	if (f->disk && size > 0)
		remember(file, in, size, offset);
	code = real_of(file)->pMethods->xWrite(real_of(file), in, size, offset);
	return fault == BAD_DISK_FULL ? SQLITE_FULL : code;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct file *f = (struct file *)file;

	if (f->disk && strike(f->disk, BAD_DISK_WRITES) != BAD_DISK_WELL)
		return SQLITE_IOERR_TRUNCATE;
	if (f->disk)
		remember(file, NULL, 0, size);
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int on_sync(sqlite3_file *file, int flags)
{
	struct file *f = (struct file *)file;

	(void)flags; /* nothing waits for the real disk */
	if (!f->disk)
		return SQLITE_OK;
	if (strike(f->disk, BAD_DISK_SYNCS) != BAD_DISK_WELL)
		return SQLITE_IOERR_FSYNC;
	forget_changes(f->file);
	f->file->is_kept = true;
	return SQLITE_OK;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int on_lock(sqlite3_file *file, int level)
{
	struct file *f = (struct file *)file;

	if (f->disk && strike(f->disk, BAD_DISK_LOCKS) != BAD_DISK_WELL)
		return SQLITE_BUSY;
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
	/* Room made by the system in advance, or a map, would be writes unseen. */
	if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE)
		return SQLITE_OK;
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

static int on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
	return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int on_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	struct file *f = (struct file *)file;

	if (!(flags & SQLITE_SHM_UNLOCK) && f->disk &&
	    strike(f->disk, BAD_DISK_LOCKS) != BAD_DISK_WELL)
		return SQLITE_BUSY;
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int on_shm_unmap(sqlite3_file *file, int remove)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

/* Without memory maps of the database itself. */
static const sqlite3_io_methods methods = {
	2,
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
	on_shm_map,
	on_shm_lock,
	on_shm_barrier,
	on_shm_unmap,
};

static void find_place(struct file *f, const char *name)
{
	const char *slash = name ? strrchr(name, '/') : NULL;
	char folder[FOLDER_SIZE];

	f->disk = NULL;
	f->file = NULL;
	if (!slash)
		return;
	if (snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name) >=
	    (int)sizeof folder)
		abort();
	f->disk = disk_of(folder);
	f->file = file_of(f->disk, slash + 1);
}

static int on_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
		   int *out_flags)
{
	struct file *f = (struct file *)file;
	bool was_there = name && access(name, F_OK) == 0;
	int code;

	(void)vfs;
	f->base.pMethods = NULL;
	code = under->xOpen(under, name, real_of(file), flags, out_flags);
	if (code != SQLITE_OK)
		return code;
	find_place(f, name);
	f->base.pMethods = &methods;
	if (f->file && was_there && !f->file->oldest)
		f->file->is_kept = true;
	return code;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	const char *slash = strrchr(name, '/');
	char folder[FOLDER_SIZE];

	(void)vfs;
	if (slash && slash - name < FOLDER_SIZE) {
		struct spoilt_disk *d;

		snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name);
		d = disk_of(folder);
		if (strike(d, BAD_DISK_WRITES) != BAD_DISK_WELL)
			return SQLITE_IOERR_DELETE;
		forget_changes(file_of(d, slash + 1));
		file_of(d, slash + 1)->is_kept = false;
	}
	return under->xDelete(under, name, sync_folder);
}

void bad_disk_begin(void)
{
	if (under)
		return;
	if (sqlite3_initialize() != SQLITE_OK)
		abort();
	under = sqlite3_vfs_find(NULL);
	spoilt = *under;
	spoilt.zName = "spoilt";
	spoilt.pNext = NULL;
	spoilt.szOsFile = (int)sizeof(struct file) + under->szOsFile;
	spoilt.xOpen = on_open;
	spoilt.xDelete = on_delete;
	if (sqlite3_vfs_register(&spoilt, 1) != SQLITE_OK)
		abort();
}

uint64_t bad_disk_stride(void)
{
	const char *text = getenv("PALIQUE_FAULT_STRIDE");
	int stride = text ? atoi(text) : 1;

	return stride > 0 ? (uint64_t)stride : 1;
}
