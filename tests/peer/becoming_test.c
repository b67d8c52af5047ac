/* Becoming somebody at a directory: what it takes, in its order, and what is refused on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "shared/proof.h"
#include "tests/becoming_by_hand.h"

static void a_login_fetches_the_vault_in_parts_and_enrols(void **state)
{
	struct wire_message m, over = { .type = WIRE_ENROL_DONE };

	(void)state;
	log_in();
	assert_int_equal(done(BYTES(s.wrap)), BECOMING_ON);
	assert_int_equal(give_vault(1000), BECOMING_WANTS_KEYS);
	assert_memory_equal(becoming_vault_key(s.b), &s.key, sizeof s.key);
	assert_memory_equal(&becoming_vault(s.b)->identity, &s.identity, sizeof s.identity);
	assert_int_equal(hear(&over), ERR_STATE);
	assert_int_equal(enrol(), 0);
	assert_false(becoming_is_sent(s.b));
	m = next(WIRE_ENROL);
	assert_int_equal(m.enrol.newcomer.devices.version, 2);
	assert_int_equal(proof_register_verify(m.enrol.newcomer.proof_of_possession,
					       &s.identity.public, s.hash, &s.name),
			 0);
	assert_true(becoming_is_sent(s.b));
	assert_int_equal(hear(&over), BECOMING_OVER);
}

static void a_wrong_password_is_known_before_anything_is_finished(void **state)
{
	struct becoming_wish wish = wish_of(BECOMING_LOGIN, "wrong");
	struct wire_message m;

	(void)state;
	start(&wish);
	assert_int_equal(prove(), ERR_AUTH);
	assert_non_null(becoming_detail(s.b));
	assert_false(becoming_next(s.b, &m));
}

static void messages_out_of_turn_are_refused(void **state)
{
	static const enum wire_type types[] = {
		WIRE_REGISTER_CHALLENGE, WIRE_REGISTER_DONE, WIRE_LOGIN_DONE,
		WIRE_ENROL_DONE,         WIRE_RESET_DONE,    WIRE_PASSWORD_CHALLENGE,
		WIRE_PASSWORD_DONE,      WIRE_VAULT_PART,    WIRE_VAULT_NOW,
	};
	struct becoming_wish wish = wish_of(BECOMING_LOGIN, PASSWORD);

	(void)state;
	start(&wish);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		struct wire_message m = { .type = types[i] };

		assert_int_equal(hear(&m), ERR_STATE);
	}
	assert_int_equal(prove(), BECOMING_ON); /* they left no trace */
}

/* Steps of a login, one after the other; false: it is over. */
static bool step(unsigned at)
{
	struct wire_message m = { .type = WIRE_LOGIN_DONE };

	switch (at) {
	case 0:
		return prove() == BECOMING_ON;
	case 1:
		next(WIRE_LOGIN_FINISH);
		return true;
	case 2:
		return done(BYTES(s.wrap)) == BECOMING_ON;
	case 3:
		next(WIRE_VAULT_GET);
		m.type = WIRE_VAULT_PART;
		m.vault_part.version = s.version;
		memcpy(m.vault_part.signature, s.signature, sizeof s.signature);
		m.vault_part.total = s.sealed.size;
		m.vault_part.part = bytes_of(s.sealed.data, 100);
		return hear(&m) == BECOMING_ON;
	case 4:
		next(WIRE_VAULT_GET);
		m.type = WIRE_VAULT_PART;
		m.vault_part.version = s.version;
		m.vault_part.total = s.sealed.size;
		m.vault_part.offset = 100;
		m.vault_part.part = bytes_of(s.sealed.data + 100, s.sealed.size - 100);
		return hear(&m) == BECOMING_WANTS_KEYS;
	case 5:
		return enrol() == 0;
	case 6:
		next(WIRE_ENROL);
		return true;
	default:
		return false;
	}
}

