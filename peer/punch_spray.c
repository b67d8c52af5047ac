#include "peer/punch_inside.h"

#include <sodium.h>
#include <string.h>

/* Meeting a NAT that has another port for each destination. What opens our own NAT goes with a low
 * TTL, as fast as our line bears: nobody else sees it. What has to arrive somewhere is a stray to their
 * router until it hits, and is counted by punch_spray_due().
 *
 * How long it takes: each that arrives meets one of those that the other side has opened, by chance.
 * With F that arrive at each side and O opened by each, of N pairs of ports there are, 2FO / N meet.
 * Two blocks of 512: N is 512 * 512, and 185 * 490 do in a tenth of a second. A block and a random
 * one: N is 512 * 64512; with PUNCH_OPENED_MAX open and PUNCH_RATE it is half of all cases after five
 * seconds and four of five after PUNCH_LENGTH. Who lets 4000 arrive in each second needs two. */
enum {
	BLOCK_SOCKETS =
		128, /* SOCKETS in a block: they find it soon, and the rest is for others */
	PAIR_SOCKETS = 64, /* PAIRS, beside the main one: more pairs than are ever tried */
	PAIR_WINDOW = 160, /* PAIRS toward a sequential NAT that makes PUNCH_LISTED of them */
	AIM_ROUNDS = 3,
	AIM_PASSES = 2, /* each of a round's in full so often */
	/* Opened in a millisecond. LIST, PAIRS: five megabits a second, for a fifth of one; with a
	 * random one for one and a half. */
	OPENS_PAIRS = 10,
	OPENS_SOCKETS = 4,
	BATCH = 64, /* at most in one step, after a late one */
};
#define PAIR_STRIDE  2654435761u /* a prime: PAIRS in an order with no pattern and no repeat */
#define PAIRS_OPEN   (70 * MILLISECOND)  /* so many that one which arrives has a chance */
#define LIST_OPEN    (40 * MILLISECOND)  /* ... where one of both is sequential: fewer pairs */
#define SOCKETS_OPEN (130 * MILLISECOND) /* the sockets are there, and guessing begins to pay */
#define SOCKETS_LATER                                                                          \
	(700 * MILLISECOND) /* in full, should a low TTL not reach their carrier's NAT */
#define OPEN_PATIENCE  (1 * SECOND)        /* one of us says that anybody may come in */
#define HEARD_PATIENCE (300 * MILLISECOND) /* somebody is there: perhaps this is it */
#define TURN           (100 * MILLISECOND) /* another one sprays: looked again */
#define AIM_ROUND      (1 * SECOND)

/* Two sequential NATs. The walker sends its flows n = 1.. of round r to our next ports 64r + ahead +
 * n; the other's sockets, whose ports are the next 64 as well, all aim at the walker's next port
 * 64r + aim. With f and g foreign flows meanwhile at the two NATs they meet where n = aim - f and
 * the socket is aim + ahead - f - g, both of 1 to 64: in round 0 up to 23 flows together, in round 1 up to
 * 87. */
static const struct aim {
	unsigned aim, ahead;
} aims[AIM_ROUNDS] = { { 24, 0 }, { 64, 24 }, { 128, 20 } };

/* --- what to do --- */

enum { WITH_EASY, WITH_SEQUENTIAL, WITH_BLOCK, WITH_RANDOM, WITH_COUNT };

static int with(const struct nat *nat)
{
	switch (nat->mapping) {
	case NAT_NONE:
	case NAT_EASY:
		return WITH_EASY;
	case NAT_SEQUENTIAL:
		return WITH_SEQUENTIAL;
	case NAT_BLOCK:
		return WITH_BLOCK;
	case NAT_RANDOM:
		return WITH_RANDOM;
	default:
		return -1;
	}
}

/* A random one and another random or a sequential one have no chance that would be worth the packets:
 * two random ones need 65,000 from each side. A contact relays. */
static enum punch_method find_method(const struct punch_goal *g)
{
	static const enum punch_method methods[WITH_COUNT][WITH_COUNT] = {
		[WITH_EASY] = { METHOD_NONE, METHOD_GUESS, METHOD_GUESS, METHOD_GUESS },
		[WITH_SEQUENTIAL] = { METHOD_NONE, METHOD_AIM, METHOD_LIST, METHOD_NONE },
		[WITH_BLOCK] = { METHOD_SOCKETS, METHOD_PAIRS, METHOD_PAIRS, METHOD_PAIRS },
		[WITH_RANDOM] = { METHOD_SOCKETS, METHOD_NONE, METHOD_PAIRS, METHOD_NONE },
	};
	int ours = with(&g->ours), theirs = with(&g->theirs);
	enum punch_method method;

	if (ours < 0 || theirs < 0)
		return METHOD_NONE;
	method = methods[ours][theirs];
	return method == METHOD_AIM && g->is_first ? METHOD_WALK : method;
}

