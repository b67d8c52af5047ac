/* Shell: the UDP sockets of a directory, and which of them is for what: where clients connect,
 * where questions of sight are answered besides, and what only sends (directory/sights.h). */
#ifndef PALIQUE_DIRECTORY_SOCKETS_H
#define PALIQUE_DIRECTORY_SOCKETS_H

#include "directory/config.h"
#include "directory/sights.h"
#include "shared/udp.h"

enum { SOCKETS_OPEN_MAX = 3 * CONFIG_LISTEN_MAX };

struct sockets {
	unsigned count; /* the number of each is its place here */
	struct socket_opened {
		enum sight_kind kind;
		struct address bound;
	} opened[SOCKETS_OPEN_MAX];
	unsigned main_count; /* the first so many */
	unsigned outside_count;
	struct socket_opened outside[2 * CONFIG_OUTSIDE_MAX]; /* perhaps not ours: told only */
};

/* Opens all that `config` says, the first ones of `udp`. ERR_EXISTS: an address cannot be
 * listened on (`reason` gets a sentence). Without the further and hidden ports it goes on, with a
 * warning. */
int sockets_open(struct sockets *s, struct udp *udp, const struct config *config, char *reason,
		 size_t reason_size);

/* People come by a name, this machine has private IPv4 addresses alone, and nobody said which one
 * a router before it has: clients cannot be told where to ask. */
bool sockets_lack_outside(const struct sockets *s, const struct config *config);

/* What they are to the core, with the addresses that the machine has at this moment: how many. */
unsigned sockets_sights(const struct sockets *s, struct sight out[SIGHTS_MAX]);

#endif
