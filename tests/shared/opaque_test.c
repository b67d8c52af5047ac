#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/opaque.h"
#include "tests/opaque_answers.h"

static struct opaque_server server;

/* Stands for Argon2id: another value that only the password's owner has. */
static void stretch(uint8_t out[64], const uint8_t in[64])
{
	crypto_hash_sha512(out, in, 64);
}

/* One whole registration. */
static void registered(uint8_t record[OPAQUE_RECORD_SIZE], const char *password,
		       struct opaque_names names, uint8_t export_key[64])
{
	struct opaque_client_random random;
	struct opaque_client c = { 0 };
	uint8_t request[32], response[64], oprf[64], stretched[64];

	opaque_client_random(&random);
	assert_int_equal(opaque_register_start(&c, bytes_text(password), &random, request), 0);
	assert_int_equal(answer_registration(&server, bytes_text("alice"), request, response),
			 0);
	assert_int_equal(opaque_register_evaluate(&c, response, oprf), 0);
	stretch(stretched, oprf);
	assert_int_equal(opaque_register_finish(&c, stretched, names, record, export_key), 0);
	assert_int_equal(opaque_server_check_record(record), 0);
	opaque_client_wipe(&c);
}

struct attempt {
	const char *password, *id;
	bool is_unstretched;
	struct opaque_names client_names, server_names;
	struct bytes client_context, server_context;
	uint8_t ke2[OPAQUE_KE2_SIZE], ke3[64], session[64], server_session[64], export_key[64];
	struct opaque_pending pending;
};

/* Up to KE3; the client's error. `changed` is a bit of KE2 to flip, or negative. */
static int log_in(struct attempt *a, const uint8_t record[OPAQUE_RECORD_SIZE], int changed)
{
	struct opaque_client_random random;
	struct opaque_server_random server_random;
	struct opaque_client c = { 0 };
	uint8_t ke1[OPAQUE_KE1_SIZE], oprf[64], stretched[64];
	int err;

	opaque_client_random(&random);
	opaque_server_random(&server_random);
	assert_int_equal(opaque_login_start(&c, bytes_text(a->password), &random, ke1), 0);
	assert_int_equal(answer_login(&server, bytes_text(a->id), record, a->server_names,
				      a->server_context, &server_random, ke1, a->ke2,
				      &a->pending),
			 0);
	if (changed >= 0)
		a->ke2[changed / 8] ^= 1 << changed % 8;
	err = opaque_login_evaluate(&c, a->ke2, oprf);
	if (err == 0) {
		stretch(stretched, oprf);
		err = opaque_login_finish(&c, a->is_unstretched ? oprf : stretched,
					  a->client_names, a->client_context, a->ke3,
					  a->session, a->export_key);
	}
	opaque_client_wipe(&c);
	return err;
}

static void the_right_password_gives_both_sides_one_key(void **state)
{
	uint8_t record[OPAQUE_RECORD_SIZE], export_key[64];
	struct attempt a = { .password = "secret", .id = "alice" };
	struct opaque_pending used;

	(void)state;
	registered(record, "secret", (struct opaque_names){ 0 }, export_key);
	assert_int_equal(log_in(&a, record, -1), 0);
	assert_int_equal(opaque_server_finish(&a.pending, a.ke3, a.server_session), 0);
	assert_memory_equal(a.session, a.server_session, 64);
	assert_memory_equal(a.export_key, export_key, 64);
	/* What the server kept is gone: a second KE3 finds nothing. */
	used = a.pending;
	assert_true(sodium_is_zero((const uint8_t *)&used, sizeof used));
	assert_int_equal(opaque_server_finish(&a.pending, a.ke3, a.server_session), ERR_AUTH);
}

static void a_wrong_password_and_an_unknown_name_look_alike(void **state)
{
	uint8_t record[OPAQUE_RECORD_SIZE], fake[OPAQUE_RECORD_SIZE], export_key[64];
	struct attempt wrong = { .password = "Secret", .id = "alice" };
	struct attempt unknown = { .password = "secret", .id = "mallory" };
	struct attempt other_name = { .password = "secret", .id = "bob" };

	(void)state;
	registered(record, "secret", (struct opaque_names){ 0 }, export_key);
	opaque_server_fake_record(fake);
	assert_int_equal(opaque_server_check_record(fake), 0);
	assert_int_equal(log_in(&wrong, record, -1), ERR_AUTH);
	assert_int_equal(log_in(&unknown, fake, -1), ERR_AUTH);
	assert_int_equal(log_in(&other_name, record, -1), ERR_AUTH);
	assert_true(sodium_is_zero(wrong.session, 64) && sodium_is_zero(wrong.ke3, 64));
	assert_true(sodium_is_zero(unknown.session, 64) &&
		    sodium_is_zero(unknown.export_key, 64));
}

static void the_stretching_is_part_of_the_password(void **state)
{
	uint8_t record[OPAQUE_RECORD_SIZE], export_key[64];
	struct attempt a = { .password = "secret", .id = "alice", .is_unstretched = true };

	(void)state;
	registered(record, "secret", (struct opaque_names){ 0 }, export_key);
	assert_int_equal(log_in(&a, record, -1), ERR_AUTH);
}

