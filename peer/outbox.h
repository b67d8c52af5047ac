/* What we owe to each device of a contact, and to each other device of our own, until it
 * acknowledges it. */
#ifndef PALIQUE_PEER_OUTBOX_H
#define PALIQUE_PEER_OUTBOX_H

#include "peer/line.h"
#include "peer/person.h"
#include "peer/rooms.h"

/* Our account with one device in the conversation of now; kept in its talk (peer/talk.h). */
struct debt {
	int64_t conversation;
	bool is_sibling;  /* another device of ours: what it has is not delivered by that */
	uint64_t next;    /* it has everything of ours below */
	uint64_t cursor;  /* to be sent next on this link */
	uint64_t started; /* where this link began: at what was acknowledged last */
	bool is_asked;    /* it has said on this link from where */
	bool is_late; /* ... or may have, before the conversation was known here; and so may we */
	bool has_acked;   /* ever: before that a new device starts at the oldest undelivered */
	bool has_adopted; /* on this link: an older copy is put back once */
	bool is_dirty;
	uint64_t back_to; /* 0, or from where it asked for all again, which must wait */
	mono_ns again_at; /* what it asked for again is paid for by then: outbox.c */
};

/* How long the news that something was delivered may wait to be written with something else:
 * an acknowledgement seldom comes alone, and nobody waits for the disk to hold this. */
#define OUTBOX_SAVE (2 * MILLISECOND)

struct outbox;
struct outbox *outbox_new(struct rooms *rooms);
void outbox_free(struct outbox *o);

/* What a device asks for again is limited, else it could make us send everything for ever: each
 * message again costs so much time, of which so much may be owed; one asking is never
 * charged more. */
#define OUTBOX_AGAIN     (20 * MILLISECOND)
#define OUTBOX_AGAIN_DUE (60 * SECOND)
#define OUTBOX_AGAIN_MAX (600 * SECOND)

/* Reads what is owed to the device (debt.is_sibling is set already). A device of theirs that
 * nothing is known of starts at the oldest undelivered message; one of ours at the beginning:
 * where it came later than the conversation, outbox_admit() has said from where. */
void outbox_open(struct outbox *o, const struct person *p, const struct device_public *device,
		 struct debt *debt);
/* From now on the device is owed what we say to the person, and what is not delivered yet;
 * another device of ours: only what is said from now on. Nothing changes where it is owed
 * already. */
void outbox_admit(struct outbox *o, const struct person *p, const struct device_public *device,
		  bool is_sibling);
/* Nothing any more: in the conversation with the person, or (NULL) in any. */
void outbox_dismiss(struct outbox *o, const struct person *p,
		    const struct device_public *device);
bool outbox_owes(const struct person *p, const struct debt *debt);
/* Whether outbox_pump() has something to send now, and when otherwise (NEVER: not by time). */
bool outbox_is_due(const struct person *p, const struct debt *debt, mono_ns now);
mono_ns outbox_deadline(const struct debt *debt);

/* A new link. A device that has acknowledged before is sent to at once, from there on;
 * another one is waited for, until it says what it has. */
void outbox_linked(struct debt *debt);
/* The commit failed: what we have said is as the store says. What the device has said on this link still holds;
 * it says it once. */
void outbox_undo(struct outbox *o, struct person *p, const struct device_public *device,
		 struct debt *debt);
/* Their HAVE and ACK about our chain. ERR_FORMAT: more than we ever said. */
int outbox_asked(struct outbox *o, struct person *p, struct debt *debt,
		 const struct wire_have *have);
int outbox_acked(struct outbox *o, struct person *p, struct debt *debt, uint64_t next);

/* Only after a commit: sends what is owed, as much as the line has room for. True when
 * something was sent. */
bool outbox_pump(struct outbox *o, const struct person *p, struct debt *debt,
		 struct line *line);

/* The first of what is owed, as frames, as far as `out` has room: said beside the line, which will
 * say it again. */
void outbox_early(struct outbox *o, const struct person *p, const struct debt *debt,
		  struct buf *out);

void outbox_save(struct outbox *o, const struct device_public *device, struct debt *debt);

#endif
