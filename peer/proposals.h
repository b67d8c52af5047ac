/* What programs that may not say it themselves want to say: it waits until a person approves or rejects it. */
#ifndef PALIQUE_PEER_PROPOSALS_H
#define PALIQUE_PEER_PROPOSALS_H

#include "shared/bytes.h"
#include "shared/clock.h"
#include "shared/name.h"

struct rooms;

enum { PROPOSALS_MAX = 100 }; /* of one bot */

/* Texts are owned by whoever holds the source. */
struct proposal {
	uint64_t id;
	uint64_t bot;
	struct name name; /* the bot's; empty: it was removed */
	struct name to;
	struct bytes text, buttons;
	uint64_t reply_to;
	wall_ms at;
};

struct proposals;
struct proposals *proposals_new(struct rooms *rooms);
void proposals_free(struct proposals *p); /* NULL is harmless */

/* In the transaction; EVENT_PROPOSAL is told. `id` is its to fill in. ERR_FULL. */
int proposals_add(struct proposals *p, struct proposal *what);
bool proposals_has(struct proposals *p, uint64_t id);
/* It goes; EVENT_SETTLED is told. ERR_NOT_FOUND. */
int proposals_settle(struct proposals *p, uint64_t id, bool is_approved);
/* All of one bot go; 0: of any. */
void proposals_drop(struct proposals *p, uint64_t bot);

/* From the oldest (`id` 0), or one alone; `each` returns false to stop. ERR_NOT_FOUND. */
typedef bool proposals_each(void *user, const struct proposal *one);
int proposals_walk(struct proposals *p, uint64_t id, proposals_each *each, void *user);

#endif
