#include "directory/watchers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"

#define NOWHERE UINT16_MAX
_Static_assert(WATCHERS_LIST_MAX < NOWHERE, "a place in a list has 16 bits");

/* One account lists another. Sixteen bytes, and eight at the other end, for each name. */
struct listing {
	name_id to;
	uint32_t back;     /* where in to's `listed_by` */
	uint16_t mate;     /* the listing in the other direction, or NOWHERE: not mutual */
	uint16_t consents; /* what each session says of it, two bits each */
	uint8_t by;        /* sessions that list it now; 0: a trace, see `known` */
	uint8_t known;     /* sessions that have listed it in this login: they ask no more */
	uint8_t due;       /* sessions of ours that must hear of it */
	uint8_t asks;      /* sessions of the other that must hear that we ask */
};
struct lister {
	name_id from;
	uint32_t at; /* where in from's list */
};

struct greeting {
	struct greeting *next;
	name_id to;
	uint16_t size;
	uint8_t sealed[];
};

struct node {
	struct listing *list;
	struct lister *listed_by;
	struct greeting *greetings; /* newest first */
	uint32_t count, room;
	uint32_t listers, listers_room;
	uint8_t ready;     /* sessions that have said their list */
	uint8_t here;      /* sessions there are */
	uint8_t self_due;  /* ... that must hear of their own account */
	uint8_t self_full; /* ... when they can be told */
	bool is_queued;
};

struct watchers {
	struct names *names;
	struct node *nodes;
	size_t size;
	name_id *queue; /* accounts whose list holds something due */
	size_t queued, queue_room;
	uint32_t cursor; /* in the list of the last in the queue: two places for each
	                                listing, first its presence, then its asking */
};

struct watchers *watchers_new(struct names *names)
{
	struct watchers *w = memory_new(sizeof *w);

	w->names = names;
	return w;
}

void watchers_free(struct watchers *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->size; i++) {
		struct greeting *next;

		for (struct greeting *g = w->nodes[i].greetings; g; g = next) {
			next = g->next;
			free(g);
		}
		free(w->nodes[i].list);
		free(w->nodes[i].listed_by);
	}
	free(w->nodes);
	free(w->queue);
	free(w);
}

static struct node *node_of(struct watchers *w, name_id id)
{
	size_t size = w->size;

	if (id >= size) {
		w->size = id + id / 2 + 64;
		w->nodes = memory_grow(w->nodes, w->size, sizeof *w->nodes);
		memset(w->nodes + size, 0, (w->size - size) * sizeof *w->nodes);
	}
	return &w->nodes[id];
}

static void enqueue(struct watchers *w, name_id who)
{
	struct node *n = &w->nodes[who];

	w->cursor = 0; /* something behind it may be due again */
	if (n->is_queued)
		return;
	if (w->queued == w->queue_room) {
		w->queue_room = w->queue_room ? w->queue_room * 2 : 64;
		w->queue = memory_grow(w->queue, w->queue_room, sizeof *w->queue);
	}
	w->queue[w->queued++] = who;
	n->is_queued = true;
}

/* --- consent --- */

/* Both bits of a session: it is hidden. */
static uint16_t hidden_of(uint16_t consents)
{
	uint16_t both = consents & consents >> 1 & 0x5555;

	return both | (uint16_t)(both << 1);
}

static enum consent least_of(uint16_t consents)
{
	if (hidden_of(consents))
		return CONSENT_HIDDEN;
	if (consents & 0xaaaa)
		return CONSENT_NEVER;
	return consents & 0x5555 ? CONSENT_RELAY : CONSENT_DIRECT;
}

/* Whom this lists must not find out that whoever lists is there. */
static bool is_hidden(const struct listing *l)
{
	return least_of(l->consents) == CONSENT_HIDDEN;
}

/* The other side of `ours` has something to hear of us. */
static void tell_other(struct watchers *w, const struct listing *ours)
{
	struct listing *theirs = &w->nodes[ours->to].list[ours->mate];

	theirs->due = theirs->by;
	enqueue(w, ours->to);
}

/* Who is listed and does not list hears that we ask, once in a login of each session. */
static void ask(struct watchers *w, name_id who, struct listing *ours)
{
	if (ours->mate != NOWHERE || is_hidden(ours) || !(ours->by & ~ours->known))
		return;
	ours->known |= ours->by;
	ours->asks = w->nodes[ours->to].ready;
	if (ours->asks)
		enqueue(w, who);
}

/* The session says this of it now; DIRECT also when it says nothing any more. Where that makes
 * a difference the other side has something to hear: of who hides the same as of who leaves, of who
 * shows itself again the same as of who comes. */
