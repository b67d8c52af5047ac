/* What was said as the JSON that faces see: messages, files, what a search found, profiles. */
#ifndef PALIQUE_PEER_API_SPOKEN_H
#define PALIQUE_PEER_API_SPOKEN_H

#include "peer/engine.h"
#include "shared/json.h"

enum { SPOKEN_QUOTE_MAX = 120 }; /* bytes of a quoted first line */

struct json *spoken_message(const struct message *m);
/* What was said alone, without whose and when: of a notification. */
struct json *spoken_body(const struct message *m);
/* Adds `quote` to a message (or body) that replies to another: whose it is, and how it begins. Not
 * from inside of an engine_each_message. */
void spoken_add_quote(struct engine *e, struct json *message);
struct json *spoken_hit(const struct hit *hit);

/* What a transfer has come to: `id`, `conversation`, `state`, `done`, `size`, `rate`, `secondsLeft` and so on.
 * Not from inside of an engine_each_message. ERR_NOT_FOUND. */
int spoken_transfer(struct engine *e, uint64_t id, struct json *out);

/* What a bot wants to say. */
struct json *spoken_proposal(const struct proposal *one);
/* A program's commands (shared/menu.h) as a list. */
struct json *spoken_commands(struct bytes menu);

const char *spoken_availability(enum availability availability);
/* The row of the table by its name; ERR_FORMAT: none. */
int spoken_find_availability(const char *name, enum availability *out);
/* MIME, by its first bytes. */
const char *spoken_image_type(struct bytes image);
struct json *spoken_profile(const struct profile *profile);

#endif
