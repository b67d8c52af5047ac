#include "peer/settings.h"

#include <stdio.h>

#define FIRST_ACCEPT_UP_TO (16 << 20) /* before anybody sets it */

static struct statement *find(struct store *store, const char *name)
{
	struct statement *s = db_sql(store_db(store),
				     "SELECT value FROM setting WHERE name = ?");

	bind_text(s, 1, name);
	return s;
}

int64_t settings_number(struct store *store, const char *name, int64_t otherwise)
{
	struct statement *s = find(store, name);

	if (db_step(s) == 1)
		otherwise = column_int(s, 0);
	db_done(s);
	return otherwise;
}

/* `out` gets "" where there is none. */
static void read_text(struct store *store, const char *name, char *out, size_t size)
{
	struct statement *s = find(store, name);

	out[0] = 0;
	if (db_step(s) == 1)
		snprintf(out, size, "%s", column_text(s, 0));
	db_done(s);
}

static struct statement *put(struct store *store, const char *name)
{
	struct statement *s;

	store_write(store);
	s = db_sql(store_db(store), "INSERT OR REPLACE INTO setting(name, value) VALUES(?,?)");
	bind_text(s, 1, name);
	return s;
}

void settings_set_number(struct store *store, const char *name, int64_t value)
{
	struct statement *s = put(store, name);

	bind_int(s, 2, value);
	store_run(store, s);
}

static void write_text(struct store *store, const char *name, const char *value)
{
	struct statement *s = put(store, name);

	bind_text(s, 2, value);
	store_run(store, s);
}

enum notifications settings_notifications(struct store *store)
{
	int64_t value = settings_number(store, "notifications", NOTIFICATIONS_NAMES);

	return value == NOTIFICATIONS_OFF || value == NOTIFICATIONS_ALL
		       ? (enum notifications)value
		       : NOTIFICATIONS_NAMES;
}

void settings_read(struct store *store, struct engine_settings *out)
{
	out->accept_up_to = (uint64_t)settings_number(store, "accept_up_to",
						      FIRST_ACCEPT_UP_TO);
	read_text(store, "downloads", out->downloads, sizeof out->downloads);
	out->tells_read = settings_number(store, "tells_read", true);
	out->keep_days = (uint32_t)settings_number(store, "keep_days", 0);
	out->notifications = settings_notifications(store);
}

void settings_write(struct store *store, const struct engine_settings *settings)
{
	settings_set_number(store, "accept_up_to", (int64_t)settings->accept_up_to);
	write_text(store, "downloads", settings->downloads);
	settings_set_number(store, "tells_read", settings->tells_read);
	settings_set_number(store, "keep_days", settings->keep_days);
	settings_set_number(store, "notifications", settings->notifications);
}
