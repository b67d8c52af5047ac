#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "peer/store.h"
#include "shared/error.h"
#include "tests/alices_contacts.h"

/* So many seconds later. */
static void step_at(int seconds)
{
	peer_step(&alice, (2 + seconds) * SECOND, 1700000001000 + 1000 * (wall_ms)seconds);
}

static void assert_trusted(const struct identity_public *key)
{
	struct contact c = get("bob");

	assert_memory_equal(&c.identity, key, sizeof *key);
}

static void assert_shown(const struct identity_public *key)
{
	struct contact c = get("bob");

	assert_memory_equal(&c.new_identity, key, sizeof *key);
}

static void ask(const struct peer *who)
{
	struct wire_asked asked = { .name = who->name, .identity = who->identity.public };

	contacts_asked(alice.rooms->contacts, &asked);
	step();
}

static void seen(const struct peer *who, bool is_online)
{
	peer_tell_presence(&alice, who, NULL, is_online);
	step();
}

static void whom_we_add_is_asked_until_they_show_up(void **state)
{
	(void)state;
	assert_int_equal(engine_add(alice.engine, "Bob", NULL, NULL), 0);
	assert_int_equal(get("bob").state, CONTACT_ASKED);
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), ERR_EXISTS);
	seen(&bob, true);
	assert_int_equal(get("bob").state, CONTACT_MUTUAL);
	assert_true(get("bob").is_online);
	assert_trusted(&bob.identity.public);
	seen(&bob, false);
	assert_false(get("bob").is_online);
	assert_int_equal(alice.counts[EVENT_PRESENCE], 2);
}

static void presence_of_somebody_not_listed_is_ignored(void **state)
{
	struct contact c;

	(void)state;
	seen(&bob, true);
	assert_int_equal(engine_contact(alice.engine, "bob", &c), ERR_NOT_FOUND);
	assert_int_equal(alice.counts[EVENT_PRESENCE], 0);
}

static void names_are_checked(void **state)
{
	(void)state;
	assert_int_equal(engine_add(alice.engine, "b", NULL, NULL), ERR_NAME);
	assert_int_equal(engine_add(alice.engine, "alice", NULL, NULL), ERR_REFUSED);
	assert_int_equal(engine_remove(alice.engine, "nobody"), ERR_NOT_FOUND);
}

static void a_request_is_told_once_and_accepted(void **state)
{
	(void)state;
	ask(&bob);
	ask(&bob);
	assert_int_equal(alice.counts[EVENT_REQUEST], 1);
	assert_int_equal(get("bob").state, CONTACT_REQUESTS);
	assert_int_equal(engine_accept(alice.engine, "bob"), 0);
	assert_int_equal(get("bob").state, CONTACT_MUTUAL);
	assert_int_equal(engine_accept(alice.engine, "bob"), ERR_STATE);
}

static void a_request_that_waits_is_not_told_again_for_another_greeting(void **state)
{
	struct wire_asked asked = { .name = bob.name, .identity = bob.identity.public };

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		char text[16];
		struct buf sealed = { 0 };

		snprintf(text, sizeof text, "hola %u", i);
		identity_seal(&alice.identity.public, bytes_text(text), &sealed);
		asked.greeting = buf_view(&sealed);
		contacts_asked(alice.rooms->contacts, &asked);
		step();
		buf_clear(&sealed);
	}
	assert_int_equal(alice.counts[EVENT_REQUEST], 1);
	assert_string_equal(get("bob").greeting, "hola 0");
}

/* A directory that lies may ask as often as it likes. */
static void asking_does_not_replace_a_key_that_was_trusted(void **state)
{
	struct peer other;

	(void)state;
	peer_make(&other, "bob");
	for (unsigned first = 0; first < 2; first++) {
		assert_int_equal(engine_add(alice.engine, "bob", &bob.identity.public, NULL),
				 0);
		assert_int_equal(engine_remove(alice.engine, "bob"), 0);
		ask(first ? &bob : &other);
		ask(&other);
		assert_true(get("bob").is_key_changed);
		assert_trusted(&bob.identity.public);
		assert_shown(&other.identity.public);
		assert_int_equal(alice.counts[EVENT_KEY_CHANGED], first + 1);
		assert_int_equal(engine_remove(alice.engine, "bob"), 0);
	}
	peer_remove(&other);
}

