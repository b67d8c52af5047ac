#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "directory/presence.h"
#include "shared/error.h"

static const struct certificate phone = { .device = { { 1 } }, .identity = { { 9 } } };
static const struct certificate desk = { .device = { { 2 } }, .identity = { { 9 } } };

static void a_name_has_one_number_while_somebody_holds_it(void **state)
{
	static const uint8_t key[16] = { 3 };
	struct names *n = names_new(key);
	name_id first[500];
	struct name name;

	(void)state;
	for (int i = 0; i < 500; i++) {
		snprintf(name.text, sizeof name.text, "user%d", i);
		first[i] = names_hold(n, &name);
	}
	for (int i = 0; i < 500; i++) {
		snprintf(name.text, sizeof name.text, "user%d", i);
		assert_int_equal(names_hold(n, &name), first[i]);
		assert_string_equal(names_of(n, first[i])->text, name.text);
	}
	for (int i = 0; i < 500; i++) {
		names_release(n, first[i]);
		if (i % 2)
			names_release(n, first[i]);
	}
	assert_int_equal(names_count(n), 250);
	for (int i = 0; i < 500; i++) {
		snprintf(name.text, sizeof name.text, "user%d", i);
		assert_int_equal(names_find(n, &name), i % 2 ? NAMES_NONE : first[i]);
	}
	names_free(n);
}

static unsigned version(const struct presence *p, name_id account)
{
	struct device_list list;

	return presence_list(p, account, &list) ? (unsigned)list.version : 0;
}

static void an_account_has_one_list_while_it_is_online(void **state)
{
	struct presence *p = presence_new();
	struct record *one = presence_enter(p, 5, &phone, NULL), *two;
	struct device_list list = { 0 }, older, found;
	struct identity identity;

	(void)state;
	identity_make(&identity);
	device_list_add(&list, &phone.device, "phone", 1);
	device_list_sign(&list, &identity);
	older = list;
	device_list_add(&list, &desk.device, "desk", 2);
	device_list_sign(&list, &identity);
	assert_int_equal(version(p, 5), 0);
	assert_int_equal(version(p, 500), 0);
	presence_set_list(p, 5, &list);
	two = presence_enter(p, 5, &desk, NULL);
	presence_set_list(p, 5, &older);
	assert_true(presence_list(p, 5, &found));
	assert_int_equal(found.count, 2);
	assert_string_equal(found.devices[1].label, "desk");
	assert_int_equal(device_list_verify(&found), 0);
	device_list_sign(&list, &identity);
	presence_set_list(p, 5, &list);
	assert_int_equal(version(p, 5), 3);
	presence_leave(p, one);
	assert_int_equal(version(p, 5), 3);
	presence_leave(p, two);
	assert_int_equal(version(p, 5), 0);
	presence_free(p);
}

static const struct address seen = { .family = 4, .port = 9, .ip = { 192, 0, 2, 1 } };
static const struct address inside = { .family = 4, .port = 8, .ip = { 10, 0, 0, 1 } };

static struct peer_record of_phone(uint64_t number)
{
	struct peer_record r = { .device = phone.device, .number = number, .knock = { { 4 } } };

	return r;
}

static void a_device_is_told_only_once_it_has_published(void **state)
{
	struct presence *p = presence_new();
	struct record *r = presence_enter(p, 5, &phone, NULL);
	struct wire_device devices[WIRE_DEVICES_MAX];
	struct peer_record open = of_phone(7), shut = of_phone(8);

	(void)state;
	assert_true(presence_is_online(p, 5));
	assert_int_equal(presence_devices(p, 5, CONSENT_DIRECT, devices), 0);
	assert_true(presence_observed(r, &seen));
	assert_false(presence_observed(r, &seen));
	assert_int_equal(record_number(r), 0);
	candidates_add(&open.candidates, CANDIDATE_HOST, &inside);
	assert_int_equal(presence_publish(r, &open, &shut), 0);
	assert_int_equal(record_number(r), 7);
	assert_int_equal(presence_devices(p, 5, CONSENT_DIRECT, devices), 1);
	assert_int_equal(devices[0].record.knock.bytes[0], 4);
	assert_int_equal(devices[0].certificate.device.bytes[0], 1);
	/* the newer publication replaces the older, whatever its size */
	open = of_phone(9);
	shut = of_phone(10);
	assert_int_equal(presence_publish(r, &open, &shut), 0);
	assert_int_equal(presence_devices(p, 5, CONSENT_DIRECT, devices), 1);
	assert_int_equal(devices[0].record.number, 9);
	assert_int_equal(devices[0].record.candidates.count, 0);
	presence_leave(p, r);
	assert_false(presence_is_online(p, 5));
	assert_int_equal(presence_counts(p).devices, 0);
	presence_free(p);
}

