#include "shared/noise.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/noise_pattern.h"

enum { PUBLIC_SIZE = 32, BLAKE2B_BLOCK_SIZE = 128 };

/* ---- Hashing (section 4.3): HMAC over BLAKE2b, not BLAKE2b's own keyed mode. ---- */

static void hmac_blake2b(uint8_t out[NOISE_HASH_SIZE], const uint8_t key[NOISE_HASH_SIZE],
			 struct bytes a, struct bytes b)
{
	crypto_generichash_state state;
	uint8_t pad[BLAKE2B_BLOCK_SIZE], inner[NOISE_HASH_SIZE];
	size_t i;

	memset(pad, 0x36, sizeof pad);
	for (i = 0; i < NOISE_HASH_SIZE; i++)
		pad[i] ^= key[i];
	crypto_generichash_init(&state, NULL, 0, sizeof inner);
	crypto_generichash_update(&state, pad, sizeof pad);
	crypto_generichash_update(&state, a.data, a.size);
	crypto_generichash_update(&state, b.data, b.size);
	crypto_generichash_final(&state, inner, sizeof inner);

	for (i = 0; i < sizeof pad; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	crypto_generichash_init(&state, NULL, 0, NOISE_HASH_SIZE);
	crypto_generichash_update(&state, pad, sizeof pad);
	crypto_generichash_update(&state, inner, sizeof inner);
	crypto_generichash_final(&state, out, NOISE_HASH_SIZE);

	sodium_memzero(&state, sizeof state);
	sodium_memzero(pad, sizeof pad);
	sodium_memzero(inner, sizeof inner);
}

/* HKDF(chaining_key, input_key_material, count) */
static void hkdf(uint8_t out[][NOISE_HASH_SIZE], unsigned count,
		 const uint8_t ck[NOISE_HASH_SIZE], struct bytes input)
{
	struct bytes before = { 0 };
	uint8_t temp[NOISE_HASH_SIZE];
	unsigned i;

	hmac_blake2b(temp, ck, input, (struct bytes){ 0 });
	for (i = 0; i < count; i++) {
		uint8_t number = i + 1;

		hmac_blake2b(out[i], temp, before, bytes_of(&number, 1));
		before = bytes_of(out[i], NOISE_HASH_SIZE);
	}
	sodium_memzero(temp, sizeof temp);
}

static void hash_into(uint8_t h[NOISE_HASH_SIZE], struct bytes a, struct bytes b)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, NOISE_HASH_SIZE);
	crypto_generichash_update(&state, a.data, a.size);
	crypto_generichash_update(&state, b.data, b.size);
	crypto_generichash_final(&state, h, NOISE_HASH_SIZE);
}

/* ---- CipherState (section 5.1) ---- */

static void cipher_set(struct noise_cipher *c, const uint8_t key[NOISE_HASH_SIZE])
{
	memcpy(c->key, key, sizeof c->key); /* truncated: section 5.2 */
	c->nonce = 0;
	c->has_key = true;
}

/* 32 bits of zeros and the counter, little-endian (section 12.3). The largest counter is
 * reserved (section 5.1). */
static int cipher_nonce(const struct noise_cipher *c, uint8_t nonce[12])
{
	size_t i;

	if (c->nonce == UINT64_MAX)
		return ERR_STATE;
	memset(nonce, 0, 4);
	for (i = 0; i < 8; i++)
		nonce[4 + i] = c->nonce >> (8 * i);
	return 0;
}

int noise_encrypt(struct noise_cipher *c, struct bytes ad, struct bytes plain, struct buf *out)
{
	uint8_t nonce[12];
	uint8_t *room;

	if (!c->has_key)
		return buf_append(out, plain);
	if (plain.size > NOISE_MESSAGE_MAX - NOISE_TAG_SIZE)
		return ERR_LIMIT;
	if (cipher_nonce(c, nonce) < 0)
		return ERR_STATE;
	room = buf_room(out, plain.size + NOISE_TAG_SIZE);
	if (!room)
		return ERR_LIMIT;
	crypto_aead_chacha20poly1305_ietf_encrypt(room, NULL, plain.data, plain.size, ad.data,
						  ad.size, NULL, nonce, c->key);
	buf_grew(out, plain.size + NOISE_TAG_SIZE);
	c->nonce++;
	return 0;
}

