/* A proved contact that does with QUIC what it likes: streams opened, cut off, ended,
 * blocked, in any order, while the other side reads, stops, writes and closes; DATAGRAM frames
 * of any form, circuits and tunnels that come and go, ways and moves. */
#include <sodium.h>
#include <string.h>

#include "shared/endpoint_inside.h"
#include "tests/link_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct net net;

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

/* A frame of the size and with the mark that the input says. */
static void frame(struct net_node *node, struct link *l, uint8_t kind, uint8_t more)
{
	uint8_t data[LINK_DATAGRAM_FRAME_MAX] = { kind, 0, 0, 0, more & 3, 0, more >> 6 };
	size_t size = more >= 250 ? sizeof data : more >= 128 ? more * 5u : (more & 15) + 1u;
	ngtcp2_vec part = { data, size };
	uint8_t room[1452];
	ngtcp2_pkt_info info;
	ngtcp2_ssize written;
	int is_taken;

	if (size > 7)
		data[7] = 0xc0 | more;
	written = ngtcp2_conn_writev_datagram(l->conn, NULL, &info, room, sizeof room,
					      &is_taken, NGTCP2_WRITE_DATAGRAM_FLAG_NONE, 0,
					      &part, 1, net.now);
	if (written > 0)
		net_inject(&net, &node->address, &l->path.remote, bytes_of(room, written), 0);
}

/* Circuits over the one link there is, to itself even; attempts through its tunnels. */
static void carry(struct net_node *node, struct link *l, uint8_t what, uint8_t more)
{
	static const uint8_t data[1200] = { 0xc3 };
	struct path path = { .tunnel = more & 15 };

	switch (what & 15) {
	case 0:
		endpoint_tunnel_open(node->e, l, more & 3);
		break;
	case 1:
		endpoint_tunnel_close(node->e, more & 15);
		break;
	case 2:
		endpoint_relay_join(node->e, l, more & 3, l, more >> 2 & 3, more << 10);
		break;
	case 3:
		endpoint_relay_part(node->e, l, more & 3);
		break;
	case 4:
		link_carry(l, more & 3, bytes_of(data, more * 4u));
		break;
	case 5:
		if (more >= 128)
			path = (struct path){ .remote = net.nodes[!(what >> 7)].address };
		link_move(l, &path, net.now);
		break;
	case 6:
		link_unsettle(l, net.now);
		break;
	case 7:
		endpoint_early(node->e, &net.nodes[!(what >> 7)].config.device.public,
			       bytes_of(data, more * 3u));
		break;
	case 8: {
		struct link_target t = net_target(&net, !(what >> 7));

		t.address_count = 0;
		t.is_offered = true;
		l = endpoint_dial(node->e, &t, net.now);
		link_offer(l, &path, more & 16);
		break;
	}
	case 9:
		endpoint_admit(node->e, &net.nodes[!(what >> 7)].identity.public, more & 1);
		node->link = node->link && link_is_up(node->link) ? node->link : NULL;
		break;
	default:
		frame(node, l, what & 7, more);
	}
}

static void act(uint8_t what, uint8_t more)
{
	static const uint8_t zeros[60000];
	struct net_node *node = &net.nodes[what >> 7];
	struct link *l = node->link;
	int64_t stream = more & 31;
	struct bytes view;
	bool is_end;

	if (!l) {
		net_run(&net, SECOND);
		net_dial(&net, what >> 7, !(what >> 7));
		net_run(&net, SECOND);
		return;
	}
	if (what & 16) {
		carry(node, l, what, more);
		return;
	}
	switch (what & 15) {
	case 0:
		link_open(l, &stream);
		break;
	case 1:
		link_write(l, stream, bytes_of(zeros, more), false);
		break;
	case 2:
		link_write(l, stream, bytes_of(zeros, more * 200u), more & 64);
		break;
	case 3:
		view = link_peek(l, stream, &is_end);
		link_consume(l, stream, view.size < more * 50u ? view.size : more * 50u);
		break;
	case 4:
		node->is_reading = !node->is_reading;
		break;
	case 5:
		if (stream != LINK_CONTROL)
			link_abandon(l, stream, more);
		break;
	case 6: /* what our own code never does: one direction alone, the control stream */
		quic_cut_reading(l->conn, stream, 1);
		link_wake(l);
		break;
	case 7:
		quic_cut_sending(l->conn, stream, 1);
		link_wake(l);
		break;
	case 8:
		link_ping(l);
		break;
	case 9:
		net.loss = more * 3u;
		break;
	case 10:
		if (more > 200) {
			link_close(l, more, net.now);
			node->link = NULL;
		}
		break;
	case 11:
		net_dial(&net, what >> 7, !(what >> 7));
		break;
	case 12:
		node->address.port = 1000 + more;
		break;
	case 13:
		if (!link_is_initiator(l))
			ngtcp2_conn_submit_new_token(l->conn, zeros, 1 + more * 4u);
		link_wake(l);
		break;
	case 14:
		ngtcp2_conn_submit_crypto_data(l->conn, NGTCP2_CRYPTO_LEVEL_APPLICATION, zeros,
					       more);
		link_wake(l);
		break;
	default:
		net_run(&net, more * MILLISECOND);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sequence = 1;
	randombytes_set_implementation(&repeatable);
	net_init(&net);
	net_add(&net, ENDPOINT_ADMITTED);
	net_add(&net, ENDPOINT_ADMITTED);
	net_befriend(&net, 2);
	net_dial(&net, 0, 1);
	net_run(&net, SECOND);
	for (size_t i = 0; i + 1 < size && i < 400; i += 2) {
		act(data[i], data[i + 1]);
		net_run(&net, 2 * MILLISECOND);
	}
	net.loss = 0;
	net_run(&net, 5 * SECOND);
	net_clear(&net);
	return 0;
}
