/* What the engine shows to whoever asks: our account, a contact, stored messages and events.
 * Rooms fill it in; the local API reads it. */
#ifndef PALIQUE_PEER_VIEW_H
#define PALIQUE_PEER_VIEW_H

#include "peer/event.h"
#include "shared/keys.h"
#include "shared/uri.h"

struct engine_account {
	enum account_state state;
	struct name name;
	struct directory_place place;
	struct device_public directory_key;
	bool is_key_pinned_on_trust; /* first contact without a key in hand */
	struct identity_public identity;
	struct address observed; /* as the directory sees us */
	wall_ms online_since;
	bool has_directory_clock;
	int64_t directory_ahead_ms; /* WELCOME's clock against ours when it came */
	char trouble[192];          /* why not online, for people; "" when fine */
	int why;                    /* ... ERR_SUSPENDED, ERR_EXISTS (another copy of the
				     * home), or what failed; 0 when fine */
	bool has_recovery;          /* a recovery code was made */
	uint64_t vault_version;     /* kept by the directory, as last known; 0: none */
	bool is_vault_due;          /* ... and what changed here is not in it yet */
	bool is_vault_behind;       /* ... and what it holds was not taken in here yet */
};

enum contact_state {
	CONTACT_ASKED,    /* we list them; they have not (yet) listed us: "asked" */
	CONTACT_REQUESTS, /* they ask us; we have not answered */
	CONTACT_MUTUAL,   /* both list each other */
	CONTACT_BLOCKED,
};
struct contact {
	struct name name;
	enum contact_state state;
	bool is_online;
	bool is_linked; /* a direct connection is up */
	bool has_identity, is_key_changed, is_verified;
	bool is_change_signed; /* is_key_changed: the key before has vouched for the new one */
	struct identity_public identity;          /* the one we trust */
	struct identity_public new_identity;      /* shown instead, when is_key_changed */
	wall_ms last_seen;                        /* 0: never */
	char greeting[WIRE_GREETING_MAX * 4 + 1]; /* a request's */
	struct path path;
	mono_ns round_trip;
	enum path_kind path_kind; /* is_linked */
	struct name relay;        /* PATH_RELAYED: who carries it; empty: not known */
	bool is_looking;          /* not linked, and a path is being looked for */
	enum consent consent;
	uint64_t unread, queued;
	uint64_t held;    /* written before their key changed: waits for engine_accept() */
	unsigned devices; /* that they have, as last heard */
	bool is_typing;
	bool is_hidden_from; /* we are invisible to them */
	bool tells_read;     /* they get read marks from us */
	/* Wishes, in seconds; messages disappear after the longer one when both have one. */
	uint32_t our_timer, their_timer;
	uint64_t missing; /* messages of theirs that are being asked for */
	enum availability availability;
	/* Theirs; "" when not known. */
	char title[WIRE_TITLE_MAX + 1], status[WIRE_STATUS_MAX + 1];
	bool has_picture;
	bool is_bot; /* a program speaks there, and nobody reads */
};

/* What we show of ourselves. */
struct profile {
	enum availability availability;
	bool is_invisible; /* to all */
	char title[WIRE_TITLE_MAX + 1], status[WIRE_STATUS_MAX + 1];
	struct bytes picture; /* JPEG or WebP, from peer/image.h; empty: none */
	bool is_bot;          /* a program speaks here, and nobody reads */
};

/* One found by a search. */
struct hit {
	struct message message;
	/* Around what was found, which stands between U+0002 and U+0003. */
	struct bytes snippet;
};
typedef bool engine_each_hit(void *user, const struct hit *hit);
/* Where a search goes on; zeroed at first. */
struct search_at {
	bool is_begun;
	int64_t place; /* all from here on up has been looked at */
};

/* What is told on the desktop while nobody looks (peer/attention.h). */
enum notifications { NOTIFICATIONS_OFF, NOTIFICATIONS_NAMES, NOTIFICATIONS_ALL };

/* What people can set, besides what they decide of each contact. */
struct engine_settings {
	/* Files of contacts up to so many bytes are fetched unasked; 0: none. */
	uint64_t accept_up_to;
	char downloads[4096]; /* where they go; "": the home's default */
	bool tells_read;      /* read marks, where a contact has none of its own */
	uint32_t keep_days;   /* messages are kept so long; 0: for ever */
	enum notifications notifications;
};

/* What people have set of one contact alone. */
struct contact_settings {
	int keep_days;  /* -1: as for everybody */
	int tells_read; /* 1, 0; -1: as for everybody */
	bool is_hidden; /* we are invisible to them, whether or not we are to all */
};

/* Return false to stop. */
typedef bool engine_each_message(void *user, const struct message *m);
typedef bool engine_each_event(void *user, const struct event *event);

#endif
