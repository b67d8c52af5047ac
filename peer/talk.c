#include "peer/talk.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/events.h"
#include "peer/store.h"
#include "shared/error.h"

/* HAVE, ACK and DELIVERED are below 128 bytes (docs/protocol.md). */
enum { TALK_WORDS_SIZE = 4 * 128 };

struct talk *talk_new(struct rooms *rooms, struct person *p, const struct device_public *device,
		      bool is_sibling)
{
	struct talk *t = memory_new(sizeof *t);

	t->person = p;
	t->id = p->conversation->wire;
	t->device = *device;
	t->have_at = NEVER;
	t->told = 1;
	t->debt.is_sibling = is_sibling;
	outbox_open(rooms->outbox, p, device, &t->debt);
	conversations_chain(rooms->conversations, p, device, is_sibling, &t->chain);
	return t;
}

void talk_free(struct talk *t)
{
	free(t);
}

bool talk_is_of_now(const struct talk *t)
{
	const struct conversation *v = t->person->conversation;

	return v && t->debt.conversation == v->id &&
	       memcmp(t->id.bytes, v->wire.bytes, sizeof t->id.bytes) == 0;
}

void talk_linked(struct rooms *rooms, struct talk *t)
{
	t->have_at = rooms->now;
	t->is_asking = t->ack_due = t->lacks_room = false;
	t->has_begun = false;
	t->highest = 0;
	t->told = 1;
	outbox_linked(&t->debt);
}

void talk_unlinked(struct talk *t)
{
	t->ack_due = t->is_asking = false;
	t->have_at = NEVER;
	t->told = 1;
	outbox_linked(&t->debt);
}

/* --- what is missing of what the device said --- */

/* Faces hear of it at the end of the step, should it not have come by then. */
static void miss(struct rooms *rooms, struct talk *t)
{
	t->missing = t->highest > t->chain.next ? t->highest - t->chain.next : 1;
	if (!t->is_missing_told)
		rooms->save_at = rooms->now;
}

static void tell_missing(struct rooms *rooms, const struct talk *t, bool is_found)
{
	struct event e = { .kind = EVENT_MISSING,
			   .name = t->person->name,
			   .has_come = is_found };

	store_write(rooms->store);
	events_add(rooms->events, &e);
}

static void found(struct rooms *rooms, struct talk *t)
{
	if (t->missing == 0)
		return;
	if (t->chain.next <= t->highest) {
		t->missing = t->highest - t->chain.next + 1;
		return;
	}
	t->missing = 0;
	if (t->is_missing_told)
		tell_missing(rooms, t, true);
	t->is_missing_told = false;
}

/* --- what the device says --- */

static int on_say(struct rooms *rooms, struct talk *t, const struct wire_say *say)
{
	/* Asked for something missing, an answer is what goes back to before it; the rest was
	 * under way already. */
	bool is_answer = t->is_asking && say->seq <= t->highest;

	if (!device_public_equal(&say->author, &t->device) || say->seq == 0 ||
	    say->seq >= CHAIN_MAX)
		return ERR_FORMAT;
	if (say->seq > t->highest)
		t->highest = say->seq;
	switch (conversations_hear(rooms->conversations, t->person, &t->chain, say,
				   is_answer)) {
	case HEARD_NEW:
		t->is_asking = false;
		found(rooms, t);
		t->ack_due = t->has_heard = true;
		break;
	case HEARD_AGAIN:
		t->ack_due = true;
		break;
	case HEARD_GAP:
		if (!t->is_asking) {
			t->is_asking = true;
			t->have_at = rooms->now;
		}
		if (t->chain.next > 1) /* else the device was not owed what is before */
			miss(rooms, t);
		break;
	case HEARD_WRONG:
		return ERR_FORMAT;
	}
	return 0;
}

static int on_ack(struct rooms *rooms, struct talk *t, const struct wire_ack *ack)
{
	if (!device_public_equal(&ack->author, account_device(rooms->account)))
		return ERR_FORMAT;
	return outbox_acked(rooms->outbox, t->person, &t->debt, ack->next);
}

static int on_have(struct rooms *rooms, struct talk *t, const struct wire_have *have)
{
	if (!device_public_equal(&have->author, account_device(rooms->account)))
		return ERR_FORMAT;
	return outbox_asked(rooms->outbox, t->person, &t->debt, have);
}

