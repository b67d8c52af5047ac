#include "peer/faces/web/http_inside.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAIN_MAX = 64 << 10 }; /* of a body that is refused: more ends the connection */

/* --- heads --- */

/* What is too long stands as "?", which is nothing that anybody would accept. */
static const char *header(struct lws *wsi, enum lws_token_indexes token, char *text,
			  size_t size)
{
	if (lws.lws_hdr_total_length(wsi, token) <= 0)
		return NULL;
	if (lws.lws_hdr_copy(wsi, text, (int)size, token) < 0)
		snprintf(text, size, "?");
	return text;
}

static const char *custom(struct lws *wsi, const char *name, char *text, size_t size)
{
	return lws.lws_hdr_custom_copy(wsi, text, (int)size, name, (int)strlen(name)) < 0
		       ? NULL
		       : text;
}

static enum guard_method method_of(struct lws *wsi, char *path, size_t size)
{
	char *uri = NULL;
	int length = 0, method = lws.lws_http_get_uri_and_method(wsi, &uri, &length);

	snprintf(path, size, "?");
	if (method < 0 || !uri || (size_t)length >= size)
		return GUARD_OTHER;
	if (memchr(uri, 0, (size_t)length))
		return GUARD_OTHER;
	memcpy(path, uri, (size_t)length);
	path[length] = 0;
	return method == LWSHUMETH_GET    ? GUARD_GET
	       : method == LWSHUMETH_POST ? GUARD_POST
	       : method == LWSHUMETH_PUT  ? GUARD_PUT
					  : GUARD_OTHER;
}

static int64_t body_of(struct lws *wsi)
{
	char text[24];
	uint64_t size;

	if (lws.lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0)
		return -1;
	if (lws.lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_LENGTH) < 0 ||
	    !guard_number(text, &size) || size > INT64_MAX)
		return INT64_MAX;
	return (int64_t)size;
}

struct http_head http_head_of(struct lws *wsi, struct http_texts *t)
{
	struct http_head head = { 0 };

	head.guard.method = method_of(wsi, t->path, sizeof t->path);
	head.guard.path = t->path;
	head.guard.host = header(wsi, WSI_TOKEN_HOST, t->host, sizeof t->host);
	head.guard.origin = header(wsi, WSI_TOKEN_ORIGIN, t->origin, sizeof t->origin);
	head.guard.site = custom(wsi, "sec-fetch-site:", t->site, sizeof t->site);
	head.guard.is_upgrade = lws.lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) > 0;
	head.guard.is_chunked = lws.lws_hdr_total_length(wsi,
							 WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
	head.guard.body = body_of(wsi);
	head.cookie = header(wsi, WSI_TOKEN_HTTP_COOKIE, t->cookie, sizeof t->cookie);
	head.protocols = header(wsi, WSI_TOKEN_PROTOCOL, t->protocols, sizeof t->protocols);
	head.range = header(wsi, WSI_TOKEN_HTTP_RANGE, t->range, sizeof t->range);
	head.etag = header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, t->etag, sizeof t->etag);
	head.key = custom(wsi, "x-palique-key:", t->key, sizeof t->key);
	return head;
}

/* --- requests --- */

static void be_patient(struct lws *wsi)
{
	lws.lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, HTTP_PATIENCE_S);
}

void http_request_free(struct connection *c)
{
	struct http_request *r = c->request;

	if (!r)
		return;
	c->request = NULL;
	r->http->calls->on_request_gone(r->http->user, r);
	buf_clear(&r->out);
	free(r);
}

/* What the library is told: 0, or -1 to end the connection. */
static int verdict(const struct http_request *r)
{
	return r && r->is_aborted ? -1 : 0;
}

int http_take_request(struct http *http, struct lws *wsi, struct connection *c)
{
	struct http_texts *texts = memory_new(sizeof *texts);
	struct http_head head = http_head_of(wsi, texts);
	struct http_request *r = memory_new(sizeof *r);

	http_request_free(c);
	c->request = r;
	r->http = http;
	r->wsi = wsi;
	r->body = head.guard.body;
	/* Where a length is not said the library waits for a hundred megabytes. */
	r->is_given = r->body == 0 || (r->body < 0 && head.guard.method == GUARD_GET);
	be_patient(wsi);
	http->calls->on_request(http->user, r, &head);
	/* Of an empty body the library tells for a POST alone. */
	if (r->body == 0 && head.guard.method == GUARD_PUT && !r->is_answered)
		http->calls->on_body_end(http->user, r);
	sodium_memzero(texts, sizeof *texts);
	free(texts);
	return verdict(r);
}

