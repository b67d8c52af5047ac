/* By which tag a probe finds its way: of every device that may have our address. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/reach_inside.h"

bool reach_keys(struct reach *r, struct way *w)
{
	const struct peer_record *record = reach_record(r, w);
	const struct symmetric_key *pair;

	if (!record)
		return false;
	if (w->has_probe_keys && w->keys_number == record->number)
		return true;
	pair = address_book_pair(r->rooms->book, w->person);
	if (!pair)
		return false;
	probe_keys_make(&w->probe_keys, pair, account_device(r->rooms->account), &w->device,
			account_knock(r->rooms->account), &record->knock);
	r->are_tags_old |= !w->has_probe_keys;
	w->has_probe_keys = true;
	w->keys_number = record->number;
	return true;
}

void reach_keys_forget(struct reach *r)
{
	for (unsigned i = 0; i < r->count; i++)
		r->ways[i]->has_probe_keys = false;
	r->are_tags_old = true;
}

static int in_order(const void *a, const void *b)
{
	const struct reach_tag *x = a, *y = b;

	return memcmp(x->tag.bytes, y->tag.bytes, PROBE_TAG_SIZE);
}

static void make_table(struct reach *r)
{
	r->tag_count = 0;
	r->tags = memory_grow(r->tags, r->count + 1, sizeof *r->tags);
	for (unsigned i = 0; i < r->count; i++) {
		struct way *w = r->ways[i];

		if (reach_keys(r, w))
			r->tags[r->tag_count++] = (struct reach_tag){ w->probe_keys.tag_in, w };
	}
	qsort(r->tags, r->tag_count, sizeof *r->tags, in_order);
	r->are_tags_old = false;
}

struct way *reach_by_tag(struct reach *r, const struct probe_tag *tag)
{
	struct reach_tag wanted = { *tag, NULL }, *found;

	if (r->are_tags_old)
		make_table(r);
	if (r->tag_count == 0)
		return NULL;
	found = bsearch(&wanted, r->tags, r->tag_count, sizeof *r->tags, in_order);
	return found ? found->way : NULL;
}
