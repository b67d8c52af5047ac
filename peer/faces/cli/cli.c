#include "peer/faces/cli/cli.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/faces/cli/output.h"
#include "peer/faces/cli/prompt.h"
#include "shared/error.h"
#include "shared/text.h"
#include "shared/version.h"

enum {
	CALL_TIMEOUT_MS = 120 * 1000, /* stretching, work and a slow directory included */
	SETTLE_MS = 2700, /* a new engine finds the directory in less, if there is one; else it
			   * knows by then whether anything comes back at all */
	SETTLE_LOOK_MS = 100,
	SETTLE_NOTES = 1000,
	SETTLE_QUIET_MS = 60, /* and after so much silence has heard of its contacts */
};

static int exit_code(int err)
{
	switch (err) {
	case 0:
		return EXIT_DONE;
	case ERR_FORMAT:
	case ERR_NAME:
		return EXIT_USAGE;
	case ERR_LOCKED:
	case ERR_CLOSED:
		return EXIT_NO_ENGINE;
	case ERR_NOT_FOUND:
		return EXIT_NOT_FOUND;
	case ERR_AUTH:
	case ERR_REFUSED:
	case ERR_EXPIRED:
	case ERR_KEY_CHANGED:
	case ERR_SUSPENDED:
		return EXIT_REFUSED;
	case ERR_TIMEOUT:
		return EXIT_TIMEOUT;
	default:
		return EXIT_FAILED;
	}
}

int cli_failed(int err, const char *message, const char *hint)
{
	out_error(err, message, hint);
	return exit_code(err);
}

int cli_fail(const struct client_error *error)
{
	return cli_failed(error->err, error->message, error->hint);
}

int cli_usage(const char *message, const char *hint)
{
	out_error(ERR_FORMAT, message, hint);
	return EXIT_USAGE;
}

int cli_home(struct cli *c)
{
	char reason[512] = "";

	if (c->programs->find_home(c->o.value[OPT_HOME], c->home, sizeof c->home, c->socket,
				   sizeof c->socket, reason, sizeof reason) == 0)
		return EXIT_DONE;
	out_error(ERR_IO, reason, _("palique --home OTHER-FOLDER COMMAND"));
	return EXIT_FAILED;
}

static bool is_connecting(const struct json *account)
{
	const char *state = account ? json_text(account, "state") : NULL;

	return state && !strcmp(state, "connecting");
}

static bool is_in_network(const struct json *status, const char *what)
{
	const struct json *network = json_get(status, "network");

	return network && json_bool(network, what, false);
}

static bool is_still_connecting(struct client *client)
{
	struct client_error error;
	struct json *status = NULL;
	bool is_waiting = false;

	if (client_call(client, "status", NULL, SETTLE_MS, &status, &error) == 0)
		is_waiting = is_connecting(json_get(status, "account")) &&
			     !is_in_network(status, "udpBlocked");
	json_free(status);
	return is_waiting;
}

/* Until the account is another, and quiet then. */
static void wait_for_account(struct client *client)
{
	struct json *note = NULL;
	int waited = 0;
	bool is_there = false;

	for (unsigned i = 0; i < SETTLE_NOTES && waited < SETTLE_MS; i++) {
		const char *method;
		if (client_next(client, is_there ? SETTLE_QUIET_MS : SETTLE_LOOK_MS, &note) <
		    0) {
			waited += SETTLE_LOOK_MS;
			if (is_there || !is_still_connecting(client))
				return;
			continue;
		}
		method = json_text(note, "method");
		if (method && !strcmp(method, "notice"))
			cmd_notice(json_get(note, "params"));
		if (method && !strcmp(method, "account") &&
		    !is_connecting(json_get(note, "params")))
			is_there = true;
		json_free(note);
	}
}

/* An engine that was begun a moment ago does not know yet who is online: what a command
 * would show or decide now would be stale the next moment. */
static void settle(struct client *client)
{
	struct client_error error;
	struct json *result = NULL, *note = NULL;

	if (client_call(client, "subscribe", NULL, SETTLE_MS, &result, &error) < 0)
		return;
	json_free(result);
	if (is_still_connecting(client))
		wait_for_account(client);
	if (client_call(client, "unsubscribe", NULL, SETTLE_MS, &result, &error) == 0)
		json_free(result);
	while (client_next(client, 0, &note) == 0)
		json_free(note);
}

