#include "peer/conversations.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/conversations_inside.h"
#include "peer/events.h"
#include "peer/persons.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/log.h"
#include "shared/text.h"

struct conversations *conversations_new(struct rooms *rooms)
{
	struct conversations *c = memory_new(sizeof *c);

	c->rooms = rooms;
	return c;
}

void conversations_free(struct conversations *c)
{
	if (!c)
		return;
	buf_clear(&c->body);
	free(c->changed);
	free(c);
}

/* The newest; `is_of_now`: it is of the identity we have. */
static bool read_row(struct conversations *c, struct person *p, bool *is_of_now)
{
	const struct identity_public *now = account_identity(c->rooms->account);
	struct conversation *v = p->conversation;
	struct statement *s = db_sql(db_of(c), "SELECT id, delivered, identity IS NOT NULL,"
					       " unread, ours FROM conversation"
					       " WHERE contact = ? ORDER BY id DESC LIMIT 1");
	struct identity_public ours;
	int err;

	*is_of_now = true;
	bind_int(s, 1, p->id);
	err = db_step(s);
	if (err == 1) {
		v->id = column_int(s, 0);
		v->delivered = v->told = (uint64_t)column_int(s, 1);
		v->has_identity = column_int(s, 2);
		v->unread = (uint64_t)column_int(s, 3);
		*is_of_now = !now || (!column_is_null(s, 4) &&
				      column_copy(s, 4, ours.bytes, sizeof ours.bytes) == 0 &&
				      identity_public_equal(now, &ours));
	}
	store_failed(c->rooms->store, err < 0 ? err : 0);
	db_done(s);
	return err == 1;
}

static void count_unread(struct conversations *c, struct person *p)
{
	struct statement *s = db_sql(db_of(c), "SELECT count(*) FROM message WHERE contact = ?"
					       " AND id > ? AND is_ours = 0");

	bind_int(s, 1, p->id);
	bind_int(s, 2, (int64_t)p->read_up_to);
	if (db_step(s) == 1)
		p->conversation->unread = (uint64_t)column_int(s, 0);
	db_done(s);
}

/* --- the life of a conversation in memory --- */

void conversations_reload(struct conversations *c, struct person *p)
{
	struct conversation *v = p->conversation, before = *v;
	bool is_of_now;

	*v = (struct conversation){ .home = c, .is_changed = before.is_changed };
	if (!read_row(c, p, &is_of_now))
		return;
	chain_read(c, v->id, account_device(c->rooms->account), &v->ours);
	v->held = places_held(c, p);
	conversation_name(c, p);
	if (v->id != before.id || sodium_memcmp(&v->wire, &before.wire, sizeof v->wire) != 0)
		conversation_changed(c, p);
	if (!is_of_now)
		places_rekey(c, p);
}

void conversations_open(struct conversations *c, struct person *p)
{
	p->conversation = memory_new(sizeof *p->conversation);
	conversations_reload(c, p);
	if (p->conversation->id == 0) {
		conversation_make(c, p);
		conversation_name(c, p);
	}
}

void conversations_close(struct person *p)
{
	struct conversations *c = p->conversation ? p->conversation->home : NULL;

	for (size_t i = 0; c && i < c->changed_count; i++) {
		if (c->changed[i] == p)
			c->changed[i--] = c->changed[--c->changed_count];
	}
	free(p->conversation);
	p->conversation = NULL;
}

void conversations_rekeyed(struct conversations *c)
{
	struct person *p;
	bool is_of_now;

	for (unsigned i = 0; (p = persons_at(c->rooms->persons, i)) != NULL; i++) {
		struct conversation before;

		conversations_save(c, p);
		before = *p->conversation;
		if (read_row(c, p, &is_of_now) && !is_of_now)
			places_rekey(c, p);
		else
			*p->conversation = before;
	}
}

struct person *conversations_next_changed(struct conversations *c)
{
	struct person *p;

	if (c->changed_count == 0)
		return NULL;
	p = c->changed[--c->changed_count];
	p->conversation->is_changed = false;
	return p;
}

/* --- saying --- */

static bool is_here(struct conversations *c, const struct person *p, uint64_t id)
{
	struct statement *s = db_sql(db_of(c),
				     "SELECT 1 FROM message WHERE id = ? AND contact = ?");
	int err;

	bind_int(s, 1, (int64_t)id);
	bind_int(s, 2, p->id);
	err = db_step(s);
	db_done(s);
	return err == 1;
}

