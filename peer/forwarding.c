#include "peer/forwarding_inside.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/conversations.h"
#include "peer/directory_client.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "shared/error.h"

enum {
	PAD_LEAST = 8
}; /* readers and questions are so many, or twice that, ...: noise fills up */

/* --- posts --- */

static unsigned place_of(const struct forwarding *f, uintptr_t way)
{
	unsigned low = 0, high = f->post_count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (f->posts[middle]->way < way)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void unlinked(struct post *post)
{
	post->link_number = 0;
	free(post->asked);
	free(post->watched);
	post->asked = NULL;
	post->watched = NULL;
	post->asked_count = post->watched_count = 0;
	post->record_said = post->left = post->left_readers = 0;
}

static void post_free(struct post *post)
{
	unlinked(post);
	free(post);
}

struct post *forwarding_post(const struct forwarding *f, const struct way *w)
{
	unsigned at = place_of(f, w->number);
	struct post *post = at < f->post_count ? f->posts[at] : NULL;

	return post && post->way == w->number && w->state == WAY_LINKED &&
			       post->link_number == w->link_number
		       ? post
		       : NULL;
}

/* With many links not all are asked at the same moment, nor each as often. */
static mono_ns period(const struct forwarding *f)
{
	return FORWARDING_ASK * (1 + f->linked_count / FORWARDING_ASKED);
}

static mono_ns first_ask(const struct forwarding *f)
{
	mono_ns spread = f->linked_count <= FORWARDING_ASKED ? 0 : period(f);

	return f->rooms->now + spread / 1024 * randombytes_uniform(1024);
}

static struct post *need_post(struct forwarding *f, const struct way *w)
{
	unsigned at = place_of(f, w->number);
	struct post *post = at < f->post_count ? f->posts[at] : NULL;

	if (!post || post->way != w->number) {
		post = memory_new(sizeof *post);
		post->way = w->number;
		f->posts = memory_grow(f->posts, f->post_count + 1, sizeof(struct post *));
		memmove(f->posts + at + 1, f->posts + at,
			(f->post_count - at) * sizeof(struct post *));
		f->posts[at] = post;
		f->post_count++;
	}
	if (post->link_number != w->link_number) {
		unlinked(post);
		post->link_number = w->link_number;
		post->record_at = post->leave_at = f->rooms->now;
		post->ask_at = first_ask(f);
		post->asked_last = 0;
	}
	return post;
}

static void follow_ways(struct forwarding *f)
{
	unsigned kept = 0, linked = 0;
	const struct way *w;

	for (unsigned i = 0; i < f->post_count; i++)
		f->posts[i]->is_seen = false;
	for (unsigned i = 0; (w = reach_way_at(f->rooms->reach, i)) != NULL; i++) {
		unsigned at = place_of(f, w->number);

		if (w->state == WAY_LINKED && person_is_open(w->person)) {
			need_post(f, w)->is_seen = true;
			linked++;
		} else if (at < f->post_count && f->posts[at]->way == w->number) {
			unlinked(f->posts[at]);
			f->posts[at]->is_seen = true;
		}
	}
	for (unsigned i = 0; i < f->post_count; i++) {
		if (f->posts[i]->is_seen)
			f->posts[kept++] = f->posts[i];
		else
			post_free(f->posts[i]);
	}
	f->post_count = kept;
	f->linked_count = linked;
}

/* --- beginning and end --- */

struct forwarding *forwarding_new(struct rooms *rooms)
{
	struct forwarding *f = memory_new(sizeof *f);

	f->rooms = rooms;
	f->alone_since = NEVER;
	forwarding_forget_strangers(f);
	forwarding_load_kept(f);
	return f;
}

void forwarding_free(struct forwarding *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < f->post_count; i++)
		post_free(f->posts[i]);
	free(f->posts);
	forwarding_free_kept(f);
	free(f);
}

void forwarding_reload(struct forwarding *f)
{
	forwarding_load_kept(f);
}

