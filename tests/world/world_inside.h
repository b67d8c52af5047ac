/* The inside of the world, for world.c (machines that start, work and die) and places.c (where they
 * are) and nobody else. */
#ifndef PALIQUE_TESTS_WORLD_WORLD_INSIDE_H
#define PALIQUE_TESTS_WORLD_WORLD_INSIDE_H

#include "tests/world/errands.h"
#include "tests/world/world.h"

enum { PATH_SIZE = 256 };

struct machine {
	unsigned number;
	struct engine *engine;
	struct server *server;
	unsigned life;        /* names its folder: a crash goes on in a copy */
	mono_ns clock_offset; /* its monotonic clock begins anew when it is switched on */
	int64_t wall_skew;
	mono_ns wake;           /* the world's time */
	int crash_after;        /* datagrams, or NEVER_CRASHES */
	struct address address; /* of its main socket, as it knows it */
	unsigned moves;
	struct nat_box *box; /* its router; NULL: none */
	unsigned lan;        /* whose router it is behind: a machine's number; 0: none */
	mono_ns asleep_since, awake_at; /* awake_at 0: it does not sleep */
	uint32_t wakes;
	struct errands errands;
	mono_ns idle_since;
	unsigned idle_steps;
	enum bad_disk_fault fault; /* of its disk, until then */
	mono_ns disk_well_at;      /* NEVER: it is well */
	char image[PATH_SIZE];     /* what a planned power cut leaves; "": none is planned */
	bool is_new;               /* has not worked since it was switched on */
	bool has_lost_power;       /* ... which was by a power cut */
};

struct world {
	struct world_config config;
	struct dice dice;
	struct internet *network;
	mono_ns now;
	wall_ms began;
	char folder[PATH_SIZE];
	struct machine machines[WORLD_MACHINES_MAX];
	struct nat_box
		boxes[WORLD_MACHINES_MAX]; /* number n: of the machine n, which may share it */
	bool has_plain_net
		[WORLD_MACHINES_MAX]; /* ... with the same addresses inside as others */
	unsigned
		guests[WORLD_MACHINES_MAX]; /* who has ever been behind it (bit n: machine n) */
	mono_ns mended_at[WORLD_MACHINES_MAX]; /* a router; 0: it works */
	bool has_two_addresses;                /* the directory */
	struct address victim;                 /* family 0: the directory does not lie */
	uint64_t to_victim[WORLD_MACHINES_MAX];
	struct server_status before; /* counters of the directory's earlier lives */
	struct world_counts counts;
	char trouble[512];
	struct device_public directory_key;
	uint8_t room[ENDPOINT_LOOPBACK_MAX];
};

/* --- world.c --- */

void world_heal_disks(struct world *w);

/* --- places.c --- */

/* The directory's sockets: where clients connect, a further port, and a hidden one that is on another
 * address, where it has two of each. */
unsigned places_sights(const struct world *w, struct sight list[5]);
void places_settle(struct world *w, struct machine *m);
void places_put_up_routers(struct world *w);
/* The engine, of the network that the machine is in. */
void places_tell(struct machine *m);
void places_wake(struct world *w, struct machine *m); /* it sleeps no more */
mono_ns places_mend(struct world *w); /* routers that are due; when the next is */
/* Of a datagram that a machine sends, before a lie is made good. */
void places_note_sent(struct world *w, const struct machine *m, const struct datagram *out);
void places_lie_in(const struct world *w, const struct arrival *a, struct path *path);
void places_lie_out(const struct world *w, const struct machine *m, struct path *path);

#endif
