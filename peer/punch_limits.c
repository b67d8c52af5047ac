#include "peer/punch_inside.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
	SPENT_MAX = 2048,
	SPENT_BY = 64,    /* IPs without an answer that one device has us write to, in a day */
	NONCE_SHIFT = 14, /* its clock ticks each 16 us */
};
#define PACE_LATE (4 * MILLISECOND)
#define NONCE_AGE (60 * SECOND) /* no answer takes longer */
/* What has gone to one IP; to a private one, on behalf of one device: many contacts live at
 * 192.168.1.2, and only one of them in our network. Or (family 0) what a device's spray found. */
struct punch_spent {
	struct address ip; /* port 0 */
	uint64_t who;      /* 0: whoever */
	uint64_t by;       /* for which device it was the first time */
	unsigned counts[PURSES], daily[PURSES];
	mono_ns since; /* of the counts: the first of them, in this network of ours */
	mono_ns day_since, sent_at;
	mono_ns answered_at; /* NEVER: not */
	mono_ns rests_until;
	unsigned failures; /* sprays in vain */
};

static const struct address nowhere = { 0 };

static bool has_answered(const struct punch_spent *s, mono_ns now)
{
	/* Routers restart, and links are made anew then: no stranger for a while. */
	return s->answered_at != NEVER && now - s->answered_at < PUNCH_DAY;
}

static bool is_stale(const struct punch_spent *s, mono_ns now)
{
	return now - s->sent_at >= PUNCH_DAY && !has_answered(s, now) && now >= s->rests_until;
}

/* One that is not needed any more; or of those who answered, who lose little by it, the oldest; or
 * the oldest. NULL: all rest. It takes many contacts to have one forgotten before its day is over. */
static struct punch_spent *find_victim(struct punch_limits *l, mono_ns now)
{
	struct punch_spent *answered = NULL, *oldest = NULL;

	for (unsigned i = 0; i < l->count; i++) {
		struct punch_spent *s = &l->spent[i];

		if (is_stale(s, now))
			return s;
		if (now < s->rests_until)
			continue;
		if (s->answered_at != NEVER &&
		    (!answered || s->answered_at < answered->answered_at))
			answered = s;
		if (!oldest || s->sent_at < oldest->sent_at)
			oldest = s;
	}
	return answered ? answered : oldest;
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
				       uint64_t who, uint64_t by, mono_ns now)
{
	struct punch_spent *s = find(l, ip, who);

	if (s)
		return s;
	if (!l->spent)
		l->spent = memory_array(SPENT_MAX, sizeof *l->spent);
	s = l->count < SPENT_MAX ? &l->spent[l->count++] : find_victim(l, now);
	if (!s)
		return NULL;
	*s = (struct punch_spent){ .ip = *ip,
				   .who = who,
				   .by = by,
				   .since = now,
				   .day_since = now,
				   .sent_at = now,
				   .answered_at = NEVER };
	s->ip.port = 0;
	return s;
}

static uint64_t whom(const struct address *ip, uint64_t who)
{
	return address_is_global(ip) ? 0 : who;
}

static bool has_named_many(const struct punch_limits *l, uint64_t by, mono_ns now)
{
	unsigned count = 0;

	for (unsigned i = 0; i < l->count; i++)
		count += l->spent[i].by == by && l->spent[i].answered_at == NEVER &&
			 !is_stale(&l->spent[i], now);
	return count >= SPENT_BY;
}

static void forget_yesterday(struct punch_spent *s, mono_ns now)
{
	if (now - s->day_since >= PUNCH_DAY) {
		s->day_since = now;
		memset(s->daily, 0, sizeof s->daily);
	}
	if (now - s->sent_at >= PUNCH_DAY) {
		s->since = now;
		memset(s->counts, 0, sizeof s->counts);
	}
}

static unsigned find_budget(const struct punch_spent *s, mono_ns now)
{
	unsigned budget = PUNCH_BUDGET;

	for (mono_ns age = PUNCH_TRICKLE; age <= now - s->since; budget++)
		age += age / 8 > PUNCH_TRICKLE ? age / 8 : PUNCH_TRICKLE;
	return budget;
}

bool punch_may_send(struct punch_limits *l, const struct address *to, uint64_t who,
		    enum punch_purse purse, mono_ns now)
{
	struct punch_spent *s = find(l, to, whom(to, who));

	if (!s && has_named_many(l, who, now))
		return false;
	if (!s)
		s = find_or_add(l, to, whom(to, who), who, now);
	if (!s)
		return false;
	if (has_answered(s, now))
		return true;
	forget_yesterday(s, now);
	if (s->counts[purse] >= find_budget(s, now) || s->daily[purse] >= PUNCH_DAILY)
		return false;
	s->counts[purse]++;
	s->daily[purse]++;
	s->sent_at = now;
	return true;
}

void punch_has_answered(struct punch_limits *l, const struct address *from, uint64_t who,
			mono_ns now)
{
	struct punch_spent *s = find_or_add(l, from, whom(from, who), who, now);

	if (s) {
		s->answered_at = now;
		s->failures = 0;
	}
	s = find(l, &nowhere, who);
	if (s)
		s->failures = 0;
}

/* --- sprays --- */

enum punch_leave punch_may_spray(struct punch_limits *l, const struct punch *p,
				 const struct address *to, mono_ns now)
{
	const struct punch_spent *ip = find(l, to, 0), *device = find(l, &nowhere, p->who);

	if ((ip && now < ip->rests_until) || (device && now < device->rests_until))
		return SPRAY_MUST_REST;
	return l->sprayer && l->sprayer != p ? SPRAY_MUST_WAIT : SPRAY_MAY;
}

static void rest(struct punch_spent *s, mono_ns now)
{
	mono_ns length = PUNCH_REST;

	if (!s)
		return;
	if (now >= s->rests_until + PUNCH_DAY)
		s->failures = 0;
	for (unsigned i = 0; i < s->failures && length < PUNCH_DAY; i++)
		length *= 2;
	s->failures++;
	s->rests_until = now + mono_earlier(length, PUNCH_DAY);
}

void punch_spray_rests(struct punch_limits *l, const struct address *to, uint64_t who,
		       mono_ns now)
{
	struct punch_spent *ip = find_or_add(l, to, 0, who, now);
	struct punch_spent *device = find_or_add(l, &nowhere, who, 0, now);

	rest(ip, now);
	rest(device, now);
}

mono_ns punch_spray_due(const struct punch_limits *l)
{
	mono_ns due = l->paced_until;

	if (l->sprayed >= PUNCH_RATE && l->sprayed_at[l->sprayed % PUNCH_RATE] + SECOND > due)
		due = l->sprayed_at[l->sprayed % PUNCH_RATE] + SECOND;
	return due;
}

void punch_spray_left(struct punch_limits *l, mono_ns now)
{
	/* A timer comes late, and what was due meanwhile goes then. */
	if (now > l->paced_until + PACE_LATE)
		l->paced_until = now - PACE_LATE;
	l->paced_until += SECOND / PUNCH_PACE;
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

void punch_limits_renew(struct punch_limits *l, mono_ns now)
{
	for (unsigned i = 0; i < l->count; i++) {
		l->spent[i].since = now;
		memset(l->spent[i].counts, 0, sizeof l->spent[i].counts);
		l->spent[i].rests_until = 0;
	}
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