/* --- whom it is about --- */

/* Those who may have our addresses, and of whom we may have theirs: our own account, if it has
 * other devices, and contacts. */
static bool is_fit(const struct person *p)
{
	return person_is_open(p) && p->consent == CONSENT_DIRECT &&
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
static uint64_t sum_readers(const struct forwarding *f)
{
	const struct person *p;
	uint64_t sum = 1;

	for (unsigned i = 0; (p = person_at(f, i)) != NULL; i++) {
		if (is_fit(p))
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

static bool say_record(struct forwarding *f, struct way *w, struct post *post)
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
		if (!is_fit(p))
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

static bool leave(struct forwarding *f, struct way *w, struct post *post, uint64_t readers)
{
	const struct peer_record *ours = address_book_open(f->rooms->book);
	struct wire_message m = { .type = WIRE_FORWARDING };
	uint8_t sealed[WIRE_SEALED_RECORD_MAX];
	struct person **list;
	bool has_others;
	unsigned count;

	if (!ours || f->rooms->now < post->leave_at ||
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
	return is_fit(p) && !is_linked(p);
}

static bool is_owed(const struct person *p)
{
	return !p->is_self && p->conversation &&
	       p->conversation->ours.next > p->conversation->delivered;
}

static uint64_t sum_targets(const struct forwarding *f)
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

static bool ask(struct forwarding *f, struct way *w, struct post *post)
{
	struct wire_message m = { .type = WIRE_WHERE };

	if (f->rooms->now < post->ask_at)
		return false;
	post->ask_at = f->rooms->now + period(f);
	fill_asked(f, post, w->person);
	if (post->asked_count == 0)
		return false;
	post->asked_last = f->rooms->now;
	write_where(post, &m.where);
	(void)reach_say(f->rooms->reach, w, &m); /* ERR_FULL: asked again then */
	return true;
}

/* --- the step --- */

/* Whether thirds are to be asked at all. */
static bool look_around(struct forwarding *f)
{
	mono_ns now = f->rooms->now;
	uint64_t targets;

	if (directory_client_is_online(f->rooms->directory)) {
		f->alone_since = NEVER;
		return false;
	}
	if (f->alone_since == NEVER)
		f->alone_since = now;
	if (now - f->alone_since < FORWARDING_ALONE)
		return false;
	targets = sum_targets(f);
	for (unsigned i = 0; targets != f->targets && i < f->post_count; i++) {
		struct post *post = f->posts[i];
		mono_ns soon = post->asked_last ? post->asked_last + FORWARDING_NEWS : now;

		post->ask_at = mono_earlier(post->ask_at, soon > now ? soon : now);
	}
	f->targets = targets;
	return targets != 0;
}

static mono_ns due_at(const struct forwarding *f, const struct way *w, const struct post *post,
		      bool is_asking, uint64_t readers)
{
	struct address_book *book = f->rooms->book;
	const struct peer_record *ours = address_book_open(book);
	const struct peer_record *theirs = address_book_for(book, w->person);
	mono_ns due = is_asking ? post->ask_at : NEVER;

	if (ours && (post->left != ours->number || post->left_readers != readers))
		due = mono_earlier(due, post->leave_at);
	if (theirs && post->record_said != theirs->number)
		due = mono_earlier(due, post->record_at);
	return due;
}

mono_ns forwarding_step(struct forwarding *f)
{
	unsigned room = FORWARDING_TELLS;
	mono_ns deadline = NEVER;
	uint64_t readers;
	bool is_asking;
	struct way *w;

	follow_ways(f);
	is_asking = look_around(f);
	if (f->alone_since != NEVER && !is_asking &&
	    f->rooms->now < f->alone_since + FORWARDING_ALONE)
		deadline = f->alone_since + FORWARDING_ALONE;
	readers = f->linked_count > 0 ? sum_readers(f) : 0;
	for (unsigned i = 0; (w = reach_way_at(f->rooms->reach, i)) != NULL; i++) {
		struct post *post = forwarding_post(f, w);
		bool has_told = false;

		if (!post)
			continue;
		say_record(f, w, post);
		if (room > 0) {
			has_told = leave(f, w, post, readers);
			has_told |= is_asking && ask(f, w, post);
		}
		room -= has_told;
		deadline = mono_earlier(deadline, due_at(f, w, post, is_asking, readers));
	}
	/* What did not fit into this step is due already. */
	return deadline < f->rooms->now ? f->rooms->now : deadline;
}

/* --- hearing --- */

/* Whether it may be looked at: FORWARDING_BURST at once, or `burst`, and one each `every`. */
static bool afford(const struct forwarding *f, mono_ns *paid, mono_ns every, unsigned burst)
{
	mono_ns now = f->rooms->now;

	if (*paid < now)
		*paid = now;
	if (*paid - now > every * (burst - 1))
		return false;
	*paid += every;
	return true;
}

static int hear_record(struct forwarding *f, struct way *from, const struct peer_record *record)
{
	const struct person *p = from->person;

	if (!device_public_equal(&record->device, &from->device))
		return ERR_FORMAT;
	if (address_book_learn(f->rooms->book, p, record))
		return 0;
	/* An older one, or one that is too new for our clock, is no offence; a forged one is. */
	return peer_record_verify(record, &p->identity);
}

static struct person *person_of(const struct forwarding *f, const struct asked *a)
{
	return a->is_self ? persons_self(f->rooms->persons)
			  : persons_find(f->rooms->persons, &a->name);
}

/* The third may have been told nonsense; that is not its offence. */
static void hear_there(struct forwarding *f, struct post *post, const struct wire_there *there)
{
	const struct rooms *r = f->rooms;
	static const struct address nowhere;
	const struct symmetric_key *pair;
	const struct asked *a = NULL;
	struct peer_record record;
	struct person *p;

	for (unsigned i = 0; i < post->asked_count && !a; i++) {
		if (sodium_memcmp(post->asked[i].token.bytes, there->reader.token,
				  FORWARDING_TOKEN) == 0)
			a = &post->asked[i];
	}
	p = a ? person_of(f, a) : NULL;
	if (!p || !is_fit(p))
		return;
	pair = address_book_pair(r->book, p);
	if (!pair || forwarding_open(&record, there, pair) < 0 ||
	    !device_public_equal(&record.device, &a->device) ||
	    !address_book_learn(r->book, p, &record))
		return;
	/* Where we have left ours, they are told of us if they ask. */
	reach_found(r->reach, p, &a->device, &nowhere, REACH_THIRD, post->left != 0);
}

int forwarding_hear(struct forwarding *f, struct way *from, const struct wire_message *m)
{
	struct post *post;

	if (from->state != WAY_LINKED || !person_is_open(from->person))
		return 0;
	post = need_post(f, from);
	switch (m->type) {
	case WIRE_RECORD:
		if (!afford(f, &post->paid_record, FORWARDING_HEAR_RECORD, FORWARDING_BURST))
			return 0;
		return hear_record(f, from, &m->record.record);
	case WIRE_FORWARDING:
		if (!afford(f, &post->paid_forwarding, FORWARDING_HEAR_FORWARDING,
			    FORWARDING_BURST))
			return 0;
		return forwarding_hear_left(f, from, &m->forwarding);
	case WIRE_WHERE:
		if (!afford(f, &post->paid_where, FORWARDING_HEAR_WHERE, FORWARDING_BURST))
			return 0;
		return forwarding_hear_where(f, from, post, &m->where);
	case WIRE_THERE:
		if (afford(f, &post->paid_there, FORWARDING_HEAR_THERE, FORWARDING_THERE_BURST))
			hear_there(f, post, &m->there);
		return 0;
	default:
		return ERR_FORMAT;
	}
}
