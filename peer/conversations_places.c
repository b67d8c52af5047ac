/* Undelivered messages of ours get another place: in the conversation with an identity that is
 * known now, or after what an older copy of this store has forgotten. */
#include <assert.h>
#include <string.h>

#include "peer/account.h"
#include "peer/conversations_inside.h"
#include "peer/events.h"
#include "shared/error.h"
#include "shared/text.h"

/* While messages are given new places in a chain they stand above every real one. */
#define ASIDE ((int64_t)1 << 60)

static int set_aside(struct conversations *c, int64_t chain, uint64_t from)
{
	struct statement *s = db_sql(db_of(c), "UPDATE message SET seq = seq + ?"
					       " WHERE chain = ? AND seq >= ?");

	bind_int(s, 1, ASIDE);
	bind_int(s, 2, chain);
	bind_int(s, 3, (int64_t)from);
	return store_run(c->rooms->store, s);
}

/* One text behind the other in c->body, which may move meanwhile. */
static void read_texts(struct conversations *c, struct statement *s, struct row *row)
{
	size_t body = column_bytes(s, 6).size, bot = column_bytes(s, 8).size,
	       buttons = column_bytes(s, 9).size;

	c->body.size = 0;
	buf_append(&c->body, column_bytes(s, 6));
	buf_append(&c->body, column_bytes(s, 8));
	buf_append(&c->body, column_bytes(s, 9));
	row->body = bytes_of(c->body.data, body);
	row->bot = bytes_of(c->body.data + body, bot);
	row->buttons = bytes_of(c->body.data + body + bot, buttons);
}

/* The first entry set aside in `from`; its texts are in c->body, what it is about in `about`. */
static bool read_aside(struct conversations *c, int64_t from, struct row *row,
		       uint8_t about[ABOUT_SIZE])
{
	struct statement *s = db_sql(
		db_of(c), "SELECT id, sent_at, kind, flags, life, target, body, about,"
			  " bot, buttons"
			  " FROM message WHERE chain = ? AND seq >= ? ORDER BY seq LIMIT 1");
	bool is_there;

	bind_int(s, 1, from);
	bind_int(s, 2, ASIDE);
	is_there = db_step(s) == 1;
	if (is_there) {
		*row = (struct row){
			.id = (uint64_t)column_int(s, 0),
			.sent_at = column_int(s, 1),
			.kind = (enum say_kind)column_int(s, 2),
			.flags = (unsigned)column_int(s, 3),
			.life = (uint32_t)column_int(s, 4),
			.has_target = !column_is_null(s, 5),
			.target = (uint64_t)column_int(s, 5),
		};
		read_texts(c, s, row);
		if (column_copy(s, 7, about, ABOUT_SIZE) == 0)
			row->about = bytes_of(about, ABOUT_SIZE);
	}
	db_done(s);
	return is_there;
}

/* What it is about has another name in this conversation. False: none, because it was said in one
 * before, and is not known by it to those who hear this: then there is nothing to change for them. */
static bool rename_about(struct conversations *c, const struct person *p, struct row *row,
			 uint8_t about[ABOUT_SIZE])
{
	bool was_about = row->about.size > 0;

	if (row->has_target && row->target && about_of(c, p, row->target, about) == 1)
		row->about = bytes_of(about, ABOUT_SIZE);
	else
		row->about = (struct bytes){ 0 };
	if (row->about.size > 0)
		return true;
	return row->kind != SAY_EDIT && row->kind != SAY_RETRACT && row->kind != SAY_REACT &&
	       !(row->kind == SAY_GONE && was_about);
}

/* What it has changed here stays. */
static int leave_chains(struct conversations *c, const struct row *row)
{
	struct statement *s = db_sql(db_of(c),
				     "UPDATE message SET chain = 0, seq = id WHERE id = ?");

	bind_int(s, 1, (int64_t)row->id);
	return store_run(c->rooms->store, s);
}

/* Moves the first entry set aside in `from` to the end of our chain. False: none left. */
static bool place_next(struct conversations *c, struct person *p, int64_t from)
{
	struct conversation *v = p->conversation;
	struct message_hash hash = { 0 };
	uint8_t about[ABOUT_SIZE];
	struct statement *s;
	struct row row;

	if (!read_aside(c, from, &row, about))
		return false;
	if (!rename_about(c, p, &row, about))
		return leave_chains(c, &row) >= 0;
	row.seq = v->ours.next;
	if (v->has_identity) {
		struct wire_say say;

		row.previous = &v->ours.last;
		say = say_of(c, p, &row);
		hash = message_hash(&say);
	}
	s = db_sql(db_of(c), "UPDATE message SET chain = ?, seq = ?, previous = ?, about = ?,"
			     " reply_to = 0 WHERE id = ?");
	bind_int(s, 1, v->ours.id);
	bind_int(s, 2, (int64_t)row.seq);
	if (row.previous)
		bind_bytes(s, 3, BYTES(row.previous->bytes));
	if (row.about.size > 0)
		bind_bytes(s, 4, row.about);
	bind_int(s, 5, (int64_t)row.id);
	if (store_run(c->rooms->store, s) < 0)
		return false;
	v->ours.next++;
	v->ours.last = hash;
	v->ours.is_dirty = true;
	return true;
}

