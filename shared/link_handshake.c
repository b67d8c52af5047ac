#include "shared/link_handshake.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/link.h"
#include "shared/quic_wire.h"

enum { HEADER_SIZE = 3, CONFIRM_BYTE = 1 };

/* The type byte of a message: which handshake it belongs to. */
static const char *const protocols[] = {
	[LINK_IK] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b",
	[LINK_NK] = "Noise_NK_25519_ChaChaPoly_BLAKE2b",
};
enum { TYPE_BASE = 1, TYPE_COUNT = 2 };

struct link_handshake *link_handshake_new(const ngtcp2_cid *original, const ngtcp2_cid *scid)
{
	static const char name[] = "palique/1";
	struct link_handshake *h = memory_new(sizeof *h);
	uint8_t *p = h->prologue;

	buf_init(&h->in, HEADER_SIZE + HANDSHAKE_MESSAGE_MAX);
	memcpy(p, name, sizeof name - 1);
	p += sizeof name - 1;
	*p++ = (uint32_t)QUIC_VERSION_OURS >> 24;
	*p++ = (uint32_t)QUIC_VERSION_OURS >> 16 & 255;
	*p++ = (uint32_t)QUIC_VERSION_OURS >> 8 & 255;
	*p++ = (uint32_t)QUIC_VERSION_OURS & 255;
	*p++ = original->datalen;
	memcpy(p, original->data, original->datalen);
	p += original->datalen;
	*p++ = scid->datalen;
	memcpy(p, scid->data, scid->datalen);
	p += scid->datalen;
	h->prologue_size = p - h->prologue;
	assert(h->prologue_size <= sizeof h->prologue);
	return h;
}

void link_handshake_free(struct link_handshake *h)
{
	if (!h)
		return;
	noise_wipe(&h->noise);
	buf_clear(&h->in);
	sodium_memzero(h, sizeof *h);
	free(h);
}

static int noise_start(struct link *l, enum noise_role role)
{
	static const struct symmetric_key no_psk; /* the slot for a post-quantum secret */
	const struct link_home *home = l->home;
	struct device ephemeral;
	struct noise_keys keys = { .our_ephemeral = &ephemeral };
	int err;

	device_make(&ephemeral);
	if (role == NOISE_RESPONDER || l->pattern == LINK_IK)
		keys.our_static = &home->config->device;
	if (role == NOISE_INITIATOR)
		keys.their_static = &l->device;
	if (l->pattern == LINK_IK) {
		keys.psks = &no_psk;
		keys.psk_count = 1;
	}
	err = noise_begin(&l->handshake->noise, protocols[l->pattern], role,
			  bytes_of(l->handshake->prologue, l->handshake->prologue_size), &keys);
	device_wipe(&ephemeral);
	return err;
}

/* The library always offers to grease the fixed bit (RFC 9287), by which we tell QUIC
 * from the rest: the parameter is taken out, so nobody does. */
static size_t without_grease(uint8_t *p, size_t size)
{
	static const uint8_t grease[] = { 0x6a, 0xb2, 0x00 };

	for (size_t at = 0; at + sizeof grease <= size;) {
		size_t id = (size_t)1 << (p[at] >> 6), length;

		if (memcmp(p + at, grease, sizeof grease) == 0) {
			memmove(p + at, p + at + sizeof grease, size - at - sizeof grease);
			return size - sizeof grease;
		}
		if (at + id >= size)
			break;
		length = p[at + id]; /* ours are all short: one byte */
		at += id + 1 + length;
	}
	return size;
}

static int payload_make(struct link *l, struct buf *out)
{
	uint8_t parameters[HANDSHAKE_PARAMETERS_MAX];
	ngtcp2_ssize size;
	uint8_t *p;

	size = ngtcp2_conn_encode_local_transport_params(l->conn, parameters,
							 sizeof parameters);
	if (size < 0)
		return ERR_STATE;
	size = (ngtcp2_ssize)without_grease(parameters, size);
	p = buf_room(out, 2);
	p[0] = size >> 8;
	p[1] = size;
	buf_grew(out, 2);
	buf_append(out, bytes_of(parameters, size));
	if (l->pattern == LINK_NK || !l->home->config->has_certificate)
		return 0;
	return certificate_encode(&l->home->config->certificate, out);
}

