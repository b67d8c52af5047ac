/* The links to people: for each device of a contact, and each other one of our own account,
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
#define REACH_STRANDED  (1 * SECOND)   /* without a direct path: then a relay is asked */

struct reach *reach_new(struct rooms *rooms);
void reach_free(struct reach *r);

/* What the directory says of a person's devices; their certificates have been checked, their records
 * have not (address_book_learn() does). */
void reach_presence(struct reach *r, struct person *p, const struct wire_device *const *devices,
		    unsigned count);
/* Both are told at the same moment: look for paths now, and dial if it is on us. */
void reach_introduced(struct reach *r, struct person *p,
		      const struct wire_introduction *introduction);
/* The device is said to be where its record (checked, in the address book) and `seen` (family 0: not
 * known) say, by somebody other than the directory. `is_both`: it is told of us at this moment, too. */
enum reach_source { REACH_LAN, REACH_THIRD };
void reach_found(struct reach *r, struct person *p, const struct device_public *device,
		 const struct address *seen, enum reach_source source, bool is_both);
/* A probe or an answer to one: true when it was one of a device that we know. */
bool reach_stray(struct reach *r, const struct path *path, struct bytes data);
/* Our addresses are other ones, or we have slept: every link is asked from here, every attempt
 * begins anew. */
void reach_network_changed(struct reach *r);

/* A way that is wanted and has had no direct path for REACH_STRANDED, or may have none: each
 * once in a while; NULL: none. */
struct way *reach_next_stranded(struct reach *r);
/* There is a tunnel to the device (through a link of `via`): dialled through it, if `is_dialler`;
 * what comes through it is taken. Direct attempts go on. */
void reach_tunnelled(struct reach *r, struct way *w, uint32_t tunnel, bool is_dialler);
/* The tunnel is no more. */
void reach_untunnelled(struct reach *r, uint32_t tunnel);
/* The way to a device of theirs, made if needed; NULL: it is not theirs by their newest list, or
 * there is no place. */
struct way *reach_way(struct reach *r, struct person *p, const struct device_public *device);
/* All ways, from 0; NULL at the end. */
struct way *reach_way_at(const struct reach *r, unsigned index);
/* Says something on the way's line. ERR_STATE: not linked; ERR_FULL: not now. */
int reach_say(struct reach *r, struct way *w, const struct wire_message *m);
/* Something is to be had from the device, besides what is said, or (`is_asked` false) not any more: it is
 * dialled for that, too. */
void reach_ask(struct reach *r, struct way *w, bool is_asked);
/* Linked: it is in use, so that it is not hung up on. */
void reach_use(struct reach *r, struct way *w);
/* By its number; NULL: it is no more. */
struct way *reach_by_number(const struct reach *r, uintptr_t number);
/* Linked: a word that wants an answer. */
void reach_ping(struct reach *r, struct way *w);
/* What a room above heard breaks the protocol: hangs up, and rests. */
void reach_broken(struct reach *r, struct way *w);
/* Their device list is another one than `before` (already in `p`): who is new is owed what we
 * say from now on, who is gone is hung up on and owed nothing. */
void reach_devices(struct reach *r, struct person *p, const struct device_list *before);
/* A list that a device of `p` told us over its link, not checked yet: each once. */
bool reach_next_devices(struct reach *r, struct person **p, struct device_list *devices);
/* Whether this very certificate was checked before. */
bool reach_knows(const struct person *p, const struct certificate *certificate);

/* Whether a device of theirs that is there is owed something. */
bool reach_has_words(struct reach *r, const struct person *p);
/* On this one. */
void reach_hang_up(struct reach *r, struct way *w, enum link_code code);
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
/* Reads what arrived: true and the next message that is not a conversation's or a list's, for the
 * rooms above (what it points at stays until the next call); false: all for this step. */
bool reach_next(struct reach *r, struct way **from, struct wire_message *m);
/* What happened to streams beside the control stream, for the rooms above, in order: false: all for this
 * step. Of a link that is no more nothing comes, nor that it went: way.link_number tells. */
struct reach_stream {
	struct way *way;
	int64_t stream;
	enum link_event_kind kind; /* LINK_READABLE, LINK_WRITABLE, LINK_ABANDONED */
	uint64_t code;             /* LINK_ABANDONED */
};
bool reach_next_stream(struct reach *r, struct reach_stream *event);
void reach_step(struct reach *r);    /* dials, suspects, hangs up */
void reach_save(struct reach *r);    /* writes what only memory knows, before the commit */
void reach_release(struct reach *r); /* it succeeded: acknowledges, sends */
void reach_undo(struct reach *r);    /* it failed: asks again for what was not kept */
/* The endpoint has closed all links, and may have freed them. */
void reach_all_closed(struct reach *r);
mono_ns reach_deadline(const struct reach *r);

void reach_fill(const struct person *p, struct contact *out);
/* Whether a device is online, as the directory says or a link shows. */
bool reach_sees(const struct person *p, const struct device_public *device);

#endif
