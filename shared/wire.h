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
#include "shared/consent.h"
#include "shared/device_list.h"
#include "shared/name.h"
#include "shared/opaque.h"
#include "shared/peer_record.h"
#include "shared/vault.h"
#include "shared/work.h"

enum {
	WIRE_TEXT_MAX = 16384, /* bytes of UTF-8 in one message */
	WIRE_SAY_MAX = 32768, /* bytes of what any SAY carries: a file's offer is the longest */
	WIRE_REACTIONS_MAX = 8,      /* of one person to one message ... */
	WIRE_REACTION_MAX = 32,      /* ... and bytes of UTF-8 of each */
	WIRE_LIFE_MAX = 366 * 86400, /* seconds until a message disappears */
	WIRE_STATUS_MAX = 280,       /* bytes of UTF-8 of a status line */
	WIRE_TITLE_MAX = 128,        /* ... and of a display name */
	WIRE_PICTURE_MAX = 24 << 10, /* bytes of a picture of somebody */
	WIRE_HISTORY_MAX = 32,       /* entries in one HISTORY */
	WIRE_GREETING_MAX = 140,     /* characters of a greeting */
	WIRE_SEALED_GREETING_MAX = 140 * 4 + SEAL_OVERHEAD,
	WIRE_INVITE_MAX = 32,
	WIRE_LIST_CHUNK = 256,          /* names in one LIST */
	WIRE_CONTACTS_MAX = 1000,       /* names one session may list */
	WIRE_DEVICES_MAX = 8,           /* devices in one PRESENCE */
	WIRE_SIGHTS_MAX = 4,            /* addresses where a directory answers shared/sight.h */
	WIRE_FORWARDING_MAX = 256,      /* contacts that one forwarding address is left for */
	WIRE_WHERE_MAX = 64,            /* contacts asked for at a time */
	WIRE_SEALED_OVERHEAD = 24 + 16, /* of XChaCha20-Poly1305 with its nonce */
	WIRE_SEALED_RECORD_MAX = PEER_RECORD_SIZE_MAX + WIRE_SEALED_OVERHEAD,
	WIRE_LEAVING_MAX = 86400,    /* seconds */
	WIRE_VAULT_PUT_PART = 8192,  /* bytes of a vault in one message to a directory */
	WIRE_VAULT_GET_PART = 32768, /* ... and from it */
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
	WIRE_ENROL = 10,
	WIRE_ENROL_DONE = 11,
	WIRE_RECOVER = 12,
	WIRE_RESET = 13,
	WIRE_RESET_DONE = 14,

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
	WIRE_LEAVING = 28,
	WIRE_OBSERVED = 29,

	WIRE_PASSWORD_START = 32,
	WIRE_PASSWORD_CHALLENGE = 33,
	WIRE_PASSWORD_FINISH = 34,
	WIRE_PASSWORD_DONE = 35,
	WIRE_VAULT_GET = 36,
	WIRE_VAULT_PART = 37,
	WIRE_VAULT_PUT = 38,
	WIRE_VAULT_NOW = 39,
	WIRE_DEVICES_PUT = 40,
	WIRE_DEVICES_DONE = 41,
	WIRE_RECOVERY_PUT = 42,
	WIRE_RECOVERY_DONE = 43,
	WIRE_DELETE = 44,
	WIRE_DELETE_DONE = 45,

	WIRE_HAVE = 64,
	WIRE_SAY = 65,
	WIRE_ACK = 66,
	WIRE_DEVICES = 67,
	WIRE_DELIVERED = 68,
	WIRE_RECORD = 69,
	WIRE_FORWARDING = 70,
	WIRE_WHERE = 71,
	WIRE_THERE = 72,
	WIRE_RELAY_OPEN = 73,
	WIRE_RELAY_OFFER = 74,
	WIRE_RELAY_ANSWER = 75,
	WIRE_RELAY_CLOSE = 76,
	WIRE_READ = 77,
	WIRE_TYPING = 78,
	WIRE_PROFILE = 79,
	WIRE_PROFILE_HAVE = 80,
	WIRE_FILE_GET = 81,
	WIRE_FILE_HEAD = 82,
	WIRE_FILE_TAIL = 83,
	WIRE_FILE_DONE = 84,
	WIRE_GRANT = 85,
	WIRE_HISTORY_GET = 86,
	WIRE_HISTORY = 87,
	WIRE_FILE_STANDS = 88,
	WIRE_FILE_NOTED = 89,
};

