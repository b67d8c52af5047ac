/* What a person is told of on the desktop while nobody looks: whose messages, requests and changed keys, in
 * which words, how often. A core: events and time go in, notifications come out; who shows them is a shell's
 * business (peer/desktop.h).
 *
 * There is one notification for each contact and kind of news. More of the same replaces it, and not before
 * it could be read: a flood is one notification with a number in it. */
#ifndef PALIQUE_PEER_ATTENTION_H
#define PALIQUE_PEER_ATTENTION_H

#include <stdbool.h>

#include "peer/event.h"
#include "peer/view.h"

enum {
	ATTENTION_SLOTS = 16,        /* shown or waiting at once; of more nothing is said */
	ATTENTION_PAUSE_MS = 3000,   /* between two of the same contact */
	ATTENTION_BETWEEN_MS = 250,  /* between any two */
	ATTENTION_LOOKED_MS = 10000, /* who has read something a moment ago looks at it */
	ATTENTION_TITLE_MAX = 255,   /* bytes */
	ATTENTION_TEXT_CHARACTERS = 160,
	ATTENTION_BODY_MAX = 2047, /* bytes */
};

struct attention;
struct attention *attention_new(void);
void attention_free(struct attention *a);

/* How it stands with the person when an event comes. */
struct attention_rules {
	enum notifications notifications;
	bool is_busy;
	bool is_looked_at; /* a face shows the conversation now, or notifies by itself */
	bool is_decided;   /* they neither ask nor show another key, or not any more */
};
/* Whether the rules are to be looked up for it at all. */
bool attention_wants(const struct event *event);
void attention_hear(struct attention *a, const struct event *event,
		    const struct attention_rules *rules, mono_ns now);
/* The conversation with `name` is looked at, or was read. */
void attention_seen(struct attention *a, const char *name, mono_ns now);

/* A notification to be shown. Texts are plain (no markup), safe, in the language of the process:
 * that of the face that began it, whose environment it has; valid until the next call. */
struct attention_note {
	unsigned slot;
	uint32_t replaces; /* as the desktop called it; 0: none */
	char title[ATTENTION_TITLE_MAX + 1], body[ATTENTION_BODY_MAX + 1];
};
bool attention_next(struct attention *a, struct attention_note *note, mono_ns now);
/* It is shown, and the desktop calls it `id`; or, 0, it could not be. */
void attention_shown(struct attention *a, unsigned slot, uint32_t id);
/* One to be taken away: it was seen elsewhere. False: none. */
bool attention_next_over(struct attention *a, uint32_t *id);
/* The person, or the desktop, has closed it. */
void attention_closed(struct attention *a, uint32_t id);
/* Of whom it is; NULL: none of ours. Valid until the next call. */
const char *attention_whose(const struct attention *a, uint32_t id);
/* The desktop is gone: nothing is shown, nothing waits. */
void attention_forget(struct attention *a);

/* When attention_next() may have something; NEVER. */
mono_ns attention_deadline(const struct attention *a);

#endif
