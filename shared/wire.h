/* Every message that programs of ours send one another, as a struct; one table row
 * in wire.c each: type, name, who may send it, encode, decode. docs/protocol.md says
 * when each is sent and what the fields mean; tools/check-protocol compares the two.
 *
 * On the wire a message is one frame (shared/frame.h) holding a msgpack array:
 * the type, then the fields in the order given here. */
#ifndef PALIQUE_SHARED_WIRE_H
#define PALIQUE_SHARED_WIRE_H

#include "shared/candidate.h"
#include "shared/certificate.h"
#include "shared/clock.h"
#include "shared/name.h"
#include "shared/opaque.h"

enum {
	WIRE_TEXT_MAX = 16384,   /* bytes of UTF-8 in one message */
	WIRE_GREETING_MAX = 140, /* characters of a greeting */
	WIRE_SEALED_GREETING_MAX = 140 * 4 + SEAL_OVERHEAD,
	WIRE_INVITE_MAX = 32,
	WIRE_LIST_CHUNK = 256,    /* names in one LIST */
	WIRE_CONTACTS_MAX = 1000, /* names one session may list */
	WIRE_DEVICES_MAX = 8,     /* devices in one PRESENCE */
	WIRE_AGENT_MAX = 32,      /* "palique 0.1" */
};

/* Who may send a message: the link decides what is even decoded. */
enum wire_side {
	WIRE_FROM_GUEST = 1,  /* client on a link without a device key (Noise NK) */
	WIRE_FROM_CLIENT = 2, /* client on a link with its device key (Noise IK) */
	WIRE_FROM_DIRECTORY = 4,
	WIRE_FROM_PEER = 8,
};

enum wire_type {
	WIRE_REGISTER_START = 1,
	WIRE_REGISTER_CHALLENGE = 2,
	WIRE_REGISTER_FINISH = 3,
	WIRE_REGISTER_DONE = 4,
	WIRE_LOGIN_START = 5,
	WIRE_LOGIN_CHALLENGE = 6,
	WIRE_LOGIN_FINISH = 7,
	WIRE_LOGIN_DONE = 8,
	WIRE_REFUSAL = 9,

	WIRE_WELCOME = 16,
	WIRE_PUBLISH = 17,
	WIRE_LIST = 18,
	WIRE_LIST_ADD = 19,
	WIRE_LIST_REMOVE = 20,
	WIRE_PRESENCE = 21,
	WIRE_ASKED = 22,
	WIRE_INTRODUCE = 23,
	WIRE_INTRODUCTION = 24,
	WIRE_SUSPECT = 25,
	WIRE_CHECK = 26,
	WIRE_CHECK_ANSWER = 27,

	WIRE_HAVE = 64,
	WIRE_SAY = 65,
	WIRE_ACK = 66,
};

/* --- becoming somebody: guest <-> directory, over Noise NK --------------------- */

struct wire_register_start {
	struct name name;
	struct bytes invite; /* text, may be empty */
	uint8_t request[OPAQUE_REQUEST_SIZE];
};
struct wire_register_challenge {
	uint8_t response[OPAQUE_RESPONSE_SIZE];
	uint64_t ksf; /* an id of shared/ksf.h */
};
/* The certificate both brings the identity key and enrols the first device: its
 * signature covers the device key, proof_of_possession the identity and this link:
 * Ed25519 over "palique-register-v1" | handshake hash | name (shared/proof.h). */
struct wire_register_finish {
	uint8_t record[OPAQUE_RECORD_SIZE];
	struct certificate certificate;
	uint8_t proof_of_possession[64];
};
struct wire_register_done {
	uint8_t nothing;
};

struct wire_login_start {
	struct name name;
	uint8_t ke1[OPAQUE_KE1_SIZE];
};
struct wire_login_challenge {
	uint8_t ke2[OPAQUE_KE2_SIZE];
	uint64_t ksf;
};
/* Enrols the certificate's device: mac is HMAC-SHA-512 under
 * HKDF-Expand(session_key, "palique-enrol", 32) of device key | handshake hash. */
struct wire_login_finish {
	uint8_t ke3[OPAQUE_KE3_SIZE];
	struct certificate certificate;
	uint8_t mac[64];
};
struct wire_login_done {
	uint8_t nothing;
};

/* To whoever asked: why not. */
struct wire_refusal {
	enum wire_type about;
	int error;            /* enum error, sent as its negated number */
	uint32_t retry_after; /* seconds; 0: do not just retry */
};

/* --- being somebody: client <-> directory, over Noise IK ----------------------- */