/* Whatever is told must hold no byte of an address for who may not have it. */
static void who_is_told_gets_what_consent_allows(void **state)
{
	struct presence *p = presence_new();
	struct record *r = presence_enter(p, 5, &phone, NULL);
	struct peer_record open = of_phone(7), shut = of_phone(8);
	static const struct address none;
	struct wire_device d;

	(void)state;
	presence_observed(r, &seen);
	candidates_add(&open.candidates, CANDIDATE_HOST, &inside);
	memset(open.signature, 1, sizeof open.signature);
	memset(shut.signature, 2, sizeof shut.signature);
	presence_publish(r, &open, &shut);

	record_device(r, CONSENT_DIRECT, &d);
	assert_true(peer_record_equal(&d.record, &open));
	assert_true(address_equal(&d.seen, &seen));
	record_device(r, CONSENT_RELAY, &d);
	assert_true(peer_record_equal(&d.record, &shut));
	assert_int_equal(d.record.candidates.count, 0);
	assert_memory_equal(&d.seen, &none, sizeof none);
	record_device(r, CONSENT_NEVER, &d);
	assert_int_equal(d.record.number, 0);
	assert_int_equal(d.record.knock.bytes[0], 0);
	assert_memory_equal(&d.seen, &none, sizeof none);
	assert_int_equal(d.certificate.device.bytes[0], 1);
	presence_free(p);
}

static void only_newer_records_of_the_device_itself_are_kept(void **state)
{
	struct presence *p = presence_new();
	struct record *r = presence_enter(p, 5, &phone, NULL);
	struct peer_record open = of_phone(7), shut = of_phone(8), other = of_phone(20);
	struct peer_record more = of_phone(30);
	struct wire_device d;

	(void)state;
	assert_int_equal(presence_publish(r, &open, &shut), 0);
	other.device = desk.device;
	assert_int_equal(presence_publish(r, &other, &more), ERR_FORMAT);
	assert_int_equal(presence_publish(r, &more, &other), ERR_FORMAT);
	other = of_phone(0);
	assert_int_equal(presence_publish(r, &more, &other), ERR_FORMAT);
	assert_int_equal(presence_publish(r, &other, &more), ERR_FORMAT);
	other = of_phone(20);
	candidates_add(&other.candidates, CANDIDATE_HOST, &inside);
	assert_int_equal(presence_publish(r, &more, &other), ERR_FORMAT);
	assert_int_equal(presence_publish(r, &open, &shut), ERR_EXISTS);
	assert_int_equal(presence_publish(r, &more, &shut), ERR_EXISTS);
	assert_int_equal(presence_publish(r, &open, &more), ERR_EXISTS);
	record_device(r, CONSENT_DIRECT, &d);
	assert_true(peer_record_equal(&d.record, &open));
	assert_int_equal(presence_publish(r, &other, &more), 0);
	presence_free(p);
}

static void an_account_has_eight_places(void **state)
{
	struct presence *p = presence_new();
	struct record *r[PRESENCE_SLOTS];
	struct certificate c = phone;

	(void)state;
	for (unsigned i = 0; i < PRESENCE_SLOTS; i++) {
		c.device.bytes[1] = (uint8_t)i;
		r[i] = presence_enter(p, 0, &c, NULL);
		assert_int_equal(record_slot(r[i]), i);
	}
	assert_null(presence_enter(p, 0, &desk, NULL));
	assert_int_equal(presence_counts(p).accounts, 1);
	assert_int_equal(presence_counts(p).devices, 8);
	presence_leave(p, r[3]);
	r[3] = presence_enter(p, 0, &desk, &c);
	assert_int_equal(record_slot(r[3]), 3);
	assert_ptr_equal(presence_find(p, 0, &desk.device), r[3]);
	assert_ptr_equal(presence_at(p, 0, 3), r[3]);
	assert_ptr_equal(record_user(r[3]), &c);
	assert_null(presence_at(p, 77, 0));
	presence_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_has_one_number_while_somebody_holds_it),
		cmocka_unit_test(an_account_has_one_list_while_it_is_online),
		cmocka_unit_test(a_device_is_told_only_once_it_has_published),
		cmocka_unit_test(who_is_told_gets_what_consent_allows),
		cmocka_unit_test(only_newer_records_of_the_device_itself_are_kept),
		cmocka_unit_test(an_account_has_eight_places),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
