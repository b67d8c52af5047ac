#include "tests/punch_net.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "tests/at.h"

/* Where a datagram is under way to: its sender's box, the other's, or at last a machine. */
enum leg { TO_OWN_BOX, TO_OTHER_BOX, TO_MACHINE };

struct flying {
	struct flying *next;
	mono_ns at;
	uint64_t order;
	enum leg leg;
	unsigned
		side; /* TO_OWN_BOX: the sender; then whose box, and whose machine, it comes to */
	struct address from, to;
	uint8_t ttl;
	size_t size;
	uint8_t data[64];
};

enum { INITIAL = 'I', RESPONSE = 'R' };

/* --- the sockets of a side --- */

static struct address inside_of(const struct endpoint *e, uint16_t socket)
{
	struct address a = e->home;

	if (socket >= PATH_EXTRA)
		a.port = (uint16_t)(20000 + 1000 * e->number + socket);
	return a;
}

static uint16_t socket_of(const struct endpoint *e, const struct address *inside)
{
	return inside->port == e->home.port
		       ? 0
		       : (uint16_t)(inside->port - 20000 - 1000 * e->number);
}

uint16_t punch_net_socket(struct endpoint *e)
{
	unsigned count = 1;

	for (unsigned i = 0; i < PATH_EXTRA_MAX; i++)
		count += e->in_use[i];
	for (unsigned i = 0; i < PATH_EXTRA_MAX; i++) {
		if (e->in_use[i])
			continue;
		e->in_use[i] = true;
		if (count > e->sockets_at_once)
			e->sockets_at_once = count;
		return (uint16_t)(PATH_EXTRA + i);
	}
	return 0;
}

void punch_net_release(struct endpoint *e, uint16_t socket)
{
	assert(socket >= PATH_EXTRA && e->in_use[socket - PATH_EXTRA]);
	e->in_use[socket - PATH_EXTRA] = false;
}

/* --- the way of a datagram --- */

static void fly(struct punch_net *net, struct flying *f)
{
	struct flying **place = &net->flying;

	f->order = net->order++;
	while (*place &&
	       ((*place)->at < f->at || ((*place)->at == f->at && (*place)->order < f->order)))
		place = &(*place)->next;
	f->next = *place;
	*place = f;
}

static void note_stranger(struct punch_net *net, const struct address *to)
{
	for (unsigned i = 0; i < net->stranger_count; i++) {
		if (address_same_ip(&net->strangers[i].ip, to)) {
			net->strangers[i].count++;
			return;
		}
	}
	assert(net->stranger_count < PUNCH_NET_STRANGERS);
	net->strangers[net->stranger_count].ip = *to;
	net->strangers[net->stranger_count++].count = 1;
}

static bool is_at(const struct endpoint *e, const struct address *to)
{
	return address_same_ip(&e->home, to) || address_same_ip(&e->box->outside, to);
}

void punch_net_send(struct endpoint *e, const struct path *path, struct bytes data, uint8_t ttl)
{
	struct punch_net *net = e->net;
	struct endpoint *other = &net->sides[!e->number];
	bool is_near = e->box == other->box && address_same_ip(&other->home, &path->remote);
	struct flying *f;

	if (net->tap && !net->tap(net, e->number, path, data, ttl))
		return;
	net->low_ones += ttl != 0;
	net->probes += data.data[0] != INITIAL && data.data[0] != RESPONSE;
	net->initials += data.data[0] == INITIAL;
	if (path->remote.family != 4 || dice_chance(&net->dice, net->loss))
		return;
	f = memory_new(sizeof *f);
	assert(data.size <= sizeof f->data);
	memcpy(f->data, data.data, data.size);
	f->size = data.size;
	f->ttl = ttl;
	f->from = inside_of(e, path->socket);
	f->to = path->remote;
	f->side = is_near ? other->number : e->number;
	f->leg = is_near ? TO_MACHINE : TO_OWN_BOX;
	f->at = net->now + (is_near ? MILLISECOND : e->to_box);
	fly(net, f);
}

/* Through the sender's box into the world: false, it ends here. */
static bool go_out(struct punch_net *net, struct flying *f)
{
	struct endpoint *e = &net->sides[f->side], *other = &net->sides[!f->side];
	struct address as;
	bool is_home = address_same_ip(&e->box->outside, &f->to) && e->box == other->box;

	if (!nat_box_out(e->box, &f->from, &f->to, net->now, &as) || f->ttl != 0)
		return false;
	if (is_home ? !e->box->hairpins : !is_at(other, &f->to) || address_is_private(&f->to)) {
		if (!is_home)
			note_stranger(net, &f->to);
		return false;
	}
	f->from = as;
	f->side = other->number;
	f->leg = TO_OTHER_BOX;
	f->at = net->now + (is_home ? MILLISECOND : e->to_core + other->to_core);
	return !dice_chance(&net->dice, net->loss);
}

