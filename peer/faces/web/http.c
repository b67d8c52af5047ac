#include "peer/faces/web/http.h"

#include <assert.h>
#include <dlfcn.h>
/* It brings OpenSSL's, where a type is called as an error of ours. */
#define ERR_STATE openssl_error_state
#include <libwebsockets.h>
#undef ERR_STATE
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/web/neighbor.h"
#include "shared/error.h"

/* --- the library ---
 *
 * Found at run time, the one whose headers we were built with: at the linker it, and what it brings (TLS, of
 * which nothing is used), would cost each start of each command more than all the rest. */

#define FUNCTIONS(each)                                                                        \
	each(lws_create_context) each(lws_context_destroy) each(lws_create_vhost) each(        \
		lws_vhost_destroy) each(lws_get_vhost_listen_port) each(lws_set_log_level)     \
		each(lws_get_context) each(lws_context_user) each(lws_hdr_copy)                \
			each(lws_hdr_custom_copy) each(lws_hdr_total_length)                   \
				each(lws_http_get_uri_and_method) each(lws_get_urlarg_by_name) \
					each(lws_write) each(lws_callback_on_writable)         \
						each(lws_set_timeout)                          \
							each(lws_rx_flow_control)

#define MORE(each)                                                                             \
	each(lws_http_transaction_completed) each(lws_is_first_fragment)                       \
		each(lws_is_final_fragment) each(lws_frame_is_binary) each(lws_close_reason)

#define MEMBER(name) __typeof__(name) *name;
static struct {
	FUNCTIONS(MEMBER)
	MORE(MEMBER)
} lws;

#define ROW(name) { #name, &lws.name },
static const struct {
	const char *name;
	void *at; /* a function pointer */
} functions[] = { FUNCTIONS(ROW) MORE(ROW) };

static bool load(void)
{
	static bool is_loaded;
	void *library = is_loaded ? NULL : dlopen(LWS_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (is_loaded || !library)
		return is_loaded;
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		void *function = dlsym(library, functions[i].name);

		if (!function) {
			dlclose(library);
			return false;
		}
		memcpy(functions[i].at, &function, sizeof function);
	}
	is_loaded = true;
	return true;
}

/* --- the structs --- */

struct http {
	uv_loop_t *loop;
	uv_idle_t closing;
	unsigned rounds;
	struct lws_context *context;
	struct lws_vhost *vhost;
	const struct http_calls *calls;
	void *user;
	uint16_t port;
	unsigned connections;
};

struct http_request {
	struct http *http;
	struct lws *wsi;
	void *user;
	struct buf out; /* to be written: a head, a body or pieces of one */
	size_t written; /* of `out` */
	uint64_t owed;  /* bytes of the body that are still to be given */
	int64_t body;   /* bytes of the request's own body; -1: not said */
	bool is_answered, wants_room, is_aborted;
	bool is_given; /* all of its own body was */
};

struct message {
	struct message *next;
	size_t size, sent;
	uint8_t bytes[]; /* LWS_PRE bytes of room for the library, then the message */
};

struct http_socket {
	struct http *http;
	struct lws *wsi;
	void *user;
	struct buf in; /* the beginning of a message */
	struct message *first, **last;
	size_t backlog;
	bool is_closing;
};

/* What the library keeps for each connection, zeroed. */
struct connection {
	struct http_request *request;
	struct http_socket *socket;
	int64_t number;
};

enum {
	CLOSING_ROUNDS = 8,      /* three are needed */
	DRAIN_MAX = 64 << 10,    /* of a body that is refused: more ends the connection */
	RECEIVE_SIZE = 16 << 10, /* bytes read at once */
	MESSAGES_AT_ONCE = 32,   /* written to a page in one turn of the loop */
	TEXT_MAX = 512,          /* of most headers */
};

/* --- heads --- */

struct texts {
	char path[TEXT_MAX], host[TEXT_MAX], origin[TEXT_MAX], site[32], protocols[TEXT_MAX];
	char key[GUARD_COOKIE_MAX + 1], range[64], etag[TEXT_MAX], cookie[HTTP_HEAD_MAX];
};

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

static struct http_head head_of(struct lws *wsi, struct texts *t)
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

static void request_free(struct connection *c)
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

