/* What other devices say, of contacts and our own; and what we have said, as it goes on the wire. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/conversations_inside.h"
#include "shared/error.h"
#include "shared/log.h"
#include "shared/offer.h"
#include "shared/text.h"

void conversations_chain(struct conversations *c, const struct person *p,
			 const struct device_public *author, bool is_ours, struct chain *chain)
{
	chain_read(c, p->conversation->id, author, chain);
	chain->is_ours = is_ours;
}

/* --- an entry --- */

static bool is_change(enum say_kind kind)
{
	return kind == SAY_EDIT || kind == SAY_RETRACT || kind == SAY_REACT;
}

/* What the wire leaves to whoever knows what it means. */
static bool is_sound(const struct wire_say *say)
{
	struct offer offer;

	if (say->kind == SAY_FILE)
		return offer_decode(&offer, say->body) == 0;
	return say->kind != SAY_REACT || conversations_check_reactions(say->body) == 0;
}

static struct row row_of(struct conversations *c, const struct chain *chain,
			 const struct wire_say *say, struct bytes about)
{
	struct row row = {
		.seq = say->seq,
		.is_ours = chain->is_ours,
		.sent_at = say->time,
		.arrived_at = c->rooms->wall,
		.kind = say->kind,
		.body = say->body,
		.about = about,
		.flags = say->is_forwarded ? ENTRY_FORWARDED : 0,
		.life = say->life,
		.bot = say->bot,
		.buttons = say->buttons,
	};

	if (say->kind == SAY_GONE) {
		/* About another one: it never was a line of a timeline. */
		row.flags = ENTRY_GONE | (say->is_about ? ENTRY_SILENT : 0);
		row.has_target = say->is_about;
	}
	return row;
}

static struct effect effect_of(struct conversations *c, const struct row *row,
			       const struct device_public *author)
{
	return (struct effect){
		.id = row->id,
		.kind = row->kind,
		.is_ours = row->is_ours,
		.time = time_counted(c, row->sent_at, row->arrived_at),
		.author = *author,
		.seq = row->seq,
		.size = row->body.size,
		.is_recalled = row->place <= 0,
	};
}

/* The row is written: what it changes. */
static void take_effect(struct conversations *c, struct person *p, int64_t conversation,
			const struct wire_say *say, const struct row *row,
			const struct target *target)
{
	struct effect e = effect_of(c, row, &say->author);

	if (row->kind == SAY_TIMER)
		effect_timer(c, p, row->is_ours, e.time, row->life);
	if (target && is_change(row->kind))
		effect_apply(c, p, &e, target);
	else if (row->about.size > 0 && !row->has_target)
		effect_wait(c, p, conversation, &e, row->about);
	if (row->kind == SAY_FILE)
		news_add(c, &(struct conversation_news){ NEWS_FILE, p, row->id, row->is_ours,
							 false, row->body });
}

/* Whether faces are told of it, and it is counted. */
static bool is_line(const struct row *row)
{
	return row->kind == SAY_TEXT || row->kind == SAY_FILE || row->kind > SAY_GONE;
}

/* Writes a row with its number and what it is about found; then its effects, `tell` before them. */
static int write_entry(struct conversations *c, struct person *p, int64_t conversation,
		       const struct chain *chain, const struct wire_say *say, struct row *row,
		       void (*tell)(struct conversations *c, struct person *p,
				    const struct chain *chain, const struct wire_say *say,
				    const struct row *row))
{
	struct target target;
	bool is_found = say->is_about && !row->has_target &&
			target_find(c, conversation, &say->about_author, say->about_seq,
				    &target);
	int err;

	row->id = events_number(c->rooms->events);
	if (row->place > 0)
		row->place = (int64_t)row->id;
	row->has_target |= is_found;
	if (is_found && (is_change(row->kind) || target.is_shown))
		row->target = target.id;
	err = row_write(c, p, chain, row);
	if (err < 0)
		return err;
	if (tell && is_line(row))
		tell(c, p, chain, say, row);
	take_effect(c, p, conversation, say, row, is_found ? &target : NULL);
	effect_arrived(c, p, conversation, row->id, &say->author, say->seq);
	return 0;
}