static bool go_in(struct punch_net *net, struct flying *f)
{
	struct endpoint *e = &net->sides[f->side];
	struct address inside;

	if (!nat_box_in(e->box, &f->from, &f->to, net->now, &inside))
		return false;
	f->to = inside;
	if (!address_same_ip(&f->to, &e->home))
		e = &net->sides[!f->side]; /* both live behind this box */
	f->side = e->number;
	f->leg = TO_MACHINE;
	f->at = net->now + e->to_box;
	return address_same_ip(&f->to, &e->home);
}

/* --- a side at work --- */

static void say(struct endpoint *e, const struct path *path, uint8_t what)
{
	punch_net_send(e, path, bytes_of(&what, 1), 0);
}

static void take_offers(struct endpoint *e)
{
	struct punch_offer offer;

	while (punch_next(e->punch, &offer)) {
		e->unproved_offers += !offer.is_proved;
		e->proved_offers += offer.is_proved;
		if (e->first_offer_at == 0)
			e->first_offer_at = e->net->now;
		if (e->is_dialler && !e->is_linked)
			say(e, &offer.path, INITIAL);
		if (offer.is_proved && e->linked.kind == PATH_NONE)
			e->linked = offer;
	}
	e->report = punch_report(e->punch);
}

static void hear(struct endpoint *e, const struct flying *f, const struct address *inside)
{
	struct path path = { .socket = socket_of(e, inside), .remote = f->from };
	struct bytes data = bytes_of(f->data, f->size);
	struct probe probe;

	if (path.socket >= PATH_EXTRA && !e->in_use[path.socket - PATH_EXTRA])
		return;
	if (f->data[0] == INITIAL) {
		say(e, &path, RESPONSE);
	} else if (f->data[0] == RESPONSE) {
		if (!e->is_linked)
			e->linked_at = e->net->now;
		e->is_linked = true;
	} else if (probe_decode(&probe, data, &e->goal.keys) == 0) {
		if (e->punch && !e->is_over)
			punch_hear(e->punch, &path, &probe, e->net->now);
		else
			punch_answer(e, &e->limits, &path, &probe, &e->goal.keys, e->net->now);
	}
}

static void arrive(struct punch_net *net, struct flying *f)
{
	bool goes_on = false;

	if (f->leg == TO_OWN_BOX)
		goes_on = go_out(net, f);
	else if (f->leg == TO_OTHER_BOX)
		goes_on = go_in(net, f);
	else
		hear(&net->sides[f->side], f, &f->to);
	if (goes_on)
		fly(net, f);
	else
		free(f);
}

static mono_ns deadline_of(const struct endpoint *e)
{
	if (e->is_over)
		return NEVER;
	return e->punch ? punch_deadline(e->punch) : e->introduced_at;
}

static void step(struct endpoint *e)
{
	if (!e->punch && !e->is_over && e->net->now >= e->introduced_at) {
		e->goal.network = &e->network;
		e->punch = punch_new(e, &e->limits, &e->goal, e->net->now);
	}
	if (!e->punch || e->is_over)
		return;
	e->is_over = !punch_step(e->punch, e->net->now);
	take_offers(e);
	assert(e->is_over || punch_deadline(e->punch) > e->net->now);
}

bool punch_net_run(struct punch_net *net, mono_ns length)
{
	mono_ns end = net->now + length;

	for (;;) {
		mono_ns next = net->flying ? net->flying->at : NEVER;
		bool is_linked = false;

		for (int i = 0; i < 2; i++) {
			struct endpoint *e = &net->sides[i];

			step(e);
			next = mono_earlier(next, deadline_of(e));
			is_linked = is_linked || e->is_linked;
		}
		if (net->flying)
			next = mono_earlier(next, net->flying->at);
		if (is_linked || next > end) {
			net->now = is_linked ? net->now : end;
			return is_linked;
		}
		net->now = next;
		while (net->flying && net->flying->at <= net->now) {
			struct flying *f = net->flying;

			net->flying = f->next;
			arrive(net, f);
		}
	}
}

void punch_net_again(struct punch_net *net)
{
	for (int i = 0; i < 2; i++) {
		struct endpoint *e = &net->sides[i];

		punch_free(e->punch);
		e->punch = NULL;
		e->is_over = e->is_linked = false;
		e->linked = (struct punch_offer){ 0 };
		e->unproved_offers = e->proved_offers = 0;
		e->first_offer_at = 0;
		e->introduced_at = net->now + e->to_box + e->to_core;
	}
}

