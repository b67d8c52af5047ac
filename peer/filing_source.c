#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/filing_inside.h"
#include "shared/error.h"

struct filing_source {
	int fd; /* the file or the folder */
	bool is_folder;
	uint64_t size, modified;
	struct buf manifest;
	struct manifest entries;
	struct filing_hash hash;
	int open;    /* a folder's file that is being read, or -1 */
	uint32_t at; /* ... which one */
};

void filing_source_free(struct filing_source *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	if (s->open >= 0)
		close(s->open);
	buf_clear(&s->manifest);
	manifest_clear(&s->entries);
	free(s);
}

uint64_t filing_source_hashed(const struct filing_source *s)
{
	return s->hash.at;
}

/* Whether it is what was offered still. */
static int check_file(int fd, uint64_t size, uint64_t modified)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return filing_error();
	return S_ISREG(st.st_mode) && (uint64_t)st.st_size == size &&
			       filing_modified(&st) == modified
		       ? 0
		       : ERR_CORRUPT;
}

/* The same of one of a folder's, of which whole seconds are known, and when it was looked at. */
static int check_entry(int fd, const struct manifest_entry *e, uint64_t looked)
{
	const uint64_t second = 1000000000u;
	struct stat st;
	uint64_t modified;

	if (fstat(fd, &st) < 0)
		return filing_error();
	modified = filing_modified(&st);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != e->size ||
	    modified / second != e->modified)
		return ERR_CORRUPT;
	return e->modified == looked / second && modified > looked ? ERR_CORRUPT : 0;
}

/* Which of the folder's files holds this byte. */
static uint32_t entry_at(const struct manifest *m, uint64_t at)
{
	uint32_t low = 0, high = m->count;

	while (low + 1 < high) {
		uint32_t middle = low + (high - low) / 2;

		if (m->list[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	/* Of several that begin there the last one is not empty, unless all is over. */
	return low;
}

static int open_entry(struct filing_source *s, uint32_t index)
{
	const struct manifest_entry *e = &s->entries.list[index];

	if (s->open >= 0 && s->at == index)
		return 0;
	if (s->open >= 0)
		close(s->open);
	s->open = filing_within(s->fd, e->path, O_RDONLY);
	s->at = index;
	if (s->open >= 0)
		return 0;
	s->open = -1;
	return ERR_CORRUPT; /* gone, or something else: not what was offered */
}

/* Who fetches it hears at the beginning that a file of it is another one now, not in the middle. */
static int check_entries(struct filing_source *s)
{
	int err = 0;

	for (uint32_t i = 0; i < s->entries.count && err == 0; i++) {
		if (s->entries.list[i].is_folder)
			continue;
		err = open_entry(s, i);
		if (err == 0)
			err = check_entry(s->open, &s->entries.list[i], s->modified);
	}
	return err;
}

int filing_open(struct filing_work *w)
{
	struct filing_source *s = memory_new(sizeof *s);
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, err = 0;

	s->open = -1;
	s->is_folder = w->is_folder;
	s->size = w->size;
	s->modified = w->modified;
	filing_hash_begin(&s->hash, w->size);
	s->fd = open(w->path, flags | (w->is_folder ? O_DIRECTORY : 0));
	if (s->fd < 0)
		err = filing_error();
	else if (!s->is_folder)
		err = check_file(s->fd, s->size, s->modified);
	if (err == 0 && s->is_folder) {
		s->manifest = w->manifest;
		w->manifest = (struct buf){ 0 };
		err = (w->is_safe ? manifest_decode
				  : manifest_decode_own)(&s->entries, buf_view(&s->manifest));
		if (err < 0 || s->entries.size + s->manifest.size != s->size)
			err = ERR_CORRUPT;
		else
			err = check_entries(s);
	}
	if (err < 0) {
		filing_source_free(s);
		return err;
	}
	w->source = s;
	return 0;
}

/* As much of it as lies in one piece; how much, or an error. */
static int64_t read_some(struct filing_source *s, uint64_t at, uint8_t *out, size_t size)
{
	const struct manifest_entry *e;
	uint64_t within;
	uint32_t index;
	int err;

	if (!s->is_folder) {
		err = filing_pread(s->fd, at, out, size);
		return err < 0 ? err : (int64_t)size;
	}
	if (at < s->manifest.size) {
		if (size > s->manifest.size - at)
			size = s->manifest.size - (size_t)at;
		memcpy(out, s->manifest.data + at, size);
		return (int64_t)size;
	}
	at -= s->manifest.size;
	index = entry_at(&s->entries, at);
	e = &s->entries.list[index];
	within = at - e->at;
	if (size > e->size - within)
		size = (size_t)(e->size - within);
	err = open_entry(s, index);
	if (err == 0)
		err = check_entry(s->open, e, s->modified);
	if (err == 0)
		err = filing_pread(s->open, within, out, size);
	return err < 0 ? err : (int64_t)size;
}

static int read_all(struct filing_source *s, uint64_t at, uint8_t *out, size_t size)
{
	while (size > 0) {
		int64_t got = read_some(s, at, out, size);

		if (got < 0)
			return (int)got;
		out += got;
		at += (uint64_t)got;
		size -= (size_t)got;
	}
	return 0;
}

/* What is not in the hash yet, if it goes on where that is. */
static void hash_more(struct filing_source *s, uint64_t at, struct bytes data)
{
	uint64_t skip;

	if (at > s->hash.at || at + data.size <= s->hash.at)
		return;
	skip = s->hash.at - at;
	filing_hash_add(&s->hash, bytes_of(data.data + skip, data.size - (size_t)skip));
}

static void end_hash(struct filing_work *w)
{
	struct filing_hash end = w->source->hash;

	w->has_hash = end.at == w->source->size;
	if (w->has_hash)
		filing_hash_end(&end, w->hash);
}

int filing_read(struct filing_work *w)
{
	struct filing_source *s = w->source;
	int err = 0;

	if (w->offset > s->size || w->size > s->size - w->offset)
		return ERR_FORMAT;
	filing_room(&w->data, (size_t)w->size);
	if (w->size > 0)
		err = read_all(s, w->offset, w->data.data, (size_t)w->size);
	if (err == 0 && !s->is_folder)
		err = check_file(s->fd, s->size, s->modified);
	if (err < 0)
		return err;
	buf_grew(&w->data, (size_t)w->size);
	hash_more(s, w->offset, buf_view(&w->data));
	end_hash(w);
	return 0;
}

int filing_hash(struct filing_work *w)
{
	struct filing_source *s = w->source;
	uint64_t end = w->offset < s->size ? w->offset : s->size;
	struct buf room = { 0 };
	int err = 0;

	filing_room(&room, FILING_BATCH);
	if (end > s->hash.at + FILING_SLICE)
		end = s->hash.at + FILING_SLICE;
	while (err == 0 && s->hash.at < end) {
		uint64_t at = s->hash.at;
		size_t size = end - at < FILING_BATCH ? (size_t)(end - at) : FILING_BATCH;

		err = read_all(s, at, room.data, size);
		if (err == 0)
			hash_more(s, at, bytes_of(room.data, size));
	}
	filing_room_free(&room);
	end_hash(w);
	return err;
}
