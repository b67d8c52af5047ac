/* What is kept for so many days and no longer: by a rule for all, or for one contact, on one machine. Nothing
 * goes before its days have passed, what is older goes without a mark once the machine is awake, whatever its
 * clock was set to meanwhile; the person's other machines and the other person keep it. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/world/people_inside.h"
#include "tests/world/story_inside.h"

#define HOUR         (3600 * SECOND)
#define DAY          (24 * HOUR)
#define TEN_YEARS_MS ((int64_t)3652 * 86400 * 1000)
/* Rules are looked at each hour. */
#define LATE (HOUR + 60 * SECOND)
enum { ROWS_MAX = 256, OFF_H = 20, STAGES = 3 };

struct kept {
	uint64_t id;
	mono_ns since, seen; /* it came between */
	unsigned look;
	bool is_gone;
};

struct keeps {
	struct story *story;
	unsigned machine, days; /* with the rule; 0: none yet */
	mono_ns up;             /* ... and awake since then */
	struct kept rows[MACHINES][ROWS_MAX];
	unsigned counts[MACHINES], looks, gone;
	mono_ns looked;
	unsigned at; /* machine that is looked at */
};

static bool each_kept(void *user, const struct message *m)
{
	struct keeps *k = user;
	struct kept *rows = k->rows[k->at];
	unsigned i = 0;

	while (i < k->counts[k->at] && rows[i].id != m->id)
		i++;
	if (i == ROWS_MAX)
		return false;
	if (i == k->counts[k->at]) {
		k->counts[k->at]++;
		rows[i] = (struct kept){ .id = m->id,
					 .since = k->looked,
					 .seen = world_now(k->story->world) };
	}
	rows[i].look = k->looks;
	if (m->is_gone || rows[i].is_gone)
		world_fail(k->story->world,
			   "machine %u: message %llu was not kept, and left a mark", k->at,
			   (unsigned long long)m->id);
	return true;
}

static void judge(struct keeps *k, struct kept *r)
{
	struct world *w = k->story->world;
	mono_ns now = world_now(w), days = k->days * DAY;
	bool has_rule = k->at == k->machine && days > 0, is_there = r->look == k->looks;
	mono_ns latest = r->seen + days > k->up ? r->seen + days : k->up;

	if (!is_there && !has_rule)
		world_fail(w, "machine %u keeps all, and message %llu is gone", k->at,
			   (unsigned long long)r->id);
	else if (!is_there && !r->is_gone && now < r->since + days)
		world_fail(
			w,
			"machine %u: message %llu is to be kept %u days, and gone after %.1f h",
			k->at, (unsigned long long)r->id, k->days, (now - r->since) / 3.6e12);
	else if (is_there && has_rule && now > latest + LATE)
		world_fail(w,
			   "machine %u: message %llu is kept %u days, and there after %.1f h",
			   k->at, (unsigned long long)r->id, k->days, (now - r->seen) / 3.6e12);
	k->gone += !is_there && !r->is_gone;
	r->is_gone = !is_there;
}

static void look(struct keeps *k)
{
	struct people *p = k->story->people;

	k->looks++;
	for (unsigned m = 1; m <= p->machine_count; m++) {
		if (!people_is_up(p, m))
			continue;
		k->at = m;
		engine_history(world_engine(p->world, m),
			       p->persons[3 - story_owner(k->story, m)].name, 0, 1 << 30,
			       each_kept, k);
		for (unsigned i = 0; i < k->counts[m]; i++)
			judge(k, &k->rows[m][i]);
	}
	k->looked = world_now(p->world);
}

static void watch(struct keeps *k, mono_ns how_long)
{
	for (; how_long > 0 && !world_trouble(k->story->world); how_long -= 60 * SECOND) {
		story_live(k->story, 60 * SECOND);
		look(k);
	}
}

/* All are in, and what each says has come; not all of them have it still. */
static bool is_calm(struct people *p, char *why, size_t why_size)
{
	if (!people_all_in(p, why, why_size) || !people_presence_is_true(p, why, why_size))
		return false;
	for (unsigned m = 1; m <= p->machine_count; m++) {
		struct contact c;

		if (engine_contact(people_hands(p, m),
				   p->persons[3 - p->machines[m].person].name, &c) == 0 &&
		    c.queued == 0)
			continue;
		snprintf(why, why_size, "what machine %u says has not come", m);
		return false;
	}
	return true;
}

static void set_rule(struct keeps *k)
{
	struct people *p = k->story->people;
	struct engine *e = people_hands(p, k->machine);
	const char *name = p->persons[3 - story_owner(k->story, k->machine)].name;
	struct engine_settings settings;
	int err;

	world_wake(p->world, k->machine);
	story_live(k->story, MILLISECOND);
	k->days = 1;
	k->up = world_now(p->world);
	engine_settings(e, &settings);
	settings.keep_days = dice_chance(story_dice(k->story), 500) ? 1 : 7;
	settings.downloads[0] = '\0';
	err = engine_set_settings(e, &settings);
	if (err == 0 && settings.keep_days != 1)
		err = engine_set_keep(e, name, 1);
	if (err < 0)
		world_fail(p->world, "machine %u takes no rule how long to keep messages",
			   k->machine);
	world_wake(p->world, k->machine);
}

/* Something is said, then all are off for most of a day. */
static void pass_a_day(struct keeps *k)
{
	struct story *s = k->story;

	for (unsigned i = dice_between(story_dice(s), 1, 8); i > 0; i--) {
		unsigned m = story_any_machine(s);

		people_say(s->people, m, 3 - story_owner(s, m), 60);
		story_live(s, dice_below(story_dice(s), 300) * SECOND);
		look(k);
	}
	if (dice_chance(story_dice(s), 400)) {
		world_jump_clock(s->world, k->machine,
				 dice_chance(story_dice(s), 500) ? TEN_YEARS_MS
								 : -TEN_YEARS_MS);
		watch(k, 120 * SECOND);
	}
	story_await(s, is_calm, "before a day passes");
	look(k);
	for (unsigned m = 1; m <= s->machines; m++)
		if (dice_chance(story_dice(s), 500))
			world_stop(s->world, m);
		else
			world_crash(s->world, m);
	story_live(s, dice_between(story_dice(s), OFF_H - 4, OFF_H) * HOUR);
	for (unsigned m = 1; m <= s->machines; m++)
		world_start(s->world, m);
	story_await(s, is_calm, "after a day has passed");
	k->up = world_now(s->world);
	watch(k, dice_between(story_dice(s), 1, 4) * HOUR);
}

void story_that_keeps(struct story *s, uint64_t seed)
{
	struct keeps *k = memory_new(sizeof *k);
	struct cast cast = { .persons = 2 };
	struct dice shape;

	k->story = s;
	dice_init(&shape, seed, 3);
	story_share_out(&shape, cast.persons, 3, cast.machines);
	story_begin(s, seed, &cast);
	story_fair_weather(s);
	story_wish_all_contacts(s);
	story_settle(s, "before anything is kept no longer");
	k->machine = story_any_machine(s);
	k->looked = world_now(s->world);
	pass_a_day(k);
	set_rule(k);
	for (unsigned i = 0; i < STAGES && !world_trouble(s->world); i++)
		pass_a_day(k);
	if (k->gone == 0)
		world_fail(s->world, "nothing has gone by a rule how long to keep it");
	free(k);
}
