/* What the terminal shows: the account, contacts, what was said. Fed by answers and notifications of
 * the local API; what it needs it asks for by a queue of requests. Knows neither terminal nor socket. */
#ifndef PALIQUE_PEER_FACES_TUI_MODEL_H
#define PALIQUE_PEER_FACES_TUI_MODEL_H

#include "peer/faces/tui/compose.h"
#include "shared/clock.h"
#include "shared/json.h"

enum {
	MODEL_PAGE = 60, /* messages asked for at a time */
	/* Of one conversation; beyond it those farthest from what is looked at go. */
	MODEL_KEPT = 2000,
	MODEL_NOTICES = 50,
	/* Messages at a time, of which the engine alone knows how they are. */
	MODEL_ASKED_AGAIN = 64,
};

struct said {
	uint64_t id;
	bool is_own;
	struct json *message; /* a Message of docs/local-api.md */
	int day;              /* when it was written, by the calendar of this machine */
	wall_ms written;
	const char *bot; /* who said it for its author, or NULL; the message's */
	bool is_passing; /* it disappears */
	bool is_apart;   /* a file, forwarded, or others are missing before it */
	/* of the timeline */
	unsigned rows, width; /* how many rows it takes at that width; 0: not known */
	bool follows; /* the one before, of the same author: name and time stand there */
};

struct talk {
	char name[64];
	struct json *contact; /* a Contact; NULL: none any more */
	struct said *list;    /* oldest first */
	size_t count, capacity;
	struct json *last; /* the newest message, also where the list is not here; or NULL */
	bool is_here;      /* the list has been asked for and came */
	bool has_older, has_newer; /* at the engine, beyond the list */
	unsigned asking;           /* pages of it that are under way */
	uint64_t first_unread;     /* at the time it was opened; 0: none */
	unsigned unread;
	struct compose *compose;
	uint64_t answers, edits; /* what is being written answers or edits this one */
	/* of the view */
	uint64_t chosen; /* message; 0: none */
	size_t up;       /* rows between the bottom of what is shown and the newest */
	/* The message at that bottom, which stays where it is when others come. */
	uint64_t anchor;
	size_t anchor_rows;   /* as many of its rows are below the bottom */
	bool is_out_of_sight; /* the chosen one is to be brought into sight */
	uint64_t wanted;      /* to be chosen when it is here */
};

struct model;

/* What to ask the engine; its answer is given back by model_answer(). */
enum asked {
	ASKED_STATUS,
	ASKED_CONTACTS,
	ASKED_CONTACT,
	ASKED_LAST,
	ASKED_NEWEST,
	ASKED_OLDER,
	ASKED_NEWER,
	ASKED_OLDEST,
	ASKED_AROUND, /* two requests: before, and from it on */
	ASKED_MESSAGE,
	ASKED_SUBSCRIBE,
	ASKED_DEVICES,
	ASKED_NOTHING, /* the answer does not matter, but for an error */
};
struct request {
	enum asked asked;
	const char *method;
	struct json *params; /* whoever takes the request frees it, by sending */
	char name[64];       /* of the conversation, or "" */
	uint64_t id;
};

struct model *model_new(void); /* and asks for all there is */
void model_free(struct model *m);

bool model_next_request(struct model *m, struct request *r);
/* `result` is borrowed; NULL: it failed with `words` for people (may be ""). */
void model_answer(struct model *m, const struct request *r, const struct json *result,
		  const char *words);
void model_notified(struct model *m, const char *method, const struct json *params);

/* Grows with each change that may be seen. */
unsigned model_revision(const struct model *m);
void model_touch(struct model *m);

const struct json *model_account(const struct model *m); /* NULL: not known yet */
bool model_is_ready(const struct model *m);              /* the contacts are known */

/* Conversations in the order of a list: requests first, then the newest. */
size_t model_count(const struct model *m);
struct talk *model_at(const struct model *m, size_t i);
struct talk *model_find(const struct model *m, const char *name);
struct talk *model_open(const struct model *m); /* NULL: none is open */
void model_choose(struct model *m, const char *name);

/* More of the open one, if there is. */
void model_want_older(struct model *m);
void model_want_newer(struct model *m);
void model_want_newest(struct model *m);
void model_want_oldest(struct model *m);
/* Goes to a message, wherever it stands; it is chosen when it is here. */
void model_go_to(struct model *m, const char *name, uint64_t id);
/* All of theirs that are here were seen by a person. */
void model_mark_read(struct model *m, struct talk *t);
/* All that was said there is gone, or not known any more: it is asked for again. */
void model_forget(struct model *m, const char *name);
/* Whether a person looks at it: what comes while nobody does is new to them, and rings. */
void model_look(struct model *m, bool is_looked_at);
bool model_is_looked_at(const struct model *m);
/* Who has said something since the last call that a person does not see yet. False: nobody. */
bool model_next_ring(struct model *m, char name[64]);

struct said *talk_find(const struct talk *t, uint64_t id);
/* The end of what is here is shown from now on, also when more comes. */
void talk_to_bottom(struct talk *t);

/* What a person should know, once: false where there is nothing. */
struct notice {
	char words[512];
	bool is_error;
};
bool model_next_notice(struct model *m, struct notice *n);
void model_notice(struct model *m, bool is_error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
