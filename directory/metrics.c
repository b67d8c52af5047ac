#include "directory/metrics.h"

#include <stddef.h>

#include "shared/wire.h"

struct counter {
	const char *name;
	size_t at;
};

static const struct counter counters[] = {
	{ "online_devices", offsetof(struct server_status, online_devices) },
	{ "online_accounts", offsetof(struct server_status, online_accounts) },
	{ "accounts", offsetof(struct server_status, accounts) },
	{ "logins", offsetof(struct server_status, logins) },
	{ "key_logins", offsetof(struct server_status, key_logins) },
	{ "registrations", offsetof(struct server_status, registrations) },
	{ "refused_logins", offsetof(struct server_status, refused_logins) },
	{ "presence_notes", offsetof(struct server_status, presence_notes) },
	{ "introductions", offsetof(struct server_status, introductions) },
	{ "asked", offsetof(struct server_status, asked) },
};

static const struct counter traffic[] = {
	{ "received", offsetof(struct endpoint_counters, received) },
	{ "sent", offsetof(struct endpoint_counters, sent) },
	{ "received_bytes", offsetof(struct endpoint_counters, received_bytes) },
	{ "sent_bytes", offsetof(struct endpoint_counters, sent_bytes) },
	{ "refused", offsetof(struct endpoint_counters, refused) },
	{ "retries", offsetof(struct endpoint_counters, retries) },
	{ "handshakes", offsetof(struct endpoint_counters, handshakes) },
	{ "links", offsetof(struct endpoint_counters, links) },
	{ "half_open", offsetof(struct endpoint_counters, half_open) },
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
