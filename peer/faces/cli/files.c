/* Files on their way: files, and the waiting for one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "peer/faces/cli/progress.h"
#include "shared/error.h"
#include "shared/text.h"

enum {
	BEGIN_MS = 8000, /* how long a fetch waits for its first bytes when nobody says */
	LOOK_MS = 500,
	LIMIT_MAX = 1000,
	COPY_SIZE = 64 << 10,
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- waiting --- */

struct waiting {
	const char *id;
	struct progress progress;
	struct json *last;
	int64_t until, patience_ms; /* patience below 0: no end */
	bool is_stopped;            /* told that the other side pauses it */
};

static bool is_about(const struct json *note, const char *id)
{
	const struct json *params = json_get(note, "params");

	return cmd_is(note, "method", "transferProgress") && params && cmd_is(params, "id", id);
}

/* True when it is over. */
static bool take_progress(struct waiting *w, const struct json *t, enum cmd_wait *how)
{
	const char *state = json_text(t, "state");
	char figures[160];

	json_free(w->last);
	w->last = json_keep((struct json *)t);
	if (!state)
		return false;
	*how = !strcmp(state, "done") ? WAIT_ARRIVED : WAIT_ENDED;
	if (!strcmp(state, "done") || !strcmp(state, "failed") || !strcmp(state, "cancelled"))
		return true;
	if (!strcmp(state, "running")) {
		if (w->patience_ms >= 0)
			w->until = now_ms() + w->patience_ms;
		w->is_stopped = false;
		cmd_transfer_figures(t, figures, sizeof figures);
		progress_show(&w->progress, json_int(t, "done", 0), json_int(t, "size", 0),
			      figures, now_ms());
	} else if (!strcmp(state, "stopped") && !w->is_stopped) {
		w->is_stopped = true;
		progress_end(&w->progress);
		out_say("%s", _("  the other side has paused it; waiting"));
	}
	return false;
}

static enum cmd_wait wait_on(struct cli *c, struct waiting *w)
{
	enum cmd_wait how = WAIT_NOT_BEGUN;
	struct json *note = NULL;
	bool is_over = false;

	while (!is_over) {
		int64_t left = w->until - now_ms();
		int err = client_next(c->client,
				      w->patience_ms < 0 || left > LOOK_MS ? LOOK_MS
				      : left > 0                           ? (int)left
									   : 0,
				      &note);
		if (err == ERR_TIMEOUT && (w->patience_ms < 0 || now_ms() < w->until))
			continue;
		if (err < 0)
			return err == ERR_TIMEOUT ? WAIT_NOT_BEGUN : WAIT_CLOSED;
		if (is_about(note, w->id))
			is_over = take_progress(w, json_get(note, "params"), &how);
		else if (cmd_is(note, "method", "notice") || cmd_is(note, "method", "warning"))
			cmd_notice(json_get(note, "params"));
		json_free(note);
	}
	return how;
}

/* How it stands already: it may have been quicker than we. */
static bool look(struct cli *c, struct waiting *w, enum cmd_wait *how)
{
	struct json *result = NULL;
	const struct json *m;
	struct json *file;
	bool is_over = false;

	if (cli_call(c, "getMessage", json_set_text(json_object(), "id", w->id), &result) !=
	    EXIT_DONE)
		return false;
	m = json_get(result, "message");
	file = m ? (struct json *)json_get(m, "file") : NULL;
	if (file) {
		/* As in a transferProgress. */
		json_set_text(file, "id", w->id);
		json_set_text(file, "conversation", json_text(m, "conversation"));
		json_set_bool(file, "own", json_bool(m, "own", false));
		is_over = take_progress(w, file, how);
	}
	json_free(result);
	return is_over;
}

enum cmd_wait cmd_wait_for_file(struct cli *c, const char *label, const char *id,
				int64_t begin_ms, struct json **transfer)
{
	struct waiting w = { .id = id,
			     .patience_ms = begin_ms,
			     .until = now_ms() + (begin_ms > 0 ? begin_ms : 0) };
	enum cmd_wait how = WAIT_NOT_BEGUN;

	progress_begin(&w.progress, label, now_ms());
	cli_when_interrupted(_("\n  It goes on in the engine: palique files\n"), NULL);
	if (!look(c, &w, &how))
		how = wait_on(c, &w);
	cli_when_interrupted(NULL, NULL);
	progress_end(&w.progress);
	if (transfer)
		*transfer = w.last;
	else
		json_free(w.last);
	return how;
}

/* --- fetching --- */

static bool is_to_output(const struct cli *c)
{
	return c->o.value[OPT_TO] && !strcmp(c->o.value[OPT_TO], "-");
}

