/* What an attempt believes of what it hears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "tests/at.h"
#include "tests/punch_story.h"

static uint8_t caught[4096][PROBE_SIZE_MAX];
static struct address caught_from[4096];
static size_t caught_size[4096];
static unsigned caught_count;

static bool catch_all(struct punch_net *n, unsigned from, const struct path *path,
		      struct bytes data, uint8_t ttl)
{
	(void)path;
	(void)ttl;
	if (from == 1 && caught_count < 4096 && data.size >= PROBE_SIZE) {
		memcpy(caught[caught_count], data.data, data.size);
		caught_from[caught_count] = n->sides[1].goal.our_public;
		caught_size[caught_count++] = data.size;
	}
	return true;
}

static void what_was_heard_once_is_answered_once_wherever_it_comes_from(void **state)
{
	struct address liar = at("192.0.2.99:1000"), to;
	unsigned before, heard;

	(void)state;
	caught_count = 0;
	begin(BOX_PUBLIC, BOX_PUBLIC, 1);
	net.tap = catch_all;
	assert_true(punch_net_run(&net, SECOND));
	net.sides[0].is_linked = false;
	assert_true(caught_count > 0);
	to = net.sides[0].home;
	heard = net.sides[0].report.heard;
	before = net.stranger_count;
	for (unsigned k = 0; k < 50; k++) {
		for (unsigned i = 0; i < caught_count; i++) {
			liar.ip[3] = (uint8_t)(100 + k);
			punch_net_inject(&net, &liar, &to, bytes_of(caught[i], caught_size[i]));
		}
	}
	/* what was lost on the way to us and comes by the liar is new to us: one each at most */
	punch_net_run(&net, 500 * MILLISECOND);
	assert_true(net.stranger_count <= before + caught_count);
	assert_true(net.sides[0].report.heard <= heard + caught_count + 8);
	for (unsigned i = before; i < net.stranger_count; i++)
		assert_true(net.strangers[i].count <= PUNCH_BUDGET);
	punch_net_clear(&net);
}

static void what_nobody_of_us_has_made_is_nothing(void **state)
{
	struct address liar = at("198.51.100.1:7000"), to;
	uint8_t forged[PROBE_ANSWER_SIZE];

	(void)state;
	begin(BOX_PUBLIC, BOX_PUBLIC, 1);
	net.tap = lose_all;
	to = net.sides[0].home;
	punch_net_run(&net, 30 * MILLISECOND);
	for (unsigned i = 0; i < 2000; i++) {
		struct probe probe = { .is_answer = i % 2 };
		struct probe_keys keys = net.sides[1].goal.keys;

		keys.out.bytes[i % 32] ^= 1;
		randombytes_buf(&probe.nonce, sizeof probe.nonce);
		probe_encode(forged, &probe, &keys);
		punch_net_inject(&net, &liar, &to,
				 bytes_of(forged, i % 2 ? PROBE_ANSWER_SIZE : PROBE_SIZE));
	}
	punch_net_run(&net, SECOND);
	assert_int_equal(net.sides[0].report.heard, 0);
	assert_int_equal(net.sides[0].proved_offers, 0);
	punch_net_clear(&net);
}

static struct probe asked; /* the last probe of side 0 */
static struct path asked_by;

static bool note_question(struct punch_net *n, unsigned from, const struct path *path,
			  struct bytes data, uint8_t ttl)
{
	struct probe p;

	(void)ttl;
	if (from == 0 && probe_decode(&p, data, &n->sides[1].goal.keys) == 0 && !p.is_answer) {
		asked = p;
		asked_by = *path;
	}
	return false;
}

static void answer_from(const struct address *from, const struct probe_nonce *echo)
{
	struct probe probe = { .is_answer = true, .echo = *echo };
	uint8_t out[PROBE_SIZE_MAX];
	size_t size;

	randombytes_buf(&probe.nonce, sizeof probe.nonce);
	size = probe_encode(out, &probe, &net.sides[1].goal.keys);
	punch_net_inject(&net, from, &net.sides[0].home, bytes_of(out, size));
	punch_net_run(&net, 2 * MILLISECOND);
}