static void a_contact_s_key_does_not_count_under_another_name(void **state)
{
	struct peer carol = bob;

	(void)state;
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), 0);
	seen(&bob, true);
	carol.name = name_of("aaa");
	assert_int_equal(engine_add(alice.engine, "aaa", NULL, NULL), 0);
	seen(&carol, true);
	assert_false(get("aaa").has_identity);
	assert_false(get("aaa").is_online);
	assert_int_equal(engine_remove(alice.engine, "aaa"), 0);
	ask(&carol);
	assert_int_equal(alice.counts[EVENT_REQUEST], 0);
	assert_int_equal(engine_add(alice.engine, "aaa", &bob.identity.public, NULL),
			 ERR_REFUSED);
	/* A blocked person does not come back under another name. */
	assert_int_equal(engine_block(alice.engine, "bob"), 0);
	ask(&carol);
	assert_int_equal(alice.counts[EVENT_REQUEST], 0);
}

static void a_contact_s_new_key_is_not_that_of_another(void **state)
{
	struct peer dora, swapped;

	(void)state;
	peer_make(&dora, "dora");
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), 0);
	assert_int_equal(engine_add(alice.engine, "dora", NULL, NULL), 0);
	seen(&bob, true);
	seen(&dora, true);
	swapped = dora;
	swapped.name = bob.name;
	seen(&swapped, true);
	assert_true(get("bob").is_key_changed);
	assert_int_equal(engine_accept(alice.engine, "bob"), ERR_REFUSED);
	assert_trusted(&bob.identity.public);
	peer_remove(&dora);
}

static void a_forged_certificate_shows_nobody(void **state)
{
	struct peer forged = bob;

	(void)state;
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), 0);
	forged.certificate.signature[5] ^= 1;
	forged.devices.signature[5] ^= 1;
	seen(&forged, true);
	assert_false(get("bob").is_online);
	assert_false(get("bob").has_identity);
}

static void an_expired_certificate_shows_nobody(void **state)
{
	struct peer old = bob;

	(void)state;
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), 0);
	certificate_make(&old.certificate, &bob.identity, &bob.device.public, "old", 1, 1000);
	seen(&old, true);
	assert_false(get("bob").is_online);
}

static void another_identity_is_told_once_and_shuts_the_door(void **state)
{
	struct peer other;

	(void)state;
	peer_make(&other, "bob");
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), 0);
	seen(&bob, true);
	assert_true(person_is_open(peer_person(&alice, "bob")));
	seen(&other, true);
	seen(&other, true);
	assert_int_equal(alice.counts[EVENT_KEY_CHANGED], 1);
	assert_true(get("bob").is_key_changed);
	assert_trusted(&bob.identity.public);
	assert_shown(&other.identity.public);
	assert_false(person_is_open(peer_person(&alice, "bob")));
	assert_false(peer_person(&alice, "bob")->is_admitted);
	assert_int_equal(engine_accept(alice.engine, "bob"), 0);
	assert_trusted(&other.identity.public);
	assert_true(person_is_open(peer_person(&alice, "bob")));
	peer_remove(&other);
}

static void a_flood_of_keys_is_told_once_a_minute(void **state)
{
	struct peer others[3];

	(void)state;
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), 0);
	seen(&bob, true);
	for (unsigned i = 0; i < 3; i++) {
		peer_make(&others[i], "bob");
		seen(&others[i], true);
		ask(&others[i]);
	}
	assert_int_equal(alice.counts[EVENT_KEY_CHANGED], 1);
	assert_shown(&others[0].identity.public);
	peer_step(&alice, 63 * SECOND, 1700000062000);
	peer_tell_presence(&alice, &others[2], NULL, true);
	peer_step(&alice, 64 * SECOND, 1700000063000);
	assert_int_equal(alice.counts[EVENT_KEY_CHANGED], 2);
	assert_shown(&others[2].identity.public);
	for (unsigned i = 0; i < 3; i++)
		peer_remove(&others[i]);
}

