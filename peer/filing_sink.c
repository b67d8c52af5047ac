#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "peer/filing_inside.h"
#include "shared/error.h"

enum {
	/* A file's size: what is smaller is seen soon, from the page cache. */
	DIRECT_FROM = 16 << 20,
	/* At once: a message's commit waits for no more of it than that in the disk's queue. */
	DIRECT_PIECE = 512 << 10,
};

/* A file is stored as FOLDER/PART; a folder as FOLDER/PART/files, beside PART/manifest. What is stored
 * is always the beginning of the contents; the hash is over just that. */
struct filing_sink {
	int fd;     /* the file; a folder's "files" */
	int about;  /* a folder's manifest, or -1 */
	int direct; /* the file past the page cache, or -1 */
	bool is_folder;
	uint64_t size, done;
	uint32_t files, manifest_size;
	struct buf manifest;
	struct manifest entries; /* once the manifest is whole */
	bool has_entries;
	struct filing_hash hash;
	int open;    /* a folder's file that is being stored, or -1 */
	uint32_t at; /* ... which one; those before are there */
};

void filing_sink_free(struct filing_sink *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	if (s->about >= 0)
		close(s->about);
	if (s->open >= 0)
		close(s->open);
	if (s->direct >= 0)
		close(s->direct);
	buf_clear(&s->manifest);
	manifest_clear(&s->entries);
	free(s);
}

/* --- a folder's files --- */

static int take_manifest(struct filing_sink *s)
{
	int err = manifest_decode(&s->entries, buf_view(&s->manifest));

	if (err < 0)
		return ERR_FORMAT;
	if (s->entries.files != s->files || s->entries.size + s->manifest_size != s->size) {
		manifest_clear(&s->entries);
		return ERR_FORMAT;
	}
	s->has_entries = true;
	return 0;
}

static void close_entry(struct filing_sink *s)
{
	if (s->open >= 0)
		close(s->open);
	s->open = -1;
}