static void no_message_in_any_state_leads_on_but_the_one_that_is_due(void **state)
{
	static const enum wire_type due[] = { WIRE_LOGIN_CHALLENGE,
					      0,
					      WIRE_LOGIN_DONE,
					      WIRE_VAULT_PART,
					      WIRE_VAULT_PART,
					      0,
					      0,
					      WIRE_ENROL_DONE };
	struct becoming_wish wish = wish_of(BECOMING_LOGIN, PASSWORD);

	for (unsigned at = 0; at < sizeof due / sizeof *due; at++) {
		for (unsigned type = 0; type < 64; type++) {
			struct wire_message m = { .type = (enum wire_type)type };
			unsigned before = 0;

			end(state);
			begin(state);
			start(&wish);
			while (before < at)
				assert_true(step(before++));
			/* LOGIN_DONE may come as soon as it is known that the password is
			 * right: before LOGIN_FINISH was written out. */
			if (type == (unsigned)due[at] || (at == 1 && type == WIRE_LOGIN_DONE))
				continue;
			if (hear(&m) >= 0)
				fail_msg("message %u in state %u", type, at);
			assert_false(becoming_is_ready(s.b) && at < 6);
		}
	}
}

static void a_weak_or_unknown_stretching_is_refused(void **state)
{
	struct becoming_wish wish = wish_of(BECOMING_LOGIN, PASSWORD);
	struct wire_message m = { .type = WIRE_LOGIN_CHALLENGE };

	(void)state;
	wish.weakest = KSF_ARGON2ID_256M;
	start(&wish);
	m.login_challenge.ksf = KSF_ARGON2ID_64M;
	assert_int_equal(hear(&m), ERR_FORMAT);
	m.login_challenge.ksf = 99;
	assert_int_equal(hear(&m), ERR_FORMAT);
}

static void work_is_done_and_start_said_again_but_not_for_ever(void **state)
{
	struct becoming_wish wish = wish_of(BECOMING_LOGIN, PASSWORD);
	struct wire_message first, second;
	struct job job;

	(void)state;
	start(&wish);
	first = next(WIRE_LOGIN_START);
	assert_false(first.login_start.work.is_done);
	for (unsigned i = 0; i < BECOMING_WORKS; i++) {
		assert_int_equal(refuse(WIRE_LOGIN_START, ERR_BUSY, 1), BECOMING_ON);
		assert_true(becoming_is_working(s.b));
		assert_true(becoming_next_job(s.b, 50 + i, &job));
		assert_false(becoming_next_job(s.b, 51 + i, &job));
		assert_int_equal(job.kind, JOB_WORK);
		assert_int_equal(work_solve(&job.work, &job.nonce, NULL, NULL), 0);
		assert_int_equal(becoming_answered(s.b, &job), BECOMING_ON);
		second = next(WIRE_LOGIN_START);
		assert_true(second.login_start.work.is_done);
		assert_memory_equal(first.login_start.ke1, second.login_start.ke1,
				    OPAQUE_KE1_SIZE);
	}
	assert_int_equal(refuse(WIRE_LOGIN_START, ERR_BUSY, 1), ERR_BUSY);
}

static void too_much_work_is_refused(void **state)
{
	struct becoming_wish wish = wish_of(BECOMING_LOGIN, PASSWORD);

	(void)state;
	start(&wish);
	(void)next(WIRE_LOGIN_START);
	assert_int_equal(refuse(WIRE_LOGIN_START, ERR_BUSY, WORK_BITS_MAX + 1), ERR_BUSY);
	assert_non_null(becoming_detail(s.b));
}

