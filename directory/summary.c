#include "directory/summary.h"

#include "shared/text.h"

/* clang-format off */
static const struct row {
	const char *key, *words;
} rows[] = {
	{ "online_accounts", N_("people online") },
	{ "online_devices", N_("devices online") },
	{ "accounts", N_("accounts") },
	{ "registrations", N_("new accounts since the start") },
	{ "logins", N_("logins by password") },
	{ "key_logins", N_("logins by device, without a password") },
	{ "refused_logins", N_("refused logins and registrations") },
	{ "asked", N_("contact requests passed on") },
	{ "presence_notes", N_("times a contact was told who is online") },
	{ "introductions", N_("introductions of two devices") },
	{ "sights", N_("clients told the address they are seen at") },
}, traffic_rows[] = {
	{ "received", N_("datagrams received") },
	{ "received_bytes", N_("bytes received") },
	{ "sent", N_("datagrams sent") },
	{ "sent_bytes", N_("bytes sent") },
	{ "refused", N_("datagrams refused") },
};
/* clang-format on */

static void print_rows(FILE *to, const struct json *from, const struct row *list, size_t count)
{
	for (size_t i = 0; from && i < count; i++)
		fprintf(to, "%10lld  %s\n", (long long)json_int(from, list[i].key, 0),
			_(list[i].words));
}

static void print_uptime(FILE *to, long long seconds)
{
	long long hours = seconds / 3600, minutes = seconds / 60 % 60;

	if (hours > 0)
		fprintf(to, _("running for %lld h %lld min\n"), hours, minutes);
	else
		fprintf(to, _("running for %lld min %lld s\n"), minutes, seconds % 60);
}

void summary_print(FILE *to, const struct json *status)
{
	print_uptime(to, json_int(status, "uptime_seconds", 0));
	print_rows(to, status, rows, sizeof rows / sizeof *rows);
	print_rows(to, json_get(status, "traffic"), traffic_rows,
		   sizeof traffic_rows / sizeof *traffic_rows);
}
