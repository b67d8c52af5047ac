/* The inside of web.h, for its files alone. */
#ifndef PALIQUE_PEER_FACES_WEB_WEB_INSIDE_H
#define PALIQUE_PEER_FACES_WEB_WEB_INSIDE_H

#include "peer/faces/web/http.h"
#include "peer/faces/web/transfer.h"
#include "peer/faces/web/visits.h"
#include "peer/faces/web/web.h"

struct web_page {
	struct web_page *next;
	struct web *web;
	struct http_socket *socket; /* NULL: the face itself */
	void *client;
	int64_t session;
};

/* A request, and what it waits for: its body, an answer of the API, the disk. */
struct task {
	struct task *next;            /* of the asks */
	struct http_request *request; /* NULL: gone */
	struct guard_pass pass;
	int64_t session;
	uint64_t id; /* of our question; 0: none */
	char *range;
	struct buf body;
	struct transfer *transfer; /* NULL: none */
};

struct web {
	uv_loop_t *loop;
	struct web_calls calls;
	void *user;
	struct http *http;
	struct visits *visits;
	struct web_page *pages;
	unsigned page_count;
	struct web_page own;
	struct task *asks;
	unsigned ask_count;
	uint64_t last_ask;
};

/* --- requests (web_requests.c) --- */

/* 0 and what it is, or the status of its refusal. `key`: as it came, or NULL. */
int web_judge(struct web *web, const struct http_head *head, const char *key,
	      struct guard_pass *pass, int64_t *session);
/* As of http.h. */
void web_on_request(void *user, struct http_request *r, const struct http_head *head);
void web_on_body(void *user, struct http_request *r, struct bytes piece);
void web_on_body_end(void *user, struct http_request *r);
void web_on_room(void *user, struct http_request *r);
void web_on_request_gone(void *user, struct http_request *r);
/* An answer of the API to the face itself. */
void web_on_answer(struct web *web, struct bytes line);
/* What was asked and is not answered yet never will be. */
void web_forget_asks(struct web *web);

#endif
