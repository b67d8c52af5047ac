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
	bool is_ours;             /* another device of ours said it ... */
	uint64_t delivered;       /* ... and tells that the contact has what is below this */
	uint64_t told;            /* ... which faces were told */
	bool is_dirty;
	bool has_before;    /* its author spoke in a conversation before this one ... */
	uint64_t looked_at; /* ... when that was looked up; 0: never */
};

/* A wish after how many seconds messages disappear; 0: that they stay. */
struct timer {
	uint32_t life;
	wall_ms at; /* said then, by its author's clock */
};

/* What is said with one contact under one identity of theirs and one of ours. */
struct conversation {
	struct conversations *home;
	int64_t id;
	bool has_identity; /* before it is known messages wait, unhashed */
	struct conversation_id wire;
	struct chain ours;  /* what this device says */
	uint64_t delivered; /* what it said below this is at one of their devices */
	uint64_t told;      /* ... durably, and told to faces */
	uint64_t unread;
	uint64_t held; /* not delivered in conversations before: waits to be said here */
	struct timer our_timer, their_timer;
	bool is_dirty, is_changed;
	bool is_new; /* since somebody last made sure that each of their devices is owed */
};

struct conversations;
struct conversations *conversations_new(struct rooms *rooms);
void conversations_free(struct conversations *c);

/* Finds or makes the person's conversation: for contacts.c when a person appears. */
void conversations_open(struct conversations *c, struct person *p);
void conversations_close(struct person *p);
/* Reads it again: after a rollback. */
void conversations_reload(struct conversations *c, struct person *p);

/* The contact's identity (already in `p`) is known now, or is another one: a new conversation.
 * What waits undelivered is said in it, or (`keep_queued`) held in the one before until
 * somebody decides. What waited for the first identity is always said. */
void conversations_identified(struct conversations *c, struct person *p, bool keep_queued);
/* How many messages are held so. */
uint64_t conversations_held(const struct person *p);
/* Says them again, under the present identity, behind all that was said since. */
void conversations_release_held(struct conversations *c, struct person *p);
/* Our own identity is another one (the account has it already): with everybody a new conversation
 * begins, and what is undelivered is said in it. Harmless when it is not. */
void conversations_rekeyed(struct conversations *c);

/* An entry of ours: TEXT, FILE (`body` is an offer), EDIT, RETRACT, REACT, TIMER, as wire.h has
 * them. The limits of `body` are the caller's to keep. */
struct to_say {
	enum say_kind kind;
	struct bytes body;
	uint64_t target; /* id of the message that it replies to (0: none), or is about */
	bool is_forwarded;
	uint32_t life; /* TIMER: the wish. TEXT and FILE get that of the conversation */
	struct bytes bot, buttons; /* TEXT, FILE */
	uint64_t speaker;          /* our program that says it (peer/bots.h); 0: none */
};
/* Stores it, to be owed from the next commit on. ERR_NOT_FOUND: `target` is no message of this person; ERR_REFUSED: it is not ours to change;
 * ERR_STATE: its text is no more, or it is not of a kind that can be; ERR_EXPIRED: it was said under an
 * identity of before.
 * `id` of TIMER: the entry's row. */
int conversations_say_entry(struct conversations *c, struct person *p,
			    const struct to_say *what, uint64_t *id);
/* Whether an entry of this kind about the message could be said now: 0, or as above. */
int conversations_may_say(struct conversations *c, const struct person *p, enum say_kind kind,
			  uint64_t target);
/* Whether these are reactions as wire.h wants them: ERR_LIMIT, ERR_FORMAT. */
int conversations_check_reactions(struct bytes all);

/* The body of a message goes, and those of its edits and reactions; what is not delivered of ours is
 * said as GONE. `flags`: of enum entry_flag, why. EVENT_CHANGED is told: RETRACTED, FORGOTTEN
 * (ENTRY_SILENT) or GONE. Harmless where it has gone already. ERR_NOT_FOUND; ERR_STATE: it waits for
 * the identity of whom it is said to, and stays. */
int conversations_wipe(struct conversations *c, struct person *p, uint64_t id, unsigned flags);

/* What happened to files' messages, for the room of files, to be taken in the step in which it happened,
 * before the commit. Valid until the next call of any of these functions. */
