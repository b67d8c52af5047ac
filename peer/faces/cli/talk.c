/* Hearing: recv, read, history. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/exec.h"
#include "peer/faces/cli/output.h"
#include "shared/error.h"
#include "shared/text.h"

enum {
	PAGE = 500, /* messages in one question of recv */
};

void cmd_mark_read(struct cli *c, const char *name, uint64_t up_to)
{
	struct json *params = json_set_text(json_object(), "conversation", name),
		    *result = NULL;

	json_set_id(params, "upTo", up_to);
	cli_call(c, "markRead", params, &result);
	json_free(result);
}

/* --- history --- */

/* How to see what lies before the first, or behind the last, of a full page. */
static void tell_more(const struct cli *c, const struct json *result, long limit)
{
	const struct json *list = json_get(result, "messages");
	bool is_forward = c->o.value[OPT_AFTER] != NULL;
	size_t count = json_count(list);
	const char *id = count ? json_text(json_at(list, is_forward ? count - 1 : 0), "id")
			       : NULL;

	if (id && ((long)count == limit || json_bool(result, "more", false)) &&
	    out_is_terminal())
		out_say(is_forward ? _("  newer: palique history %s --after %s")
				   : _("  older: palique history %s --before %s"),
			out_safe(c->o.arguments[0]), id);
}

/* --before or --after into `params`. Exit code; has said why. */
static int take_page(const struct cli *c, struct json *params)
{
	static const struct {
		enum option option;
		const char *key;
	} ends[] = { { OPT_BEFORE, "before" }, { OPT_AFTER, "after" } };

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		const char *typed = c->o.value[ends[i].option];
		if (!typed)
			continue;
		if (!cmd_id(typed))
			return cli_usage(_("--before and --after are the number of a message"),
					 "palique help history");
		json_set_text(params, ends[i].key, cmd_id(typed));
	}
	return EXIT_DONE;
}

int cmd_history(struct cli *c)
{
	struct json *params = json_object(), *result = NULL;
	const struct json *list;
	uint64_t id, last = 0;
	long limit;
	int code;

	if (options_number(&c->o, OPT_LIMIT, 1, 1000, 20, &limit) < 0) {
		json_free(params);
		return cli_usage(_("--limit is a number from 1 to 1000"),
				 "palique help history");
	}
	code = take_page(c, params);
	if (code != EXIT_DONE) {
		json_free(params);
		return code;
	}
	json_set_text(params, "conversation", c->o.arguments[0]);
	json_set_int(params, "limit", limit);
	code = cli_call(c, "getMessages", params, &result);
	if (code != EXIT_DONE)
		return code;
	list = json_get(result, "messages");
	for (size_t i = 0; i < json_count(list); i++) {
		cmd_print(json_at(list, i));
		out_json(json_keep((struct json *)json_at(list, i)));
		if (!json_bool(json_at(list, i), "own", false) &&
		    json_id(json_at(list, i), "id", &id) == 0)
			last = id;
	}
	if (json_count(list) == 0)
		out_say(c->o.value[OPT_BEFORE]  ? _("Nothing older was said with %s.")
			: c->o.value[OPT_AFTER] ? _("Nothing newer was said with %s.")
						: _("Nothing was said with %s yet."),
			out_safe(c->o.arguments[0]));
	tell_more(c, result, limit);
	if (last)
		cmd_mark_read(c, c->o.arguments[0], last);
	json_free(result);
	return EXIT_DONE;
}

/* --- recv --- */

struct json *cmd_as_receive(const struct json *m)
{
	static const char *const outside[] = { "id", "conversation", "timestamp", "arrivedAt" };
	struct json *o = json_set_text(json_object(), "event", "receive"),
		    *body = json_object();
	const struct json *value;
	const char *key;
	void *it = NULL;

	json_set_text(o, "id", json_text(m, "id"));
	json_set_text(o, "conversation", json_text(m, "conversation"));
	json_set_text(o, "from", json_text(m, "conversation"));
	json_set_int(o, "timestamp", json_int(m, "timestamp", 0));
	json_set_int(o, "arrivedAt", json_int(m, "arrivedAt", 0));
	while ((key = json_each(m, &it, &value)) != NULL) {
		bool is_outside = !strcmp(key, "own") || !strcmp(key, "state");
		for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
			is_outside |= !strcmp(key, outside[i]);
		if (!is_outside)
			json_set(body, key, json_keep((struct json *)value));
	}
	return json_set(o, "message", body);
}

