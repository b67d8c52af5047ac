/* Is a device that a contact finds silent still there? It is asked, and when nothing
 * authentic is heard from it for three seconds it counts as gone. */
#ifndef PALIQUE_DIRECTORY_CHECKS_H
#define PALIQUE_DIRECTORY_CHECKS_H

#include "directory/sessions.h"

enum {
	CHECK_SECONDS = 3, /* of silence after the first question: our choice */
	CHECK_TRIES = 3,   /* questions, a second apart */
};

struct checks {
	struct session *first;
}; /* zeroed: none */

/* Begins, unless it is being checked already: then false. */
bool checks_begin(struct checks *c, struct session *s, uint64_t nonce, mono_ns now);
/* The session ends. Harmless when it is not being checked. */
void checks_forget(struct checks *c, struct session *s);

/* Whose turn it is at `now`: NULL when there is none. `is_gone`: it did not answer and has
 * been forgotten here; otherwise it shall be asked (again). */
struct session *checks_due(struct checks *c, mono_ns now, bool *is_gone);
mono_ns checks_deadline(const struct checks *c);

#endif
