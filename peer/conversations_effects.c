/* Entries that are about others: what they change, now or when that comes. Of several the newest
 * counts, by its author's clock; the others lose their bodies, so that what a person says of one
 * message never is more than one text and one set of reactions. */
#include <stdlib.h>
#include <string.h>

#include "peer/conversations_inside.h"
#include "peer/search.h"
#include "shared/error.h"

enum {
	REPLIES_MAX =
		256, /* found at once by the message that they reply to; others stay without it */
	WAITING_MAX = 16, /* entries that may wait for one message: one of each kind and side */
};

wall_ms time_counted(struct conversations *c, wall_ms sent_at, wall_ms arrived_at)
{
	/* What came as history may say that it came at any time. */
	wall_ms came = arrived_at < c->rooms->wall ? arrived_at : c->rooms->wall;

	return sent_at > came && (uint64_t)sent_at - (uint64_t)came > (uint64_t)AHEAD_MAX
		       ? TIME_NONE
		       : sent_at;
}

/* Whether it counts before another one that is here. */
static bool is_newer(struct conversations *c, const struct effect *e, uint64_t other)
{
	struct statement *s = db_sql(db_of(c),
				     "SELECT m.sent_at, chain.author, m.seq, m.arrived_at"
				     " FROM message AS m, chain WHERE m.id = ?"
				     " AND chain.id = m.chain");
	struct device_public author;
	bool is_newer = true;

	bind_int(s, 1, (int64_t)other);
	if (db_step(s) == 1 && column_copy(s, 1, author.bytes, sizeof author.bytes) == 0) {
		wall_ms time = time_counted(c, column_int(s, 0), column_int(s, 3));
		int order = memcmp(e->author.bytes, author.bytes, sizeof author.bytes);

		is_newer = e->time != time ? e->time > time
			   : order != 0    ? order > 0
					   : e->seq > (uint64_t)column_int(s, 2);
	}
	db_done(s);
	return is_newer;
}

/* --- the kinds --- */

static void apply_edit(struct conversations *c, struct person *p, const struct effect *e,
		       const struct target *t)
{
	struct statement *s;
	bool may = t->is_ours == e->is_ours && t->is_shown &&
		   (t->kind == SAY_FILE || (t->kind == SAY_TEXT && e->size > 0));

	if (!may || (t->edit && !is_newer(c, e, t->edit))) {
		row_wipe(c, p, e->id, ENTRY_SILENT);
		return;
	}
	search_out(c->rooms->search, t->id);
	if (t->edit)
		row_wipe(c, p, t->edit, ENTRY_SILENT);
	s = db_sql(db_of(c), "UPDATE message SET edit = ? WHERE id = ?");
	bind_int(s, 1, (int64_t)e->id);
	bind_int(s, 2, (int64_t)t->id);
	store_run(c->rooms->store, s);
	search_in(c->rooms->search, t->id);
	tell_change(c, p, t->id, CHANGE_EDITED);
}

static void apply_retract(struct conversations *c, struct person *p, const struct effect *e,
			  const struct target *t)
{
	if (t->is_ours == e->is_ours && t->kind != SAY_EDIT && t->kind != SAY_RETRACT &&
	    t->kind != SAY_REACT && t->kind != SAY_TIMER)
		conversations_wipe(c, p, t->id, ENTRY_RETRACTED | ENTRY_GONE);
}

static uint64_t reaction_of(struct conversations *c, uint64_t message, bool is_ours)
{
	struct statement *s = db_sql(
		db_of(c), "SELECT entry FROM reaction WHERE message = ? AND is_ours = ?");
	uint64_t entry = 0;

	bind_int(s, 1, (int64_t)message);
	bind_int(s, 2, is_ours);
	if (db_step(s) == 1)
		entry = (uint64_t)column_int(s, 0);
	db_done(s);
	return entry;
}

static void apply_react(struct conversations *c, struct person *p, const struct effect *e,
			const struct target *t)
{
	uint64_t before = reaction_of(c, t->id, e->is_ours);
	struct statement *s;

	if (!t->is_shown || t->kind == SAY_GONE || (before && !is_newer(c, e, before))) {
		row_wipe(c, p, e->id, ENTRY_SILENT);
		return;
	}
	s = db_sql(db_of(c), "INSERT OR REPLACE INTO reaction(message, is_ours, time, entry,"
			     " text) SELECT ?1, ?2, ?3, id, CAST(body AS TEXT) FROM message"
			     " WHERE id = ?4");
	bind_int(s, 1, (int64_t)t->id);
	bind_int(s, 2, e->is_ours);
	bind_int(s, 3, e->time);
	bind_int(s, 4, (int64_t)e->id);
	store_run(c->rooms->store, s);
	if (before)
		row_wipe(c, p, before, ENTRY_SILENT);
	tell_change(c, p, t->id, CHANGE_REACTIONS);
}

void effect_apply(struct conversations *c, struct person *p, const struct effect *e,
		  const struct target *t)
{
	/* Who gives history could say in another's name what they never did: what was heard of
	 * themselves stays as it is. */
	if (e->is_recalled && !t->is_recalled) {
		if (e->kind != SAY_RETRACT)
			row_wipe(c, p, e->id, ENTRY_SILENT);
		return;
	}
	switch (e->kind) {
	case SAY_EDIT:
		apply_edit(c, p, e, t);
		break;
	case SAY_RETRACT:
		apply_retract(c, p, e, t);
		break;
	case SAY_REACT:
		apply_react(c, p, e, t);
		break;
	default:
		break;
	}
}

