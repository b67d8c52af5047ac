/* Inside of an endpoint: one QUIC connection (ngtcp2's core) with a Noise handshake and
 * our own idea of where the other side is. Only the rooms inside of an endpoint include
 * this; everybody else knows a link by shared/endpoint.h. */
#ifndef PALIQUE_SHARED_LINK_H
#define PALIQUE_SHARED_LINK_H

#include "shared/deadline_heap.h"
#include "shared/door.h"
#include "shared/endpoint.h"
#include "shared/link_abandon.h"
#include "shared/link_attempt.h"
#include "shared/link_callbacks.h"
#include "shared/link_clock.h"
#include "shared/link_credit.h"
#include "shared/link_crypto.h"
#include "shared/link_datagram.h"
#include "shared/link_fan.h"
#include "shared/link_handshake.h"
#include "shared/link_home.h"
#include "shared/link_path.h"
#include "shared/link_stream.h"
#include "shared/link_unrest.h"
#include "shared/link_write.h"
#include "shared/quic_compat.h"

enum {
	LINK_STREAMS_MAX = 64,  /* the other side may have open at once */
	LINK_BURST = 64,        /* datagrams before other links get their turn */
	LINK_CLOSE_ANSWERS = 8, /* repetitions of a goodbye */
};
#define LINK_HANDSHAKE_TIMEOUT (10 * SECOND)
#define LINK_LIBRARY_TIMEOUT   (24 * 3600 * SECOND)
#define LINK_INITIAL_RTT       (100 * MILLISECOND)
#define LINK_KEY_LIFE          (60 * SECOND)
#define LINK_CLOSE_LINGER      (3 * SECOND)

enum link_state {
	LINK_SHAKING, /* handshake under way */
	LINK_IS_UP,
	LINK_IS_DOWN, /* over; the owner has yet to take the event */
	LINK_LEAVING, /* closed by us: repeats its goodbye to late packets */
};

struct link {
	struct link_home *home;
	ngtcp2_conn *conn;
	enum link_state state;
	bool is_retried; /* responder: it proved its address for this message */
	bool is_initiator, is_confirmed, wants_ping, has_news_up, is_loopback;
	bool is_queued, is_half_open, is_path_fixed, is_listed, has_moved, has_proved;
	bool is_yielding, is_relayed_only;
	enum link_pattern pattern;
	int error; /* why it failed, until endpoint.c takes it */
	uint64_t error_code;
	void *user;

	struct link_handshake *handshake; /* NULL once done */
	mono_ns library_ahead;            /* the library's clock is ahead of ours by this */
	struct link_fan *fan;             /* initiator, until an authentic answer */
	struct link_crypto crypto;
	struct door_keys keys;       /* of the responder; wiped when up */
	struct device_public device; /* of the other side */
	bool has_device;
	struct certificate *certificate; /* the one shown, verified */
	uint8_t hash[64];

	struct path path, proved_path;
	struct path left_path; /* of before link_move() */
	mono_ns left_until;    /* what still comes from there is not followed; 0: nothing is */
	uint64_t unproved_from, unproved_sent; /* bytes, since a move */
	bool is_unproved;
	struct link_proof proof;
	struct link_unrest unrest;
	struct link_datagrams datagrams;

	mono_ns keep_alive, idle_timeout, give_up_at;
	mono_ns began, up_at, heard_at, unanswered_since, key_updated_at, small_until, leave_at,
		small_for;
	uint64_t in_flight;
	unsigned burst;
	struct link_streams streams;
	struct link_credit credit;

	struct cid_entry {
		uint8_t size, bytes[DOOR_CID_MAX];
	} first_dcid;         /* of the other's Initial */
	struct bytes goodbye; /* owned; the CLOSE to repeat */
	unsigned goodbyes;

	struct deadline deadline;
	struct link *next_sending, *previous_sending;
	struct link *next, *previous; /* all of the endpoint */
	struct link *same_next;       /* same device */
	struct link *half_next, *half_previous;
};

/* --- for endpoint.c --- */

struct link *link_dial(struct link_home *home, const struct link_target *target, mono_ns now);

struct link_arrival { /* what a first Initial has shown */
	const ngtcp2_pkt_hd *hd;
	struct path path;
	ngtcp2_cid original;        /* before a Retry; else hd's */
	bool is_retried, is_proved; /* the address */
	const struct door_keys *keys;
};
struct link *link_accept(struct link_home *home, const struct link_arrival *arrival,
			 mono_ns now);
void link_free(struct link *l);

/* Feeds one datagram. After it `error` may be set, `has_news_up` too. */
void link_receive(struct link *l, const struct path *path, const uint8_t *datagram, size_t size,
		  mono_ns now);
/* The next datagram, 0 for none. */
size_t link_send(struct link *l, uint8_t *room, struct path *path, mono_ns now);
/* Paces: the link has had its turn. */
void link_burst_over(struct link *l, mono_ns now);
void link_tick(struct link *l, mono_ns now);
mono_ns link_due(const struct link *l);

/* Writes the goodbye into `room`: its size, 0 if nothing may be said. The connection is
 * over; its ids stay mapped until link_free(). */
size_t link_say_goodbye(struct link *l, uint64_t code, uint8_t *room, size_t size, mono_ns now);

#endif
