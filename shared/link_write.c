#include "shared/link_write.h"

#include "shared/link.h"

static void update_keys_if_old(struct link *l, mono_ns now)
{
	/* The responder waits a little longer, so that one side does it. */
	mono_ns life = LINK_KEY_LIFE + (l->is_initiator ? 0 : 5 * SECOND);

	if (l->state == LINK_IS_UP && l->is_confirmed && now - l->key_updated_at >= life &&
	    ngtcp2_conn_initiate_key_update(l->conn, link_library_now(l, now)) == 0)
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
					    s ? s->id : -1, parts, count,
					    link_library_now(l, now));
	if (taken >= 0) {
		stream_sent(s, taken);
		if (is_last && (size_t)taken == offered)
			s->is_last_sent = true;
	}
	return written;
}

/* A DATAGRAM frame in a packet of its own; it may turn out to be another packet that was
 * due before. */
static ngtcp2_ssize write_frame(struct link *l, uint8_t *frame, size_t frame_size,
				uint8_t *room, size_t size, bool *is_taken, mono_ns now)
{
	ngtcp2_vec part = { frame, frame_size };
	ngtcp2_pkt_info info;
	ngtcp2_ssize written;
	int taken = 0;

	written = ngtcp2_conn_writev_datagram(l->conn, NULL, &info, room, size, &taken,
					      NGTCP2_WRITE_DATAGRAM_FLAG_NONE, 0, &part, 1,
					      link_library_now(l, now));
	*is_taken = taken;
	return written;
}

/* A challenge or an answer. */
static ngtcp2_ssize write_proof(struct link *l, uint8_t *room, size_t size, mono_ns now)
{
	uint8_t said[LINK_PROOF_SIZE];
	ngtcp2_ssize written;
	bool is_taken;

	if (l->state != LINK_IS_UP || link_proof_next(l, said) == 0)
		return 0;
	written = write_frame(l, said, sizeof said, room, size, &is_taken, now);
	if (is_taken)
		link_proof_sent(l, said);
	return written;
}

/* Early words, or what is carried for others. */
static ngtcp2_ssize write_datagram(struct link *l, uint8_t *room, size_t size, mono_ns now)
{
	uint8_t frame[LINK_DATAGRAM_FRAME_MAX];
	size_t fits = ngtcp2_conn_get_path_max_tx_udp_payload_size(l->conn), frame_size;
	ngtcp2_ssize written;
	bool is_taken;

	frame_size = link_datagram_next(l, frame, fits < size ? fits : size);
	if (frame_size == 0)
		return 0;
	written = write_frame(l, frame, frame_size, room, size, &is_taken, now);
	if (is_taken)
		link_datagram_sent(l, frame);
	return written;
}

/* They do not read any more. Who has ended their own side with it has nothing more to say, and
 * the library is about to tell why; who has not shall not go on either. */
static void they_stopped(struct link *l, struct stream *s)
{
	s->is_last_sent = true;
	if (s->is_ended)
		return;
	link_abandoned(l, s, 0);
	quic_cut_stream(l->conn, s->id, 0);
}

/* Of the streams, or what the library has to say by itself. */
static ngtcp2_ssize write_stream(struct link *l, uint8_t *room, size_t size, mono_ns now)
{
	for (;;) {
		struct stream *s = NULL;
		ngtcp2_ssize written;

		if (l->state == LINK_IS_UP)
			s = streams_next_sender(&l->streams, link_credit_is_enough(l));
		written = write_packet(l, s, room, size, now);
		if (!s || written >= 0)
			return written;
		if (written == NGTCP2_ERR_STREAM_DATA_BLOCKED)
			s->is_blocked = true;
		else if (written == NGTCP2_ERR_STREAM_SHUT_WR && s->id != LINK_CONTROL)
			they_stopped(l, s);
		else if (written == NGTCP2_ERR_STREAM_NOT_FOUND)
			s->is_over = true;
		else
			return written;
	}
}

/* 0: nothing now; negative: the library's error. Datagrams and streams take turns. */
static ngtcp2_ssize write_next(struct link *l, uint8_t *room, size_t size, mono_ns now)
{
	bool is_turn = l->datagrams.is_turn;
	ngtcp2_ssize written = write_proof(l, room, size, now);

	if (written == 0 && is_turn)
		written = write_datagram(l, room, size, now);
	l->datagrams.is_turn = !is_turn;
	if (written == 0)
		written = write_stream(l, room, size, now);
	if (written == 0 && !is_turn)
		written = write_datagram(l, room, size, now);
	return written;
}

/* The library's only way to make a PING is a keep-alive that is due. A packet that is
 * acknowledged anyway does as well; one with nothing but an acknowledgement does not. */
static ngtcp2_ssize write_with_ping(struct link *l, uint8_t *room, size_t size, mono_ns now)
{
	ngtcp2_conn_stat before, after;
	ngtcp2_ssize written;

	ngtcp2_conn_get_conn_stat(l->conn, &before);
	ngtcp2_conn_set_keep_alive_timeout(l->conn, QUIC_KEEP_ALIVE_DUE);
	written = write_next(l, room, size, now);
	link_keep_alive_set(l);
	ngtcp2_conn_get_conn_stat(l->conn, &after);
	l->wants_ping = after.bytes_in_flight <= before.bytes_in_flight;
	return written;
}

ngtcp2_ssize link_write_next(struct link *l, uint8_t *room, size_t size, mono_ns now)
{
	update_keys_if_old(l, now);
	return l->wants_ping ? write_with_ping(l, room, size, now)
			     : write_next(l, room, size, now);
}
