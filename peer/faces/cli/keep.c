/* Keeping an account: backup, restore, export, and the lock of this machine's store. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "peer/faces/cli/prompt.h"
#include "shared/error.h"
#include "shared/text.h"

enum {
	STATUS_EVERY_MS = 500,
	STATUS_SHOWN = 4,     /* so many of them make one line */
	STATUS_UNHEARD = 120, /* so many without an answer, and the engine hangs */
	REASON_MAX = 1024,
};

static int passphrase(struct cli *c, struct secret *secret, const char *question, bool is_new)
{
	char trouble[256], hint[64];
	int err = prompt_passphrase(secret, &c->o, question, is_new, trouble, sizeof trouble);

	snprintf(hint, sizeof hint, "palique help %s", options_command_name(c->o.command));
	return err < 0 ? cli_usage(trouble, hint) : EXIT_DONE;
}

/* --- export ------------------------------------------------------------------------ */

/* What takes its time, and by which call one hears how far it is. */
struct slow {
	const char *method, *status;
	void (*show)(const struct json *status);
};

static void show_backup(const struct json *status)
{
	const char *state = json_text(status, "state");
	long long done = json_int(status, "done", 0) >> 20;
	long long total = json_int(status, "total", 0) >> 20;

	if (!state || !strcmp(state, "none"))
		return;
	out_say(!strcmp(state, "copying") ? _("  copying: %lld of %lld MiB")
					  : _("  sealing: %lld of %lld MiB"),
		done, total);
}

static void show_writing(const struct json *status)
{
	if (cmd_is(status, "state", "writing"))
		out_say(_("  written so far: messages: %lld, files: %lld"),
			(long long)json_int(status, "messages", 0),
			(long long)json_int(status, "files", 0));
}

static const struct slow backing_up = { "exportAccount", "exportStatus", show_backup },
			 writing = { "exportHistory", "exportHistoryStatus", show_writing };

/* Waits for the answer to `id`; asks meanwhile how far it is. */
static int wait_for_export(struct cli *c, const struct slow *slow, int id, struct json **result)
{
	struct client_error error = { 0 };
	const struct json *inside;
	struct json *object;
	unsigned asked = 0, unheard = 0;
	int err = 0;

	*result = NULL;
	cli_when_interrupted(
		_("\n  The engine goes on with it; it has its name once it is whole\n"), NULL);
	while (err == 0 && !*result) {
		int got = client_next(c->client, STATUS_EVERY_MS, &object);
		if (got == ERR_TIMEOUT) {
			if (unheard++ > STATUS_UNHEARD)
				err = ERR_TIMEOUT;
			else if (client_post(c->client, slow->status, NULL) < 0)
				err = ERR_CLOSED;
			continue;
		}
		if (got < 0)
			err = got;
		if (err < 0)
			break;
		unheard = 0;
		if (json_int(object, "id", 0) == id) {
			err = client_outcome(object, &inside, &error);
			if (err == 0)
				*result = inside ? json_keep((struct json *)inside)
						 : json_object();
		} else if (client_outcome(object, &inside, &error) == 0 && inside &&
			   ++asked % STATUS_SHOWN == 0) {
			slow->show(inside);
		}
		json_free(object);
	}
	cli_when_interrupted(NULL, NULL);
	if (err == 0)
		return EXIT_DONE;
	if (error.err == err)
		return cli_fail(&error);
	return cli_failed(err, err == ERR_CLOSED ? _("the engine has ended") : error_text(err),
			  "palique status");
}

/* Begins it, and waits until it is whole. Takes `params`. */
static int run_slowly(struct cli *c, const struct slow *slow, struct json *take_params,
		      struct json **result)
{
	int id = client_post(c->client, slow->method, take_params);

	*result = NULL;
	return id < 0 ? cli_failed(id, error_text(id), "palique status")
		      : wait_for_export(c, slow, id, result);
}

/* Nobody chooses a passphrase in vain. */
static int check_target(struct cli *c, const char *file)
{
	int code = cli_engine(c);

	if (code == EXIT_DONE && !cmd_has_account(c))
		code = cli_failed(ERR_STATE, _("there is no account here yet to export"),
				  _("palique join LINK, or palique login NAME@DIRECTORY"));
	if (code == EXIT_DONE && access(file, F_OK) == 0 && !c->o.value[OPT_FORCE])
		code = cli_failed(
			ERR_EXISTS,
			_("there is a file of that name already, and it stays: choose "
			  "another name, or add --force"),
			_("palique backup OTHER-FILE"));
	return code;
}

