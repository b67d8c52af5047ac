#include "peer/way.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "shared/error.h"

struct way *way_new(struct rooms *rooms, struct person *p, const struct device_public *device)
{
	struct way *w = memory_new(sizeof *w);

	w->person = p;
	w->device = *device;
	w->have_at = w->check_at = w->announced_at = NEVER;
	outbox_open(rooms->outbox, p, device, &w->debt);
	conversations_chain(rooms->conversations, p, device, &w->chain);
	return w;
}

void way_free(struct way *w)
{
	if (!w)
		return;
	line_clear(&w->line);
	free(w);
}

void way_linked(struct rooms *rooms, struct way *w, struct link *link)
{
	line_begin(&w->line, link, WIRE_FROM_PEER);
	w->link = link;
	w->state = WAY_LINKED;
	w->failures = 0;
	w->retry_at = 0;
	w->suspect_at = 0;
	w->announced_at = NEVER;
	w->has_left = false;
	w->last_used = rooms->now;
	w->have_at = rooms->now;
	w->is_asking = w->ack_due = false;
	w->highest = 0;
	outbox_linked(&w->debt);
}

void way_unlinked(struct way *w)
{
	line_clear(&w->line);
	w->link = NULL;
	w->state = WAY_IDLE;
	w->ack_due = w->is_asking = false;
	w->have_at = w->check_at = w->announced_at = NEVER;
	outbox_linked(&w->debt);
}

/* --- what the device says --- */

static bool is_our_conversation(const struct way *w, const struct conversation_id *id)
{
	return w->debt.conversation == w->person->conversation->id &&
	       memcmp(id->bytes, w->person->conversation->wire.bytes, sizeof id->bytes) == 0;
}

static int on_say(struct rooms *rooms, struct way *w, const struct wire_say *say)
{
	/* Asked for something missing, an answer is what goes back to before it; the rest was
	 * under way already. */
	bool is_answer = w->is_asking && say->seq <= w->highest;

	if (!device_public_equal(&say->author, &w->device) || say->seq == 0 ||
	    say->seq >= CHAIN_MAX)
		return ERR_FORMAT;
	if (say->seq > w->highest)
		w->highest = say->seq;
	switch (conversations_hear(rooms->conversations, w->person, &w->chain, say,
				   is_answer)) {
	case HEARD_NEW:
		w->is_asking = false;
		w->ack_due = w->has_heard = true;
		break;
	case HEARD_AGAIN:
		w->ack_due = true;
		break;
	case HEARD_GAP:
		if (!w->is_asking) {
			w->is_asking = true;
			w->have_at = rooms->now;
		}
		break;
	}
	return 0;
}

static int on_ack(struct rooms *rooms, struct way *w, const struct wire_ack *ack)
{
	if (!device_public_equal(&ack->author, account_device(rooms->account)))
		return ERR_FORMAT;
	return outbox_acked(rooms->outbox, w->person, &w->debt, ack->next);
}

static int on_have(struct rooms *rooms, struct way *w, const struct wire_have *have)
{
	if (!device_public_equal(&have->author, account_device(rooms->account)))
		return ERR_FORMAT;
	return outbox_asked(rooms->outbox, w->person, &w->debt, have);
}

int way_message(struct rooms *rooms, struct way *w, const struct wire_message *m)
{
	w->last_used = rooms->now;
	switch (m->type) {
	case WIRE_SAY:
		return is_our_conversation(w, &m->say.conversation) ? on_say(rooms, w, &m->say)
								    : ERR_FORMAT;
	case WIRE_ACK:
		return is_our_conversation(w, &m->ack.conversation) ? on_ack(rooms, w, &m->ack)
								    : ERR_FORMAT;
	case WIRE_HAVE:
		return is_our_conversation(w, &m->have.conversation)
			       ? on_have(rooms, w, &m->have)
			       : ERR_FORMAT;
	default:
		return ERR_FORMAT;
	}
}

int way_take(struct rooms *rooms, struct way *w)
{
	struct wire_message m;
	int err;

	while ((err = line_next(&w->line, &m)) == 1) {
		err = way_message(rooms, w, &m);
		if (err < 0)
			return err;
	}
	if (w->line.is_readable)
		rooms->has_more = true;
	return err;
}

/* --- what we say --- */

void way_save(struct rooms *rooms, struct way *w)
{
	conversations_save_chain(rooms->conversations, &w->chain);
	outbox_save(rooms->outbox, &w->device, &w->debt);
}

static void say_have(struct way *w)
{
	struct wire_message m = { .type = WIRE_HAVE };

	m.have.conversation = w->person->conversation->wire;
	m.have.author = w->device;
	m.have.next = w->chain.next;
	m.have.last = w->chain.last;
	line_send(&w->line, &m);
	w->have_at = NEVER;
}

static void say_ack(struct way *w)
{
	struct wire_message m = { .type = WIRE_ACK };

	m.ack.conversation = w->person->conversation->wire;
	m.ack.author = w->device;
	m.ack.next = w->chain.next;
	if (line_send(&w->line, &m) == 0)
		w->ack_due = false;
}

void way_release(struct rooms *rooms, struct way *w)
{
	w->has_heard = false;
	if (w->state != WAY_LINKED || !person_is_open(w->person))
		return;
	if (w->have_at <= rooms->now)
		say_have(w);
	if (w->ack_due)
		say_ack(w);
	if (outbox_pump(rooms->outbox, w->person, &w->debt, &w->line))
		w->last_used = rooms->now;
	if (line_flush(&w->line))
		w->check_at = mono_earlier(w->check_at, rooms->now + WAY_SUSPECT);
}

void way_undo(struct rooms *rooms, struct way *w)
{
	struct debt before = w->debt;

	conversations_chain(rooms->conversations, w->person, &w->device, &w->chain);
	outbox_open(rooms->outbox, w->person, &w->device, &w->debt);
	if (w->debt.conversation == before.conversation) {
		w->debt.is_asked = before.is_asked;
		w->debt.started = before.started;
		w->debt.cursor = before.cursor;
	}
	w->ack_due = false;
	if (w->has_heard && w->state == WAY_LINKED) {
		w->is_asking = true;
		w->have_at = rooms->now + WAY_ASK_AGAIN;
	}
	w->has_heard = false;
}