/* It is said once: with the whole list the directory is asked again. */
static void who_was_shown_in_a_step_that_could_not_be_stored_is_asked_for_again(void **state)
{
	(void)state;
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), 0);
	assert_false(contacts_take_turn(alice.rooms->contacts));
	for (int i = 0; i < 2; i++) {
		/* Not at once: the disk may be full for long. */
		peer_tell_presence(&alice, &bob, NULL, true);
		store_failed(alice.rooms->store, ERR_FULL);
		step_at(3 * i);
		assert_int_equal(get("bob").state, CONTACT_ASKED);
		step_at(3 * i + 1);
		assert_false(contacts_take_turn(alice.rooms->contacts));
		step_at(3 * i + 2);
		assert_true(contacts_take_turn(alice.rooms->contacts));
	}
	peer_tell_presence(&alice, &bob, NULL, true);
	step_at(7);
	assert_int_equal(get("bob").state, CONTACT_MUTUAL);
	assert_int_equal(alice.counts[EVENT_PRESENCE], 1);
	step_at(20);
	assert_false(contacts_take_turn(alice.rooms->contacts));
}

/* Told once in a login. */
static void who_asked_in_a_step_that_could_not_be_stored_is_heard_again(void **state)
{
	struct contact c;

	(void)state;
	for (int i = 0; i < 2; i++) {
		store_failed(alice.rooms->store, ERR_FULL);
		if (i == 0)
			ask(&bob);
		else
			step_at(3);
		assert_int_equal(engine_contact(alice.engine, "bob", &c), ERR_NOT_FOUND);
	}
	/* What is stored meanwhile changes nothing of it. */
	assert_int_equal(engine_add(alice.engine, "eve", NULL, NULL), 0);
	step_at(4);
	assert_int_equal(engine_contact(alice.engine, "bob", &c), ERR_NOT_FOUND);
	step_at(6);
	assert_int_equal(get("bob").state, CONTACT_REQUESTS);
	assert_int_equal(alice.counts[EVENT_REQUEST], 1);
	assert_int_equal(engine_remove(alice.engine, "bob"), 0);
	step_at(20);
	assert_int_equal(engine_contact(alice.engine, "bob", &c), ERR_NOT_FOUND);
}

/* The directory, which has heard of nothing, would not show them anew. */
static void who_was_blocked_in_a_step_that_could_not_be_stored_is_still_seen(void **state)
{
	(void)state;
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), 0);
	seen(&bob, true);
	store_failed(alice.rooms->store, ERR_FULL);
	assert_int_equal(engine_block(alice.engine, "bob"), ERR_FULL);
	step();
	assert_int_equal(get("bob").state, CONTACT_MUTUAL);
	assert_true(get("bob").is_online);
	assert_int_equal(alice.counts[EVENT_PRESENCE], 1);

	assert_int_equal(engine_block(alice.engine, "bob"), 0);
	assert_false(get("bob").is_online);
	step();
	assert_int_equal(alice.counts[EVENT_PRESENCE], 2);
}

static void a_link_pins_the_key_before_they_are_seen(void **state)
{
	struct peer other;

	(void)state;
	peer_make(&other, "bob");
	assert_int_equal(engine_add(alice.engine, "bob", &bob.identity.public, "hola"), 0);
	seen(&other, true);
	assert_int_equal(alice.counts[EVENT_KEY_CHANGED], 1);
	assert_trusted(&bob.identity.public);
	peer_remove(&other);
}

static void blocking_forgets_where_they_are_and_changes_the_knock(void **state)
{
	struct knock before;
	struct statement *s;

	(void)state;
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), 0);
	seen(&bob, true);
	before = alice.knock;
	assert_int_equal(engine_block(alice.engine, "bob"), 0);
	step();
	assert_int_equal(get("bob").state, CONTACT_BLOCKED);
	assert_false(get("bob").is_online);
	assert_false(peer_person(&alice, "bob")->is_admitted);
	s = db_sql(store_db(alice.rooms->store), "SELECT knock FROM account");
	assert_int_equal(db_step(s), 1);
	assert_memory_not_equal(column_bytes(s, 0).data, before.bytes, sizeof before.bytes);
	db_done(s);
	ask(&bob);
	assert_int_equal(alice.counts[EVENT_REQUEST], 0);
	seen(&bob, true);
	assert_false(get("bob").is_online);
}

