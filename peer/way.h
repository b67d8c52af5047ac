/* The way to one device of a contact: what is known of it, its link, how far both chains
 * are. Inside of reach: reach.c decides when, way.c talks. */
#ifndef PALIQUE_PEER_WAY_H
#define PALIQUE_PEER_WAY_H

#include "peer/conversations.h"
#include "peer/line.h"
#include "peer/outbox.h"

#define WAY_SUSPECT   (3 * SECOND) /* unanswered for so long: tell the directory */
#define WAY_ASK_AGAIN (1 * SECOND) /* after a store that failed */

enum way_state { WAY_IDLE, WAY_DIALLING, WAY_LINKED };

struct way {
	uintptr_t number; /* given by reach, never again */
	struct person *person;
	struct device_public device;
	bool is_present; /* as the directory says */
	bool has_certificate;
	struct certificate certificate;
	struct knock knock;
	struct candidates candidates;

	enum way_state state;
	struct link *link; /* LINKED; while DIALLING it may be replaced under us */
	struct line line;
	mono_ns dial_until, retry_at, last_used, suspect_at, check_at;
	mono_ns announced_at; /* LINKED and told of again: an earlier life's link? Else NEVER */
	bool has_left;        /* said goodbye, and nobody has said since that it is there */
	unsigned failures;

	struct chain chain;      /* what the device said */
	struct debt debt;        /* what it has of ours */
	bool ack_due, has_heard; /* since the last commit */
	mono_ns have_at;         /* when to say HAVE; NEVER: no need */
	bool is_asking;          /* ... said because something was missing */
	uint64_t highest;        /* seq seen on this link: going back below answers HAVE */
};

struct way *way_new(struct rooms *rooms, struct person *p, const struct device_public *device);
void way_free(struct way *w);

/* The link is up. */
void way_linked(struct rooms *rooms, struct way *w, struct link *link);
/* Forgets the link; does not close it. */
void way_unlinked(struct way *w);

/* Reads what arrived. Below 0: the other side broke the protocol, or ended it. */
int way_take(struct rooms *rooms, struct way *w);
void way_save(struct rooms *rooms, struct way *w);
/* After a commit: acknowledges, asks, sends what is owed. */
void way_release(struct rooms *rooms, struct way *w);
/* The commit failed: memory follows the store again. */
void way_undo(struct rooms *rooms, struct way *w);

/* One message from the device; as way_take() gives them. For the fuzzer. */
int way_message(struct rooms *rooms, struct way *w, const struct wire_message *m);

#endif
