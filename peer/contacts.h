/* Whom I know: add, accept, block, remove; their keys and whether they are online. */
#ifndef PALIQUE_PEER_CONTACTS_H
#define PALIQUE_PEER_CONTACTS_H

#include "peer/person.h"
#include "peer/rooms.h"
#include "shared/vault.h"
#include "shared/wire.h"

struct contacts;

enum {
	CONTACTS_REQUESTS_MAX = 1000, /* stored requests of people we do not list */
	CONTACTS_BLOCKED_MAX = 1900,
	CONTACTS_GONE_MAX = 100, /* forgotten ones that the vault still remembers */
};
_Static_assert(WIRE_CONTACTS_MAX + CONTACTS_BLOCKED_MAX + CONTACTS_GONE_MAX <=
		       VAULT_CONTACTS_MAX,
	       "all of them fit into the vault");

int contacts_new(struct contacts **c, struct rooms *rooms);
void contacts_free(struct contacts *c);
/* After a rollback: persons are read again, what they hold in memory only stays. */
void contacts_reload(struct contacts *c);

/* A commit went well: what the directory has said of who is there, and who asks, is kept. */
void contacts_kept(struct contacts *c);

/* In a step: whose devices may connect becomes what we now know. When it is to be called again, because what the
 * directory said could not be stored. */
mono_ns contacts_step(struct contacts *c);

/* What a person decides. Errors as in peer/engine.h, whose calls these are; written in the
 * transaction, to be committed by the caller. */
int contacts_add(struct contacts *c, const struct name *name,
		 const struct identity_public *identity, const char *greeting);
int contacts_accept(struct contacts *c, const struct name *name);
int contacts_block(struct contacts *c, const struct name *name);
int contacts_remove(struct contacts *c, const struct name *name);
int contacts_verify(struct contacts *c, const struct name *name, bool is_verified);
int contacts_set_consent(struct contacts *c, const struct name *name, enum consent consent);
/* Whether we are invisible to them; to everybody. */
int contacts_set_hidden(struct contacts *c, const struct name *name, bool is_hidden);
void contacts_set_invisible(struct contacts *c, bool is_invisible);
/* Whether they get read marks: 1, 0, or -1: as everybody does. */
int contacts_set_read_marks(struct contacts *c, const struct name *name, int tells_read);

/* A name that we list at the directory from the last commit on, or with another consent, or no
 * more; in the order they came. True and the next one, which is not given again. */
struct listing_change {
	struct name name;
	bool is_listed;
};
bool contacts_next_change(struct contacts *c, struct listing_change *change);

/* The whole list is to be said: we have become invisible to all, or visible again, or what the directory
 * said of who is there could not be stored. Once for each time from the last commit on. */
bool contacts_take_turn(struct contacts *c);

/* What the directory tells. */
void contacts_presence(struct contacts *c, const struct wire_presence *presence);
/* A list of a contact's devices, from wherever: checked; kept when it is newer, and the change
 * of identity that it may bring is judged. */
void contacts_devices(struct contacts *c, struct person *p, const struct device_list *devices);
void contacts_asked(struct contacts *c, const struct wire_asked *asked);
void contacts_introduced(struct contacts *c, const struct wire_introduction *introduction);

/* Our line to the directory is new: what it told before may be untrue. What it does not
 * repeat is swept. */
void contacts_stale(struct contacts *c);
void contacts_sweep(struct contacts *c);
/* Takes note of who said goodbye to us while the directory is away. */
void contacts_take_goodbyes(struct contacts *c);

/* What the vault holds of them: appended to an empty list; and the other way, where the newer
 * stamp holds. True: of something we hold the newer. */
void contacts_vault_fill(const struct contacts *c, struct vault *v);
bool contacts_vault_merge(struct contacts *c, const struct vault *v);

void contacts_fill(const struct person *p, struct contact *out);

#endif
