#include "peer/outbox.h"

#include <stdlib.h>

#include "peer/conversations.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/frame.h"

/* Room left free in the link for acknowledgements, and for one longest message: SAY's fields
 * around the text are below 256 bytes (docs/protocol.md). */
enum { OUTBOX_MARGIN = 1024, OUTBOX_SAY_OVERHEAD = 256 };

/* A store that was put back is not older by more messages than these: so who lies cannot use
 * up the numbers of a chain. */
#define ADOPT_MAX ((uint64_t)1 << 32)

struct outbox {
	struct rooms *rooms;
};

struct outbox *outbox_new(struct rooms *rooms)
{
	struct outbox *o = memory_new(sizeof *o);

	o->rooms = rooms;
	return o;
}

void outbox_free(struct outbox *o)
{
	free(o);
}

static void write_row(struct outbox *o, const struct device_public *device,
		      const struct debt *debt)
{
	struct store *store = o->rooms->store;
	struct statement *s;

	store_write(store);
	s = db_sql(store_db(store), "INSERT OR REPLACE INTO owed(conversation, device, next,"
				    " has_acked) VALUES(?,?,?,?)");
	bind_int(s, 1, debt->conversation);
	bind_bytes(s, 2, BYTES(device->bytes));
	bind_int(s, 3, (int64_t)debt->next);
	bind_int(s, 4, debt->has_acked);
	store_run(store, s);
}

void outbox_open(struct outbox *o, const struct person *p, const struct device_public *device,
		 struct debt *debt)
{
	struct statement *s = db_sql(store_db(o->rooms->store),
				     "SELECT next, has_acked FROM owed WHERE conversation = ?"
				     " AND device = ?");
	int err;

	*debt = (struct debt){
		.conversation = p->conversation->id,
		.is_sibling = debt->is_sibling,
		.next = debt->is_sibling ? 1 : p->conversation->delivered,
		.again_at = debt->again_at,
	};
	bind_int(s, 1, debt->conversation);
	bind_bytes(s, 2, BYTES(device->bytes));
	err = db_step(s);
	if (err == 1) {
		debt->next = (uint64_t)column_int(s, 0);
		debt->has_acked = column_int(s, 1);
	}
	db_done(s);
	if (err < 0)
		store_failed(o->rooms->store, err);
	else if (err == 0)
		write_row(o, device, debt);
}

void outbox_admit(struct outbox *o, const struct person *p, const struct device_public *device,
		  bool is_sibling)
{
	const struct conversation *v = p->conversation;
	struct store *store = o->rooms->store;
	struct statement *s;

	store_write(store);
	s = db_sql(store_db(store), "INSERT OR IGNORE INTO owed(conversation, device, next,"
				    " has_acked) VALUES(?,?,?,0)");
	bind_int(s, 1, v->id);
	bind_bytes(s, 2, BYTES(device->bytes));
	bind_int(s, 3, (int64_t)(is_sibling ? v->ours.next : v->delivered));
	store_run(store, s);
}

void outbox_dismiss(struct outbox *o, const struct person *p,
		    const struct device_public *device)
{
	struct store *store = o->rooms->store;
	struct statement *s;

	store_write(store);
	s = db_sql(store_db(store), p ? "DELETE FROM owed WHERE device = ? AND conversation = ?"
				      : "DELETE FROM owed WHERE device = ?");
	bind_bytes(s, 1, BYTES(device->bytes));
	if (p)
		bind_int(s, 2, p->conversation->id);
	store_run(store, s);
}

bool outbox_owes(const struct person *p, const struct debt *debt)
{
	const struct conversation *v = p->conversation;

	return v->has_identity && debt->conversation == v->id && v->ours.next > debt->next;
}

void outbox_linked(struct debt *debt)
{
	debt->is_asked = debt->is_late = debt->has_adopted = false;
	debt->back_to = 0;
	debt->started = debt->cursor = debt->next;
}

static void reached(struct outbox *o, struct person *p, struct debt *debt, uint64_t next)
{
	if (next != debt->next || !debt->has_acked) {
		debt->next = next;
		debt->has_acked = true;
		debt->is_dirty = true;
	}
	if (!debt->is_sibling)
		conversations_delivered(o->rooms->conversations, p, next);
	if (debt->is_dirty || p->conversation->is_dirty)
		o->rooms->save_at = mono_earlier(o->rooms->save_at,
						 o->rooms->now + OUTBOX_SAVE);
}

void outbox_undo(struct outbox *o, struct person *p, const struct device_public *device,
		 struct debt *debt)
{
	const struct debt before = *debt;

	outbox_open(o, p, device, debt);
	outbox_linked(debt);
	if (debt->conversation != before.conversation)
		return;
	/* The link has heard their first word: another one asks, whatever was said of it. */
	debt->is_asked = before.is_asked;
	debt->is_late = before.is_late;
	if (before.cursor > p->conversation->ours.next)
		return; /* the rest was about another past of ours */
	debt->started = before.started;
	debt->cursor = before.cursor;
	debt->back_to = before.back_to;
	if (before.has_acked && before.next <= p->conversation->ours.next)
		reached(o, p, debt, before.next);
}

