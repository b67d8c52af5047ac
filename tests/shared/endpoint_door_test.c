/* Who is let in: strangers, what is sent again or forged, and what a directory asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/link.h"
#include "tests/link_pair.h"

static void assert_silent(unsigned n)
{
	assert_int_equal(wires.nodes[n].sent, 0);
	assert_int_equal(wires.nodes[n].told[LINK_UP], 0);
	assert_true(wires.nodes[n].received > 0);
}

/* --- strangers --- */

static void a_wrong_knock_is_met_with_silence(void **state)
{
	struct link_target t = net_target(&wires, 1);

	(void)state;
	t.knock.bytes[3] ^= 1;
	endpoint_dial(wires.nodes[0].e, &t, wires.now);
	net_run(&wires, 15 * SECOND);
	assert_silent(1);
	assert_int_equal(wires.nodes[0].down_error, ERR_TIMEOUT);
	assert_int_equal(endpoint_counters(wires.nodes[1].e).links, 0);
}

static void a_wrong_device_key_is_met_with_silence(void **state)
{
	struct link_target t = net_target(&wires, 1);
	struct device other;

	(void)state;
	device_make(&other);
	t.device = other.public;
	endpoint_dial(wires.nodes[0].e, &t, wires.now);
	net_run(&wires, 15 * SECOND);
	assert_silent(1);
}

static void a_stranger_who_knows_the_knock_is_met_with_silence(void **state)
{
	(void)state;
	endpoint_dismiss(wires.nodes[1].e, &wires.nodes[0].identity.public);
	net_dial(&wires, 0, 1);
	net_run(&wires, 15 * SECOND);
	assert_silent(1);
	assert_int_equal(endpoint_counters(wires.nodes[1].e).half_open, 0);
}

static void a_certificate_for_another_device_is_met_with_silence(void **state)
{
	struct device other;
	struct certificate c;

	(void)state;
	device_make(&other);
	certificate_make(&c, &wires.nodes[0].identity, &other.public, "device", 1, 0);
	endpoint_set_certificate(wires.nodes[0].e, &c);
	net_dial(&wires, 0, 1);
	net_run(&wires, 15 * SECOND);
	assert_silent(1);
}

static void a_forged_certificate_is_met_with_silence(void **state)
{
	struct certificate c = wires.nodes[0].config.certificate;

	(void)state;
	c.signature[7] ^= 1;
	endpoint_set_certificate(wires.nodes[0].e, &c);
	net_dial(&wires, 0, 1);
	net_run(&wires, 15 * SECOND);
	assert_silent(1);
}

static void a_guest_at_a_peer_is_met_with_silence(void **state)
{
	struct link_target t = net_target(&wires, 1);

	(void)state;
	t.pattern = LINK_NK;
	t.has_identity = false;
	endpoint_dial(wires.nodes[0].e, &t, wires.now);
	net_run(&wires, 15 * SECOND);
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
		net_inject(&wires, &wires.nodes[0].address, &wires.nodes[1].address,
			   bytes_of(data, size), 0);
	}
	net_run(&wires, SECOND);
	assert_silent(1);
	assert_int_equal(endpoint_counters(wires.nodes[1].e).links, 0);
}

static void a_directory_says_nothing_to_who_does_not_know_its_key(void **state)
{
	struct link_target t = net_target(&wires, 1);

	(void)state;
	t.device.bytes[5] ^= 1;
	t.knock = knock_of_directory(&t.device);
	endpoint_dial(wires.nodes[0].e, &t, wires.now);
	net_run(&wires, 15 * SECOND);
	assert_silent(1);
}

static void an_answer_from_another_identity_is_refused(void **state)
{
	struct link_target t = net_target(&wires, 1);

	(void)state;
	t.identity = wires.nodes[0].identity.public;
	endpoint_dial(wires.nodes[0].e, &t, wires.now);
	net_run(&wires, 15 * SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_UP], 0);
	assert_int_equal(wires.nodes[0].down_error, ERR_AUTH);
	assert_int_equal(wires.nodes[1].told[LINK_UP], 0);
}

static mono_ns time_to_come_up(struct bytes token, enum link_pattern pattern)
{
	struct link_target t = net_target(&wires, 1);
	mono_ns began = wires.now;

	t.token = token;
	t.pattern = pattern;
	assert_non_null(endpoint_dial(wires.nodes[0].e, &t, wires.now));
	while (!wires.nodes[0].link) {
		assert_true(wires.now < began + 5 * SECOND);
		net_run(&wires, MILLISECOND);
	}
	return wires.now - began;
}

