/* Messages that disappear: two persons agree on it, and what they say then is gone on each of their
 * machines in its time: not before its life has passed since it was said (here, or by another device of the
 * same person) or read, not long after; also where machines die, sleep, are off and have clocks that leap.
 * What was said before stays. */
#include "tests/world/people_inside.h"
#include "tests/world/story_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FADE_TICKET  (3ull << 60)
#define TEN_YEARS_MS ((int64_t)3652 * 86400 * 1000)
/* Clocks are looked at each minute, and what a leap was is clear 5 s later. */
#define LATE (70 * SECOND)
/* A clock that is set while the machine does not look is no other than one that went on: up to a day of
 * that counts, and what passed since it was last written down, up to an hour, does not. */
#define UNSURE    (10 * SECOND)
#define UNWRITTEN (3600 * SECOND)
enum { LOOK_S = 5, SAID_MAX = 16, AWAY_S = 60, ROWS_MAX = 256, READS_MAX = 64 };

/* A message as one machine shows it. */
struct row {
	uint64_t id, seq;
	unsigned author;                /* home */
	uint32_t life;                  /* 0: it stays */
	bool is_ours, is_gone, is_done; /* taken back, or gone before it came */
	mono_ns before, seen;           /* it came between */
	wall_ms age;                    /* when it came */
	unsigned look;
};

struct view {
	struct row rows[ROWS_MAX];
	unsigned count, looks;
	mono_ns looked;         /* when it could be */
	mono_ns visited, away;  /* ... and how long it could not */
	mono_ns jumped, downed; /* last; NEVER */
	bool is_blurred;
};

struct fades {
	struct story *story;
	unsigned machine; /* that is looked at */
	struct view views[MACHINES];
	struct {
		unsigned person, author;
		uint64_t seq;
		mono_ns at;
	} reads[READS_MAX];
	unsigned read_count;
	mono_ns all_read; /* known to all; NEVER */
	uint32_t life;
};

/* --- when each may go --- */

/* When the person began to have read that; NEVER. */
static mono_ns read_at(const struct fades *f, unsigned person, const struct row *r)
{
	for (unsigned i = 0; i < f->read_count; i++)
		if (f->reads[i].person == person && f->reads[i].author == r->author &&
		    f->reads[i].seq >= r->seq)
			return f->reads[i].at;
	return NEVER;
}

static void judge_gone(struct fades *f, const struct view *v, const struct row *r)
{
	struct world *w = f->story->world;
	mono_ns life = r->life * SECOND, now = world_now(w),
		from = r->is_ours ? r->before
				  : read_at(f, story_owner(f->story, f->machine), r);

	if (r->life == 0)
		world_fail(w, "machine %u: message %llu was to stay, and is gone", f->machine,
			   (unsigned long long)r->id);
	else if (from == NEVER)
		world_fail(w, "machine %u: message %llu was not read, and is gone", f->machine,
			   (unsigned long long)r->id);
	else if (!v->is_blurred && now + (mono_ns)r->age * MILLISECOND + SECOND < from + life)
		world_fail(w,
			   "machine %u: message %llu (%s) with a life of %u s is gone after "
			   "%.1f s; it was %.1f s old when it came",
			   f->machine, (unsigned long long)r->id,
			   r->is_ours ? "ours" : "theirs", r->life, (now - from) / 1e9,
			   r->age / 1e3);
}

static mono_ns latest(const struct fades *f, const struct view *v, const struct row *r)
{
	mono_ns from = r->seen;

	if (r->is_done || r->is_gone || r->life == 0)
		return 0;
	if (!r->is_ours && f->all_read == NEVER)
		return NEVER;
	if (!r->is_ours && from < f->all_read)
		from = f->all_read;
	return from + r->life * SECOND + v->away + LATE + (v->is_blurred ? UNWRITTEN : 0);
}

