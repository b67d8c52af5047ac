/* The engine itself: status, doctor, rpc, stop, daemon. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "shared/error.h"
#include "shared/text.h"
#include "shared/uri.h"
#include "shared/version.h"

enum {
	STOP_WAIT_S = 15,
	RPC_ANSWERS_MS = 60 * 1000,
	RPC_LINE_MAX =
		1 << 20, /* bytes that the engine takes in one line (docs/local-api.md) */
};

/* --- status --- */

static void print_host(const struct json *host)
{
	if (!host)
		return;
	out_line(_("directory  hosted here at %s; accounts: %lld, online: %lld"),
		 json_text(host, "place"), (long long)json_int(host, "accounts", 0),
		 (long long)json_int(host, "onlineAccounts", 0));
}

static void print_account(const struct json *account)
{
	static const struct {
		const char *state, *words;
	} states[] = {
		{ "joining", N_("joining") },
		{ "connecting", N_("looking for the directory") },
		{ "online", N_("online") },
		{ "refused", N_("not let in by the directory (palique doctor)") },
	};
	const char *state = json_text(account, "state"), *name = json_text(account, "name");
	const char *trouble = json_text(account, "trouble");
	const char *words = state ? state : "?";

	if (!name) {
		out_prose("%s", _("account    none yet (palique join LINK, login "
				  "NAME@DIRECTORY, or host)"));
		return;
	}
	for (size_t i = 0; state && i < sizeof states / sizeof *states; i++)
		if (!strcmp(states[i].state, state))
			words = _(states[i].words);
	out_line(_("account    %s@%s, %s"), name, json_text(account, "directory"), words);
	if (trouble && *trouble)
		out_prose("           %s", out_safe(trouble));
	if (json_text(account, "fingerprint"))
		out_line(_("key        %s"), json_text(account, "fingerprint"));
	if (json_text(account, "observed"))
		out_line(_("seen at    %s"), json_text(account, "observed"));
	out_line("%s", json_bool(account, "recovery", false)
			       ? _("recovery   there is a code on paper")
			       : _("recovery   no code yet (palique recovery)"));
	if (json_bool(account, "vaultDue", false))
		out_line("%s", _("           the last changes are not at the directory yet"));
}

/* Who is online, and by what path. */
static void print_paths(const struct json *paths)
{
	char words[256];

	for (size_t i = 0; i < json_count(paths); i++) {
		const char *name = json_text(json_at(paths, i), "name");
		cmd_path(json_at(paths, i), words, sizeof words);
		out_line("           %-16s %s", name ? name : "?", words);
	}
}

/* Only where contacts see something else than usual. */
static void print_seen_as(const struct json *profile)
{
	const char *line = profile ? json_text(profile, "status") : NULL;

	if (!profile)
		return;
	if (json_bool(profile, "invisible", false))
		out_line("%s", _("seen as    invisible to all (palique status available)"));
	else if (!cmd_is(profile, "availability", "available") || (line && *line))
		out_line(_("seen as    %s%s%s"), cmd_availability_words(profile),
			 line && *line ? ": " : "", line ? out_safe(line) : "");
}

int cmd_status(struct cli *c)
{
	struct json *s = NULL;
	int code;

	if (c->o.argument_count)
		return cmd_availability(c);
	code = cli_settled_status(c, false, &s);
	if (code != EXIT_DONE)
		return code;
	print_account(json_get(s, "account"));
	print_seen_as(json_get(s, "profile"));
	out_line(_("contacts   %lld; online: %lld, unread: %lld, queued: %lld"),
		 (long long)json_int(s, "contacts", 0), (long long)json_int(s, "online", 0),
		 (long long)json_int(s, "unread", 0), (long long)json_int(s, "queued", 0));
	print_paths(json_get(s, "paths"));
	if (json_int(s, "devices", 0) > 1)
		out_line(_("devices    %lld; online: %lld (palique devices)"),
			 (long long)json_int(s, "devices", 0),
			 (long long)json_int(s, "onlineDevices", 0));
	if (json_int(s, "held", 0))
		out_line(_("held       %lld, until you accept a new key (palique doctor)"),
			 (long long)json_int(s, "held", 0));
	out_line(_("engine     version %s, process %lld, since %s, UDP port %lld"),
		 json_text(s, "version"), (long long)json_int(s, "pid", 0),
		 out_time(json_int(s, "started", 0)), (long long)json_int(s, "port", 0));
	out_line(_("home       %s"), out_safe(json_text(s, "home")));
	print_host(json_get(s, "host"));
	if (json_text(s, "version") && strcmp(json_text(s, "version"), PALIQUE_VERSION))
		out_say(_("This command is version %s: palique stop, so that the new engine "
			  "begins."),
			PALIQUE_VERSION);
	out_json(s);
	return EXIT_DONE;
}

/* --- doctor --- */

