#include "peer/faces/web/web_inside.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/web/assets.h"
#include "shared/error.h"
#include "shared/json.h"
#include "shared/qr.h"

enum {
	ASKS_MAX = 256,     /* questions of ours to the API that wait */
	HEADERS_MAX = 2048, /* bytes */
	FILE_NAME_MAX =
		256, /* bytes of a file's name in a header, at most three for each byte */
	QR_TEXT_MAX = 1024,        /* bytes */
	IMAGE_BYTES_MAX = 1 << 20, /* of a thumbnail or a picture */
	COOKIE_DAYS = 30, /* of a browser; a session ends with the engine in any case */
};

/* --- headers --- */

#define POLICY                                                                                 \
	"X-Content-Type-Options: nosniff\r\n"                                                  \
	"Referrer-Policy: no-referrer\r\n"                                                     \
	"X-Frame-Options: DENY\r\n"                                                            \
	"Cross-Origin-Opener-Policy: same-origin\r\n"                                          \
	"Cross-Origin-Embedder-Policy: require-corp\r\n"                                       \
	"Cross-Origin-Resource-Policy: same-origin\r\n"                                        \
	"Permissions-Policy: camera=(), microphone=(), geolocation=(), usb=(), payment=()\r\n"
/* Of what is no page: bytes that nobody runs or shows as a document. */
#define INERT "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; sandbox\r\n"
#define ONCE  "Cache-Control: no-store\r\n"
#define JSON  "Content-Type: application/json\r\n"
#define PLAIN POLICY INERT ONCE

static void page_policy(const struct web *web, char *headers, size_t size)
{
	char origin[GUARD_ORIGIN_MAX];

	guard_origin(http_port(web->http), origin);
	snprintf(
		headers, size,
		POLICY ONCE
		"Content-Type: text/html; charset=utf-8\r\n"
		"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src "
		"'self'; "
		"img-src 'self' blob:; connect-src 'self' ws://%s; manifest-src 'self'; "
		"worker-src 'none'; "
		"font-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
		"require-trusted-types-for 'script'; trusted-types 'none'\r\n",
		origin + strlen("http://"));
}

static void cookie_name(const struct web *web, char name[32])
{
	snprintf(name, 32, "palique-%u", http_port(web->http));
}

static void refuse(struct http_request *r, int status)
{
	http_answer(r, status, PLAIN, bytes_of(NULL, 0));
}

static void answer_json(struct http_request *r, int status, const char *headers,
			struct json *take)
{
	char *text = json_print(take);

	http_answer(r, status, headers, bytes_text(text));
	sodium_memzero(text, strlen(text));
	free(text);
	json_free(take);
}

/* --- who asks --- */

/* The session, or ERR_AUTH. */
static int64_t session_of(struct web *web, const struct http_head *head, const char *key,
			  bool needs_key)
{
	char name[32], value[GUARD_COOKIE_MAX + 1];
	int64_t session = ERR_AUTH;

	cookie_name(web, name);
	if (needs_key && !key)
		return ERR_AUTH;
	for (unsigned i = 0;
	     session < 0 && i < 16 && guard_cookie(head->cookie, name, i, value); i++)
		session = visits_find(web->visits, value, needs_key ? key : NULL, uv_hrtime());
	sodium_memzero(value, sizeof value);
	return session;
}

/* --- questions of ours to the API --- */

static void task_free(struct task *t)
{
	free(t->range);
	buf_clear(&t->body);
	free(t);
}

static struct task *task_new(struct http_request *r)
{
	struct task *t = memory_new(sizeof *t);

	t->request = r;
	buf_init(&t->body, GUARD_BODY_MAX);
	http_set_user(r, t);
	return t;
}

static bool connect_own(struct web *web)
{
	web->own.web = web;
	if (!web->own.client)
		web->own.client = web->calls.connect(web->user, &web->own);
	return web->own.client != NULL;
}

