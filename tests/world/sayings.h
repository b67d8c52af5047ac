/* Texts in the order in which they were said, shown or stored. */
#ifndef PALIQUE_TESTS_WORLD_SAYINGS_H
#define PALIQUE_TESTS_WORLD_SAYINGS_H

#include <stdbool.h>
#include <stddef.h>

/* UNANSWERED: the machine died before it said; the text may be there or not. */
enum fate { UNANSWERED, ACCEPTED, REFUSED };

struct saying {
	char *text;
	size_t size;
	unsigned author; /* the home that said it; 0: nobody's */
	bool is_ours;
	enum fate fate;
};
struct sayings {
	struct saying *list;
	size_t count, capacity;
};

struct saying *sayings_note(struct sayings *s, const void *text, size_t size);
void sayings_clear(struct sayings *s); /* empty again */
void sayings_turn_round(struct sayings *s);
bool saying_equal(const struct saying *a, const struct saying *b); /* texts alone */

/* Where `piece` lies in `whole` without a gap, at or after `from`; what is UNANSWERED in `whole` may be
 * missing. `to_the_end`: nothing may follow it. SIZE_MAX: nowhere. */
size_t sayings_find(const struct sayings *whole, const struct sayings *piece, size_t from,
		    bool to_the_end);
/* Whether each of `piece` is in `whole`, none more often than there. */
bool sayings_contain(const struct sayings *whole, const struct sayings *piece);

#endif
