/* Programs that speak for a person by a token each: one reads, one proposes, one sends, each in one conversation.
 * Their machine dies and comes back, and so do they. What they say arrives once and is shown as theirs; what is
 * proposed waits until a person has decided, and is said once or never; what comes is told at least once, behind
 * what was acknowledged; beyond its rights each gets nothing, and nothing at all once it was removed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/rights.h"
#include "shared/error.h"
#include "tests/world/people_inside.h"
#include "tests/world/story_inside.h"

enum { PROGRAMS = 3, PROPOSED_MAX = 64, TOLD_MAX = 2048, TRIES_MAX = 2 };

struct proposed {
	uint64_t id;
	char text[96];
	bool is_decided;
	bool is_unsure;          /* the machine died over it */
	size_t tries[TRIES_MAX]; /* sayings of its approval, which may be under way */
	unsigned try_count;
};

struct program {
	struct bot bot; /* as it was made */
	char token[BOT_TOKEN_SIZE];
	unsigned with;
	bool is_connected;
	uint64_t began, at; /* it is told what is behind the one; was told up to the other */
	uint64_t
		dealt; /* so far it has said that it dealt with it; durable with the next step */
	uint64_t told[TOLD_MAX]; /* messages */
	unsigned told_count;
	struct proposed proposed[PROPOSED_MAX];
	unsigned proposed_count;
};

struct bots_life {
	struct story *story;
	struct people *people;
	unsigned machine;
	struct program programs[PROGRAMS];
	unsigned texts;
};

static struct world *world_of(const struct bots_life *l)
{
	return l->story->world;
}

static struct engine *hands(const struct bots_life *l)
{
	return people_hands(l->people, l->machine);
}

static const char *name_with(const struct bots_life *l, const struct program *g)
{
	return l->people->persons[g->with].name;
}

/* --- a program comes and goes --- */

static void make(struct bots_life *l, struct program *g, const char *name, enum bot_may may)
{
	struct engine *e = hands(l);

	g->with = story_any_other(l->story, story_owner(l->story, l->machine));
	g->bot.may = may;
	g->bot.rate = BOT_RATE_MAX;
	snprintf(g->bot.name.text, sizeof g->bot.name.text, "%s", name);
	if (!e || bot_add_name(&g->bot, name_with(l, g)) < 0 ||
	    engine_create_bot(e, &g->bot, g->token) < 0 ||
	    engine_bot_of(e, bytes_text(g->token), world_wall(world_of(l)), &g->bot.id) < 0) {
		world_fail(world_of(l), "machine %u makes no program", l->machine);
		return;
	}
	g->began = g->dealt = engine_last_event(e);
	if (engine_bot_acknowledge(e, g->bot.id, g->began) < 0)
		world_fail(world_of(l), "machine %u takes no acknowledgement", l->machine);
}

/* What it was told and had not dealt with it must hear again. */
static void begin_behind(struct program *g, uint64_t dealt_with)
{
	unsigned left = 0;

	for (unsigned i = 0; i < g->told_count; i++)
		if (g->told[i] <= dealt_with)
			g->told[left++] = g->told[i];
	g->told_count = left;
	g->at = dealt_with;
	g->is_connected = true;
}

static void connect(struct bots_life *l, struct program *g)
{
	wall_ms wall = world_wall(world_of(l));
	struct engine *e = hands(l);
	uint64_t id = 0;
	struct bot bot;
	int err = engine_bot_of(e, bytes_text(g->token), wall, &id);

	if (err == ERR_AUTH || err == ERR_EXPIRED)
		world_fail(world_of(l), "machine %u knows the token of %s no more", l->machine,
			   g->bot.name.text);
	if (err < 0)
		return; /* its disk */
	if (engine_bot(e, id, wall, &bot) < 0 || id != g->bot.id || bot.may != g->bot.may ||
	    strcmp(bot.names, g->bot.names) != 0 || !name_equal(&bot.name, &g->bot.name))
		world_fail(world_of(l), "machine %u takes %s for another program", l->machine,
			   g->bot.name.text);
	else if (bot.acknowledged > g->dealt)
		world_fail(world_of(l), "machine %u: %s dealt with %llu, not with %llu",
			   l->machine, bot.name.text, (unsigned long long)g->dealt,
			   (unsigned long long)bot.acknowledged);
	begin_behind(g, bot.acknowledged);
}

/* --- it hears --- */

struct hearing {
	struct bots_life *life;
	struct program *program;
};