enum conversation_news_kind {
	NEWS_FILE = 1, /* offered: `offer`, said by them, by us, or by another device of ours */
	NEWS_WIPED,    /* an offered file's message has lost its body: `offer` is what it was */
};
struct conversation_news {
	enum conversation_news_kind kind;
	struct person *person;
	uint64_t message;
	bool is_ours, is_here; /* we said it; on this device */
	struct bytes offer;
};
bool conversations_next_news(struct conversations *c, struct conversation_news *news);
/* What nobody took is forgotten: before and after the commit. */
void conversations_drop_news(struct conversations *c);

/* What another device said so far: one of theirs, or (`is_ours`) of our own. */
void conversations_chain(struct conversations *c, const struct person *p,
			 const struct device_public *author, bool is_ours, struct chain *chain);

enum heard {
	HEARD_NEW,   /* stored; acknowledge after the commit */
	HEARD_AGAIN, /* known; acknowledge again */
	HEARD_GAP,   /* something before it is missing */
	HEARD_WRONG, /* nobody of good will says this: it breaks the protocol */
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

/* One device of theirs has everything of ours below `next`. */
void conversations_delivered(struct conversations *c, struct person *p, uint64_t next);
/* Another device of ours says the same of its own chain. */
void conversations_delivered_there(struct chain *chain, uint64_t next);

/* Whose conversation is another one, or has something that other devices do not know yet: said,
 * or delivered. Each once; NULL at the end. */
struct person *conversations_next_changed(struct conversations *c);

/* An entry that came in as history, of a chain (it has a row) of any conversation with the person,
 * below what is here of it: its effects are had, faces are not told. `place`: not above 0, where it
 * stands. ERR_EXISTS: it is here; ERR_FORMAT: nobody says this. */
int conversations_recall(struct conversations *c, struct person *p, int64_t conversation,
			 const struct chain *chain, const struct wire_say *say,
			 wall_ms arrived_at, int64_t place, uint64_t *id);

/* Where it belongs: the chain of the author in the conversation with the person under these two
 * identities, both made where there were none (behind the one of now). The conversation's id. */
int64_t conversations_find_chain(struct conversations *c, const struct person *p,
				 const struct identity_public *theirs,
				 const struct identity_public *ours,
				 const struct device_public *author, bool is_ours,
				 struct chain *chain);
/* So far the chain was delivered and read, as another device of ours knew. */
void conversations_recalled(struct conversations *c, const struct chain *chain,
			    uint64_t delivered, uint64_t read);

/* The person here has read what they said up to and with the message `up_to` (read_up_to of the person,
 * which the caller saves). True: other devices have something to hear. */
bool conversations_read(struct conversations *c, struct person *p, uint64_t up_to);
/* Counts anew what is unread, where more was read than is here. */
void conversations_count_unread(struct conversations *c, struct person *p);
/* Told that what `author` said in the conversation of now is read below `next`: theirs by us, as
 * another device of ours says (`is_by_us`), never further than it is here; ours by them, as they or
 * that device say, never further than it is delivered. `is_ours`: it is of ours; `id`: the newest line that is so from now on, or
 * 0. */
enum read_heard {
	READ_KNOWN,
	READ_NEW,
	READ_PARTLY, /* NEW, and LATER */
	READ_LATER,  /* to be tried again when more of it is here, or delivered */
	READ_WRONG,  /* it is not theirs to say */
};
enum read_heard conversations_hear_read(struct conversations *c, struct person *p,
					const struct device_public *author, uint64_t next,
					bool is_by_us, bool *is_ours, uint64_t *id);
/* What is to be said of it: of their chains how far we have read, and (`with_ours`, to devices of ours) of
 * ours how far they have; until `each` returns false. */
typedef bool conversations_each_read(void *user, const struct device_public *author,
				     uint64_t next);
int conversations_reads(struct conversations *c, const struct person *p, bool with_ours,
			conversations_each_read *each, void *user);

/* Before the commit: writes what changed in memory only, tells what was delivered. */
void conversations_save(struct conversations *c, struct person *p);
void conversations_save_chain(struct conversations *c, const struct person *p,
			      struct chain *chain);

#endif
