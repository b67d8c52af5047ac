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

void chat_elsewhere(const char *method, const struct json *params)
{
	static const struct {
		const char *method;
		void (*tell)(const struct json *params);
	} rows[] = {
		{ "receive", tell_message },
		{ "presence", tell_presence },
		{ "keyChanged", tell_key },
		{ "transferProgress", cmd_print_transfer },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!strcmp(rows[i].method, method))
			rows[i].tell(params);
}

int cmd_plain(struct cli *c)
{
	struct chat chat = { .cli = c,
			     .has_everybody = true,
			     .is_typed = true }; /* commands are heard by a pipe, too */
	struct json *ignored = NULL;
	int code = cmd_needs_account(c);

	if (code == EXIT_DONE)
		code = cli_call(c, "subscribe", NULL, &ignored);
	json_free(ignored);
	if (code == EXIT_DONE)
		code = cmd_ls(c);
	if (code != EXIT_DONE)
		return code;
	out_line("%s", _("* /chat NAME opens a conversation, /help tells more, /quit leaves"));
	buf_init(&chat.input, INPUT_MAX);
	code = chat_talk(&chat, LINGER_S);
	if (code == EXIT_DONE)
		out_done("%s", _("left the chat; messages keep coming in"));
	buf_clear(&chat.input);
	return code;
}
