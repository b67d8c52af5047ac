#include "tests/world/people.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"

enum { ALL = WORLD_PEERS_MAX + 1, JOIN_AGAIN = 5 };

/* UNANSWERED: the machine died before it said; the text may be there or not. */
enum fate { UNANSWERED, ACCEPTED, REFUSED };

struct saying {
	char *text;
	size_t size;
	enum fate fate;
};
struct sayings {
	struct saying *list;
	size_t count, capacity;
};

struct person {
	char name[16];
	char invitation[URI_CODE_MAX + 1]; /* "": none needed */
	bool has_joined;
	uint64_t join_ticket; /* 0: none under way */
	mono_ns join_next;
	uint64_t caught_up;  /* the last event told from the store at the start */
	uint64_t last_event; /* what was shown so far */
	enum wish wish[ALL];
	bool was_parted[ALL];      /* blocked or removed the other at some time */
	struct sayings said[ALL];  /* to whom */
	struct sayings shown[ALL]; /* as heard from whom, by events */
};

struct people {
	struct world *world;
	unsigned count;
	struct person persons[ALL];
	uint64_t ticket;
	struct people_counts counts;
};

/* A ticket of a saying names it: person, to whom, which. */
static uint64_t saying_ticket(unsigned from, unsigned to, size_t index)
{
	return 1ull << 60 | (uint64_t)from << 52 | (uint64_t)to << 44 | index;
}

struct people *people_new(unsigned peers)
{
	struct people *p = memory_new(sizeof *p);

	p->count = peers;
	for (unsigned i = 1; i <= peers; i++)
		snprintf(p->persons[i].name, sizeof p->persons[i].name, "person-%u", i);
	return p;
}

static void clear(struct sayings *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->list[i].text);
	free(s->list);
}

void people_free(struct people *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < ALL; i++) {
		for (unsigned j = 0; j < ALL; j++) {
			clear(&p->persons[i].said[j]);
			clear(&p->persons[i].shown[j]);
		}
	}
	free(p);
}

void people_live(struct people *p, struct world *w)
{
	p->world = w;
}

void people_invite(struct people *p)
{
	for (unsigned i = 1; i <= p->count; i++)
		world_invite(p->world, p->persons[i].invitation);
}

static struct saying *note(struct sayings *s, const void *text, size_t size)
{
	struct saying *new;

	if (s->count == s->capacity) {
		s->capacity = s->capacity ? s->capacity * 2 : 16;
		s->list = memory_grow(s->list, s->capacity, sizeof *s->list);
	}
	new = &s->list[s->count++];
	*new = (struct saying){ .size = size, .text = memory_new(size + 1) };
	memcpy(new->text, text, size);
	return new;
}

static unsigned person_named(const struct people *p, const char *name)
{
	unsigned i = 1;

	while (i <= p->count && strcmp(p->persons[i].name, name) != 0)
		i++;
	return i <= p->count ? i : 0;
}

/* --- what a person is shown --- */

static void on_answer(struct people *p, unsigned peer, const struct event *event)
{
	struct person *me = &p->persons[peer];

	if (event->ticket >> 60 == 1) {
		unsigned to = event->ticket >> 44 & 0xff;
		struct saying *s = &me->said[to].list[event->ticket & 0xffffffff];

		s->fate = event->error == 0 ? ACCEPTED : REFUSED;
		if (event->error == 0)
			p->counts.accepted++;
		else
			p->counts.refused++;
	} else if (event->ticket == me->join_ticket) {
		me->join_ticket = 0;
		me->has_joined = event->error == 0;
		me->join_next = world_now(p->world) + JOIN_AGAIN * SECOND;
	}
}

static void on_shown(struct people *p, unsigned peer, const struct event *event)
{
	struct person *me = &p->persons[peer];

	if (event->id != me->last_event + 1)
		world_fail(p->world, "peer %u: event %llu follows %llu", peer,
			   (unsigned long long)event->id, (unsigned long long)me->last_event);
	me->last_event = event->id;
	if (event->kind == EVENT_HEARD) {
		unsigned from = person_named(p, event->message.contact.text);

		if (!from)
			world_fail(p->world, "peer %u hears from a stranger", peer);
		else
			note(&me->shown[from], event->message.text.data,
			     event->message.text.size);
		p->counts.heard++;
	}
}

void people_on_event(void *user, unsigned peer, const struct event *event)
{
	struct people *p = user;

	if (event->kind == EVENT_ANSWER)
		on_answer(p, peer, event);
	else if (event->id > p->persons[peer].caught_up) /* else told from the store already */
		on_shown(p, peer, event);
}

