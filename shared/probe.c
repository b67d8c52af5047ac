#include "shared/probe.h"

#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/pair.h"

enum { PROBE = 0x10, ANSWER = 0x11 };

/* What finds `from` at `to`. Not made with the key of the MAC: a tag is seen by everybody on
 * the way, and is the same in many probes. */
static void make_tag(struct probe_tag *tag, const struct symmetric_key *pair,
		     const struct device_public *from, const struct device_public *to,
		     const struct knock *knock_of_receiver)
{
	uint8_t hash[crypto_generichash_BYTES_MIN];
	struct symmetric_key key;

	pair_key_between(&key, pair, "palique-probe-tag-v1", from, to);
	crypto_generichash(hash, sizeof hash, knock_of_receiver->bytes,
			   sizeof knock_of_receiver->bytes, key.bytes, sizeof key.bytes);
	memcpy(tag->bytes, hash, sizeof tag->bytes);
	sodium_memzero(&key, sizeof key);
	sodium_memzero(hash, sizeof hash);
}

void probe_keys_make(struct probe_keys *keys, const struct symmetric_key *pair,
		     const struct device_public *ours, const struct device_public *theirs,
		     const struct knock *our_knock, const struct knock *their_knock)
{
	pair_key_between(&keys->out, pair, "palique-probe-v1", ours, theirs);
	pair_key_between(&keys->in, pair, "palique-probe-v1", theirs, ours);
	make_tag(&keys->tag_out, pair, ours, theirs, their_knock);
	make_tag(&keys->tag_in, pair, theirs, ours, our_knock);
}

static bool has_form(struct bytes datagram)
{
	return (datagram.size == PROBE_SIZE && datagram.data[0] == PROBE) ||
	       (datagram.size == PROBE_ANSWER_SIZE && datagram.data[0] == ANSWER);
}

static void make_mac(uint8_t mac[PROBE_MAC_SIZE], struct bytes covered,
		     const struct symmetric_key *key)
{
	_Static_assert(PROBE_MAC_SIZE >= crypto_generichash_BYTES_MIN, "a MAC of BLAKE2b");
	crypto_generichash(mac, PROBE_MAC_SIZE, covered.data, covered.size, key->bytes,
			   sizeof key->bytes);
}

int probe_tag_of(struct probe_tag *tag, struct bytes datagram)
{
	if (!has_form(datagram))
		return ERR_FORMAT;
	memcpy(tag->bytes, datagram.data + 1, sizeof tag->bytes);
	return 0;
}

size_t probe_encode(uint8_t out[PROBE_SIZE_MAX], const struct probe *p,
		    const struct probe_keys *keys)
{
	uint8_t *end = out;

	*end++ = p->is_answer ? ANSWER : PROBE;
	memcpy(end, keys->tag_out.bytes, PROBE_TAG_SIZE);
	end += PROBE_TAG_SIZE;
	if (p->is_answer) {
		memcpy(end, p->echo.bytes, PROBE_NONCE_SIZE);
		end += PROBE_NONCE_SIZE;
	}
	memcpy(end, p->nonce.bytes, PROBE_NONCE_SIZE);
	end += PROBE_NONCE_SIZE;
	make_mac(end, bytes_of(out, (size_t)(end - out)), &keys->out);
	end += PROBE_MAC_SIZE;
	return (size_t)(end - out);
}

int probe_decode(struct probe *p, struct bytes datagram, const struct probe_keys *keys)
{
	uint8_t mac[PROBE_MAC_SIZE];
	const uint8_t *at;
	size_t covered;

	memset(p, 0, sizeof *p);
	if (!has_form(datagram))
		return ERR_FORMAT;
	covered = datagram.size - sizeof mac;
	at = datagram.data + 1;
	make_mac(mac, bytes_of(datagram.data, covered), &keys->in);
	if (sodium_memcmp(mac, datagram.data + covered, sizeof mac) != 0)
		return ERR_AUTH;
	/* Made for a knock that is not ours any more: a recording. */
	if (sodium_memcmp(at, keys->tag_in.bytes, PROBE_TAG_SIZE) != 0)
		return ERR_AUTH;
	at += PROBE_TAG_SIZE;
	p->is_answer = datagram.data[0] == ANSWER;
	if (p->is_answer) {
		memcpy(p->echo.bytes, at, PROBE_NONCE_SIZE);
		at += PROBE_NONCE_SIZE;
	}
	memcpy(p->nonce.bytes, at, PROBE_NONCE_SIZE);
	return 0;
}
