/* How far chains are read: theirs by us, ours by them. */
#include "peer/account.h"
#include "peer/conversations_inside.h"
#include "shared/error.h"

void conversations_count_unread(struct conversations *c, struct person *p)
{
	struct statement *s = db_sql(
		db_of(c), "SELECT count(*) FROM message AS m CROSS JOIN chain"
			  " ON chain.id = m.chain WHERE m.contact = ? AND m.place > ?"
			  " AND m.is_ours = 0 AND m.kind <> 7 AND m.seq >= chain.read"
			  " AND " ENTRY_IS_SHOWN("m"));

	bind_int(s, 1, p->id);
	bind_int(s, 2, (int64_t)p->read_up_to);
	if (db_step(s) == 1) {
		p->conversation->unread = (uint64_t)column_int(s, 0);
		p->conversation->is_dirty = true;
	}
	db_done(s);
}

bool conversations_read(struct conversations *c, struct person *p, uint64_t up_to)
{
	struct statement *s;
	int changed;

	if (up_to > INT64_MAX)
		up_to = INT64_MAX;
	if (up_to <= p->read_up_to)
		return false;
	p->read_up_to = up_to;
	store_write(c->rooms->store);
	s = db_sql(db_of(c),
		   "UPDATE chain SET read = new.next FROM"
		   " (SELECT m.chain AS chain, max(m.seq) + 1 AS next"
		   "  FROM conversation, chain, message AS m WHERE conversation.contact = ?1"
		   "  AND chain.conversation = conversation.id AND m.chain = chain.id"
		   "  AND m.seq >= chain.read AND m.is_ours = 0 AND m.id <= ?2"
		   "  GROUP BY m.chain) AS new WHERE chain.id = new.chain");
	bind_int(s, 1, p->id);
	bind_int(s, 2, (int64_t)up_to);
	changed = store_run(c->rooms->store, s);
	conversations_count_unread(c, p);
	return changed > 0;
}

/* What stands in the store of a chain of the conversation of now. */
struct place {
	int64_t id;
	bool is_ours; /* another device of ours said it */
	uint64_t next, delivered, read;
};

static bool find(struct conversations *c, const struct person *p,
		 const struct device_public *author, struct place *at)
{
	struct statement *s = db_sql(db_of(c), "SELECT id, is_ours, next, delivered, read"
					       " FROM chain WHERE conversation = ?"
					       " AND author = ?");
	bool is_here;

	bind_int(s, 1, p->conversation->id);
	bind_bytes(s, 2, BYTES(author->bytes));
	is_here = db_step(s) == 1;
	if (is_here)
		*at = (struct place){ column_int(s, 0), column_int(s, 1),
				      (uint64_t)column_int(s, 2), (uint64_t)column_int(s, 3),
				      (uint64_t)column_int(s, 4) };
	db_done(s);
	return is_here;
}

/* What the chain goes up to here; history may have brought more than was heard. Who says that they have read
 * further may be a stolen device: nothing may be read that was not said yet. */
static uint64_t end_of(struct conversations *c, const struct place *at)
{
	struct statement *s = db_sql(db_of(c), "SELECT max(seq) FROM message WHERE chain = ?");
	uint64_t last = 0;

	bind_int(s, 1, at->id);
	if (db_step(s) == 1)
		last = (uint64_t)column_int(s, 0);
	db_done(s);
	return at->next > last ? at->next : last + 1;
}

/* The newest line that became so. */
static uint64_t newest(struct conversations *c, const struct place *at, uint64_t next)
{
	struct statement *s = db_sql(db_of(c), "SELECT max(m.id) FROM message AS m"
					       " WHERE m.chain = ? AND m.seq >= ?"
					       " AND m.seq < ? AND " ENTRY_IS_SHOWN("m"));
	uint64_t id = 0;

	bind_int(s, 1, at->id);
	bind_int(s, 2, (int64_t)at->read);
	bind_int(s, 3, (int64_t)next);
	if (db_step(s) == 1)
		id = (uint64_t)column_int(s, 0);
	db_done(s);
	return id;
}

static void write_read(struct conversations *c, const struct place *at, uint64_t next)
{
	struct statement *s;

	store_write(c->rooms->store);
	s = db_sql(db_of(c), "UPDATE chain SET read = ? WHERE id = ?");
	bind_int(s, 1, (int64_t)next);
	bind_int(s, 2, at->id);
	store_run(c->rooms->store, s);
}

enum read_heard conversations_hear_read(struct conversations *c, struct person *p,
					const struct device_public *author, uint64_t next,
					bool is_by_us, bool *is_ours, uint64_t *id)
{
	bool is_this = device_public_equal(author, account_device(c->rooms->account));
	enum read_heard heard = READ_NEW;
	struct place at;
	uint64_t most;

	*is_ours = false;
	*id = 0;
	if (!find(c, p, author, &at))
		return READ_LATER;
	if (is_this) {
		at.is_ours = true;
		at.next = p->conversation->ours.next;
		at.delivered = p->conversation->delivered;
	}
	if (!at.is_ours && !is_by_us)
		return READ_WRONG;
	*is_ours = at.is_ours;
	most = !at.is_ours ? end_of(c, &at) : at.delivered < at.next ? at.delivered : at.next;
	if (next > most) {
		next = most;
		heard = READ_LATER;
	}
	if (next <= at.read)
		return heard == READ_LATER ? heard : READ_KNOWN;
	*id = newest(c, &at, next);
	write_read(c, &at, next);
	if (!at.is_ours)
		conversations_count_unread(c, p);
	return heard == READ_LATER ? READ_PARTLY : READ_NEW;
}

int conversations_reads(struct conversations *c, const struct person *p, bool with_ours,
			conversations_each_read *each, void *user)
{
	const struct device_public *us = account_device(c->rooms->account);
	struct statement *s = db_sql(db_of(c), "SELECT author, is_ours, read FROM chain"
					       " WHERE conversation = ? AND read > 1"
					       " AND read < ?");
	int err;

	bind_int(s, 1, p->conversation->id);
	bind_int(s, 2, (int64_t)CHAIN_MAX);
	while ((err = db_step(s)) == 1) {
		struct device_public author;

		if (column_copy(s, 0, author.bytes, sizeof author.bytes) < 0)
			continue;
		if (!with_ours && (column_int(s, 1) || device_public_equal(&author, us)))
			continue;
		if (!each(user, &author, (uint64_t)column_int(s, 2)))
			break;
	}
	db_done(s);
	return err < 0 ? err : 0;
}
