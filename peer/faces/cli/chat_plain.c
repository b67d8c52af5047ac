/* palique --plain: all conversations line by line. Nothing is ever redrawn and no cursor is moved, so that a
 * screen reader can follow. One conversation is open; what is said in others is told with its name. */
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/chat.h"
#include "peer/faces/cli/output.h"
#include "shared/text.h"

enum { LINGER_S = 10, INPUT_MAX = 1 << 20 };

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

/* The engine has ended: it is begun again, and the conversation goes on. */
static int begin_again(struct chat *chat)
{
	char name[sizeof chat->name];
	int code;

	out_line("%s",
		 _("* the engine has ended, and is begun again; what was marked as sent or "
		   "queued is kept"));
	client_close(chat->cli->client);
	chat->cli->client = NULL;
	chat->is_lost = false;
	chat->unanswered = 0;
	code = subscribe(chat->cli);
	memcpy(name, chat->name, sizeof name);
	if (code == EXIT_DONE && *name)
		code = chat_open(chat, name);
	return code;
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
