#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/link.h"
#include "tests/link_net.h"

static struct net net;

static bool both_up(struct net *n)
{
	return n->nodes[0].link && n->nodes[1].link;
}

static int empty(void **state)
{
	(void)state;
	net_init(&net);
	return 0;
}

static int two_peers(void **state)
{
	empty(state);
	net_add(&net, ENDPOINT_ADMITTED);
	net_add(&net, ENDPOINT_ADMITTED);
	net_befriend(&net, 2);
	return 0;
}

static int device_and_directory(void **state)
{
	empty(state);
	net_add(&net, ENDPOINT_ADMITTED);
	net_add(&net, ENDPOINT_ANYONE);
	return 0;
}

static int clear(void **state)
{
	(void)state;
	net_clear(&net);
	return 0;
}

static void connect_both(void)
{
	assert_non_null(net_dial(&net, 0, 1));
	assert_true(net_run_until(&net, both_up, 10 * SECOND));
}

static void assert_works(unsigned from, unsigned to)
{
	buf_clear(&net.nodes[to].inbox);
	net_write(&net, from, LINK_CONTROL, "does this arrive");
	net_run(&net, 3 * SECOND);
	assert_true(net_inbox_is(&net, to, "does this arrive"));
}

static void assert_silent(unsigned n)
{
	assert_int_equal(net.nodes[n].sent, 0);
	assert_int_equal(net.nodes[n].told[LINK_UP], 0);
	assert_true(net.nodes[n].received > 0);
}

/* --- strangers --- */

static void a_wrong_knock_is_met_with_silence(void **state)
{
	struct link_target t = net_target(&net, 1);

	(void)state;
	t.knock.bytes[3] ^= 1;
	endpoint_dial(net.nodes[0].e, &t, net.now);
	net_run(&net, 15 * SECOND);
	assert_silent(1);
	assert_int_equal(net.nodes[0].down_error, ERR_TIMEOUT);
	assert_int_equal(endpoint_counters(net.nodes[1].e).links, 0);
}

static void a_wrong_device_key_is_met_with_silence(void **state)
{
	struct link_target t = net_target(&net, 1);
	struct device other;

	(void)state;
	device_make(&other);
	t.device = other.public;
	endpoint_dial(net.nodes[0].e, &t, net.now);
	net_run(&net, 15 * SECOND);
	assert_silent(1);
}

static void a_stranger_who_knows_the_knock_is_met_with_silence(void **state)
{
	(void)state;
	endpoint_dismiss(net.nodes[1].e, &net.nodes[0].identity.public);
	net_dial(&net, 0, 1);
	net_run(&net, 15 * SECOND);
	assert_silent(1);
	assert_int_equal(endpoint_counters(net.nodes[1].e).half_open, 0);
}

static void a_certificate_for_another_device_is_met_with_silence(void **state)
{
	struct device other;
	struct certificate c;

	(void)state;
	device_make(&other);
	certificate_make(&c, &net.nodes[0].identity, &other.public, "device", 1, 0);
	endpoint_set_certificate(net.nodes[0].e, &c);
	net_dial(&net, 0, 1);
	net_run(&net, 15 * SECOND);
	assert_silent(1);
}

static void a_forged_certificate_is_met_with_silence(void **state)
{
	struct certificate c = net.nodes[0].config.certificate;

	(void)state;
	c.signature[7] ^= 1;
	endpoint_set_certificate(net.nodes[0].e, &c);
	net_dial(&net, 0, 1);
	net_run(&net, 15 * SECOND);
	assert_silent(1);
}

static void a_guest_at_a_peer_is_met_with_silence(void **state)
{
	struct link_target t = net_target(&net, 1);

	(void)state;
	t.pattern = LINK_NK;
	t.has_identity = false;
	endpoint_dial(net.nodes[0].e, &t, net.now);
	net_run(&net, 15 * SECOND);
	assert_silent(1);
}

static void garbage_is_met_with_silence(void **state)
{
	uint8_t data[1400];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		size_t size = 1 + randombytes_uniform(sizeof data);

		randombytes_buf(data, size);
		data[0] |= 0x40;
		if (i % 2) { /* looks like a first packet of ours */
			data[0] = 0xc0 | (data[0] & 15);
			memcpy(data + 1, "pal\1\10", size > 5 ? 5 : 0);
		}
		net_inject(&net, &net.nodes[0].address, &net.nodes[1].address,
			   bytes_of(data, size), 0);
	}
	net_run(&net, SECOND);
	assert_silent(1);
	assert_int_equal(endpoint_counters(net.nodes[1].e).links, 0);
}

static void a_directory_says_nothing_to_who_does_not_know_its_key(void **state)
{
	struct link_target t = net_target(&net, 1);

	(void)state;
	t.device.bytes[5] ^= 1;
	t.knock = knock_of_directory(&t.device);
	endpoint_dial(net.nodes[0].e, &t, net.now);
	net_run(&net, 15 * SECOND);
	assert_silent(1);
}

static void an_answer_from_another_identity_is_refused(void **state)
{
	struct link_target t = net_target(&net, 1);

	(void)state;
	t.identity = net.nodes[0].identity.public;
	endpoint_dial(net.nodes[0].e, &t, net.now);
	net_run(&net, 15 * SECOND);
	assert_int_equal(net.nodes[0].told[LINK_UP], 0);
	assert_int_equal(net.nodes[0].down_error, ERR_AUTH);
	assert_int_equal(net.nodes[1].told[LINK_UP], 0);
}

/* --- the directory --- */

static mono_ns time_to_come_up(struct bytes token, enum link_pattern pattern)
{
	struct link_target t = net_target(&net, 1);
	mono_ns began = net.now;

	t.token = token;
	t.pattern = pattern;
	assert_non_null(endpoint_dial(net.nodes[0].e, &t, net.now));
	while (!net.nodes[0].link) {
		assert_true(net.now < began + 5 * SECOND);
		net_run(&net, MILLISECOND);
	}
	return net.now - began;
}

