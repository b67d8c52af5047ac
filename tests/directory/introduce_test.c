#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "directory/introduce.h"

static const uint8_t key[16] = { 1 };
static struct introductions *all;
static struct names *names;
static struct presence *presence;
static struct watchers *watchers;
static name_id alice, bob;
static struct record *phone, *desk, *bobs; /* two devices of alice, one of bob */
static mono_ns now = 1000 * SECOND;

static name_id hold(const char *text)
{
	struct name name;

	name_parse(&name, bytes_text(text));
	return names_hold(names, &name);
}

/* Its user is its round trip. */
static struct record *enter(name_id account, uint8_t device, mono_ns *round_trip)
{
	struct certificate c = { .device = { { device } } };
	struct peer_record open = { .device = c.device, .number = 1 };
	struct address seen = { .family = 4, .port = 1, .ip = { 10, 0, 0, device } };
	struct record *r = presence_enter(presence, account, &c, round_trip);

	presence_observed(r, &seen);
	assert_int_equal(presence_publish(r, &open, &open), 0);
	return r;
}

static int begin(void **state)
{
	static mono_ns round_trips[] = { 10 * MILLISECOND, 20 * MILLISECOND, 3 };
	static const struct bytes none;

	(void)state;
	all = introductions_new(key);
	names = names_new(key);
	presence = presence_new();
	watchers = watchers_new(names);
	alice = hold("alice");
	bob = hold("bob");
	phone = enter(alice, 1, &round_trips[0]);
	desk = enter(alice, 2, &round_trips[1]);
	bobs = enter(bob, 3, &round_trips[2]);
	watchers_add(watchers, alice, 0, bob, CONSENT_DIRECT, none);
	watchers_add(watchers, bob, 0, alice, CONSENT_DIRECT, none);
	return 0;
}

static int end(void **state)
{
	(void)state;
	introductions_free(all);
	watchers_free(watchers);
	presence_free(presence);
	names_free(names);
	return 0;
}

static mono_ns round_trip(void *user, const struct record *of)
{
	(void)user;
	return *(mono_ns *)record_user(of);
}

static struct wire_introduction told[8];
static struct record *to[8];
static unsigned count;

static void tell(void *user, struct record *who, const struct wire_message *m)
{
	(void)user;
	assert_true(count < 8);
	to[count] = who;
	told[count++] = m->introduction;
}

static unsigned ask(struct record *asker, const char *whom)
{
	const struct introduce_calls calls = { round_trip, tell, NULL };
	struct name name;

	count = 0;
	name_parse(&name, bytes_text(whom));
	return introduce(all, names, presence, watchers, asker == bobs ? bob : alice, asker,
			 &name, &calls, now);
}

static void each_device_hears_its_own_round_trip_and_the_other_s(void **state)
{
	(void)state;
	assert_int_equal(ask(bobs, "alice"), 2);
	assert_int_equal(count, 4);
	for (unsigned i = 0; i < 4; i++) {
		bool is_dialler = to[i] != bobs;
		struct record *other = is_dialler ? to[i] : to[i + 1];
		uint32_t others = other == phone ? 10000 : 20000;

		/* nanoseconds are rounded down */
		assert_int_equal(told[i].is_dialler, is_dialler);
		assert_int_equal(told[i].our_round_trip, is_dialler ? others : 0);
		assert_int_equal(told[i].their_round_trip, is_dialler ? 0 : others);
		assert_string_equal(told[i].name.text, is_dialler ? "bob" : "alice");
		assert_int_equal(told[i].device.seen.ip[3],
				 is_dialler ? 3 : record_seen(other)->ip[3]);
	}
}

static void a_pair_is_introduced_again_after_a_while(void **state)
{
	(void)state;
	assert_int_equal(ask(phone, "bob"), 1);
	assert_int_equal(ask(bobs, "alice"), 1); /* with the other device only */
	assert_int_equal(ask(phone, "bob"), 0);
	now += INTRODUCE_AGAIN - 1;
	assert_int_equal(ask(bobs, "alice"), 0);
	now++;
	assert_int_equal(ask(bobs, "alice"), 2);
	assert_int_equal(ask(phone, "bob"), 0);
}

static void whose_address_changed_is_introduced_at_once(void **state)
{
	struct peer_record newer = { .device = { { 1 } }, .number = 2 };
	struct address seen = *record_seen(bobs);

	(void)state;
	assert_int_equal(ask(phone, "bob"), 1);
	seen.port++;
	presence_observed(bobs, &seen);
	assert_int_equal(ask(phone, "bob"), 1);
	assert_int_equal(told[0].device.seen.port, seen.port);
	assert_int_equal(presence_publish(phone, &newer, &newer), 0);
	assert_int_equal(ask(phone, "bob"), 1);
	assert_int_equal(ask(phone, "bob"), 0);
}

/* What its session before was told is lost, and whoever waits for it asks at once. */
static void who_comes_back_is_introduced_at_once(void **state)
{
	static mono_ns trip;

	(void)state;
	assert_int_equal(ask(phone, "bob"), 1);
	presence_leave(presence, bobs);
	assert_int_equal(ask(phone, "bob"), 0);
	bobs = enter(bob, 3, &trip);
	assert_int_equal(ask(phone, "bob"), 1);
	assert_ptr_equal(to[1], bobs);
	assert_int_equal(ask(phone, "bob"), 0);
}

static void our_own_devices_are_introduced_but_none_to_itself(void **state)
{
	(void)state;
	assert_int_equal(ask(phone, "alice"), 1);
	assert_ptr_equal(to[0], phone);
	assert_ptr_equal(to[1], desk);
	assert_int_equal(ask(desk, "alice"), 0);
}

static void who_has_not_published_is_introduced_to_nobody(void **state)
{
	struct certificate c = { .device = { { 9 } } };
	struct record *fresh = presence_enter(presence, alice, &c, NULL);

	(void)state;
	assert_int_equal(ask(fresh, "bob"), 0);
	assert_int_equal(ask(bobs, "alice"), 2);
	assert_int_equal(ask(phone, "nobody"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(each_device_hears_its_own_round_trip_and_the_other_s),
		ROW(a_pair_is_introduced_again_after_a_while),
		ROW(whose_address_changed_is_introduced_at_once),
		ROW(who_comes_back_is_introduced_at_once),
		ROW(our_own_devices_are_introduced_but_none_to_itself),
		ROW(who_has_not_published_is_introduced_to_nobody),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