/* The answer has left. */
static int finish(struct lws *wsi, struct connection *c)
{
	bool is_dirty = !c->request->is_given &&
			(c->request->body < 0 || c->request->body > DRAIN_MAX);

	http_request_free(c);
	return is_dirty || lws.lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int write_slice(struct http_request *r)
{
	static uint8_t slice[LWS_PRE + HTTP_PIECE_MAX];
	size_t size = r->out.size - r->written;

	if (size > HTTP_PIECE_MAX)
		size = HTTP_PIECE_MAX;
	memcpy(slice + LWS_PRE, r->out.data + r->written, size);
	r->written += size;
	if (lws.lws_write(r->wsi, slice + LWS_PRE, size, LWS_WRITE_HTTP) < (int)size)
		return -1;
	if (r->written == r->out.size) {
		r->out.size = 0;
		r->written = 0;
	}
	return 0;
}

int http_write_request(struct http *http, struct lws *wsi, struct connection *c)
{
	struct http_request *r = c->request;

	if (!r || !r->is_answered)
		return verdict(r);
	be_patient(wsi);
	if (r->is_aborted)
		return -1;
	if (r->out.size) {
		if (write_slice(r) < 0)
			return -1;
		lws.lws_callback_on_writable(wsi);
		return 0;
	}
	if (r->owed == 0)
		return finish(wsi, c);
	if (!r->wants_room) {
		r->wants_room = true;
		http->calls->on_room(http->user, r);
	}
	return verdict(r);
}

const char *http_words(int status)
{
	static const struct {
		int status;
		const char *words;
	} rows[] = {
		{ 200, "OK" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 416, "Range Not Satisfiable" },
		{ 421, "Misdirected Request" },
		{ 426, "Upgrade Required" },
		{ 503, "Service Unavailable" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].status == status)
			return rows[i].words;
	return "Error";
}

static void put_head(struct buf *out, int status, const char *headers, uint64_t length)
{
	char line[128];

	snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", status, http_words(status));
	buf_append(out, bytes_text(line));
	buf_append(out, bytes_text(headers));
	/* A 204 and a 304 have no body, and no length of one (RFC 9110 section 8.6). */
	if (status == 204 || status == 304)
		snprintf(line, sizeof line, "\r\n");
	else
		snprintf(line, sizeof line, "Content-Length: %llu\r\n\r\n",
			 (unsigned long long)length);
	buf_append(out, bytes_text(line));
}

int http_take_body(struct http *http, struct connection *c, struct bytes piece)
{
	if (c->request && !c->request->is_answered && piece.size)
		http->calls->on_body(http->user, c->request, piece);
	return verdict(c->request);
}

int http_take_body_end(struct http *http, struct lws *wsi, struct connection *c)
{
	struct http_request *r = c->request;

	if (!r)
		return 0;
	r->is_given = true;
	be_patient(wsi);
	if (!r->is_answered)
		http->calls->on_body_end(http->user, r);
	return verdict(r);
}

void http_begin(struct http_request *r, int status, const char *headers, uint64_t length)
{
	assert(!r->is_answered);
	r->is_answered = true;
	put_head(&r->out, status, headers, length);
	r->owed = length;
	lws.lws_callback_on_writable(r->wsi);
}

void http_answer(struct http_request *r, int status, const char *headers, struct bytes body)
{
	http_begin(r, status, headers, body.size);
	r->owed = 0;
	buf_append(&r->out, body);
}

void http_piece(struct http_request *r, struct bytes piece)
{
	assert(r->wants_room && piece.size <= HTTP_PIECE_MAX && piece.size <= r->owed);
	r->wants_room = false;
	r->owed -= piece.size;
	buf_append(&r->out, piece);
	lws.lws_callback_on_writable(r->wsi);
}

void http_abort(struct http_request *r)
{
	r->is_aborted = true;
	r->is_answered = true;
	lws.lws_callback_on_writable(r->wsi);
}

void http_pause(struct http_request *r, bool is_paused)
{
	lws.lws_rx_flow_control(r->wsi, !is_paused);
	be_patient(r->wsi);
}

bool http_query(struct http_request *r, const char *name, char *value, size_t size)
{
	char key[32], *argument = memory_new(size + sizeof key);
	const char *found;

	snprintf(key, sizeof key, "%s=", name);
	found = lws.lws_get_urlarg_by_name(r->wsi, key, argument, (int)(size + sizeof key));
	if (found && strlen(found) >= size)
		found = NULL;
	/* It points into the argument, behind the name. */
	if (found)
		snprintf(value, size, "%s", found);
	free(argument);
	return found != NULL;
}

void http_set_user(struct http_request *r, void *user)
{
	r->user = user;
}

void *http_user(const struct http_request *r)
{
	return r->user;
}
