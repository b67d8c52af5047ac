/* Talking line by line: what they say appears as it comes, what is typed is sent. Nothing is
 * ever redrawn, so that a screen reader, a pipe and a log can follow. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "peer/faces/cli/chat.h"
#include "peer/faces/cli/output.h"
#include "shared/error.h"
#include "shared/text.h"
#include "shared/wire.h"

enum {
	SEEN_BEFORE = 10, /* messages shown at the beginning */
	LINGER_S = 10,    /* at the end of a pipe: for deliveries to a contact who is online */
	INPUT_MAX = 1 << 20, /* bytes read ahead of a pipe */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void mark_read(struct chat *chat, uint64_t id)
{
	struct json *params = json_set_text(json_object(), "conversation", chat->name);

	json_set_id(params, "upTo", id);
	client_tell(chat->cli->client, "markRead", params);
}

/* --- what comes --- */

static void on_message(struct chat *chat, const struct json *params)
{
	uint64_t id;

	if (json_id(params, "id", &id) < 0 || id <= chat->shown)
		return;
	chat->shown = id;
	chat->is_typing = false;
	cmd_print(params);
	mark_read(chat, id);
}

/* They have read it, or an earlier one: told once for each, and only on a screen. */
static void on_read(struct chat *chat, uint64_t up_to)
{
	if (up_to <= chat->told_read || !chat->is_typed)
		return;
	chat->told_read = up_to;
	if (chat->last_sent && chat->unanswered == 0 && up_to >= chat->last_sent)
		out_done("%s", _("read"));
}

static void on_delivery(struct chat *chat, const struct json *params)
{
	uint64_t up_to;

	if (cmd_is(params, "state", "read")) {
		if (!json_bool(params, "otherDevice", false) &&
		    json_id(params, "upTo", &up_to) == 0)
			on_read(chat, up_to);
		return;
	}
	if (json_bool(params, "otherDevice", false) || json_id(params, "upTo", &up_to) < 0 ||
	    up_to <= chat->told_delivered)
		return;
	chat->told_delivered = up_to;
	/* One mark for the newest of a burst is enough, and none for what another face sent. */
	if (chat->last_sent && chat->unanswered == 0 && up_to >= chat->last_sent &&
	    chat->told_read < chat->last_sent)
		out_done(_("delivered%s"), chat->way);
}

static void on_presence(struct chat *chat, const struct json *params)
{
	bool is_online = json_bool(params, "online", false);

	if (is_online == chat->is_online)
		return;
	chat->is_online = is_online;
	out_line(is_online ? _("* %s is online")
			   : _("* %s has left; what you write is kept for them"),
		 chat->name);
}

static void on_connection(struct chat *chat, const struct json *params)
{
	snprintf(chat->way, sizeof chat->way, "%s", cmd_way(params));
	if (json_bool(params, "connected", false))
		out_line(_("* connected to %s%s"), chat->name, chat->way);
}

static void on_key_changed(struct chat *chat, const struct json *params)
{
	char words[512];

	(void)chat;
	cmd_key_changed(params, words, sizeof words);
	out_line("* %s", words);
}

static void on_notice(struct chat *chat, const struct json *params)
{
	(void)chat;
	cmd_notice(params);
}

static void on_account(struct chat *chat, const struct json *params)
{
	const char *detail = json_text(params, "detail");

	(void)chat;
	if (cmd_is(params, "state", "refused") && detail && *detail)
		out_prose("* %s", out_safe(detail));
	else if (cmd_is(params, "state", "connecting") && detail && *detail)
		out_prose(_("* no line to the directory: %s; open conversations go on"),
			  out_safe(detail));
	else if (cmd_is(params, "state", "connecting"))
		out_prose("%s", _("* the directory does not answer; open conversations go on"));
	else if (cmd_is(params, "state", "online"))
		out_line("%s", _("* the directory answers"));
}

/* What is typed here is on the screen already; what another device of ours says is not. */
static void on_sent(struct chat *chat, const struct json *params)
{
	(void)chat;
	if (json_bool(params, "otherDevice", false))
		cmd_print(params);
}