static void the_answer_for_an_unknown_name_never_repeats(void **state)
{
	uint8_t fake[OPAQUE_RECORD_SIZE];
	struct attempt one = { .password = "x", .id = "nobody" }, two = one;

	(void)state;
	opaque_server_fake_record(fake);
	log_in(&one, fake, -1);
	log_in(&two, fake, -1);
	assert_memory_not_equal(one.ke2 + 64, two.ke2 + 64, 128); /* the masked response */
	assert_memory_not_equal(one.ke2 + 192, two.ke2 + 192, 64);
}

static void every_part_of_ke2_counts(void **state)
{
	uint8_t record[OPAQUE_RECORD_SIZE], export_key[64];
	int bit;

	(void)state;
	registered(record, "secret", (struct opaque_names){ 0 }, export_key);
	for (bit = 0; bit < OPAQUE_KE2_SIZE * 8; bit += 17) {
		struct attempt a = { .password = "secret", .id = "alice" };

		assert_int_equal(log_in(&a, record, bit), ERR_AUTH);
		assert_true(sodium_is_zero(a.ke3, 64) && sodium_is_zero(a.session, 64));
	}
}

static void names_and_context_must_be_the_same_on_both_sides(void **state)
{
	struct opaque_names names = { bytes_text("alice"), bytes_text("home") };
	struct opaque_names others = { bytes_text("alice"), bytes_text("elsewhere") };
	uint8_t record[OPAQUE_RECORD_SIZE], export_key[64];
	struct attempt a = { .password = "p",
			     .id = "alice",
			     .client_names = names,
			     .server_names = names,
			     .client_context = bytes_text("channel 1"),
			     .server_context = bytes_text("channel 1") };
	struct attempt b = a, c = a, d = a;

	(void)state;
	registered(record, "p", names, export_key);
	assert_int_equal(log_in(&a, record, -1), 0);
	b.server_context = bytes_text("channel 2"); /* a relay between two channels */
	assert_int_equal(log_in(&b, record, -1), ERR_AUTH);
	c.client_names = others;
	assert_int_equal(log_in(&c, record, -1), ERR_AUTH);
	d.server_names = others;
	assert_int_equal(log_in(&d, record, -1), ERR_AUTH);
}

static void the_server_refuses_what_is_not_an_element(void **state)
{
	uint8_t record[OPAQUE_RECORD_SIZE], export_key[64], ke1[OPAQUE_KE1_SIZE],
		request[32] = { 0 };
	uint8_t ke2[OPAQUE_KE2_SIZE] = { 0 }, response[64] = { 0 };
	struct opaque_client_random random;
	struct opaque_server_random server_random;
	struct opaque_client c = { 0 };
	struct opaque_pending pending;
	size_t at;

	(void)state;
	registered(record, "p", (struct opaque_names){ 0 }, export_key);
	opaque_client_random(&random);
	opaque_server_random(&server_random);
	for (at = 0; at <= 64; at += 64) {
		assert_int_equal(opaque_login_start(&c, bytes_text("p"), &random, ke1), 0);
		memset(ke1 + at, 0, 32);
		assert_int_equal(answer_login(&server, bytes_text("alice"), record,
					      (struct opaque_names){ 0 }, bytes_text(""),
					      &server_random, ke1, ke2, &pending),
				 ERR_AUTH);
		memset(ke1 + at, 0xff, 32);
		assert_int_equal(answer_login(&server, bytes_text("alice"), record,
					      (struct opaque_names){ 0 }, bytes_text(""),
					      &server_random, ke1, ke2, &pending),
				 ERR_AUTH);
	}
	assert_true(sodium_is_zero(ke2, sizeof ke2));
	assert_int_equal(answer_registration(&server, bytes_text("alice"), request, response),
			 ERR_AUTH);
	assert_true(sodium_is_zero(response, sizeof response));
	memset(record, 0, 32);
	assert_int_equal(opaque_server_check_record(record), ERR_AUTH);
	opaque_client_wipe(&c);
}

static void what_is_held_is_not_shown_where_a_point_is_refused(void **state)
{
	uint8_t ke1[OPAQUE_KE1_SIZE], zero[32] = { 0 };
	struct opaque_client_random random;
	struct opaque_client c = { 0 };
	struct opaque_held held = { 0 };

	(void)state;
	opaque_client_random(&random);
	assert_int_equal(opaque_login_start(&c, bytes_text("p"), &random, ke1), 0);
	assert_int_equal(opaque_hold(&server, bytes_text("a"), zero, NULL, &held), ERR_AUTH);
	assert_int_equal(
		opaque_hold(&server, bytes_text("a"), opaque_ke1_blinded(ke1), zero, &held),
		ERR_AUTH);
	assert_true(sodium_is_zero((const uint8_t *)&held, sizeof held));
	assert_int_equal(
		opaque_hold(&server, bytes_text("a"), opaque_ke1_blinded(ke1), NULL, &held), 0);
	assert_false(sodium_is_zero(held.evaluated, sizeof held.evaluated));
	assert_true(sodium_is_zero(held.shared, sizeof held.shared));
	opaque_client_wipe(&c);
}

