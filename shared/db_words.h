/* The words of a text, as FTS5 takes them when it indexes (unicode61 without diacritics): so whoever
 * looks at a text by itself sees the same words. Only db uses it. */
#ifndef PALIQUE_SHARED_DB_WORDS_H
#define PALIQUE_SHARED_DB_WORDS_H

#include <sqlite3.h>

#include "shared/db.h"

struct db_words;
/* NULL: this SQLite has no FTS5. */
struct db_words *db_words_new(sqlite3 *sqlite);
void db_words_free(struct db_words *w); /* before the connection; NULL is harmless */
/* As db_words_each(). */
int db_words_walk(struct db_words *w, struct bytes text, db_each_word *each, void *user);

#endif
