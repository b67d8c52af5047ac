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

/* --- begin and end --- */

static struct link *link_new(struct link_home *home, bool is_initiator, mono_ns now)
{
	struct link *l = memory_new(sizeof *l);

	l->home = home;
	l->is_initiator = is_initiator;
	l->keep_alive = home->config->keep_alive;
	l->idle_timeout = home->config->idle_timeout;
	l->began = l->heard_at = l->key_updated_at = now;
	l->give_up_at = now + LINK_HANDSHAKE_TIMEOUT;
	l->unanswered_since = NEVER;
	l->deadline.owner = l;
	link_crypto_init(&l->crypto);
	return l;
}

static void settings_of(const struct link *l, ngtcp2_settings *s, ngtcp2_transport_params *p,
			mono_ns now)
{
	ngtcp2_settings_default(s);
	s->initial_ts = now;
	s->cc_algo = QUIC_CONGESTION;
	s->initial_rtt = LINK_INITIAL_RTT; /* while punching, every lost first packet counts */
	s->handshake_timeout = LINK_LIBRARY_TIMEOUT; /* ours is `give_up_at` */
	s->max_stream_window = l->home->config->policy == ENDPOINT_ADMITTED
				       ? STREAM_WINDOW_MAX
				       : STREAM_WINDOW_FIRST;
	s->max_tx_udp_payload_size = ENDPOINT_DATAGRAM_MAX;
	if (l->is_loopback) {
		/* No path between here and here is small: no probing. */
		s->max_tx_udp_payload_size = ENDPOINT_LOOPBACK_MAX;
		s->no_tx_udp_payload_size_shaping = 1;
		s->no_pmtud = 1;
	}
	ngtcp2_transport_params_default(p);
	p->initial_max_data = LINK_WINDOW_SAID;
	p->initial_max_stream_data_bidi_local = STREAM_WINDOW_FIRST;
	p->initial_max_stream_data_bidi_remote = STREAM_WINDOW_FIRST;
	p->initial_max_streams_bidi = LINK_STREAMS_MAX;
	p->max_idle_timeout = 0; /* ours is silent_at() */
	p->active_connection_id_limit = 2;
	p->max_datagram_frame_size = l->home->config->policy == ENDPOINT_ADMITTED
					     ? LINK_DATAGRAM_FRAME_MAX
					     : LINK_PROOF_FRAME_MAX;
}

struct link *link_dial(struct link_home *home, const struct link_target *target, mono_ns now)
{
	struct link *l = link_new(home, true, now);
	ngtcp2_callbacks callbacks = link_callbacks(false);
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
	if (target->keep_alive)
		l->keep_alive = target->keep_alive;
	if (target->give_up_after)
		l->give_up_at = now + target->give_up_after;
	if (target->idle_timeout)
		l->idle_timeout = target->idle_timeout;
	door_keys_make(&l->keys, &target->knock, &target->device);
	l->fan = memory_new(sizeof *l->fan);
	l->fan->is_offered = target->is_offered;
	for (unsigned i = 0; i < target->address_count; i++)
		link_fan_add(l->fan, &target->addresses[i]);
	l->path.remote = l->fan->ways[0].path.remote;
	l->is_loopback = target->is_offered ? target->is_near : link_fan_is_loopback(l->fan);

	link_cid_new(home, &dcid, 16);
	link_cid_new(home, &scid, QUIC_CID_SIZE);
	l->handshake = link_handshake_new(&dcid, &scid);
	l->handshake->has_identity = target->has_identity;
	l->handshake->identity = target->identity;
	settings_of(l, &settings, &params, now);
	token_size = door_token_make(token, &l->keys, bytes_of(dcid.data, dcid.datalen),
				     target->token);
	quic_set_token(&settings, token, token_size, false);
	err = ngtcp2_conn_client_new(&l->conn, &dcid, &scid, &path, NGTCP2_PROTO_VER_V1,
				     &callbacks, &settings, &params, NULL, l);
	assert(err == 0);
	link_keep_alive_set(l);
	link_map_cid(l, scid.data, scid.datalen);
	link_wake(l);
	return l;
}