static void judge_there(struct fades *f, const struct view *v, const struct row *r)
{
	struct world *w = f->story->world;

	if (r->life > 0 && world_now(w) > latest(f, v, r))
		world_fail(w,
			   "machine %u: message %llu (%s) with a life of %u s is still there "
			   "%.1f s after it came",
			   f->machine, (unsigned long long)r->id,
			   r->is_ours ? "ours" : "theirs", r->life,
			   (world_now(w) - r->seen) / 1e9);
}

/* --- looking --- */

static struct row *row_of(struct fades *f, struct view *v, const struct message *m)
{
	struct people *p = f->story->people;
	struct row *r = v->rows;

	while (r < v->rows + v->count && r->id != m->id)
		r++;
	if (r < v->rows + v->count || v->count == ROWS_MAX)
		return r;
	v->count++;
	*r = (struct row){ .id = m->id,
			   .seq = m->seq,
			   .author = people_home_of(p, &m->author),
			   .life = m->life,
			   .is_ours = m->is_ours,
			   .is_done = m->is_gone,
			   .before = v->looked,
			   .seen = world_now(f->story->world) };
	if (m->is_ours && m->arrived_at > m->sent_at)
		r->age = m->arrived_at - m->sent_at;
	return r;
}

static bool each_row(void *user, const struct message *m)
{
	struct fades *f = user;
	struct view *v = &f->views[f->machine];
	struct row *r = row_of(f, v, m);

	if (r == v->rows + ROWS_MAX)
		return false;
	r->look = v->looks;
	r->is_done |= m->is_retracted;
	if (r->is_done)
		return true;
	if (m->is_gone && !r->is_gone)
		judge_gone(f, v, r);
	if (m->is_gone ? m->text.size > 0 : r->is_gone)
		world_fail(f->story->world, "machine %u: message %llu is gone, and there",
			   f->machine, (unsigned long long)m->id);
	r->is_gone = m->is_gone;
	if (!m->is_gone)
		judge_there(f, v, r);
	return true;
}

static void look(struct fades *f, unsigned machine)
{
	struct people *p = f->story->people;
	struct world *w = f->story->world;
	struct view *v = &f->views[machine];
	mono_ns now = world_now(w), since = now - v->visited;

	v->visited = now;
	if (!people_is_up(p, machine) || world_is_asleep(w, machine)) {
		v->away += since;
		return;
	}
	v->looks++;
	f->machine = machine;
	engine_history(world_engine(w, machine),
		       p->persons[3 - story_owner(f->story, machine)].name, 0, 1 << 30,
		       each_row, f);
	for (unsigned i = 0; i < v->count; i++)
		if (v->rows[i].look != v->looks)
			world_fail(w, "machine %u: message %llu left no mark", machine,
				   (unsigned long long)v->rows[i].id);
	v->looked = now;
}

static void watch(struct fades *f, mono_ns how_long)
{
	struct story *s = f->story;

	for (mono_ns left = how_long; left > 0 && !world_trouble(s->world);) {
		mono_ns part = mono_earlier(left, LOOK_S * SECOND);

		story_live(s, part);
		for (unsigned m = 1; m <= s->machines; m++)
			look(f, m);
		left -= part;
	}
}

/* --- what they do --- */

static bool knows_timers(struct people *p, unsigned machine, unsigned b, uint32_t life)
{
	struct engine *e = people_hands(p, machine);
	struct contact c;

	return e && engine_contact(e, p->persons[b].name, &c) == 0 && c.our_timer == life &&
	       c.their_timer == life;
}

static bool is_agreed(struct people *p, char *why, size_t why_size)
{
	for (unsigned m = 1; m <= p->machine_count; m++) {
		if (knows_timers(p, m, 3 - p->machines[m].person, p->life))
			continue;
		snprintf(why, why_size, "machine %u does not know what was agreed on", m);
		return false;
	}
	return true;
}

