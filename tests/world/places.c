/* Where the machines are: their addresses, routers and LANs, and what happens to these; and where a
 * directory that lies says that they are. */
#include "tests/world/world_inside.h"

enum { OPEN_MACHINES = 2 }; /* the first ones, whom everybody reaches */

/* --- addresses and routers --- */

/* Out in the world, each machine in a network of its own, as limits count. */
static struct address outside_of(const struct world *w, unsigned number, unsigned moves)
{
	struct address a = { .family = 4, .port = number ? 40000 + moves % 1000 : 7272 };

	if (w->config.is_v6) {
		a.family = 6;
		a.ip[0] = 0x20;
		a.ip[1] = 0x01;
		a.ip[2] = 0x0d;
		a.ip[3] = 0xb7;
		a.ip[5] = number;
		a.ip[7] = moves >> 8;
		a.ip[8] = moves;
		a.ip[15] = number + 1;
	} else {
		a.ip[0] = 93;
		a.ip[1] = number;
		a.ip[2] = moves;
		a.ip[3] = number + 1;
	}
	return a;
}

static bool is_translated(const struct machine *m)
{
	return m->box && m->box->outside.family;
}

static struct address place(const struct world *w, const struct machine *m)
{
	struct address a = outside_of(w, m->number, m->moves);

	if (is_translated(m)) {
		a.ip[0] = 10;
		a.ip[1] = w->has_plain_net[m->lan] ? 0 : m->lan;
		/* Two with one port behind a router that keeps it: whichever comes second has another
		 * one for each destination, and needs a relay. */
		if (!w->config.has_relays)
			a.port += (uint16_t)(1000 * m->number);
	}
	return a;
}

/* The directory's sockets: where clients connect, a further port, and a hidden one that is on
 * another address, where it has two of each. */
unsigned places_sights(const struct world *w, struct sight list[5])
{
	static const struct {
		enum sight_kind kind;
		bool is_second;
		uint16_t port;
	} all[5] = {
		{ SIGHT_MAIN, false, 7272 },   { SIGHT_FURTHER, false, 7273 },
		{ SIGHT_HIDDEN, true, 7999 },  { SIGHT_MAIN, true, 7272 },
		{ SIGHT_FURTHER, true, 7273 },
	};
	unsigned count = w->has_two_addresses ? 5 : 3;

	for (unsigned i = 0; i < count; i++) {
		list[i] = (struct sight){ .kind = all[i].kind,
					  .socket = (uint16_t)i,
					  .is_named = true,
					  .at = w->machines[WORLD_DIRECTORY].address };
		list[i].at.port = all[i].port;
		if (all[i].is_second && w->has_two_addresses)
			list[i].at.ip[list[i].at.family == 4 ? 3 : 15] = 200;
	}
	return count;
}

void places_settle(struct world *w, struct machine *m)
{
	m->address = place(w, m);
	if (m->number == WORLD_DIRECTORY) {
		struct sight list[5];
		unsigned count = places_sights(w, list);

		for (unsigned i = 0; i < count; i++)
			network_place(w->network, m->number, i, &list[i].at);
		return;
	}
	w->guests[m->lan] |= 1u << m->number;
	network_place(w->network, m->number, 0, &m->address);
	network_put_behind(w->network, m->number, m->box, m->lan);
}

/* What some of them do beside that. */
static void give_quirks(struct nat_box *box, struct dice *shape)
{
	bool is_hard = box->kind >= BOX_SYMADM;

	box->hairpins = dice_chance(shape, 500);
	box->is_leaky = box->kind == BOX_LINUX && dice_chance(shape, 500);
	if (dice_chance(shape, 200))
		box->scan_limit = dice_between(shape, 200, 1000);
	if (is_hard && dice_chance(shape, 200))
		box->quota = dice_between(shape, 600, 1500);
}

/* Routers of every kind. The first two are such that everybody reaches them, for those who need a
 * relay; where people part there may be nobody to relay, and only kinds are taken that meet any
 * other. */
