/* The verdict: what was promised, held against what is stored and was shown. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/people_inside.h"

struct verdict {
	struct people *p;
	struct sayings all[MACHINES]
			  [PERSONS]; /* each machine's conversation with each person */
};

/* What a home said to `b`: as it has it, or, where it is gone, as the person remembers. */
static void said_by(struct verdict *v, unsigned home, unsigned b, struct sayings *out)
{
	const struct home *h = &v->p->homes[home];
	const struct sayings *said = &h->said[b];

	if (!h->is_gone && people_is_up(v->p, h->machine)) {
		truth_of(&v->all[h->machine][b], home, out);
		return;
	}
	for (size_t i = 0; i < said->count; i++)
		if (said->list[i].fate != REFUSED)
			sayings_note(out, said->list[i].text, said->list[i].size)->fate =
				said->list[i].fate;
}

/* In the author's own history stand all texts that were accepted, in the order in which
 * they were said; perhaps such as were not answered; and nothing else. */
static void judge_own(struct verdict *v, unsigned machine, unsigned b)
{
	unsigned home = v->p->machines[machine].home;
	const struct sayings *said = &v->p->homes[home].said[b];
	struct sayings history = { 0 };
	size_t at = 0;

	truth_of(&v->all[machine][b], home, &history);
	for (size_t i = 0; i < said->count; i++) {
		if (at < history.count && saying_equal(&said->list[i], &history.list[at]) &&
		    said->list[i].fate != REFUSED)
			at++;
		else if (said->list[i].fate == ACCEPTED)
			world_fail(
				v->p->world,
				"machine %u to person %u: text %zu of %zu was accepted and is "
				"not in its own history",
				machine, b, i, said->count);
	}
	if (at != history.count)
		world_fail(v->p->world,
			   "machine %u to person %u: its history has %zu texts that were never "
			   "said, or twice",
			   machine, b, history.count - at);
	sayings_clear(&history);
}

/* What events told is what is stored, each by somebody who may say it. */
static void judge_shown(struct verdict *v, unsigned machine, unsigned b)
{
	const struct people *p = v->p;
	unsigned a = p->machines[machine].person;
	const struct sayings *all = &v->all[machine][b],
			     *shown = &p->homes[p->machines[machine].home].shown[b];
	size_t i = 0;

	for (; i < all->count && i < shown->count; i++) {
		const struct saying *x = &all->list[i], *y = &shown->list[i];

		if (!saying_equal(x, y) || x->author != y->author || x->is_ours != y->is_ours)
			break;
		if (p->homes[x->author].person != (x->is_ours ? a : b))
			world_fail(v->p->world, "machine %u: person %u did not say text %zu",
				   machine, x->is_ours ? a : b, i);
	}
	if (i < all->count || i < shown->count)
		world_fail(v->p->world,
			   "machine %u was shown %zu texts of the conversation with person %u, "
			   "and "
			   "has %zu in its history (alike: %zu)",
			   machine, shown->count, b, all->count, i);
}

/* --- what one home said, on one machine of another --- */

/* Behind a key change all is in order again. */
static bool has_the_tail(const struct sayings *said, const struct sayings *heard, size_t from)
{
	size_t count = said->count > from ? said->count - from : 0;

	if (heard->count < count)
		return false;
	for (size_t i = 1; i <= count; i++)
		if (!saying_equal(&said->list[said->count - i], &heard->list[heard->count - i]))
			return false;
	return true;
}

/* For a person who looks for a mistake: where in `said` each text is. */
static void tell_places(const struct sayings *said, const struct sayings *heard)
{
	if (!getenv("TRACE"))
		return;
	printf("  texts heard, by their places:");
	for (size_t i = 0, j = 0; i < heard->count; i++) {
		size_t tries = 0;

		for (; tries < said->count && !saying_equal(&said->list[j], &heard->list[i]);
		     tries++)
			j = (j + 1) % said->count;
		if (tries == said->count)
			printf(" ?");
		else
			printf(" %zu%s", j, said->list[j].fate == UNANSWERED ? "u" : "");
	}
	printf("\n");
}