static void ask(struct web *web, struct task *t, const char *method, const char *key,
		const char *value)
{
	struct json *question = json_object(), *params = json_object();
	char *line;

	if (!connect_own(web) || web->ask_count >= ASKS_MAX) {
		json_free(question);
		json_free(params);
		refuse(t->request, 503);
		return;
	}
	t->id = ++web->last_ask;
	t->next = web->asks;
	web->asks = t;
	web->ask_count++;
	if (*value)
		json_set_text(params, key, value);
	json_set_text(question, "jsonrpc", "2.0");
	json_set_text(question, "method", method);
	json_set(question, "params", params);
	json_set_int(question, "id", (int64_t)t->id);
	line = json_print(question);
	web->calls.line(web->user, web->own.client, bytes_text(line));
	free(line);
	json_free(question);
}

static struct task *take_ask(struct web *web, uint64_t id)
{
	for (struct task **at = &web->asks; *at; at = &(*at)->next) {
		struct task *t = *at;

		if (t->id != id)
			continue;
		*at = t->next;
		web->ask_count--;
		t->id = 0;
		return t;
	}
	return NULL;
}

/* A header in which anything may stand: RFC 8187 section 3.2. */
static void disposition(const char *name, char *header, size_t size)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	size_t used = (size_t)snprintf(header, size,
				       "Content-Disposition: attachment; filename*=UTF-8''");

	for (size_t i = 0; name[i] && i < FILE_NAME_MAX; i++)
		used += (size_t)snprintf(header + used, size - used,
					 strchr(plain, name[i]) ? "%c" : "%%%02X",
					 (unsigned char)name[i]);
	snprintf(header + used, size - used, "\r\n");
}

static void give_file(struct web *web, struct task *t, const struct json *result)
{
	const struct json *file = json_get(json_get(result, "message"), "file");
	const char *path = file ? json_text(file, "path") : NULL;
	const char *name = file ? json_text(file, "name") : NULL;
	char headers[HEADERS_MAX], named[FILE_NAME_MAX * 3 + 128];

	if (!path || !name || *path != '/') {
		refuse(t->request, 404);
		return;
	}
	disposition(name, named, sizeof named);
	snprintf(headers, sizeof headers, PLAIN "%s", named);
	t->transfer = transfer_send(t->request, web->loop, path, headers, t->range,
				    t->pass.route == ROUTE_IMAGE);
}

static void give_image(struct task *t, const struct json *result)
{
	const char *type = json_text(result, "type"), *data = json_text(result, "data");
	size_t text = data ? strlen(data) : 0,
	       size = text / 4 * 3 + (text % 4 ? text % 4 - 1 : 0);
	char headers[HEADERS_MAX];
	uint8_t *bytes;

	if (!type || !data || size > IMAGE_BYTES_MAX ||
	    (strcmp(type, "image/jpeg") && strcmp(type, "image/png") &&
	     strcmp(type, "image/webp"))) {
		refuse(t->request, 404);
		return;
	}
	bytes = memory_new(size + 1);
	snprintf(headers, sizeof headers, PLAIN "Content-Type: %s\r\n", type);
	if (bytes_from_base64(data, text, bytes, size) == 0)
		http_answer(t->request, 200, headers, bytes_of(bytes, size));
	else
		refuse(t->request, 404);
	free(bytes);
}

/* An answer of the API to the face itself. */
void web_on_answer(struct web *web, struct bytes line)
{
	struct json *answer = NULL;
	const struct json *result;
	struct task *t;

	if (json_parse(&answer, line) < 0)
		return;
	t = take_ask(web, (uint64_t)json_int(answer, "id", 0));
	result = json_get(answer, "result");
	if (t && t->request) {
		if (!result)
			refuse(t->request, 404);
		else if (t->pass.route == ROUTE_FILE || t->pass.route == ROUTE_IMAGE)
			give_file(web, t, result);
		else
			give_image(t, result);
	}
	/* One whose request is there is freed with it. */
	if (t && !t->request)
		task_free(t);
	json_free(answer);
}

/* --- requests --- */

static void give_page(struct web *web, struct http_request *r)
{
	char headers[HEADERS_MAX];
	struct asset asset;

	page_policy(web, headers, sizeof headers);
	if (!assets_find("index.html", &asset)) {
		refuse(r, 404);
		return;
	}
	http_answer(r, 200, headers, asset.bytes);
}

