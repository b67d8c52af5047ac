/* ngtcp2 0.12 (Debian 12) and 1.x behind one set of names: the sources use those of
 * 0.12, and this header says what each is called later. Included by the rooms of the
 * link only. The tests of links and endpoints pass with 0.12.1, 1.11 and 1.25. */
#ifndef PALIQUE_SHARED_QUIC_COMPAT_H
#define PALIQUE_SHARED_QUIC_COMPAT_H

#include <stdbool.h>

#include <ngtcp2/ngtcp2.h>

#if NGTCP2_VERSION_NUM >= 0x010000

#define QUIC_KEEP_ALIVE_DUE 1 /* a nanosecond after the last packet */

#define ngtcp2_connection_close_error                       ngtcp2_ccerr
#define ngtcp2_connection_close_error_default               ngtcp2_ccerr_default
#define ngtcp2_connection_close_error_set_application_error ngtcp2_ccerr_set_application_error
#define NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION NGTCP2_CCERR_TYPE_APPLICATION
#define ngtcp2_crypto_level                                 ngtcp2_encryption_level
#define NGTCP2_CRYPTO_LEVEL_INITIAL                         NGTCP2_ENCRYPTION_LEVEL_INITIAL
#define NGTCP2_CRYPTO_LEVEL_HANDSHAKE                       NGTCP2_ENCRYPTION_LEVEL_HANDSHAKE
#define ngtcp2_conn_handshake_completed                     ngtcp2_conn_tls_handshake_completed
#define ngtcp2_conn_decode_remote_transport_params                                             \
	ngtcp2_conn_decode_and_set_remote_transport_params
#define ngtcp2_conn_stat               ngtcp2_conn_info
#define ngtcp2_conn_get_conn_stat      ngtcp2_conn_get_conn_info
#define ngtcp2_conn_get_num_scid(conn) ngtcp2_conn_get_scid((conn), NULL)

static inline void quic_close_error(ngtcp2_conn *conn, ngtcp2_connection_close_error *error)
{
	*error = *ngtcp2_conn_get_ccerr(conn);
}

static inline const uint8_t *quic_token(const ngtcp2_pkt_hd *hd, size_t *size)
{
	*size = hd->tokenlen;
	return hd->token;
}

static inline void quic_set_token(ngtcp2_settings *s, const uint8_t *token, size_t size,
				  bool is_retry)
{
	s->token = token;
	s->tokenlen = size;
	s->token_type = is_retry ? NGTCP2_TOKEN_TYPE_RETRY : NGTCP2_TOKEN_TYPE_NEW_TOKEN;
}

static inline void quic_set_original_dcid(ngtcp2_transport_params *p, const ngtcp2_cid *cid)
{
	p->original_dcid = *cid;
	p->original_dcid_present = 1;
}

/* How often it has probed in a row is not told: each step of its timer counts. */
#define quic_pto_count(conn)          ((void)(conn), (size_t)0)
#define quic_has_probed(conn, before) ((void)(conn), (void)(before), true)

#define quic_cut_sending(conn, id, code)                                                       \
	ngtcp2_conn_shutdown_stream_write((conn), 0, (id), (code))
#define quic_cut_reading(conn, id, code)                                                       \
	ngtcp2_conn_shutdown_stream_read((conn), 0, (id), (code))

#define QUIC_CONGESTION NGTCP2_CC_ALGO_BBR

#define QUIC_NEW_TOKEN_ARGS  const uint8_t *token, size_t tokenlen
#define QUIC_NEW_TOKEN_BYTES bytes_of(token, tokenlen)

#else

/* Added to the time of the last packet it wraps: due already at that very moment. */
#define QUIC_KEEP_ALIVE_DUE UINT64_MAX

static inline void quic_close_error(ngtcp2_conn *conn, ngtcp2_connection_close_error *error)
{
	ngtcp2_conn_get_connection_close_error(conn, error);
}

static inline const uint8_t *quic_token(const ngtcp2_pkt_hd *hd, size_t *size)
{
	*size = hd->token.len;
	return hd->token.base;
}

static inline void quic_set_token(ngtcp2_settings *s, const uint8_t *token, size_t size,
				  bool is_retry)
{
	(void)is_retry;
	s->token.base = (uint8_t *)token;
	s->token.len = size;
}

static inline void quic_set_original_dcid(ngtcp2_transport_params *p, const ngtcp2_cid *cid)
{
	p->original_dcid = *cid;
}

/* Probes without an answer in a row (RFC 9002 section 6.2). */
static inline size_t quic_pto_count(ngtcp2_conn *conn)
{
	ngtcp2_conn_stat stat;

	ngtcp2_conn_get_conn_stat(conn, &stat);
	return stat.pto_count;
}

#define quic_has_probed(conn, before) (quic_pto_count(conn) > (before))

#define quic_cut_sending ngtcp2_conn_shutdown_stream_write
#define quic_cut_reading ngtcp2_conn_shutdown_stream_read

/* Its Reno and Cubic hold the window at three times what the smallest round trip ever seen can
 * carry: little on a path that became longer (a link that moved), that is jittery, or that
 * is loopback; and they take each lost packet for a full queue. */
#define QUIC_CONGESTION  NGTCP2_CC_ALGO_BBR2

#define QUIC_NEW_TOKEN_ARGS  const ngtcp2_vec *token
#define QUIC_NEW_TOKEN_BYTES bytes_of(token->base, token->len)

#endif

/* Both ways at once. 0.12 puts what it says last in front: STOP_SENDING must come before
 * RESET_STREAM, since by that alone it does not get to know a stream, and would never answer. */
static inline void quic_cut_stream(ngtcp2_conn *conn, int64_t id, uint64_t code)
{
	(void)quic_cut_sending(conn, id, code);
	(void)quic_cut_reading(conn, id, code);
}

#endif