void punch_net_inject(struct punch_net *net, const struct address *from,
		      const struct address *to, struct bytes data)
{
	struct flying *f = memory_new(sizeof *f);

	assert(data.size <= sizeof f->data);
	memcpy(f->data, data.data, data.size);
	f->size = data.size;
	f->from = *from;
	f->to = *to;
	f->side = !is_at(&net->sides[0], to);
	f->leg = TO_OTHER_BOX;
	f->at = net->now + MILLISECOND;
	fly(net, f);
}

unsigned punch_net_went_to(const struct punch_net *net, const char *ip)
{
	struct address a = at(ip);

	for (unsigned i = 0; i < net->stranger_count; i++)
		if (address_same_ip(&net->strangers[i].ip, &a))
			return net->strangers[i].count;
	return 0;
}

/* --- the world --- */

static void make_keys(struct punch_net *net)
{
	struct probe_keys *a = &net->sides[0].goal.keys, *b = &net->sides[1].goal.keys;

	randombytes_buf(a, sizeof *a);
	b->out = a->in;
	b->in = a->out;
	b->tag_out = a->tag_in;
	b->tag_in = a->tag_out;
}

void punch_net_init(struct punch_net *net, enum nat_box_kind a, enum nat_box_kind b,
		    uint64_t seed)
{
	static const char *const outsides[] = { "203.0.113.1:1", "198.51.100.1:1" };
	static const char *const homes[] = { "192.168.1.2:7000", "192.168.2.2:7000" };
	enum nat_box_kind kinds[] = { a, b };

	memset(net, 0, sizeof *net);
	dice_init(&net->dice, seed, 0x9e7);
	dice_reseed_randombytes(seed);
	net->now = 100 * SECOND;
	make_keys(net);
	for (unsigned i = 0; i < 2; i++) {
		struct endpoint *e = &net->sides[i];
		struct address outside = at(outsides[i]);

		nat_box_init(&net->boxes[i], kinds[i], &outside, seed * 2 + i);
		e->net = net;
		e->number = i;
		e->box = &net->boxes[i];
		e->home = at(homes[i]);
		if (kinds[i] == BOX_PUBLIC || kinds[i] == BOX_FW) {
			e->home = outside;
			e->home.port = 7000;
		}
		e->to_core = 20 * MILLISECOND;
		e->network.address_count = 1;
		e->network.addresses[0] = e->home;
		e->goal.is_first = i == 0;
		e->goal.is_introduced = e->goal.may_spray = true;
		e->is_dialler = i == 0;
	}
}

void punch_net_clear(struct punch_net *net)
{
	for (int i = 0; i < 2; i++) {
		struct endpoint *e = &net->sides[i];

		punch_free(e->punch);
		e->punch = NULL;
		for (unsigned k = 0; k < PATH_EXTRA_MAX; k++)
			assert(!e->in_use[k]);
		punch_limits_clear(&e->limits);
		nat_box_clear(&net->boxes[i]);
	}
	while (net->flying) {
		struct flying *f = net->flying;

		net->flying = f->next;
		free(f);
	}
}

static void classify(struct punch_net *net, struct endpoint *e)
{
	static const char *const sights[] = { "192.0.2.1:3478", "192.0.2.1:3479",
					      "192.0.2.65:3478", "192.0.2.65:3479" };
	struct address seen[4], stranger = at("192.0.2.129:3478"), inside;
	struct nat nat;

	for (unsigned i = 0; i < 4; i++) {
		struct address to = at(sights[i]), back;

		if (!nat_box_out(e->box, &e->home, &to, net->now, &seen[i]) ||
		    !nat_box_in(e->box, &to, &seen[i], net->now, &back))
			return;
	}
	nat = nat_classify(seen, 4, &e->home);
	nat.filtering = nat_box_in(e->box, &stranger, &seen[0], net->now, &inside)
				? NAT_OPEN
				: NAT_FILTERED;
	e->goal.ours = nat;
	e->goal.our_public = seen[0];
	e->goal.our_round_trip = 2 * (e->to_box + e->to_core);
	e->introduced_at = net->now + e->to_box + e->to_core;
}

void punch_net_classify(struct punch_net *net)
{
	for (int i = 0; i < 2; i++)
		classify(net, &net->sides[i]);
	for (int i = 0; i < 2; i++) {
		struct punch_goal *g = &net->sides[i].goal;
		const struct endpoint *other = &net->sides[!i];

		g->theirs = other->goal.ours;
		g->their_round_trip = other->goal.our_round_trip;
		g->seen = other->goal.our_public;
		g->candidates.count = 0;
		candidates_add(&g->candidates, CANDIDATE_HOST, &other->home);
		if (g->seen.family != 0)
			candidates_add(&g->candidates, CANDIDATE_REFLEXIVE, &g->seen);
	}
}
