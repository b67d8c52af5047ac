#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "peer/search.h"
#include "shared/error.h"
#include "tests/small_home.h"
#include "tests/written.h"

static struct small_home alice, bob, carol;
static struct person *p, *q;
static struct written w;

static int begin(void **state)
{
	(void)state;
	small_home_begin(&alice, "alice");
	small_home_begin(&bob, "bob");
	small_home_begin(&carol, "carol");
	p = small_home_meet(&alice, &bob);
	q = small_home_meet(&alice, &carol);
	written_begin(&w, alice.rooms.store, p->id, 1);
	small_home_commit(&alice);
	return 0;
}

static int end(void **state)
{
	(void)state;
	small_home_end(&alice);
	small_home_end(&bob);
	small_home_end(&carol);
	return 0;
}

struct hits {
	unsigned count;
	uint64_t ids[64];
	char snippet[1024];
};

static bool on_hit(void *user, const struct hit *hit)
{
	struct hits *hits = user;

	hits->ids[hits->count++] = hit->message.id;
	snprintf(hits->snippet, sizeof hits->snippet, "%.*s", (int)hit->snippet.size,
		 (const char *)hit->snippet.data);
	return hits->count < 64;
}

static unsigned calls; /* that the last search took */

static struct hits find_from(const char *query, const struct person *with, uint64_t before,
			     unsigned limit)
{
	struct hits hits = { 0 };
	struct search_at at = { 0 };
	int more;

	calls = 0;
	do {
		more = search_find(alice.rooms.search, query, with, before, limit - hits.count,
				   &at, on_hit, &hits);
		assert_true(more >= 0);
		calls++;
	} while (more);
	return hits;
}

static struct hits find(const char *query)
{
	return find_from(query, NULL, 0, 64);
}

static int64_t upto(void)
{
	struct statement *s = db_sql(store_db(alice.rooms.store), "SELECT upto FROM searched");
	int64_t n = db_step(s) == 1 ? column_int(s, 0) : 0;

	db_done(s);
	return n;
}

/* As the engine does with time at hand. */
static void settle(void)
{
	struct rooms *r = &alice.rooms;
	mono_ns next;

	small_home_commit(&alice);
	for (int i = 0; i < 1000; i++) {
		next = search_step(r->search);
		small_home_commit(&alice);
		if (next == NEVER)
			return;
		r->now = next > r->now ? next : r->now;
	}
	fail();
}

/* So much that what was written before is indexed. */
static void fill(void)
{
	for (int i = 0; i < SEARCH_TAIL + 10; i++)
		written_text(&w, i % 2, "filler");
	settle();
	assert_true(upto() > 0);
}

/* Each test of what is found runs on the tail and on the index. */
static void find_words(bool is_indexed)
{
	struct hits h;

	written_text(&w, false, "The café was closed, we went to the Harbour instead");
	written_text(&w, true, "harbour lights");
	written_text(&w, false, "100% \"sure\" AND NOT NEAR(x) body:* -- ' OR 1");
	if (is_indexed)
		fill();
	h = find("harbour");
	assert_int_equal(h.count, 2);
	assert_int_equal(h.ids[0], 2);
	assert_int_equal(h.ids[1], 1);
	assert_int_equal(find("CAFE harb").count, 1);
	assert_string_equal(find("CAFE harb").snippet,
			    "The \2café\3 was closed, we went to the \2Harbour\3 instead");
	assert_int_equal(find("caf har").count, 0);
	assert_int_equal(find("\"harbour lights\"").count, 1);
	assert_int_equal(find("\"lights harbour\"").count, 0);
	assert_int_equal(find("\"harbour light").count, 1);
	assert_int_equal(find("\"harbour light\"").count, 0);
	assert_int_equal(find("NEAR").count, 1);
	assert_int_equal(find("body:*").count, 1);
	assert_int_equal(find("NOT").count, 1);
	assert_int_equal(find("' OR 1").count, 1);
	assert_int_equal(find("sure*) OR (harbour").count, 0);
	assert_int_equal(find("c1").count, 0);
}

static void words_are_found_before_they_are_indexed(void **state)
{
	(void)state;
	find_words(false);
	assert_int_equal(upto(), 0);
}

