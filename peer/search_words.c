/* What a query means, whether a text has it, and what of the text is shown. */
#include <stdlib.h>
#include <string.h>

#include "peer/search_inside.h"
#include "shared/error.h"

enum {
	MATCHES_MAX = 64, /* looked at for a snippet */
	BEFORE = 48,      /* bytes of text shown before the first match, at most */
};
static const char mark_begin = 2, mark_end = 3, ellipsis[] = "\xe2\x80\xa6";

/* --- the query --- */

static bool on_query_word(void *user, struct bytes word, size_t start, size_t end)
{
	struct query *q = user;

	(void)start;
	(void)end;
	if (q->word_count == SEARCH_WORDS_MAX) {
		q->is_over = true;
		return false;
	}
	q->words[q->word_count++] = (struct query_word){ q->folded.size, word.size };
	buf_append(&q->folded, word);
	return true;
}

/* One piece between spaces, or what stands in quotes. */
static void add_term(struct query *q, struct bytes text, bool is_prefix)
{
	unsigned first = q->word_count;

	if (db_words_each(q->db, text, on_query_word, q) < 0)
		q->is_over = true;
	if (q->word_count == first)
		return;
	if (q->term_count == SEARCH_TERMS_MAX) {
		q->is_over = true;
		return;
	}
	q->terms[q->term_count++] = (struct term){ first, q->word_count - first, is_prefix };
}

static bool is_space(uint8_t c)
{
	return c <= ' ';
}

int query_parse(struct query *q, struct db *db, struct bytes text)
{
	bool in_quotes = false;
	size_t i = 0;

	q->db = db;
	if (text.size > SEARCH_QUERY_MAX)
		return ERR_LIMIT;
	if (!bytes_is_utf8(text))
		return ERR_FORMAT;
	while (i < text.size) {
		size_t begin = i;

		while (i < text.size && text.data[i] != '"' &&
		       (in_quotes || !is_space(text.data[i])))
			i++;
		/* The last word may be a beginning; in quotes only while they stay open. */
		add_term(q, bytes_of(text.data + begin, i - begin), i == text.size);
		if (i < text.size && text.data[i] == '"')
			in_quotes = !in_quotes;
		i++;
	}
	/* Nothing but a space or a sign stands behind it: still the last word. */
	if (q->term_count && text.data[text.size - 1] != '"')
		q->terms[q->term_count - 1].is_prefix = true;
	return q->is_over ? ERR_LIMIT : q->term_count == 0 ? ERR_FORMAT : 0;
}

void query_clear(struct query *q)
{
	buf_clear(&q->folded);
	memset(q, 0, sizeof *q);
}

static struct bytes word_at(const struct query *q, unsigned i)
{
	return bytes_of(q->folded.data + q->words[i].at, q->words[i].size);
}

void query_for_index(const struct query *q, struct buf *out)
{
	for (unsigned i = 0; i < q->term_count; i++) {
		const struct term *t = &q->terms[i];

		buf_append(out, bytes_text(i ? " AND body:\"" : "body:\""));
		for (unsigned k = 0; k < t->count; k++) {
			if (k)
				buf_append_byte(out, ' ');
			buf_append(out, word_at(q, t->first + k));
		}
		buf_append(out, bytes_text(t->is_prefix ? "\" *" : "\""));
	}
}

/* --- the text --- */

struct sighted_word {
	size_t at, size; /* folded */
	size_t start, end;
};
struct match {
	size_t start, end;
	unsigned term;
};

static bool on_text_word(void *user, struct bytes word, size_t start, size_t end)
{
	struct sighted *t = user;
	struct sighted_word w = { t->folded.size, word.size, start, end };

	buf_append(&t->folded, word);
	buf_append(&t->words, bytes_of(&w, sizeof w));
	t->count++;
	return true;
}

void sighted_clear(struct sighted *t)
{
	buf_clear(&t->folded);
	buf_clear(&t->words);
}

static const struct sighted_word *words_of(const struct sighted *t)
{
	return (const struct sighted_word *)(const void *)t->words.data;
}