static int make_empty(struct filing_sink *s, const struct manifest_entry *e)
{
	int fd = filing_within(s->fd, e->path,
			       e->is_folder ? O_CREAT | O_DIRECTORY
					    : O_CREAT | O_WRONLY | O_TRUNC);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* It is as old as it was there: that tells, too, whether it was changed since (peer/filing_source.c). */
static int end_entry(struct filing_sink *s, const struct manifest_entry *e)
{
	const struct timespec then = { .tv_sec = (time_t)e->modified };
	int fd = s->open, err = 0;

	if (fd < 0)
		fd = filing_within(s->fd, e->path, O_WRONLY);
	if (fd < 0)
		return fd;
	if (futimens(fd, (const struct timespec[]){ then, then }) < 0)
		err = filing_error();
	if (s->open < 0)
		close(fd);
	close_entry(s);
	return err;
}

/* What is empty on the way is made. */
static int go_to(struct filing_sink *s, uint32_t index)
{
	int err;

	for (; s->at < index; s->at++) {
		const struct manifest_entry *e = &s->entries.list[s->at];

		err = e->size == 0 ? make_empty(s, e) : 0;
		if (err == 0 && !e->is_folder)
			err = end_entry(s, e);
		if (err < 0)
			return err;
	}
	return 0;
}

/* The first that may not be there, where so many bytes of the files are. */
static uint32_t first_at(const struct filing_sink *s, uint64_t at)
{
	uint32_t low = 0, high = s->entries.count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct manifest_entry *e = &s->entries.list[middle];

		if (e->at + e->size < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* --- a file --- */

static int store_directly(struct filing_sink *s, uint64_t at, struct bytes data)
{
	int err = 0;

	for (size_t done = 0; done < data.size && err == 0; done += DIRECT_PIECE) {
		size_t left = data.size - done;

		err = filing_pwrite(
			s->direct, at + done,
			bytes_of(data.data + done, left < DIRECT_PIECE ? left : DIRECT_PIECE));
	}
	return err;
}

/* What is large goes past the page cache: copying it there costs more than opening what was sealed, and
 * pushes out what others need. Where that is not possible, or fails, the usual way says why. */
static int store_file(struct filing_sink *s, uint64_t at, struct bytes data)
{
	size_t pages = data.size - data.size % FILING_PAGE;

	if (s->direct >= 0 && pages > 0 && at % FILING_PAGE == 0 &&
	    (uintptr_t)data.data % FILING_PAGE == 0) {
		if (store_directly(s, at, bytes_of(data.data, pages)) == 0) {
			at += pages;
			data = bytes_of(data.data + pages, data.size - pages);
		} else {
			close(s->direct);
			s->direct = -1;
		}
	}
	return filing_pwrite(s->fd, at, data);
}

/* As much as belongs into one file, or into the manifest: how much, or an error. */
static int64_t store_some(struct filing_sink *s, uint64_t at, struct bytes data)
{
	const struct manifest_entry *e;
	uint32_t index = s->at;
	int err;

	if (!s->is_folder) {
		err = store_file(s, at, data);
		return err < 0 ? err : (int64_t)data.size;
	}
	if (at < s->manifest_size) {
		if (data.size > s->manifest_size - at)
			data.size = s->manifest_size - (size_t)at;
		err = filing_pwrite(s->about, at, data);
		if (err == 0)
			err = buf_append(&s->manifest, data);
		if (err == 0 && s->manifest.size == s->manifest_size)
			err = take_manifest(s);
		return err < 0 ? err : (int64_t)data.size;
	}
	at -= s->manifest_size;
	while (s->entries.list[index].at + s->entries.list[index].size <= at)
		index++;
	err = go_to(s, index);
	e = &s->entries.list[index];
	if (err == 0 && s->open < 0)
		s->open = filing_within(s->fd, e->path,
					O_CREAT | O_RDWR | (at == e->at ? O_TRUNC : 0));
	if (s->open < 0)
		err = s->open;
	if (data.size > e->size - (at - e->at))
		data.size = (size_t)(e->size - (at - e->at));
	if (err == 0)
		err = filing_pwrite(s->open, at - e->at, data);
	return err < 0 ? err : (int64_t)data.size;
}

static int store_all(struct filing_sink *s, struct bytes data)
{
	uint64_t at = s->done;

	while (data.size > 0) {
		int64_t count = store_some(s, at, data);

		if (count < 0)
			return (int)count;
		at += (uint64_t)count;
		data = bytes_of(data.data + count, data.size - (size_t)count);
	}
	return 0;
}

int filing_write(struct filing_work *w)
{
	struct filing_sink *s = w->sink;
	size_t manifest = s->manifest.size;
	int err = ERR_FORMAT;

	if (w->data.size <= s->size - s->done)
		err = store_all(s, buf_view(&w->data));
	if (err == 0) {
		if (!w->sharers)
			filing_hash_add(&s->hash, buf_view(&w->data));
		s->done += w->data.size;
	} else if (s->manifest.size > manifest) {
		s->manifest.size = manifest;
		manifest_clear(&s->entries);
		s->has_entries = false;
		close_entry(s);
		s->at = 0;
	}
	w->done = s->done;
	return err;
}

struct filing_hash *filing_sink_hash(struct filing_sink *s)
{
	return &s->hash;
}

/* --- beginning, or going on --- */

/* What is asked for, and something for everybody else. */
static int check_space(int folder, uint64_t wanted)
{
	struct statvfs v;
	uint64_t reserve;

	if (fstatvfs(folder, &v) < 0)
		return filing_error();
	reserve = (uint64_t)v.f_blocks * v.f_frsize / 20;
	if (reserve > FILING_RESERVE)
		reserve = FILING_RESERVE;
	return (uint64_t)v.f_bavail * v.f_frsize < wanted + reserve ? ERR_FULL : 0;
}

/* Cut to what is known to be right; what is less there is less. */
static int cut_to(int fd, uint64_t *done)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return filing_error();
	if (!S_ISREG(st.st_mode))
		return ERR_REFUSED;
	if ((uint64_t)st.st_size < *done)
		*done = (uint64_t)st.st_size;
	return ftruncate(fd, (off_t)*done) < 0 ? filing_error() : 0;
}

static int begin_file(struct filing_sink *s, int folder, const char *part)
{
	s->fd = filing_within(folder, part, O_CREAT | O_RDWR);
	if (s->fd < 0)
		return s->fd;
	if (s->size >= DIRECT_FROM)
		s->direct = filing_within(folder, part, O_WRONLY | O_DIRECT);
	return cut_to(s->fd, &s->done);
}

static int read_manifest(struct filing_sink *s, uint64_t size)
{
	uint8_t *room = buf_room(&s->manifest, (size_t)size);
	int err = filing_pread(s->about, 0, room, (size_t)size);

	if (err < 0)
		return err;
	buf_grew(&s->manifest, (size_t)size);
	return size == s->manifest_size ? take_manifest(s) : 0;
}

static int begin_folder(struct filing_sink *s, int folder, const char *part)
{
	int at = filing_within(folder, part, O_CREAT | O_DIRECTORY), err;
	uint64_t said = s->done < s->manifest_size ? s->done : s->manifest_size, there = said;

	if (at < 0)
		return at;
	s->fd = filing_within(at, "files", O_CREAT | O_DIRECTORY);
	s->about = filing_within(at, "manifest", O_CREAT | O_RDWR);
	close(at);
	if (s->fd < 0 || s->about < 0)
		return s->fd < 0 ? s->fd : s->about;
	err = cut_to(s->about, &there);
	if (err == 0 && there < said)
		s->done = there;
	if (err == 0 && there > 0)
		err = read_manifest(s, there);
	if (err == 0 && s->has_entries)
		s->at = first_at(s, s->done - s->manifest_size);
	return err;
}

int filing_begin(struct filing_work *w)
{
	struct filing_sink *s = memory_new(sizeof *s);
	int folder = filing_folder(w->folder, true), err;

	s->fd = s->about = s->open = s->direct = -1;
	s->is_folder = w->is_folder;
	s->size = w->size;
	s->files = w->files;
	s->manifest_size = w->manifest_size;
	s->done = w->done;
	buf_init(&s->manifest, w->manifest_size);
	filing_hash_begin(&s->hash, w->size);
	err = folder;
	if (folder >= 0)
		err = check_space(folder, w->size - w->done);
	if (err == 0)
		err = s->is_folder ? begin_folder(s, folder, w->part)
				   : begin_file(s, folder, w->part);
	if (folder >= 0)
		close(folder);
	w->done = s->done;
	w->offset = 0;
	if (err < 0) {
		filing_sink_free(s);
		return err;
	}
	w->sink = s;
	return 0;
}

/* --- reading again --- */

static int64_t read_some(struct filing_sink *s, uint64_t at, uint8_t *out, size_t size)
{
	const struct manifest_entry *e;
	uint32_t index;
	int fd = s->fd, err;

	if (s->is_folder && at < s->manifest_size) {
		if (size > s->manifest_size - at)
			size = s->manifest_size - (size_t)at;
		memcpy(out, s->manifest.data + at, size);
		return (int64_t)size;
	}
	if (s->is_folder) {
		at -= s->manifest_size;
		index = first_at(s, at + 1);
		e = &s->entries.list[index];
		if (size > e->size - (at - e->at))
			size = (size_t)(e->size - (at - e->at));
		at -= e->at;
		fd = filing_within(s->fd, e->path, O_RDONLY);
	}
	if (fd < 0)
		return fd == ERR_NOT_FOUND ? ERR_CORRUPT : fd;
	err = filing_pread(fd, at, out, size);
	if (s->is_folder)
		close(fd);
	return err < 0 ? err : (int64_t)size;
}

/* What cannot be read is to be fetched again, with all behind it. */
int filing_check(struct filing_work *w)
{
	struct filing_sink *s = w->sink;
	uint64_t end = s->done - s->hash.at > FILING_SLICE ? s->hash.at + FILING_SLICE
							   : s->done;
	struct buf room = { 0 };
	int64_t got = 0;

	filing_room(&room, FILING_BATCH);
	while (s->hash.at < end && got >= 0) {
		uint64_t left = end - s->hash.at;

		got = read_some(s, s->hash.at, room.data,
				left < FILING_BATCH ? (size_t)left : FILING_BATCH);
		if (got >= 0)
			filing_hash_add(&s->hash, bytes_of(room.data, (size_t)got));
	}
	filing_room_free(&room);
	if (got == ERR_CORRUPT) {
		s->done = s->hash.at;
		s->at = s->has_entries && s->done >= s->manifest_size
				? first_at(s, s->done - s->manifest_size)
				: 0;
		got = 0;
	}
	w->offset = s->hash.at;
	w->done = s->done;
	return got < 0 ? (int)got : 0;
}

/* --- the end --- */

int filing_sync(struct filing_work *w)
{
	struct filing_sink *s = w->sink;

	w->done = s->done;
	return (s->is_folder ? syncfs(s->fd) : fdatasync(s->fd)) < 0 ? filing_error() : 0;
}

int filing_finish(struct filing_work *w)
{
	struct filing_sink *s = w->sink;
	int err = s->done == s->size && s->hash.at == s->size ? 0 : ERR_STATE;

	if (err == 0 && s->is_folder)
		err = s->has_entries ? go_to(s, s->entries.count) : ERR_FORMAT;
	if (err == 0)
		err = filing_sync(w);
	if (err == 0)
		err = filing_choose(w);
	if (err < 0)
		return err;
	filing_hash_end(&s->hash, w->hash);
	buf_clear(&w->manifest);
	w->manifest = s->manifest;
	s->manifest = (struct buf){ 0 };
	filing_sink_free(s);
	w->sink = NULL;
	return 0;
}