/* Their IPv4 address behind the NAT: only what they have signed, so that nobody else can have us
 * spray at a third; and what the directory sees of them is that one, or is none of IPv4, so that
 * they cannot either. It tells the port, too. */
static struct address find_target(const struct punch_goal *g)
{
	struct address target = { 0 };

	for (unsigned i = 0; i < g->candidates.count; i++) {
		const struct candidate *c = &g->candidates.list[i];
		bool is_outside = c->kind == CANDIDATE_REFLEXIVE ||
				  (c->kind == CANDIDATE_HOST && g->theirs.mapping == NAT_NONE);

		if (!is_outside || c->address.family != 4)
			continue;
		if (address_same_ip(&c->address, &g->seen))
			return g->seen;
		if (target.family == 0)
			target = c->address;
	}
	return g->seen.family == 4 ? (struct address){ 0 } : target;
}

/* How long after the hold what needs no spray should have worked. */
static mono_ns find_patience(const struct punch_goal *g)
{
	if (g->ours.filtering == NAT_OPEN || g->theirs.filtering == NAT_OPEN)
		return OPEN_PATIENCE;
	if (g->our_round_trip == 0 || g->their_round_trip == 0)
		return PUNCH_PATIENCE;
	/* The way by the directory is no shorter than the direct one. */
	return mono_earlier(PUNCH_PATIENCE,
			    g->our_round_trip + g->their_round_trip + 5 * MILLISECOND);
}

void punch_spray_plan(struct punch *p, mono_ns meet_at, mono_ns now)
{
	struct punch_spray *s = &p->spray;
	mono_ns patience = find_patience(&p->goal), begin = meet_at + patience;
	const struct nat *theirs = &p->goal.theirs;
	bool is_sequential = p->goal.ours.mapping == NAT_SEQUENTIAL ||
			     theirs->mapping == NAT_SEQUENTIAL;

	s->target = find_target(&p->goal);
	s->method = find_method(&p->goal);
	if (!p->goal.may_spray || p->is_metered || s->target.family == 0)
		s->method = METHOD_NONE;
	nat_guess_begin(&s->guess, theirs);
	switch (s->method) {
	case METHOD_NONE:
		return;
	case METHOD_GUESS:
		if (theirs->mapping == NAT_SEQUENTIAL && patience < OPEN_PATIENCE)
			begin = meet_at; /* a window of them is not much */
		s->full_at = begin + (theirs->mapping == NAT_RANDOM ? SOCKETS_OPEN : 0);
		return;
	case METHOD_SOCKETS:
		s->list_count = p->goal.ours.mapping == NAT_BLOCK ? BLOCK_SOCKETS
								  : PUNCH_SOCKETS;
		s->open_at = begin;
		s->full_at = begin + SOCKETS_LATER;
		return;
	case METHOD_WALK:
	case METHOD_AIM:
		/* At once: every other flow moves the ports away. */
		s->list_count = NAT_WINDOW;
		s->open_at = patience == OPEN_PATIENCE ? begin : now;
		s->full_at = patience == OPEN_PATIENCE ? begin : meet_at;
		s->round_at = s->full_at + AIM_ROUND;
		return;
	case METHOD_LIST:
		s->list_count = PUNCH_LISTED;
		for (unsigned i = 0; i < PUNCH_LISTED; i++)
			s->list[i] = nat_guess_next(&s->guess);
		break;
	case METHOD_PAIRS:
		s->list_count = PUNCH_SPRAYED_MAX;
		if (p->goal.ours.mapping == NAT_RANDOM || theirs->mapping == NAT_RANDOM)
			s->list_count = PUNCH_OPENED_MAX;
		s->pairs = randombytes_random();
		break;
	}
	/* Without it these would not meet: our own NAT is opened at once. */
	s->open_at = patience == OPEN_PATIENCE ? begin : now;
	s->full_at = s->open_at + (is_sequential ? LIST_OPEN : PAIRS_OPEN);
	if (s->full_at < meet_at)
		s->full_at = meet_at;
}

/* --- from where to where --- */

/* The `index`th extra socket; 0: there are no more. */
static uint16_t find_socket(struct punch *p, unsigned index)
{
	struct punch_spray *s = &p->spray;

	while (s->socket_count <= index) {
		uint16_t socket = endpoint_extra_socket(p->endpoint);

		if (socket == 0)
			return 0;
		s->sockets[s->socket_count++] = socket;
	}
	return s->sockets[index];
}

/* One that was not tried before, of our sockets and their ports: what is open already opens nothing.
 * False: no socket is left for it. */
