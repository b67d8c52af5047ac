/* The face in a browser: it lives in the engine's process, and is one client of its API for each page that is
 * open, and one of its own for what pages get by HTTP. Nothing of it is there until web_open(). docs/web.md
 * says what is heard and answered.
 *
 * The URL that web_open() makes opens one session, once and within five minutes. */
#ifndef PALIQUE_PEER_FACES_WEB_WEB_H
#define PALIQUE_PEER_FACES_WEB_WEB_H

#include <uv.h>

#include "shared/bytes.h"

struct web;
struct web_page; /* a client of the API: a page, or the face itself */

enum { WEB_PAGES_MAX = 16, WEB_URL_MAX = 128, WEB_PATH_MAX = 4096 };

/* What the process gives. `client` is what connect() made. */
struct web_calls {
	void *(*connect)(void *user, struct web_page *page); /* NULL: too many faces */
	/* Answered by web_page_send(), never from inside. */
	void (*line)(void *user, void *client, struct bytes line);
	void (*disconnect)(void *user, void *client);
	/* The path of the file that newSpool made: ERR_NOT_FOUND, ERR_LIMIT. */
	int (*spool)(void *user, const char *name, char *path, size_t size);
};

struct web *web_new(uv_loop_t *loop, const struct web_calls *calls, void *user);
/* Listens, if it does not yet, and makes a URL. `port` 0: any; or the one where it listens. On failure `reason`
 * has a sentence: ERR_NOT_FOUND (the library is not installed), ERR_EXISTS (the port is in use, or it listens at
 * another). */
int web_open(struct web *web, uint16_t port, char url[WEB_URL_MAX], uint16_t *listens,
	     char *reason, size_t reason_size);
/* Ends all sessions and pages, and listens no more. web_open() may follow. */
void web_close(struct web *web);
/* When the loop has run empty, after web_close(). */
void web_free(struct web *web);

/* A line of the API for a page. ERR_FULL: it does not read, and is ended; ERR_CLOSED. */
int web_page_send(struct web_page *page, struct bytes line);
/* Bytes that it has not taken. */
size_t web_page_backlog(const struct web_page *page);

#endif
