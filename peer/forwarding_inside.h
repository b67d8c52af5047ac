/* Inside of forwarding, from below: forwarding_seal.c makes and opens what a third cannot read,
 * forwarding_posts.c knows what was said on each link, forwarding_say.c says where we are and
 * asks where others are, forwarding_kept.c is the third, forwarding.c says when, and hears the
 * answers. */
#ifndef PALIQUE_PEER_FORWARDING_INSIDE_H
#define PALIQUE_PEER_FORWARDING_INSIDE_H

#include "peer/forwarding.h"
#include "peer/way.h"

enum { FORWARDING_TOKEN = 8 };

#define FORWARDING_RECORDS (2 * SECOND)  /* our record at most so often on a link */
#define FORWARDING_ASK     (30 * SECOND) /* asked again, as long as somebody is not found */
#define FORWARDING_NEWS    (5 * SECOND)  /* ... or somebody else is looked for */
#define FORWARDING_ALONE   (1 * SECOND)  /* without a directory: then thirds are asked */

/* What others may have us do: each at most so often in the long run, and so many at once. What is
 * beyond is passed over. */
#define FORWARDING_HEAR_RECORD     (1 * SECOND)
#define FORWARDING_HEAR_FORWARDING (15 * SECOND)
#define FORWARDING_HEAR_WHERE      (4 * SECOND)
#define FORWARDING_HEAR_THERE      (250 * MILLISECOND)
enum {
	FORWARDING_BURST = 8,
	FORWARDING_THERE_BURST = 2 * WIRE_WHERE_MAX,
	FORWARDING_TELLS = 8,  /* forwarding addresses and questions said in one step */
	FORWARDING_ASKED = 16, /* with more links than that each is asked less often */
};

struct token {
	uint8_t bytes[FORWARDING_TOKEN];
};

/* Of whose device a third was asked. */
struct asked {
	struct token token;
	bool is_self; /* another device of ours; else of `name` */
	struct name name;
	struct device_public device;
};

/* What is between us and one device, on the link of now. */
struct post {
	uintptr_t way;
	uint64_t link_number; /* 0: not linked; then nothing up to `watched` is */
	bool is_seen;         /* in this round of looking at the ways */

	uint64_t record_said; /* number */
	mono_ns record_at;    /* the next may be said from then on */
	uint64_t left, left_readers;
	bool has_left; /* the device left something with us on this link */
	mono_ns leave_at, ask_at, asked_last;
	unsigned asked_count;
	struct asked *asked;  /* WIRE_WHERE_MAX; NULL: never */
	unsigned next_target; /* where the next question begins, when there are more */
	unsigned watched_count;
	struct token *watched; /* WIRE_WHERE_MAX; NULL: never */

	/* Across links: moments until which what was heard is paid for. */
	mono_ns paid_record, paid_forwarding, paid_where, paid_there;
};

/* What a device left with us; the sealed parts are in the store alone. */
struct kept {
	struct device_public device;
	int64_t contact; /* 0: our own account */
	wall_ms kept_at;
	unsigned count;
	struct token *readers;
};

struct forwarding {
	struct rooms *rooms;
	struct post **posts; /* by way */
	unsigned post_count, linked_count;
	struct kept **kept;
	unsigned kept_count;
	mono_ns alone_since; /* without a directory; NEVER: not so */
	uint64_t targets;    /* whom we look for: a sum over them */
};

/* --- forwarding_seal.c --- */

/* Finds what `device` left with the account `third`, for the two who have the pair key. */
struct token forwarding_token(const struct symmetric_key *pair,
			      const struct device_public *device,
			      const struct identity_public *third);
/* The record sealed into `out` (WIRE_SEALED_RECORD_MAX bytes), under a key that is in `key`. */
void forwarding_seal(uint8_t *out, struct symmetric_key *key, const struct peer_record *record);
/* That key for one reader. `sealed` is what forwarding_seal() wrote: its nonce serves here, too. */
void forwarding_wrap(uint8_t out[32 + 16], const struct symmetric_key *key,
		     const uint8_t *sealed, const struct symmetric_key *pair);
/* Both undone. ERR_AUTH, ERR_FORMAT, ERR_LIMIT. */
int forwarding_open(struct peer_record *record, const struct wire_there *there,
		    const struct symmetric_key *pair);

/* --- forwarding_posts.c --- */

/* The posts become those of the ways there are; who is not linked any more has nothing open. */
void forwarding_follow_ways(struct forwarding *f);
void forwarding_free_posts(struct forwarding *f);
/* When what we leave with the third may be left anew: soon, if it is for others than before. */
mono_ns forwarding_leave_at(const struct post *post, uint64_t readers);

/* The post of a way that is linked; NULL: none. */
struct post *forwarding_post(const struct forwarding *f, const struct way *w);
/* The same, made where there is none. */
struct post *forwarding_need_post(struct forwarding *f, const struct way *w);
/* How often each third is asked: more seldom where there are many. */
mono_ns forwarding_period(const struct forwarding *f);

/* --- forwarding_kept.c --- */

/* What people left who are here no more. */
void forwarding_forget_strangers(struct forwarding *f);
void forwarding_load_kept(struct forwarding *f);
void forwarding_free_kept(struct forwarding *f);
int forwarding_hear_left(struct forwarding *f, struct way *from,
			 const struct wire_forwarding *m);
int forwarding_hear_where(struct forwarding *f, struct way *from, struct post *post,
			  const struct wire_where *m);

/* --- forwarding_say.c: each returns whether it did something, or would have with room --- */

/* Those who may have our addresses, and of whom we may have theirs: our own account, if it has
 * other devices, and contacts. */
bool forwarding_is_fit(const struct person *p);
/* Who reads what we leave, whom we look for: another sum, and they are others. 0: nobody. */
uint64_t forwarding_sum_readers(const struct forwarding *f);
uint64_t forwarding_sum_targets(const struct forwarding *f);
bool forwarding_say_record(struct forwarding *f, struct way *w, struct post *post);
bool forwarding_leave(struct forwarding *f, struct way *w, struct post *post, uint64_t readers);
bool forwarding_ask(struct forwarding *f, struct way *w, struct post *post);

#endif