static void what_was_not_repeated_after_a_reconnect_is_swept(void **state)
{
	(void)state;
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), 0);
	seen(&bob, true);
	contacts_stale(alice.rooms->contacts);
	seen(&bob, true);
	contacts_sweep(alice.rooms->contacts);
	assert_true(get("bob").is_online);
	contacts_stale(alice.rooms->contacts);
	contacts_sweep(alice.rooms->contacts);
	assert_false(get("bob").is_online);
}

static void contacts_survive_a_restart_in_order_of_names(void **state)
{
	struct contact c;

	(void)state;
	assert_int_equal(engine_add(alice.engine, "zoe", NULL, NULL), 0);
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), 0);
	assert_int_equal(engine_add(alice.engine, "mia", NULL, NULL), 0);
	assert_int_equal(engine_remove(alice.engine, "mia"), 0);
	peer_close(&alice);
	peer_open(&alice, SECOND, 1700000000000);
	assert_int_equal(engine_contact_at(alice.engine, 0, &c), 0);
	assert_string_equal(c.name.text, "bob");
	assert_int_equal(engine_contact_at(alice.engine, 1, &c), 0);
	assert_string_equal(c.name.text, "zoe");
	assert_int_equal(engine_contact_at(alice.engine, 2, &c), ERR_NOT_FOUND);
}

static void a_failed_commit_leaves_no_contact_behind(void **state)
{
	struct contact c;

	(void)state;
	store_failed(alice.rooms->store, ERR_FULL);
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), ERR_FULL);
	assert_int_equal(engine_contact(alice.engine, "bob", &c), ERR_NOT_FOUND);
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), 0);
	assert_int_equal(engine_contact(alice.engine, "bob", &c), 0);
}

static void requests_are_bounded(void **state)
{
	struct wire_asked asked = { .identity = bob.identity.public };

	(void)state;
	for (unsigned i = 0; i < CONTACTS_REQUESTS_MAX + 50; i++) {
		char text[16];

		snprintf(text, sizeof text, "user%u", i);
		asked.name = name_of(text);
		contacts_asked(alice.rooms->contacts, &asked);
	}
	step();
	assert_int_equal(alice.counts[EVENT_REQUEST], CONTACTS_REQUESTS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTACTS(whom_we_add_is_asked_until_they_show_up),
		CONTACTS(presence_of_somebody_not_listed_is_ignored),
		CONTACTS(names_are_checked),
		CONTACTS(a_request_is_told_once_and_accepted),
		CONTACTS(a_request_that_waits_is_not_told_again_for_another_greeting),
		CONTACTS(asking_does_not_replace_a_key_that_was_trusted),
		CONTACTS(a_contact_s_key_does_not_count_under_another_name),
		CONTACTS(a_contact_s_new_key_is_not_that_of_another),
		CONTACTS(a_forged_certificate_shows_nobody),
		CONTACTS(an_expired_certificate_shows_nobody),
		CONTACTS(another_identity_is_told_once_and_shuts_the_door),
		CONTACTS(a_flood_of_keys_is_told_once_a_minute),
		CONTACTS(who_was_shown_in_a_step_that_could_not_be_stored_is_asked_for_again),
		CONTACTS(who_asked_in_a_step_that_could_not_be_stored_is_heard_again),
		CONTACTS(who_was_blocked_in_a_step_that_could_not_be_stored_is_still_seen),
		CONTACTS(a_link_pins_the_key_before_they_are_seen),
		CONTACTS(blocking_forgets_where_they_are_and_changes_the_knock),
		CONTACTS(what_was_not_repeated_after_a_reconnect_is_swept),
		CONTACTS(contacts_survive_a_restart_in_order_of_names),
		CONTACTS(a_failed_commit_leaves_no_contact_behind),
		CONTACTS(requests_are_bounded),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
