/* Who may speak: tokens, which are good once and for five minutes; the sessions that they are traded
 * for, each of a cookie and a key; and tickets for files. In memory only: all of them end with the
 * engine.
 *
 * A session is proved by both its secrets. A cookie is sent to every port of 127.0.0.1, so to any
 * program of this machine that the browser is made to ask; the key, which the page keeps for its own
 * origin, is not. Secrets are 32 random bytes as base64url, compared in constant time. */
#ifndef PALIQUE_PEER_FACES_WEB_VISITS_H
#define PALIQUE_PEER_FACES_WEB_VISITS_H

#include <stdbool.h>

#include "shared/clock.h"

enum {
	VISITS_MAX = 32, /* the one not used for longest makes room */
	VISITS_TOKENS_MAX = 8,
	VISITS_TICKETS_MAX = 64,
	VISITS_TOKEN_S = 300,
	/* From its last use: a browser comes back for the rest of a file. */
	VISITS_TICKET_S = 60,
	VISITS_SECRET_SIZE = 32,
	VISITS_TEXT_SIZE = 44, /* of a secret as text, NUL included */
};

struct visits;

struct visits *visits_new(void);
void visits_free(struct visits *s); /* wipes; NULL is harmless */

/* A fresh token; the oldest unused one makes room. */
void visits_token(struct visits *s, mono_ns now, char token[VISITS_TEXT_SIZE]);

/* Trades a token, which is used up by that: the number of the new session, above 0, and its secrets; or
 * ERR_AUTH. */
int64_t visits_trade(struct visits *s, const char *token, mono_ns now,
		     char cookie[VISITS_TEXT_SIZE], char key[VISITS_TEXT_SIZE]);

/* The number of the session of this cookie and key (NULL: by the cookie alone); or ERR_AUTH. */
int64_t visits_find(struct visits *s, const char *cookie, const char *key, mono_ns now);
void visits_end(struct visits *s, int64_t session);
void visits_end_all(struct visits *s); /* tokens and tickets, too */
bool visits_is_there(const struct visits *s, int64_t session);

/* A ticket for the file of a message, in this session alone. */
void visits_ticket(struct visits *s, int64_t session, uint64_t message, mono_ns now,
		   char ticket[VISITS_TEXT_SIZE]);
/* ERR_AUTH: none, or past its time, or of another session. */
int visits_redeem(struct visits *s, int64_t session, const char *ticket, mono_ns now,
		  uint64_t *message);

#endif