static void on_changed(struct chat *chat, const struct json *params)
{
	(void)chat;
	cmd_print_change(params);
}

static void on_typing(struct chat *chat, const struct json *params)
{
	bool is_typing = json_bool(params, "typing", false);

	if (is_typing && !chat->is_typing && chat->is_typed)
		out_line(_("* %s is typing"), chat->name);
	chat->is_typing = is_typing;
}

static void on_missing(struct chat *chat, const struct json *params)
{
	int64_t missing = json_int(params, "missing", 0);

	if (missing > 0)
		out_line(ngettext("* %lld message of %s is missing here and was asked for",
				  "* %lld messages of %s are missing here and were asked for",
				  (unsigned long)missing),
			 (long long)missing, chat->name);
}

static void on_timer(struct chat *chat, const struct json *params)
{
	const struct json *timer = json_get(params, "timer");
	int64_t both = timer ? json_int(timer, "seconds", 0) : 0,
		theirs = timer ? json_int(timer, "theirs", 0) : 0;

	if (both > 0)
		out_line(_("* what is said from now on disappears after %s"), out_span(both));
	else if (theirs > 0)
		out_line(_("* %s wants messages to disappear after %s (palique timer %s TIME)"),
			 chat->name, out_span(theirs), chat->name);
	else
		out_line("%s", _("* what is said from now on stays"));
}

/* A line for each tenth: nothing is drawn anew here. */
static void on_transfer(struct chat *chat, const struct json *params)
{
	int64_t done = json_int(params, "done", 0), size = json_int(params, "size", 0);
	int tenth = size > 0 ? (int)((double)done / (double)size * 10) : 10;
	const char *name = json_text(params, "name");
	char figures[160];
	uint64_t id;

	if (json_id(params, "id", &id) < 0 || !name)
		return;
	if (id != chat->transfer)
		chat->tenth = 0;
	chat->transfer = id;
	if (cmd_is(params, "state", "running") && tenth > chat->tenth) {
		chat->tenth = tenth;
		cmd_transfer_figures(params, figures, sizeof figures);
		out_line("* [%llu] %s: %s", (unsigned long long)id, out_safe(name), figures);
	}
	cmd_print_transfer(params);
}

static const struct row {
	const char *method;
	const char *whose; /* the parameter that must be our contact; NULL: always */
	void (*on)(struct chat *chat, const struct json *params);
} rows[] = {
	{ "receive", "conversation", on_message },
	{ "sent", "conversation", on_sent },
	{ "delivery", "conversation", on_delivery },
	{ "changed", "conversation", on_changed },
	{ "typing", "conversation", on_typing },
	{ "missing", "conversation", on_missing },
	{ "timer", "conversation", on_timer },
	{ "transferProgress", "conversation", on_transfer },
	{ "presence", "name", on_presence },
	{ "connection", "name", on_connection },
	{ "keyChanged", "name", on_key_changed },
	{ "notice", NULL, on_notice },
	{ "warning", NULL, on_notice },
	{ "account", NULL, on_account },
};

static void on_answer(struct chat *chat, const struct json *answer)
{
	struct client_error error = { 0 };
	const struct json *result;
	uint64_t id;

	if (client_outcome(answer, &result, &error) < 0) {
		chat->unanswered -= chat->unanswered > 0;
		out_error(error.err, error.message, error.hint);
		return;
	}
	if (!result || json_id(result, "id", &id) < 0)
		return;
	chat->unanswered--;
	cmd_left_out(json_get(result, "leftOut"));
	chat->last_sent = id > chat->last_sent ? id : chat->last_sent;
	if (chat->told_delivered >= chat->last_sent && chat->unanswered == 0)
		out_done(_("delivered%s"), chat->way);
	else if (!chat->is_online && chat->is_typed)
		out_line(_("  queued: %s is offline; it will be sent when they are back"),
			 chat->name);
}