static void give_asset(struct http_request *r, const char *name, const char *known)
{
	char headers[HEADERS_MAX];
	struct asset asset;

	if (!assets_find(name, &asset)) {
		refuse(r, 404);
		return;
	}
	snprintf(headers, sizeof headers,
		 POLICY
		 "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
		 "Content-Type: %s\r\nCache-Control: %s\r\n%s%s%s",
		 asset.type, *asset.tag ? "no-cache" : "no-store", *asset.tag ? "ETag: " : "",
		 asset.tag, *asset.tag ? "\r\n" : "");
	if (known && *asset.tag && !strcmp(known, asset.tag))
		http_answer(r, 304, headers, bytes_of(NULL, 0));
	else
		http_answer(r, 200, headers, asset.bytes);
}

static void give_texts(struct http_request *r, const char *language, const char *known)
{
	char name[GUARD_NAME_MAX + 8];

	snprintf(name, sizeof name, "%s.json", language);
	give_asset(r, name, known);
}

static void give_qr(struct http_request *r)
{
	char text[QR_TEXT_MAX];
	struct buf svg = { 0 };

	if (!http_query(r, "text", text, sizeof text) || !*text || qr_svg(&svg, text) < 0)
		refuse(r, 400);
	else
		http_answer(r, 200, PLAIN "Content-Type: image/svg+xml\r\n", buf_view(&svg));
	buf_clear(&svg);
}

static void end_pages(struct web *web, int64_t session)
{
	struct web_page *next;

	for (struct web_page *page = web->pages; page; page = next) {
		next = page->next;
		if (page->session == session || !visits_is_there(web->visits, page->session))
			http_end(page->socket);
	}
}

static void end_session(struct web *web, struct http_request *r, int64_t session)
{
	char headers[HEADERS_MAX], name[32];

	visits_end(web->visits, session);
	end_pages(web, session);
	cookie_name(web, name);
	snprintf(headers, sizeof headers,
		 PLAIN "Set-Cookie: %s=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0\r\n",
		 name);
	http_answer(r, 204, headers, bytes_of(NULL, 0));
}

/* {"token": ...} */
static void trade(struct web *web, struct http_request *r, struct bytes body)
{
	char headers[HEADERS_MAX], name[32];
	char cookie[VISITS_TEXT_SIZE], key[VISITS_TEXT_SIZE];
	struct json *request = NULL;
	const char *token = NULL;

	if (json_parse(&request, body) == 0 && json_is_object(request))
		token = json_text(request, "token");
	if (!token || visits_trade(web->visits, token, uv_hrtime(), cookie, key) < 0) {
		refuse(r, token ? 403 : 400);
	} else {
		end_pages(web, 0); /* of a session that made room */
		cookie_name(web, name);
		snprintf(headers, sizeof headers,
			 PLAIN JSON
			 "Set-Cookie: %s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d\r\n",
			 name, cookie, COOKIE_DAYS * 86400);
		answer_json(r, 200, headers, json_set_text(json_object(), "key", key));
		sodium_memzero(headers, sizeof headers);
	}
	if (token)
		sodium_memzero((char *)token, strlen(token));
	sodium_memzero(cookie, sizeof cookie);
	sodium_memzero(key, sizeof key);
	json_free(request);
}

static void give_ticket(struct web *web, struct http_request *r, int64_t session,
			const char *message)
{
	char ticket[VISITS_TEXT_SIZE];
	uint64_t id;

	if (!guard_number(message, &id)) {
		refuse(r, 404);
		return;
	}
	visits_ticket(web->visits, session, id, uv_hrtime(), ticket);
	answer_json(r, 200, PLAIN JSON, json_set_text(json_object(), "ticket", ticket));
}

static void ask_file(struct web *web, struct task *t, const char *range)
{
	char number[GUARD_NAME_MAX + 1];
	uint64_t message;

	if (t->pass.route == ROUTE_IMAGE) {
		snprintf(number, sizeof number, "%s", t->pass.name);
	} else if (visits_redeem(web->visits, t->session, t->pass.name, uv_hrtime(),
				 &message) == 0) {
		snprintf(number, sizeof number, "%llu", (unsigned long long)message);
		t->range = range ? memory_text(range) : NULL;
	} else {
		refuse(t->request, 404);
		return;
	}
	ask(web, t, "getMessage", "id", number);
}