static void set_consent(struct watchers *w, name_id who, struct listing *ours, unsigned slot,
			enum consent consent)
{
	enum consent before = least_of(ours->consents);

	ours->consents &= (uint16_t) ~(3u << 2 * slot);
	ours->consents |= (uint16_t)((unsigned)consent << 2 * slot);
	if (least_of(ours->consents) == before)
		return;
	if (ours->mate != NOWHERE)
		tell_other(w, ours);
	ask(w, who, ours);
}

/* --- greetings: few, so a short chain at the account that gave them --- */

static struct greeting **greeting_of(struct node *n, name_id to)
{
	struct greeting **at = &n->greetings;

	while (*at && (*at)->to != to)
		at = &(*at)->next;
	return at;
}

static void greeting_drop(struct greeting **at)
{
	struct greeting *g = *at;

	if (!g)
		return;
	*at = g->next;
	free(g);
}

static void greeting_set(struct node *n, name_id to, struct bytes sealed)
{
	struct greeting *g, **at;
	unsigned count = 1;

	greeting_drop(greeting_of(n, to));
	if (!sealed.size)
		return;
	assert(sealed.size <= WIRE_SEALED_GREETING_MAX);
	g = memory_new(sizeof *g + sealed.size);
	g->to = to;
	g->size = sealed.size;
	memcpy(g->sealed, sealed.data, sealed.size);
	g->next = n->greetings;
	n->greetings = g;
	for (at = &g->next; *at; at = &(*at)->next)
		if (++count > WATCHERS_GREETINGS_MAX) {
			greeting_drop(at);
			break;
		}
}

/* --- the lists --- */

static struct listing *find(const struct watchers *w, name_id who, name_id whom)
{
	const struct node *n;

	if (who >= w->size)
		return NULL;
	n = &w->nodes[who];
	for (uint32_t i = 0; i < n->count; i++)
		if (n->list[i].to == whom)
			return &n->list[i];
	return NULL;
}

static uint32_t grown(uint32_t room)
{
	return room + room / 4 + 4;
}

static struct listing *append(struct watchers *w, name_id who, name_id whom)
{
	struct node *b = node_of(w, whom);
	struct node *a = node_of(w, who);

	b = &w->nodes[whom];
	if (a->count == a->room) {
		a->room = grown(a->room);
		a->list = memory_grow(a->list, a->room, sizeof *a->list);
	}
	if (b->listers == b->listers_room) {
		b->listers_room = grown(b->listers_room);
		b->listed_by = memory_grow(b->listed_by, b->listers_room, sizeof *b->listed_by);
	}
	b->listed_by[b->listers] = (struct lister){ who, a->count };
	a->list[a->count] = (struct listing){ .to = whom, .back = b->listers, .mate = NOWHERE };
	b->listers++;
	names_hold_again(w->names, whom);
	return &a->list[a->count++];
}

/* Takes listing `at` out of who's list; the last one moves into its place. */
static void erase(struct watchers *w, name_id who, uint32_t at)
{
	struct node *a = &w->nodes[who];
	struct listing gone = a->list[at];
	struct node *b = &w->nodes[gone.to];

	assert(gone.mate == NOWHERE);
	greeting_drop(greeting_of(a, gone.to));
	b->listers--;
	if (gone.back != b->listers) {
		struct lister moved = b->listed_by[b->listers];

		b->listed_by[gone.back] = moved;
		w->nodes[moved.from].list[moved.at].back = gone.back;
	}
	a->count--;
	if (at != a->count) {
		struct listing moved = a->list[a->count];

		a->list[at] = moved;
		w->nodes[moved.to].listed_by[moved.back].at = at;
		if (moved.mate != NOWHERE)
			w->nodes[moved.to].list[moved.mate].mate = (uint16_t)at;
	}
	if (!b->listers) {
		free(b->listed_by);
		b->listed_by = NULL;
		b->listers_room = 0;
	}
	if (!a->count) {
		free(a->list);
		a->list = NULL;
		a->room = 0;
	}
	names_release(w->names, gone.to);
}

/* Both list each other now. Who cannot see the other hears nothing, as when the other were not
 * there. */
static void marry(struct watchers *w, name_id a, struct listing *ours, struct listing *theirs)
{
	ours->mate = (uint16_t)(theirs - w->nodes[ours->to].list);
	theirs->mate = (uint16_t)(ours - w->nodes[a].list);
	ours->asks = theirs->asks = 0;
	if (!is_hidden(theirs))
		tell_other(w, theirs);
	if (!is_hidden(ours))
		tell_other(w, ours);
}

