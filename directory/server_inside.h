/* The inside of a server, for the files that make it up and nobody else; from the bottom up:
 * server_tell.c (saying something to a session, ending it), server_devices.c (all sessions of one
 * account), server_clients.c (what clients say of others, and are told), server_account.c (what
 * they do with their own account), server_login.c (becoming somebody), server_links.c (what links
 * bring), server.c (its life). */
#ifndef PALIQUE_DIRECTORY_SERVER_INSIDE_H
#define PALIQUE_DIRECTORY_SERVER_INSIDE_H

#include "directory/checks.h"
#include "directory/introduce.h"
#include "directory/keystore.h"
#include "directory/registry.h"
#include "directory/server.h"
#include "directory/sessions.h"
#include "directory/sights.h"
#include "directory/watchers.h"

enum { SERVER_PUTTING_MAX = 64 }; /* vaults half sent at a time: 16 MiB */

struct server {
	struct keystore *keys;
	struct holder *own_holder; /* where none was given */
	bool is_bound;             /* the holder is the one that the accounts were made with */
	struct endpoint *endpoint;
	struct login_desk desk; /* registry, limits, mode */
	struct names *names;
	struct presence *presence;
	struct watchers *watchers;
	struct sessions *sessions;
	struct checks checks;
	struct introductions *introductions;
	struct sights sights;
	struct directory_place place;
	/* Who was answered and may have said more meanwhile; who is being read already. */
	uint64_t *resumed, reading;
	size_t resumed_count, resumed_room;
	struct session *putting[SERVER_PUTTING_MAX]; /* a vault half sent; oldest first */
	unsigned putting_count;
	mono_ns store_failed_at; /* 0: never; when it was last logged */
	uint32_t online_max, guests_max, contacts_max;
	struct server_status counts;
	mono_ns started, now;
	wall_ms wall;
	struct buf in, out; /* one message each, used again and again */
};

enum {
	SERVER_RETRY_SECONDS = 5,       /* told when the store fails */
	SERVER_SUSPENDED_SECONDS = 600, /* ... when an account is suspended */
};

/* --- server_tell.c --- */

/* What is said to a session; ERR_FULL: it reads too slowly, nothing was taken. */
int server_tell(struct server *s, struct session *to, const struct wire_message *m);
/* The same in two steps, for one message to many: encoded once, into s->out. */
void server_frame(struct server *s, const struct wire_message *m);
int server_tell_frame(struct server *s, struct session *to, enum wire_type type);
void server_refuse(struct server *s, struct session *to, enum wire_type about, int err,
		   uint32_t retry_after);
/* An answer that must not get lost: whoever cannot take it is put out, and asks again. */
void server_reply(struct server *s, struct session *to, const struct wire_message *m);
/* What the registry answered to `about`: its own trouble is ERR_BUSY. */
void server_refuse_answer(struct server *s, struct session *to, enum wire_type about, int err);
/* Takes `cost` off what a session may say; false: it has said too much. */
bool server_charge(struct server *s, struct session *who, uint32_t cost);
/* Ends a session whose link is gone: its record dies with it, and contacts hear of it at the
 * end of this step. */
void server_end(struct server *s, struct session *who);
/* Ends session and link. */
void server_put_out(struct server *s, struct session *who, enum link_code code);
/* OBSERVED: where its datagrams come from now; at once or when there is room. */
void server_tell_observed(struct server *s, struct session *who);
/* What it has sent of a vault is forgotten. */
void server_drop_vault(struct server *s, struct session *who);
void server_put_out_suspended(struct server *s, struct session *who);

/* --- server_devices.c: with server_drop() and server_suspend() --- */

/* The account has another device list: who is not in it any more is put out, and everybody
 * hears. */
void server_devices_changed(struct server *s, const struct name *name,
			    const struct device_list *list);
/* Whoever else is about to come into the account by what counts no more has to begin anew. `by`:
 * who did it, or NULL. */
void server_outdate(struct server *s, const struct session *by, const struct name *name,
		    enum login_news news);

/* --- server_clients.c --- */

/* What is done with each message of a client: 0, or an error that ends the link. */
typedef int server_handler(struct server *s, struct session *who, const struct wire_message *m);
server_handler server_on_publish, server_on_list, server_on_list_add, server_on_list_remove,
	server_on_introduce, server_on_suspect, server_on_check_answer;
/* Presence and requests that are due, to all who can take them. */
void server_tell_due(struct server *s);

/* --- server_account.c --- */

/* Before what changes the store; false: it comes too fast, and was refused. */
bool server_may_write(struct server *s, struct session *who, enum wire_type about);
server_handler server_on_vault_get, server_on_vault_put, server_on_devices_put,
	server_on_recovery_put, server_on_delete;
/* What the registry answers to these; `who` may be gone afterwards. */
void server_on_account_answer(struct server *s, struct session *who,
			      const struct registry_answer *a);
/* VAULT_NOW, at once or when there is room. */
void server_tell_vault(struct server *s, struct session *who, uint64_t version);
/* --- server_login.c --- */

/* Whether the key-holder is known to be the one that the accounts were made with. */
bool server_bind_holder(struct server *s);
server_handler server_on_login;
void server_on_login_answer(struct server *s, struct session *who,
			    const struct registry_answer *a);
void server_on_holder_answer(struct server *s, struct session *who,
			     const struct holder_answer *a);

/* --- server_links.c --- */

/* All that the endpoint and the registry have to tell. */
void server_take_events(struct server *s);

#endif
