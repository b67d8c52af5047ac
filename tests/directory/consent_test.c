/* Who is given whose addresses, who is introduced to whom, and how a client learns where it
 * is seen: the directory as a whole, with small clients. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "tests/small_client.h"

static struct small_net net;
static struct small_client *alice, *bob;
static struct wire_message m;

static const struct server_config open_to_all = { .registration = REGISTRATION_OPEN };

static int begin(void **state)
{
	(void)state;
	small_net_begin(&net, &open_to_all);
	alice = small_client_online(&net, "alice");
	bob = small_client_online(&net, "bob");
	return 0;
}

static int end(void **state)
{
	(void)state;
	small_net_end(&net);
	return 0;
}

/* Both list each other: what alice gives bob, and he her. */
static void make_contacts(enum consent by_alice, enum consent by_bob)
{
	small_client_list(alice, NULL);
	small_client_list(bob, NULL);
	small_client_consent(alice, "bob", by_alice);
	small_client_consent(bob, "alice", by_bob);
}

static void forget(void)
{
	buf_clear(&alice->inbox);
	buf_clear(&bob->inbox);
}

static void introduce(struct small_client *asker, const char *name)
{
	struct wire_message say = { .type = WIRE_INTRODUCE };

	name_parse(&say.introduce.name, bytes_text(name));
	small_client_say(asker, &say);
	small_net_run(&net, 10 * MILLISECOND);
}

static bool holds(const struct buf *b, const void *what, size_t size)
{
	for (size_t i = 0; i + size <= b->size; i++)
		if (memcmp(b->data + i, what, size) == 0)
			return true;
	return false;
}

/* Whether in anything that `viewer` was sent and has not taken yet is an address of `of`: the one that it
 * published or the one that the directory sees. */
static bool has_address(const struct small_client *viewer, const struct small_client *of)
{
	const uint8_t inside[4] = { 192, 168, of->address.ip[1], 7 };

	return holds(&viewer->inbox, inside, sizeof inside) ||
	       holds(&viewer->inbox, of->address.ip, 4);
}

static void who_consents_is_told_with_all_addresses(void **state)
{
	(void)state;
	forget();
	make_contacts(CONSENT_DIRECT, CONSENT_DIRECT);
	assert_true(has_address(bob, alice));
	assert_true(small_client_hears(bob, WIRE_PRESENCE, &m));
	assert_int_equal(m.presence.device_count, 1);
	assert_true(address_equal(&m.presence.online[0].seen, &alice->address));
	assert_int_equal(m.presence.online[0].record.number, alice->number);
	assert_int_equal(m.presence.online[0].record.candidates.count, 1);
	assert_int_equal(
		peer_record_verify(&m.presence.online[0].record, &alice->identity.public), 0);
}

static void who_relays_only_is_told_without_any(void **state)
{
	(void)state;
	make_contacts(CONSENT_RELAY, CONSENT_DIRECT);
	forget();
	small_client_publish(alice);
	small_client_move(alice);
	small_client_publish(bob);
	introduce(bob, "alice");
	introduce(alice, "bob");
	assert_false(has_address(bob, alice));
	assert_true(has_address(alice, bob));
	assert_true(small_client_hears(bob, WIRE_PRESENCE, &m));
	assert_int_equal(m.presence.device_count, 1);
	assert_int_equal(m.presence.online[0].seen.family, 0);
	assert_int_equal(m.presence.online[0].record.candidates.count, 0);
	assert_int_equal(m.presence.online[0].record.number, alice->number + 1);
	assert_int_equal(
		peer_record_verify(&m.presence.online[0].record, &alice->identity.public), 0);
}

static void who_never_wants_is_told_to_be_there_and_no_more(void **state)
{
	(void)state;
	make_contacts(CONSENT_NEVER, CONSENT_DIRECT);
	forget();
	small_client_publish(alice);
	small_client_move(alice);
	introduce(bob, "alice");
	introduce(alice, "bob");
	assert_false(has_address(bob, alice));
	assert_true(small_client_hears(bob, WIRE_PRESENCE, &m));
	assert_int_equal(m.presence.device_count, 1);
	assert_int_equal(m.presence.online[0].seen.family, 0);
	assert_int_equal(m.presence.online[0].record.number, 0);
}

