/* Inside of search, from the bottom up: search_words.c knows what a query means, whether a text has it,
 * and what of it is shown; search.c keeps the index and finds. */
#ifndef PALIQUE_PEER_SEARCH_INSIDE_H
#define PALIQUE_PEER_SEARCH_INSIDE_H

#include "peer/search.h"
#include "shared/db.h"

enum { SEARCH_WORDS_MAX = 64 }; /* in a query */

/* Words that follow each other. */
struct term {
	unsigned first, count; /* in query.words */
	bool is_prefix;        /* the last word may go on */
};
struct query_word {
	size_t at, size; /* in query.folded */
};
struct query {
	struct db *db;
	struct buf folded;
	struct query_word words[SEARCH_WORDS_MAX];
	struct term terms[SEARCH_TERMS_MAX];
	unsigned word_count, term_count;
	bool is_over; /* more words than we take */
};
/* A zeroed query; to be cleared in any case. ERR_FORMAT, ERR_LIMIT. */
int query_parse(struct query *q, struct db *db, struct bytes text);
void query_clear(struct query *q);
/* The same for FTS5: made of folded words in quotes alone, so nothing in it is syntax of theirs. */
void query_for_index(const struct query *q, struct buf *out);

/* A text, taken apart. Zeroed at first; used for one text after the other. */
struct sighted {
	struct buf folded, words; /* `words`: of struct sighted_word */
	unsigned count;
};
void sighted_clear(struct sighted *t);
/* Whether all terms are in it; then `snippet` gets what is shown of it. */
bool query_finds(const struct query *q, struct bytes text, struct sighted *scratch,
		 struct buf *snippet);

#endif