int noise_decrypt(struct noise_cipher *c, struct bytes ad, struct bytes sealed, struct buf *out)
{
	uint8_t nonce[12];
	uint8_t *room;

	if (!c->has_key)
		return buf_append(out, sealed);
	if (sealed.size > NOISE_MESSAGE_MAX)
		return ERR_LIMIT;
	if (sealed.size < NOISE_TAG_SIZE)
		return ERR_FORMAT;
	if (cipher_nonce(c, nonce) < 0)
		return ERR_STATE;
	room = buf_room(out, sealed.size - NOISE_TAG_SIZE);
	if (!room)
		return ERR_LIMIT;
	if (crypto_aead_chacha20poly1305_ietf_decrypt(room, NULL, NULL, sealed.data,
						      sealed.size, ad.data, ad.size, nonce,
						      c->key) != 0)
		return ERR_AUTH;
	buf_grew(out, sealed.size - NOISE_TAG_SIZE);
	c->nonce++;
	return 0;
}

/* ---- SymmetricState (section 5.2) ---- */

static void mix_hash(struct noise *n, struct bytes data)
{
	hash_into(n->h, bytes_of(n->h, sizeof n->h), data);
}

static void mix_key(struct noise *n, struct bytes input)
{
	uint8_t out[2][NOISE_HASH_SIZE];

	hkdf(out, 2, n->ck, input);
	memcpy(n->ck, out[0], sizeof n->ck);
	cipher_set(&n->cipher, out[1]);
	sodium_memzero(out, sizeof out);
}

static void mix_key_and_hash(struct noise *n, struct bytes input)
{
	uint8_t out[3][NOISE_HASH_SIZE];

	hkdf(out, 3, n->ck, input);
	memcpy(n->ck, out[0], sizeof n->ck);
	mix_hash(n, bytes_of(out[1], sizeof out[1]));
	cipher_set(&n->cipher, out[2]);
	sodium_memzero(out, sizeof out);
}

static int encrypt_and_hash(struct noise *n, struct bytes plain, struct buf *out)
{
	size_t start = out->size;
	int err = noise_encrypt(&n->cipher, BYTES(n->h), plain, out);

	if (err < 0)
		return err;
	mix_hash(n, bytes_of(out->data + start, out->size - start));
	return 0;
}

static int decrypt_and_hash(struct noise *n, struct bytes sealed, struct buf *out)
{
	int err = noise_decrypt(&n->cipher, BYTES(n->h), sealed, out);

	if (err < 0)
		return err;
	mix_hash(n, sealed);
	return 0;
}

/* ---- HandshakeState (section 5.3) ---- */

/* The `i`th token of message `message`, with the psk tokens where the modifiers put them:
 * psk0 before the first message's tokens, pskN behind the Nth's (section 9.2). */
static enum noise_token token_at(const struct noise *n, unsigned i)
{
	const uint8_t *tokens = n->pattern->messages[n->message];
	unsigned count = 0;

	if (n->message == 0 && n->psk_modifiers & 1) {
		if (i == 0)
			return NOISE_PSK;
		i--;
	}
	while (count < NOISE_TOKENS_MAX && tokens[count] != NOISE_END)
		count++;
	if (i < count)
		return tokens[i];
	if (i == count && n->psk_modifiers >> (n->message + 1) & 1)
		return NOISE_PSK;
	return NOISE_END;
}

/* "psk0+psk2" as bits; each at most once and in order, as there must be one name for one
 * protocol (section 8). */
static int modifiers_parse(uint8_t *bits, struct bytes text, unsigned messages)
{
	unsigned place;

	*bits = 0;
	while (text.size > 0) {
		if (*bits != 0) {
			if (text.data[0] != '+')
				return ERR_NOT_FOUND;
			text = bytes_of(text.data + 1, text.size - 1);
		}
		if (text.size < 4 || memcmp(text.data, "psk", 3) != 0 || text.data[3] < '0')
			return ERR_NOT_FOUND;
		place = text.data[3] - '0';
		if (place > messages || *bits >> place != 0)
			return ERR_NOT_FOUND;
		*bits |= 1u << place;
		text = bytes_of(text.data + 4, text.size - 4);
	}
	return 0;
}

/* Finds the pattern and its modifiers in "Noise_<pattern><modifiers>_<algorithms>". */
static int protocol_parse(struct noise *n, struct bytes name)
{
	static const char front[] = "Noise_", back[] = "_25519_ChaChaPoly_BLAKE2b";
	struct bytes middle;
	size_t length = 0;

	if (name.size > NOISE_PROTOCOL_NAME_MAX || name.size < sizeof front + sizeof back - 2 ||
	    memcmp(name.data, front, sizeof front - 1) != 0 ||
	    memcmp(name.data + name.size - (sizeof back - 1), back, sizeof back - 1) != 0)
		return ERR_NOT_FOUND;
	middle = bytes_of(name.data + sizeof front - 1,
			  name.size - sizeof front - sizeof back + 2);
	while (length < middle.size && middle.data[length] != 'p')
		length++;
	n->pattern = noise_pattern_find(bytes_of(middle.data, length));
	if (!n->pattern)
		return ERR_NOT_FOUND;
	return modifiers_parse(&n->psk_modifiers,
			       bytes_of(middle.data + length, middle.size - length),
			       noise_pattern_messages(n->pattern));
}

