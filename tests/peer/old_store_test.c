/* Stores of versions before, with a history, are brought up to date and lose nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer/engine.h"
#include "peer/store.h"
#include "shared/error.h"
#include "tests/scratch.h"

enum { MESSAGES = 100000 };
static const struct symmetric_key key = { "0123456789abcdef0123456789abcdef" };

/* As they stood in it. */
static const char *const of_0_2[] = {
	"CREATE TABLE account("
	"	one INTEGER PRIMARY KEY CHECK (one = 1),"
	"	standing INTEGER NOT NULL,"
	"	name TEXT, host TEXT, port INTEGER,"
	"	directory_key BLOB, is_pinned_on_trust INTEGER NOT NULL DEFAULT 0,"
	"	identity_public BLOB, identity_secret BLOB,"
	"	device_public BLOB NOT NULL, device_secret BLOB NOT NULL,"
	"	certificate BLOB, knock BLOB NOT NULL);"
	"CREATE TABLE contact("
	"	id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	"	state INTEGER NOT NULL, is_removed INTEGER NOT NULL DEFAULT 0,"
	"	identity BLOB, new_identity BLOB, is_verified INTEGER NOT NULL DEFAULT 0,"
	"	last_seen INTEGER NOT NULL DEFAULT 0, read_up_to INTEGER NOT NULL DEFAULT 0,"
	"	greeting TEXT, our_greeting TEXT);"
	"CREATE TABLE conversation("
	"	id INTEGER PRIMARY KEY, contact INTEGER NOT NULL, identity BLOB,"
	"	delivered INTEGER NOT NULL DEFAULT 1);"
	"CREATE INDEX conversation_contact ON conversation(contact, id);"
	"CREATE TABLE chain("
	"	id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, author BLOB NOT NULL,"
	"	next INTEGER NOT NULL, last BLOB NOT NULL, UNIQUE (conversation, author));"
	"CREATE TABLE message("
	"	id INTEGER PRIMARY KEY, contact INTEGER NOT NULL, chain INTEGER NOT NULL,"
	"	seq INTEGER NOT NULL, is_ours INTEGER NOT NULL,"
	"	sent_at INTEGER NOT NULL, arrived_at INTEGER NOT NULL,"
	"	kind INTEGER NOT NULL, reply_to INTEGER NOT NULL, previous BLOB, body BLOB NOT "
	"NULL);"
	"CREATE INDEX message_contact ON message(contact, id);"
	"CREATE UNIQUE INDEX message_once ON message(chain, seq);"
	"CREATE TABLE owed("
	"	conversation INTEGER NOT NULL, device BLOB NOT NULL, next INTEGER NOT NULL,"
	"	has_acked INTEGER NOT NULL, PRIMARY KEY (conversation, device)) WITHOUT ROWID;"
	"CREATE TABLE event("
	"	id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT,"
	"	is_online INTEGER NOT NULL, account INTEGER NOT NULL, message INTEGER NOT NULL,"
	"	remote BLOB, round_trip INTEGER NOT NULL, greeting TEXT, detail TEXT);",
	/* Counting what is unread anew at every start would take longer with every message. */
	"ALTER TABLE conversation ADD COLUMN unread INTEGER NOT NULL DEFAULT 0;"
	"UPDATE conversation SET unread = (SELECT count(*) FROM message, contact"
	"	WHERE contact.id = conversation.contact AND message.contact = contact.id"
	"	AND message.id > contact.read_up_to AND message.is_ours = 0);"
	"CREATE TABLE directory(one INTEGER PRIMARY KEY CHECK (one = 1), token BLOB NOT NULL);",
	/* Several devices, and the vault that they share. A chain may be one of our other devices'
	 * (is_ours): how far that one is delivered it tells us. A conversation is of two
	 * identities: theirs, and `ours`. */
	"ALTER TABLE account ADD COLUMN devices BLOB;"
	"ALTER TABLE account ADD COLUMN recovery BLOB;"
	"ALTER TABLE account ADD COLUMN requests INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE account ADD COLUMN settings_stamp INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE account ADD COLUMN is_recovery_offered INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE account ADD COLUMN next_identity BLOB;"
	"ALTER TABLE account ADD COLUMN is_next_ours INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE vault("
	"	one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB NOT NULL,"
	"	version INTEGER NOT NULL, is_due INTEGER NOT NULL);"
	"ALTER TABLE contact ADD COLUMN devices BLOB;"
	"ALTER TABLE contact ADD COLUMN stamp INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE contact ADD COLUMN is_change_signed INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE conversation ADD COLUMN ours BLOB;"
	"UPDATE conversation SET ours = (SELECT identity_public FROM account);"
	"ALTER TABLE chain ADD COLUMN is_ours INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE chain ADD COLUMN delivered INTEGER NOT NULL DEFAULT 1;",
	/* Where people are, as they signed it; forwarding addresses that contacts left with us; who
	 * may have ours, and whether we relay. */
	"CREATE TABLE address("
	"	contact INTEGER NOT NULL, device BLOB NOT NULL, number INTEGER NOT NULL,"
	"	record BLOB, seen BLOB, PRIMARY KEY (contact, device)) WITHOUT ROWID;"
	"CREATE TABLE forwarding("
	"	device BLOB PRIMARY KEY, contact INTEGER NOT NULL, number INTEGER NOT NULL,"
	"	kept_at INTEGER NOT NULL, record BLOB NOT NULL, readers BLOB NOT NULL) WITHOUT "
	"ROWID;"
	"ALTER TABLE contact ADD COLUMN consent INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE own_record(one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT "
	"NULL);"
	"CREATE TABLE relay(one INTEGER PRIMARY KEY CHECK (one = 1), rate INTEGER NOT NULL);",
};

