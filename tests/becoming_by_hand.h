/* Included by a test of becoming somebody, once: the directory's half, by hand. */
#ifndef PALIQUE_TESTS_BECOMING_BY_HAND_H
#define PALIQUE_TESTS_BECOMING_BY_HAND_H

#include <sodium.h>
#include <string.h>

#include "peer/becoming.h"
#include "shared/proof.h"

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

static inline struct becoming_wish wish_of(enum becoming_kind kind, const char *password)
{
	static const struct device_public key = { { 9 } };

	return (struct becoming_wish){ .kind = kind,
				       .name = s.name,
				       .place = { "dir.example", 7272 },
				       .directory_key = &key,
				       .password = bytes_text(password),
				       .ticket = 7 };
}

static inline struct wire_message next(enum wire_type type)
{
	struct wire_message m;

	assert_true(becoming_next(s.b, &m));
	assert_int_equal(m.type, type);
	return m;
}

static inline int hear(const struct wire_message *m)
{
	return becoming_hear(s.b, m);
}

static inline int refuse(enum wire_type about, int error, unsigned bits)
{
	struct wire_message m = { .type = WIRE_REFUSAL };

	m.refusal.about = about;
	m.refusal.error = error;
	m.refusal.work.bits = (uint8_t)bits;
	return hear(&m);
}

/* Stretching is the same function of its input for everyone. */
static inline int stretch(void)
{
	struct job job;

	assert_true(becoming_next_job(s.b, ++s.jobs, &job));
	assert_int_equal(job.kind, JOB_STRETCH);
	for (size_t i = 0; i < sizeof job.stretch; i++)
		job.stretch[i] ^= 0x5a;
	assert_true(becoming_wants(s.b, &job));
	return becoming_answered(s.b, &job);
}

static inline void evaluate(const uint8_t *request, uint8_t *response)
{
	struct opaque_held held;

	assert_int_equal(opaque_hold(&s.server, bytes_text(s.name.text), request, NULL, &held),
			 0);
	opaque_server_register(s.server.public, &held, response);
}

static inline void seal(void)
{
	struct vault v = { .identity = s.identity };

	s.sealed.size = 0;
	assert_int_equal(vault_seal(&v, &s.key, &s.name, s.version, &s.sealed), 0);
	vault_sign(s.signature, &s.identity, &s.name, s.version, buf_view(&s.sealed));
}

static inline void make_record(void)
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

static inline int begin(void **state)
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

static inline int end(void **state)
{
	(void)state;
	becoming_free(s.b);
	buf_clear(&s.sealed);
	return 0;
}

static inline void start(const struct becoming_wish *wish)
{
	assert_int_equal(becoming_new(&s.b, wish), 0);
	assert_int_equal(becoming_up(s.b, s.hash), 0);
}

/* Up to LOGIN_FINISH. */
static inline int prove(void)
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

static inline int done(struct bytes wrap)
{
	struct wire_message m = { .type = WIRE_LOGIN_DONE };

	m.login_done.has_identity = true;
	m.login_done.devices = s.devices;
	m.login_done.wrap = wrap;
	m.login_done.vault_version = s.version;
	return hear(&m);
}

static inline int give_vault(size_t part)
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

static inline void log_in(void)
{
	uint8_t session_key[OPAQUE_SESSION_KEY_SIZE];
	struct becoming_wish wish = wish_of(BECOMING_LOGIN, PASSWORD);
	struct wire_message m;

	start(&wish);
	assert_int_equal(prove(), BECOMING_ON);
	m = next(WIRE_LOGIN_FINISH);
	assert_int_equal(opaque_server_finish(&s.pending, m.login_finish.ke3, session_key), 0);
}

static inline int enrol(void)
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

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

#endif
