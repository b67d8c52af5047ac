/* Which known word somebody meant who typed another: for "did you mean". */
#ifndef PALIQUE_SHARED_NEAREST_H
#define PALIQUE_SHARED_NEAREST_H

#include <stddef.h>

enum { NEAREST_SIZE_MAX = 32 }; /* longer words are like none */

struct nearest {
	const char *typed, *word; /* `word`: the best so far, or NULL */
	unsigned distance;
};

void nearest_begin(struct nearest *n, const char *typed);
/* A word that it may have been; must outlive `n`. */
void nearest_offer(struct nearest *n, const char *word);

/* Letters typed wrongly, left out, put in or swapped with their neighbour. */
unsigned nearest_distance(const char *a, const char *b);

#endif