/* --to - : what has arrived, to standard output, too. */
static int copy_out(const char *path, const char *id)
{
	uint8_t *piece = memory_new(COPY_SIZE);
	int fd = open(path, O_RDONLY | O_CLOEXEC), code = EXIT_DONE;
	ssize_t got = -1;
	const char *trouble = _("the file has arrived, but cannot be read there any more");
	char hint[64];

	while (fd >= 0 && (got = read(fd, piece, COPY_SIZE)) > 0)
		if (fwrite(piece, 1, (size_t)got, stdout) != (size_t)got)
			break;
	if (got < 0 && errno == EISDIR)
		trouble = _("a folder does not fit into standard output; it has arrived");
	else if (got > 0 || (got == 0 && fflush(stdout) != 0))
		trouble = _("the file has arrived, but cannot be written to standard output");
	snprintf(hint, sizeof hint, "palique show %s", id);
	if (fd < 0 || got != 0 || ferror(stdout))
		code = cli_failed(ERR_IO, trouble, hint);
	if (fd >= 0)
		close(fd);
	free(piece);
	return code;
}

static void report_waiting(const struct json *transfer, const char *name, const char *id)
{
	if (transfer && cmd_is(transfer, "state", "paused"))
		out_line(_("it rests; palique files resume %s goes on with it"), id);
	else if (transfer && cmd_is(transfer, "state", "stopped"))
		out_line(_("%s has paused it: it goes on when they let it (palique files)"),
			 name);
	else if (transfer && json_bool(transfer, "own", false))
		out_line(_("it goes on as soon as %s fetches it (palique files)"), name);
	else
		out_line(_("accepted: it comes as soon as %s is reached (palique files)"),
			 name);
}

static int report_fetch(struct cli *c, const char *id, enum cmd_wait how,
			const struct json *transfer)
{
	const char *path = transfer ? json_text(transfer, "path") : NULL,
		   *reason = transfer ? json_text(transfer, "reason") : NULL,
		   *name = transfer ? json_text(transfer, "conversation") : NULL;
	const char *pattern = "palique files accept %s";
	char hint[64], trouble[512];

	/* What was taken back does not come, however often it is accepted; what has no place here does elsewhere. */
	if (transfer && cmd_is(transfer, "error", "expired"))
		pattern = _("palique reply %s TEXT");
	else if (transfer &&
		 (cmd_is(transfer, "error", "refused") || cmd_is(transfer, "error", "full")))
		pattern = _("palique files accept %s --to FOLDER");
	snprintf(hint, sizeof hint, pattern, id);
	if (how == WAIT_ARRIVED && transfer && json_bool(transfer, "own", false)) {
		out_done(_("it has arrived at %s"), name ? out_safe(name) : "?");
		return EXIT_DONE;
	}
	if (how == WAIT_ARRIVED && is_to_output(c))
		return copy_out(path ? path : "", id);
	if (how == WAIT_ARRIVED) {
		out_done(_("saved: %s"), path ? out_safe(path) : "?");
		return EXIT_DONE;
	}
	if (how == WAIT_CLOSED)
		return cli_failed(ERR_CLOSED,
				  _("the engine has ended; what came so far is kept"),
				  "palique status");
	if (how == WAIT_NOT_BEGUN) {
		report_waiting(transfer, name ? out_safe(name) : "?", id);
		return c->o.value[OPT_WAIT] ? EXIT_TIMEOUT : EXIT_DONE;
	}
	snprintf(trouble, sizeof trouble, _("the file did not come: %s"),
		 reason ? out_safe(reason) : _("it was cancelled"));
	return cli_failed(ERR_IO, trouble, hint);
}

static int accept_file(struct cli *c, const char *id, struct json **result)
{
	struct json *params = json_set_text(json_object(), "id", id), *ignored = NULL;
	const char *to = c->o.value[OPT_TO];
	int code = cli_call(c, "subscribe", NULL, &ignored);

	json_free(ignored);
	if (to && strcmp(to, "-")) {
		char *folder = cli_absolute(to);
		json_set_text(params, "folder", folder);
		free(folder);
	}
	if (code == EXIT_DONE)
		return cli_call(c, "acceptFile", params, result);
	json_free(params);
	return code;
}

/* Whether it came before, and is written to standard output now, as often as that is asked for. */
static bool is_copied_out(struct cli *c, const char *id, int *code)
{
	struct json *result = NULL;
	const struct json *m, *file;
	bool is_here = false;

	*code = cli_call(c, "getMessage", json_set_text(json_object(), "id", id), &result);
	m = *code == EXIT_DONE ? json_get(result, "message") : NULL;
	file = m ? json_get(m, "file") : NULL;
	if (file && !json_bool(m, "own", false) && cmd_is(file, "state", "done") &&
	    json_text(file, "path")) {
		is_here = true;
		*code = copy_out(json_text(file, "path"), id);
	}
	json_free(result);
	return is_here || *code != EXIT_DONE;
}