static void another_consent_counts_at_once(void **state)
{
	(void)state;
	make_contacts(CONSENT_DIRECT, CONSENT_DIRECT);
	forget();
	small_client_consent(alice, "bob", CONSENT_RELAY);
	assert_false(has_address(bob, alice));
	assert_true(small_client_hears(bob, WIRE_PRESENCE, &m));
	assert_int_equal(m.presence.online[0].record.number, alice->number + 1);
	assert_false(small_client_hears(alice, WIRE_PRESENCE, &m));
	small_client_consent(alice, "bob", CONSENT_NEVER);
	assert_true(small_client_hears(bob, WIRE_PRESENCE, &m));
	assert_int_equal(m.presence.online[0].record.number, 0);
	small_client_consent(alice, "bob", CONSENT_DIRECT);
	assert_true(has_address(bob, alice));
	assert_true(small_client_hears(bob, WIRE_PRESENCE, &m));
	assert_int_equal(m.presence.online[0].record.number, alice->number);
}

/* A full list takes another consent of those in it. */
static void consent_needs_no_room_in_a_list(void **state)
{
	static const struct server_config narrow = { .registration = REGISTRATION_OPEN,
						     .contacts_max = 1 };

	(void)state;
	server_configure(net.server, &narrow);
	make_contacts(CONSENT_DIRECT, CONSENT_DIRECT);
	forget();
	small_client_consent(alice, "bob", CONSENT_NEVER);
	assert_false(small_client_hears(alice, WIRE_REFUSAL, &m));
	small_client_consent(alice, "carol", CONSENT_NEVER);
	assert_true(small_client_hears(alice, WIRE_REFUSAL, &m));
	assert_int_equal(m.refusal.error, ERR_LIMIT);
	assert_true(small_client_hears(bob, WIRE_PRESENCE, &m));
	assert_int_equal(m.presence.online[0].record.number, 0);
}

static void the_least_of_all_sessions_counts(void **state)
{
	struct small_client *second = small_client_sibling(alice);

	(void)state;
	make_contacts(CONSENT_DIRECT, CONSENT_DIRECT);
	assert_int_equal(small_client_login(second, "password"), 0);
	assert_int_equal(small_client_come(second), 0);
	forget();
	small_client_consent(second, "bob", CONSENT_RELAY);
	small_client_publish(second);
	assert_false(has_address(bob, alice));
	assert_false(holds(&bob->inbox, second->address.ip, 4));
	introduce(bob, "alice");
	assert_false(small_client_hears(bob, WIRE_INTRODUCTION, &m));
	forget();
	small_client_hang_up(second);
	assert_true(has_address(bob, alice));
}

static void own_devices_have_each_other_s_addresses(void **state)
{
	struct small_client *second = small_client_sibling(alice);
	unsigned seen = 0;

	(void)state;
	small_client_list(alice, NULL);
	assert_int_equal(small_client_login(second, "password"), 0);
	assert_int_equal(small_client_come(second), 0);
	small_client_publish(second);
	while (small_client_hears_own(second, &m))
		seen = m.presence.device_count;
	assert_int_equal(seen, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(m.presence.online[i].record.candidates.count, 1);
		assert_int_not_equal(m.presence.online[i].seen.family, 0);
	}
	introduce(second, "alice");
	assert_true(small_client_hears(second, WIRE_INTRODUCTION, &m));
	assert_false(m.introduction.is_dialler);
	assert_true(small_client_hears(alice, WIRE_INTRODUCTION, &m));
	assert_true(m.introduction.is_dialler);
}

/* --- what is published --- */

static void publish(struct small_client *c, const struct wire_publish *what)
{
	struct wire_message say = { .type = WIRE_PUBLISH, .publish = *what };

	small_client_say(c, &say);
	small_net_run(&net, 10 * MILLISECOND);
}

