/* What attempts to become somebody cost, and what is said where others are in trouble. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "tests/login_steps.h"

/* --- what attempts cost --- */

static void answers_are_charged_and_success_is_given_back(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		log_in();
	for (int i = 0; i < 5; i++) {
		challenge_login("guess", link_hash, KSF_ARGON2ID_64M);
		assert_int_equal(say_it(), ERR_AUTH);
	}
	start_login("secret");
	assert_int_equal(say_it(), ERR_BUSY);
	assert_string_equal(store.asked, "");
	now += 121 * SECOND;
	log_in();
}

static void beyond_the_bucket_work_is_asked_for_and_pays_once(void **state)
{
	struct wire_message start;
	struct work asked;
	uint64_t nonce;

	(void)state;
	make_record("secret", "alice", store.answer.record);
	for (int i = 0; i < 5; i++) {
		challenge_login("guess", link_hash, KSF_ARGON2ID_64M);
		say_it();
	}
	start_login("secret");
	start = said;
	assert_int_equal(say_it(), ERR_BUSY);
	asked = reply.refusal.work;
	assert_int_equal(asked.bits, 8);
	assert_true(reply.refusal.retry_after > 0);
	assert_int_equal(work_solve(&asked, &nonce, NULL, NULL), 0);
	/* a wrong nonce is asked for other work */
	said = start;
	said.login_start.work = (struct wire_work){ true, nonce + 1 };
	while (work_check(&asked, said.login_start.work.nonce))
		said.login_start.work.nonce++;
	assert_int_equal(say_it(), ERR_BUSY);
	said.login_start.work.nonce = nonce;
	assert_memory_not_equal(reply.refusal.work.challenge, asked.challenge,
				sizeof asked.challenge);
	asked = reply.refusal.work;
	assert_int_equal(work_solve(&asked, &nonce, NULL, NULL), 0);
	/* and it is not work for another name */
	said.login_start.name = (struct name){ "alina" };
	said.login_start.work = (struct wire_work){ true, nonce };
	limits_overdraw(desk.limits, LIMIT_LOGIN_NAME, &client_address, &said.login_start.name,
			now);
	for (int i = 0; i < 60; i++)
		limits_overdraw(desk.limits, LIMIT_LOGIN_NAME, &client_address,
				&said.login_start.name, now);
	assert_int_equal(say_it(), ERR_BUSY);
	said = start;
	assert_int_equal(say_it(), ERR_BUSY);
	asked = reply.refusal.work;
	assert_int_equal(work_solve(&asked, &nonce, NULL, NULL), 0);
	said.login_start.work = (struct wire_work){ true, nonce };
	assert_int_equal(say_it(), 0);
	assert_string_equal(store.asked, "find");
	assert_int_equal(answered(), 1);
	new_link(NULL);
	said = start;
	said.login_start.work = (struct wire_work){ true, nonce };
	assert_int_equal(say_it(), ERR_BUSY); /* the same on another link */
}

static void registrations_cost_work_too(void **state)
{
	struct work asked;

	(void)state;
	for (int i = 0; i < 100; i++) {
		start_registration();
		assert_int_equal(say_it(), 0);
		assert_int_equal(answered(), 1);
		new_link(NULL);
	}
	start_registration();
	assert_int_equal(say_it(), ERR_BUSY);
	asked = reply.refusal.work;
	assert_true(asked.bits > 0);
	assert_int_equal(work_solve(&asked, &said.register_start.work.nonce, NULL, NULL), 0);
	said.register_start.work.is_done = true;
	assert_int_equal(say_it(), 0);
}

/* Whoever learns from KE2 that he was wrong need not say so. */
static void failed_logins_are_counted_also_of_who_goes_away(void **state)
{
	(void)state;
	make_record("secret", "alice", store.answer.record);
	challenge_login("guess", link_hash, KSF_ARGON2ID_64M);
	assert_int_equal(say_it(), ERR_AUTH);
	challenge_login("guess", link_hash, KSF_ARGON2ID_64M);
	new_link(NULL);
	start_login("guess");
	assert_int_equal(say_it(), 0);
	new_link(NULL); /* nothing was answered */
	log_in();
	assert_int_equal(reply.login_done.failed, 2);
	log_in();
	assert_int_equal(reply.login_done.failed, 0);
}

/* --- others in trouble --- */

static void a_store_that_fails_says_nothing_about_the_name(void **state)
{
	static const int errors[] = { ERR_IO, ERR_FULL, ERR_LOCKED, ERR_CORRUPT };

	(void)state;
	for (size_t i = 0; i < 4 * sizeof errors / sizeof errors[0]; i++) {
		start_login("x");
		assert_int_equal(say_it(), 0);
		store.answer.err = errors[i % 4];
		assert_int_equal(answered(), ERR_OFFLINE); /* and costs nothing */
		assert_int_equal(reply.refusal.work.bits, 0);
		assert_int_equal(reply.refusal.retry_after, LOGIN_RETRY_SECONDS);
	}
	store.answer.err = 0;
	log_in();
	assert_int_equal(enrol_device(link_hash, false), 0);
	store.answer.err = ERR_FULL;
	assert_int_equal(answered(), ERR_OFFLINE);
}

static void a_key_holder_that_is_away_is_waited_for(void **state)
{
	(void)state;
	make_record("secret", "alice", store.answer.record);
	for (int i = 0; i < 20; i++) {
		keys.is_away = i % 2;
		keys.is_unknown = !keys.is_away;
		start_login("secret");
		assert_int_equal(say_it(), 0);
		assert_int_equal(answered(), ERR_OFFLINE);
		assert_int_equal(reply.refusal.retry_after, LOGIN_RETRY_SECONDS);
		start_registration();
		assert_int_equal(say_it(), 0);
		assert_int_equal(answered(), ERR_OFFLINE);
	}
	keys.is_away = keys.is_unknown = false;
	log_in();
	keys.is_away = true;
	assert_int_equal(start_password(), ERR_OFFLINE);
	keys.is_away = false;
	assert_int_equal(start_password(), 1);
}

static void what_is_not_an_element_is_refused(void **state)
{
	(void)state;
	start_login("secret");
	memset(said.login_start.ke1, 0, 32);
	assert_int_equal(say_it(), 0);
	assert_int_equal(answered(), ERR_AUTH);
	start_login("secret");
	memset(said.login_start.ke1 + 64, 0xff, 32);
	assert_int_equal(say_it(), 0);
	assert_int_equal(answered(), ERR_AUTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOGIN(answers_are_charged_and_success_is_given_back),
		LOGIN(beyond_the_bucket_work_is_asked_for_and_pays_once),
		LOGIN(registrations_cost_work_too),
		LOGIN(failed_logins_are_counted_also_of_who_goes_away),
		LOGIN(a_store_that_fails_says_nothing_about_the_name),
		LOGIN(a_key_holder_that_is_away_is_waited_for),
		LOGIN(what_is_not_an_element_is_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
