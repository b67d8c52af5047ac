/* What lies under the protocols: curves, hashes, derivations, packets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/kdf.h"
#include "shared/ksf.h"
#include "shared/oprf.h"
#include "shared/packet.h"
#include "tests/vectors_run.h"

static void simple_list(struct vectors *v, vectors_run *run)
{
	vectors_fields(v, v->root, "source? note? count? vectors");
	if (v->problem[0] == '\0')
		vectors_list(v, run);
}

/* ---- Wycheproof ---- */

/* True: must work; false: must be refused. */
static bool result_of(struct vectors *v, const struct json *j)
{
	struct bytes result = vectors_text(v, j, "result");
	bool is_valid = bytes_equal(result, bytes_text("valid"));

	vectors_expect(v, is_valid || bytes_equal(result, bytes_text("invalid")),
		       "a result neither valid nor invalid");
	return is_valid;
}

static const struct json *group_of(struct vectors *v, const struct json *j, const char *type,
				   const char *fields)
{
	const struct json *group = json_get(j, "group");

	vectors_fields(v, group, fields);
	vectors_same_text(v, group, "type", type);
	return group;
}

static bool has_flag(struct vectors *v, const struct json *j, const char *flag)
{
	const struct json *flags = json_get(j, "flags");
	bool found = false;
	size_t i;

	vectors_expect(v, json_is_array(flags), "flags are no list");
	for (i = 0; i < json_count(flags); i++)
		found = found ||
			(json_text_at(flags, i) && strcmp(json_text_at(flags, i), flag) == 0);
	return found;
}

static void x25519(struct vectors *v, const struct json *j)
{
	struct bytes result = vectors_text(v, j, "result");
	bool is_low_order = has_flag(v, j, "LowOrderPublic");
	struct bytes public = vectors_hex(v, j, "public"),
		     private = vectors_hex(v, j, "private");
	uint8_t out[32];
	bool is_computed;

	vectors_fields(v, j, "tcId comment? flags public private shared result group");
	vectors_same_text(v, group_of(v, j, "XdhComp", "type curve"), "curve", "curve25519");
	/* Of another length: refused before any arithmetic. */
	is_computed = public.size == 32 && private.size == 32 &&
		      crypto_scalarmult(out, private.data, public.data) == 0;
	if (bytes_equal(result, bytes_text("invalid")) ||
	    (bytes_equal(result, bytes_text("acceptable")) && is_low_order)) {
		vectors_expect(v, !is_computed, "accepts a point of low order");
		return;
	}
	vectors_expect(v,
		       bytes_equal(result, bytes_text("valid")) ||
			       bytes_equal(result, bytes_text("acceptable")),
		       "an unknown result");
	vectors_expect(v, is_computed, "refuses what must compute");
	if (is_computed)
		vectors_same(v, j, "shared", BYTES(out));
}

void vectors_x25519(struct vectors *v)
{
	simple_list(v, x25519);
}

static void chacha(struct vectors *v, const struct json *j)
{
	struct bytes key = vectors_hex(v, j, "key"), iv = vectors_hex(v, j, "iv");
	struct bytes message = vectors_hex(v, j, "msg"), header = vectors_hex(v, j, "aad");
	struct bytes ciphertext = vectors_hex(v, j, "ct"), tag = vectors_hex(v, j, "tag");
	const struct json *group = group_of(v, j, "AeadTest", "ivSize keySize tagSize type");
	uint8_t *sealed, *opened, *ours;
	bool is_valid = result_of(v, j), is_opened;

	vectors_fields(v, j, "tcId comment? flags key iv aad msg ct tag result group");
	if (vectors_int(v, group, "ivSize") != 96) {
		v->is_foreign = true; /* QUIC and Noise have no other nonces */
		return;
	}
	vectors_expect(v, iv.size == 12 && key.size == 32, "a key or nonce of another size");
	if (v->problem[0] != '\0')
		return;
	sealed = vectors_memory(v, ciphertext.size + tag.size + 1);
	opened = vectors_memory(v, ciphertext.size + tag.size + 1);
	ours = vectors_memory(v, message.size + PACKET_TAG_SIZE);
	memcpy(sealed, ciphertext.data, ciphertext.size);
	memcpy(sealed + ciphertext.size, tag.data, tag.size);
	is_opened = packet_open(opened, key.data, iv.data,
				bytes_of(sealed, ciphertext.size + tag.size), header) == 0;
	vectors_expect(v, is_opened == is_valid,
		       is_valid ? "refuses what is valid" : "opens what is not valid");
	if (!is_valid || !is_opened)
		return;
	vectors_expect(v, bytes_equal(bytes_of(opened, ciphertext.size), message),
		       "opens to something else");
	packet_seal(ours, key.data, iv.data, message, header);
	vectors_expect(v,
		       bytes_equal(bytes_of(ours, message.size + PACKET_TAG_SIZE),
				   bytes_of(sealed, ciphertext.size + tag.size)),
		       "seals to something else");
}

