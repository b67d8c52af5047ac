/* A query and a text, both from outside: the query that FTS5 gets always compiles, what it finds our
 * own look at the text finds too, and a snippet is UTF-8 with marks in pairs. */
#include <stdlib.h>
#include <string.h>

#include "peer/search_inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const schema[] = {
	"CREATE VIRTUAL TABLE search USING fts5(body, who, content='', columnsize=0,"
	"	prefix='1 2 3', tokenize='unicode61 remove_diacritics 2')",
};

static bool index_finds(struct db *db, const struct query *q, struct bytes text)
{
	struct buf match = { 0 };
	struct statement *s;
	int found;

	query_for_index(q, &match);
	buf_append_byte(&match, '\0');
	if (db_begin(db) < 0)
		abort();
	s = db_sql(db, "INSERT INTO search(rowid, body) VALUES(1, ?)");
	bind_bytes(s, 1, text);
	if (db_run(s) != 1)
		abort();
	s = db_sql(db, "SELECT rowid FROM search WHERE search MATCH ?");
	bind_text(s, 1, (const char *)match.data);
	found = db_step(s);
	if (found < 0)
		abort();
	db_done(s);
	db_rollback(db);
	buf_clear(&match);
	return found == 1;
}

static void check_snippet(struct bytes snippet)
{
	bool is_open = false;
	unsigned marks = 0;

	for (size_t i = 0; i < snippet.size; i++) {
		if (snippet.data[i] == 2 ? is_open : snippet.data[i] == 3 && !is_open)
			abort();
		if (snippet.data[i] == 2 || snippet.data[i] == 3) {
			is_open = snippet.data[i] == 2;
			marks++;
		} else if (snippet.data[i] < ' ') {
			abort();
		}
	}
	if (is_open || marks == 0 || snippet.size - marks > SEARCH_SNIPPET + 6 ||
	    !bytes_is_utf8(snippet))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct db *db;
	const struct db_config config = { .migrations = schema, .migration_count = 1 };
	size_t split = size ? data[0] : 0;
	struct query q = { 0 };
	struct sighted scratch = { 0 };
	struct buf snippet = { 0 };
	struct bytes text;

	if (!db && db_open(&db, &config, NULL, 0) < 0)
		abort();
	if (size < 2 || split >= size)
		return 0;
	text = bytes_of(data + 1 + split, size - 1 - split);
	if (query_parse(&q, db, bytes_of(data + 1, split)) == 0 && bytes_is_utf8(text)) {
		bool is_found = query_finds(&q, text, &scratch, &snippet);

		if (is_found != index_finds(db, &q, text))
			abort();
		if (is_found)
			check_snippet(buf_view(&snippet));
	}
	sighted_clear(&scratch);
	buf_clear(&snippet);
	query_clear(&q);
	return 0;
}