static void upload(struct web *web, struct task *t)
{
	char path[WEB_PATH_MAX], text[24];
	uint64_t offset = 0;

	if (web->calls.spool(web->user, t->pass.name, path, sizeof path) < 0)
		refuse(t->request, 404);
	else if (t->pass.route == ROUTE_UPLOADED)
		t->transfer = transfer_tell(t->request, path, PLAIN);
	else if (!http_query(t->request, "offset", text, sizeof text) ||
		 !guard_number(text, &offset))
		refuse(t->request, 400);
	else
		t->transfer = transfer_receive(t->request, web->loop, path, PLAIN, offset);
}

static void serve(struct web *web, struct task *t, const struct http_head *head)
{
	struct http_request *r = t->request;

	switch (t->pass.route) {
	case ROUTE_PAGE:
		give_page(web, r);
		break;
	case ROUTE_ASSET:
		give_asset(r, t->pass.name, head->etag);
		break;
	case ROUTE_TEXTS:
		give_texts(r, t->pass.name, head->etag);
		break;
	case ROUTE_QR:
		give_qr(r);
		break;
	case ROUTE_TRADE:
	case ROUTE_END:
	case ROUTE_TICKET:
		break; /* when its body is there: serve_body() */
	case ROUTE_SESSION:
		http_answer(r, 204, PLAIN, bytes_of(NULL, 0));
		break;
	case ROUTE_UPLOAD:
	case ROUTE_UPLOADED:
		upload(web, t);
		break;
	case ROUTE_FILE:
	case ROUTE_IMAGE:
		ask_file(web, t, head->range);
		break;
	case ROUTE_THUMBNAIL:
		ask(web, t, "getThumbnail", "id", t->pass.name);
		break;
	case ROUTE_PICTURE:
	case ROUTE_OWN_PICTURE:
		ask(web, t, "getPicture", "name", t->pass.name);
		break;
	case ROUTE_SOCKET:
		refuse(r, 426);
		break;
	}
}

static void serve_body(struct web *web, struct task *t)
{
	if (t->pass.route == ROUTE_TRADE)
		trade(web, t->request, buf_view(&t->body));
	else if (t->pass.route == ROUTE_END)
		end_session(web, t->request, t->session);
	else if (t->pass.route == ROUTE_TICKET)
		give_ticket(web, t->request, t->session, t->pass.name);
}

/* 0 and what it is, or the status of its refusal. */
int web_judge(struct web *web, const struct http_head *head, const char *key,
	      struct guard_pass *pass, int64_t *session)
{
	int status = guard_judge(&head->guard, http_port(web->http), pass);

	*session = 0;
	if (status != 0 || pass->proof == PROOF_NONE)
		return status;
	*session = session_of(web, head, key, pass->proof == PROOF_BOTH);
	return *session < 0 ? 401 : 0;
}

void web_on_request(void *user, struct http_request *r, const struct http_head *head)
{
	struct web *web = user;
	struct task *t = task_new(r);
	int status = web_judge(web, head, head->key, &t->pass, &t->session);

	if (status != 0)
		refuse(r, status);
	else
		serve(web, t, head);
}

void web_on_body(void *user, struct http_request *r, struct bytes piece)
{
	struct task *t = http_user(r);

	(void)user;
	if (t->transfer)
		transfer_body(t->transfer, piece);
	else
		(void)buf_append(&t->body, piece); /* the guard has seen how much it is */
}

void web_on_body_end(void *user, struct http_request *r)
{
	struct task *t = http_user(r);

	if (t->transfer)
		transfer_body_end(t->transfer);
	else
		serve_body(user, t);
}

void web_on_room(void *user, struct http_request *r)
{
	struct task *t = http_user(r);

	(void)user;
	transfer_room(t->transfer);
}

void web_on_request_gone(void *user, struct http_request *r)
{
	struct task *t = http_user(r);

	(void)user;
	if (t->transfer)
		transfer_gone(t->transfer);
	t->request = NULL;
	if (!t->id)
		task_free(t);
}

void web_forget_asks(struct web *web)
{
	while (web->asks) {
		struct task *t = take_ask(web, web->asks->id);

		if (!t->request)
			task_free(t);
	}
}