static bool next_pair(struct punch *p, struct path *path)
{
	const struct nat *theirs = &p->goal.theirs;
	struct punch_spray *s = &p->spray;
	uint32_t low = theirs->low, ports = PAIR_WINDOW, n;

	if (theirs->mapping == NAT_RANDOM) {
		path->remote.port = nat_guess_next(&s->guess);
		return true; /* they are enough for one socket */
	}
	if (theirs->mapping == NAT_BLOCK) {
		low = low < 1024 ? 1024 : low;
		ports = theirs->high < low ? 1 : theirs->high - low + 1;
	}
	n = (uint32_t)((uint64_t)s->pairs++ * PAIR_STRIDE % (ports * (PAIR_SOCKETS + 1)));
	path->remote.port = theirs->mapping == NAT_BLOCK
				    ? (uint16_t)(low + n % ports)
				    : nat_port_after(theirs, 1 + n % ports);
	n /= ports;
	path->socket = n == 0 ? 0 : find_socket(p, n - 1);
	return n == 0 || path->socket != 0;
}

/* False: no socket is left for it. */
static bool find_pair(struct punch *p, unsigned index, struct path *path)
{
	const struct nat *theirs = &p->goal.theirs;
	struct punch_spray *s = &p->spray;
	unsigned round = index / NAT_WINDOW, n = index % NAT_WINDOW + 1, base;

	*path = (struct path){ .remote = s->target };
	switch (s->method) {
	case METHOD_GUESS:
		path->remote.port = nat_guess_next(&s->guess);
		return true;
	case METHOD_SOCKETS:
		path->socket = find_socket(p, index);
		return path->socket != 0;
	case METHOD_WALK:
		base = round * NAT_WINDOW + aims[round].ahead;
		path->remote.port = nat_port_after(theirs, base + n);
		return true;
	case METHOD_AIM:
		path->remote.port = nat_port_after(theirs,
						   round * NAT_WINDOW + aims[round].aim);
		path->socket = find_socket(p, n - 1);
		return path->socket != 0;
	case METHOD_LIST:
		path->remote.port = s->list[index];
		return true;
	case METHOD_PAIRS:
		return next_pair(p, path);
	default:
		return false;
	}
}

static bool spray(struct punch *p, unsigned index, uint8_t ttl, mono_ns now)
{
	struct path path;

	if (!find_pair(p, index, &path))
		return false;
	punch_write(p->endpoint, p->limits, &path, NULL, &p->goal.keys, ttl, now);
	p->sprayed++;
	return true;
}

/* --- how many more --- */

static unsigned opens_left(const struct punch_spray *s)
{
	switch (s->method) {
	case METHOD_NONE:
	case METHOD_GUESS:
		return 0;
	default:
		return s->list_count - s->opened;
	}
}

/* Those of a list that may arrive; without a list: of all. */
static unsigned fulls_left(const struct punch_spray *s)
{
	unsigned end = PUNCH_SPRAYED_MAX;

	if (s->method == METHOD_SOCKETS)
		end = s->list_count; /* once: a mapping lives 30 s */
	else if (s->method == METHOD_WALK || s->method == METHOD_AIM)
		end = s->list_count * AIM_PASSES;
	return end > s->repeated ? end - s->repeated : 0;
}

/* Which of the list is next in full: nothing that is not open yet. False: wait. */
static bool find_repeated(const struct punch_spray *s, unsigned *index)
{
	*index = s->repeated;
	if (s->method == METHOD_LIST)
		*index = s->repeated % s->list_count;
	else if (s->method == METHOD_WALK || s->method == METHOD_AIM)
		*index = s->repeated / (NAT_WINDOW * AIM_PASSES) * NAT_WINDOW +
			 s->repeated % NAT_WINDOW;
	return s->method == METHOD_GUESS || s->method == METHOD_PAIRS || *index < s->opened;
}

/* --- step by step --- */

/* A timer is no finer. */
static unsigned opens_in_a_millisecond(enum punch_method method)
{
	switch (method) {
	case METHOD_LIST:
	case METHOD_PAIRS:
		return OPENS_PAIRS;
	case METHOD_SOCKETS:
		return OPENS_SOCKETS;
	default:
		return 1;
	}
}

static void send_opens(struct punch *p, mono_ns now)
{
	struct punch_spray *s = &p->spray;
	unsigned at_once = opens_in_a_millisecond(s->method);

	for (unsigned i = 0; i < BATCH && s->open_at <= now && opens_left(s) > 0; i++) {
		if (!spray(p, s->opened, PUNCH_LOW_TTL, now))
			s->list_count = s->opened; /* these sockets have to do */
		else if (++s->opened % at_once == 0)
			s->open_at += MILLISECOND;
	}
	if (opens_left(s) == 0)
		s->open_at = NEVER;
	else if (s->open_at <= now)
		s->open_at = now + MILLISECOND;
}

