/* Our line to the directory: finding it, dialling, a guest's exchange or our login; again after
 * every loss, with backoff. What the directory says of others is handed on. */
#ifndef PALIQUE_PEER_DIRECTORY_CLIENT_H
#define PALIQUE_PEER_DIRECTORY_CLIENT_H

#include "peer/rooms.h"
#include "shared/job.h"
#include "shared/wire.h"

struct directory_client;

struct directory_client *directory_client_new(struct rooms *rooms);
void directory_client_free(struct directory_client *d);

/* The directory with this key runs in our own process. */
void directory_client_here(struct directory_client *d, const struct device_public *key,
			   const struct address *at);

/* True when the event was about our line, or the stray an answer to us. */
bool directory_client_event(struct directory_client *d, const struct link_event *event);
void directory_client_resolved(struct directory_client *d, const struct job *answer);
bool directory_client_next_job(struct directory_client *d, struct job *job);

/* Our network is another one: the line is asked from here, and who waited to call calls now. */
void directory_client_moved(struct directory_client *d);
/* Reads the line: true and the next message that is not the line's own (WELCOME, when we are
 * logged in, is both). What it points at stays until the next call. False: all for this step. */
bool directory_client_next(struct directory_client *d, struct wire_message *m);
/* True once in a session: the directory has had time to repeat who is online. */
bool directory_client_take_settled(struct directory_client *d);
/* Does what is due; returns when it wants to be called again. */
mono_ns directory_client_step(struct directory_client *d);
/* Before the commit: what the store should remember goes with what is written anyway. */
void directory_client_save(struct directory_client *d);
/* After the commit: writes what waits. */
void directory_client_release(struct directory_client *d);
/* What changed in the release: when to be called again at the latest. */
mono_ns directory_client_deadline(const struct directory_client *d);

bool directory_client_is_online(const struct directory_client *d);
/* It is looked for, or a guest's exchange is under way, and its address is known or being
 * resolved. */
bool directory_client_is_asking(const struct directory_client *d);
/* It was looked for and not found, has not answered for a while, or was lost: what it said of
 * others is of before. */
bool directory_client_is_away(const struct directory_client *d);
/* Where our line goes; family 0: there is none. */
struct address directory_client_address(const struct directory_client *d);
/* A word that wants an answer, if the line is up: the directory sees where we are. */
void directory_client_ping(struct directory_client *d);
/* Queues a message, if the line is up. */
void directory_client_send(struct directory_client *d, const struct wire_message *m);
void directory_client_introduce(struct directory_client *d, const struct name *name);
void directory_client_suspect(struct directory_client *d, const struct name *name,
			      const struct device_public *device);

#endif
