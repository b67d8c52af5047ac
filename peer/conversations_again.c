/* What a device says again behind a key change, and is here already. The end of each chain of a conversation that
 * is over stands in a table, by time and contents: a look there costs the same whatever was said before. */
#include <sodium.h>
#include <string.h>

#include "peer/account.h"
#include "peer/conversations_inside.h"
#include "shared/error.h"

/* What a device says again is near the end of what it said before: a contact's may not know of what was
 * acknowledged within a moment (OUTBOX_SAVE) of it. A chain of our own other device is no measure
 * either: what was moved to another conversation, and the chain was found again, counts as delivered
 * in both. */
enum { UNCONFIRMED_MAX = 4096 };
enum {
	GONE_LOOKS_MAX = 256
}; /* entries of one moment, of which one may have lost its body since */

static int64_t digest_of(enum say_kind kind, struct bytes body)
{
	uint8_t first = (uint8_t)kind, hash[crypto_generichash_BYTES_MIN];
	crypto_generichash_state state;
	int64_t digest;

	crypto_generichash_init(&state, NULL, 0, sizeof hash);
	crypto_generichash_update(&state, &first, 1);
	crypto_generichash_update(&state, body.data, body.size);
	crypto_generichash_final(&state, hash, sizeof hash);
	memcpy(&digest, hash, sizeof digest);
	return digest;
}

static void note(struct conversations *c, const struct device_public *author, wall_ms sent_at,
		 enum say_kind kind, struct bytes body, uint64_t id)
{
	struct statement *s = db_sql(db_of(c), "INSERT OR IGNORE INTO again(author, sent_at,"
					       " digest, message) VALUES(?,?,?,?)");

	bind_bytes(s, 1, BYTES(author->bytes));
	bind_int(s, 2, sent_at);
	bind_int(s, 3, digest_of(kind, body));
	bind_int(s, 4, (int64_t)id);
	store_run(c->rooms->store, s);
}

static int note_end(struct conversations *c, int64_t chain, const struct device_public *author)
{
	struct statement *s = db_sql(
		db_of(c),
		"SELECT m.id, m.sent_at, m.kind, m.body FROM (SELECT id, is_ours, delivered,"
		" max(next, coalesce((SELECT max(seq) + 1 FROM message WHERE chain = ?1), 1))"
		" AS stop FROM chain WHERE id = ?1) AS c CROSS JOIN message AS m"
		" WHERE m.chain = ?1 AND m.seq >="
		" min(c.stop - ?2, CASE WHEN c.is_ours THEN c.delivered ELSE c.stop END)");

	bind_int(s, 1, chain);
	bind_int(s, 2, UNCONFIRMED_MAX);
	while (db_step(s) == 1)
		note(c, author, column_int(s, 1), (enum say_kind)column_int(s, 2),
		     column_bytes(s, 3), (uint64_t)column_int(s, 0));
	db_done(s);
	s = db_sql(db_of(c), "UPDATE chain SET is_over = 1 WHERE id = ?");
	bind_int(s, 1, chain);
	return store_run(c->rooms->store, s);
}

void again_recalled(struct conversations *c, const struct chain *chain,
		    const struct wire_say *say, uint64_t id)
{
	struct statement *s = db_sql(db_of(c), "SELECT max(seq) FROM message WHERE chain = ?");
	uint64_t last = 0;

	bind_int(s, 1, chain->id);
	if (db_step(s) == 1)
		last = (uint64_t)column_int(s, 0);
	db_done(s);
	c->past++;
	if (say->seq + UNCONFIRMED_MAX > last)
		note(c, &say->author, say->time, say->kind, say->body, id);
}

/* A chain of the author in a conversation before, which is not in the table; else 0. */
static int64_t next_over(struct conversations *c, const struct person *p,
			 const struct device_public *author, bool *has_before)
{
	struct statement *s = db_sql(
		db_of(c),
		"SELECT chain.id, chain.is_over FROM conversation AS v CROSS JOIN chain"
		" ON chain.conversation = v.id WHERE v.contact = ? AND v.id < ?"
		" AND chain.author = ? ORDER BY chain.is_over LIMIT 1");
	int64_t chain = 0;

	bind_int(s, 1, p->id);
	bind_int(s, 2, p->conversation->id);
	bind_bytes(s, 3, BYTES(author->bytes));
	*has_before = db_step(s) == 1;
	if (*has_before && !column_int(s, 1))
		chain = column_int(s, 0);
	db_done(s);
	return chain;
}