static bool each_event(void *user, const struct event *event)
{
	struct hearing *h = user;
	struct program *g = h->program;

	g->at = event->id;
	if (!right_hears(&g->bot, event))
		return true;
	if (event->kind != EVENT_SETTLED &&
	    strcmp(event->name.text, name_with(h->life, g)) != 0)
		world_fail(world_of(h->life), "%s is told what is said with %s",
			   g->bot.name.text, event->name.text);
	if ((event->kind == EVENT_HEARD || event->kind == EVENT_SAID) &&
	    g->told_count < TOLD_MAX)
		g->told[g->told_count++] = event->message.id;
	return true;
}

static void deal(struct bots_life *l, struct program *g)
{
	if (g->dealt < g->at)
		g->dealt = g->at;
	engine_bot_acknowledge(hands(l), g->bot.id, g->at);
	world_wake(world_of(l), l->machine);
}

static void hear(struct bots_life *l, struct program *g)
{
	engine_events_since(hands(l), g->at, each_event, &(struct hearing){ l, g });
}

static bool each_there(void *user, const struct message *m)
{
	struct hearing *h = user;
	const struct program *g = h->program;
	unsigned i = 0;

	if (m->id <= g->began)
		return false;
	while (i < g->told_count && g->told[i] != m->id)
		i++;
	if (i == g->told_count)
		world_fail(world_of(h->life), "%s was not told of message %llu",
			   g->bot.name.text, (unsigned long long)m->id);
	return true;
}

static void judge_told(struct bots_life *l, struct program *g)
{
	struct engine *e = hands(l);

	if (!e || world_trouble(world_of(l)))
		return;
	connect(l, g);
	hear(l, g);
	deal(l, g);
	engine_history(e, name_with(l, g), 0, TOLD_MAX, each_there, &(struct hearing){ l, g });
}

/* --- it speaks --- */

static bool may(const struct program *g, const char *method, const char *to)
{
	struct json *params = json_set_text(json_object(), "conversation", to);
	int err = right_check(right_find(method), &g->bot, params);

	json_free(params);
	return err == 0;
}

static void judge_rights(struct bots_life *l, const struct program *g)
{
	for (unsigned b = 1; b <= l->people->count; b++) {
		const char *to = l->people->persons[b].name;
		bool is_its = b == g->with;

		if (may(g, "send", to) != (is_its && g->bot.may >= BOT_PROPOSES) ||
		    may(g, "sendTyping", to) != (is_its && g->bot.may >= BOT_SENDS) ||
		    may(g, "getMessages", to) != is_its)
			world_fail(world_of(l), "%s may do to %s what it may not",
				   g->bot.name.text, to);
	}
}

static void propose(struct bots_life *l, struct program *g, const struct engine_text *what)
{
	struct proposed *one = &g->proposed[g->proposed_count];

	if (g->proposed_count == PROPOSED_MAX ||
	    engine_propose(hands(l), g->bot.id, what, &one->id) < 0)
		return;
	snprintf(one->text, sizeof one->text, "%.*s", (int)what->text.size,
		 (const char *)what->text.data);
	g->proposed_count++;
}

static void speak(struct bots_life *l, struct program *g)
{
	char text[96];
	struct engine_text what = { .to = name_with(l, g),
				    .bot = g->bot.name.text,
				    .speaker = g->bot.id };

	judge_rights(l, g);
	if (!may(g, "send", what.to))
		return;
	snprintf(text, sizeof text, "%s %u " WORLD_MARKER, g->bot.name.text, ++l->texts);
	what.text = bytes_text(text);
	if (g->bot.may == BOT_PROPOSES)
		propose(l, g, &what);
	else
		wishes_say(l->people, l->machine, g->with, &what);
	world_wake(world_of(l), l->machine);
}

/* --- a person decides --- */

static struct saying *try_of(struct bots_life *l, struct program *g, const struct proposed *one,
			     unsigned i)
{
	return &people_home(l->people, l->machine)->said[g->with].list[one->tries[i]];
}

static void approve(struct bots_life *l, struct program *g, struct proposed *one)
{
	uint64_t ticket;

	if (one->try_count == TRIES_MAX)
		return;
	ticket = wishes_note(l->people, l->machine, g->with, bytes_text(one->text));
	one->tries[one->try_count++] = people_home(l->people, l->machine)->said[g->with].count -
				       1;
	if (engine_approve(hands(l), one->id, (struct bytes){ 0 }, ticket) < 0)
		wishes_refused(l->people, try_of(l, g, one, one->try_count - 1));
	world_wake(world_of(l), l->machine);
}