struct catching_up {
	struct people *p;
	unsigned peer;
};

static bool each_missed(void *user, const struct event *event)
{
	struct catching_up *c = user;

	on_shown(c->p, c->peer, event);
	return true;
}

void people_on_start(void *user, unsigned peer)
{
	struct people *p = user;
	struct person *me = &p->persons[peer];
	struct catching_up c = { .p = p, .peer = peer };
	struct engine *e = world_engine(p->world, peer);
	uint64_t before = me->last_event;

	me->join_ticket = 0;
	me->join_next = 0;
	if (engine_last_event(e) < before)
		world_fail(p->world, "peer %u forgot events: %llu were shown, %llu are there",
			   peer, (unsigned long long)before,
			   (unsigned long long)engine_last_event(e));
	if (engine_events_since(e, before, each_missed, &c) < 0)
		world_fail(p->world, "peer %u cannot tell its events", peer);
	me->caught_up = me->last_event;
}

/* --- what a person does --- */

static struct engine *hands(const struct people *p, unsigned peer)
{
	return p->persons[peer].has_joined ? world_engine(p->world, peer) : NULL;
}

static void fulfil(struct people *p, unsigned a, unsigned b)
{
	struct engine *e = hands(p, a);
	struct contact c;
	const char *name = p->persons[b].name;
	bool is_known;

	if (!e)
		return;
	is_known = engine_contact(e, name, &c) == 0;
	switch (p->persons[a].wish[b]) {
	case WISH_NOTHING:
		if (is_known && c.state != CONTACT_REQUESTS)
			engine_remove(e, name);
		break;
	case WISH_CONTACT:
		if (!is_known || c.state == CONTACT_BLOCKED)
			engine_add(e, name, NULL, NULL);
		else if (c.state == CONTACT_REQUESTS)
			engine_accept(e, name);
		break;
	case WISH_BLOCKED:
		if (!is_known || c.state != CONTACT_BLOCKED)
			engine_block(e, name);
		break;
	}
	world_wake(p->world, a);
}

void people_wish(struct people *p, unsigned a, unsigned b, enum wish wish)
{
	if (p->persons[a].wish[b] == WISH_CONTACT && wish != WISH_CONTACT)
		p->persons[a].was_parted[b] = true;
	p->persons[a].wish[b] = wish;
	fulfil(p, a, b);
}

enum wish people_wishes(const struct people *p, unsigned a, unsigned b)
{
	return p->persons[a].wish[b];
}

bool people_are_mutual(const struct people *p, unsigned a, unsigned b)
{
	return p->persons[a].wish[b] == WISH_CONTACT && p->persons[b].wish[a] == WISH_CONTACT;
}

static void make_text(struct people *p, char *text, size_t size, unsigned a, unsigned b,
		      size_t index)
{
	static const char *const words[] = { "hola ", "λόγος ", "пока ", "語 ",
					     "🙂",  "word ",  "é",     "\n" };
	size_t at = snprintf(text, size + 1, "%zu %u>%u " WORLD_MARKER " ", index, a, b);
	struct dice *d = world_dice(p->world);

	if (at >= size) { /* too short for all that: still different from its neighbours */
		for (at = 0; at < size; at++)
			text[at] = at == 0 ? '!' + index % 94 : '!' + dice_below(d, 94);
		text[size] = 0;
		return;
	}
	while (at < size) {
		const char *word = words[dice_below(d, sizeof words / sizeof *words)];
		size_t length = strlen(word);

		if (length > size - at) {
			word = ".";
			length = 1;
		}
		memcpy(text + at, word, length);
		at += length;
	}
	text[size] = 0;
}

void people_say(struct people *p, unsigned a, unsigned b, size_t size)
{
	struct sayings *said = &p->persons[a].said[b];
	struct engine *e = hands(p, a);
	char text[WIRE_TEXT_MAX + 64];
	struct saying *s;
	int err;

	if (!e)
		return;
	make_text(p, text, size, a, b, said->count);
	s = note(said, text, size);
	err = engine_send(e, p->persons[b].name, bytes_of(text, size), 0,
			  saying_ticket(a, b, said->count - 1));
	p->counts.said++;
	if (err < 0) {
		s->fate = REFUSED;
		p->counts.refused++;
	}
	world_wake(p->world, a);
}

