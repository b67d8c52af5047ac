#include "peer/punch_inside.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Where nothing is known of how far they are from who introduced us. */
#define HOLD_UNKNOWN (50 * MILLISECOND)
#define HOLD_MAX     (500 * MILLISECOND)
/* Private addresses of another network: last, as they cost a sequential NAT its next ports. */
#define FAR_DELAY     (150 * MILLISECOND)
#define COMPARE_EVERY (250 * MILLISECOND)
#define PROBE_GAP     (5 * MILLISECOND) /* between two to one address, at least */
#define ASK_BEHIND    (5 * MILLISECOND) /* an offer */

/* A probe may be lost, its answer too: the first repeats do not wait for either. */
static const mono_ns probe_after[PUNCH_TRIES] = { 0, 20 * MILLISECOND, 60 * MILLISECOND,
						  140 * MILLISECOND, 300 * MILLISECOND };

/* --- sending --- */

static bool send_probe(struct punch *p, struct punch_way *w, uint8_t ttl, mono_ns now)
{
	if (!punch_may_send(p->limits, &w->path.remote, p->who,
			    ttl == 0 ? PURSE_PROBES : PURSE_LOWS, now))
		return false;
	punch_write(p->endpoint, p->limits, &w->path, NULL, &p->goal.keys, ttl, now);
	p->sent++;
	return true;
}

static bool must_hold(const struct punch *p, const struct punch_way *w, mono_ns now)
{
	return w->is_behind && p->goal.is_introduced && p->heard_at == NEVER &&
	       now < p->hold_until;
}

static bool must_wait(const struct punch *p, const struct punch_way *w)
{
	return w->is_behind && p->goal.is_awaited && !p->goal.is_introduced &&
	       p->heard_at == NEVER;
}

static void probe_low(struct punch *p, struct punch_way *w, mono_ns now)
{
	mono_ns half = now + (p->hold_until - now) / 2;

	/* A second one, where there is time: without it their first would be a stray at our
	 * NAT, if ours is lost. */
	send_probe(p, w, PUNCH_LOW_TTL, now);
	w->lows++;
	w->next = w->lows == 1 && p->hold_until - now >= 20 * MILLISECOND ? half
									  : p->hold_until;
}

/* It is a datagram to there like any other, and a large one. */
static void offer_unproved(struct punch *p, struct punch_way *w, bool is_heard, mono_ns now)
{
	if (w->is_offered || w->is_proved || !punch_way_is_worth(p, w, is_heard) ||
	    !punch_may_send(p->limits, &w->path.remote, p->who, PURSE_PROBES, now))
		return;
	w->is_offered = w->is_offer_due = true;
	p->unproved_offers++;
	p->unproved_lan_offers += w->kind <= PATH_LAN;
}

static void probe_full(struct punch *p, struct punch_way *w, mono_ns now)
{
	bool has_left = send_probe(p, w, 0, now);

	if (w->began == NEVER)
		w->began = now;
	w->tries++;
	w->next = NEVER;
	if (w->is_proved)
		w->next = now + COMPARE_EVERY;
	else if (has_left && w->tries < punch_way_tries(p, w))
		w->next = w->began + probe_after[w->tries];
	/* After a step that came late they do not go all at once. */
	if (w->next < now + PROBE_GAP)
		w->next = now + PROBE_GAP;
	if (has_left)
		offer_unproved(p, w, false, now);
}

static void step_way(struct punch *p, struct punch_way *w, mono_ns now)
{
	if (now < w->next)
		return;
	if (must_wait(p, w))
		w->next = NEVER;
	else if (must_hold(p, w, now))
		probe_low(p, w, now);
	else
		probe_full(p, w, now);
}

/* --- hearing --- */

static bool reply(struct punch *p, const struct path *path, const struct probe *probe,
		  mono_ns now)
{
	if (!punch_may_send(p->limits, &path->remote, p->who, PURSE_REPLIES, now))
		return false;
	punch_write(p->endpoint, p->limits, path, &probe->nonce, &p->goal.keys, 0, now);
	p->sent++;
	return true;
}

/* They are there and send: what waited for that goes now. */
static void wake_ways(struct punch *p, mono_ns now)
{
	for (unsigned i = 0; i < p->way_count; i++)
		if (p->ways[i].is_behind && p->ways[i].began == NEVER)
			p->ways[i].next = now;
}

