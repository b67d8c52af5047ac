/* Becoming somebody at a directory: by a password, a recovery code, the operator's code, and the steps in their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/proof.h"
#include "tests/login_steps.h"

/* --- order --- */

static void steps_out_of_order_end_the_link(void **state)
{
	static const enum wire_type types[] = { WIRE_LOGIN_FINISH,    WIRE_PASSWORD_START,
						WIRE_PASSWORD_FINISH, WIRE_VAULT_GET,
						WIRE_ENROL,           WIRE_PUBLISH };

	(void)state;
	make_record("secret", "alice", store.answer.record);
	finish_registration(link_hash);
	assert_int_equal(say_it(), ERR_CLOSED);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		said.type = types[i];
		assert_int_equal(say_it(), ERR_CLOSED);
		be_challenged();
		said.type = types[i];
		assert_int_equal(say_it(), ERR_CLOSED);
		new_link(NULL);
		challenge_login("secret", link_hash, KSF_ARGON2ID_64M);
		if (types[i] != WIRE_LOGIN_FINISH) {
			said.type = types[i];
			assert_int_equal(say_it(), ERR_CLOSED);
		}
		new_link(NULL);
		now += 600 * SECOND;
	}
}

static void a_login_step_is_not_taken_twice(void **state)
{
	struct wire_message finish;

	(void)state;
	make_record("secret", "alice", store.answer.record);
	challenge_login("secret", link_hash, KSF_ARGON2ID_64M);
	finish = said;
	assert_int_equal(say_it(), 0);
	assert_int_equal(answered(), 1);
	said = finish;
	assert_int_equal(say_it(), ERR_CLOSED);
	/* an old KE3 to a new KE2 */
	challenge_login("secret", link_hash, KSF_ARGON2ID_64M);
	said = finish;
	assert_int_equal(say_it(), ERR_AUTH);
}

/* --- logging in --- */

static void the_right_password_is_told_all_and_may_enrol(void **state)
{
	(void)state;
	store.answer.blob = BYTES(store.wrap);
	store.answer.vault_version = 7;
	store.answer.failed = 2;
	log_in();
	assert_false(store.by_recovery);
	assert_int_equal(reply.login_done.wrap.size, VAULT_WRAP_SIZE);
	assert_int_equal(reply.login_done.vault_version, 7);
	assert_int_equal(reply.login_done.failed, 2);
	assert_int_equal(reply.login_done.devices.version, 1);
	said = (struct wire_message){ .type = WIRE_VAULT_GET };
	assert_int_equal(say_it(), 0);
	assert_string_equal(store.asked, "vault");
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_VAULT_PART);
	assert_null(login_devices(our_login));
	assert_int_equal(enrol_device(link_hash, false), 0);
	assert_string_equal(store.asked, "enrol");
	assert_false(store.has_vault);
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_ENROL_DONE);
	assert_int_equal(login_devices(our_login)->version, 1);
}

static void every_wrong_finish_is_the_same_refusal(void **state)
{
	static const uint8_t other[64] = { 9 };

	(void)state;
	make_record("secret", "alice", store.answer.record);
	challenge_login("guess", link_hash, KSF_ARGON2ID_64M);
	assert_int_equal(say_it(), ERR_AUTH);
	challenge_login("secret", other, KSF_ARGON2ID_64M); /* relayed from another link */
	assert_int_equal(say_it(), ERR_AUTH);
	challenge_login("secret", link_hash, KSF_ARGON2ID_256M); /* another stretching */
	assert_int_equal(say_it(), ERR_AUTH);
	opaque_server_fake_record(store.answer.record); /* nobody of that name */
	challenge_login("secret", link_hash, KSF_ARGON2ID_64M);
	assert_int_equal(say_it(), ERR_AUTH);
	assert_string_equal(store.asked, "");
}

static void a_newcomer_is_checked_after_a_login_too(void **state)
{
	static const uint8_t other[64] = { 9 };

	(void)state;
	log_in();
	assert_int_equal(enrol_device(other, false), ERR_AUTH);
	certificate.serial++;
	assert_int_equal(enrol_device(link_hash, false), ERR_AUTH);
	assert_string_equal(store.asked, "");
	certificate.serial--;
	assert_int_equal(enrol_device(link_hash, true), 0);
	store.answer.err = ERR_STATE; /* another device was quicker */
	assert_int_equal(answered(), ERR_STATE);
	assert_null(login_devices(our_login));
	store.answer.err = 0;
	log_in(); /* and again, on the same link */
}

static void a_suspended_account_is_told_so_only_after_the_proof(void **state)
{
	(void)state;
	make_record("secret", "alice", store.answer.record);
	store.answer.is_suspended = true;
	challenge_login("guess", link_hash, KSF_ARGON2ID_64M);
	assert_int_equal(say_it(), ERR_AUTH);
	challenge_login("secret", link_hash, KSF_ARGON2ID_64M);
	assert_int_equal(say_it(), 0);
	assert_int_equal(answered(), ERR_SUSPENDED);
	assert_int_equal(enrol_device(link_hash, false), ERR_CLOSED);
}

