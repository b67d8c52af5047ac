/* Handshakes with messages out of nowhere, and true messages with changes: only an unchanged
 * one is read. The first byte chooses the protocol, the second the message and the kind of
 * attack, the rest is the message or pairs of place and change. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <sodium.h>

#include "shared/noise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	const char *name;
	unsigned psks;
} protocols[] = {
	{ "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b", 1 },
	{ "Noise_NK_25519_ChaChaPoly_BLAKE2b", 0 },
	{ "Noise_IK_25519_ChaChaPoly_BLAKE2b", 0 },
	{ "Noise_XXpsk0_25519_ChaChaPoly_BLAKE2b", 1 },
	{ "Noise_X1X1_25519_ChaChaPoly_BLAKE2b", 0 },
	{ "Noise_KNpsk1_25519_ChaChaPoly_BLAKE2b", 1 },
};

static struct device statics[2], ephemerals[2];

static void begin(struct noise *n, unsigned protocol, unsigned side)
{
	static const struct symmetric_key psk = { { 1, 2, 3 } };
	struct noise_keys keys = { .our_static = &statics[side],
				   .our_ephemeral = &ephemerals[side],
				   .their_static = &statics[!side].public,
				   .psks = &psk,
				   .psk_count = protocols[protocol].psks };

	if (noise_begin(n, protocols[protocol].name, side ? NOISE_RESPONDER : NOISE_INITIATOR,
			bytes_text("fuzz"), &keys) < 0)
		abort();
}

static void keys_make(void)
{
	for (unsigned i = 0; i < 2 && !statics[1].secret.bytes[0]; i++) {
		for (unsigned b = 0; b < 32; b++) {
			statics[i].secret.bytes[b] = 1 + i + 2 * b;
			ephemerals[i].secret.bytes[b] = 101 + i + 2 * b;
		}
		crypto_scalarmult_base(statics[i].public.bytes, statics[i].secret.bytes);
		crypto_scalarmult_base(ephemerals[i].public.bytes, ephemerals[i].secret.bytes);
	}
}

/* The true message with the changes; says whether it is another now. */
static bool change(struct buf *message, struct bytes changes)
{
	struct buf before = { 0 };
	bool is_other;

	buf_append(&before, buf_view(message));
	for (; changes.size >= 2; changes.data += 2, changes.size -= 2)
		message->data[changes.data[0] % message->size] ^= changes.data[1];
	if (changes.size == 1)
		message->size = changes.data[0] % (message->size + 1);
	is_other = !bytes_equal(buf_view(&before), buf_view(message));
	buf_clear(&before);
	return is_other;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct noise sides[2];
	struct buf message = { 0 }, payload = { 0 };
	unsigned protocol, target, m;
	bool is_raw, is_other = false, is_read = true;

	if (size < 2)
		return 0;
	keys_make();
	protocol = data[0] % (sizeof protocols / sizeof protocols[0]);
	target = data[1] & 3;
	is_raw = data[1] & 4;
	begin(&sides[0], protocol, 0);
	begin(&sides[1], protocol, 1);
	for (m = 0; is_read && !noise_is_done(&sides[0]); m++) {
		message.size = payload.size = 0;
		/* A point of low order is met by whoever multiplies with it first. */
		is_read = noise_write_tokens(&sides[m % 2], &message) == 0;
		if (!is_read)
			break;
		if (noise_write_payload(&sides[m % 2], bytes_text("payload"), &message) < 0)
			abort();
		if (m == target && !is_raw)
			is_other = change(&message, bytes_of(data + 2, size - 2));
		is_read = noise_read(&sides[!(m % 2)],
				     m == target && is_raw ? bytes_of(data + 2, size - 2)
							   : buf_view(&message),
				     &payload) == 0;
		if (!is_read && payload.size > 0)
			abort();
	}
	/* A change before there is a key shows at the next message, so: all read, none changed
	 * (but a one that nobody sealed, in the last). */
	if (is_read && is_other && m > target + 1)
		abort();
	if (!is_read && !is_other && !is_raw)
		abort();
	buf_clear(&message);
	buf_clear(&payload);
	return 0;
}