int cmd_backup(struct cli *c)
{
	char *file = cli_absolute(c->o.arguments[0]);
	struct json *params, *result = NULL;
	struct secret secret;
	int code = check_target(c, file);

	if (code == EXIT_DONE)
		code = passphrase(c, &secret, _("choose a passphrase for the file"), true);
	if (code != EXIT_DONE)
		goto out;
	params = json_set_text(json_object(), "path", file);
	json_set_text(params, "passphrase", secret.text);
	secret_wipe(&secret);
	if (c->o.value[OPT_FORCE])
		json_set_bool(params, "replace", true);
	code = run_slowly(c, &backing_up, params, &result);
	if (code == EXIT_DONE) {
		out_done(_("%s holds the account and its history, sealed."), out_safe(file));
		out_say("%s",
			_("  Without the passphrase nobody opens it, you neither.\n"
			  "  On another machine: palique restore FILE. It is a move: use the "
			  "account on one\n"
			  "  of the two machines at a time (palique stop here). To use both, "
			  "type there\n"
			  "  palique login instead."));
		out_json(json_keep(result));
	}
	json_free(result);
out:
	free(file);
	return code;
}

/* --- conversations in the clear --- */

static int export_history(struct cli *c, const char *format)
{
	int count = c->o.argument_count;
	const char *name = count > 1 ? c->o.arguments[0] : NULL;
	struct json *params, *result = NULL;
	char *path;
	int code;

	if (strcmp(format, "jsonl") && strcmp(format, "html"))
		return cli_usage(_("--format is jsonl or html"), "palique help export");
	if (name && c->o.value[OPT_ALL])
		return cli_usage(_("either --all or the name of a contact"),
				 "palique help export");
	path = cli_absolute(c->o.arguments[count - 1]);
	params = json_set_text(json_object(), "path", path);
	json_set_text(params, "format", format);
	if (name)
		json_set_text(params, "conversation", name);
	code = cli_engine(c);
	if (code == EXIT_DONE)
		code = run_slowly(c, &writing, params, &result);
	else
		json_free(params);
	if (code == EXIT_DONE) {
		/* TRANSLATORS: a path, a number of messages, a number of files */
		out_done(
			_("%s holds what was said: messages: %lld, files: %lld. Whoever has it "
			  "can read it."),
			out_safe(path), (long long)json_int(result, "messages", 0),
			(long long)json_int(result, "files", 0));
		if (json_int(result, "skipped", 0) > 0)
			out_say(_("  files that are not here any more, and so not in it: %lld"),
				(long long)json_int(result, "skipped", 0));
		out_json(json_keep(result));
	}
	json_free(result);
	free(path);
	return code;
}

int cmd_export(struct cli *c)
{
	const char *format = c->o.value[OPT_FORMAT];

	if (format)
		return export_history(c, format);
	if (c->o.argument_count > 1 || c->o.value[OPT_ALL])
		return cli_usage(
			_("conversations are exported with --format jsonl or html; all of "
			  "the account: palique backup FILE"),
			"palique help export");
	return cmd_backup(c);
}

/* --- import ------------------------------------------------------------------------ */

/* An engine that runs for nobody yet makes room; one with an account stays as it is. */
static int make_room(struct cli *c)
{
	struct client_place place = { .home = c->home, .socket = c->socket };
	struct client_error error;
	struct json *status = NULL;
	const struct json *account;
	const char *state;
	bool was_running;
	int code;

	if (client_open(&c->client, &place, false, &error) < 0)
		return EXIT_DONE;
	code = cli_call(c, "status", NULL, &status);
	account = code == EXIT_DONE ? json_get(status, "account") : NULL;
	state = account ? json_text(account, "state") : NULL;
	if (state && strcmp(state, "none") != 0)
		code = cli_failed(ERR_EXISTS, _("this home has an account already"),
				  _("palique --home OTHER-FOLDER restore FILE"));
	else if (code == EXIT_DONE)
		code = cli_stop(c, &was_running);
	json_free(status);
	return code;
}

static int unreadable(const char *file, int why)
{
	char trouble[512];

	snprintf(trouble, sizeof trouble, _("%.256s cannot be read: %s"), file, strerror(why));
	return cli_failed(why == ENOENT ? ERR_NOT_FOUND : ERR_IO, trouble,
			  _("palique restore FILE"));
}

int cmd_import(struct cli *c)
{
	char reason[REASON_MAX] = "";
	struct json *status = NULL, *result;
	const struct json *account;
	struct secret secret;
	int code = cli_home(c), err;

	if (code == EXIT_DONE && access(c->o.arguments[0], R_OK) < 0)
		code = unreadable(c->o.arguments[0], errno);
	if (code == EXIT_DONE)
		code = make_room(c);
	if (code == EXIT_DONE)
		code = passphrase(c, &secret, _("the passphrase of the file"), false);
	if (code != EXIT_DONE)
		return code;
	out_say("%s", _("opening the file takes a second..."));
	err = c->programs->import_account(c->home, c->o.arguments[0], secret.text, reason,
					  sizeof reason);
	secret_wipe(&secret);
	if (err < 0)
		return cli_failed(err, reason, "");
	code = cli_call(c, "status", NULL, &status);
	if (code != EXIT_DONE)
		return code;
	account = json_get(status, "account");
	out_done(_("%s@%s is here now, with its contacts and its history."),
		 account && json_text(account, "name") ? json_text(account, "name") : "?",
		 account && json_text(account, "directory") ? json_text(account, "directory")
							    : "?");
	out_say("%s",
		_("  It is the same device as before: use it on one machine at a time, and "
		  "do not begin\n  the old one again."));
	cmd_standing(c);
	result = json_set_bool(json_object(), "imported", true);
	if (account)
		json_set(result, "account", json_keep((struct json *)account));
	out_json(result);
	json_free(status);
	return EXIT_DONE;
}

