#include "peer/punch_inside.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
	SPENT_MAX = 1024,
	NONCE_SHIFT = 14, /* its clock ticks each 16 us */
};
#define NONCE_AGE (60 * SECOND) /* no answer takes longer */
/* Who was there is no stranger for a while: routers restart, and links are made anew then. */
#define ANSWERED (24 * 3600 * SECOND)

/* What has gone to one IP; to a private one, on behalf of one device: many contacts live at
 * 192.168.1.2, and only one of them in our network. Or (family 0) what a device's spray found. */
struct punch_spent {
	struct address ip; /* port 0 */
	uint64_t who;      /* 0: whoever */
	unsigned counts[PURSES];
	mono_ns since, refilled_at;
	mono_ns answered_at; /* NEVER: not */
	mono_ns rests_until;
};

static bool has_answered(const struct punch_spent *s, mono_ns now)
{
	return s->answered_at != NEVER && now - s->answered_at < ANSWERED;
}

static bool is_stale(const struct punch_spent *s, mono_ns now)
{
	return now - s->since >= PUNCH_REST && !has_answered(s, now) && now >= s->rests_until;
}

/* One that is not needed any more; or of those who answered, who lose little by it, the oldest;
 * NULL: all have been told much and answered nothing. */
static struct punch_spent *find_victim(struct punch_limits *l, mono_ns now)
{
	struct punch_spent *victim = NULL;

	for (unsigned i = 0; i < l->count; i++) {
		struct punch_spent *s = &l->spent[i];

		if (is_stale(s, now))
			return s;
		if (s->answered_at != NEVER && now >= s->rests_until &&
		    (!victim || s->answered_at < victim->answered_at))
			victim = s;
	}
	return victim;
}

static struct punch_spent *find(struct punch_limits *l, const struct address *ip, uint64_t who)
{
	for (unsigned i = 0; i < l->count; i++)
		if (l->spent[i].who == who && address_same_ip(&l->spent[i].ip, ip))
			return &l->spent[i];
	return NULL;
}

/* NULL: there is no room. */
static struct punch_spent *find_or_add(struct punch_limits *l, const struct address *ip,
				       uint64_t who, mono_ns now)
{
	struct punch_spent *s = find(l, ip, who);

	if (s)
		return s;
	if (!l->spent)
		l->spent = memory_array(SPENT_MAX, sizeof *l->spent);
	s = l->count < SPENT_MAX ? &l->spent[l->count++] : find_victim(l, now);
	if (!s)
		return NULL;
	*s = (struct punch_spent){
		.ip = *ip, .who = who, .since = now, .refilled_at = now, .answered_at = NEVER
	};
	s->ip.port = 0;
	return s;
}

static uint64_t whom(const struct address *ip, uint64_t who)
{
	return address_is_global(ip) ? 0 : who;
}

static void refill(struct punch_spent *s, mono_ns now)
{
	mono_ns times = (now - s->refilled_at) / PUNCH_TRICKLE;
	unsigned more = times < PUNCH_BUDGET ? (unsigned)times : PUNCH_BUDGET;
	bool is_over = now - s->since >= PUNCH_REST;

	s->refilled_at += times * PUNCH_TRICKLE;
	if (is_over)
		s->since = now;
	for (int i = 0; i < PURSES; i++)
		s->counts[i] -= is_over || s->counts[i] < more ? s->counts[i] : more;
}

bool punch_may_send(struct punch_limits *l, const struct address *to, uint64_t who,
		    enum punch_purse purse, mono_ns now)
{
	struct punch_spent *s = find_or_add(l, to, whom(to, who), now);

	if (!s)
		return false;
	if (has_answered(s, now))
		return true;
	refill(s, now);
	if (s->counts[purse] >= PUNCH_BUDGET)
		return false;
	s->counts[purse]++;
	return true;
}

void punch_has_answered(struct punch_limits *l, const struct address *from, uint64_t who,
			mono_ns now)
{
	struct punch_spent *s = find_or_add(l, from, whom(from, who), now);

	if (s)
		s->answered_at = now;
}

/* --- sprays --- */

enum punch_leave punch_may_spray(struct punch_limits *l, const struct punch *p,
				 const struct address *to, mono_ns now)
{
	const struct address nowhere = { 0 };
	const struct punch_spent *ip = find(l, to, 0), *device = find(l, &nowhere, p->who);

	if ((ip && now < ip->rests_until) || (device && now < device->rests_until))
		return SPRAY_MUST_REST;
	return l->sprayer && l->sprayer != p ? SPRAY_MUST_WAIT : SPRAY_MAY;
}

void punch_spray_rests(struct punch_limits *l, const struct address *to, uint64_t who,
		       mono_ns now)
{
	const struct address nowhere = { 0 };
	struct punch_spent *ip = find_or_add(l, to, 0, now);
	struct punch_spent *device = find_or_add(l, &nowhere, who, now);

	if (ip)
		ip->rests_until = now + PUNCH_REST;
	if (device)
		device->rests_until = now + PUNCH_REST;
}

mono_ns punch_spray_due(const struct punch_limits *l)
{
	mono_ns due = 0;

	if (l->sprayed > 0)
		due = l->sprayed_at[(l->sprayed - 1) % PUNCH_RATE] + SECOND / PUNCH_PACE;
	if (l->sprayed >= PUNCH_RATE && l->sprayed_at[l->sprayed % PUNCH_RATE] + SECOND > due)
		due = l->sprayed_at[l->sprayed % PUNCH_RATE] + SECOND;
	return due;
}