/* Takes what the pattern needs, and only that. */
static int keys_take(struct noise *n, const struct noise_keys *keys)
{
	unsigned ours = n->role == NOISE_INITIATOR ? NOISE_KNOWS_INITIATOR
						   : NOISE_KNOWS_RESPONDER;
	unsigned wanted = 0, i;

	if (n->pattern->known & ours || noise_pattern_sends(n->pattern, n->role, NOISE_S)) {
		if (!keys->our_static)
			return ERR_STATE;
		n->our_static = *keys->our_static;
		n->has_our_static = true;
	}
	if (noise_pattern_sends(n->pattern, n->role, NOISE_E)) {
		if (!keys->our_ephemeral)
			return ERR_STATE;
		n->our_ephemeral = *keys->our_ephemeral;
	}
	if (n->pattern->known & (NOISE_KNOWS_BOTH ^ ours)) {
		if (!keys->their_static)
			return ERR_STATE;
		n->their_static = *keys->their_static;
		n->has_their_static = true;
	}
	for (i = 0; i < NOISE_PSK_MAX; i++)
		wanted += n->psk_modifiers >> i & 1;
	if (keys->psk_count != wanted)
		return ERR_STATE;
	for (i = 0; i < wanted; i++)
		n->psk[i] = keys->psks[i];
	n->psk_count = wanted;
	return 0;
}

int noise_begin(struct noise *n, const char *protocol, enum noise_role role,
		struct bytes prologue, const struct noise_keys *keys)
{
	struct bytes name = bytes_text(protocol);
	const struct device_public *initiator, *responder;
	int err;

	*n = (struct noise){ .role = role };
	err = protocol_parse(n, name);
	if (err < 0)
		goto out;
	err = keys_take(n, keys);
	if (err < 0)
		goto out;

	/* The name fits the hash, so it is padded, not hashed (section 5.2). */
	memcpy(n->h, name.data, name.size);
	memcpy(n->ck, n->h, sizeof n->ck);
	mix_hash(n, prologue); /* also an empty one */
	initiator = role == NOISE_INITIATOR ? &n->our_static.public : &n->their_static;
	responder = role == NOISE_INITIATOR ? &n->their_static : &n->our_static.public;
	if (n->pattern->known & NOISE_KNOWS_INITIATOR) /* -> s */
		mix_hash(n, BYTES(initiator->bytes));
	if (n->pattern->known & NOISE_KNOWS_RESPONDER) /* <- s */
		mix_hash(n, BYTES(responder->bytes));
	return 0;
out:
	noise_wipe(n);
	return err;
}

void noise_wipe(struct noise *n)
{
	sodium_memzero(n, sizeof *n);
	n->is_failed = true;
}

/* MixKey(DH(...)). The first letter is the initiator's key, the second the responder's.
 * crypto_scalarmult() fails exactly when the result is all zero. */
static int mix_dh(struct noise *n, enum noise_token token)
{
	bool is_initiator = n->role == NOISE_INITIATOR;
	bool ours_is_static = token == NOISE_SS ||
			      token == (is_initiator ? NOISE_SE : NOISE_ES);
	bool theirs_is_static = token == NOISE_SS ||
				token == (is_initiator ? NOISE_ES : NOISE_SE);
	const struct device *ours = ours_is_static ? &n->our_static : &n->our_ephemeral;
	const struct device_public *theirs = theirs_is_static ? &n->their_static
							      : &n->their_ephemeral;
	uint8_t shared[crypto_scalarmult_BYTES];
	int err = ERR_AUTH;

	assert(!ours_is_static || n->has_our_static);
	assert(theirs_is_static ? n->has_their_static : n->has_their_ephemeral);
	if (crypto_scalarmult(shared, ours->secret.bytes, theirs->bytes) != 0)
		goto out;
	mix_key(n, BYTES(shared));
	err = 0;
out:
	sodium_memzero(shared, sizeof shared);
	return err;
}

static void mix_psk(struct noise *n)
{
	assert(n->psk_used < n->psk_count);
	mix_key_and_hash(n, BYTES(n->psk[n->psk_used].bytes));
	n->psk_used++;
}

static void mix_ephemeral(struct noise *n, struct bytes public)
{
	mix_hash(n, public);
	if (n->psk_modifiers != 0) /* section 9.2 */
		mix_key(n, public);
}

