#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/becoming.h"
#include "shared/error.h"
#include "shared/proof.h"

/* --- the directory's half, by hand --- */

static struct {
	struct opaque_server server;
	uint8_t record[OPAQUE_RECORD_SIZE];
	uint8_t hash[64];
	struct opaque_pending pending;
	struct identity identity;
	struct device device;
	struct device_list devices;
	struct symmetric_key key;
	struct name name;
	struct buf sealed;
	uint8_t signature[VAULT_SIGNATURE_SIZE], wrap[VAULT_WRAP_SIZE];
	uint64_t version, jobs;
	struct becoming *b;
} s;

static const char PASSWORD[] = "correct horse";

static struct becoming_wish wish_of(enum becoming_kind kind, const char *password)
{
	static const struct device_public key = { { 9 } };

	return (struct becoming_wish){ .kind = kind,
				       .name = s.name,
				       .place = { "dir.example", 7272 },
				       .directory_key = &key,
				       .password = bytes_text(password),
				       .ticket = 7 };
}

static struct wire_message next(enum wire_type type)
{
	struct wire_message m;

	assert_true(becoming_next(s.b, &m));
	assert_int_equal(m.type, type);
	return m;
}

static int hear(const struct wire_message *m)
{
	return becoming_hear(s.b, m);
}

static int refuse(enum wire_type about, int error, unsigned bits)
{
	struct wire_message m = { .type = WIRE_REFUSAL };

	m.refusal.about = about;
	m.refusal.error = error;
	m.refusal.work.bits = (uint8_t)bits;
	return hear(&m);
}

/* Stretching is the same function of its input for everyone. */
static int stretch(void)
{
	struct job job;

	assert_true(becoming_next_job(s.b, ++s.jobs, &job));
	assert_int_equal(job.kind, JOB_STRETCH);
	for (size_t i = 0; i < sizeof job.stretch; i++)
		job.stretch[i] ^= 0x5a;
	assert_true(becoming_wants(s.b, &job));
	return becoming_answered(s.b, &job);
}

static void evaluate(const uint8_t *request, uint8_t *response)
{
	struct opaque_held held;

	assert_int_equal(opaque_hold(&s.server, bytes_text(s.name.text), request, NULL, &held),
			 0);
	opaque_server_register(s.server.public, &held, response);
}

static void seal(void)
{
	struct vault v = { .identity = s.identity };

	s.sealed.size = 0;
	assert_int_equal(vault_seal(&v, &s.key, &s.name, s.version, &s.sealed), 0);
	vault_sign(s.signature, &s.identity, &s.name, s.version, buf_view(&s.sealed));
}

static void make_record(void)
{
	struct wire_message m = { .type = WIRE_PASSWORD_CHALLENGE };
	struct opaque_client c = { 0 };
	struct opaque_client_random random;
	uint8_t request[OPAQUE_REQUEST_SIZE], output[OPAQUE_OPRF_SIZE];
	uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE];

	opaque_client_random(&random);
	opaque_register_start(&c, bytes_text(PASSWORD), &random, request);
	evaluate(request, m.password_challenge.response);
	opaque_register_evaluate(&c, m.password_challenge.response, output);
	for (size_t i = 0; i < sizeof output; i++)
		output[i] ^= 0x5a;
	opaque_register_finish(&c, output, (struct opaque_names){ 0 }, s.record, export_key);
	vault_wrap(s.wrap, &s.key, export_key, &s.name);
}

static int begin(void **state)
{
	(void)state;
	memset(&s, 0, sizeof s);
	opaque_server_make(&s.server);
	identity_make(&s.identity);
	device_make(&s.device);
	randombytes_buf(&s.key, sizeof s.key);
	randombytes_buf(s.hash, sizeof s.hash);
	assert_int_equal(name_parse(&s.name, bytes_text("alice")), 0);
	device_list_add(&s.devices, &s.device.public, "first", 1);
	device_list_sign(&s.devices, &s.identity);
	s.version = 5;
	seal();
	make_record();
	return 0;
}

static int end(void **state)
{
	(void)state;
	becoming_free(s.b);
	buf_clear(&s.sealed);
	return 0;
}