/* --- becoming somebody: guest <-> directory, over Noise NK ---------------------
 *
 * A guest proves who it is in one of four ways: it registers (REGISTER_*), logs in by password (LOGIN_*), shows the recovery
 * code (RECOVER) or a reset code of the operator (RESET). After the middle two it is given
 * the vault (VAULT_GET) and enrols its device (ENROL); after each of the last three it may
 * set a new password (PASSWORD_*), after the last one nothing else. */

/* The answer to work asked for by a REFUSAL on this link; bits 0: none. */
struct wire_work {
	bool is_done;
	uint64_t nonce;
};

struct wire_register_start {
	struct name name;
	struct bytes invite; /* text, may be empty */
	uint8_t request[OPAQUE_REQUEST_SIZE];
	struct wire_work work;
};
struct wire_register_challenge {
	uint8_t response[OPAQUE_RESPONSE_SIZE];
	uint64_t ksf; /* an id of shared/ksf.h */
};

/* What brings a device in. The list is the account's with the device in it, one version
 * above the one it had; the proof shows that the identity's owner is on this link:
 * Ed25519 over "palique-register-v1" | handshake hash | name (shared/proof.h). */
struct wire_newcomer {
	struct certificate certificate;
	uint8_t proof_of_possession[64];
	struct device_list devices;
};
/* The first vault of an account (version 1): small enough for one message. */
struct wire_first_vault {
	uint8_t wrap[VAULT_WRAP_SIZE];
	uint8_t signature[VAULT_SIGNATURE_SIZE];
	uint8_t sealed[VAULT_FIRST_SIZE];
};

struct wire_register_finish {
	uint8_t record[OPAQUE_RECORD_SIZE];
	struct wire_newcomer newcomer;
	struct wire_first_vault vault;
};
struct wire_register_done {
	uint8_t nothing;
};

struct wire_login_start {
	struct name name;
	uint8_t ke1[OPAQUE_KE1_SIZE];
	struct wire_work work;
};
struct wire_login_challenge {
	uint8_t ke2[OPAQUE_KE2_SIZE];
	uint64_t ksf;
};
struct wire_login_finish {
	uint8_t ke3[OPAQUE_KE3_SIZE];
};
/* To whoever proved to be the account's owner, by password or recovery code. */
struct wire_login_done {
	bool has_identity;          /* false: made by the operator, nobody was in it yet */
	struct device_list devices; /* version 0 without an identity */
	struct bytes wrap;      /* the vault's key under the password (VAULT_WRAP_SIZE) or the
	                      recovery code (VAULT_RECOVERY_SIZE), whichever was shown; empty:
	                      the password was reset, the vault stays sealed */
	bool has_recovery;      /* a recovery code was made: it opens the vault */
	uint64_t vault_version; /* 0: none */
	uint32_t failed;        /* attempts since the last login */
};
/* The device comes in. With a vault where the account had no identity, and where a new
 * identity takes the place of one whose vault nobody can open any more (its
 * devices.version is then one above the old list's, devices.past is empty). */
struct wire_enrol {
	struct wire_newcomer newcomer;
	bool has_vault;
	struct wire_first_vault vault;
};
struct wire_enrol_done {
	uint8_t nothing;
};
/* Ed25519 by the code's key over "palique-recover-v1" | handshake hash | name. Answered by
 * LOGIN_DONE. */
