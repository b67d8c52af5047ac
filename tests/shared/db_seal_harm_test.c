/* Sealed databases: what is done to their files by others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/error.h"
#include "tests/sealed_place.h"

static void a_damaged_first_page_is_told_from_another_key(void **state)
{
	struct place *p = *state;
	struct pair files;
	struct db *db;

	make(p, 20, 0);
	files = take(p);
	files.db.data[1000] ^= 1;
	put(p, files);
	assert_int_equal(db_open(&db, &p->config, NULL, 0), ERR_CORRUPT);
	stays(p, files);
	drop(&files);
}

/* Sealed pages are torn by a power cut in a checkpoint; the log still has them. */
static void a_torn_first_page_is_healed_from_the_log(void **state)
{
	struct place *p = *state;
	struct pair files;

	make(p, 20, 300); /* enough for the file to grow: that is noted in the first page */
	files = take(p);
	memset(files.db.data, 0x55, 512);
	put(p, files);
	assert_int_equal(read_all(p), 320);
	drop(&files);
	assert_int_equal(read_all(p), 320);
}

static void any_flipped_bit_in_the_file_is_found(void **state)
{
	struct place *p = *state;
	struct pair files;

	make(p, 100, 0);
	files = take(p);
	assert_null(files.log.data); /* closed in peace: no log is left */
	for (unsigned i = 0; i < 250; i++) {
		/* Each page in turn, and the places where something begins or ends. */
		static const unsigned within[] = { 0, 99, 100, 4055, 4056, 4072, 4080, 4095 };
		size_t page = i % (files.db.size / PAGE_BYTES);
		size_t at = page * PAGE_BYTES +
			    (i % 2 ? within[i / 2 % 8] : randombytes_uniform(PAGE_BYTES));
		uint8_t bit = (uint8_t)(1u << randombytes_uniform(8));
		int64_t result;

		files.db.data[at] ^= bit;
		put(p, files);
		result = read_all(p);
		if (result != ERR_CORRUPT && !(result == ERR_AUTH && page == 0))
			fail_msg("byte %zu, bit %u: %d", at, bit, (int)result);
		stays(p, files);
		files.db.data[at] ^= bit;
	}
	put(p, files);
	assert_int_equal(read_all(p), 100);
	drop(&files);
}

/* In the log a bad frame may be the mark of a power cut: at most the last message may be
 * missing, and only if the damage is in its frames; anything more is refused. */
static void a_flipped_bit_in_the_log_loses_no_finished_message_in_silence(void **state)
{
	struct place *p = *state;
	struct pair files;
	unsigned refused = 0;

	make(p, 10, 30);
	files = take(p);
	for (unsigned i = 0; i < 300; i++) {
		size_t at = i < 32 ? i : randombytes_uniform((uint32_t)files.log.size);
		uint8_t bit = (uint8_t)(1u << randombytes_uniform(8));
		int64_t result;

		files.log.data[at] ^= bit;
		put(p, files);
		result = read_all(p);
		if (result != ERR_CORRUPT && result != 40 && result != 39)
			fail_msg("byte %zu, bit %u: %d", at, bit, (int)result);
		if (result == ERR_CORRUPT) {
			refused++;
			stays(p, files);
		}
		files.log.data[at] ^= bit;
	}
	assert_true(refused > 200);
	put(p, files);
	assert_int_equal(read_all(p), 40);
	drop(&files);
}

static void a_log_cut_anywhere_keeps_a_beginning(void **state)
{
	struct place *p = *state;
	struct pair files;
	int64_t last = 10;

	make(p, 10, 30);
	files = take(p);
	for (size_t size = 0; size < files.log.size; size += 1013) {
		struct pair cut = { files.db, { files.log.data, size } };
		int64_t result;

		put(p, cut);
		result = read_all(p);
		assert_true(result >= last && result <= 40);
		last = result;
	}
	assert_true(last >= 39);
	drop(&files);
}

static void a_file_cut_anywhere_is_refused_and_stays(void **state)
{
	struct place *p = *state;
	struct pair files;

	make(p, 100, 0);
	files = take(p);
	for (size_t size = 0; size < files.db.size; size += size < 5000 ? 499 : 2048) {
		struct pair cut = { { files.db.data, size }, { NULL, 0 } };
		int64_t result;

		put(p, cut);
		result = read_all(p);
		if (result != ERR_CORRUPT && !(result == ERR_AUTH && size < PAGE_BYTES))
			fail_msg("cut to %zu: %d", size, (int)result);
		stays(p, cut);
	}
	drop(&files);
}

