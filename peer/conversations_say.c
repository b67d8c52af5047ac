/* What is said on this device: entries of every kind, each a row, a place in our chain, and its effect
 * here at once. */
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/conversations_inside.h"
#include "shared/error.h"
#include "shared/offer.h"

/* --- what may be said --- */

static bool is_change(enum say_kind kind)
{
	return kind == SAY_EDIT || kind == SAY_RETRACT || kind == SAY_REACT;
}

int conversations_may_say(struct conversations *c, const struct person *p, enum say_kind kind,
			  uint64_t target)
{
	uint8_t about[ABOUT_SIZE];
	struct target t;

	if (target == 0 && !is_change(kind))
		return 0;
	if (!target_read(c, p, target, &t) || !t.is_shown)
		return ERR_NOT_FOUND;
	if (!is_change(kind))
		return 0;
	if (kind != SAY_REACT && !t.is_ours)
		return ERR_REFUSED;
	if (t.kind == SAY_GONE ||
	    (kind == SAY_EDIT && t.kind != SAY_TEXT && t.kind != SAY_FILE))
		return ERR_STATE;
	/* An entry names its target within one conversation, that of the identities of now: who has another
	 * key could else change what was said under a key that never vouched for it. */
	return about_of(c, p, target, about) == 1 ? 0 : ERR_EXPIRED;
}

static struct bytes reaction_at(struct bytes all, size_t from)
{
	size_t end = from;

	while (end < all.size && all.data[end] != ' ')
		end++;
	return bytes_of(all.data + from, end - from);
}

int conversations_check_reactions(struct bytes all)
{
	struct bytes list[WIRE_REACTIONS_MAX];
	unsigned count = 0;

	if (!bytes_is_line(all))
		return ERR_FORMAT;
	if (all.size == 0)
		return 0;
	for (size_t at = 0; at <= all.size; at += list[count++].size + 1) {
		if (count == WIRE_REACTIONS_MAX)
			return ERR_LIMIT;
		list[count] = reaction_at(all, at);
		if (list[count].size == 0)
			return ERR_FORMAT;
		if (list[count].size > WIRE_REACTION_MAX)
			return ERR_LIMIT;
		for (unsigned i = 0; i < count; i++) {
			if (bytes_equal(list[i], list[count]))
				return ERR_FORMAT;
		}
	}
	return 0;
}

/* After how many seconds what is said now disappears; 0: it stays. */
static uint32_t life_of(const struct person *p)
{
	const struct conversation *v = p->conversation;
	uint32_t ours = v->our_timer.life, theirs = v->their_timer.life;

	return ours == 0 || theirs == 0 ? 0 : ours > theirs ? ours : theirs;
}

/* --- what faces are told --- */

static void fill_file(struct message *m, struct bytes body)
{
	struct offer offer;

	m->kind = MESSAGE_FILE;
	m->text = (struct bytes){ 0 };
	if (offer_decode(&offer, body) < 0)
		return;
	m->has_file = true;
	m->text = offer.caption;
	m->file = (struct message_file){
		.name = offer.name,
		.type = offer.type,
		.alt = offer.alt,
		.size = offer.size - offer.manifest,
		.manifest = offer.manifest,
		.is_folder = offer.is_folder,
		.files = offer.files,
		.width = offer.width,
		.height = offer.height,
		.state = TRANSFER_OFFERED,
	};
	memcpy(m->file.id, offer.id, sizeof m->file.id);
}

void tell_entry(struct conversations *c, struct person *p, const struct chain *chain,
		const struct device_public *author, const struct row *row)
{
	bool is_delivered = chain->is_ours && row->seq < chain->delivered;
	struct message m = {
		.id = row->id,
		.contact = p->name,
		.kind = MESSAGE_TEXT,
		.is_ours = row->is_ours,
		.author = *author,
		.seq = row->seq,
		.sent_at = row->sent_at,
		.arrived_at = row->arrived_at,
		.state = !row->is_ours  ? MESSAGE_RECEIVED
			 : is_delivered ? MESSAGE_DELIVERED
					: MESSAGE_QUEUED,
		.reply_to = row->target,
		.is_reply_missing = row->about.size > 0 && row->target == 0,
		.is_forwarded = row->flags & ENTRY_FORWARDED,
		.life = row->life,
		.text = row->body,
		.bot = row->bot,
		.buttons = row->buttons,
	};

	if (row->kind == SAY_FILE)
		fill_file(&m, row->body);
	if (row->kind != SAY_FILE && row->kind != SAY_TEXT) {
		m.kind = MESSAGE_UNKNOWN;
		m.text = (struct bytes){ 0 };
	}
	events_message(c->rooms->events, row->is_ours ? EVENT_SAID : EVENT_HEARD, &m);
}

