#include "peer/faces/web/web_inside.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/web/bridge.h"
#include "shared/error.h"
#include "shared/text.h"

/* --- pages --- */

static int on_upgrade(void *user, const struct http_head *head, int64_t *session)
{
	struct web *web = user;
	char key[GUARD_COOKIE_MAX + 1];
	bool has_key = guard_key(head->protocols, key);
	struct guard_pass pass;
	int status = web_judge(web, head, has_key ? key : NULL, &pass, session);

	sodium_memzero(key, sizeof key);
	if (status == 0 && web->page_count >= WEB_PAGES_MAX)
		status = 503;
	return status;
}

static bool on_open(void *user, struct http_socket *socket, int64_t session)
{
	struct web *web = user;
	struct web_page *page;

	if (web->page_count >= WEB_PAGES_MAX || !visits_is_there(web->visits, session))
		return false;
	page = memory_new(sizeof *page);
	page->web = web;
	page->socket = socket;
	page->session = session;
	page->client = web->calls.connect(web->user, page);
	if (!page->client) {
		free(page);
		return false;
	}
	page->next = web->pages;
	web->pages = page;
	web->page_count++;
	http_socket_set_user(socket, page);
	return true;
}

static int find_spool(void *user, const char *name, char path[BRIDGE_PATH_MAX])
{
	struct web *web = user;

	return web->calls.spool(web->user, name, path, BRIDGE_PATH_MAX);
}

static void on_message(void *user, struct http_socket *socket, struct bytes message)
{
	struct web *web = user;
	struct web_page *page = http_socket_user(socket);
	const struct bridge_calls calls = { .user = web, .spool = find_spool };
	char *line;
	int err = bridge_take(message, &calls, &line);

	if (!line)
		return;
	if (err == 0)
		web->calls.line(web->user, page->client, bytes_text(line));
	else
		(void)http_send(socket, bytes_text(line));
	sodium_memzero(line, strlen(line)); /* passwords pass here */
	free(line);
}

static void on_gone(void *user, struct http_socket *socket)
{
	struct web *web = user;
	struct web_page *page = http_socket_user(socket);

	for (struct web_page **at = &web->pages; *at; at = &(*at)->next)
		if (*at == page) {
			*at = page->next;
			break;
		}
	web->page_count--;
	web->calls.disconnect(web->user, page->client);
	free(page);
}

int web_page_send(struct web_page *page, struct bytes line)
{
	if (page->socket)
		return http_send(page->socket, line);
	web_on_answer(page->web, line);
	return 0;
}

size_t web_page_backlog(const struct web_page *page)
{
	return page->socket ? http_backlog(page->socket) : 0;
}

/* --- its life --- */

static const struct http_calls http_calls = {
	.on_request = web_on_request,
	.on_body = web_on_body,
	.on_body_end = web_on_body_end,
	.on_room = web_on_room,
	.on_request_gone = web_on_request_gone,
	.on_upgrade = on_upgrade,
	.on_open = on_open,
	.on_message = on_message,
	.on_gone = on_gone,
};

struct web *web_new(uv_loop_t *loop, const struct web_calls *calls, void *user)
{
	struct web *web = memory_new(sizeof *web);

	web->loop = loop;
	web->calls = *calls;
	web->user = user;
	web->visits = visits_new();
	return web;
}

static int listen_at(struct web *web, uint16_t port, char *reason, size_t reason_size)
{
	int err;

	if (web->http) {
		if (port == 0 || port == http_port(web->http))
			return 0;
		snprintf(reason, reason_size,
			 _("the browser's face is open at port %u already"),
			 http_port(web->http));
		return ERR_EXISTS;
	}
	err = http_open(&web->http, web->loop, port, &http_calls, web);
	if (err == ERR_NOT_FOUND)
		snprintf(reason, reason_size, "%s",
			 _("the library libwebsockets is not here, or the part of it that goes "
			   "with libuv: install the packages libwebsockets17 and "
			   "libwebsockets-evlib-uv"));
	else if (err == ERR_EXISTS)
		snprintf(reason, reason_size, _("nothing can listen at port %u of 127.0.0.1"),
			 port);
	return err;
}

int web_open(struct web *web, uint16_t port, char url[WEB_URL_MAX], uint16_t *listens,
	     char *reason, size_t reason_size)
{
	char origin[GUARD_ORIGIN_MAX], token[VISITS_TEXT_SIZE];
	int err = listen_at(web, port, reason, reason_size);

	if (err < 0)
		return err;
	*listens = http_port(web->http);
	guard_origin(*listens, origin);
	visits_token(web->visits, uv_hrtime(), token);
	snprintf(url, WEB_URL_MAX, "%s/#t=%s", origin, token);
	sodium_memzero(token, sizeof token);
	return 0;
}

static void let_go(struct web *web)
{
	visits_end_all(web->visits);
	if (web->own.client)
		web->calls.disconnect(web->user, web->own.client);
	web->own.client = NULL;
	web_forget_asks(web);
}

void web_close(struct web *web)
{
	let_go(web);
	http_close(web->http);
	web->http = NULL;
}

void web_free(struct web *web)
{
	if (!web)
		return;
	visits_free(web->visits);
	free(web);
}