static bool print_check(const struct json *check)
{
	bool is_ok = json_bool(check, "ok", false);
	const char *hint = json_text(check, "hint"), *mark = "·";

	if (!is_ok)
		mark = out_color(COLOR_BAD, "✘");
	else if (!json_bool(check, "remark", false))
		mark = out_color(COLOR_GOOD, "✔");
	out_prose("%s %s", mark, out_safe(json_text(check, "text")));
	if (!is_ok && hint && *hint)
		out_line("  %s %s", _("try:"), out_safe(hint));
	out_json(json_keep((struct json *)check));
	return is_ok;
}

static bool is_address(const char *host)
{
	uint8_t ip[16];

	return inet_pton(AF_INET, host, ip) == 1 || inet_pton(AF_INET6, host, ip) == 1;
}

/* Does the directory's name mean anything on this machine? Only worth a line when it is one. */
static bool check_resolves(struct cli *c)
{
	struct addrinfo want = { .ai_socktype = SOCK_DGRAM }, *found = NULL;
	struct json *status = NULL, *check;
	const struct json *account;
	const char *directory;
	struct directory_place place;
	char text[256];
	bool is_ok = true;

	if (cli_call(c, "status", NULL, &status) != EXIT_DONE)
		return false;
	account = json_get(status, "account");
	directory = account ? json_text(account, "directory") : NULL;
	if (directory && place_parse(&place, directory) == 0 && !is_address(place.host)) {
		int err = getaddrinfo(place.host, NULL, &want, &found);
		is_ok = err == 0;
		if (is_ok)
			snprintf(text, sizeof text, _("the directory's name %s has an address"),
				 place.host);
		else
			snprintf(text, sizeof text,
				 _("the directory's name %s has no address here: %s"),
				 place.host, gai_strerror(err));
		check = json_set_text(json_object(), "check", "dns");
		json_set_bool(check, "ok", is_ok);
		json_set_text(check, "text", text);
		json_set_text(check, "hint",
			      is_ok ? "" : _("check the network connection and the name"));
		print_check(check);
		json_free(check);
	}
	if (found)
		freeaddrinfo(found);
	json_free(status);
	return is_ok;
}

int cmd_doctor(struct cli *c)
{
	struct json *result = NULL, *status = NULL;
	const struct json *checks;
	unsigned bad = 0;
	int code = cli_settled_status(c, true, &status);

	json_free(status);
	if (code == EXIT_DONE)
		code = cli_call(c, "doctor", NULL, &result);
	if (code != EXIT_DONE)
		return code;
	checks = json_get(result, "checks");
	for (size_t i = 0; i < json_count(checks); i++)
		bad += !print_check(json_at(checks, i));
	bad += !check_resolves(c);
	json_free(result);
	if (bad == 0)
		out_done("%s", _("everything is well"));
	else
		out_say(ngettext("%u thing to look at", "%u things to look at", bad), bad);
	return bad ? EXIT_FAILED : EXIT_DONE;
}

/* --- rpc --- */

/* Whether a line from the program will be answered, or one from the engine is an answer. */
static bool has_answer(struct bytes line, bool is_request)
{
	struct json *o = NULL;
	bool is_note;

	if (json_parse(&o, line) < 0)
		return true;
	is_note = is_request ? json_text(o, "method") && !json_has(o, "id")
			     : !json_has(o, "id");
	json_free(o);
	return !is_note;
}

struct bridge {
	struct client *client;
	struct buf input;
	int owed;     /* answers that are still to come */
	bool is_over; /* nothing more to ask */
};

static int take_input(struct bridge *b)
{
	uint8_t *room = buf_room(&b->input, 65536), *end;
	ssize_t got = room ? read(STDIN_FILENO, room, 65536) : -1;
	int err = 0;

	if (!room)
		return ERR_LIMIT;
	if (got < 0 && errno == EINTR)
		return 0;
	if (got > 0)
		buf_grew(&b->input, (size_t)got);
	b->is_over = got <= 0;
	if (b->is_over && b->input.size)
		buf_append_byte(&b->input, '\n');
	while (err == 0 && b->input.size &&
	       (end = memchr(b->input.data, '\n', b->input.size)) != NULL) {
		struct bytes line = bytes_of(b->input.data, (size_t)(end - b->input.data));
		if (line.size > RPC_LINE_MAX)
			return ERR_LIMIT;
		if (line.size) {
			b->owed += has_answer(line, true);
			err = client_write_line(b->client, line);
		}
		buf_drop_front(&b->input, line.size + 1);
	}
	return err;
}

static int give_output(struct bridge *b)
{
	struct bytes line;
	int err = client_read_line(b->client, b->is_over ? RPC_ANSWERS_MS : CLIENT_FOREVER,
				   &line);

	if (err < 0)
		return err;
	if (b->owed > 0)
		b->owed -= has_answer(line, false);
	if (out_is_terminal()) {
		char *safe = text_safe_json((const char *)line.data, line.size);
		fputs(safe, stdout);
		free(safe);
	} else {
		fwrite(line.data, 1, line.size, stdout);
	}
	putchar('\n');
	return fflush(stdout) == 0 ? 0 : ERR_IO;
}

