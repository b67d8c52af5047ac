/* What we say: where we are, to who may know it; the same sealed, to thirds; and whom we look
 * for. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/conversations.h"
#include "peer/forwarding_inside.h"
#include "peer/persons.h"
#include "peer/reach.h"

/* Readers and questions are so many, or twice that, and so on: noise fills up. */
enum { PAD_LEAST = 8 };

/* --- whom it is about --- */

bool forwarding_is_fit(const struct person *p)
{
	return person_is_open(p) && person_consent(p) == CONSENT_DIRECT &&
	       (!p->is_self || p->devices.count > 1);
}

/* Ourselves, then all others; NULL at the end. */
static struct person *person_at(const struct forwarding *f, unsigned at)
{
	const struct persons *all = f->rooms->persons;

	return at == 0 ? persons_self(all) : persons_at(all, at - 1);
}

static uint64_t mix(const uint8_t *key)
{
	uint64_t part;

	memcpy(&part, key, sizeof part); /* random already: a public key */
	return part * 0x9e3779b97f4a7c15;
}

/* Another sum: other readers. */
uint64_t forwarding_sum_readers(const struct forwarding *f)
{
	const struct person *p;
	uint64_t sum = 1;

	for (unsigned i = 0; (p = person_at(f, i)) != NULL; i++) {
		if (forwarding_is_fit(p))
			sum += mix(p->identity.bytes);
	}
	return sum;
}

static unsigned padded(unsigned count)
{
	unsigned to = PAD_LEAST;

	while (to < count)
		to *= 2;
	return to;
}

/* --- our record, to who may have it --- */

bool forwarding_say_record(struct forwarding *f, struct way *w, struct post *post)
{
	const struct peer_record *ours = address_book_for(f->rooms->book, w->person);
	struct wire_message m = { .type = WIRE_RECORD };

	if (!ours || ours->number == post->record_said || f->rooms->now < post->record_at)
		return false;
	m.record.record = *ours;
	post->record_at = f->rooms->now + FORWARDING_RECORDS;
	if (reach_say(f->rooms->reach, w, &m) == 0)
		post->record_said = ours->number;
	return true;
}

/* --- our forwarding address, with who is a third --- */

/* Those seen last come first: they are the likeliest to look for us. */
static int by_last_seen(const void *a, const void *b)
{
	const struct person *const *x = a, *const *y = b;

	if ((*x)->is_online != (*y)->is_online)
		return (*x)->is_online ? -1 : 1;
	return (*x)->last_seen > (*y)->last_seen ? -1 : (*x)->last_seen < (*y)->last_seen;
}

/* Returns how many; `list` is to be freed. `has_others`: somebody is there, readers or not. */
static unsigned gather_readers(const struct forwarding *f, const struct person *third,
			       struct person ***list, bool *has_others)
{
	struct person **all = NULL, *p;
	unsigned count = 0;

	*has_others = false;
	for (unsigned i = 0; (p = person_at(f, i)) != NULL; i++) {
		unsigned devices = p->devices.count - p->is_self; /* but for this one */

		/* The third itself is told without this, its other devices are not. */
		if (!person_is_open(p) || (p == third && devices <= 1))
			continue;
		*has_others |= !p->is_self || devices > 0;
		if (!forwarding_is_fit(p))
			continue;
		all = memory_grow(all, count + 1, sizeof(struct person *));
		all[count++] = p;
	}
	if (count > WIRE_FORWARDING_MAX) {
		qsort(all, count, sizeof(struct person *), by_last_seen);
		count = WIRE_FORWARDING_MAX;
	}
	*list = all;
	return count;
}

/* Each reader in a place that says nothing of it, among others that nobody can use. */
static void place_readers(struct wire_forwarding *out)
{
	unsigned total = padded(out->count);

	randombytes_buf(out->readers + out->count, (total - out->count) * sizeof *out->readers);
	out->count = total;
	for (unsigned i = total; i > 1; i--) {
		unsigned other = randombytes_uniform(i);
		struct wire_forwarding_reader moved = out->readers[i - 1];

		out->readers[i - 1] = out->readers[other];
		out->readers[other] = moved;
	}
}

static void write_forwarding(const struct forwarding *f, const struct person *third,
			     struct person *const *list, unsigned count,
			     struct wire_forwarding *out, uint8_t *sealed)
{
	const struct rooms *r = f->rooms;
	const struct peer_record *ours = address_book_open(r->book);
	struct symmetric_key key;

	forwarding_seal(sealed, &key, ours);
	out->number = ours->number;
	out->record = bytes_of(sealed, WIRE_SEALED_RECORD_MAX);
	for (unsigned i = 0; i < count; i++) {
		const struct symmetric_key *pair = address_book_pair(r->book, list[i]);
		struct wire_forwarding_reader *reader = &out->readers[out->count];
		struct token token;

		if (!pair)
			continue;
		token = forwarding_token(pair, &ours->device, &third->identity);
		memcpy(reader->token, token.bytes, sizeof reader->token);
		forwarding_wrap(reader->key, &key, sealed, pair);
		out->count++;
	}
	sodium_memzero(&key, sizeof key);
	place_readers(out);
}

