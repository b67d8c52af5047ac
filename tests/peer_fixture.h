/* Engines that are members of a directory nobody needs to run: presence is told by hand.
 * For tests that look into single rooms of the peer. */
#ifndef PALIQUE_TESTS_PEER_FIXTURE_H
#define PALIQUE_TESTS_PEER_FIXTURE_H

#include "peer/contacts.h"
#include "peer/conversations.h"
#include "peer/engine.h"
#include "peer/events.h"
#include "peer/rooms.h"
#include "peer/store.h"
#include "peer/way.h"
#include "tests/calm_net.h"

struct peer {
	struct engine *engine;
	struct rooms *rooms;
	struct name name;
	struct identity identity;
	struct device device;
	struct knock knock;
	struct certificate certificate;
	struct device_list devices; /* of the account, as last signed */
	char path[64];
	bool is_durable; /* its commits survive a power cut */
	unsigned node;
	uint64_t steps;
	struct nat nat;        /* as its records say */
	bool hears_silence;    /* of the directory; else nobody notices it */
	unsigned counts[32];   /* events by kind */
	struct event last[32]; /* the last of each kind; texts are gone */
	char heard[4096];      /* texts heard, one behind the other with a space each */
};

/* Makes the store with its account, then opens it. */
void peer_make(struct peer *p, const char *name);
/* Another device of the account, whose list has both from now on: the first learns that by
 * peer_tell_presence() of either. */
void peer_make_sibling(struct peer *p, struct peer *first);
/* `gone` is not in the account's list any more, as signed by `by`. */
void peer_revoke(struct peer *by, const struct peer *gone);
void peer_open(struct peer *p, mono_ns now, wall_ms wall);
void peer_close(struct peer *p);  /* the store stays */
void peer_remove(struct peer *p); /* closes, removes the store, wipes */
void peer_hide(struct peer *p);   /* the open store's files lose their names */

/* On a network: opens and gets a node; opens at the node it had; closes, and its node is down. */
void peer_join(struct peer *p, struct calm_net *net);
void peer_start(struct peer *p, struct calm_net *net);
void peer_stop(struct peer *p, struct calm_net *net);
void peer_restart(struct peer *p, struct calm_net *net);

/* The other becomes a contact of it; each of the other. */
void peer_add(struct peer *p, const struct peer *other);
void peer_befriend(struct peer *a, struct peer *b);
/* Alice and Bob, made and open, who know each other; a step each has been done. */
void peer_make_friends(struct peer *alice, struct peer *bob, mono_ns now, wall_ms wall);

/* One step, events counted. For the calm network too. */
mono_ns peer_step(void *user, mono_ns now, wall_ms wall);

/* The directory cannot be found. */
void peer_lose_directory(struct peer *p);
/* Its interfaces' addresses; `has_lan`: with a network on which groups are heard. */
void peer_set_network(struct peer *p, const struct address *at, unsigned count, bool has_lan);

/* What the directory would say of the other: `is_online` with the address of its node. */
void peer_tell_presence(struct peer *p, const struct peer *other, const struct address *at,
			bool is_online);
/* The same of several devices of one account, the list being that of the first: those with a
 * node in `net` that is up are online. */
void peer_tell_devices(struct peer *p, const struct calm_net *net,
		       const struct peer *const *others, unsigned count);
/* Both are to be told in the same moment. */
void peer_introduce(struct peer *p, const struct peer *other, const struct address *at,
		    bool is_dialler, mono_ns round_trip);
struct name name_of(const char *text);
struct person *peer_person(struct peer *p, const char *name);

#endif
