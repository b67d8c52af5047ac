/* Inside of reach, from the bottom up: reach_ways.c knows which ways there are and whose; reach_keys.c
 * by which tag a probe finds its way; reach_paths.c looks for paths and chooses between them;
 * reach_dial.c begins attempts, and hears where people are; reach_network.c sees to links that
 * do not answer, to another network, and to a directory that is away; reach.c has the links'
 * events and the order of a step. */
#ifndef PALIQUE_PEER_REACH_INSIDE_H
#define PALIQUE_PEER_REACH_INSIDE_H

#include "peer/reach.h"
#include "peer/way.h"
#include "shared/peer_record.h"

enum {
	REACH_ALONE_DIALS = 16, /* attempts at once to people for whom we have nothing */
	REACH_KNOWN_SLICE = 16, /* persons whose devices are looked through in one step */
};
#define REACH_SIGHTING        (50 * MILLISECOND) /* looked again whether our NAT has been seen anew */
#define REACH_ALONE_RETRY_MAX (300 * SECOND)      /* ... and so seldom to one at last */
#define REACH_ASKED           (700 * MILLISECOND) /* introduced, and they have not dialled: we do */
#define REACH_ASK_AGAIN       (2 * SECOND) /* for an introduction, where a path was lost */
#define REACH_ALONE           (5 * SECOND) /* the directory was lost: everybody is looked for */
#define REACH_FOUND           (90 * SECOND) /* so long the word of others than the directory holds */
#define REACH_KNOWN           (60 * SECOND)
#define REACH_STRANDED_AGAIN  (10 * SECOND)
#define REACH_DIRECT_AGAIN    (30 * SECOND) /* over a relay: doubles */
#define REACH_DIRECT_MAX      (600 * SECOND)

struct reach_tag {
	struct probe_tag tag;
	struct way *way;
};

/* What happened to a stream of the link that the way had then. */
struct reach_stream_event {
	uintptr_t way;
	uint64_t link_number, code;
	int64_t stream;
	enum link_event_kind kind;
};

struct reach {
	struct rooms *rooms;
	struct reach_stream_event *streams;
	size_t stream_first, stream_count, stream_capacity;
	struct way **ways; /* all of them, in the order they were made */
	unsigned count;
	uintptr_t numbers; /* given to ways so far */
	uint64_t links;    /* that came up so far */
	bool has_left;     /* some person has */
	bool has_lists;    /* some way has heard one */
	/* EVENT_LINK of some persons: since the last commit; in a step that could not be stored. */
	bool has_told, has_missed;

	bool is_reading; /* reach_next() is at way `at` */
	unsigned at;

	struct knock knock; /* ours, of the probe keys of now */
	struct reach_tag *tags;
	unsigned tag_count;
	bool are_tags_old;
	struct punch_limits limits;
	uint64_t candidates; /* version of ours that attempts know */

	mono_ns away_since; /* the directory; NEVER: it is not */
	mono_ns alone_at;   /* ... and we are without it; at once, if it never was there */
	bool was_online;
	mono_ns known_at;     /* when ways to all known devices are made sure of */
	unsigned known_place; /* ... and how far that is */
};

/* --- reach_ways.c --- */

/* NULL: there is none. */
struct way *reach_find_way(const struct person *p, const struct device_public *device);
/* EVENT_LINK, when the first link came, the last went, or the best is of another kind. */
void reach_tell_link(struct reach *r, struct person *p);
/* That is stored; or not, and it is told again. */
void reach_told(struct reach *r);
void reach_tell_again(struct reach *r);
void reach_look_no_more(struct way *w);
/* The right talks on every way, awake. */
void reach_take_changes(struct reach *r);
const struct peer_record *reach_record(const struct reach *r, const struct way *w);
/* Whether there may be a link at all; a direct one. */
bool reach_may(const struct way *w);
bool reach_may_directly(const struct reach *r, const struct way *w);

/* It broke the protocol not long ago. */
bool reach_rests(const struct reach *r, const struct way *w);

/* --- reach_keys.c --- */

/* False: nothing is known by which they could be made. */
bool reach_keys(struct reach *r, struct way *w);
/* All are to be made anew. */
void reach_keys_forget(struct reach *r);
struct way *reach_by_tag(struct reach *r, const struct probe_tag *tag);

/* --- reach_paths.c --- */

/* Paths are looked for from now on; said again with an introduction it goes on with that. False:
 * nothing is known to look at. */
bool reach_look(struct reach *r, struct way *w, const struct wire_introduction *introduction);
/* Their record is a newer one, or ours. */
void reach_renew_look(struct reach *r, struct way *w);
void reach_look_at(struct reach *r, struct way *w, const struct address *a);
void reach_take_offers(struct reach *r, struct way *w);
/* The attempt is told of all that was found so far. */
void reach_offer_all(struct reach *r, struct way *w);
void reach_move(struct reach *r, struct way *w, const struct path *path);
/* The link's path is this one now. */
void reach_on_path(struct reach *r, struct way *w);
void reach_paths_step(struct reach *r, struct way *w);

/* --- reach_dial.c --- */

mono_ns reach_backoff(unsigned failures, mono_ns max);
/* There is something for the device, and a hope that it is there. */
bool reach_wants(const struct reach *r, const struct way *w);
void reach_failed(struct reach *r, struct way *w);
/* When it is tried next, idle and wanted. */
mono_ns reach_retry_at(const struct reach *r, const struct way *w);
void reach_begin(struct reach *r, struct way *w);
void reach_dial(struct reach *r, struct way *w);
/* When reach_next_stranded() gives it; NEVER: it is not stranded. */
mono_ns reach_stranded_at(const struct reach *r, const struct way *w);

/* --- reach_network.c --- */

/* Nobody has told us for a while who is where. */
bool reach_is_alone(const struct reach *r);
void reach_watch(struct reach *r, struct way *w);
void reach_network_step(struct reach *r);
mono_ns reach_network_deadline(const struct reach *r);

#endif
