/* The way to one device, of a contact or another one of our own account: what is known of it,
 * its link, and the talks that are held over it. Inside of reach: reach.c decides when, way.c
 * talks. */
#ifndef PALIQUE_PEER_WAY_H
#define PALIQUE_PEER_WAY_H

#include "peer/line.h"
#include "peer/punch.h"
#include "peer/talk.h"

enum { WAY_OFFERS_MAX = 12 };
/* Unanswered for so long, or three round trips: the path may be gone. */
#define WAY_PATIENCE (500 * MILLISECOND)
#define WAY_SUSPECT  (3 * SECOND) /* unanswered for so long: tell the directory */

/* What costs much to keep, an offer of a file or a long text, a contact may say so many of at once, and
 * one each so often; of edits, each of which is a change of the index of words, four times as many. What is
 * more waits in the line, and with it what is behind, but for acknowledgements. */
enum { WAY_COSTLY_SIZE = 8 << 10, WAY_COSTLY_AT_ONCE = 200 };
#define WAY_COSTLY_EACH (50 * MILLISECOND)

enum way_state { WAY_IDLE, WAY_DIALLING, WAY_LINKED };

struct way {
	uintptr_t number; /* given by reach, never again */
	struct person *person;
	struct device_public device;
	bool is_present; /* as the directory says */
	bool has_certificate;
	struct certificate certificate;
	struct address seen; /* by the directory; family 0. Their record: address_book.h */
	bool is_shut;        /* it is there, and will have no link with us */
	mono_ns found_until; /* somebody else than the directory has said that it is there */
	bool has_probe_keys;
	uint64_t keys_number; /* of the record that they were made with */
	struct probe_keys probe_keys;

	enum way_state state;
	struct link *link; /* LINKED; while DIALLING it may be replaced under us */
	/* Of the link that is up, never given again; 0: none. Rooms above see by it that a link is
	 * new. */
	uint64_t link_number;
	struct punch *punch;                       /* paths are being looked for; or NULL */
	struct punch_offer offers[WAY_OFFERS_MAX]; /* those found so far */
	unsigned offer_count;
	mono_ns introduced_at; /* punch: by an introduction of then; NEVER: without */
	mono_ns dial_at; /* we asked to be introduced, and they dial: then we do, too; else NEVER */
	bool early_due; /* what is said in our answer to their handshake is to be made (anew) */
	enum path_kind path_kind;
	bool is_lost; /* LINKED, and the path does not answer: others are looked for */
	mono_ns moved_at, asked_at; /* to another path; for an introduction */
	mono_ns doubted; /* LINKED: silent since then, and the directory was asked whether it sees us */
	mono_ns direct_at; /* RELAYED: when a direct path is looked for again; else NEVER */
	mono_ns direct_wait;
	bool may_directly; /* RELAYED: both may have each other's addresses */
	uint32_t tunnel;   /* to the device, through a common contact; 0: none */
	bool is_tunnel_dialler;
	mono_ns stranded_since; /* wanted, and nothing direct works; NEVER: not so */
	mono_ns stranded_at;    /* when the relay hears of it next */
	struct line line;
	mono_ns costly_until; /* what came of WAY_COSTLY is paid for by then */
	mono_ns asks_until;   /* the same of files that it asked for */
	mono_ns dial_until, retry_at, last_used, suspect_at, check_at;
	mono_ns penance_until; /* it broke the protocol: neither called nor looked for */
	mono_ns pinged_until;  /* LINKED: asked in this step, to be answered by then */
	mono_ns announced_at; /* LINKED and told of again: an earlier life's link? Else NEVER */
	bool has_left;        /* said goodbye, and nobody has said since that it is there */
	unsigned failures, refusals; /* in a row; a link that is up may still be refused */

	bool is_wanted; /* a device of ours: to be asked what it has, also when nothing is owed */
	bool is_asked; /* rooms above want something of it (reach_ask()) */

	bool is_called; /* to be told what we show of ourselves (profiles.h) */

	uint64_t reads_link, reads_said; /* marks.c: on which link; up to which change */
	/* In files_told.c: on which link was said how their files stand, ... */
	uint64_t told_link;
	/* ... except behind this of our messages, which it has not yet; 0: all. */
	uint64_t told_behind;
	unsigned told_open; /* ... and of how many they may say that they know */
	struct {
		uint64_t link;  /* of which the rest is */
		mono_ns ask_at; /* when PROFILE_HAVE is due; NEVER: it is not */
		mono_ns say_at; /* PROFILE not before */
		bool has_told;  /* it has said which of ours it has: `has` */
		struct version {
			uint64_t number;
			struct profile_mark mark;
		} has, said, told; /* said and told (which of theirs we have): on this link */
		struct version called_for; /* it was dialled to be told this one */
		mono_ns called_until;
	} profile; /* profiles.c */

	/* Of a contact's device one; of a sibling's (a device of ours) all, in order of ids. */
	struct talk **talks;
	unsigned talk_count, talk_capacity;
	struct talk *awake, **awake_end; /* those something is to be done for */

	uint64_t devices_said;     /* version of our device list that was said on this link */
	struct device_list *heard; /* theirs, for reach_next_devices(); or NULL */
};

struct way *way_new(struct rooms *rooms, struct person *p, const struct device_public *device);
void way_free(struct way *w);

/* The link is up. */
void way_linked(struct rooms *rooms, struct way *w, struct link *link);
/* Forgets the link; does not close it. */
void way_unlinked(struct way *w);

/* There is something new in the person's conversation, or it is another one, or none: the talk
 * about it is the right one and awake, or NULL. For others than w->person: of siblings' ways. */
struct talk *way_attend(struct rooms *rooms, struct way *w, struct person *p);
/* The person goes. */
void way_forget(struct way *w, const struct person *p);
bool way_owes(const struct way *w);
/* Of what the device said so many messages are asked for. */
uint64_t way_missing(const struct way *w);
/* Linked: how long an answer may take. */
mono_ns way_patience(const struct way *w);
/* Linked: when way_release() has something to say that waits for its time. */
mono_ns way_deadline(const struct way *w);

/* Reads what arrived. 1: the next message that is for rooms above; it stays until the next call.
 * 0: all for this step. Below: the other side broke the protocol, or ended it. */
int way_next(struct rooms *rooms, struct way *w, struct wire_message *m);
/* What came with the answer to our handshake, which the line will say again: taken in so far as
 * it goes on where we are. Below 0: it broke the protocol. */
int way_words(struct rooms *rooms, struct way *w, struct bytes words);
/* The same from our side: the first of what is owed, as far as `out` has room. Only after a
 * commit. */
void way_early(struct rooms *rooms, struct way *w, struct buf *out);
void way_save(struct rooms *rooms, struct way *w);
/* After a commit: acknowledges, asks, sends what is owed. */
void way_release(struct rooms *rooms, struct way *w);
/* The commit failed: memory follows the store again. */
void way_undo(struct rooms *rooms, struct way *w);

/* One message from the device: 1 when it is for rooms above; below 0: it breaks the protocol. For
 * the fuzzer. */
int way_message(struct rooms *rooms, struct way *w, const struct wire_message *m);

#endif
