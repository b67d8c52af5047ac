/* A small number for each name that somebody is online under or lists, for as long as
 * somebody does: lists of contacts then cost four bytes an entry, not thirty-three. */
#ifndef PALIQUE_DIRECTORY_NAMES_H
#define PALIQUE_DIRECTORY_NAMES_H

#include "shared/name.h"

struct names;

typedef uint32_t name_id; /* an index from 0: others keep arrays by it */
enum { NAMES_NONE = UINT32_MAX };

/* `key` (16 random bytes) keeps outsiders from choosing names that collide. */
struct names *names_new(const uint8_t key[16]);
void names_free(struct names *n);

/* The number of `name`, one more holder. Given up with names_release(). */
name_id names_hold(struct names *n, const struct name *name);
void names_hold_again(struct names *n, name_id id);
void names_release(struct names *n, name_id id);

name_id names_find(const struct names *n, const struct name *name); /* NAMES_NONE */
const struct name *names_of(const struct names *n, name_id id);     /* of one that is held */
size_t names_count(const struct names *n);

#endif
