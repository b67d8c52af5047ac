/* Saying and hearing: send, recv, history. */
#include <errno.h>
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
	PAGE = 500,             /* messages in one question of recv */
};

static bool is(const struct json *o, const char *key, const char *value)
{
	const char *text = json_text(o, key);

	return text && !strcmp(text, value);
}

static void mark_read(struct cli *c, const char *name, uint64_t up_to)
{
	struct json *params = json_set_text(json_object(), "conversation", name),
		    *result = NULL;

	json_set_id(params, "upTo", up_to);
	cli_call(c, "markRead", params, &result);
	json_free(result);
}

/* --- send --- */

/* The whole of standard input, without the newline that ends it. */
static int read_input(char **text)
{
	struct buf in;
	int err = 0;

	buf_init(&in, WIRE_TEXT_MAX + 4096);
	for (;;) {
		uint8_t *room = buf_room(&in, 1024);
		ssize_t got = room ? read(STDIN_FILENO, room, 1024) : -1;
		if (got < 0 && room && errno == EINTR)
			continue;
		if (got < 0)
			err = room ? ERR_IO : ERR_LIMIT;
		if (got <= 0)
			break;
		buf_grew(&in, (size_t)got);
	}
	if (err == 0 && !bytes_is_utf8(buf_view(&in)))
		err = ERR_FORMAT;
	if (err < 0) {
		buf_clear(&in);
		return err;
	}
	if (in.size && in.data[in.size - 1] == '\n')
		in.size--;
	*text = memory_new(in.size + 1);
	if (in.size)
		memcpy(*text, in.data, in.size);
	buf_clear(&in);
	return 0;
}

static int message_text(const struct cli *c, char **text)
{
	char trouble[128];
	int err = 0;

	if (c->o.argument_count == 2 && !strcmp(c->o.arguments[1], "-"))
		err = read_input(text);
	else
		*text = cli_rest(c, 1);
	if (err == 0 && !bytes_is_utf8(bytes_text(*text))) {
		free(*text);
		err = ERR_FORMAT;
	}
	if (err == ERR_FORMAT)
		return cli_usage(_("the message is not UTF-8 text"), "iconv -t UTF-8");
	if (err == ERR_LIMIT) {
		snprintf(trouble, sizeof trouble,
			 _("a message holds at most %d bytes; this one has more"),
			 WIRE_TEXT_MAX);
		return cli_failed(err, trouble, "split -C 16384 FILE");
	}
	return err < 0 ? cli_failed(err, error_text(err), "") : EXIT_DONE;
}

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

	return is(note, "method", "delivery") && params && is(params, "conversation", name) &&
	       !json_bool(params, "otherDevice", false) &&
	       json_id(params, "upTo", &up_to) == 0 && up_to >= id;
}

/* Sending brings things to know up, as that there is no recovery code yet: once. */
static void tell_notice(const struct json *note)
{
	if (is(note, "method", "notice") || is(note, "method", "warning"))
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

struct sending {
	char name[64];
	uint64_t id;
	bool is_online, is_mutual, is_delivered;
	struct json *contact; /* as it was asked for last */
};

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
		s->is_mutual = is(s->contact, "state", "mutual");
		if (json_text(s->contact, "name"))
			snprintf(s->name, sizeof s->name, "%s", json_text(s->contact, "name"));
	}
	json_free(result);
	return code;
}

