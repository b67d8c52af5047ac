/* One session for each link that is up: a guest becoming somebody, or a client that is
 * somebody. What it says comes out as messages, one at a time; what it is told goes into its
 * control stream or, when that is full, not at all: whoever must tell it later remembers. */
#ifndef PALIQUE_DIRECTORY_SESSIONS_H
#define PALIQUE_DIRECTORY_SESSIONS_H

#include "directory/limits.h"
#include "directory/login.h"
#include "directory/presence.h"
#include "shared/endpoint.h"
#include "shared/wire.h"

enum {
	SESSION_FRAME_MAX = 12288,   /* bytes: the largest a client may send is a LIST of 256 */
	SESSION_GUEST_SECONDS = 120, /* then a guest must have become somebody */
};

enum session_state {
	SESSION_GUEST,   /* on a link without a device key */
	SESSION_LOOKING, /* the registry is asked whose device it is; input waits in the link */
	SESSION_IN,      /* welcomed: it has a record */
};

/* A vault that comes in parts. */
struct session_vault {
	uint64_t version, total;
	uint8_t signature[VAULT_SIGNATURE_SIZE];
	struct buf sealed;
};

struct session {
	struct session *next, *previous; /* in order of coming, guests and clients apart */
	struct session *next_check;      /* see checks.h */
	struct link *link;
	uint64_t ticket; /* what the registry is asked under; never reused */
	mono_ns since;
	enum session_state state;
	uint16_t network;     /* a guest's, by a number that says no more than that */
	bool is_waiting;      /* for registry or key-holder: reads nothing meanwhile */
	bool owes_welcome;    /* its stream could not take it yet */
	bool owes_observed;   /* the same */
	enum wire_type asked; /* what the waiting is about */
	struct login *login;  /* a guest's; a client's that changes its password */
	name_id account;      /* from SESSION_IN on */
	struct record *record;
	uint32_t listed; /* names given since LIST began, repeated ones too */
	bool has_listed; /* LIST has begun before */
	struct bucket messages, introductions, suspicions, writes;
	uint64_t vault_version; /* for WELCOME, with what else it tells */
	uint32_t failed;
	uint64_t vault_now;          /* VAULT_NOW that its stream could not take yet; 0: none */
	struct device_list *devices; /* that it put last; NULL: none yet */
	struct session_vault *vault; /* that it puts; NULL: none */
	mono_ns checked_since;       /* 0: not being checked */
	uint64_t check_nonce;
	uint8_t checks; /* sent so far */
};

struct sessions;
struct sessions *sessions_new(void);
void sessions_free(struct sessions *all); /* the links are not touched */

struct session *sessions_add(struct sessions *all, struct link *link, bool is_guest,
			     mono_ns now);
/* Takes it out and frees it and what it owns; the record must have been left before. */
void sessions_remove(struct sessions *all, struct session *s);
/* Who asked the registry under `ticket`; NULL: gone since. */
struct session *sessions_by_ticket(const struct sessions *all, uint64_t ticket);
/* The oldest client; the others by `next`. */
struct session *sessions_clients_first(const struct sessions *all);
struct session *sessions_oldest_guest(const struct sessions *all);
/* Who gives way when there are too many: the oldest of the network that has the most. So a flood
 * from some networks keeps nobody out who comes from another. NULL: there is none. */
struct session *sessions_crowding_guest(const struct sessions *all);
size_t sessions_guests(const struct sessions *all);
size_t sessions_clients(const struct sessions *all);

/* The next whole message of the control stream: 1 and `m`, whose views point into `scratch`;
 * 0: none yet; ERR_CLOSED: the client has ended its stream; another error: it broke the
 * protocol. */
int session_read(struct session *s, struct buf *scratch, struct wire_message *m);

void session_drop_vault(struct session *s);

/* A message as it goes into a stream. It must be valid: we made it. */
void session_frame(const struct wire_message *m, struct buf *out);
/* ERR_FULL: nothing was taken, LINK_WRITABLE will come. */
int session_send_frame(struct session *s, struct bytes frame);

#endif