/* Who comes to a machine wakes it: its clocks are looked at before anything is done. */
static void come_to(struct fades *f, unsigned machine)
{
	world_wake(f->story->world, machine);
	story_live(f->story, MILLISECOND);
}

static void agree(struct fades *f)
{
	struct people *p = f->story->people;

	for (unsigned a = 1; a <= 2; a++) {
		struct engine *e = people_hands(p, p->persons[a].hand);

		if (e)
			engine_set_timer(e, p->persons[3 - a].name, f->life, FADE_TICKET);
		world_wake(f->story->world, p->persons[a].hand);
	}
	p->life = f->life;
	story_await(f->story, is_agreed, "what disappears is agreed on");
}

static void talk(struct fades *f)
{
	struct story *s = f->story;

	for (unsigned i = dice_between(story_dice(s), 4, SAID_MAX); i > 0; i--) {
		unsigned m = story_any_machine(s);

		come_to(f, m);
		people_play(s->people, m, 3 - story_owner(s, m));
		watch(f, dice_between(story_dice(s), 1, 600) * MILLISECOND);
	}
}

static uint64_t newest_of(const struct view *v, unsigned author)
{
	uint64_t seq = 0;

	for (unsigned i = 0; i < v->count; i++)
		if (v->rows[i].author == author && v->rows[i].seq > seq)
			seq = v->rows[i].seq;
	return seq;
}

static bool is_news(const struct fades *f, unsigned person, unsigned author, uint64_t seq)
{
	const struct row r = { .author = author, .seq = seq };

	return seq > 0 && read_at(f, person, &r) == NEVER;
}

static void read_here(struct fades *f, unsigned machine)
{
	struct people *p = f->story->people;
	struct view *v = &f->views[machine];
	unsigned a = story_owner(f->story, machine);

	if (!people_hands(p, machine) || world_is_asleep(f->story->world, machine))
		return;
	come_to(f, machine);
	look(f, machine);
	people_read(p, machine, 3 - a);
	for (unsigned h = 1; h <= p->home_count && f->read_count < READS_MAX; h++) {
		uint64_t seq = newest_of(v, h);

		if (p->homes[h].person == a || !is_news(f, a, h, seq))
			continue;
		f->reads[f->read_count].person = a;
		f->reads[f->read_count].author = h;
		f->reads[f->read_count].seq = seq;
		f->reads[f->read_count++].at = world_now(f->story->world);
	}
}

/* --- what happens to them --- */

static void note(struct fades *f, unsigned machine, bool is_jump)
{
	struct view *v = &f->views[machine];
	mono_ns now = world_now(f->story->world);
	bool is_seen = people_is_up(f->story->people, machine) &&
		       !world_is_asleep(f->story->world, machine);

	if (is_jump)
		v->jumped = now;
	else
		v->downed = now;
	v->is_blurred |= is_jump ? !is_seen : v->jumped != NEVER && now < v->jumped + UNSURE;
}

static void something_happens(struct fades *f, unsigned machine)
{
	struct story *s = f->story;
	unsigned kind = dice_below(story_dice(s), 5);

	note(f, machine, kind >= 3);
	switch (kind) {
	case 0:
		world_crash(s->world, machine);
		break;
	case 1:
		world_stop(s->world, machine);
		break;
	case 2:
		world_sleep(s->world, machine, AWAY_S / 2 * SECOND);
		break;
	case 3:
		world_jump_clock(s->world, machine, TEN_YEARS_MS);
		break;
	default:
		world_jump_clock(s->world, machine, -TEN_YEARS_MS);
		break;
	}
}

/* Some talk and read in the midst of it. */
static void trouble(struct fades *f)
{
	struct story *s = f->story;

	for (unsigned i = dice_below(story_dice(s), 5); i > 0; i--) {
		something_happens(f, story_any_machine(s));
		if (dice_chance(story_dice(s), 400))
			watch(f, dice_between(story_dice(s), 1, 20000) * MILLISECOND);
		if (dice_chance(story_dice(s), 300))
			talk(f);
		if (dice_chance(story_dice(s), 500))
			read_here(f, story_any_machine(s));
	}
	watch(f, dice_between(story_dice(s), 1, AWAY_S) * SECOND);
	for (unsigned m = 1; m <= s->machines; m++)
		world_start(s->world, m);
	world_rouse(s->world);
}