/* Splits a payload; the certificate, if any, is verified and must be for `device`. */
static int payload_take(struct link *l, struct bytes payload,
			const struct device_public *device, struct bytes *parameters)
{
	struct certificate shown;
	struct bytes rest;
	size_t size;

	if (payload.size < 2)
		return ERR_FORMAT;
	size = (size_t)payload.data[0] << 8 | payload.data[1];
	if (size > payload.size - 2)
		return ERR_FORMAT;
	*parameters = bytes_of(payload.data + 2, size);
	rest = bytes_of(payload.data + 2 + size, payload.size - 2 - size);
	if (rest.size == 0)
		return 0;
	if (!device || certificate_decode(&shown, rest) < 0 || certificate_verify(&shown) < 0 ||
	    !device_public_equal(&shown.device, device))
		return ERR_AUTH;
	l->certificate = memory_new(sizeof shown);
	*l->certificate = shown;
	return 0;
}

/* Seals the payload behind tokens already in `message`, frames it, hands it to the library. */
static int message_send(struct link *l, struct buf *message)
{
	struct buf payload = { 0 };
	size_t size;
	int err;

	err = payload_make(l, &payload);
	if (err < 0)
		goto out;
	err = noise_write_payload(&l->handshake->noise, buf_view(&payload), message);
	if (err < 0)
		goto out;
	size = message->size - HEADER_SIZE;
	assert(size <= HANDSHAKE_MESSAGE_MAX);
	message->data[0] = TYPE_BASE + l->pattern;
	message->data[1] = size >> 8;
	message->data[2] = size;
	err = ngtcp2_conn_submit_crypto_data(l->conn, NGTCP2_CRYPTO_LEVEL_INITIAL,
					     message->data, message->size);
out:
	buf_clear(&payload);
	return err;
}

static void message_begin(struct buf *message)
{
	static const uint8_t room[HEADER_SIZE];

	buf_init(message, 0);
	buf_append(message, BYTES(room));
}

