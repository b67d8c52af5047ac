/* Finding what was said. An index of words (FTS5) of what each message shows: text, caption, name and
 * alt text of a file. It is filled behind, in the background; what is not in it yet is looked through
 * when somebody searches, so that nothing is missed. Whatever the index gives is looked at again
 * before it is a hit. */
#ifndef PALIQUE_PEER_SEARCH_H
#define PALIQUE_PEER_SEARCH_H

#include "peer/person.h"
#include "peer/rooms.h"

enum {
	SEARCH_QUERY_MAX = 1024, /* bytes */
	SEARCH_TERMS_MAX = 16,   /* words and phrases */
	SEARCH_BATCH = 200,      /* messages put into the index in one step, at most */
	/* So many may be left out of it, for a look through them is quick. */
	SEARCH_TAIL = 1024,
	SEARCH_SNIPPET = 200,     /* bytes of text at most, without the marks */
	SEARCH_SLICE = 256 << 10, /* bytes of text looked at in one call, about: 5 ms */
};
#define SEARCH_QUIET                                                                           \
	(200 * MILLISECOND) /* nothing was written for so long: the index may go on */
#define SEARCH_AT_LEAST                                                                        \
	(2 * SECOND) /* ... and a batch each so often, whatever goes on: 1% of the time */
#define SEARCH_TIDY (600 * SECOND) /* what was taken out is out of its pages so much later */

struct search;
struct search *search_new(struct rooms *rooms);
void search_free(struct search *s); /* NULL is harmless */

/* Around every change of what a message shows (edited, taken back, wiped, forgotten), in the same
 * transaction: before it, while the rows are still as they were, */
void search_out(struct search *s, uint64_t id);
/* and after it. Harmless for what is not indexed yet, or has nothing to find. */
void search_in(struct search *s, uint64_t id);

/* At the end of a step, before its commit. When to be called again; NEVER: all is indexed. */
mono_ns search_step(struct search *s);

/* As engine_search(): newest first. What stands between U+0002 and U+0003 in a snippet was found; the
 * rest of it has neither. `p` NULL: with anybody. 1: there is more to look at, from `at` on. ERR_FORMAT: no
 * word in the query, or it is no UTF-8; ERR_LIMIT: too long; ERR_NOT_FOUND: `before` is no message (of
 * theirs). */
int search_find(struct search *s, const char *query, const struct person *p, uint64_t before,
		unsigned limit, struct search_at *at, engine_each_hit *each, void *user);

#endif