void vectors_chacha(struct vectors *v)
{
	simple_list(v, chacha);
}

static void hkdf(struct vectors *v, const struct json *j)
{
	uint64_t size = vectors_int(v, j, "size");
	uint8_t prk[HKDF_PRK_SIZE], *out = vectors_memory(v, HKDF_OUTPUT_MAX + 1);
	bool is_valid = result_of(v, j);
	int err;

	vectors_fields(v, j, "tcId comment? flags ikm salt info size okm result group");
	group_of(v, j, "HkdfTest", "type keySize");
	hkdf_extract(prk, vectors_hex(v, j, "salt"), vectors_hex(v, j, "ikm"));
	err = hkdf_expand(out, size, prk, vectors_hex(v, j, "info"));
	vectors_expect(v, is_valid ? err == 0 : err < 0, "the wrong answer to this size");
	if (is_valid && err == 0)
		vectors_same(v, j, "okm", bytes_of(out, size));
}

void vectors_hkdf(struct vectors *v)
{
	simple_list(v, hkdf);
}

static void hmac(struct vectors *v, const struct json *j)
{
	const struct json *group = group_of(v, j, "MacTest", "type keySize tagSize");
	uint64_t size = vectors_int(v, group, "tagSize") / 8;
	struct bytes tag = vectors_hex(v, j, "tag");
	uint8_t out[64];

	vectors_fields(v, j, "tcId comment? flags key msg tag result group");
	vectors_expect(v, size <= sizeof out && size > 0, "a tag longer than the hash");
	hmac_sha512(out, vectors_hex(v, j, "key"), vectors_hex(v, j, "msg"));
	vectors_expect(
		v, bytes_equal(bytes_of(out, size <= 64 ? size : 64), tag) == result_of(v, j),
		"the tag comes out differently, or one that is wrong holds");
}

void vectors_hmac(struct vectors *v)
{
	simple_list(v, hmac);
}

static void ed25519(struct vectors *v, const struct json *j)
{
	const struct json *group = group_of(v, j, "EddsaVerify", "type publicKey");
	const struct json *key = json_get(group, "publicKey");
	struct bytes signature = vectors_hex(v, j, "sig"), message = vectors_hex(v, j, "msg"),
		     public;
	bool holds;

	vectors_fields(v, j, "tcId comment? flags msg sig result group");
	vectors_fields(v, key, "type curve keySize pk");
	vectors_same_text(v, key, "curve", "edwards25519");
	public = vectors_hex(v, key, "pk");
	holds = signature.size == 64 && public.size == 32 &&
		crypto_sign_verify_detached(signature.data, message.data, message.size,
					    public.data) == 0;
	vectors_expect(v, holds == result_of(v, j), "the signature's verdict is another");
}

void vectors_ed25519(struct vectors *v)
{
	simple_list(v, ed25519);
}

/* ---- Hashing to a field and to the group ---- */

static void expand(struct vectors *v, const struct json *j)
{
	struct bytes message = vectors_text(v, j, "msg"), dst = vectors_text(v, j, "DST");
	struct buf dst_prime = { 0 }, whole = { 0 };
	uint8_t hash[64], length[3], *out;
	unsigned long size;
	char *end;

	vectors_fields(v, j, "DST DST_prime len_in_bytes msg msg_prime uniform_bytes");
	size = strtoul((const char *)vectors_text(v, j, "len_in_bytes").data, &end, 16);
	vectors_expect(v, *end == '\0' && size > 0 && size <= 255 * 64, "an unknown length");
	if (v->problem[0] != '\0')
		return;
	out = vectors_memory(v, size);
	vectors_expect(v, oprf_expand_message(out, size, message, dst) == 0, "cannot expand");
	vectors_same(v, j, "uniform_bytes", bytes_of(out, size));

	/* The values on the way, as RFC 9380 prints them. */
	if (dst.size > 255) {
		struct buf long_dst = { 0 };

		buf_append(&long_dst, bytes_text("H2C-OVERSIZE-DST-"));
		buf_append(&long_dst, dst);
		crypto_hash_sha512(hash, long_dst.data, long_dst.size);
		buf_clear(&long_dst);
		dst = BYTES(hash);
	}
	buf_append(&dst_prime, dst);
	buf_append_byte(&dst_prime, dst.size);
	vectors_same(v, j, "DST_prime", buf_view(&dst_prime));
	memset(buf_room(&whole, 128), 0, 128);
	buf_grew(&whole, 128);
	buf_append(&whole, message);
	length[0] = size >> 8;
	length[1] = size;
	length[2] = 0;
	buf_append(&whole, BYTES(length));
	buf_append(&whole, buf_view(&dst_prime));
	vectors_same(v, j, "msg_prime", buf_view(&whole));
	buf_clear(&dst_prime);
	buf_clear(&whole);
}

