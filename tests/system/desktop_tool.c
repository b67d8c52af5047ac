/* A desktop that shows notifications: writes down, one line each, what it is asked to show and to take away,
 * and does as it is told on standard input, as a person who clicks would.
 *
 *   desktop_tool CAPABILITY...
 *
 * Prints "show ID REPLACES [ACTION...]|TITLE|BODY" and "close ID"; reads "click ID" and "closed ID". */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define SERVICE "org.freedesktop.Notifications"
#define PLACE   "/org/freedesktop/Notifications"

enum { ACTIONS_MAX = 16 };

static char **capabilities;
static uint32_t last_id;

static int on_capabilities(sd_bus_message *m, void *user, sd_bus_error *error)
{
	sd_bus_message *reply = NULL;
	int err = sd_bus_message_new_method_return(m, &reply);

	(void)user;
	(void)error;
	if (err >= 0)
		err = sd_bus_message_append_strv(reply, capabilities);
	if (err >= 0)
		err = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return err;
}

static int on_notify(sd_bus_message *m, void *user, sd_bus_error *error)
{
	const char *program, *icon, *title, *body, *word;
	uint32_t replaces;
	int err = sd_bus_message_read(m, "susss", &program, &replaces, &icon, &title, &body);

	(void)user;
	(void)error;
	if (err >= 0)
		err = sd_bus_message_enter_container(m, 'a', "s");
	if (err < 0)
		return err;
	if (!replaces)
		replaces = 0, last_id++;
	printf("show %u %u", replaces ? replaces : last_id, replaces);
	for (int i = 0; i < ACTIONS_MAX && sd_bus_message_read(m, "s", &word) > 0; i++)
		printf(" %s", word);
	printf("|%s|%s\n", title, body);
	fflush(stdout);
	return sd_bus_reply_method_return(m, "u", replaces ? replaces : last_id);
}

static int on_close(sd_bus_message *m, void *user, sd_bus_error *error)
{
	uint32_t id;
	int err = sd_bus_message_read(m, "u", &id);

	(void)user;
	(void)error;
	if (err < 0)
		return err;
	printf("close %u\n", id);
	fflush(stdout);
	return sd_bus_reply_method_return(m, "");
}

static const sd_bus_vtable table[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("GetCapabilities", "", "as", on_capabilities, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Notify", "susssasa{sv}i", "u", on_notify, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("CloseNotification", "u", "", on_close, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("NotificationClosed", "uu", 0),
	SD_BUS_SIGNAL("ActionInvoked", "us", 0),
	SD_BUS_VTABLE_END,
};

/* False: nobody tells it anything any more. */
static int obey(sd_bus *bus)
{
	char line[64];
	uint32_t id;

	if (!fgets(line, sizeof line, stdin))
		return 0;
	if (sscanf(line, "click %u", &id) == 1)
		sd_bus_emit_signal(bus, PLACE, SERVICE, "ActionInvoked", "us", id, "default");
	if (sscanf(line, "closed %u", &id) == 1)
		sd_bus_emit_signal(bus, PLACE, SERVICE, "NotificationClosed", "uu", id, 2);
	return 1;
}

int main(int argc, char **argv)
{
	sd_bus *bus = NULL;

	(void)argc;
	capabilities = argv + 1;
	setvbuf(stdin, NULL, _IONBF, 0);
	if (sd_bus_open_user(&bus) < 0 ||
	    sd_bus_add_object_vtable(bus, NULL, PLACE, SERVICE, table, NULL) < 0 ||
	    sd_bus_request_name(bus, SERVICE, 0) < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd at[2] = { { .fd = 0, .events = POLLIN },
					{ .fd = sd_bus_get_fd(bus), .events = POLLIN } };
		int did;

		while ((did = sd_bus_process(bus, NULL)) > 0) {
		}
		if (did < 0 || sd_bus_flush(bus) < 0)
			return 1;
		if (poll(at, 2, -1) > 0 && at[0].revents && !obey(bus))
			return 0;
	}
}
