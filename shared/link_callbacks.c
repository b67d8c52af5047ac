#include "shared/link_callbacks.h"

#include <sodium.h>

#include "shared/link.h"

/* --- connection ids --- */

static int on_new_cid(ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *token, size_t size,
		      void *user)
{
	struct link *l = user;

	(void)conn;
	link_cid_new(l->home, cid, size);
	/* Never used: we do not send stateless resets (RFC 9000 section 10.3). */
	randombytes_buf(token, NGTCP2_STATELESS_RESET_TOKENLEN);
	link_map_cid(l, cid->data, cid->datalen);
	return 0;
}

static int on_cid_removed(ngtcp2_conn *conn, const ngtcp2_cid *cid, void *user)
{
	(void)conn;
	link_unmap_cid(user, cid->data, cid->datalen);
	return 0;
}

/* --- handshake --- */

static int on_client_initial(ngtcp2_conn *conn, void *user)
{
	struct link *l = user;
	const ngtcp2_cid *dcid = ngtcp2_conn_get_dcid(conn);

	if (link_crypto_install_initial(conn, &l->crypto, &l->keys,
					bytes_of(dcid->data, dcid->datalen), false) != 0 ||
	    link_crypto_install_retry(conn, &l->keys) != 0)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	return link_handshake_begin(l);
}

static int on_received_client_initial(ngtcp2_conn *conn, const ngtcp2_cid *dcid, void *user)
{
	struct link *l = user;

	if (link_crypto_install_initial(conn, &l->crypto, &l->keys,
					bytes_of(dcid->data, dcid->datalen), true) != 0)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	return 0;
}

static int on_retry(ngtcp2_conn *conn, const ngtcp2_pkt_hd *hd, void *user)
{
	struct link *l = user;

	if (link_crypto_install_initial(conn, &l->crypto, &l->keys,
					bytes_of(hd->scid.data, hd->scid.datalen), false) != 0)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	return 0;
}

static int on_crypto(ngtcp2_conn *conn, ngtcp2_crypto_level level, uint64_t offset,
		     const uint8_t *data, size_t size, void *user)
{
	(void)conn;
	(void)offset;
	return link_handshake_receive(user, level, bytes_of(data, size));
}

static int on_completed(ngtcp2_conn *conn, void *user)
{
	struct link *l = user;

	(void)conn;
	l->has_news_up = true;
	if (!l->is_initiator)
		l->is_confirmed = true;
	/* Now, because data that came with the last of the handshake is told of next. */
	event_queue_add(&l->home->events, &(struct link_event){ .kind = LINK_UP, .link = l });
	return 0;
}

static int on_confirmed(ngtcp2_conn *conn, void *user)
{
	(void)conn;
	((struct link *)user)->is_confirmed = true;
	return 0;
}

static int on_version(ngtcp2_conn *conn, uint32_t version, const ngtcp2_cid *dcid, void *user)
{
	(void)conn;
	(void)version;
	(void)dcid;
	(void)user;
	return NGTCP2_ERR_CALLBACK_FAILURE;
}

static void on_random(uint8_t *out, size_t size, const ngtcp2_rand_ctx *ctx)
{
	(void)ctx;
	randombytes_buf(out, size);
}

static int on_challenge(ngtcp2_conn *conn, uint8_t *data, void *user)
{
	(void)conn;
	(void)user;
	randombytes_buf(data, NGTCP2_PATH_CHALLENGE_DATALEN);
	return 0;
}

static int on_datagram(ngtcp2_conn *conn, uint32_t flags, const uint8_t *data, size_t size,
		       void *user)
{
	(void)conn;
	(void)flags;
	if (link_proof_receive(user, bytes_of(data, size)) == 0 ||
	    link_datagram_receive(user, bytes_of(data, size)) == 0)
		return 0;
	return NGTCP2_ERR_CALLBACK_FAILURE;
}

static int on_new_token(ngtcp2_conn *conn, QUIC_NEW_TOKEN_ARGS, void *user)
{
	struct link *l = user;
	struct link_event event = { .kind = LINK_TOKEN,
				    .link = l,
				    .data = QUIC_NEW_TOKEN_BYTES };

	(void)conn;
	if (event.data.size <= ENDPOINT_TOKEN_MAX)
		event_queue_add(&l->home->events, &event);
	return 0;
}