/* --- the directory --- */

static void a_first_contact_proves_its_address_a_second_need_not(void **state)
{
	struct bytes token;

	(void)state;
	/* 10 ms each way: Retry and handshake are two round trips */
	assert_in_range(time_to_come_up(bytes_of(NULL, 0), LINK_IK), 40 * MILLISECOND,
			42 * MILLISECOND);
	net_run(&wires, SECOND);
	assert_int_equal(endpoint_counters(wires.nodes[1].e).retries, 1);
	assert_int_equal(wires.nodes[0].told[LINK_TOKEN], 1);
	assert_non_null(wires.nodes[1].link);
	assert_true(device_public_equal(link_device(wires.nodes[1].link),
					&wires.nodes[0].config.device.public));
	link_close(wires.nodes[0].link, 0, wires.now);
	wires.nodes[0].link = NULL;
	net_run(&wires, SECOND);
	assert_null(wires.nodes[1].link);
	token = buf_view(&wires.nodes[0].token);
	assert_in_range(time_to_come_up(token, LINK_IK), 20 * MILLISECOND, 22 * MILLISECOND);
	assert_int_equal(endpoint_counters(wires.nodes[1].e).retries, 1);
	net_run(&wires, SECOND);
	assert_works(0, 1);
}

static void a_token_from_another_address_or_life_costs_a_round_trip_only(void **state)
{
	(void)state;
	time_to_come_up(bytes_of(NULL, 0), LINK_IK);
	net_run(&wires, SECOND);
	link_close(wires.nodes[0].link, 0, wires.now);
	wires.nodes[0].link = NULL;
	net_run(&wires, 5 * SECOND);
	wires.nodes[0].address.ip[3] = 77;
	assert_in_range(time_to_come_up(buf_view(&wires.nodes[0].token), LINK_IK),
			40 * MILLISECOND, 42 * MILLISECOND);
	assert_int_equal(endpoint_counters(wires.nodes[1].e).retries, 2);
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
	net_run(&wires, SECOND);
	link_close(wires.nodes[0].link, 0, wires.now);
	wires.nodes[0].link = NULL;
	net_run(&wires, 5 * SECOND);
	wires.tap = have_two_addresses;
	wires.user = &said;
	assert_in_range(time_to_come_up(buf_view(&wires.nodes[0].token), LINK_IK),
			40 * MILLISECOND, 42 * MILLISECOND);
}

static void a_guest_proves_the_directory_and_stays_unknown(void **state)
{
	(void)state;
	time_to_come_up(bytes_of(NULL, 0), LINK_NK);
	net_run(&wires, SECOND);
	assert_non_null(wires.nodes[1].link);
	assert_null(link_device(wires.nodes[1].link));
	assert_null(link_certificate(wires.nodes[1].link));
	assert_int_equal(link_pattern(wires.nodes[1].link), LINK_NK);
	assert_memory_equal(link_handshake_hash(wires.nodes[0].link),
			    link_handshake_hash(wires.nodes[1].link), 64);
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

	door_keys_make(&keys, &wires.nodes[1].config.knock,
		       &wires.nodes[1].config.device.public);
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
		net_inject(&wires, &wires.nodes[0].address, &wires.nodes[1].address,
			   BYTES(initial), 0);
		net_run(&wires, MILLISECOND);
	}
	assert_silent(1);
	assert_int_equal(endpoint_counters(wires.nodes[1].e).links, 0);
}