/* All machines show the newest of each author, or its mark, and (`is_read`) nothing is unread. */
static bool is_complete(const struct fades *f, bool is_read, char *why, size_t size)
{
	struct people *p = f->story->people;

	for (unsigned m = 1; m <= p->machine_count; m++) {
		struct engine *e = people_hands(p, m);
		struct contact c = { 0 };

		if (!e ||
		    engine_contact(e, p->persons[3 - story_owner(f->story, m)].name, &c) < 0 ||
		    (is_read && c.unread > 0)) {
			snprintf(why, size, "machine %u has %llu unread messages", m,
				 (unsigned long long)c.unread);
			return false;
		}
		for (unsigned h = 1; h <= p->home_count; h++) {
			uint64_t x = newest_of(&f->views[1], h), y = newest_of(&f->views[m], h);

			if (x == y)
				continue;
			snprintf(why, size, "machine %u shows %llu of home %u, machine 1 %llu",
				 m, (unsigned long long)y, h, (unsigned long long)x);
			return false;
		}
	}
	return true;
}

static void await(struct fades *f, bool is_read)
{
	struct world *w = f->story->world;
	mono_ns until = world_now(w) + SETTLE_S * SECOND;
	char why[128] = "";

	do {
		watch(f, SECOND);
		if (world_now(w) > until)
			world_fail(w, "after %d s of calm %s", SETTLE_S, why);
	} while (!world_trouble(w) && !is_complete(f, is_read, why, sizeof why));
}

static void read_everything(struct fades *f)
{
	struct people *p = f->story->people;

	/* Also so that all are linked: what was read is said where there is a link. */
	people_greet_all(p);
	await(f, false);
	for (unsigned a = 1; a <= 2; a++)
		read_here(f, p->persons[a].hand);
	await(f, true);
	f->all_read = world_now(p->world);
}

/* Until nothing with a life may be there. */
static void see_it_go(struct fades *f)
{
	mono_ns until = 0;

	for (unsigned m = 1; m <= f->story->machines; m++) {
		look(f, m);
		for (unsigned i = 0; i < f->views[m].count; i++) {
			mono_ns at = latest(f, &f->views[m], &f->views[m].rows[i]);

			until = at > until ? at : until;
		}
	}
	if (until >= world_now(f->story->world))
		watch(f, until - world_now(f->story->world) + 2 * LOOK_S * SECOND);
}

void story_that_fades(struct story *s, uint64_t seed)
{
	struct cast cast = { .persons = 2 };
	struct fades *f = memory_new(sizeof *f);
	struct dice shape;

	f->story = s;
	f->all_read = NEVER;
	dice_init(&shape, seed, 3);
	story_share_out(&shape, cast.persons, 4, cast.machines);
	cast.is_v6 = dice_chance(&shape, 500);
	f->life = dice_between(&shape, 2, 40) * 60;
	story_begin(s, seed, &cast);
	story_fair_weather(s);
	story_wish_all_contacts(s);
	story_settle(s, "before anything disappears");
	for (unsigned m = 1; m <= s->machines; m++) {
		f->views[m].visited = f->views[m].looked = world_now(s->world);
		f->views[m].jumped = f->views[m].downed = NEVER;
	}
	talk(f);
	agree(f);
	talk(f);
	/* Ours goes meanwhile, theirs does not. */
	if (dice_chance(&shape, 300))
		watch(f, f->life * SECOND + 2 * LATE);
	trouble(f);
	story_settle(s, "with messages that disappear");
	read_everything(f);
	see_it_go(f);
	plays_judge(s->people);
	free(f);
}