static void an_older_publication_is_not_told(void **state)
{
	struct wire_publish old, fresh;

	(void)state;
	make_contacts(CONSENT_DIRECT, CONSENT_DIRECT);
	small_client_records(alice, &old);
	small_client_records(alice, &fresh);
	forget();
	publish(alice, &fresh);
	assert_true(small_client_hears(bob, WIRE_PRESENCE, &m));
	publish(alice, &old);
	publish(alice, &fresh);
	assert_false(small_client_hears(bob, WIRE_PRESENCE, &m));
	assert_non_null(alice->link);
}

static void who_publishes_for_another_device_is_put_out(void **state)
{
	struct wire_publish theirs;

	(void)state;
	make_contacts(CONSENT_DIRECT, CONSENT_DIRECT);
	small_client_records(bob, &theirs);
	forget();
	publish(alice, &theirs);
	assert_null(alice->link);
	assert_int_equal(alice->down_code, LINK_CODE_PROTOCOL);
}

static void addresses_in_what_should_have_none_are_refused(void **state)
{
	struct wire_publish wrong;
	struct wire_message say = { .type = WIRE_PUBLISH };
	struct buf encoded = { 0 };

	(void)state;
	make_contacts(CONSENT_RELAY, CONSENT_DIRECT);
	small_client_records(alice, &wrong);
	wrong.shut.candidates = wrong.open.candidates;
	say.publish = wrong;
	forget();
	/* an honest client cannot even say it, or the directory throws it out */
	if (wire_encode(&say, &encoded) == 0) {
		publish(alice, &wrong);
		assert_null(alice->link);
	}
	assert_false(has_address(bob, alice));
	buf_clear(&encoded);
}

/* --- introductions --- */

static void the_asker_is_dialled_and_both_know_the_round_trips(void **state)
{
	(void)state;
	make_contacts(CONSENT_DIRECT, CONSENT_DIRECT);
	forget();
	introduce(alice, "bob");
	assert_true(small_client_hears(alice, WIRE_INTRODUCTION, &m));
	assert_false(m.introduction.is_dialler);
	assert_true(address_equal(&m.introduction.device.seen, &bob->address));
	assert_int_equal(m.introduction.device.record.number, bob->number);
	assert_true(small_client_hears(bob, WIRE_INTRODUCTION, &m));
	assert_true(m.introduction.is_dialler);
	assert_true(address_equal(&m.introduction.device.seen, &alice->address));
	assert_int_equal(m.introduction.device.record.number, alice->number);
}

static unsigned introductions(struct small_client *c)
{
	unsigned count = 0;

	while (small_client_hears(c, WIRE_INTRODUCTION, &m))
		count++;
	return count;
}

static void both_asking_at_once_are_introduced_once(void **state)
{
	struct wire_message say = { .type = WIRE_INTRODUCE };

	(void)state;
	make_contacts(CONSENT_DIRECT, CONSENT_DIRECT);
	forget();
	say.introduce.name = bob->name;
	small_client_say(alice, &say);
	say.introduce.name = alice->name;
	small_client_say(bob, &say);
	small_net_run(&net, 100 * MILLISECOND);
	introduce(bob, "alice");
	assert_int_equal(introductions(alice), 1);
	assert_int_equal(introductions(bob), 1);
	small_net_run(&net, 300 * MILLISECOND);
	introduce(bob, "alice");
	assert_int_equal(introductions(alice), 1);
	assert_int_equal(introductions(bob), 1);
}

static void another_address_is_worth_another_introduction(void **state)
{
	(void)state;
	make_contacts(CONSENT_DIRECT, CONSENT_DIRECT);
	forget();
	introduce(alice, "bob");
	small_client_move(bob);
	introduce(alice, "bob");
	assert_int_equal(introductions(alice), 2);
	assert_true(address_equal(&m.introduction.device.seen, &bob->address));
	small_client_publish(alice);
	introduce(bob, "alice");
	assert_int_equal(introductions(bob), 3);
}