bool effect_timer(struct conversations *c, struct person *p, bool is_ours, wall_ms time,
		  uint32_t life)
{
	struct conversation *v = p->conversation;
	struct timer *timer = is_ours ? &v->our_timer : &v->their_timer;
	struct event e = { .kind = EVENT_TIMER, .name = p->name, .is_theirs = !is_ours };
	struct statement *s;

	if (time == TIME_NONE || time < timer->at || (time == timer->at && life <= timer->life))
		return false;
	*timer = (struct timer){ life, time };
	store_write(c->rooms->store);
	s = db_sql(db_of(c), is_ours ? "UPDATE contact SET our_timer = ?, our_timer_at = ?"
				       " WHERE id = ?"
				     : "UPDATE contact SET their_timer = ?, their_timer_at = ?"
				       " WHERE id = ?");
	bind_int(s, 1, life);
	bind_int(s, 2, time);
	bind_int(s, 3, p->id);
	store_run(c->rooms->store, s);
	events_add(c->rooms->events, &e);
	return true;
}

/* --- what waits for its target --- */

static bool has_pending(struct conversations *c)
{
	struct statement *s;

	if (!c->is_pending_known) {
		s = db_sql(db_of(c),
			   "SELECT EXISTS (SELECT 1 FROM message WHERE about IS NOT NULL"
			   " AND target IS NULL)");
		c->has_pending = db_step(s) != 1 || column_int(s, 0);
		db_done(s);
		c->is_pending_known = true;
	}
	return c->has_pending;
}

/* Another one of the kind that waits for the same message; 0: none. */
static uint64_t waiting_like(struct conversations *c, int64_t conversation,
			     const struct effect *e, struct bytes about)
{
	struct statement *s = db_sql(db_of(c),
				     "SELECT m.id FROM message AS m, chain WHERE m.about = ?"
				     " AND m.target IS NULL AND m.kind = ? AND m.is_ours = ?"
				     " AND m.id <> ? AND chain.id = m.chain"
				     " AND chain.conversation = ? LIMIT 1");
	uint64_t id = 0;

	bind_bytes(s, 1, about);
	bind_int(s, 2, e->kind);
	bind_int(s, 3, e->is_ours);
	bind_int(s, 4, (int64_t)e->id);
	bind_int(s, 5, conversation);
	if (db_step(s) == 1)
		id = (uint64_t)column_int(s, 0);
	db_done(s);
	return id;
}

void effect_wait(struct conversations *c, struct person *p, int64_t conversation,
		 const struct effect *e, struct bytes about)
{
	uint64_t other, loser;

	c->has_pending = c->is_pending_known = true;
	if (e->kind != SAY_EDIT && e->kind != SAY_RETRACT && e->kind != SAY_REACT)
		return;
	other = waiting_like(c, conversation, e, about);
	if (other == 0)
		return;
	loser = is_newer(c, e, other) ? other : e->id;
	entry_found(c, loser, 0);
	if (e->kind != SAY_RETRACT)
		row_wipe(c, p, loser, ENTRY_SILENT);
}

static unsigned read_waiting(struct conversations *c, int64_t conversation, struct bytes about,
			     uint64_t but, struct effect *list)
{
	struct statement *s = db_sql(
		db_of(c), "SELECT m.id, m.kind, m.is_ours, m.sent_at, chain.author, m.seq,"
			  " length(m.body), m.place <= 0, m.arrived_at FROM message AS m, chain"
			  " WHERE m.about = ?"
			  " AND m.target IS NULL AND m.kind IN (2, 3, 4)"
			  " AND m.id <> ? AND chain.id = m.chain AND chain.conversation = ?");
	unsigned count = 0;

	bind_bytes(s, 1, about);
	bind_int(s, 2, (int64_t)but);
	bind_int(s, 3, conversation);
	while (count < WAITING_MAX && db_step(s) == 1) {
		struct effect *e = &list[count];

		*e = (struct effect){
			.id = (uint64_t)column_int(s, 0),
			.kind = (enum say_kind)column_int(s, 1),
			.is_ours = column_int(s, 2),
			.time = time_counted(c, column_int(s, 3), column_int(s, 8)),
			.seq = (uint64_t)column_int(s, 5),
			.size = (size_t)column_int(s, 6),
			.is_recalled = column_int(s, 7),
		};
		count += column_copy(s, 4, e->author.bytes, sizeof e->author.bytes) == 0;
	}
	db_done(s);
	return count;
}

static void find_replies(struct conversations *c, int64_t conversation, struct bytes about,
			 uint64_t id)
{
	struct statement *s = db_sql(
		db_of(c), "UPDATE message SET target = ?1 WHERE id IN (SELECT m.id"
			  " FROM message AS m, chain WHERE m.about = ?2 AND m.target IS NULL"
			  " AND m.kind NOT IN (2, 3, 4) AND m.id <> ?1"
			  " AND chain.id = m.chain AND chain.conversation = ?3 LIMIT ?4)");

	bind_int(s, 1, (int64_t)id);
	bind_bytes(s, 2, about);
	bind_int(s, 3, conversation);
	bind_int(s, 4, REPLIES_MAX);
	store_run(c->rooms->store, s);
}

void effect_arrived(struct conversations *c, struct person *p, int64_t conversation,
		    uint64_t id, const struct device_public *author, uint64_t seq)
{
	struct effect waiting[WAITING_MAX];
	uint8_t about[ABOUT_SIZE];
	struct target t;
	unsigned count;

	if (!has_pending(c))
		return;
	about_write(about, author, seq);
	store_write(c->rooms->store);
	count = read_waiting(c, conversation, BYTES(about), id, waiting);
	for (unsigned i = 0; i < count && target_read(c, p, id, &t); i++) {
		entry_found(c, waiting[i].id, id);
		effect_apply(c, p, &waiting[i], &t);
	}
	if (target_read(c, p, id, &t) && t.is_shown)
		find_replies(c, conversation, BYTES(about), id);
}