/* First word of the directory to a known device. An unknown one gets REFUSAL. */
struct wire_welcome {
	struct name name;        /* whose session this is */
	struct address observed; /* the client's address as seen from the directory */
	wall_ms now;             /* the directory's clock: common time for peers */
};
/* How the client can be reached; replaces what was published before. */
struct wire_publish {
	struct knock knock;
	struct candidates candidates;
};
/* The names this session lists, in chunks. is_first empties the list before. */
struct wire_list {
	bool is_first, is_last;
	unsigned count;
	struct name names[WIRE_LIST_CHUNK];
};
struct wire_list_add {
	struct name name;
	struct bytes greeting; /* sealed to the other's identity, or empty */
};
struct wire_list_remove {
	struct name name;
};

/* One online device of a contact and how to reach it. */
struct wire_device {
	struct certificate certificate;
	struct knock knock;
	struct candidates candidates; /* the directory adds the address it sees */
};
/* All that is known of a mutual contact now; replaces what was told before.
 * device_count 0: not online (or not mutual any more). */
struct wire_presence {
	struct name name;
	unsigned device_count;
	struct wire_device devices[WIRE_DEVICES_MAX];
};
/* Somebody lists us whom we do not list. Once per login of either. */
struct wire_asked {
	struct name name;
	struct identity_public identity;
	struct bytes greeting; /* sealed, or empty */
};
struct wire_introduce {
	struct name name;
};
/* To both sides at the same moment: dial this device now. */
struct wire_introduction {
	struct name name;
	struct wire_device device;
};
/* A contact's device does not answer us. */
struct wire_suspect {
	struct name name;
	struct device_public device;
};
struct wire_check {
	uint64_t nonce;
};
struct wire_check_answer {
	uint64_t nonce;
};

/* --- talking: peer <-> peer ------------------------------------------------------ */

/* Messages of one author device in one conversation form a chain: seq counts from 1,
 * `previous` is the hash of the message before (zeros before the first). */
struct conversation_id {
	uint8_t bytes[16];
};
struct message_hash {
	uint8_t bytes[32];
};
enum say_kind { SAY_TEXT = 1 };

struct wire_say {
	struct conversation_id conversation;
	struct device_public author;
	uint64_t seq;
	struct message_hash previous;
	wall_ms time; /* the author's own clock */
	enum say_kind kind;
	struct bytes body; /* SAY_TEXT: UTF-8, 1 to WIRE_TEXT_MAX bytes */
	bool is_reply;
	struct device_public reply_author;
	uint64_t reply_seq;
};
/* All messages of `author` below `next` are durable here. */
struct wire_ack {
	struct conversation_id conversation;
	struct device_public author;
	uint64_t next;
};
/* The same, said by each side when a link is up and whenever a gap is seen: send
 * from `next` on. `last` is the hash of the message before it (zeros: none held). */
struct wire_have {
	struct conversation_id conversation;
	struct device_public author;
	uint64_t next;
	struct message_hash last;
};

struct wire_message {
	enum wire_type type;
	union {
		struct wire_register_start register_start;
		struct wire_register_challenge register_challenge;
		struct wire_register_finish register_finish;
		struct wire_register_done register_done;
		struct wire_login_start login_start;
		struct wire_login_challenge login_challenge;
		struct wire_login_finish login_finish;
		struct wire_login_done login_done;
		struct wire_refusal refusal;
		struct wire_welcome welcome;
		struct wire_publish publish;
		struct wire_list list;
		struct wire_list_add list_add;
		struct wire_list_remove list_remove;
		struct wire_presence presence;
		struct wire_asked asked;
		struct wire_introduce introduce;
		struct wire_introduction introduction;
		struct wire_suspect suspect;
		struct wire_check check;
		struct wire_check_answer check_answer;
		struct wire_say say;
		struct wire_ack ack;
		struct wire_have have;
	};
};

/* Appends the msgpack form (no frame) to `out`. ERR_FORMAT, ERR_LIMIT, ERR_NAME, ERR_VERSION: a field
 * is not what the reader would take, or the limit of `out` is reached; nothing is appended. */
int wire_encode(const struct wire_message *m, struct buf *out);

/* Decodes all of `b`, checking every field and limit, that the type is known and that
 * `from` may send it (else ERR_REFUSED). Views point into `b`. On failure `m` is zeroed.
 * Signatures, and whether a key is a good one, are left to whoever uses them. */
int wire_decode(struct wire_message *m, struct bytes b, enum wire_side from);

/* The stable name of a type, as in docs/protocol.md: "LOGIN_START". NULL: none. */
const char *wire_name(enum wire_type type);

/* The conversation of two identities, the same from both sides: BLAKE2b-128 over
 * "palique-conversation-v1" and both keys, the smaller first. */
struct conversation_id conversation_of(const struct identity_public *a,
				       const struct identity_public *b);

/* BLAKE2b-256 over "palique-message-v1" and the encoded SAY. */
struct message_hash message_hash(const struct wire_say *say);

#endif
