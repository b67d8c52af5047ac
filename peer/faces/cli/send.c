/* Saying: send, reply, and the waiting for a delivery. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "shared/error.h"
#include "shared/text.h"
#include "shared/wire.h"

enum {
	DELIVERY_USUAL_S = 5,   /* how long `send` waits for a contact who is online */
	DELIVERY_WANTED_S = 30, /* and with --wait delivered */
	FETCH_USUAL_S = 8,      /* and then for the other side to begin to fetch a file */
};

struct sending {
	const char *to; /* as typed: a name or a contact link */
	char name[64];
	uint64_t id;
	char reply_to[24]; /* a number, or "" */
	bool is_online, is_mutual, is_delivered, has_waited;
	struct json *contact; /* as it was asked for last */
	/* a file */
	bool is_file, has_arrived;
	char *path;            /* NULL: spooled */
	struct json *spool;    /* of newSpool */
	struct json *transfer; /* as it was told last */
	struct json *left_out; /* of the answer, or NULL */
};

/* --- what is to be said --- */

static int no_file(const char *path)
{
	char trouble[512];

	snprintf(trouble, sizeof trouble, _("there is no file %.300s"), out_safe(path));
	return cli_failed(ERR_NOT_FOUND, trouble, _("palique send NAME -f FILE"));
}

/* The engine hears of a path in JSON, which has none but UTF-8. */
static int odd_name(const char *path)
{
	char trouble[512];

	snprintf(trouble, sizeof trouble, _("the name of %.300s is not UTF-8"), out_safe(path));
	return cli_failed(ERR_FORMAT, trouble,
			  _("palique send NAME -f - --name OTHER-NAME <FILE"));
}

/* What was typed of a file into `params`. Exit code. */
static int file_params(struct cli *c, struct sending *s, struct json *params)
{
	const char *file = c->o.value[OPT_FILE], *caption = c->o.value[OPT_CAPTION],
		   *name = c->o.value[OPT_NAME], *alt = c->o.value[OPT_ALT];
	char *rest = cli_rest(c, 1);
	int code = EXIT_DONE;

	if (caption && *rest)
		code = cli_usage(_("either --caption or words behind the file, not both"),
				 "palique help send");
	else if (!strcmp(file, "-"))
		code = cmd_spool_input(c, &s->spool);
	else
		s->path = cli_absolute(file);
	if (code == EXIT_DONE && s->path && access(s->path, F_OK) < 0)
		code = no_file(s->path);
	if (code == EXIT_DONE && s->path && !bytes_is_utf8(bytes_text(s->path)))
		code = odd_name(s->path);
	if (code == EXIT_DONE && s->path)
		json_set_text(params, "path", s->path);
	if (code == EXIT_DONE && s->spool) {
		json_set_text(params, "spool", json_text(s->spool, "spool"));
		name = name ? name : "stdin";
	}
	if (caption || *rest)
		json_set_text(params, "caption", caption ? caption : rest);
	if (name)
		json_set_text(params, "name", name);
	if (alt)
		json_set_text(params, "alt", alt);
	free(rest);
	return code;
}

/* --- delivery --- */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool is_delivery_of(const struct json *note, const char *name, uint64_t id)
{
	const struct json *params = json_get(note, "params");
	uint64_t up_to;

	return cmd_is(note, "method", "delivery") && params &&
	       cmd_is(params, "conversation", name) &&
	       !json_bool(params, "otherDevice", false) &&
	       json_id(params, "upTo", &up_to) == 0 && up_to >= id;
}

/* Sending brings things to know up, as that there is no recovery code yet: once. */
static void tell_notice(const struct json *note)
{
	if (cmd_is(note, "method", "notice") || cmd_is(note, "method", "warning"))
		cmd_notice(json_get(note, "params"));
}

static void tell_notices(struct cli *c)
{
	struct json *note = NULL;

	while (client_next(c->client, 0, &note) == 0) {
		tell_notice(note);
		json_free(note);
	}
}

/* ERR_TIMEOUT, ERR_CLOSED, or 0: it is in the other side's store. */
static int wait_for_delivery(struct cli *c, const char *name, uint64_t id, int64_t timeout_ms)
{
	int64_t until = now_ms() + timeout_ms;
	struct json *note = NULL;

	for (;;) {
		int64_t left = until - now_ms();
		int err = client_next(c->client, left > 0 ? (int)left : 0, &note);
		if (err < 0)
			return err;
		bool is_it = is_delivery_of(note, name, id);
		tell_notice(note);
		json_free(note);
		if (is_it)
			return 0;
	}
}

static int look_at_contact(struct cli *c, struct sending *s)
{
	struct json *result = NULL;
	int code = cli_call(c, "getContact", json_set_text(json_object(), "name", s->name),
			    &result);

	if (code == EXIT_DONE) {
		json_free(s->contact);
		s->contact = json_keep((struct json *)json_get(result, "contact"));
		s->is_online = json_bool(s->contact, "online", false) ||
			       json_bool(s->contact, "connected", false);
		s->is_mutual = cmd_is(s->contact, "state", "mutual");
		if (json_text(s->contact, "name"))
			snprintf(s->name, sizeof s->name, "%s", json_text(s->contact, "name"));
	}
	json_free(result);
	return code;
}

