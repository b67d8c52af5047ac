#include "peer/bots.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/events.h"
#include "peer/rooms.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/menu.h"

enum { HASH_SIZE = 32 };
enum { SEEN_MS = 60 * 1000 }; /* so often it is written that a bot was here */
#define TOKEN_BEGIN "palique-bot-"
_Static_assert(sizeof TOKEN_BEGIN - 1 + BYTES_BASE64_SIZE(BOT_TOKEN_BYTES) == BOT_TOKEN_SIZE,
	       "a token is this, and 32 random bytes");

/* So much may be done at once, and so much comes back in a second. */
struct bucket {
	double left;
	mono_ns at; /* 0: full */
};

struct one {
	struct bot bot;
	uint8_t hash[HASH_SIZE];
	struct buf menu;
	struct bucket buckets[BOT_SPENDS];
};

struct bots {
	struct rooms *rooms;
	struct one *list[BOTS_MAX]; /* by id */
	unsigned count;
};

static void hash_of(struct bytes token, uint8_t hash[HASH_SIZE])
{
	static const char domain[] = "palique-bot-token-v1";

	crypto_generichash(hash, HASH_SIZE, token.data, token.size, (const uint8_t *)domain,
			   sizeof domain - 1);
}

static void one_free(struct one *one)
{
	sodium_memzero(one->hash, sizeof one->hash);
	buf_clear(&one->menu);
	free(one);
}

static void read_row(struct statement *s, struct one *one)
{
	struct bot *bot = &one->bot;
	int64_t may = column_int(s, 4), rate = column_int(s, 5);

	bot->id = (uint64_t)column_int(s, 0);
	snprintf(bot->name.text, sizeof bot->name.text, "%s", column_text(s, 1));
	(void)column_copy(s, 2, one->hash, sizeof one->hash);
	snprintf(bot->names, sizeof bot->names, "%s", column_text(s, 3));
	bot->may = may >= BOT_READS && may <= BOT_SENDS ? (enum bot_may)may : BOT_READS;
	bot->rate = rate >= 1 && rate <= BOT_RATE_MAX ? (unsigned)rate : 1;
	bot->expires = column_int(s, 6);
	bot->created = column_int(s, 7);
	bot->seen = column_int(s, 8);
	bot->acknowledged = (uint64_t)column_int(s, 9);
	buf_append(&one->menu, column_bytes(s, 10));
	bot->first = (uint64_t)column_int(s, 11);
}

static struct one *find(const struct bots *b, uint64_t id)
{
	for (unsigned i = 0; i < b->count; i++) {
		if (b->list[i]->bot.id == id)
			return b->list[i];
	}
	return NULL;
}

static void forget(struct bots *b)
{
	while (b->count > 0)
		one_free(b->list[--b->count]);
}

/* How much they have left, and how often their token was another one, is of memory alone. */
void bots_reload(struct bots *b)
{
	struct one *before[BOTS_MAX];
	unsigned had = b->count;
	struct statement *s;
	int err;

	memcpy(before, b->list, had * sizeof *before);
	b->count = 0;
	s = db_sql(store_db(b->rooms->store),
		   "SELECT id, name, token, names, may, rate, expires, created, seen,"
		   " acknowledged, menu, first FROM bot ORDER BY id LIMIT ?");
	bind_int(s, 1, BOTS_MAX);
	while ((err = db_step(s)) == 1 && b->count < BOTS_MAX) {
		struct one *one = memory_new(sizeof *one);

		read_row(s, one);
		for (unsigned i = 0; i < had; i++) {
			if (before[i]->bot.id != one->bot.id)
				continue;
			memcpy(one->buckets, before[i]->buckets, sizeof one->buckets);
			one->bot.turns = before[i]->bot.turns +
					 (sodium_memcmp(one->hash, before[i]->hash,
							HASH_SIZE) != 0);
		}
		b->list[b->count++] = one;
	}
	db_done(s);
	store_failed(b->rooms->store, err < 0 ? err : 0);
	for (unsigned i = 0; i < had; i++)
		one_free(before[i]);
}

struct bots *bots_new(struct rooms *rooms)
{
	struct bots *b = memory_new(sizeof *b);

	b->rooms = rooms;
	bots_reload(b);
	return b;
}

void bots_free(struct bots *b)
{
	if (!b)
		return;
	forget(b);
	free(b);
}

/* --- who they are --- */

int bot_add_name(struct bot *bot, const char *name)
{
	size_t size = strlen(bot->names);
	struct name one;

	if (!strcmp(name, "*")) {
		snprintf(bot->names, sizeof bot->names, "*");
		return 0;
	}
	if (name_check(&one, bytes_text(name)) < 0)
		return ERR_NAME;
	if (bot_has(bot, one.text))
		return 0;
	/* A space before the first, one behind each, and the NUL. */
	if (size + (size == 0) + strlen(one.text) + 2 > sizeof bot->names)
		return ERR_FULL;
	snprintf(bot->names + size, sizeof bot->names - size, "%s%s ", size ? "" : " ",
		 one.text);
	return 0;
}

