#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "directory/admin.h"
#include "shared/error.h"
#include "shared/frame.h"
#include "shared/key_query.h"
#include "tests/small_client.h"

static struct small_net net;
static struct wire_message m;

static const struct server_config open_to_all = { .registration = REGISTRATION_OPEN };

static int begin(void **state)
{
	(void)state;
	small_net_begin(&net, &open_to_all);
	return 0;
}

static int end(void **state)
{
	(void)state;
	small_net_end(&net);
	return 0;
}

static struct server_status status(void)
{
	struct server_status s;

	server_status(net.server, &s);
	return s;
}

static void say_name(struct small_client *c, enum wire_type type, const char *name)
{
	struct wire_message say = { .type = type };

	/* the three have the name first */
	if (type == WIRE_LIST_ADD)
		name_parse(&say.list_add.name, bytes_text(name));
	else if (type == WIRE_LIST_REMOVE)
		name_parse(&say.list_remove.name, bytes_text(name));
	else
		name_parse(&say.introduce.name, bytes_text(name));
	small_client_say(c, &say);
	small_net_run(&net, 10 * MILLISECOND);
}

static bool is_silent(struct small_client *c, enum wire_type type)
{
	return !small_client_hears(c, type, &m);
}

static void who_registers_can_come_with_the_device_key(void **state)
{
	struct small_client *alice = small_client_new(&net, "alice");

	(void)state;
	assert_int_equal(small_client_register(alice, "secret", NULL), 0);
	assert_false(server_is_online(net.server, "alice"));
	small_client_dial(alice, LINK_IK);
	assert_true(small_client_hears(alice, WIRE_WELCOME, &m));
	assert_string_equal(m.welcome.name.text, "alice");
	assert_true(address_equal(&m.welcome.observed, &alice->address));
	assert_true(m.welcome.now >= 1700000000000);
	assert_true(server_is_online(net.server, "alice"));
	assert_int_equal(status().registrations, 1);
}

static void an_unknown_device_is_refused(void **state)
{
	struct small_client *eve = small_client_new(&net, "eve");

	(void)state;
	assert_int_equal(small_client_come(eve), ERR_TIMEOUT);
	assert_null(eve->link);
	assert_int_equal(eve->down_code, LINK_CODE_UNKNOWN);
	assert_int_equal(status().online_devices, 0);
}

static void a_password_enrols_another_device(void **state)
{
	struct small_client *first = small_client_new(&net, "alice"), *second;

	(void)state;
	assert_int_equal(small_client_register(first, "secret", NULL), 0);
	second = small_client_sibling(first);
	assert_int_equal(small_client_come(second), ERR_TIMEOUT);
	assert_int_equal(small_client_login(second, "secret"), 0);
	assert_int_equal(small_client_come(second), 0);
	assert_int_equal(small_client_come(first), 0);
	assert_int_equal(status().online_devices, 2);
	assert_int_equal(status().online_accounts, 1);
}

static void every_failed_login_looks_alike(void **state)
{
	struct small_client *alice = small_client_new(&net, "alice");
	struct small_client *eve = small_client_new(&net, "alice");
	struct small_client *nobody = small_client_new(&net, "nobody");

	(void)state;
	assert_int_equal(small_client_register(alice, "secret", NULL), 0);
	assert_int_equal(small_client_login(small_client_sibling(alice), "wrong"), ERR_AUTH);
	assert_int_equal(small_client_login(nobody, "secret"), ERR_AUTH);
	/* the right password, but another identity */
	assert_int_equal(small_client_login(eve, "secret"), ERR_AUTH);
}