static void a_first_contact_proves_its_address_a_second_need_not(void **state)
{
	struct bytes token;

	(void)state;
	/* 10 ms each way: Retry and handshake are two round trips */
	assert_in_range(time_to_come_up(bytes_of(NULL, 0), LINK_IK), 40 * MILLISECOND,
			42 * MILLISECOND);
	net_run(&net, SECOND);
	assert_int_equal(endpoint_counters(net.nodes[1].e).retries, 1);
	assert_int_equal(net.nodes[0].told[LINK_TOKEN], 1);
	assert_non_null(net.nodes[1].link);
	assert_true(device_public_equal(link_device(net.nodes[1].link),
					&net.nodes[0].config.device.public));
	link_close(net.nodes[0].link, 0, net.now);
	net.nodes[0].link = NULL;
	net_run(&net, SECOND);
	assert_null(net.nodes[1].link);
	token = buf_view(&net.nodes[0].token);
	assert_in_range(time_to_come_up(token, LINK_IK), 20 * MILLISECOND, 22 * MILLISECOND);
	assert_int_equal(endpoint_counters(net.nodes[1].e).retries, 1);
	net_run(&net, SECOND);
	assert_works(0, 1);
}

static void a_token_from_another_address_or_life_costs_a_round_trip_only(void **state)
{
	(void)state;
	time_to_come_up(bytes_of(NULL, 0), LINK_IK);
	net_run(&net, SECOND);
	link_close(net.nodes[0].link, 0, net.now);
	net.nodes[0].link = NULL;
	net_run(&net, 5 * SECOND);
	net.nodes[0].address.ip[3] = 77;
	assert_in_range(time_to_come_up(buf_view(&net.nodes[0].token), LINK_IK),
			40 * MILLISECOND, 42 * MILLISECOND);
	assert_int_equal(endpoint_counters(net.nodes[1].e).retries, 2);
}

/* A device with two addresses, whose token is good for one of them: what leaves is seen from both, then, once
 * the other was asked to prove itself, from that one; the answer to the first is lost. */
static bool have_two_addresses(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	struct address other = n->nodes[0].address;
	unsigned *said = n->user;

	other.ip[3] = 77;
	if (from == 0) {
		net_inject(n, &other, &d->path.remote, bytes_of(data, d->size), n->delay);
		return (*said)++ == 0;
	}
	if (address_equal(&d->path.remote, &n->nodes[0].address))
		return false;
	d->path.remote = n->nodes[0].address;
	return true;
}

static void
one_address_that_is_asked_for_a_proof_is_not_shut_out_by_one_that_is_not(void **state)
{
	unsigned said = 0;

	(void)state;
	time_to_come_up(bytes_of(NULL, 0), LINK_IK);
	net_run(&net, SECOND);
	link_close(net.nodes[0].link, 0, net.now);
	net.nodes[0].link = NULL;
	net_run(&net, 5 * SECOND);
	net.tap = have_two_addresses;
	net.user = &said;
	assert_in_range(time_to_come_up(buf_view(&net.nodes[0].token), LINK_IK),
			40 * MILLISECOND, 42 * MILLISECOND);
}

static void a_guest_proves_the_directory_and_stays_unknown(void **state)
{
	(void)state;
	time_to_come_up(bytes_of(NULL, 0), LINK_NK);
	net_run(&net, SECOND);
	assert_non_null(net.nodes[1].link);
	assert_null(link_device(net.nodes[1].link));
	assert_null(link_certificate(net.nodes[1].link));
	assert_int_equal(link_pattern(net.nodes[1].link), LINK_NK);
	assert_memory_equal(link_handshake_hash(net.nodes[0].link),
			    link_handshake_hash(net.nodes[1].link), 64);
	assert_works(0, 1);
	assert_works(1, 0);
}

static bool swallow_answers(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	(void)n;
	(void)d;
	(void)data;
	return from != 1;
}

/* An Initial whose token is right for an id of `size` bytes; behind it, nothing true. */
static size_t initial_with_id(uint8_t *out, size_t size)
{
	static const uint8_t id[20];
	uint8_t token[DOOR_TOKEN_MAX];
	struct door_keys keys;
	size_t at = 0, token_size;

	door_keys_make(&keys, &net.nodes[1].config.knock, &net.nodes[1].config.device.public);
	token_size = door_token_make(token, &keys, bytes_of(id, size), bytes_of(NULL, 0));
	memset(out, 0, 1200);
	out[at++] = 0xc3;
	memcpy(out + at, "pal\1", 4);
	at += 4;
	out[at++] = size;
	at += size;
	out[at++] = 8;
	at += 8;
	out[at++] = token_size;
	memcpy(out + at, token, token_size);
	at += token_size;
	out[at] = 0x40 | (1200 - at - 2) >> 8;
	out[at + 1] = 1200 - at - 2;
	return 1200;
}

static void a_first_packet_with_any_id_is_met_with_silence(void **state)
{
	uint8_t initial[1200];

	(void)state;
	for (size_t size = 0; size <= 20; size++) {
		initial_with_id(initial, size);
		net_inject(&net, &net.nodes[0].address, &net.nodes[1].address, BYTES(initial),
			   0);
		net_run(&net, MILLISECOND);
	}
	assert_silent(1);
	assert_int_equal(endpoint_counters(net.nodes[1].e).links, 0);
}

static void an_unproved_address_leaves_nothing_at_the_directory(void **state)
{
	(void)state;
	net.tap = swallow_answers; /* as if the sender's address were forged */
	net_dial(&net, 0, 1);
	net_run(&net, 5 * SECOND);
	assert_int_equal(endpoint_counters(net.nodes[1].e).links, 0);
	assert_true(net.nodes[1].sent_bytes < net.nodes[0].sent_bytes);
}

/* --- two that dial each other --- */

