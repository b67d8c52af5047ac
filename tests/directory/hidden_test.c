/* Who is hidden from somebody hears of them, and they of nothing: to them all is as if nobody of
 * the account were there. The directory as a whole, with small clients. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "shared/error.h"
#include "shared/frame.h"
#include "tests/small_client.h"

static struct small_net net;
static struct small_client *alice, *second, *bob, *other;
static struct wire_message m;

static const struct server_config open_to_all = { .registration = REGISTRATION_OPEN };

static int begin(void **state)
{
	(void)state;
	small_net_begin(&net, &open_to_all);
	alice = small_client_online(&net, "alice");
	second = small_client_sibling(alice);
	bob = small_client_online(&net, "bob");
	other = small_client_sibling(bob);
	return 0;
}

static int end(void **state)
{
	(void)state;
	small_net_end(&net);
	return 0;
}

static void forget(void)
{
	buf_clear(&alice->inbox);
	buf_clear(&bob->inbox);
}

static void make_contacts(enum consent by_alice)
{
	small_client_list(alice, NULL);
	small_client_list(bob, NULL);
	small_client_consent(alice, "bob", by_alice);
	small_client_consent(bob, "alice", CONSENT_DIRECT);
	small_net_run(&net, SECOND);
	forget();
}

static void introduce(struct small_client *asker, const char *name)
{
	struct wire_message say = { .type = WIRE_INTRODUCE };

	name_parse(&say.introduce.name, bytes_text(name));
	small_client_say(asker, &say);
	small_net_run(&net, SECOND);
}

static void suspect(struct small_client *asker, const struct small_client *whom)
{
	struct wire_message say = { .type = WIRE_SUSPECT };

	say.suspect.name = whom->name;
	say.suspect.device = whom->device.public;
	small_client_say(asker, &say);
	small_net_run(&net, SECOND);
}

static void remove_from_list(struct small_client *c, const char *name)
{
	struct wire_message say = { .type = WIRE_LIST_REMOVE };

	name_parse(&say.list_remove.name, bytes_text(name));
	small_client_say(c, &say);
	small_net_run(&net, SECOND);
}

static void come(struct small_client *c, enum consent to_bob)
{
	assert_int_equal(small_client_come(c), 0);
	small_client_consent(c, "bob", to_bob);
	small_client_publish(c);
	small_net_run(&net, SECOND);
}

/* All that it was told, as types and sizes, and is forgotten. */
static void listen(struct small_client *c, char *out, size_t size)
{
	struct bytes left = buf_view(&c->inbox), contents;
	size_t total, length = 0;

	out[0] = '\0';
	while (left.size > 0 && frame_take(left, &contents, &total) == 1 && length < size) {
		assert_int_equal(wire_decode(&m, contents, WIRE_FROM_DIRECTORY), 0);
		length += snprintf(out + length, size - length, "%s %zu, ", wire_name(m.type),
				   total);
		left = bytes_of(left.data + total, left.size - total);
	}
	buf_clear(&c->inbox);
}

static void who_is_hidden_hears_and_is_not_heard_of(void **state)
{
	(void)state;
	small_client_list(alice, NULL);
	small_client_list(bob, NULL);
	forget();
	small_client_consent(alice, "bob", CONSENT_HIDDEN);
	small_client_consent(bob, "alice", CONSENT_DIRECT);
	small_client_publish(alice);
	small_client_publish(bob);
	assert_true(small_client_hears(alice, WIRE_PRESENCE, &m));
	assert_int_equal(m.presence.device_count, 1);
	assert_true(address_equal(&m.presence.online[0].seen, &bob->address));
	assert_false(small_client_hears(bob, WIRE_PRESENCE, &m));
	small_client_hang_up(bob);
	while (small_client_hears(alice, WIRE_PRESENCE, &m))
		;
	assert_int_equal(m.presence.device_count, 0);
}

static void hiding_sounds_like_leaving_and_showing_like_coming(void **state)
{
	char hid[256], left[256], showed[256], came[256];

	(void)state;
	make_contacts(CONSENT_DIRECT);
	small_client_consent(alice, "bob", CONSENT_HIDDEN);
	listen(bob, hid, sizeof hid);
	small_client_consent(alice, "bob", CONSENT_DIRECT);
	listen(bob, showed, sizeof showed);
	small_client_hang_up(alice);
	small_net_run(&net, SECOND);
	listen(bob, left, sizeof left);
	assert_int_equal(small_client_come(alice), 0);
	small_client_publish(alice);
	small_client_consent(alice, "bob", CONSENT_DIRECT);
	listen(bob, came, sizeof came);
	assert_string_equal(hid, left);
	assert_string_equal(showed, came);
	assert_true(strstr(came, "PRESENCE"));
}