int cli_engine(struct cli *c)
{
	struct client_place place = { .home = c->home,
				      .socket = c->socket,
				      .begin_anew = c->begin_anew };
	struct client_error error;
	int code = c->client ? EXIT_DONE : cli_home(c);

	if (code != EXIT_DONE || c->client)
		return code;
	if (client_open(&c->client, &place, true, &error) < 0) {
		cli_fail(&error);
		return EXIT_NO_ENGINE;
	}
	if (client_has_started_engine(c->client))
		settle(c->client);
	return EXIT_DONE;
}

int cli_call(struct cli *c, const char *method, struct json *take_params, struct json **result)
{
	struct client_error error;
	int code = cli_engine(c);

	*result = NULL;
	if (code != EXIT_DONE) {
		json_free(take_params);
		return code;
	}
	if (client_call(c->client, method, take_params, CALL_TIMEOUT_MS, result, &error) < 0) {
		/* To programs the engine tells of itself; a person typed a command. */
		if (!strcmp(error.hint, "palique rpc --help"))
			snprintf(error.hint, sizeof error.hint, "palique help %s",
				 options_command_name(c->o.command));
		return cli_fail(&error);
	}
	return EXIT_DONE;
}

int cli_settled_status(struct cli *c, bool needs_all, struct json **status)
{
	int code = cli_call(c, "status", NULL, status);

	for (int waited = 0; code == EXIT_DONE && waited < SETTLE_MS;
	     waited += SETTLE_LOOK_MS) {
		bool is_waiting = is_in_network(*status, "settling");
		if (!is_waiting || (!needs_all && !is_connecting(json_get(*status, "account"))))
			break;
		(void)poll(NULL, 0, SETTLE_LOOK_MS);
		json_free(*status);
		code = cli_call(c, "status", NULL, status);
	}
	return code;
}

/* "receive" and the like come, too, and are for others. */
static void tell_progress(const struct json *note)
{
	const char *method = json_text(note, "method");
	const struct json *params = json_get(note, "params");
	const char *detail = params ? json_text(params, "detail") : NULL;

	if (method && !strcmp(method, "notice"))
		cmd_notice(params);
	else if (method && !strcmp(method, "account") && detail && *detail)
		out_say("  %s", out_safe(detail));
}

/* Whether nothing comes back from the directory; the first time it is told, with what can be
 * done, while the engine goes on trying. */
static void look_whether_blocked(struct cli *c, bool *is_blocked)
{
	struct client_error error;
	struct json *status = NULL;
	const char *trouble;

	if (*is_blocked ||
	    client_call(c->client, "status", NULL, SETTLE_MS, &status, &error) < 0)
		return;
	*is_blocked = is_in_network(status, "udpBlocked");
	trouble = json_text(json_get(status, "account"), "trouble");
	if (*is_blocked && trouble && *trouble) {
		out_say("* %s", out_safe(trouble));
		out_say("  %s",
			_("What helps: another network, a phone's for example; or ask who runs "
			  "this one to let UDP out. Still trying..."));
	}
	json_free(status);
}

static int fail_slowly(const struct client_error *error, bool is_blocked)
{
	if (is_blocked && (error->err == ERR_TIMEOUT || error->err == ERR_OFFLINE))
		return cli_failed(error->err,
				  _("nothing came back from the directory: UDP does not get "
				    "out of this network, or the directory is down"),
				  _("the same again from another network"));
	return cli_fail(error);
}

int cli_call_slowly(struct cli *c, const char *method, struct json *take_params,
		    struct json **result)
{
	struct client_error error = { .err = ERR_CLOSED };
	struct json *object = NULL, *ignored = NULL;
	const struct json *inside;
	int code = cli_call(c, "subscribe", NULL, &ignored), err, waited = 0;
	bool is_answer = false, is_blocked = false;

