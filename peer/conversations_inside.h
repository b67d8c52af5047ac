/* Inside of conversations, from the bottom up: conversations_rows.c keeps the rows,
 * conversations_places.c gives undelivered messages another place, conversations.c says and
 * hears. */
#ifndef PALIQUE_PEER_CONVERSATIONS_INSIDE_H
#define PALIQUE_PEER_CONVERSATIONS_INSIDE_H

#include "peer/conversations.h"
#include "peer/store.h"

struct conversations {
	struct rooms *rooms;
	struct buf body; /* scratch */
	struct person **changed;
	size_t changed_count, changed_capacity;
};

static inline struct db *db_of(struct conversations *c)
{
	return store_db(c->rooms->store);
}

void chain_read(struct conversations *c, int64_t conversation,
		const struct device_public *author, struct chain *chain);
/* Writes its row, if it has none. */
void chain_make(struct conversations *c, int64_t conversation,
		const struct device_public *author, struct chain *chain);
/* Its row as it is now. */
void chain_write(struct conversations *c, const struct chain *chain);

/* A new row, of the identities of now, with nothing said; `unread` stays. */
void conversation_make(struct conversations *c, struct person *p);
/* The conversation that there was already of the identities of now, where a key is again the one it
 * was: its chains go on. False: there was none. */
bool conversation_find_again(struct conversations *c, struct person *p);
/* Its id on the wire, from both identities. */
void conversation_name(struct conversations *c, struct person *p);
/* For conversations_next_changed(). */
void conversation_changed(struct conversations *c, struct person *p);

/* A message of ours as it goes on the wire. */
struct wire_say say_of(struct conversations *c, const struct person *p, uint64_t seq,
		       const struct message_hash *previous, wall_ms time, struct bytes body,
		       uint64_t reply_to);

/* Counts what is held in the person's conversations before this one. */
uint64_t places_held(struct conversations *c, const struct person *p);
/* Another device, of ours or of the contact, says again what it could not deliver in a conversation
 * before, or does not know to be delivered: the message that is here already gets the same new
 * place. False: it is not here. */
bool places_said_again(struct conversations *c, const struct person *p,
		       const struct chain *chain, const struct wire_say *say);
/* Our identity is another one: a new conversation. */
void places_rekey(struct conversations *c, struct person *p);

#endif