static void join(struct people *p, unsigned peer)
{
	struct person *me = &p->persons[peer];
	struct engine *e = world_engine(p->world, peer);
	struct uri link = world_link(p->world, dice_chance(world_dice(p->world), 700));
	struct engine_account account;
	int err;

	engine_account(e, &account);
	if (account.state == ACCOUNT_ONLINE || account.state == ACCOUNT_CONNECTING) {
		me->has_joined = true; /* it had worked, only the answer was lost */
		return;
	}
	if (!world_server(p->world) && !link.has_directory_key)
		link = world_link(p->world, true);
	if (me->invitation[0]) {
		link.kind = URI_INVITATION;
		snprintf(link.code, sizeof link.code, "%s", me->invitation);
	}
	me->join_ticket = ++p->ticket;
	me->join_next = NEVER;
	err = engine_join(e, &link, me->name, bytes_text("a password"), me->join_ticket);
	if (err < 0) {
		me->join_ticket = 0;
		me->join_next = world_now(p->world) + JOIN_AGAIN * SECOND;
	}
	world_wake(p->world, peer);
}

void people_tend(struct people *p)
{
	for (unsigned a = 1; a <= p->count; a++) {
		struct person *me = &p->persons[a];

		if (!world_is_up(p->world, a))
			continue;
		if (!me->has_joined) {
			if (!me->join_ticket && me->join_next <= world_now(p->world))
				join(p, a);
			continue;
		}
		for (unsigned b = 1; b <= p->count; b++)
			if (b != a)
				fulfil(p, a, b);
	}
}

bool people_all_joined(const struct people *p)
{
	for (unsigned a = 1; a <= p->count; a++)
		if (!p->persons[a].has_joined)
			return false;
	return true;
}

/* --- the truth --- */

static bool has_contact(const struct people *p, unsigned a, unsigned b, struct contact *c)
{
	struct engine *e = hands(p, a);

	return e && engine_contact(e, p->persons[b].name, c) == 0;
}

bool people_sees_online(const struct people *p, unsigned a, unsigned b)
{
	struct contact c;

	return has_contact(p, a, b, &c) && c.is_online;
}

bool people_is_linked(const struct people *p, unsigned a, unsigned b)
{
	struct contact c;

	return has_contact(p, a, b, &c) && c.is_linked;
}

bool people_presence_is_true(struct people *p, char *why, size_t why_size)
{
	for (unsigned a = 1; a <= p->count; a++) {
		for (unsigned b = 1; b <= p->count; b++) {
			bool should = hands(p, b) && people_are_mutual(p, a, b);
			bool is = people_sees_online(p, a, b);

			if (a == b || !hands(p, a) || is == should)
				continue;
			if (why)
				snprintf(why, why_size, "peer %u sees peer %u %s", a, b,
					 is ? "online, who is not" : "offline, who is there");
			return false;
		}
	}
	return true;
}

static bool each_own(void *user, const struct message *m)
{
	if (m->is_ours && m->state != MESSAGE_DELIVERED)
		*(bool *)user = true;
	return true;
}

bool people_nothing_is_owed(struct people *p, char *why, size_t why_size)
{
	for (unsigned a = 1; a <= p->count; a++) {
		for (unsigned b = 1; b <= p->count; b++) {
			struct engine *e = hands(p, a);
			bool is_owed = false;
			struct contact c;

			if (a == b || !e || !hands(p, b) || !people_are_mutual(p, a, b))
				continue;
			if (engine_contact(e, p->persons[b].name, &c) == 0 &&
			    c.state == CONTACT_MUTUAL && c.queued == 0) {
				engine_history(e, p->persons[b].name, 0, 1, each_own, &is_owed);
				if (!is_owed)
					continue;
			}
			if (why)
				snprintf(why, why_size,
					 "peer %u owes peer %u something (state %d, %llu "
					 "queued)",
					 a, b, (int)c.state, (unsigned long long)c.queued);
			return false;
		}
	}
	return true;
}

/* --- the verdict --- */

struct reading {
	struct sayings ours, theirs; /* newest first while reading */
	uint64_t id;
	bool is_disordered;
};

static bool each_read(void *user, const struct message *m)
{
	struct reading *r = user;

	if (r->id && m->id >= r->id)
		r->is_disordered = true;
	r->id = m->id;
	note(m->is_ours ? &r->ours : &r->theirs, m->text.data, m->text.size);
	return true;
}

static void turn_round(struct sayings *s)
{
	for (size_t i = 0, j = s->count; j > 0 && i < --j; i++) {
		struct saying keep = s->list[i];

		s->list[i] = s->list[j];
		s->list[j] = keep;
	}
}