static void guesses_at_a_name_are_limited_and_success_gives_them_back(void **state)
{
	struct small_client *alice = small_client_new(&net, "alice");

	(void)state;
	assert_int_equal(small_client_register(alice, "secret", NULL), 0);
	for (int i = 0; i < 12; i++)
		assert_int_equal(small_client_login(alice, "secret"), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(small_client_login(alice, "wrong"), ERR_AUTH);
	assert_int_equal(small_client_login(alice, "secret"), ERR_BUSY);
	/* the enrolled device does not pass by there */
	assert_int_equal(small_client_come(alice), 0);
	small_client_hang_up(alice);
	small_net_run(&net, 150 * SECOND);
	assert_int_equal(small_client_login(alice, "secret"), 0);
}

static void a_taken_name_is_told(void **state)
{
	struct small_client *one = small_client_new(&net, "alice");
	struct small_client *two = small_client_new(&net, "alice");

	(void)state;
	assert_int_equal(small_client_register(one, "secret", NULL), 0);
	assert_int_equal(small_client_register(two, "secret", NULL), ERR_EXISTS);
}

static struct json *admin(const char *request)
{
	struct json *q, *answer;

	assert_int_equal(json_parse(&q, bytes_text(request)), 0);
	answer = admin_server(net.server, q);
	json_free(q);
	return answer;
}

static void an_invitation_works_once(void **state)
{
	static const struct server_config by_invite = { .has_place = true,
							.place = { "dir.example.org", 7272 } };
	struct json *answer;
	struct uri uri;

	(void)state;
	small_net_restart(&net, &by_invite);
	answer = admin("{\"command\":\"invite\"}");
	assert_int_equal(uri_parse(&uri, json_text(answer, "link")), 0);
	assert_int_equal(uri.kind, URI_INVITATION);
	json_free(answer);
	assert_int_equal(small_client_register(small_client_new(&net, "a1"), "p", NULL),
			 ERR_REFUSED);
	assert_int_equal(small_client_register(small_client_new(&net, "a2"), "p", "nonsense"),
			 ERR_REFUSED);
	assert_int_equal(small_client_register(small_client_new(&net, "a3"), "p", uri.code), 0);
	assert_int_equal(small_client_register(small_client_new(&net, "a4"), "p", uri.code),
			 ERR_EXPIRED);
}

static void contacts_hear_of_each_other_and_of_the_end(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *bob = small_client_online(&net, "bob");

	(void)state;
	small_client_list(alice, "bob", NULL);
	assert_true(is_silent(alice, WIRE_PRESENCE));
	small_client_list(bob, "alice", NULL);
	assert_true(small_client_hears(alice, WIRE_PRESENCE, &m));
	assert_string_equal(m.presence.name.text, "bob");
	assert_int_equal(m.presence.device_count, 1);
	assert_memory_equal(m.presence.online[0].certificate.identity.bytes,
			    bob->identity.public.bytes, 32);
	assert_int_equal(m.presence.online[0].record.knock.bytes[3], 7);
	/* the one published, and the one the directory sees */
	assert_int_equal(m.presence.online[0].record.candidates.count, 1);
	assert_true(address_equal(&m.presence.online[0].seen, &bob->address));
	assert_int_equal(
		peer_record_verify(&m.presence.online[0].record, &bob->identity.public), 0);
	assert_true(small_client_hears(bob, WIRE_PRESENCE, &m));
	assert_string_equal(m.presence.name.text, "alice");

	small_client_hang_up(bob);
	assert_true(small_client_hears(alice, WIRE_PRESENCE, &m));
	assert_string_equal(m.presence.name.text, "bob");
	assert_int_equal(m.presence.device_count, 0);
	assert_false(server_is_online(net.server, "bob"));
}

static void who_vanishes_is_missed_within_thirty_seconds(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *bob = small_client_online(&net, "bob");

	(void)state;
	small_client_list(alice, "bob", NULL);
	small_client_list(bob, "alice", NULL);
	assert_true(small_client_hears(alice, WIRE_PRESENCE, &m));
	bob->is_cut = true;
	small_net_run(&net, 30 * SECOND);
	assert_true(small_client_hears(alice, WIRE_PRESENCE, &m));
	assert_int_equal(m.presence.device_count, 0);
}

static void a_contact_that_suspects_is_answered_within_ten_seconds(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *bob = small_client_online(&net, "bob");
	struct wire_message say = { .type = WIRE_SUSPECT };

	(void)state;
	small_client_list(alice, "bob", NULL);
	small_client_list(bob, "alice", NULL);
	assert_true(small_client_hears(alice, WIRE_PRESENCE, &m));
	say.suspect.name = bob->name;
	say.suspect.device = bob->device.public;
	/* one who answers stays */
	small_client_say(alice, &say);
	small_net_run(&net, 8 * SECOND);
	assert_true(small_client_hears(bob, WIRE_CHECK, &m));
	assert_true(is_silent(alice, WIRE_PRESENCE));
	assert_true(server_is_online(net.server, "bob"));
	bob->is_cut = true;
	small_client_say(alice, &say);
	small_net_run(&net, 4 * SECOND);
	assert_true(small_client_hears(alice, WIRE_PRESENCE, &m));
	assert_int_equal(m.presence.device_count, 0);
}

static void a_stranger_can_suspect_nobody(void **state)
{
	struct small_client *eve = small_client_online(&net, "eve");
	struct small_client *bob = small_client_online(&net, "bob");
	struct wire_message say = { .type = WIRE_SUSPECT };

	(void)state;
	small_client_list(eve, "bob", NULL);
	say.suspect.name = bob->name;
	say.suspect.device = bob->device.public;
	bob->is_cut = true;
	small_client_say(eve, &say);
	small_net_run(&net, 6 * SECOND);
	assert_true(server_is_online(net.server, "bob"));
}

static void one_sided_listing_asks_once_for_each_login(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *bob = small_client_online(&net, "bob");

	(void)state;
	small_client_list(bob, NULL);
	small_client_list(alice, "bob", NULL);
	assert_true(small_client_hears(bob, WIRE_ASKED, &m));
	assert_string_equal(m.asked.name.text, "alice");
	assert_memory_equal(m.asked.identity.bytes, alice->identity.public.bytes, 32);
	assert_true(is_silent(bob, WIRE_ASKED));
	say_name(alice, WIRE_LIST_REMOVE, "bob");
	say_name(alice, WIRE_LIST_ADD, "bob");
	assert_true(is_silent(bob, WIRE_ASKED));

	small_client_hang_up(bob);
	assert_int_equal(small_client_come(bob), 0);
	small_client_list(bob, NULL);
	assert_true(small_client_hears(bob, WIRE_ASKED, &m));
	small_client_hang_up(alice);
	assert_int_equal(small_client_come(alice), 0);
	small_client_list(alice, "bob", NULL);
	assert_true(small_client_hears(bob, WIRE_ASKED, &m));
}

static void a_greeting_comes_with_the_question(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *bob = small_client_online(&net, "bob");
	struct wire_message say = { .type = WIRE_LIST_ADD };
	struct buf sealed = { 0 }, plain = { 0 };

	(void)state;
	small_client_list(bob, NULL);
	small_client_list(alice, NULL);
	identity_seal(&bob->identity.public, bytes_text("it's me"), &sealed);
	say.list_add.name = bob->name;
	say.list_add.greeting = buf_view(&sealed);
	small_client_say(alice, &say);
	small_net_run(&net, 10 * MILLISECOND);
	assert_true(small_client_hears(bob, WIRE_ASKED, &m));
	assert_int_equal(identity_open(&bob->identity, m.asked.greeting, &plain), 0);
	assert_memory_equal(plain.data, "it's me", 7);
	buf_clear(&sealed);
	buf_clear(&plain);
}

/* What alice hears must be the same bytes whether bob ignores her, is away or never was. */
static void asking_tells_nothing_about_the_other(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *bob = small_client_online(&net, "bob");

	(void)state;
	small_client_list(bob, NULL);
	small_net_run(&net, SECOND);
	buf_clear(&alice->inbox);
	small_client_list(alice, "bob", "nobody", NULL);
	say_name(alice, WIRE_INTRODUCE, "bob");
	say_name(alice, WIRE_INTRODUCE, "nobody");
	small_client_hang_up(bob);
	small_net_run(&net, SECOND);
	assert_int_equal(alice->inbox.size, 0);
}

static void an_introduction_reaches_both_sides_in_one_step(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *bob = small_client_online(&net, "bob");

	(void)state;
	small_client_list(alice, "bob", NULL);
	small_client_list(bob, "alice", NULL);
	say_name(alice, WIRE_INTRODUCE, "bob");
	assert_true(small_client_hears(alice, WIRE_INTRODUCTION, &m));
	assert_string_equal(m.introduction.name.text, "bob");
	assert_memory_equal(m.introduction.device.certificate.device.bytes,
			    bob->device.public.bytes, 32);
	assert_true(small_client_hears(bob, WIRE_INTRODUCTION, &m));
	assert_string_equal(m.introduction.name.text, "alice");
	assert_memory_equal(m.introduction.device.certificate.device.bytes,
			    alice->device.public.bytes, 32);
	assert_int_equal(status().introductions, 1);
}

static void removing_a_contact_ends_presence_on_both_sides(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *bob = small_client_online(&net, "bob");

	(void)state;
	small_client_list(alice, "bob", NULL);
	small_client_list(bob, "alice", NULL);
	small_client_hears(alice, WIRE_PRESENCE, &m);
	say_name(bob, WIRE_LIST_REMOVE, "alice");
	assert_true(small_client_hears(alice, WIRE_PRESENCE, &m));
	assert_int_equal(m.presence.device_count, 0);
	small_client_publish(bob);
	small_client_hang_up(bob);
	assert_true(is_silent(alice, WIRE_PRESENCE));
}

static void a_newer_link_of_a_device_takes_the_place_of_the_older(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *again = small_client_sibling(alice);
	struct endpoint_config config = { .policy = ENDPOINT_ADMITTED,
					  .idle_timeout = 29 * SECOND,
					  .keep_alive = NEVER };

	(void)state;
	/* the same device key at another address, as after a crash */
	again->device = alice->device;
	again->certificate = alice->certificate;
	endpoint_free(again->endpoint);
	config.device = alice->device;
	again->endpoint = endpoint_new(&config, net.now);
	endpoint_set_certificate(again->endpoint, &alice->certificate);
	assert_int_equal(small_client_come(again), 0);
	assert_null(alice->link);
	assert_int_equal(alice->down_code, LINK_CODE_REPLACED);
	assert_int_equal(status().online_devices, 1);
}

static void what_breaks_the_protocol_ends_the_link(void **state)
{
	static const uint8_t huge[] = { 0x7f, 0, 0, 0, 0 },
			     nonsense[] = { 0, 0, 0, 2, 0xc1, 1 };
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *bob = small_client_online(&net, "bob");
	struct small_client *carol = small_client_online(&net, "carol");
	struct small_client *guest = small_client_new(&net, "guest");
	struct wire_message say = { .type = WIRE_RESET };

	(void)state;
	link_write(alice->link, LINK_CONTROL, BYTES(huge), false);
	link_write(bob->link, LINK_CONTROL, BYTES(nonsense), false);
	say.reset.code = bytes_text("code");
	small_client_say(carol, &say); /* a guest's message from a client */
	small_client_dial(guest, LINK_NK);
	say_name(guest, WIRE_INTRODUCE, "alice"); /* and the reverse */
	small_net_run(&net, SECOND);
	assert_null(alice->link);
	assert_int_equal(alice->down_code, LINK_CODE_PROTOCOL);
	assert_null(bob->link);
	assert_null(carol->link);
	assert_null(guest->link);
	assert_int_equal(status().online_devices, 0);
}

static void one_who_floods_is_put_out(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");

	(void)state;
	for (int i = 0; i < 4000 && alice->link; i++)
		say_name(alice, WIRE_LIST_REMOVE, "bob");
	assert_null(alice->link);
	assert_int_equal(alice->down_code, LINK_CODE_PROTOCOL);
}

static void a_full_house_puts_out_the_oldest_guest_and_refuses_clients(void **state)
{
	static const struct server_config small = { .registration = REGISTRATION_OPEN,
						    .guests_max = 2,
						    .online_max = 1 };
	struct small_client *guests[3], *alice, *bob;

	(void)state;
	small_net_restart(&net, &small);
	alice = small_client_online(&net, "alice");
	bob = small_client_new(&net, "bob");
	assert_int_equal(small_client_register(bob, "p", NULL), 0);
	assert_int_equal(small_client_come(bob), ERR_TIMEOUT);
	assert_int_equal(bob->down_code, LINK_CODE_RESTART);
	assert_non_null(alice->link);
	for (int i = 0; i < 3; i++) {
		guests[i] = small_client_new(&net, "guest");
		small_client_dial(guests[i], LINK_NK);
	}
	assert_null(guests[0]->link);
	assert_non_null(guests[1]->link);
	assert_non_null(guests[2]->link);
}

static void who_flickers_in_a_contact_s_list_is_put_out(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice"),
			    *bob = small_client_online(&net, "bob");
	unsigned told = 0;

	(void)state;
	small_client_list(alice, "bob", NULL);
	small_client_list(bob, "alice", NULL);
	for (unsigned i = 0; i < 500 && bob->link; i++) {
		say_name(bob, WIRE_LIST_REMOVE, "alice");
		if (bob->link)
			say_name(bob, WIRE_LIST_ADD, "alice");
		while (small_client_hears(alice, WIRE_PRESENCE, &m))
			told++;
	}
	assert_null(bob->link);
	assert_int_equal(bob->down_code, LINK_CODE_PROTOCOL);
	assert_in_range(told, 20, 150);
	told = 0;
	assert_int_equal(small_client_come(bob), 0);
	for (unsigned i = 0; i < 500 && bob->link; i++) {
		struct wire_message say = { .type = WIRE_LIST };

		say.list.is_first = true;
		say.list.count = i % 2;
		say.list.list[0].name = alice->name;
		small_client_say(bob, &say);
		small_net_run(&net, 10 * MILLISECOND);
		while (small_client_hears(alice, WIRE_PRESENCE, &m))
			told++;
	}
	assert_null(bob->link);
	assert_in_range(told, 20, 150);
}

static void who_comes_and_goes_without_end_is_told_to_wait(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice"), *bob;
	unsigned asked = 0, came = 0;

	(void)state;
	small_client_list(alice, NULL);
	bob = small_client_new(&net, "bob");
	assert_int_equal(small_client_register(bob, "p", NULL), 0);
	for (unsigned i = 0; i < 200; i++) {
		if (small_client_come(bob) == 0) {
			came++;
			say_name(bob, WIRE_LIST_ADD, "alice");
			small_client_hang_up(bob);
		}
		small_net_run(&net, 20 * MILLISECOND);
		while (small_client_hears(alice, WIRE_ASKED, &m))
			asked++;
	}
	assert_in_range(came, 50, 100);
	assert_int_equal(asked, came);
	assert_int_equal(bob->down_code, LINK_CODE_RESTART);
	small_net_run(&net, 10 * SECOND);
	assert_int_equal(small_client_come(bob), 0);
}

static void a_guest_who_dawdles_is_shown_out(void **state)
{
	struct small_client *guest = small_client_new(&net, "guest");

	(void)state;
	small_client_dial(guest, LINK_NK);
	assert_non_null(guest->link);
	small_net_run(&net, 121 * SECOND);
	assert_null(guest->link);
}

static void publish_much(struct small_client *c)
{
	struct wire_message say = { .type = WIRE_PUBLISH };

	small_client_records(c, &say.publish);
	for (uint8_t i = 0; i < CANDIDATES_MAX; i++) {
		struct address a = { .family = 6,
				     .port = 5000,
				     .ip = { 0x20, 1, 0xd, 0xb8, i } };

		candidates_add(&say.publish.open.candidates, CANDIDATE_HOST, &a);
	}
	small_client_say(c, &say);
	small_net_run(&net, 5 * MILLISECOND);
}

/* Her stream is full: what is true is told when she reads again, once and nothing old. */
static void a_slow_reader_costs_nothing_and_hears_the_newest(void **state)
{
	enum { CHANGES = 1700 };
	struct small_client *alice = small_client_online(&net, "alice");
	struct small_client *bob = small_client_online(&net, "bob");
	struct small_client *carol = small_client_online(&net, "carol");
	unsigned notes = 0, bobs = 99, carols = 99;

	(void)state;
	small_client_list(alice, "bob", "carol", NULL);
	small_client_list(bob, "alice", NULL);
	small_client_list(carol, "alice", NULL);
	alice->is_deaf = true;
	for (int i = 0; i < CHANGES; i++) {
		publish_much(bob);
		publish_much(carol);
	}
	small_client_hang_up(bob);
	small_net_run(&net, SECOND);
	assert_non_null(alice->link);
	alice->is_deaf = false;
	for (int i = 0; i < 50; i++) {
		small_client_read(alice);
		small_net_run(&net, 100 * MILLISECOND);
	}
	while (small_client_hears(alice, WIRE_PRESENCE, &m)) {
		notes++;
		if (m.presence.name.text[0] == 'b')
			bobs = m.presence.device_count;
		else
			carols = m.presence.device_count;
	}
	assert_int_equal(bobs, 0);
	assert_int_equal(carols, 1);
	assert_true(notes < 2 * CHANGES);
}

static void the_key_is_told_to_who_asks_for_it(void **state)
{
	struct small_client *alice = small_client_new(&net, "alice");
	struct key_query_nonce nonce = { { 1, 2, 3 } };
	uint8_t query[KEY_QUERY_SIZE];
	struct device_public key;
	struct path path = { .remote = { .family = 4, .port = 7272, .ip = { 10, 255, 0, 1 } } };

	(void)state;
	key_query_encode(query, &nonce);
	endpoint_send_stray(alice->endpoint, &path, BYTES(query), 0);
	small_net_run(&net, MILLISECOND);
	assert_int_equal(key_answer_decode(&key, alice->stray, &nonce), 0);
	assert_true(device_public_equal(&key, server_key(net.server)));
}

static void everyone_is_told_of_a_restart(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");

	(void)state;
	server_goodbye(net.server, 30, net.now);
	small_net_run(&net, MILLISECOND);
	assert_null(alice->link);
	assert_int_equal(alice->down_code, LINK_CODE_RESTART);
	assert_true(small_client_hears(alice, WIRE_LEAVING, &m));
	assert_int_equal(m.leaving.retry_after, 30);
}

static void a_removed_account_is_put_out_and_stays_out(void **state)
{
	struct small_client *alice = small_client_online(&net, "alice");

	(void)state;
	json_free(admin("{\"command\":\"remove\",\"name\":\"alice\"}"));
	small_net_run(&net, MILLISECOND);
	assert_null(alice->link);
	assert_int_equal(small_client_come(alice), ERR_TIMEOUT);
}

static void the_ninth_device_takes_the_place_of_the_oldest(void **state)
{
	struct small_client *first = small_client_online(&net, "alice"), *next;

	(void)state;
	for (int i = 0; i < 8; i++) {
		next = small_client_sibling(first);
		assert_int_equal(small_client_login(next, "password"), 0);
		assert_int_equal(small_client_come(next), 0);
	}
	assert_null(first->link);
	assert_int_equal(status().online_devices, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(who_registers_can_come_with_the_device_key),
		ROW(an_unknown_device_is_refused),
		ROW(a_password_enrols_another_device),
		ROW(every_failed_login_looks_alike),
		ROW(guesses_at_a_name_are_limited_and_success_gives_them_back),
		ROW(a_taken_name_is_told),
		ROW(an_invitation_works_once),
		ROW(contacts_hear_of_each_other_and_of_the_end),
		ROW(who_vanishes_is_missed_within_thirty_seconds),
		ROW(a_contact_that_suspects_is_answered_within_ten_seconds),
		ROW(a_stranger_can_suspect_nobody),
		ROW(one_sided_listing_asks_once_for_each_login),
		ROW(a_greeting_comes_with_the_question),
		ROW(asking_tells_nothing_about_the_other),
		ROW(an_introduction_reaches_both_sides_in_one_step),
		ROW(removing_a_contact_ends_presence_on_both_sides),
		ROW(a_newer_link_of_a_device_takes_the_place_of_the_older),
		ROW(what_breaks_the_protocol_ends_the_link),
		ROW(one_who_floods_is_put_out),
		ROW(a_full_house_puts_out_the_oldest_guest_and_refuses_clients),
		ROW(who_flickers_in_a_contact_s_list_is_put_out),
		ROW(who_comes_and_goes_without_end_is_told_to_wait),
		ROW(a_guest_who_dawdles_is_shown_out),
		ROW(a_slow_reader_costs_nothing_and_hears_the_newest),
		ROW(the_key_is_told_to_who_asks_for_it),
		ROW(everyone_is_told_of_a_restart),
		ROW(a_removed_account_is_put_out_and_stays_out),
		ROW(the_ninth_device_takes_the_place_of_the_oldest),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
