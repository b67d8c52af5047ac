/* Everything that can happen in the engine, as faces see it and tests expect it. */
#ifndef PALIQUE_PEER_EVENT_H
#define PALIQUE_PEER_EVENT_H

#include "shared/clock.h"
#include "shared/name.h"
#include "shared/path.h"
#include "shared/wire.h"

enum event_kind {
	EVENT_ANSWER, /* a call that could not be answered at once: `ticket`, `error`, `detail` */
	EVENT_ACCOUNT, /* our own standing changed: `account` */
	EVENT_CONTACT, /* a contact was added, changed state, went: `name`; engine_contact() says what it is now */
	EVENT_PRESENCE, /* `name` is online or not: `is_online` */
	EVENT_REQUEST, /* somebody asks to be a contact: `name`, `greeting` if it could be opened */
	EVENT_KEY_CHANGED, /* `name` shows another identity; sending has stopped */
	EVENT_LINK, /* the connection to `name` came or went, or its path is of another kind now: `is_linked`, `path`, `path_kind`, `round_trip` */
	EVENT_SAID, /* we said something: `message` (every face shows it) */
	EVENT_HEARD,     /* `name` said something: `message` */
	EVENT_DELIVERED, /* what the device that said `message_id` has said to `name` up to and with it is in their store */
	EVENT_WARNING,   /* `detail`: something a person should know, and perhaps do */
	EVENT_NOTICE, /* `detail`: good to know: a key changed and the old one vouches for it (`name`), logins failed, a device came in, there is no recovery code yet */
	EVENT_DEVICES, /* our device list, or which of them are online, changed */
	EVENT_CHANGED, /* `message_id` of `name` is another one now: `change`; faces read it anew */
	EVENT_READ, /* what the device that said `message_id` has said to `name` up to and with it was read by them */
	EVENT_SEEN, /* another device of ours has read what `name` said: unread counts changed */
	EVENT_TYPING, /* `name` types, or does not any more: `is_typing`; not counted (id 0) */
	EVENT_MISSING, /* of what `name` said something is missing, and was asked for; or (`has_come`) is here */
	EVENT_TIMER, /* a wish of one of both in the conversation with `name` changed: `is_theirs`: they wish */
	EVENT_PROFILE, /* `name` (our own: our own devices agree on another one) shows another profile */
	EVENT_FILE,     /* the transfer of `message_id` of `name` is in another state */
	EVENT_PROGRESS, /* ... or has come further; not counted (id 0), seldom */
	EVENT_HISTORY, /* granted history has come in: `message_id` messages so far; `is_over`: that is all */
	EVENT_PROPOSAL, /* the program `detail` wants to say something to `name`: proposal `message_id` */
	EVENT_SETTLED, /* ... and a person has decided: `is_approved` */
	EVENT_LAST = EVENT_SETTLED,
};

enum message_change {
	CHANGE_EDITED = 1,
	CHANGE_RETRACTED = 2,
	CHANGE_REACTIONS = 3,
	CHANGE_GONE = 4,      /* disappeared, or kept no longer */
	CHANGE_FORGOTTEN = 5, /* deleted here by the person */
};

/* From the best to the last: of two that answer the better one is used (peer/punch.h). */
enum path_kind {
	PATH_NONE,
	PATH_LOOPBACK,
	PATH_LAN, /* a private or link-local address, or one of a network we are in */
	PATH_IPV6,
	PATH_PUBLIC, /* IPv4 without a NAT before them */
	PATH_MAPPED,
	PATH_PUNCHED,
	PATH_SPRAYED,
	PATH_RELAYED,
};
enum account_state {
	ACCOUNT_NONE, /* no account in this home */
	ACCOUNT_JOINING,
	ACCOUNT_CONNECTING, /* looking for the directory */
	ACCOUNT_ONLINE,
	ACCOUNT_REFUSED, /* the directory does not know this device any more */
};

enum message_state {
	MESSAGE_QUEUED = 1,
	MESSAGE_DELIVERED = 2,
	MESSAGE_RECEIVED = 3,
	MESSAGE_READ = 4, /* ours, and they have read it */
};
/* What a timeline shows. */
enum message_kind {
	MESSAGE_TEXT = 1,
	MESSAGE_FILE = 2,
	MESSAGE_UNKNOWN = 3, /* needs a newer program */
};

