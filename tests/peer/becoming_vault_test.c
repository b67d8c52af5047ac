/* Which vault, identity and list of devices is believed when somebody logs in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>

#include "shared/error.h"
#include "tests/becoming_by_hand.h"

static void a_vault_that_is_forged_old_or_another_s_is_refused(void **state)
{
	static const char *const how[] = { "bytes", "signature", "version", "old", "identity" };

	for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
		end(state);
		begin(state);
		log_in();
		assert_int_equal(done(BYTES(s.wrap)), BECOMING_ON);
		switch (i) {
		case 0:
			s.sealed.data[100] ^= 1;
			break;
		case 1:
			s.signature[3] ^= 1;
			break;
		case 2:
			s.version++;
			break;
		case 3: /* signed, but below what LOGIN_DONE told */
			s.version = 4;
			seal();
			break;
		default:
			identity_make(&s.identity);
			seal();
			break;
		}
		if (give_vault(WIRE_VAULT_GET_PART) != ERR_AUTH)
			fail_msg("%s was taken", how[i]);
		assert_non_null(becoming_detail(s.b));
	}
}

/* The identity that signed the vault is one before; it holds `next` as the one to come. */
static int log_in_after_a_change(const struct identity *to, const struct identity *next_one)
{
	struct vault v = { .identity = s.identity };

	if (next_one) {
		v.has_next = true;
		v.next = *next_one;
	}
	device_list_succeed(&s.devices, &s.identity, &to->public);
	device_list_sign(&s.devices, to);
	s.sealed.size = 0;
	assert_int_equal(vault_seal(&v, &s.key, &s.name, s.version, &s.sealed), 0);
	vault_sign(s.signature, &s.identity, &s.name, s.version, buf_view(&s.sealed));
	log_in();
	assert_int_equal(done(BYTES(s.wrap)), BECOMING_ON);
	return give_vault(1000);
}

static void the_identity_to_come_is_taken_from_a_vault_of_the_one_before(void **state)
{
	struct identity to;

	(void)state;
	identity_make(&to);
	assert_int_equal(log_in_after_a_change(&to, &to), BECOMING_WANTS_KEYS);
	assert_memory_equal(&becoming_vault(s.b)->identity, &to, sizeof to);
	assert_false(becoming_vault(s.b)->has_next);
}

static void a_vault_of_the_one_before_that_knew_no_other_is_refused(void **state)
{
	struct identity to, another;

	identity_make(&to);
	identity_make(&another);
	assert_int_equal(log_in_after_a_change(&to, NULL), ERR_AUTH);
	end(state);
	begin(state);
	assert_int_equal(log_in_after_a_change(&to, &another), ERR_AUTH);
}

static void a_vault_that_holds_another_key_than_its_signer_s_is_refused(void **state)
{
	struct identity signs = s.identity;

	(void)state;
	identity_make(&s.identity);
	seal();
	vault_sign(s.signature, &signs, &s.name, s.version, buf_view(&s.sealed));
	log_in();
	assert_int_equal(done(BYTES(s.wrap)), BECOMING_ON);
	assert_int_equal(give_vault(1000), ERR_AUTH);
}

static int done_with_nobody(void)
{
	struct wire_message m = { .type = WIRE_LOGIN_DONE };

	return hear(&m);
}

static void an_account_that_is_known_has_an_identity_whatever_the_directory_says(void **state)
{
	struct becoming_wish wish = wish_of(BECOMING_LOGIN, PASSWORD);

	log_in();
	assert_int_equal(done_with_nobody(), BECOMING_WANTS_KEYS);
	for (unsigned begins_anew = 0; begins_anew < 2; begins_anew++) {
		end(state);
		begin(state);
		wish.identity = &s.identity.public;
		wish.vault_key = &s.key;
		wish.begin_anew = begins_anew;
		start(&wish);
		assert_int_equal(prove(), BECOMING_ON);
		assert_int_equal(done_with_nobody(),
				 begins_anew ? BECOMING_WANTS_KEYS : ERR_KEY_CHANGED);
	}
	/* Shown once, it is not gone at the second look. */
	end(state);
	begin(state);
	log_in();
	assert_int_equal(done(BYTES(s.wrap)), BECOMING_ON);
	assert_int_equal(give_vault(1000), BECOMING_WANTS_KEYS);
	assert_int_equal(enrol(), 0);
	next(WIRE_ENROL);
	assert_int_equal(refuse(WIRE_ENROL, ERR_STATE, 0), BECOMING_AGAIN);
	assert_int_equal(becoming_up(s.b, s.hash), 0);
	assert_int_equal(prove(), BECOMING_ON);
	next(WIRE_LOGIN_FINISH);
	assert_int_equal(done_with_nobody(), ERR_KEY_CHANGED);
}

static void a_key_that_was_given_up_is_not_gone_back_to(void **state)
{
	struct becoming_wish wish = wish_of(BECOMING_LOGIN, PASSWORD);
	struct device_list known = s.devices;
	struct identity to;

	identity_make(&to);
	for (unsigned begins_anew = 0; begins_anew < 2; begins_anew++) {
		end(state);
		begin(state);
		known = s.devices;
		device_list_succeed(&known, &s.identity, &to.public);
		device_list_sign(&known, &to);
		wish.known = &known;
		wish.identity = &to.public;
		wish.vault_key = &s.key;
		wish.begin_anew = begins_anew;
		start(&wish);
		assert_int_equal(prove(), BECOMING_ON);
		next(WIRE_LOGIN_FINISH);
		assert_int_equal(done(BYTES(s.wrap)),
				 begins_anew ? BECOMING_ON : ERR_KEY_CHANGED);
	}
}

static void parts_out_of_order_and_beyond_the_end_are_refused(void **state)
{
	struct wire_message m = { .type = WIRE_VAULT_PART };

	(void)state;
	log_in();
	assert_int_equal(done(BYTES(s.wrap)), BECOMING_ON);
	m.vault_part.version = s.version;
	m.vault_part.total = 100;
	m.vault_part.offset = 10;
	m.vault_part.part = bytes_of(s.sealed.data, 50);
	assert_int_equal(hear(&m), ERR_FORMAT);
	m.vault_part.offset = 0;
	m.vault_part.part = bytes_of(s.sealed.data, 101);
	assert_int_equal(hear(&m), ERR_FORMAT);
	m.vault_part.total = (uint64_t)1 << 40;
	assert_int_equal(hear(&m), ERR_STATE);
}

static void a_list_that_its_identity_did_not_sign_is_refused(void **state)
{
	(void)state;
	log_in();
	s.devices.signature[0] ^= 1;
	assert_int_equal(done(BYTES(s.wrap)), ERR_AUTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_vault_that_is_forged_old_or_another_s_is_refused),
		TEST(the_identity_to_come_is_taken_from_a_vault_of_the_one_before),
		TEST(a_vault_of_the_one_before_that_knew_no_other_is_refused),
		TEST(a_vault_that_holds_another_key_than_its_signer_s_is_refused),
		TEST(an_account_that_is_known_has_an_identity_whatever_the_directory_says),
		TEST(a_key_that_was_given_up_is_not_gone_back_to),
		TEST(parts_out_of_order_and_beyond_the_end_are_refused),
		TEST(a_list_that_its_identity_did_not_sign_is_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
