/* History that an older machine grants to a newer one of the same person: in the end the newer one
 * shows of each conversation what the older one shows. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/people_inside.h"

enum { MARK_SIZE = 16 };

/* Messages as they are shown, each a hash. */
struct past {
	uint8_t (*marks)[MARK_SIZE];
	size_t count, capacity;
	bool is_two_sided; /* the other one said something, or got something */
};

static void add_bytes(crypto_generichash_state *state, struct bytes b)
{
	crypto_generichash_update(state, (const uint8_t *)&b.size, sizeof b.size);
	crypto_generichash_update(state, b.data, b.size);
}

static bool each_mark(void *user, const struct message *m)
{
	struct past *past = user;
	crypto_generichash_state state;

	past->is_two_sided |= !m->is_ours || m->state >= MESSAGE_DELIVERED;
	/* Of what is gone there is nothing to give. */
	if (m->is_gone || m->is_retracted || m->life > 0)
		return true;
	if (past->count == past->capacity) {
		past->capacity = past->capacity ? 2 * past->capacity : 256;
		past->marks = memory_grow(past->marks, past->capacity, MARK_SIZE);
	}
	crypto_generichash_init(&state, NULL, 0, MARK_SIZE);
	add_bytes(&state, bytes_of(m->author.bytes, sizeof m->author.bytes));
	add_bytes(&state, bytes_of(&m->sent_at, sizeof m->sent_at));
	add_bytes(&state, bytes_of(&m->seq, sizeof m->seq));
	add_bytes(&state, bytes_of(&m->is_edited, sizeof m->is_edited));
	add_bytes(&state, m->text);
	add_bytes(&state, m->our_reactions);
	add_bytes(&state, m->their_reactions);
	if (m->has_file)
		add_bytes(&state, m->file.name);
	crypto_generichash_final(&state, past->marks[past->count++], MARK_SIZE);
	return true;
}

static int compare_marks(const void *a, const void *b)
{
	return memcmp(a, b, MARK_SIZE);
}

static struct past past_of(struct people *p, unsigned machine, unsigned b)
{
	struct past past = { 0 };

	engine_history(world_engine(p->world, machine), p->persons[b].name, 0, 1 << 30,
		       each_mark, &past);
	if (past.count > 0)
		qsort(past.marks, past.count, MARK_SIZE, compare_marks);
	return past;
}

/* How many of `x` are not in `y`; both in order. */
static size_t missing(const struct past *x, const struct past *y)
{
	size_t count = 0, j = 0;

	for (size_t i = 0; i < x->count; i++) {
		while (j < y->count && compare_marks(y->marks[j], x->marks[i]) < 0)
			j++;
		if (j < y->count && compare_marks(y->marks[j], x->marks[i]) == 0)
			j++;
		else
			count++;
	}
	return count;
}

bool people_grant(struct people *p, unsigned older, unsigned newer)
{
	struct engine *from = people_hands(p, older);

	if (!from || !people_is_in(p, newer) || older == newer)
		return false;
	p->granter = older;
	p->grantee = newer;
	world_wake(p->world, older);
	return engine_grant_history(from, &people_home(p, newer)->key, 0, true) == 0;
}

bool people_past_is_there(struct people *p, char *why, size_t why_size)
{
	unsigned older = p->granter, newer = p->grantee, a = p->machines[older].person;

	for (unsigned b = 1; b <= p->count; b++) {
		struct past x, y;
		struct contact c;
		bool is_contact;
		size_t count;

		if (b == a || !people_is_up(p, older) || !people_is_up(p, newer) ||
		    p->was_rekeyed[a] || p->was_rekeyed[b])
			continue;
		is_contact = engine_contact(world_engine(p->world, older), p->persons[b].name,
					    &c) == 0;
		x = past_of(p, older, b);
		y = past_of(p, newer, b);
		count = missing(&x, &y);
		free(x.marks);
		free(y.marks);
		/* What was said to somebody whose key was never seen has no name that lasts; who was
		 * removed is not shown, and has a key if anything passed between the two. */
		if (count == 0 || !(is_contact ? c.has_identity : x.is_two_sided))
			continue;
		snprintf(
			why, why_size,
			"machine %u was granted all that machine %u has, and misses %zu of %zu "
			"messages with person %u; it has %zu",
			newer, older, count, x.count, b, y.count);
		return false;
	}
	p->counts.granted++;
	return true;
}
