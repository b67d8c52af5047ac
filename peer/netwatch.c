#include "peer/netwatch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "peer/netlink.h"
#include "shared/clock.h"
#include "shared/log.h"

enum {
	AGAIN_MS = 5000, /* where the kernel tells of no change: looked at again so often */
};
/* The clock that counts sleep has gained so much on the one that does not: we have slept. */
#define SLEEP_MIN (500 * MILLISECOND)

struct netwatch {
	struct address bound;
	enum config_metered metered;
	bool looks_metered; /* as the kernel has it */
	netwatch_changed *changed;
	void *user;
	struct network network;
	mono_ns slept; /* since the machine's start */
	uv_timer_t timer;
	uv_poll_t told, clock;
	int told_fd, clock_fd; /* -1: none */
	unsigned handles;
};

/* --- sleep --- */

static mono_ns clock_at(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (mono_ns)t.tv_sec * SECOND + (mono_ns)t.tv_nsec;
}

static mono_ns slept_so_far(void)
{
	mono_ns awake = clock_at(CLOCK_MONOTONIC), all = clock_at(CLOCK_BOOTTIME);

	return all > awake ? all - awake : 0;
}

static void look_at_sleep(struct netwatch *w)
{
	mono_ns slept = slept_so_far();

	if (slept >= w->slept + SLEEP_MIN) {
		w->network.wakes++;
		log_event(LOG_INFO, "awake-again", "slept_s",
			  log_int((int64_t)((slept - w->slept) / SECOND)), NULL);
	}
	w->slept = slept;
}

/* --- looking --- */

/* What any libc knows, where the kernel's own word is not to be had. */
static void look_plainly(struct netwatch *w)
{
	static const uint8_t zeros[16];
	uv_interface_address_t *all = NULL;
	struct network *n = &w->network;
	int total = 0;

	n->port = w->bound.port;
	n->address_count = 0;
	if (memcmp(w->bound.ip, zeros, sizeof zeros) != 0) {
		n->addresses[n->address_count++] = w->bound;
		return;
	}
	if (uv_interface_addresses(&all, &total) < 0)
		return;
	for (int i = 0; i < total && n->address_count < NETWORK_ADDRESSES_MAX; i++) {
		struct sockaddr_storage storage = { 0 };
		struct address *a = &n->addresses[n->address_count];

		memcpy(&storage, &all[i].address, sizeof all[i].address);
		if (address_from_sockaddr(a, &storage) < 0 ||
		    (w->bound.family == 4 && a->family != 4))
			continue;
		a->port = w->bound.port;
		n->address_count++;
	}
	uv_free_interface_addresses(all, total);
}

static void settle_metered(struct netwatch *w)
{
	w->network.is_metered = w->metered == METERED_AUTO ? w->looks_metered
							   : w->metered == METERED_YES;
}

static void look(struct netwatch *w)
{
	if (netlink_look(&w->network, &w->bound) < 0)
		look_plainly(w);
	else
		w->looks_metered = w->network.is_metered;
	settle_metered(w);
	look_at_sleep(w);
}

static void look_and_tell(struct netwatch *w)
{
	struct network before = w->network;

	look(w);
	if (!network_equal(&before, &w->network))
		w->changed(w->user, &w->network);
}

static void on_timer(uv_timer_t *timer)
{
	look_and_tell(timer->data);
}

static void soon(struct netwatch *w)
{
	if (!uv_is_active((uv_handle_t *)&w->timer) || w->told_fd < 0)
		uv_timer_start(&w->timer, on_timer, NETWATCH_GATHER_MS,
			       w->told_fd < 0 ? AGAIN_MS : 0);
}

static void on_told(uv_poll_t *poll, int status, int events)
{
	struct netwatch *w = poll->data;

	(void)events;
	netlink_drain(w->told_fd);
	if (status < 0) /* it held no more: libuv has stopped to watch it */
		uv_poll_start(&w->told, UV_READABLE, on_told);
	soon(w);
}

/* A timer that never comes is cancelled whenever the clock is set, which waking up does. */
static bool arm_clock(struct netwatch *w)
{
	struct itimerspec far = { .it_value.tv_sec = INT32_MAX };

	return timerfd_settime(w->clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far,
			       NULL) == 0;
}

static void on_clock(uv_poll_t *poll, int status, int events)
{
	struct netwatch *w = poll->data;
	uint64_t count;

	(void)status;
	(void)events;
	(void)!read(w->clock_fd, &count, sizeof count);
	if (!arm_clock(w))
		uv_poll_stop(&w->clock);
	soon(w);
}

/* --- begin and end --- */

static bool watch(struct netwatch *w, uv_loop_t *loop, uv_poll_t *poll, int fd, uv_poll_cb call)
{
	if (fd < 0 || uv_poll_init(loop, poll, fd) < 0)
		return false;
	poll->data = w;
	w->handles++;
	uv_poll_start(poll, UV_READABLE, call);
	return true;
}

static void drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

struct netwatch *netwatch_new(uv_loop_t *loop, const struct address *bound,
			      enum config_metered metered, netwatch_changed *changed,
			      void *user)
{
	struct netwatch *w = memory_new(sizeof *w);

	w->bound = *bound;
	w->metered = metered;
	w->changed = changed;
	w->user = user;
	w->slept = slept_so_far();
	uv_timer_init(loop, &w->timer);
	w->timer.data = w;
	w->handles = 1;
	/* First watched, then looked at: nothing happens in between. */
	w->told_fd = netlink_watch();
	if (!watch(w, loop, &w->told, w->told_fd, on_told)) {
		log_event(LOG_WARNING, "network-not-watched", NULL);
		drop(&w->told_fd);
	}
	w->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if ((w->clock_fd >= 0 && !arm_clock(w)) ||
	    !watch(w, loop, &w->clock, w->clock_fd, on_clock))
		drop(&w->clock_fd);
	look(w);
	if (w->told_fd < 0)
		soon(w);
	return w;
}

const struct network *netwatch_network(const struct netwatch *w)
{
	return &w->network;
}

void netwatch_set_metered(struct netwatch *w, enum config_metered metered)
{
	w->metered = metered;
	soon(w);
}

static void on_closed(uv_handle_t *handle)
{
	struct netwatch *w = handle->data;

	if (--w->handles > 0)
		return;
	drop(&w->told_fd);
	drop(&w->clock_fd);
	free(w);
}

void netwatch_close(struct netwatch *w)
{
	if (!w)
		return;
	if (w->told_fd >= 0)
		uv_close((uv_handle_t *)&w->told, on_closed);
	if (w->clock_fd >= 0)
		uv_close((uv_handle_t *)&w->clock, on_closed);
	uv_close((uv_handle_t *)&w->timer, on_closed);
}
