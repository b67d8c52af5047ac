/* Every message of OPAQUE out of nowhere, or a true one with changes. The first byte chooses
 * the message and whether the rest is the message itself or pairs of place and change. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "shared/opaque.h"
#include "shared/oprf.h"
#include "tests/opaque_answers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct opaque_names names;
static struct opaque_server server;
static struct opaque_client_random client_random;
static struct opaque_server_random server_random;
static uint8_t record[OPAQUE_RECORD_SIZE];

static void must(int err)
{
	if (err < 0)
		abort();
}

/* The same in each run, so that a finding can be repeated. */
static void scene_make(void)
{
	static const uint8_t seed[32] = { 1 };
	struct opaque_client c = { 0 };
	uint8_t request[32], response[64], oprf[64], export_key[64];

	if (client_random.blind[0])
		return;
	must(sodium_init());
	must(oprf_derive_key(OPRF_BASE, seed, bytes_text("fuzz"), server.secret,
			     server.public));
	client_random = (struct opaque_client_random){ .blind = { 2 } };
	must(opaque_register_start(&c, bytes_text("password"), &client_random, request));
	must(answer_registration(&server, bytes_text("name"), request, response));
	must(opaque_register_evaluate(&c, response, oprf));
	must(opaque_register_finish(&c, oprf, names, record, export_key));
}

/* Says whether the message is another than before. */
static bool attack(uint8_t *message, size_t size, bool is_raw, struct bytes with)
{
	uint8_t before[OPAQUE_KE2_SIZE];

	memcpy(before, message, size);
	if (is_raw && with.size > 0)
		memcpy(message, with.data, with.size < size ? with.size : size);
	for (; !is_raw && with.size >= 3; with.data += 3, with.size -= 3)
		message[(with.data[0] << 8 | with.data[1]) % size] ^= with.data[2];
	return memcmp(before, message, size) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct opaque_client c = { 0 };
	struct opaque_pending pending;
	uint8_t ke1[OPAQUE_KE1_SIZE], ke2[OPAQUE_KE2_SIZE], ke3[64], oprf[64], key[64] = { 0 };
	uint8_t other[64] = { 0 }, export_key[64], request[32];
	bool is_other = false, is_raw;
	unsigned which;
	struct bytes rest;

	if (size < 1)
		return 0;
	scene_make();
	which = data[0] & 3;
	is_raw = data[0] & 4;
	rest = bytes_of(data + 1, size - 1);

	must(opaque_register_start(&c, bytes_text("password"), &client_random, request));
	attack(request, sizeof request, is_raw, rest);
	answer_registration(&server, bytes_text("name"), request, other);

	must(opaque_login_start(&c, bytes_text("password"), &client_random, ke1));
	if (which == 0)
		is_other = attack(ke1, sizeof ke1, is_raw, rest);
	if (answer_login(&server, bytes_text("name"), record, names, bytes_text("context"),
			 &server_random, ke1, ke2, &pending) < 0)
		goto refused;
	if (which == 1)
		is_other = attack(ke2, sizeof ke2, is_raw, rest);
	if (opaque_login_evaluate(&c, ke2, oprf) < 0 ||
	    opaque_login_finish(&c, oprf, names, bytes_text("context"), ke3, key, export_key) <
		    0)
		goto refused;
	if (which == 2)
		is_other = attack(ke3, sizeof ke3, is_raw, rest);
	if (opaque_server_finish(&pending, ke3, other) < 0)
		goto refused;
	if (is_other || memcmp(key, other, sizeof key) != 0)
		abort();
	opaque_client_wipe(&c);
	return 0;
refused:
	if (!is_other)
		abort();
	opaque_client_wipe(&c);
	return 0;
}
