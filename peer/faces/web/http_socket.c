#include "peer/faces/web/http_inside.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"

/* --- sockets --- */

void http_socket_free(struct connection *c)
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

int http_open_socket(struct http *http, struct lws *wsi, struct connection *c)
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

int http_take_message(struct http *http, struct lws *wsi, struct http_socket *s,
		      struct bytes part)
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

int http_write_socket(struct http_socket *s)
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

int http_judge_upgrade(struct http *http, struct lws *wsi, int64_t *number)
{
	struct http_texts *texts = memory_new(sizeof *texts);
	struct http_head head = http_head_of(wsi, texts);
	int status = http->calls->on_upgrade(http->user, &head, number);

	sodium_memzero(texts, sizeof *texts);
	free(texts);
	return status;
}

/* What the library is to do: go on (0), or end it (-1). */
int http_confirm_upgrade(struct http *http, struct lws *wsi)
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
	status = http_judge_upgrade(http, wsi, &number);
	if (status == 0)
		return 0;
	size = snprintf((char *)room + LWS_PRE, sizeof room - LWS_PRE,
			"HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
			status, http_words(status));
	lws.lws_write(wsi, room + LWS_PRE, (size_t)size, LWS_WRITE_HTTP);
	return -1;
}
