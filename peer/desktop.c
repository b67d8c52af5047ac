#include "peer/desktop.h"

#include <dlfcn.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>

#include "shared/bytes.h"
#include "shared/error.h"
#include "shared/log.h"
#include "shared/text.h"

#define SERVICE "org.freedesktop.Notifications"
#define PLACE   "/org/freedesktop/Notifications"

enum {
	AGAIN_S = 60,       /* where nobody was found */
	ANSWER_S = 30,      /* who shows notifications may have to be started first */
	PROCESS_MAX = 64,   /* messages of the bus in one turn of the loop */
	ADDRESS_MAX = 4096, /* bytes */
	CAPABILITIES_MAX = 64,
	MS_US = 1000, /* sd-bus counts in us */
};

/* --- the library ---
 *
 * Linked, it and what it brings would cost each start of each command; it is loaded when there is something
 * to be shown for the first time. */

#define FUNCTIONS(X)                                                                           \
	X(sd_bus_new)                                                                          \
	X(sd_bus_set_address)                                                                  \
	X(sd_bus_set_bus_client)                                                               \
	X(sd_bus_start)                                                                        \
	X(sd_bus_get_fd)                                                                       \
	X(sd_bus_get_events)                                                                   \
	X(sd_bus_get_timeout)                                                                  \
	X(sd_bus_process)                                                                      \
	X(sd_bus_close)                                                                        \
	X(sd_bus_unref)                                                                        \
	X(sd_bus_call_async)                                                                   \
	X(sd_bus_match_signal_async)                                                           \
	X(sd_bus_message_new_method_call)                                                      \
	X(sd_bus_message_append)                                                               \
	X(sd_bus_message_read)                                                                 \
	X(sd_bus_message_enter_container)                                                      \
	X(sd_bus_message_is_method_error)                                                      \
	X(sd_bus_message_unref)

#define FIELD(name) __typeof__(name) *name;
static struct {
	FUNCTIONS(FIELD)
} bus;

#define ROW(name) { #name, &bus.name },
static const struct {
	const char *name;
	void *at; /* a function pointer */
} functions[] = { FUNCTIONS(ROW) };

static bool load(void)
{
	static const char *const names[] = { "libsystemd.so.0", "libelogind.so.0" };
	static bool is_loaded, was_tried;
	void *library = NULL;

	if (was_tried)
		return is_loaded;
	was_tried = true;
	for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; library && i < sizeof functions / sizeof *functions; i++) {
		void *function = dlsym(library, functions[i].name);

		if (!function)
			return false;
		memcpy(functions[i].at, &function, sizeof function);
	}
	is_loaded = library != NULL;
	return is_loaded;
}

/* --- the room --- */

enum state { STATE_AWAY, STATE_ASKING, STATE_READY };

/* Of a slot at most one notification is on its way: whose answer it is. */
struct asked {
	struct desktop *desktop;
	unsigned slot;
};

struct desktop {
	struct desktop_config config;
	struct attention *attention;
	sd_bus *connection;
	enum state state;
	mono_ns again;    /* not looked for before */
	bool has_actions; /* something can be clicked */
	bool has_markup;  /* a body is read as markup */
	bool is_lost;     /* to be closed when nothing of it is running */
	struct asked asked[ATTENTION_SLOTS];
	struct watch *watch; /* of the bus's socket */
	uv_timer_t *timer;
};

/* The loop lets go of it in its own time. */
struct watch {
	uv_poll_t poll;
	struct desktop *desktop;
};

static void on_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* `again`: looked for once more after a while. */
static void let_go(struct desktop *d)
{
	if (d->watch) {
		uv_poll_stop(&d->watch->poll);
		uv_close((uv_handle_t *)&d->watch->poll, on_watch_closed);
		d->watch = NULL;
	}
	if (d->connection) {
		bus.sd_bus_close(d->connection);
		bus.sd_bus_unref(d->connection);
	}
	d->connection = NULL;
	d->state = STATE_AWAY;
	d->is_lost = false;
	d->again = clock_now() + AGAIN_S * SECOND;
	attention_forget(d->attention);
}

/* --- what the desktop says --- */

static int on_capabilities(sd_bus_message *m, void *user, sd_bus_error *error)
{
	struct desktop *d = user;
	const char *word;

	(void)error;
	if (bus.sd_bus_message_is_method_error(m, NULL) ||
	    bus.sd_bus_message_enter_container(m, 'a', "s") < 0) {
		d->is_lost = true;
		return 0;
	}
	d->has_actions = d->has_markup = false;
	for (unsigned i = 0; i < CAPABILITIES_MAX && bus.sd_bus_message_read(m, "s", &word) > 0;
	     i++) {
		d->has_actions |= !strcmp(word, "actions");
		d->has_markup |= !strcmp(word, "body-markup");
	}
	d->state = STATE_READY;
	return 0;
}