struct wire_recover {
	struct name name;
	uint8_t proof[64];
	struct wire_work work;
};
/* The one-time code of an operator's link. */
struct wire_reset {
	struct bytes code; /* text */
};
struct wire_reset_done {
	struct name name; /* whose password may be set */
};

/* To whoever asked: why not. */
struct wire_refusal {
	enum wire_type about;
	int error;            /* enum error, sent as its negated number */
	uint32_t retry_after; /* seconds; 0: do not just retry */
	struct work work; /* ERR_BUSY: not to be waited for when this is done; bits 0: none */
};

/* --- being somebody: client <-> directory, over Noise IK ----------------------- */

/* First word of the directory to a known device. An unknown one gets REFUSAL. The account's
 * own PRESENCE follows: its device list and which of its devices are online. */
struct wire_welcome {
	struct name name;        /* whose session this is */
	struct address observed; /* the client's address as seen from the directory */
	wall_ms now;             /* the directory's clock: common time for peers */
	uint64_t vault_version;  /* 0: none */
	uint32_t failed; /* password attempts that failed since the last session began */
	/* Where the directory answers questions of sight (shared/sight.h), its main port first: other ports
	 * and addresses of it. */
	unsigned sight_count;
	struct address sights[WIRE_SIGHTS_MAX];
};
/* The client's address as seen from the directory is another one now. */
struct wire_observed {
	struct address observed;
};
/* How the client can be reached; replaces what was published before. Contacts listed with
 * CONSENT_DIRECT get `open`, those with CONSENT_RELAY `shut`, which has no candidates; others
 * neither. Both are of the session's device, signed by the account's identity. */
struct wire_publish {
	struct peer_record open, shut;
};
/* The names this session lists, in chunks, and who of them may have our addresses. is_first
 * empties the list before. Listed by several sessions of the account with different consents a
 * contact gets the least of them. */
struct wire_list {
	bool is_first, is_last;
	unsigned count;
	struct wire_listed {
		struct name name;
		enum consent consent;
	} list[WIRE_LIST_CHUNK];
};
/* Said of a name that is listed already it changes the consent. */
struct wire_list_add {
	struct name name;
	enum consent consent;
	/* Sealed to the other's identity; empty: without that key in hand. Who has the other's
	 * contact link seals even an empty text: so the other knows. */
	struct bytes greeting;
};
struct wire_list_remove {
	struct name name;
};

/* One online device of a contact and how to reach it, as far as we may know that. */
struct wire_device {
	struct certificate certificate;
	struct peer_record record; /* number 0: we may not reach it (CONSENT_NEVER) */
	struct address seen; /* the address that the directory sees; family 0 unless the contact
	                        consents to direct links */
};
/* All that is known of a mutual contact, or of our own account, now; replaces what was told
 * before. device_count 0: not online (or not mutual any more). */
struct wire_presence {
	struct name name;
	struct device_list devices; /* version 0: none known */
	unsigned device_count;
	struct wire_device online[WIRE_DEVICES_MAX];
};
/* Somebody lists us whom we do not list. Once per login of either. */
struct wire_asked {
	struct name name;
	struct identity_public identity;
	struct bytes greeting; /* sealed, or empty */
};
struct wire_introduce {
	struct name name; /* a contact's, or our own: our other devices */
};
/* To both sides at the same moment: probe this device now; one of both dials it: who did not
 * ask, so that the asker's words go with its answer. Only where both consent to direct links. */
