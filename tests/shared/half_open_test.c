#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/half_open.h"
#include "shared/kdf.h"
#include "shared/link.h"
#include "tests/link_net.h"

static struct net net;

static int three_peers(void **state)
{
	(void)state;
	net_init(&net);
	for (int i = 0; i < 3; i++)
		net_add(&net, ENDPOINT_ADMITTED);
	net_befriend(&net, 3);
	return 0;
}

static int clear(void **state)
{
	(void)state;
	net.tap = NULL;
	net_clear(&net);
	return 0;
}

/* Nothing that is said to node 0 arrives: what it begins is never confirmed. */
static bool keep_from_the_first(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	(void)data;
	return from != 1 || d->path.remote.ip[0] == n->nodes[2].address.ip[0];
}

/* A new device of `identity`, from a new network, begins with node 1. */
static void begin(unsigned i, const struct identity *identity)
{
	struct net_node *node = &net.nodes[0];

	device_make(&node->config.device);
	certificate_make(&node->config.certificate, identity, &node->config.device.public,
			 "device", i, 0);
	endpoint_free(node->e);
	node->e = endpoint_new(&node->config, net.now);
	node->address.ip[0] = 20 + i % 200;
	node->address.ip[1] = i / 200;
	net_dial(&net, 0, 1);
	net_flush(&net);
	if (i % 16 == 15)
		net_run(&net, 20 * MILLISECOND);
}

static void of_one_contact_only_few_are_kept(void **state)
{
	(void)state;
	net.tap = keep_from_the_first;
	for (unsigned i = 0; i < 1000; i++)
		begin(i, &net.nodes[0].identity);
	net_run(&net, 20 * MILLISECOND);
	assert_int_equal(endpoint_counters(net.nodes[1].e).half_open, HALF_OPEN_EACH);
}

static void all_together_are_bounded_and_die(void **state)
{
	struct endpoint_counters counters;
	struct identity identity;

	(void)state;
	net.tap = keep_from_the_first;
	for (unsigned i = 0; i < 2 * ENDPOINT_HALF_OPEN_MAX; i++) {
		identity_make(&identity);
		endpoint_admit(net.nodes[1].e, &identity.public, false);
		begin(i, &identity);
	}
	net_run(&net, 20 * MILLISECOND);
	counters = endpoint_counters(net.nodes[1].e);
	assert_int_equal(counters.half_open, ENDPOINT_HALF_OPEN_MAX);
	assert_true(counters.links <= ENDPOINT_HALF_OPEN_MAX);
	net.nodes[0].is_dead = true;
	net_run(&net, 15 * SECOND);
	counters = endpoint_counters(net.nodes[1].e);
	assert_int_equal(counters.half_open, 0);
	assert_int_equal(counters.links, 0);
}

static bool is_third_up(struct net *n)
{
	return n->nodes[2].link != NULL;
}

static void who_comes_while_all_places_are_taken_gets_in(void **state)
{
	struct identity identity;

	(void)state;
	net.tap = keep_from_the_first;
	for (unsigned i = 0; i < ENDPOINT_HALF_OPEN_MAX; i++) {
		identity_make(&identity);
		endpoint_admit(net.nodes[1].e, &identity.public, false);
		begin(i, &identity);
	}
	net_run(&net, 20 * MILLISECOND);
	assert_int_equal(endpoint_counters(net.nodes[1].e).half_open, ENDPOINT_HALF_OPEN_MAX);
	net.nodes[2].address.ip[0] = 250; /* a network that has not knocked */
	net_dial(&net, 2, 1);
	assert_true(net_run_until(&net, is_third_up, SECOND));
}

/* An Initial that opens, with the beginning of a first message in it: by hand, since no
 * honest program sends one. Returns its size. */
static size_t part_of_a_first_message(uint8_t out[1200], const struct net_node *to)
{
	uint8_t plain[1200] = { 0x06, 0, 20, 1, 1, 0 }; /* CRYPTO, IK, 256 bytes: 20 here */
	uint8_t common[32], secret[32], key[32], hp[32], iv[16], mask[5], token[DOOR_TOKEN_MAX];
	struct door_keys keys;
	size_t token_size, at, number, rest;
	uint8_t dcid[16];

	randombytes_buf(dcid, sizeof dcid);
	randombytes_buf(plain + 6, 17);
	door_keys_make(&keys, &to->config.knock, &to->config.device.public);
	token_size = door_token_make(token, &keys, BYTES(dcid), bytes_of(NULL, 0));
	memcpy(out, "\xc0\0\0\0\1\x10", 6);
	memcpy(out + 6, dcid, 16);
	memcpy(out + 22, "\x08sourceid", 9);
	out[31] = (uint8_t)token_size;
	memcpy(out + 32, token, token_size);
	at = 32 + token_size;
	rest = 1200 - at - 2;
	out[at] = 0x40 | rest >> 8;
	out[at + 1] = (uint8_t)rest;
	number = at + 2;
	out[number] = 0;

	crypto_generichash(common, sizeof common, dcid, sizeof dcid, keys.initial,
			   sizeof keys.initial);
	kdf_label(secret, sizeof secret, common, "palique/1 client in");
	kdf_label(key, sizeof key, secret, "palique/1 key");
	kdf_label(hp, sizeof hp, secret, "palique/1 hp");
	kdf_label(iv, sizeof iv, secret, "palique/1 iv");
	packet_seal(out + number + 1, key, iv,
		    bytes_of(plain, 1200 - number - 1 - PACKET_TAG_SIZE),
		    bytes_of(out, number + 1));
	packet_mask(mask, hp, out + number + 4);
	out[0] ^= mask[0] & 15;
	out[number] ^= mask[1];
	memcpy(out + 1, "pal", 3);
	out[4] = 1;
	return 1200;
}

static void half_a_first_message_is_not_waited_for(void **state)
{
	struct address from = { .family = 4, .port = 9, .ip = { 77, 0, 0, 1 } };
	uint8_t data[1200];

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		from.ip[1] = i;
		part_of_a_first_message(data, &net.nodes[1]);
		net_inject(&net, &from, &net.nodes[1].address, BYTES(data), 0);
		net_run(&net, MILLISECOND);
		assert_int_equal(endpoint_counters(net.nodes[1].e).half_open, 0);
	}
	assert_int_equal(endpoint_counters(net.nodes[1].e).links, 0);
	assert_int_equal(net.nodes[1].sent, 0);
}

#define PEERS(f) cmocka_unit_test_setup_teardown(f, three_peers, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEERS(of_one_contact_only_few_are_kept),
		PEERS(all_together_are_bounded_and_die),
		PEERS(who_comes_while_all_places_are_taken_gets_in),
		PEERS(half_a_first_message_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
