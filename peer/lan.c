#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/address_book.h"
#include "peer/candidates.h"
#include "peer/lan_inside.h"
#include "peer/persons.h"
#include "peer/reach.h"

enum {
	ANNOUNCEMENT_HEAD = 1 + LAN_NONCE + 1,
	ANNOUNCEMENT_MAX = ANNOUNCEMENT_HEAD + LAN_TOKENS_MAX * LAN_TOKEN,

	SOURCES_MAX = 16,   /* own addresses that an announcement leaves from */
	SAID_MAX = 256,     /* own nonces that an answer may name */
	ANSWERED_MAX = 128, /* of theirs, each answered once */
	TOLD_MAX = 32,      /* addresses that were replied to of late */
	REPLIES_AT_ONCE = 8,
	/* An announcement has so many, or twice that, and so on: the rest is noise. */
	TOKENS_LEAST = 16,
};
#define REPLY_EVERY (5 * SECOND)  /* to one address in the long run */
#define SAID_FOR    (10 * SECOND) /* an answer comes within this, or not at all */

/* 239.255.0.0/16: the local scope (RFC 2365); ff02::/16: the link (RFC 4291). */
const struct address lan_groups[LAN_GROUPS] = {
	{ .family = 4, .port = LAN_PORT, .ip = { 239, 255, 71, 72 } },
	{ .family = 6, .port = LAN_PORT, .ip = { 0xff, 0x02, [14] = 0x71, [15] = 0x72 } },
};
static const mono_ns rounds[] = { 0, 250 * MILLISECOND, 1000 * MILLISECOND };
enum { ROUNDS = sizeof rounds / sizeof *rounds };

/* What may be looked at in this second. */
struct budget {
	mono_ns since;
	unsigned used;
};

struct said {
	uint8_t nonce[LAN_NONCE];
	bool is_reply; /* an answer to it is the last word */
	mono_ns until; /* 0: none */
};
struct answered {
	uint8_t nonce[LAN_NONCE];
	int64_t whose;
};

/* Whom replies went to: each is paid for with REPLY_EVERY. */
struct told {
	struct address ip;
	mono_ns paid_until;
};

struct lan {
	struct rooms *rooms;
	bool is_enabled;
	uint64_t version; /* of own_candidates, when the network was looked at */
	struct network network;
	bool has_begun;
	mono_ns begun_at, next_at;
	unsigned round;

	struct said said[SAID_MAX];
	struct answered answered[ANSWERED_MAX];
	unsigned said_at, answered_at; /* the next place */
	struct budget announcements, replies;
	struct told told[TOLD_MAX];

	int64_t *found; /* persons, by id */
	unsigned found_count;
};

struct lan *lan_new(struct rooms *rooms)
{
	struct lan *l = memory_new(sizeof *l);

	l->rooms = rooms;
	l->is_enabled = true;
	return l;
}

void lan_free(struct lan *l)
{
	if (!l)
		return;
	free(l->found);
	free(l);
}

void lan_set_enabled(struct lan *l, bool is_enabled)
{
	l->is_enabled = is_enabled;
	l->has_begun = false;
}

unsigned lan_heard(const struct lan *l)
{
	return l->found_count;
}

/* --- whom it is for --- */

/* Those whom we name, answer and believe: 0 is our own account, for our other devices. NULL at
 * the end; the others of the list are passed over. */
static struct person *next_person(const struct lan *l, unsigned *at)
{
	const struct persons *all = l->rooms->persons;
	struct person *p;

	if (*at == 0) {
		(*at)++;
		p = persons_self(all);
		if (person_is_open(p) && p->devices.count > 1)
			return p;
	}
	while ((p = persons_at(all, *at - 1)) != NULL) {
		(*at)++;
		if (person_is_open(p) && person_consent(p) == CONSENT_DIRECT)
			return p;
	}
	return NULL;
}

static bool token_equal(const struct lan_token *a, const uint8_t *b)
{
	return sodium_memcmp(a->bytes, b, LAN_TOKEN) == 0;
}

/* --- what was said and answered --- */