bool bot_has(const struct bot *bot, const char *name)
{
	char word[NAME_MAX + 3];
	struct name one;

	/* Exactly a name: no part of the list, no link. */
	if (name_check(&one, bytes_text(name)) < 0)
		return false;
	snprintf(word, sizeof word, " %s ", one.text);
	return !strcmp(bot->names, "*") || strstr(bot->names, word);
}

bool bot_is_expired(const struct bot *bot, wall_ms wall)
{
	return bot->expires != 0 && wall >= bot->expires;
}

const struct bot *bots_at(const struct bots *b, unsigned index)
{
	return index < b->count ? &b->list[index]->bot : NULL;
}

const struct bot *bots_find(const struct bots *b, uint64_t id)
{
	const struct one *one = find(b, id);

	return one ? &one->bot : NULL;
}

const struct bot *bots_named(const struct bots *b, const struct name *name)
{
	for (unsigned i = 0; i < b->count; i++) {
		if (name_equal(&b->list[i]->bot.name, name))
			return &b->list[i]->bot;
	}
	return NULL;
}

int bots_of(struct bots *b, struct bytes token, wall_ms wall, uint64_t *id)
{
	uint8_t hash[HASH_SIZE];
	struct one *found = NULL;
	struct statement *s;

	hash_of(token, hash);
	for (unsigned i = 0; i < b->count; i++) {
		if (sodium_memcmp(b->list[i]->hash, hash, sizeof hash) == 0)
			found = b->list[i];
	}
	sodium_memzero(hash, sizeof hash);
	if (!found)
		return ERR_AUTH;
	if (bot_is_expired(&found->bot, wall))
		return ERR_EXPIRED;
	*id = found->bot.id;
	if (wall >= found->bot.seen && wall - found->bot.seen < SEEN_MS)
		return 0;
	found->bot.seen = wall;
	store_write(b->rooms->store);
	s = db_sql(store_db(b->rooms->store), "UPDATE bot SET seen = ? WHERE id = ?");
	bind_int(s, 1, wall);
	bind_int(s, 2, (int64_t)*id);
	return store_run(b->rooms->store, s) < 0 ? ERR_IO : 0;
}

/* --- changes --- */

static void make_token(char *token)
{
	uint8_t secret[BOT_TOKEN_BYTES];

	randombytes_buf(secret, sizeof secret);
	memcpy(token, TOKEN_BEGIN, sizeof TOKEN_BEGIN - 1);
	bytes_to_base64(BYTES(secret), token + sizeof TOKEN_BEGIN - 1);
	sodium_memzero(secret, sizeof secret);
}

static int check_wish(const struct bot *wish)
{
	struct name name;

	if (name_check(&name, bytes_text(wish->name.text)) < 0)
		return ERR_NAME;
	return wish->names[0] && wish->may >= BOT_READS && wish->may <= BOT_SENDS &&
			       wish->rate >= 1 && wish->rate <= BOT_RATE_MAX
		       ? 0
		       : ERR_FORMAT;
}

int bots_create(struct bots *b, const struct bot *wish, wall_ms wall, char *token)
{
	struct store *store = b->rooms->store;
	int err = check_wish(wish);
	struct one *one;
	struct statement *s;

	if (err == 0 && bots_named(b, &wish->name))
		err = ERR_EXISTS;
	if (err == 0 && b->count == BOTS_MAX)
		err = ERR_FULL;
	if (err < 0)
		return err;
	one = memory_new(sizeof *one);
	one->bot = *wish;
	one->bot.created = wall;
	one->bot.seen = 0;
	one->bot.acknowledged = 0;
	one->bot.first = events_last(b->rooms->events);
	make_token(token);
	hash_of(bytes_text(token), one->hash);
	store_write(store);
	s = db_sql(store_db(store),
		   "INSERT INTO bot(name, token, names, may, rate, expires,"
		   " created, seen, acknowledged, first) VALUES(?,?,?,?,?,?,?,0,0,?)");
	bind_text(s, 1, wish->name.text);
	bind_bytes(s, 2, BYTES(one->hash));
	bind_text(s, 3, wish->names);
	bind_int(s, 4, wish->may);
	bind_int(s, 5, wish->rate);
	bind_int(s, 6, wish->expires);
	bind_int(s, 7, wall);
	bind_int(s, 8, (int64_t)one->bot.first);
	err = store_run(store, s);
	if (err >= 0)
		one->bot.id = (uint64_t)db_last_id(store_db(store));
	b->list[b->count++] = one;
	return err < 0 ? err : 0;
}