static void assert_one_link_left(void)
{
	unsigned smaller = memcmp(net.nodes[0].config.device.public.bytes,
				  net.nodes[1].config.device.public.bytes, 32) < 0
				   ? 0
				   : 1;

	assert_non_null(net.nodes[0].link);
	assert_non_null(net.nodes[1].link);
	assert_memory_equal(link_handshake_hash(net.nodes[0].link),
			    link_handshake_hash(net.nodes[1].link), 64);
	assert_true(link_is_initiator(net.nodes[smaller].link));
	assert_int_equal(endpoint_counters(net.nodes[0].e).links, 1);
	assert_int_equal(endpoint_counters(net.nodes[1].e).links, 1);
}

static void of_two_that_dial_each_other_one_link_survives(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 2; first++) {
		two_peers(state);
		net_dial(&net, first, !first);
		net_dial(&net, !first, first);
		net_run(&net, 15 * SECOND);
		assert_one_link_left();
		assert_int_equal(net.nodes[0].told[LINK_UP], 1);
		assert_int_equal(net.nodes[1].told[LINK_UP], 1);
		assert_works(0, 1);
		assert_works(1, 0);
		clear(state);
	}
}

static void both_agree_on_one_link_whatever_the_network_does(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 300; seed++) {
		two_peers(state);
		net.random = seed * 0x9e3779b97f4a7c15u;
		net.loss = seed % 3 * 150;
		net.jitter = seed % 5 * 20 * MILLISECOND;
		net.duplicates = seed % 2 * 200;
		net_dial(&net, seed % 2, !(seed % 2));
		net_run(&net, seed % 50 * MILLISECOND);
		net_dial(&net, !(seed % 2), seed % 2);
		net_run(&net, 8 * SECOND);
		net.loss = 0;
		net_run(&net, 15 * SECOND);
		assert_non_null(net.nodes[0].link);
		assert_non_null(net.nodes[1].link);
		assert_memory_equal(link_handshake_hash(net.nodes[0].link),
				    link_handshake_hash(net.nodes[1].link), 64);
		assert_int_equal(endpoint_counters(net.nodes[0].e).links, 1);
		assert_int_equal(endpoint_counters(net.nodes[1].e).links, 1);
		assert_works(0, 1);
		assert_works(1, 0);
		clear(state);
	}
}

/* Anything at any time; then the network is good again, and both must agree. */
static void misfortune(unsigned roll)
{
	unsigned who = roll >> 8 & 1;
	struct net_node *node = &net.nodes[who];

	switch (roll & 15) {
	case 0:
	case 1:
	case 2:
	case 3:
		net_dial(&net, who, !who);
		break;
	case 4:
		if (node->link)
			link_close(node->link, 1, net.now);
		node->link = NULL;
		break;
	case 5:
		net_restart(&net, who);
		break;
	case 6:
		node->address.port = 1000 + (roll >> 9 & 7);
		break;
	case 7:
		net.loss = roll >> 9 & 511;
		break;
	case 8:
		net.jitter = (roll >> 9 & 127) * MILLISECOND;
		break;
	case 9:
		node->is_dead = !node->is_dead;
		break;
	default:
		net_run(&net, (roll >> 9 & 1023) * MILLISECOND);
	}
}

static void both_agree_after_any_misfortune(void **state)
{
	unsigned with_link = 0;

	(void)state;
	for (unsigned seed = 1; seed <= 300; seed++) {
		uint64_t random = seed * 0x9e3779b97f4a7c15u;

		two_peers(state);
		net.random = random;
		for (int i = 0; i < 60; i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			misfortune(random >> 40);
			net_run(&net, (random >> 33 & 63) * MILLISECOND);
		}
		net.loss = 0;
		net.nodes[0].is_dead = net.nodes[1].is_dead = false;
		net_run(&net, 50 * SECOND);
		assert_int_equal(!net.nodes[0].link, !net.nodes[1].link);
		if (net.nodes[0].link) {
			with_link++;
			assert_memory_equal(link_handshake_hash(net.nodes[0].link),
					    link_handshake_hash(net.nodes[1].link), 64);
			assert_works(0, 1);
			assert_works(1, 0);
		}
		assert_int_equal(endpoint_counters(net.nodes[0].e).links,
				 net.nodes[0].link ? 1 : 0);
		assert_int_equal(endpoint_counters(net.nodes[1].e).links,
				 net.nodes[1].link ? 1 : 0);
		clear(state);
	}
	assert_true(with_link > 50);
}

static unsigned smaller_of_two(void)
{
	return memcmp(net.nodes[0].config.device.public.bytes,
		      net.nodes[1].config.device.public.bytes, 32) < 0
		       ? 0
		       : 1;
}

static void an_address_unknown_until_it_knocks_is_dialled(void **state)
{
	unsigned winner = smaller_of_two();
	struct link_target wrong = net_target(&net, !winner);

	(void)state;
	wrong.addresses[0].port = 9; /* where nobody is: its NAT has chosen another port */
	endpoint_dial(net.nodes[winner].e, &wrong, net.now);
	net_run(&net, MILLISECOND);
	net_dial(&net, !winner, winner);
	net_run(&net, SECOND);
	assert_one_link_left();
}

static void a_second_dial_adds_addresses_to_the_first(void **state)
{
	struct link_target wrong = net_target(&net, 1);
	struct link *first;

	(void)state;
	wrong.addresses[0].port = 9;
	first = endpoint_dial(net.nodes[0].e, &wrong, net.now);
	net_run(&net, 10 * MILLISECOND);
	assert_ptr_equal(net_dial(&net, 0, 1), first);
	net_run(&net, SECOND);
	assert_non_null(net.nodes[1].link);
	assert_int_equal(link_path(net.nodes[0].link).remote.port, net.nodes[1].address.port);
}

static void who_is_dismissed_while_being_dialled_hears_no_more(void **state)
{
	(void)state;
	net_dial(&net, 0, 1);
	net_flush(&net);
	endpoint_dismiss(net.nodes[0].e, &net.nodes[1].identity.public);
	net_run(&net, 15 * SECOND);
	assert_int_equal(net.nodes[0].sent, 1);
	assert_int_equal(net.nodes[0].told[LINK_UP], 0);
	assert_int_equal(net.nodes[1].told[LINK_UP], 0);
	assert_int_equal(net.nodes[0].down_error, ERR_REFUSED);
}

