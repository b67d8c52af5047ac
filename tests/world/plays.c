/* Messages that are played with: edited, reacted to, replied to, taken back, by whoever may. Their texts
 * begin with a mark and are judged by themselves: in the end all machines of both persons show the
 * same of each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/people_inside.h"

#define PLAY_MARK   "\xe2\x96\xb6 "
#define PLAY_TICKET (2ull << 60)
enum { LATELY = 60, KEPT = 16 };

bool plays_is_one(const struct message *m)
{
	return m->is_retracted || m->is_gone || m->has_file ||
	       (m->text.size >= sizeof PLAY_MARK - 1 &&
		memcmp(m->text.data, PLAY_MARK, sizeof PLAY_MARK - 1) == 0);
}

/* --- playing --- */

struct lately {
	uint64_t ids[KEPT], ours[KEPT];
	unsigned count, ours_count;
};

static bool each_lately(void *user, const struct message *m)
{
	struct lately *l = user;

	if (!plays_is_one(m) || m->is_retracted || m->is_gone)
		return true;
	l->ids[l->count++] = m->id;
	if (m->is_ours)
		l->ours[l->ours_count++] = m->id;
	return l->count < KEPT;
}

void people_play(struct people *p, unsigned machine, unsigned b)
{
	static const char *const reactions[] = { "", "+", "- +", "\xf0\x9f\x91\x8d" };
	struct engine *e = people_hands(p, machine);
	struct dice *d = people_dice(p);
	const char *name = p->persons[b].name;
	struct lately lately = { 0 };
	unsigned kind = dice_below(d, 100);
	char text[64];

	if (!e || engine_history(e, name, 0, LATELY, each_lately, &lately) < 0)
		return;
	snprintf(text, sizeof text, PLAY_MARK "%u %llu", machine,
		 (unsigned long long)++p->plays);
	if (lately.count == 0 || kind < 40)
		engine_send(e, name, bytes_text(text),
			    lately.count && kind < 15 ? lately.ids[dice_below(d, lately.count)]
						      : 0,
			    PLAY_TICKET);
	else if (kind < 65)
		engine_react(e, lately.ids[dice_below(d, lately.count)],
			     bytes_text(reactions[dice_below(d, 4)]), PLAY_TICKET);
	else if (lately.ours_count > 0 && kind < 88)
		engine_edit(e, lately.ours[dice_below(d, lately.ours_count)], bytes_text(text),
			    PLAY_TICKET);
	else if (lately.ours_count > 0)
		engine_retract(e, lately.ours[dice_below(d, lately.ours_count)], PLAY_TICKET);
	world_wake(p->world, machine);
}

/* --- the verdict --- */

/* What a machine shows of one. */
struct shown {
	struct device_public author;
	wall_ms sent_at;
	char state[160];
};
struct all_shown {
	struct shown *list;
	size_t count, capacity;
	bool is_first; /* the machine is one of the person with the smaller number */
};

static bool each_shown(void *user, const struct message *m)
{
	struct all_shown *all = user;
	struct bytes first = all->is_first ? m->our_reactions : m->their_reactions,
		     second = all->is_first ? m->their_reactions : m->our_reactions;
	struct shown *s;

	if (!plays_is_one(m))
		return true;
	if (all->count == all->capacity) {
		all->capacity = all->capacity ? 2 * all->capacity : 64;
		all->list = memory_grow(all->list, all->capacity, sizeof *all->list);
	}
	s = &all->list[all->count++];
	s->author = m->author;
	s->sent_at = m->sent_at;
	snprintf(s->state, sizeof s->state, "%.*s%.*s, %s, [%.*s] and [%.*s]",
		 (int)m->text.size, (const char *)m->text.data, (int)m->file.name.size,
		 (const char *)m->file.name.data,
		 m->is_retracted ? "taken back"
		 : m->is_gone    ? "gone"
		 : m->is_edited  ? "edited"
				 : "as it was",
		 (int)first.size, (const char *)first.data, (int)second.size,
		 (const char *)second.data);
	return true;
}

static struct all_shown read_shown(struct people *p, unsigned machine, unsigned with)
{
	struct all_shown all = { .is_first = p->machines[machine].person < with };

	engine_history(world_engine(p->world, machine), p->persons[with].name, 0, 1 << 30,
		       each_shown, &all);
	return all;
}

/* The only one of that author and moment; NULL: none, or several. */
static const struct shown *the_same(const struct all_shown *all, const struct shown *s)
{
	const struct shown *found = NULL;

	for (size_t i = 0; i < all->count; i++) {
		const struct shown *x = &all->list[i];

		if (x->sent_at != s->sent_at || !device_public_equal(&x->author, &s->author))
			continue;
		if (found)
			return NULL;
		found = x;
	}
	return found;
}

static void compare(struct people *p, unsigned m, unsigned a, unsigned n, unsigned b)
{
	struct all_shown x = read_shown(p, m, a), y = read_shown(p, n, b);

	for (size_t i = 0; i < x.count; i++) {
		const struct shown *there = the_same(&y, &x.list[i]);

		if (!there || !the_same(&x, &x.list[i]))
			continue;
		p->counts.compared++;
		if (strcmp(there->state, x.list[i].state) != 0)
			world_fail(p->world,
				   "machine %u shows \"%s\" and machine %u \"%s\" of home %u, "
				   "%lld",
				   m, x.list[i].state, n, there->state,
				   people_home_of(p, &x.list[i].author),
				   (long long)x.list[i].sent_at);
	}
	free(x.list);
	free(y.list);
}

bool plays_are_whole(const struct people *p, unsigned a)
{
	const struct person_life *me = &p->persons[a];

	if (me->has_lost || p->was_rekeyed[a])
		return false;
	for (unsigned m = me->first; m < me->first + me->machines; m++)
		if (!people_is_in(p, m) || p->machines[m].is_late)
			return false;
	return true;
}

/* All machines of both show the same as the first one. */
static void judge_pair(struct people *p, unsigned a, unsigned b)
{
	const struct person_life *one = &p->persons[a], *other = &p->persons[b];

	if (!plays_are_whole(p, a) || !plays_are_whole(p, b) || !people_are_mutual(p, a, b) ||
	    people_consent(p, a, b) >= CONSENT_NEVER || p->is_unsettled[a][b])
		return;
	for (unsigned m = one->first + 1; m < one->first + one->machines; m++)
		compare(p, one->first, b, m, b);
	for (unsigned m = other->first; m < other->first + other->machines; m++)
		compare(p, one->first, b, m, a);
}

void plays_judge(struct people *p)
{
	for (unsigned a = 1; a <= p->count; a++)
		for (unsigned b = a + 1; b <= p->count; b++)
			judge_pair(p, a, b);
}
