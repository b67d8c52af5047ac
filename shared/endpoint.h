/* All QUIC connections of one process behind one meeting point, without a socket:
 * datagrams and time go in; datagrams, events and a deadline come out. Finds the link
 * of a datagram by connection id, accepts new ones (knock, address proof, policy),
 * breaks the tie of two that dial each other, and keeps at most one link to a device. */
#ifndef PALIQUE_SHARED_ENDPOINT_H
#define PALIQUE_SHARED_ENDPOINT_H

#include "shared/candidate.h"
#include "shared/certificate.h"
#include "shared/clock.h"
#include "shared/path.h"

struct endpoint;
struct link;

enum {
	ENDPOINT_DATAGRAM_MAX = 1452,  /* UDP payload we send on any path */
	ENDPOINT_LOOPBACK_MAX = 32000, /* and between loopback addresses */
	ENDPOINT_TOKEN_MAX = 128,      /* an address token */
	ENDPOINT_EARLY_MAX = 1000,     /* bytes of early words */
	ENDPOINT_TUNNELS_MAX = 64,     /* own ones, and as many that are relayed */
	LINK_OFFERS_MAX = 4,
	ENDPOINT_HALF_OPEN_MAX = 256,         /* inbound handshakes not yet confirmed */
	ENDPOINT_HALF_OPEN_PROVED_MAX = 4096, /* the same where addresses are proved */
};

enum endpoint_policy {
	ENDPOINT_ADMITTED, /* a peer: only identities admitted, nothing said to others */
	ENDPOINT_ANYONE,   /* a directory: any device, and guests; the address is proved
	                       first (Retry or token, RFC 9000 section 8.1) */
};

struct endpoint_config {
	enum endpoint_policy policy;
	struct device device; /* our Noise static key; copied */
	/* Ours, shown to whom we dial and who dials us; peers only. */
	struct certificate certificate;
	bool has_certificate;
	struct knock knock;
	mono_ns idle_timeout; /* link is lost after this silence */
	mono_ns keep_alive;   /* ping after this quiet; NEVER: none */
};

/* The core. Never fails; free with endpoint_free(), which says nothing to anybody. */
struct endpoint *endpoint_new(const struct endpoint_config *config, mono_ns now);
void endpoint_free(struct endpoint *e);

void endpoint_set_knock(struct endpoint *e, const struct knock *knock);
void endpoint_set_certificate(struct endpoint *e, const struct certificate *c);

/* Policy ADMITTED: whose devices may connect. Said again it changes how: `relayed_only`, and
 * they are answered through a tunnel alone, as if nobody lived at our address (links that
 * exist otherwise are closed). Dismissing closes their links. */
void endpoint_admit(struct endpoint *e, const struct identity_public *who, bool relayed_only);
void endpoint_dismiss(struct endpoint *e, const struct identity_public *who);

/* --- dialling --- */

enum link_pattern {
	LINK_IK, /* Noise_IKpsk2: both sides proved by device key */
	LINK_NK, /* Noise_NK: a guest at a directory */
};
struct link_target {
	enum link_pattern pattern;
	struct device_public device; /* whom we want to reach */
	struct knock knock;          /* theirs */
	bool has_identity;           /* then the answer must carry a certificate of it */
	struct identity_public identity;
	/* The handshake goes to all at once, again and again; the first that answers authentically
	 * is the path. */
	unsigned address_count;
	struct address addresses[CANDIDATES_MAX];
	/* Instead: it goes where link_offer() says, and nowhere before (no addresses then). */
	bool is_offered;
	/* is_offered: it will most likely be a loopback address, where datagrams may be large. On
	 * another path they are smaller than they need be then. */
	bool is_near;
	struct bytes token;    /* address token from an earlier LINK_TOKEN, or empty; copied */
	mono_ns give_up_after; /* LINK_DOWN with ERR_TIMEOUT then; 0: 10 s */
	mono_ns keep_alive, idle_timeout; /* of this link; 0: the endpoint's */
};

/* Begins a handshake. The link is known by its events from now on. NULL: no usable
 * address. A second dial to a device that is being dialled adds its addresses to the
 * first and returns that link. */
struct link *endpoint_dial(struct endpoint *e, const struct link_target *target, mono_ns now);

/* --- the life of a datagram --- */

/* `datagram` is changed in place. Nothing is returned: strangers get silence. */
void endpoint_receive(struct endpoint *e, const struct path *path, uint8_t *datagram,
		      size_t size, mono_ns now);

