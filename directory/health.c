#include "directory/health.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/text.h"

enum {
	BACKLOG = 16,
	LOOK_MS = 1000, /* at the latest, while there are connections */
};

struct health {
	struct MHD_Daemon *http;
	const struct health_calls *calls;
	void *user;
	uv_poll_t poll; /* of the library's own epoll descriptor */
	uv_timer_t timer;
	unsigned handles;
};

/* --- what is asked --- */

static unsigned answer_live(struct health *h, struct buf *out)
{
	(void)h;
	buf_append(out, bytes_text("ok\n"));
	return MHD_HTTP_OK;
}

static unsigned answer_ready(struct health *h, struct buf *out)
{
	return h->calls->is_ready(h->user, out) ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static unsigned answer_metrics(struct health *h, struct buf *out)
{
	h->calls->metrics(h->user, out);
	return MHD_HTTP_OK;
}

static const struct page {
	const char *path, *type;
	unsigned (*answer)(struct health *h, struct buf *out);
} pages[] = {
	{ "/livez", "text/plain; charset=utf-8", answer_live },
	{ "/readyz", "text/plain; charset=utf-8", answer_ready },
	{ "/metrics", "text/plain; version=0.0.4; charset=utf-8", answer_metrics },
};

static const struct page *find_page(const char *path)
{
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
		if (strcmp(pages[i].path, path) == 0)
			return &pages[i];
	return NULL;
}

static enum MHD_Result reply(struct MHD_Connection *to, unsigned status, const char *type,
			     struct bytes text)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(text.size, (void *)text.data,
								 MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(to, status, r);
	MHD_destroy_response(r);
	return result;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *from, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **seen)
{
	struct health *h = user;
	const struct page *page = find_page(url);
	struct buf text = { 0 };
	enum MHD_Result result;
	unsigned status;

	(void)version;
	(void)upload;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return reply(from, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain",
			     bytes_text("GET or HEAD\n"));
	if (!*seen) { /* the headers are here; a body, which nobody wants, may follow */
		*seen = h;
		return MHD_YES;
	}
	if (*upload_size)
		return MHD_NO;
	if (!page)
		return reply(from, MHD_HTTP_NOT_FOUND, "text/plain",
			     bytes_text("/livez, /readyz, /metrics\n"));
	status = page->answer(h, &text);
	result = reply(from, status, page->type, buf_view(&text));
	buf_clear(&text);
	return result;
}

/* --- on the loop --- */

static void on_time(uv_timer_t *timer);

static unsigned connections(struct health *h)
{
	return MHD_get_daemon_info(h->http, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
		->num_connections;
}

static void go_on(struct health *h)
{
	MHD_UNSIGNED_LONG_LONG wait;
	unsigned before;

	/* When connections end, those that waited for a place are taken in the next run only,
	 * and nothing wakes us for it. */
	do {
		before = connections(h);
		MHD_run(h->http);
	} while (connections(h) < before);
	if (MHD_get_timeout(h->http, &wait) != MHD_YES)
		wait = LOOK_MS;
	if (connections(h) || wait < LOOK_MS)
		uv_timer_start(&h->timer, on_time, wait < LOOK_MS ? wait : LOOK_MS, 0);
	else
		uv_timer_stop(&h->timer);
}

static void on_time(uv_timer_t *timer)
{
	go_on(timer->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	go_on(poll->data);
}

static void on_closed(uv_handle_t *handle)
{
	struct health *h = handle->data;

	if (--h->handles == 0)
		free(h);
}

void health_stop(struct health *h)
{
	if (!h)
		return;
	uv_close((uv_handle_t *)&h->poll, on_closed);
	uv_close((uv_handle_t *)&h->timer, on_closed);
	MHD_stop_daemon(h->http); /* and its sockets */
}

static void keep_quiet(void *user, const char *format, va_list values)
{
	(void)user;
	(void)format;
	(void)values;
}

/* -1: errno says. */
static int bind_socket(const struct address *at, struct address *bound)
{
	_Alignas(max_align_t) uint8_t raw[sizeof(struct sockaddr_storage)] = { 0 };
	socklen_t size = (socklen_t)address_to_sockaddr(at, false, raw);
	int fd = socket(at->family == 4 ? AF_INET : AF_INET6,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, (struct sockaddr *)raw, size) < 0 || listen(fd, BACKLOG) < 0) {
		int trouble = errno;

		close(fd);
		errno = trouble;
		return -1;
	}
	size = sizeof raw;
	if (getsockname(fd, (struct sockaddr *)raw, &size) == 0)
		address_from_sockaddr(bound, raw);
	return fd;
}

static struct MHD_Daemon *begin(struct health *h, int fd, bool is_v6)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG | (is_v6 ? MHD_USE_IPv6 : 0),
				0, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER,
				keep_quiet, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
				MHD_OPTION_CONNECTION_LIMIT, (unsigned)HEALTH_CONNECTIONS_MAX,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HEALTH_SECONDS_MAX,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEALTH_MEMORY_MAX,
				MHD_OPTION_END);
}

int health_start(struct health **out, uv_loop_t *loop, const struct address *at,
		 const struct health_calls *calls, void *user, struct address *bound,
		 char *reason, size_t reason_size)
{
	char text[ADDRESS_TEXT_SIZE];
	const union MHD_DaemonInfo *info;
	struct health *h;
	int fd;

	*out = NULL;
	address_print(at, text);
	if (!address_is_loopback(at)) {
		snprintf(reason, reason_size,
			 _("health-listen: %s is no loopback address. Use 127.0.0.1:PORT."),
			 text);
		return ERR_REFUSED;
	}
	fd = bind_socket(at, bound);
	if (fd < 0) {
		snprintf(reason, reason_size,
			 _("health-listen: cannot listen on %s: %s. Set another port in "
			   "directory.conf."),
			 text, strerror(errno));
		return ERR_EXISTS;
	}
	h = memory_new(sizeof *h);
	h->calls = calls;
	h->user = user;
	h->http = begin(h, fd, at->family == 6);
	info = h->http ? MHD_get_daemon_info(h->http, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info) {
		snprintf(reason, reason_size, _("health-listen: %s cannot be served."), text);
		if (h->http)
			MHD_stop_daemon(h->http);
		else
			close(fd);
		free(h);
		return ERR_IO;
	}
	uv_poll_init(loop, &h->poll, info->epoll_fd);
	uv_timer_init(loop, &h->timer);
	h->poll.data = h->timer.data = h;
	h->handles = 2;
	uv_poll_start(&h->poll, UV_READABLE, on_ready);
	*out = h;
	return 0;
}
