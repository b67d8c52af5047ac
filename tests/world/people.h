/* The persons at the machines: whom they want as contacts, what they said and when the
 * engine took it, what they were shown. And the verdict at the end: what was promised
 * about messages and presence, held against what is there. */
#ifndef PALIQUE_TESTS_WORLD_PEOPLE_H
#define PALIQUE_TESTS_WORLD_PEOPLE_H

#include "tests/world/world.h"

struct people;

enum wish { WISH_NOTHING, WISH_CONTACT, WISH_BLOCKED };

struct people_counts {
	uint64_t said, accepted, refused, unanswered, heard;
};

/* Given to world_new() before there is a world: people_live() then brings them together. */
struct people *people_new(unsigned peers);
void people_free(struct people *p);
void people_live(struct people *p, struct world *w);
/* Everybody gets one invitation, good for one account, and must get in with it however
 * often it takes. */
void people_invite(struct people *p);
world_on_event people_on_event;
world_on_start people_on_start;

/* Peer `a` wants this of `b`; done now if it can be, else by people_tend(). */
void people_wish(struct people *p, unsigned a, unsigned b, enum wish wish);
enum wish people_wishes(const struct people *p, unsigned a, unsigned b);
bool people_are_mutual(const struct people *p, unsigned a, unsigned b);
/* Says `size` bytes of text, if `a` is at the machine and knows `b`. */
void people_say(struct people *p, unsigned a, unsigned b, size_t size);

/* What persons do by themselves every now and then: join until it worked, ask, accept. */
void people_tend(struct people *p);

bool people_all_joined(const struct people *p);
/* Whether presence is at every engine what it is in truth, and nothing is owed between
 * mutual contacts that are both there. `why` (may be NULL) gets what is missing. */
bool people_presence_is_true(struct people *p, char *why, size_t why_size);
bool people_nothing_is_owed(struct people *p, char *why, size_t why_size);

/* As peer `a`'s engine has it now. */
bool people_sees_online(const struct people *p, unsigned a, unsigned b);
bool people_is_linked(const struct people *p, unsigned a, unsigned b);

/* The invariants, at the end, all machines on: world_fail() with what is broken. */
void people_judge(struct people *p);
/* Who wants what of whom, and how each engine sees it: for a person who looks for a mistake. */
void people_print(struct people *p);
struct people_counts people_counts(const struct people *p);

#endif
