/* Inside of conversations, from the bottom up: conversations_rows.c keeps the rows,
 * conversations_wipe.c takes bodies away, conversations_effects.c has entries about others take effect,
 * conversations_say.c says, conversations_places.c gives undelivered messages another place,
 * conversations_again.c knows what others say again,
 * conversations_hear.c hears, conversations.c is their life. */
#ifndef PALIQUE_PEER_CONVERSATIONS_INSIDE_H
#define PALIQUE_PEER_CONVERSATIONS_INSIDE_H

#include "peer/conversations.h"
#include "peer/events.h"
#include "peer/store.h"

/* What an entry is about, as rows keep it: author, seq (big-endian). */
enum { ABOUT_SIZE = 32 + 8 };

struct conversations {
	struct rooms *rooms;
	struct buf body; /* scratch */
	struct person **changed;
	size_t changed_count, changed_capacity;
	struct {
		struct conversation_news news;
		size_t at;
	} * news;
	size_t news_count, news_taken, news_capacity;
	struct buf offers; /* of the news; emptied with them */
	uint64_t past;     /* counts what changed in conversations before, from 1 */
	bool is_silent;    /* history comes in: its changes are told of as a whole */
	bool has_pending;  /* there may be entries whose target is not here ... */
	bool is_pending_known;
};

static inline struct db *db_of(struct conversations *c)
{
	return store_db(c->rooms->store);
}

/* --- conversations_rows.c --- */

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

/* A row of message to be written. */
struct row {
	uint64_t id;
	int64_t place;
	uint64_t seq;
	bool is_ours;
	wall_ms sent_at, arrived_at;
	enum say_kind kind;
	const struct message_hash *previous; /* or NULL: others', and ours while unhashed */
	struct bytes body;
	struct bytes about; /* ABOUT_SIZE bytes, or empty: nothing */
	bool has_target;
	uint64_t target; /* id; 0: settled, there is none */
	unsigned flags;
	uint32_t life;
	struct bytes bot, buttons; /* or empty */
	uint64_t speaker;          /* 0: none of ours */
};
int row_write(struct conversations *c, const struct person *p, const struct chain *chain,
	      const struct row *row);

void about_write(uint8_t about[ABOUT_SIZE], const struct device_public *author, uint64_t seq);
/* What the message `id` is called in the conversation of now. 1; 0: it was said in another one; or an
 * error. */
int about_of(struct conversations *c, const struct person *p, uint64_t id,
	     uint8_t about[ABOUT_SIZE]);

/* A message of ours as it goes on the wire: what it says is of `row`. */
struct wire_say say_of(struct conversations *c, const struct person *p, const struct row *row);

/* A message as others are about it. */
struct target {
	uint64_t id;
	bool is_ours, is_shown;
	enum say_kind kind;
	unsigned flags;
	uint64_t edit;    /* the entry that holds its text of now; 0: itself */
	bool is_recalled; /* it came as history */
};
/* By its name in a conversation. */
bool target_find(struct conversations *c, int64_t conversation,
		 const struct device_public *author, uint64_t seq, struct target *target);
/* By its id, of this person. */
bool target_read(struct conversations *c, const struct person *p, uint64_t id,
		 struct target *target);

/* Whether what it is about is not here yet; that it is, or (0) never will be. */
bool entry_is_waiting(struct conversations *c, uint64_t id);
void entry_found(struct conversations *c, uint64_t id, uint64_t target);
/* From `first` on messages of a chain are missing before `next`; one of them has come. */
void gap_write(struct conversations *c, int64_t chain, uint64_t first, uint64_t next);
void gap_fill(struct conversations *c, int64_t chain, uint64_t seq);

/* --- conversations_wipe.c --- */

/* The body of one row goes, whatever it is. False: it has gone already, or must stay. */
bool row_wipe(struct conversations *c, struct person *p, uint64_t id, unsigned flags);
void news_add(struct conversations *c, const struct conversation_news *news);
void tell_change(struct conversations *c, const struct person *p, uint64_t id,
		 enum message_change change);

/* --- conversations_effects.c --- */

/* A device that was stolen could date what it says at the end of time, where nobody can say anything newer. So a date
 * counts up to a century beyond when the entry came, which no clock is wrong by; who changes it says so a
 * moment later (conversations_say.c). Beyond that it counts as older than all others. */
#define AHEAD_MAX ((wall_ms)36525 * 24 * 3600 * 1000)
#define TIME_NONE INT64_MIN
wall_ms time_counted(struct conversations *c, wall_ms sent_at, wall_ms arrived_at);

/* An entry that is about another one, or TIMER; its row is written. */
struct effect {
	uint64_t id;
	enum say_kind kind;
	bool is_ours;
	wall_ms time; /* as it counts */
	struct device_public author;
	uint64_t seq;
	size_t size;      /* of the body */
	bool is_recalled; /* it came as history: of what did not, it changes nothing */
};
/* Where its target is here. The row's target is the caller's to write. */
void effect_apply(struct conversations *c, struct person *p, const struct effect *e,
		  const struct target *t);
/* Its target is not here: it waits, and of several of a kind only the newest. */
void effect_wait(struct conversations *c, struct person *p, int64_t conversation,
		 const struct effect *e, struct bytes about);
/* A message is here, or has another name: what waited for it takes effect. */
void effect_arrived(struct conversations *c, struct person *p, int64_t conversation,
		    uint64_t id, const struct device_public *author, uint64_t seq);
/* TIMER; true: it is the newest. */
bool effect_timer(struct conversations *c, struct person *p, bool is_ours, wall_ms time,
		  uint32_t life);

/* --- conversations_say.c --- */

/* What a face is told of an entry that stands in a timeline. */
void tell_entry(struct conversations *c, struct person *p, const struct chain *chain,
		const struct device_public *author, const struct row *row);

/* --- conversations_places.c --- */

/* Counts what is held in the person's conversations before this one. */
uint64_t places_held(struct conversations *c, const struct person *p);
/* Our identity is another one: a new conversation. */
void places_rekey(struct conversations *c, struct person *p);

/* --- conversations_again.c --- */

/* Another device, of ours or of the contact, says again what it could not deliver in a conversation
 * before, or does not know to be delivered: the message that is here already gets the same new
 * place. Its id; 0: it is not here. */
uint64_t again_find(struct conversations *c, const struct person *p, struct chain *chain,
		    const struct wire_say *say, struct bytes about);
/* An entry of a conversation before has come as history: it may be said again. */
void again_recalled(struct conversations *c, const struct chain *chain,
		    const struct wire_say *say, uint64_t id);

#endif
