/* The rows of conversations and chains, and a message of ours as it goes on the wire. */
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/conversations_inside.h"
#include "peer/events.h"
#include "peer/expiry.h"
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
	/* It may be there: history that came in has made it, and memory does not know. */
	s = db_sql(db_of(c), "INSERT OR IGNORE INTO chain(conversation, author, next, last,"
			     " is_ours, delivered) VALUES(?,?,?,?,?,?)");
	bind_int(s, 1, conversation);
	bind_bytes(s, 2, BYTES(author->bytes));
	bind_int(s, 3, (int64_t)chain->next);
	bind_bytes(s, 4, BYTES(chain->last.bytes));
	bind_int(s, 5, chain->is_ours);
	bind_int(s, 6, (int64_t)(chain->is_ours ? chain->delivered : 1));
	if (store_run(c->rooms->store, s) < 0)
		return;
	s = db_sql(db_of(c), "SELECT id FROM chain WHERE conversation = ? AND author = ?");
	bind_int(s, 1, conversation);
	bind_bytes(s, 2, BYTES(author->bytes));
	if (db_step(s) == 1)
		chain->id = column_int(s, 0);
	db_done(s);
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
		"UPDATE chain SET conversation = ?, is_over = 0 WHERE conversation = ?",
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

/* --- rows of message --- */

/* By another device of ours, before it came here; or what came after it was. */
static bool is_read_already(struct conversations *c, const struct chain *chain, uint64_t seq)
{
	struct statement *s = db_sql(db_of(c), "SELECT 1 FROM chain WHERE id = ? AND read > ?");
	bool is_read;

	bind_int(s, 1, chain->id);
	bind_int(s, 2, (int64_t)seq);
	is_read = db_step(s) == 1;
	db_done(s);
	return is_read;
}

/* For column `expires`; 0: it does not count yet. What others said counts from when it is read. */
static wall_ms expires(struct conversations *c, const struct chain *chain,
		       const struct row *row)
{
	struct expiry *x = c->rooms->expiry;

	if (row->life == 0 || row->kind == SAY_TIMER)
		return 0;
	if (row->is_ours)
		return expiry_at(x, row->sent_at, row->life);
	return is_read_already(c, chain, row->seq) ? expiry_at(x, c->rooms->wall, row->life)
						   : 0;
}

int row_write(struct conversations *c, const struct person *p, const struct chain *chain,
	      const struct row *row)
{
	wall_ms at = expires(c, chain, row);
	struct statement *s;

	store_write(c->rooms->store);
	s = db_sql(db_of(c),
		   "INSERT INTO message(id, contact, chain, seq, is_ours, sent_at,"
		   " arrived_at, kind, reply_to, previous, body, place, about, target,"
		   " flags, life, expires, bot, buttons, speaker)"
		   " VALUES(?,?,?,?,?,?,?,?,0,?,?,?,?,?,?,?,?,?,?,?)");
	bind_int(s, 1, (int64_t)row->id);
	bind_int(s, 2, p->id);
	bind_int(s, 3, chain->id);
	bind_int(s, 4, (int64_t)row->seq);
	bind_int(s, 5, row->is_ours);
	bind_int(s, 6, row->sent_at);
	bind_int(s, 7, row->arrived_at);
	bind_int(s, 8, row->kind);
	if (row->previous)
		bind_bytes(s, 9, BYTES(row->previous->bytes));
	bind_bytes(s, 10, row->body);
	bind_int(s, 11, row->place);
	if (row->about.size > 0)
		bind_bytes(s, 12, row->about);
	if (row->has_target)
		bind_int(s, 13, (int64_t)row->target);
	bind_int(s, 14, row->flags);
	bind_int(s, 15, row->life);
	if (at)
		bind_int(s, 16, at);
	if (row->bot.size > 0)
		bind_bytes(s, 17, row->bot);
	if (row->buttons.size > 0)
		bind_bytes(s, 18, row->buttons);
	if (row->speaker)
		bind_int(s, 19, (int64_t)row->speaker);
	return store_run(c->rooms->store, s);
}

void about_write(uint8_t about[ABOUT_SIZE], const struct device_public *author, uint64_t seq)
{
	memcpy(about, author->bytes, sizeof author->bytes);
	for (int i = ABOUT_SIZE; i-- > 32; seq >>= 8)
		about[i] = (uint8_t)seq;
}

int about_of(struct conversations *c, const struct person *p, uint64_t id,
	     uint8_t about[ABOUT_SIZE])
{
	struct statement *s = db_sql(db_of(c), "SELECT chain.author, message.seq"
					       " FROM message, chain WHERE message.id = ?"
					       " AND chain.id = message.chain"
					       " AND chain.conversation = ?");
	struct device_public author;
	int err;

	bind_int(s, 1, (int64_t)id);
	bind_int(s, 2, p->conversation->id);
	err = db_step(s);
	if (err == 1 && column_copy(s, 0, author.bytes, sizeof author.bytes) < 0)
		err = ERR_CORRUPT;
	if (err == 1)
		about_write(about, &author, (uint64_t)column_int(s, 1));
	db_done(s);
	return err;
}

struct wire_say say_of(struct conversations *c, const struct person *p, const struct row *row)
{
	struct wire_say say = {
		.conversation = p->conversation->wire,
		.author = *account_device(c->rooms->account),
		.seq = row->seq,
		.time = row->sent_at,
		.kind = row->kind,
		.body = row->body,
		.is_forwarded = row->flags & ENTRY_FORWARDED,
		.life = row->life,
		.bot = row->bot,
		.buttons = row->buttons,
	};

