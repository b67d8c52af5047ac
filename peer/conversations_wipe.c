/* Bodies that go: taken back, disappeared, kept no longer, forgotten. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/conversations_inside.h"
#include "peer/search.h"
#include "shared/error.h"

/* --- news for the room of files --- */

void news_add(struct conversations *c, const struct conversation_news *news)
{
	if (c->news_count == c->news_capacity) {
		c->news_capacity = c->news_capacity ? c->news_capacity * 2 : 16;
		c->news = memory_grow(c->news, c->news_capacity, sizeof *c->news);
	}
	c->news[c->news_count].news = *news;
	c->news[c->news_count++].at = c->offers.size;
	buf_append(&c->offers, news->offer);
}

bool conversations_next_news(struct conversations *c, struct conversation_news *news)
{
	size_t at;

	while (c->news_taken < c->news_count && !c->news[c->news_taken].news.person)
		c->news_taken++; /* the person has gone */
	if (c->news_taken == c->news_count) {
		conversations_drop_news(c);
		return false;
	}
	*news = c->news[c->news_taken].news;
	at = c->news[c->news_taken++].at;
	news->offer = bytes_of(c->offers.data + at, news->offer.size);
	return true;
}

void conversations_drop_news(struct conversations *c)
{
	c->news_count = c->news_taken = 0;
	c->offers.size = 0;
}

void tell_change(struct conversations *c, const struct person *p, uint64_t id,
		 enum message_change change)
{
	struct event e = {
		.kind = EVENT_CHANGED,
		.name = p->name,
		.message_id = id,
		.change = change,
	};

	if (!c->is_silent)
		events_add(c->rooms->events, &e);
}

/* --- one row --- */

struct doomed {
	int64_t chain;
	uint64_t seq;
	enum say_kind kind;
	bool is_ours, is_here, is_hashed; /* said by us, on this device; placed in its chain */
};

/* The body stays in c->body. */
static bool read_doomed(struct conversations *c, const struct person *p, uint64_t id,
			struct doomed *d)
{
	struct statement *s = db_sql(
		db_of(c), "SELECT m.chain, m.seq, m.kind, m.is_ours, chain.author = ?,"
			  " m.previous IS NOT NULL, m.body FROM message AS m"
			  " LEFT JOIN chain ON chain.id = m.chain"
			  " WHERE m.id = ? AND m.contact = ?");
	bool is_here;

	bind_bytes(s, 1, BYTES(account_device(c->rooms->account)->bytes));
	bind_int(s, 2, id > INT64_MAX ? 0 : (int64_t)id);
	bind_int(s, 3, p->id);
	is_here = db_step(s) == 1;
	if (is_here) {
		d->chain = column_int(s, 0);
		d->seq = (uint64_t)column_int(s, 1);
		d->kind = (enum say_kind)column_int(s, 2);
		d->is_ours = column_int(s, 3);
		d->is_here = column_int(s, 4);
		d->is_hashed = column_int(s, 5);
		c->body.size = 0;
		buf_append(&c->body, column_bytes(s, 6));
	}
	db_done(s);
	return is_here;
}

/* The hash by which the chain goes on behind an entry of ours: what the next one says of it. One
 * that was not said to anybody yet has none, and any value will do. */
static void hash_of(struct conversations *c, const struct person *p, const struct doomed *d,
		    struct message_hash *hash)
{
	const struct conversation *v = p->conversation;
	struct statement *s;
	bool is_known;

	if (d->chain == v->ours.id && d->seq + 1 == v->ours.next && v->has_identity) {
		*hash = v->ours.last;
		return;
	}
	s = db_sql(db_of(c), "SELECT coalesce((SELECT previous FROM message WHERE chain = ?1"
			     " AND seq = ?2 + 1), (SELECT last FROM chain WHERE id = ?1"
			     " AND next = ?2 + 1))");
	bind_int(s, 1, d->chain);
	bind_int(s, 2, (int64_t)d->seq);
	is_known = d->is_hashed && db_step(s) == 1 &&
		   column_copy(s, 0, hash->bytes, sizeof hash->bytes) == 0;
	db_done(s);
	if (!is_known)
		randombytes_buf(hash->bytes, sizeof hash->bytes);
}

static bool is_about_another(enum say_kind kind)
{
	return kind == SAY_EDIT || kind == SAY_RETRACT || kind == SAY_REACT;
}