void vectors_expand(struct vectors *v)
{
	simple_list(v, expand);
}

static void ristretto_multiple(struct vectors *v, const struct json *j)
{
	uint8_t scalar[32] = { 0 }, out[32] = { 0 };
	uint64_t n = vectors_int(v, j, "n");
	bool is_identity = n == 0;
	const uint8_t *encoding = vectors_sized(v, j, "encoding", 32);
	size_t i;

	vectors_fields(v, j, "type n encoding");
	for (i = 0; i < 8; i++)
		scalar[i] = n >> (8 * i);
	vectors_expect(v,
		       (crypto_scalarmult_ristretto255_base(out, scalar) != 0) == is_identity,
		       "the wrong answer to this multiple");
	vectors_same(v, j, "encoding", BYTES(out));
	vectors_expect(v, crypto_core_ristretto255_is_valid_point(encoding), "does not decode");
	vectors_expect(v, oprf_is_element(encoding) == !is_identity,
		       "the identity must be refused as an input, others not");
}

static void ristretto(struct vectors *v, const struct json *j)
{
	struct bytes type = vectors_text(v, j, "type"), text;
	uint8_t uniform[64], out[32];

	if (bytes_equal(type, bytes_text("multiple_of_B"))) {
		ristretto_multiple(v, j);
	} else if (bytes_equal(type, bytes_text("bad_encoding"))) {
		vectors_fields(v, j, "type encoding");
		vectors_expect(v, !oprf_is_element(vectors_sized(v, j, "encoding", 32)),
			       "accepts a bad encoding");
	} else if (bytes_equal(type, bytes_text("from_uniform_sha512_of_ascii"))) {
		vectors_fields(v, j, "type input encoding");
		text = vectors_text(v, j, "input");
		crypto_hash_sha512(uniform, text.data, text.size);
		oprf_element_from_uniform(out, uniform);
		vectors_same(v, j, "encoding", BYTES(out));
	} else {
		vectors_expect(v, false, "an unknown type");
	}
}

void vectors_ristretto(struct vectors *v)
{
	simple_list(v, ristretto);
}

/* ---- Argon2id ---- */

static void argon2id(struct vectors *v, const struct json *j)
{
	uint64_t size = vectors_int(v, j, "out_len");
	struct bytes password = vectors_hex(v, j, "password");
	uint8_t *out;

	vectors_fields(v, j, "t m_kib p version out_len password salt out");
	vectors_expect(v, vectors_int(v, j, "p") == 1 && vectors_int(v, j, "version") == 0x13,
		       "not a kind of Argon2id that libsodium has");
	vectors_expect(v, size >= 16 && size <= 4096, "an output of another size");
	if (v->problem[0] != '\0')
		return;
	out = vectors_memory(v, size);
	vectors_expect(v,
		       ksf_argon2id(vectors_int(v, j, "t"), vectors_int(v, j, "m_kib"),
				    password, vectors_sized(v, j, "salt", 16), out, size) == 0,
		       "Argon2id fails");
	vectors_same(v, j, "out", bytes_of(out, size));
}

void vectors_argon2id(struct vectors *v)
{
	simple_list(v, argon2id);
}

/* ---- QUIC packets ---- */

/* The header with its protection on: `pn_size` bytes of packet number at its end. */
static void header_protect(struct bytes header, size_t pn_size, const uint8_t mask[5],
			   uint8_t *out)
{
	size_t i, at = header.size - pn_size;

	memcpy(out, header.data, header.size);
	out[0] ^= mask[0] & (header.data[0] & 0x80 ? 0x0f : 0x1f);
	for (i = 0; i < pn_size; i++)
		out[at + i] ^= mask[1 + i];
}