/* We do not any more: the other shall hear that there is nothing to hear, unless it has seen nothing. */
static void part(struct watchers *w, struct listing *ours)
{
	struct listing *theirs = &w->nodes[ours->to].list[ours->mate];

	if (!is_hidden(ours))
		tell_other(w, ours);
	ours->mate = theirs->mate = NOWHERE;
}

int watchers_add(struct watchers *w, name_id who, unsigned slot, name_id whom,
		 enum consent consent, struct bytes greeting)
{
	struct listing *ours = find(w, who, whom), *theirs;
	uint8_t bit = 1 << slot;
	bool is_listed = ours && ours->by;

	assert(who != whom && slot < PRESENCE_SLOTS);
	if (!ours) {
		if (node_of(w, who)->count >= WATCHERS_LIST_MAX)
			return ERR_LIMIT;
		ours = append(w, who, whom);
	}
	set_consent(w, who, ours, slot, consent);
	if (ours->by & bit)
		return 0;
	ours->by |= bit;
	if (greeting.size || !is_listed)
		greeting_set(&w->nodes[who], whom, greeting);
	theirs = find(w, whom, who);
	if (ours->mate == NOWHERE && theirs && theirs->by) {
		marry(w, who, ours, theirs);
	} else if (ours->mate != NOWHERE && !is_hidden(theirs)) {
		ours->due |= bit;
		enqueue(w, who);
	}
	if (ours->mate != NOWHERE)
		ours->known |= bit;
	else
		ask(w, who, ours);
	return 0;
}

/* The session no longer lists what stands at `at`. */
static void unlist(struct watchers *w, name_id who, uint32_t at, uint8_t bit)
{
	struct listing *ours = &w->nodes[who].list[at];

	if (!(ours->by & bit))
		return;
	ours->by &= ~bit;
	ours->due &= ~bit;
	if (ours->by)
		return;
	ours->asks = 0;
	greeting_drop(greeting_of(&w->nodes[who], ours->to));
	if (ours->mate != NOWHERE)
		part(w, ours);
}

void watchers_remove(struct watchers *w, name_id who, unsigned slot, name_id whom)
{
	struct listing *ours = find(w, who, whom);

	/* stays as a trace, so that removing and adding again does not ask again */
	if (ours)
		unlist(w, who, ours - w->nodes[who].list, 1 << slot);
}

void watchers_remove_all(struct watchers *w, name_id who, unsigned slot)
{
	struct node *n = node_of(w, who);

	for (uint32_t i = 0; i < n->count; i++)
		unlist(w, who, i, 1 << slot);
}

bool watchers_has_listed(const struct watchers *w, name_id who, name_id whom)
{
	const struct listing *l = find(w, who, whom);

	return l && !l->by;
}

bool watchers_lists(const struct watchers *w, name_id who, unsigned slot, name_id whom)
{
	const struct listing *l = find(w, who, whom);

	return l && l->by >> slot & 1;
}

unsigned watchers_listed(const struct watchers *w, name_id who, unsigned slot)
{
	unsigned count = 0;

	if (who >= w->size)
		return 0;
	for (uint32_t i = 0; i < w->nodes[who].count; i++)
		count += w->nodes[who].list[i].by >> slot & 1;
	return count;
}

void watchers_ready(struct watchers *w, name_id who, unsigned slot)
{
	struct node *n = node_of(w, who);
	uint8_t bit = 1 << slot;
	unsigned asks = 0;

	if (n->ready & bit)
		return;
	n->ready |= bit;
	for (uint32_t i = 0; i < n->listers; i++) {
		struct lister by = n->listed_by[i];
		struct listing *l = &w->nodes[by.from].list[by.at];

		if (l->mate != NOWHERE)
			continue;
		if (!l->by) {
			l->known = 0; /* this login has not heard of it: may be asked again */
		} else if (is_hidden(l)) {
			continue;
		} else if (asks < WATCHERS_ASKS_MAX) {
			l->asks |= bit;
			enqueue(w, by.from);
			asks++;
		}
	}
}

void watchers_enter(struct watchers *w, name_id who, unsigned slot)
{
	struct node *n = node_of(w, who);
	uint8_t bit = 1 << slot;

	n->here |= bit;
	n->self_due |= bit;
	enqueue(w, who);
}

void watchers_leave(struct watchers *w, name_id who, unsigned slot)
{
	struct node *n = node_of(w, who);
	uint8_t bit = 1 << slot;

	n->ready &= ~bit;
	n->here &= ~bit;
	n->self_due &= ~bit;
	n->self_full &= ~bit;
	w->cursor = 0;
	for (uint32_t i = n->count; i-- > 0;) {
		unlist(w, who, i, bit);
		set_consent(w, who, &n->list[i], slot, CONSENT_DIRECT);
		n->list[i].known &= ~bit;
		if (!n->list[i].by && !n->list[i].known && !n->list[i].consents)
			erase(w, who, i);
	}
}