/* What this device has not delivered in an older conversation goes to the end of this one. */
static void move_here(struct conversations *c, struct person *p, int64_t old, uint64_t from)
{
	struct conversation *v = p->conversation;

	if (old == 0 || set_aside(c, old, from) < 0)
		return;
	chain_make(c, v->id, account_device(c->rooms->account), &v->ours);
	while (place_next(c, p, old))
		;
	conversation_changed(c, p);
}

static uint64_t count_from(struct conversations *c, int64_t chain, uint64_t from)
{
	struct statement *s = db_sql(db_of(c), "SELECT count(*) FROM message WHERE chain = ?"
					       " AND seq >= ?");
	uint64_t count = 0;

	bind_int(s, 1, chain);
	bind_int(s, 2, (int64_t)from);
	if (db_step(s) == 1)
		count = (uint64_t)column_int(s, 0);
	db_done(s);
	return count;
}

/* A conversation of the identities of now takes the place of the one there was. */
static void begin_anew(struct conversations *c, struct person *p, bool keep_queued)
{
	struct conversation *v = p->conversation;
	int64_t old = v->ours.id;
	uint64_t from = v->delivered, waiting = v->ours.next - v->delivered;
	bool is_known;

	c->past++;
	conversations_save(c, p);
	is_known = conversation_find_again(c, p);
	if (!is_known)
		conversation_make(c, p);
	else if (count_from(c, v->ours.id, v->delivered) == 0)
		v->delivered = v->told = v->ours.next; /* what waited was said elsewhere */
	conversation_name(c, p);
	if (keep_queued)
		v->held += waiting;
	else
		move_here(c, p, old, from);
	if (is_known)
		v->held = places_held(c, p);
}

void conversations_identified(struct conversations *c, struct person *p, bool keep_queued)
{
	struct conversation *v = p->conversation;
	uint64_t from = v->delivered;
	struct statement *s;

	assert(p->has_identity);
	store_write(c->rooms->store);
	if (v->has_identity) {
		begin_anew(c, p, keep_queued);
		return;
	}
	s = db_sql(db_of(c), "UPDATE conversation SET identity = ? WHERE id = ?");
	bind_bytes(s, 1, BYTES(p->identity.bytes));
	bind_int(s, 2, v->id);
	store_run(c->rooms->store, s);
	v->has_identity = v->is_new = true;
	v->ours.next = 1;
	v->ours.last = (struct message_hash){ 0 };
	conversation_name(c, p);
	conversation_changed(c, p);
	move_here(c, p, v->ours.id, from);
}

void places_rekey(struct conversations *c, struct person *p)
{
	begin_anew(c, p, false);
}

/* --- what is held in conversations before --- */

/* The chain of this device in the oldest of the person's conversations after `after` in which
 * something of it is held: its conversation, or 0. */
static int64_t next_held(struct conversations *c, const struct person *p, int64_t after,
			 int64_t *chain, uint64_t *from)
{
	struct statement *s = db_sql(
		db_of(c), "SELECT v.id, chain.id, v.delivered FROM conversation AS v, chain"
			  " WHERE v.contact = ? AND v.id > ? AND v.id < ?"
			  " AND chain.conversation = v.id AND chain.author = ?"
			  " AND EXISTS (SELECT 1 FROM message WHERE message.chain = chain.id"
			  " AND message.seq >= v.delivered) ORDER BY v.id LIMIT 1");
	int64_t conversation = 0;

	bind_int(s, 1, p->id);
	bind_int(s, 2, after);
	bind_int(s, 3, p->conversation->id);
	bind_bytes(s, 4, BYTES(account_device(c->rooms->account)->bytes));
	if (db_step(s) == 1) {
		conversation = column_int(s, 0);
		*chain = column_int(s, 1);
		*from = (uint64_t)column_int(s, 2);
	}
	db_done(s);
	return conversation;
}

uint64_t places_held(struct conversations *c, const struct person *p)
{
	int64_t at = 0, chain;
	uint64_t from, held = 0;

	while ((at = next_held(c, p, at, &chain, &from)) != 0)
		held += count_from(c, chain, from);
	return held;
}

uint64_t conversations_held(const struct person *p)
{
	return p->conversation->held;
}

void conversations_release_held(struct conversations *c, struct person *p)
{
	int64_t at = 0, chain;
	uint64_t from;

	if (p->conversation->held == 0)
		return;
	store_write(c->rooms->store);
	while ((at = next_held(c, p, at, &chain, &from)) != 0)
		move_here(c, p, chain, from);
	p->conversation->held = 0;
}

/* --- an older copy --- */

void conversations_adopt(struct conversations *c, struct person *p, uint64_t next,
			 const struct message_hash *last)
{
	struct conversation *v = p->conversation;
	const struct device_public *us = account_device(c->rooms->account);

	store_write(c->rooms->store);
	chain_make(c, v->id, us, &v->ours);
	if (set_aside(c, v->ours.id, v->delivered) < 0)
		return;
	v->ours.next = next;
	v->ours.last = *last;
	v->ours.is_dirty = true;
	v->delivered = v->told = next;
	v->is_dirty = true;
	while (place_next(c, p, v->ours.id))
		;
	conversation_changed(c, p);
	events_warn(c->rooms->events, &p->name,
		    N_("this home seems to be an older copy: what was not delivered is said "
		       "again"));
}