static bool stands_at(const struct query *q, const struct term *term, const struct sighted *t,
		      unsigned at)
{
	if (term->count > t->count - at)
		return false;
	for (unsigned k = 0; k < term->count; k++) {
		const struct sighted_word *w = &words_of(t)[at + k];
		struct bytes wanted = word_at(q, term->first + k);
		bool may_go_on = term->is_prefix && k + 1 == term->count;

		if (w->size < wanted.size || (w->size > wanted.size && !may_go_on) ||
		    memcmp(t->folded.data + w->at, wanted.data, wanted.size) != 0)
			return false;
	}
	return true;
}

/* Fills in the matches in the order of the text; false: a term is missing. */
static bool look(const struct query *q, const struct sighted *t, struct match *matches,
		 unsigned *count)
{
	uint32_t found = 0;

	*count = 0;
	for (unsigned at = 0; at < t->count; at++) {
		for (unsigned i = 0; i < q->term_count; i++) {
			unsigned last = at + q->terms[i].count - 1;

			if (!stands_at(q, &q->terms[i], t, at))
				continue;
			found |= (uint32_t)1 << i;
			if (*count < MATCHES_MAX)
				matches[(*count)++] = (struct match){ words_of(t)[at].start,
								      words_of(t)[last].end,
								      i };
		}
	}
	return found == ((uint32_t)1 << q->term_count) - 1;
}

/* --- the snippet --- */

static size_t back_to_character(struct bytes text, size_t at)
{
	while (at > 0 && at < text.size && (text.data[at] & 0xc0) == 0x80)
		at--;
	return at;
}

/* The match from which on most terms are in sight. */
static const struct match *best_of(const struct match *matches, unsigned count)
{
	const struct match *best = matches;
	int most = 0;

	for (unsigned i = 0; i < count; i++) {
		uint32_t seen = 0;

		for (unsigned k = i; k < count; k++)
			if (matches[k].end <= matches[i].start + SEARCH_SNIPPET - BEFORE)
				seen |= (uint32_t)1 << matches[k].term;
		if (__builtin_popcount(seen) > most) {
			most = __builtin_popcount(seen);
			best = &matches[i];
		}
	}
	return best;
}

/* Behind the space before, so that it begins with a word, if that is near. */
static size_t begin_at(struct bytes text, const struct match *best)
{
	size_t from;

	if (best->start <= BEFORE)
		return 0;
	from = best->start - BEFORE;
	for (size_t i = from; i < best->start; i++)
		if (is_space(text.data[i]))
			return i + 1;
	return back_to_character(text, from);
}

/* Control characters become spaces: nothing in it can be taken for a mark. */
static void append_plain(struct buf *out, struct bytes text)
{
	for (size_t i = 0; i < text.size; i++)
		buf_append_byte(out, text.data[i] < ' ' || text.data[i] == 0x7f ? ' '
										: text.data[i]);
}

static void cut_snippet(struct bytes text, const struct match *matches, unsigned count,
			struct buf *out)
{
	const struct match *best = best_of(matches, count);
	size_t from = begin_at(text, best), to = text.size, at = from;

	if (to - from > SEARCH_SNIPPET)
		to = back_to_character(text, from + SEARCH_SNIPPET);
	if (from > 0)
		buf_append(out, bytes_text(ellipsis));
	for (unsigned i = 0; i < count; i++) {
		size_t end = matches[i].end < to ? matches[i].end : to;

		if (matches[i].start < at || matches[i].start >= to)
			continue;
		append_plain(out, bytes_of(text.data + at, matches[i].start - at));
		buf_append_byte(out, (uint8_t)mark_begin);
		append_plain(out,
			     bytes_of(text.data + matches[i].start, end - matches[i].start));
		buf_append_byte(out, (uint8_t)mark_end);
		at = end;
	}
	append_plain(out, bytes_of(text.data + at, to - at));
	if (to < text.size)
		buf_append(out, bytes_text(ellipsis));
}

bool query_finds(const struct query *q, struct bytes text, struct sighted *scratch,
		 struct buf *snippet)
{
	struct match matches[MATCHES_MAX];
	unsigned count;

	scratch->folded.size = scratch->words.size = 0;
	scratch->count = 0;
	if (db_words_each(q->db, text, on_text_word, scratch) < 0 ||
	    !look(q, scratch, matches, &count))
		return false;
	snippet->size = 0;
	cut_snippet(text, matches, count, snippet);
	return true;
}
