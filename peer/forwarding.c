#include "peer/forwarding_inside.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/address_book.h"
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
mono_ns forwarding_period(const struct forwarding *f)
{
	return FORWARDING_ASK * (1 + f->linked_count / FORWARDING_ASKED);
}

static mono_ns first_ask(const struct forwarding *f)
{
	mono_ns spread = f->linked_count <= FORWARDING_ASKED ? 0 : forwarding_period(f);

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
	targets = forwarding_sum_targets(f);
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
	readers = f->linked_count > 0 ? forwarding_sum_readers(f) : 0;
	for (unsigned i = 0; (w = reach_way_at(f->rooms->reach, i)) != NULL; i++) {
		struct post *post = forwarding_post(f, w);
		bool has_told = false;

		if (!post)
			continue;
		forwarding_say_record(f, w, post);
		if (room > 0) {
			has_told = forwarding_leave(f, w, post, readers);
			has_told |= is_asking && forwarding_ask(f, w, post);
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
	if (!p || !forwarding_is_fit(p))
		return;
	pair = address_book_pair(r->book, p);
	if (!pair || forwarding_open(&record, there, pair) < 0 ||
	    !device_public_equal(&record.device, &a->device) ||
	    !address_book_learn(r->book, p, &record))
		return;
	/* Where we have left ours, they are told of us if they ask. */
	reach_found(r->reach, p, &a->device, &there->seen, REACH_THIRD, post->left != 0);
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
