/* The rooms of one engine, so that each finds its neighbours, and the moment of the step
 * they are in. Filled by engine.c; rooms read it and call down. */
#ifndef PALIQUE_PEER_ROOMS_H
#define PALIQUE_PEER_ROOMS_H

#include "shared/clock.h"
#include "shared/endpoint.h"

struct rooms {
	struct endpoint *endpoint;
	struct store *store;
	struct events *events;
	struct account *account;
	struct own_candidates *candidates;
	struct contacts *contacts;
	struct conversations *conversations;
	struct outbox *outbox;
	struct reach *reach;
	struct directory_client *directory;
	mono_ns now;
	wall_ms wall;
	bool has_more; /* input was left for the next step: come back at once */
	mono_ns save_at; /* what was delivered is written then at the latest; NEVER: nothing */
};

/* For tests, which look into single rooms. */
struct engine;
struct rooms *engine_rooms(struct engine *e);

#endif