bool watchers_mutual(const struct watchers *w, name_id a, name_id b)
{
	const struct listing *l = a == b ? NULL : find(w, a, b);

	return a == b || (l && l->mate != NOWHERE);
}

enum consent watchers_consent(const struct watchers *w, name_id who, name_id whom)
{
	const struct listing *l = who == whom ? NULL : find(w, who, whom);

	if (who == whom)
		return CONSENT_DIRECT;
	return l && l->mate != NOWHERE ? least_of(l->consents) : CONSENT_NEVER;
}

bool watchers_sees(const struct watchers *w, name_id who, name_id whom)
{
	return watchers_mutual(w, who, whom) &&
	       watchers_consent(w, whom, who) != CONSENT_HIDDEN;
}

bool watchers_may_ask(const struct watchers *w, name_id who, name_id whom)
{
	const struct listing *l = who == whom ? NULL : find(w, who, whom);
	uint16_t consents = l ? l->consents : 0;

	if (who == whom)
		return true;
	return l && l->mate != NOWHERE &&
	       least_of(consents & (uint16_t)~hidden_of(consents)) == CONSENT_DIRECT &&
	       watchers_consent(w, whom, who) == CONSENT_DIRECT;
}

void watchers_changed(struct watchers *w, name_id who)
{
	struct node *n = node_of(w, who);

	n->self_due = n->here;
	if (n->self_due)
		enqueue(w, who);
	for (uint32_t i = 0; i < n->count; i++) {
		const struct listing *ours = &n->list[i];

		if (ours->mate != NOWHERE && !is_hidden(ours))
			tell_other(w, ours);
	}
}

/* --- what is due --- */

static bool take_presence(name_id who, struct listing *l, struct watchers_due *due)
{
	*due = (struct watchers_due){ WATCHERS_PRESENCE, who, l->to, l->due, { 0 } };
	l->due = 0;
	return due->slots;
}

static bool take_asking(struct watchers *w, name_id who, struct listing *l,
			struct watchers_due *due)
{
	struct greeting *g;

	/* a session may have gone since, and another come in its slot */
	*due = (struct watchers_due){
		WATCHERS_ASKED, l->to, who, l->asks & w->nodes[l->to].ready, { 0 }
	};
	l->asks = 0;
	if (is_hidden(l))
		l->known = 0; /* it asks when it shows itself */
	if (!due->slots || is_hidden(l))
		return false;
	g = *greeting_of(&w->nodes[who], l->to);
	if (g)
		due->greeting = bytes_of(g->sealed, g->size);
	return true;
}

bool watchers_next(struct watchers *w, struct watchers_due *due)
{
	while (w->queued) {
		name_id who = w->queue[w->queued - 1];
		struct node *n = &w->nodes[who];

		if (n->self_due) {
			*due = (struct watchers_due){
				WATCHERS_PRESENCE, who, who, n->self_due, { 0 }
			};
			n->self_full &= ~n->self_due;
			n->self_due = 0;
			return true;
		}
		while (w->cursor < 2 * n->count) {
			struct listing *l = &n->list[w->cursor / 2];
			bool is_asking = w->cursor++ % 2;

			if (is_asking ? take_asking(w, who, l, due)
				      : take_presence(who, l, due))
				return true;
		}
		w->cursor = 0;
		n->is_queued = false;
		w->queued--;
	}
	return false;
}

void watchers_later(struct watchers *w, const struct watchers_due *due, uint8_t slots)
{
	bool is_presence = due->kind == WATCHERS_PRESENCE;
	struct listing *l;

	if (is_presence && due->to == due->about) {
		w->nodes[due->to].self_full |= slots & w->nodes[due->to].here;
		return;
	}
	l = is_presence ? find(w, due->to, due->about) : find(w, due->about, due->to);

	if (!l)
		return;
	/* Not queued again: watchers_next() would hand it out for ever. */
	if (is_presence)
		l->due |= slots & l->by;
	else
		l->asks |= slots;
}

void watchers_writable(struct watchers *w, name_id who, unsigned slot)
{
	struct node *n = node_of(w, who);
	uint8_t bit = 1 << slot;

	if (n->self_full & bit) {
		n->self_full &= ~bit;
		n->self_due |= bit;
		enqueue(w, who);
	}
	for (uint32_t i = 0; i < n->count; i++)
		if (n->list[i].due & bit) {
			enqueue(w, who);
			break;
		}
	for (uint32_t i = 0; i < n->listers; i++) {
		struct lister by = n->listed_by[i];

		if (w->nodes[by.from].list[by.at].asks & bit)
			enqueue(w, by.from);
	}
}