/* The device tells how far its own chain is delivered. */
static int on_delivered(struct rooms *rooms, struct talk *t,
			const struct wire_delivered *delivered)
{
	if (!t->debt.is_sibling || delivered->next == 0 || delivered->next >= CHAIN_MAX)
		return ERR_FORMAT;
	conversations_delivered_there(&t->chain, delivered->next);
	if (t->chain.is_dirty)
		rooms->save_at = mono_earlier(rooms->save_at, rooms->now + OUTBOX_SAVE);
	return 0;
}

int talk_message(struct rooms *rooms, struct talk *t, const struct wire_message *m)
{
	switch (m->type) {
	case WIRE_SAY:
		return on_say(rooms, t, &m->say);
	case WIRE_ACK:
		return on_ack(rooms, t, &m->ack);
	case WIRE_HAVE:
		return on_have(rooms, t, &m->have);
	case WIRE_DELIVERED:
		return on_delivered(rooms, t, &m->delivered);
	default:
		return ERR_FORMAT;
	}
}

/* --- what we say --- */

void talk_save(struct rooms *rooms, struct talk *t)
{
	if (!talk_is_of_now(t))
		return;
	conversations_save_chain(rooms->conversations, t->person, &t->chain);
	if (t->missing && !t->is_missing_told) {
		t->is_missing_told = true;
		tell_missing(rooms, t, false);
	}
	outbox_save(rooms->outbox, &t->device, &t->debt);
}

static void say_have(struct talk *t, struct line *line)
{
	struct wire_message m = { .type = WIRE_HAVE };
	/* They may take the first on a link for one that crossed what they said without waiting
	 * for it: who misses something of that, or has passed it over, says it twice. */
	unsigned times = (t->is_asking || t->debt.is_late) && !t->has_begun ? 2 : 1;

	m.have.conversation = t->id;
	m.have.author = t->device;
	m.have.next = t->chain.next;
	m.have.last = t->chain.last;
	for (; times > 0; times--) {
		if (line_send(line, &m) < 0)
			return;
	}
	t->has_begun = true;
	t->have_at = NEVER;
}

static void say_ack(struct talk *t, struct line *line)
{
	struct wire_message m = { .type = WIRE_ACK };

	m.ack.conversation = t->id;
	m.ack.author = t->device;
	m.ack.next = t->chain.next;
	if (line_send(line, &m) == 0)
		t->ack_due = false;
}

static void say_delivered(struct talk *t, struct line *line)
{
	struct wire_message m = { .type = WIRE_DELIVERED };

	m.delivered.conversation = t->id;
	m.delivered.next = t->person->conversation->told;
	if (line_send(line, &m) == 0)
		t->told = m.delivered.next;
}

bool talk_has_news(const struct talk *t)
{
	return t->debt.is_sibling && talk_is_of_now(t) &&
	       t->person->conversation->told > t->told;
}

bool talk_release(struct rooms *rooms, struct talk *t, struct line *line)
{
	t->has_heard = false;
	if (!talk_is_of_now(t))
		return false;
	/* A contact's one conversation always finds room; of our own many some wait. */
	t->lacks_room = t->debt.is_sibling && line_room(line) < TALK_WORDS_SIZE;
	if (t->lacks_room)
		return false;
	if (t->have_at <= rooms->now)
		say_have(t, line);
	if (t->ack_due)
		say_ack(t, line);
	if (talk_has_news(t))
		say_delivered(t, line);
	return outbox_pump(rooms->outbox, t->person, &t->debt, line);
}

bool talk_is_quiet(const struct talk *t, bool is_linked)
{
	if (t->debt.is_dirty || t->chain.is_dirty || t->has_heard ||
	    outbox_owes(t->person, &t->debt))
		return false;
	return !is_linked || (!t->ack_due && t->have_at == NEVER && !talk_has_news(t) &&
			      t->debt.back_to == 0 && t->debt.cursor >= t->debt.next);
}

mono_ns talk_deadline(const struct talk *t)
{
	return t->lacks_room ? NEVER : mono_earlier(t->have_at, outbox_deadline(&t->debt));
}

void talk_undo(struct rooms *rooms, struct talk *t, bool is_linked)
{
	uint64_t delivered = t->chain.delivered;

	conversations_chain(rooms->conversations, t->person, &t->device, t->debt.is_sibling,
			    &t->chain);
	conversations_delivered_there(&t->chain, delivered); /* is said once on a link */
	outbox_undo(rooms->outbox, t->person, &t->device, &t->debt);
	t->ack_due = false;
	if (t->has_heard && is_linked) {
		t->is_asking = true;
		t->have_at = rooms->now + TALK_ASK_AGAIN;
	}
	t->has_heard = false;
}