/* The unread ones of one contact, oldest first: the last `unread` received messages. */
static int print_unread(struct cli *c, const char *name, int64_t unread, uint64_t *last)
{
	struct json **pages = NULL;
	unsigned page_count = 0;
	uint64_t before = 0, id = 0;
	int64_t found = 0;
	int code = EXIT_DONE;

	/* Backwards until enough of theirs are in hand, then forwards to print. */
	while (code == EXIT_DONE && found < unread) {
		struct json *params = json_set_text(json_object(), "conversation", name);
		pages = memory_grow(pages, page_count + 1, sizeof *pages);
		json_set_int(params, "limit", PAGE);
		if (before)
			json_set_id(params, "before", before);
		code = cli_call(c, "getMessages", params, &pages[page_count]);
		if (code != EXIT_DONE)
			break;
		const struct json *list = json_get(pages[page_count], "messages");
		size_t count = json_count(list);
		page_count++;
		for (size_t i = 0; i < count; i++)
			found += !json_bool(json_at(list, i), "own", false);
		if ((count < PAGE && !json_bool(pages[page_count - 1], "more", false)) ||
		    json_id(json_at(list, 0), "id", &before) < 0)
			break;
	}
	for (unsigned p = page_count; code == EXIT_DONE && p-- > 0;) {
		const struct json *list = json_get(pages[p], "messages");
		for (size_t i = 0; i < json_count(list); i++) {
			const struct json *m = json_at(list, i);
			if (json_bool(m, "own", false) || found-- > unread)
				continue;
			if (json_id(m, "id", &id) == 0)
				*last = id;
			cmd_print(m);
			out_json(cmd_as_receive(m));
			if (c->exec)
				exec_add(c->exec, name, *last);
		}
	}
	for (unsigned p = 0; p < page_count; p++)
		json_free(pages[p]);
	free(pages);
	if (code == EXIT_DONE && id && !c->exec)
		cmd_mark_read(c, name, id);
	return code;
}

/* `shown` remembers the last message shown of each name, so that none is shown twice. */
static int print_all_unread(struct cli *c, struct json *shown)
{
	struct json *result = NULL;
	const struct json *list;
	int code = cli_call(c, "listContacts", NULL, &result);

	list = code == EXIT_DONE ? json_get(result, "contacts") : NULL;
	for (size_t i = 0; code == EXIT_DONE && i < json_count(list); i++) {
		int64_t unread = json_int(json_at(list, i), "unread", 0);
		uint64_t here = 0;
		if (unread > 0)
			code = print_unread(c, json_text(json_at(list, i), "name"), unread,
					    &here);
		if (here)
			json_set_id(shown, json_text(json_at(list, i), "name"), here);
	}
	json_free(result);
	return code;
}

static void tell_request(struct cli *c, const struct json *params, const char *name)
{
	const char *greeting = json_text(params, "greeting");

	(void)c;
	out_say(_("%s asks to be your contact%s%s (palique accept %s)"), name,
		greeting ? ": " : "", greeting ? out_safe(greeting) : "", name);
}

static void tell_key_changed(struct cli *c, const struct json *params, const char *name)
{
	char words[512];

	(void)c;
	(void)name;
	cmd_key_changed(params, words, sizeof words);
	out_say("%s", words);
}

static void tell_notice(struct cli *c, const struct json *params, const char *name)
{
	(void)c;
	(void)name;
	cmd_notice(params);
}

static void tell_received(struct cli *c, const struct json *params, const char *name)
{
	uint64_t id;

	cmd_print(params);
	if (json_id(params, "id", &id) < 0)
		return;
	if (c->exec)
		exec_add(c->exec, name, id);
	else
		cmd_mark_read(c, name, id);
}

static void tell_sent(struct cli *c, const struct json *params, const char *name)
{
	(void)c;
	(void)name;
	if (json_bool(params, "otherDevice", false))
		cmd_print(params);
}

static void tell_changed(struct cli *c, const struct json *params, const char *name)
{
	(void)c;
	(void)name;
	cmd_print_change(params);
}

static void tell_transfer(struct cli *c, const struct json *params, const char *name)
{
	(void)c;
	(void)name;
	cmd_print_transfer(params);
}

static void tell_missing(struct cli *c, const struct json *params, const char *name)
{
	int64_t missing = json_int(params, "missing", 0);

	(void)c;
	if (missing > 0)
		out_say(ngettext("* %lld message of %s is missing here and was asked for",
				 "* %lld messages of %s are missing here and were asked for",
				 (unsigned long)missing),
			(long long)missing, name);
}

static const struct event_row {
	const char *method, *whose;
	void (*tell)(struct cli *c, const struct json *params, const char *name);
} event_rows[] = {
	{ "receive", "conversation", tell_received },
	{ "sent", "conversation", tell_sent },
	{ "changed", "conversation", tell_changed },
	{ "transferProgress", "conversation", tell_transfer },
	{ "missing", "conversation", tell_missing },
	{ "contactRequest", "name", tell_request },
	{ "keyChanged", "name", tell_key_changed },
	{ "notice", NULL, tell_notice },
	{ "warning", NULL, tell_notice },
};

