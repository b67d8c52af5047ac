#include "directory/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "shared/version.h"
#include "shared/wire.h"

/* How it is called in JSON, and in Prometheus's text (NULL: the same) with palique_directory_
 * before it, and _total behind it where it only grows. */
struct counter {
	const char *name;
	size_t at;
	bool is_gauge; /* else it only grows, from 0 at the start */
	const char *help, *also;
};

static const struct counter counters[] = {
	{ "online_devices", offsetof(struct server_status, online_devices), true,
	  "Devices with a session." },
	{ "online_accounts", offsetof(struct server_status, online_accounts), true,
	  "Accounts with a device online." },
	{ "accounts", offsetof(struct server_status, accounts), true,
	  "Accounts in the store." },
	{ "logins", offsetof(struct server_status, logins), false, "Logins by password." },
	{ "key_logins", offsetof(struct server_status, key_logins), false,
	  "Logins by device key." },
	{ "registrations", offsetof(struct server_status, registrations), false,
	  "Accounts made by invitation or openly." },
	{ "refused_logins", offsetof(struct server_status, refused_logins), false,
	  "Logins and registrations refused." },
	{ "presence_notes", offsetof(struct server_status, presence_notes), false,
	  "Times a contact was told who is online." },
	{ "introductions", offsetof(struct server_status, introductions), false,
	  "Introductions of two devices." },
	{ "sights", offsetof(struct server_status, sights), false,
	  "Questions answered of the address that somebody is seen at." },
	{ "asked", offsetof(struct server_status, asked), false,
	  "Contact requests passed on." },
};

static const struct counter traffic[] = {
	{ "received", offsetof(struct endpoint_counters, received), false,
	  "Datagrams received.", "datagrams_received" },
	{ "sent", offsetof(struct endpoint_counters, sent), false, "Datagrams sent.",
	  "datagrams_sent" },
	{ "received_bytes", offsetof(struct endpoint_counters, received_bytes), false,
	  "Bytes of datagrams received." },
	{ "sent_bytes", offsetof(struct endpoint_counters, sent_bytes), false,
	  "Bytes of datagrams sent." },
	{ "refused", offsetof(struct endpoint_counters, refused), false,
	  "Datagrams answered with silence.", "datagrams_refused" },
	{ "retries", offsetof(struct endpoint_counters, retries), false,
	  "Strangers asked to prove their address.", "address_proofs_asked" },
	{ "handshakes", offsetof(struct endpoint_counters, handshakes), false,
	  "Handshakes completed." },
	{ "links", offsetof(struct endpoint_counters, links), true, "Links open.",
	  "links_open" },
	{ "half_open", offsetof(struct endpoint_counters, half_open), true,
	  "Handshakes under way.", "handshakes_open" },
};

static void set_all(struct json *j, const struct counter *list, size_t count, const void *base)
{
	for (size_t i = 0; i < count; i++) {
		const uint64_t *v = (const void *)((const char *)base + list[i].at);

		json_set_int(j, list[i].name, (int64_t)*v);
	}
}

static struct json *by_message(const uint64_t counts[128])
{
	struct json *j = json_object();

	for (int type = 0; type < 128; type++)
		if (counts[type] && wire_name((enum wire_type)type))
			json_set_int(j, wire_name((enum wire_type)type), (int64_t)counts[type]);
	return j;
}

struct json *metrics_json(const struct server_status *status)
{
	struct json *j = json_object(), *t = json_object();

	set_all(j, counters, sizeof counters / sizeof counters[0], status);
	set_all(t, traffic, sizeof traffic / sizeof traffic[0], &status->traffic);
	json_set_int(j, "uptime_seconds", (int64_t)(status->uptime / SECOND));
	json_set(j, "messages_in", by_message(status->messages_in));
	json_set(j, "messages_out", by_message(status->messages_out));
	return json_set(j, "traffic", t);
}

/* --- Prometheus --- */

static void add(struct buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct buf *out, const char *format, ...)
{
	char line[256];
	va_list values;

	va_start(values, format);
	vsnprintf(line, sizeof line, format, values);
	va_end(values);
	(void)buf_append(out, bytes_text(line));
}

static void add_family(struct buf *out, const char *name, bool is_gauge, const char *help)
{
	add(out, "# HELP palique_directory_%s%s %s\n", name, is_gauge ? "" : "_total", help);
	add(out, "# TYPE palique_directory_%s%s %s\n", name, is_gauge ? "" : "_total",
	    is_gauge ? "gauge" : "counter");
}

static void add_one(struct buf *out, const char *name, bool is_gauge, const char *help,
		    uint64_t value)
{
	add_family(out, name, is_gauge, help);
	add(out, "palique_directory_%s%s %" PRIu64 "\n", name, is_gauge ? "" : "_total", value);
}

static void add_all(struct buf *out, const struct counter *list, size_t count, const void *base)
{
	for (size_t i = 0; i < count; i++) {
		const uint64_t *v = (const void *)((const char *)base + list[i].at);

		add_one(out, list[i].also ? list[i].also : list[i].name, list[i].is_gauge,
			list[i].help, *v);
	}
}

static void add_messages(struct buf *out, const char *name, const char *help,
			 const uint64_t counts[128])
{
	add_family(out, name, false, help);
	for (int type = 0; type < 128; type++)
		if (counts[type] && wire_name((enum wire_type)type))
			add(out, "palique_directory_%s_total{type=\"%s\"} %" PRIu64 "\n", name,
			    wire_name((enum wire_type)type), counts[type]);
}

/* Resident bytes of this process; 0: not told. */
static uint64_t memory_used(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void metrics_text(struct buf *out, const struct server_status *status,
		  const struct fitness *fitness)
{
	add_family(out, "info", true, "The program; always 1.");
	add(out, "palique_directory_info{version=\"%s\"} 1\n", PALIQUE_VERSION);
	add_one(out, "ready", true, "Whether people can be served: 1 or 0.",
		fitness_is_ready(fitness));
	add_family(out, "part_ready", true, "The same of each part it needs.");
	for (int i = 0; i < FITNESS_PARTS; i++)
		add(out, "palique_directory_part_ready{part=\"%s\"} %d\n",
		    fitness_name((enum fitness_part)i), fitness->err[i] == 0);
	add_one(out, "disk_free_bytes", true, "Free bytes where the accounts are.",
		fitness->disk_free);
	add_one(out, "memory_bytes", true, "Resident memory of the process.", memory_used());
	add_one(out, "uptime_seconds", true, "Seconds since the start.",
		status->uptime / SECOND);
	add_all(out, counters, sizeof counters / sizeof counters[0], status);
	add_all(out, traffic, sizeof traffic / sizeof traffic[0], &status->traffic);
	add_messages(out, "messages_in", "Messages from clients, by type.",
		     status->messages_in);
	add_messages(out, "messages_out", "Messages to clients, by type.",
		     status->messages_out);
}
