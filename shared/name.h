/* User names: [a-z0-9][a-z0-9._-]{1,31} after lower-casing ASCII. */
#ifndef PALIQUE_SHARED_NAME_H
#define PALIQUE_SHARED_NAME_H

#include "shared/bytes.h"

/* <limits.h> has a NAME_MAX of its own, for file names, and sodium.h brings it: taken first
 * and put aside, so that the word means one thing whatever is included in which order. */
#include <limits.h>
#undef NAME_MAX

enum { NAME_MIN = 2, NAME_MAX = 32 };

struct name {
	char text[NAME_MAX + 1];
}; /* NUL-terminated, valid, lower case */

/* Lower-cases and checks. ERR_NAME: not a name; `name` is untouched. */
int name_parse(struct name *name, struct bytes text);
/* As it must stand on the wire: already lower case, or ERR_NAME. */
int name_check(struct name *name, struct bytes text);
bool name_equal(const struct name *a, const struct name *b);

#endif
