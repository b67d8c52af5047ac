/* The inside of profiles, for the files that make it up: profiles_rows.c (what the store holds),
 * profiles_checks.c (pictures are looked at), profiles_say.c (saying and calling), profiles.c (ours, hearing). */
#ifndef PALIQUE_PEER_PROFILES_INSIDE_H
#define PALIQUE_PEER_PROFILES_INSIDE_H

#include <string.h>

#include "peer/image.h"
#include "peer/profiles.h"
#include "peer/store.h"
#include "peer/way.h"

/* What somebody shows, but for the picture, which is in the store. */
struct shown {
	struct version version;
	struct identity_public whose; /* of whose identity the version is */
	enum availability availability;
	char title[WIRE_TITLE_MAX + 1], status[WIRE_STATUS_MAX + 1];
	bool has_picture; /* checked */
	bool is_bot;
	uint8_t picture_hash[32]; /* of it as it was said; zeros: none was */
	mono_ns stored_at, checked_at;
};

/* A profile whose picture is in the worker: theirs, our own from another device, or (no person) a picture
 * that somebody here wants to show. */
struct check {
	struct image_work *work; /* NULL: free */
	bool is_given;           /* to the worker */
	bool is_ours;
	struct name name;   /* whose, when it is not ours */
	struct shown shown; /* what it will be */
	struct buf said;    /* the picture as it was said */
	struct buf menu;    /* ... and the commands */
	uint64_t ticket;    /* who waits for an answer; is_wish */
	bool is_wish;
};

struct profiles {
	struct rooms *rooms;
	struct shown ours;
	struct buf picture; /* ours, as faces see it */
	struct buf said;    /* ... and as it is told */
	struct buf menu;    /* our commands */
	mono_ns raised_at;  /* above what a contact had of us */
	bool is_made_here;  /* by this device, which then calls those who lack it */
	struct buf handed;  /* a contact's, for a face */
	struct check checks[PROFILES_CHECKS + 1]; /* the last is for wishes */
	mono_ns call_at;
	unsigned call_place;
};

static inline bool version_is_newer(const struct version *a, const struct version *b)
{
	if (a->number != b->number)
		return a->number > b->number;
	return a->number > 0 && memcmp(a->mark.bytes, b->mark.bytes, sizeof a->mark.bytes) > 0;
}

static inline bool version_equal(const struct version *a, const struct version *b)
{
	return a->number == b->number &&
	       memcmp(a->mark.bytes, b->mark.bytes, sizeof a->mark.bytes) == 0;
}

/* What is known of them is of the identity of now, or nothing. */
static inline const struct version *version_of(const struct person *p)
{
	static const struct version none;

	return p->shown && identity_public_equal(&p->shown->whose, &p->identity)
		       ? &p->shown->version
		       : &none;
}

/* What we have of whom this way leads to. */
static inline const struct version *known_of(const struct profiles *s, const struct way *w)
{
	return w->person->is_self ? &s->ours.version : version_of(w->person);
}

/* --- profiles.c --- */

struct wire_profile profiles_form(const struct profiles *s);
/* What was changed here becomes the newest of all. */
void profiles_publish(struct profiles *s);
/* Another link has heard nothing yet. */
void profiles_follow_link(const struct profiles *s, struct way *w);

/* --- profiles_rows.c --- */

void profiles_load(struct profiles *s);
/* `picture`, `said` NULL: none. `p` NULL: ours, with our menu. In the transaction. */
void profiles_write(struct profiles *s, const struct person *p, const struct shown *shown,
		    struct bytes menu, const struct buf *picture, const struct buf *said);
/* The same, and the picture that is stored stays. */
void profiles_rewrite(struct profiles *s, const struct person *p, const struct shown *shown,
		      struct bytes menu);
void profiles_drop(struct profiles *s, struct person *p);
/* Which of ours a device was seen to have. */
void profiles_read_had(struct profiles *s, const struct way *w, struct version *had);
void profiles_write_had(struct profiles *s, const struct way *w);

/* --- profiles_checks.c --- */

/* Free for a picture of theirs, or NULL: not now. */
struct check *profiles_free_check(struct profiles *s, const struct person *p);
/* Begins; `path` or `given`. */
void profiles_check(struct check *c, const char *path, struct bytes given);
void profiles_check_over(struct check *c);

#endif