int cmd_rpc(struct cli *c)
{
	struct bridge b = { 0 };
	char trouble[128];
	int code = cli_engine(c), err = 0;

	if (code != EXIT_DONE)
		return code;
	b.client = c->client;
	buf_init(&b.input, RPC_LINE_MAX + 65536);
	while (err == 0 && (!b.is_over || b.owed > 0)) {
		struct pollfd wait[2] = { { .fd = client_fd(b.client), .events = POLLIN },
					  { .fd = b.is_over ? -1 : STDIN_FILENO,
					    .events = POLLIN } };
		bool has_more = client_has_more(b.client);
		if (poll(wait, 2,
			 has_more    ? 0
			 : b.is_over ? RPC_ANSWERS_MS
				     : -1) < 0 &&
		    errno != EINTR)
			err = ERR_IO;
		if (err == 0 && (has_more || wait[0].revents))
			err = give_output(&b);
		if (err == 0 && wait[1].revents)
			err = take_input(&b);
	}
	buf_clear(&b.input);
	if (err == ERR_LIMIT) {
		snprintf(trouble, sizeof trouble,
			 _("a line holds at most %d bytes; this one has more"), RPC_LINE_MAX);
		return cli_usage(trouble, "palique rpc --help");
	}
	if (err < 0)
		return cli_failed(
			err, err == ERR_CLOSED ? _("the engine has ended") : error_text(err),
			"palique status");
	return EXIT_DONE;
}

/* --- stop and daemon --- */

static void on_alarm(int signal)
{
	(void)signal; /* interrupts flock() */
}

/* The lock of the home is given up last: then everything is written and closed. */
static int wait_until_ended(const struct cli *c)
{
	struct sigaction wake = { .sa_handler = on_alarm };
	char path[CLI_PATH_MAX + 16];
	int fd, err;

	snprintf(path, sizeof path, "%s/lock", c->home);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return 0;
	sigaction(SIGALRM, &wake, NULL);
	alarm(STOP_WAIT_S);
	err = flock(fd, LOCK_SH) < 0 ? ERR_TIMEOUT : 0;
	alarm(0);
	close(fd);
	return err;
}

int cli_stop(struct cli *c, bool *was_running)
{
	struct client_place place;
	struct client_error error;
	struct json *result = NULL;
	int code = c->home[0] ? EXIT_DONE : cli_home(c);

	*was_running = false;
	if (code != EXIT_DONE)
		return code;
	place = (struct client_place){ .home = c->home, .socket = c->socket };
	if (!c->client && client_open(&c->client, &place, false, &error) < 0)
		return EXIT_DONE;
	*was_running = true;
	code = cli_call(c, "stop", NULL, &result);
	json_free(result);
	client_close(c->client);
	c->client = NULL;
	if (code != EXIT_DONE)
		return code;
	if (wait_until_ended(c) < 0)
		return cli_failed(ERR_TIMEOUT, _("the engine was told to stop but still runs"),
				  "palique status");
	return EXIT_DONE;
}

int cmd_stop(struct cli *c)
{
	bool was_running;
	int code = cli_stop(c, &was_running);

	if (code != EXIT_DONE)
		return code;
	if (was_running)
		out_done("%s",
			 _("the engine has ended; it begins again with the next command"));
	else
		out_done("%s", _("no engine was running"));
	out_json(json_set_bool(json_object(), "stopped", was_running));
	return EXIT_DONE;
}

int cmd_daemon(struct cli *c)
{
	struct cli_daemon options = {
		.home = c->o.value[OPT_HOME],
		.begin_anew = c->o.value[OPT_BEGIN_ANEW] != NULL,
		.is_verbose = c->o.value[OPT_VERBOSE] != NULL,
		.is_quiet = c->o.value[OPT_QUIET] != NULL,
	};
	struct json *status = NULL;
	long ready_fd, passphrase_fd;
	int code;

	if (options_number(&c->o, OPT_READY_FD, 3, 1 << 20, -1, &ready_fd) < 0)
		return cli_usage(_("--ready-fd is the number of a file descriptor"),
				 "palique help daemon");
	if (options_number(&c->o, OPT_PASSPHRASE_FD, 0, 1 << 20, -1, &passphrase_fd) < 0)
		return cli_usage(_("--passphrase-fd needs the number of a file descriptor"),
				 "palique help daemon");
	options.ready_fd = (int)ready_fd;
	options.passphrase_fd = (int)passphrase_fd;
	if (c->o.value[OPT_FOREGROUND])
		return c->programs->run_daemon(&options);
	if (passphrase_fd >= 0)
		return cli_usage(_("in the background a locked home is begun by unlock"),
				 "palique unlock --passphrase-fd N");
	c->begin_anew = options.begin_anew;
	code = cli_call(c, "status", NULL, &status);
	if (code == EXIT_DONE) {
		out_done(_("the engine runs (process %lld)"),
			 (long long)json_int(status, "pid", 0));
		out_json(json_keep(status));
	}
	json_free(status);
	return code;
}