static void report_json(const struct sending *s)
{
	struct json *o = json_set_text(json_object(), "conversation", s->name);

	json_set_id(o, "id", s->id);
	json_set_text(o, "state", s->is_delivered ? "delivered" : "queued");
	if (s->transfer)
		json_set(o, "transfer", json_keep(s->transfer));
	if (s->left_out)
		json_set(o, "leftOut", json_keep(s->left_out));
	if (s->is_delivered && json_text(s->contact, "pathKind")) {
		json_set_text(o, "pathKind", json_text(s->contact, "pathKind"));
		if (json_text(s->contact, "address"))
			json_set_text(o, "address", json_text(s->contact, "address"));
		json_set_real(o, "roundTripMs", json_real(s->contact, "roundTripMs", 0));
	}
	out_json(o);
}

static void report_file(const struct sending *s)
{
	const char *state = s->transfer ? json_text(s->transfer, "state") : NULL,
		   *reason = s->transfer ? json_text(s->transfer, "reason") : NULL;

	if (s->has_arrived)
		out_done(_("it has arrived at %s (%s)%s"), s->name,
			 out_size(json_int(s->transfer, "size", 0)), cmd_way(s->contact));
	else if (state && (!strcmp(state, "failed") || !strcmp(state, "cancelled")))
		out_line(_("not sent: %s"), reason ? out_safe(reason) : _("it was cancelled"));
	else
		out_line(_("offered: %s has it announced, and fetches it when they accept it; "
			   "it "
			   "goes on by itself (palique files)"),
			 s->name);
}

static void report(const struct sending *s)
{
	int64_t held = json_int(s->contact, "held", 0);

	report_json(s);
	cmd_left_out(s->left_out);
	if (s->is_delivered && s->is_file)
		report_file(s);
	else if (s->is_delivered)
		out_done(_("delivered%s"), cmd_way(s->contact));
	else if (s->is_mutual && s->is_online && !s->has_waited)
		out_done("%s", _("queued"));
	else if (!s->is_mutual)
		out_line(_("queued: %s has not accepted yet; it will be sent when they do"),
			 s->name);
	else if (!s->is_online)
		out_line(_("queued: %s is offline; it will be sent when they are back"),
			 s->name);
	else if (cmd_is(s->contact, "consent", "never"))
		out_line(_("queued: you chose that no connection is made with %s (palique "
			   "consent %s direct)"),
			 s->name, s->name);
	else
		out_line(_("queued: %s is online but was not reached yet; it will be sent as "
			   "soon as that "
			   "works (palique doctor)"),
			 s->name);
	if (held > 0)
		out_say(ngettext("  %lld message from before the new key of %s waits (palique "
				 "accept %s)",
				 "  %lld messages from before the new key of %s wait (palique "
				 "accept %s)",
				 (unsigned long)held),
			(long long)held, s->name, s->name);
}

/* Says it, and keeps what the engine calls it. Exit code. */
static int say(struct cli *c, struct sending *s, const char *text)
{
	struct json *params = json_set_text(json_object(), "conversation", s->to),
		    *result = NULL;
	const char *name;
	int code = EXIT_DONE;

	if (*s->reply_to)
		json_set_text(params, "replyTo", s->reply_to);
	if (s->is_file)
		code = file_params(c, s, params);
	else
		json_set_text(params, "text", text);
	if (code != EXIT_DONE) {
		json_free(params);
		return code;
	}
	code = cli_call(c, s->is_file ? "sendFile" : "send", params, &result);
	if (code != EXIT_DONE && s->spool && json_text(s->spool, "path"))
		unlink(json_text(s->spool, "path"));
	name = code == EXIT_DONE ? json_text(result, "conversation") : NULL;
	if (code == EXIT_DONE && (json_id(result, "id", &s->id) < 0 || !name))
		code = cli_failed(ERR_FORMAT, _("the engine's answer makes no sense"),
				  "palique --version");
	else if (code == EXIT_DONE)
		snprintf(s->name, sizeof s->name, "%s", name);
	if (code == EXIT_DONE && json_has(result, "leftOut"))
		s->left_out = json_keep((struct json *)json_get(result, "leftOut"));
	json_free(result);
	return code;
}

/* Until the other side has the file; how long it takes is its size's matter. Exit code. */
static int wait_for_file(struct cli *c, struct sending *s, bool must, long timeout_s)
{
	const char *file = c->o.value[OPT_FILE], *name = c->o.value[OPT_NAME];
	const char *slash = strrchr(file, '/');
	char id[24], label[128];
	enum cmd_wait how;

	snprintf(id, sizeof id, "%llu", (unsigned long long)s->id);
	if (!name)
		name = slash && slash[1] ? slash + 1 : file;
	snprintf(label, sizeof label, "%.100s", out_safe(name));
	how = cmd_wait_for_file(c, label, id,
				timeout_s >= 0 ? timeout_s * 1000
				: must         ? CLIENT_FOREVER
					       : FETCH_USUAL_S * 1000,
				&s->transfer);
	s->has_arrived = how == WAIT_ARRIVED;
	if (how == WAIT_CLOSED)
		return cli_failed(ERR_CLOSED,
				  _("the engine has ended; the rest of the file waits"),
				  "palique files");
	return EXIT_DONE;
}