/* One notification, for people only what came; with --json every event, one per line. */
static void print_event(struct cli *c, const struct json *note, const struct json *shown)
{
	const struct json *params = json_get(note, "params");
	const char *method = json_text(note, "method"), *name;
	uint64_t id, before;

	if (!method || !params)
		return;
	name = json_text(params, "conversation");
	if (!strcmp(method, "receive") && name && json_id(params, "id", &id) == 0 &&
	    json_id(shown, name, &before) == 0 && id <= before)
		return;
	cmd_json_event(method, params);
	for (size_t i = 0; i < sizeof event_rows / sizeof *event_rows; i++) {
		const struct event_row *row = &event_rows[i];
		if (strcmp(row->method, method))
			continue;
		name = row->whose ? json_text(params, row->whose) : "";
		if (name)
			row->tell(c, params, name);
	}
}

/* From behind `since`, or from now on; `is_endless`, else until what there was is told. */
static int follow(struct cli *c, const struct json *shown, bool is_endless, uint64_t last)
{
	struct json *note = NULL;
	uint64_t id = 0;
	int err = 0;

	while (is_endless || id < last) {
		if (c->exec && !client_has_more(c->client) &&
		    !exec_step(c->exec, client_fd(c->client)))
			return exec_code(c->exec);
		err = client_next(c->client, c->exec ? 0 : CLIENT_FOREVER, &note);
		if (err == ERR_TIMEOUT && c->exec)
			continue;
		if (err < 0)
			break;
		print_event(c, note, shown);
		if (json_get(note, "params"))
			json_id(json_get(note, "params"), "eventId", &id);
		json_free(note);
		note = NULL;
	}
	if (err < 0)
		return cli_failed(err, _("the engine has ended"), "palique recv --follow");
	return EXIT_DONE;
}

/* What --exec still has to do. */
static int finish_all(struct cli *c)
{
	while (c->exec && !exec_is_idle(c->exec)) {
		if (!exec_step(c->exec, -1))
			return exec_code(c->exec);
	}
	return EXIT_DONE;
}

int cmd_recv(struct cli *c)
{
	bool is_endless = c->o.value[OPT_FOLLOW] != NULL;
	const char *since = c->o.value[OPT_SINCE];
	struct json *params = json_object(), *result = NULL;
	uint64_t last = 0, from = 0;
	const struct json *ignored;
	struct json *shown;
	void *it = NULL;
	long timeout_s;
	int code;

	if (options_number(&c->o, OPT_TIMEOUT, 1, 86400, 0, &timeout_s) < 0) {
		json_free(params);
		return cli_usage(_("--timeout is a number of seconds"), "palique help recv");
	}
	if (since && (!*since || strspn(since, "0123456789") != strlen(since))) {
		json_free(params);
		return cli_usage(_("--since is the id of an event, a number that --json shows"),
				 "palique help recv");
	}
	if (c->o.argument_count && !c->o.value[OPT_EXEC]) {
		json_free(params);
		return cli_usage(_("recv takes words only behind --exec PROGRAM"),
				 "palique help recv");
	}
	code = exec_new(&c->exec, c);
	if (code != EXIT_DONE) {
		json_free(params);
		return code;
	}
	if (timeout_s)
		alarm((unsigned)timeout_s);
	if (since)
		json_set_text(params, "since", since);
	/* Subscribed first, so that nothing falls between what is stored and what comes. */
	code = cli_call(c, "subscribe", params, &result);
	if (code == EXIT_DONE && since) {
		json_id(result, "lastEventId", &last);
		from = strtoull(since, NULL, 10);
	}
	json_free(result);
	shown = json_object();
	if (code == EXIT_DONE && !since)
		code = print_all_unread(c, shown);
	if (code == EXIT_DONE && !since && !json_each(shown, &it, &ignored) && !is_endless)
		out_say("%s", _("Nothing new. palique recv --follow waits for more."));
	else if (code == EXIT_DONE && is_endless && out_is_terminal())
		out_say("%s", _("Waiting for messages; Ctrl-C ends it."));
	if (code == EXIT_DONE && (is_endless || (since && from < last)))
		code = follow(c, shown, is_endless, last);
	if (code == EXIT_DONE)
		code = finish_all(c);
	exec_free(c->exec);
	c->exec = NULL;
	json_free(shown);
	return code;
}

int cmd_read(struct cli *c)
{
	struct json *result = NULL;
	const struct json *contact;
	uint64_t last = 0;
	int64_t unread;
	int code = cli_call(c, "getContact",
			    json_set_text(json_object(), "name", c->o.arguments[0]), &result);

	if (code != EXIT_DONE)
		return code;
	contact = json_get(result, "contact");
	unread = json_int(contact, "unread", 0);
	if (unread > 0)
		code = print_unread(c, json_text(contact, "name"), unread, &last);
	else
		out_say(_("Nothing new of %s."), out_safe(json_text(contact, "name")));
	json_free(result);
	return code;
}
