/* What the worker does for files, blocking: looks at what is to be offered, reads and hashes what
 * others fetch, stores and hashes what is fetched, and puts it in its place: under a safe name, over
 * nothing, inside of its folder. Everything it holds open travels with the work; nobody else touches
 * that meanwhile. */
#ifndef PALIQUE_PEER_FILING_H
#define PALIQUE_PEER_FILING_H

#include "peer/filing_name.h"
#include "shared/bytes.h"
#include "shared/offer.h"
#include "shared/wire.h"

struct job;
struct filing_source; /* what others fetch, open (peer/filing_source.c) */
struct filing_sink;   /* what is fetched, open (peer/filing_sink.c) */
struct filing_hash;

enum {
	FILING_HEAD = 64,        /* first bytes that tell the kind */
	FILING_SLICE = 64 << 20, /* hashed at once at most: one slice of work */
	/* Read or stored at once at best, from a multiple of it to the next: it costs half of what pieces cost
	 * one by one. */
	FILING_BATCH = 4 * WIRE_FILE_PIECE,
	FILING_NAMES_MAX = 9999,      /* "name (9999)" is tried last */
	FILING_SEALED_MAX = 32 << 20, /* a manifest */
};
#define FILING_RESERVE ((uint64_t)64 << 20) /* that stays free on a disk */

enum filing_task {
	/* `path` of a file or folder, which becomes the real one: size, is_folder, files, manifest, links, others (of
	 * a folder), modified, head, name. ERR_NOT_FOUND, ERR_REFUSED; of a folder, with `where` in it: ERR_FORMAT
	 * (not UTF-8), ERR_LIMIT, and ERR_EXISTS (two names would be one elsewhere). */
	FILING_LOOK,
	/* `path` as it was looked at, with size, is_folder, is_safe, manifest, modified: source.
	 * ERR_CORRUPT: it is another one now, also a file of the folder; ERR_NOT_FOUND. */
	FILING_OPEN,
	/* source: `data` (which may have a filing_room()) gets `size` bytes from `offset` on; hashed if that goes
	 * on where the hash is. ERR_CORRUPT: it has changed; ERR_IO. */
	FILING_READ,
	/* source: hashed up to `offset`, a slice at once. */
	FILING_HASH,
	/* `folder` (made where missing), `part`, size, is_folder, files, manifest_size, `done`: sink, and in
	 * `done` how much of that is there. ERR_FULL: there is no room for the rest. */
	FILING_BEGIN,
	/* sink: what is there is read again, a slice at once: in `offset` how far. */
	FILING_CHECK,
	/* sink: `data` is stored behind what is there. ERR_FULL, ERR_IO, ERR_FORMAT (a manifest). What could
	 * not be stored is as if it had not come: `done` says how far it is. */
	FILING_WRITE,
	/* `sum` goes on over `data`, which may be just being stored: see filing_sum_of(). */
	FILING_SUM,
	/* sink: what was stored is on disk: `done`. */
	FILING_SYNC,
	/* sink, whole: on disk, closed (sink is NULL then): `hash`, `manifest`. And `path`: a name for it in
	 * `folder` by `name` that is free. */
	FILING_FINISH,
	/* `folder`, `part`, is_folder: it gets the name `path`. ERR_EXISTS: somebody was quicker: `path` is
	 * another one that is free. Harmless when it has it already. ERR_NOT_FOUND. */
	FILING_PLACE,
	/* `path` (or `folder` and `part`) goes, if it is there: a file, or a folder with all in it. */
	FILING_REMOVE,
};

struct filing_work {
	enum filing_task what;
	char *path, *folder, *name; /* owned, as all below; or NULL */
	char *where; /* FILING_LOOK failed there, within the folder; owned, or NULL */
	char part[48];
	bool is_folder;
	bool is_safe;    /* FILING_OPEN: what was fetched: names within it are as they were made safe */
	bool is_spooled; /* LOOK: it was made for this, in a folder of ours: no link to something else */
	uint64_t size, offset, done;
	/* In ns: when it was changed last; of a folder: when it was looked at. */
	uint64_t modified;
	uint32_t files, manifest_size;
	uint32_t links, others; /* FILING_LOOK: in the folder, and left out */
	struct buf manifest, data;
	unsigned *sharers; /* of `data`: how many works have it; NULL: this one alone */
	struct filing_hash *sum;
	uint8_t head[FILING_HEAD];
	size_t head_size;
	uint8_t hash[32];
	bool has_hash; /* FILING_READ: the hash has come to the end of all: `hash` */
	struct filing_source *source;
	struct filing_sink *sink;
};

/* Empty, with room for so much of a file's contents, as a disk wants it for FILING_WRITE: at the beginning
 * of a page. Takes what room there is already if it is enough. */
void filing_room(struct buf *b, size_t size);
void filing_room_free(struct buf *b); /* not wiped: it is on the disk */

struct filing_work *filing_work_new(enum filing_task what);
/* A processor hashes what a disk takes: for a FILING_WRITE that nobody has ordered yet a FILING_SUM of the
 * same contents, to be done at the same time. When both are back, and well, filing_summed(). */
struct filing_work *filing_sum_of(struct filing_work *write);
void filing_summed(struct filing_sink *sink, const struct filing_hash *sum);
/* It has `data` alone, which it keeps; or others have it still, and it has none any more. */
bool filing_work_is_last(struct filing_work *w);
/* With all that it holds. NULL is harmless. */
void filing_work_free(struct filing_work *w);
void filing_source_free(struct filing_source *s);
void filing_sink_free(struct filing_sink *s);
uint64_t filing_source_hashed(const struct filing_source *s); /* not while it is at work */

/* The name of what is not whole yet, in the folder where it will be: hidden, of the offer's id. */
void filing_part_name(const uint8_t id[OFFER_ID_SIZE], char out[48]);

/* JOB_FILING: job.task is a struct filing_work. */
int filing_run(struct job *job);

#endif