/* --- lock and unlock --------------------------------------------------------------- */

static int look(struct cli *c, enum cli_lock *lock)
{
	char reason[REASON_MAX] = "";
	int code = cli_home(c), err;

	if (code != EXIT_DONE)
		return code;
	err = c->programs->look_at_lock(c->home, lock, reason, sizeof reason);
	return err < 0 ? cli_failed(err, reason, "") : EXIT_DONE;
}

static int change(struct cli *c)
{
	char reason[REASON_MAX] = "";
	struct secret old, fresh;
	int code = passphrase(c, &old, _("the passphrase until now"), false), err;

	if (code == EXIT_DONE)
		code = passphrase(c, &fresh, _("choose another passphrase"), true);
	if (code != EXIT_DONE) {
		secret_wipe(&old);
		return code;
	}
	err = c->programs->change_lock(c->home, old.text, fresh.text, reason, sizeof reason);
	secret_wipe(&old);
	secret_wipe(&fresh);
	if (err < 0)
		return cli_failed(err, reason, "");
	out_done("%s", _("The lock has another passphrase."));
	out_json(json_set_bool(json_object(), "changed", true));
	return EXIT_DONE;
}

static int put_lock(struct cli *c)
{
	char reason[REASON_MAX] = "";
	struct secret secret;
	int code = passphrase(c, &secret, _("choose a passphrase for this home"), true), err;

	if (code != EXIT_DONE)
		return code;
	err = c->programs->lock(c->home, secret.text, reason, sizeof reason);
	secret_wipe(&secret);
	return err < 0 ? cli_failed(err, reason, "") : EXIT_DONE;
}

int cmd_lock(struct cli *c)
{
	enum cli_lock lock;
	bool was_running;
	int code = look(c, &lock);

	if (code != EXIT_DONE)
		return code;
	if (lock == LOCK_NO_KEY)
		return cli_failed(ERR_NOT_FOUND, _("there is nothing in this home to lock yet"),
				  "palique status");
	if (c->o.value[OPT_CHANGE])
		return lock == LOCK_LOCKED
			       ? change(c)
			       : cli_failed(ERR_STATE, _("this home has no lock yet"),
					    "palique lock");
	if (lock == LOCK_OPEN)
		code = put_lock(c);
	if (code == EXIT_DONE)
		code = cli_stop(c, &was_running);
	if (code != EXIT_DONE)
		return code;
	out_done("%s", _("This home is locked; it opens with: palique unlock"));
	if (lock == LOCK_OPEN)
		out_say("%s", _("  Nobody can tell you the passphrase if it is forgotten."));
	out_json(json_set_bool(json_object(), "locked", true));
	return EXIT_DONE;
}

static int take_away(struct cli *c)
{
	char reason[REASON_MAX] = "";
	struct secret secret;
	int code = passphrase(c, &secret, _("passphrase"), false), err;

	if (code != EXIT_DONE)
		return code;
	err = c->programs->remove_lock(c->home, secret.text, reason, sizeof reason);
	secret_wipe(&secret);
	if (err < 0)
		return cli_failed(err, reason, "");
	out_done("%s", _("The lock is gone; commands begin the engine by themselves again."));
	out_json(json_set_bool(json_object(), "locked", false));
	return EXIT_DONE;
}

static int is_open(const char *words)
{
	out_done("%s", words);
	out_json(json_set_bool(json_object(), "locked", false));
	return EXIT_DONE;
}

int cmd_unlock(struct cli *c)
{
	struct client_place place = { .home = c->home, .socket = c->socket };
	struct client_error error;
	struct secret secret;
	enum cli_lock lock;
	int code = look(c, &lock);

	if (code != EXIT_DONE)
		return code;
	if (lock != LOCK_LOCKED)
		return is_open(_("This home has no lock."));
	if (c->o.value[OPT_REMOVE])
		return take_away(c);
	if (client_open(&c->client, &place, false, &error) == 0)
		return is_open(_("This home is unlocked already: its engine runs."));
	code = passphrase(c, &secret, _("passphrase"), false);
	if (code != EXIT_DONE)
		return code;
	place.passphrase = secret.text;
	client_open(&c->client, &place, true, &error);
	secret_wipe(&secret);
	if (!c->client)
		return cli_fail(&error);
	return is_open(_("This home is unlocked, until palique lock or palique stop."));
}
