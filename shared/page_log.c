#include "shared/page_log.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A log being walked as SQLite's recovery walks it (walIndexRecover in its wal.c). */
struct walk {
	const struct page_keys *keys;
	int fd;
	off_t at;
	uint8_t header[PAGE_LOG_HEADER];
	uint8_t frame[PAGE_FRAME];
	uint32_t sum[2];
	bool is_sealed;  /* the frame opens */
	bool is_current; /* it is of this log, not left over from an older one */
	bool is_whole;   /* neither the header nor a frame so far was bad */
};

/* https://sqlite.org/fileformat2.html#walcksm */
static void add_checksum(struct walk *w, const uint8_t *b, size_t size)
{
	bool is_big = w->header[3] & 1;

	for (size_t i = 0; i < size; i += 8) {
		uint32_t x = page_be32(b + i), y = page_be32(b + i + 4);

		w->sum[0] += (is_big ? x : __builtin_bswap32(x)) + w->sum[1];
		w->sum[1] += (is_big ? y : __builtin_bswap32(y)) + w->sum[0];
	}
}

static bool checksum_is(const struct walk *w, const uint8_t *b)
{
	return page_be32(b) == w->sum[0] && page_be32(b + 4) == w->sum[1];
}

static bool walk_begin(struct walk *w, const char *path)
{
	size_t room = strlen(path) + 5;
	char *log = memory_new(room);
	uint8_t salts[PAGE_SALTS_SIZE], ad[PAGE_AD_MAX];

	snprintf(log, room, "%s-wal", path);
	w->fd = open(log, O_RDONLY | O_CLOEXEC);
	free(log);
	if (w->fd < 0 || pread(w->fd, w->header, PAGE_LOG_HEADER, 0) != PAGE_LOG_HEADER)
		return false;
	w->at = PAGE_LOG_HEADER;
	add_checksum(w, w->header, PAGE_LOG_HEADER - 8);
	w->is_whole = checksum_is(w, w->header + PAGE_LOG_HEADER - 8);
	/* Where the header is bad, the first frame tells which log this was. */
	if (!w->is_whole && pread(w->fd, w->frame, PAGE_FRAME, w->at) == PAGE_FRAME) {
		memcpy(salts, w->frame + PAGE_SALTS, sizeof salts);
		if (page_open(w->keys, w->frame + PAGE_FRAME_HEADER,
			      page_frame_ad(ad, w->frame)))
			memcpy(w->header + PAGE_LOG_SALTS, salts, sizeof salts);
	}
	return true;
}

static bool walk_next(struct walk *w)
{
	uint8_t ad[PAGE_AD_MAX];

	if (pread(w->fd, w->frame, PAGE_FRAME, w->at) != PAGE_FRAME)
		return false;
	/* The salts of an older log differ in both halves; one flipped bit, in one. */
	w->is_current = memcmp(w->frame + PAGE_SALTS, w->header + PAGE_LOG_SALTS, 4) == 0 ||
			memcmp(w->frame + PAGE_SALTS + 4, w->header + PAGE_LOG_SALTS + 4, 4) ==
				0;
	w->is_sealed = page_open(w->keys, w->frame + PAGE_FRAME_HEADER,
				 page_frame_ad(ad, w->frame));
	page_cipher_checksum(w->keys, w->frame, w->at, true);
	w->at += PAGE_FRAME;
	w->is_whole = w->is_whole && w->is_current && w->is_sealed;
	if (w->is_whole) {
		add_checksum(w, w->frame, 8);
		add_checksum(w, w->frame + PAGE_FRAME_HEADER, PAGE_BYTES);
	}
	w->is_whole = w->is_whole && checksum_is(w, w->frame + PAGE_FRAME_BOUND);
	return true;
}

void page_log_look(struct page_log *out, const struct page_keys *k, const char *path)
{
	struct walk *w = memory_new(sizeof *w);
	bool first_is_written = false;

	*out = (struct page_log){ 0 };
	w->keys = k;
	if (!walk_begin(w, path))
		goto out;
	out->is_headless = !w->is_whole;
	while (walk_next(w)) {
		bool is_commit = page_be32(w->frame + 4) != 0;

		out->is_ours = out->is_ours || w->is_sealed;
		first_is_written = first_is_written ||
				   (w->is_whole && page_be32(w->frame) == 1);
		if (w->is_whole && is_commit)
			out->has_first = first_is_written;
		else if (w->is_current && is_commit)
			out->commits_lost++;
	}
out:
	if (w->fd >= 0)
		close(w->fd);
	sodium_memzero(w, sizeof *w);
	free(w);
}
