/* A server of HTTP and WebSockets on 127.0.0.1, on the loop of the process: libwebsockets at arm's length,
 * and the one room that knows it. The library is looked for when a server is wanted: an engine without it
 * runs as ever.
 *
 * A request's head is given whole, its body in pieces; it is answered at once or later, by one of
 * http_answer() and http_begin(). Nothing here blocks: what a slow browser does not take waits, within limits,
 * and then it is cut off. All functions below are called from the loop. Calls come from the loop, never from
 * inside of a function here. */
#ifndef PALIQUE_PEER_FACES_WEB_HTTP_H
#define PALIQUE_PEER_FACES_WEB_HTTP_H

#include <uv.h>

#include "peer/faces/web/guard.h"
#include "shared/bytes.h"

enum {
	HTTP_CONNECTIONS_MAX = 64,
	HTTP_HEAD_MAX =
		16
		<< 10, /* bytes of a request's head: other programs' cookies are in it, too */
	HTTP_PIECE_MAX = 64 << 10,  /* of an answer in pieces */
	HTTP_MESSAGE_MAX = 1 << 20, /* of a WebSocket: longer ones end it */
	HTTP_BACKLOG_MAX = 8 << 20, /* not taken by a page: more ends its socket */
	HTTP_PATIENCE_S =
		20, /* for the rest of a head, the next piece of a body, an answer to be taken */
};

struct http;
struct http_request;
struct http_socket; /* a WebSocket that is open */

/* Valid during the call. NULL: not sent. */
struct http_head {
	struct guard_request guard;
	const char *cookie, *key, *protocols, *range, *etag;
};

struct http_calls {
	void (*on_request)(void *user, struct http_request *r, const struct http_head *head);
	void (*on_body)(void *user, struct http_request *r, struct bytes piece);
	void (*on_body_end)(void *user, struct http_request *r);
	/* Room for the next piece of what http_begin() has announced. */
	void (*on_room)(void *user, struct http_request *r);
	/* Answered, or its connection broke: `r` is dead afterwards. */
	void (*on_request_gone)(void *user, struct http_request *r);
	/* A WebSocket is asked for: 0 and a number to know it by, or the status of the refusal. Asked twice
	 * for one. */
	int (*on_upgrade)(void *user, const struct http_head *head, int64_t *number);
	/* False: it is closed again. */
	bool (*on_open)(void *user, struct http_socket *s, int64_t number);
	void (*on_message)(void *user, struct http_socket *s, struct bytes message);
	void (*on_gone)(void *user, struct http_socket *s); /* dead afterwards */
};

/* Listens; `port` 0: one that is free. ERR_NOT_FOUND: the library, or what it needs for this loop, is not
 * installed; ERR_EXISTS: the port is in use. */
int http_open(struct http **http, uv_loop_t *loop, uint16_t port,
	      const struct http_calls *calls, void *user);
uint16_t http_port(const struct http *http);
/* Ends every connection and the server: on_gone and on_request_gone come for those that there are, from here or
 * from the loop, which must run on. NULL is harmless. */
void http_close(struct http *http);

/* Two pointers of the user's. */
void http_set_user(struct http_request *r, void *user);
void *http_user(const struct http_request *r);
void http_socket_set_user(struct http_socket *s, void *user);
void *http_socket_user(const struct http_socket *s);

/* The value of `name` in the query, decoded: during on_request(). False: none, or longer than `size`. */
bool http_query(struct http_request *r, const char *name, char *value, size_t size);

/* `headers`: lines that end with CR LF, besides Content-Length. Whole: */
void http_answer(struct http_request *r, int status, const char *headers, struct bytes body);
/* or a body of `length` bytes, asked for by on_room and given by http_piece(), HTTP_PIECE_MAX at most each. */
void http_begin(struct http_request *r, int status, const char *headers, uint64_t length);
void http_piece(struct http_request *r, struct bytes piece);
/* The connection is ended in the midst of it. */
void http_abort(struct http_request *r);
/* No more pieces of the body meanwhile. */
void http_pause(struct http_request *r, bool is_paused);

/* A text message. ERR_FULL: the page does not read, and on_gone follows; ERR_CLOSED. */
int http_send(struct http_socket *s, struct bytes message);
size_t http_backlog(const struct http_socket *s);
void http_end(struct http_socket *s); /* on_gone follows */

#endif
