#include "peer/faces/web/guard.h"

#include <stdio.h>
#include <string.h>

enum name_kind { NAME_NONE, NAME_FILE, NAME_NUMBER, NAME_SPOOL, NAME_PERSON, NAME_TICKET };

static const struct {
	enum guard_method method;
	const char *path; /* all of it, or what stands before a name */
	enum name_kind name;
	enum guard_route route;
	enum guard_proof proof;
	int64_t body_max;
} rows[] = {
	{ GUARD_GET, "/", NAME_NONE, ROUTE_PAGE, PROOF_NONE, 0 },
	{ GUARD_GET, "/assets/", NAME_FILE, ROUTE_ASSET, PROOF_NONE, 0 },
	{ GUARD_GET, "/texts/", NAME_FILE, ROUTE_TEXTS, PROOF_NONE, 0 },
	{ GUARD_GET, "/qr", NAME_NONE, ROUTE_QR, PROOF_COOKIE, 0 },
	{ GUARD_POST, "/session", NAME_NONE, ROUTE_TRADE, PROOF_NONE, GUARD_BODY_MAX },
	{ GUARD_GET, "/session", NAME_NONE, ROUTE_SESSION, PROOF_BOTH, 0 },
	{ GUARD_POST, "/session/end", NAME_NONE, ROUTE_END, PROOF_BOTH, GUARD_BODY_MAX },
	{ GUARD_GET, "/socket", NAME_NONE, ROUTE_SOCKET, PROOF_BOTH, 0 },
	{ GUARD_PUT, "/upload/", NAME_SPOOL, ROUTE_UPLOAD, PROOF_BOTH, GUARD_PIECE_MAX },
	{ GUARD_GET, "/upload/", NAME_SPOOL, ROUTE_UPLOADED, PROOF_BOTH, 0 },
	{ GUARD_POST, "/ticket/", NAME_NUMBER, ROUTE_TICKET, PROOF_BOTH, GUARD_BODY_MAX },
	{ GUARD_GET, "/file/", NAME_TICKET, ROUTE_FILE, PROOF_COOKIE, 0 },
	{ GUARD_GET, "/image/", NAME_NUMBER, ROUTE_IMAGE, PROOF_BOTH, 0 },
	{ GUARD_GET, "/thumbnail/", NAME_NUMBER, ROUTE_THUMBNAIL, PROOF_BOTH, 0 },
	{ GUARD_GET, "/picture/", NAME_PERSON, ROUTE_PICTURE, PROOF_BOTH, 0 },
	{ GUARD_GET, "/picture/", NAME_NONE, ROUTE_OWN_PICTURE, PROOF_BOTH, 0 },
};
enum { ROWS = sizeof rows / sizeof *rows };

/* Sizes of the names that are secrets or numbers of ours. */
enum { SPOOL_DIGITS = 32, TICKET_CHARACTERS = 43, NUMBER_DIGITS = 20 };

#define DIGITS "0123456789"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_name(enum name_kind kind, const char *name)
{
	size_t size = strlen(name);

	switch (kind) {
	case NAME_NONE:
		return size == 0;
	case NAME_FILE:
		return size > 0 && size <= GUARD_NAME_MAX && name[0] != '.' &&
		       strspn(name, DIGITS LOWER UPPER "._-") == size;
	case NAME_NUMBER:
		return size > 0 && size <= NUMBER_DIGITS && strspn(name, DIGITS) == size;
	case NAME_SPOOL:
		return size == SPOOL_DIGITS && strspn(name, DIGITS "abcdef") == size;
	case NAME_PERSON:
		return size > 0 && size <= GUARD_NAME_MAX && name[0] != '.' &&
		       strspn(name, DIGITS LOWER "._-") == size;
	case NAME_TICKET:
		return size == TICKET_CHARACTERS &&
		       strspn(name, DIGITS LOWER UPPER "_-") == size;
	}
	return false;
}

/* What `path` names under the row, or NULL. */
static const char *name_under(unsigned row, const char *path)
{
	size_t size = strlen(rows[row].path);

	if (strncmp(path, rows[row].path, size) != 0)
		return NULL;
	return is_name(rows[row].name, path + size) ? path + size : NULL;
}

void guard_origin(uint16_t port, char origin[GUARD_ORIGIN_MAX])
{
	snprintf(origin, GUARD_ORIGIN_MAX, "http://127.0.0.1:%u", port);
}

/* 0, or how a request is refused for where it comes from. Not "localhost": that name is also [::1],
 * where somebody else may listen on the same port and be the same origin. */
