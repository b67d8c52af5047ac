/* Who hides from somebody, or from all, is shown to them by nothing: not as online, by no link, no
 * datagram, no newer record of where it is; whatever restarts, dies, moves or asks meanwhile. Others see it as
 * ever, and it sees all. When it shows itself again, all is as before, and what was written to it comes. */
#include <stdlib.h>

#include "peer/address_book.h"
#include "peer/persons.h"
#include "tests/world/people_inside.h"
#include "tests/world/story_inside.h"

#define HIDE_TICKET (4ull << 60)
#define LOOK_EVERY  (200 * MILLISECOND)
/* What was under way when it hid. */
#define GRACE_S 10
enum { ROUNDS_MAX = 4, HAPPENINGS_MAX = 6 };

struct hides {
	struct story *story;
	unsigned who;
	bool is_invisible;                    /* to all */
	uint64_t records[MACHINES][MACHINES]; /* numbers, of whose machine at whose */
};

static bool is_from(const struct hides *h, unsigned b)
{
	return b != h->who && h->story->people->persons[h->who].consent[b] == CONSENT_HIDDEN;
}

/* Of machine `d`'s record at machine `m`; 0: it has none. */
static uint64_t record_at(const struct people *p, unsigned m, unsigned d)
{
	struct rooms *rooms = engine_rooms(world_engine(p->world, m));
	const struct peer_record *record;
	const struct person *person;
	struct name name;

	if (name_parse(&name, bytes_text(p->persons[p->machines[d].person].name)) < 0)
		return 0;
	person = persons_find(rooms->persons, &name);
	record = person ? address_book_of(rooms->book, person,
					  &p->homes[p->machines[d].home].key)
			: NULL;
	return record ? record->number : 0;
}

/* --- what the others see --- */

static void take_records(struct hides *h)
{
	struct people *p = h->story->people;

	for (unsigned m = 1; m <= p->machine_count; m++)
		for (unsigned d = 1; d <= p->machine_count; d++)
			if (people_is_up(p, m))
				h->records[m][d] = record_at(p, m, d);
}

static void judge_machine(struct hides *h, unsigned m)
{
	struct people *p = h->story->people;
	const struct person_life *who = &p->persons[h->who];

	if (people_sees_online(p, m, h->who))
		world_fail(p->world, "person %u hides, and machine %u sees it online", h->who,
			   m);
	if (people_is_linked(p, m, h->who))
		world_fail(p->world, "person %u hides, and machine %u is linked with it",
			   h->who, m);
	for (unsigned d = who->first; d < who->first + who->machines; d++)
		if (record_at(p, m, d) > h->records[m][d])
			world_fail(p->world,
				   "person %u hides, and machine %u got a record of machine %u",
				   h->who, m, d);
}

static void watch(struct hides *h, mono_ns how_long)
{
	struct story *s = h->story;

	for (mono_ns left = how_long; left > 0 && !world_trouble(s->world);) {
		mono_ns part = mono_earlier(left, LOOK_EVERY);

		story_live(s, part);
		for (unsigned m = 1; m <= s->machines; m++)
			if (people_is_up(s->people, m) && is_from(h, story_owner(s, m)))
				judge_machine(h, m);
		left -= part;
	}
}

/* --- hiding and showing --- */

/* All its machines know. */
static bool is_known(struct hides *h, bool is_hidden)
{
	struct people *p = h->story->people;
	const struct person_life *who = &p->persons[h->who];

	for (unsigned m = who->first; m < who->first + who->machines; m++) {
		struct engine *e = people_hands(p, m);
		struct contact c;

		for (unsigned b = 1; b <= p->count; b++)
			if (b != h->who &&
			    (!e || engine_contact(e, p->persons[b].name, &c) < 0 ||
			     c.is_hidden_from != (is_hidden && is_from(h, b))))
				return false;
	}
	return true;
}

static void await_known(struct hides *h, bool is_hidden)
{
	struct world *w = h->story->world;
	mono_ns until = world_now(w) + SETTLE_S * SECOND;

	while (!world_trouble(w) && !is_known(h, is_hidden)) {
		story_live(h->story, SECOND);
		if (world_now(w) > until)
			world_fail(w, "machines of person %u do not know whether it hides",
				   h->who);
	}
}

static void set_invisible(struct hides *h, bool is_invisible)
{
	struct people *p = h->story->people;
	unsigned machine = p->persons[h->who].hand;
	const struct engine_profile_change change = { .is_invisible = &is_invisible };
	struct engine *e = people_hands(p, machine);

	if (!e || engine_set_profile(e, &change, HIDE_TICKET) < 0)
		world_fail(p->world, "machine %u cannot be told that it is invisible", machine);
	world_wake(p->world, machine);
	story_live(h->story, SECOND / 2);
}