static void start(const struct becoming_wish *wish)
{
	assert_int_equal(becoming_new(&s.b, wish), 0);
	assert_int_equal(becoming_up(s.b, s.hash), 0);
}

/* Up to LOGIN_FINISH. */
static int prove(void)
{
	struct wire_message m = next(WIRE_LOGIN_START), challenge = { 0 };
	struct opaque_server_random random;
	struct opaque_held held;
	uint8_t context[PROOF_CONTEXT_SIZE];

	assert_int_equal(opaque_hold(&s.server, bytes_text(s.name.text),
				     opaque_ke1_blinded(m.login_start.ke1),
				     opaque_ke1_keyshare(m.login_start.ke1), &held),
			 0);
	proof_context(context, KSF_ARGON2ID_256M, s.hash);
	opaque_server_random(&random);
	challenge.type = WIRE_LOGIN_CHALLENGE;
	challenge.login_challenge.ksf = KSF_ARGON2ID_256M;
	assert_int_equal(opaque_server_respond(s.server.public, &held, s.record,
					       (struct opaque_names){ 0 }, BYTES(context),
					       &random, m.login_start.ke1,
					       challenge.login_challenge.ke2, &s.pending),
			 0);
	assert_int_equal(hear(&challenge), BECOMING_ON);
	return stretch();
}

static int done(struct bytes wrap)
{
	struct wire_message m = { .type = WIRE_LOGIN_DONE };

	m.login_done.has_identity = true;
	m.login_done.devices = s.devices;
	m.login_done.wrap = wrap;
	m.login_done.vault_version = s.version;
	return hear(&m);
}

static int give_vault(size_t part)
{
	struct wire_message m;
	int err = BECOMING_ON;

	for (size_t at = 0; at < s.sealed.size && err == BECOMING_ON; at += part) {
		size_t left = s.sealed.size - at;

		assert_int_equal(next(WIRE_VAULT_GET).vault_get.offset, at);
		memset(&m, 0, sizeof m);
		m.type = WIRE_VAULT_PART;
		m.vault_part.version = s.version;
		memcpy(m.vault_part.signature, s.signature, sizeof s.signature);
		m.vault_part.total = s.sealed.size;
		m.vault_part.offset = at;
		m.vault_part.part = bytes_of(s.sealed.data + at, left < part ? left : part);
		err = hear(&m);
	}
	return err;
}

static void log_in(void)
{
	uint8_t session_key[OPAQUE_SESSION_KEY_SIZE];
	struct becoming_wish wish = wish_of(BECOMING_LOGIN, PASSWORD);
	struct wire_message m;

	start(&wish);
	assert_int_equal(prove(), BECOMING_ON);
	m = next(WIRE_LOGIN_FINISH);
	assert_int_equal(opaque_server_finish(&s.pending, m.login_finish.ke3, session_key), 0);
}

static int enrol(void)
{
	struct device device;
	struct certificate certificate;
	struct device_list devices = *becoming_devices(s.b);
	struct becoming_keys keys = { .identity = &s.identity,
				      .certificate = &certificate,
				      .devices = &devices,
				      .vault_key = &s.key };

	device_make(&device);
	certificate_make(&certificate, &s.identity, &device.public, "second", 1, 0);
	device_list_add(&devices, &device.public, "second", 2);
	device_list_sign(&devices, &s.identity);
	return becoming_take_keys(s.b, &keys);
}

/* --- the tests --- */

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

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_login_fetches_the_vault_in_parts_and_enrols),
		TEST(a_wrong_password_is_known_before_anything_is_finished),
		TEST(a_vault_that_is_forged_old_or_another_s_is_refused),
		TEST(the_identity_to_come_is_taken_from_a_vault_of_the_one_before),
		TEST(a_vault_of_the_one_before_that_knew_no_other_is_refused),
		TEST(a_vault_that_holds_another_key_than_its_signer_s_is_refused),
		TEST(an_account_that_is_known_has_an_identity_whatever_the_directory_says),
		TEST(a_key_that_was_given_up_is_not_gone_back_to),
		TEST(parts_out_of_order_and_beyond_the_end_are_refused),
		TEST(a_list_that_its_identity_did_not_sign_is_refused),
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
