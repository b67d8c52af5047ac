/* The handshakes that others have begun with us and not confirmed, oldest first. There is
 * room for so many; who fills it pushes out the oldest, and of one identity only few are
 * kept, so that one contact cannot keep the others out. */
#ifndef PALIQUE_SHARED_HALF_OPEN_H
#define PALIQUE_SHARED_HALF_OPEN_H

#include <stddef.h>

enum { HALF_OPEN_EACH = 16 }; /* of one identity, where identities matter */

struct link;
struct half_open {
	struct link *oldest, *newest;
	size_t count;
};

void half_open_add(struct half_open *h, struct link *l);
/* Does nothing if it is not among them. */
void half_open_remove(struct half_open *h, struct link *l);

/* `l` has shown a certificate: the oldest other of its identity if with `l` there are more
 * than HALF_OPEN_EACH, else NULL. */
struct link *half_open_crowding(const struct half_open *h, const struct link *l);

#endif
