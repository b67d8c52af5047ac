/* The log of events: each has the next number, is in the store with what it tells of, and
 * is handed out only when that is durable. Messages' events are not written: the message
 * itself is, under the event's number. */
#ifndef PALIQUE_PEER_EVENTS_H
#define PALIQUE_PEER_EVENTS_H

#include "peer/event.h"
#include "peer/store.h"

struct events;

enum { EVENTS_KEPT = 10000 }; /* numbers whose rows stay for faces that resume */

struct events *events_new(struct store *store);
void events_free(struct events *v);

/* The number for a message about to be written. */
uint64_t events_number(struct events *v);
uint64_t events_last(const struct events *v); /* of those released */

/* EVENT_SAID or EVENT_HEARD of a message stored under its number. Copies the text. */
void events_message(struct events *v, enum event_kind kind, const struct message *m);
/* Any other: takes a number, writes the row. */
void events_add(struct events *v, const struct event *event);
/* One that passes: it has no number (id 0) and no row; who was not there missed nothing. */
void events_pass(struct events *v, const struct event *event);
void events_warn(struct events *v, const struct name *about, const char *detail);
/* An answer has no number and no row. `detail` may be NULL. */
void events_answer(struct events *v, uint64_t ticket, int error, const char *detail,
		   uint64_t message_id);
/* The same of a message that was said: `message_id` and `message.sent_at`. */
/* Of the folder that the answer added last is about. */
void events_left_out(struct events *v, uint32_t links, uint32_t others);
void events_answer_said(struct events *v, uint64_t ticket, uint64_t message_id,
			wall_ms sent_at);

/* The commit succeeded: what was added may be handed out. */
void events_release(struct events *v);
/* It failed with `err`: events are forgotten, answers of success become that error. */
void events_drop(struct events *v, int err);

/* True and the next one; texts in it are valid until the next call. */
bool events_next(struct events *v, struct event *out);

/* The first stored event with a number above `after`: 1, 0 for none, or an error. */
int events_read(struct events *v, uint64_t after, struct event *out);

#endif
