/* Our line to the directory: finding it, dialling, saying who we are and whom we list,
 * hearing who is where; again after every loss, with backoff. */
#ifndef PALIQUE_PEER_DIRECTORY_CLIENT_H
#define PALIQUE_PEER_DIRECTORY_CLIENT_H

#include "peer/engine.h"
#include "peer/rooms.h"

struct directory_client;

struct directory_client *directory_client_new(struct rooms *rooms);
void directory_client_free(struct directory_client *d);

/* The directory with this key runs in our own process. */
void directory_client_here(struct directory_client *d, const struct device_public *key,
			   const struct address *at);

/* Who we are changed (a password exchange begins or ends): hang up and call again, at the
 * next step. */
void directory_client_restart(struct directory_client *d);

/* True when the event was about our line. */
bool directory_client_event(struct directory_client *d, const struct link_event *event);
void directory_client_resolved(struct directory_client *d, const struct job *answer);
bool directory_client_next_job(struct directory_client *d, struct job *job);

/* Reads the line, does what is due; returns when it wants to be called again. */
mono_ns directory_client_step(struct directory_client *d);
/* Before the commit: what the store should remember goes with what is written anyway. */
void directory_client_save(struct directory_client *d);
/* After the commit: says what changed, writes what waits. */
void directory_client_release(struct directory_client *d);
/* What changed in the release: when to be called again at the latest. */
mono_ns directory_client_deadline(const struct directory_client *d);
/* It failed: forgets what was to be said. */
void directory_client_drop(struct directory_client *d);

bool directory_client_is_online(const struct directory_client *d);
/* Queues a message, if the line is up. */
void directory_client_send(struct directory_client *d, const struct wire_message *m);
/* A name is listed or not from the next commit on. */
void directory_client_list(struct directory_client *d, const struct name *name, bool is_listed);
/* Knock or addresses changed. */
void directory_client_republish(struct directory_client *d);
void directory_client_introduce(struct directory_client *d, const struct name *name);
void directory_client_suspect(struct directory_client *d, const struct name *name,
			      const struct device_public *device);

#endif
