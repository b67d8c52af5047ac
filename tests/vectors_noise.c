/* Noise: whole transcripts between two of our states, and messages to be refused. */
#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/noise.h"
#include "tests/vectors_run.h"

static const char IK[] = "Noise_IK_25519_ChaChaPoly_BLAKE2b";

static void device_from(struct vectors *v, struct device *d, const struct json *j,
			const char *key)
{
	memcpy(d->secret.bytes, vectors_sized(v, j, key, 32), 32);
	crypto_scalarmult_base(d->public.bytes, d->secret.bytes);
}

/* The keys of one side as the fields name them. */
struct side {
	struct device our_static, our_ephemeral;
	struct device_public their_static;
	struct symmetric_key psks[NOISE_PSK_MAX];
	struct noise_keys keys;
	struct noise noise;
};

static void psks_from(struct vectors *v, struct side *s, const struct json *list)
{
	size_t i, count = json_count(list);

	vectors_expect(v, json_is_array(list) && count <= NOISE_PSK_MAX, "too many psks");
	for (i = 0; i < count && i < NOISE_PSK_MAX; i++) {
		const char *text = json_text_at(list, i);
		struct bytes psk = vectors_hex_of(v, bytes_text(text ? text : ""));

		vectors_expect(v, psk.size == 32, "a psk that is not of 32 bytes");
		if (psk.size == 32)
			memcpy(s->psks[i].bytes, psk.data, 32);
		s->keys.psk_count++;
	}
	s->keys.psks = s->psks;
}

struct side_fields {
	const char *prologue, *our_static, *our_ephemeral, *their_static, *psks;
};

static void side_begin(struct vectors *v, struct side *s, enum noise_role role,
		       const char *protocol, const struct json *j, const struct side_fields *f)
{
	*s = (struct side){ 0 };
	if (json_has(j, f->our_static)) {
		device_from(v, &s->our_static, j, f->our_static);
		s->keys.our_static = &s->our_static;
	}
	if (json_has(j, f->our_ephemeral)) {
		device_from(v, &s->our_ephemeral, j, f->our_ephemeral);
		s->keys.our_ephemeral = &s->our_ephemeral;
	}
	if (json_has(j, f->their_static)) {
		memcpy(s->their_static.bytes, vectors_sized(v, j, f->their_static, 32), 32);
		s->keys.their_static = &s->their_static;
	}
	if (json_has(j, f->psks))
		psks_from(v, s, json_get(j, f->psks));
	vectors_expect(v,
		       noise_begin(&s->noise, protocol, role, vectors_hex(v, j, f->prologue),
				   &s->keys) == 0,
		       "the handshake cannot begin: an unknown protocol or a missing key");
}

/* One handshake message from one to the other. */
static void handshake_message(struct vectors *v, struct noise *from, struct noise *to,
			      struct bytes payload, struct bytes ciphertext)
{
	struct buf sent = { 0 }, got = { 0 };

	vectors_expect(v,
		       noise_write_tokens(from, &sent) == 0 &&
			       noise_write_payload(from, payload, &sent) == 0,
		       "cannot write a handshake message");
	vectors_expect(v, bytes_equal(buf_view(&sent), ciphertext),
		       "a handshake message comes out differently");
	vectors_expect(v, noise_read(to, ciphertext, &got) == 0,
		       "cannot read a handshake message");
	vectors_expect(v, bytes_equal(buf_view(&got), payload), "reads another payload");
	buf_clear(&sent);
	buf_clear(&got);
}

static void transport_message(struct vectors *v, struct noise_cipher *from,
			      struct noise_cipher *to, struct bytes payload,
			      struct bytes ciphertext)
{
	struct buf sent = { 0 }, got = { 0 };

	vectors_expect(v,
		       noise_encrypt(from, (struct bytes){ 0 }, payload, &sent) == 0 &&
			       bytes_equal(buf_view(&sent), ciphertext),
		       "a transport message comes out differently");
	vectors_expect(v,
		       noise_decrypt(to, (struct bytes){ 0 }, ciphertext, &got) == 0 &&
			       bytes_equal(buf_view(&got), payload),
		       "cannot read a transport message");
	buf_clear(&sent);
	buf_clear(&got);
}

/* One way: the pattern is of one letter, so that every message is the initiator's. */
static bool is_one_way(struct bytes protocol)
{
	static const char front[] = "Noise_X";

	return protocol.size >= sizeof front && (protocol.data[sizeof front - 1] == '_' ||
						 protocol.data[sizeof front - 1] == 'p');
}

static void transcript_run(struct vectors *v, struct side sides[2], const struct json *messages,
			   bool one_way, const struct json *j)
{
	struct noise_cipher send[2] = { 0 }, receive[2] = { 0 };
	size_t i, count = json_count(messages);
	bool was_done = false;

	vectors_expect(v, json_is_array(messages) && count > 0, "no messages");
	for (i = 0; i < count && v->problem[0] == '\0'; i++) {
		const struct json *m = json_at(messages, i);
		unsigned from = one_way ? 0 : i % 2;

		vectors_fields(v, m, "payload ciphertext");
		if (noise_is_done(&sides[0].noise) && !was_done) {
			was_done = true;
			vectors_same(v, j, "handshake_hash", BYTES(sides[0].noise.h));
			vectors_same(v, j, "handshake_hash", BYTES(sides[1].noise.h));
			noise_split(&sides[0].noise, &send[0], &receive[0]);
			noise_split(&sides[1].noise, &receive[1], &send[1]);
		}
		if (!was_done)
			handshake_message(v, &sides[from].noise, &sides[!from].noise,
					  vectors_hex(v, m, "payload"),
					  vectors_hex(v, m, "ciphertext"));
		else
			transport_message(v, &send[from], &receive[!from],
					  vectors_hex(v, m, "payload"),
					  vectors_hex(v, m, "ciphertext"));
	}
	vectors_expect(v, noise_is_done(&sides[0].noise) && noise_is_done(&sides[1].noise),
		       "the handshake did not end");
	vectors_same(v, j, "handshake_hash", BYTES(sides[0].noise.h));
	vectors_same(v, j, "handshake_hash", BYTES(sides[1].noise.h));
}