/* --- saying --- */

/* When the change was said that `sql` finds. */
static wall_ms time_said(struct conversations *c, const char *sql, uint64_t id)
{
	struct statement *s = db_sql(db_of(c), sql);
	wall_ms time = TIME_NONE;

	bind_int(s, 1, (int64_t)id);
	if (db_step(s) == 1)
		time = time_counted(c, column_int(s, 0), column_int(s, 1));
	db_done(s);
	return time;
}

/* A change counts before those that are known here, also where our clock was put back. */
static wall_ms time_of(struct conversations *c, const struct person *p,
		       const struct to_say *what)
{
	wall_ms now = c->rooms->wall, last = TIME_NONE;

	if (what->kind == SAY_TIMER)
		last = p->conversation->our_timer.at;
	else if (what->kind == SAY_EDIT)
		last = time_said(
			c,
			"SELECT e.sent_at, e.arrived_at FROM message AS m, message AS e"
			" WHERE m.id = ? AND e.id = m.edit",
			what->target);
	else if (what->kind == SAY_REACT)
		last = time_said(
			c,
			"SELECT e.sent_at, e.arrived_at FROM reaction AS r, message AS e"
			" WHERE r.message = ? AND r.is_ours = 1 AND e.id = r.entry",
			what->target);
	return last < now ? now : last + 1;
}

static void take_effect(struct conversations *c, struct person *p, const struct row *row)
{
	const struct chain *chain = &p->conversation->ours;
	const struct device_public *us = account_device(c->rooms->account);
	struct effect e = { row->id, row->kind, true,          row->sent_at,
			    *us,     row->seq,  row->body.size };
	struct target t;

	if (row->kind == SAY_TIMER)
		effect_timer(c, p, true, row->sent_at, row->life);
	else if (is_change(row->kind) && target_read(c, p, row->target, &t))
		effect_apply(c, p, &e, &t);
	else
		tell_entry(c, p, chain, us, row);
	if (row->kind == SAY_FILE)
		news_add(c, &(struct conversation_news){ NEWS_FILE, p, row->id, true, true,
							 row->body });
}

/* At the end of our chain. */
static int write_said(struct conversations *c, struct person *p, struct row *row)
{
	struct conversation *v = p->conversation;
	struct message_hash hash = { 0 };
	int err;

	if (v->has_identity) {
		struct wire_say say;

		row->previous = &v->ours.last;
		say = say_of(c, p, row);
		hash = message_hash(&say);
	}
	err = row_write(c, p, &v->ours, row);
	if (err < 0) {
		store_failed(c->rooms->store, err);
		return err;
	}
	v->ours.next++;
	v->ours.last = hash;
	v->ours.is_dirty = true;
	conversation_changed(c, p);
	return 0;
}

int conversations_say_entry(struct conversations *c, struct person *p,
			    const struct to_say *what, uint64_t *id)
{
	struct conversation *v = p->conversation;
	bool is_shown = what->kind == SAY_TEXT || what->kind == SAY_FILE;
	uint8_t about[ABOUT_SIZE];
	struct row row;
	int err = conversations_may_say(c, p, what->kind, what->target);

	if (err < 0)
		return err;
	store_write(c->rooms->store);
	chain_make(c, v->id, account_device(c->rooms->account), &v->ours);
	row = (struct row){
		.id = events_number(c->rooms->events),
		.seq = v->ours.next,
		.is_ours = true,
		.sent_at = time_of(c, p, what),
		.arrived_at = c->rooms->wall,
		.kind = what->kind,
		.body = what->body,
		.has_target = what->target > 0,
		.target = what->target,
		.flags = what->is_forwarded ? ENTRY_FORWARDED : 0,
		.life = is_shown                  ? life_of(p)
			: what->kind == SAY_TIMER ? what->life
						  : 0,
		.bot = what->bot,
		.speaker = what->speaker,
		.buttons = what->buttons,
	};
	row.place = (int64_t)row.id;
	if (what->target && about_of(c, p, what->target, about) == 1)
		row.about = BYTES(about);
	err = write_said(c, p, &row);
	if (err < 0)
		return err;
	take_effect(c, p, &row);
	*id = row.id;
	return 0;
}
