/* Shell: a key-holder in another process, reached over a Unix socket (directory/holding.h).
 * Questions are sent as they come and answered in their order. When the line breaks, what was
 * outstanding is answered with ERR_OFFLINE, and it is dialled again, sooner first and then
 * later. Whoever is there is asked for the public key before anything else: another one than
 * before is not spoken with. */
#ifndef PALIQUE_DIRECTORY_HOLDER_SOCKET_H
#define PALIQUE_DIRECTORY_HOLDER_SOCKET_H

#include <uv.h>

#include "directory/holder.h"
#include "shared/clock.h"

enum {
	HOLDER_OUTSTANDING_MAX = 4096, /* questions: beyond, ERR_BUSY */
	HOLDER_ANSWER_SECONDS = 10,    /* without an answer the line is given up */
	HOLDER_REDIAL_MIN = 50,        /* ms */
	HOLDER_REDIAL_MAX = 5000,
};

/* How the other side is reached: a path, or a child process (directory/keyholder_child.h). */
struct holder_dialer {
	/* A connected stream socket, the caller's to close; or an error. */
	int (*dial)(void *user);
	void *user;
	/* Behind the holder's close(): it is dialled no more. May be NULL. */
	void (*close)(void *user);
};
/* Dials `path`, which is copied. */
struct holder_dialer holder_dialer_path(const char *path);

/* `on_answers` is called from the loop when next() has something. */
struct holder *holder_socket_new(uv_loop_t *loop, const struct holder_dialer *dialer,
				 void (*on_answers)(void *user), void *user);
/* The same with a loop of its own, for who does nothing else meanwhile: next() waits until what
 * was asked is answered. */
struct holder *holder_socket_alone(const struct holder_dialer *dialer);
/* Runs the loop until it is there. ERR_OFFLINE: not within `patience`; ERR_CLOSED: it was
 * reached and hung up at once, where `is_final` says that trying again is no use. */
int holder_socket_meet(struct holder *h, mono_ns patience, bool is_final);

#endif
