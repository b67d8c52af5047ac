/* Inside of grants: grants_rows.c has what the store keeps, grants.c who is told, asked and answered. */
#ifndef PALIQUE_PEER_GRANTS_INSIDE_H
#define PALIQUE_PEER_GRANTS_INSIDE_H

#include "peer/grants.h"
#include "peer/person.h"

/* HISTORY carries where an entry stands, which may be below 0, as a number above 0. */
#define GRANTS_AT ((int64_t)1 << 62)
enum {
	GRANTS_ASKED = 4,        /* parts asked for at once */
	GRANTS_PART = 48 << 10,  /* bytes of entries in one part: a frame holds it */
	GRANTS_ENTRY = 512,      /* ... of what stands around a body, at most */
	GRANTS_TELL_EACH = 1000, /* faces hear of so many that came */
};

/* What stands in `given`; number 0: nothing. */
struct given {
	uint64_t number;
	wall_ms since;
	uint64_t upto; /* id: what came later the device hears itself, as it is said */
};
/* What stands in `granted`. */
struct granted {
	uint64_t number;
	uint64_t at; /* 0: nothing came yet */
	bool is_over;
};

struct given given_read(struct rooms *r, const struct device_public *device);
/* number 0: none. */
void given_write(struct rooms *r, const struct device_public *device,
		 const struct given *given);
struct granted granted_read(struct rooms *r, const struct device_public *device);
void granted_write(struct rooms *r, const struct device_public *device,
		   const struct granted *granted);

/* Of what is given entries behind `before` (0: from the newest), as many as fit into one part; what
 * they say stands in `bodies`. */
void grants_part(struct rooms *r, const struct given *given, uint64_t before,
		 struct wire_history *part, struct buf *bodies);
/* Where the next one that comes in stands. */
int64_t grants_place(struct rooms *r);

#endif
