#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/proof.h"

static struct identity alice, bob;
static const struct name name = { "alice" }, longest = { "abcdefghijklmnopqrstuvwxyz012345" };

static const struct {
	const char *domain;
	void (*prove)(uint8_t out[PROOF_SIZE], const struct identity *by,
		      const uint8_t handshake_hash[64], const struct name *name);
	int (*verify)(const uint8_t proof[PROOF_SIZE], const struct identity_public *by,
		      const uint8_t handshake_hash[64], const struct name *name);
} kinds[] = {
	{ "palique-register-v1", proof_register, proof_register_verify },
	{ "palique-recover-v1", proof_recover, proof_recover_verify },
	{ "palique-delete-v1", proof_delete, proof_delete_verify },
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void a_proof_holds_on_its_link_for_its_name_and_nowhere_else(void **state)
{
	uint8_t here[64] = "this link", there[64] = "another link", proof[PROOF_SIZE];

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		kinds[i].prove(proof, &alice, here, &name);
		assert_int_equal(kinds[i].verify(proof, &alice.public, here, &name), 0);
		assert_int_equal(kinds[i].verify(proof, &bob.public, here, &name), ERR_AUTH);
		assert_int_equal(kinds[i].verify(proof, &alice.public, there, &name), ERR_AUTH);
		assert_int_equal(kinds[i].verify(proof, &alice.public, here, &longest),
				 ERR_AUTH);
		proof[9] ^= 1;
		assert_int_equal(kinds[i].verify(proof, &alice.public, here, &name), ERR_AUTH);
		kinds[i].prove(proof, &alice, here, &longest);
		assert_int_equal(kinds[i].verify(proof, &alice.public, here, &longest), 0);
	}
}

static void a_proof_of_one_thing_proves_no_other(void **state)
{
	uint8_t here[64] = "this link", proof[PROOF_SIZE];

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		kinds[i].prove(proof, &alice, here, &name);
		for (size_t j = 0; j < KINDS; j++)
			assert_int_equal(kinds[j].verify(proof, &alice.public, here, &name),
					 i == j ? 0 : ERR_AUTH);
	}
}

static void what_is_signed_is_as_it_is_written_down(void **state)
{
	uint8_t here[64] = "this link", proof[PROOF_SIZE], expected[PROOF_SIZE];

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct buf text = { 0 };

		buf_append(&text, bytes_text(kinds[i].domain));
		buf_append(&text, BYTES(here));
		buf_append(&text, bytes_text("alice"));
		crypto_sign_detached(expected, NULL, text.data, text.size, alice.secret.bytes);
		kinds[i].prove(proof, &alice, here, &name);
		assert_memory_equal(proof, expected, sizeof proof);
		buf_clear(&text);
	}
}

static void the_context_of_a_login_names_link_and_stretching(void **state)
{
	uint8_t here[64], out[PROOF_CONTEXT_SIZE];

	(void)state;
	memset(here, 0xab, sizeof here);
	proof_context(out, KSF_ARGON2ID_256M, here);
	assert_memory_equal(out, "palique-OPAQUE-v1\2", 18);
	assert_memory_equal(out + 18, here, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proof_holds_on_its_link_for_its_name_and_nowhere_else),
		cmocka_unit_test(a_proof_of_one_thing_proves_no_other),
		cmocka_unit_test(what_is_signed_is_as_it_is_written_down),
		cmocka_unit_test(the_context_of_a_login_names_link_and_stretching),
	};

	if (sodium_init() < 0)
		return 1;
	identity_make(&alice);
	identity_make(&bob);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
