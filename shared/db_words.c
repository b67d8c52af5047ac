#include "shared/db_words.h"

#include <limits.h>
#include <stdlib.h>

#include "shared/db_file.h"
#include "shared/error.h"

struct db_words {
	fts5_tokenizer tokenizer;
	Fts5Tokenizer *instance;
};

/* FTS5 hands itself out by a pointer that is bound to its own function:
 * https://sqlite.org/fts5.html#extending_fts5 */
static fts5_api *fts5_of(sqlite3 *sqlite)
{
	fts5_api *api = NULL;
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(sqlite, "SELECT fts5(?1)", -1, &s, NULL) == SQLITE_OK) {
		sqlite3_bind_pointer(s, 1, (void *)&api, "fts5_api_ptr", NULL);
		sqlite3_step(s);
	}
	sqlite3_finalize(s);
	return api;
}

struct db_words *db_words_new(sqlite3 *sqlite)
{
	const char *options[] = { "remove_diacritics", "2" };
	fts5_api *api = fts5_of(sqlite);
	struct db_words *w;
	void *user;

	if (!api)
		return NULL;
	w = memory_new(sizeof *w);
	if (api->xFindTokenizer(api, "unicode61", &user, &w->tokenizer) == SQLITE_OK &&
	    w->tokenizer.xCreate(user, options, 2, &w->instance) == SQLITE_OK)
		return w;
	free(w);
	return NULL;
}

void db_words_free(struct db_words *w)
{
	if (!w)
		return;
	w->tokenizer.xDelete(w->instance);
	free(w);
}

struct walk {
	db_each_word *each;
	void *user;
};

static int on_word(void *user, int flags, const char *word, int size, int start, int end)
{
	struct walk *walk = user;

	(void)flags;
	return walk->each(walk->user, bytes_of(word, (size_t)size), (size_t)start, (size_t)end)
		       ? SQLITE_OK
		       : SQLITE_DONE;
}

int db_words_walk(struct db_words *w, struct bytes text, db_each_word *each, void *user)
{
	struct walk walk = { each, user };
	int code;

	if (text.size > INT_MAX)
		return ERR_LIMIT;
	code = w->tokenizer.xTokenize(w->instance, &walk, FTS5_TOKENIZE_QUERY,
				      text.size ? (const char *)text.data : "", (int)text.size,
				      on_word);
	return code == SQLITE_DONE ? 0 : db_file_error(code);
}
