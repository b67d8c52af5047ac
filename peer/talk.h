/* One conversation on the way to one device: how far both chains are there, and what is to be
 * asked, acknowledged and sent. A way to a contact's device has one, a way to another device
 * of ours one for every person. */
#ifndef PALIQUE_PEER_TALK_H
#define PALIQUE_PEER_TALK_H

#include "peer/conversations.h"
#include "peer/line.h"
#include "peer/outbox.h"

#define TALK_ASK_AGAIN (1 * SECOND) /* after a store that failed */

struct talk {
	struct person *person; /* whose conversation */
	struct conversation_id id;
	struct device_public device; /* at the other end */

	struct chain chain;      /* what the device said */
	struct debt debt;        /* what it has of ours */
	bool ack_due, has_heard; /* since the last commit */
	mono_ns have_at;         /* when to say HAVE; NEVER: no need */
	bool has_begun;          /* HAVE was said on this link */
	bool is_asking;          /* ... said because something was missing */
	uint64_t highest;        /* seq seen on this link: going back below answers HAVE */
	uint64_t missing;        /* so many below what was said are asked for, ... */
	bool is_missing_told;    /* ... and faces know */
	bool lacks_room;         /* in the line: what is due waits for that */
	uint64_t told;           /* to a device of ours on this link: so far we are delivered */

	bool is_awake; /* in its way's list of those that something is to be done for */
	struct talk *next_awake;
};

struct talk *talk_new(struct rooms *rooms, struct person *p, const struct device_public *device,
		      bool is_sibling);
void talk_free(struct talk *t);
/* Whether the person's conversation is still this one. */
bool talk_is_of_now(const struct talk *t);

void talk_linked(struct rooms *rooms, struct talk *t);
void talk_unlinked(struct talk *t);

/* SAY, ACK, HAVE or DELIVERED, about this conversation. Below 0: breaks the protocol. */
int talk_message(struct rooms *rooms, struct talk *t, const struct wire_message *m);

/* Before the commit. */
void talk_save(struct rooms *rooms, struct talk *t);
/* After it, linked: asks, acknowledges, sends what is owed, as far as there is room. True when
 * something was sent that was owed. */
bool talk_release(struct rooms *rooms, struct talk *t, struct line *line);
/* The commit failed: memory follows the store again. */
void talk_undo(struct rooms *rooms, struct talk *t, bool is_linked);

/* Nothing is to be written, nor owed, nor to be said now or later. */
bool talk_is_quiet(const struct talk *t, bool is_linked);
/* Linked: when there is something to say that waits for its time; NEVER: nothing. */
mono_ns talk_deadline(const struct talk *t);
/* The device does not know how far we are delivered. */
bool talk_has_news(const struct talk *t);

#endif