/* Whatever bob tries, and whatever alice does who is not to be seen. */
static void try_all(bool is_there, char *out, size_t size)
{
	static const enum consent consents[] = { CONSENT_RELAY, CONSENT_NEVER, CONSENT_HIDDEN,
						 CONSENT_DIRECT };
	size_t length;

	make_contacts(CONSENT_DIRECT);
	assert_int_equal(small_client_login(second, "password"), 0);
	if (is_there)
		small_client_consent(alice, "bob", CONSENT_HIDDEN);
	else
		small_client_hang_up(alice);
	small_net_run(&net, 10 * SECOND);
	while (small_client_hears(bob, WIRE_PRESENCE, &m))
		;
	assert_int_equal(m.presence.device_count, 0);
	forget();
	for (unsigned i = 0; i < 4; i++) {
		introduce(bob, "alice");
		suspect(bob, alice);
		small_client_consent(bob, "alice", consents[i]);
		remove_from_list(bob, "alice");
		small_client_consent(bob, "alice", CONSENT_DIRECT);
		if (is_there && i % 2 == 0) {
			small_client_publish(alice);
			small_client_move(alice);
			come(second, CONSENT_HIDDEN);
		} else if (is_there) {
			small_client_hang_up(second);
			remove_from_list(alice, "bob");
			small_client_consent(alice, "bob", CONSENT_HIDDEN);
		}
		small_net_run(&net, 10 * SECOND);
	}
	assert_int_equal(small_client_login(other, "password"), 0);
	assert_int_equal(small_client_come(other), 0);
	small_client_publish(other);
	small_client_list(other, "alice", NULL);
	small_net_run(&net, SECOND);
	listen(bob, out, size);
	listen(other, out + strlen(out), size - strlen(out));
	small_client_hang_up(bob);
	assert_int_equal(small_client_come(bob), 0);
	small_client_publish(bob);
	small_client_list(bob, "alice", NULL);
	small_client_list(bob, "alice", NULL);
	small_net_run(&net, 10 * SECOND);
	length = strlen(out);
	listen(bob, out + length, size - length);
}

static void nothing_tells_who_is_hidden_from_who_is_not_there(void **state)
{
	char there[4096], away[4096];

	try_all(true, there, sizeof there);
	assert_false(small_client_hears(alice, WIRE_CHECK, &m));
	assert_false(small_client_hears(alice, WIRE_INTRODUCTION, &m));
	end(state);
	begin(state);
	try_all(false, away, sizeof away);
	assert_string_equal(there, away);
}

static void one_session_that_hides_hides_all(void **state)
{
	(void)state;
	make_contacts(CONSENT_DIRECT);
	assert_int_equal(small_client_login(second, "password"), 0);
	come(second, CONSENT_HIDDEN);
	while (small_client_hears(bob, WIRE_PRESENCE, &m))
		;
	assert_int_equal(m.presence.device_count, 0);
	small_client_publish(alice);
	assert_false(small_client_hears(bob, WIRE_PRESENCE, &m));
	small_client_consent(second, "bob", CONSENT_DIRECT);
	assert_true(small_client_hears(bob, WIRE_PRESENCE, &m));
	assert_int_equal(m.presence.device_count, 2);
}

static void who_is_hidden_asks_nobody_until_it_shows_itself(void **state)
{
	(void)state;
	small_client_list(alice, NULL);
	small_client_list(bob, NULL);
	forget();
	small_client_consent(alice, "bob", CONSENT_HIDDEN);
	small_client_list(bob, NULL);
	small_client_hang_up(bob);
	assert_int_equal(small_client_come(bob), 0);
	small_client_list(bob, NULL);
	small_net_run(&net, SECOND);
	assert_false(small_client_hears(bob, WIRE_ASKED, &m));
	small_client_consent(alice, "bob", CONSENT_DIRECT);
	assert_true(small_client_hears(bob, WIRE_ASKED, &m));
	small_client_consent(alice, "bob", CONSENT_HIDDEN);
	small_client_consent(alice, "bob", CONSENT_DIRECT);
	assert_false(small_client_hears(bob, WIRE_ASKED, &m));
}

/* To who is asked for, and so that both can meet; to the other that is all there is. */
static void who_is_hidden_and_asks_for_an_introduction_shows_itself_that_once(void **state)
{
	(void)state;
	make_contacts(CONSENT_HIDDEN);
	introduce(alice, "bob");
	assert_true(small_client_hears(alice, WIRE_INTRODUCTION, &m));
	assert_true(small_client_hears(bob, WIRE_INTRODUCTION, &m));
	assert_true(m.introduction.is_dialler);
	assert_true(name_equal(&m.introduction.name, &alice->name));
	assert_int_equal(m.introduction.device.record.candidates.count, 1);
	introduce(bob, "alice");
	assert_false(small_client_hears(bob, WIRE_INTRODUCTION, &m));
	assert_false(small_client_hears(bob, WIRE_PRESENCE, &m));
}

static void who_is_hidden_is_not_introduced_where_another_session_gives_less(void **state)
{
	(void)state;
	make_contacts(CONSENT_HIDDEN);
	assert_int_equal(small_client_login(second, "password"), 0);
	come(second, CONSENT_RELAY);
	forget();
	introduce(alice, "bob");
	assert_false(small_client_hears(bob, WIRE_INTRODUCTION, &m));
	small_client_consent(bob, "alice", CONSENT_HIDDEN);
	small_client_consent(second, "bob", CONSENT_DIRECT);
	introduce(alice, "bob");
	assert_false(small_client_hears(bob, WIRE_INTRODUCTION, &m));
	assert_false(small_client_hears(alice, WIRE_INTRODUCTION, &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(who_is_hidden_hears_and_is_not_heard_of),
		ROW(hiding_sounds_like_leaving_and_showing_like_coming),
		ROW(nothing_tells_who_is_hidden_from_who_is_not_there),
		ROW(one_session_that_hides_hides_all),
		ROW(who_is_hidden_asks_nobody_until_it_shows_itself),
		ROW(who_is_hidden_and_asks_for_an_introduction_shows_itself_that_once),
		ROW(who_is_hidden_is_not_introduced_where_another_session_gives_less),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
