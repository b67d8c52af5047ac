/* Files and folders that were offered: ours, which others fetch, and theirs, which we fetch. Nothing
 * here blocks: reading, storing and hashing is the worker's (peer/filing.h). What is whole and checked
 * is in its place under a safe name; what has come so far survives whatever happens. */
#ifndef PALIQUE_PEER_FILES_H
#define PALIQUE_PEER_FILES_H

#include "peer/person.h"
#include "peer/reach.h"
#include "peer/rooms.h"
#include "shared/job.h"

enum {
	FILES_RUNNING = 4,       /* fetched at once, in all ... */
	FILES_RUNNING_LINK = 2,  /* ... and over one link; the others wait for their turn */
	FILES_SERVED = 16,       /* given at once, in all ... */
	FILES_SERVED_PERSON = 4, /* ... and to one person: more are told ERR_BUSY */
	FILES_WAITING = 32,      /* looked at for being fetched, ... */
	FILES_WAITING_OF = 4,    /* ... and of one conversation */
	FILES_SENDING = 64,      /* being looked at before they are offered */
	FILES_READ_AHEAD = 3,    /* batches, of what others fetch */
	FILES_JOBS = 3,          /* in the worker at once */
	FILES_THUMBNAILS = 256,  /* of one of theirs that wait to be checked; more get none */
	FILES_AUTO_DAY = 2000,   /* files fetched unasked of one contact in a day ... */
	FILES_AUTHORS = 64,      /* devices that are dialled to be told, ... */
	FILES_TELLS = 3,         /* ... until they were told on so many links */
	FILES_TOLD = 100,        /* said on one link of what is not acknowledged yet */
	FILES_ARRIVALS = 512,    /* heard of in one step */
};
#define FILES_AUTO_BYTES                                                                       \
	((uint64_t)1 << 30) /* ... and so many bytes, or one file as large as is accepted */
/* What has come is made durable after so much, or so long. */
#define FILES_SYNC_BYTES ((uint64_t)64 << 20)
#define FILES_SYNC_TIME  (1 * SECOND)
/* How much of ours they have is in its row from so much on, and again when that has doubled, or after so
 * long. */
#define FILES_NOTED      ((uint64_t)1 << 20)
#define FILES_NOTED_TIME (1 * SECOND)
#define FILES_PROGRESS   (250 * MILLISECOND) /* told at most so often */
#define FILES_SILENCE    (60 * SECOND) /* nothing comes: another one is asked, or the same again */
/* Who holds a place so long gives way to others who wait, if there is no other: first who brought less
 * than FILES_SLOW meanwhile. */
#define FILES_TURN       (30 * SECOND)
#define FILES_SLOW       ((uint64_t)1 << 20)
#define FILES_BUSY_AGAIN (2 * SECOND)
#define FILES_AGAIN      (5 * SECOND) /* asked again who stopped; doubles */
#define FILES_AGAIN_MAX  (60 * SECOND)
#define FILES_ELSEWHERE  (60 * SECOND) /* one that has it not is not asked again so soon */

/* Why a stream is abandoned (link_abandon()). */
enum files_code {
	FILES_CODE_DONE = 0,
	FILES_CODE_BROKEN = 1, /* not what was agreed on */
	FILES_CODE_PAUSED = 2,
	FILES_CODE_CANCELLED = 3,
	FILES_CODE_BUSY = 4,
};

struct files *files_new(struct rooms *rooms);
void files_free(struct files *f);
/* Where files go when nobody says; NULL or "": nowhere, and all wait to be accepted. */
void files_set_downloads(struct files *f, const char *folder);

/* What somebody asks for (engine.h says how it is answered). Copies. */
struct file_wish {
	struct person *to;
	const char *path; /* absolute */
	bool is_spooled, is_forwarded;
	const char *bot;                         /* the program that sends it; NULL: a person */
	uint64_t speaker;                        /* as of engine_text */
	const char *name, *type, *alt, *caption; /* may be NULL */
	uint64_t reply_to, ticket;
};
/* Whether it is one, whoever it is to. */
int files_check(const struct file_wish *wish);
int files_send(struct files *f, const struct file_wish *wish);
/* The file of a message, to somebody else, with these words (up to what an offer holds: ERR_LIMIT). ERR_STATE:
 * it is not here. */
int files_forward(struct files *f, uint64_t message, struct person *to, const char *caption,
		  const char *alt, uint64_t ticket);
/* In the transaction; ERR_NOT_FOUND, ERR_STATE. */
int files_accept(struct files *f, uint64_t message, const char *folder);
int files_pause(struct files *f, uint64_t message);
int files_cancel(struct files *f, uint64_t message);
/* Whether a spooled file whose path ends with that name may still be needed: 1, 0, or an error. */
int files_want_spooled(struct files *f, const char *name);
/* Ids of the messages, newest first; at most `limit`: how many. `p` NULL: of everybody. */
unsigned files_list(struct files *f, const struct person *p, bool is_active, uint64_t *ids,
		    unsigned limit);
/* Puts what only memory knows over what the store says. */
void files_show(const struct files *f, struct message *m);

/* The same over a message as it was when it was said: it may be on its way by now. */
void files_show_new(struct files *f, struct message *m);

/* In the order of a step. What happened to a stream: false: it is not one of files'. */
bool files_hear_stream(struct files *f, const struct reach_stream *event);
/* A device asks for a file on a stream that it opened; the request has been consumed. */
void files_asked(struct files *f, struct way *from, int64_t stream,
		 const struct wire_file_get *get);
/* FILE_STANDS of one that we offered, FILE_NOTED of one that we fetched. */
void files_hear_stands(struct files *f, struct way *from, const struct wire_file_stands *m);
void files_hear_noted(struct files *f, struct way *from, const struct wire_file_noted *m);
/* Takes news of what was offered and retracted, and does what is due. When it wants to be called
 * again. */
mono_ns files_step(struct files *f);
/* The news alone: before a commit outside of a step. */
void files_take_news(struct files *f);
void files_release(struct files *f); /* the commit succeeded */
void files_undo(struct files *f);    /* it failed */

bool files_next_job(struct files *f, struct job *job);
/* False: it was not asked for here. */
bool files_job_done(struct files *f, const struct job *answer);
/* An answer that nobody takes any more: what it holds is freed. */
void files_job_drop(const struct job *answer);

#endif