static void an_unproved_address_leaves_nothing_at_the_directory(void **state)
{
	(void)state;
	wires.tap = swallow_answers; /* as if the sender's address were forged */
	net_dial(&wires, 0, 1);
	net_run(&wires, 5 * SECOND);
	assert_int_equal(endpoint_counters(wires.nodes[1].e).links, 0);
	assert_true(wires.nodes[1].sent_bytes < wires.nodes[0].sent_bytes);
}

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
		net_inject(&wires, from, &r->list[i].to,
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

/* --- replay and forgery --- */

static void a_session_sent_again_brings_nothing_up_or_down(void **state)
{
	struct address elsewhere = { .family = 4, .port = 5, .ip = { 6, 6, 6, 6 } };
	struct record *r = record_new();
	struct path path;

	(void)state;
	wires.tap = keep_all_of_first;
	wires.user = r;
	connect_both();
	net_write(&wires, 0, LINK_CONTROL, "once only");
	net_run(&wires, 2 * SECOND);
	wires.tap = NULL;
	replay(r, &elsewhere); /* while the link lives */
	for (int i = 0; i < 200; i++) {
		net_run(&wires, 10 * MILLISECOND);
		path = link_path(wires.nodes[1].link);
		assert_true(address_equal(&path.remote, &wires.nodes[0].address));
		assert_int_equal(endpoint_counters(wires.nodes[1].e).half_open, 0);
	}
	net_run(&wires, 15 * SECOND);
	assert_int_equal(wires.nodes[1].told[LINK_UP], 1);
	assert_int_equal(wires.nodes[1].told[LINK_DOWN], 0);
	path = link_path(wires.nodes[1].link);
	assert_true(address_equal(&path.remote, &wires.nodes[0].address));
	assert_works(1, 0);
	/* And to a process that knows nothing of the first time. */
	net_restart(&wires, 1);
	wires.nodes[0].is_dead = true;
	buf_clear(&wires.nodes[1].inbox);
	replay(r, &elsewhere);
	net_run(&wires, 15 * SECOND);
	assert_int_equal(wires.nodes[1].told[LINK_UP], 1);
	assert_int_equal(wires.nodes[1].inbox.size, 0);
	assert_int_equal(endpoint_counters(wires.nodes[1].e).half_open, 0);
	assert_int_equal(endpoint_counters(wires.nodes[1].e).links, 0);
	record_free(r);
}

static void a_first_message_sent_again_does_not_stop_an_attempt(void **state)
{
	struct address elsewhere = { .family = 4, .port = 5, .ip = { 6, 6, 6, 6 } };
	struct record *r = record_new();

	(void)state;
	wires.tap = keep_all_of_first;
	wires.user = r;
	connect_both();
	wires.tap = NULL;
	net_restart(&wires, 0);
	net_restart(&wires, 1);
	net_dial(&wires, 1, 0);
	net_inject(&wires, &elsewhere, &r->list[0].to,
		   bytes_of(r->list[0].data, r->list[0].size), 0);
	net_run(&wires, 5 * SECOND);
	assert_int_equal(wires.nodes[1].told[LINK_UP], 2);
	assert_non_null(wires.nodes[0].link);
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
	wires.tap = fan_over_ports;
	for (unsigned i = 0; i < 200; i++) {
		struct net_node *node = &wires.nodes[0];

		endpoint_free(node->e);
		node->e = endpoint_new(&node->config, wires.now);
		node->address.port = 2000 + i;
		net_dial(&wires, 0, 1);
		net_flush(&wires);
	}
	net_run(&wires, 20 * MILLISECOND);
	assert_true(endpoint_counters(wires.nodes[1].e).half_open <= 61);
}

/* --- moving --- */

static void a_device_that_moves_gets_a_token_for_where_it_is(void **state)
{
	struct net_node *node = &wires.nodes[0];

	(void)state;
	time_to_come_up(bytes_of(NULL, 0), LINK_IK);
	net_run(&wires, SECOND);
	node->address.ip[3] = 99;
	assert_works(0, 1);
	assert_int_equal(wires.nodes[1].told[LINK_MOVED], 1);
	assert_int_equal(node->told[LINK_TOKEN], 2);
	link_close(node->link, 0, wires.now);
	node->link = NULL;
	net_run(&wires, SECOND);
	assert_in_range(time_to_come_up(buf_view(&node->token), LINK_IK), 20 * MILLISECOND,
			22 * MILLISECOND);
}

/* --- the rest --- */

static void a_new_knock_shuts_out_who_has_the_old(void **state)
{
	struct knock other = { { 1 } };

	(void)state;
	endpoint_set_knock(wires.nodes[1].e, &other);
	net_dial(&wires, 0, 1);
	net_run(&wires, 15 * SECOND);
	assert_silent(1);
	wires.nodes[1].config.knock = other;
	net_dial(&wires, 0, 1);
	net_run(&wires, SECOND);
	assert_non_null(wires.nodes[1].link);
}

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
		PEERS(a_session_sent_again_brings_nothing_up_or_down),
		PEERS(a_first_message_sent_again_does_not_stop_an_attempt),
		PEERS(one_network_cannot_knock_without_end),
		DIRECTORY(a_device_that_moves_gets_a_token_for_where_it_is),
		PEERS(a_new_knock_shuts_out_who_has_the_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
