/* Which link a connection id belongs to (and, with longer keys, a device): a hash
 * table of short binary keys, hashed under a secret so that nobody can aim at one slot. */
#ifndef PALIQUE_SHARED_CID_MAP_H
#define PALIQUE_SHARED_CID_MAP_H

#include "shared/bytes.h"

enum { CID_MAP_KEY_MAX = 32 }; /* bytes; QUIC's ids have at most 20 */

struct cid_map;

struct cid_map *cid_map_new(void);
void cid_map_free(struct cid_map *m); /* what the values point at is the caller's */

/* The value of `key` (1 to CID_MAP_KEY_MAX bytes; others are never found), or NULL. */
void *cid_map_get(const struct cid_map *m, struct bytes key);

/* Adds or replaces. `value` is not NULL. */
void cid_map_put(struct cid_map *m, struct bytes key, void *value);

/* Removes `key` if its value is `value`: whoever lost an id to another cannot take it away. */
void cid_map_remove(struct cid_map *m, struct bytes key, const void *value);

size_t cid_map_count(const struct cid_map *m);

#endif
