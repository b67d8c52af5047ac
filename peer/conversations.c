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

struct conversations *conversations_new(struct rooms *rooms)
{
	struct conversations *c = memory_new(sizeof *c);

	c->rooms = rooms;
	c->past = 1;
	return c;
}

void conversations_free(struct conversations *c)
{
	if (!c)
		return;
	buf_clear(&c->body);
	buf_clear(&c->offers);
	free(c->news);
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

static void read_timers(struct conversations *c, struct person *p)
{
	struct conversation *v = p->conversation;
	struct statement *s = db_sql(db_of(c), "SELECT our_timer, our_timer_at, their_timer,"
					       " their_timer_at FROM contact WHERE id = ?");

	bind_int(s, 1, p->id);
	if (db_step(s) == 1) {
		v->our_timer = (struct timer){ (uint32_t)column_int(s, 0), column_int(s, 1) };
		v->their_timer = (struct timer){ (uint32_t)column_int(s, 2), column_int(s, 3) };
	}
	/* Versions before believed any date. */
	if (time_counted(c, v->our_timer.at, INT64_MAX) == TIME_NONE)
		v->our_timer.at = 0;
	if (time_counted(c, v->their_timer.at, INT64_MAX) == TIME_NONE)
		v->their_timer.at = 0;
	db_done(s);
}

/* --- the life of a conversation in memory --- */

void conversations_reload(struct conversations *c, struct person *p)
{
	struct conversation *v = p->conversation, before = *v;
	bool is_of_now;

	c->past++;
	*v = (struct conversation){ .home = c, .is_changed = before.is_changed };
	if (!read_row(c, p, &is_of_now))
		return;
	read_timers(c, p);
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
	for (size_t i = 0; c && i < c->news_count; i++) {
		if (c->news[i].news.person == p)
			c->news[i].news.person = NULL;
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
