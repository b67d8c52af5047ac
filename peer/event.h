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
	EVENT_LINK, /* the connection to `name` came or went, or its path is of another kind now: `is_online`, `path`, `path_kind`, `round_trip` */
	EVENT_SAID, /* we said something: `message` (every face shows it) */
	EVENT_HEARD,     /* `name` said something: `message` */
	EVENT_DELIVERED, /* what the device that said `message_id` has said to `name` up to and with it is in their store */
	EVENT_WARNING,   /* `detail`: something a person should know, and perhaps do */
	EVENT_NOTICE, /* `detail`: good to know: a key changed and the old one vouches for it (`name`), logins failed, a device came in, there is no recovery code yet */
	EVENT_DEVICES, /* our device list, or which of them are online, changed */
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

enum message_state { MESSAGE_QUEUED = 1, MESSAGE_DELIVERED = 2, MESSAGE_RECEIVED = 3 };

/* One message as stored. Text is owned by whoever holds the struct's source. */
struct message {
	uint64_t id;         /* of this store: increases with arrival; what faces know it by */
	struct name contact; /* whose conversation */
	bool is_ours;
	struct device_public author;
	uint64_t seq;
	wall_ms sent_at;    /* the author's clock */
	wall_ms arrived_at; /* ours */
	enum message_state state;
	uint64_t reply_to; /* id of this store, 0: none */
	struct bytes text;
};

struct event {
	uint64_t id; /* increases by one for each event in this store, also across
	                             restarts; faces resume with it. 0: EVENT_ANSWER, not counted */
	enum event_kind kind;
	uint64_t ticket;
	int error;
	struct name name;
	bool is_online;
	enum account_state account;
	struct message message; /* text valid until the next engine_next_event(); of
	                             EVENT_ANSWER to a send: `sent_at` alone */
	uint64_t message_id;    /* EVENT_DELIVERED */
	struct path path;
	enum path_kind path_kind;
	mono_ns round_trip;
	char greeting[WIRE_GREETING_MAX * 4 + 1];
	char detail[256]; /* English sentence; faces may translate */
};

#endif