static int judge_source(const struct guard_request *r, uint16_t port)
{
	char origin[GUARD_ORIGIN_MAX];
	const char *host;

	guard_origin(port, origin);
	host = origin + strlen("http://");
	/* port 80 may be left out */
	if (!r->host ||
	    (strcmp(r->host, host) != 0 && !(port == 80 && !strcmp(r->host, "127.0.0.1"))))
		return 421;
	if (r->origin && strcmp(r->origin, origin) != 0 &&
	    !(port == 80 && !strcmp(r->origin, "http://127.0.0.1")))
		return 403;
	if (r->site && strcmp(r->site, "same-origin") != 0 && strcmp(r->site, "none") != 0)
		return 403;
	return 0;
}

static int judge_shape(const struct guard_request *r, unsigned row)
{
	bool is_socket = rows[row].route == ROUTE_SOCKET;

	if (r->is_chunked)
		return 411;
	if (is_socket != r->is_upgrade)
		return is_socket ? 426 : 400;
	/* A browser always says it here. */
	if (is_socket && !r->origin)
		return 403;
	if (r->body < 0 && rows[row].body_max > 0)
		return 411;
	if (r->body > rows[row].body_max)
		return 413;
	return 0;
}

int guard_judge(const struct guard_request *r, uint16_t port, struct guard_pass *pass)
{
	int status = judge_source(r, port);
	bool is_there = false;

	if (status != 0)
		return status;
	for (unsigned i = 0; i < ROWS; i++) {
		const char *name = name_under(i, r->path);

		if (!name)
			continue;
		is_there = true;
		if (rows[i].method != r->method)
			continue;
		status = judge_shape(r, i);
		if (status != 0)
			return status;
		pass->route = rows[i].route;
		pass->proof = rows[i].proof;
		snprintf(pass->name, sizeof pass->name, "%s", name);
		return 0;
	}
	return is_there ? 405 : 404;
}

/* --- parts of headers --- */

static bool copy_value(const char *from, size_t size, char value[GUARD_COOKIE_MAX + 1])
{
	if (size > GUARD_COOKIE_MAX)
		return false;
	memcpy(value, from, size);
	value[size] = 0;
	return true;
}

bool guard_cookie(const char *header, const char *name, unsigned nth,
		  char value[GUARD_COOKIE_MAX + 1])
{
	size_t name_size = strlen(name);

	while (header && *header) {
		size_t size;

		header += strspn(header, " \t;");
		size = strcspn(header, ";");
		if (size > name_size && !strncmp(header, name, name_size) &&
		    header[name_size] == '=' &&
		    copy_value(header + name_size + 1, size - name_size - 1, value) &&
		    nth-- == 0)
			return true;
		header += size;
	}
	return false;
}

bool guard_key(const char *protocols, char key[GUARD_COOKIE_MAX + 1])
{
	static const char begin[] = "palique.";

	while (protocols && *protocols) {
		size_t size;

		protocols += strspn(protocols, " \t,");
		size = strcspn(protocols, " \t,");
		if (size > strlen(begin) && !strncmp(protocols, begin, strlen(begin)))
			return copy_value(protocols + strlen(begin), size - strlen(begin), key);
		protocols += size;
	}
	return false;
}

bool guard_number(const char *text, uint64_t *number)
{
	uint64_t n = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*number = n;
	return true;
}

int guard_range(const char *header, uint64_t size, uint64_t *from, uint64_t *length)
{
	char first[24] = "", last[24] = "";
	uint64_t a, b;
	size_t n;

	*from = 0;
	*length = size;
	if (!header || strncmp(header, "bytes=", 6) != 0)
		return 200;
	header += 6;
	n = strcspn(header, "-");
	if (header[n] != '-' || n >= sizeof first || strlen(header + n + 1) >= sizeof last)
		return 200;
	memcpy(first, header, n);
	first[n] = 0;
	snprintf(last, sizeof last, "%s", header + n + 1);
	if (!*first) { /* the last so many */
		if (!guard_number(last, &b))
			return 200;
		if (b == 0 || size == 0)
			return 416;
		*length = b < size ? b : size;
		*from = size - *length;
		return 206;
	}
	b = UINT64_MAX;
	if (!guard_number(first, &a) || (*last && !guard_number(last, &b)) || b < a)
		return 200;
	if (a >= size)
		return 416;
	*from = a;
	*length = (b < size - 1 ? b : size - 1) - a + 1;
	return 206;
}