struct datagram {
	struct path path;
	size_t size; /* at most the room given */
	uint8_t ttl; /* 0: the system's */
};
/* Writes the next datagram into `room` (at least ENDPOINT_LOOPBACK_MAX bytes): true and
 * its path and size, false when there is nothing to send now. Datagrams of one link
 * come one behind the other, so that a shell can send them as one segmented batch. */
bool endpoint_send(struct endpoint *e, uint8_t *room, struct datagram *out, mono_ns now);

/* A datagram outside QUIC (first byte below 64), sent as it is. `ttl` 0: the system's; else
 * the IPv4 hops it may make: what opens our own NAT need not arrive. */
void endpoint_send_stray(struct endpoint *e, const struct path *path, struct bytes contents,
			 uint8_t ttl);

/* --- sockets beside the shell's own --- */

/* A number that is free (PATH_EXTRA and up), to send from; 0: all are in use. */
uint16_t endpoint_extra_socket(struct endpoint *e);
/* Not needed any more by who asked for it. It closes when no link's path has it either. */
void endpoint_release_socket(struct endpoint *e, uint16_t socket);
/* For the shell: a socket to be closed; false: none. */
bool endpoint_next_released(struct endpoint *e, uint16_t *socket);

/* --- tunnels: our links inside of datagrams (RFC 9221) of a link to a third --- */

/* Datagrams with path.tunnel of the returned number go through `via`, marked with `circuit`;
 * what comes from there so marked is received with that path. 0: `via` is not up, is itself
 * in a tunnel, or ENDPOINT_TUNNELS_MAX are open. Ends with `via`. */
uint32_t endpoint_tunnel_open(struct endpoint *e, struct link *via, uint32_t circuit);
void endpoint_tunnel_close(struct endpoint *e, uint32_t tunnel);
/* The other part: what comes over `a` marked `circuit_a` leaves over `b` marked `circuit_b`, and
 * the reverse, up to `rate` bytes in a second (more is dropped) and without being looked at.
 * ERR_STATE: one is not up or in a tunnel; ERR_EXISTS: the mark is in use there; ERR_LIMIT. */
int endpoint_relay_join(struct endpoint *e, struct link *a, uint32_t circuit_a, struct link *b,
			uint32_t circuit_b, uint32_t rate);
void endpoint_relay_part(struct endpoint *e, struct link *a, uint32_t circuit_a);
/* What it has carried so far, both ways; 0 when there is none. */
uint64_t endpoint_relay_bytes(const struct endpoint *e, const struct link *a,
			      uint32_t circuit_a);

/* What is said to the device in our answer to its handshake, before that is finished: one
 * datagram, sealed for it; lost without harm, seen by nobody else. At most ENDPOINT_EARLY_MAX
 * bytes, copied; empty: nothing. Forgotten with the next link that comes up. */
void endpoint_early(struct endpoint *e, const struct device_public *device, struct bytes words);

/* --- events --- */

enum link_event_kind {
	LINK_UP,       /* handshake confirmed: the other side is who it claims */
	LINK_READABLE, /* link_peek() has bytes on `stream`, or its end */
	LINK_WRITABLE, /* a stream that was full has room again */
	LINK_TOKEN,    /* `data`: an address token for the next dial to this directory */
	LINK_MOVED,    /* the other side has a new address, and has proved it */
	LINK_WORDS,    /* `data`: what endpoint_early() of the other side said; after LINK_UP */
	LINK_ABANDONED, /* the other side has abandoned `stream`, with `code`: it is over. Of one
	                   that was never told of nothing is told */
	LINK_DOWN,      /* over; the link is freed at the next endpoint_next() */
	STRAY,          /* a datagram outside QUIC: `path`, `data`; link is NULL */
};
struct link_event {
	enum link_event_kind kind;
	struct link *link;
	int64_t stream;
	struct bytes data; /* until the next endpoint_next() */
	struct path path;
	int error;     /* LINK_DOWN: ERR_CLOSED by the other side (see code), ERR_TIMEOUT,
	                  ERR_AUTH: not who was dialled, ERR_EXISTS: replaced by another link
	                  to the device, ERR_REFUSED: dismissed, ERR_FORMAT: broke the protocol */
	uint64_t code; /* LINK_DOWN, ERR_CLOSED: the application code given to link_close();
	                  LINK_ABANDONED: given to link_abandon() */
};
/* A link is told LINK_UP before anything else of it; and when it replaces another (both
 * sides dialled, or the other started anew) before that one's LINK_DOWN. An attempt that
 * another link to the device has overtaken ends with ERR_EXISTS. */