int cmd_fetch(struct cli *c, const char *id)
{
	const char *wait = c->o.value[OPT_WAIT], *name;
	struct json *result = NULL, *transfer = NULL;
	enum cmd_wait how = WAIT_NOT_BEGUN;
	char label[128];
	long timeout_s;
	int code;

	if (wait && strcmp(wait, "queued") && strcmp(wait, "delivered"))
		return cli_usage(_("--wait is queued or delivered"), "palique help files");
	if (options_number(&c->o, OPT_TIMEOUT, 0, 86400, -1, &timeout_s) < 0)
		return cli_usage(_("--timeout is a number of seconds"), "palique help files");
	if (is_to_output(c) && is_copied_out(c, id, &code))
		return code;
	code = accept_file(c, id, &result);
	if (code != EXIT_DONE)
		return code;
	name = json_text(json_get(result, "transfer"), "name");
	snprintf(label, sizeof label, "%.100s", name ? out_safe(name) : "?");
	if (wait && !strcmp(wait, "queued"))
		transfer = json_keep((struct json *)json_get(result, "transfer"));
	else
		how = cmd_wait_for_file(c, label, id,
					timeout_s >= 0 ? timeout_s * 1000
					: wait         ? CLIENT_FOREVER
						       : BEGIN_MS,
					&transfer);
	if (wait && !strcmp(wait, "queued"))
		out_done("%s", _("accepted; it comes by itself (palique files)"));
	else
		code = report_fetch(c, id, how, transfer);
	if (code == EXIT_DONE && transfer && !is_to_output(c))
		out_json(json_keep(transfer));
	json_free(transfer);
	json_free(result);
	return code;
}

/* --- the list --- */

static void print_transfer(const struct json *m)
{
	const struct json *file = json_get(m, "file");
	const char *id = json_text(m, "id"), *contact = json_text(m, "conversation");
	bool is_own = json_bool(m, "own", false);
	char what[512], words[512], number[32];

	if (!file)
		return;
	snprintf(number, sizeof number, "[%s]", id ? id : "?");
	contact = contact ? out_safe(contact) : "?";
	cmd_file_words(file, what, sizeof what);
	cmd_transfer_words(file, is_own, contact, id ? id : "ID", words, sizeof words);
	/* TRANSLATORS: number, name, the file, how far it is */
	out_line(is_own ? _("%s to %s: %s  %s") : _("%s from %s: %s  %s"),
		 out_color(COLOR_FAINT, number), out_color(COLOR_NAME, contact), what, words);
}

static int list(struct cli *c, const char *name)
{
	struct json *params = json_object(), *result = NULL;
	const struct json *transfers;
	long limit;
	int code;

	if (options_number(&c->o, OPT_LIMIT, 1, LIMIT_MAX, 50, &limit) < 0) {
		json_free(params);
		return cli_usage(_("--limit is a number from 1 to 1000"), "palique help files");
	}
	if (name)
		json_set_text(params, "conversation", name);
	json_set_int(params, "limit", limit);
	json_set_bool(params, "all", c->o.value[OPT_ALL] != NULL);
	code = cli_call(c, "listTransfers", params, &result);
	if (code != EXIT_DONE)
		return code;
	transfers = json_get(result, "transfers");
	for (size_t i = 0; i < json_count(transfers); i++) {
		print_transfer(json_at(transfers, i));
		out_json(json_keep((struct json *)json_at(transfers, i)));
	}
	if (json_count(transfers) == 0)
		out_say("%s", c->o.value[OPT_ALL]
				      ? _("No files yet.")
				      : _("No files are on their way (--all: those that "
					  "have arrived, too)."));
	json_free(result);
	return EXIT_DONE;
}

/* `done` may have a %s: the number. */
static int change(struct cli *c, const char *method, const char *id, const char *done)
{
	struct json *result = NULL;
	int code = cli_call(c, method, json_set_text(json_object(), "id", id), &result);

	if (code == EXIT_DONE) {
		out_done(done, id);
		out_json(json_keep((struct json *)json_get(result, "transfer")));
	}
	json_free(result);
	return code;
}

int cmd_files(struct cli *c)
{
	static const struct {
		const char *verb, *method, *done;
	} verbs[] = {
		{ "accept", NULL, NULL },
		{ "resume", NULL, NULL },
		{ "pause", "pauseFile",
		  N_("It rests; palique files resume %s goes on with it.") },
		{ "cancel", "cancelFile", N_("It is cancelled.") },
	};
	const char *const *words = c->o.arguments;
	char id[24];
	int code;

	if (c->o.argument_count < 2)
		return list(c, c->o.argument_count ? words[0] : NULL);
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (strcmp(verbs[i].verb, words[0]))
			continue;
		code = cmd_take_id(c, words[1], id);
		if (code != EXIT_DONE)
			return code;
		return verbs[i].method ? change(c, verbs[i].method, id, _(verbs[i].done))
				       : cmd_fetch(c, id);
	}
	return cli_usage(_("files lists them; else: files accept, pause, resume or cancel, and "
			   "the number of a message"),
			 "palique help files");
}
