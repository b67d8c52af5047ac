/* What is known of one other account. Written by contacts.c alone (its row by persons.c); other
 * rooms read it and hang their own part on it. */
#ifndef PALIQUE_PEER_PERSON_H
#define PALIQUE_PEER_PERSON_H

#include "peer/view.h"
#include "shared/consent.h"
#include "shared/device_list.h"
#include "shared/error.h"

struct conversation;
struct marks_of;
struct shown;
struct way;

struct person {
	int64_t id;
	struct name name;
	enum contact_state state;
	bool is_removed; /* kept for the history and the key we knew */
	bool is_self;    /* our own account: its other devices (persons_self()) */
	bool has_identity, is_key_changed, is_verified;
	bool is_change_signed;      /* by the key before; see contacts.c */
	struct device_list devices; /* of the trusted identity; version 0: none heard */
	uint64_t stamp;             /* of what the vault holds of it (shared/vault.h) */
	struct identity_public identity, new_identity;
	wall_ms last_seen;
	uint64_t read_up_to;
	char *greeting;     /* theirs, of a request; or NULL */
	char *our_greeting; /* for as long as they have not answered; or NULL */

	mono_ns key_told_at;      /* when another key was shown last; see contacts_told.c */
	bool is_online;           /* as last heard from the directory */
	bool is_told_online;      /* ... as faces were told, and that is stored */
	bool is_stale;            /* ... before our line to it broke */
	bool is_parted;           /* listed no more: they go out of sight once that is stored */
	bool is_admitted;         /* at the endpoint, */
	bool is_admitted_relayed; /* ... through a tunnel only */
	bool is_renewed;          /* another identity: their ways are to be made anew */
	struct identity_public admitted;

	struct conversation *conversation; /* conversations.c */
	/* What they may have of us. All else than showing and keeping it goes through person_consent() and
	 * person_link_consent(), which know whether we are hidden. */
	enum consent consent; /* as decided: never HIDDEN */
	bool is_hidden;       /* ... and for the time being nothing, likewise */
	bool is_unseen;      /* we are hidden from them: for that, or because we are from all */
	bool is_speaking;    /* ... and have something to say to them, who are there */
	int tells_read;      /* they get read marks: 1, 0, or -1: as everybody does */
	struct shown *shown; /* profiles.c: what they show of themselves; NULL: nothing known */
	struct marks_of *marks;     /* marks.c; NULL: not looked at yet */
	struct symmetric_key *pair; /* address_book.c: in guarded memory; NULL: not made yet */
	struct way *ways[WIRE_DEVICES_MAX]; /* reach.c */
	bool is_linked, has_left;           /* reach.c */
	bool is_link_told;                  /* likewise: since the last commit */
	enum path_kind linked_kind;         /* likewise: of the link that was told of */
};

/* May we talk to them now? */
static inline bool person_is_open(const struct person *p)
{
	return p->state == CONTACT_MUTUAL && !p->is_removed && p->has_identity &&
	       !p->is_key_changed;
}

/* What is given to them of us. */
static inline enum consent person_consent(const struct person *p)
{
	return p->is_unseen ? CONSENT_HIDDEN : p->consent;
}

/* Whether there may be a link, and which. Who is hidden from somebody and writes to them is seen by
 * them for as long as it takes: else what is written would wait, and nobody know. It comes by a direct
 * link or not at all, since who relays has no address of ours to give away. */
static inline enum consent person_link_consent(const struct person *p)
{
	if (p->is_unseen && p->is_speaking && p->consent == CONSENT_DIRECT)
		return CONSENT_DIRECT;
	return person_consent(p);
}

/* Whether something new may be said to them now: 0; ERR_NOT_FOUND: there is no such person (`p` NULL);
 * ERR_REFUSED: blocked; ERR_STATE: their request is not answered; ERR_KEY_CHANGED. */
static inline int person_may_be_told(const struct person *p)
{
	if (!p || p->is_removed)
		return ERR_NOT_FOUND;
	if (p->state == CONTACT_BLOCKED)
		return ERR_REFUSED;
	if (p->state == CONTACT_REQUESTS)
		return ERR_STATE;
	return p->is_key_changed ? ERR_KEY_CHANGED : 0;
}

static inline bool person_may_link(const struct person *p)
{
	return person_is_open(p) && person_link_consent(p) < CONSENT_NEVER;
}

/* Whether it is one of their devices, by their newest list. Without one nobody knows better than
 * who vouches for it; of our own devices there always is one. */
static inline bool person_has_device(const struct person *p, const struct device_public *device)
{
	return p->devices.version == 0 ? !p->is_self
				       : device_list_find(&p->devices, device) != NULL;
}

static inline bool person_is_listed(const struct person *p)
{
	return !p->is_removed && (p->state == CONTACT_ASKED || p->state == CONTACT_MUTUAL);
}

#endif
