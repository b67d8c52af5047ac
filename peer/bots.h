/* Programs that speak for the account by a token each: in which conversations, whether they send, propose or only
 * read, how much, until when. Of a token only the hash is kept. */
#ifndef PALIQUE_PEER_BOTS_H
#define PALIQUE_PEER_BOTS_H

#include "shared/bytes.h"
#include "shared/clock.h"
#include "shared/name.h"

struct rooms;

enum {
	BOTS_MAX = 64,
	BOT_NAMES_MAX = 64, /* conversations of one */
	BOT_NAMES_SIZE = BOT_NAMES_MAX * (NAME_MAX + 1) + 2,
	BOT_TOKEN_BYTES = 32,
	BOT_TOKEN_SIZE = 12 + 43 + 1, /* "palique-bot-", base64url, NUL */
	BOT_RATE = 20,                /* a minute, where nothing else is said */
	BOT_RATE_MAX = 600,
	BOT_CALLS = 200, /* calls of any kind in a second, and five times as many at once */
	/* Of what is listed in an answer, or of events told again: as much as a call. */
	BOT_SLICE = 20,
};

/* What is counted: messages by the bot's rate; calls; slices of events that are told again. */
enum bot_spends { BOT_MESSAGE, BOT_CALL, BOT_REPLAY, BOT_SPENDS };

/* Each may what those before it may. */
enum bot_may { BOT_READS = 1, BOT_PROPOSES = 2, BOT_SENDS = 3 };

struct bot {
	uint64_t id; /* never given twice */
	struct name name;
	enum bot_may may;
	unsigned rate;              /* messages a minute, and as many at once */
	char names[BOT_NAMES_SIZE]; /* conversations, with a space around each; "*": all */
	wall_ms expires, created;   /* 0: never */
	wall_ms seen;               /* it last showed its token; 0: never */
	uint64_t acknowledged;      /* events that it dealt with; 0: it never subscribed */
	uint64_t first;             /* the last event before it was made */
	/* How often it was given another token since the engine began: connections by an older one are nobody's. */
	unsigned turns;
};

struct bots;
struct bots *bots_new(struct rooms *rooms);
void bots_free(struct bots *b); /* NULL is harmless */
void bots_reload(struct bots *b);

/* Below: in the transaction. */
int bots_create(struct bots *b, const struct bot *wish, wall_ms wall, char *token);
/* As `wish` from now on, which has its id and name; with `token` not NULL by another one alone. */
int bots_change(struct bots *b, const struct bot *wish, char *token);
int bots_remove(struct bots *b, const struct name *name, uint64_t *id);
void bots_acknowledge(struct bots *b, uint64_t id, uint64_t event);
int bots_set_menu(struct bots *b, uint64_t id, struct bytes menu);
/* Who has a token is nobody's any more: the account has gone. */
void bots_drop_all(struct bots *b);

const struct bot *bots_at(const struct bots *b, unsigned index);
const struct bot *bots_find(const struct bots *b, uint64_t id);
const struct bot *bots_named(const struct bots *b, const struct name *name);
/* ERR_AUTH, ERR_EXPIRED. Remembers when, by the minute. */
int bots_of(struct bots *b, struct bytes token, wall_ms wall, uint64_t *id);
bool bot_is_expired(const struct bot *bot, wall_ms wall);
/* Whether this is one of its conversations: exactly as the name is written. */
bool bot_has(const struct bot *bot, const char *name);
/* The names as createBot is given them, into `names` (BOT_NAMES_SIZE): one more. ERR_NAME, ERR_FULL. */
int bot_add_name(struct bot *bot, const char *name);

/* One more. ERR_BUSY: too many. */
int bots_spend(struct bots *b, uint64_t id, enum bot_spends what, mono_ns now);
/* A call was as much work as `calls` more: it waits for so long. */
void bots_owe(struct bots *b, uint64_t id, unsigned calls);

/* What contacts are shown: the commands of those who may say something to everybody. Others' are not, since
 * that would be telling people with whom they have no business. */
void bots_menu(struct bots *b, wall_ms wall, struct buf *menu);
bool bot_is_shown(const struct bot *bot);
/* When the next one expires; 0: none. */
wall_ms bots_expire_at(const struct bots *b, wall_ms wall);

#endif
