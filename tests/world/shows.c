/* What people show of themselves: changed now and then; in the end all machines of one person agree, and who
 * is linked with one of them shows the same. */
#include <stdio.h>
#include <string.h>

#include "tests/world/people_inside.h"

#define SHOW_TICKET (3ull << 60)

void people_show(struct people *p, unsigned machine)
{
	struct engine *e = people_hands(p, machine);
	enum availability availability = (enum availability)dice_below(people_dice(p), 3);
	char status[40];
	const struct engine_profile_change change = { .availability = &availability,
						      .status = status };

	snprintf(status, sizeof status, "%u of machine %u", ++p->shows, machine);
	if (e && engine_set_profile(e, &change, SHOW_TICKET) == 0)
		world_wake(p->world, machine);
}

/* Of machine `m`'s own person. */
static void judge_own(struct people *p, unsigned m, const struct profile *ours)
{
	const struct person_life *me = &p->persons[p->machines[m].person];
	struct profile other;

	for (unsigned n = me->first; n < me->first + me->machines; n++) {
		if (n == m || !people_is_in(p, n))
			continue;
		engine_profile(people_hands(p, n), &other);
		if (strcmp(ours->status, other.status) != 0)
			world_fail(p->world, "machines %u and %u of one person show %s and %s",
				   m, n, ours->status, other.status);
	}
}

/* A device that is not there any more, and was not put out, may have shown something newer than all that
 * are: nobody takes its place. */
static bool knows_all(struct people *p, unsigned m)
{
	const struct person_life *me = &p->persons[p->machines[m].person];
	unsigned count = 0;

	for (unsigned n = me->first; n < me->first + me->machines; n++)
		count += people_is_in(p, n);
	return engine_devices(people_hands(p, m))->count == count;
}

void shows_judge(struct people *p)
{
	for (unsigned m = 1; m <= p->machine_count; m++) {
		unsigned a = p->machines[m].person;
		struct profile ours;

		if (!people_is_in(p, m))
			continue;
		engine_profile(people_hands(p, m), &ours);
		judge_own(p, m, &ours);
		if (!knows_all(p, m))
			continue;
		for (unsigned n = 1; n <= p->machine_count; n++) {
			struct contact c;

			if (p->machines[n].person == a || !people_is_in(p, n) ||
			    !people_are_mutual(p, a, p->machines[n].person) ||
			    engine_contact(people_hands(p, n), p->persons[a].name, &c) < 0 ||
			    !c.is_linked)
				continue;
			if (strcmp(c.status, ours.status) != 0)
				world_fail(p->world,
					   "machine %u shows \"%s\" of machine %u, which shows "
					   "\"%s\"",
					   n, c.status, m, ours.status);
		}
	}
}
