/* The posts: one for each way, with what was said and heard on the link of now. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/forwarding_inside.h"
#include "peer/persons.h"
#include "peer/reach.h"

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
	post->has_left = false;
}

static void post_free(struct post *post)
{
	unlinked(post);
	free(post);
}

void forwarding_free_posts(struct forwarding *f)
{
	for (unsigned i = 0; i < f->post_count; i++)
		post_free(f->posts[i]);
	free(f->posts);
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

mono_ns forwarding_period(const struct forwarding *f)
{
	return FORWARDING_ASK * (1 + f->linked_count / FORWARDING_ASKED);
}

/* With many links not all are asked at the same moment. */
static mono_ns first_ask(const struct forwarding *f)
{
	mono_ns spread = f->linked_count <= FORWARDING_ASKED ? 0 : forwarding_period(f);

	return f->rooms->now + spread / 1024 * randombytes_uniform(1024);
}

struct post *forwarding_need_post(struct forwarding *f, const struct way *w)
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

void forwarding_follow_ways(struct forwarding *f)
{
	unsigned kept = 0, linked = 0;
	const struct way *w;

	for (unsigned i = 0; i < f->post_count; i++)
		f->posts[i]->is_seen = false;
	for (unsigned i = 0; (w = reach_way_at(f->rooms->reach, i)) != NULL; i++) {
		unsigned at = place_of(f, w->number);

		if (w->state == WAY_LINKED && person_is_open(w->person) &&
		    !w->person->is_unseen) {
			forwarding_need_post(f, w)->is_seen = true;
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
