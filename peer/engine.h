/* The engine: owns the rooms of one account and drives them. A core: datagrams, time,
 * answers to jobs and calls of the local API go in; datagrams, events, jobs and a deadline
 * come out. Nothing here blocks except the store's commit, one for each step. */
#ifndef PALIQUE_PEER_ENGINE_H
#define PALIQUE_PEER_ENGINE_H

#include "peer/bots.h"
#include "peer/event.h"
#include "peer/network.h"
#include "peer/port_map.h"
#include "peer/proposals.h"
#include "peer/relay.h"
#include "peer/sighting.h"
#include "peer/view.h"
#include "shared/endpoint.h"
#include "shared/job.h"
#include "shared/recovery.h"
#include "shared/safety.h"
#include "shared/uri.h"
#include "shared/vault.h"

struct engine;

struct engine_config {
	const char *store;               /* path of the database; NULL: in memory */
	const struct symmetric_key *key; /* NULL: plain (tests) */
	bool durable;                    /* commits survive a power cut */
	const char *downloads;    /* absolute, where files go when nobody says; NULL: nowhere */
	const char *device_label; /* what other devices see: the host's name */
	enum ksf ksf; /* the weakest stretching a directory may ask for; 0: any we know */
};

/* ERR_AUTH, ERR_CORRUPT, ERR_LOCKED, ERR_VERSION ...: `reason` gets a sentence; the store is
 * left as it is. */
int engine_open(struct engine **e, const struct engine_config *config, mono_ns now,
		wall_ms wall, char *reason, size_t reason_size);
/* Says goodbye to the directory and to every peer; datagrams are to be sent afterwards. */
void engine_goodbye(struct engine *e, mono_ns now);
void engine_close(struct engine *e); /* NULL is harmless */

struct endpoint *engine_endpoint(struct engine *e);
struct rooms;
struct rooms *engine_rooms(struct engine *e); /* for tests, which look into single rooms */
struct db;
struct db *engine_db(struct engine *e); /* the store's, for a copy of it between two steps */

/* Does all that is due in a fixed order: takes what links received, lets the rooms work,
 * commits what must be durable, then releases what waited for it (acknowledgements, events,
 * answers). Returns the engine's own deadline (without the endpoint's). */
mono_ns engine_step(struct engine *e, mono_ns now, wall_ms wall);

/* False: something could not be stored, nor can be read what stands there. In memory may be what was
 * refused: nothing that is done meanwhile counts, and nothing is shown of it (ERR_IO). */
bool engine_is_readable(struct engine *e);

bool engine_next_event(struct engine *e, struct event *event);
bool engine_next_job(struct engine *e, struct job *job);
void engine_job_done(struct engine *e, const struct job *answer);

/* What this machine is connected to, given at the start and whenever it changes. */
void engine_set_network(struct engine *e, const struct network *network);
/* From the configuration; all are on until switched off. */
struct engine_reach_settings {
	bool maps_ports; /* asks routers (peer/port_map.h) */
	bool has_lan;    /* announces itself on the LAN (peer/lan.h) */
};
void engine_set_reach(struct engine *e, const struct engine_reach_settings *settings);
/* Before the end: the job that removes what routers hold for us; false: none. */
bool engine_last_job(struct engine *e, struct job *job);

/* Who may have our addresses; durable when it returns. ERR_NOT_FOUND. */
int engine_set_consent(struct engine *e, const char *name, enum consent consent);
/* Whether we relay for contacts, up to `rate` bytes in a second for each two of them. */
int engine_set_relay(struct engine *e, bool is_on, uint32_t rate);
/* What is known of the network, for the doctor and the status. */
struct engine_reach {
	struct network network;
	struct sighting_report sighting;
	struct port_map_report maps[PORT_MAP_WAYS];
	bool is_udp_asked;   /* the directory is, and nothing came back yet */
	bool is_udp_blocked; /* ... for ENGINE_BLOCKED, on this network: nothing ever came back */
	bool is_relay;
	uint32_t relay_rate;
	struct relay_report relay;
	unsigned lan_found;
	unsigned published;                  /* candidates */
	uint64_t received_bytes, sent_bytes; /* of all datagrams, in this life of the engine */
};
/* Three first packets (the last after 0.9 s) and a second for their answers; said within three. */
#define ENGINE_BLOCKED (2 * SECOND)
void engine_reach(const struct engine *e, struct engine_reach *out);