static int on_shown(sd_bus_message *m, void *user, sd_bus_error *error)
{
	struct asked *asked = user;
	uint32_t id = 0;

	(void)error;
	if (bus.sd_bus_message_is_method_error(m, NULL) ||
	    bus.sd_bus_message_read(m, "u", &id) < 0)
		id = 0;
	attention_shown(asked->desktop->attention, asked->slot, id);
	return 0;
}

static int on_closed(sd_bus_message *m, void *user, sd_bus_error *error)
{
	struct desktop *d = user;
	uint32_t id, reason;

	(void)error;
	if (bus.sd_bus_message_read(m, "uu", &id, &reason) > 0)
		attention_closed(d->attention, id);
	return 0;
}

static int on_clicked(sd_bus_message *m, void *user, sd_bus_error *error)
{
	struct desktop *d = user;
	const char *action, *who;
	uint32_t id;

	(void)error;
	if (bus.sd_bus_message_read(m, "us", &id, &action) <= 0 || strcmp(action, "default"))
		return 0;
	who = attention_whose(d->attention, id);
	if (who && d->config.clicked)
		d->config.clicked(d->config.user, who);
	return 0;
}

/* --- what is said to it --- */

static sd_bus_message *call_of(struct desktop *d, const char *member)
{
	sd_bus_message *m = NULL;

	return bus.sd_bus_message_new_method_call(d->connection, &m, SERVICE, PLACE, SERVICE,
						  member) < 0
		       ? NULL
		       : m;
}

/* A body is markup to those who say so: what is in it is none. */
static void escape(const char *text, char *out, size_t size)
{
	size_t used = 0;

	for (; *text && used + sizeof "&quot;" < size; text++) {
		const char *as = *text == '&'    ? "&amp;"
				 : *text == '<'  ? "&lt;"
				 : *text == '>'  ? "&gt;"
				 : *text == '"'  ? "&quot;"
				 : *text == '\'' ? "&#39;"
						 : NULL;
		if (as)
			used += (size_t)snprintf(out + used, size - used, "%s", as);
		else
			out[used++] = *text;
	}
	out[used] = 0;
}

/* It lives until it is answered, or the bus is let go. */
static bool post(struct desktop *d, sd_bus_message *take_m, int err,
		 sd_bus_message_handler_t answer, void *user)
{
	if (err >= 0)
		err = bus.sd_bus_call_async(d->connection, NULL, take_m, answer, user,
					    (uint64_t)ANSWER_S * 1000 * MS_US);
	bus.sd_bus_message_unref(take_m);
	return err >= 0;
}

static void show(struct desktop *d, const struct attention_note *note)
{
	char body[sizeof note->body * 6];
	sd_bus_message *m = call_of(d, "Notify");
	bool offers = d->has_actions && d->config.clicked;
	int err = m ? 0 : -1;

	if (d->has_markup)
		escape(note->body, body, sizeof body);
	else
		snprintf(body, sizeof body, "%s", note->body);
	if (err >= 0)
		err = bus.sd_bus_message_append(m, "susss", "Palique", note->replaces,
						"palique", note->title, body);
	if (err >= 0)
		err = offers ? bus.sd_bus_message_append(m, "as", 2, "default", _("Open"))
			     : bus.sd_bus_message_append(m, "as", 0);
	if (err >= 0)
		err = bus.sd_bus_message_append(m, "a{sv}i", 3, "category", "s", "im.received",
						"desktop-entry", "s", "palique", "urgency", "y",
						1, -1);
	if (!post(d, m, err, on_shown, &d->asked[note->slot]))
		attention_shown(d->attention, note->slot, 0);
}

static int on_withdrawn(sd_bus_message *m, void *user, sd_bus_error *error)
{
	(void)m;
	(void)user;
	(void)error;
	return 0;
}

static void withdraw(struct desktop *d, uint32_t id)
{
	sd_bus_message *m = call_of(d, "CloseNotification");

	post(d, m, m ? bus.sd_bus_message_append(m, "u", id) : -1, on_withdrawn, d);
}

/* --- the bus --- */

/* Where it is: a socket of this machine alone, since names of others would be looked up, and waited for.
 * False: there is none. */
static bool find_bus(char *address, size_t size)
{
	const char *said = getenv("DBUS_SESSION_BUS_ADDRESS"), *run = getenv("XDG_RUNTIME_DIR");
	struct stat there;
	int used;

	if (said && *said)
		return !strncmp(said, "unix:", 5) && !strchr(said, ';') &&
		       snprintf(address, size, "%s", said) < (int)size;
	if (!run || *run != '/')
		return false;
	used = snprintf(address, size, "%s/bus", run);
	if (used >= (int)size || stat(address, &there) < 0 || !S_ISSOCK(there.st_mode))
		return false;
	used = snprintf(address, size, "unix:path=%s/bus", run);
	/* What an address would have to write otherwise stands in no usual path. */
	return used < (int)size && !strpbrk(address + 10, "%;, ");
}