static int write_token(struct noise *n, enum noise_token token, struct buf *out)
{
	int err = 0;

	switch (token) {
	case NOISE_E:
		err = buf_append(out, BYTES(n->our_ephemeral.public.bytes));
		if (err == 0)
			mix_ephemeral(n, BYTES(n->our_ephemeral.public.bytes));
		break;
	case NOISE_S:
		err = encrypt_and_hash(n, BYTES(n->our_static.public.bytes), out);
		break;
	case NOISE_PSK:
		mix_psk(n);
		break;
	default:
		err = mix_dh(n, token);
	}
	return err;
}

static bool is_our_turn(const struct noise *n)
{
	return (n->message % 2 == 0) == (n->role == NOISE_INITIATOR);
}

/* The handshake is over: nothing secret stays. */
static int fail(struct noise *n, int err)
{
	noise_wipe(n);
	return err;
}

int noise_write_tokens(struct noise *n, struct buf *out)
{
	size_t start = out->size;
	enum noise_token token;
	unsigned i;
	int err;

	if (n->is_failed || noise_is_done(n) || !is_our_turn(n) || n->tokens_done)
		return ERR_STATE;
	for (i = 0; (token = token_at(n, i)) != NOISE_END; i++) {
		err = write_token(n, token, out);
		if (err < 0) {
			out->size = start;
			return fail(n, err);
		}
	}
	n->tokens_done = true;
	n->tokens_size = out->size - start;
	return 0;
}

int noise_write_payload(struct noise *n, struct bytes payload, struct buf *out)
{
	size_t tag = n->cipher.has_key ? NOISE_TAG_SIZE : 0;
	int err;

	if (n->is_failed || !n->tokens_done)
		return ERR_STATE;
	if (payload.size > NOISE_MESSAGE_MAX - n->tokens_size - tag)
		return ERR_LIMIT;
	err = encrypt_and_hash(n, payload, out);
	if (err < 0)
		return err;
	n->tokens_done = false;
	n->message++;
	return 0;
}

static int read_public(struct bytes *rest, size_t size, struct bytes *front)
{
	if (rest->size < size)
		return ERR_FORMAT;
	*front = bytes_of(rest->data, size);
	*rest = bytes_of(rest->data + size, rest->size - size);
	return 0;
}

static int read_static(struct noise *n, struct bytes *rest)
{
	struct buf public = { .limit = PUBLIC_SIZE };
	struct bytes sealed;
	int err;

	assert(!n->has_their_static);
	err = read_public(rest, PUBLIC_SIZE + (n->cipher.has_key ? NOISE_TAG_SIZE : 0),
			  &sealed);
	if (err < 0)
		goto out;
	err = decrypt_and_hash(n, sealed, &public);
	if (err < 0)
		goto out;
	memcpy(n->their_static.bytes, public.data, PUBLIC_SIZE);
	n->has_their_static = true;
out:
	buf_clear(&public);
	return err;
}

static int read_token(struct noise *n, enum noise_token token, struct bytes *rest)
{
	struct bytes public;
	int err = 0;

	switch (token) {
	case NOISE_E:
		assert(!n->has_their_ephemeral);
		err = read_public(rest, PUBLIC_SIZE, &public);
		if (err < 0)
			break;
		memcpy(n->their_ephemeral.bytes, public.data, PUBLIC_SIZE);
		n->has_their_ephemeral = true;
		mix_ephemeral(n, public);
		break;
	case NOISE_S:
		err = read_static(n, rest);
		break;
	case NOISE_PSK:
		mix_psk(n);
		break;
	default:
		err = mix_dh(n, token);
	}
	return err;
}

int noise_read(struct noise *n, struct bytes message, struct buf *payload)
{
	enum noise_token token;
	unsigned i;
	int err;

	if (n->is_failed || noise_is_done(n) || is_our_turn(n))
		return ERR_STATE;
	if (message.size > NOISE_MESSAGE_MAX)
		return fail(n, ERR_LIMIT);
	for (i = 0; (token = token_at(n, i)) != NOISE_END; i++) {
		err = read_token(n, token, &message);
		if (err < 0)
			return fail(n, err);
	}
	err = decrypt_and_hash(n, message, payload);
	if (err < 0)
		return fail(n, err);
	n->message++;
	return 0;
}

bool noise_is_done(const struct noise *n)
{
	return !n->is_failed && n->message == noise_pattern_messages(n->pattern);
}

void noise_split(const struct noise *n, struct noise_cipher *first, struct noise_cipher *second)
{
	uint8_t out[2][NOISE_HASH_SIZE];

	assert(noise_is_done(n) ||
	       (n->tokens_done && n->message + 1 == noise_pattern_messages(n->pattern)));
	hkdf(out, 2, n->ck, (struct bytes){ 0 });
	cipher_set(first, out[0]);
	cipher_set(second, out[1]);
	sodium_memzero(out, sizeof out);
}