static void an_attempt_at_a_device_is_not_one_for_another_identity(void **state)
{
	struct link_target t = net_target(&net, 1), lie = t;
	struct identity mallory;
	struct link *first;

	(void)state;
	identity_make(&mallory);
	lie.identity = mallory.public;
	first = endpoint_dial(net.nodes[0].e, &lie, net.now);
	assert_ptr_not_equal(endpoint_dial(net.nodes[0].e, &t, net.now), first);
	assert_true(net_run_until(&net, both_up, 5 * SECOND));
	assert_works(0, 1);
}

static void a_datagram_of_no_known_form_ends_the_link(void **state)
{
	ngtcp2_vec part = { (uint8_t *)"\3abcdefgh", 9 };
	uint8_t room[1200];
	ngtcp2_pkt_info info;
	ngtcp2_ssize size;
	int is_taken;

	(void)state;
	connect_both();
	net_run(&net, SECOND);
	size = ngtcp2_conn_writev_datagram(
		net.nodes[0].link->conn, NULL, &info, room, sizeof room, &is_taken,
		NGTCP2_WRITE_DATAGRAM_FLAG_NONE, 0, &part, 1, net.now);
	assert_true(size > 0 && is_taken);
	net_inject(&net, &net.nodes[0].address, &net.nodes[1].address, bytes_of(room, size), 0);
	net_run(&net, SECOND);
	assert_int_equal(net.nodes[1].down_error, ERR_FORMAT);
	assert_int_equal(net.nodes[0].down_code, LINK_CODE_PROTOCOL);
}

static void all_addresses_are_tried_at_once(void **state)
{
	struct link_target t = net_target(&net, 1);

	(void)state;
	t.address_count = 3;
	t.addresses[2] = t.addresses[0];
	t.addresses[0].port = 9;
	t.addresses[1].port = 10;
	endpoint_dial(net.nodes[0].e, &t, net.now);
	net_run(&net, 25 * MILLISECOND);
	assert_non_null(net.nodes[0].link);
	assert_int_equal(link_path(net.nodes[0].link).remote.port, 1000);
}

struct ports {
	unsigned count;
	uint16_t seen[CANDIDATES_MAX];
};

static bool note_ports(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	struct ports *p = n->user;

	(void)from;
	(void)data;
	for (unsigned i = 0; i < p->count; i++)
		if (p->seen[i] == d->path.remote.port)
			return true;
	p->seen[p->count++] = d->path.remote.port;
	return true;
}

/* A contact says where it is: not to make us knock at every door of somebody else. */
static void of_one_machine_few_ports_are_tried(void **state)
{
	struct link_target t = net_target(&net, 1);
	struct ports ports = { 0 };

	(void)state;
	net.tap = note_ports;
	net.user = &ports;
	t.address_count = CANDIDATES_MAX;
	for (unsigned i = 0; i < CANDIDATES_MAX; i++)
		t.addresses[i] = (struct address){ .family = 4,
						   .port = 50 + i,
						   .ip = { 9, 9, 9, 9 } };
	endpoint_dial(net.nodes[0].e, &t, net.now);
	net_run(&net, 5 * SECOND);
	assert_in_range(ports.count, 2, 4);
}

static void a_second_link_to_a_device_replaces_the_first(void **state)
{
	struct link *old;

	(void)state;
	connect_both();
	net_run(&net, SECOND);
	old = net.nodes[0].link;
	net_dial(&net, 0, 1);
	net_run(&net, SECOND);
	assert_ptr_not_equal(net.nodes[0].link, old);
	assert_int_equal(net.nodes[0].down_error, ERR_EXISTS);
	assert_works(0, 1);
	net_run(&net, 10 * SECOND);
	assert_int_equal(endpoint_counters(net.nodes[0].e).links, 1);
	assert_int_equal(endpoint_counters(net.nodes[1].e).links, 1);
}

static void a_peer_that_starts_anew_replaces_its_link(void **state)
{
	(void)state;
	for (unsigned who = 0; who < 2; who++) {
		two_peers(state);
		connect_both();
		net_run(&net, SECOND);
		net_restart(&net, who);
		net_dial(&net, who, !who);
		net_run(&net, SECOND);
		assert_int_equal(net.nodes[!who].told[LINK_UP], 2);
		assert_int_equal(net.nodes[!who].told[LINK_DOWN], 1);
		assert_int_equal(net.nodes[!who].down_error, ERR_EXISTS);
		assert_works(0, 1);
		assert_works(1, 0);
		clear(state);
	}
}

/* --- ends --- */

static void a_goodbye_carries_its_code(void **state)
{
	(void)state;
	connect_both();
	net_run(&net, SECOND);
	link_close(net.nodes[0].link, 1234, net.now);
	net_run(&net, SECOND);
	assert_int_equal(net.nodes[1].down_error, ERR_CLOSED);
	assert_int_equal(net.nodes[1].down_code, 1234);
	assert_int_equal(net.nodes[0].told[LINK_DOWN], 0);
	net_run(&net, 5 * SECOND);
	assert_int_equal(endpoint_counters(net.nodes[0].e).links, 0);
	assert_int_equal(endpoint_counters(net.nodes[1].e).links, 0);
}

static void last_words_arrive_before_the_goodbye(void **state)
{
	(void)state;
	connect_both();
	net_run(&net, SECOND);
	net_write(&net, 0, LINK_CONTROL, "and farewell");
	link_close(net.nodes[0].link, LINK_CODE_UNKNOWN, net.now);
	net_run(&net, SECOND);
	assert_true(net_inbox_is(&net, 1, "and farewell"));
	assert_int_equal(net.nodes[1].down_code, LINK_CODE_UNKNOWN);
}

static bool lose_once(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	bool *is_lost = n->user;

	(void)d;
	(void)data;
	if (from != 0 || *is_lost)
		return true;
	*is_lost = true;
	return false;
}