static void pump(struct desktop *d);

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;

	(void)events;
	if (status < 0)
		watch->desktop->is_lost = true;
	pump(watch->desktop);
}

static int begin(struct desktop *d, const char *address)
{
	static const char *const signals[] = { "NotificationClosed", "ActionInvoked" };
	sd_bus_message_handler_t const handlers[] = { on_closed, on_clicked };
	int err = bus.sd_bus_new(&d->connection);

	if (err >= 0)
		err = bus.sd_bus_set_address(d->connection, address);
	if (err >= 0)
		err = bus.sd_bus_set_bus_client(d->connection, true);
	if (err >= 0)
		err = bus.sd_bus_start(d->connection);
	for (unsigned i = 0; i < 2 && err >= 0; i++)
		err = bus.sd_bus_match_signal_async(d->connection, NULL, SERVICE, PLACE,
						    SERVICE, signals[i], handlers[i], NULL, d);
	if (err >= 0) {
		sd_bus_message *m = call_of(d, "GetCapabilities");
		err = post(d, m, m ? 0 : -1, on_capabilities, d) ? 0 : -1;
	}
	return err < 0 ? err : bus.sd_bus_get_fd(d->connection);
}

static void look_for_bus(struct desktop *d)
{
	char address[ADDRESS_MAX];
	int fd = -1;

	if (clock_now() >= d->again && find_bus(address, sizeof address) && load())
		fd = begin(d, address);
	if (fd >= 0) {
		d->state = STATE_ASKING;
		d->watch = memory_new(sizeof *d->watch);
		d->watch->desktop = d;
		if (uv_poll_init(d->config.loop, &d->watch->poll, fd) == 0) {
			d->watch->poll.data = d->watch;
			return;
		}
		free(d->watch);
		d->watch = NULL;
	}
	log_event(LOG_DEBUG, "no-desktop", NULL);
	let_go(d);
}

/* --- the turn of the loop --- */

static void on_timer(uv_timer_t *timer)
{
	pump(timer->data);
}

static void rearm(struct desktop *d)
{
	mono_ns now = clock_now(), due = NEVER;
	uint64_t timeout = UINT64_MAX; /* in us, of the same clock as ours */
	int events = 0;

	if (d->state != STATE_ASKING)
		due = attention_deadline(d->attention);
	if (d->connection) {
		events = bus.sd_bus_get_events(d->connection);
		if (bus.sd_bus_get_timeout(d->connection, &timeout) >= 0 &&
		    timeout < NEVER / MS_US)
			due = mono_earlier(due, timeout * MS_US);
		uv_poll_start(&d->watch->poll,
			      (events > 0 && (events & POLLOUT) ? UV_WRITABLE : 0) |
				      UV_READABLE,
			      on_readable);
	}
	if (due == NEVER)
		uv_timer_stop(d->timer);
	else
		uv_timer_start(d->timer, on_timer,
			       due > now ? (due - now + MILLISECOND - 1) / MILLISECOND : 0, 0);
}

static void pump(struct desktop *d)
{
	struct attention_note note;
	mono_ns now = clock_now();
	uint32_t id;
	int did = 1;

	if (d->state == STATE_AWAY && attention_deadline(d->attention) <= now)
		look_for_bus(d);
	for (unsigned i = 0; d->connection && i < PROCESS_MAX && did > 0 && !d->is_lost; i++)
		did = bus.sd_bus_process(d->connection, NULL);
	if (did < 0 || d->is_lost)
		let_go(d);
	while (d->state == STATE_READY && attention_next_over(d->attention, &id))
		withdraw(d, id);
	while (d->state == STATE_READY && attention_next(d->attention, &note, now))
		show(d, &note);
	rearm(d);
}

/* --- its life --- */

struct desktop *desktop_new(const struct desktop_config *config)
{
	struct desktop *d = memory_new(sizeof *d);

	d->config = *config;
	d->attention = attention_new();
	for (unsigned i = 0; i < ATTENTION_SLOTS; i++)
		d->asked[i] = (struct asked){ .desktop = d, .slot = i };
	d->timer = memory_new(sizeof *d->timer);
	uv_timer_init(config->loop, d->timer);
	d->timer->data = d;
	return d;
}

bool desktop_listens(const struct desktop *d)
{
	return d->state != STATE_AWAY || clock_now() >= d->again;
}

void desktop_hear(struct desktop *d, const struct event *event,
		  const struct attention_rules *rules)
{
	attention_hear(d->attention, event, rules, clock_now());
	pump(d);
}

void desktop_seen(struct desktop *d, const char *name)
{
	attention_seen(d->attention, name, clock_now());
	pump(d);
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle);
}

void desktop_close(struct desktop *d)
{
	if (!d)
		return;
	let_go(d);
	uv_timer_stop(d->timer);
	uv_close((uv_handle_t *)d->timer, on_timer_closed);
	attention_free(d->attention);
	free(d);
}