static void nobody_is_introduced_unless_both_consent(void **state)
{
	static const enum consent cases[][2] = {
		{ CONSENT_DIRECT, CONSENT_RELAY }, { CONSENT_RELAY, CONSENT_DIRECT },
		{ CONSENT_DIRECT, CONSENT_NEVER }, { CONSENT_NEVER, CONSENT_DIRECT },
		{ CONSENT_RELAY, CONSENT_RELAY },  { CONSENT_NEVER, CONSENT_NEVER },
	};
	struct server_status status;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		make_contacts(cases[i][0], cases[i][1]);
		introduce(alice, "bob");
		introduce(bob, "alice");
		assert_int_equal(introductions(alice), 0);
		assert_int_equal(introductions(bob), 0);
	}
	server_status(net.server, &status);
	assert_int_equal(status.introductions, 0);
}

/* --- where a client is seen --- */

static void who_moves_is_told_and_so_are_contacts(void **state)
{
	(void)state;
	make_contacts(CONSENT_DIRECT, CONSENT_DIRECT);
	forget();
	small_client_move(alice);
	assert_true(small_client_hears(bob, WIRE_PRESENCE, &m));
	assert_true(address_equal(&m.presence.online[0].seen, &alice->address));
	assert_true(small_client_hears(alice, WIRE_OBSERVED, &m));
	assert_true(address_equal(&m.observed.observed, &alice->address));
	assert_false(small_client_hears(alice, WIRE_OBSERVED, &m));
	assert_false(small_client_hears(bob, WIRE_OBSERVED, &m));
}

/* Her stream is full: she is told when she reads again, and of the last move at any rate. */
static void who_reads_slowly_is_told_of_its_last_move(void **state)
{
	enum { NOTES = 1700, MOVES = 150 };
	struct address last = { 0 };
	unsigned told = 0;

	(void)state;
	make_contacts(CONSENT_DIRECT, CONSENT_DIRECT);
	forget();
	alice->is_deaf = true;
	for (int i = 0; i < NOTES; i++) {
		struct wire_message say = { .type = WIRE_PUBLISH };

		small_client_records(bob, &say.publish);
		for (uint8_t k = 0; k < CANDIDATES_MAX; k++) {
			struct address a = { .family = 6, .port = 5000, .ip = { 0x20, 1, k } };

			candidates_add(&say.publish.open.candidates, CANDIDATE_HOST, &a);
		}
		small_client_say(bob, &say);
		small_net_run(&net, 20 * MILLISECOND);
	}
	/* a few of these fit where no presence does */
	for (int i = 0; i < MOVES; i++)
		small_client_move(alice);
	alice->is_deaf = false;
	for (int i = 0; i < 50; i++) {
		small_client_read(alice);
		small_net_run(&net, 100 * MILLISECOND);
	}
	while (small_client_hears(alice, WIRE_OBSERVED, &m)) {
		last = m.observed.observed;
		told++;
	}
	assert_in_range(told, 1, MOVES - 1);
	assert_true(address_equal(&last, &alice->address));
}

/* --- questions of sight --- */

/* Another port of the directory, a hidden one of it, and one at another address. */
static void open_ways(void)
{
	struct sight list[4];

	while (net.way_count < 4) {
		net.ways[net.way_count] = net.ways[0];
		net.ways[net.way_count].port = (uint16_t)(7272 + net.way_count);
		net.way_count++;
	}
	net.ways[3].ip[3]++;
	for (unsigned i = 0; i < 4; i++)
		list[i] = (struct sight){ .kind = i == 0   ? SIGHT_MAIN
						  : i == 1 ? SIGHT_FURTHER
							   : SIGHT_HIDDEN,
					  .socket = (uint16_t)i,
					  .is_named = true,
					  .at = net.ways[i] };
	server_set_sights(net.server, list, 4);
}