static void a_client_can_prove_to_be_nobody_but_itself(void **state)
{
	static const struct name bob = { "bob" };

	(void)state;
	new_link(&bob);
	make_record("secret", "alice", store.answer.record);
	challenge_login("secret", link_hash, KSF_ARGON2ID_64M);
	assert_int_equal(say_it(), ERR_AUTH);
	assert_string_equal(store.asked, "");
	new_link(&alice);
	log_in();
}

/* --- the recovery code --- */

static int recover(const struct identity *code)
{
	said = (struct wire_message){ .type = WIRE_RECOVER, .recover.name = alice };
	proof_recover(said.recover.proof, code, link_hash, &alice);
	assert_int_equal(say_it(), 0);
	assert_string_equal(store.asked, "find");
	return answered();
}

static void a_recovery_code_opens_but_a_password_must_be_set_first(void **state)
{
	struct identity code;

	(void)state;
	identity_make(&code);
	store.answer.recovery = code.public;
	store.answer.is_found = store.answer.has_recovery = true;
	assert_int_equal(recover(&code), 0);
	assert_string_equal(store.asked, "account");
	assert_true(store.by_recovery);
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_LOGIN_DONE);
	assert_int_equal(start_password(), 1);
	assert_int_equal(reply.type, WIRE_PASSWORD_CHALLENGE);
	assert_int_equal(finish_password(true, false), 0);
	assert_string_equal(store.asked, "password");
	assert_int_equal(answered(), 1);
	assert_int_equal(reply.type, WIRE_PASSWORD_DONE);
	assert_int_equal(enrol_device(link_hash, false), 0);
	new_link(NULL);
	assert_int_equal(recover(&code), 0);
	assert_int_equal(answered(), 1);
	assert_int_equal(enrol_device(link_hash, false), ERR_CLOSED);
}

static void every_wrong_recovery_is_the_same_refusal(void **state)
{
	struct identity code, other;

	(void)state;
	identity_make(&code);
	identity_make(&other);
	store.answer.recovery = code.public;
	store.answer.is_found = store.answer.has_recovery = true;
	assert_int_equal(recover(&other), ERR_AUTH);
	store.answer.has_recovery = false;
	assert_int_equal(recover(&code), ERR_AUTH);
	store.answer.has_recovery = true;
	store.answer.is_found = false;
	assert_int_equal(recover(&code), ERR_AUTH);
	failures_flush(desk.failures, &store.row, now);
	assert_int_equal(store.failures, 3);
}

/* --- the operator's code --- */

static void a_reset_code_sets_a_password_and_opens_nothing(void **state)
{
	(void)state;
	said = (struct wire_message){ .type = WIRE_RESET, .reset.code = bytes_text("code") };
	assert_int_equal(say_it(), 0);
	assert_string_equal(store.asked, "reset");
	store.answer.name = alice;
	assert_int_equal(answered(), 1);
	assert_string_equal(reply.reset_done.name.text, "alice");
	said = (struct wire_message){ .type = WIRE_VAULT_GET };
	assert_int_equal(say_it(), ERR_CLOSED);
	assert_int_equal(enrol_device(link_hash, false), ERR_CLOSED);
	assert_int_equal(start_password(), 1);
	assert_int_equal(finish_password(true, false), ERR_FORMAT); /* a wrap of what? */
	assert_int_equal(start_password(), 1);
	assert_int_equal(finish_password(false, true), ERR_FORMAT);
	assert_int_equal(start_password(), 1);
	assert_int_equal(finish_password(false, false), 0);
	assert_string_equal(store.asked, "password-by-reset");
	assert_false(store.has_wrap);
	assert_int_equal(answered(), 1);
	assert_int_equal(start_password(), ERR_CLOSED);
	store.answer.err = ERR_EXPIRED;
	said = (struct wire_message){ .type = WIRE_RESET, .reset.code = bytes_text("code") };
	assert_int_equal(say_it(), 0);
	assert_int_equal(answered(), ERR_EXPIRED);
}

static void a_password_takes_its_wrap_and_maybe_a_shorter_list_along(void **state)
{
	(void)state;
	log_in();
	assert_int_equal(start_password(), 1);
	assert_int_equal(finish_password(false, false),
			 ERR_FORMAT); /* the vault would be lost */
	assert_int_equal(start_password(), 1);
	devices.version++;
	assert_int_equal(finish_password(true, true), ERR_AUTH); /* not signed */
	devices.version--;
	assert_int_equal(start_password(), 1);
	assert_int_equal(finish_password(true, true), 0);
	assert_true(store.has_wrap && store.has_devices);
	assert_int_equal(answered(), 1);
	assert_non_null(login_devices(our_login));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOGIN(steps_out_of_order_end_the_link),
		LOGIN(a_login_step_is_not_taken_twice),
		LOGIN(the_right_password_is_told_all_and_may_enrol),
		LOGIN(every_wrong_finish_is_the_same_refusal),
		LOGIN(a_newcomer_is_checked_after_a_login_too),
		LOGIN(a_suspended_account_is_told_so_only_after_the_proof),
		LOGIN(a_client_can_prove_to_be_nobody_but_itself),
		LOGIN(a_recovery_code_opens_but_a_password_must_be_set_first),
		LOGIN(every_wrong_recovery_is_the_same_refusal),
		LOGIN(a_reset_code_sets_a_password_and_opens_nothing),
		LOGIN(a_password_takes_its_wrap_and_maybe_a_shorter_list_along),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