static void a_lost_goodbye_is_said_again_to_who_goes_on_speaking(void **state)
{
	bool is_lost = false;

	(void)state;
	connect_both();
	net_run(&net, SECOND);
	net.tap = lose_once;
	net.user = &is_lost;
	link_close(net.nodes[0].link, LINK_CODE_RESTART, net.now);
	net_run(&net, 100 * MILLISECOND);
	assert_true(is_lost);
	assert_int_equal(net.nodes[1].told[LINK_DOWN], 0);
	net_write(&net, 1, LINK_CONTROL, "are you there");
	net_run(&net, SECOND);
	assert_int_equal(net.nodes[1].down_code, LINK_CODE_RESTART);
}

static void everyone_is_told_at_a_clean_exit(void **state)
{
	(void)state;
	empty(state);
	net_add(&net, ENDPOINT_ANYONE);
	for (unsigned i = 1; i <= 20; i++) {
		net_add(&net, ENDPOINT_ADMITTED);
		net_dial(&net, i, 0);
	}
	net_run(&net, 2 * SECOND);
	assert_int_equal(net.nodes[0].told[LINK_UP], 20);
	endpoint_close_all(net.nodes[0].e, LINK_CODE_RESTART, net.now);
	net_run(&net, SECOND);
	for (unsigned i = 1; i <= 20; i++)
		assert_int_equal(net.nodes[i].down_code, LINK_CODE_RESTART);
}

static void a_link_to_the_dead_ends_by_silence(void **state)
{
	(void)state;
	connect_both();
	net_run(&net, SECOND);
	net.nodes[1].is_dead = true;
	net_write(&net, 0, LINK_CONTROL, "are you there");
	net_run(&net, 5 * SECOND);
	assert_true(link_unanswered_since(net.nodes[0].link) <= net.now - 4 * SECOND);
	assert_int_equal(net.nodes[0].told[LINK_DOWN], 0);
	net_run(&net, 40 * SECOND);
	assert_int_equal(net.nodes[0].down_error, ERR_TIMEOUT);
}

/* RFC 9000's idle timer begins anew when something is sent; ours does not. */
static void a_word_to_the_dead_does_not_hold_their_link(void **state)
{
	(void)state;
	connect_both();
	net_run(&net, SECOND);
	net.nodes[1].is_dead = true;
	net_run(&net, 25 * SECOND);
	net_write(&net, 0, LINK_CONTROL, "are you there");
	net_run(&net, 5 * SECOND);
	assert_int_equal(net.nodes[0].told[LINK_DOWN], 1);
	assert_int_equal(net.nodes[0].down_error, ERR_TIMEOUT);
}

static void a_dialled_link_may_have_timers_of_its_own(void **state)
{
	struct link_target target = net_target(&net, 1);
	uint64_t sent;

	(void)state;
	target.keep_alive = 20 * SECOND;
	target.idle_timeout = 25 * SECOND;
	assert_non_null(endpoint_dial(net.nodes[0].e, &target, net.now));
	net_run(&net, SECOND);
	net.nodes[1].is_dead = true;
	net_run(&net, 5 * SECOND);
	sent = net.nodes[0].sent;
	net_run(&net, 13 * SECOND); /* the endpoint would ping after 10 */
	assert_int_equal(net.nodes[0].sent, sent);
	net_run(&net, 3 * SECOND);
	assert_true(net.nodes[0].sent > sent);
	assert_int_equal(net.nodes[0].told[LINK_DOWN], 0);
	net_run(&net, 5 * SECOND); /* and give up after 30 */
	assert_int_equal(net.nodes[0].down_error, ERR_TIMEOUT);
}

static void keep_alive_holds_an_idle_link(void **state)
{
	(void)state;
	connect_both();
	net_run(&net, 600 * SECOND);
	assert_non_null(net.nodes[0].link);
	assert_non_null(net.nodes[1].link);
	assert_true(link_unanswered_since(net.nodes[0].link) == NEVER);
	assert_true(link_last_heard(net.nodes[1].link) > net.now - 15 * SECOND);
	assert_works(0, 1);
}

static void a_contact_dismissed_is_cut_off(void **state)
{
	(void)state;
	connect_both();
	net_run(&net, SECOND);
	endpoint_dismiss(net.nodes[1].e, &net.nodes[0].identity.public);
	net_run(&net, SECOND);
	assert_int_equal(net.nodes[0].down_code, LINK_CODE_NOT_CONTACT);
	assert_int_equal(net.nodes[1].down_error, ERR_REFUSED);
	net_dial(&net, 0, 1);
	net_run(&net, 15 * SECOND);
	assert_int_equal(net.nodes[1].told[LINK_UP], 1);
}

/* --- replay and forgery --- */

struct record {
	unsigned count;
	struct {
		struct address to;
		size_t size;
		uint8_t *data;
		mono_ns at;
	} list[4096];
};

static bool keep_all_of_first(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	struct record *r = n->user;

	if (from != 0 || r->count == 4096)
		return true;
	r->list[r->count].to = d->path.remote;
	r->list[r->count].size = d->size;
	r->list[r->count].at = n->now;
	r->list[r->count].data = malloc(d->size);
	memcpy(r->list[r->count++].data, data, d->size);
	return true;
}

static void replay(const struct record *r, const struct address *from)
{
	for (unsigned i = 0; i < r->count; i++)
		net_inject(&net, from, &r->list[i].to,
			   bytes_of(r->list[i].data, r->list[i].size),
			   r->list[i].at - r->list[0].at);
}

static struct record *record_new(void)
{
	return calloc(1, sizeof(struct record));
}

static void record_free(struct record *r)
{
	for (unsigned i = 0; i < r->count; i++)
		free(r->list[i].data);
	free(r);
}