static void decide(struct bots_life *l, struct program *g, struct proposed *one)
{
	struct dice *d = story_dice(l->story);

	if (one->is_decided || one->is_unsure || one->try_count > 0)
		return;
	if (dice_chance(d, 300)) {
		one->is_decided = engine_reject(hands(l), one->id) == 0;
		return;
	}
	approve(l, g, one);
	if (dice_chance(d, 300))
		approve(l, g, one); /* twice, before there is an answer */
}

/* The machine died before it said whether: it was said, or it waits as before. */
static void find_out(struct bots_life *l, struct program *g, struct proposed *one, bool waits)
{
	for (unsigned i = 0; i < one->try_count; i++) {
		struct saying *s = try_of(l, g, one, i);

		one->is_decided |= s->fate == ACCEPTED;
		if (s->fate != UNANSWERED)
			continue;
		if (waits || one->is_decided) {
			wishes_refused(l->people, s);
		} else {
			s->fate = ACCEPTED;
			l->people->counts.accepted++;
			one->is_decided = true;
		}
	}
	one->is_unsure = false;
}

static bool ignore(void *user, const struct proposal *one)
{
	(void)user;
	(void)one;
	return false;
}

static void follow(struct bots_life *l, struct program *g, struct proposed *one)
{
	int err = engine_proposals(hands(l), one->id, ignore, NULL);
	bool is_open = false;

	if (err < 0 && err != ERR_NOT_FOUND)
		return; /* its disk */
	if (one->is_unsure)
		find_out(l, g, one, err == 0);
	for (unsigned i = 0; i < one->try_count; i++) {
		one->is_decided |= try_of(l, g, one, i)->fate == ACCEPTED;
		is_open |= try_of(l, g, one, i)->fate == UNANSWERED;
	}
	if (is_open)
		return;
	one->try_count = 0;
	if (one->is_decided != (err == ERR_NOT_FOUND))
		world_fail(world_of(l), "machine %u: what %s proposed was%s decided, and %s",
			   l->machine, g->bot.name.text, one->is_decided ? "" : " not",
			   err == 0 ? "waits" : "is gone");
}

/* --- the whole --- */

static void live(struct bots_life *l, struct program *g)
{
	struct dice *d = story_dice(l->story);

	if (!hands(l) || world_trouble(world_of(l)))
		return;
	for (unsigned i = 0; i < g->proposed_count; i++)
		follow(l, g, &g->proposed[i]);
	if (!g->is_connected)
		connect(l, g);
	if (!g->is_connected)
		return;
	hear(l, g);
	if (dice_chance(d, 400))
		deal(l, g);
	if (dice_chance(d, 400))
		speak(l, g);
	if (g->proposed_count > 0 && dice_chance(d, 400))
		decide(l, g, &g->proposed[dice_below(d, g->proposed_count)]);
	if (dice_chance(d, 50))
		g->is_connected = false;
}

/* What hung on the machine is over; what was asked of it has no answer. */
static void note_death(struct bots_life *l)
{
	if (people_is_up(l->people, l->machine))
		return;
	for (unsigned k = 0; k < PROGRAMS; k++) {
		struct program *g = &l->programs[k];

		g->is_connected = false;
		for (unsigned i = 0; i < g->proposed_count; i++)
			g->proposed[i].is_unsure |= g->proposed[i].try_count > 0;
	}
}

static void something_happens(struct bots_life *l)
{
	struct story *s = l->story;
	struct dice *d = story_dice(s);
	unsigned kind = dice_below(d, 100);

	if (kind < 40)
		storm_say_one(s);
	else if (kind < 46)
		world_crash(s->world, l->machine);
	else if (kind < 52)
		world_crash_soon(s->world, l->machine, dice_below(d, 4));
	else if (kind < 55)
		world_stop(s->world, l->machine);
	else if (kind < 60)
		world_spoil_disk(s->world, l->machine, BAD_DISK_FULL,
				 dice_between(d, 1, 10) * SECOND);
	else if (kind < 64)
		storm_crash_a_machine(s);
	else if (kind < 66)
		storm_crash_the_directory(s);
	story_live(s, dice_below(d, 1500) * MILLISECOND);
	note_death(l);
	storm_start_somebody(s);
}

