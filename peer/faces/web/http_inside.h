/* The inside of http.h, for its files alone: libwebsockets as it was found, and the structs. */
#ifndef PALIQUE_PEER_FACES_WEB_HTTP_INSIDE_H
#define PALIQUE_PEER_FACES_WEB_HTTP_INSIDE_H

/* It brings OpenSSL's, where a type is called as an error of ours. */
#define ERR_STATE openssl_error_state
#include <libwebsockets.h>
#undef ERR_STATE

#include "peer/faces/web/http.h"

/* Of the library what is used, under its own names. */
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
struct http_library {
	FUNCTIONS(MEMBER)
	MORE(MEMBER)
};
extern struct http_library lws;

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

/* --- heads --- */

/* The texts of a head: as long as it is looked at. */
enum { HTTP_TEXT_MAX = 512 }; /* of most headers */
struct http_texts {
	char path[HTTP_TEXT_MAX], host[HTTP_TEXT_MAX], origin[HTTP_TEXT_MAX], site[32],
		protocols[HTTP_TEXT_MAX];
	char key[GUARD_COOKIE_MAX + 1], range[64], etag[HTTP_TEXT_MAX], cookie[HTTP_HEAD_MAX];
};
struct http_head http_head_of(struct lws *wsi, struct http_texts *texts);

/* --- what the library tells, for on_event(): what it is given back --- */

int http_take_request(struct http *http, struct lws *wsi, struct connection *c);
int http_take_body(struct http *http, struct connection *c, struct bytes piece);
int http_take_body_end(struct http *http, struct lws *wsi, struct connection *c);
int http_write_request(struct http *http, struct lws *wsi, struct connection *c);
void http_request_free(struct connection *c);
const char *http_words(int status);

/* Go on (0), or end it (-1): a WebSocket is asked for; it is asked for as the library is about to open it; it is
 * open. */
int http_confirm_upgrade(struct http *http, struct lws *wsi);
int http_judge_upgrade(struct http *http, struct lws *wsi, int64_t *number);
int http_open_socket(struct http *http, struct lws *wsi, struct connection *c);
int http_take_message(struct http *http, struct lws *wsi, struct http_socket *s,
		      struct bytes part);
int http_write_socket(struct http_socket *s);
void http_socket_free(struct connection *c);

#endif