static void packet(struct vectors *v, const struct json *j)
{
	const uint8_t *key = vectors_sized(v, j, "key", 32),
		      *iv = vectors_sized(v, j, "iv", 12);
	const uint8_t *hp = vectors_sized(v, j, "hp", 32);
	struct bytes header = vectors_hex(v, j, "unprotected_header");
	struct bytes payload = vectors_hex(v, j, "payload");
	uint64_t number = vectors_int(v, j, "pn");
	uint8_t nonce[12], mask[5], *out, *opened;
	size_t pn_size, sealed_size = payload.size + PACKET_TAG_SIZE, i;

	pn_size = header.size > 0 ? (header.data[0] & 3) + 1 : 0;
	vectors_expect(v,
		       header.size > pn_size && sealed_size >= 4 - pn_size + PACKET_SAMPLE_SIZE,
		       "too short a packet");
	if (json_has(j, "pn_len"))
		vectors_expect(v, vectors_int(v, j, "pn_len") == pn_size, "pn_len is another");
	if (json_has(j, "form"))
		vectors_same_text(v, j, "form", header.data[0] & 0x80 ? "long" : "short");
	if (v->problem[0] != '\0')
		return;
	for (i = 0; i < pn_size; i++)
		vectors_expect(v,
			       header.data[header.size - 1 - i] == (uint8_t)(number >> (8 * i)),
			       "the header holds another packet number");

	out = vectors_memory(v, header.size + sealed_size);
	opened = vectors_memory(v, sealed_size);
	packet_nonce(nonce, iv, number);
	vectors_same(v, j, "nonce", BYTES(nonce));
	packet_seal(out + header.size, key, nonce, payload, header);
	vectors_same(v, j, "ciphertext", bytes_of(out + header.size, sealed_size));
	/* RFC 9001 section 5.4.2: as if the number had four bytes. */
	vectors_same(v, j, "sample",
		     bytes_of(out + header.size + 4 - pn_size, PACKET_SAMPLE_SIZE));
	packet_mask(mask, hp, out + header.size + 4 - pn_size);
	vectors_same(v, j, "mask", BYTES(mask));
	vectors_expect(v,
		       packet_open(opened, key, nonce, bytes_of(out + header.size, sealed_size),
				   header) == 0 &&
			       bytes_equal(bytes_of(opened, payload.size), payload),
		       "does not open again");
	header_protect(header, pn_size, mask, out);
	vectors_same(v, j, "header", bytes_of(out, header.size));
	vectors_same(v, j, "packet", bytes_of(out, header.size + sealed_size));
	out[header.size] ^= 1;
	vectors_expect(v,
		       packet_open(opened, key, nonce, bytes_of(out + header.size, sealed_size),
				   header) == ERR_AUTH,
		       "opens a changed packet");
}

static void packet_case(struct vectors *v, const struct json *j)
{
	vectors_fields(
		v, j,
		"form key iv hp pn pn_len unprotected_header payload nonce sample mask packet");
	if (v->problem[0] == '\0')
		packet(v, j);
}

/* TLS 1.3's HKDF-Expand-Label with SHA-256, at most one block: only these vectors need it. */
static void tls_label(uint8_t *out, size_t size, const uint8_t secret[32], const char *label)
{
	crypto_auth_hmacsha256_state state;
	uint8_t front[3] = { 0, size, 6 + strlen(label) }, end[2] = { 0, 1 }, block[32];

	crypto_auth_hmacsha256_init(&state, secret, 32);
	crypto_auth_hmacsha256_update(&state, front, sizeof front);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)"tls13 ", 6);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)label, strlen(label));
	crypto_auth_hmacsha256_update(&state, end, sizeof end);
	crypto_auth_hmacsha256_final(&state, block);
	memcpy(out, block, size);
}

static void rfc9001_a5(struct vectors *v, const struct json *j)
{
	static const struct {
		const char *field, *label;
		size_t size;
	} derived[] = {
		{ "key", "quic key", 32 },
		{ "iv", "quic iv", 12 },
		{ "hp", "quic hp", 32 },
		{ "ku", "quic ku", 32 },
	};
	const uint8_t *secret = vectors_sized(v, j, "secret", 32);
	uint8_t out[32];
	size_t i;

	vectors_fields(
		v, j,
		"source? note? hkdf? secret key iv hp ku pn nonce unprotected_header payload "
		"ciphertext sample mask header packet");
	for (i = 0; i < sizeof derived / sizeof derived[0]; i++) {
		tls_label(out, derived[i].size, secret, derived[i].label);
		vectors_same(v, j, derived[i].field, bytes_of(out, derived[i].size));
	}
	if (v->problem[0] == '\0')
		packet(v, j);
}

void vectors_quic(struct vectors *v)
{
	if (json_has(v->root, "vectors"))
		simple_list(v, packet_case);
	else
		vectors_case(v, "case", 0, v->root, rfc9001_a5);
}