static int write_message(struct conversations *c, const struct person *p,
			 const struct chain *chain, const struct message *m,
			 const struct message_hash *previous)
{
	struct statement *s;

	store_write(c->rooms->store);
	s = db_sql(db_of(c), "INSERT INTO message(id, contact, chain, seq, is_ours, sent_at,"
			     " arrived_at, kind, reply_to, previous, body)"
			     " VALUES(?,?,?,?,?,?,?,?,?,?,?)");
	bind_int(s, 1, (int64_t)m->id);
	bind_int(s, 2, p->id);
	bind_int(s, 3, chain->id);
	bind_int(s, 4, (int64_t)m->seq);
	bind_int(s, 5, m->is_ours);
	bind_int(s, 6, m->sent_at);
	bind_int(s, 7, m->arrived_at);
	bind_int(s, 8, SAY_TEXT);
	bind_int(s, 9, (int64_t)m->reply_to);
	if (previous)
		bind_bytes(s, 10, BYTES(previous->bytes));
	bind_bytes(s, 11, m->text);
	return store_run(c->rooms->store, s);
}

int conversations_say(struct conversations *c, struct person *p, struct bytes text,
		      uint64_t reply_to, uint64_t *id)
{
	struct conversation *v = p->conversation;
	const struct device_public *us = account_device(c->rooms->account);
	struct message_hash hash = { 0 };
	struct message m;
	int err;

	if (reply_to && !is_here(c, p, reply_to))
		return ERR_NOT_FOUND;
	store_write(c->rooms->store);
	chain_make(c, v->id, us, &v->ours);
	m = (struct message){
		.id = events_number(c->rooms->events),
		.contact = p->name,
		.is_ours = true,
		.author = *us,
		.seq = v->ours.next,
		.sent_at = c->rooms->wall,
		.arrived_at = c->rooms->wall,
		.state = MESSAGE_QUEUED,
		.reply_to = reply_to,
		.text = text,
	};
	if (v->has_identity) {
		struct wire_say say = say_of(c, p, m.seq, &v->ours.last, m.sent_at, text,
					     reply_to);

		hash = message_hash(&say);
	}
	err = write_message(c, p, &v->ours, &m, v->has_identity ? &v->ours.last : NULL);
	if (err < 0) {
		store_failed(c->rooms->store, err);
		return err;
	}
	v->ours.next++;
	v->ours.last = hash;
	v->ours.is_dirty = true;
	conversation_changed(c, p);
	events_message(c->rooms->events, EVENT_SAID, &m);
	*id = m.id;
	return 0;
}

bool conversations_agrees(struct conversations *c, const struct person *p, uint64_t next,
			  const struct message_hash *last)
{
	const struct conversation *v = p->conversation;
	struct statement *s;
	struct message_hash ours;
	bool agrees = true;

	if (next > v->ours.next)
		return false;
	if (next == v->ours.next)
		return sodium_memcmp(last->bytes, v->ours.last.bytes, sizeof last->bytes) == 0;
	if (next <= 1)
		return true;
	s = db_sql(db_of(c), "SELECT previous FROM message WHERE chain = ? AND seq = ?");
	bind_int(s, 1, v->ours.id);
	bind_int(s, 2, (int64_t)next);
	if (db_step(s) == 1 && column_copy(s, 0, ours.bytes, sizeof ours.bytes) == 0)
		agrees = sodium_memcmp(last->bytes, ours.bytes, sizeof ours.bytes) == 0;
	db_done(s);
	return agrees;
}

/* --- hearing --- */

void conversations_chain(struct conversations *c, const struct person *p,
			 const struct device_public *author, bool is_ours, struct chain *chain)
{
	chain_read(c, p->conversation->id, author, chain);
	chain->is_ours = is_ours;
}

/* The local id of what a heard message replies to; 0: not here. */
static uint64_t find_reply(struct conversations *c, const struct person *p,
			   const struct wire_say *say)
{
	struct statement *s;
	uint64_t id = 0;

	if (!say->is_reply || say->reply_seq > INT64_MAX / 2)
		return 0;
	s = db_sql(db_of(c),
		   "SELECT message.id FROM chain, message WHERE chain.conversation = ?"
		   " AND chain.author = ? AND message.chain = chain.id"
		   " AND message.seq = ?");
	bind_int(s, 1, p->conversation->id);
	bind_bytes(s, 2, BYTES(say->reply_author.bytes));
	bind_int(s, 3, (int64_t)say->reply_seq);
	if (db_step(s) == 1)
		id = (uint64_t)column_int(s, 0);
	db_done(s);
	return id;
}