static void report(const struct sending *s)
{
	int64_t held = json_int(s->contact, "held", 0);
	struct json *o = json_set_text(json_object(), "conversation", s->name);

	json_set_id(o, "id", s->id);
	json_set_text(o, "state", s->is_delivered ? "delivered" : "queued");
	if (s->is_delivered && json_text(s->contact, "pathKind")) {
		json_set_text(o, "pathKind", json_text(s->contact, "pathKind"));
		if (json_text(s->contact, "address"))
			json_set_text(o, "address", json_text(s->contact, "address"));
		json_set_real(o, "roundTripMs", json_real(s->contact, "roundTripMs", 0));
	}
	out_json(o);
	if (s->is_delivered)
		out_done(_("delivered%s"), cmd_way(s->contact));
	else if (!s->is_mutual)
		out_line(_("queued: %s has not accepted yet; it will be sent when they do"),
			 s->name);
	else if (!s->is_online)
		out_line(_("queued: %s is offline; it will be sent when they are back"),
			 s->name);
	else if (is(s->contact, "consent", "never"))
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

/* Sends, then waits as long as was asked for. */
static int send_and_wait(struct cli *c, struct sending *s, const char *text, const char *wait,
			 long timeout_s)
{
	struct json *params = json_set_text(json_object(), "conversation", s->name),
		    *result = NULL;
	bool must = wait && !strcmp(wait, "delivered");
	int code, err = ERR_TIMEOUT;

	json_set_text(params, "text", text);
	code = cli_call(c, "send", params, &result);
	if (code == EXIT_DONE && json_id(result, "id", &s->id) < 0)
		code = cli_failed(ERR_FORMAT, _("the engine's answer makes no sense"),
				  "palique --version");
	json_free(result);
	if (code == EXIT_DONE)
		code = look_at_contact(c, s);
	if (code != EXIT_DONE)
		return code;
	if (timeout_s < 0)
		timeout_s = must ? DELIVERY_WANTED_S : DELIVERY_USUAL_S;
	if (must || (!wait && s->is_online))
		err = wait_for_delivery(c, s->name, s->id, timeout_s * 1000);
	if (err == ERR_CLOSED)
		return cli_failed(err, _("the engine has ended; the message is queued"),
				  "palique status");
	s->is_delivered = err == 0;
	code = look_at_contact(c, s);
	if (code != EXIT_DONE)
		return code;
	report(s);
	if (!s->is_delivered)
		cmd_standing(c);
	tell_notices(c);
	if (!must || s->is_delivered)
		return EXIT_DONE;
	return s->is_online ? EXIT_TIMEOUT : EXIT_QUEUED;
}

int cmd_send(struct cli *c)
{
	struct sending s = { 0 };
	struct json *ignored = NULL;
	const char *wait = c->o.value[OPT_WAIT];
	char *text = NULL;
	long timeout_s;
	int code;

	if (wait && strcmp(wait, "queued") && strcmp(wait, "delivered"))
		return cli_usage(_("--wait is queued or delivered"), "palique help send");
	if (options_number(&c->o, OPT_TIMEOUT, 0, 86400, -1, &timeout_s) < 0)
		return cli_usage(_("--timeout is a number of seconds"), "palique help send");
	snprintf(s.name, sizeof s.name, "%s", c->o.arguments[0]);
	code = message_text(c, &text);
	if (code != EXIT_DONE)
		return code;
	/* Before sending, so that no delivery can be missed. */
	code = cli_call(c, "subscribe", NULL, &ignored);
	if (code == EXIT_DONE)
		code = send_and_wait(c, &s, text, wait, timeout_s);
	json_free(ignored);
	json_free(s.contact);
	free(text);
	return code;
}

/* --- history --- */

static const char *mark(const struct json *m)
{
	if (is(m, "state", "delivered"))
		return " ✔";
	return is(m, "state", "queued") ? " …" : "";
}

static void print_stored(const struct json *m)
{
	bool is_own = json_bool(m, "own", false);
	const char *text = json_text(m, "text"), *who = json_text(m, "conversation");

	out_line("%s %s%s: %s", out_color(COLOR_FAINT, out_time(json_int(m, "timestamp", 0))),
		 is_own ? _("you") : out_color(COLOR_NAME, out_safe(who)), mark(m),
		 out_safe_lines(text));
}

/* Digits; or not given. */
static bool is_id(const char *text)
{
	return !text || (*text && strspn(text, "0123456789") == strlen(text));
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
	if (!is_id(c->o.value[OPT_BEFORE])) {
		json_free(params);
		return cli_usage(
			_("--before is the id of a message, a number that --json shows"),
			"palique help history");
	}
	json_set_text(params, "conversation", c->o.arguments[0]);
	json_set_int(params, "limit", limit);
	if (c->o.value[OPT_BEFORE])
		json_set_text(params, "before", c->o.value[OPT_BEFORE]);
	code = cli_call(c, "getMessages", params, &result);
	if (code != EXIT_DONE)
		return code;
	list = json_get(result, "messages");
	for (size_t i = 0; i < json_count(list); i++) {
		print_stored(json_at(list, i));
		out_json(json_keep((struct json *)json_at(list, i)));
		if (!json_bool(json_at(list, i), "own", false) &&
		    json_id(json_at(list, i), "id", &id) == 0)
			last = id;
	}
	if (json_count(list) == 0)
		out_say(c->o.value[OPT_BEFORE] ? _("Nothing older was said with %s.")
					       : _("Nothing was said with %s yet."),
			out_safe(c->o.arguments[0]));
	if (last)
		mark_read(c, c->o.arguments[0], last);
	json_free(result);
	return EXIT_DONE;
}

/* --- recv --- */

/* A stored message in the shape of a `receive`, so that readers meet one shape only. */
static struct json *as_receive(const struct json *m)
{
	struct json *o = json_set_text(json_object(), "event", "receive"),
		    *body = json_object();

	json_set_text(o, "id", json_text(m, "id"));
	json_set_text(o, "conversation", json_text(m, "conversation"));
	json_set_text(o, "from", json_text(m, "conversation"));
	json_set_int(o, "timestamp", json_int(m, "timestamp", 0));
	json_set_int(o, "arrivedAt", json_int(m, "arrivedAt", 0));
	json_set_text(body, "text", json_text(m, "text"));
	if (json_text(m, "replyTo"))
		json_set_text(body, "replyTo", json_text(m, "replyTo"));
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
		if (count < PAGE || json_id(json_at(list, 0), "id", &before) < 0)
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
			cmd_print(m, name, json_text(m, "text"), false);
			out_json(as_receive(m));
		}
	}
	for (unsigned p = 0; p < page_count; p++)
		json_free(pages[p]);
	free(pages);
	if (code == EXIT_DONE && id)
		mark_read(c, name, id);
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