static void a_session_sent_again_brings_nothing_up_or_down(void **state)
{
	struct address elsewhere = { .family = 4, .port = 5, .ip = { 6, 6, 6, 6 } };
	struct record *r = record_new();
	struct path path;

	(void)state;
	net.tap = keep_all_of_first;
	net.user = r;
	connect_both();
	net_write(&net, 0, LINK_CONTROL, "once only");
	net_run(&net, 2 * SECOND);
	net.tap = NULL;
	replay(r, &elsewhere); /* while the link lives */
	for (int i = 0; i < 200; i++) {
		net_run(&net, 10 * MILLISECOND);
		path = link_path(net.nodes[1].link);
		assert_true(address_equal(&path.remote, &net.nodes[0].address));
		assert_int_equal(endpoint_counters(net.nodes[1].e).half_open, 0);
	}
	net_run(&net, 15 * SECOND);
	assert_int_equal(net.nodes[1].told[LINK_UP], 1);
	assert_int_equal(net.nodes[1].told[LINK_DOWN], 0);
	path = link_path(net.nodes[1].link);
	assert_true(address_equal(&path.remote, &net.nodes[0].address));
	assert_works(1, 0);
	/* And to a process that knows nothing of the first time. */
	net_restart(&net, 1);
	net.nodes[0].is_dead = true;
	buf_clear(&net.nodes[1].inbox);
	replay(r, &elsewhere);
	net_run(&net, 15 * SECOND);
	assert_int_equal(net.nodes[1].told[LINK_UP], 1);
	assert_int_equal(net.nodes[1].inbox.size, 0);
	assert_int_equal(endpoint_counters(net.nodes[1].e).half_open, 0);
	assert_int_equal(endpoint_counters(net.nodes[1].e).links, 0);
	record_free(r);
}

static void a_first_message_sent_again_does_not_stop_an_attempt(void **state)
{
	struct address elsewhere = { .family = 4, .port = 5, .ip = { 6, 6, 6, 6 } };
	struct record *r = record_new();

	(void)state;
	net.tap = keep_all_of_first;
	net.user = r;
	connect_both();
	net.tap = NULL;
	net_restart(&net, 0);
	net_restart(&net, 1);
	net_dial(&net, 1, 0);
	net_inject(&net, &elsewhere, &r->list[0].to, bytes_of(r->list[0].data, r->list[0].size),
		   0);
	net_run(&net, 5 * SECOND);
	assert_int_equal(net.nodes[1].told[LINK_UP], 2);
	assert_non_null(net.nodes[0].link);
	assert_works(0, 1);
	record_free(r);
}

static bool fan_over_ports(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	(void)n;
	(void)d;
	(void)data;
	return from == 0;
}

static void one_network_cannot_knock_without_end(void **state)
{
	(void)state;
	net.tap = fan_over_ports;
	for (unsigned i = 0; i < 200; i++) {
		struct net_node *node = &net.nodes[0];

		endpoint_free(node->e);
		node->e = endpoint_new(&node->config, net.now);
		node->address.port = 2000 + i;
		net_dial(&net, 0, 1);
		net_flush(&net);
	}
	net_run(&net, 20 * MILLISECOND);
	assert_true(endpoint_counters(net.nodes[1].e).half_open <= 61);
}

/* --- moving --- */

static void either_side_may_move(void **state)
{
	(void)state;
	for (unsigned who = 0; who < 2; who++) {
		two_peers(state);
		connect_both();
		net_run(&net, SECOND);
		net.nodes[who].address.port = 7777;
		net.nodes[who].address.ip[3] = 99;
		assert_works(who, !who);
		assert_works(!who, who);
		assert_int_equal(net.nodes[!who].told[LINK_MOVED], 1);
		assert_int_equal(link_path(net.nodes[!who].link).remote.port, 7777);
		assert_int_equal(net.nodes[!who].told[LINK_DOWN], 0);
		net.nodes[who].address.port = 1000; /* and back in part, and on */
		assert_works(who, !who);
		net.nodes[who].address.port = 7777;
		assert_works(who, !who);
		assert_int_equal(net.nodes[!who].told[LINK_MOVED], 3);
		clear(state);
	}
}

static void a_device_that_moves_gets_a_token_for_where_it_is(void **state)
{
	struct net_node *node = &net.nodes[0];

	(void)state;
	time_to_come_up(bytes_of(NULL, 0), LINK_IK);
	net_run(&net, SECOND);
	node->address.ip[3] = 99;
	assert_works(0, 1);
	assert_int_equal(net.nodes[1].told[LINK_MOVED], 1);
	assert_int_equal(node->told[LINK_TOKEN], 2);
	link_close(node->link, 0, net.now);
	node->link = NULL;
	net_run(&net, SECOND);
	assert_in_range(time_to_come_up(buf_view(&node->token), LINK_IK), 20 * MILLISECOND,
			22 * MILLISECOND);
}

struct thief {
	struct address at;
	unsigned stolen;
	uint64_t stolen_bytes, lured_bytes;
};

/* Sends a copy of everything of node 0 from elsewhere, so that it arrives first. */
static bool race(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	struct thief *thief = n->user;

	if (from == 0) {
		net_inject(n, &thief->at, &d->path.remote, bytes_of(data, d->size), 0);
		thief->stolen++;
		thief->stolen_bytes += d->size;
		return false; /* and the true one is lost */
	}
	if (address_equal(&d->path.remote, &thief->at))
		thief->lured_bytes += d->size;
	return true;
}

static void an_address_not_proved_gets_at_most_three_times_what_it_sent(void **state)
{
	struct thief thief = { .at = { .family = 4, .port = 6, .ip = { 66, 66, 66, 66 } } };
	static uint8_t much[500000];

	(void)state;
	connect_both();
	net_run(&net, SECOND);
	net.tap = race;
	net.user = &thief;
	net_write(&net, 0, LINK_CONTROL, "hello");
	net_run(&net, 20 * MILLISECOND);
	assert_true(thief.stolen > 0);
	assert_int_equal(link_write(net.nodes[1].link, LINK_CONTROL, BYTES(much), false), 0);
	net_run(&net, 5 * SECOND);
	assert_true(thief.lured_bytes > 0);
	assert_true(thief.lured_bytes <= 3 * thief.stolen_bytes);
	assert_int_equal(net.nodes[1].told[LINK_MOVED], 0);
	/* The true address speaks again: all is as before. */
	net.tap = NULL;
	net_write(&net, 0, LINK_CONTROL, "again");
	net_run(&net, 10 * SECOND);
	assert_int_equal(net.nodes[0].inbox.size, sizeof much);
	assert_int_equal(net.nodes[1].told[LINK_MOVED], 0);
}