static void words_are_found_in_the_index(void **state)
{
	(void)state;
	find_words(true);
}

static void a_query_without_a_word_or_with_too_many_is_refused(void **state)
{
	char many[SEARCH_QUERY_MAX + 2] = { 0 };
	struct hits h = { 0 };
	struct search *s = alice.rooms.search;
	struct search_at at = { 0 };

	(void)state;
	assert_int_equal(search_find(s, "", NULL, 0, 9, &at, on_hit, &h), ERR_FORMAT);
	assert_int_equal(search_find(s, " \"\" !?", NULL, 0, 9, &at, on_hit, &h), ERR_FORMAT);
	assert_int_equal(search_find(s, "\xff", NULL, 0, 9, &at, on_hit, &h), ERR_FORMAT);
	for (int i = 0; i < 100; i++)
		memcpy(many + 2 * i, "a ", 2);
	assert_int_equal(search_find(s, many, NULL, 0, 9, &at, on_hit, &h), ERR_LIMIT);
	memset(many, 'a', sizeof many - 1);
	assert_int_equal(search_find(s, many, NULL, 0, 9, &at, on_hit, &h), ERR_LIMIT);
	assert_int_equal(search_find(s, "a", NULL, 77, 9, &at, on_hit, &h), ERR_NOT_FOUND);
}

static void hits_come_by_person_and_in_pages(void **state)
{
	struct written other;
	struct hits h;

	(void)state;
	for (int i = 0; i < 10; i++)
		written_text(&w, false, "apple");
	written_begin(&other, alice.rooms.store, q->id, w.id + 1);
	for (int i = 0; i < 3; i++)
		written_text(&other, true, "apple pie");
	w.id = other.id;
	for (int round = 0; round < 2; round++) {
		h = find_from("apple", q, 0, 64);
		assert_int_equal(h.count, 3);
		assert_int_equal(h.ids[0], 13);
		h = find_from("apple", p, 0, 4);
		assert_int_equal(h.count, 4);
		assert_int_equal(h.ids[0], 10);
		h = find_from("apple", p, h.ids[3], 64);
		assert_int_equal(h.count, 6);
		assert_int_equal(h.ids[0], 6);
		h = find_from("appl", NULL, 11, 1);
		assert_int_equal(h.ids[0], 10);
		fill();
	}
}

static void granted_history_is_found_behind_all_else(void **state)
{
	struct hits h;

	(void)state;
	written_text(&w, false, "pear one");
	written_granted(&w, false, "pear two");
	written_granted(&w, false, "pear three");
	written_text(&w, false, "pear four");
	for (int round = 0; round < 2; round++) {
		h = find("pear");
		assert_int_equal(h.count, 4);
		assert_int_equal(h.ids[0], 4);
		assert_int_equal(h.ids[1], 1);
		assert_int_equal(h.ids[2], 2);
		assert_int_equal(h.ids[3], 3);
		assert_int_equal(find_from("pear", NULL, 2, 9).count, 1);
		fill();
	}
}

/* More than is looked at in one call. */
enum { MANY = 3 * SEARCH_SLICE / 64 };

static void what_is_not_indexed_is_looked_through_a_slice_at_a_time(void **state)
{
	struct search_at at = { 0 };
	struct hits h = { 0 };

	(void)state;
	written_text(&w, false, "needle");
	for (int i = 0; i < MANY; i++)
		written_text(&w, false, "hay");
	small_home_commit(&alice);
	assert_int_equal(search_find(alice.rooms.search, "needle", NULL, 0, 9, &at, on_hit, &h),
			 1);
	assert_int_equal(h.count, 0);
	assert_int_equal(find("needle").count, 1);
	assert_true(calls > 2);
	/* What was indexed meanwhile is not lost, and what was looked at is not told again. */
	settle();
	assert_int_equal(search_find(alice.rooms.search, "needle", NULL, 0, 9, &at, on_hit, &h),
			 0);
	assert_int_equal(h.count, 1);
	assert_int_equal(find_from("hay", p, 0, 9).count, 9);
	assert_int_equal(calls, 1);
}

