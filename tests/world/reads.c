/* What was read: by one person on one machine, known on the others and by whoever said it. */
#include <stdio.h>

#include "tests/world/people_inside.h"

static bool each_newest(void *user, const struct message *m)
{
	*(uint64_t *)user = m->id;
	return false;
}

void people_read(struct people *p, unsigned machine, unsigned b)
{
	struct engine *e = people_hands(p, machine);
	uint64_t newest = 0;

	if (!e)
		return;
	engine_history(e, p->persons[b].name, 0, 1, each_newest, &newest);
	if (newest)
		engine_mark_read(e, p->persons[b].name, newest);
	world_wake(p->world, machine);
}

void people_read_all(struct people *p)
{
	for (unsigned a = 1; a <= p->count; a++)
		for (unsigned b = 1; b <= p->count; b++)
			if (a != b)
				people_read(p, p->persons[a].hand, b);
}

struct unread {
	uint64_t id;
};

static bool each_unread(void *user, const struct message *m)
{
	struct unread *u = user;

	if (m->is_ours && m->state != MESSAGE_READ && !m->is_gone && !m->is_retracted)
		u->id = m->id;
	return true;
}

/* With whom all is settled, nothing is unread on any machine, and who said it knows that. */
bool people_all_is_read(struct people *p, char *why, size_t why_size)
{
	for (unsigned m = 1; m <= p->machine_count; m++) {
		unsigned a = p->machines[m].person;

		for (unsigned b = 1; b <= p->count; b++) {
			struct unread unread = { 0 };
			struct contact c;

			if (a == b || !plays_are_whole(p, a) || !plays_are_whole(p, b) ||
			    !people_are_mutual(p, a, b) ||
			    people_consent(p, a, b) >= CONSENT_NEVER || p->is_unsettled[a][b] ||
			    engine_contact(people_hands(p, m), p->persons[b].name, &c) < 0)
				continue;
			engine_history(people_hands(p, m), p->persons[b].name, 0, 1 << 30,
				       each_unread, &unread);
			if (c.unread == 0 && !unread.id)
				continue;
			snprintf(why, why_size,
				 "machine %u: with person %u %llu are unread, and message %llu "
				 "of "
				 "ours is not known to have been read",
				 m, b, (unsigned long long)c.unread,
				 (unsigned long long)unread.id);
			return false;
		}
	}
	return true;
}
