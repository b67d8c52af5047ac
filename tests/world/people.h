/* The persons and their machines: how each comes in, what they do to keep their accounts, whom
 * they want as contacts, what they said and were shown. And the verdict at the end: what was
 * promised about messages, presence and accounts, held against what is there.
 *
 * A person has one machine or several (numbers of the world, from 1). Persons count from 1 too. */
#ifndef PALIQUE_TESTS_WORLD_PEOPLE_H
#define PALIQUE_TESTS_WORLD_PEOPLE_H

#include "tests/world/world.h"

enum { PEOPLE_MAX = WORLD_PEERS_MAX };

struct people;

enum wish { WISH_NOTHING, WISH_CONTACT, WISH_BLOCKED };

struct people_counts {
	uint64_t said, accepted, refused, unanswered, heard;
	uint64_t logins, recoveries, passwords, codes, revocations,
		rekeys;                   /* that were confirmed */
	uint64_t links[PATH_RELAYED + 1]; /* by the kind of path, each time it is told */
	uint64_t repaired;                /* links that go on over another path */
	uint64_t compared; /* messages that were played with, as two machines show them */
	uint64_t granted;
	uint64_t offered, fetched; /* files; each by each machine that fetched it */
};

/* Given to world_new() before there is a world: people_live() then brings them together.
 * `machines` of each person, in order. */
struct people *people_new(unsigned persons, const unsigned *machines);
void people_free(struct people *p);
void people_live(struct people *p, struct world *w);
/* Everybody gets one invitation, good for one account, and must get in with it however
 * often it takes. */
void people_invite(struct people *p);
world_on_event people_on_event;
world_on_start people_on_start;

unsigned people_owner(const struct people *p, unsigned machine);
unsigned people_machine_count(const struct people *p, unsigned person);
/* One of the person's machines that is in; 0: none. */
unsigned people_some_machine(const struct people *p, unsigned person, struct dice *d);
bool people_is_in(const struct people *p, unsigned machine);

/* What persons do by themselves every now and then: come in until it worked, ask, accept, see
 * to their passwords and devices. */
void people_tend(struct people *p);
/* Everybody who shall be is in, and no question is open. */
bool people_all_in(const struct people *p, char *why, size_t why_size);

/* --- contacts and texts (wishes.c) --- */

/* Person `a` wants this of `b`; done now if it can be, else by people_tend(). */
void people_wish(struct people *p, unsigned a, unsigned b, enum wish wish);
enum wish people_wishes(const struct people *p, unsigned a, unsigned b);
bool people_are_mutual(const struct people *p, unsigned a, unsigned b);
/* Changes what is settled on two machines of one person at the same time. */
void people_differ(struct people *p, unsigned a, unsigned b);
/* Says `size` bytes of text to person `b`, if somebody is at the machine and knows `b`. */
void people_say(struct people *p, unsigned machine, unsigned b, size_t size);
/* Says something to be played with, or edits, takes back or reacts to such (plays.c). */
void people_play(struct people *p, unsigned machine, unsigned b);
/* Another status line, if somebody is at the machine (shows.c). */
void people_show(struct people *p, unsigned machine);
/* Offers a file or a folder; pauses, cancels, fetches, takes back one (parcels.c). */
void people_offer(struct people *p, unsigned machine, unsigned b);
void people_meddle(struct people *p, unsigned machine, unsigned b);
/* Whatever can still be fetched is wanted by all; whether they have it. */
void people_fetch_all(struct people *p);
bool people_parcels_are_there(struct people *p, char *why, size_t why_size);
/* All with `b` was read at this machine; each person has read everything (reads.c). */
void people_read(struct people *p, unsigned machine, unsigned b);
void people_read_all(struct people *p);
bool people_all_is_read(struct people *p, char *why, size_t why_size);
/* One machine grants another one of the same person all that was said (past.c); whether that is there. */
bool people_grant(struct people *p, unsigned older, unsigned newer);
bool people_past_is_there(struct people *p, char *why, size_t why_size);
/* From each machine that is in, to everybody. */
void people_greet_all(struct people *p);

/* --- who may have whose address (consents.c) --- */

/* From now on; nothing is decided about the first person, or by it. */
void people_set_consent(struct people *p, unsigned a, unsigned b, enum consent consent);
/* What both together allow. */
enum consent people_consent(const struct people *p, unsigned a, unsigned b);
/* Whoever was never to talk may again. False: there was nobody. */
bool people_lift_bans(struct people *p);
/* Everybody knows what was decided: world_fail() if somebody does not keep to it. */
void people_be_strict(struct people *p, bool is_strict);
/* ... or has an address that it may not have. */
void people_judge_addresses(struct people *p);
world_on_send people_on_send;

/* --- keeping the account (keeping.c): begun if it can be now --- */

void people_change_password(struct people *p, unsigned person, bool everywhere);
void people_make_code(struct people *p, unsigned person);
void people_rekey(struct people *p, unsigned person);
void people_name_a_device(struct people *p, unsigned person);
/* By another machine of the same person. True: it was asked for. */
bool people_revoke(struct people *p, unsigned machine);
/* The machine begins anew, with password or (if there is one) recovery code. */
void people_lose_machine(struct people *p, unsigned machine, bool by_code);
/* From now on it is to be revoked, and not to come in. */
void people_shut_out(struct people *p, unsigned machine);
void people_unshut(struct people *p, unsigned machine);
/* One of the person's machines is to be revoked. */
bool people_shuts_out(const struct people *p, unsigned person);
/* Everybody has an account: nobody needs an invitation any more. */
bool people_have_joined(const struct people *p);
/* Who is out stays out for so long. */
void people_hold_back(struct people *p, unsigned machine, mono_ns how_long);

/* --- the truth (truth.c) --- */

/* Whether presence is at every engine what it is in truth, nothing is owed between machines that
 * are there, and all machines of a person show the same. `why` (may be NULL): what is missing. */
bool people_presence_is_true(struct people *p, char *why, size_t why_size);
bool people_nothing_is_owed(struct people *p, char *why, size_t why_size);
bool people_machines_agree(struct people *p, char *why, size_t why_size);
/* All is as it should be: from now on nothing may be missing on a machine that is in. */
void people_settled(struct people *p);

/* As that machine's engine has it now. */
bool people_sees_online(const struct people *p, unsigned machine, unsigned b);
bool people_is_linked(const struct people *p, unsigned machine, unsigned b);
/* Nothing is left of it: its account is refused, it has no link. */
bool people_is_cut_off(const struct people *p, unsigned machine);
/* Texts of others that were shown on it. */
uint64_t people_heard_on(const struct people *p, unsigned machine);
/* Takes note of the person's contacts; later: world_fail() if they are others. */
void people_remember_contacts(struct people *p, unsigned person);
void people_expect_contacts(struct people *p, unsigned person);

/* --- the verdict (verdict.c) --- */

/* The invariants, at the end: world_fail() with what is broken. */
void people_judge(struct people *p);
/* Who wants what of whom, and how each engine sees it: for a person who looks for a mistake. */
void people_print(struct people *p);
struct people_counts people_counts(const struct people *p);

#endif