/* --- what faces ask (each returns 0 or an error at once; those with a ticket answer by
 * EVENT_ANSWER later; a change is durable before it is answered or told) --- */

/* Joins a directory under a name: invitation or directory link. The password is copied into
 * locked memory and wiped. ERR_EXISTS: this home has an account. */
int engine_join(struct engine *e, const struct uri *link, const char *name,
		struct bytes password, uint64_t ticket);
/* Password login: on a new machine it brings identity and contacts back from the vault; in a
 * home that has the account already its device is taken in again. `begin_anew`: where the vault
 * cannot be opened any more (the operator reset the password and there is no recovery code),
 * take a new identity; contacts will be told. ERR_REFUSED at once: the home holds another account. Answers
 * ERR_KEY_CHANGED: the password is right, but the vault is sealed with an older one. */
int engine_login(struct engine *e, const char *name, const struct directory_place *place,
		 const struct device_public *directory_key, struct bytes password,
		 bool begin_anew, uint64_t ticket);
/* The password is forgotten, the recovery code at hand: a new password, then as login. */
int engine_recover(struct engine *e, const char *name, const struct directory_place *place,
		   const struct device_public *directory_key, const struct recovery_code *code,
		   struct bytes new_password, uint64_t ticket);
/* A new password by the operator's one-time link (URI_RESET); the vault stays sealed, and
 * nobody is logged in by it. The answer's `detail` is the account's name. */
int engine_reset(struct engine *e, const struct uri *link, struct bytes new_password,
		 uint64_t ticket);
/* A new password; devices stay, or all others are logged out. ERR_STATE: not online;
 * answers ERR_AUTH: the old one is wrong. */
int engine_passwd(struct engine *e, struct bytes old_password, struct bytes new_password,
		  bool everywhere, uint64_t ticket);
/* The account goes, at the directory and here: keys are wiped, contacts told; the history
 * stays. ERR_STATE: not online. */
int engine_delete(struct engine *e, uint64_t ticket);
/* Another identity, signed by the old one; every other device is logged out, contacts get a
 * notice. For when a device was stolen. */
int engine_rekey(struct engine *e, uint64_t ticket);

/* A fresh recovery code, which counts once the answer says so: then the one before does not
 * any more. The caller wipes it. `code` NULL: none from now on. ERR_STATE: not online. */
int engine_recovery(struct engine *e, struct recovery_code *code, uint64_t ticket);

/* Our devices; version 0: no account yet, or not in it any more. */
const struct device_list *engine_devices(const struct engine *e);
const struct device_public *engine_device(const struct engine *e); /* this one */
bool engine_device_is_online(const struct engine *e, const struct device_public *device);
/* Both are answered when the directory has the new list. ERR_NOT_FOUND, ERR_STATE: not online,
 * ERR_REFUSED: this device itself cannot be revoked from here, ERR_FORMAT: no such label. */
int engine_name_device(struct engine *e, const struct device_public *device, const char *label,
		       uint64_t ticket);
int engine_revoke_device(struct engine *e, const struct device_public *device, uint64_t ticket);

/* From whom requests are heard, on all our devices. */
int engine_set_requests(struct engine *e, enum request_policy policy);
enum request_policy engine_requests(const struct engine *e);

void engine_account(const struct engine *e, struct engine_account *out);
/* The directory with this key runs in our own process: it is called at `at`, whatever address
 * the account was made with, which may not be this machine's any more. */
void engine_directory_here(struct engine *e, const struct device_public *key,
			   const struct address *at);

/* Adding one who asks us accepts. `identity` (from a contact link) lets the greeting be
 * sealed and pins the key; without it a greeting is refused with ERR_STATE. */
