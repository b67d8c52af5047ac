#include "peer/store.h"

#include <assert.h>
#include <stdlib.h>

#include "shared/error.h"
#include "shared/wire.h"

/* They stand in ENTRY_IS_SHOWN. */
static_assert(SAY_EDIT == 2 && SAY_RETRACT == 3 && SAY_REACT == 4 && SAY_TIMER == 6 &&
		      ENTRY_SILENT == 8,
	      "the numbers in ENTRY_IS_SHOWN, in queries and in an index of the store");

struct store {
	struct db *db;
	int err; /* the first failure in this transaction */
};

/* A message's id is that of its event: faces resume with one number, and a message is not
 * written twice. A chain is what one device said in one conversation; ours is one of them.
 * `delivered`: everything we said below it is at a device of the contact. `owed`: the same
 * for each device. */
static const char *const migrations[] = {
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
	/* Entries of chains that are about others. `place` orders a conversation: the id, but for history that
	 * came in later. `about` names what an entry is about as the wire does (author, seq), target
	 * the row here, once it is here. `edit`: the entry that holds the text of now. `reply_to` is 0 from here
	 * on: to drop it would write every row anew. In rows of before it tells that they were hashed with a
	 * name of what they reply to which stands nowhere (conversations_said()). */
	"ALTER TABLE message ADD COLUMN place INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN about BLOB;"
	"ALTER TABLE message ADD COLUMN target INTEGER;"
	"ALTER TABLE message ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN life INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN expires INTEGER;"
	"ALTER TABLE message ADD COLUMN edit INTEGER;"
	"UPDATE message SET place = id, target = nullif(reply_to, 0);"
	"DROP INDEX message_contact;"
	"CREATE INDEX message_place ON message(contact, place)"
	"	WHERE kind NOT BETWEEN 2 AND 4 AND kind <> 6 AND (flags & 8) = 0;" /* ENTRY_IS_SHOWN */
	"CREATE INDEX message_expires ON message(expires) WHERE expires IS NOT NULL;"
	"CREATE INDEX message_untargeted ON message(about, kind)"
	"	WHERE about IS NOT NULL AND target IS NULL;"
	"CREATE TABLE reaction("
	"	message INTEGER NOT NULL, is_ours INTEGER NOT NULL, time INTEGER NOT NULL,"
	"	entry INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (message, is_ours)) "
	"WITHOUT ROWID;"
	"CREATE TABLE gap("
	"	chain INTEGER NOT NULL, first INTEGER NOT NULL, next INTEGER NOT NULL,"
	"	PRIMARY KEY (chain, next)) WITHOUT ROWID;"
	"ALTER TABLE event ADD COLUMN change INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE chain ADD COLUMN read INTEGER NOT NULL DEFAULT 1;"
	"ALTER TABLE contact ADD COLUMN tells_read INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE contact ADD COLUMN keep_days INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE contact ADD COLUMN our_timer INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE contact ADD COLUMN our_timer_at INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE contact ADD COLUMN their_timer INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE contact ADD COLUMN their_timer_at INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE setting(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;",
	/* Files: ours that others may fetch, theirs that we fetch. `done` bytes of the contents are
	 * on disk in `part`. */
	"CREATE TABLE file("
	"	id BLOB PRIMARY KEY, message INTEGER NOT NULL, contact INTEGER NOT NULL,"
	"	is_ours INTEGER NOT NULL, state INTEGER NOT NULL, error INTEGER NOT NULL "
	"DEFAULT 0,"
	"	size INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0, changed_at INTEGER NOT "
	"NULL,"
	"	path TEXT, part TEXT, folder TEXT, modified INTEGER NOT NULL DEFAULT 0,"
	"	flags INTEGER NOT NULL DEFAULT 0, hash BLOB, manifest BLOB,"
	"	files INTEGER NOT NULL DEFAULT 0, manifest_size INTEGER NOT NULL DEFAULT 0,"
	"	name TEXT, thumbnail BLOB) WITHOUT ROWID;"
	"CREATE INDEX file_message ON file(message);"
	"CREATE INDEX file_active ON file(state) WHERE state < 7;",
	/* What people show of themselves; our own under contact 0. `picture` is checked, `said` is our own
	 * picture as it is told. Which of ours a device was seen to have. Whom we are invisible to. */
	"CREATE TABLE profile("
	"	contact INTEGER PRIMARY KEY, number INTEGER NOT NULL, availability INTEGER NOT "
	"NULL,"
	"	title TEXT NOT NULL, status TEXT NOT NULL, picture BLOB,"
	"	picture_hash BLOB, mark BLOB NOT NULL, said BLOB);"
	"CREATE TABLE shown(device BLOB PRIMARY KEY, contact INTEGER NOT NULL,"
	"	number INTEGER NOT NULL, mark BLOB NOT NULL) WITHOUT ROWID;"
	"ALTER TABLE contact ADD COLUMN is_hidden INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE account ADD COLUMN is_invisible INTEGER NOT NULL DEFAULT 0;",
	/* What is searched (peer/search.c), and up to which id it is indexed; history granted to own devices,
	 * and to us. Messages that will disappear once they are read; by how much the wall clock was before our
	 * own (peer/expiry.h) from which message on. */
	"CREATE VIRTUAL TABLE search USING fts5(body, who, content='', columnsize=0,"
	"	prefix='1 2 3', tokenize='unicode61 remove_diacritics 2');"
	"INSERT INTO search(search, rank) VALUES('automerge', 0);"
	"CREATE TABLE searched(one INTEGER PRIMARY KEY CHECK (one = 1), upto INTEGER NOT NULL,"
	"	is_untidy INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE leap(id INTEGER PRIMARY KEY, shift INTEGER NOT NULL);"
	"CREATE UNIQUE INDEX message_granted ON message(place) WHERE place <= 0;"
	"CREATE INDEX message_living ON message(contact, id)"
	"	WHERE kind <> 7 AND life > 0 AND expires IS NULL;"
	"CREATE TABLE given(device BLOB PRIMARY KEY, number INTEGER NOT NULL,"
	"	since INTEGER NOT NULL, upto INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE granted(device BLOB PRIMARY KEY, number INTEGER NOT NULL, at INTEGER NOT "
	"NULL,"
	"	is_over INTEGER NOT NULL) WITHOUT ROWID;",
	/* Thumbnails of others that wait to be looked at (peer/files_inside.h, FILE_UNCHECKED); once all that
	 * have none. And files of which those who offered them are to be told how they stand (FILE_UNTOLD). */
	"UPDATE file SET flags = flags | 64 WHERE thumbnail IS NULL AND (flags & 32) = 0;"
	"CREATE INDEX file_unchecked ON file(contact, message) WHERE flags & 64;"
	"CREATE INDEX file_untold ON file(contact, message) WHERE flags & 128;",
	/* Down to which place granted history is indexed. */
	"ALTER TABLE searched ADD COLUMN granted INTEGER NOT NULL DEFAULT 1;"
	"UPDATE searched SET granted = coalesce((SELECT min(place) FROM message"
	"	WHERE place <= 0 AND id <= upto), 1);",
	/* What may be said again (peer/conversations_again.c), of chains that are over. */
	"CREATE TABLE again("
	"	author BLOB NOT NULL, sent_at INTEGER NOT NULL, digest INTEGER NOT NULL,"
	"	message INTEGER NOT NULL, PRIMARY KEY (author, sent_at, digest, message)) "
	"WITHOUT ROWID;"
	"ALTER TABLE chain ADD COLUMN is_over INTEGER NOT NULL DEFAULT 0;",
	/* What another device said to have read, and was not said yet. */
	"UPDATE chain SET read = max(next, coalesce((SELECT max(seq) + 1 FROM message"
	"	WHERE message.chain = chain.id), 1)) WHERE read > max(next, coalesce("
	"	(SELECT max(seq) + 1 FROM message WHERE message.chain = chain.id), 1));",
	/* Programs: who they are, what they want to say; what they said, and shows as theirs. Of a token only the
	 * hash. `names`: a space around each, or "*". */
	"ALTER TABLE message ADD COLUMN bot TEXT;"
	"ALTER TABLE message ADD COLUMN buttons TEXT;"
	"ALTER TABLE profile ADD COLUMN is_bot INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE profile ADD COLUMN menu TEXT;"
	"CREATE TABLE bot("
	"	id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, token BLOB "
	"NOT NULL,"
	"	names TEXT NOT NULL, may INTEGER NOT NULL, rate INTEGER NOT NULL,"
	"	expires INTEGER NOT NULL, created INTEGER NOT NULL, seen INTEGER NOT NULL,"
	"	acknowledged INTEGER NOT NULL, menu TEXT);"
	"CREATE TABLE proposal("
	"	id INTEGER PRIMARY KEY AUTOINCREMENT, bot INTEGER NOT NULL, contact TEXT NOT "
	"NULL,"
	"	text TEXT NOT NULL, reply_to INTEGER NOT NULL, buttons TEXT, at INTEGER NOT "
	"NULL);"
	"CREATE INDEX proposal_bot ON proposal(bot);",
	/* Which of our programs said it: a name may be that of another one later. That in a message is
	 * bytes, which equal no text. */
	"ALTER TABLE message ADD COLUMN speaker INTEGER;"
	"UPDATE message SET speaker = (SELECT id FROM bot WHERE bot.name = CAST(message.bot AS "
	"TEXT)"
	"	AND bot.created <= message.arrived_at) WHERE is_ours = 1 AND bot IS NOT NULL;"
	/* The last event before it was made. */
	"ALTER TABLE bot ADD COLUMN first INTEGER NOT NULL DEFAULT 0;",
	/* What has come of files that nobody wants any more, until it is gone. */
	"CREATE TABLE dropped(part TEXT PRIMARY KEY, folder TEXT NOT NULL) WITHOUT ROWID;",
};