static void hide(struct hides *h)
{
	struct story *s = h->story;
	struct people *p = s->people;
	unsigned one = story_any_other(s, h->who);

	h->is_invisible = dice_chance(story_dice(s), 400);
	p->is_invisible[h->who] = h->is_invisible;
	if (h->is_invisible)
		set_invisible(h, true);
	for (unsigned b = 1; b <= p->count; b++)
		if (b != h->who && (h->is_invisible || b == one))
			p->persons[h->who].consent[b] = CONSENT_HIDDEN;
	await_known(h, true);
	story_live(s, GRACE_S * SECOND);
	take_records(h);
	for (unsigned b = 1; b <= p->count; b++)
		p->is_kept_from[h->who][b] = is_from(h, b);
}

static void show(struct hides *h)
{
	struct people *p = h->story->people;

	for (unsigned b = 1; b <= p->count; b++) {
		p->is_kept_from[h->who][b] = false;
		p->persons[h->who].consent[b] = CONSENT_DIRECT;
	}
	if (h->is_invisible)
		set_invisible(h, false);
	p->is_invisible[h->who] = false;
	await_known(h, false);
}

/* --- what happens meanwhile --- */

static void something_happens(struct hides *h)
{
	struct story *s = h->story;
	unsigned m = story_any_machine(s), a = story_owner(s, m);

	switch (dice_below(story_dice(s), 6)) {
	case 0:
		world_crash(s->world, m);
		break;
	case 1:
		world_stop(s->world, m);
		break;
	case 2:
		world_move(s->world, m, dice_chance(story_dice(s), 500));
		break;
	case 3:
		world_crash(s->world, WORLD_DIRECTORY);
		break;
	case 4:
		world_change_lan(s->world, m);
		break;
	default:
		break;
	}
	/* Who hides says nothing to those from whom it does: that would show it. */
	for (unsigned b = 1; b <= s->persons; b++)
		if (b != a && !(a == h->who && is_from(h, b)) &&
		    dice_chance(story_dice(s), 600))
			people_say(s->people, m, b, 60);
	watch(h, dice_between(story_dice(s), 1, 30) * SECOND);
	for (unsigned i = 0; i <= s->machines; i++)
		if (dice_chance(story_dice(s), 700))
			world_start(s->world, i);
}

/* All that the directory tells others of somebody who hides from all is nothing, also when it goes. */
static void leave_unseen(struct hides *h)
{
	struct story *s = h->story;
	const struct person_life *who = &s->people->persons[h->who];
	uint64_t notes;

	for (unsigned b = 1; b <= s->persons; b++)
		if (b != h->who && !is_from(h, b))
			return;
	if (who->machines > 1)
		return; /* which hear of one another */
	watch(h, 10 * SECOND);
	notes = world_directory_status(s->world).presence_notes;
	world_stop(s->world, who->first);
	watch(h, 5 * SECOND);
	if (world_directory_status(s->world).presence_notes != notes)
		world_fail(s->world, "person %u hid, and left, and others were told", h->who);
	world_start(s->world, who->first);
	watch(h, 10 * SECOND);
}

static void hide_for_a_while(struct hides *h)
{
	struct story *s = h->story;

	h->who = story_any_person(s);
	hide(h);
	leave_unseen(h);
	for (unsigned i = dice_between(story_dice(s), 1, HAPPENINGS_MAX); i > 0; i--)
		something_happens(h);
	for (unsigned i = 0; i <= s->machines; i++)
		world_start(s->world, i);
	watch(h, 60 * SECOND);
	story_expect_presence(s, "with somebody hidden");
	show(h);
	story_settle(s, "with nobody hidden any more");
	people_greet_all(s->people);
	story_settle(s, "with nobody hidden any more, and texts");
}

void story_with_somebody_hidden(struct story *s, uint64_t seed)
{
	struct hides *h = memory_new(sizeof *h);
	struct cast cast = { 0 };
	struct dice shape;

	h->story = s;
	dice_init(&shape, seed, 3);
	cast.persons = dice_between(&shape, 2, 3);
	story_share_out(&shape, cast.persons, cast.persons + dice_below(&shape, 3),
			cast.machines);
	cast.is_v6 = dice_chance(&shape, 500);
	cast.has_nats = dice_chance(&shape, 500);
	s->has_partings = true; /* nobody relays: what a relay sends is not its own */
	story_begin(s, seed, &cast);
	story_fair_weather(s);
	story_wish_all_contacts(s);
	story_settle(s, "before anybody hides");
	people_greet_all(s->people);
	story_settle(s, "before anybody hides, with texts");
	for (unsigned i = dice_between(&shape, 1, ROUNDS_MAX); i > 0; i--)
		if (!world_trouble(s->world))
			hide_for_a_while(h);
	people_judge(s->people);
	free(h);
}
