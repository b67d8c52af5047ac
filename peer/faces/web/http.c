#include "peer/faces/web/http_inside.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/web/neighbor.h"
#include "shared/error.h"

enum {
	CLOSING_ROUNDS = 8,      /* three are needed */
	RECEIVE_SIZE = 16 << 10, /* bytes kept to read at once, for each WebSocket */
	READ_SIZE = 64 << 10,    /* and for all others together */
};

/* --- the library ---
 *
 * Found at run time, the one whose headers we were built with: at the linker it, and what it brings (TLS, of
 * which nothing is used), would cost each start of each command more than all the rest. */

struct http_library lws;

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
		return http_take_request(http, wsi, c);
	case LWS_CALLBACK_HTTP_BODY:
		return http_take_body(http, c, bytes_of(in, size));
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return http_take_body_end(http, wsi, c);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return http_write_request(http, wsi, c);
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return http_confirm_upgrade(http, wsi);
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return http_judge_upgrade(http, wsi, &c->number) != 0;
	case LWS_CALLBACK_ESTABLISHED:
		return http_open_socket(http, wsi, c);
	case LWS_CALLBACK_RECEIVE:
		return http_take_message(http, wsi, c->socket, bytes_of(in, size));
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return http_write_socket(c->socket);
	case LWS_CALLBACK_CLOSED_HTTP:
	case LWS_CALLBACK_CLOSED:
		if (c) {
			http_request_free(c);
			http_socket_free(c);
		}
		return 0;
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
		.pt_serv_buf_size = READ_SIZE,
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