	*result = NULL;
	json_free(ignored);
	if (code != EXIT_DONE) {
		json_free(take_params);
		return code;
	}
	err = client_post(c->client, method, take_params);
	while (err >= 0 && !is_answer) {
		err = client_next(c->client, SETTLE_LOOK_MS, &object);
		if (err == ERR_TIMEOUT && waited < CALL_TIMEOUT_MS) {
			waited += SETTLE_LOOK_MS;
			look_whether_blocked(c, &is_blocked);
			err = 0;
			continue;
		}
		if (err < 0)
			break;
		waited = 0;
		is_answer = !json_text(object, "method");
		if (!is_answer)
			tell_progress(object);
		else if ((err = client_outcome(object, &inside, &error)) == 0)
			*result = inside ? json_keep((struct json *)inside) : json_object();
		json_free(object);
	}
	if (err < 0 && !is_answer)
		return cli_failed(
			err, err == ERR_CLOSED ? _("the engine has ended") : error_text(err),
			"palique status");
	return err < 0 ? fail_slowly(&error, is_blocked) : EXIT_DONE;
}

int cli_password(struct cli *c, struct secret *secret, const char *question, bool is_new)
{
	char trouble[256], hint[64];
	int err = prompt_password(secret, &c->o, question, is_new, trouble, sizeof trouble);

	snprintf(hint, sizeof hint, "palique help %s", options_command_name(c->o.command));
	return err < 0 ? cli_usage(trouble, hint) : EXIT_DONE;
}

int cli_sure(struct cli *c, const char *question)
{
	char hint[64];
	bool is_yes;

	if (c->o.value[OPT_YES])
		return EXIT_DONE;
	snprintf(hint, sizeof hint, "palique help %s", options_command_name(c->o.command));
	if (prompt_yes(&is_yes, &c->o, question) < 0)
		return cli_usage(_("this wants a yes and there is nobody to ask: give --yes"),
				 hint);
	if (is_yes)
		return EXIT_DONE;
	out_say("%s", _("Nothing was done."));
	return EXIT_FAILED;
}

char *cli_rest(const struct cli *c, int from)
{
	struct buf text = { 0 };

	for (int i = from; i < c->o.argument_count; i++) {
		if (i > from)
			buf_append_byte(&text, ' ');
		buf_append(&text, bytes_text(c->o.arguments[i]));
	}
	buf_append_byte(&text, '\0');
	return (char *)text.data;
}

char *cli_absolute(const char *file)
{
	struct buf path = { 0 };
	char *here = NULL;

	if (file[0] != '/') {
		here = getcwd(NULL, 0);
		buf_append(&path, bytes_text(here ? here : ""));
		buf_append_byte(&path, '/');
	}
	buf_append(&path, bytes_text(file));
	buf_append_byte(&path, '\0');
	free(here);
	return (char *)path.data;
}

static int help(struct cli *c)
{
	enum command about = COMMAND_COUNT;

	for (unsigned i = 0; c->o.argument_count && i < COMMAND_COUNT; i++)
		if (!strcmp(options_command_name((enum command)i), c->o.arguments[0]))
			about = (enum command)i;
	if (c->o.argument_count && about == COMMAND_COUNT)
		return cli_usage(_("there is no such command"), "palique help");
	options_help(stdout, about);
	return EXIT_DONE;
}