static void prove(struct punch *p, struct punch_way *w, mono_ns age, mono_ns now)
{
	mono_ns patience;

	punch_has_answered(p->limits, &w->path.remote, p->who, now);
	if (!p->has_proof) {
		p->has_proof = true;
		p->ends_at = now + PUNCH_COMPARE;
	}
	/* The clock in a nonce is coarse; 0 would say that nothing is known. */
	if (age == 0)
		age = 1;
	if (!w->is_proved || age < w->round_trip)
		w->round_trip = age;
	/* Who hears this when the handshake should have been answered may take it that it was lost:
	 * so ask again behind it, each time. */
	patience = w->round_trip + 5 * MILLISECOND;
	if (w->is_proved &&
	    (w->proved_offers > PUNCH_OFFERS_AGAIN || now - w->proved_offered_at < patience))
		return;
	w->is_proved = w->is_proved_offer_due = true;
	w->is_offer_due = false;
	w->next = now + ASK_BEHIND;
	w->proved_offers++;
	w->proved_offered_at = now;
}

/* Heard from there, and not by a proof: the reply asks already. */
static void pursue(struct punch *p, struct punch_way *w, bool has_replied, mono_ns now)
{
	offer_unproved(p, w, true, now);
	if (w->is_proved || w->began != NEVER)
		return;
	w->next = now;
	if (!has_replied)
		return;
	w->began = now;
	w->tries = 1;
	w->next = now + probe_after[1];
}

void punch_hear(struct punch *p, const struct path *path, const struct probe *probe,
		mono_ns now)
{
	bool is_proof, was_answer = false, has_replied = false;
	struct punch_way *w;
	mono_ns age = 0;

	if (!address_is_unicast(&path->remote) || !punch_nonce_is_new(p->limits, &probe->nonce))
		return; /* from nowhere, or a copy from wherever */
	if (p->heard_at == NEVER)
		wake_ways(p, now);
	p->heard++;
	p->heard_at = now;
	w = punch_way_add(p, path, 0);
	is_proof = probe->is_answer && punch_nonce_check(p->limits, &probe->echo, p->who, path,
							 p->began, now, &was_answer, &age);
	if (is_proof && w)
		prove(p, w, age, now);
	/* Their proof of us: of an answer to an answer of ours they have it already. */
	if (is_proof ? !was_answer : !probe->is_answer)
		has_replied = reply(p, path, probe, now);
	if (!is_proof && w)
		pursue(p, w, has_replied, now);
	punch_step(p, now);
}

/* --- what may be dialled --- */

bool punch_next(struct punch *p, struct punch_offer *offer)
{
	struct punch_way *best = NULL;

	for (unsigned i = 0; i < p->way_count; i++) {
		struct punch_way *w = &p->ways[i];

		if (!w->is_offer_due && !w->is_proved_offer_due)
			continue;
		if (!best || w->is_proved > best->is_proved ||
		    (w->is_proved == best->is_proved &&
		     path_is_better(w->kind, w->round_trip, best->kind, best->round_trip)))
			best = w;
	}
	if (!best)
		return false;
	*offer = (struct punch_offer){ .path = best->path,
				       .kind = best->kind,
				       .is_proved = best->is_proved,
				       .round_trip = best->round_trip };
	best->is_offer_due = best->is_proved_offer_due = false;
	return true;
}

/* --- its life --- */

/* From the introduction: theirs is half their round trip old when it opens their NAT, and ours half
 * of ours; and the same again for what one line is slower than the other just now. */
static mono_ns find_hold(const struct punch_goal *g)
{
	mono_ns theirs = g->their_round_trip, ours = g->our_round_trip, hold;

	if (theirs == 0)
		return HOLD_UNKNOWN;
	hold = theirs / 2;
	if (theirs > ours && ours > 0)
		hold += (theirs - ours) / 2;
	return mono_earlier(hold, HOLD_MAX);
}

static void begin_way(struct punch_way *w, mono_ns now)
{
	w->began = NEVER;
	w->lows = w->tries = 0;
	w->next = w->is_far ? now + FAR_DELAY : now;
}

static void add(struct punch *p, const struct address *a, int kind, mono_ns now)
{
	struct path path = { .remote = *a };
	unsigned before = p->way_count;
	struct punch_way *w = punch_way_add(p, &path, kind);

	if (w && (p->way_count > before || (w->next == NEVER && w->began == NEVER)))
		begin_way(w, now);
}

static bool are_behind_one(const struct punch_goal *g)
{
	if (g->our_public.family == 0)
		return false;
	if (g->seen.family != 0 && address_same_ip(&g->seen, &g->our_public))
		return true;
	for (unsigned i = 0; i < g->candidates.count; i++)
		if (g->candidates.list[i].kind != CANDIDATE_HOST &&
		    address_same_ip(&g->candidates.list[i].address, &g->our_public))
			return true;
	return false;
}

static void take_goal(struct punch *p, const struct punch_goal *goal)
{
	const struct network *n = goal->network;

	assert(n && n->address_count <= NETWORK_ADDRESSES_MAX);
	p->goal = *goal;
	p->goal.network = NULL;
	p->who = punch_who(&goal->keys);
	p->has_public_peer = are_behind_one(goal);
	p->is_metered = n->is_metered;
	p->local_count = n->address_count;
	memcpy(p->locals, n->addresses, n->address_count * sizeof p->locals[0]);
}

