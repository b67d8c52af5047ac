#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "directory/enlist.h"
#include "directory/login.h"
#include "shared/error.h"
#include "shared/proof.h"

/* A registry that answers what the test wants. */
struct fake {
	struct registry row;
	const char *asked;
	struct registry_answer answer;
	struct registry_new created;
};
static struct fake store;
static struct login_desk desk;
static struct opaque_server server;
static struct login *l;
static const uint8_t hash[64] = { 1, 2, 3 };
static const struct address from = { .family = 4, .port = 1, .ip = { 10, 0, 0, 1 } };
static struct identity identity;
static struct device device;
static struct certificate certificate;
static struct wire_message m, reply;
static enum wire_type about;

static void may(struct registry *r, uint64_t ticket, const struct name *name, bool needs_invite,
		struct bytes invite, wall_ms now)
{
	(void)r, (void)ticket, (void)name, (void)invite, (void)now;
	store.asked = needs_invite ? "may-invite" : "may";
}

static void create(struct registry *r, uint64_t ticket, const struct registry_new *account,
		   wall_ms now)
{
	(void)r, (void)ticket, (void)now;
	store.asked = "create";
	store.created = *account;
}

static void find(struct registry *r, uint64_t ticket, const struct name *name)
{
	(void)r, (void)ticket, (void)name;
	store.asked = "find";
}

static void enrol(struct registry *r, uint64_t ticket, const struct name *name,
		  const struct certificate *c, wall_ms now)
{
	(void)r, (void)ticket, (void)name, (void)c, (void)now;
	store.asked = "enrol";
}

static int begin(void **state)
{
	struct limits_config config = limits_default();
	static const uint8_t key[16];

	(void)state;
	store = (struct fake){
		.row = { .may_register = may, .create = create, .find = find, .enrol = enrol },
		.asked = ""
	};
	opaque_server_make(&server);
	desk = (struct login_desk){
		.opaque = &server,
		.registry = &store.row,
		.limits = limits_new(&config, key),
		.registration = REGISTRATION_OPEN,
		.ksf = KSF_ARGON2ID_64M,
	};
	identity_make(&identity);
	device_make(&device);
	certificate_make(&certificate, &identity, &device.public, "test", 1, 0);
	l = login_new(hash, &from);
	return 0;
}

static int end(void **state)
{
	(void)state;
	login_free(l);
	limits_free(desk.limits);
	return 0;
}

static int say(void)
{
	uint32_t retry_after;

	store.asked = "";
	return login_message(l, &desk, &m, 1, SECOND, 1700000000000, &retry_after);
}

static int answered(void)
{
	return login_answer(l, &desk, &store.answer, &reply, &about);
}

/* The registration's record, made beforehand by both sides in one place. */
static void make_record(const char *password, uint8_t record[OPAQUE_RECORD_SIZE])
{
	static struct opaque_client c;
	struct opaque_client_random random;
	struct opaque_names names = { { 0 }, { 0 } };
	uint8_t request[32], response[64], oprf[64], export[64];

	opaque_client_random(&random);
	opaque_register_start(&c, bytes_text(password), &random, request);
	opaque_server_register(&server, bytes_text("alice"), request, response);
	opaque_register_evaluate(&c, response, oprf);
	opaque_register_finish(&c, oprf, names, record, export);
}

static void start_registration(void)
{
	static struct opaque_client c;
	struct opaque_client_random random;

	memset(&m, 0, sizeof m);
	m.type = WIRE_REGISTER_START;
	name_parse(&m.register_start.name, bytes_text("alice"));
	opaque_client_random(&random);
	opaque_register_start(&c, bytes_text("secret"), &random, m.register_start.request);
}

static void finish_registration(const uint8_t *bound_to)
{
	struct name alice = { "alice" };

	memset(&m, 0, sizeof m);
	m.type = WIRE_REGISTER_FINISH;
	make_record("secret", m.register_finish.record);
	m.register_finish.certificate = certificate;
	proof_register(m.register_finish.proof_of_possession, &identity, bound_to, &alice);
}