int engine_add(struct engine *e, const char *name, const struct identity_public *identity,
	       const char *greeting);
/* A request, or a changed key; what was written before the change and waits (`held`) is
 * said under the new key then. */
int engine_accept(struct engine *e, const char *name);
int engine_block(struct engine *e, const char *name);  /* also one never heard of */
int engine_remove(struct engine *e, const char *name); /* history stays */
/* The safety number with a contact whose key is known (the new one's, where it changed), and
 * the same as a short text for a QR code. ERR_NOT_FOUND, ERR_STATE: no key is known yet. */
struct engine_safety {
	char digits[SAFETY_DIGITS + 1];
	char code[SAFETY_CODE_SIZE];
	bool is_verified;
	bool is_key_changed; /* it is that of the new key, which was not accepted yet */
};
int engine_safety(struct engine *e, const char *name, struct engine_safety *out);
/* The person has compared the numbers, or takes it back. ERR_KEY_CHANGED: accept first. */
int engine_verify(struct engine *e, const char *name, bool is_verified);
int engine_contact(struct engine *e, const char *name, struct contact *out);
/* The contacts by name, from 0; ERR_NOT_FOUND at the end. Nothing else may be called in
 * between. */
int engine_contact_at(struct engine *e, unsigned index, struct contact *out);

/* Said in the next step: once that has committed, EVENT_ANSWER with the ticket brings its id and
 * time (`message_id`, `message.sent_at`). At once: ERR_LIMIT over WIRE_TEXT_MAX, ERR_FORMAT
 * for text that is not UTF-8 or empty, ERR_NOT_FOUND, ERR_KEY_CHANGED, ERR_REFUSED (blocked),
 * ERR_STATE (a request not answered). */
/* `name` may be a contact link: who is no contact yet is added with the key in it, and what is said waits,
 * sealed in our store, until they accept. Also ERR_FORMAT: a link without a key, ERR_REFUSED: of
 * ourselves, ... */
int engine_send(struct engine *e, const char *name, struct bytes text, uint64_t reply_to,
		uint64_t ticket);
/* The same with more to it. */
struct engine_text {
	const char *to;
	struct bytes text;
	uint64_t reply_to;
	const char *bot; /* the program that says it; NULL: a person */
	/* The same by its number, where it has a token (peer/bots.h); 0: none. */
	uint64_t speaker;
	struct bytes buttons; /* answers to press (shared/menu.h); empty: none */
};
int engine_say(struct engine *e, const struct engine_text *what, uint64_t ticket);

/* The calls below that name a message take its id: ERR_NOT_FOUND: there is none; ERR_REFUSED: it is not
 * ours to change; ERR_STATE: it is gone, or not of a kind that can be. They are done in the next step,
 * as engine_send() is, and answered with the ticket; what the other side cannot get now waits. */
/* What a message of any conversation says, or the file that it has, to somebody else. */
int engine_forward(struct engine *e, uint64_t id, const char *to, uint64_t ticket);
/* Another text for a message of ours (a file's: its caption, which may be empty). */
int engine_edit(struct engine *e, uint64_t id, struct bytes text, uint64_t ticket);
/* A message of ours is taken back; its text and file go, a mark stays. */
int engine_retract(struct engine *e, uint64_t id, uint64_t ticket);
/* All our reactions to a message, with a space between two; empty: none. ERR_FORMAT, ERR_LIMIT:
 * wire.h says how many and how long. */
int engine_react(struct engine *e, uint64_t id, struct bytes reactions, uint64_t ticket);
/* Our wish after how many seconds messages disappear (0: that they stay). */
int engine_set_timer(struct engine *e, const char *name, uint32_t seconds, uint64_t ticket);
/* We type, or do not any more; nobody is asked whether it arrives. */
int engine_typing(struct engine *e, const char *name, bool is_typing);
/* Deleted here and nowhere else, durable when it returns: one message; all with a person. What they
 * have not got yet is still owed to them. */
int engine_forget_message(struct engine *e, uint64_t id);
int engine_forget_history(struct engine *e, const char *name);

