/* Shell: a Unix socket (mode 0600, same user only by SO_PEERCRED) that speaks in lines;
 * server and client side. The local API and the directory's administration use it. */
#ifndef PALIQUE_SHARED_LINES_H
#define PALIQUE_SHARED_LINES_H

#include <uv.h>

#include "shared/bytes.h"

enum { LINES_MAX = 1 << 20 };          /* bytes in one line: longer closes the connection */
enum { LINES_BACKLOG_MAX = 8 << 20 };  /* unread output of one client: more closes it */

struct lines_server;
struct lines;   /* one connection, of either side */

struct lines_calls {
	/* The line comes without its newline; valid during the call. */
	void (*on_line)(void *user, struct lines *from, struct bytes line);
	/* Gone; not given for lines_close(). The pointer is dead afterwards. */
	void (*on_gone)(void *user, struct lines *who);
	/* Server only, may be NULL. */
	void (*on_connect)(void *user, struct lines *who);
};

/* Makes the socket, replacing one that nobody answers. ERR_EXISTS: somebody does. */
int lines_listen(struct lines_server **server, uv_loop_t *loop, const char *path,
                 const struct lines_calls *calls, void *user);
void lines_server_close(struct lines_server *server);  /* and its connections; unlinks */

/* Client. ERR_OFFLINE: nobody listens there. */
int lines_connect(struct lines **lines, uv_loop_t *loop, const char *path,
                  const struct lines_calls *calls, void *user);

/* Queues a line and its newline. ERR_FULL: closes a client that does not read. */
int lines_send(struct lines *to, struct bytes line);
void lines_close(struct lines *who);
void lines_set_user(struct lines *who, void *user);   /* a second pointer, of this connection */
void *lines_user(const struct lines *who);

#endif
