#include "peer/outbox.h"

#include <stdlib.h>

#include "peer/conversations.h"
#include "peer/store.h"
#include "shared/error.h"

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
		.next = p->conversation->delivered,
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

bool outbox_owes(const struct person *p, const struct debt *debt)
{
	const struct conversation *v = p->conversation;

	return v->has_identity && debt->conversation == v->id && v->ours.next > debt->next;
}

void outbox_linked(struct debt *debt)
{
	debt->is_asked = debt->has_adopted = false;
	debt->started = debt->cursor = debt->next;
}

static void reached(struct outbox *o, struct person *p, struct debt *debt, uint64_t next)
{
	if (next != debt->next || !debt->has_acked) {
		debt->next = next;
		debt->has_acked = true;
		debt->is_dirty = true;
	}
	conversations_delivered(o->rooms->conversations, p, next);
	if (debt->is_dirty || p->conversation->is_dirty)
		o->rooms->save_at = mono_earlier(o->rooms->save_at,
						 o->rooms->now + OUTBOX_SAVE);
}

int outbox_asked(struct outbox *o, struct person *p, struct debt *debt,
		 const struct wire_have *have)
{
	struct conversations *c = o->rooms->conversations;
	/* Their first word on this link crossed what we sent without waiting for it. */
	bool is_crossing = !debt->is_asked && debt->has_acked && have->next >= debt->started &&
			   have->next <= debt->cursor;

	if (have->next == 0 || have->next >= CHAIN_MAX)
		return ERR_FORMAT;
	debt->is_asked = true;
	if (have->next == 1 && !debt->has_acked) {
		debt->cursor = debt->next;
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
		debt->cursor = have->next;
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
	struct wire_message m = { .type = WIRE_SAY };
	size_t size = say->body.size + OUTBOX_SAY_OVERHEAD;

	if (size + OUTBOX_MARGIN > pump->room)
		return false;
	m.say = *say;
	if (line_send(pump->line, &m) < 0)
		return false;
	pump->room -= size;
	pump->debt->cursor = say->seq + 1;
	pump->is_sent = true;
	return true;
}

bool outbox_pump(struct outbox *o, const struct person *p, struct debt *debt, struct line *line)
{
	struct pump pump = { debt, line, 0, false };

	if (!(debt->is_asked || debt->has_acked) || debt->conversation != p->conversation->id ||
	    debt->cursor >= p->conversation->ours.next)
		return false;
	pump.room = line_room(line);
	if (pump.room > OUTBOX_MARGIN + OUTBOX_SAY_OVERHEAD)
		conversations_said(o->rooms->conversations, p, debt->cursor, on_said, &pump);
	return pump.is_sent;
}

void outbox_save(struct outbox *o, const struct device_public *device, struct debt *debt)
{
	if (!debt->is_dirty)
		return;
	debt->is_dirty = false;
	write_row(o, device, debt);
}