struct wire_introduction {
	struct name name;
	struct wire_device device;
	bool is_dialler;
	uint32_t our_round_trip, their_round_trip; /* microseconds, of each to the directory */
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
/* The directory is about to stop: come back in so many seconds, and a little at random. */
struct wire_leaving {
	uint32_t retry_after;
};

/* --- the account: guest who proved, or client, <-> directory --------------------- */

/* A new password. A client must have said LOGIN_START and LOGIN_FINISH on this link before
 * (the old password, anew); then one transaction changes all that is given. */
struct wire_password_start {
	uint8_t request[OPAQUE_REQUEST_SIZE];
};
struct wire_password_challenge {
	uint8_t response[OPAQUE_RESPONSE_SIZE];
	uint64_t ksf;
};
struct wire_password_finish {
	uint8_t record[OPAQUE_RECORD_SIZE];
	bool has_wrap; /* false only after RESET: the vault stays sealed */
	uint8_t wrap[VAULT_WRAP_SIZE];
	bool has_devices; /* a shorter list: log out everywhere else */
	struct device_list devices;
};
struct wire_password_done {
	uint8_t nothing;
};

/* The vault in parts, asked for one after the other. ERR_NOT_FOUND: none, or nothing there. */
struct wire_vault_get {
	uint64_t offset;
};
struct wire_vault_part {
	uint64_t version;
	uint8_t signature[VAULT_SIGNATURE_SIZE];
	uint64_t total, offset;
	struct bytes part;
};
/* A new version in parts, each following the one before; the last one decides. ERR_STATE:
 * `version` is not one above the one that is kept (VAULT_NOW follows). Client only. */
struct wire_vault_put {
	uint64_t version;
	uint8_t signature[VAULT_SIGNATURE_SIZE];
	uint64_t total, offset;
	struct bytes part;
};
/* The vault has this version now: the answer to VAULT_PUT, and told to the account's other
 * sessions. */
struct wire_vault_now {
	uint64_t version;
};
/* Another list, one version above: a device named anew, revoked, or the successor of our
 * identity (then its only device is this one, with a new certificate). No device is taken in so.
 * ERR_STATE: the version does not fit; PRESENCE of our own name brings the newest. */
struct wire_devices_put {
	struct device_list devices;
};
struct wire_devices_done {
	uint64_t version;
};
/* Another recovery code. is_none: there is none any more. */
struct wire_recovery_put {
	bool is_none;
	struct identity_public prove;
	uint8_t wrap[VAULT_RECOVERY_SIZE];
};
struct wire_recovery_done {
	uint8_t nothing;
};
/* The account goes: Ed25519 by the identity over "palique-delete-v1" | handshake hash | name. */
struct wire_delete {
	uint8_t proof[64];
};
struct wire_delete_done {
	uint8_t nothing;
};

/* --- talking: peer <-> peer ------------------------------------------------------
 *
 * What a device says in a conversation of its account goes to every device of the contact
 * and to every other device of its own account: over a link between two devices of one
 * account HAVE, SAY and ACK are about any conversation, over another link about one. */

/* Messages of one author device in one conversation form a chain: seq counts from 1,
 * `previous` is the hash of the message before (zeros before the first). */
struct conversation_id {
	uint8_t bytes[16];
};
struct message_hash {
	uint8_t bytes[32];
};
/* What an entry of a chain is. One that a reader does not know (up to SAY_LAST) is kept as it is
 * and shown as something that needs a newer program. */
enum say_kind {
	SAY_TEXT = 1,
	/* The whole new text of an own text, or caption of an own file (XEP-0308). */
	SAY_EDIT = 2,
	SAY_RETRACT = 3, /* an own message is taken back (XEP-0424) */
	SAY_REACT = 4,   /* all reactions of this person to a message from now on (XEP-0444) */
	SAY_FILE = 5,    /* a file or folder is offered (shared/offer.h) */
	SAY_TIMER = 6,   /* the person's wish after how long messages disappear here */
	SAY_GONE = 7,    /* stands for one that is no more at its author's */
	SAY_LAST = 255,
};

/* A message is named by its author device and its seq; it may be about another one so named
 * (of the same conversation): what it replies to (TEXT, FILE; XEP-0461), or what EDIT, RETRACT and
 * REACT change, where it is never left out. */
struct wire_say {
	struct conversation_id conversation;
	struct device_public author;
	uint64_t seq;
	struct message_hash previous;
	wall_ms time; /* the author's own clock */
	enum say_kind kind;
	/* TEXT, EDIT: UTF-8, 1 to WIRE_TEXT_MAX bytes (EDIT of a caption: it may be empty). REACT: up to
	 * WIRE_REACTIONS_MAX reactions of UTF-8 with one space between two; empty: none. FILE: an
	 * offer. GONE: the 32 bytes of the hash of the message that it stands for, which was an
	 * EDIT, RETRACT or REACT where it is about something. RETRACT, TIMER: empty.
	 * Others: at most WIRE_SAY_MAX bytes. */
	struct bytes body;
	bool is_about;
	struct device_public about_author;
	uint64_t about_seq;
	bool is_forwarded; /* TEXT, FILE: somebody else's words */
	/* TEXT, FILE: it disappears so many seconds after it was said at the author's, after it was read
	 * at the reader's; 0: it stays. TIMER: the wish; 0: that they stay. */
	uint32_t life;
	/* TEXT, FILE: a program of the author's said it, which is called so (a user name); empty: the person. */
	struct bytes bot;
	struct bytes buttons; /* TEXT, FILE: answers to press (shared/menu.h); empty: none */
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
/* The device list of the sender's account, when a link is up and when it changes. */
struct wire_devices {
	struct device_list devices;
};
/* To our other devices: of what this device said, everything below `next` is in the
 * contact's store. */
struct wire_delivered {
	struct conversation_id conversation;
	uint64_t next;
};

/* Of what `author` said everything below `next` was read (XEP-0333): by a person of the sender's
 * account. To the contact whose device the author is, where read marks are on, and to our other devices;
 * when a link is up and when it changes. */
struct wire_read {
	struct conversation_id conversation;
	struct device_public author;
	uint64_t next;
};
/* The person is typing, or is not any more (XEP-0085); forgotten by the reader after a while. */
struct wire_typing {
	struct conversation_id conversation;
	bool is_typing;
};
enum availability { AVAILABLE = 0, AWAY = 1, BUSY = 2 };
/* What a person shows of itself, to contacts, and to own devices as what is shown to contacts: when
 * PROFILE_HAVE tells that the reader has an older one, and when it changes. The greater number
 * is the newer one; of two with the same number the one with the greater mark. */
struct wire_profile {
	uint64_t number; /* it begins at the wall clock in ms */
	enum availability availability;
	struct bytes title;   /* a display name: UTF-8, may be empty */
	struct bytes status;  /* a line: UTF-8, may be empty */
	struct bytes picture; /* an image of at most WIRE_PICTURE_MAX bytes, or empty; not to be
	                         believed (peer/image.h) */
	bool is_bot;          /* a program speaks here, and nobody reads */
	struct bytes menu;    /* commands that it knows (shared/menu.h); empty: none */
};
/* Tells two profiles of one number apart: the greater mark is the newer one. */
struct profile_mark {
	uint8_t bytes[16];
};
/* When a link is up, and when another one was stored: which profile of the reader's account is here (0:
 * none). Own devices likewise, of the one that they share. */
struct wire_profile_have {
	uint64_t number;
	struct profile_mark mark; /* zeros with 0 */
};

/* --- files: on streams beside the control stream -----------------------------------------
 *
 * Who wants a file that was offered opens a bidirectional stream to a device that has it (its author's,
 * or another own one) and says FILE_GET; the answer is FILE_HEAD and, without an error, the bytes
 * of the contents from `offset` to `size`, then FILE_TAIL. Who has it whole and checked ends with FILE_DONE.
 * Either may abandon the stream at any time. */
struct wire_file_get {
	uint8_t id[16]; /* the offer's */
	uint64_t offset;
};
/* `error`: ERR_NOT_FOUND: not offered to them, or no more there; ERR_EXPIRED: its owner has withdrawn it;
 * ERR_BUSY: later; ERR_STATE: paused; ERR_CORRUPT: it is not the file any more that was offered; ERR_IO. */
struct wire_file_head {
	int error;
	uint64_t size;
};
/* BLAKE2b-256 of "palique-file-v1" | size (8 bytes, big-endian) | the BLAKE2b-256 of each piece of FILE_PIECE
 * bytes (the last one may be shorter), in order. */
enum { WIRE_FILE_PIECE = 1 << 20 };
struct wire_file_tail {
	int error; /* 0, or ERR_CORRUPT, ERR_IO: it could not be read to its end as it was offered */
	uint8_t hash[32];
};
struct wire_file_done {
	int error; /* 0: stored and checked; ERR_CORRUPT: the hash is another one */
};
/* On the control stream, to the device that offered it, until it has said FILE_NOTED: how it stands with a
 * file here. 0: whole and checked; else it does not come, for lack of room (ERR_FULL), for it came damaged
 * (ERR_CORRUPT), or cannot be stored (ERR_IO), or it was cancelled (ERR_EXPIRED). When that is so, and when a
 * link is up. Also by the device that offered it: it is withdrawn (ERR_EXPIRED). */
struct wire_file_stands {
	uint8_t id[16];
	int error;
};
/* That is in the store of who offered it, or says nothing to them: the same back. Also behind FILE_DONE. */
struct wire_file_noted {
	uint8_t id[16];
	int error;
};

/* --- history for a new device of the own account ------------------------------------------
 *
 * An older device lets a newer one have what arrived from `since` on: GRANT, when a link is up and when
 * it is decided. The newer one asks with HISTORY_GET, from the newest back, some at once; each is answered
 * by one HISTORY, until one with no entries comes. */
struct wire_grant {
	uint64_t number; /* of the grant; a greater one takes its place; 0: it is taken back */
	wall_ms since;
};
struct wire_history_get {
	uint64_t number;
	bool goes_on;    /* behind the HISTORY that was said last on this link; else ... */
	uint64_t before; /* ... behind the entry with this `at`; 0: from the newest */
};
struct wire_history {
	unsigned count;
	struct wire_told {
		uint64_t at; /* where it stands: falls from entry to entry */
		struct name contact;
		struct identity_public theirs, ours; /* whose conversation */
		bool is_ours;                        /* one of our devices said it */
		wall_ms arrived_at;
		uint64_t delivered, read; /* of the author's chain, as far as known there */
		struct wire_say say;
	} list[WIRE_HISTORY_MAX];
};

/* How the sender's device can be reached now, to a contact that may know it: when a link is up
 * and when it changes. */
struct wire_record {
	struct peer_record record;
};

/* A forwarding address, left with a contact for those who know us both: it keeps the newest
 * of each device, and says it to whoever asks with the token, without knowing who that is. The
 * record is sealed under a random key (XChaCha20-Poly1305, nonce first), which is wrapped for
 * each reader under the pair key of sender and reader. See peer/forwarding.h. */
struct wire_forwarding_reader {
	uint8_t token[8];
	uint8_t key[32 + 16]; /* the record's key, sealed */
};
struct wire_forwarding {
	uint64_t number;     /* that of the record */
	struct bytes record; /* at most WIRE_SEALED_RECORD_MAX */
	unsigned count;
	struct wire_forwarding_reader readers[WIRE_FORWARDING_MAX];
};
/* Who knows where these are? Answered by THERE for each token that is known, at once and whenever
 * it becomes newer while the link is up. */
struct wire_where {
	unsigned count;
	uint8_t tokens[WIRE_WHERE_MAX][8];
};
struct wire_there {
	struct wire_forwarding_reader reader;
	uint64_t number;
	struct bytes record;
	/* Where the third sees the device at this moment; family 0: it does not. Who is behind a
	 * NAT cannot know that without a directory. */
	struct address seen;
};

/* "Connect me with somebody whom we both know, if you relay": the target is BLAKE2b-128, keyed
 * with `nonce`, of "palique-relay-v1" | the other's identity | its device, so that only who
 * knows them learns whom. Who says OPEN or OFFER numbers the circuit, each once on a link: even
 * numbers where it began the link, odd ones where it did not. */
struct wire_relay_open {
	uint32_t circuit;
	uint8_t nonce[16], target[16];
};
/* The relay asks the other end. */
struct wire_relay_offer {
	uint32_t circuit;
	struct identity_public identity; /* who wants to talk */
	struct device_public device;
};
/* To OPEN (by the relay) and to OFFER (by the other end): 0, and datagrams marked with the
 * circuit pass; or why not: ERR_REFUSED, ERR_NOT_FOUND, ERR_BUSY. */
struct wire_relay_answer {
	uint32_t circuit;
	int error;
	uint32_t rate; /* bytes in a second that the relay will carry */
};
struct wire_relay_close {
	uint32_t circuit;
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
		struct wire_enrol enrol;
		struct wire_enrol_done enrol_done;
		struct wire_recover recover;
		struct wire_reset reset;
		struct wire_reset_done reset_done;
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
		struct wire_leaving leaving;
		struct wire_password_start password_start;
		struct wire_password_challenge password_challenge;
		struct wire_password_finish password_finish;
		struct wire_password_done password_done;
		struct wire_vault_get vault_get;
		struct wire_vault_part vault_part;
		struct wire_vault_put vault_put;
		struct wire_vault_now vault_now;
		struct wire_devices_put devices_put;
		struct wire_devices_done devices_done;
		struct wire_recovery_put recovery_put;
		struct wire_recovery_done recovery_done;
		struct wire_delete delete;
		struct wire_delete_done delete_done;
		struct wire_say say;
		struct wire_ack ack;
		struct wire_have have;
		struct wire_devices devices;
		struct wire_delivered delivered;
		struct wire_observed observed;
		struct wire_record record;
		struct wire_forwarding forwarding;
		struct wire_where where;
		struct wire_there there;
		struct wire_relay_open relay_open;
		struct wire_relay_offer relay_offer;
		struct wire_relay_answer relay_answer;
		struct wire_relay_close relay_close;
		struct wire_read read;
		struct wire_typing typing;
		struct wire_profile profile;
		struct wire_profile_have profile_have;
		struct wire_file_get file_get;
		struct wire_file_head file_head;
		struct wire_file_tail file_tail;
		struct wire_file_done file_done;
		struct wire_file_stands file_stands;
		struct wire_file_noted file_noted;
		struct wire_grant grant;
		struct wire_history_get history_get;
		struct wire_history history;
	};
};

/* Appends the msgpack form (no frame) to `out`. ERR_FORMAT, ERR_LIMIT, ERR_NAME, ERR_VERSION: a field
 * is not what the reader would take, or the limit of `out` is reached; nothing is appended. */
int wire_encode(const struct wire_message *m, struct buf *out);

/* Decodes all of `b`, checking every field and limit, that the type is known and that
 * `from` may send it (else ERR_REFUSED). Views point into `b`. Only the type and
 * its part of the union are written; on failure both are zeroed. Signatures, and whether a key is a
 * good one, are left to whoever uses them. */
int wire_decode(struct wire_message *m, struct bytes b, enum wire_side from);

/* The stable name of a type, as in docs/protocol.md: "LOGIN_START". NULL: none. */
const char *wire_name(enum wire_type type);

/* The conversation of two identities, the same from both sides: BLAKE2b-128 over
 * "palique-conversation-v1" and both keys, the smaller first. */
struct conversation_id conversation_of(const struct identity_public *a,
				       const struct identity_public *b);

/* BLAKE2b-128 over "palique-profile-v1" and the encoded PROFILE. */
struct profile_mark profile_mark(const struct wire_profile *profile);

/* BLAKE2b-256 over "palique-message-v1" and the encoded SAY; of SAY_GONE what it carries. */
struct message_hash message_hash(const struct wire_say *say);

#endif