static void send_fulls(struct punch *p, mono_ns now)
{
	struct punch_spray *s = &p->spray;
	unsigned index;

	while (s->full_at <= now && punch_spray_due(p->limits) <= now && fulls_left(s) > 0) {
		if (!find_repeated(s, &index)) {
			s->full_at = now + MILLISECOND;
			return;
		}
		spray(p, index, 0, now);
		punch_spray_left(p->limits, now);
		s->repeated++;
	}
	if (fulls_left(s) == 0)
		s->full_at = NEVER;
}

static void begin_round(struct punch_spray *s, mono_ns now)
{
	s->round++;
	s->list_count += NAT_WINDOW;
	s->open_at = now;
	s->full_at = now + 40 * MILLISECOND; /* the other side is not as punctual */
	s->round_at = s->round + 1 < AIM_ROUNDS ? now + AIM_ROUND : NEVER;
}

static void give_up(struct punch *p, mono_ns now)
{
	struct punch_spray *s = &p->spray;

	s->is_over = true;
	s->open_at = s->full_at = s->round_at = NEVER;
	if (p->limits->sprayer == p)
		p->limits->sprayer = NULL;
	if (s->has_begun && !p->has_proof)
		punch_spray_rests(p->limits, &s->target, p->who, now);
}

static mono_ns next_of(const struct punch_spray *s)
{
	return mono_earlier(mono_earlier(s->open_at, s->full_at), s->round_at);
}

static void delay(struct punch_spray *s, mono_ns until)
{
	mono_ns by = until > next_of(s) ? until - next_of(s) : 0;

	s->open_at += s->open_at == NEVER ? 0 : by;
	s->full_at += s->full_at == NEVER ? 0 : by;
	s->round_at += s->round_at == NEVER ? 0 : by;
}

/* False: not now, or never. */
static bool may_go_on(struct punch *p, mono_ns now)
{
	struct punch_spray *s = &p->spray;

	if (p->heard_at != NEVER && now - p->heard_at < HEARD_PATIENCE) {
		delay(s, p->heard_at + HEARD_PATIENCE);
		return false;
	}
	if (s->has_begun)
		return true;
	switch (punch_may_spray(p->limits, p, &s->target, now)) {
	case SPRAY_MUST_REST:
		s->is_resting = true;
		give_up(p, now);
		return false;
	case SPRAY_MUST_WAIT:
		delay(s, now + TURN);
		return false;
	case SPRAY_MAY:
		break;
	}
	s->has_begun = true;
	p->limits->sprayer = p;
	return true;
}

void punch_spray_step(struct punch *p, mono_ns now)
{
	struct punch_spray *s = &p->spray;

	if (s->method == METHOD_NONE || s->is_over)
		return;
	if (p->has_proof) {
		punch_spray_stop(p, now);
		return;
	}
	if (now < next_of(s) || !may_go_on(p, now))
		return;
	if (s->round_at <= now)
		begin_round(s, now);
	send_opens(p, now);
	send_fulls(p, now);
	if (next_of(s) == NEVER)
		give_up(p, now);
}

mono_ns punch_spray_deadline(const struct punch *p)
{
	const struct punch_spray *s = &p->spray;
	mono_ns full_at = s->full_at, due = punch_spray_due(p->limits);

	if (s->method == METHOD_NONE || s->is_over)
		return NEVER;
	if (s->has_begun && full_at != NEVER && due > full_at)
		full_at = due;
	return mono_earlier(mono_earlier(s->open_at, full_at), s->round_at);
}

static bool is_used(const struct punch *p, uint16_t socket)
{
	for (unsigned i = 0; i < p->way_count; i++)
		if (p->ways[i].path.socket == socket)
			return true;
	return false;
}

static void release_sockets(struct punch *p)
{
	struct punch_spray *s = &p->spray;
	unsigned kept = 0;

	for (unsigned i = 0; i < s->socket_count; i++) {
		if (is_used(p, s->sockets[i]))
			s->sockets[kept++] = s->sockets[i];
		else
			endpoint_release_socket(p->endpoint, s->sockets[i]);
	}
	s->socket_count = kept;
}

void punch_spray_stop(struct punch *p, mono_ns now)
{
	if (!p->spray.is_over)
		give_up(p, now);
	release_sockets(p);
}

/* Who changes their mind all the time does not make us spray more than twice. */
void punch_spray_again(struct punch *p, mono_ns meet_at, mono_ns now)
{
	struct punch_spray *s = &p->spray;

	if (s->is_over || (s->has_begun && s->is_second))
		return;
	if (p->limits->sprayer == p)
		p->limits->sprayer = NULL;
	release_sockets(p);
	s->is_second |= s->has_begun;
	s->has_begun = false;
	s->round = s->list_count = s->opened = s->repeated = 0;
	s->open_at = s->full_at = s->round_at = NEVER;
	punch_spray_plan(p, meet_at, now);
}
