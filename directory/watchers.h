/* Who lists whom, and from it who hears what. Two accounts that list each other are
 * contacts: each hears of the other's presence. Who is listed by somebody he does not list
 * is asked, once for each login of either. Nothing is told about anybody else.
 *
 * An account lists what any of its online sessions (slots, as in presence.h) lists, and gives
 * of its addresses the least that any of them says. What is
 * due is kept as marks on the lists, so that any number of changes between two steps, or
 * while a client reads slowly, is told once and costs no memory. Since contacts are mutual,
 * an account's own list finds all who must hear of it: no index of watchers is searched.
 *
 * Who lists somebody as CONSENT_HIDDEN hears of them, and they of nothing, from nothing: to them all is
 * as if no session of the account were there. A change to it is told as leaving is, one from it as
 * coming; between the two no message to them depends on the account. That holds for asking, too: who
 * is hidden asks when it shows itself. */
#ifndef PALIQUE_DIRECTORY_WATCHERS_H
#define PALIQUE_DIRECTORY_WATCHERS_H

#include "directory/names.h"
#include "directory/presence.h"

enum {
	WATCHERS_LIST_MAX = 4 * WIRE_CONTACTS_MAX, /* names of all sessions of an account,
	                                               those no longer listed included */
	WATCHERS_ASKS_MAX = 256,                   /* requests told at one login */
	WATCHERS_GREETINGS_MAX = 64, /* kept for one account; more push out the oldest */
};

struct watchers;

/* `names` must outlive it: every name in a list holds its number. */
struct watchers *watchers_new(struct names *names);
void watchers_free(struct watchers *w);

/* A session of `who` lists `whom`, with a sealed greeting or none. Said again it changes the
 * consent, which `whom` is told by another presence. What a session has said of it counts until
 * it says otherwise or is gone: taking a name off its list and on again gives nothing away
 * meanwhile. ERR_LIMIT: too many. */
int watchers_add(struct watchers *w, name_id who, unsigned slot, name_id whom,
		 enum consent consent, struct bytes greeting);
void watchers_remove(struct watchers *w, name_id who, unsigned slot, name_id whom);
void watchers_remove_all(struct watchers *w, name_id who, unsigned slot);
/* A session of `who` begins: it hears of its own account as of a contact, itself included. */
void watchers_enter(struct watchers *w, name_id who, unsigned slot);
/* Whether `who` has listed `whom` in this login of some session, and does not any more. */
bool watchers_has_listed(const struct watchers *w, name_id who, name_id whom);
unsigned watchers_listed(const struct watchers *w, name_id who, unsigned slot);
bool watchers_lists(const struct watchers *w, name_id who, unsigned slot, name_id whom);

/* The session has said its whole list: whoever else lists it may ask. */
void watchers_ready(struct watchers *w, name_id who, unsigned slot);
/* The session is gone, and what it listed. */
void watchers_leave(struct watchers *w, name_id who, unsigned slot);

/* An account is its own contact. */
bool watchers_mutual(const struct watchers *w, name_id a, name_id b);
/* What `who` gives `whom`: NEVER unless they are contacts, DIRECT to itself. */
enum consent watchers_consent(const struct watchers *w, name_id who, name_id whom);
/* Whether `who` may know whether `whom` is there: contacts, and not hidden from. */
bool watchers_sees(const struct watchers *w, name_id who, name_id whom);
/* Whether `who` may be introduced to `whom` now, because it asks: each gives the other its addresses.
 * Sessions that hide count as if they gave theirs: asking, they show themselves, which they do only
 * for what they want to say (docs/protocol.md, Hidden). */
bool watchers_may_ask(const struct watchers *w, name_id who, name_id whom);
/* The presence of `who` is another: contacts shall hear it, and its own sessions. */
void watchers_changed(struct watchers *w, name_id who);

/* --- what is due --- */

enum watchers_kind {
	WATCHERS_PRESENCE, /* tell `to` all about `about` (nothing, when no contact any more);
	                      both may be the same account */
	WATCHERS_ASKED,    /* tell `to` that `about` asks */
};
struct watchers_due {
	enum watchers_kind kind;
	name_id to, about;
	uint8_t slots;         /* which sessions of `to`, a bit each */
	struct bytes greeting; /* until the next call */
};
/* Takes one. Those that could not be sent are given back with watchers_later() and come
 * again after watchers_writable() for that session. */
bool watchers_next(struct watchers *w, struct watchers_due *due);
void watchers_later(struct watchers *w, const struct watchers_due *due, uint8_t slots);
void watchers_writable(struct watchers *w, name_id who, unsigned slot);

#endif
