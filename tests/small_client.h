/* A directory and clients of it in memory, for tests of the directory alone: endpoints
 * joined by a network without delay or loss, a clock that is moved by hand, and of the
 * client just the messages. */
#ifndef PALIQUE_TESTS_SMALL_CLIENT_H
#define PALIQUE_TESTS_SMALL_CLIENT_H

#include "directory/server.h"
#include "shared/wire.h"

enum { SMALL_CLIENTS = 24, SMALL_WAYS = 8 };

struct small_client {
	struct small_net *net;
	struct endpoint *endpoint;
	struct link *link; /* NULL: none, or down */
	struct address address;
	struct name name;
	struct identity identity;
	struct device device;
	struct certificate certificate;
	struct device_list devices; /* the newest list that was heard of; version 0: none */
	struct symmetric_key key;   /* of the vault */
	uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE]; /* of the last password */
	struct wire_refusal refusal;                /* the last one */
	struct buf inbox;                           /* frames, oldest first */
	struct buf scratch;
	bool is_up, is_cut; /* cut: its datagrams are lost, both ways */
	bool is_deaf;       /* reads nothing from its stream */
	bool stretches;     /* passwords, as the real one does: slow */
	bool works;         /* does the work that it is asked for, and tries again */
	int down_error;
	uint64_t down_code;
	struct bytes stray; /* the last one; owned */
	struct address stray_from;
	uint64_t number; /* of the last records that it signed */
};

struct small_net {
	char data[64]; /* the directory's folder, removed at the end */
	struct server *server;
	struct small_client *clients[SMALL_CLIENTS];
	unsigned count;
	struct address ways[SMALL_WAYS]; /* to the directory; a socket each */
	unsigned way_count;              /* one, unless a test adds others */
	mono_ns now, server_at;
	wall_ms wall;
};

/* Open to everybody, with the limits that a directory has by itself, and work for guests that is quick to do. */
struct server_config small_net_limited(void);
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
/* What it has said is at the directory's door, which is not stepped. */
void small_client_flush(struct small_client *c);
/* What waits in its stream, for one that was deaf. */
void small_client_read(struct small_client *c);
/* The next message of that type; others before it are thrown away, and so is PRESENCE of its
 * own account, after the device list was taken from it. false: none. */
bool small_client_hears(struct small_client *c, enum wire_type type, struct wire_message *m);
/* The next PRESENCE of its own account. */
bool small_client_hears_own(struct small_client *c, struct wire_message *m);
/* Says `m` and waits for `type`, then in `m`: 0; a refusal's error, or ERR_TIMEOUT. */
int small_client_ask(struct small_client *c, struct wire_message *m, enum wire_type type);

/* The whole of a registration or login over a guest link, then hanging up: 0, the refusal's
 * error, or ERR_TIMEOUT. Stretching is left out: the directory has no part in it. */
int small_client_register(struct small_client *c, const char *password, const char *invite);
int small_client_login(struct small_client *c, const char *password);
/* The steps of it, on the link that is there: the password (its LOGIN_DONE in `m`), the
 * recovery code's key, a device of this machine with or without a first vault, a new
 * password with or without the vault's key under it. */
int small_client_prove(struct small_client *c, const char *password, struct wire_message *m);
int small_client_recover(struct small_client *c, const struct identity *code,
			 struct wire_message *m);
int small_client_enrol(struct small_client *c, bool has_vault);
int small_client_password(struct small_client *c, const char *password, bool has_wrap);
/* What the steps are made of, to be spoilt. */
void small_client_newcomer(struct small_client *c, struct wire_newcomer *n);
void small_client_first_vault(struct small_client *c, struct wire_first_vault *v);
/* Puts a vault of so many random bytes as this version. */
int small_client_put_vault(struct small_client *c, uint64_t version, size_t size);
int small_client_put_devices(struct small_client *c, const struct device_list *list);
/* Dials with the device key and takes WELCOME; ERR_TIMEOUT when there was none. */
int small_client_come(struct small_client *c);
/* Newer records than before, signed: one address of its network, and none. */
void small_client_records(struct small_client *c, struct wire_publish *publish);
void small_client_publish(struct small_client *c);
/* Says LIST_ADD without a greeting. */
void small_client_consent(struct small_client *c, const char *name, enum consent consent);
/* From now on its datagrams come from another port. */
void small_client_move(struct small_client *c);
/* The whole list, with its addresses for all of them; NULL ends the names. */
void small_client_list(struct small_client *c, ...) __attribute__((sentinel));
/* Registers, comes online, publishes. */
struct small_client *small_client_online(struct small_net *n, const char *name);

#endif