static void tell_heard(struct conversations *c, struct person *p, const struct chain *chain,
		       const struct wire_say *say, const struct row *row)
{
	if (!chain->is_ours) {
		p->conversation->unread++;
		p->conversation->is_dirty = true;
		log_event(LOG_DEBUG, "heard", "us", log_int((int64_t)(c->rooms->now / 1000)),
			  NULL);
	}
	tell_entry(c, p, chain, &say->author, row);
}

/* --- hearing --- */

static struct bytes name_in(uint8_t about[ABOUT_SIZE], const struct wire_say *say)
{
	if (!say->is_about)
		return (struct bytes){ 0 };
	about_write(about, &say->about_author, say->about_seq);
	return bytes_of(about, ABOUT_SIZE);
}

/* It is here under another name, and what it is about has another one too, perhaps. */
static void heard_again(struct conversations *c, struct person *p, const struct chain *chain,
			const struct wire_say *say, uint64_t id, struct bytes about)
{
	int64_t conversation = p->conversation->id;
	struct row row = row_of(c, chain, say, about);
	struct target target;

	row.id = id;
	row.place = 1;
	if (say->is_about && !row.has_target && entry_is_waiting(c, id)) {
		if (target_find(c, conversation, &say->about_author, say->about_seq, &target)) {
			entry_found(c, id,
				    is_change(row.kind) || target.is_shown ? target.id : 0);
			take_effect(c, p, conversation, say, &row, &target);
		} else {
			take_effect(c, p, conversation, say, &row, NULL);
		}
	}
	effect_arrived(c, p, conversation, id, &say->author, say->seq);
}

/* History has put something else in its place: what its author says counts. What stood there is shown no
 * more, and out of the way. */
static bool displace(struct conversations *c, struct person *p, const struct chain *chain,
		     const struct wire_say *say)
{
	struct statement *s = db_sql(
		db_of(c), "SELECT id FROM message WHERE chain = ?1 AND seq = ?2 AND place <= 0"
			  " AND (sent_at <> ?3 OR (kind <> 7 AND ?4 <> 7 AND (kind <> ?4"
			  " OR CAST(body AS BLOB) <> ?5)))");
	uint64_t id = 0;

	bind_int(s, 1, chain->id);
	bind_int(s, 2, (int64_t)say->seq);
	bind_int(s, 3, say->time);
	bind_int(s, 4, say->kind);
	bind_bytes(s, 5, say->body);
	if (db_step(s) == 1)
		id = (uint64_t)column_int(s, 0);
	db_done(s);
	if (id == 0)
		return false;
	conversations_wipe(c, p, id, ENTRY_GONE | ENTRY_SILENT);
	s = db_sql(db_of(c), "UPDATE message SET seq = -id WHERE id = ?");
	bind_int(s, 1, (int64_t)id);
	return store_run(c->rooms->store, s) >= 0;
}