/* Whether the author has said anything in a conversation before: looked up once for a chain, and when
 * something came there since. */
static bool has_before(struct conversations *c, const struct person *p, struct chain *chain,
		       const struct device_public *author)
{
	int64_t before;

	if (chain->looked_at == c->past)
		return chain->has_before;
	while ((before = next_over(c, p, author, &chain->has_before)) != 0) {
		if (note_end(c, before, author) < 0)
			return false; /* and so will the commit */
	}
	chain->looked_at = c->past;
	return chain->has_before;
}

/* A row that was found, and is in a conversation before still. */
#define FOUND                                                                                  \
	"SELECT m.id, a.digest FROM again AS a CROSS JOIN message AS m ON m.id = a.message"    \
	" CROSS JOIN chain ON chain.id = m.chain"                                              \
	" CROSS JOIN conversation AS v ON v.id = chain.conversation"                           \
	" WHERE a.author = ?1 AND a.sent_at = ?2 AND m.contact = ?3 AND m.sent_at = ?2"        \
	" AND chain.author = ?1 AND chain.is_ours = ?4 AND v.id < ?5"

/* What has lost its body since, at either, is known by its time alone; if several are of that moment, by
 * having lost it here, too. */
static uint64_t find(struct conversations *c, const struct person *p, const struct chain *chain,
		     const struct wire_say *say, int64_t *digest)
{
	bool is_gone = say->kind == SAY_GONE;
	struct statement *s;
	uint64_t id = 0;

	if (is_gone)
		s = db_sql(db_of(c), "SELECT id, digest FROM (SELECT * FROM (" FOUND
				     " LIMIT ?6) JOIN message USING (id))"
				     " ORDER BY kind <> 7, id LIMIT 1");
	else
		s = db_sql(db_of(c), FOUND " AND a.digest = ?6 AND m.kind = ?7 AND m.body = ?8"
					   " ORDER BY m.id LIMIT 1");
	bind_bytes(s, 1, BYTES(say->author.bytes));
	bind_int(s, 2, say->time);
	bind_int(s, 3, p->id);
	bind_int(s, 4, chain->is_ours);
	bind_int(s, 5, p->conversation->id);
	bind_int(s, 6, is_gone ? GONE_LOOKS_MAX : digest_of(say->kind, say->body));
	if (!is_gone) {
		bind_int(s, 7, say->kind);
		bind_bytes(s, 8, say->body);
	}
	if (db_step(s) == 1) {
		id = (uint64_t)column_int(s, 0);
		*digest = column_int(s, 1);
	}
	db_done(s);
	return id;
}

uint64_t again_find(struct conversations *c, const struct person *p, struct chain *chain,
		    const struct wire_say *say, struct bytes about)
{
	struct statement *s;
	int64_t digest = 0;
	uint64_t id;

	if (!has_before(c, p, chain, &say->author))
		return 0;
	id = find(c, p, chain, say, &digest);
	if (id == 0)
		return 0;
	s = db_sql(db_of(c), "UPDATE message SET chain = ?, seq = ?, about = ? WHERE id = ?");
	bind_int(s, 1, chain->id);
	bind_int(s, 2, (int64_t)say->seq);
	if (about.size > 0)
		bind_bytes(s, 3, about);
	bind_int(s, 4, (int64_t)id);
	store_run(c->rooms->store, s);
	s = db_sql(db_of(c), "DELETE FROM again WHERE author = ? AND sent_at = ? AND digest = ?"
			     " AND message = ?");
	bind_bytes(s, 1, BYTES(say->author.bytes));
	bind_int(s, 2, say->time);
	bind_int(s, 3, digest);
	bind_int(s, 4, (int64_t)id);
	store_run(c->rooms->store, s);
	return id;
}
