/* The rooms of one engine from the bottom up, so that each finds those below it, and the moment
 * of the step they are in. Filled by engine.c. Whoever calls another room includes its header,
 * and tools/check-includes lets nobody include a higher one. */
#ifndef PALIQUE_PEER_ROOMS_H
#define PALIQUE_PEER_ROOMS_H

#include "shared/clock.h"
#include "shared/endpoint.h"

struct rooms {
	struct endpoint *endpoint;
	struct store *store;
	struct events *events;
	struct persons *persons;
	struct account *account;
	struct own_candidates *candidates;
	struct conversations *conversations;
	struct outbox *outbox;
	struct directory_client *directory;
	struct reach *reach;
	struct contacts *contacts;
	struct siblings *siblings;
	struct address_book *book;
	struct sighting *sighting;
	struct port_map *port_map;
	struct lan *lan;
	struct forwarding *forwarding;
	struct relay *relay;
	struct files *files;
	struct profiles *profiles;
	struct marks *marks;
	struct search *search;
	struct expiry *expiry;
	struct grants *grants;
	mono_ns now;
	wall_ms wall;
	bool has_more;   /* input was left for the next step: come back at once */
	mono_ns save_at; /* what was delivered is written then at the latest; NEVER: nothing */
};

#endif
