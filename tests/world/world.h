/* Several engines and a directory in one process: a simulated clock, a seeded network, and
 * machines that crash, come back, move and have wrong clocks. The same seed gives the same
 * datagrams. Machine 0 is the directory, peers are machines 1 and up. */
#ifndef PALIQUE_TESTS_WORLD_WORLD_H
#define PALIQUE_TESTS_WORLD_WORLD_H

#include "directory/server.h"
#include "peer/engine.h"
#include "tests/bad_disk.h"
#include "tests/world/dice.h"
#include "tests/world/network.h"

enum { WORLD_DIRECTORY = 0, WORLD_PEERS_MAX = 8, WORLD_MACHINES_MAX = WORLD_PEERS_MAX + 1 };

struct world;

/* An event of peer `peer`'s engine. Only takes note: no engine is called from inside. */
typedef void world_on_event(void *user, unsigned peer, const struct event *event);
/* Peer `peer` has been started and has done its first work: its store tells what was missed. */
typedef void world_on_start(void *user, unsigned peer);

/* Peer `peer` sends a datagram straight to where these machines are (bit n: machine n). */
typedef void world_on_send(void *user, unsigned peer, unsigned machines);

struct world_config {
	uint64_t seed;
	unsigned peers;
	enum registration registration;
	bool is_v6;
	bool has_nats;       /* peers live behind routers, some of them together */
	bool has_open_third; /* ... the first behind none: all reach it that know its address */
	bool has_relays;     /* ... also such as need a relay: everybody relays */
	bool has_host_name;  /* the directory is known as "directory.world" and may move */
	world_on_event *on_event;
	world_on_start *on_start;
	world_on_send *on_send; /* may be NULL */
	void *user;
};

struct world_counts {
	uint64_t crashes, restarts, partitions, moves, clock_jumps, wipes;
	uint64_t lan_changes, sleeps, dead_routers;
	uint64_t power_cuts, full_disks, failing_disks, locked_stores, refused_starts;
	uint64_t to_victim; /* the most that any machine has sent there */
	uint64_t steps;
};

/* All machines begin switched off. */
struct world *world_new(const struct world_config *config);
void world_free(struct world *w);

/* Lets time pass; stops early when something is wrong. */
void world_run(struct world *w, mono_ns how_long);
mono_ns world_now(const struct world *w);  /* since the beginning */
wall_ms world_wall(const struct world *w); /* the true time, which no machine knows */

/* The first thing that was wrong; NULL: all is well. */
const char *world_trouble(const struct world *w);
void world_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- machines --- */

void world_start(struct world *w, unsigned machine);
void world_stop(struct world *w, unsigned machine); /* says goodbye, closes its store */
/* Dies as by kill -9, or of a power cut, as the dice have it: at once, or in its next work after
 * `datagrams` more have left. */
void world_crash(struct world *w, unsigned machine);
void world_crash_soon(struct world *w, unsigned machine, unsigned datagrams);
/* The power goes when its disk has done so much more for its store (writes and syncs). */
void world_cut_power_soon(struct world *w, unsigned machine, unsigned operations);
/* For so long its disk has no room, or every write, sync and read fails, or who starts finds the store
 * in use by another process. */
void world_spoil_disk(struct world *w, unsigned machine, enum bad_disk_fault fault,
		      mono_ns how_long);
/* Stolen, or broken for good: without a word, and its folder begins anew. */
void world_wipe(struct world *w, unsigned machine);
void world_no_more_crashes(struct world *w); /* none that was announced comes */
bool world_is_up(const struct world *w, unsigned machine);
/* Another address; a peer is told (its interfaces changed) unless `is_behind_nat`: then its router,
 * where it has one, forgets everything and perhaps has another address. */
void world_move(struct world *w, unsigned machine, bool is_behind_nat);
/* Into the network of another machine, or back into its own: told. Nothing where there are no routers,
 * and for those that everybody has to reach. */
void world_change_lan(struct world *w, unsigned machine);
/* Its lid is closed for so long: nothing is heard, and its monotonic clock stands still. Waking it
 * is told that it slept. */
void world_sleep(struct world *w, unsigned machine, mono_ns how_long);
bool world_is_asleep(const struct world *w, unsigned machine);
/* Its router lets nothing pass for so long. */
void world_break_router(struct world *w, unsigned machine, mono_ns how_long);
/* Each machine wakes as after a sleep: who was looked for in vain, and rests for up to a day, is looked for anew. */
void world_open_lids(struct world *w);
/* Whoever sleeps wakes, and routers and disks work. */
void world_rouse(struct world *w);
/* The directory says of everybody that it is at this address, also to itself; where peers have no
 * routers. */
void world_lie(struct world *w, const struct address *victim);
void world_jump_clock(struct world *w, unsigned machine, int64_t by_ms);
void world_cut(struct world *w, unsigned a, unsigned b, bool is_cut);
/* Something was asked of the machine from outside its own step: it works soon. */
void world_wake(struct world *w, unsigned machine);

struct internet *world_network(struct world *w);
struct dice *world_dice(struct world *w); /* for the story; the network has its own */
struct engine *world_engine(struct world *w, unsigned peer); /* NULL while it is off */
struct server *world_server(struct world *w);                /* NULL while it is off */
/* A directory link, without an invitation. */
struct uri world_link(const struct world *w, bool with_key);
/* A single-use invitation's code from the running directory. */
void world_invite(struct world *w, char code[URI_CODE_MAX + 1]);
/* The directory's counters, also of its lives before a crash or restart. */
struct server_status world_directory_status(struct world *w);
struct world_counts world_counts(const struct world *w);

/* Where a machine keeps files that it gives and gets; it survives crashes, and goes with a wipe. */
void world_files(const struct world *w, unsigned machine, char *out, size_t out_size);
/* While it starts: its power went, and with it what was written and not made durable. */
bool world_lost_power(const struct world *w, unsigned machine);

/* Whether these bytes lie somewhere in the directory's folder. */
bool world_directory_holds(const struct world *w, const void *bytes, size_t size);

/* Part of every text said that has room for it; may be in no datagram. */
#define WORLD_MARKER "wörld-märker"

#endif
