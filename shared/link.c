#include "shared/link.h"

#include <arpa/inet.h>
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/quic_wire.h"

enum { DATAGRAM_MIN = 64 }; /* room for a PING; less is not worth asking for */

/* The library is never told where anybody is: it sees one path that never changes, and
 * a link follows its other side by itself (docs/protocol.md, Roaming). */
static const struct sockaddr_in made_up_local = { .sin_family = AF_INET, .sin_port = 1 };
static const struct sockaddr_in made_up_remote = { .sin_family = AF_INET, .sin_port = 2 };

static ngtcp2_path made_up_path(void)
{
	return (ngtcp2_path){
		.local = { (struct sockaddr *)&made_up_local, sizeof made_up_local },
		.remote = { (struct sockaddr *)&made_up_remote, sizeof made_up_remote },
	};
}

/* --- connection ids --- */

void link_map_cid(struct link *l, const uint8_t *cid, size_t size)
{
	cid_map_put(l->home->cids, bytes_of(cid, size), l);
}

void link_unmap_cid(struct link *l, const uint8_t *cid, size_t size)
{
	cid_map_remove(l->home->cids, bytes_of(cid, size), l);
}

static void cid_new(const struct link_home *home, ngtcp2_cid *cid, size_t size)
{
	cid->datalen = size;
	do
		randombytes_buf(cid->data, size);
	while (cid_map_get(home->cids, bytes_of(cid->data, size)));
}

static int on_new_cid(ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *token, size_t size,
		      void *user)
{
	struct link *l = user;

	(void)conn;
	cid_new(l->home, cid, size);
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
	stream_arrived(s, bytes_of(data, size));
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
	if (s->was_full && stream_room(s) >= STREAM_QUEUE_MAX / 2) {
		s->was_full = false;
		event_queue_add(
			&l->home->events,
			&(struct link_event){ .kind = LINK_WRITABLE, .link = l, .stream = id });
	}
	return 0;
}

/* Gone from both sides: kept here until its end has been read. */
static void release_if_done(struct link *l, struct stream *s)
{
	if (!s->is_over || s->in_size > 0 || (s->is_ended && !s->is_end_seen))
		return;
	if (s->is_theirs)
		ngtcp2_conn_extend_max_streams_bidi(l->conn, 1);
	stream_remove(&l->streams, s);
}

static int on_stream_close(ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t code,
			   void *user, void *stream_user)
{
	struct stream *s = stream_user;

	(void)conn;
	(void)flags;
	(void)id;
	(void)code;
	if (!s)
		return 0;
	s->is_over = true;
	stream_drop_queue(s);
	release_if_done(user, s);
	return 0;
}

/* Nobody of ours cuts a stream off: who does breaks the protocol. */
static int on_stream_cut(ngtcp2_conn *conn, int64_t id, uint64_t size, uint64_t code,
			 void *user, void *stream_user)
{
	(void)conn;
	(void)id;
	(void)size;
	(void)code;
	(void)user;
	(void)stream_user;
	return NGTCP2_ERR_CALLBACK_FAILURE;
}