int link_handshake_begin(struct link *l)
{
	struct buf message;
	int err;

	message_begin(&message);
	err = noise_start(l, NOISE_INITIATOR);
	if (err < 0)
		goto out;
	err = noise_write_tokens(&l->handshake->noise, &message);
	if (err < 0)
		goto out;
	err = message_send(l, &message);
out:
	buf_clear(&message);
	return err < 0 ? NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

/* From the initiator it is proof. From the responder it only makes the library see that
 * the path works, without which an initiator's datagrams would never grow. */
static int confirm(struct link *l)
{
	static const uint8_t byte[] = { CONFIRM_BYTE };

	return ngtcp2_conn_submit_crypto_data(l->conn, NGTCP2_CRYPTO_LEVEL_HANDSHAKE, byte,
					      sizeof byte);
}

/* Without room for a challenge no address of theirs could be proved. */
static int take_parameters(struct link *l, struct bytes parameters)
{
	const ngtcp2_transport_params *theirs;

	if (ngtcp2_conn_decode_remote_transport_params(l->conn, parameters.data,
						       parameters.size) != 0)
		return ERR_FORMAT;
	theirs = ngtcp2_conn_get_remote_transport_params(l->conn);
	return theirs && theirs->max_datagram_frame_size >= LINK_PROOF_FRAME_MAX ? 0
										 : ERR_FORMAT;
}

/* Keys for both directions and levels; transport parameters between, where the library
 * wants them: ours are committed by the server's handshake key, theirs must be known
 * before data keys. */
static int answer(struct link *l, struct bytes parameters)
{
	struct link_handshake *h = l->handshake;
	struct link_secrets secrets;
	struct buf message;
	int err;

	message_begin(&message);
	err = take_parameters(l, parameters);
	if (err < 0)
		goto out;
	err = noise_write_tokens(&h->noise, &message); /* e, ee, se, psk: ck is final */
	if (err < 0)
		goto out;
	link_crypto_derive(&secrets, &h->noise);
	err = link_crypto_install_handshake(l->conn, &l->crypto, &secrets);
	if (err < 0)
		goto out;
	err = message_send(l, &message);
	if (err < 0)
		goto out;
	memcpy(l->hash, h->noise.h, sizeof l->hash);
	err = link_crypto_install_data(l->conn, &l->crypto, &secrets);
	if (err < 0)
		goto out;
	err = confirm(l);
out:
	sodium_memzero(&secrets, sizeof secrets);
	buf_clear(&message);
	return err;
}

/* By which a first message is known again. Who dials several addresses may find that one takes it
 * at once and another asks for a proof: with that the same message comes again, once for each
 * Retry. */
static struct device_public first_message_id(const struct link *l, struct bytes message)
{
	struct device_public id;

	memcpy(id.bytes, message.data, sizeof id.bytes);
	for (unsigned i = 0; l->is_retried && i < l->first_dcid.size; i++)
		id.bytes[i] ^= l->first_dcid.bytes[i];
	return id;
}

static int read_first(struct link *l, unsigned type, struct bytes message)
{
	struct link_handshake *h = l->handshake;
	struct device_public id;
	struct buf payload = { 0 };
	struct bytes parameters;
	int err = ERR_FORMAT;

	if (type < TYPE_BASE || type >= TYPE_BASE + TYPE_COUNT ||
	    message.size < sizeof id.bytes)
		return ERR_FORMAT;
	l->pattern = type - TYPE_BASE;
	if (l->pattern == LINK_NK && l->home->config->policy != ENDPOINT_ANYONE)
		return ERR_REFUSED;
	id = first_message_id(l, message);
	if (!door_is_new(l->home->door, &id))
		return ERR_EXISTS;
	err = noise_start(l, NOISE_RESPONDER);
	if (err < 0)
		goto out;
	err = noise_read(&h->noise, message, &payload);
	if (err < 0)
		goto out;
	if (l->pattern == LINK_IK) {
		l->device = h->noise.their_static;
		l->has_device = true;
	}
	err = payload_take(l, buf_view(&payload), l->has_device ? &l->device : NULL,
			   &parameters);
	if (err < 0)
		goto out;
	err = l->home->judge(l->home->owner, l);
	if (err < 0)
		goto out;
	door_remember(l->home->door, &id);
	err = answer(l, parameters);
out:
	buf_clear(&payload);
	return err;
}

static int check_answerer(const struct link *l)
{
	const struct link_handshake *h = l->handshake;

	if (!h->has_identity)
		return 0;
	if (!l->certificate || !identity_public_equal(&l->certificate->identity, &h->identity))
		return ERR_AUTH;
	return 0;
}

static int read_second(struct link *l, unsigned type, struct bytes message)
{
	struct link_handshake *h = l->handshake;
	struct link_secrets secrets;
	struct buf payload = { 0 };
	struct bytes parameters;
	int err = ERR_FORMAT;

	if (type != TYPE_BASE + (unsigned)l->pattern)
		goto out;
	err = noise_read(&h->noise, message, &payload);
	if (err < 0)
		goto out;
	err = payload_take(l, buf_view(&payload), &l->device, &parameters);
	if (err < 0)
		goto out;
	err = check_answerer(l);
	if (err < 0)
		goto out;
	link_crypto_derive(&secrets, &h->noise);
	memcpy(l->hash, h->noise.h, sizeof l->hash);
	err = link_crypto_install_handshake(l->conn, &l->crypto, &secrets);
	if (err < 0)
		goto out;
	err = take_parameters(l, parameters);
	if (err < 0)
		goto out;
	err = confirm(l);
	if (err < 0)
		goto out;
	err = link_crypto_install_data(l->conn, &l->crypto, &secrets);
	if (err < 0)
		goto out;
	l->is_path_fixed = true; /* who answers here has the key we dialled */
	ngtcp2_conn_handshake_completed(l->conn);
out:
	sodium_memzero(&secrets, sizeof secrets);
	buf_clear(&payload);
	return err;
}

static int receive_message(struct link *l, struct bytes data)
{
	struct link_handshake *h = l->handshake;
	size_t size;

	if (h->is_message_read || buf_append(&h->in, data) < 0)
		return ERR_FORMAT;
	if (h->in.size < HEADER_SIZE)
		return 0;
	size = (size_t)h->in.data[1] << 8 | h->in.data[2];
	if (size > HANDSHAKE_MESSAGE_MAX || h->in.size > HEADER_SIZE + size)
		return ERR_FORMAT;
	if (h->in.size < HEADER_SIZE + size)
		return 0;
	h->is_message_read = true;
	return (l->is_initiator ? read_second : read_first)(
		l, h->in.data[0], bytes_of(h->in.data + HEADER_SIZE, size));
}

/* The other side holds the keys that only the true initiator can have. */
static int receive_confirm(struct link *l, struct bytes data)
{
	if (!l->handshake->is_message_read || data.size != 1 || data.data[0] != CONFIRM_BYTE)
		return ERR_FORMAT;
	if (l->is_initiator)
		return 0;
	ngtcp2_conn_handshake_completed(l->conn);
	return 0;
}

int link_handshake_receive(struct link *l, ngtcp2_crypto_level level, struct bytes data)
{
	int err = ERR_FORMAT;

	if (!l->handshake)
		err = ERR_FORMAT; /* nothing is due after the handshake */
	else if (level == NGTCP2_CRYPTO_LEVEL_INITIAL)
		err = receive_message(l, data);
	else if (level == NGTCP2_CRYPTO_LEVEL_HANDSHAKE)
		err = receive_confirm(l, data);
	return err < 0 ? NGTCP2_ERR_CRYPTO : 0;
}