static int read_history(struct people *p, unsigned a, unsigned b, struct reading *r)
{
	int err = engine_history(world_engine(p->world, a), p->persons[b].name, 0, 1 << 30,
				 each_read, r);

	turn_round(&r->ours);
	turn_round(&r->theirs);
	return err;
}

static bool same(const struct saying *a, const struct saying *b)
{
	return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

/* The first difference of `b` from `a`, or how long they are. */
static size_t alike(const struct sayings *a, const struct sayings *b)
{
	size_t i = 0;

	while (i < a->count && i < b->count && same(&a->list[i], &b->list[i]))
		i++;
	return i;
}

/* In the author's own history stand all texts that were accepted, in the order in which
 * they were said; perhaps such as were not answered; and nothing else. */
static void judge_own(struct people *p, unsigned a, unsigned b, const struct sayings *history)
{
	const struct sayings *said = &p->persons[a].said[b];
	size_t at = 0;

	for (size_t i = 0; i < said->count; i++) {
		if (at < history->count && same(&said->list[i], &history->list[at]) &&
		    said->list[i].fate != REFUSED)
			at++;
		else if (said->list[i].fate == ACCEPTED)
			world_fail(p->world,
				   "peer %u to %u: text %zu of %zu was accepted and is not in "
				   "its own history",
				   a, b, i, said->count);
	}
	if (at != history->count)
		world_fail(p->world,
			   "peer %u to %u: its history has %zu texts that were never said, or "
			   "twice",
			   a, b, history->count - at);
}

static void judge_pair(struct people *p, unsigned a, unsigned b)
{
	struct reading author = { 0 }, reader = { 0 };
	const struct sayings *shown = &p->persons[b].shown[a];
	size_t equal;

	read_history(p, a, b, &author);
	read_history(p, b, a, &reader);
	if (author.is_disordered || reader.is_disordered)
		world_fail(p->world, "peers %u and %u: ids of a history do not fall", a, b);
	judge_own(p, a, b, &author.ours);
	equal = alike(&author.ours, &reader.theirs);
	if (equal < reader.theirs.count)
		world_fail(p->world,
			   "peer %u has from %u at place %zu of %zu something that is not what "
			   "was said (%zu)",
			   b, a, equal, reader.theirs.count, author.ours.count);
	else if (equal < author.ours.count && people_are_mutual(p, a, b))
		world_fail(p->world, "peer %u said %zu texts to %u, who has %zu", a,
			   author.ours.count, b, reader.theirs.count);
	if (alike(shown, &reader.theirs) != reader.theirs.count ||
	    shown->count != reader.theirs.count)
		world_fail(p->world,
			   "peer %u was shown %zu texts of %u by events and has %zu in its "
			   "history",
			   b, shown->count, a, reader.theirs.count);
	clear(&author.ours);
	clear(&author.theirs);
	clear(&reader.ours);
	clear(&reader.theirs);
}

void people_judge(struct people *p)
{
	struct server_status status = world_directory_status(p->world);

	for (unsigned a = 1; a <= p->count; a++)
		for (unsigned b = 1; b <= p->count; b++)
			if (a != b && hands(p, a) && hands(p, b))
				judge_pair(p, a, b);
	world_search_directory(p->world);
	for (unsigned type = WIRE_HAVE; type < 128; type++)
		if (status.messages_in[type] || status.messages_out[type])
			world_fail(p->world, "the directory has met messages of type %u", type);
}

struct people_counts people_counts(const struct people *p)
{
	struct people_counts counts = p->counts;

	counts.unanswered = counts.said - counts.accepted - counts.refused;
	return counts;
}

void people_print(struct people *p)
{
	static const char *const wishes[] = { "nothing", "contact", "blocked" };
	static const char *const states[] = { "asked", "requests", "mutual", "blocked" };

	for (unsigned a = 1; a <= p->count; a++) {
		struct engine *e = world_engine(p->world, a);
		struct engine_account account = { 0 };

		if (e)
			engine_account(e, &account);
		printf("  peer %u: %s, account state %d, %s\n", a, e ? "on" : "off",
		       (int)account.state, account.trouble);
		for (unsigned b = 1; b <= p->count; b++) {
			struct contact c;

			if (a == b || !e)
				continue;
			printf("    wants of %u: %s; ", b, wishes[p->persons[a].wish[b]]);
			if (engine_contact(e, p->persons[b].name, &c) == 0)
				printf("has %s, %s, %s, %llu queued\n", states[c.state],
				       c.is_online ? "online" : "offline",
				       c.is_linked ? "linked" : "not linked",
				       (unsigned long long)c.queued);
			else
				printf("has nothing\n");
		}
	}
}