static int code_of(const struct sending *s, bool must)
{
	const char *state = s->transfer ? json_text(s->transfer, "state") : NULL;
	bool is_reached = s->is_file ? s->has_arrived : s->is_delivered;

	if (state && (!strcmp(state, "failed") || !strcmp(state, "cancelled")))
		return EXIT_FAILED;
	if (!must || is_reached)
		return EXIT_DONE;
	return s->is_online ? EXIT_TIMEOUT : EXIT_QUEUED;
}

/* Sends, then waits as long as was asked for. */
static int send_and_wait(struct cli *c, struct sending *s, const char *text, const char *wait,
			 long timeout_s)
{
	bool must = wait && !strcmp(wait, "delivered");
	long usual_s = must ? DELIVERY_WANTED_S : DELIVERY_USUAL_S;
	int code = say(c, s, text), err = ERR_TIMEOUT;

	if (code == EXIT_DONE)
		code = look_at_contact(c, s);
	if (code != EXIT_DONE)
		return code;
	s->has_waited = must || (!wait && s->is_online);
	if (s->has_waited)
		err = wait_for_delivery(c, s->name, s->id,
					(timeout_s < 0 ? usual_s : timeout_s) * 1000);
	if (err == ERR_CLOSED)
		return cli_failed(err, _("the engine has ended; the message is queued"),
				  "palique status");
	s->is_delivered = err == 0;
	if (s->is_delivered && s->is_file)
		code = wait_for_file(c, s, must, timeout_s);
	if (code == EXIT_DONE)
		code = look_at_contact(c, s);
	if (code != EXIT_DONE)
		return code;
	report(s);
	if (!s->is_delivered)
		cmd_standing(c);
	tell_notices(c);
	return code_of(s, must);
}

/* --- the commands --- */

/* What both have in common, once `s` says to whom and what about. */
static int run_send(struct cli *c, struct sending *s)
{
	struct json *ignored = NULL;
	const char *wait = c->o.value[OPT_WAIT];
	char *text = NULL;
	long timeout_s;
	int code = EXIT_DONE;

	if (wait && strcmp(wait, "queued") && strcmp(wait, "delivered"))
		return cli_usage(_("--wait is queued or delivered"), "palique help send");
	if (options_number(&c->o, OPT_TIMEOUT, 0, 86400, -1, &timeout_s) < 0)
		return cli_usage(_("--timeout is a number of seconds"), "palique help send");
	if (!s->is_file)
		code = cmd_text(c, &text);
	/* Before sending, so that no delivery can be missed. */
	if (code == EXIT_DONE)
		code = cli_call(c, "subscribe", NULL, &ignored);
	if (code == EXIT_DONE)
		code = send_and_wait(c, s, text, wait, timeout_s);
	json_free(ignored);
	json_free(s->contact);
	json_free(s->spool);
	json_free(s->transfer);
	json_free(s->left_out);
	free(s->path);
	free(text);
	return code;
}

int cmd_send(struct cli *c)
{
	static const enum option of_files[] = { OPT_NAME, OPT_CAPTION, OPT_ALT };
	struct sending s = { .to = c->o.arguments[0], .is_file = c->o.value[OPT_FILE] != NULL };
	const char *reply_to = c->o.value[OPT_REPLY_TO];
	int code = reply_to ? cmd_take_id(c, reply_to, s.reply_to) : EXIT_DONE;

	if (code != EXIT_DONE)
		return code;
	for (size_t i = 0; !s.is_file && i < sizeof of_files / sizeof *of_files; i++)
		if (c->o.value[of_files[i]])
			return cli_usage(_("--name, --caption and --alt go with a file (-f)"),
					 "palique help send");
	if (!s.is_file && c->o.argument_count < 2)
		return cli_usage(_("there is nothing to send: a text, or -f and a file"),
				 _("palique send NAME TEXT"));
	return run_send(c, &s);
}

int cmd_reply(struct cli *c)
{
	struct json *result = NULL;
	const struct json *m;
	struct sending s = { 0 };
	char name[64] = "";
	int code = cmd_take_id(c, c->o.arguments[0], s.reply_to);

	if (code == EXIT_DONE)
		code = cli_call(c, "getMessage", json_set_text(json_object(), "id", s.reply_to),
				&result);
	m = code == EXIT_DONE ? json_get(result, "message") : NULL;
	if (m && json_text(m, "conversation"))
		snprintf(name, sizeof name, "%s", json_text(m, "conversation"));
	json_free(result);
	s.to = name;
	return code == EXIT_DONE ? run_send(c, &s) : code;
}