/* --- files (peer/files.h) --- */

struct engine_file {
	const char *to; /* whose conversation */
	const char *
		path; /* absolute; a file or a folder, read where it stands until it has arrived */
	bool is_spooled; /* it was made for this alone, and is removed when nobody needs it any more */
	const char *name;          /* as the other side sees it; NULL: as the path ends */
	const char *type;          /* MIME; NULL: by its first bytes, or by its name */
	const char *alt, *caption; /* may be NULL */
	const char *bot;           /* the program that sends it; NULL: a person */
	uint64_t speaker;          /* as of engine_text */
	uint64_t reply_to;
};
/* Looked at in the worker, then said: the answer is as engine_send()'s. ERR_NOT_FOUND, ERR_REFUSED
 * (neither a regular file nor a folder, or not to be read), ERR_LIMIT. */
int engine_send_file(struct engine *e, const struct engine_file *file, uint64_t ticket);
/* By message. Accepting also goes on with what was paused, stopped, cancelled or failed; `folder`
 * NULL: the downloads folder. Durable when they return. ERR_STATE: nothing to be done. */
int engine_accept_file(struct engine *e, uint64_t id, const char *folder);
int engine_pause_file(struct engine *e, uint64_t id);
int engine_cancel_file(struct engine *e, uint64_t id); /* what came so far is removed */
/* Transfers, newest first; `active`: only those that are not over. */
int engine_files(struct engine *e, const char *name, bool active, unsigned limit,
		 engine_each_message *each, void *user);

/* Whether what lies in a spool under that name may still be needed: 1, 0, or an error. */
int engine_wants_spooled(struct engine *e, const char *name);

/* --- profile and presence (peer/profiles.h) --- */

void engine_profile(const struct engine *e, struct profile *out);
/* What is NULL stays. Told to contacts and own devices. ERR_FORMAT, ERR_LIMIT. */
struct engine_profile_change {
	const enum availability *availability;
	const bool *is_invisible;
	const char *title, *status;
	const char *picture; /* path of an image; "": none. Answered when it was made small */
	const bool *is_bot;  /* a program speaks here, and nobody reads */
};
int engine_set_profile(struct engine *e, const struct engine_profile_change *change,
		       uint64_t ticket);
/* The commands of the programs that speak for a contact (NULL: for us), as lines (shared/menu.h), valid
 * until the next step; empty: none. */
int engine_menu(struct engine *e, const char *name, struct bytes *menu);
/* A contact's picture, valid until the next step; ERR_NOT_FOUND: none. */
int engine_picture(struct engine *e, const char *name, struct bytes *picture);
int engine_hide_from(struct engine *e, const char *name, bool is_hidden);
/* Whether they get read marks: 1, 0, or -1: as for everybody (engine_settings). */
int engine_set_read_marks(struct engine *e, const char *name, int tells_read);

/* --- programs (peer/bots.h, peer/proposals.h); durable when they return --- */

/* A bot of this name. The token is told once: BOT_TOKEN_SIZE bytes with the NUL, which the caller wipes.
 * ERR_EXISTS, ERR_NAME, ERR_FULL: there are enough, ERR_FORMAT, ERR_STATE: no account. */
int engine_create_bot(struct engine *e, const struct bot *wish, char *token);
/* By index, from 0, in the order of their making; ERR_NOT_FOUND at the end. */
int engine_bot_at(struct engine *e, unsigned index, struct bot *out);
/* What it may now. ERR_NOT_FOUND: it was removed; ERR_EXPIRED. */
int engine_bot(struct engine *e, uint64_t id, wall_ms wall, struct bot *out);
int engine_remove_bot(struct engine *e, const char *name);
/* By name; ERR_NAME, ERR_NOT_FOUND. */
int engine_bot_named(struct engine *e, const char *name, struct bot *out);
/* Other rights, names, rate or end of the bot `wish->id`; with `token` (as of engine_create_bot()) not NULL its
 * token is another one from now on, and the one before void. */