/* From here the time counts. */
static void begin(struct punch *p, mono_ns now)
{
	const struct punch_goal *g = &p->goal;

	p->hold_until = now + find_hold(g);
	p->ends_at = now + PUNCH_LENGTH;
	for (unsigned i = 0; i < p->way_count; i++)
		if (!p->ways[i].is_proved)
			begin_way(&p->ways[i], now);
	for (unsigned i = 0; i < g->candidates.count; i++)
		add(p, &g->candidates.list[i].address, g->candidates.list[i].kind, now);
	if (g->seen.family != 0)
		add(p, &g->seen, CANDIDATE_REFLEXIVE, now);
	if (g->is_introduced)
		punch_spray_plan(p, p->hold_until, now);
	punch_step(p, now);
}

struct punch *punch_new(struct endpoint *e, struct punch_limits *limits,
			const struct punch_goal *goal, mono_ns now)
{
	struct punch *p = memory_new(sizeof *p);

	p->endpoint = e;
	p->limits = limits;
	p->began = now;
	p->heard_at = NEVER;
	p->spray.open_at = p->spray.full_at = p->spray.round_at = NEVER;
	take_goal(p, goal);
	begin(p, now);
	return p;
}

void punch_free(struct punch *p)
{
	if (!p)
		return;
	p->way_count = 0; /* so that nothing needs its sockets */
	punch_spray_stop(p, p->now);
	sodium_memzero(p, sizeof *p);
	free(p);
}

void punch_add(struct punch *p, const struct address *a, enum candidate_kind kind, mono_ns now)
{
	if (p->goal.candidates.count < CANDIDATES_MAX)
		candidates_add(&p->goal.candidates, kind, a);
	add(p, a, kind, now);
	punch_step(p, now);
}

void punch_introduced(struct punch *p, const struct punch_goal *goal, mono_ns now)
{
	if (p->has_proof)
		return;
	if (p->goal.is_introduced) {
		punch_renewed(p, goal, now);
		return;
	}
	take_goal(p, goal);
	p->goal.is_introduced = true;
	begin(p, now);
}

static bool is_same_nat(const struct nat *a, const struct nat *b)
{
	return a->mapping == b->mapping && a->filtering == b->filtering && a->low == b->low &&
	       a->high == b->high;
}

/* What is new of us they hear by the directory. */
static mono_ns until_heard(const struct punch_goal *g)
{
	if (g->our_round_trip == 0 || g->their_round_trip == 0)
		return HOLD_UNKNOWN;
	return mono_earlier((g->our_round_trip + g->their_round_trip) / 2, HOLD_MAX);
}

void punch_renewed(struct punch *p, const struct punch_goal *goal, mono_ns now)
{
	struct punch_goal g = *goal, before = p->goal;
	bool are_we_new = !is_same_nat(&g.ours, &before.ours);
	bool are_they_new = !is_same_nat(&g.theirs, &before.theirs);
	mono_ns meet_at = now + (are_we_new ? until_heard(&before) : 0);

	if (!p->has_proof) {
		if (g.seen.family == 0)
			g.seen = before.seen;
		g.our_round_trip = before.our_round_trip;
		g.their_round_trip = before.their_round_trip;
		g.is_introduced = before.is_introduced;
		g.is_awaited = before.is_awaited;
		take_goal(p, &g);
		for (unsigned i = 0; i < g.candidates.count; i++)
			add(p, &g.candidates.list[i].address, g.candidates.list[i].kind, now);
		if (g.is_introduced && g.seen.family != 0)
			add(p, &g.seen, CANDIDATE_REFLEXIVE, now);
		if (g.is_introduced && (are_we_new || are_they_new))
			punch_spray_again(p, meet_at > p->hold_until ? meet_at : p->hold_until,
					  now);
		punch_step(p, now);
	}
	sodium_memzero(&g, sizeof g);
	sodium_memzero(&before, sizeof before);
}

bool punch_step(struct punch *p, mono_ns now)
{
	p->now = now;
	if (now >= p->ends_at)
		return false;
	for (unsigned i = 0; i < p->way_count; i++)
		step_way(p, &p->ways[i], now);
	punch_spray_step(p, now);
	return true;
}

mono_ns punch_deadline(const struct punch *p)
{
	mono_ns deadline = mono_earlier(p->ends_at, punch_spray_deadline(p));

	for (unsigned i = 0; i < p->way_count; i++)
		deadline = mono_earlier(deadline, p->ways[i].next);
	return deadline;
}

struct punch_report punch_report(const struct punch *p)
{
	return (struct punch_report){
		.sent = p->sent,
		.sprayed = p->sprayed,
		.sockets = p->spray.socket_count,
		.heard = p->heard,
		.is_spraying = p->limits->sprayer == p,
		.is_resting = p->spray.is_resting,
	};
}