bool row_wipe(struct conversations *c, struct person *p, uint64_t id, unsigned flags)
{
	struct message_hash hash = { 0 }; /* of what others say nobody will ask */
	struct doomed d;
	struct statement *s;

	if (!read_doomed(c, p, id, &d) || d.kind == SAY_GONE)
		return false;
	if (d.is_here)
		hash_of(c, p, &d, &hash);
	if (is_about_another(d.kind))
		flags |= ENTRY_SILENT;
	store_write(c->rooms->store);
	/* What GONE is about tells that it never stood in a timeline. */
	s = db_sql(db_of(c), "UPDATE message SET kind = ?1, body = ?2, flags = flags | ?3,"
			     " expires = NULL, edit = NULL, bot = NULL, buttons = NULL,"
			     " speaker = NULL,"
			     " about = iif(?4, about, NULL)"
			     " WHERE id = ?5");
	bind_int(s, 1, SAY_GONE);
	bind_bytes(s, 2, BYTES(hash.bytes));
	bind_int(s, 3, flags);
	bind_int(s, 4, is_about_another(d.kind));
	bind_int(s, 5, (int64_t)id);
	store_run(c->rooms->store, s);
	if (d.kind == SAY_FILE)
		news_add(c, &(struct conversation_news){ .kind = NEWS_WIPED,
							 .person = p,
							 .message = id,
							 .is_ours = d.is_ours,
							 .is_here = d.is_here,
							 .offer = buf_view(&c->body) });
	if (c->body.size > 0)
		sodium_memzero(c->body.data, c->body.size);
	return true;
}

/* --- a message, with what is about it --- */

static void wipe_reactions(struct conversations *c, struct person *p, uint64_t id)
{
	uint64_t entries[2];
	unsigned count = 0;
	struct statement *s = db_sql(db_of(c),
				     "SELECT entry FROM reaction WHERE message = ? LIMIT 2");

	bind_int(s, 1, (int64_t)id);
	while (count < 2 && db_step(s) == 1)
		entries[count++] = (uint64_t)column_int(s, 0);
	db_done(s);
	for (unsigned i = 0; i < count; i++)
		row_wipe(c, p, entries[i], ENTRY_SILENT);
	if (count == 0)
		return;
	s = db_sql(db_of(c), "DELETE FROM reaction WHERE message = ?");
	bind_int(s, 1, (int64_t)id);
	store_run(c->rooms->store, s);
}

static void add_flags(struct conversations *c, uint64_t id, unsigned flags)
{
	struct statement *s = db_sql(db_of(c),
				     "UPDATE message SET flags = flags | ?1 WHERE id = ?2"
				     " AND flags <> flags | ?1");

	bind_int(s, 1, flags);
	bind_int(s, 2, (int64_t)id);
	store_run(c->rooms->store, s);
}

/* As conversations_count_unread() counts. */
static bool is_counted(struct conversations *c, const struct person *p, const struct target *t)
{
	struct statement *s;
	bool is_unread;

	if (t->is_ours || !t->is_shown || t->kind == SAY_GONE)
		return false;
	s = db_sql(db_of(c), "SELECT 1 FROM message AS m, chain ON chain.id = m.chain"
			     " WHERE m.id = ? AND m.place > ? AND m.seq >= chain.read");
	bind_int(s, 1, (int64_t)t->id);
	bind_int(s, 2, (int64_t)p->read_up_to);
	is_unread = db_step(s) == 1;
	db_done(s);
	return is_unread;
}

int conversations_wipe(struct conversations *c, struct person *p, uint64_t id, unsigned flags)
{
	struct target t;

	if (!target_read(c, p, id, &t))
		return ERR_NOT_FOUND;
	store_write(c->rooms->store);
	if ((t.flags | flags) == t.flags && t.kind == SAY_GONE)
		return 0;
	if (is_counted(c, p, &t) && p->conversation->unread > 0) {
		p->conversation->unread--; /* nobody has to read it any more */
		p->conversation->is_dirty = true;
	}
	search_out(c->rooms->search, id);
	if (t.edit)
		row_wipe(c, p, t.edit, ENTRY_SILENT);
	wipe_reactions(c, p, id);
	if (!row_wipe(c, p, id, flags))
		add_flags(c, id, flags);
	search_in(c->rooms->search, id);
	if (t.is_shown)
		tell_change(c, p, id,
			    flags & ENTRY_SILENT      ? CHANGE_FORGOTTEN
			    : flags & ENTRY_RETRACTED ? CHANGE_RETRACTED
						      : CHANGE_GONE);
	return 0;
}
