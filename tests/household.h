/* A household for benches: real programs (those in $PALIQUE_BIN) in a folder of its own, a directory
 * and some peers, and faces at their local APIs. Whatever goes wrong ends the bench with a word;
 * what it began and made goes at exit. */
#ifndef PALIQUE_TESTS_HOUSEHOLD_H
#define PALIQUE_TESTS_HOUSEHOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shared/bytes.h"
#include "shared/json.h"

enum { HOUSEHOLD_PEERS = 16, HOUSEHOLD_PATIENCE_S = 60 };

double now_s(void); /* monotonic */
void give_up(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* A folder, and a directory in it that runs: `link`, for HOUSEHOLD_PEERS to join. */
void household_begin(char link[256]);
const char *household_folder(void); /* of all, in $TMPDIR or /tmp */
/* A program with its words on standard error in FOLDER/log; it ends with the bench. */
pid_t household_run(const char *path, const char *const *args);
void household_end(pid_t pid);
/* What a command prints on its first line. */
void household_ask(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
unsigned household_free_port(int type); /* SOCK_DGRAM, SOCK_STREAM; of 127.0.0.1 */

void household_configure(unsigned peer, bool durable);
pid_t household_start(unsigned peer);
void household_name(unsigned peer, char out[16]);
/* For `send`: a text of 100 bytes. */
struct json *household_message(unsigned to, unsigned number);

/* One connection to the local API. */
struct face {
	int fd;
	struct buf in, out;
	const char *asked; /* last; NULL: nothing yet */
	size_t taken;      /* of `in` */
	int64_t id;
};

void face_connect(struct face *f, unsigned peer);
void face_close(struct face *f);
/* The next line as JSON; the caller frees it. */
struct json *face_next(struct face *f);
/* The same for who has thousands of them: the line as it is, valid until the next; and a request, which
 * leaves with others when the next line has to be waited for. */
struct bytes face_line(struct face *f);
void face_put_line(struct face *f, struct bytes line);
void face_say(struct face *f, const char *method, struct json *take_params);
/* Calls and waits for the answer; notifications in between are passed over. */
struct json *face_call(struct face *f, const char *method, struct json *take_params);
void face_do(struct face *f, const char *method, struct json *take_params);
bool face_is_told(const struct json *line, const char *method); /* a notification */

void face_join(struct face *f, unsigned peer, const char *link);
void face_add(struct face *f, unsigned whom);
/* What getContact says of them: "online". */
bool face_sees(struct face *f, unsigned whom, const char *fact);
void face_wait_for(struct face *f, unsigned whom, const char *fact);

/* "what: p50, p99" of seconds, which it sorts. */
void household_tell(const char *what, double *rounds, unsigned count, const char *goal);

#endif