static int take_request(struct http *http, struct lws *wsi, struct connection *c)
{
	struct texts *texts = memory_new(sizeof *texts);
	struct http_head head = head_of(wsi, texts);
	struct http_request *r = memory_new(sizeof *r);

	request_free(c);
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

	request_free(c);
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

static int write_request(struct http *http, struct lws *wsi, struct connection *c)
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

static const char *words_of(int status)
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

	snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\n", status, words_of(status));
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

/* --- sockets --- */

static void socket_free(struct connection *c)
{
	struct http_socket *s = c->socket;

	if (!s)
		return;
	c->socket = NULL;
	s->http->calls->on_gone(s->http->user, s);
	while (s->first) {
		struct message *next = s->first->next;
		free(s->first);
		s->first = next;
	}
	buf_clear(&s->in);
	free(s);
}

void http_end(struct http_socket *s)
{
	if (s->is_closing)
		return;
	s->is_closing = true;
	lws.lws_set_timeout(s->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

static int open_socket(struct http *http, struct lws *wsi, struct connection *c)
{
	struct http_socket *s = memory_new(sizeof *s);

	s->http = http;
	s->wsi = wsi;
	s->last = &s->first;
	buf_init(&s->in, HTTP_MESSAGE_MAX);
	if (http->calls->on_open(http->user, s, c->number)) {
		c->socket = s;
		return 0;
	}
	free(s);
	return -1;
}

static int hang_up(struct lws *wsi, enum lws_close_status why)
{
	lws.lws_close_reason(wsi, why, NULL, 0);
	return -1;
}

static int receive(struct http *http, struct lws *wsi, struct http_socket *s, struct bytes part)
{
	if (!s || s->is_closing)
		return -1;
	if (lws.lws_frame_is_binary(wsi))
		return hang_up(wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE);
	if (buf_append(&s->in, part) < 0)
		return hang_up(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
	if (!lws.lws_is_final_fragment(wsi))
		return 0;
	http->calls->on_message(http->user, s, buf_view(&s->in));
	/* Passwords pass here; and what was large is given back. */
	buf_clear(&s->in);
	buf_init(&s->in, HTTP_MESSAGE_MAX);
	return 0;
}

/* A part of the first message. */
static int write_part(struct http_socket *s)
{
	struct message *m = s->first;
	size_t size = m->size - m->sent;
	enum lws_write_protocol how = m->sent ? LWS_WRITE_CONTINUATION : LWS_WRITE_TEXT;
	int written;

	if (size > HTTP_PIECE_MAX) {
		size = HTTP_PIECE_MAX;
		how |= LWS_WRITE_NO_FIN;
	}
	/* What stands before it was sent: the library writes its header there. */
	written = lws.lws_write(s->wsi, m->bytes + LWS_PRE + m->sent, size, how);
	if (written < (int)size)
		return -1;
	m->sent += size;
	s->backlog -= size;
	if (m->sent < m->size)
		return 0;
	s->first = m->next;
	if (!s->first)
		s->last = &s->first;
	free(m);
	return 0;
}

static int write_socket(struct http_socket *s)
{
	if (!s)
		return -1;
	if (!s->first)
		return 0;
	if (write_part(s) < 0)
		return -1;
	if (s->first)
		lws.lws_callback_on_writable(s->wsi);
	return 0;
}

int http_send(struct http_socket *s, struct bytes text)
{
	struct message *m;

	if (s->is_closing)
		return ERR_CLOSED;
	if (s->backlog + text.size > HTTP_BACKLOG_MAX) {
		http_end(s);
		return ERR_FULL;
	}
	m = memory_new(sizeof *m + LWS_PRE + text.size);
	m->size = text.size;
	memcpy(m->bytes + LWS_PRE, text.data, text.size);
	*s->last = m;
	s->last = &m->next;
	s->backlog += text.size;
	lws.lws_callback_on_writable(s->wsi);
	return 0;
}

size_t http_backlog(const struct http_socket *s)
{
	return s->backlog;
}

void http_socket_set_user(struct http_socket *s, void *user)
{
	s->user = user;
}

void *http_socket_user(const struct http_socket *s)
{
	return s->user;
}

/* --- a WebSocket is asked for --- */

static int judge_upgrade(struct http *http, struct lws *wsi, int64_t *number)
{
	struct texts *texts = memory_new(sizeof *texts);
	struct http_head head = head_of(wsi, texts);
	int status = http->calls->on_upgrade(http->user, &head, number);

	sodium_memzero(texts, sizeof *texts);
	free(texts);
	return status;
}

/* What the library is to do: go on (0), or end it (-1). */
static int confirm_upgrade(struct http *http, struct lws *wsi)
{
	uint8_t room[LWS_PRE + 256];
	char name[16] = "";
	int64_t number;
	int status, size;

	/* Something else than a WebSocket or HTTP/2 was asked for, the library has refused it and forgotten the
	 * head: it would read on there. */
	if (lws.lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) <= 0)
		return -1;
	if (lws.lws_hdr_copy(wsi, name, sizeof name, WSI_TOKEN_UPGRADE) < 0 ||
	    strcasecmp(name, "websocket") != 0)
		return -1;
	status = judge_upgrade(http, wsi, &number);
	if (status == 0)
		return 0;
	size = snprintf((char *)room + LWS_PRE, sizeof room - LWS_PRE,
			"HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
			status, words_of(status));
	lws.lws_write(wsi, room + LWS_PRE, (size_t)size, LWS_WRITE_HTTP);
	return -1;
}

/* --- the library's one call --- */

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		    size_t size)
{
	struct connection *c = user;
	struct http *http = lws.lws_context_user(lws.lws_get_context(wsi));

	switch (reason) {
	case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
		return http->connections >= HTTP_CONNECTIONS_MAX ||
		       !neighbor_is_ours((int)(intptr_t)in);
	case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
		http->connections++;
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		if (http->connections)
			http->connections--;
		return 0;
	case LWS_CALLBACK_HTTP:
		return take_request(http, wsi, c);
	case LWS_CALLBACK_HTTP_BODY:
		if (c->request && !c->request->is_answered && size)
			http->calls->on_body(http->user, c->request, bytes_of(in, size));
		return verdict(c->request);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		if (c->request) {
			c->request->is_given = true;
			be_patient(wsi);
			if (!c->request->is_answered)
				http->calls->on_body_end(http->user, c->request);
		}
		return verdict(c->request);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return write_request(http, wsi, c);
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return confirm_upgrade(http, wsi);
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return judge_upgrade(http, wsi, &c->number) != 0;
	case LWS_CALLBACK_ESTABLISHED:
		return open_socket(http, wsi, c);
	case LWS_CALLBACK_RECEIVE:
		return receive(http, wsi, c->socket, bytes_of(in, size));
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return write_socket(c->socket);
	case LWS_CALLBACK_CLOSED_HTTP:
	case LWS_CALLBACK_CLOSED:
		if (c) {
			request_free(c);
			socket_free(c);
		}
		return 0;
	case LWS_CALLBACK_ADD_HEADERS:
	default:
		return 0;
	}
}

/* --- the server --- */

static const struct lws_protocols protocols[] = {
	/* The first also hears what is no WebSocket. */
	{ .name = "palique",
	  .callback = on_event,
	  .per_session_data_size = sizeof(struct connection),
	  .rx_buffer_size = RECEIVE_SIZE,
	  .tx_packet_size = LWS_PRE + HTTP_PIECE_MAX },
	{ 0 },
};

static struct lws_context_creation_info settings_of(struct http *http, void **loops)
{
	return (struct lws_context_creation_info){
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.iface = "127.0.0.1",
		.vhost_name = "palique",
		.user = http,
		.foreign_loops = loops,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   LWS_SERVER_OPTION_DISABLE_IPV6 | LWS_SERVER_OPTION_VALIDATE_UTF8 |
			   LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
			   LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN,
		.max_http_header_data = HTTP_HEAD_MAX,
		.max_http_header_pool = HTTP_CONNECTIONS_MAX + 2,
		.timeout_secs = HTTP_PATIENCE_S,
		.timeout_secs_ah_idle = HTTP_PATIENCE_S,
		.keepalive_timeout = HTTP_PATIENCE_S,
	};
}

int http_open(struct http **out, uv_loop_t *loop, uint16_t port, const struct http_calls *calls,
	      void *user)
{
	struct lws_context_creation_info settings;
	void *loops[1] = { loop };
	struct http *http;

	if (!load())
		return ERR_NOT_FOUND;
	http = memory_new(sizeof *http);
	http->loop = loop;
	http->calls = calls;
	http->user = user;
	settings = settings_of(http, loops);
	lws.lws_set_log_level(0, NULL);
	http->context = lws.lws_create_context(&settings);
	if (!http->context) {
		free(http);
		return ERR_NOT_FOUND;
	}
	settings.port = port;
	http->vhost = lws.lws_create_vhost(http->context, &settings);
	if (!http->vhost) {
		http_close(http);
		return ERR_EXISTS;
	}
	http->port = (uint16_t)lws.lws_get_vhost_listen_port(http->vhost);
	*out = http;
	return 0;
}

uint16_t http_port(const struct http *http)
{
	return http ? http->port : 0;
}

/* The library is ended twice: at first its connections and then its own handles begin to close in the loop; when
 * they are closed it may be freed, which it does not tell. Each round of this one's closing is a round of theirs. */
static void on_round(uv_handle_t *handle)
{
	struct http *http = handle->data;

	if (http->rounds++ < CLOSING_ROUNDS) {
		uv_idle_init(http->loop, &http->closing);
		uv_close((uv_handle_t *)&http->closing, on_round);
		return;
	}
	lws.lws_context_destroy(http->context);
	free(http);
}

void http_close(struct http *http)
{
	if (!http)
		return;
	lws.lws_context_destroy(http->context);
	uv_idle_init(http->loop, &http->closing);
	http->closing.data = http;
	uv_close((uv_handle_t *)&http->closing, on_round);
}
