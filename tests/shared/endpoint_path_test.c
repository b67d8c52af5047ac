/* A side moves, and what an address must prove before much is sent there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>

#include "shared/link.h"
#include "tests/link_pair.h"

static void either_side_may_move(void **state)
{
	(void)state;
	for (unsigned who = 0; who < 2; who++) {
		two_peers(state);
		connect_both();
		net_run(&wires, SECOND);
		wires.nodes[who].address.port = 7777;
		wires.nodes[who].address.ip[3] = 99;
		assert_works(who, !who);
		assert_works(!who, who);
		assert_int_equal(wires.nodes[!who].told[LINK_MOVED], 1);
		assert_int_equal(link_path(wires.nodes[!who].link).remote.port, 7777);
		assert_int_equal(wires.nodes[!who].told[LINK_DOWN], 0);
		wires.nodes[who].address.port = 1000; /* and back in part, and on */
		assert_works(who, !who);
		wires.nodes[who].address.port = 7777;
		assert_works(who, !who);
		assert_int_equal(wires.nodes[!who].told[LINK_MOVED], 3);
		net_end(state);
	}
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

/* Linked for a second; then `tap` sees what is sent, beginning with "hello". */
static void link_with(struct thief *thief, bool (*tap)(struct net *n, unsigned from,
						       struct datagram *d, uint8_t *data))
{
	connect_both();
	net_run(&wires, SECOND);
	wires.tap = tap;
	wires.user = thief;
	net_write(&wires, 0, LINK_CONTROL, "hello");
	net_run(&wires, 20 * MILLISECOND);
}

static void an_address_not_proved_gets_at_most_three_times_what_it_sent(void **state)
{
	struct thief thief = { .at = { .family = 4, .port = 6, .ip = { 66, 66, 66, 66 } } };
	static uint8_t much[500000];

	(void)state;
	link_with(&thief, race);
	assert_true(thief.stolen > 0);
	assert_int_equal(link_write(wires.nodes[1].link, LINK_CONTROL, BYTES(much), false), 0);
	net_run(&wires, 5 * SECOND);
	assert_true(thief.lured_bytes > 0);
	assert_true(thief.lured_bytes <= 3 * thief.stolen_bytes);
	assert_int_equal(wires.nodes[1].told[LINK_MOVED], 0);
	/* The true address speaks again: all is as before. */
	wires.tap = NULL;
	net_write(&wires, 0, LINK_CONTROL, "again");
	net_run(&wires, 10 * SECOND);
	assert_int_equal(wires.nodes[0].inbox.size, sizeof much);
	assert_int_equal(wires.nodes[1].told[LINK_MOVED], 0);
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

	assert_int_equal(link_write(wires.nodes[1].link, LINK_CONTROL, BYTES(much), false), 0);
	net_run(&wires, 20 * SECOND);
	assert_true(thief->lured_bytes > 0);
	assert_true(thief->lured_bytes <= 3 * thief->stolen_bytes);
	assert_true(thief->lured_bytes < sizeof much);
	assert_int_equal(wires.nodes[1].told[LINK_MOVED], 0);
}

static void acknowledging_does_not_prove_an_address(void **state)
{
	struct thief thief = { .at = { .family = 4, .port = 6, .ip = { 66, 66, 66, 66 } } };

	(void)state;
	link_with(&thief, pretend);
	assert_bounded(&thief);
}

static void finishing_a_handshake_from_elsewhere_does_not_prove_an_address(void **state)
{
	struct thief thief = { .at = { .family = 4, .port = 6, .ip = { 66, 66, 66, 66 } } };

	(void)state;
	wires.tap = pretend;
	wires.user = &thief;
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
	struct link_target t = net_target(&wires, 1);
	static uint8_t much[500000];

	(void)state;
	t.addresses[t.address_count++] = thief.at;
	wires.tap = answer_from_elsewhere;
	wires.user = &thief;
	endpoint_dial(wires.nodes[0].e, &t, wires.now);
	assert_true(net_run_until(&wires, both_up, 10 * SECOND));
	assert_int_equal(link_write(wires.nodes[0].link, LINK_CONTROL, BYTES(much), false), 0);
	net_run(&wires, 20 * SECOND);
	assert_true(thief.lured_bytes > 0);
	assert_true(thief.lured_bytes <= 3 * thief.stolen_bytes);
	assert_true(thief.lured_bytes < sizeof much);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(either_side_may_move),
		PEERS(an_address_not_proved_gets_at_most_three_times_what_it_sent),
		PEERS(acknowledging_does_not_prove_an_address),
		PEERS(finishing_a_handshake_from_elsewhere_does_not_prove_an_address),
		PEERS(answering_from_elsewhere_does_not_prove_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
