/* The engine: owns the rooms of one account and drives them. A core: datagrams, time,
 * answers to jobs and calls of the local API go in; datagrams, events, jobs and a deadline
 * come out. Nothing here blocks except the store's commit, one for each step. */
#ifndef PALIQUE_PEER_ENGINE_H
#define PALIQUE_PEER_ENGINE_H

#include "peer/event.h"
#include "peer/view.h"
#include "shared/endpoint.h"
#include "shared/job.h"
#include "shared/uri.h"

struct engine;

struct engine_config {
	const char *store;               /* path of the database; NULL: in memory */
	const struct symmetric_key *key; /* NULL: plain (tests) */
	bool durable;                    /* commits survive a power cut */
	const char *device_label;        /* what other devices see: the host's name */
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

/* Does all that is due in a fixed order: takes what links received, lets the rooms work,
 * commits what must be durable, then releases what waited for it (acknowledgements, events,
 * answers). Returns the engine's own deadline (without the endpoint's). */
mono_ns engine_step(struct engine *e, mono_ns now, wall_ms wall);

bool engine_next_event(struct engine *e, struct event *event);
bool engine_next_job(struct engine *e, struct job *job);
void engine_job_done(struct engine *e, const struct job *answer);

/* Our own addresses (interfaces), given at the start and whenever they change; `port` is
 * that of the endpoint's socket. */
void engine_set_addresses(struct engine *e, const struct address *list, unsigned count,
			  uint16_t port);

/* --- what faces ask (each returns 0 or an error at once; those with a ticket answer by
 * EVENT_ANSWER later; a change is durable before it is answered or told) --- */

/* Joins a directory under a name: invitation or directory link. The password is copied into
 * locked memory and wiped. ERR_EXISTS: this home has an account. */
int engine_join(struct engine *e, const struct uri *link, const char *name,
		struct bytes password, uint64_t ticket);
/* Password login of this home's account, or of one made by the operator that has no identity
 * yet. ERR_REFUSED at once: the home holds another account. */
int engine_login(struct engine *e, const char *name, const struct directory_place *place,
		 const struct device_public *directory_key, struct bytes password,
		 uint64_t ticket);

void engine_account(const struct engine *e, struct engine_account *out);
/* The directory with this key runs in our own process: it is called at `at`, whatever address
 * the account was made with, which may not be this machine's any more. */
void engine_directory_here(struct engine *e, const struct device_public *key,
			   const struct address *at);

/* Adding one who asks us accepts. `identity` (from a contact link) lets the greeting be
 * sealed and pins the key; without it a greeting is refused with ERR_STATE. */
int engine_add(struct engine *e, const char *name, const struct identity_public *identity,
	       const char *greeting);
int engine_accept(struct engine *e, const char *name); /* a request, or a changed key */
int engine_block(struct engine *e, const char *name);  /* also one never heard of */
int engine_remove(struct engine *e, const char *name); /* history stays */
int engine_contact(struct engine *e, const char *name, struct contact *out);
/* The contacts by name, from 0; ERR_NOT_FOUND at the end. Nothing else may be called in
 * between. */
int engine_contact_at(struct engine *e, unsigned index, struct contact *out);

/* Said in the next step: once that has committed, EVENT_ANSWER with the ticket brings its id and
 * time (`message_id`, `message.sent_at`). At once: ERR_LIMIT over WIRE_TEXT_MAX, ERR_FORMAT
 * for text that is not UTF-8 or empty, ERR_NOT_FOUND, ERR_KEY_CHANGED, ERR_REFUSED (blocked),
 * ERR_STATE (a request not answered). */
int engine_send(struct engine *e, const char *name, struct bytes text, uint64_t reply_to,
		uint64_t ticket);

/* History, newest first: up to `limit` messages with id below `before` (0: from the newest).
 * `each` returns false to stop. */
int engine_history(struct engine *e, const char *name, uint64_t before, unsigned limit,
		   engine_each_message *each, void *user);
int engine_message(struct engine *e, uint64_t id, engine_each_message *each, void *user);
int engine_mark_read(struct engine *e, const char *name, uint64_t up_to);

/* Events since `since` (not itself), from the store: what a face missed. */
int engine_events_since(struct engine *e, uint64_t since, engine_each_event *each, void *user);
uint64_t engine_last_event(const struct engine *e);

#endif