static void granted_history_is_asked_of_the_index_while_more_of_it_comes(void **state)
{
	struct hits h;

	(void)state;
	written_granted(&w, false, "needle one");
	for (int i = 0; i < MANY; i++)
		written_granted(&w, false, "hay");
	fill();
	written_granted(&w, false, "needle two");
	h = find("needle");
	assert_int_equal(calls, 1);
	assert_int_equal(h.count, 2);
	assert_int_equal(h.ids[0], 1);
	assert_int_equal(find("nowhere").count, 0);
	assert_int_equal(calls, 1);
}

static void files_are_found_by_caption_name_and_alt_text(void **state)
{
	(void)state;
	written_file(&w, false, "Holiday 2026.jpg", "on the beach", "a red umbrella");
	for (int round = 0; round < 2; round++) {
		assert_int_equal(find("beach").count, 1);
		assert_int_equal(find("holi").count, 1);
		assert_int_equal(find("2026").count, 1);
		assert_int_equal(find("umbrella red").count, 1);
		fill();
	}
}

/* How often `word` stands in the pages of the index. */
static int64_t in_pages(const char *word)
{
	struct statement *s = db_sql(store_db(alice.rooms.store),
				     "SELECT count(*) FROM search_data"
				     " WHERE instr(block, CAST(? AS BLOB)) > 0");
	int64_t n;

	bind_text(s, 1, word);
	assert_int_equal(db_step(s), 1);
	n = column_int(s, 0);
	db_done(s);
	return n;
}

static void what_is_taken_out_is_found_no_more_and_leaves_the_pages_in_time(void **state)
{
	struct rooms *r = &alice.rooms;
	uint64_t edit;

	(void)state;
	written_text(&w, false, "xylophone lessons");
	written_text(&w, false, "zeppelin");
	fill();
	assert_int_equal(find("xylophone").count, 1);
	assert_true(in_pages("ylophone") > 0);

	edit = written_entry(&w, false, SAY_EDIT, bytes_text("violin lessons"));
	search_out(r->search, 1);
	written_sql(&w, "UPDATE message SET edit = %d WHERE id = 1", (int)edit);
	search_in(r->search, 1);
	search_out(r->search, 2);
	written_sql(&w, "UPDATE message SET flags = %d WHERE id = 2", ENTRY_RETRACTED);
	search_in(r->search, 2);
	small_home_commit(&alice);
	assert_int_equal(find("xylophone").count, 0);
	assert_int_equal(find("zeppelin").count, 0);
	assert_int_equal(find("violin").count, 1);
	assert_int_equal(find("lessons").count, 1);

	r->now += SEARCH_QUIET;
	settle();
	assert_int_equal(in_pages("ylophone"), 0);
	assert_int_equal(in_pages("eppelin"), 0);
	assert_int_equal(find("violin").count, 1);
}

static void what_is_doomed_is_found_no_more_and_leaves_the_index_when_it_goes(void **state)
{
	struct rooms *r = &alice.rooms;

	(void)state;
	written_text(&w, false, "xylophone");
	written_sql(&w, "UPDATE message SET flags = %d", ENTRY_SILENT | ENTRY_DOOMED);
	fill();
	assert_int_equal(find("xylophone").count, 0);
	assert_true(in_pages("ylophone") > 0);
	search_out(r->search, 1);
	written_sql(&w, "UPDATE message SET kind = %d, body = zeroblob(32) WHERE id = 1",
		    SAY_GONE);
	search_in(r->search, 1);
	r->now += SEARCH_QUIET;
	settle();
	assert_int_equal(in_pages("ylophone"), 0);
}

static void a_change_that_is_undone_leaves_the_index_as_it_was(void **state)
{
	struct rooms *r = &alice.rooms;

	(void)state;
	written_text(&w, false, "xylophone");
	fill();
	search_out(r->search, 1);
	store_failed(r->store, ERR_FULL);
	assert_int_equal(store_commit(r->store), ERR_FULL);
	assert_int_equal(find("xylophone").count, 1);
}