static void all_come_back(struct bots_life *l)
{
	struct story *s = l->story;

	story_fair_weather(s);
	note_death(l);
	for (unsigned i = 0; i <= s->machines; i++)
		world_start(s->world, i);
	story_settle(s, "with programs");
	for (unsigned k = 0; k < PROGRAMS && !world_trouble(s->world); k++) {
		struct program *g = &l->programs[k];

		for (unsigned i = 0; i < g->proposed_count; i++) {
			follow(l, g, &g->proposed[i]);
			if (!g->proposed[i].is_decided)
				approve(l, g, &g->proposed[i]);
			story_live(s, SECOND);
			follow(l, g, &g->proposed[i]);
			if (!g->proposed[i].is_decided)
				world_fail(s->world, "what %s proposed cannot be approved",
					   g->bot.name.text);
		}
	}
	people_greet_all(s->people);
	story_settle(s, "with programs, and texts");
}

/* Who said it is shown everywhere, and nobody else is shown as a program. */
static bool each_shown(void *user, const struct message *m)
{
	struct bots_life *l = user;
	struct bytes name = { 0 };

	for (unsigned k = 0; k < PROGRAMS; k++) {
		struct bytes its = bytes_text(l->programs[k].bot.name.text);

		if (m->text.size > its.size && memcmp(m->text.data, its.data, its.size) == 0 &&
		    m->text.data[its.size] == ' ')
			name = its;
	}
	if (!bytes_equal(m->bot, name))
		world_fail(world_of(l), "a message of %.*s is shown as one of %.*s",
			   name.size ? (int)name.size : 8,
			   name.size ? (const char *)name.data : "a person", (int)m->bot.size,
			   (const char *)m->bot.data);
	return true;
}

static void judge_shown(struct bots_life *l)
{
	for (unsigned m = 1; m <= l->story->machines; m++)
		for (unsigned b = 1; b <= l->people->count; b++)
			if (b != story_owner(l->story, m) && people_hands(l->people, m))
				engine_history(people_hands(l->people, m),
					       l->people->persons[b].name, 0, TOLD_MAX,
					       each_shown, l);
}

/* With what it had proposed. */
static void remove_one(struct bots_life *l, struct program *g)
{
	struct world *w = world_of(l);
	uint64_t id = 0;

	if (world_trouble(w))
		return;
	speak(l, g);
	story_live(l->story, SECOND);
	if (engine_remove_bot(hands(l), g->bot.name.text) < 0)
		world_fail(w, "%s cannot be removed", g->bot.name.text);
	world_crash(w, l->machine);
	world_start(w, l->machine);
	story_settle(l->story, "with a program removed");
	if (world_trouble(w))
		return;
	if (engine_bot_of(hands(l), bytes_text(g->token), world_wall(w), &id) != ERR_AUTH)
		world_fail(w, "the token of %s opens, and it was removed", g->bot.name.text);
	for (unsigned i = 0; i < g->proposed_count; i++)
		if (engine_proposals(hands(l), g->proposed[i].id, ignore, NULL) !=
		    ERR_NOT_FOUND)
			world_fail(w, "%s was removed, and what it proposed waits",
				   g->bot.name.text);
	for (unsigned k = 0; k < PROGRAMS; k++) {
		struct program *other = &l->programs[k];

		if (other == g)
			continue;
		connect(l, other);
		if (other->at != other->dealt)
			world_fail(w, "machine %u forgot what %s has dealt with", l->machine,
				   other->bot.name.text);
	}
}

void story_with_programs(struct story *s, uint64_t seed)
{
	static const char *const names[PROGRAMS] = { "watcher", "drafter", "echo" };
	struct bots_life *l = memory_new(sizeof *l);
	struct cast cast = { 0 };
	struct dice shape;

	dice_init(&shape, seed, 3);
	cast.persons = dice_between(&shape, 2, 3);
	story_share_out(&shape, cast.persons, cast.persons + 2, cast.machines);
	story_begin(s, seed, &cast);
	l->story = s;
	l->people = s->people;
	story_fair_weather(s);
	story_wish_all_contacts(s);
	story_settle(s, "before there are programs");
	l->machine = story_any_machine(s);
	for (unsigned k = 0; k < PROGRAMS; k++)
		make(l, &l->programs[k], names[k], (enum bot_may)(BOT_READS + k));
	for (unsigned i = dice_between(&shape, 40, 160); i > 0 && !world_trouble(s->world);
	     i--) {
		something_happens(l);
		for (unsigned k = 0; k < PROGRAMS; k++)
			live(l, &l->programs[k]);
	}
	all_come_back(l);
	for (unsigned k = 0; k < PROGRAMS; k++)
		judge_told(l, &l->programs[k]);
	judge_shown(l);
	people_judge(s->people);
	remove_one(l, &l->programs[dice_below(&shape, PROGRAMS)]);
	people_judge(s->people);
	free(l);
}
