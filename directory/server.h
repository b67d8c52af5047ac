/* The directory as a core: an endpoint, the sessions on it, the account store. Datagrams
 * and time go in, datagrams and a deadline come out; the world test and the shell
 * (directory/serve.h) drive the same functions. */
#ifndef PALIQUE_DIRECTORY_SERVER_H
#define PALIQUE_DIRECTORY_SERVER_H

#include "directory/holder.h"
#include "directory/limits.h"
#include "directory/registry.h"
#include "directory/sights.h"
#include "shared/endpoint.h"
#include "shared/ksf.h"
#include "shared/uri.h"

struct server;

struct server_config {
	const char *data; /* folder: accounts.db and keys; made by server_init() */
	enum registration registration;
	/* What is zero below stands for the default. */
	bool has_place; /* the public address, put in links */
	struct directory_place place;
	uint32_t online_max, guests_max, contacts_max;
	bool has_limits;
	struct limits_config limits;
	bool is_hasty; /* commits need not survive a power cut: tests */
	/* Who has the OPRF seed and the AKE key; borrowed. NULL: they lie in `data`, and this
	 * process uses them itself (`palique host`, tests). */
	struct holder *holder;
};
enum { SERVER_ONLINE_MAX = 1000000, SERVER_GUESTS_MAX = 2000 }; /* defaults */

/* Makes the folder (0700), the keys (0600) and an empty account store. ERR_EXISTS: there
 * is a directory already (nothing is touched). */
int server_init(const char *data, char *reason, size_t reason_size);
/* The same with another stretching of passwords than KSF_ARGON2ID_256M, for tests: it holds
 * for all accounts and for good, and `palique` refuses a weaker one. */
int server_init_ksf(const char *data, enum ksf ksf, char *reason, size_t reason_size);

/* `reason` gets a sentence for people on failure. */
int server_open(struct server **s, const struct server_config *config, mono_ns now,
		wall_ms wall, char *reason, size_t reason_size);
/* Takes over all of `config` but `data`, `is_hasty` and `holder`, which stay. */
void server_configure(struct server *s, const struct server_config *config);
/* Says LEAVING and closes with RESTART to every client: they come back after `retry_after`
 * seconds and a little at random. Their datagrams are to be sent afterwards. */
void server_goodbye(struct server *s, uint32_t retry_after, mono_ns now);
void server_close(struct server *s);

/* Which of the shell's sockets and addresses answers questions of sight (directory/sights.h);
 * replaces what was said before. Without it: every socket, and no other one. Copied; of more than
 * SIGHTS_MAX the rest is left out. */
void server_set_sights(struct server *s, const struct sight *list, unsigned count);

struct endpoint *server_endpoint(struct server *s); /* for endpoint_receive() and udp_new() */
const struct device_public *server_key(const struct server *s);

/* After datagrams came in or the deadline passed: takes the endpoint's events, does what
 * is due, returns the server's own deadline (without the endpoint's). */
mono_ns server_step(struct server *s, mono_ns now, wall_ms wall);

/* Counters: nobody's name in them. */
struct server_status {
	uint64_t online_devices, online_accounts, accounts;
	uint64_t logins, key_logins, registrations, refused_logins;
	uint64_t presence_notes, introductions, asked;
	uint64_t sights;                              /* questions of sight answered */
	uint64_t messages_in[128], messages_out[128]; /* by wire type */
	struct endpoint_counters traffic;
	mono_ns uptime;
};
void server_status(const struct server *s, struct server_status *out);

/* For administration (directory/admin.h): its accounts, the public address (host empty: none is
 * known), and the moment of the last step. */
struct registry *server_registry(struct server *s);
const struct directory_place *server_place(const struct server *s);
wall_ms server_wall(const struct server *s);
/* Closes every session of `name`, with a link_code: UNKNOWN where the account is gone, RESTART
 * where its devices shall come back and be told what is the matter. How many there were. */
unsigned server_drop(struct server *s, const struct name *name, enum link_code code);
/* The same for one that the operator has suspended: told so, and to come back later. */
unsigned server_suspend(struct server *s, const struct name *name);

/* Tests: whether `name` has a record now. */
bool server_is_online(const struct server *s, const char *name);

#endif
