/* Shell: a Unix socket (mode 0600; by SO_PEERCRED only the same user or root) that speaks
 * in lines, as a server. The local API and the directory's administration use it.
 * lines_listen() makes the process ignore SIGPIPE. */
#ifndef PALIQUE_SHARED_LINES_H
#define PALIQUE_SHARED_LINES_H

#include <uv.h>

#include "shared/bytes.h"

enum { LINES_MAX = 1 << 20 };         /* bytes in one line: longer closes the connection */
enum { LINES_BACKLOG_MAX = 8 << 20 }; /* unread output of one client: more closes it */
enum { LINES_CLIENTS_MAX = 256 };     /* of one server: more are closed at once */

struct lines_server;
struct lines; /* one connection */

struct lines_calls {
	/* The line comes without its newline; valid during the call. */
	void (*on_line)(void *user, struct lines *from, struct bytes line);
	/* Gone: it closed, failed, sent too long a line or did not read. Comes from the
	 * loop, never from inside a call; not given for lines_close(). The pointer is dead
	 * afterwards. A line without its newline is lost with it. */
	void (*on_gone)(void *user, struct lines *who);
	/* May be NULL. */
	void (*on_connect)(void *user, struct lines *who);
};

/* Makes the socket, replacing one that nobody answers. ERR_EXISTS: somebody does, or it is
 * no socket; ERR_NOT_FOUND: no such folder; ERR_LIMIT: a name of more than 80 bytes or so
 * (the folder's path may be longer). */
int lines_listen(struct lines_server **server, uv_loop_t *loop, const char *path,
		 const struct lines_calls *calls, void *user);
void lines_server_close(struct lines_server *server); /* and its connections; unlinks */

/* Queues a line (without a newline inside) and its newline. ERR_FULL: the other side does
 * not read and is being closed, on_gone follows; ERR_CLOSED: it is already. */
int lines_send(struct lines *to, struct bytes line);
/* Bytes queued that the other side has not read: who sends much waits while there are many. */
size_t lines_backlog(const struct lines *to);
/* What is not written yet is dropped. NULL is harmless. */
void lines_close(struct lines *who);
void lines_set_user(struct lines *who, void *user); /* a second pointer, of this connection */
void *lines_user(const struct lines *who);

#endif