bool endpoint_next(struct endpoint *e, struct link_event *event);

/* When endpoint_tick() must be called at the latest; NEVER when nothing is timed. */
mono_ns endpoint_deadline(const struct endpoint *e);
void endpoint_tick(struct endpoint *e, mono_ns now);

struct endpoint_counters {
	uint64_t received, sent, received_bytes, sent_bytes;
	uint64_t refused; /* datagrams answered with silence */
	uint64_t retries, handshakes, links, half_open;
};
struct endpoint_counters endpoint_counters(const struct endpoint *e);

/* --- one link (declared here: a link lives in its endpoint) --- */

void link_set_user(struct link *l, void *user);
void *link_user(const struct link *l);
bool link_is_up(const struct link *l);
bool link_is_initiator(const struct link *l);
enum link_pattern link_pattern(const struct link *l);
/* Proved when LINK_UP. On the responder's side of NK there is no device. */
const struct device_public *link_device(const struct link *l);
const struct certificate *link_certificate(const struct link *l); /* NULL: none shown */
/* Noise's h after the handshake: binds what is said inside to this link. */
const uint8_t *link_handshake_hash(const struct link *l); /* 64 bytes */
struct path link_path(const struct link *l);
/* SHAKING, dialled with is_offered: the handshake goes there too, the newest datagram at once;
 * what is repeated later goes only where `is_proved` (an authentic answer came from there).
 * At most LINK_OFFERS_MAX ways that are not proved get anything. */
void link_offer(struct link *l, const struct path *path, bool is_proved);
/* Our attempt gives way to theirs, should they dial us meanwhile. */
void link_yield(struct link *l);
/* UP: from now on we send there. The other side has just answered from there with a probe, or
 * it is a tunnel: no proof is needed. The other side follows our packets. */
void link_move(struct link *l, const struct path *path, mono_ns now);
/* Our network changed: what left from an address that may be gone is sent again soon. */
void link_unsettle(struct link *l, mono_ns now);
mono_ns link_round_trip(const struct link *l); /* smoothed */
mono_ns link_last_heard(const struct link *l); /* last authentic packet */
/* When the oldest of what is not acknowledged was sent; NEVER: all is. */
mono_ns link_unanswered_since(const struct link *l);

enum { LINK_CONTROL = 0 }; /* the stream of messages: opened by the initiator, used by both */

/* Streams are bidirectional. Ids are QUIC's (RFC 9000 section 2.1). */
int link_open(struct link *l, int64_t *stream);
/* Takes a copy of up to link_room() bytes; ERR_FULL: not all fits, nothing taken (wait for
 * LINK_WRITABLE). `is_last` ends our side of the stream. */
int link_write(struct link *l, int64_t stream, struct bytes data, bool is_last);
size_t link_room(const struct link *l, int64_t stream);
/* What arrived and was not yet consumed: a view until the next call on this link.
 * `is_end`: the other side has ended the stream behind these bytes. Consuming gives
 * the sender room, so a reader that stops stops the sender. */
struct bytes link_peek(struct link *l, int64_t stream, bool *is_end);
void link_consume(struct link *l, int64_t stream, size_t count);
/* Ends a stream (not LINK_CONTROL) both ways at once (RFC 9000 sections 3.5 and 19.4): what was not
 * sent or read yet is dropped, and its id must not be used afterwards. Harmless for a stream
 * that is over. */
void link_abandon(struct link *l, int64_t stream, uint64_t code);
void link_ping(struct link *l);
/* Says goodbye with an application code and ends; LINK_DOWN is not given for it. What was
 * written just before is sent first, once, as far as it fits the moment. The link must
 * not be used afterwards. */
void link_close(struct link *l, uint64_t code, mono_ns now);
/* Everyone at once: for a clean exit. */
void endpoint_close_all(struct endpoint *e, uint64_t code, mono_ns now);

enum link_code {
	LINK_CODE_BYE = 0,         /* leaving */
	LINK_CODE_PROTOCOL = 1,    /* the other side broke the protocol */
	LINK_CODE_UNKNOWN = 2,     /* this device is not enrolled here */
	LINK_CODE_REPLACED = 3,    /* a newer link of the same device */
	LINK_CODE_RESTART = 4,     /* the directory stops; come back */
	LINK_CODE_NOT_CONTACT = 5, /* not, or no longer, a contact */
	LINK_CODE_IDLE = 6,        /* nothing to say for a while */
};

#endif
