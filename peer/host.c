#include "peer/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "directory/config.h"
#include "directory/serve.h"
#include "directory/server.h"
#include "shared/error.h"
#include "shared/text.h"
#include "shared/uri.h"

enum { INVITE_EXPIRES_S = 7 * 86400 }; /* unless told otherwise */

struct host {
	struct serve *serve;
	struct address bound;
	struct directory_place place;
	bool is_local; /* `place` means nothing on other machines */
};

static int folder_of(const struct home *home, char out[HOME_PATH_MAX])
{
	return home_path(home, "directory", out);
}

bool host_exists(const struct home *home)
{
	char folder[HOME_PATH_MAX], accounts[HOME_PATH_MAX + 16];
	struct stat st;

	if (folder_of(home, folder) < 0)
		return false;
	snprintf(accounts, sizeof accounts, "%s/accounts.db", folder);
	return stat(accounts, &st) == 0;
}

/* What was asked for, what was used the last time, or the default. */
static int choose_address(struct address *out, const struct home *home,
			  const struct address *wanted)
{
	char text[ADDRESS_TEXT_SIZE];

	memset(out, 0, sizeof *out);
	if (wanted) {
		*out = *wanted;
		return 0;
	}
	if (home_recall(home, "directory.listen", text, sizeof text) == 0)
		return address_parse(out, text, DIRECTORY_PORT);
	out->family = 6;
	out->port = DIRECTORY_PORT;
	return 0;
}

static void set_place(struct host *host, const struct address *a)
{
	char text[ADDRESS_TEXT_SIZE];
	struct address reached = *a;

	reached.port = host->bound.port;
	reached.scope = 0;
	host->is_local = address_is_loopback(a);
	address_print(&reached, text);
	place_parse(&host->place, text);
}

int host_new(struct host **out, uv_loop_t *loop, const struct home *home,
	     const struct address *listen, char *reason, size_t reason_size)
{
	struct address loopback = { .family = 4, .ip = { 127, 0, 0, 1 } };
	struct host *host = memory_new(sizeof *host);
	char folder[HOME_PATH_MAX], text[ADDRESS_TEXT_SIZE];
	struct config config;
	struct address at;
	int err;

	*out = NULL;
	config_init(&config);
	err = choose_address(&at, home, listen);
	if (err == 0)
		err = folder_of(home, folder);
	if (err == 0 && !host_exists(home))
		err = server_init(folder, reason, reason_size);
	if (err < 0)
		goto out;
	/* Its own links would need a public name; ours are made by print_link(). */
	config.has_place = place_parse(&config.place, "localhost") == 0;
	config.listen_count = 1;
	config.listen[0] = at;
	err = serve_start(&host->serve, loop, folder, &config, NULL, reason, reason_size);
	if (err < 0)
		goto out;
	if (serve_addresses(host->serve, &host->bound, 1) == 0)
		host->bound = at;
	address_print(&host->bound, text);
	home_remember(home, "directory.listen", text);
	set_place(host, &loopback);
	*out = host;
	return 0;
out:
	if (!reason[0])
		snprintf(reason, reason_size, "%s", error_text(err));
	free(host);
	return err;
}

void host_close(struct host *host)
{
	if (!host)
		return;
	serve_stop(host->serve);
	free(host);
}

/* What strangers on the same network can use: private v4 first, since people read these
 * links aloud; loopback where there is nothing else. */
static int worth(const struct address *a)
{
	if (address_is_link_local(a))
		return 0;
	if (address_is_loopback(a))
		return a->family == 4 ? 2 : 1;
	return (a->family == 4 ? 5 : 3) + address_is_private(a);
}

static bool is_wildcard(const struct address *a)
{
	static const uint8_t zeros[16];

	return !memcmp(a->ip, zeros, sizeof zeros);
}

void host_set_addresses(struct host *host, const struct address *list, unsigned count)
{
	const struct address *best = NULL;

	if (!is_wildcard(&host->bound)) {
		set_place(host, &host->bound);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		if (host->bound.family == 4 && list[i].family != 4)
			continue;
		if (!best || worth(&list[i]) > worth(best))
			best = &list[i];
	}
	if (best)
		set_place(host, best);
}

struct address host_address(const struct host *host)
{
	return host->bound;
}

struct address host_near(const struct host *host)
{
	struct address near = { .family = 4, .ip = { 127, 0, 0, 1 }, .port = host->bound.port };

	return is_wildcard(&host->bound) ? near : host->bound;
}

const struct device_public *host_key(const struct host *host)
{
	return server_key(serve_server(host->serve));
}

static void print_link(const struct host *host, const char *code, char out[URI_MAX + 1])
{
	struct uri uri = {
		.kind = code ? URI_INVITATION : URI_DIRECTORY,
		.place = host->place,
		.has_directory_key = true,
		.directory_key = *host_key(host),
	};

	if (code)
		snprintf(uri.code, sizeof uri.code, "%s", code);
	if (uri_print(&uri, out) < 0)
		out[0] = '\0';
}

void host_status(struct host *host, struct json *result)
{
	struct server_status *status = memory_new(sizeof *status);
	char text[URI_MAX + ADDRESS_TEXT_SIZE];

	server_status(serve_server(host->serve), status);
	place_print(&host->place, text);
	json_set_text(result, "place", text);
	json_set_bool(result, "isLocal", host->is_local);
	address_print(&host->bound, text);
	json_set_text(result, "listen", text);
	print_link(host, NULL, text);
	json_set_text(result, "link", text);
	json_set_int(result, "accounts", (int64_t)status->accounts);
	json_set_int(result, "onlineAccounts", (int64_t)status->online_accounts);
	json_set_int(result, "onlineDevices", (int64_t)status->online_devices);
	json_set_int(result, "logins", (int64_t)status->logins);
	json_set_int(result, "introductions", (int64_t)status->introductions);
	free(status);
}

int host_invite(struct host *host, const struct json *params, struct json *result, char *reason,
		size_t reason_size)
{
	struct json *request = json_set_text(json_object(), "command", "invite"), *answer;
	const char *code, *trouble;
	char link[URI_MAX + 1];
	uint64_t expires;
	int err = 0;

	json_set_int(request, "count", json_int(params, "count", 1));
	json_set_int(request, "expires", json_int(params, "expires", INVITE_EXPIRES_S));
	answer = serve_admin(host->serve, request);
	json_free(request);
	trouble = json_text(answer, "message");
	code = json_text(answer, "code");
	if (!code) {
		snprintf(reason, reason_size, "%s",
			 trouble ? trouble : _("the directory gave no invitation"));
		err = ERR_REFUSED;
		goto out;
	}
	print_link(host, code, link);
	json_set_text(result, "link", link);
	json_set_text(result, "code", code);
	json_set_bool(result, "isLocal", host->is_local);
	json_set_int(result, "count", json_int(params, "count", 1));
	if (json_id(answer, "expires", &expires) == 0)
		json_set_int(result, "expires", (int64_t)expires);
	else if (json_has(answer, "expires"))
		json_set_int(result, "expires", json_int(answer, "expires", 0));
out:
	json_free(answer);
	return err;
}