/* clang-format off */
static int (*const commands[COMMAND_COUNT])(struct cli *c) = {
	[CMD_JOIN] = cmd_join,
	[CMD_LOGIN] = cmd_login,
	[CMD_RECOVER] = cmd_recover,
	[CMD_RESET] = cmd_reset,
	[CMD_PASSWD] = cmd_passwd,
	[CMD_RECOVERY] = cmd_recovery,
	[CMD_DEVICES] = cmd_devices,
	[CMD_ACCOUNT] = cmd_account,
	[CMD_BACKUP] = cmd_backup,
	[CMD_RESTORE] = cmd_import,
	[CMD_EXPORT] = cmd_export,
	[CMD_IMPORT] = cmd_import,
	[CMD_LOCK] = cmd_lock,
	[CMD_UNLOCK] = cmd_unlock,
	[CMD_HOST] = cmd_host,
	[CMD_INVITE] = cmd_invite,
	[CMD_LINK] = cmd_link,
	[CMD_ADD] = cmd_add,
	[CMD_ACCEPT] = cmd_accept,
	[CMD_BLOCK] = cmd_block,
	[CMD_UNBLOCK] = cmd_unblock,
	[CMD_REMOVE] = cmd_remove,
	[CMD_REQUESTS] = cmd_requests,
	[CMD_CONSENT] = cmd_consent,
	[CMD_RELAY] = cmd_relay,
	[CMD_SAFETY] = cmd_safety,
	[CMD_VERIFY] = cmd_verify,
	[CMD_LS] = cmd_ls,
	[CMD_SEND] = cmd_send,
	[CMD_REPLY] = cmd_reply,
	[CMD_EDIT] = cmd_edit,
	[CMD_REACT] = cmd_react,
	[CMD_DELETE] = cmd_delete,
	[CMD_FORWARD] = cmd_forward,
	[CMD_RECV] = cmd_recv,
	[CMD_READ] = cmd_read,
	[CMD_CHAT] = cmd_chat,
	[CMD_HISTORY] = cmd_history,
	[CMD_SEARCH] = cmd_search,
	[CMD_SHOW] = cmd_show,
	[CMD_FILES] = cmd_files,
	[CMD_TIMER] = cmd_timer,
	[CMD_FORGET] = cmd_forget,
	[CMD_PROFILE] = cmd_profile,
	[CMD_HIDE] = cmd_hide,
	[CMD_UNHIDE] = cmd_unhide,
	[CMD_SETTINGS] = cmd_settings,
	[CMD_STATUS] = cmd_status,
	[CMD_DOCTOR] = cmd_doctor,
	[CMD_WEB] = cmd_web,
	[CMD_OPEN] = cmd_open,
	[CMD_BOT] = cmd_bot,
	[CMD_RPC] = cmd_rpc,
	[CMD_STOP] = cmd_stop,
	[CMD_DAEMON] = cmd_daemon,
	[CMD_COMPLETION] = cmd_completion,
	[CMD_HELP] = help,
};
/* clang-format on */

static const char *volatile interrupted_words;
static const char *volatile interrupted_file;

void cli_when_interrupted(const char *words, const char *file)
{
	interrupted_words = words;
	interrupted_file = file;
}

/* Only what is safe in a signal handler. */
static void on_interrupt(int signal)
{
	const char *words = interrupted_words, *file = interrupted_file;

	(void)signal;
	prompt_interrupted();
	if (file)
		unlink(file);
	if (words && write(STDERR_FILENO, words, strlen(words)) < 0)
		_exit(EXIT_INTERRUPTED);
	_exit(EXIT_INTERRUPTED);
}

/* recv --timeout: over when the time is. */
static void on_alarm(int signal)
{
	(void)signal;
	_exit(EXIT_TIMEOUT);
}

static void version(void)
{
	struct json *o = json_set_text(json_object(), "name", "palique");

	out_line("palique %s", PALIQUE_VERSION);
	out_json(json_set_text(o, "version", PALIQUE_VERSION));
}

int cli_run(int argc, char **argv, const struct cli_programs *programs)
{
	struct cli *c = memory_new(sizeof *c);
	char trouble[512], next[128];
	int code, err;

	c->programs = programs;
	err = options_parse(&c->o, argc, argv, trouble, sizeof trouble, next, sizeof next);
	if (out_init(&c->o) < 0 && err == 0) {
		err = ERR_FORMAT;
		snprintf(trouble, sizeof trouble, "%s", _("--color is auto, always or never"));
		snprintf(next, sizeof next, "palique --help");
	}
	/* The engine minds its own signals. */
	if (c->o.command != CMD_DAEMON) {
		signal(SIGINT, on_interrupt);
		signal(SIGALRM, on_alarm);
	}
	code = EXIT_DONE;
	if (err < 0)
		code = cli_usage(trouble, next);
	else if (c->o.value[OPT_VERSION])
		version();
	else if (c->o.value[OPT_HELP])
		options_help(stdout, c->o.command);
	else if (c->o.command == COMMAND_COUNT && c->o.value[OPT_PLAIN])
		code = cmd_plain(c);
	else if (c->o.command == COMMAND_COUNT && isatty(STDIN_FILENO) && out_is_terminal())
		code = cmd_terminal(c);
	else if (c->o.command == COMMAND_COUNT)
		options_help(stdout, c->o.command);
	else
		code = commands[c->o.command](c);
	client_close(c->client);
	free(c);
	if (fflush(stdout) != 0 && code == EXIT_DONE)
		code = EXIT_FAILED;
	return code;
}