/* All of node 0 comes from elsewhere from the moment the other has answered it. What goes
 * there reaches node 0 all the same, but for the challenge: as if it guessed the rest. */
static bool pretend(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	struct thief *thief = n->user;

	if (from == 0 && n->nodes[1].sent > 0) {
		net_inject(n, &thief->at, &d->path.remote, bytes_of(data, d->size), n->delay);
		thief->stolen_bytes += d->size;
		return false;
	}
	if (from == 1 && address_equal(&d->path.remote, &thief->at)) {
		struct link *l = n->nodes[1].link;

		thief->lured_bytes += d->size;
		if (l)
			randombytes_buf(l->proof.challenge, sizeof l->proof.challenge);
		d->path.remote = n->nodes[0].address;
	}
	return true;
}

static void assert_bounded(const struct thief *thief)
{
	static uint8_t much[500000];

	assert_int_equal(link_write(net.nodes[1].link, LINK_CONTROL, BYTES(much), false), 0);
	net_run(&net, 20 * SECOND);
	assert_true(thief->lured_bytes > 0);
	assert_true(thief->lured_bytes <= 3 * thief->stolen_bytes);
	assert_true(thief->lured_bytes < sizeof much);
	assert_int_equal(net.nodes[1].told[LINK_MOVED], 0);
}

static void acknowledging_does_not_prove_an_address(void **state)
{
	struct thief thief = { .at = { .family = 4, .port = 6, .ip = { 66, 66, 66, 66 } } };

	(void)state;
	connect_both();
	net_run(&net, SECOND);
	net.tap = pretend;
	net.user = &thief;
	net_write(&net, 0, LINK_CONTROL, "hello");
	net_run(&net, 20 * MILLISECOND);
	assert_bounded(&thief);
}

static void finishing_a_handshake_from_elsewhere_does_not_prove_an_address(void **state)
{
	struct thief thief = { .at = { .family = 4, .port = 6, .ip = { 66, 66, 66, 66 } } };

	(void)state;
	net.tap = pretend;
	net.user = &thief;
	connect_both();
	assert_bounded(&thief);
}

/* One who is dialled at several addresses may answer as if from another of them. */
static bool answer_from_elsewhere(struct net *n, unsigned from, struct datagram *d,
				  uint8_t *data)
{
	struct thief *thief = n->user;

	if (from == 1) {
		net_inject(n, &thief->at, &d->path.remote, bytes_of(data, d->size), n->delay);
		thief->stolen_bytes += d->size;
		return false;
	}
	if (address_equal(&d->path.remote, &thief->at)) {
		struct link *l = n->nodes[0].link;

		if (l) { /* before that it is an attempt among others */
			thief->lured_bytes += d->size;
			randombytes_buf(l->proof.challenge, sizeof l->proof.challenge);
		}
		d->path.remote = n->nodes[1].address;
	}
	return true;
}

static void answering_from_elsewhere_does_not_prove_an_address(void **state)
{
	struct thief thief = { .at = { .family = 4, .port = 6, .ip = { 66, 66, 66, 66 } } };
	struct link_target t = net_target(&net, 1);
	static uint8_t much[500000];

	(void)state;
	t.addresses[t.address_count++] = thief.at;
	net.tap = answer_from_elsewhere;
	net.user = &thief;
	endpoint_dial(net.nodes[0].e, &t, net.now);
	assert_true(net_run_until(&net, both_up, 10 * SECOND));
	assert_int_equal(link_write(net.nodes[0].link, LINK_CONTROL, BYTES(much), false), 0);
	net_run(&net, 20 * SECOND);
	assert_true(thief.lured_bytes > 0);
	assert_true(thief.lured_bytes <= 3 * thief.stolen_bytes);
	assert_true(thief.lured_bytes < sizeof much);
}

/* --- the rest --- */

static void keys_are_renewed_while_a_link_is_used(void **state)
{
	unsigned before;

	(void)state;
	connect_both();
	net_run(&net, SECOND);
	before = net.nodes[0].link->crypto.updates;
	for (int i = 0; i < 400; i++) {
		net_write(&net, i % 2, LINK_CONTROL, "x");
		net_run(&net, SECOND);
	}
	assert_true(net.nodes[0].link->crypto.updates >= before + 5);
	assert_int_equal(net.nodes[0].inbox.size, 200);
	assert_int_equal(net.nodes[1].inbox.size, 200);
}

static bool add_rubbish(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	(void)from;
	(void)n;
	for (int i = 0; i < 20 && d->size < ENDPOINT_DATAGRAM_MAX; i++)
		data[d->size++] = i;
	return true;
}

static void rubbish_behind_a_packet_does_no_harm(void **state)
{
	(void)state;
	net.tap = add_rubbish;
	connect_both();
	net.tap = NULL;
	assert_works(0, 1);
	assert_works(1, 0);
}

static bool flip_bits(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	uint8_t copy[ENDPOINT_DATAGRAM_MAX];

	memcpy(copy, data, d->size);
	copy[randombytes_uniform(d->size)] ^= 1 << randombytes_uniform(8);
	net_inject(n, &n->nodes[from].address, &d->path.remote, bytes_of(copy, d->size), 0);
	return true;
}

static void changed_copies_do_no_harm(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++) {
		two_peers(state);
		net.tap = flip_bits;
		connect_both();
		assert_works(0, 1);
		assert_works(1, 0);
		assert_int_equal(net.nodes[0].told[LINK_DOWN], 0);
		assert_int_equal(net.nodes[1].told[LINK_DOWN], 0);
		clear(state);
	}
}