/* KE1 said and KE2 taken; what LOGIN_FINISH would be, with everything right. */
static void challenge_login(const char *password, const uint8_t *bound_to, enum ksf ksf)
{
	static struct opaque_client c;
	struct opaque_client_random random;
	struct opaque_names names = { { 0 }, { 0 } };
	uint8_t oprf[64], ke3[64], session[64], export[64], context[PROOF_CONTEXT_SIZE];

	memset(&m, 0, sizeof m);
	m.type = WIRE_LOGIN_START;
	name_parse(&m.login_start.name, bytes_text("alice"));
	opaque_client_random(&random);
	opaque_login_start(&c, bytes_text(password), &random, m.login_start.ke1);
	assert_int_equal(say(), 0);
	assert_string_equal(store.asked, "find");
	assert_int_equal(answered(), 0);
	assert_int_equal(reply.type, WIRE_LOGIN_CHALLENGE);
	assert_int_equal(reply.login_challenge.ksf, KSF_ARGON2ID_64M);
	proof_context(context, ksf, bound_to);
	memset(&m, 0, sizeof m);
	m.type = WIRE_LOGIN_FINISH;
	m.login_finish.certificate = certificate;
	if (opaque_login_evaluate(&c, reply.login_challenge.ke2, oprf) < 0 ||
	    opaque_login_finish(&c, oprf, names, BYTES(context), ke3, session, export) < 0)
		return;
	memcpy(m.login_finish.ke3, ke3, sizeof ke3);
	proof_enrol(m.login_finish.mac, session, &device.public, bound_to);
}

static void a_record_that_nobody_could_log_in_with_is_not_stored(void **state)
{
	(void)state;
	start_registration();
	assert_int_equal(say(), 0);
	assert_int_equal(answered(), 0);
	finish_registration(hash);
	memset(m.register_finish.record, 0, 32); /* the client's key: the identity element */
	assert_int_equal(say(), ERR_AUTH);
	assert_string_equal(store.asked, "");
}

static void a_registration_goes_through_its_steps(void **state)
{
	(void)state;
	start_registration();
	assert_int_equal(say(), 0);
	assert_string_equal(store.asked, "may");
	assert_int_equal(answered(), 0);
	assert_int_equal(reply.type, WIRE_REGISTER_CHALLENGE);
	finish_registration(hash);
	assert_int_equal(say(), 0);
	assert_string_equal(store.asked, "create");
	assert_true(store.created.has_identity);
	assert_string_equal(store.created.name.text, "alice");
	assert_int_equal(answered(), 0);
	assert_int_equal(reply.type, WIRE_REGISTER_DONE);
}

static void registration_minds_the_mode(void **state)
{
	(void)state;
	start_registration();
	desk.registration = REGISTRATION_CLOSED;
	assert_int_equal(say(), ERR_REFUSED);
	assert_string_equal(store.asked, "");
	desk.registration = REGISTRATION_INVITE;
	assert_int_equal(say(), 0);
	assert_string_equal(store.asked, "may-invite");
	store.answer.err = ERR_EXPIRED;
	assert_int_equal(answered(), ERR_EXPIRED);
	assert_int_equal(about, WIRE_REGISTER_START);
}

static void a_proof_from_another_link_is_refused(void **state)
{
	static const uint8_t other[64] = { 9 };

	(void)state;
	start_registration();
	say();
	answered();
	finish_registration(other);
	assert_int_equal(say(), ERR_AUTH);
	assert_string_equal(store.asked, "");
}

static void a_forged_or_outlived_certificate_is_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		start_registration();
		assert_int_equal(say(), 0);
		answered();
		if (i == 0)
			certificate.device.bytes[0] ^= 1;
		else
			certificate_make(&certificate, &identity, &device.public, "t", 1, 1000);
		finish_registration(hash);
		assert_int_equal(say(), ERR_AUTH);
		assert_string_equal(store.asked, "");
	}
}

static void steps_out_of_order_end_the_link(void **state)
{
	(void)state;
	finish_registration(hash);
	assert_int_equal(say(), ERR_STATE);
	m.type = WIRE_LOGIN_FINISH;
	assert_int_equal(say(), ERR_STATE);
	start_registration();
	assert_int_equal(say(), 0);
	answered();
	m.type = WIRE_LOGIN_FINISH;
	assert_int_equal(say(), ERR_STATE);
	m.type = WIRE_PUBLISH;
	assert_int_equal(say(), ERR_STATE);
}