static void judge_heard(struct verdict *v, unsigned author, unsigned e, unsigned b)
{
	struct people *p = v->p;
	const struct home *h = &p->homes[author];
	unsigned reader = p->machines[e].person;
	struct sayings said = { 0 }, heard = { 0 };
	bool is_due = !h->is_gone && people_is_in(p, h->machine) && people_is_in(p, e) &&
		      people_are_mutual(p, h->person, b);
	size_t from = p->arrived[author][p->machines[e].home][b], settled = h->settled[b], at;

	said_by(v, author, b, &said);
	truth_of(&v->all[e][reader == b ? h->person : b], author, &heard);
	if (!sayings_contain(&said, &heard)) {
		tell_places(&said, &heard);
		world_fail(p->world,
			   "machine %u has of home %u (machine %u) to person %u what was never "
			   "said, or twice: %zu of %zu",
			   e, author, h->machine, b, heard.count, said.count);
	} else if (p->is_unsettled[h->person][b] || settled == SIZE_MAX ||
		   (h->is_gone && settled > 0)) {
		; /* in no order that was promised */
	} else if (settled > 0) {
		if (is_due && from != NEVER_ARRIVED &&
		    !has_the_tail(&said, &heard, settled > from ? settled : from))
			world_fail(p->world,
				   "machine %u has not all that machine %u said to person %u "
				   "after "
				   "a key change: %zu of %zu, since %zu",
				   e, h->machine, b, heard.count, said.count, settled);
	} else {
		at = sayings_find(&said, &heard, 0, is_due);
		if (at == SIZE_MAX)
			tell_places(&said, &heard);
		if (at == SIZE_MAX)
			world_fail(
				p->world,
				"machine %u has %zu texts of home %u (machine %u) to person %u "
				"that are no piece of %zu%s",
				e, heard.count, author, h->machine, b, said.count,
				is_due ? " up to the end" : "");
		else if (is_due && at > from)
			world_fail(
				p->world,
				"machine %u has of machine %u to person %u the texts from %zu, "
				"and was there from %zu on",
				e, h->machine, b, at, from);
	}
	sayings_clear(&said);
	sayings_clear(&heard);
}

/* Whatever came before a machine arrived is on another one of the same person: where none began
 * anew, and no key changed. */
static void judge_first(struct verdict *v, unsigned d, unsigned b)
{
	struct people *p = v->p;
	unsigned author = p->machines[d].home, a = p->machines[d].person;
	const struct person_life *them = &p->persons[b];
	size_t first = SIZE_MAX;
	struct sayings said = { 0 };

	if (them->has_lost || p->was_rekeyed[a] || p->was_rekeyed[b] ||
	    !people_are_mutual(p, a, b) || !people_is_in(p, d))
		return;
	said_by(v, author, b, &said);
	for (unsigned e = them->first; e < them->first + them->machines; e++) {
		struct sayings heard = { 0 };
		size_t at = 0; /* one that is off may have them */

		if (people_is_up(p, e)) {
			truth_of(&v->all[e][a], author, &heard);
			at = sayings_find(&said, &heard, 0, false);
		}
		first = at < first ? at : first;
		sayings_clear(&heard);
	}
	if (first > 0)
		world_fail(p->world,
			   "no machine of person %u has the first %zu texts of machine %u", b,
			   first, d);
	sayings_clear(&said);
}

/* --- the directory --- */

static void judge_directory(struct people *p)
{
	struct server_status status = world_directory_status(p->world);

	for (unsigned type = WIRE_HAVE; type < 128; type++)
		if (status.messages_in[type] || status.messages_out[type])
			world_fail(p->world, "the directory has met messages of type %u", type);
	if (world_directory_holds(p->world, WORLD_MARKER, sizeof WORLD_MARKER - 1))
		world_fail(p->world, "a text lies in the folder of the directory");
	for (unsigned a = 1; a <= p->count; a++) {
		const struct person_life *me = &p->persons[a];

		if (world_directory_holds(p->world, me->password, strlen(me->password)))
			world_fail(p->world, "a password lies in the folder of the directory");
		if (me->has_code &&
		    world_directory_holds(p->world, me->code.bytes, sizeof me->code.bytes))
			world_fail(p->world, "a recovery code lies in the folder of the "
					     "directory");
	}
}

void people_judge(struct people *p)
{
	struct verdict *v = memory_new(sizeof *v);

	v->p = p;
	for (unsigned m = 1; m <= p->machine_count; m++)
		for (unsigned b = 1; b <= p->count; b++)
			if (b != p->machines[m].person && people_is_up(p, m))
				truth_read(p, m, b, &v->all[m][b]);
	for (unsigned m = 1; m <= p->machine_count; m++) {
		for (unsigned b = 1; b <= p->count; b++) {
			if (b == p->machines[m].person || !people_is_up(p, m))
				continue;
			judge_own(v, m, b);
			judge_shown(v, m, b);
			judge_first(v, m, b);
		}
		if (p->machines[m].is_shut_out && !people_is_cut_off(p, m))
			world_fail(p->world, "machine %u is revoked and not cut off", m);
	}
	for (unsigned h = 1; h <= p->home_count; h++) {
		for (unsigned e = 1; e <= p->machine_count; e++) {
			unsigned a = p->homes[h].person, reader = p->machines[e].person;

			if (p->machines[e].home == h || !people_is_up(p, e))
				continue;
			for (unsigned b = 1; b <= p->count; b++)
				if (b != a && (reader == a || reader == b))
					judge_heard(v, h, e, b);
		}
	}
	plays_judge(p);
	parcels_judge(p);
	shows_judge(p);
	judge_directory(p);
	for (unsigned m = 0; m < MACHINES; m++)
		for (unsigned b = 0; b < PERSONS; b++)
			sayings_clear(&v->all[m][b]);
	free(v);
}