static char path[300];

static void exec(struct db *db, const char *sql)
{
	assert_int_equal(db_exec(db, sql), 0);
}

/* As it was when so many of those had been made. */
static struct db *open_old(unsigned migrations)
{
	const struct db_config config = {
		.path = path, .key = &key, .migrations = of_0_2, .migration_count = migrations
	};
	struct db *db;

	snprintf(path, sizeof path, "%s/of_%u.db", scratch, migrations);
	assert_int_equal(db_open(&db, &config, NULL, 0), 0);
	return db;
}

/* Bob said every second one; every tenth replies to the one before. Ours are delivered but for the last. */
static void write_old(void)
{
	struct db *db = open_old(sizeof of_0_2 / sizeof *of_0_2);

	assert_int_equal(db_begin(db), 0);
	exec(db, "INSERT INTO contact(id, name, state, read_up_to) VALUES(2, 'bob', 2, 99990);"
		 "INSERT INTO conversation(id, contact, identity, delivered)"
		 " VALUES(1, 2, randomblob(32), 50000);"
		 "INSERT INTO chain(id, conversation, author, next, last)"
		 " VALUES(1, 1, randomblob(32), 50001, randomblob(32)),"
		 " (2, 1, randomblob(32), 50001, randomblob(32));"
		 "INSERT INTO event VALUES(100001, 7, 'bob', 1, 0, 5, NULL, 0, '', 'a word')");
	for (int id = 1; id <= MESSAGES; id++) {
		struct statement *s = db_sql(
			db, "INSERT INTO message(id, contact, chain, seq, is_ours,"
			    " sent_at, arrived_at, kind, reply_to, previous, body)"
			    " VALUES(?1,2,?2,?3,?4,?5,?5,1,?6,NULL,?7)");
		char text[64];

		snprintf(text, sizeof text, "message number %d%s", id,
			 id == 4711 ? " needle" : "");
		bind_int(s, 1, id);
		bind_int(s, 2, 1 + id % 2);
		bind_int(s, 3, (id + 1) / 2);
		bind_int(s, 4, id % 2);
		bind_int(s, 5, 1700000000000 + id);
		bind_int(s, 6, id % 10 == 0 ? id - 1 : 0);
		bind_bytes(s, 7, bytes_text(text));
		assert_int_equal(db_run(s), 1);
	}
	assert_int_equal(db_commit(db), 0);
	db_close(db);
}

struct walked {
	unsigned count, replies;
	uint64_t last;
	bool is_wrong;
};

static bool on_message(void *user, const struct message *m)
{
	struct walked *w = user;
	char text[64];

	snprintf(text, sizeof text, "message number %llu%s", (unsigned long long)m->id,
		 m->id == 4711 ? " needle" : "");
	w->is_wrong |= m->id != w->last + 1 || m->kind != MESSAGE_TEXT || m->is_gone ||
		       !bytes_equal(m->text, bytes_text(text)) ||
		       m->is_ours != (m->id % 2 == 1) ||
		       m->reply_to != (m->id % 10 ? 0 : m->id - 1) || m->is_reply_missing;
	w->last = m->id;
	w->replies += m->reply_to != 0;
	w->count++;
	return true;
}

static bool on_hit(void *user, const struct hit *hit)
{
	*(uint64_t *)user = hit->message.id;
	return true;
}