int store_open(struct store **out, const char *path, const struct symmetric_key *key,
	       bool durable, char *reason, size_t reason_size)
{
	struct db_config config = {
		.path = path,
		.key = key,
		.durable = durable,
		.migrations = migrations,
		.migration_count = sizeof migrations / sizeof *migrations,
	};
	struct db *db;
	int err = db_open(&db, &config, reason, reason_size);

	if (err < 0)
		return err;
	*out = memory_new(sizeof **out);
	(*out)->db = db;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (db_in_transaction(s->db))
		db_rollback(s->db);
	db_close(s->db);
	free(s);
}

struct db *store_db(struct store *s)
{
	return s->db;
}

void store_write(struct store *s)
{
	if (s->err == 0 && !db_in_transaction(s->db))
		store_failed(s, db_begin(s->db));
}

bool store_is_writing(const struct store *s)
{
	return s->err < 0 || db_in_transaction(s->db);
}

int store_run(struct store *s, struct statement *statement)
{
	int result;

	if (s->err < 0)
		return s->err;
	assert(db_in_transaction(s->db));
	result = db_run(statement);
	if (result < 0 && result != ERR_EXISTS)
		s->err = result;
	return result;
}

void store_failed(struct store *s, int err)
{
	if (err < 0 && s->err == 0)
		s->err = err;
}

int store_commit(struct store *s)
{
	int err = s->err, trouble = db_trouble(s->db);

	if (err == 0)
		err = trouble;
	if (err == 0 && db_in_transaction(s->db))
		err = db_commit(s->db);
	if (err < 0 && db_in_transaction(s->db))
		db_rollback(s->db);
	s->err = 0;
	return err;
}