static int on_stop_sending(ngtcp2_conn *conn, int64_t id, uint64_t code, void *user,
			   void *stream_user)
{
	return on_stream_cut(conn, id, 0, code, user, stream_user);
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

static ngtcp2_callbacks callbacks_of(bool is_server)
{
	ngtcp2_callbacks c = {
		.recv_crypto_data = on_crypto,
		.handshake_completed = on_completed,
		.handshake_confirmed = on_confirmed,
		.recv_stream_data = on_stream_data,
		.acked_stream_data_offset = on_acknowledged,
		.stream_open = on_stream_open,
		.stream_close = on_stream_close,
		.stream_reset = on_stream_cut,
		.stream_stop_sending = on_stop_sending,
		.extend_max_stream_data = on_stream_window,
		.rand = on_random,
		.get_new_connection_id = on_new_cid,
		.remove_connection_id = on_cid_removed,
		.get_path_challenge_data = on_challenge,
		.recv_new_token = on_new_token,
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

/* --- begin and end --- */

static struct link *link_new(struct link_home *home, bool is_initiator, mono_ns now)
{
	struct link *l = memory_new(sizeof *l);

	l->home = home;
	l->is_initiator = is_initiator;
	l->began = l->heard_at = l->key_updated_at = now;
	l->unanswered_since = NEVER;
	l->deadline.owner = l;
	link_crypto_init(&l->crypto);
	return l;
}

static void settings_of(const struct link *l, ngtcp2_settings *s, ngtcp2_transport_params *p,
			mono_ns give_up_after, mono_ns now)
{
	ngtcp2_settings_default(s);
	s->initial_ts = now;
	s->initial_rtt = LINK_INITIAL_RTT; /* while punching, every lost first packet counts */
	s->handshake_timeout = give_up_after ? give_up_after : LINK_HANDSHAKE_TIMEOUT;
	s->max_stream_window = STREAM_WINDOW_MAX;
	s->max_window = LINK_WINDOW_MAX;
	s->max_tx_udp_payload_size = ENDPOINT_DATAGRAM_MAX;
	if (l->is_loopback) {
		/* No path between here and here is small: no probing. */
		s->max_tx_udp_payload_size = ENDPOINT_LOOPBACK_MAX;
		s->no_tx_udp_payload_size_shaping = 1;
		s->no_pmtud = 1;
	}
	ngtcp2_transport_params_default(p);
	p->initial_max_data = LINK_WINDOW_FIRST;
	p->initial_max_stream_data_bidi_local = STREAM_WINDOW_FIRST;
	p->initial_max_stream_data_bidi_remote = STREAM_WINDOW_FIRST;
	p->initial_max_streams_bidi = LINK_STREAMS_MAX;
	p->max_idle_timeout = l->home->config->idle_timeout == NEVER
				      ? 0
				      : l->home->config->idle_timeout;
	p->active_connection_id_limit = 2;
}

static void keep_alive_set(struct link *l, mono_ns after)
{
	ngtcp2_conn_set_keep_alive_timeout(l->conn, after == NEVER ? 0 : after);
}

static bool all_loopback(const struct link_fan *fan)
{
	for (unsigned i = 0; i < fan->count; i++)
		if (!address_is_loopback(&fan->addresses[i]))
			return false;
	return true;
}

struct link *link_dial(struct link_home *home, const struct link_target *target, mono_ns now)
{
	struct link *l = link_new(home, true, now);
	ngtcp2_callbacks callbacks = callbacks_of(false);
	uint8_t token[DOOR_TOKEN_MAX];
	ngtcp2_transport_params params;
	ngtcp2_path path = made_up_path();
	ngtcp2_settings settings;
	ngtcp2_cid dcid, scid;
	size_t token_size;
	int err;

	l->pattern = target->pattern;
	l->device = target->device;
	l->has_device = true;
	door_keys_make(&l->keys, &target->knock, &target->device);
	l->fan = memory_new(sizeof *l->fan);
	l->fan->count = target->address_count;
	memcpy(l->fan->addresses, target->addresses,
	       target->address_count * sizeof(struct address));
	l->path.remote = l->fan->addresses[0];
	l->is_loopback = all_loopback(l->fan);

	cid_new(home, &dcid, 16);
	cid_new(home, &scid, QUIC_CID_SIZE);
	l->handshake = link_handshake_new(&dcid, &scid);
	l->handshake->has_identity = target->has_identity;
	l->handshake->identity = target->identity;
	settings_of(l, &settings, &params, target->give_up_after, now);
	token_size = door_token_make(token, &l->keys, bytes_of(dcid.data, dcid.datalen),
				     target->token);
	quic_set_token(&settings, token, token_size, false);
	err = ngtcp2_conn_client_new(&l->conn, &dcid, &scid, &path, NGTCP2_PROTO_VER_V1,
				     &callbacks, &settings, &params, NULL, l);
	assert(err == 0);
	keep_alive_set(l, home->config->keep_alive);
	link_map_cid(l, scid.data, scid.datalen);
	link_wake(l);
	return l;
}

struct link *link_accept(struct link_home *home, const struct link_arrival *arrival,
			 mono_ns now)
{
	struct link *l = link_new(home, false, now);
	const ngtcp2_pkt_hd *hd = arrival->hd;
	ngtcp2_callbacks callbacks = callbacks_of(true);
	ngtcp2_transport_params params;
	ngtcp2_path path = made_up_path();
	ngtcp2_settings settings;
	ngtcp2_cid scid;
	int err;

	l->keys = *arrival->keys;
	l->path = arrival->path;
	l->is_loopback = address_is_loopback(&arrival->path.remote);
	l->handshake = link_handshake_new(&arrival->original, &hd->scid);
	cid_new(home, &scid, QUIC_CID_SIZE);
	settings_of(l, &settings, &params, 0, now);
	quic_set_original_dcid(&params, &arrival->original);
	if (arrival->is_retried) {
		params.retry_scid = hd->dcid;
		params.retry_scid_present = 1;
	}
	if (arrival->is_proved) { /* lifts the limit on what an unproved address is sent */
		size_t size;
		const uint8_t *token = quic_token(hd, &size);

		quic_set_token(&settings, token, size, arrival->is_retried);
	}
	err = ngtcp2_conn_server_new(&l->conn, &hd->scid, &scid, &path, hd->version, &callbacks,
				     &settings, &params, NULL, l);
	assert(err == 0);
	keep_alive_set(l, home->config->keep_alive);
	link_map_cid(l, scid.data, scid.datalen);
	l->first_dcid.size = hd->dcid.datalen;
	memcpy(l->first_dcid.bytes, hd->dcid.data, hd->dcid.datalen);
	link_map_cid(l, hd->dcid.data, hd->dcid.datalen);
	return l;
}

static void forget_first_dcid(struct link *l)
{
	if (l->first_dcid.size)
		link_unmap_cid(l, l->first_dcid.bytes, l->first_dcid.size);
	l->first_dcid.size = 0;
}

void link_free(struct link *l)
{
	size_t count = ngtcp2_conn_get_num_scid(l->conn);
	ngtcp2_cid *ids = memory_array(count ? count : 1, sizeof *ids);

	ngtcp2_conn_get_scid(l->conn, ids);
	for (size_t i = 0; i < count; i++)
		link_unmap_cid(l, ids[i].data, ids[i].datalen);
	free(ids);
	forget_first_dcid(l);
	link_sleep(l);
	ngtcp2_conn_del(l->conn);
	link_handshake_free(l->handshake);
	streams_clear(&l->streams);
	free(l->fan);
	free(l->certificate);
	free((uint8_t *)l->goodbye.data);
	sodium_memzero(l, sizeof *l);
	free(l);
}

/* --- the queue of those that may have something to send --- */

void link_wake(struct link *l)
{
	struct link_home *home = l->home;

	if (l->is_queued)
		return;
	l->is_queued = true;
	l->next_sending = NULL;
	l->previous_sending = home->sending_last;
	if (home->sending_last)
		home->sending_last->next_sending = l;
	else
		home->sending = l;
	home->sending_last = l;
}

void link_sleep(struct link *l)
{
	struct link_home *home = l->home;

	if (!l->is_queued)
		return;
	l->is_queued = false;
	if (l->previous_sending)
		l->previous_sending->next_sending = l->next_sending;
	else
		home->sending = l->next_sending;
	if (l->next_sending)
		l->next_sending->previous_sending = l->previous_sending;
	else
		home->sending_last = l->previous_sending;
}

/* --- receiving --- */

static void note_in_flight(struct link *l, mono_ns now)
{
	ngtcp2_conn_stat stat;

	ngtcp2_conn_get_conn_stat(l->conn, &stat);
	if (stat.bytes_in_flight == 0)
		l->unanswered_since = NEVER;
	else if (l->unanswered_since == NEVER || stat.bytes_in_flight < l->in_flight)
		l->unanswered_since = now;
	l->in_flight = stat.bytes_in_flight;
}

static void open_control(struct link *l)
{
	struct stream *s;
	int64_t id;

	if (!l->is_initiator)
		return;
	/* The empty frame that announces it lets the responder speak first. */
	if (ngtcp2_conn_open_bidi_stream(l->conn, &id, NULL) != 0 || id != LINK_CONTROL)
		return;
	s = stream_add(&l->streams, id);
	s->is_known = true;
	ngtcp2_conn_set_stream_user_data(l->conn, id, s);
}

static void come_up(struct link *l, mono_ns now)
{
	l->state = LINK_IS_UP;
	l->up_at = l->key_updated_at = now;
	l->proved_path = l->path;
	forget_first_dcid(l);
	link_handshake_free(l->handshake);
	l->handshake = NULL;
	sodium_memzero(&l->keys, sizeof l->keys);
	open_control(l);
}

/* For a time that doubles: a path that is found too narrow again and again is. */
static void stay_small(struct link *l, mono_ns now)
{
	l->small_for = l->small_for ? l->small_for * 2 : LINK_SIZE_PENALTY;
	if (l->small_for > LINK_SIZE_PENALTY_MAX)
		l->small_for = LINK_SIZE_PENALTY_MAX;
	l->small_until = now + l->small_for;
}

static void move_to(struct link *l, const struct path *path, size_t size, mono_ns now)
{
	bool is_known = address_equal(&path->remote, &l->proved_path.remote);

	l->path = *path;
	if (is_known) {
		l->proved_path = *path;
		l->is_unproved = false;
		return;
	}
	l->is_unproved = true;
	l->unproved_from = size;
	l->unproved_sent = 0;
	l->proof_packet = l->crypto.sealed + 1;
	l->wants_ping = true; /* something that must be acknowledged */
	stay_small(l, now);   /* the new path may carry less */
}

/* Where the newest authentic packet came from is where the other side is. */
static void follow(struct link *l, const struct path *path, size_t size, mono_ns now)
{
	bool is_new = l->crypto.has_new[LEVEL_DATA];

	if (l->state == LINK_SHAKING) {
		is_new = is_new || l->crypto.has_new[LEVEL_INITIAL] ||
			 l->crypto.has_new[LEVEL_HANDSHAKE];
		if (is_new && (!l->is_initiator || l->is_path_fixed)) {
			l->path = *path;
			free(l->fan);
			l->fan = NULL;
		}
		return;
	}
	if (path_equal(path, &l->path))
		l->unproved_from += size;
	else if (is_new)
		move_to(l, path, size, now);
	if (l->is_unproved && l->crypto.acknowledged >= l->proof_packet) {
		l->is_unproved = false;
		l->proved_path = l->path;
		event_queue_add(
			&l->home->events,
			&(struct link_event){ .kind = LINK_MOVED, .link = l, .path = l->path });
	}
}

/* What the library says is wrong, as one of ours. */
static int error_of(struct link *l, int library)
{
	ngtcp2_connection_close_error reason;

	switch (library) {
	case NGTCP2_ERR_DRAINING:
		quic_close_error(l->conn, &reason);
		l->error_code =
			reason.type == NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION
				? reason.error_code
				: LINK_CODE_PROTOCOL;
		return ERR_CLOSED;
	case NGTCP2_ERR_IDLE_CLOSE:
	case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
		return ERR_TIMEOUT;
	default:
		return l->state == LINK_SHAKING ? ERR_AUTH : ERR_FORMAT;
	}
}

void link_receive(struct link *l, const struct path *path, const uint8_t *datagram, size_t size,
		  mono_ns now)
{
	struct link_crypto *c = &l->crypto;
	ngtcp2_path made_up = made_up_path();
	ngtcp2_pkt_info info = { 0 };
	int err;

	memset(c->has_new, 0, sizeof c->has_new);
	c->has_opened = false;
	err = ngtcp2_conn_read_pkt(l->conn, &made_up, &info, datagram, size, now);
	if (c->has_opened) {
		l->heard_at = now;
		follow(l, path, size, now);
		note_in_flight(l, now);
	}
	if (err != 0) {
		l->error = error_of(l, err);
		return;
	}
	if (l->has_news_up && l->state == LINK_SHAKING)
		come_up(l, now);
	link_wake(l);
}

/* --- sending --- */

void link_add_address(struct link *l, const struct address *a)
{
	struct link_fan *fan = l->fan;

	if (!fan || fan->count == CANDIDATES_MAX || !address_is_unicast(a))
		return;
	for (unsigned i = 0; i < fan->count; i++)
		if (address_equal(&fan->addresses[i], a))
			return;
	fan->addresses[fan->count] = *a;
	if (fan->size)
		fan->pending |= 1u << fan->count;
	fan->count++;
	link_wake(l);
}

static size_t fan_next(struct link_fan *fan, uint8_t *room, struct path *path)
{
	for (unsigned i = 0; i < fan->count; i++) {
		if (!(fan->pending & 1u << i))
			continue;
		fan->pending &= ~(1u << i);
		*path = (struct path){ .remote = fan->addresses[i] };
		memcpy(room, fan->last, fan->size);
		return fan->size;
	}
	return 0;
}

static void fan_out(struct link_fan *fan, const uint8_t *datagram, size_t size,
		    struct path *path)
{
	assert(size <= sizeof fan->last);
	memcpy(fan->last, datagram, size);
	fan->size = size;
	fan->pending = (1u << fan->count) - 2; /* all but the first, which gets it now */
	*path = (struct path){ .remote = fan->addresses[0] };
}

/* How large the next datagram may be; 0: none now. */
static size_t size_allowed(const struct link *l, mono_ns now)
{
	size_t size = LINK_DATAGRAM_SAFE;

	if (l->state == LINK_IS_UP && now >= l->small_until)
		size = !l->is_loopback                        ? ENDPOINT_DATAGRAM_MAX
		       : address_is_loopback(&l->path.remote) ? ENDPOINT_LOOPBACK_MAX
							      : LINK_DATAGRAM_SAFE;
	if (l->is_unproved) {
		uint64_t most = LINK_AMPLIFICATION * l->unproved_from;
		uint64_t left = most > l->unproved_sent ? most - l->unproved_sent : 0;

		if (left < size)
			size = left;
	}
	return size;
}

static void update_keys_if_old(struct link *l, mono_ns now)
{
	/* The responder waits a little longer, so that one side does it. */
	mono_ns life = LINK_KEY_LIFE + (l->is_initiator ? 0 : 5 * SECOND);

	if (l->state == LINK_IS_UP && l->is_confirmed && now - l->key_updated_at >= life &&
	    ngtcp2_conn_initiate_key_update(l->conn, now) == 0)
		l->key_updated_at = now;
}

static ngtcp2_ssize write_packet(struct link *l, struct stream *s, uint8_t *room, size_t size,
				 mono_ns now)
{
	ngtcp2_vec parts[STREAM_VECTORS];
	size_t count = 0;
	bool is_last = false;
	ngtcp2_ssize taken = -1, written;
	uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_NONE;
	ngtcp2_pkt_info info;
	size_t offered = 0;

	if (s) {
		count = stream_unsent(s, parts, &is_last);
		if (is_last)
			flags |= NGTCP2_WRITE_STREAM_FLAG_FIN;
		for (size_t i = 0; i < count; i++)
			offered += parts[i].len;
	}
	written = ngtcp2_conn_writev_stream(l->conn, NULL, &info, room, size, &taken, flags,
					    s ? s->id : -1, parts, count, now);
	if (taken >= 0) {
		stream_sent(s, taken);
		if (is_last && (size_t)taken == offered)
			s->is_last_sent = true;
	}
	return written;
}

/* 0: nothing now; negative: the library's error. */
static ngtcp2_ssize write_next(struct link *l, uint8_t *room, size_t size, mono_ns now)
{
	for (;;) {
		struct stream *s = NULL;
		ngtcp2_ssize written;

		if (l->state == LINK_IS_UP)
			s = streams_next_sender(&l->streams);
		written = write_packet(l, s, room, size, now);
		if (!s || written >= 0)
			return written;
		if (written == NGTCP2_ERR_STREAM_DATA_BLOCKED)
			s->is_blocked = true;
		else if (written == NGTCP2_ERR_STREAM_SHUT_WR ||
			 written == NGTCP2_ERR_STREAM_NOT_FOUND)
			s->is_over = true;
		else
			return written;
	}
}

void link_burst_over(struct link *l, mono_ns now)
{
	if (l->burst > 0 && l->is_confirmed)
		ngtcp2_conn_update_pkt_tx_time(l->conn, now);
	if (l->burst > 0)
		note_in_flight(l, now);
	l->burst = 0;
}

size_t link_send(struct link *l, uint8_t *room, struct path *path, mono_ns now)
{
	ngtcp2_ssize written;
	size_t size;

	if (l->state != LINK_SHAKING && l->state != LINK_IS_UP)
		return 0;
	if (l->fan) {
		size = fan_next(l->fan, room, path);
		if (size)
			return size;
	}
	size = size_allowed(l, now);
	if (size < DATAGRAM_MIN) {
		link_burst_over(l, now);
		return 0;
	}
	update_keys_if_old(l, now);
	if (l->wants_ping)
		keep_alive_set(l, 1); /* the library's only way to make a PING: it is due */
	written = write_next(l, room, size, now);
	if (l->wants_ping) {
		keep_alive_set(l, l->home->config->keep_alive);
		l->wants_ping = written == 0;
	}
	if (written < 0)
		l->error = error_of(l, (int)written);
	if (written <= 0) {
		link_burst_over(l, now);
		return 0;
	}
	l->burst++;
	if (l->is_unproved)
		l->unproved_sent += written;
	*path = l->path;
	if (l->fan)
		fan_out(l->fan, room, written, path);
	return written;
}

void link_tick(struct link *l, mono_ns now)
{
	ngtcp2_conn_stat stat;
	int err;

	err = ngtcp2_conn_handle_expiry(l->conn, now);
	if (err != 0) {
		l->error = error_of(l, err);
		return;
	}
	ngtcp2_conn_get_conn_stat(l->conn, &stat);
	if (stat.pto_count >= 3 && now >= l->small_until)
		stay_small(l, now); /* perhaps large datagrams vanish somewhere */
	link_wake(l);
}

mono_ns link_due(const struct link *l)
{
	if (l->state == LINK_LEAVING)
		return l->leave_at;
	if (l->state == LINK_IS_DOWN)
		return NEVER;
	return ngtcp2_conn_get_expiry(l->conn);
}

size_t link_say_goodbye(struct link *l, uint64_t code, uint8_t *room, size_t size, mono_ns now)
{
	ngtcp2_connection_close_error reason;
	ngtcp2_pkt_info info;
	ngtcp2_ssize written;

	ngtcp2_connection_close_error_default(&reason);
	ngtcp2_connection_close_error_set_application_error(&reason, code, NULL, 0);
	written = ngtcp2_conn_write_connection_close(l->conn, NULL, &info, room, size, &reason,
						     now);
	return written > 0 ? (size_t)written : 0;
}

/* --- what the owner asks and says --- */

void link_set_user(struct link *l, void *user)
{
	l->user = user;
}

void *link_user(const struct link *l)
{
	return l->user;
}

bool link_is_up(const struct link *l)
{
	return l->state == LINK_IS_UP;
}

bool link_is_initiator(const struct link *l)
{
	return l->is_initiator;
}

enum link_pattern link_pattern(const struct link *l)
{
	return l->pattern;
}

const struct device_public *link_device(const struct link *l)
{
	return l->has_device ? &l->device : NULL;
}

const struct certificate *link_certificate(const struct link *l)
{
	return l->certificate;
}

const uint8_t *link_handshake_hash(const struct link *l)
{
	return l->hash;
}

struct path link_path(const struct link *l)
{
	return l->path;
}

mono_ns link_round_trip(const struct link *l)
{
	ngtcp2_conn_stat stat;

	ngtcp2_conn_get_conn_stat(l->conn, &stat);
	return stat.smoothed_rtt;
}

mono_ns link_last_heard(const struct link *l)
{
	return l->heard_at;
}

mono_ns link_unanswered_since(const struct link *l)
{
	return l->unanswered_since;
}

int link_open(struct link *l, int64_t *stream)
{
	struct stream *s;

	if (l->state != LINK_IS_UP)
		return ERR_STATE;
	if (ngtcp2_conn_open_bidi_stream(l->conn, stream, NULL) != 0)
		return ERR_BUSY;
	s = stream_add(&l->streams, *stream);
	s->is_known = s->is_announced = true;
	ngtcp2_conn_set_stream_user_data(l->conn, *stream, s);
	return 0;
}

int link_write(struct link *l, int64_t stream, struct bytes data, bool is_last)
{
	struct stream *s;

	if (l->state != LINK_IS_UP)
		return ERR_STATE;
	s = stream_find(&l->streams, stream);
	if (!s && stream == LINK_CONTROL)
		s = stream_add(&l->streams, stream); /* sent when the initiator has opened it */
	if (!s)
		return ERR_NOT_FOUND;
	if (s->has_last || s->is_over)
		return ERR_STATE;
	if (data.size > stream_room(s)) {
		s->was_full = true;
		return ERR_FULL;
	}
	stream_queue(s, data);
	s->has_last = is_last;
	link_wake(l);
	return 0;
}

size_t link_room(const struct link *l, int64_t stream)
{
	const struct stream *s = stream_find(&l->streams, stream);

	if (!s)
		return stream == LINK_CONTROL ? STREAM_QUEUE_MAX : 0;
	return s->has_last || s->is_over ? 0 : stream_room(s);
}

struct bytes link_peek(struct link *l, int64_t stream, bool *is_end)
{
	struct stream *s = stream_find(&l->streams, stream);
	struct bytes view;

	*is_end = false;
	if (!s) {
		*is_end = stream != LINK_CONTROL; /* the control stream may be yet to come */
		return bytes_of(NULL, 0);
	}
	view = stream_view(s);
	*is_end = s->is_ended;
	s->is_end_shown = s->is_ended;
	if (s->is_ended && view.size == 0) {
		s->is_end_seen = true;
		release_if_done(l, s);
		return bytes_of(NULL, 0);
	}
	return view;
}

void link_consume(struct link *l, int64_t stream, size_t count)
{
	struct stream *s = stream_find(&l->streams, stream);

	if (!s) {
		assert(count == 0);
		return;
	}
	stream_consumed(s, count);
	if (!s->is_over)
		ngtcp2_conn_extend_max_stream_offset(l->conn, stream, count);
	ngtcp2_conn_extend_max_offset(l->conn, count);
	if (s->is_end_shown && s->in_size == 0)
		s->is_end_seen = true;
	release_if_done(l, s);
	if (l->state == LINK_IS_UP)
		link_wake(l);
}

void link_ping(struct link *l)
{
	if (l->state != LINK_IS_UP)
		return;
	l->wants_ping = true;
	link_wake(l);
}