void places_put_up_routers(struct world *w)
{
	static const enum nat_box_kind open[] = { BOX_PUBLIC, BOX_FC, BOX_ARC },
				       easy[] = { BOX_PUBLIC, BOX_FW,    BOX_FC,    BOX_ARC,
						  BOX_PRC,    BOX_LINUX, BOX_SYMEIF };
	struct dice shape;

	dice_init(&shape, w->config.seed, 5);
	w->has_two_addresses = dice_chance(&shape, 500);
	for (unsigned i = 1; i <= w->config.peers && w->config.has_nats; i++) {
		enum nat_box_kind kind = dice_below(&shape, BOX_KINDS);
		struct machine *m = &w->machines[i];
		struct address outside = outside_of(w, i, 0);

		if (i <= OPEN_MACHINES)
			kind = open[dice_below(&shape, sizeof open / sizeof *open)];
		else if (!w->config.has_relays)
			kind = easy[dice_below(&shape, sizeof easy / sizeof *easy)];
		if (i == 1 && w->config.has_open_third)
			kind = BOX_PUBLIC;
		else if (w->config.is_v6)
			kind = dice_chance(&shape, 500) ? BOX_FW : BOX_PUBLIC;
		if (kind == BOX_PUBLIC || kind == BOX_FW)
			outside.family = 0;
		nat_box_init(&w->boxes[i], kind, &outside, w->config.seed + i);
		give_quirks(&w->boxes[i], &shape);
		/* Nobody says there when both begin, and a stray in between takes the port. */
		if (w->config.has_open_third)
			w->boxes[i].is_leaky = false;
		w->has_plain_net[i] = dice_chance(&shape, 500);
		m->lan = i;
		if (i > 3 && is_translated(&w->machines[i - 1]) && dice_chance(&shape, 200))
			m->lan = w->machines[i - 1].lan;
		m->box = &w->boxes[m->lan];
	}
}

/* --- who moves --- */

void places_tell(struct machine *m)
{
	struct network network = { .address_count = 1,
				   .addresses = { m->address },
				   .port = m->address.port,
				   .link_count = m->lan != 0,
				   .links = { m->lan },
				   .wakes = m->wakes };

	engine_set_network(m->engine, &network);
}

static void tell_of_change(struct world *w, struct machine *m)
{
	if (!m->engine || m->awake_at)
		return; /* it is told when it wakes */
	places_tell(m);
	world_wake(w, m->number);
}

void places_wake(struct world *w, struct machine *m)
{
	m->awake_at = 0;
	m->clock_offset += w->now - m->asleep_since;
	m->wakes++;
	tell_of_change(w, m);
}

/* Somebody else is behind its router. */
static bool has_company(const struct world *w, const struct machine *m)
{
	for (unsigned i = 1; i <= w->config.peers; i++)
		if (&w->machines[i] != m && w->machines[i].lan == m->lan)
			return true;
	return false;
}

void world_move(struct world *w, unsigned machine, bool is_behind_nat)
{
	struct machine *m = &w->machines[machine];
	struct address outside;

	if (machine == WORLD_DIRECTORY && !w->config.has_host_name)
		return;
	m->moves++;
	w->counts.moves++;
	outside = outside_of(w, m->number, m->moves);
	if (is_translated(m) && is_behind_nat) {
		nat_box_rebind(m->box, dice_chance(&w->dice, 500) ? &outside : NULL);
		return;
	}
	if (is_translated(m) && !has_company(w, m))
		nat_box_rebind(m->box, &outside);
	places_settle(w, m);
	if (!is_behind_nat)
		tell_of_change(w, m);
}

void world_change_lan(struct world *w, unsigned machine)
{
	struct machine *m = &w->machines[machine];
	unsigned to = dice_between(&w->dice, 1, w->config.peers);

	if (!w->config.has_nats || machine <= OPEN_MACHINES || to == m->lan)
		return;
	m->lan = to;
	m->box = &w->boxes[to];
	m->moves++;
	w->counts.lan_changes++;
	places_settle(w, m);
	tell_of_change(w, m);
}

