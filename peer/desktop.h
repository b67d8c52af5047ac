/* Shell: the desktop's notifications, by org.freedesktop.Notifications on the session bus. The bus is looked
 * for when there is something to say; where there is none, or nobody on it who shows anything, nothing is said
 * and nothing is lost but that. It never waits: what the bus has to do is done when its socket says so.
 *
 * The only room that knows sd-bus.h; libsystemd is found at run time. */
#ifndef PALIQUE_PEER_DESKTOP_H
#define PALIQUE_PEER_DESKTOP_H

#include <uv.h>

#include "peer/attention.h"

struct desktop_config {
	uv_loop_t *loop;
	void *user;
	/* What is about `name` was clicked. NULL: nothing can be opened here, and nothing offers it. */
	void (*clicked)(void *user, const char *name);
};

struct desktop;
struct desktop *desktop_new(const struct desktop_config *config);
/* False: nobody is there who would show anything; it is looked for again in a while. */
bool desktop_listens(const struct desktop *d);
void desktop_hear(struct desktop *d, const struct event *event,
		  const struct attention_rules *rules);
/* The conversation with `name` is looked at, or was read. */
void desktop_seen(struct desktop *d, const char *name);
/* Ends all; to be called while the loop still runs once more. NULL is harmless. */
void desktop_close(struct desktop *d);

#endif