/* 0: an answer for this question, then in `seen`. */
static int ask(struct small_client *c, unsigned way, enum sight_wants wants, uint16_t port,
	       struct address *seen)
{
	struct sight_question q = { .wants = wants, .port = port };
	uint8_t datagram[SIGHT_QUESTION_SIZE];
	struct path path = { .remote = net.ways[way] };
	struct sight_nonce nonce;
	int err;

	randombytes_buf(q.nonce.bytes, sizeof q.nonce.bytes);
	sight_question_encode(datagram, &q);
	c->stray.size = 0;
	endpoint_send_stray(c->endpoint, &path, BYTES(datagram), 0);
	small_net_run(&net, MILLISECOND);
	err = sight_answer_decode(&nonce, seen, c->stray);
	if (!err)
		assert_memory_equal(nonce.bytes, q.nonce.bytes, sizeof nonce.bytes);
	return err;
}

static void an_asker_is_told_how_it_is_seen(void **state)
{
	struct address seen;
	struct server_status status;

	(void)state;
	open_ways();
	assert_int_equal(ask(alice, 0, SIGHT_PLAIN, 0, &seen), 0);
	assert_true(address_equal(&seen, &alice->address));
	assert_true(address_equal(&alice->stray_from, &net.ways[0]));
	assert_int_equal(ask(alice, 1, SIGHT_PLAIN, 0, &seen), 0);
	assert_true(address_equal(&alice->stray_from, &net.ways[1]));
	assert_int_equal(ask(alice, 1, SIGHT_CROSS, 0, &seen), 0);
	assert_true(address_equal(&alice->stray_from, &net.ways[3]));
	assert_int_equal(ask(alice, 0, SIGHT_PORT, 4711, &seen), 0);
	assert_true(address_equal(&alice->stray_from, &net.ways[3]));
	assert_int_not_equal(ask(alice, 3, SIGHT_PLAIN, 0, &seen), 0);
	server_status(net.server, &status);
	assert_int_equal(status.sights, 4);
}

static void who_comes_is_told_where_to_ask(void **state)
{
	(void)state;
	open_ways();
	small_client_hang_up(alice);
	small_client_dial(alice, LINK_IK);
	assert_true(small_client_hears(alice, WIRE_WELCOME, &m));
	assert_int_equal(m.welcome.sight_count, 2);
	assert_true(address_equal(&m.welcome.sights[0], &net.ways[0]));
	assert_true(address_equal(&m.welcome.sights[1], &net.ways[1]));
}

static void whoever_asks_too_often_is_not_answered(void **state)
{
	struct address seen;
	unsigned answered = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		answered += ask(alice, 0, SIGHT_PLAIN, 0, &seen) == 0;
	/* a millisecond each: the burst, and what has come back meanwhile */
	assert_in_range(answered, 400, 460);
	assert_int_equal(ask(bob, 0, SIGHT_PLAIN, 0, &seen), 0);
	small_net_run(&net, SECOND);
	assert_int_equal(ask(alice, 0, SIGHT_PLAIN, 0, &seen), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(who_consents_is_told_with_all_addresses),
		ROW(who_relays_only_is_told_without_any),
		ROW(who_never_wants_is_told_to_be_there_and_no_more),
		ROW(another_consent_counts_at_once),
		ROW(consent_needs_no_room_in_a_list),
		ROW(the_least_of_all_sessions_counts),
		ROW(own_devices_have_each_other_s_addresses),
		ROW(an_older_publication_is_not_told),
		ROW(who_publishes_for_another_device_is_put_out),
		ROW(addresses_in_what_should_have_none_are_refused),
		ROW(the_asker_is_dialled_and_both_know_the_round_trips),
		ROW(both_asking_at_once_are_introduced_once),
		ROW(another_address_is_worth_another_introduction),
		ROW(nobody_is_introduced_unless_both_consent),
		ROW(who_moves_is_told_and_so_are_contacts),
		ROW(who_reads_slowly_is_told_of_its_last_move),
		ROW(an_asker_is_told_how_it_is_seen),
		ROW(who_comes_is_told_where_to_ask),
		ROW(whoever_asks_too_often_is_not_answered),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
