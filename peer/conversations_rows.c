/* The rows of conversations and chains, and a message of ours as it goes on the wire. */
#include <stdlib.h>

#include "peer/account.h"
#include "peer/conversations_inside.h"
#include "peer/events.h"
#include "shared/error.h"

void chain_read(struct conversations *c, int64_t conversation,
		const struct device_public *author, struct chain *chain)
{
	struct statement *s = db_sql(db_of(c), "SELECT id, next, last, delivered FROM chain"
					       " WHERE conversation = ? AND author = ?");
	int err;

	*chain = (struct chain){ .next = 1, .delivered = 1, .told = 1 };
	bind_int(s, 1, conversation);
	bind_bytes(s, 2, BYTES(author->bytes));
	err = db_step(s);
	if (err == 1) {
		chain->id = column_int(s, 0);
		chain->next = (uint64_t)column_int(s, 1);
		err = column_copy(s, 2, chain->last.bytes, sizeof chain->last.bytes);
		chain->delivered = chain->told = (uint64_t)column_int(s, 3);
	}
	store_failed(c->rooms->store, err < 0 ? err : 0);
	db_done(s);
}

/* A chain gets its row with its first message. */
void chain_make(struct conversations *c, int64_t conversation,
		const struct device_public *author, struct chain *chain)
{
	struct statement *s;

	if (chain->id)
		return;
	store_write(c->rooms->store);
	s = db_sql(db_of(c), "INSERT INTO chain(conversation, author, next, last, is_ours,"
			     " delivered) VALUES(?,?,?,?,?,?)");
	bind_int(s, 1, conversation);
	bind_bytes(s, 2, BYTES(author->bytes));
	bind_int(s, 3, (int64_t)chain->next);
	bind_bytes(s, 4, BYTES(chain->last.bytes));
	bind_int(s, 5, chain->is_ours);
	bind_int(s, 6, (int64_t)(chain->is_ours ? chain->delivered : 1));
	if (store_run(c->rooms->store, s) >= 0)
		chain->id = db_last_id(db_of(c));
}

void chain_write(struct conversations *c, const struct chain *chain)
{
	struct statement *s;

	store_write(c->rooms->store);
	s = db_sql(db_of(c), "UPDATE chain SET next = ?, last = ?, delivered = ? WHERE id = ?");
	bind_int(s, 1, (int64_t)chain->next);
	bind_bytes(s, 2, BYTES(chain->last.bytes));
	bind_int(s, 3, (int64_t)(chain->is_ours ? chain->delivered : 1));
	bind_int(s, 4, chain->id);
	store_run(c->rooms->store, s);
}

void conversation_make(struct conversations *c, struct person *p)
{
	const struct identity_public *ours = account_identity(c->rooms->account);
	struct conversation *v = p->conversation;
	struct statement *s;

	store_write(c->rooms->store);
	s = db_sql(db_of(c), "INSERT INTO conversation(contact, identity, ours, unread)"
			     " VALUES(?,?,?,?)");
	bind_int(s, 1, p->id);
	if (p->has_identity)
		bind_bytes(s, 2, BYTES(p->identity.bytes));
	if (ours)
		bind_bytes(s, 3, BYTES(ours->bytes));
	bind_int(s, 4, (int64_t)v->unread);
	if (store_run(c->rooms->store, s) >= 0)
		v->id = db_last_id(db_of(c));
	v->has_identity = p->has_identity;
	v->is_new = true;
	v->delivered = v->told = 1;
	v->ours = (struct chain){ .next = 1 };
	conversation_changed(c, p);
}

/* Moved to the end: the newest is the one of now. */
static void renumber(struct conversations *c, int64_t from, int64_t to)
{
	static const char *const updates[] = {
		"UPDATE conversation SET id = ? WHERE id = ?",
		"UPDATE chain SET conversation = ? WHERE conversation = ?",
		"UPDATE owed SET conversation = ? WHERE conversation = ?",
	};

	for (size_t i = 0; i < sizeof updates / sizeof *updates; i++) {
		struct statement *s = db_sql(db_of(c), updates[i]);

		bind_int(s, 1, to);
		bind_int(s, 2, from);
		store_run(c->rooms->store, s);
	}
}

