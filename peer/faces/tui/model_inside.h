/* The inside of the model: what its three files share. */
#ifndef PALIQUE_PEER_FACES_TUI_MODEL_INSIDE_H
#define PALIQUE_PEER_FACES_TUI_MODEL_INSIDE_H

#include "peer/faces/tui/model.h"

struct model {
	struct json *account;
	struct talk **talks;
	size_t count, capacity;
	char open[64];
	char rings[64]; /* who said the last that may ring; "" */
	bool is_ready, is_looked_at;
	unsigned revision;
	struct request *requests;
	size_t request_count, request_capacity;
	struct notice notices[MODEL_NOTICES];
	size_t notice_count;
};

/* Puts a request in the queue. Takes `params`. */
void model_ask(struct model *m, enum asked asked, const char *name, uint64_t id,
	       const char *method, struct json *take_params);
/* The conversation of that name, made where there is none; NULL: no name. */
struct talk *model_talk(struct model *m, const char *name);
void model_take_contact(struct model *m, const struct json *contact);
/* In another order, and to be drawn. */
void model_changed(struct model *m);

/* --- the messages of a conversation (model_talk.c) --- */

/* Those that are not there yet, from `at` on. */
void talk_insert(struct talk *t, size_t at, const struct json *messages);
void talk_drop(struct talk *t, size_t from, size_t count);
void talk_set_last(struct talk *t, const struct json *message);
/* In place of the one that has its id. */
void talk_replace(struct talk *t, const struct json *message);
/* The first of theirs that was not read; 0: none. */
uint64_t talk_first_unread(const struct talk *t);
/* From a `receive` or `sent`. */
void talk_take_new(struct model *m, const struct json *p, bool is_own);

#endif