static void every_message_is_there_and_is_found(void **state)
{
	const struct engine_config config = { .store = path, .key = &key };
	struct walked w = { 0 };
	struct engine *e;
	uint64_t hit = 0;
	char reason[256] = "";

	(void)state;
	write_old();
	for (int round = 0; round < 2; round++) {
		mono_ns now = 1000 * SECOND;

		assert_int_equal(
			engine_open(&e, &config, now, 1800000000000, reason, sizeof reason), 0);
		memset(&w, 0, sizeof w);
		for (unsigned before = 1; w.count != before;) {
			before = w.count;
			assert_int_equal(
				engine_history_after(e, "bob", w.last, 1000, on_message, &w),
				0);
		}
		assert_int_equal(w.count, MESSAGES);
		assert_int_equal(w.replies, MESSAGES / 10);
		assert_false(w.is_wrong);
		/* Before anything is indexed, then while it is, then when all is. */
		for (int i = 0; i < 700; i++) {
			struct search_at at = { 0 };
			int more = i % 100 == 0;

			hit = 0;
			while (more > 0)
				more = engine_search(e, "needle 4711", "bob", 0, 9, &at, on_hit,
						     &hit);
			assert_int_equal(more, 0);
			if (i % 100 == 0)
				assert_int_equal(hit, 4711);
			engine_step(e, now += SECOND, 1800000000000 + i * 1000);
		}
		engine_close(e);
	}
}

static int64_t number_of(struct store *s, const char *sql)
{
	struct statement *q = db_sql(store_db(s), sql);
	int64_t number;

	assert_int_equal(db_step(q), 1);
	number = column_int(q, 0);
	db_done(q);
	return number;
}

/* The store at `path`, which becomes one of today where it is old. */
static struct store *open_new(void)
{
	char reason[256] = "";
	struct store *s;

	if (store_open(&s, path, &key, true, reason, sizeof reason) < 0)
		fail_msg("%s", reason);
	return s;
}

static void the_oldest_store_gets_its_count_of_what_is_unread(void **state)
{
	struct db *db = open_old(1);
	struct store *s;

	(void)state;
	exec(db, "INSERT INTO contact(id, name, state, read_up_to) VALUES(1, 'bob', 3, 5);"
		 "INSERT INTO conversation(id, contact, identity, delivered)"
		 " VALUES(1, 1, randomblob(32), 0);"
		 "INSERT INTO message(id, contact, chain, seq, is_ours, sent_at, arrived_at,"
		 " kind, reply_to, body) VALUES(5, 1, 1, 1, 0, 0, 0, 1, 0, ''),"
		 " (6, 1, 1, 2, 0, 0, 0, 1, 0, ''), (7, 1, 2, 1, 1, 0, 0, 1, 0, ''),"
		 " (8, 1, 1, 3, 0, 0, 0, 1, 6, '')");
	db_close(db);
	s = open_new();
	assert_int_equal(number_of(s, "SELECT unread FROM conversation"), 2);
	assert_int_equal(number_of(s, "SELECT place FROM message WHERE id = 8"), 8);
	assert_int_equal(number_of(s, "SELECT target FROM message WHERE id = 8"), 6);
	store_close(s);
}

/* There a message had only the name of the program that said it, as bytes. */
static void what_a_program_said_stays_its_own(void **state)
{
	struct store *s;

	(void)state;
	snprintf(path, sizeof path, "%s/of_0_3.db", scratch);
	s = open_new();
	exec(store_db(s),
	     "INSERT INTO bot(id, name, token, names, may, rate, expires, created,"
	     " seen, acknowledged) VALUES(7, 'echo', x'00', '*', 3, 20, 0, 1000,"
	     " 0, 0);"
	     "INSERT INTO message(id, contact, chain, seq, is_ours, sent_at,"
	     " arrived_at, kind, reply_to, body, place, bot) VALUES"
	     " (1, 1, 1, 1, 1, 2000, 2000, 1, 0, '', 1, CAST('echo' AS BLOB)),"
	     /* of one before it, of one of theirs, of one that is gone, of a person */
	     " (2, 1, 1, 2, 1, 999, 999, 1, 0, '', 2, CAST('echo' AS BLOB)),"
	     " (3, 1, 2, 1, 0, 2000, 2000, 1, 0, '', 3, CAST('echo' AS BLOB)),"
	     " (4, 1, 1, 3, 1, 2000, 2000, 1, 0, '', 4, CAST('gone' AS BLOB)),"
	     " (5, 1, 1, 4, 1, 2000, 2000, 1, 0, '', 5, NULL);"
	     "ALTER TABLE message DROP COLUMN speaker;"
	     "ALTER TABLE bot DROP COLUMN first;"
	     "DROP TABLE dropped;"
	     "PRAGMA user_version = 13");
	store_close(s);
	s = open_new();
	assert_int_equal(number_of(s, "SELECT speaker FROM message WHERE id = 1"), 7);
	assert_int_equal(number_of(s, "SELECT count(*) FROM message WHERE speaker > 0"), 1);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_store_gets_its_count_of_what_is_unread),
		cmocka_unit_test(every_message_is_there_and_is_found),
		cmocka_unit_test(what_a_program_said_stays_its_own),
	};

	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