/* --- asked for again --- */

static bool may_go_back(const struct debt *debt, mono_ns now)
{
	return debt->again_at <= now + OUTBOX_AGAIN_DUE;
}

/* Sends from `next` on; what was sent already on this link at the price of that, or later. */
static void go_to(struct debt *debt, uint64_t next, mono_ns now)
{
	mono_ns price;

	debt->back_to = 0;
	if (next < debt->cursor) {
		if (!may_go_back(debt, now)) {
			debt->back_to = next;
			return;
		}
		price = debt->cursor - next < OUTBOX_AGAIN_MAX / OUTBOX_AGAIN
				? (mono_ns)(debt->cursor - next) * OUTBOX_AGAIN
				: OUTBOX_AGAIN_MAX;
		debt->again_at = (debt->again_at > now ? debt->again_at : now) + price;
	}
	debt->cursor = next;
}

mono_ns outbox_deadline(const struct debt *debt)
{
	return debt->back_to ? debt->again_at - OUTBOX_AGAIN_DUE : NEVER;
}

int outbox_asked(struct outbox *o, struct person *p, struct debt *debt,
		 const struct wire_have *have)
{
	struct conversations *c = o->rooms->conversations;
	/* Their first word on this link crossed what we sent without waiting for it; where one may have
	 * been passed over before, this asks. */
	bool is_crossing = !debt->is_asked && !debt->is_late && debt->has_acked &&
			   have->next >= debt->started && have->next <= debt->cursor;

	if (have->next == 0 || have->next >= CHAIN_MAX)
		return ERR_FORMAT;
	debt->is_asked = true;
	if (have->next == 1 && !debt->has_acked) {
		go_to(debt, debt->next, o->rooms->now);
		return 0;
	}
	/* Below what is delivered there is nothing to say again: they will ask, and take it. */
	if (have->next >= p->conversation->delivered &&
	    !conversations_agrees(c, p, have->next, &have->last)) {
		if (debt->has_adopted || have->next > p->conversation->ours.next + ADOPT_MAX)
			return ERR_FORMAT;
		debt->has_adopted = true;
		is_crossing = false;
		conversations_adopt(c, p, have->next, &have->last);
	}
	reached(o, p, debt, have->next);
	if (!is_crossing)
		go_to(debt, have->next, o->rooms->now);
	return 0;
}

int outbox_acked(struct outbox *o, struct person *p, struct debt *debt, uint64_t next)
{
	if (next == 0 || next > p->conversation->ours.next)
		return ERR_FORMAT;
	if (next > debt->next)
		reached(o, p, debt, next);
	return 0;
}

struct pump {
	struct debt *debt;
	struct line *line;
	size_t room;
	bool is_sent;
};

static bool on_said(void *user, const struct wire_say *say)
{
	struct pump *pump = user;
	struct wire_message m; /* large, and of it only this is read */
	size_t size = say->body.size + say->bot.size + say->buttons.size + OUTBOX_SAY_OVERHEAD;

	if (size + OUTBOX_MARGIN > pump->room)
		return false;
	m.type = WIRE_SAY;
	m.say = *say;
	if (line_send(pump->line, &m) < 0)
		return false;
	pump->room -= size;
	pump->debt->cursor = say->seq + 1;
	pump->is_sent = true;
	return true;
}

bool outbox_is_due(const struct person *p, const struct debt *debt, mono_ns now)
{
	const struct conversation *v = p->conversation;

	if (!v->has_identity || debt->conversation != v->id)
		return false;
	if (debt->back_to)
		return may_go_back(debt, now);
	return (debt->is_asked || debt->is_late || debt->has_acked) &&
	       debt->cursor < v->ours.next;
}

bool outbox_pump(struct outbox *o, const struct person *p, struct debt *debt, struct line *line)
{
	struct pump pump = { debt, line, 0, false };

	if (!outbox_is_due(p, debt, o->rooms->now))
		return false;
	if (debt->back_to)
		go_to(debt, debt->back_to, o->rooms->now);
	pump.room = line_room(line);
	if (pump.room > OUTBOX_MARGIN + OUTBOX_SAY_OVERHEAD)
		conversations_said(o->rooms->conversations, p, debt->cursor, on_said, &pump);
	return pump.is_sent;
}

static bool on_early(void *user, const struct wire_say *say)
{
	struct wire_message m = { .type = WIRE_SAY };
	struct buf encoded = { 0 };
	bool fits;

	m.say = *say;
	fits = wire_encode(&m, &encoded) == 0 && frame_append(user, buf_view(&encoded)) == 0;
	buf_clear(&encoded);
	return fits;
}

void outbox_early(struct outbox *o, const struct person *p, const struct debt *debt,
		  struct buf *out)
{
	conversations_said(o->rooms->conversations, p, debt->next, on_early, out);
}

void outbox_save(struct outbox *o, const struct device_public *device, struct debt *debt)
{
	if (!debt->is_dirty)
		return;
	debt->is_dirty = false;
	write_row(o, device, debt);
}
