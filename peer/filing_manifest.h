/* What a folder holds, as the first part of its contents: a msgpack array of [path, size, modified],
 * in order of paths, "/" before every other character. A path is relative, of one name or more with "/"
 * between; that of a folder with nothing in it ends with "/" (size 0). */
#ifndef PALIQUE_PEER_FILING_MANIFEST_H
#define PALIQUE_PEER_FILING_MANIFEST_H

#include "shared/bytes.h"

enum { MANIFEST_PATH_MAX = 4096, MANIFEST_DEPTH_MAX = 32 };

struct manifest_entry {
	char *path; /* safe to be made: each name of it; without the last "/" of a folder */
	bool is_folder;
	uint64_t size;
	uint64_t at;       /* where it begins behind the manifest */
	uint64_t modified; /* seconds */
};
struct manifest {
	struct manifest_entry *list;
	uint32_t count, capacity;
	uint32_t files; /* that are no folders */
	uint64_t size;  /* of all of them */
};

void manifest_clear(struct manifest *m);
/* Copies; in any order. ERR_LIMIT (shared/offer.h). */
int manifest_add(struct manifest *m, const char *path, bool is_folder, uint64_t size,
		 uint64_t modified);
/* In order, then encoded. `out`'s limit is the manifest's. ERR_LIMIT. */
int manifest_encode(struct manifest *m, struct buf *out);
/* Hostile. Names are made safe; ERR_FORMAT where two would be one then, or one is not a path within the
 * folder; ERR_LIMIT. Nothing is left on failure. */
int manifest_decode(struct manifest *m, struct bytes b);
/* The same of one made here, with the names as they are on this disk. */
int manifest_decode_own(struct manifest *m, struct bytes b);

#endif
