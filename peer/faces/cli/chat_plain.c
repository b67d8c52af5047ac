/* palique --plain: all conversations line by line. Nothing is ever redrawn and no cursor is moved, so that a
 * screen reader can follow. One conversation is open; what is said in others is told with its name. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/faces/cli/chat.h"
#include "peer/faces/cli/output.h"
#include "shared/error.h"
#include "shared/text.h"

enum { LINGER_S = 10, INPUT_MAX = 1 << 20, AGAIN_MS = 250, AGAIN_TRIES = 40 };

static void tell_message(const struct json *params)
{
	const char *name = json_text(params, "conversation"),
		   *text = json_text(json_get(params, "message"), "text"),
		   *file = json_text(json_get(json_get(params, "message"), "file"), "name");

	out_line("* %s: %s%s%s", out_safe(name ? name : "?"), text ? out_safe(text) : "",
		 file ? " ▦ " : "", file ? out_safe(file) : "");
}

static void tell_presence(const struct json *params)
{
	const char *name = json_text(params, "name");

	if (name && json_bool(params, "online", false))
		out_line(_("* %s is online"), name);
}

static void tell_key(const struct json *params)
{
	char words[512];

	cmd_key_changed(params, words, sizeof words);
	out_line("* %s", words);
}

static void tell_request(const struct json *params)
{
	const char *name = json_text(params, "name"), *greeting = json_text(params, "greeting");

	if (name)
		out_line(_("* %s wants to talk with you%s%s: /accept %s, or /block %s"), name,
			 greeting && *greeting ? ": " : "",
			 greeting && *greeting ? out_safe(greeting) : "", name, name);
}

static void tell_contact(const struct json *params)
{
	const char *name = json_text(params, "name");

	if (name && cmd_is(json_get(params, "contact"), "state", "mutual"))
		out_line(_("* you are in contact with %s: /chat %s"), name, name);
}

static void tell_proposal(const struct json *params)
{
	const char *bot = json_text(params, "bot");

	if (bot)
		out_line(_("* the program %s wants to say something: /bot proposals"),
			 out_safe(bot));
}

void chat_elsewhere(const char *method, const struct json *params)
{
	static const struct {
		const char *method;
		void (*tell)(const struct json *params);
	} rows[] = {
		{ "receive", tell_message },
		{ "presence", tell_presence },
		{ "contactRequest", tell_request },
		{ "contact", tell_contact },
		{ "proposal", tell_proposal },
		{ "keyChanged", tell_key },
		{ "transferProgress", cmd_print_transfer },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!strcmp(rows[i].method, method))
			rows[i].tell(params);
}

static int subscribe(struct cli *c)
{
	struct json *ignored = NULL;
	int code = cli_call(c, "subscribe", NULL, &ignored);

	json_free(ignored);
	return code;
}

static bool is_back(struct cli *c, bool may_start)
{
	struct client_place place = { .home = c->home, .socket = c->socket };
	struct client_error error;
	struct json *ignored = NULL;

	client_close(c->client);
	c->client = NULL;
	if (client_open(&c->client, &place, may_start, &error) < 0)
		return false;
	if (client_call(c->client, "subscribe", NULL, CLIENT_FOREVER, &ignored, &error) < 0)
		return false;
	json_free(ignored);
	return true;
}

/* The engine has ended. Somebody may have meant it to: it is begun again when something is typed; if others begin it,
 * the conversation goes on by itself. One that is ending still answers for a moment. */
static int begin_again(struct chat *chat)
{
	struct pollfd typed = { .fd = STDIN_FILENO, .events = POLLIN };
	char name[sizeof chat->name];
	unsigned tries = 0;

	out_line("%s",
		 _("* the engine has ended; what was marked as sent or queued is kept, and "
		   "what you type begins it again"));
	chat->is_lost = false;
	chat->unanswered = 0;
	while (!is_back(chat->cli, tries > 0)) {
		if (tries == AGAIN_TRIES)
			return cli_failed(ERR_CLOSED, _("the engine has ended"),
					  "palique status");
		/* Once something is typed, so much time again and again. */
		if (poll(&typed, tries ? 0 : 1, AGAIN_MS) != 0 || tries)
			tries++;
	}
	memcpy(name, chat->name, sizeof name);
	return *name ? chat_open(chat, name) : EXIT_DONE;
}

int cmd_plain(struct cli *c)
{
	struct chat chat = { .cli = c,
			     .has_everybody = true,
			     .is_typed = true }; /* commands are heard by a pipe, too */
	int code = cmd_needs_account(c);

	setenv("TERM", "dumb", 1); /* also for what is begun from here */
	if (code == EXIT_DONE)
		code = subscribe(c);
	if (code == EXIT_DONE)
		code = cmd_ls(c);
	if (code != EXIT_DONE)
		return code;
	out_line("%s", _("* /chat NAME opens a conversation, /help tells more, /quit leaves"));
	buf_init(&chat.input, INPUT_MAX);
	do
		code = chat_talk(&chat, LINGER_S);
	while (chat.is_lost && (code = begin_again(&chat)) == EXIT_DONE);
	if (code == EXIT_DONE)
		out_done("%s", _("left the chat; messages keep coming in"));
	buf_clear(&chat.input);
	return code;
}