static void note_said(struct lan *l, const uint8_t nonce[LAN_NONCE], bool is_reply)
{
	struct said *s = &l->said[l->said_at++ % SAID_MAX];

	memcpy(s->nonce, nonce, LAN_NONCE);
	s->is_reply = is_reply;
	s->until = l->rooms->now + SAID_FOR;
}

/* NULL: not ours, or long ago. */
static const struct said *find_said(const struct lan *l, const uint8_t nonce[LAN_NONCE])
{
	for (unsigned i = 0; i < SAID_MAX; i++) {
		const struct said *s = &l->said[i];

		if (s->until > l->rooms->now && memcmp(s->nonce, nonce, LAN_NONCE) == 0)
			return s;
	}
	return NULL;
}

/* True once for each nonce of each person. */
static bool take_once(struct lan *l, const struct person *p, const uint8_t nonce[LAN_NONCE])
{
	struct answered *a;

	for (unsigned i = 0; i < ANSWERED_MAX && i < l->answered_at; i++) {
		a = &l->answered[i];
		if (a->whose == p->id && memcmp(a->nonce, nonce, LAN_NONCE) == 0)
			return false;
	}
	a = &l->answered[l->answered_at++ % ANSWERED_MAX];
	a->whose = p->id;
	memcpy(a->nonce, nonce, LAN_NONCE);
	return true;
}

static bool afford(const struct lan *l, struct budget *b, unsigned limit)
{
	mono_ns now = l->rooms->now;

	if (b->since == 0 || now - b->since >= SECOND)
		*b = (struct budget){ .since = now };
	return b->used++ < limit;
}

/* Who we share a key with can say that an announcement came from anywhere: a reply goes to our own
 * network only. */
static bool is_near(const struct lan *l, const struct address *a)
{
	size_t size = a->family == 4 ? 3 : 8;

	if (!address_is_global(a))
		return true;
	for (unsigned i = 0; i < l->network.address_count; i++) {
		const struct address *own = &l->network.addresses[i];

		if (own->family == a->family && memcmp(own->ip, a->ip, size) == 0)
			return true;
	}
	return false;
}

/* ... and not many to one address. */
static bool may_tell(struct lan *l, const struct address *to)
{
	struct told *t = &l->told[0];
	mono_ns now = l->rooms->now;

	for (unsigned i = 0; i < TOLD_MAX; i++) {
		if (address_same_ip(&l->told[i].ip, to)) {
			t = &l->told[i];
			break;
		}
		if (l->told[i].paid_until < t->paid_until)
			t = &l->told[i];
	}
	if (!address_same_ip(&t->ip, to))
		*t = (struct told){ .ip = *to };
	if (t->paid_until < now)
		t->paid_until = now;
	if (t->paid_until - now > REPLY_EVERY * (REPLIES_AT_ONCE - 1))
		return false;
	t->paid_until += REPLY_EVERY;
	return true;
}

static void note_found(struct lan *l, const struct person *p)
{
	for (unsigned i = 0; i < l->found_count; i++) {
		if (l->found[i] == p->id)
			return;
	}
	l->found = memory_grow(l->found, l->found_count + 1, sizeof *l->found);
	l->found[l->found_count++] = p->id;
}

/* --- announcing --- */

static void shuffle(struct lan_token *list, unsigned count)
{
	for (unsigned i = count; i > 1; i--) {
		unsigned other = randombytes_uniform(i);
		struct lan_token kept = list[i - 1];

		list[i - 1] = list[other];
		list[other] = kept;
	}
}

/* How many contacts we have would be a mark of its own, from network to network. */
static unsigned padded(unsigned count)
{
	unsigned to = TOKENS_LEAST;

	while (to < count)
		to *= 2;
	return to;
}

static void send_announcement(struct lan *l, const struct path *path,
			      const uint8_t nonce[LAN_NONCE], struct lan_token *tokens,
			      unsigned count)
{
	unsigned total = padded(count);
	uint8_t out[ANNOUNCEMENT_MAX];

	randombytes_buf(tokens + count, (total - count) * sizeof *tokens);
	shuffle(tokens, total);
	out[0] = LAN_ANNOUNCEMENT;
	memcpy(out + 1, nonce, LAN_NONCE);
	out[1 + LAN_NONCE] = (uint8_t)total;
	memcpy(out + ANNOUNCEMENT_HEAD, tokens, total * sizeof *tokens);
	endpoint_send_stray(l->rooms->endpoint, path,
			    bytes_of(out, ANNOUNCEMENT_HEAD + total * LAN_TOKEN), 0);
}