static void the_right_password_logs_in(void **state)
{
	(void)state;
	make_record("secret", store.answer.record);
	store.answer.is_found = true;
	challenge_login("secret", hash, KSF_ARGON2ID_64M);
	assert_int_equal(say(), 0);
	assert_string_equal(store.asked, "enrol");
	assert_int_equal(answered(), 0);
	assert_int_equal(reply.type, WIRE_LOGIN_DONE);
}

static void every_wrong_finish_is_the_same_refusal(void **state)
{
	static const uint8_t other[64] = { 9 };

	(void)state;
	make_record("secret", store.answer.record);
	challenge_login("guess", hash, KSF_ARGON2ID_64M);
	assert_int_equal(say(), ERR_AUTH);
	challenge_login("secret", other, KSF_ARGON2ID_64M); /* relayed from another link */
	assert_int_equal(say(), ERR_AUTH);
	challenge_login("secret", hash, KSF_ARGON2ID_256M); /* another stretching */
	assert_int_equal(say(), ERR_AUTH);
	store.answer.has_identity = true; /* the account is another's */
	challenge_login("secret", hash, KSF_ARGON2ID_64M);
	assert_int_equal(say(), ERR_AUTH);
	assert_string_equal(store.asked, "");
}

static void the_mac_binds_the_device_that_is_enrolled(void **state)
{
	struct device another;

	(void)state;
	make_record("secret", store.answer.record);
	challenge_login("secret", hash, KSF_ARGON2ID_64M);
	device_make(&another);
	certificate_make(&m.login_finish.certificate, &identity, &another.public, "t", 1, 0);
	assert_int_equal(say(), ERR_AUTH);
	assert_string_equal(store.asked, "");
}

static void an_unknown_name_is_challenged_like_a_known_one(void **state)
{
	(void)state;
	opaque_server_fake_record(store.answer.record);
	store.answer.is_found = false;
	challenge_login("secret", hash, KSF_ARGON2ID_64M);
	assert_int_equal(say(), ERR_AUTH);
}

static void answers_are_charged_and_success_is_given_back(void **state)
{
	uint32_t wait;
	struct name alice = { "alice" };

	(void)state;
	make_record("secret", store.answer.record);
	for (int i = 0; i < 20; i++) {
		challenge_login("secret", hash, KSF_ARGON2ID_64M);
		assert_int_equal(say(), 0);
		assert_int_equal(answered(), 0);
	}
	for (int i = 0; i < 5; i++) {
		challenge_login("guess", hash, KSF_ARGON2ID_64M);
		assert_int_equal(say(), ERR_AUTH);
	}
	assert_int_equal(limits_take(desk.limits, LIMIT_LOGIN, &from, &alice, SECOND, &wait),
			 ERR_BUSY);
	m.type = WIRE_LOGIN_START;
	m.login_start.name = alice;
	assert_int_equal(say(), ERR_BUSY);
	assert_string_equal(store.asked, "");
}

static void a_store_that_fails_says_nothing_about_the_name(void **state)
{
	static struct opaque_client c;
	struct opaque_client_random random;

	(void)state;
	memset(&m, 0, sizeof m);
	m.type = WIRE_LOGIN_START;
	name_parse(&m.login_start.name, bytes_text("alice"));
	opaque_client_random(&random);
	opaque_login_start(&c, bytes_text("x"), &random, m.login_start.ke1);
	assert_int_equal(say(), 0);
	store.answer.err = ERR_IO;
	assert_int_equal(answered(), ERR_BUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(a_registration_goes_through_its_steps),
		ROW(a_record_that_nobody_could_log_in_with_is_not_stored),
		ROW(registration_minds_the_mode),
		ROW(a_proof_from_another_link_is_refused),
		ROW(a_forged_or_outlived_certificate_is_refused),
		ROW(steps_out_of_order_end_the_link),
		ROW(the_right_password_logs_in),
		ROW(every_wrong_finish_is_the_same_refusal),
		ROW(the_mac_binds_the_device_that_is_enrolled),
		ROW(an_unknown_name_is_challenged_like_a_known_one),
		ROW(answers_are_charged_and_success_is_given_back),
		ROW(a_store_that_fails_says_nothing_about_the_name),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
