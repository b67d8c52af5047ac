/* The inside of people, for the files that make it up and nobody else: people.c (machines, coming
 * in), keeping.c (passwords, devices, keys), wishes.c (contacts, texts), truth.c, verdict.c. */
#ifndef PALIQUE_TESTS_WORLD_PEOPLE_INSIDE_H
#define PALIQUE_TESTS_WORLD_PEOPLE_INSIDE_H

#include "tests/world/people.h"
#include "tests/world/sayings.h"

enum { PERSONS = PEOPLE_MAX + 1, MACHINES = WORLD_PEERS_MAX + 1, HOMES_MAX = 64 };
enum { PASSWORD_SIZE = 32, NEVER_ARRIVED = UINT32_MAX };

/* What a machine has in its folder: one device key, one store. */
struct home {
	unsigned machine, person;
	struct device_public key;
	bool is_gone;        /* the folder began anew */
	bool may_be_out;     /* somebody asked for that since all was settled */
	uint64_t caught_up;  /* the last event told from the store at the start */
	uint64_t last_event; /* what was shown so far */
	uint64_t heard;
	mono_ns restricted_since
		[PERSONS]; /* who may not have its address, as it knows; NEVER */
	struct address linked_to[PERSONS]; /* when it was last looked at; family 0: not */
	struct sayings said[PERSONS];      /* here, to whom */
	struct sayings shown[PERSONS];     /* of the conversation with whom, by events */
	/* Of what it said: so much was here when all was calm after a key change; texts before may
	 * have got another order, or be with one machine of the other alone. SIZE_MAX: all. */
	size_t settled[PERSONS];
};

/* Asked of an engine and not answered. */
enum doing {
	DOING_NOTHING,
	DOING_JOIN,
	DOING_LOGIN,
	DOING_RECOVER,
	DOING_PASSWD,
	DOING_CODE,
	DOING_REVOKE,
	DOING_REKEY,
	DOING_NAME,
};

struct machine_use {
	unsigned person, home; /* home 0: not switched on since it began anew */
	enum doing doing;
	uint64_t ticket;
	mono_ns since, next; /* not before that: coming in */
	mono_ns ready; /* its contacts are there: not before that the person decides anew */
	char password[PASSWORD_SIZE]; /* shown or asked for */
	struct recovery_code code;
	bool by_code, is_shut_out, was_out;
	bool is_late; /* ... ever: what was said meanwhile it may miss */
};

struct person_life {
	char name[16];
	char invitation[URI_CODE_MAX + 1]; /* "": none needed */
	unsigned first, machines;          /* numbers */
	unsigned hand;                     /* at which one the person sits */
	bool has_joined;
	char password[PASSWORD_SIZE];  /* that counts, if no other was asked for since: */
	char maybe[PASSWORD_SIZE];     /* not confirmed, "": none; exactly one of both works */
	bool is_wrong, is_maybe_wrong; /* as shown since */
	bool tries_maybe;
	mono_ns quiet_until; /* what was said before may still arrive */
	unsigned passwords;  /* used so far, to make another one */
	bool has_code;
	struct recovery_code code; /* confirmed last */
	bool has_lost;             /* a machine began anew */
	bool throws_out; /* all other machines, also one that comes in meanwhile: as may_be_out */
	enum wish wish[PERSONS];
	enum consent consent[PERSONS];
	struct contact remembered[PERSONS];
	bool is_remembered[PERSONS];
};

struct people {
	struct world *world;
	unsigned count, machine_count, home_count;
	struct person_life persons[PERSONS];
	struct machine_use machines[MACHINES];
	struct home homes[HOMES_MAX + 1];
	/* How much an author's home had said to a person when it was settled that a reader's home
	 * knew it: what follows may not be missing there. */
	uint32_t arrived[HOMES_MAX + 1][HOMES_MAX + 1][PERSONS];
	/* One of the two has another key since all was settled between them. */
	bool is_unsettled[PERSONS][PERSONS];
	bool was_rekeyed[PERSONS];
	bool is_strict;             /* about who may have whose address */
	bool is_invisible[PERSONS]; /* by its profile, to all: nothing is decided about one */
	bool is_kept_from[PERSONS][PERSONS]; /* the one sends the other nothing (hides.c) */
	uint64_t ticket, plays;
	unsigned shows;
	unsigned granter, grantee; /* machines (past.c) */
	uint32_t life;             /* seconds, of what disappears (fades.c) */
	struct people_counts counts;
};

/* --- people.c --- */

bool people_is_up(const struct people *p, unsigned machine);
struct home *people_home(struct people *p, unsigned machine);
/* The engine of a machine that is in, or NULL. */
struct engine *people_hands(const struct people *p, unsigned machine);
struct dice *people_dice(const struct people *p);
unsigned people_named(const struct people *p, const char *name); /* 0: nobody */
unsigned people_home_of(const struct people *p, const struct device_public *key); /* 0 */
bool people_begin(struct people *p, unsigned machine, enum doing doing); /* a ticket for it */
void people_undo(struct people *p, unsigned machine); /* the engine said no at once */
/* A password or a recovery code is shown or set somewhere: one at a time. */
bool people_is_proving(const struct people *p, unsigned person);
void people_come_in(struct people *p, unsigned machine);

/* --- keeping.c --- */

void keeping_answered(struct people *p, unsigned machine, int err);
void keeping_tend(struct people *p, unsigned person);
void keeping_new_password(struct people *p, unsigned person, char out[PASSWORD_SIZE]);

/* --- consents.c --- */

void consents_note(struct people *p, struct home *home, unsigned b, const struct contact *c);
void consents_heard(struct people *p, unsigned machine, unsigned b);
/* At the engine, where its contact is another one. */
void consents_decide(struct people *p, struct engine *e, unsigned b, const struct contact *c,
		     enum consent consent);

/* --- wishes.c --- */

void wishes_answered(struct people *p, const struct event *event);
void wishes_tend(struct people *p, unsigned person);
/* Something is said to `b` at a machine that is in. */
void wishes_say(struct people *p, unsigned machine, unsigned b, const struct engine_text *what);
/* It is about to be; the ticket under which the answer comes. */
uint64_t wishes_note(struct people *p, unsigned machine, unsigned b, struct bytes text);
void wishes_refused(struct people *p, struct saying *s);

/* --- shows.c --- */

void shows_judge(struct people *p);

/* --- plays.c --- */

bool plays_is_one(const struct message *m);
/* Nobody began anew, was out or took another key: then something may be gone that others had not
 * got yet, or not be known by its name any more. */
bool plays_are_whole(const struct people *p, unsigned person);
void plays_judge(struct people *p);

/* --- parcels.c --- */

void parcels_start(struct people *p, unsigned machine); /* on_start */
void parcels_judge(struct people *p);

/* --- truth.c --- */

/* A history as it is stored, oldest first. */
void truth_read(struct people *p, unsigned machine, unsigned b, struct sayings *all);
/* Of these what one home said. */
void truth_of(const struct sayings *all, unsigned author, struct sayings *out);

#endif