mono_ns forwarding_leave_at(const struct post *post, uint64_t readers)
{
	if (post->left_readers == readers || post->leave_at < FORWARDING_EVERY)
		return post->leave_at;
	return post->leave_at - FORWARDING_EVERY + FORWARDING_RECORDS;
}

bool forwarding_leave(struct forwarding *f, struct way *w, struct post *post, uint64_t readers)
{
	const struct peer_record *ours = address_book_open(f->rooms->book);
	struct wire_message m = { .type = WIRE_FORWARDING };
	uint8_t sealed[WIRE_SEALED_RECORD_MAX];
	struct person **list;
	bool has_others;
	unsigned count;

	if (!ours || f->rooms->now < forwarding_leave_at(post, readers) ||
	    (post->left == ours->number && post->left_readers == readers))
		return false;
	post->leave_at = f->rooms->now + FORWARDING_EVERY;
	count = gather_readers(f, w->person, &list, &has_others);
	if (has_others) {
		write_forwarding(f, w->person, list, count, &m.forwarding, sealed);
		if (reach_say(f->rooms->reach, w, &m) < 0) {
			free(list);
			return true; /* no room: later */
		}
		/* The third tells both at one moment, if both ask. */
		post->ask_at = mono_earlier(post->ask_at, f->rooms->now);
	}
	free(list);
	post->left = ours->number;
	post->left_readers = readers;
	return has_others;
}

/* --- whom we look for --- */

static bool is_linked(const struct person *p)
{
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (p->ways[i] && p->ways[i]->state == WAY_LINKED)
			return true;
	}
	return false;
}

static bool is_target(const struct person *p)
{
	return forwarding_is_fit(p) && !is_linked(p);
}

static bool is_owed(const struct person *p)
{
	return !p->is_self && p->conversation &&
	       p->conversation->ours.next > p->conversation->delivered;
}

uint64_t forwarding_sum_targets(const struct forwarding *f)
{
	const struct person *p;
	uint64_t sum = 0;

	for (unsigned i = 0; (p = person_at(f, i)) != NULL; i++) {
		if (is_target(p))
			sum += mix(p->identity.bytes) + (is_owed(p) ? 1 : 0);
	}
	return sum;
}

static void ask_for(struct forwarding *f, struct post *post, const struct person *third,
		    struct person *p)
{
	const struct symmetric_key *pair = address_book_pair(f->rooms->book, p);
	const struct device_public *ours = account_device(f->rooms->account);

	for (unsigned i = 0; pair && i < p->devices.count; i++) {
		const struct device_public *device = &p->devices.devices[i].device;
		struct asked *a;

		if (device_public_equal(device, ours) || post->asked_count == WIRE_WHERE_MAX)
			continue;
		a = &post->asked[post->asked_count++];
		a->token = forwarding_token(pair, device, &third->identity);
		a->is_self = p->is_self;
		a->name = p->name;
		a->device = *device;
	}
}

/* Whom we owe something first; of the others those whose turn it is. */
static void fill_asked(struct forwarding *f, struct post *post, const struct person *third)
{
	unsigned count = 0, from = post->next_target, last = 0;
	struct person *p;

	if (!post->asked)
		post->asked = memory_array(WIRE_WHERE_MAX, sizeof *post->asked);
	post->asked_count = 0;
	while (person_at(f, count))
		count++;
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < count && post->asked_count < WIRE_WHERE_MAX; i++) {
			p = person_at(f, (from + i) % count);
			if (p == third || !is_target(p) || is_owed(p) != (pass == 0))
				continue;
			ask_for(f, post, third, p);
			last = i;
		}
	}
	if (post->asked_count == WIRE_WHERE_MAX)
		post->next_target = (from + last) % count;
}

/* They stand in no order, among others that mean nothing. */
static void write_where(const struct post *post, struct wire_where *out)
{
	struct token moved;

	out->count = padded(post->asked_count);
	randombytes_buf(out->tokens, out->count * sizeof *out->tokens);
	for (unsigned i = 0; i < post->asked_count; i++)
		memcpy(out->tokens[i], post->asked[i].token.bytes, sizeof *out->tokens);
	for (unsigned i = out->count; i > 1; i--) {
		unsigned other = randombytes_uniform(i);

		memcpy(moved.bytes, out->tokens[i - 1], sizeof moved.bytes);
		memmove(out->tokens[i - 1], out->tokens[other], sizeof moved.bytes);
		memcpy(out->tokens[other], moved.bytes, sizeof moved.bytes);
	}
}

bool forwarding_ask(struct forwarding *f, struct way *w, struct post *post)
{
	struct wire_message m = { .type = WIRE_WHERE };

	if (f->rooms->now < post->ask_at)
		return false;
	post->ask_at = f->rooms->now + forwarding_period(f);
	fill_asked(f, post, w->person);
	if (post->asked_count == 0)
		return false;
	post->asked_last = f->rooms->now;
	write_where(post, &m.where);
	(void)reach_say(f->rooms->reach, w, &m); /* ERR_FULL: asked again then */
	return true;
}