static void proved_is_who_answers_what_was_asked_there_and_now(void **state)
{
	struct address elsewhere = at("192.0.2.99:7000");
	struct probe_nonce old;
	struct endpoint *e = &net.sides[0];

	(void)state;
	begin(BOX_PUBLIC, BOX_PUBLIC, 1);
	net.tap = note_question;
	punch_net_run(&net, 100 * MILLISECOND);
	assert_int_equal(e->unproved_offers, 1);
	old = asked.nonce;
	punch_net_again(&net);
	punch_net_run(&net, 100 * MILLISECOND);
	assert_int_equal(e->proved_offers, 0);
	/* of the attempt before; to another address; something of one's own */
	answer_from(&asked_by.remote, &old);
	answer_from(&elsewhere, &asked.nonce);
	old = asked.nonce;
	old.bytes[7] ^= 1;
	answer_from(&asked_by.remote, &old);
	assert_int_equal(e->proved_offers, 0);
	answer_from(&asked_by.remote, &asked.nonce);
	assert_int_equal(e->proved_offers, 1);
	assert_true(e->linked.is_proved);
	assert_true(e->linked.round_trip > 0);
	punch_net_clear(&net);
}

static void who_is_not_looked_for_is_answered_so_often(void **state)
{
	struct endpoint *e = &net.sides[0];
	struct path path = { .remote = at("192.0.2.99:7000") };
	struct probe probe = { .is_answer = false }, back;

	(void)state;
	begin(BOX_PUBLIC, BOX_PUBLIC, 1);
	for (unsigned i = 0; i < 3 * PUNCH_BUDGET; i++) {
		randombytes_buf(&probe.nonce, sizeof probe.nonce);
		punch_answer(e, &e->limits, &path, &probe, &e->goal.keys, net.now);
		/* the same again is nothing */
		punch_answer(e, &e->limits, &path, &probe, &e->goal.keys, net.now);
	}
	punch_net_run(&net, 0);
	assert_int_equal(punch_net_went_to(&net, "192.0.2.99"), PUNCH_BUDGET);
	/* what only looks like a proof that they are there */
	memset(&back, 0, sizeof back);
	back.is_answer = true;
	randombytes_buf(&back.nonce, sizeof back.nonce);
	punch_answer(e, &e->limits, &path, &back, &e->goal.keys, net.now);
	randombytes_buf(&probe.nonce, sizeof probe.nonce);
	punch_answer(e, &e->limits, &path, &probe, &e->goal.keys, net.now);
	punch_net_run(&net, 0);
	assert_int_equal(punch_net_went_to(&net, "192.0.2.99"), PUNCH_BUDGET);
	punch_net_clear(&net);
}

static struct probe said;

static bool note_answer(struct punch_net *n, unsigned from, const struct path *path,
			struct bytes data, uint8_t ttl)
{
	(void)ttl;
	(void)path;
	(void)from;
	return probe_decode(&said, data, &n->sides[1].goal.keys) == 0;
}

static void who_proves_to_be_there_is_answered_as_often_as_they_ask(void **state)
{
	struct endpoint *e = &net.sides[0];
	struct path path = { .remote = at("192.0.2.99:7000") };
	struct probe probe = { .is_answer = false }, proof = { .is_answer = true };

	(void)state;
	begin(BOX_PUBLIC, BOX_PUBLIC, 1);
	net.tap = note_answer;
	for (unsigned i = 0; i < 3 * PUNCH_BUDGET; i++) {
		randombytes_buf(&probe.nonce, sizeof probe.nonce);
		punch_answer(e, &e->limits, &path, &probe, &e->goal.keys, net.now);
		assert_memory_equal(&said.echo, &probe.nonce, sizeof probe.nonce);
		proof.echo = said.nonce;
		randombytes_buf(&proof.nonce, sizeof proof.nonce);
		punch_answer(e, &e->limits, &path, &proof, &e->goal.keys, net.now);
	}
	punch_net_run(&net, 0);
	assert_int_equal(punch_net_went_to(&net, "192.0.2.99"), 3 * PUNCH_BUDGET);
	punch_net_clear(&net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_heard_once_is_answered_once_wherever_it_comes_from),
		cmocka_unit_test(what_nobody_of_us_has_made_is_nothing),
		cmocka_unit_test(proved_is_who_answers_what_was_asked_there_and_now),
		cmocka_unit_test(who_is_not_looked_for_is_answered_so_often),
		cmocka_unit_test(who_proves_to_be_there_is_answered_as_often_as_they_ask),
	};

	dice_become_randombytes();
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
