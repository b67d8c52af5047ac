/* Which requests of a browser are heard at all: the rules by host, origin, method and path, before
 * anything else is looked at. Pure: no socket, no clock, no memory.
 *
 * Every program on this machine can reach the port, every web page can make the browser ask there,
 * and a name of somebody else's can be made to point there (DNS rebinding). So the Host must be ours
 * to the letter, whatever a browser says of where a request comes from must be us, and what is no
 * known path is not there. Who asks is proved by secrets (visits.h); which of them, a row says. */
#ifndef PALIQUE_PEER_FACES_WEB_GUARD_H
#define PALIQUE_PEER_FACES_WEB_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GUARD_NAME_MAX = 80,       /* bytes of what a path names */
	GUARD_BODY_MAX = 4096,     /* of a request that is no upload */
	GUARD_PIECE_MAX = 8 << 20, /* of one that is: a file comes in many */
	GUARD_COOKIE_MAX = 64,     /* bytes of a cookie's value */
};

enum guard_method { GUARD_GET, GUARD_POST, GUARD_PUT, GUARD_OTHER };

enum guard_route {
	ROUTE_PAGE,        /* GET / */
	ROUTE_ASSET,       /* GET /assets/NAME */
	ROUTE_TEXTS,       /* GET /texts/LANGUAGE */
	ROUTE_QR,          /* GET /qr?text= */
	ROUTE_TRADE,       /* POST /session: a token for a session */
	ROUTE_SESSION,     /* GET /session: is there one still */
	ROUTE_END,         /* POST /session/end */
	ROUTE_SOCKET,      /* GET /socket, which becomes a WebSocket */
	ROUTE_UPLOAD,      /* PUT /upload/SPOOL?offset= */
	ROUTE_UPLOADED,    /* GET /upload/SPOOL: how much is there */
	ROUTE_TICKET,      /* POST /ticket/ID: for a file */
	ROUTE_FILE,        /* GET /file/TICKET */
	ROUTE_IMAGE,       /* GET /image/ID */
	ROUTE_THUMBNAIL,   /* GET /thumbnail/ID */
	ROUTE_PICTURE,     /* GET /picture/NAME */
	ROUTE_OWN_PICTURE, /* GET /picture/ */
};

/* What a request must show. */
enum guard_proof {
	PROOF_NONE,
	PROOF_COOKIE, /* the cookie alone: where a browser cannot be made to send the key */
	PROOF_BOTH,   /* cookie and key */
};

/* As it came; NULL: not sent. `path` is decoded and begins with '/'. */
struct guard_request {
	enum guard_method method;
	const char *path, *host, *origin, *site; /* site: Sec-Fetch-Site */
	bool is_upgrade;                         /* it wants to be a WebSocket */
	bool is_chunked;                         /* a body of unsaid length */
	int64_t body;                            /* bytes; -1: not said */
};

struct guard_pass {
	enum guard_route route;
	enum guard_proof proof;
	char name[GUARD_NAME_MAX + 1]; /* what the path ends with; "" for none */
};

/* 0: it may go on; else the HTTP status by which it is refused: 400, 403, 404, 405, 411, 413, 421, 426. */
int guard_judge(const struct guard_request *request, uint16_t port, struct guard_pass *pass);

/* "http://127.0.0.1:PORT". */
enum { GUARD_ORIGIN_MAX = 32 };
void guard_origin(uint16_t port, char origin[GUARD_ORIGIN_MAX]);

/* The `nth` value of the cookie `name` in a Cookie header: other programs on this machine can set some of
 * that name, too. False: there are no more. What is too long is left out. */
bool guard_cookie(const char *header, const char *name, unsigned nth,
		  char value[GUARD_COOKIE_MAX + 1]);

/* The key among the subprotocols of a WebSocket, "palique, palique.KEY". False: none. */
bool guard_key(const char *protocols, char key[GUARD_COOKIE_MAX + 1]);

/* A Range header (RFC 9110 section 14.2) over `size` bytes: 206 and which; 200: all of it (none was sent,
 * or several, or what is no such header); 416: none of these bytes are there. */
int guard_range(const char *header, uint64_t size, uint64_t *from, uint64_t *length);

/* A whole number of decimal digits. False: it is none. */
bool guard_number(const char *text, uint64_t *number);

#endif
