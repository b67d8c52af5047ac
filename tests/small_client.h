/* A directory and clients of it in memory, for tests of the directory alone: endpoints
 * joined by a network without delay or loss, a clock that is moved by hand, and of the
 * client just the messages. */
#ifndef PALIQUE_TESTS_SMALL_CLIENT_H
#define PALIQUE_TESTS_SMALL_CLIENT_H

#include "directory/server.h"
#include "shared/wire.h"

enum { SMALL_CLIENTS = 24 };

struct small_client {
	struct small_net *net;
	struct endpoint *endpoint;
	struct link *link; /* NULL: none, or down */
	struct address address;
	struct name name;
	struct identity identity;
	struct device device;
	struct certificate certificate;
	struct buf inbox; /* frames, oldest first */
	struct buf scratch;
	bool is_up, is_cut; /* cut: its datagrams are lost, both ways */
	bool is_deaf;       /* reads nothing from its stream */
	bool stretches;     /* passwords, as the real one does: slow */
	int down_error;
	uint64_t down_code;
	struct bytes stray; /* the last one; owned */
};

struct small_net {
	char data[64]; /* the directory's folder, removed at the end */
	struct server *server;
	struct small_client *clients[SMALL_CLIENTS];
	unsigned count;
	mono_ns now, server_at;
	wall_ms wall;
};

/* A fresh directory in a folder of its own. */
void small_net_begin(struct small_net *n, const struct server_config *config);
void small_net_end(struct small_net *n);
/* Until everything is said, and then on for `time`. */
void small_net_run(struct small_net *n, mono_ns time);
/* The directory alone goes down and comes back. */
void small_net_restart(struct small_net *n, const struct server_config *config);

/* A machine with fresh keys of `name`; its network is 10.NUMBER.0.0/24. */
struct small_client *small_client_new(struct small_net *n, const char *name);
/* Another machine of the same account. */
struct small_client *small_client_sibling(struct small_client *of);
void small_client_dial(struct small_client *c, enum link_pattern pattern);
void small_client_hang_up(struct small_client *c);
void small_client_say(struct small_client *c, const struct wire_message *m);
/* What waits in its stream, for one that was deaf. */
void small_client_read(struct small_client *c);
/* The next message of that type; others before it are thrown away. false: none. */
bool small_client_hears(struct small_client *c, enum wire_type type, struct wire_message *m);

/* The whole of a registration or login over a guest link, then hanging up: 0, the refusal's
 * error, or ERR_TIMEOUT. Stretching is left out: the directory has no part in it. */
int small_client_register(struct small_client *c, const char *password, const char *invite);
int small_client_login(struct small_client *c, const char *password);
/* Dials with the device key and takes WELCOME; ERR_TIMEOUT when there was none. */
int small_client_come(struct small_client *c);
void small_client_publish(struct small_client *c);
/* The whole list; NULL ends the names. */
void small_client_list(struct small_client *c, ...) __attribute__((sentinel));
/* Registers, comes online, publishes. */
struct small_client *small_client_online(struct small_net *n, const char *name);

#endif
