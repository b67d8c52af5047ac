#include "peer/forwarding_inside.h"

#include <sodium.h>
#include <stdlib.h>

#include "peer/address_book.h"
#include "peer/directory_client.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "shared/error.h"

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
	forwarding_free_posts(f);
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
		due = mono_earlier(due, forwarding_leave_at(post, readers));
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

	forwarding_follow_ways(f);
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
	/* An older one is no offence; a forged one is. */
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
	post = forwarding_need_post(f, from);
	switch (m->type) {
	case WIRE_RECORD:
		if (!afford(f, &post->paid_record, FORWARDING_HEAR_RECORD, FORWARDING_BURST))
			return 0;
		return hear_record(f, from, &m->record.record);
	case WIRE_FORWARDING:
		if (!afford(f, &post->paid_forwarding, FORWARDING_HEAR_FORWARDING,
			    FORWARDING_BURST))
			return 0;
		post->has_left = true;
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