int bots_change(struct bots *b, const struct bot *wish, char *token)
{
	struct store *store = b->rooms->store;
	struct one *one = find(b, wish->id);
	int err = one ? check_wish(wish) : ERR_NOT_FOUND;
	struct statement *s;

	if (err < 0)
		return err;
	one->bot.may = wish->may;
	one->bot.rate = wish->rate;
	one->bot.expires = wish->expires;
	memcpy(one->bot.names, wish->names, sizeof one->bot.names);
	if (token) {
		make_token(token);
		hash_of(bytes_text(token), one->hash);
		one->bot.turns++;
	}
	store_write(store);
	s = db_sql(store_db(store), "UPDATE bot SET token = ?, names = ?, may = ?, rate = ?,"
				    " expires = ? WHERE id = ?");
	bind_bytes(s, 1, BYTES(one->hash));
	bind_text(s, 2, wish->names);
	bind_int(s, 3, wish->may);
	bind_int(s, 4, wish->rate);
	bind_int(s, 5, wish->expires);
	bind_int(s, 6, (int64_t)wish->id);
	err = store_run(store, s);
	return err < 0 ? err : 0;
}

static void take_out(struct bots *b, unsigned at)
{
	one_free(b->list[at]);
	b->count--;
	memmove(&b->list[at], &b->list[at + 1], (b->count - at) * sizeof *b->list);
}

int bots_remove(struct bots *b, const struct name *name, uint64_t *id)
{
	struct statement *s;

	for (unsigned i = 0; i < b->count; i++) {
		if (!name_equal(&b->list[i]->bot.name, name))
			continue;
		*id = b->list[i]->bot.id;
		store_write(b->rooms->store);
		s = db_sql(store_db(b->rooms->store), "DELETE FROM bot WHERE id = ?");
		bind_int(s, 1, (int64_t)*id);
		store_run(b->rooms->store, s);
		take_out(b, i);
		return 0;
	}
	return ERR_NOT_FOUND;
}

void bots_drop_all(struct bots *b)
{
	if (b->count == 0)
		return;
	store_write(b->rooms->store);
	store_run(b->rooms->store, db_sql(store_db(b->rooms->store), "DELETE FROM bot"));
	forget(b);
}

void bots_acknowledge(struct bots *b, uint64_t id, uint64_t event)
{
	struct one *one = find(b, id);
	struct statement *s;

	if (!one || event <= one->bot.acknowledged)
		return;
	one->bot.acknowledged = event;
	store_write(b->rooms->store);
	s = db_sql(store_db(b->rooms->store), "UPDATE bot SET acknowledged = ? WHERE id = ?");
	bind_int(s, 1, (int64_t)event);
	bind_int(s, 2, (int64_t)id);
	store_run(b->rooms->store, s);
}

int bots_set_menu(struct bots *b, uint64_t id, struct bytes menu)
{
	struct one *one = find(b, id);
	struct statement *s;
	int err = one ? menu_check_commands(menu) : ERR_NOT_FOUND;

	if (err < 0 || bytes_equal(buf_view(&one->menu), menu))
		return err;
	one->menu.size = 0;
	buf_append(&one->menu, menu);
	store_write(b->rooms->store);
	s = db_sql(store_db(b->rooms->store), "UPDATE bot SET menu = ? WHERE id = ?");
	if (menu.size > 0)
		bind_bytes(s, 1, menu);
	bind_int(s, 2, (int64_t)id);
	store_run(b->rooms->store, s);
	return 0;
}

/* --- limits --- */

static int spend(struct bucket *bucket, double most, double a_second, mono_ns now)
{
	if (bucket->at == 0)
		bucket->left = most;
	else if (now > bucket->at)
		bucket->left += (double)(now - bucket->at) / (double)SECOND * a_second;
	if (bucket->left > most)
		bucket->left = most;
	bucket->at = now > 0 ? now : 1;
	if (bucket->left < 1)
		return ERR_BUSY;
	bucket->left -= 1;
	return 0;
}

int bots_spend(struct bots *b, uint64_t id, enum bot_spends what, mono_ns now)
{
	struct one *one = find(b, id);

	if (!one)
		return ERR_NOT_FOUND;
	if (what == BOT_MESSAGE)
		return spend(&one->buckets[what], one->bot.rate, one->bot.rate / 60.0, now);
	return spend(&one->buckets[what], 5 * BOT_CALLS, BOT_CALLS, now);
}

void bots_owe(struct bots *b, uint64_t id, unsigned calls)
{
	struct one *one = find(b, id);

	if (one)
		one->buckets[BOT_CALL].left -= calls;
}

bool bot_is_shown(const struct bot *bot)
{
	return bot->may == BOT_SENDS && !strcmp(bot->names, "*");
}

void bots_menu(struct bots *b, wall_ms wall, struct buf *menu)
{
	unsigned count = 0;

	for (unsigned i = 0; i < b->count; i++) {
		struct bytes lines = buf_view(&b->list[i]->menu), line;

		if (!bot_is_shown(&b->list[i]->bot) || bot_is_expired(&b->list[i]->bot, wall))
			continue;
		while (count < MENU_COMMANDS_MAX && menu_next(&lines, &line)) {
			if (count++ > 0)
				buf_append_byte(menu, '\n');
			buf_append(menu, line);
		}
	}
}

wall_ms bots_expire_at(const struct bots *b, wall_ms wall)
{
	wall_ms next = 0;

	for (unsigned i = 0; i < b->count; i++) {
		wall_ms at = b->list[i]->bot.expires;

		if (at > wall && (next == 0 || at < next))
			next = at;
	}
	return next;
}