static void an_account_that_changed_in_between_is_logged_in_to_again(void **state)
{
	(void)state;
	log_in();
	for (unsigned i = 0; i <= BECOMING_AGAINS; i++) {
		assert_int_equal(done(BYTES(s.wrap)), BECOMING_ON);
		assert_int_equal(give_vault(WIRE_VAULT_GET_PART), BECOMING_WANTS_KEYS);
		assert_int_equal(enrol(), 0);
		(void)next(WIRE_ENROL);
		if (i == BECOMING_AGAINS)
			break;
		assert_int_equal(refuse(WIRE_ENROL, ERR_STATE, 0), BECOMING_AGAIN);
		s.hash[0]++; /* another line */
		assert_int_equal(becoming_up(s.b, s.hash), 0);
		assert_int_equal(prove(), BECOMING_ON);
		(void)next(WIRE_LOGIN_FINISH);
	}
	assert_int_equal(refuse(WIRE_ENROL, ERR_STATE, 0), ERR_BUSY);
}

static void without_a_wrap_it_says_what_to_do_or_begins_anew(void **state)
{
	struct becoming_wish wish = wish_of(BECOMING_LOGIN, PASSWORD);

	log_in();
	assert_int_equal(done((struct bytes){ 0 }), ERR_KEY_CHANGED);
	assert_non_null(strstr(becoming_detail(s.b), "palique recover"));
	end(state);
	begin(state);
	wish.begin_anew = true;
	start(&wish);
	assert_int_equal(prove(), BECOMING_ON);
	(void)next(WIRE_LOGIN_FINISH);
	assert_int_equal(done((struct bytes){ 0 }), BECOMING_WANTS_KEYS);
	assert_null(becoming_vault_key(s.b));
	assert_false(becoming_is_kept(s.b));
}

static void a_reset_sets_a_password_and_wraps_nothing(void **state)
{
	struct becoming_wish wish = wish_of(BECOMING_RESET, "new");
	struct wire_message m = { .type = WIRE_RESET_DONE }, start_message;

	(void)state;
	wish.code = "abc";
	memset(&wish.name, 0, sizeof wish.name);
	start(&wish);
	assert_true(bytes_equal(next(WIRE_RESET).reset.code, bytes_text("abc")));
	m.reset_done.name = s.name;
	assert_int_equal(hear(&m), BECOMING_ON);
	start_message = next(WIRE_PASSWORD_START);
	m = (struct wire_message){ .type = WIRE_PASSWORD_CHALLENGE };
	m.password_challenge.ksf = KSF_ARGON2ID_256M;
	evaluate(start_message.password_start.request, m.password_challenge.response);
	assert_int_equal(hear(&m), BECOMING_ON);
	assert_int_equal(stretch(), BECOMING_ON);
	m = next(WIRE_PASSWORD_FINISH);
	assert_false(m.password_finish.has_wrap);
	assert_true(becoming_is_setting(s.b));
	m = (struct wire_message){ .type = WIRE_PASSWORD_DONE };
	assert_int_equal(hear(&m), BECOMING_OVER);
	assert_string_equal(becoming_name(s.b)->text, "alice");
}

static void passwords_have_limits(void **state)
{
	static char long_one[OPAQUE_PASSWORD_MAX + 2];
	struct becoming_wish wish = wish_of(BECOMING_LOGIN, "");

	(void)state;
	assert_int_equal(becoming_new(&s.b, &wish), ERR_FORMAT);
	memset(long_one, 'x', sizeof long_one - 1);
	wish.password = bytes_text(long_one);
	assert_int_equal(becoming_new(&s.b, &wish), ERR_LIMIT);
	wish = wish_of(BECOMING_PASSWD, "old");
	assert_int_equal(becoming_new(&s.b, &wish), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_login_fetches_the_vault_in_parts_and_enrols),
		TEST(a_wrong_password_is_known_before_anything_is_finished),
		TEST(messages_out_of_turn_are_refused),
		TEST(no_message_in_any_state_leads_on_but_the_one_that_is_due),
		TEST(a_weak_or_unknown_stretching_is_refused),
		TEST(work_is_done_and_start_said_again_but_not_for_ever),
		TEST(too_much_work_is_refused),
		TEST(an_account_that_changed_in_between_is_logged_in_to_again),
		TEST(without_a_wrap_it_says_what_to_do_or_begins_anew),
		TEST(a_reset_sets_a_password_and_wraps_nothing),
		TEST(passwords_have_limits),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