bool conversation_find_again(struct conversations *c, struct person *p)
{
	const struct identity_public *ours = account_identity(c->rooms->account);
	struct conversation *v = p->conversation;
	struct statement *s;
	int64_t id = 0, newest = 0;

	if (!p->has_identity || !ours)
		return false;
	s = db_sql(db_of(c),
		   "SELECT id, delivered, (SELECT max(id) FROM conversation)"
		   " FROM conversation WHERE contact = ? AND identity = ? AND ours = ?"
		   " ORDER BY id DESC LIMIT 1");
	bind_int(s, 1, p->id);
	bind_bytes(s, 2, BYTES(p->identity.bytes));
	bind_bytes(s, 3, BYTES(ours->bytes));
	if (db_step(s) == 1) {
		id = column_int(s, 0);
		v->delivered = v->told = (uint64_t)column_int(s, 1);
		newest = column_int(s, 2);
	}
	db_done(s);
	if (id == 0)
		return false;
	store_write(c->rooms->store);
	v->id = newest + 1;
	renumber(c, id, v->id);
	v->has_identity = v->is_new = v->is_dirty = true;
	chain_read(c, v->id, account_device(c->rooms->account), &v->ours);
	conversation_changed(c, p);
	return true;
}

void conversation_name(struct conversations *c, struct person *p)
{
	const struct identity_public *ours = account_identity(c->rooms->account);

	if (p->conversation->has_identity && p->has_identity && ours)
		p->conversation->wire = conversation_of(ours, &p->identity);
}

void conversation_changed(struct conversations *c, struct person *p)
{
	if (p->conversation->is_changed)
		return;
	p->conversation->is_changed = true;
	if (c->changed_count == c->changed_capacity) {
		c->changed_capacity = c->changed_capacity ? c->changed_capacity * 2 : 16;
		c->changed = memory_grow(c->changed, c->changed_capacity, sizeof *c->changed);
	}
	c->changed[c->changed_count++] = p;
}

/* What a message replies to, as the wire names it. */
static void fill_reply(struct conversations *c, const struct person *p, uint64_t reply_to,
		       struct wire_say *say)
{
	struct statement *s;

	say->is_reply = false;
	if (reply_to == 0)
		return;
	s = db_sql(db_of(c), "SELECT chain.author, message.seq FROM message, chain"
			     " WHERE message.id = ? AND chain.id = message.chain"
			     " AND chain.conversation = ?");
	bind_int(s, 1, (int64_t)reply_to);
	bind_int(s, 2, p->conversation->id);
	if (db_step(s) == 1 &&
	    column_copy(s, 0, say->reply_author.bytes, sizeof say->reply_author.bytes) == 0) {
		say->reply_seq = (uint64_t)column_int(s, 1);
		say->is_reply = true;
	}
	db_done(s);
}

struct wire_say say_of(struct conversations *c, const struct person *p, uint64_t seq,
		       const struct message_hash *previous, wall_ms time, struct bytes body,
		       uint64_t reply_to)
{
	struct wire_say say = {
		.conversation = p->conversation->wire,
		.author = *account_device(c->rooms->account),
		.seq = seq,
		.previous = *previous,
		.time = time,
		.kind = SAY_TEXT,
		.body = body,
	};

	fill_reply(c, p, reply_to, &say);
	return say;
}

/* --- before the commit --- */

/* EVENT_DELIVERED of what of the chain is from `told` on and below `delivered`, if there is any.
 * What was held has an old id and a new place: the newest id counts. */
static void tell_delivered(struct conversations *c, const struct person *p, int64_t chain,
			   uint64_t told, uint64_t delivered)
{
	struct statement *s = db_sql(db_of(c), "SELECT max(id) FROM message WHERE chain = ?"
					       " AND seq < ? AND seq >= ?");
	struct event e = { .kind = EVENT_DELIVERED, .name = p->name };

	bind_int(s, 1, chain);
	bind_int(s, 2, (int64_t)delivered);
	bind_int(s, 3, (int64_t)told);
	if (db_step(s) == 1)
		e.message_id = (uint64_t)column_int(s, 0);
	db_done(s);
	if (e.message_id)
		events_add(c->rooms->events, &e);
}

void conversations_save_chain(struct conversations *c, const struct person *p,
			      struct chain *chain)
{
	if (!chain->is_dirty)
		return;
	chain->is_dirty = false;
	chain_write(c, chain);
	if (chain->is_ours && chain->delivered > chain->told) {
		tell_delivered(c, p, chain->id, chain->told, chain->delivered);
		chain->told = chain->delivered;
	}
}

void conversations_save(struct conversations *c, struct person *p)
{
	struct conversation *v = p->conversation;
	struct statement *s;

	conversations_save_chain(c, p, &v->ours);
	if (!v->is_dirty)
		return;
	v->is_dirty = false;
	store_write(c->rooms->store);
	s = db_sql(db_of(c), "UPDATE conversation SET delivered = ?, unread = ? WHERE id = ?");
	bind_int(s, 1, (int64_t)v->delivered);
	bind_int(s, 2, (int64_t)v->unread);
	bind_int(s, 3, v->id);
	store_run(c->rooms->store, s);
	if (v->delivered > v->told) {
		tell_delivered(c, p, v->ours.id, v->told, v->delivered);
		v->told = v->delivered;
		conversation_changed(c, p);
	}
}