void world_cut(struct world *w, unsigned a, unsigned b, bool is_cut)
{
	network_cut(w->network, a, b, is_cut);
	w->counts.partitions += is_cut;
}

/* --- machines that sleep, routers that do not work --- */

bool world_is_asleep(const struct world *w, unsigned machine)
{
	return w->machines[machine].awake_at > w->now;
}

void world_sleep(struct world *w, unsigned machine, mono_ns how_long)
{
	struct machine *m = &w->machines[machine];

	if (!m->engine || m->awake_at)
		return;
	m->asleep_since = w->now;
	m->awake_at = m->wake = w->now + how_long;
	w->counts.sleeps++;
}

void world_break_router(struct world *w, unsigned machine, mono_ns how_long)
{
	unsigned number = w->machines[machine].lan;

	if (number == 0)
		return;
	w->boxes[number].drops_udp = true;
	w->mended_at[number] = w->now + how_long;
	w->counts.dead_routers++;
}

void world_open_lids(struct world *w)
{
	for (unsigned i = 1; i <= w->config.peers; i++) {
		w->machines[i].wakes++;
		tell_of_change(w, &w->machines[i]);
	}
}

void world_rouse(struct world *w)
{
	world_heal_disks(w);
	for (unsigned i = 0; i <= w->config.peers; i++) {
		if (w->machines[i].awake_at)
			places_wake(w, &w->machines[i]);
		if (w->mended_at[i])
			w->mended_at[i] = w->now;
	}
}

mono_ns places_mend(struct world *w)
{
	mono_ns next = NEVER;

	for (unsigned i = 0; i <= w->config.peers; i++) {
		if (!w->mended_at[i])
			continue;
		if (w->now < w->mended_at[i]) {
			next = mono_earlier(next, w->mended_at[i]);
			continue;
		}
		w->boxes[i].drops_udp = false;
		w->mended_at[i] = 0;
	}
	return next;
}

/* --- who sends to whom, and a directory that lies --- */

void world_lie(struct world *w, const struct address *victim)
{
	w->victim = *victim;
}

/* It sees them there; their ports tell it whom it means. */
void places_lie_in(const struct world *w, const struct arrival *a, struct path *path)
{
	if (w->victim.family && a->to == WORLD_DIRECTORY) {
		path->remote = w->victim;
		path->remote.port = (uint16_t)(w->victim.port + a->from);
	}
}

void places_lie_out(const struct world *w, const struct machine *m, struct path *path)
{
	unsigned who = path->remote.port - w->victim.port;

	if (m->number == WORLD_DIRECTORY && w->victim.family &&
	    address_same_ip(&path->remote, &w->victim) && who >= 1 && who <= w->config.peers)
		path->remote = w->machines[who].address;
}

static void count_victims(struct world *w, const struct machine *m, const struct datagram *out)
{
	uint64_t *count = &w->to_victim[m->number];

	if (out->ttl > 0 || !w->victim.family ||
	    !address_same_ip(&out->path.remote, &w->victim))
		return;
	if (++*count > w->counts.to_victim)
		w->counts.to_victim = *count;
}

/* Which machines may be meant by the address, for the one that sends to it; it may not know that one
 * has gone from there. */
static unsigned machines_at(const struct world *w, const struct machine *from,
			    const struct address *to)
{
	unsigned machines = 0;

	for (unsigned i = 1; i <= w->config.peers; i++) {
		const struct machine *m = &w->machines[i];
		bool is_seen = !is_translated(m) || m->lan == from->lan;

		if (is_seen && address_same_ip(&m->address, to))
			machines |= 1u << i;
		if (address_same_ip(&w->boxes[i].outside, to))
			machines |= w->guests[i];
	}
	machines &= ~(1u << from->number);
	return machines;
}

void places_note_sent(struct world *w, const struct machine *m, const struct datagram *out)
{
	if (!m->engine)
		return;
	count_victims(w, m, out);
	if (w->config.on_send)
		w->config.on_send(w->config.user, m->number,
				  machines_at(w, m, &out->path.remote));
}