/* One notification, for people only what came; with --json every event, one per line. */
static void print_event(struct cli *c, const struct json *note, const struct json *shown)
{
	const struct json *params = json_get(note, "params"), *message;
	const char *method = json_text(note, "method"), *name;
	uint64_t id, before;
	char words[512];

	if (!method || !params)
		return;
	bool is_message = !strcmp(method, "receive");
	name = json_text(params, is_message ? "conversation" : "name");
	if (is_message && name && json_id(params, "id", &id) == 0 &&
	    json_id(shown, name, &before) == 0 && id <= before)
		return;
	cmd_json_event(method, params);
	if (is_message) {
		message = json_get(params, "message");
		cmd_print(params, name ? name : "?", message ? json_text(message, "text") : "",
			  false);
		if (name && json_id(params, "id", &id) == 0)
			mark_read(c, name, id);
	} else if (!strcmp(method, "sent") && json_bool(params, "otherDevice", false)) {
		message = json_get(params, "message");
		cmd_print(params, _("you"), message ? json_text(message, "text") : "", true);
	} else if (!strcmp(method, "contactRequest") && name) {
		const char *greeting = json_text(params, "greeting");
		out_say(_("%s asks to be your contact%s%s (palique accept %s)"), name,
			greeting ? ": " : "", greeting ? out_safe(greeting) : "", name);
	} else if (!strcmp(method, "keyChanged") && name) {
		cmd_key_changed(params, words, sizeof words);
		out_say("%s", words);
	} else if (!strcmp(method, "notice") || !strcmp(method, "warning")) {
		cmd_notice(params);
	}
}

/* From behind `since`, or from now on; `is_endless`, else until what there was is told. */
static int follow(struct cli *c, const struct json *shown, bool is_endless, uint64_t last)
{
	struct json *note = NULL;
	uint64_t id = 0;
	int err = 0;

	while (is_endless || id < last) {
		err = client_next(c->client, CLIENT_FOREVER, &note);
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
	if (!is_id(since)) {
		json_free(params);
		return cli_usage(_("--since is the id of an event, a number that --json shows"),
				 "palique help recv");
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
	json_free(shown);
	return code;
}
