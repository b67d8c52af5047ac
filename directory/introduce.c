#include "directory/introduce.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct remembered {
	uint64_t what; /* 0: nothing */
	mono_ns at;
};

struct introductions {
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct remembered list[INTRODUCE_REMEMBERED];
};

struct introductions *introductions_new(const uint8_t key[16])
{
	struct introductions *all = memory_new(sizeof *all);

	memcpy(all->key, key, sizeof all->key);
	return all;
}

void introductions_free(struct introductions *all)
{
	free(all);
}

/* A device and how it can be reached, as far as both sides are told; and who was told: a session that
 * is over has taken it along. */
struct end {
	struct device_public device;
	uint64_t number, visit;
	uint8_t ip[16];
	uint16_t port, family;
	uint32_t padding; /* 0: all bytes are hashed */
};

static struct end end_of(const struct record *r)
{
	const struct address *seen = record_seen(r);
	struct end end;

	memset(&end, 0, sizeof end);
	end.device = record_certificate(r)->device;
	end.number = record_number(r);
	end.visit = record_visit(r);
	memcpy(end.ip, seen->ip, sizeof end.ip);
	end.port = seen->port;
	end.family = seen->family;
	return end;
}

/* Whether these two, so reachable, were introduced just now; if not, they are from now on. */
static bool is_again(struct introductions *all, const struct record *a, const struct record *b,
		     mono_ns now)
{
	struct end ends[2] = { end_of(a), end_of(b) };
	struct remembered *r;
	uint64_t what;
	bool is_known;

	if (memcmp(&ends[0].device, &ends[1].device, sizeof ends[0].device) > 0) {
		struct end first = ends[1];

		ends[1] = ends[0];
		ends[0] = first;
	}
	crypto_shorthash((uint8_t *)&what, (const uint8_t *)ends, sizeof ends, all->key);
	what = what ? what : 1;
	r = &all->list[what % INTRODUCE_REMEMBERED];
	is_known = r->what == what && now < r->at + INTRODUCE_AGAIN;
	if (!is_known)
		*r = (struct remembered){ what, now };
	return is_known;
}

static uint32_t microseconds(mono_ns time)
{
	mono_ns us = time / 1000;

	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

unsigned introduce(struct introductions *all, const struct names *names,
		   const struct presence *presence, const struct watchers *watchers,
		   name_id account, struct record *asker, const struct name *name,
		   const struct introduce_calls *calls, mono_ns now)
{
	struct wire_message to_asker = { .type = WIRE_INTRODUCTION };
	struct wire_message to_other = { .type = WIRE_INTRODUCTION };
	name_id other = names_find(names, name);
	uint32_t askers;
	unsigned count = 0;

	if (other == NAMES_NONE || !record_is_published(asker))
		return 0;
	if (!watchers_may_ask(watchers, account, other))
		return 0;
	askers = microseconds(calls->round_trip(calls->user, asker));
	to_asker.introduction.name = *name;
	to_asker.introduction.our_round_trip = askers;
	to_other.introduction.name = *names_of(names, account);
	to_other.introduction.is_dialler = true;
	to_other.introduction.their_round_trip = askers;
	record_device(asker, CONSENT_DIRECT, &to_other.introduction.device);
	for (unsigned slot = 0; slot < PRESENCE_SLOTS; slot++) {
		struct record *r = presence_at(presence, other, slot);

		if (!r || r == asker || !record_is_published(r) || is_again(all, asker, r, now))
			continue;
		to_other.introduction.our_round_trip = microseconds(
			calls->round_trip(calls->user, r));
		to_asker.introduction.their_round_trip = to_other.introduction.our_round_trip;
		record_device(r, CONSENT_DIRECT, &to_asker.introduction.device);
		calls->tell(calls->user, asker, &to_asker);
		calls->tell(calls->user, r, &to_other);
		count++;
	}
	return count;
}
