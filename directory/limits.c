#include "directory/limits.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"

/* What a limit counts by, and its bucket unless configured otherwise. */
static const struct row {
	bool by_prefix, by_name;
	struct bucket_size size;
} rows[LIMIT_COUNT] = {
	[LIMIT_LOGIN] = { true, true, { 5, 120000 } }, /* 5 in 10 min */
	[LIMIT_LOGIN_PREFIX] = { true, false, { 100, 3000 } },
	[LIMIT_LOGIN_NAME] = { false, true, { 60, 60000 } },
	[LIMIT_REGISTER] = { true, false, { 100, 10000 } },
	[LIMIT_KEY_QUERY] = { true, false, { 50, 200 } },
	[LIMIT_SIGHT] = { true, false, { 400, 20 } }, /* one start or move: up to a dozen */
	[LIMIT_COME] = { false, true, { 60, 2000 } },
};

struct entry {
	uint64_t key; /* 0: empty */
	struct bucket bucket;
	uint8_t limit;
};

struct limits {
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct limits_config config;
	struct entry *entries;
};

static uint32_t ms_of(mono_ns now)
{
	return (uint32_t)(now / MILLISECOND);
}

/* What is still used at `now`, in thousandths. */
static uint64_t used_at(const struct bucket *b, const struct bucket_size *size, mono_ns now)
{
	uint64_t back = (uint64_t)(uint32_t)(ms_of(now) - b->at) * 1000 / size->refill_ms;

	return back >= b->used ? 0 : b->used - back;
}

bool bucket_take(struct bucket *b, const struct bucket_size *size, uint32_t cost, mono_ns now,
		 mono_ns *wait)
{
	uint64_t used = used_at(b, size, now);
	uint64_t room = (uint64_t)size->burst * 1000;
	uint64_t wanted = (uint64_t)cost * 1000;

	if (used + wanted > room) {
		if (wait)
			*wait = (used + wanted - room) * size->refill_ms / 1000 * MILLISECOND;
		return false;
	}
	b->used = (uint32_t)(used + wanted);
	b->at = ms_of(now);
	return true;
}

void bucket_give_back(struct bucket *b, uint32_t cost)
{
	uint64_t back = (uint64_t)cost * 1000;

	b->used = b->used > back ? b->used - (uint32_t)back : 0;
}

struct limits_config limits_default(void)
{
	struct limits_config c = { .work_bits_max = LIMITS_WORK_DEFAULT };

	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		c.size[i] = rows[i].size;
	return c;
}

struct limits *limits_new(const struct limits_config *config, const uint8_t key[16])
{
	struct limits *l = memory_new(sizeof *l);

	memcpy(l->key, key, sizeof l->key);
	l->config = *config;
	l->entries = memory_array(LIMITS_BUCKETS, sizeof *l->entries);
	return l;
}

void limits_free(struct limits *l)
{
	if (!l)
		return;
	free(l->entries);
	free(l);
}

void limits_configure(struct limits *l, const struct limits_config *config)
{
	l->config = *config;
}

static uint64_t key_of(const struct limits *l, enum limit which, const struct address *from,
		       const struct name *name)
{
	struct {
		uint8_t limit, family, ip[16];
		char name[NAME_MAX + 1];
	} what = { .limit = which };
	uint64_t key;

	if (rows[which].by_prefix) {
		struct address prefix = address_prefix(from);

		what.family = prefix.family;
		memcpy(what.ip, prefix.ip, sizeof what.ip);
	}
	if (rows[which].by_name)
		memcpy(what.name, name->text, strlen(name->text));
	crypto_shorthash((uint8_t *)&key, (const uint8_t *)&what, sizeof what, l->key);
	return key ? key : 1;
}

static struct entry *row_of(const struct limits *l, uint64_t key)
{
	return l->entries + key % (LIMITS_BUCKETS / LIMITS_WAYS) * LIMITS_WAYS;
}

static struct entry *find(const struct limits *l, uint64_t key)
{
	struct entry *e = row_of(l, key);

	for (unsigned i = 0; i < LIMITS_WAYS; i++)
		if (e[i].key == key)
			return &e[i];
	return NULL;
}

/* An empty place in the row, or that of the bucket least used. */
static struct entry *make(struct limits *l, uint64_t key, enum limit which, mono_ns now)
{
	struct entry *e = row_of(l, key), *best = e;
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < LIMITS_WAYS && least; i++) {
		const struct bucket_size *size = &l->config.size[e[i].limit];
		uint64_t used = 0;

		/* compared as parts of the burst: limits differ in size */
		if (e[i].key)
			used = used_at(&e[i].bucket, size, now) * 1000 / size->burst;
		if (used < least) {
			least = used;
			best = &e[i];
		}
	}
	*best = (struct entry){ .key = key, .limit = which };
	return best;
}

int limits_take(struct limits *l, enum limit which, const struct address *from,
		const struct name *name, mono_ns now, uint32_t *retry_after)
{
	uint64_t key = key_of(l, which, from, name);
	struct entry *e = find(l, key);
	mono_ns wait;

	if (!e)
		e = make(l, key, which, now);
	if (bucket_take(&e->bucket, &l->config.size[which], 1, now, &wait))
		return 0;
	*retry_after = (uint32_t)(wait / SECOND + 1);
	return ERR_BUSY;
}

/* Doubling with each quarter of the burst beyond it doubled: for 5 tokens 17 bits for the
 * first, 20 for the tenth, 24 for the hundred and sixtieth. */
static unsigned work_of(uint64_t beyond, uint64_t burst, unsigned max)
{
	uint64_t quarters = 1 + 4 * beyond / burst;
	unsigned bits = LIMITS_WORK_MIN;

	while (quarters >= 2) {
		quarters /= 2;
		bits++;
	}
	return bits < max ? bits : max;
}

unsigned limits_work(const struct limits *l, enum limit which, const struct address *from,
		     const struct name *name, mono_ns now)
{
	const struct entry *e = find(l, key_of(l, which, from, name));
	const struct bucket_size *size = &l->config.size[which];
	uint64_t burst = (uint64_t)size->burst * 1000, used;

	if (!e)
		return 0;
	used = used_at(&e->bucket, size, now) + 1000;
	return used > burst ? work_of(used - burst, burst, l->config.work_bits_max) : 0;
}

void limits_overdraw(struct limits *l, enum limit which, const struct address *from,
		     const struct name *name, mono_ns now)
{
	uint64_t key = key_of(l, which, from, name);
	const struct bucket_size *size = &l->config.size[which];
	uint64_t most = (uint64_t)size->burst * 1000 * (1 + LIMITS_OVERUSE_MAX), used;
	struct entry *e = find(l, key);

	if (!e)
		e = make(l, key, which, now);
	used = used_at(&e->bucket, size, now) + 1000;
	used = used < most ? used : most;
	e->bucket.used = used < UINT32_MAX ? (uint32_t)used : UINT32_MAX;
	e->bucket.at = ms_of(now);
}

void limits_give_back(struct limits *l, enum limit which, const struct address *from,
		      const struct name *name)
{
	struct entry *e = find(l, key_of(l, which, from, name));

	if (e)
		bucket_give_back(&e->bucket, 1);
}