static void transcript(struct vectors *v, const struct json *j)
{
	static const struct side_fields initiator = { "init_prologue", "init_static",
						      "init_ephemeral", "init_remote_static",
						      "init_psks" };
	static const struct side_fields responder = { "resp_prologue", "resp_static",
						      "resp_ephemeral", "resp_remote_static",
						      "resp_psks" };
	struct side sides[2];
	struct bytes protocol;

	vectors_fields(
		v, j,
		"protocol_name init_prologue init_static? init_ephemeral init_remote_static? "
		"init_psks? resp_prologue resp_static? resp_ephemeral? resp_remote_static? "
		"resp_psks? handshake_hash? messages");
	if (v->problem[0] != '\0')
		return;
	protocol = vectors_text(v, j, "protocol_name");
	side_begin(v, &sides[0], NOISE_INITIATOR, (const char *)protocol.data, j, &initiator);
	side_begin(v, &sides[1], NOISE_RESPONDER, (const char *)protocol.data, j, &responder);
	if (v->problem[0] == '\0')
		transcript_run(v, sides, json_get(j, "messages"), is_one_way(protocol), j);
}

void vectors_noise(struct vectors *v)
{
	vectors_fields(v, v->root, "source? note? count? vectors");
	if (v->problem[0] == '\0')
		vectors_list(v, transcript);
}

/* ---- To be refused ---- */

/* Must fail, leave the payload empty and let nobody go on. */
static void must_refuse(struct vectors *v, struct noise *n, struct bytes message,
			bool by_zero_check)
{
	struct buf payload = { 0 };
	int err = noise_read(n, message, &payload);

	vectors_expect(v, err < 0, "accepts what must be refused");
	vectors_expect(v, err != ERR_STATE, "refuses by accident: out of turn");
	vectors_expect(v, !by_zero_check || err == ERR_AUTH, "refuses, but not for the zeros");
	vectors_expect(v, payload.size == 0, "gives out a payload that it refused");
	vectors_expect(v, noise_read(n, message, &payload) == ERR_STATE,
		       "goes on after a failure");
	buf_clear(&payload);
}

static void refusal(struct vectors *v, const struct json *j)
{
	static const struct side_fields responder = { "resp_prologue", "resp_static",
						      "resp_ephemeral", "", "" };
	struct side a, b;
	struct bytes message1;
	struct buf payload = { 0 };
	struct device target;
	uint64_t rejected;
	bool by_zero_check;

	vectors_fields(
		v, j,
		"kind reject_message prologue resp_prologue init_static init_ephemeral "
		"resp_static resp_ephemeral message1 message2? accepted_without_zero_check");
	if (v->problem[0] != '\0')
		return;
	rejected = vectors_int(v, j, "reject_message");
	by_zero_check = vectors_bool(v, j, "accepted_without_zero_check");
	message1 = vectors_hex(v, j, "message1");
	vectors_expect(
		v, (rejected == 1) != json_has(j, "message2") && rejected >= 1 && rejected <= 2,
		"neither a first nor a second message to be refused");
	side_begin(v, &b, NOISE_RESPONDER, IK, j, &responder);
	if (v->problem[0] != '\0')
		return;
	if (rejected == 1) {
		must_refuse(v, &b.noise, message1, by_zero_check);
		return;
	}

	/* The initiator must be the one who wrote message 1, whose payload the responder
	 * tells us. */
	vectors_expect(v, noise_read(&b.noise, message1, &payload) == 0,
		       "cannot read message 1");
	device_from(v, &target, j, "resp_static");
	a = (struct side){ 0 };
	device_from(v, &a.our_static, j, "init_static");
	device_from(v, &a.our_ephemeral, j, "init_ephemeral");
	a.keys = (struct noise_keys){ .our_static = &a.our_static,
				      .our_ephemeral = &a.our_ephemeral,
				      .their_static = &target.public };
	vectors_expect(v,
		       noise_begin(&a.noise, IK, NOISE_INITIATOR, vectors_hex(v, j, "prologue"),
				   &a.keys) == 0,
		       "cannot begin");
	if (v->problem[0] == '\0') {
		struct buf sent = { 0 };

		vectors_expect(
			v,
			noise_write_tokens(&a.noise, &sent) == 0 &&
				noise_write_payload(&a.noise, buf_view(&payload), &sent) == 0 &&
				bytes_equal(buf_view(&sent), message1),
			"message 1 comes out differently");
		must_refuse(v, &a.noise, vectors_hex(v, j, "message2"), by_zero_check);
		buf_clear(&sent);
	}
	buf_clear(&payload);
}

void vectors_noise_must_refuse(struct vectors *v)
{
	vectors_fields(v, v->root, "source? note? count? vectors");
	if (v->problem[0] == '\0')
		vectors_list(v, refusal);
}