/* From this address of ours: all whom we look for, in as many datagrams as they need. */
static void announce_from(struct lan *l, const struct path *path)
{
	struct lan_token tokens[LAN_TOKENS_MAX];
	uint8_t nonce[LAN_NONCE];
	unsigned at = 0, count = 0;
	bool is_said = false;
	struct person *p;

	randombytes_buf(nonce, sizeof nonce);
	while ((p = next_person(l, &at)) != NULL) {
		const struct symmetric_key *pair = address_book_pair(l->rooms->book, p);

		if (!pair)
			continue;
		tokens[count++] = lan_token(pair, BYTES(nonce), &path->local);
		is_said = true;
		if (count == LAN_TOKENS_MAX) {
			send_announcement(l, path, nonce, tokens, count);
			count = 0;
		}
	}
	if (count > 0)
		send_announcement(l, path, nonce, tokens, count);
	if (is_said)
		note_said(l, nonce, false);
}

/* Whether an announcement leaves from there, and where it goes. The source is told with each: the
 * tokens are made of it, and for IPv4 it also says the interface. */
static bool is_source(const struct network *n, const struct address *a, struct path *path)
{
	bool is_v6 = a->family == 6;
	bool is_on_link = !is_v6;

	if (!address_is_unicast(a) || address_is_loopback(a) ||
	    (is_v6 && !address_is_link_local(a)))
		return false;
	for (unsigned i = 0; is_v6 && i < n->link_count; i++)
		is_on_link |= n->links[i] == a->scope;
	memset(path, 0, sizeof *path);
	path->local = *a;
	path->local.port = n->port;
	path->remote = is_v6 ? lan_groups[1] : lan_groups[0];
	path->remote.scope = a->scope;
	return is_on_link && n->link_count > 0;
}

static void announce(struct lan *l)
{
	const struct network *n = &l->network;
	unsigned count = 0;
	struct path path;

	for (unsigned i = 0; i < n->address_count && count < SOURCES_MAX; i++) {
		if (!is_source(n, &n->addresses[i], &path))
			continue;
		announce_from(l, &path);
		count++;
	}
}

static void look_at_network(struct lan *l)
{
	const struct own_candidates *c = l->rooms->candidates;

	if (l->has_begun && own_candidates_version(c) == l->version)
		return;
	l->version = own_candidates_version(c);
	if (l->has_begun && network_equal(&l->network, own_candidates_network(c)))
		return;
	l->network = *own_candidates_network(c);
	l->has_begun = true;
	l->round = 0;
	l->begun_at = l->next_at = l->rooms->now;
}

mono_ns lan_step(struct lan *l)
{
	mono_ns now = l->rooms->now;

	if (!l->is_enabled || !address_book_open(l->rooms->book)) {
		l->has_begun = false;
		return NEVER;
	}
	look_at_network(l);
	if (now < l->next_at)
		return l->next_at;
	announce(l);
	l->round++;
	l->next_at = l->round < ROUNDS ? l->begun_at + rounds[l->round] : now + LAN_EVERY;
	return l->next_at;
}

/* --- answering --- */

/* Our record for whom we share `pair` with, who said `nonce`, to where that came from. `is_last`:
 * it is not to be answered. */
static void reply(struct lan *l, const struct symmetric_key *pair, const struct path *path,
		  const uint8_t nonce[LAN_NONCE], bool is_last)
{
	const struct peer_record *ours = address_book_open(l->rooms->book);
	uint8_t out[LAN_REPLY_MAX];
	struct path back = *path;
	size_t size = ours ? lan_seal(out, pair, nonce, ours) : 0;

	if (size == 0)
		return;
	/* A group's address is nobody's to answer from. */
	if (!address_is_unicast(&back.local))
		back.local = (struct address){ 0 };
	endpoint_send_stray(l->rooms->endpoint, &back, bytes_of(out, size), 0);
	if (!is_last)
		note_said(l, lan_reply_nonce(bytes_of(out, size)).data, true);
}

