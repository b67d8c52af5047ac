#include "peer/browser.h"

#include <stdlib.h>

#include "shared/bytes.h"
#include "shared/error.h"

struct browser {
	uv_loop_t *loop;
	uv_process_t *child; /* NULL: none */
};

struct browser *browser_new(uv_loop_t *loop)
{
	const char *display = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
	struct browser *b;

	if (!(display && *display) && !(wayland && *wayland))
		return NULL;
	b = memory_new(sizeof *b);
	b->loop = loop;
	return b;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

static void let_go(struct browser *b)
{
	if (b->child)
		uv_close((uv_handle_t *)b->child, on_closed);
	b->child = NULL;
}

static void on_exit_of_child(uv_process_t *child, int64_t status, int signal)
{
	(void)status;
	(void)signal;
	let_go(child->data);
}

int browser_open(struct browser *b, const char *url)
{
	/* What opens it may stay for as long as the browser does: it is begun apart, and who began it ends at once. */
	static const char setsid[] = "setsid", fork[] = "--fork", opener[] = "xdg-open";
	char *arguments[] = { (char *)setsid, (char *)fork, (char *)opener, (char *)url, NULL };
	uv_process_options_t options = { .exit_cb = on_exit_of_child,
					 .file = setsid,
					 .args = arguments,
					 .flags = UV_PROCESS_DETACHED };
	int err;

	if (b->child)
		return ERR_BUSY;
	b->child = memory_new(sizeof *b->child);
	err = uv_spawn(b->loop, b->child, &options);
	b->child->data = b;
	if (err < 0)
		let_go(b);
	return err < 0 ? ERR_NOT_FOUND : 0;
}

void browser_close(struct browser *b)
{
	if (b)
		let_go(b);
	free(b);
}