static void on_object(struct chat *chat, const struct json *object)
{
	const struct json *params = json_get(object, "params");
	const char *method = json_text(object, "method");

	if (!method) {
		on_answer(chat, object);
		return;
	}
	for (size_t i = 0; params && i < sizeof rows / sizeof *rows; i++) {
		if (strcmp(rows[i].method, method) ||
		    (rows[i].whose && !cmd_is(params, rows[i].whose, chat->name)))
			continue;
		cmd_json_event(method, params);
		rows[i].on(chat, params);
		return;
	}
	if (params && chat->has_everybody)
		chat_elsewhere(method, params);
}

/* --- what is typed --- */

void chat_post(struct chat *chat, const char *method, struct json *take_params)
{
	json_set_text(take_params, "conversation", chat->name);
	if (client_post(chat->cli->client, method, take_params) > 0)
		chat->unanswered++;
}

static void on_typed(struct chat *chat, struct bytes line)
{
	struct json *params;

	if (line.size && line.data[line.size - 1] == '\r')
		line.size--;
	if (line.size == 0)
		return;
	if (bytes_equal(line, bytes_text("/quit"))) {
		chat->is_input_over = chat->is_leaving = true;
		return;
	}
	if (!bytes_is_utf8(line)) {
		out_error(ERR_FORMAT, _("this line is not UTF-8 text and was not sent"),
			  "locale");
		return;
	}
	if (line.data[0] == '/' && chat->is_typed && (line.size == 1 || line.data[1] != '/')) {
		chat_command(chat, line);
		return;
	}
	if (line.data[0] == '/' && chat->is_typed)
		line = bytes_of(line.data + 1, line.size - 1);
	if (!*chat->name) {
		out_line("%s", _("* first with whom: /chat NAME; /ls tells who there is"));
		return;
	}
	params = json_object();
	json_set_bytes(params, "text", line);
	chat_post(chat, "send", params);
}

static void on_input(struct chat *chat)
{
	uint8_t *room = buf_room(&chat->input, 4096);
	ssize_t got = room ? read(STDIN_FILENO, room, 4096) : 0;
	uint8_t *end;

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got > 0)
		buf_grew(&chat->input, (size_t)got);
	while (chat->input.size && !chat->is_input_over &&
	       (end = memchr(chat->input.data, '\n', chat->input.size)) != NULL) {
		size_t size = (size_t)(end - chat->input.data);
		on_typed(chat, bytes_of(chat->input.data, size));
		buf_drop_front(&chat->input, size + 1);
	}
	if (got > 0 || chat->is_input_over)
		return;
	/* The last line of a pipe may lack its newline. */
	if (chat->input.size)
		on_typed(chat, buf_view(&chat->input));
	chat->is_input_over = true;
}

/* --- the life of a chat --- */

static int show_past(struct chat *chat)
{
	struct json *params = json_set_text(json_object(), "conversation", chat->name),
		    *result = NULL;
	const struct json *list;
	int code;

	json_set_int(params, "limit", SEEN_BEFORE);
	code = cli_call(chat->cli, "getMessages", params, &result);
	if (code != EXIT_DONE)
		return code;
	list = json_get(result, "messages");
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *m = json_at(list, i);
		bool is_own = json_bool(m, "own", false);
		uint64_t id;
		cmd_print(m);
		cmd_json_event("history", m);
		if (json_id(m, "id", &id) < 0)
			continue;
		if (is_own)
			chat->last_sent = id;
		else
			chat->shown = id;
	}
	if (chat->shown)
		mark_read(chat, chat->shown);
	json_free(result);
	return EXIT_DONE;
}