static bool is_named(const struct lan_token *token, struct bytes list)
{
	for (size_t i = 0; i < list.size; i += LAN_TOKEN) {
		if (token_equal(token, list.data + i))
			return true;
	}
	return false;
}

static void on_announcement(struct lan *l, const struct path *path, struct bytes data)
{
	struct bytes nonce, list;
	struct person *p;
	unsigned at = 0;

	if (data.size < ANNOUNCEMENT_HEAD + LAN_TOKEN || data.size > ANNOUNCEMENT_MAX ||
	    data.size != ANNOUNCEMENT_HEAD + (size_t)data.data[1 + LAN_NONCE] * LAN_TOKEN)
		return;
	nonce = bytes_of(data.data + 1, LAN_NONCE);
	list = bytes_of(data.data + ANNOUNCEMENT_HEAD, data.size - ANNOUNCEMENT_HEAD);
	/* Our own comes back to us too. */
	if (find_said(l, nonce.data) || !is_near(l, &path->remote) ||
	    !afford(l, &l->announcements, LAN_HEARD_A_SECOND))
		return;
	while ((p = next_person(l, &at)) != NULL) {
		const struct symmetric_key *pair = address_book_pair(l->rooms->book, p);
		struct lan_token token;

		if (!pair)
			continue;
		token = lan_token(pair, nonce, &path->remote);
		if (is_named(&token, list) && take_once(l, p, nonce.data) &&
		    may_tell(l, &path->remote))
			reply(l, pair, path, nonce.data, false);
	}
}

/* --- being answered --- */

/* A reply that somebody carried elsewhere would have us dial there: only a source that the record
 * names counts, or one on our own link, which no record names. */
static struct address believable(const struct path *path, const struct peer_record *record)
{
	const struct address *from = &path->remote;

	if (from->family == 6 && address_is_link_local(from))
		return *from;
	for (unsigned i = 0; i < record->candidates.count; i++) {
		if (address_same_ip(&record->candidates.list[i].address, from))
			return *from;
	}
	return (struct address){ 0 };
}

static void take_reply(struct lan *l, struct person *p, const struct symmetric_key *pair,
		       const struct path *path, struct bytes data)
{
	const struct rooms *r = l->rooms;
	const uint8_t *own_nonce = lan_reply_nonce(data).data;
	uint8_t answered[LAN_NONCE];
	const struct said *said;
	struct peer_record record;
	struct address seen;

	if (lan_open(answered, &record, data, pair) < 0)
		return;
	said = find_said(l, answered);
	if (!said || !take_once(l, p, own_nonce) || !address_book_learn(r->book, p, &record))
		return;
	if (!said->is_reply && is_near(l, &path->remote) && may_tell(l, &path->remote))
		reply(l, pair, path, own_nonce, true);
	seen = believable(path, &record);
	note_found(l, p);
	reach_found(r->reach, p, &record.device, &seen, REACH_LAN, true);
}

static void on_reply(struct lan *l, const struct path *path, struct bytes data)
{
	struct person *p;
	unsigned at = 0;

	if (!lan_is_reply(data) || !afford(l, &l->replies, LAN_REPLIES_A_SECOND))
		return;
	while ((p = next_person(l, &at)) != NULL) {
		const struct symmetric_key *pair = address_book_pair(l->rooms->book, p);
		struct lan_token token;

		if (!pair)
			continue;
		token = lan_token(pair, lan_reply_nonce(data), NULL);
		if (!token_equal(&token, data.data + 1))
			continue;
		take_reply(l, p, pair, path, data);
		return;
	}
}

bool lan_stray(struct lan *l, const struct path *path, struct bytes data)
{
	if (data.size == 0 || (data.data[0] != LAN_ANNOUNCEMENT && data.data[0] != LAN_REPLY))
		return false;
	if (!l->is_enabled || !address_is_unicast(&path->remote) || path->tunnel)
		return true;
	if (data.data[0] == LAN_ANNOUNCEMENT)
		on_announcement(l, path, data);
	else
		on_reply(l, path, data);
	return true;
}