static int write_heard(struct conversations *c, struct person *p, struct chain *chain,
		       const struct wire_say *say)
{
	struct message m = {
		.id = events_number(c->rooms->events),
		.contact = p->name,
		.is_ours = chain->is_ours,
		.author = say->author,
		.seq = say->seq,
		.sent_at = say->time,
		.arrived_at = c->rooms->wall,
		.state = !chain->is_ours               ? MESSAGE_RECEIVED
			 : say->seq < chain->delivered ? MESSAGE_DELIVERED
						       : MESSAGE_QUEUED,
		.reply_to = find_reply(c, p, say),
		.text = say->body,
	};

	int err = write_message(c, p, chain, &m, NULL);

	if (err < 0)
		return err;
	if (!chain->is_ours) {
		p->conversation->unread++;
		p->conversation->is_dirty = true;
		log_event(LOG_DEBUG, "heard", "us", log_int((int64_t)(c->rooms->now / 1000)),
			  NULL);
	}
	events_message(c->rooms->events, chain->is_ours ? EVENT_SAID : EVENT_HEARD, &m);
	return 0;
}

static enum heard store_heard(struct conversations *c, struct person *p, struct chain *chain,
			      const struct wire_say *say)
{
	int err;

	store_write(c->rooms->store);
	chain_make(c, p->conversation->id, &say->author, chain);
	if (!places_said_again(c, p, chain, say)) {
		err = write_heard(c, p, chain, say);
		/* It is here already where a crash has cost the place in the chain and not the
		 * message (stores of versions before): the place is made good. */
		if (err < 0 && err != ERR_EXISTS)
			store_failed(c->rooms->store, err);
	}
	chain->next = say->seq + 1;
	chain->last = message_hash(say);
	chain->is_dirty = true;
	/* With the message, not at the end of the step: by then its author may have been cut off,
	 * and the talk that holds the chain is gone. */
	chain_write(c, chain);
	return HEARD_NEW;
}

enum heard conversations_hear(struct conversations *c, struct person *p, struct chain *chain,
			      const struct wire_say *say, bool is_answer)
{
	bool fits = say->seq == chain->next && memcmp(say->previous.bytes, chain->last.bytes,
						      sizeof chain->last.bytes) == 0;
	bool is_first = chain->id == 0;

	if (say->seq < chain->next)
		return HEARD_AGAIN;
	if (!fits && !is_answer)
		return HEARD_GAP;
	if (!fits && !is_first)
		events_warn(c->rooms->events, &p->name,
			    N_("some messages before this one are missing at their author"));
	return store_heard(c, p, chain, say);
}

/* --- what is owed --- */

int conversations_said(struct conversations *c, const struct person *p, uint64_t seq,
		       conversations_each_said *each, void *user)
{
	struct statement *s = db_sql(db_of(c), "SELECT seq, sent_at, reply_to, body, previous"
					       " FROM message WHERE chain = ? AND seq >= ?"
					       " ORDER BY seq");
	int err;

	bind_int(s, 1, p->conversation->ours.id);
	bind_int(s, 2, (int64_t)seq);
	while ((err = db_step(s)) == 1) {
		struct message_hash previous = { 0 };
		struct wire_say say;

		if (!column_is_null(s, 4))
			column_copy(s, 4, previous.bytes, sizeof previous.bytes);
		say = say_of(c, p, (uint64_t)column_int(s, 0), &previous, column_int(s, 1),
			     column_bytes(s, 3), (uint64_t)column_int(s, 2));
		if (!each(user, &say))
			break;
	}
	db_done(s);
	return err < 0 ? err : 0;
}

/* --- what is delivered, and what is read --- */

void conversations_delivered(struct conversations *c, struct person *p, uint64_t next)
{
	struct conversation *v = p->conversation;

	(void)c;
	if (next > v->delivered) {
		v->delivered = next;
		v->is_dirty = true;
	}
}

void conversations_delivered_there(struct chain *chain, uint64_t next)
{
	if (next > chain->delivered) {
		chain->delivered = next;
		chain->is_dirty = chain->id != 0;
	}
}

int conversations_mark_read(struct conversations *c, struct person *p)
{
	count_unread(c, p);
	p->conversation->is_dirty = true;
	return 0;
}
