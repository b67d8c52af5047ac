/* Registering at a directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "tests/login_steps.h"

static void a_registration_goes_through_its_steps(void **state)
{
	(void)state;
	start_registration();
	assert_int_equal(say_it(), 0);
	assert_string_equal(store.asked, "may");
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_REGISTER_CHALLENGE);
	finish_registration(link_hash);
	assert_int_equal(say_it(), 0);
	assert_string_equal(store.asked, "create");
	assert_true(store.has_vault);
	assert_string_equal(store.name.text, "alice");
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_REGISTER_DONE);
}

static void registration_minds_the_mode(void **state)
{
	(void)state;
	start_registration();
	desk.registration = REGISTRATION_CLOSED;
	assert_int_equal(say_it(), ERR_REFUSED);
	assert_string_equal(store.asked, "");
	desk.registration = REGISTRATION_INVITE;
	assert_int_equal(say_it(), 0);
	assert_string_equal(store.asked, "may-invite");
	store.answer.err = ERR_EXPIRED;
	assert_int_equal(answered(), ERR_EXPIRED);
	assert_int_equal(reply.refusal.about, WIRE_REGISTER_START);
}

static void spoil_proof(void)
{
	static const uint8_t other[64] = { 9 };

	finish_registration(other); /* from another link */
}
static void spoil_record(void)
{
	memset(said.register_finish.record, 0, 32); /* the identity element */
}
static void spoil_certificate(void)
{
	said.register_finish.newcomer.certificate.serial++;
}
static void outlive_certificate(void)
{
	certificate_make(&said.register_finish.newcomer.certificate, &identity, &device.public,
			 "t", 1, 1000);
}
static void spoil_list(void)
{
	said.register_finish.newcomer.devices.version++;
}
static void leave_out_of_list(void)
{
	struct device_list *list = &said.register_finish.newcomer.devices;
	static const struct device_public another = { { 1 } };

	device_list_add(list, &another, "another", wall);
	device_list_remove(list, &device.public);
	device_list_sign(list, &identity);
}
static void mix_identities(void)
{
	struct identity other;

	identity_make(&other);
	device_list_sign(&said.register_finish.newcomer.devices, &other);
	identity_wipe(&other);
}
static void spoil_vault(void)
{
	said.register_finish.vault.sealed[100] ^= 1;
}

static void what_is_not_signed_by_one_identity_on_this_link_is_not_stored(void **state)
{
	static void (*const spoils[])(void) = {
		spoil_proof, spoil_record,      spoil_certificate, outlive_certificate,
		spoil_list,  leave_out_of_list, mix_identities,    spoil_vault,
	};

	(void)state;
	for (size_t i = 0; i < sizeof spoils / sizeof spoils[0]; i++) {
		be_challenged();
		finish_registration(link_hash);
		spoils[i]();
		assert_int_equal(say_it(), ERR_AUTH);
		assert_string_equal(store.asked, "");
		assert_int_equal(say_it(), ERR_CLOSED); /* one try */
		new_link(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOGIN(a_registration_goes_through_its_steps),
		LOGIN(registration_minds_the_mode),
		LOGIN(what_is_not_signed_by_one_identity_on_this_link_is_not_stored),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
