/* Datagrams at a peer and at a directory: raw ones, and those of a true session with
 * bytes changed on the way; and DATAGRAM frames of a contact to one who relays for it. No
 * crash, no answer to who has shown nothing, no growth. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/link.h"
#include "shared/quic_wire.h"
#include "tests/link_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct net net;
static struct bytes input;

static uint8_t next_byte(void)
{
	if (input.size == 0)
		return 0;
	input.size--;
	return *input.data++;
}

static uint64_t sequence;

static uint32_t sequence_next(void)
{
	sequence = sequence * 6364136223846793005u + 1442695040888963407u;
	return sequence >> 32;
}

static void sequence_fill(void *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)p)[i] = sequence_next();
}

static const char *sequence_name(void)
{
	return "repeatable";
}

static struct randombytes_implementation repeatable = {
	.implementation_name = sequence_name,
	.random = sequence_next,
	.buf = sequence_fill,
};

/* Any bytes, as datagrams of a size byte (times 8) each; half of them begin as ours do. */
static void raw(void)
{
	uint8_t datagram[256 * 8] = { 0 };

	while (input.size > 2) {
		uint8_t how = next_byte();
		size_t length = (size_t)next_byte() * 8, part;

		part = length < input.size ? length : input.size;
		memset(datagram, 0, sizeof datagram);
		memcpy(datagram, input.data, part);
		input.data += part;
		input.size -= part;
		if (how & 1)
			memcpy(datagram + 1, "pal\1", 4);
		if (how & 2)
			length = 1200;
		if (how & 4)
			datagram[0] |= 0xc0;
		net_inject(&net, &net.nodes[0].address, &net.nodes[1 + (how >> 7)].address,
			   bytes_of(datagram, length), 0);
	}
	net_run(&net, SECOND);
	if (net.nodes[1].sent || net.nodes[2].sent)
		abort();
}

/* Each datagram takes a byte that says what becomes of it. */
static bool change(struct net *n, unsigned from, struct datagram *d, uint8_t *datagram)
{
	uint8_t how = next_byte();

	switch (how >> 5) {
	case 1:
		return false;
	case 2:
		datagram[next_byte() % d->size] ^= next_byte() | 1;
		return true;
	case 3:
		d->size = 1 + next_byte() * d->size / 256;
		return true;
	case 4:
		net_inject(n, &n->nodes[from].address, &d->path.remote,
			   bytes_of(datagram, d->size), next_byte() * 10 * MILLISECOND);
		return true;
	case 5:
		n->nodes[from].address.port ^= how;
		return true;
	case 6:
		while (d->size < 1400 && how-- & 31)
			datagram[d->size++] = next_byte();
		return true;
	default:
		return true;
	}
}

static void session(unsigned with)
{
	net.tap = change;
	net_dial(&net, 0, with);
	for (int i = 0; i < 20; i++) {
		for (unsigned k = 0; k < net.count; k++)
			if (net.nodes[k].link)
				link_write(net.nodes[k].link, LINK_CONTROL, BYTES("something"),
					   false);
		net_run(&net, 100 * MILLISECOND);
	}
	net.tap = NULL;
	net_run(&net, 60 * SECOND);
}

static struct link *dialled(unsigned from, unsigned to, struct link **theirs)
{
	net_dial(&net, from, to);
	net_run(&net, SECOND);
	*theirs = net.nodes[to].link;
	return net.nodes[from].link;
}

/* One frame of any bytes from node 0 to node 1, who relays a circuit to node 3 and has a
 * tunnel of its own there. */
static void frame(struct link *l)
{
	uint8_t room[1452], contents[LINK_DATAGRAM_FRAME_MAX] = { 0 };
	size_t length = (size_t)next_byte() * 5 + 1;
	size_t part_size = length < input.size ? length : input.size;
	ngtcp2_vec part = { contents, length };
	ngtcp2_pkt_info info;
	ngtcp2_ssize written;
	int is_taken;

	memcpy(contents, input.data, part_size);
	input.data += part_size < 16 ? part_size : 16;
	input.size -= part_size < 16 ? part_size : 16;
	written = ngtcp2_conn_writev_datagram(l->conn, NULL, &info, room, sizeof room,
					      &is_taken, NGTCP2_WRITE_DATAGRAM_FLAG_NONE, 0,
					      &part, 1, net.now);
	if (written > 0)
		net_inject(&net, &net.nodes[0].address, &net.nodes[1].address,
			   bytes_of(room, written), 0);
	net_run(&net, 20 * MILLISECOND);
}

static void frames(void)
{
	struct link *theirs[2], *l, *other;

	l = dialled(0, 1, &theirs[0]);
	other = dialled(3, 1, &theirs[1]);
	if (!l || !other || theirs[0] == theirs[1])
		abort();
	endpoint_relay_join(net.nodes[1].e, theirs[0], 1, theirs[1], 1, 1 << 20);
	endpoint_tunnel_open(net.nodes[1].e, theirs[0], 0);
	endpoint_tunnel_open(net.nodes[3].e, other, 1);
	while (input.size > 0 && net.nodes[0].link == l)
		frame(l);
	if (!net.nodes[3].link) /* what is carried harms nobody */
		abort();
	net_run(&net, 60 * SECOND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sequence = 1;
	randombytes_set_implementation(&repeatable);
	input = bytes_of(data, size);
	net_init(&net);
	net_add(&net, ENDPOINT_ADMITTED);
	net_add(&net, ENDPOINT_ADMITTED);
	net_add(&net, ENDPOINT_ANYONE);
	net_add(&net, ENDPOINT_ADMITTED);
	net_befriend(&net, 2);
	for (unsigned i = 0; i < 2; i++) {
		endpoint_admit(net.nodes[i].e, &net.nodes[3].identity.public, false);
		endpoint_admit(net.nodes[3].e, &net.nodes[i].identity.public, false);
	}
	switch (next_byte() & 3) {
	case 0:
		raw();
		break;
	case 1:
		session(2);
		break;
	case 2:
		frames();
		break;
	default:
		session(1);
	}
	net_clear(&net);
	return 0;
}
