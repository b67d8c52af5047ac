/* The door: what becomes of a first Initial. */
#include <sodium.h>

#include "shared/endpoint_inside.h"
#include "shared/quic_wire.h"

enum {
	PEER_HANDSHAKES = 20,       /* a second, from one network */
	DIRECTORY_HANDSHAKES = 200, /* a second, from one network, addresses proved */
};

static void send_retry(struct endpoint *e, const struct path *path, const ngtcp2_pkt_hd *hd,
		       mono_ns now)
{
	uint8_t token[DOOR_RETRY_SIZE], room[LINK_DATAGRAM_SAFE];
	ngtcp2_cid scid = { .datalen = QUIC_CID_SIZE };
	size_t size;

	randombytes_buf(scid.data, scid.datalen);
	door_retry_make(e->home.door, token, &path->remote,
			bytes_of(hd->dcid.data, hd->dcid.datalen),
			bytes_of(scid.data, scid.datalen), now);
	size = link_crypto_write_retry(room, sizeof room, &e->keys, hd, &scid, BYTES(token));
	if (size == 0)
		return;
	quic_wire_out(room, size);
	endpoint_say(e, path, bytes_of(room, size));
	e->counters.retries++;
}

/* Whether this Initial may become a link; fills `a`. */
static bool passes_the_door(struct endpoint *e, const struct path *path,
			    const ngtcp2_pkt_hd *hd, struct link_arrival *a, mono_ns now)
{
	struct bytes dcid = bytes_of(hd->dcid.data, hd->dcid.datalen), token, address_token;

	token.data = quic_token(hd, &token.size);
	a->original = hd->dcid;
	if (e->config.policy == ENDPOINT_ADMITTED)
		return door_token_check(&e->keys, dcid, token, &address_token) == 0;
	if (door_is_retry(token)) {
		if (door_retry_open(e->home.door, token, &path->remote, dcid, now,
				    a->original.data, &a->original.datalen) < 0)
			return false;
		a->is_retried = a->is_proved = true;
		return true;
	}
	if (door_token_check(&e->keys, dcid, token, &address_token) < 0)
		return false;
	a->is_proved = door_address_token_open(e->home.door, address_token, &path->remote,
					       now) == 0;
	if (!a->is_proved)
		send_retry(e, path, hd, now);
	return a->is_proved;
}

/* Where all places are taken the oldest gives way: an honest handshake is soon over. */
static bool make_room(struct endpoint *e, const struct path *path, mono_ns now)
{
	bool is_directory = e->config.policy == ENDPOINT_ANYONE;
	size_t most = is_directory ? ENDPOINT_HALF_OPEN_PROVED_MAX : ENDPOINT_HALF_OPEN_MAX;

	if (!door_allows(e->home.door, &path->remote,
			 is_directory ? DIRECTORY_HANDSHAKES : PEER_HANDSHAKES, now))
		return false;
	while (e->half_open.count >= most)
		endpoint_destroy(e, e->half_open.oldest);
	return true;
}

struct link *endpoint_accept(struct endpoint *e, const struct path *path,
			     const uint8_t *datagram, size_t size, mono_ns now)
{
	struct link_arrival a = { .path = *path, .keys = &e->keys };
	ngtcp2_pkt_hd hd;
	struct link *l;

	if (ngtcp2_accept(&hd, datagram, size) != 0 || hd.dcid.datalen < QUIC_CID_SIZE ||
	    hd.scid.datalen == 0)
		return NULL;
	a.hd = &hd;
	if (!passes_the_door(e, path, &hd, &a, now) || !make_room(e, path, now))
		return NULL;
	l = link_accept(&e->home, &a, now);
	endpoint_list(e, l);
	half_open_add(&e->half_open, l);
	return l;
}