void punch_spray_left(struct punch_limits *l, mono_ns now)
{
	l->sprayed_at[l->sprayed % PUNCH_RATE] = now;
	l->sprayed++;
	if (l->sprayed == 2 * PUNCH_RATE)
		l->sprayed = PUNCH_RATE;
}

/* --- nonces --- */

uint64_t punch_who(const struct probe_keys *keys)
{
	uint8_t hash[crypto_generichash_BYTES_MIN];
	uint64_t who;

	crypto_generichash(hash, sizeof hash, keys->in.bytes, sizeof keys->in.bytes, NULL, 0);
	memcpy(&who, hash, sizeof who);
	return who ? who : 1;
}

/* Half of a nonce is when it was sent, the other half binds that to a path and a device. A guess is
 * right once in 2^32 times; and who guesses must be the device, as the whole is under its MAC. */
static void seal(struct punch_limits *l, uint8_t out[4], uint32_t when, uint64_t who,
		 const struct path *path)
{
	uint8_t text[4 + 8 + 2 + 1 + 2 + 16] = { 0 }, hash[crypto_shorthash_BYTES];

	if (!l->has_nonce_key) {
		randombytes_buf(l->nonce_key, sizeof l->nonce_key);
		l->has_nonce_key = true;
	}
	memcpy(text, &when, 4);
	memcpy(text + 4, &who, 8);
	memcpy(text + 12, &path->socket, 2);
	text[14] = path->remote.family;
	memcpy(text + 15, &path->remote.port, 2);
	memcpy(text + 17, path->remote.ip, 16);
	crypto_shorthash(hash, text, sizeof text, l->nonce_key);
	memcpy(out, hash, 4);
}

/* It proves by itself where and when it was sent. `is_answer`: in which kind. */
static void make_nonce(struct punch_limits *l, struct probe_nonce *nonce, uint64_t who,
		       const struct path *path, bool is_answer, mono_ns now)
{
	uint32_t when = (uint32_t)(now >> NONCE_SHIFT) << 1 | is_answer;

	memcpy(nonce->bytes, &when, 4);
	seal(l, nonce->bytes + 4, when, who, path);
}

bool punch_nonce_check(struct punch_limits *l, const struct probe_nonce *nonce, uint64_t who,
		       const struct path *path, mono_ns since, mono_ns now, bool *is_answer,
		       mono_ns *age)
{
	uint32_t when, ticks;
	uint8_t expected[4];

	memcpy(&when, nonce->bytes, 4);
	seal(l, expected, when, who, path);
	if (sodium_memcmp(expected, nonce->bytes + 4, sizeof expected) != 0)
		return false;
	ticks = ((uint32_t)(now >> NONCE_SHIFT) - (when >> 1)) & 0x7fffffff;
	*age = (mono_ns)ticks << NONCE_SHIFT;
	*is_answer = when & 1;
	/* A tick more: both ends of it are rounded. */
	return *age < NONCE_AGE && *age <= now - since + ((mono_ns)1 << NONCE_SHIFT);
}

bool punch_nonce_is_new(struct punch_limits *l, const struct probe_nonce *nonce)
{
	unsigned filled = l->heard_count < PUNCH_HEARD ? l->heard_count : PUNCH_HEARD;

	for (unsigned i = 0; i < filled; i++)
		if (memcmp(&l->heard[i], nonce, sizeof *nonce) == 0)
			return false;
	l->heard[l->heard_count % PUNCH_HEARD] = *nonce;
	l->heard_count++;
	if (l->heard_count == 2 * PUNCH_HEARD)
		l->heard_count = PUNCH_HEARD;
	return true;
}

void punch_write(struct endpoint *e, struct punch_limits *l, const struct path *path,
		 const struct probe_nonce *echo, const struct probe_keys *keys, uint8_t ttl,
		 mono_ns now)
{
	struct probe probe = { .is_answer = echo != NULL };
	uint8_t out[PROBE_SIZE_MAX];
	size_t size;

	if (echo)
		probe.echo = *echo;
	make_nonce(l, &probe.nonce, punch_who(keys), path, probe.is_answer, now);
	size = probe_encode(out, &probe, keys);
	endpoint_send_stray(e, path, bytes_of(out, size), ttl);
}

void punch_limits_clear(struct punch_limits *l)
{
	free(l->spent);
	sodium_memzero(l, sizeof *l);
}

void punch_limits_renew(struct punch_limits *l)
{
	l->count = 0;
}

/* --- who is not being looked for --- */

void punch_answer(struct endpoint *e, struct punch_limits *limits, const struct path *path,
		  const struct probe *probe, const struct probe_keys *keys, mono_ns now)
{
	uint64_t who = punch_who(keys);
	bool is_answer;
	mono_ns age;

	if (!address_is_unicast(&path->remote) || !punch_nonce_is_new(limits, &probe->nonce))
		return;
	if (!probe->is_answer && punch_may_send(limits, &path->remote, who, PURSE_REPLIES, now))
		punch_write(e, limits, path, &probe->nonce, keys, 0, now);
	else if (probe->is_answer &&
		 punch_nonce_check(limits, &probe->echo, who, path, 0, now, &is_answer, &age))
		punch_has_answered(limits, &path->remote, who, now);
}