static void strays_travel_outside_of_links(void **state)
{
	struct path path = { .remote = net.nodes[1].address };
	static const uint8_t stray[] = { 3, 1, 2 };

	(void)state;
	endpoint_send_stray(net.nodes[0].e, &path, BYTES(stray), 0);
	net_run(&net, SECOND);
	assert_int_equal(net.nodes[1].told[STRAY], 1);
	assert_int_equal(net.nodes[1].sent, 0);
}

static void a_new_knock_shuts_out_who_has_the_old(void **state)
{
	struct knock other = { { 1 } };

	(void)state;
	endpoint_set_knock(net.nodes[1].e, &other);
	net_dial(&net, 0, 1);
	net_run(&net, 15 * SECOND);
	assert_silent(1);
	net.nodes[1].config.knock = other;
	net_dial(&net, 0, 1);
	net_run(&net, SECOND);
	assert_non_null(net.nodes[1].link);
}

static void nobody_dials_itself(void **state)
{
	(void)state;
	assert_null(net_dial(&net, 0, 0));
}

static void a_target_without_usable_address_is_refused(void **state)
{
	struct link_target t = net_target(&net, 1);

	(void)state;
	t.addresses[0].port = 0;
	assert_null(endpoint_dial(net.nodes[0].e, &t, net.now));
	t.address_count = 0;
	assert_null(endpoint_dial(net.nodes[0].e, &t, net.now));
}

static void many_devices_meet_one_directory(void **state)
{
	(void)state;
	net_add(&net, ENDPOINT_ANYONE);
	for (unsigned i = 1; i < 250; i++) {
		net_add(&net, ENDPOINT_ADMITTED);
		net_dial(&net, i, 0);
	}
	net_run(&net, 5 * SECOND);
	assert_int_equal(net.nodes[0].told[LINK_UP], 249);
	for (unsigned i = 1; i < 250; i++)
		net_write(&net, i, LINK_CONTROL, "x");
	net_run(&net, 5 * SECOND);
	assert_int_equal(net.nodes[0].inbox.size, 249);
}

#define PEERS(f)     cmocka_unit_test_setup_teardown(f, two_peers, clear)
#define DIRECTORY(f) cmocka_unit_test_setup_teardown(f, device_and_directory, clear)
#define EMPTY(f)     cmocka_unit_test_setup_teardown(f, empty, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEERS(a_wrong_knock_is_met_with_silence),
		PEERS(a_wrong_device_key_is_met_with_silence),
		PEERS(a_stranger_who_knows_the_knock_is_met_with_silence),
		PEERS(a_certificate_for_another_device_is_met_with_silence),
		PEERS(a_forged_certificate_is_met_with_silence),
		PEERS(a_guest_at_a_peer_is_met_with_silence),
		PEERS(garbage_is_met_with_silence),
		DIRECTORY(a_directory_says_nothing_to_who_does_not_know_its_key),
		PEERS(an_answer_from_another_identity_is_refused),
		DIRECTORY(a_first_contact_proves_its_address_a_second_need_not),
		DIRECTORY(a_token_from_another_address_or_life_costs_a_round_trip_only),
		DIRECTORY(
			one_address_that_is_asked_for_a_proof_is_not_shut_out_by_one_that_is_not),
		DIRECTORY(a_guest_proves_the_directory_and_stays_unknown),
		PEERS(a_first_packet_with_any_id_is_met_with_silence),
		DIRECTORY(an_unproved_address_leaves_nothing_at_the_directory),
		cmocka_unit_test(of_two_that_dial_each_other_one_link_survives),
		cmocka_unit_test(both_agree_on_one_link_whatever_the_network_does),
		cmocka_unit_test(both_agree_after_any_misfortune),
		PEERS(an_address_unknown_until_it_knocks_is_dialled),
		PEERS(a_second_dial_adds_addresses_to_the_first),
		PEERS(who_is_dismissed_while_being_dialled_hears_no_more),
		PEERS(an_attempt_at_a_device_is_not_one_for_another_identity),
		PEERS(a_datagram_of_no_known_form_ends_the_link),
		PEERS(all_addresses_are_tried_at_once),
		PEERS(of_one_machine_few_ports_are_tried),
		PEERS(a_second_link_to_a_device_replaces_the_first),
		cmocka_unit_test(a_peer_that_starts_anew_replaces_its_link),
		PEERS(a_goodbye_carries_its_code),
		PEERS(last_words_arrive_before_the_goodbye),
		PEERS(a_lost_goodbye_is_said_again_to_who_goes_on_speaking),
		EMPTY(everyone_is_told_at_a_clean_exit),
		PEERS(a_link_to_the_dead_ends_by_silence),
		PEERS(a_word_to_the_dead_does_not_hold_their_link),
		PEERS(a_dialled_link_may_have_timers_of_its_own),
		PEERS(keep_alive_holds_an_idle_link),
		PEERS(a_contact_dismissed_is_cut_off),
		PEERS(a_session_sent_again_brings_nothing_up_or_down),
		PEERS(a_first_message_sent_again_does_not_stop_an_attempt),
		PEERS(one_network_cannot_knock_without_end),
		cmocka_unit_test(either_side_may_move),
		DIRECTORY(a_device_that_moves_gets_a_token_for_where_it_is),
		PEERS(an_address_not_proved_gets_at_most_three_times_what_it_sent),
		PEERS(acknowledging_does_not_prove_an_address),
		PEERS(finishing_a_handshake_from_elsewhere_does_not_prove_an_address),
		PEERS(answering_from_elsewhere_does_not_prove_an_address),
		PEERS(keys_are_renewed_while_a_link_is_used),
		PEERS(rubbish_behind_a_packet_does_no_harm),
		cmocka_unit_test(changed_copies_do_no_harm),
		PEERS(strays_travel_outside_of_links),
		PEERS(a_new_knock_shuts_out_who_has_the_old),
		PEERS(nobody_dials_itself),
		PEERS(a_target_without_usable_address_is_refused),
		EMPTY(many_devices_meet_one_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