static void a_batch_that_is_undone_is_indexed_again(void **state)
{
	struct rooms *r = &alice.rooms;

	(void)state;
	written_text(&w, false, "xylophone");
	for (int i = 0; i < SEARCH_TAIL + 10; i++)
		written_text(&w, i % 2, "filler");
	small_home_commit(&alice);
	r->now += SEARCH_QUIET * 2;
	search_step(r->search);
	assert_true(store_is_writing(r->store));
	store_failed(r->store, ERR_FULL);
	assert_int_equal(store_commit(r->store), ERR_FULL);
	assert_int_equal(upto(), 0);
	settle();
	assert_true(upto() > 1);
	assert_int_equal(find("xylophone").count, 1);
}

static void nothing_is_indexed_while_much_is_written(void **state)
{
	struct rooms *r = &alice.rooms;

	(void)state;
	settle();
	for (int i = 0; i < SEARCH_TAIL * 2; i++)
		written_text(&w, false, "hot");
	r->now += MILLISECOND;
	search_step(r->search); /* the step in which they came */
	small_home_commit(&alice);
	assert_int_equal(upto(), 0);
	r->now += SEARCH_QUIET / 2;
	assert_int_equal(search_step(r->search), r->now + SEARCH_QUIET / 2);
	r->now += SEARCH_QUIET / 2;
	search_step(r->search);
	small_home_commit(&alice);
	assert_int_equal(upto(), SEARCH_BATCH);
}

static void a_snippet_is_cut_at_characters_and_has_no_marks_of_others(void **state)
{
	struct buf text = { 0 };
	struct hits h;

	(void)state;
	buf_append(&text, bytes_text("\2evil\3 "));
	for (int i = 0; i < 200; i++)
		buf_append(&text, bytes_text("é"));
	buf_append(&text, bytes_text(" needle "));
	for (int i = 0; i < 300; i++)
		buf_append(&text, bytes_text("ü"));
	buf_append_byte(&text, 0);
	written_text(&w, false, (const char *)text.data);
	buf_clear(&text);
	h = find("needle");
	assert_non_null(strstr(h.snippet, "\2needle\3"));
	assert_true(bytes_is_utf8(bytes_text(h.snippet)));
	assert_true(strlen(h.snippet) <= SEARCH_SNIPPET + 2 + 6);
	h = find("evil");
	assert_memory_equal(h.snippet, " \2evil\3  ", 9);
}

/* FTS5 counts words, and calls it damage when more are taken out than were ever in. */
static void a_damaged_index_is_made_anew(void **state)
{
	struct rooms *r = &alice.rooms;

	(void)state;
	written_text(&w, false, "xylophone two three four five six seven eight nine ten");
	fill();
	written_sql(&w,
		    "INSERT INTO search(search, rowid, body, who) VALUES('delete', 1,"
		    " replace(hex(zeroblob(%d)), '00', 'x '), 'c1')",
		    SEARCH_BATCH + 4);
	small_home_commit(&alice);
	search_out(r->search, 1);
	assert_int_equal(store_commit(r->store), ERR_CORRUPT);
	(void)db_trouble(store_db(r->store));
	settle();
	assert_int_equal(find("xylophone").count, 1);
	search_out(r->search, 1);
	small_home_commit(&alice);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		EACH(words_are_found_before_they_are_indexed),
		EACH(words_are_found_in_the_index),
		EACH(a_query_without_a_word_or_with_too_many_is_refused),
		EACH(hits_come_by_person_and_in_pages),
		EACH(granted_history_is_found_behind_all_else),
		EACH(what_is_not_indexed_is_looked_through_a_slice_at_a_time),
		EACH(granted_history_is_asked_of_the_index_while_more_of_it_comes),
		EACH(files_are_found_by_caption_name_and_alt_text),
		EACH(what_is_taken_out_is_found_no_more_and_leaves_the_pages_in_time),
		EACH(what_is_doomed_is_found_no_more_and_leaves_the_index_when_it_goes),
		EACH(a_change_that_is_undone_leaves_the_index_as_it_was),
		EACH(a_batch_that_is_undone_is_indexed_again),
		EACH(nothing_is_indexed_while_much_is_written),
		EACH(a_snippet_is_cut_at_characters_and_has_no_marks_of_others),
		EACH(a_damaged_index_is_made_anew),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
