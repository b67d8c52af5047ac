/* The inside of the engine, for the files that make it up and nobody else, from below:
 * engine_settle.c (the commit), engine_reach.c (the network, and what comes from peers),
 * engine_contacts.c (what faces ask about contacts), engine_talk.c (what they say),
 * engine_files.c (files), engine_profile.c (what people show; read and typed), engine_keep.c
 * (history, search, settings), engine_account.c (our own account), engine.c (the step). */
#ifndef PALIQUE_PEER_ENGINE_INSIDE_H
#define PALIQUE_PEER_ENGINE_INSIDE_H

#include "peer/engine.h"
#include "peer/listing.h"
#include "peer/rooms.h"

struct person;
struct safe;

/* Asked by a face, to be done in the next step: there the time is known, and all that waits shares
 * one commit. */
struct wish {
	struct name to; /* whose conversation */
	enum say_kind kind;
	size_t text, size; /* in engine.texts */
	uint64_t target, ticket;
	bool is_forwarded;
	uint32_t life;
	struct name bot;   /* empty: a person */
	uint64_t speaker;  /* as of engine_text */
	size_t buttons;    /* bytes in engine.texts, behind the text */
	uint64_t proposal; /* of which it is said; 0: none */
};

struct engine {
	struct rooms rooms;
	struct listing listing;
	struct safe *safe;
	struct bots *bots;
	struct proposals *proposals;
	bool has_menu;   /* `menu` is what was shown last ... */
	struct buf menu; /* ... of the commands of programs here */
	struct wish *wishes;
	size_t wish_count, wish_capacity;
	struct buf texts;
	struct job *answers;
	unsigned answer_count;

	bool has_moved;       /* another network since the last step */
	bool was_online;      /* in the last step */
	uint64_t received;    /* datagrams, before this network */
	bool is_stale;        /* a step failed, and the store could not be read again since */
	mono_ns asking_since; /* on this network the directory is asked; NEVER: it is not */
};

/* --- engine_settle.c --- */

/* All that happened since the last commit becomes durable; only then does anybody hear of
 * it. When it cannot, memory goes back to what the store says. */
int engine_settle(struct engine *e);

/* --- engine_reach.c --- */

void engine_follow_network(struct engine *e);
/* A datagram outside QUIC: the room that it is for. True: it is of our own network, and says
 * nothing of the way out of it. */
bool engine_hear_stray(struct rooms *r, const struct link_event *event);
/* What devices said, and the room that hears it. */
void engine_hear_peers(struct rooms *r);
/* The same of streams beside the control stream. */
void engine_hear_streams(struct rooms *r);
/* The rooms of reach do what is due; when they want to be called again. */
mono_ns engine_step_reach(struct engine *e);

/* --- engine_talk.c --- */

/* What faces wished to be said since the last step. */
void engine_grant_wishes(struct engine *e);
/* Whether it could be said now: its limits, and to whom. */
int engine_check_text(struct engine *e, const struct engine_text *what, struct name *to);
int engine_wish(struct engine *e, struct wish wish, const struct engine_text *what);

/* --- engine_bots.c --- */

/* What contacts see of them; when one of them expires. */
mono_ns engine_step_bots(struct engine *e);

/* --- engine_profile.c --- */

/* To whom something is said: a name, or a contact link, whose person is added with the key that it names
 * (as engine_add() does, durable when it returns): what is said then waits until they accept. */
int engine_whom(struct engine *e, const char *to, struct name *name);

/* --- engine_keep.c --- */

/* Wipes what is due to go, and lets the index of words go on: the last thing in a step. */
mono_ns engine_step_kept(struct engine *e);

#endif
