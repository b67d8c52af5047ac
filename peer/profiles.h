/* What people show of themselves: availability, a display name, a status line, a picture. Ours is one for
 * all our devices, and contacts get it from them directly: who is linked at once, who is online
 * is called for that, a few at a time, who is not hears at the next link. Nothing of it goes through
 * the directory, and nobody from whom we are hidden gets any. Which is the newest: shared/wire.h. */
#ifndef PALIQUE_PEER_PROFILES_H
#define PALIQUE_PEER_PROFILES_H

#include "peer/person.h"
#include "peer/rooms.h"
#include "shared/job.h"

enum {
	PROFILES_CALLED = 4, /* devices called at once to be told */
	PROFILES_CHECKS = 2, /* pictures looked at at once */
};
#define PROFILES_CALL_EACH  (250 * MILLISECOND)
#define PROFILES_CALL_FOR   (60 * SECOND)   /* tried for so long, once for each profile */
#define PROFILES_STORE_EACH (1 * SECOND)    /* of one person; the last one counts */
#define PROFILES_CHECK_EACH (5 * SECOND)    /* another picture of one contact */
#define PROFILES_RAISE_EACH (3600 * SECOND) /* our number, above what contacts have */
/* A number so far above our clock was made by no clock and no count (ms, some 1,100 years). */
#define PROFILES_AHEAD ((uint64_t)1 << 45)

struct profiles;
struct profiles *profiles_new(struct rooms *rooms); /* behind contacts_new() */
void profiles_free(struct profiles *s);             /* NULL is harmless */
/* After a rollback. */
void profiles_reload(struct profiles *s);

void profiles_ours(const struct profiles *s, struct profile *out);
/* What is NULL stays. In the transaction, answered with the ticket; with a picture when it was made
 * small. ERR_FORMAT: not a line of UTF-8; ERR_LIMIT: too long; ERR_BUSY: a picture is being made. */
struct profiles_change {
	const enum availability *availability;
	const char *title, *status, *picture;
	const bool *is_bot;
};
int profiles_set(struct profiles *s, const struct profiles_change *change, uint64_t ticket);

bool profiles_next_job(struct profiles *s, struct job *job);
/* False: it is another room's. */
bool profiles_job_done(struct profiles *s, struct job *job);

/* The commands that our programs know (shared/menu.h, checked): told to contacts where they are others than
 * before. In the transaction. */
void profiles_set_menu(struct profiles *s, struct bytes menu);
/* A contact's (NULL: ours); valid until the next call; empty: none. */
void profiles_menu(struct profiles *s, const struct person *p, struct bytes *menu);

struct way;
/* PROFILE or PROFILE_HAVE. Below 0: it breaks the protocol. */
int profiles_hear(struct profiles *s, struct way *from, const struct wire_message *m);
/* Says what is due and calls whom it is due to; when to be called again. */
mono_ns profiles_step(struct profiles *s);

void profiles_fill(const struct person *p, struct contact *out);
/* A contact's, checked; valid until the next call. ERR_NOT_FOUND: none. */
int profiles_picture(struct profiles *s, const struct person *p, struct bytes *picture);

#endif
