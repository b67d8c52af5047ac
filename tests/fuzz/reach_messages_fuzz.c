/* What a hostile contact says on its link about addresses and relays, in any order: the engine
 * refuses it or stays whole, within its limits. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/address_book.h"
#include "peer/forwarding.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/relay_inside.h"
#include "tests/peer_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OTHERS = 3 };
static struct peer us, others[OTHERS];
static struct calm_net net;

static void join(struct peer *p, const char *name)
{
	peer_make(p, name);
	peer_open(p, net.now, net.wall);
	p->node = calm_net_add(&net, engine_endpoint(p->engine), peer_step, p);
	peer_set_network(p, &net.nodes[p->node].address, 1, false);
}

static void begin(void)
{
	static const char *const names[OTHERS] = { "bob", "carol", "dave" };

	if (sodium_init() < 0)
		abort();
	calm_net_init(&net);
	join(&us, "alice");
	for (unsigned i = 0; i < OTHERS; i++) {
		join(&others[i], names[i]);
		if (engine_add(us.engine, names[i], &others[i].identity.public, NULL) < 0 ||
		    engine_add(others[i].engine, "alice", &us.identity.public, NULL) < 0)
			abort();
	}
	if (engine_set_relay(us.engine, true, RELAY_RATE_MIN) < 0)
		abort();
}

static void end(void)
{
	for (unsigned i = 0; i < OTHERS; i++)
		peer_remove(&others[i]);
	peer_remove(&us);
}

static struct way *way_to(unsigned who)
{
	return peer_person(&us, others[who].name.text)->ways[0];
}

/* All are linked to us again: who broke the protocol is forgiven. */
static void link_up(void)
{
	for (unsigned i = 0; i < OTHERS; i++) {
		peer_tell_presence(&us, &others[i], &net.nodes[others[i].node].address, true);
		peer_tell_presence(&others[i], &us, &net.nodes[us.node].address, true);
		if (way_to(i))
			way_to(i)->penance_until = way_to(i)->retry_at = 0;
		if (way_to(i) && way_to(i)->state != WAY_LINKED)
			(void)engine_send(us.engine, others[i].name.text, bytes_text("x"), 0,
					  1);
	}
	calm_net_run(&net, SECOND, NULL, NULL);
}

static void make(struct wire_message *m, unsigned who, const uint8_t at[4], uint8_t sealed[64])
{
	const struct peer *target = &others[(who + at[1]) % OTHERS];
	const struct person *p = peer_person(&us, target->name.text);
	uint32_t circuit = at[2] ? at[2] : UINT32_MAX - (at[3] & 1);
	const struct peer_record *record;

	memset(m, 0, sizeof *m);
	m->type = (enum wire_type)(WIRE_RECORD + at[0] % (WIRE_RELAY_CLOSE - WIRE_RECORD + 1));
	switch (m->type) {
	case WIRE_RECORD:
		record = address_book_of(us.rooms->book, p, &target->device.public);
		if (record)
			m->record.record = *record;
		m->record.record.number += (uint64_t)at[2] << (at[3] & 63);
		if (at[3] & 64)
			peer_record_sign(&m->record.record, &target->identity);
		break;
	case WIRE_FORWARDING:
		m->forwarding.number = at[2] + 1;
		m->forwarding.record = bytes_of(sealed, 64);
		m->forwarding.count = at[3] % 16;
		break;
	case WIRE_WHERE:
		m->where.count = at[3] % 16;
		break;
	case WIRE_THERE:
		m->there.number = at[2] + 1;
		m->there.record = bytes_of(sealed, 64);
		m->there.seen = net.nodes[target->node].address;
		break;
	case WIRE_RELAY_OPEN:
		m->relay_open.circuit = circuit;
		relay_target(m->relay_open.target, m->relay_open.nonce, p,
			     &target->device.public);
		break;
	case WIRE_RELAY_OFFER:
		m->relay_offer.circuit = circuit;
		m->relay_offer.identity = target->identity.public;
		m->relay_offer.device = target->device.public;
		break;
	case WIRE_RELAY_ANSWER:
		m->relay_answer.circuit = circuit;
		m->relay_answer.error = -(at[3] % 8);
		break;
	default:
		m->relay_close.circuit = circuit;
	}
}

static void hear(unsigned who, const struct wire_message *said)
{
	struct way *from = way_to(who);
	struct wire_message m;
	struct buf raw = { 0 };
	int err = wire_encode(said, &raw);

	if (err == 0)
		err = wire_decode(&m, buf_view(&raw), WIRE_FROM_PEER);
	if (err == 0 && from && from->state == WAY_LINKED) {
		err = m.type < WIRE_RELAY_OPEN ? forwarding_hear(us.rooms->forwarding, from, &m)
					       : relay_hear(us.rooms->relay, from, &m);
		if (err < 0)
			reach_broken(us.rooms->reach, from);
	}
	buf_clear(&raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned runs;
	uint8_t sealed[64] = { 0 };

	if (runs++ % 500 == 0) {
		if (us.engine)
			end();
		begin();
	}
	link_up();
	for (; size >= 5; data += 5, size -= 5) {
		struct wire_message m;

		make(&m, data[0] % OTHERS, data + 1, sealed);
		hear(data[0] % OTHERS, &m);
		if (data[0] & 64)
			calm_net_run(&net, MILLISECOND << (data[0] >> 7) * 12, NULL, NULL);
	}
	calm_net_run(&net, SECOND, NULL, NULL);
	us.heard[0] = '\0';
	return 0;
}
