/* What we owe to each device of a contact until it acknowledges it. */
#ifndef PALIQUE_PEER_OUTBOX_H
#define PALIQUE_PEER_OUTBOX_H

#include "peer/line.h"
#include "peer/person.h"
#include "peer/rooms.h"

/* Our account with one device in the conversation of now; kept in its way (peer/way.h). */
struct debt {
	int64_t conversation;
	uint64_t next;    /* it has everything of ours below */
	uint64_t cursor;  /* to be sent next on this link */
	uint64_t started; /* where this link began: at what was acknowledged last */
	bool is_asked;    /* it has said on this link from where */
	bool has_acked;   /* ever: before that a new device starts at the oldest undelivered */
	bool has_adopted; /* on this link: an older copy is put back once */
	bool is_dirty;
};

/* How long the news that something was delivered may wait to be written with something else:
 * an acknowledgement seldom comes alone, and nobody waits for the disk to hold this. */
#define OUTBOX_SAVE (2 * MILLISECOND)

struct outbox;
struct outbox *outbox_new(struct rooms *rooms);
void outbox_free(struct outbox *o);

/* Reads what is owed to the device; a new one starts at the oldest undelivered message. */
void outbox_open(struct outbox *o, const struct person *p, const struct device_public *device,
		 struct debt *debt);
bool outbox_owes(const struct person *p, const struct debt *debt);

/* A new link. A device that has acknowledged before is sent to at once, from there on;
 * another one is waited for, until it says what it has. */
void outbox_linked(struct debt *debt);
/* Their HAVE and ACK about our chain. ERR_FORMAT: more than we ever said. */
int outbox_asked(struct outbox *o, struct person *p, struct debt *debt,
		 const struct wire_have *have);
int outbox_acked(struct outbox *o, struct person *p, struct debt *debt, uint64_t next);

/* Only after a commit: sends what is owed, as much as the line has room for. True when
 * something was sent. */
bool outbox_pump(struct outbox *o, const struct person *p, struct debt *debt,
		 struct line *line);

void outbox_save(struct outbox *o, const struct device_public *device, struct debt *debt);

#endif
