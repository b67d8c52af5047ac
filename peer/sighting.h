/* Which NAT is before us: asks the directory at several of its ports and addresses how it sees our
 * socket (shared/sight.h), all at once, one round trip. On each welcome and each change
 * of the network. A NAT that is not easy is looked at once more from a socket that has never
 * spoken to anybody, as only then its ports are those of one moment; and so again for a
 * sequential one whose last port is old. Tells own_candidates. */
#ifndef PALIQUE_PEER_SIGHTING_H
#define PALIQUE_PEER_SIGHTING_H

#include "peer/rooms.h"
#include "shared/nat.h"

struct sighting;

#define SIGHTING_AGAIN (250 * MILLISECOND) /* unanswered: asked again, SIGHTING_TRIES in all */
enum {
	SIGHTING_TRIES = 4,
	/* Questions to an IP that has not answered, in SIGHTING_REST. */
	SIGHTING_UNANSWERED = 16,
};
#define SIGHTING_REST (600 * SECOND)
/* A sequential NAT's last port is worth something so long. */
#define SIGHTING_FRESH (30 * SECOND)

struct sighting *sighting_new(struct rooms *rooms);
void sighting_free(struct sighting *s);

/* The directory has welcomed us and says where it answers; `main` is where our line goes. */
void sighting_welcomed(struct sighting *s, const struct address *main,
		       const struct address *sights, unsigned count);
/* The line is gone: nothing is asked. */
void sighting_offline(struct sighting *s);
/* A mapping of ours should let strangers in: asks for a proof. */
void sighting_try_port(struct sighting *s, uint16_t outer_port);
/* Somebody is about to be introduced to us. False: our NAT is a sequential one and what we know of
 * it is older than SIGHTING_FRESH; it is being asked again, which takes a round trip. */
bool sighting_refresh(struct sighting *s);
/* True when the datagram was an answer to us. */
bool sighting_stray(struct sighting *s, const struct path *path, struct bytes data);
mono_ns sighting_step(struct sighting *s);

/* For the doctor. */
struct sighting_report {
	bool is_done; /* asked and answered, or given up */
	unsigned asked, answered;
	struct nat nat;
	struct address seen;
	enum { PORT_UNTRIED, PORT_TRYING, PORT_OPEN, PORT_SHUT } port;
};
struct sighting_report sighting_report(const struct sighting *s);

#endif
