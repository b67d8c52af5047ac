/* Real engines, and a real directory, in the hands of a test: begun, spoken to by their local API,
 * killed. No test framework: a violation is for the caller to count. */
#ifndef PALIQUE_TESTS_DRIVEN_H
#define PALIQUE_TESTS_DRIVEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/faults.h"

struct json;

struct driven {
	const char *const *command; /* argv, NULL at the end */
	char socket[108];           /* of its API; "": has none */
	char log[256];              /* what it prints goes there */
	char preload[256];          /* "": none */
	char faults_path[256];
	struct faults *faults; /* NULL: none */
	pid_t pid;             /* 0: off */
	int fd;                /* -1: not connected */
	char *in, *out;
	size_t in_size, in_room, out_size, out_room;
	unsigned garbled; /* lines of its API that are no JSON */
	int status;       /* of its last end by itself, as waitpid(2) has it */
};

void driven_init(struct driven *d);
/* From then on what `faults` says is done to it when it begins anew. */
void driven_spoil(struct driven *d, const char *preload, const char *faults_path);
void driven_free(struct driven *d);

void driven_begin(struct driven *d);
/* kill -9; nothing when it is off. */
void driven_kill(struct driven *d);
/* True: it has ended by itself since it was begun; `status` tells how. */
bool driven_has_ended(struct driven *d);
/* Connects when it can be; true while connected. */
bool driven_connect(struct driven *d);
/* Sends this line when there is room for it. */
void driven_say(struct driven *d, const char *line);
/* Reads and writes what can be without waiting; false: the connection is gone. */
bool driven_pump(struct driven *d);
/* The next line that came, to be freed by json_free(); NULL: none. What is no JSON is counted. */
struct json *driven_hear(struct driven *d);
/* One question and its answer within so many ms; NULL: none came. Other answers are dropped. */
struct json *driven_ask(struct driven *d, const char *method, const char *params, unsigned ms);

uint64_t driven_now(void); /* ms, monotonic */

#endif
