/* Our port at the router: asked for by PCP (RFC 6887), NAT-PMP (RFC 6886) and UPnP IGD at once,
 * kept (renewed at half of its life, made anew when the router forgot), removed at the end. What
 * a router says is believed in so far as it agrees with what the directory sees (own_candidates);
 * the core sends and hears PCP and NAT-PMP through our own socket, as strays; UPnP is a job. */
#ifndef PALIQUE_PEER_PORT_MAP_H
#define PALIQUE_PEER_PORT_MAP_H

#include "peer/rooms.h"
#include "shared/job.h"

struct port_map;

#define PORT_MAP_LIFE (7200 * SECOND) /* asked for; RFC 6886 section 3.3 */

enum port_map_way { PORT_MAP_PCP, PORT_MAP_NATPMP, PORT_MAP_UPNP, PORT_MAP_WAYS };
enum port_map_state {
	PORT_MAP_OFF, /* switched off, or no router */
	PORT_MAP_ASKING,
	PORT_MAP_SILENT,  /* nobody answers this */
	PORT_MAP_REFUSED, /* it answers and will not */
	PORT_MAP_HELD,
};
struct port_map_report {
	enum port_map_state state;
	struct address outer; /* HELD */
	bool is_behind;       /* ... but its outer address is not the one the directory sees */
	char router[64];      /* as it calls itself; safe to print; "" */
	int error;            /* REFUSED: its own code */
};

struct port_map *port_map_new(struct rooms *rooms);
void port_map_free(struct port_map *m);
void port_map_set_enabled(struct port_map *m, bool is_enabled);
/* True when the datagram came from the router and was about this. */
bool port_map_stray(struct port_map *m, const struct path *path, struct bytes data);
bool port_map_next_job(struct port_map *m, struct job *job);
void port_map_job_done(struct port_map *m, const struct job *answer);
mono_ns port_map_step(struct port_map *m);
/* The end: removes what is held, as far as a datagram can; and the job that removes the rest,
 * which the shell runs before it exits. False: there is none. */
bool port_map_goodbye(struct port_map *m, struct job *job);

struct port_map_report port_map_report(const struct port_map *m, enum port_map_way way);

#endif
