/* The way to one device, of a contact or another one of our own account: what is known of it,
 * its link, and the talks that are held over it. Inside of reach: reach.c decides when, way.c
 * talks. */
#ifndef PALIQUE_PEER_WAY_H
#define PALIQUE_PEER_WAY_H

#include "peer/event.h"
#include "peer/line.h"
#include "peer/talk.h"
#include "shared/probe.h"

#define WAY_SUSPECT (3 * SECOND) /* unanswered for so long: tell the directory */

enum way_state { WAY_IDLE, WAY_DIALLING, WAY_LINKED };

struct way {
	uintptr_t number; /* given by reach, never again */
	struct person *person;
	struct device_public device;
	bool is_present; /* as the directory says */
	bool has_certificate;
	struct certificate certificate;
	struct address
		seen; /* by the directory; family 0. Their record is in the address book */
	bool has_probe_keys;
	struct probe_keys probe_keys;

	enum way_state state;
	struct link *link; /* LINKED; while DIALLING it may be replaced under us */
	uint64_t
		link_number; /* of the link that is up, never given again; 0: none. Rooms above see
	                         by it that a link is new */
	struct punch *punch; /* paths are being looked for; or NULL */
	enum path_kind path_kind;
	mono_ns stranded_since; /* wanted, and nothing direct works; NEVER: not so */
	struct line line;
	mono_ns dial_until, retry_at, last_used, suspect_at, check_at;
	mono_ns announced_at; /* LINKED and told of again: an earlier life's link? Else NEVER */
	bool has_left;        /* said goodbye, and nobody has said since that it is there */
	unsigned failures, refusals; /* in a row; a link that is up may still be refused */

	bool is_wanted; /* a device of ours: to be asked what it has, also when nothing is owed */

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
/* Linked: when way_release() has something to say that waits for its time. */
mono_ns way_deadline(const struct way *w);

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
