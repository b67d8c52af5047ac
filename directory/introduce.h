/* Two contacts that want to talk are given each other's devices at the same moment, so that
 * both can probe at once. Only where each gives the other its addresses; who is not a contact,
 * not online, hidden or not there is answered with nothing, and so cannot be told apart. Who is
 * hidden and asks shows itself to whom it asks for, that once. */
#ifndef PALIQUE_DIRECTORY_INTRODUCE_H
#define PALIQUE_DIRECTORY_INTRODUCE_H

#include "directory/names.h"
#include "directory/presence.h"
#include "directory/watchers.h"

/* Who both ask within this get one introduction, unless a record or address of theirs has changed, or one
 * of them has gone and come back. */
#define INTRODUCE_AGAIN (300 * MILLISECOND)
enum { INTRODUCE_REMEMBERED = 1 << 12 }; /* introductions; one may push out another */

/* What was introduced a moment ago: 16 bytes each, in a table of fixed size. */
struct introductions;
struct introductions *introductions_new(const uint8_t key[16]);
void introductions_free(struct introductions *all);

struct introduce_calls {
	/* The session's round trip to us. */
	mono_ns (*round_trip)(void *user, const struct record *of);
	/* One INTRODUCTION for one device: for the session that `to` belongs to. */
	void (*tell)(void *user, struct record *to, const struct wire_message *message);
	void *user;
};

/* `asker`, a device of `account`, wants to talk to `name`: to each of its devices. They dial, the
 * asker answers. How many introductions were made. */
unsigned introduce(struct introductions *all, const struct names *names,
		   const struct presence *presence, const struct watchers *watchers,
		   name_id account, struct record *asker, const struct name *name,
		   const struct introduce_calls *calls, mono_ns now);

#endif
