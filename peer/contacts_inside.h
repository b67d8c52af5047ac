/* The inside of contacts, for the files that make them up and nobody else; from the bottom up:
 * contacts_changes.c (a change and all that follows from it), contacts_told.c (what the directory
 * and their devices tell), contacts_vault.c (what the vault holds of them), contacts.c (their
 * life, and what a person decides). */
#ifndef PALIQUE_PEER_CONTACTS_INSIDE_H
#define PALIQUE_PEER_CONTACTS_INSIDE_H

#include "peer/contacts.h"
#include "peer/event.h"

/* Somebody who asks; owned, with what is sealed. */
struct asking {
	struct wire_asked said;
	struct buf greeting;
};

struct contacts {
	struct rooms *rooms;
	struct listing_change *changes; /* for the directory, since the last commit */
	unsigned change_count, changes_taken;
	bool is_invisible; /* to all, as persons know it */
	bool has_turned;   /* since the list was said */
	/* What the directory says once: that it has shown who is there, and who asks. Since the last commit; or of a
	 * step that could not be stored, to be heard again. */
	bool has_seen;
	bool has_presence; /* somebody came or went, as faces are told */
	struct asking *askings;
	unsigned asking_count;
	mono_ns again_at; /* NEVER: all is stored */
};

/* --- contacts_told.c --- */

/* What could not be stored, if it is time: who asks is heard again, and who is there asked for. */
void contacts_hear_again(struct contacts *c);
/* The step in which it was heard could not be stored. */
void contacts_missed(struct contacts *c);
void contacts_forget_heard(struct contacts *c);

/* --- contacts_changes.c --- */

struct person *contacts_make(struct contacts *c, const struct name *name);
void contacts_tell(struct contacts *c, const struct person *p, enum event_kind kind);
void contacts_set_online(struct contacts *c, struct person *p, bool is_online);
void contacts_tell_presence(struct contacts *c, struct person *p);
/* Their addresses and links, and that they are online, are not ours to know any more. */
void contacts_lose_sight(struct contacts *c, struct person *p);
void contacts_list_changed(struct contacts *c, const struct name *name, bool is_listed);
/* Off and on, for one that is listed: the directory tells again where they are, and which devices
 * they have, when another key of theirs is trusted than before. */
void contacts_list_again(struct contacts *c, const struct person *p);
/* What the vault holds of them is another thing now, by our own doing; to be saved. */
void contacts_touch(struct contacts *c, struct person *p);
/* With all that follows; the first leaves the stamp as it is. */
void contacts_change_state(struct contacts *c, struct person *p, enum contact_state state,
			   bool is_removed);
void contacts_set_state(struct contacts *c, struct person *p, enum contact_state state,
			bool is_removed);
/* What is given to them of our addresses is another matter from now on; to be saved, and the
 * directory is told. */
void contacts_change_consent(struct contacts *c, struct person *p, enum consent consent);
/* Whether they see us is another matter from now on; to be saved. */
void contacts_change_hidden(struct contacts *c, struct person *p, bool is_hidden);
/* The same of everybody, where the account says so. */
void contacts_follow_invisible(struct contacts *c);
/* From now on `identity` is the one we trust. `keep_queued`: what waits for the one before is
 * held. */
void contacts_trust(struct contacts *c, struct person *p,
		    const struct identity_public *identity, bool keep_queued);
unsigned contacts_count(const struct contacts *c, bool (*is)(const struct person *p));
bool contacts_is_request(const struct person *p);
bool contacts_is_blocked(const struct person *p);
/* One identity is one contact: under a second name, which only a directory that lies would
 * give it, words to the one would go to the other. Nor does a blocked person come back so. */
bool contacts_is_another_s(const struct contacts *c, const struct person *p,
			   const struct identity_public *identity);
unsigned contacts_characters(const char *text);

#endif