/* Two tables of one page each: exchanged, they would make a sane database that lies. */
static void the_pages_of_two_tables_cannot_be_exchanged(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p);
	uint8_t page[PAGE_BYTES], *one, *two;
	struct pair files;
	struct statement *s;
	int64_t at_one, at_two;

	assert_int_equal(db_exec(db, "CREATE TABLE one(x); CREATE TABLE two(x);"
				     "INSERT INTO one VALUES(1); INSERT INTO two VALUES(2)"),
			 0);
	s = db_sql(db, "SELECT (SELECT rootpage FROM sqlite_schema WHERE name = 'one'),"
		       "(SELECT rootpage FROM sqlite_schema WHERE name = 'two')");
	assert_int_equal(db_step(s), 1);
	at_one = column_int(s, 0);
	at_two = column_int(s, 1);
	db_close(db);
	files = take(p);
	one = files.db.data + (at_one - 1) * PAGE_BYTES;
	two = files.db.data + (at_two - 1) * PAGE_BYTES;
	memcpy(page, one, PAGE_BYTES);
	memcpy(one, two, PAGE_BYTES);
	memcpy(two, page, PAGE_BYTES);
	put(p, files);
	db = open_at(p);
	s = db_sql(db, "SELECT x FROM one");
	assert_int_equal(db_step(s), ERR_CORRUPT);
	db_close(db);
	drop(&files);
}

static void pages_cannot_change_places(void **state)
{
	struct place *p = *state, elsewhere = *p;
	struct pair files, foreign;
	uint8_t page[PAGE_BYTES];

	make(p, 100, 0);
	files = take(p);
	memcpy(page, files.db.data + PAGE_BYTES, PAGE_BYTES);
	memcpy(files.db.data + PAGE_BYTES, files.db.data + 2 * PAGE_BYTES, PAGE_BYTES);
	memcpy(files.db.data + 2 * PAGE_BYTES, page, PAGE_BYTES);
	put(p, files);
	assert_int_equal(read_all(p), ERR_CORRUPT);
	/* Nor can a page come from a store under another key. */
	memcpy(files.db.data + 2 * PAGE_BYTES, files.db.data + PAGE_BYTES, PAGE_BYTES);
	snprintf(elsewhere.path, sizeof elsewhere.path, "%s", p->other);
	snprintf(elsewhere.log, sizeof elsewhere.log, "%s-wal", p->other);
	elsewhere.config.path = elsewhere.path;
	elsewhere.config.key = &other_key;
	make(&elsewhere, 100, 0);
	foreign = take(&elsewhere);
	memcpy(files.db.data + PAGE_BYTES, foreign.db.data + PAGE_BYTES, PAGE_BYTES);
	put(p, files);
	assert_int_equal(read_all(p), ERR_CORRUPT);
	drop(&files);
	drop(&foreign);
}

static void a_journal_put_beside_the_store_is_not_played_back(void **state)
{
	struct place *p = *state;
	char journal[112];
	struct image planted = { calloc(1, 8192), 8192 };

	make(p, 20, 0);
	/* A hot journal by SQLite's rules: header, then one page to be written back. */
	memcpy(planted.data, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
	planted.data[11] = 1;    /* pages in it */
	planted.data[19] = 1;    /* size of the database then */
	planted.data[22] = 2;    /* sector size 512 */
	planted.data[26] = 0x10; /* page size 4096 */
	planted.data[512 + 3] = 1;
	snprintf(journal, sizeof journal, "%s-journal", p->path);
	store(journal, planted);
	assert_int_equal(read_all(p), 20);
	assert_int_equal(access(journal, F_OK), 0); /* nor is it removed: it is not ours */
	free(planted.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(a_damaged_first_page_is_told_from_another_key),
		IN_PLACE(a_torn_first_page_is_healed_from_the_log),
		IN_PLACE(any_flipped_bit_in_the_file_is_found),
		IN_PLACE(a_flipped_bit_in_the_log_loses_no_finished_message_in_silence),
		IN_PLACE(a_log_cut_anywhere_keeps_a_beginning),
		IN_PLACE(a_file_cut_anywhere_is_refused_and_stays),
		IN_PLACE(the_pages_of_two_tables_cannot_be_exchanged),
		IN_PLACE(pages_cannot_change_places),
		IN_PLACE(a_journal_put_beside_the_store_is_not_played_back),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