int chat_open(struct chat *chat, const char *name)
{
	struct json *result = NULL;
	const struct json *contact;
	int code = cli_call(chat->cli, "getContact", json_set_text(json_object(), "name", name),
			    &result);

	if (code != EXIT_DONE)
		return code;
	contact = json_get(result, "contact");
	snprintf(chat->name, sizeof chat->name, "%s", json_text(contact, "name"));
	chat->last_sent = chat->shown = chat->told_delivered = chat->told_read = 0;
	chat->is_typing = false;
	chat->is_online = json_bool(contact, "online", false) ||
			  json_bool(contact, "connected", false);
	snprintf(chat->way, sizeof chat->way, "%s", cmd_way(contact));
	code = show_past(chat);
	if (code == EXIT_DONE && cmd_is(contact, "state", "requests"))
		out_line(_("* %s asks to be your contact: palique accept %s"), chat->name,
			 chat->name);
	else if (code == EXIT_DONE && cmd_is(contact, "state", "asked"))
		out_line(_("* %s has not accepted yet; what you write is kept until then"),
			 chat->name);
	else if (code == EXIT_DONE)
		out_line(chat->is_online ? _("* %s is online%s; /help tells more, /quit leaves")
					 : _("* %s is offline%s; what you write is kept. /help "
					     "tells more, /quit leaves"),
			 chat->name, chat->way);
	json_free(result);
	return code;
}

static int begin(struct chat *chat)
{
	struct json *ignored = NULL;
	int code = cli_call(chat->cli, "subscribe", NULL, &ignored);

	json_free(ignored);
	if (code == EXIT_DONE)
		code = chat_open(chat, chat->cli->o.arguments[0]);
	if (code == EXIT_DONE)
		cmd_standing(chat->cli);
	return code;
}

/* Over when nothing more is typed and everything typed is at least durable; a pipe also
 * waits a little for the deliveries to somebody who is there. */
static bool is_over(struct chat *chat, long linger_s)
{
	if (!chat->is_input_over)
		return false;
	if (chat->linger_until == 0)
		chat->linger_until = now_ms() + linger_s * 1000;
	if (now_ms() >= chat->linger_until)
		return true;
	if (chat->unanswered > 0)
		return false;
	return chat->is_leaving || !chat->is_online || chat->told_delivered >= chat->last_sent;
}

int chat_talk(struct chat *chat, long linger_s)
{
	struct client *client = chat->cli->client;
	struct json *object;
	int err;

	for (;;) {
		struct pollfd wait[2] = { { .fd = client_fd(client), .events = POLLIN },
					  { .fd = chat->is_input_over ? -1 : STDIN_FILENO,
					    .events = POLLIN } };
		bool has_more = client_has_more(client), over = is_over(chat, linger_s);
		int64_t left = chat->linger_until ? chat->linger_until - now_ms() : -1;

		if (chat->linger_until && left < 0)
			left = 0;
		/* What is here already is shown before leaving. */
		int ready = poll(wait, 2, has_more || over ? 0 : (int)left);
		if (ready < 0 && errno != EINTR)
			return cli_failed(ERR_IO, error_text(ERR_IO), "");
		if (over && ready <= 0 && !has_more)
			return EXIT_DONE;
		if (has_more || wait[0].revents) {
			err = client_next(client, 0, &object);
			if (err == 0)
				on_object(chat, object);
			else if (err != ERR_TIMEOUT && chat->has_everybody)
				chat->is_lost = true;
			else if (err != ERR_TIMEOUT)
				return cli_failed(ERR_CLOSED,
						  _("the engine has ended; what was marked as "
						    "sent or queued is kept"),
						  "palique chat NAME");
			if (err == 0)
				json_free(object);
			if (chat->is_lost)
				return EXIT_NO_ENGINE;
		}
		if (wait[1].revents && chat->unanswered < 256)
			on_input(chat);
	}
}

int cmd_chat(struct cli *c)
{
	struct chat chat = { .cli = c, .is_typed = isatty(STDIN_FILENO) };
	long linger_s;
	int code;

	if (options_number(&c->o, OPT_TIMEOUT, 0, 86400, LINGER_S, &linger_s) < 0)
		return cli_usage(_("--timeout is a number of seconds"), "palique help chat");
	buf_init(&chat.input, INPUT_MAX);
	code = begin(&chat);
	if (code == EXIT_DONE)
		code = chat_talk(&chat, linger_s);
	if (code == EXIT_DONE && chat.last_sent > chat.told_delivered)
		out_line(_("queued: what %s has not yet will be sent when they are back"),
			 chat.name);
	else if (code == EXIT_DONE)
		out_done("%s", _("left the chat; messages keep coming in"));
	buf_clear(&chat.input);
	return code;
}