	if (row->previous)
		say.previous = *row->previous;
	if (say.kind == SAY_GONE) {
		say.is_forwarded = false;
		say.life = 0;
		say.bot = say.buttons = (struct bytes){ 0 };
	}
	say.is_about = row->about.size == ABOUT_SIZE;
	if (say.is_about) {
		memcpy(say.about_author.bytes, row->about.data, sizeof say.about_author.bytes);
		for (int i = 32; i < ABOUT_SIZE; i++)
			say.about_seq = say.about_seq << 8 | row->about.data[i];
	}
	return say;
}

/* Of a query that selects id, is_ours, kind, flags and edit. */
static bool read_target(struct statement *s, struct target *target)
{
	bool is_here = db_step(s) == 1;

	if (is_here) {
		*target = (struct target){
			.id = (uint64_t)column_int(s, 0),
			.is_ours = column_int(s, 1),
			.kind = (enum say_kind)column_int(s, 2),
			.flags = (unsigned)column_int(s, 3),
			.edit = (uint64_t)column_int(s, 4),
		};
		target->is_shown = column_int(s, 5);
		target->is_recalled = column_int(s, 6);
	}
	db_done(s);
	return is_here;
}

bool target_find(struct conversations *c, int64_t conversation,
		 const struct device_public *author, uint64_t seq, struct target *target)
{
	struct statement *s;

	if (seq >= CHAIN_MAX)
		return false;
	s = db_sql(db_of(c), "SELECT m.id, m.is_ours, m.kind, m.flags, m.edit, " ENTRY_IS_SHOWN(
				     "m") ", m.place <= 0 FROM chain, message AS m"
					  " WHERE chain.conversation = ? AND chain.author = ?"
					  " AND m.chain = chain.id AND m.seq = ?");
	bind_int(s, 1, conversation);
	bind_bytes(s, 2, BYTES(author->bytes));
	bind_int(s, 3, (int64_t)seq);
	return read_target(s, target);
}

bool target_read(struct conversations *c, const struct person *p, uint64_t id,
		 struct target *target)
{
	struct statement *s = db_sql(
		db_of(c), "SELECT m.id, m.is_ours, m.kind, m.flags, m.edit, " ENTRY_IS_SHOWN(
				  "m") ", m.place <= 0 FROM message AS m"
				       " WHERE m.id = ? AND m.contact = ?");

	bind_int(s, 1, id > INT64_MAX ? 0 : (int64_t)id);
	bind_int(s, 2, p->id);
	return read_target(s, target);
}

bool entry_is_waiting(struct conversations *c, uint64_t id)
{
	struct statement *s = db_sql(db_of(c), "SELECT 1 FROM message WHERE id = ?"
					       " AND about IS NOT NULL AND target IS NULL");
	bool is_waiting;

	bind_int(s, 1, (int64_t)id);
	is_waiting = db_step(s) == 1;
	db_done(s);
	return is_waiting;
}

void entry_found(struct conversations *c, uint64_t id, uint64_t target)
{
	struct statement *s = db_sql(db_of(c), "UPDATE message SET target = ? WHERE id = ?");

	bind_int(s, 1, (int64_t)target);
	bind_int(s, 2, (int64_t)id);
	store_run(c->rooms->store, s);
}

/* --- what is missing --- */

void gap_write(struct conversations *c, int64_t chain, uint64_t first, uint64_t next)
{
	struct statement *s;

	store_write(c->rooms->store);
	s = db_sql(db_of(c), "INSERT OR REPLACE INTO gap(chain, first, next) VALUES(?,?,?)");
	bind_int(s, 1, chain);
	bind_int(s, 2, (int64_t)first);
	bind_int(s, 3, (int64_t)next);
	store_run(c->rooms->store, s);
}

void gap_fill(struct conversations *c, int64_t chain, uint64_t seq)
{
	struct statement *s = db_sql(db_of(c), "SELECT first, next FROM gap WHERE chain = ?1"
					       " AND next > ?2 AND first <= ?2 LIMIT 1");
	uint64_t first = 0, next = 0;

	bind_int(s, 1, chain);
	bind_int(s, 2, (int64_t)seq);
	if (db_step(s) == 1) {
		first = (uint64_t)column_int(s, 0);
		next = (uint64_t)column_int(s, 1);
	}
	db_done(s);
	if (next == 0)
		return;
	s = db_sql(db_of(c), "DELETE FROM gap WHERE chain = ? AND next = ?");
	bind_int(s, 1, chain);
	bind_int(s, 2, (int64_t)next);
	store_run(c->rooms->store, s);
	if (first < seq)
		gap_write(c, chain, first, seq);
	if (seq + 1 < next)
		gap_write(c, chain, seq + 1, next);
}

/* --- before the commit --- */

/* EVENT_DELIVERED of what of the chain is from `told` on and below `delivered`, if there is any.
 * What was held has an old id and a new place: the newest id counts. */
static void tell_delivered(struct conversations *c, const struct person *p, int64_t chain,
			   uint64_t told, uint64_t delivered)
{
	struct statement *s = db_sql(db_of(c), "SELECT max(m.id) FROM message AS m"
					       " WHERE m.chain = ? AND m.seq < ?"
					       " AND m.seq >= ? AND " ENTRY_IS_SHOWN("m"));
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
