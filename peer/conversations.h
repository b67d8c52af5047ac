/* What was said: say, hear; order, duplicates and the state of each message. Messages of one
 * device in one conversation form a chain (shared/wire.h). */
#ifndef PALIQUE_PEER_CONVERSATIONS_H
#define PALIQUE_PEER_CONVERSATIONS_H

#include "peer/person.h"
#include "peer/rooms.h"

/* No device says so much: a larger number is an attack on our arithmetic. */
#define CHAIN_MAX ((uint64_t)1 << 53)

/* What one device said in one conversation, as far as it is here. */
struct chain {
	int64_t id;               /* 0: nothing yet */
	uint64_t next;            /* counts from 1 */
	struct message_hash last; /* hash of the message before `next`; zeros: none */
	bool is_dirty;
};

/* The talk with one contact under one identity of theirs. */
struct conversation {
	int64_t id;
	bool has_identity; /* before it is known messages wait, unhashed */
	struct conversation_id wire;
	struct chain ours;
	uint64_t delivered; /* what we said below it is at one of their devices */
	uint64_t told;      /* ... and told to faces */
	uint64_t unread;
	bool is_dirty;
};

struct conversations;
struct conversations *conversations_new(struct rooms *rooms);
void conversations_free(struct conversations *c);

/* Finds or makes the person's conversation: for contacts.c when a person appears. */
void conversations_open(struct conversations *c, struct person *p);
void conversations_close(struct person *p);
/* Reads it again: after a rollback. */
void conversations_reload(struct conversations *c, struct person *p);

/* The contact's identity is known now, or was replaced by the person's decision: what waits
 * undelivered is said under it. */
void conversations_identified(struct conversations *c, struct person *p);

/* Stores a message of ours, to be owed from the next commit on. ERR_NOT_FOUND: `reply_to` is
 * not a message of this conversation. */
int conversations_say(struct conversations *c, struct person *p, struct bytes text,
		      uint64_t reply_to, uint64_t *id);

/* What one of their devices said so far. */
void conversations_chain(struct conversations *c, const struct person *p,
			 const struct device_public *author, struct chain *chain);

enum heard {
	HEARD_NEW,   /* stored; acknowledge after the commit */
	HEARD_AGAIN, /* known; acknowledge again */
	HEARD_GAP,   /* something before it is missing */
};
/* Conversation and author have been checked. `is_answer`: it comes in answer to our HAVE,
 * so that what is missing before it is missing at its author too: taken as it stands, with
 * a warning when it breaks a chain. */
enum heard conversations_hear(struct conversations *c, struct person *p, struct chain *chain,
			      const struct wire_say *say, bool is_answer);

/* Our messages from `seq` on as they go on the wire, in order, until `each` returns false
 * (nothing may be written meanwhile). 0 or an error. */
typedef bool conversations_each_said(void *user, const struct wire_say *say);
int conversations_said(struct conversations *c, const struct person *p, uint64_t seq,
		       conversations_each_said *each, void *user);

/* Their device holds our chain up to `next` with another hash, or more of it than we have:
 * our store was put back from an older copy. What is undelivered is said again after it. */
void conversations_adopt(struct conversations *c, struct person *p, uint64_t next,
			 const struct message_hash *last);
/* Whether `last` is the hash of our message before `next` (true also when we cannot know). */
bool conversations_agrees(struct conversations *c, const struct person *p, uint64_t next,
			  const struct message_hash *last);

/* One device has everything below `next`. */
void conversations_delivered(struct conversations *c, struct person *p, uint64_t next);

int conversations_mark_read(struct conversations *c, struct person *p);

/* Before the commit: writes what changed in memory only, tells what was delivered. */
void conversations_save(struct conversations *c, struct person *p);
void conversations_save_chain(struct conversations *c, struct chain *chain);

#endif