enum transfer_state {
	TRANSFER_OFFERED = 1, /* theirs: waits to be accepted; ours: nobody fetched it yet */
	TRANSFER_WAITING = 2, /* accepted; waits for who has it, or its turn */
	TRANSFER_RUNNING = 3,
	TRANSFER_PAUSED = 4,   /* by us */
	TRANSFER_STOPPED = 5,  /* by them */
	TRANSFER_CHECKING = 6, /* what is here already is read again, or put in its place */
	TRANSFER_DONE = 7, /* whole, checked, in its place (ours: at one of their devices) */
	TRANSFER_CANCELLED = 8,
	TRANSFER_FAILED = 9, /* `error` says why */
};
/* A file of a message, and how far it is. Texts are owned by whoever holds the source. */
struct message_file {
	uint8_t id[16];
	struct bytes name; /* as its owner calls it; not safe to show or to open as it is */
	struct bytes type; /* MIME, as said */
	struct bytes alt;
	struct bytes thumbnail; /* checked (peer/image.h), or empty */
	uint64_t size, done;    /* of a folder: of the files in it, ... */
	bool is_folder;
	uint32_t files, width, height;
	uint32_t manifest; /* ... without so many bytes that come before them */
	/* Of the answer to a send alone: so much in the folder was left out, links, and what is neither a file
	 * nor a folder. */
	uint32_t links, others;
	enum transfer_state state;
	int error;
	struct bytes path; /* where it is here, whole; empty: nowhere */
	uint64_t rate;     /* bytes a second now; 0: not running */
};

/* One message as stored. Text is owned by whoever holds the struct's source. */
struct message {
	uint64_t id;         /* of this store: increases with arrival; what faces know it by */
	struct name contact; /* whose conversation */
	enum message_kind kind;
	bool is_ours;
	struct device_public author;
	uint64_t seq;
	wall_ms sent_at;    /* the author's clock */
	wall_ms arrived_at; /* ours */
	enum message_state state;
	uint64_t reply_to;     /* id of this store, 0: none */
	bool is_reply_missing; /* it replies to one that is not here */
	bool is_forwarded, is_edited, is_retracted;
	bool is_gone;       /* its text is no more: disappeared, or kept no longer */
	wall_ms edited_at;  /* by the author's clock */
	uint32_t life;      /* seconds it was given; 0: it stays */
	wall_ms expires_at; /* 0: not counting yet, or it stays */
	uint64_t missing;   /* so many of the same author just before it are missing */
	struct bytes our_reactions, their_reactions; /* with a space between two */
	struct bytes text;                           /* as last edited; a file's caption */
	struct bytes bot;     /* the program that said it for its author; empty: none */
	uint64_t speaker;     /* ... as stored, by its number where it is one of ours; 0: it is not */
	struct bytes buttons; /* answers to press (shared/menu.h); empty: none */
	bool has_file;
	struct message_file file;
};

struct event {
	/* Increases from event to event in this store, also across restarts, and not always by one;
	 * faces resume with it. 0: EVENT_ANSWER, not counted. */
	uint64_t id;
	enum event_kind kind;
	uint64_t ticket;
	int error;
	struct name name;
	union { /* by kind */
		bool is_online, is_linked, is_typing, has_come, is_theirs, is_over, is_approved;
		bool fact; /* whichever it is, as the log keeps it */
	};
	enum account_state account;
	struct message message; /* text valid until the next engine_next_event(); of
	                             EVENT_ANSWER to a send: `sent_at`, `file.links`, `file.others` */
	uint64_t message_id;    /* EVENT_DELIVERED, EVENT_CHANGED, EVENT_READ, EVENT_FILE ... */
	enum message_change change;
	struct path path;
	enum path_kind path_kind;
	mono_ns round_trip;
	char greeting[WIRE_GREETING_MAX * 4 + 1];
	char detail[256]; /* English sentence; faces may translate. EVENT_ANSWER to a file that is not sent: where in the
	                   * folder, cut, bytes of the disk */
};

#endif