static void what_was_held_for_a_registration_answers_no_login(void **state)
{
	uint8_t record[OPAQUE_RECORD_SIZE], export_key[64], ke1[OPAQUE_KE1_SIZE];
	uint8_t ke2[OPAQUE_KE2_SIZE] = { 0 };
	struct opaque_client_random random;
	struct opaque_server_random server_random;
	struct opaque_client c = { 0 };
	struct opaque_held held;
	struct opaque_pending pending;

	(void)state;
	registered(record, "p", (struct opaque_names){ 0 }, export_key);
	opaque_client_random(&random);
	opaque_server_random(&server_random);
	assert_int_equal(opaque_login_start(&c, bytes_text("p"), &random, ke1), 0);
	assert_int_equal(
		opaque_hold(&server, bytes_text("alice"), opaque_ke1_blinded(ke1), NULL, &held),
		0);
	assert_int_equal(opaque_server_respond(server.public, &held, record,
					       (struct opaque_names){ 0 }, bytes_text(""),
					       &server_random, ke1, ke2, &pending),
			 ERR_AUTH);
	assert_true(sodium_is_zero(ke2, sizeof ke2));
	opaque_client_wipe(&c);
}

static void the_client_refuses_a_server_that_answers_with_the_identity(void **state)
{
	struct opaque_client_random random;
	struct opaque_client c = { 0 };
	uint8_t request[32], response[64], oprf[64] = { 0 };
	size_t at;

	(void)state;
	opaque_client_random(&random);
	for (at = 0; at <= 32; at += 32) {
		assert_int_equal(opaque_register_start(&c, bytes_text("p"), &random, request),
				 0);
		assert_int_equal(
			answer_registration(&server, bytes_text("a"), request, response), 0);
		memset(response + at, 0, 32);
		assert_int_equal(opaque_register_evaluate(&c, response, oprf), ERR_AUTH);
		assert_true(sodium_is_zero(oprf, sizeof oprf));
	}
	opaque_client_wipe(&c);
}

static void steps_come_in_their_order(void **state)
{
	struct opaque_client_random random;
	struct opaque_client c = { 0 };
	uint8_t big[OPAQUE_KE2_SIZE] = { 0 }, out[OPAQUE_RECORD_SIZE], more[64], key[64],
		ke1[96];

	(void)state;
	opaque_client_random(&random);
	assert_int_equal(opaque_login_evaluate(&c, big, more), ERR_STATE);
	assert_int_equal(opaque_register_evaluate(&c, big, more), ERR_STATE);
	assert_int_equal(opaque_login_start(&c, bytes_text("p"), &random, ke1), 0);
	assert_int_equal(opaque_register_evaluate(&c, big, more), ERR_STATE);
	assert_int_equal(opaque_register_finish(&c, more, (struct opaque_names){ 0 }, out, key),
			 ERR_STATE);
	assert_int_equal(opaque_login_finish(&c, more, (struct opaque_names){ 0 },
					     bytes_text(""), more, key, key),
			 ERR_STATE);
	opaque_client_wipe(&c);
	assert_true(sodium_is_zero((const uint8_t *)&c, sizeof c));
}

static void a_password_beyond_the_limit_is_refused(void **state)
{
	static const uint8_t password[OPAQUE_PASSWORD_MAX + 1];
	struct opaque_client_random random;
	struct opaque_client c = { 0 };
	uint8_t request[32];

	(void)state;
	opaque_client_random(&random);
	assert_int_equal(opaque_register_start(&c, BYTES(password), &random, request),
			 ERR_LIMIT);
	assert_int_equal(opaque_register_start(&c, bytes_of(password, OPAQUE_PASSWORD_MAX),
					       &random, request),
			 0);
	opaque_client_wipe(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_password_gives_both_sides_one_key),
		cmocka_unit_test(a_wrong_password_and_an_unknown_name_look_alike),
		cmocka_unit_test(the_stretching_is_part_of_the_password),
		cmocka_unit_test(the_answer_for_an_unknown_name_never_repeats),
		cmocka_unit_test(every_part_of_ke2_counts),
		cmocka_unit_test(names_and_context_must_be_the_same_on_both_sides),
		cmocka_unit_test(the_server_refuses_what_is_not_an_element),
		cmocka_unit_test(what_is_held_is_not_shown_where_a_point_is_refused),
		cmocka_unit_test(what_was_held_for_a_registration_answers_no_login),
		cmocka_unit_test(the_client_refuses_a_server_that_answers_with_the_identity),
		cmocka_unit_test(steps_come_in_their_order),
		cmocka_unit_test(a_password_beyond_the_limit_is_refused),
	};

	if (sodium_init() < 0)
		return 1;
	opaque_server_make(&server);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