struct link *link_accept(struct link_home *home, const struct link_arrival *arrival,
			 mono_ns now)
{
	struct link *l = link_new(home, false, now);
	const ngtcp2_pkt_hd *hd = arrival->hd;
	ngtcp2_callbacks callbacks = link_callbacks(true);
	ngtcp2_transport_params params;
	ngtcp2_path path = made_up_path();
	ngtcp2_settings settings;
	ngtcp2_cid scid;
	int err;

	l->keys = *arrival->keys;
	l->path = arrival->path;
	l->is_loopback = address_is_loopback(&arrival->path.remote);
	l->handshake = link_handshake_new(&arrival->original, &hd->scid);
	link_cid_new(home, &scid, QUIC_CID_SIZE);
	settings_of(l, &settings, &params, now);
	quic_set_original_dcid(&params, &arrival->original);
	l->is_retried = arrival->is_retried;
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
	link_keep_alive_set(l);
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
	link_datagrams_clear(l);
	free(l->fan);
	free(l->certificate);
	free((uint8_t *)l->goodbye.data);
	sodium_memzero(l, sizeof *l);
	free(l);
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
	link_path_up(l, now);
	link_credit_up(l);
	forget_first_dcid(l);
	link_handshake_free(l->handshake);
	l->handshake = NULL;
	sodium_memzero(&l->keys, sizeof l->keys);
	open_control(l);
}

/* For a time that doubles: a path that is found too narrow again and again is. */

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
	err = ngtcp2_conn_read_pkt(l->conn, &made_up, &info, datagram, size,
				   link_library_now(l, now));
	if (c->has_opened) {
		l->heard_at = now;
		link_unrest_heard(l, size, now);
		link_follow(l, path, size, now);
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

void link_burst_over(struct link *l, mono_ns now)
{
	if (l->burst > 0 && l->is_confirmed)
		ngtcp2_conn_update_pkt_tx_time(l->conn, link_library_now(l, now));
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
		size = link_fan_next(l->fan, room, path);
		if (size || l->fan->count == 0) /* nothing leaves before the first offer */
			return size;
	}
	size = link_size_allowed(l, now);
	if (size < DATAGRAM_MIN) {
		link_burst_over(l, now);
		return 0;
	}
	/* Of the little that may go to a new address the challenge must be the first. */
	if (l->is_unproved && l->state == LINK_IS_UP && link_unrest_presses(l))
		link_hurry(l, now);
	written = link_write_next(l, room, size, now);
	if (written == 0 && link_unrest_presses(l) && link_hurry(l, now))
		written = link_write_next(l, room, size, now);
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
	if (!l->fan)
		return written;
	link_fan_keep(l->fan, room, written, now);
	written = link_fan_next(l->fan, room, path);
	if (written == 0) /* who was offered has had theirs */
		link_burst_over(l, now);
	return written;
}

/* When the other side has been silent for too long. The library's own timer will not do: it
 * begins anew when something is sent (RFC 9000 section 10.1), so that who vanished would be
 * held for as long again by a single word to them. */
static mono_ns silent_at(const struct link *l)
{
	return l->state != LINK_IS_UP || l->idle_timeout == NEVER
		       ? NEVER
		       : l->heard_at + l->idle_timeout;
}

static mono_ns given_up_at(const struct link *l)
{
	return l->state == LINK_SHAKING ? l->give_up_at : NEVER;
}

void link_tick(struct link *l, mono_ns now)
{
	int err;

	err = ngtcp2_conn_handle_expiry(l->conn, link_library_now(l, now));
	if (err != 0) {
		l->error = error_of(l, err);
		return;
	}
	if (silent_at(l) <= now || given_up_at(l) <= now) {
		l->error = ERR_TIMEOUT;
		return;
	}
	link_attempt_tick(l, now);
	link_proof_tick(l, now);
	link_unrest_tick(l, now);
	/* Twice probed without an answer: perhaps large datagrams vanish somewhere. */
	if (l->unanswered_since != NEVER && now >= l->small_until &&
	    now - l->unanswered_since >= 3 * ngtcp2_conn_get_pto(l->conn))
		link_stay_small(l, now);
	link_wake(l);
}

mono_ns link_due(const struct link *l)
{
	mono_ns own;

	if (l->state == LINK_LEAVING)
		return l->leave_at;
	if (l->state == LINK_IS_DOWN)
		return NEVER;
	own = mono_earlier(mono_earlier(silent_at(l), given_up_at(l)),
			   mono_earlier(link_attempt_at(l), link_unrest_at(l)));
	return mono_earlier(own, mono_earlier(link_library_due(l), link_proof_at(l)));
}

size_t link_say_goodbye(struct link *l, uint64_t code, uint8_t *room, size_t size, mono_ns now)
{
	ngtcp2_connection_close_error reason;
	ngtcp2_pkt_info info;
	ngtcp2_ssize written;

	ngtcp2_connection_close_error_default(&reason);
	ngtcp2_connection_close_error_set_application_error(&reason, code, NULL, 0);
	written = ngtcp2_conn_write_connection_close(l->conn, NULL, &info, room, size, &reason,
						     link_library_now(l, now));
	return written > 0 ? (size_t)written : 0;
}