/* --- streams --- */

static void tell_readable(struct link *l, struct stream *s)
{
	if (s->is_told)
		return;
	s->is_told = true;
	event_queue_add(
		&l->home->events,
		&(struct link_event){ .kind = LINK_READABLE, .link = l, .stream = s->id });
}

static int on_stream_open(ngtcp2_conn *conn, int64_t id, void *user)
{
	struct link *l = user;
	struct stream *s = stream_find(&l->streams,
				       id); /* the control stream may wait already */

	if (!s)
		s = stream_add(&l->streams, id);
	s->is_known = s->is_announced = s->is_theirs = true;
	return ngtcp2_conn_set_stream_user_data(conn, id, s) == 0 ? 0
								  : NGTCP2_ERR_CALLBACK_FAILURE;
}

static int on_stream_data(ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t offset,
			  const uint8_t *data, size_t size, void *user, void *stream_user)
{
	struct stream *s = stream_user;

	(void)conn;
	(void)id;
	(void)offset;
	if (!s)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	if (s->is_abandoned) {
		link_credit(user, size);
		return 0;
	}
	stream_arrived(s, bytes_of(data, size));
	if (size > 0)
		((struct link *)user)->unrest.has_data = true;
	if (flags & NGTCP2_STREAM_DATA_FLAG_FIN)
		s->is_ended = true;
	if (size > 0 || s->is_ended)
		tell_readable(user, s);
	return 0;
}

static int on_acknowledged(ngtcp2_conn *conn, int64_t id, uint64_t offset, uint64_t size,
			   void *user, void *stream_user)
{
	struct link *l = user;
	struct stream *s = stream_user;

	(void)conn;
	(void)offset;
	if (!s || size == 0)
		return 0;
	stream_acknowledged(s, size);
	if (s->was_full && !s->is_abandoned && link_queue_has_room_again(l, s)) {
		s->was_full = false;
		event_queue_add(
			&l->home->events,
			&(struct link_event){ .kind = LINK_WRITABLE, .link = l, .stream = id });
	}
	return 0;
}

static int on_stream_close(ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t code,
			   void *user, void *stream_user)
{
	struct stream *s = stream_user;

	(void)conn;
	(void)id;
	if (!s)
		return 0;
	s->is_over = true;
	/* That they do not read any more is told here alone. */
	if (flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET)
		link_abandoned(user, s, code);
	stream_drop_queue(s);
	link_release_if_done(user, s);
	return 0;
}

static int on_stream_reset(ngtcp2_conn *conn, int64_t id, uint64_t size, uint64_t code,
			   void *user, void *stream_user)
{
	struct stream *s = stream_user;

	(void)size;
	if (id == LINK_CONTROL) /* it ends with the link */
		return NGTCP2_ERR_CALLBACK_FAILURE;
	if (!s)
		return 0;
	link_abandoned(user, s, code);
	return quic_cut_sending(conn, id, code) == 0 ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
}

static int on_stream_window(ngtcp2_conn *conn, int64_t id, uint64_t most, void *user,
			    void *stream_user)
{
	struct stream *s = stream_user;

	(void)conn;
	(void)id;
	(void)most;
	(void)user;
	if (s)
		s->is_blocked = false;
	return 0;
}

ngtcp2_callbacks link_callbacks(bool is_server)
{
	ngtcp2_callbacks c = {
		.recv_crypto_data = on_crypto,
		.handshake_completed = on_completed,
		.handshake_confirmed = on_confirmed,
		.recv_stream_data = on_stream_data,
		.acked_stream_data_offset = on_acknowledged,
		.stream_open = on_stream_open,
		.stream_close = on_stream_close,
		.stream_reset = on_stream_reset,
		.extend_max_stream_data = on_stream_window,
		.rand = on_random,
		.get_new_connection_id = on_new_cid,
		.remove_connection_id = on_cid_removed,
		.get_path_challenge_data = on_challenge,
		.recv_new_token = on_new_token,
		.recv_datagram = on_datagram,
		.version_negotiation = on_version,
	};

	link_crypto_callbacks(&c);
	if (is_server) {
		c.recv_client_initial = on_received_client_initial;
	} else {
		c.client_initial = on_client_initial;
		c.recv_retry = on_retry;
	}
	return c;
}
