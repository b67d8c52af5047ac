/* The direct connections: for each device of a contact, and each other one of our own account,
 * idle, dialling or linked; when to dial, to try again, to ask for an introduction, to suspect,
 * and to hang up. */
#ifndef PALIQUE_PEER_REACH_H
#define PALIQUE_PEER_REACH_H

#include "peer/person.h"
#include "peer/rooms.h"

struct reach;

#define REACH_DIAL (10 * SECOND)     /* an attempt */
enum { REACH_DIALS = 3 };            /* attempts at once to the devices of one person */
#define REACH_RETRY     (1 * SECOND) /* after the first failure; doubles */
#define REACH_RETRY_MAX (30 * SECOND)
#define REACH_PENANCE   (60 * SECOND) /* after a broken protocol */
#define REACH_SUSPECTS  (10 * SECOND) /* at most so often */
#define REACH_LOST      (10 * SECOND) /* unanswered: look for them again */
/* A device that is announced again answers on its link within this, or four round trips;
 * else it began anew and knows nothing of the link. */
#define REACH_ANNOUNCED (500 * MILLISECOND)
#define REACH_IDLE      (300 * SECOND) /* nothing said: hang up */

struct reach *reach_new(struct rooms *rooms);
void reach_free(struct reach *r);

/* What the directory says of a person's devices; their certificates have been checked. */
void reach_presence(struct reach *r, struct person *p, const struct wire_device *const *devices,
		    unsigned count);
/* Both are told at the same moment: dial now. */
void reach_introduced(struct reach *r, struct person *p, const struct wire_device *device);
/* Their device list is another one than `before` (already in `p`): who is new is owed what we
 * say from now on, who is gone is hung up on and owed nothing. */
void reach_devices(struct reach *r, struct person *p, const struct device_list *before);
/* A list that a device of `p` told us over its link, not checked yet: each once. */
bool reach_next_devices(struct reach *r, struct person **p, struct device_list *devices);
/* Whether this very certificate was checked before. */
bool reach_knows(const struct person *p, const struct certificate *certificate);

/* Hangs up on every device of theirs, as somebody who leaves: who is blocked need not know. */
void reach_drop(struct reach *r, struct person *p);
/* Their identity is another one: their old devices are not theirs any more. */
void reach_renew(struct reach *r, struct person *p);
void reach_forget(struct reach *r, struct person *p);

/* A link is up: of this person, or of nobody we know (NULL), which it does not survive. */
void reach_up(struct reach *r, struct link *link, struct person *p);
/* What else happened to a link; others than reach's are passed over. */
void reach_event(struct reach *r, const struct link_event *event);
/* Who said goodbye while the directory is away, and is nowhere else: each once; NULL at the
 * end. */
struct person *reach_next_left(struct reach *r);
/* In the order of a step. */
void reach_take(struct reach *r);    /* reads what arrived */
void reach_step(struct reach *r);    /* dials, suspects, hangs up */
void reach_save(struct reach *r);    /* writes what only memory knows, before the commit */
void reach_release(struct reach *r); /* it succeeded: acknowledges, sends */
void reach_undo(struct reach *r);    /* it failed: asks again for what was not kept */
mono_ns reach_deadline(const struct reach *r);

void reach_fill(const struct person *p, struct contact *out);
/* Whether a device is online, as the directory says or a link shows. */
bool reach_sees(const struct person *p, const struct device_public *device);

#endif