int engine_change_bot(struct engine *e, const struct bot *wish, char *token);
/* Whose token it is, in the same time for any. ERR_AUTH, ERR_EXPIRED. Durable with the next step. */
int engine_bot_of(struct engine *e, struct bytes token, wall_ms wall, uint64_t *id);
/* So far it has dealt with events; it never goes back. Durable with the next step. */
int engine_bot_acknowledge(struct engine *e, uint64_t id, uint64_t event);
/* The commands that it knows. `is_shown`: to contacts, which are all or none. ERR_FORMAT, ERR_LIMIT. */
int engine_bot_menu(struct engine *e, uint64_t id, struct bytes menu, bool *is_shown);
/* One more of what is counted. ERR_BUSY: more than it may. `now`: any clock that goes on. */
int engine_bot_spend(struct engine *e, uint64_t id, enum bot_spends what, mono_ns now);
/* A call was as much work as `calls` more. */
void engine_bot_owe(struct engine *e, uint64_t id, unsigned calls);

/* Of a bot that may not say it itself: for a person to decide. ERR_FULL; else as engine_send(). */
int engine_propose(struct engine *e, uint64_t bot, const struct engine_text *what,
		   uint64_t *id);
typedef bool engine_each_proposal(void *user, const struct proposal *p);
/* From the oldest; false to stop. `id` not 0: this one alone, or ERR_NOT_FOUND. */
int engine_proposals(struct engine *e, uint64_t id, engine_each_proposal *each, void *user);
/* Said as by the bot, answered as engine_send() is; `text` empty: as it was proposed. */
int engine_approve(struct engine *e, uint64_t id, struct bytes text, uint64_t ticket);
int engine_reject(struct engine *e, uint64_t id);

/* --- settings of this machine (peer/settings.h) --- */

void engine_settings(const struct engine *e, struct engine_settings *out);
enum notifications engine_notifications(const struct engine *e);
/* ERR_NOT_FOUND: no such folder. */
int engine_set_settings(struct engine *e, const struct engine_settings *settings);
/* Messages with one person are kept so many days (0: for ever; -1: as for everybody). */
int engine_set_keep(struct engine *e, const char *name, int days);
/* ERR_NOT_FOUND: no such person. */
int engine_contact_settings(const struct engine *e, const char *name,
			    struct contact_settings *out);

/* --- history (peer/history.h, peer/search.h) --- */

/* Newest first: up to `limit` messages that stand before `before` (0: from the newest).
 * `each` returns false to stop. ERR_NOT_FOUND: no such person, or `before` is not one of theirs. */
int engine_history(struct engine *e, const char *name, uint64_t before, unsigned limit,
		   engine_each_message *each, void *user);
/* The same forward: oldest first, those that stand behind `after`. */
int engine_history_after(struct engine *e, const char *name, uint64_t after, unsigned limit,
			 engine_each_message *each, void *user);
int engine_message(struct engine *e, uint64_t id, engine_each_message *each, void *user);
int engine_mark_read(struct engine *e, const char *name, uint64_t up_to);
/* Messages with all words of `query` (the last one may be a beginning; "in quotes": one behind the
 * other), newest first, those that stand before `before` (0: from the newest); `name` NULL: with
 * anybody. ERR_FORMAT: no word in it. 1: it goes on from `at`, which is zeroed for the first call: where
 * much has to be looked at others come first; then `limit` is what is left of it. */
int engine_search(struct engine *e, const char *query, const char *name, uint64_t before,
		  unsigned limit, struct search_at *at, engine_each_hit *each, void *user);
/* One of our devices may have what was said from `since` on (0: all); durable when it returns. It is
 * told when it is linked, and fetches it; `is_given` false: not any more. */
int engine_grant_history(struct engine *e, const struct device_public *device, wall_ms since,
			 bool is_given);

/* Events since `since` (not itself), from the store: what a face missed. */
int engine_events_since(struct engine *e, uint64_t since, engine_each_event *each, void *user);
uint64_t engine_last_event(const struct engine *e);

#endif