static enum heard store_heard(struct conversations *c, struct person *p, struct chain *chain,
			      const struct wire_say *say)
{
	uint8_t room[ABOUT_SIZE];
	struct bytes about = name_in(room, say);
	uint64_t known;
	int err;

	store_write(c->rooms->store);
	chain_make(c, p->conversation->id, &say->author, chain);
	known = again_find(c, p, chain, say, about);
	if (known) {
		heard_again(c, p, chain, say, known, about);
	} else {
		struct row row = row_of(c, chain, say, about);

		row.place = 1;
		err = write_entry(c, p, p->conversation->id, chain, say, &row, tell_heard);
		if (err == ERR_EXISTS && displace(c, p, chain, say)) {
			row = row_of(c, chain, say, about);
			row.place = 1;
			err = write_entry(c, p, p->conversation->id, chain, say, &row,
					  tell_heard);
		}
		/* It is here already where a crash has cost the place in the chain and not the
		 * message (stores of versions before), or it came as history: the place is
		 * made good. */
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

/* What the author itself has no more: it may be here one day by way of another device. */
static void note_gap(struct conversations *c, const struct person *p, const struct chain *chain,
		     uint64_t next)
{
	events_warn(c->rooms->events, &p->name,
		    N_("some messages before this one are missing at their author"));
	if (next > chain->next)
		gap_write(c, chain->id, chain->next, next);
}

enum heard conversations_hear(struct conversations *c, struct person *p, struct chain *chain,
			      const struct wire_say *say, bool is_answer)
{
	bool fits = say->seq == chain->next && memcmp(say->previous.bytes, chain->last.bytes,
						      sizeof chain->last.bytes) == 0;

	if (say->seq < chain->next)
		return HEARD_AGAIN;
	if (!fits && !is_answer)
		return HEARD_GAP;
	if (!is_sound(say))
		return HEARD_WRONG;
	if (!fits && chain->next > 1)
		note_gap(c, p, chain, say->seq);
	return store_heard(c, p, chain, say);
}

int conversations_recall(struct conversations *c, struct person *p, int64_t conversation,
			 const struct chain *chain, const struct wire_say *say,
			 wall_ms arrived_at, int64_t place, uint64_t *id)
{
	uint8_t room[ABOUT_SIZE];
	struct row row = row_of(c, chain, say, name_in(room, say));
	int err;

	if (!is_sound(say))
		return ERR_FORMAT;
	row.arrived_at = arrived_at;
	row.place = place;
	c->is_silent = true;
	err = write_entry(c, p, conversation, chain, say, &row, NULL);
	c->is_silent = false;
	*id = row.id;
	if (err == 0)
		gap_fill(c, chain->id, say->seq);
	if (err == 0 && conversation != p->conversation->id)
		again_recalled(c, chain, say, row.id);
	return err;
}

/* --- what we said, for whom it is owed to --- */

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

/* A row of ours as it was hashed, or an error. `room`: for what it is about. */
static int row_said(struct conversations *c, const struct person *p, struct statement *s,
		    struct row *row, struct message_hash *previous, uint8_t room[ABOUT_SIZE])
{
	uint64_t reply_to = (uint64_t)column_int(s, 8);
	int err = 0;

	*row = (struct row){
		.seq = (uint64_t)column_int(s, 0),
		.sent_at = column_int(s, 1),
		.kind = (enum say_kind)column_int(s, 2),
		.flags = (unsigned)column_int(s, 3),
		.life = (uint32_t)column_int(s, 4),
		.about = column_bytes(s, 5),
		.body = column_bytes(s, 6),
		.previous = previous,
		.bot = column_bytes(s, 9),
		.buttons = column_bytes(s, 10),
	};
	*previous = (struct message_hash){ 0 };
	if (!column_is_null(s, 7))
		err = column_copy(s, 7, previous->bytes, sizeof previous->bytes);
	/* Versions before did not keep the name of what was replied to. */
	if (err == 0 && reply_to && row->kind == SAY_TEXT)
		err = about_of(c, p, reply_to, room);
	if (err == 1)
		row->about = bytes_of(room, ABOUT_SIZE);
	return err < 0 ? err : 0;
}

int conversations_said(struct conversations *c, const struct person *p, uint64_t seq,
		       conversations_each_said *each, void *user)
{
	struct statement *s = db_sql(
		db_of(c), "SELECT seq, sent_at, kind, flags, life, about, body, previous,"
			  " reply_to, bot, buttons FROM message WHERE chain = ? AND seq >= ?"
			  " ORDER BY seq");
	struct message_hash previous;
	uint8_t room[ABOUT_SIZE];
	struct row row;
	int err;

	bind_int(s, 1, p->conversation->ours.id);
	bind_int(s, 2, (int64_t)seq);
	while ((err = db_step(s)) == 1) {
		struct wire_say say;

		/* What cannot be read is not said otherwise than it was. */
		err = row_said(c, p, s, &row, &previous, room);
		if (err < 0)
			break;
		say = say_of(c, p, &row);
		if (!each(user, &say))
			break;
	}
	db_done(s);
	return err < 0 ? err : 0;
}
