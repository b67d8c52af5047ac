/* What both sides of a town are told of the newest file between two of them, and a worker who does
 * not do what it should. */
#ifndef PALIQUE_TESTS_TOWN_TOLD_H
#define PALIQUE_TESTS_TOWN_TOLD_H

#include "peer/filing.h"
#include "tests/town_account.h"
#include "tests/town_files.h"

/* --- what is seen --- */

struct shown_file {
	uint64_t id, size, done; /* of the message; bytes */
	enum transfer_state state;
	int error;
	bool is_there; /* the message has a file */
	uint8_t file_id[16];
	char thumbnail[40];
};

/* For engine_message() and engine_history(): a struct shown_file. */
bool show_file(void *user, const struct message *m);
/* The newest message of the two, if it is a file. */
struct shown_file see_newest(const struct home *home, const char *with);
/* Within five minutes of theirs; `what` is said where not. */
struct shown_file await_newest(struct town *t, const struct home *home, const char *with,
			       bool (*holds)(const struct shown_file *s), const char *what);
#define AWAIT(t, home, with, holds) await_newest(t, home, with, holds, #holds)

bool is_here(const struct shown_file *s);
bool is_done(const struct shown_file *s);
bool is_failed(const struct shown_file *s);
bool is_half_there(const struct shown_file *s); /* of LARGE */

/* How many of its files have that flag. */
unsigned count_of_flag(struct home *home, unsigned flag);
/* Of which something has still to be told to the other side. */
unsigned count_untold(struct home *home);

/* --- what happens --- */

/* Other bytes each time, which are taken for an image where a test answers for images. */
void make_new_file(const struct town *t, const char *name, size_t size, char path[200]);
/* The newest of theirs. */
void fetch(struct home *home, const char *of);
void restart(struct town *t, struct home *home);

/* Alice and Bob are friends, he accepts nothing by himself, and she has offered this: nothing of it,
 * nothing of a LARGE one, and half of a LARGE one is there. */
void offer_unasked(struct town *t, size_t size, char path[200]);
void offer_large(struct town *t, char path[200]);
void offer_half(struct town *t, char path[200]);

/* --- a worker that does one thing not, or says that it went wrong --- */

struct spoilt_worker {
	enum filing_task what;
	int err; /* 0: it is not done, and waits here */
	bool is_held;
	struct job held;
};
extern struct spoilt_worker spoilt_worker;
/* In place of a home's step. */
mono_ns with_spoilt_worker(void *user, mono_ns now, wall_ms wall);

#endif
