#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/chat.h"
#include "peer/faces/cli/output.h"
#include "peer/faces/outside.h"
#include "shared/error.h"
#include "shared/text.h"

enum { CALL_MS = 60 * 1000 };

/* --- words of a line --- */

/* The next word, in quotes or not, copied; `rest` goes on behind it. NULL: none. */
static char *take_word(const char **rest)
{
	const char *from = *rest + strspn(*rest, " ");
	char quote = *from == '"' || *from == '\'' ? *from : '\0';
	size_t size = quote ? strcspn(from + 1, (char[]){ quote, '\0' }) : strcspn(from, " ");
	char *word;

	if (!*from)
		return NULL;
	from += quote != '\0';
	word = memory_new(size + 1);
	memcpy(word, from, size);
	from += size;
	from += quote && *from == quote;
	*rest = from + strspn(from, " ");
	return word;
}

/* The number of a message from the next word; "-" is `last`. NULL: has said what is wanted. */
static const char *take_id(const char **rest, uint64_t last)
{
	static char text[24];
	char *word = take_word(rest);
	const char *id = NULL;

	if (word && !strcmp(word, "-") && last) {
		snprintf(text, sizeof text, "%llu", (unsigned long long)last);
		id = text;
	} else if (word) {
		id = cmd_id(word);
	}
	free(word);
	if (!id)
		out_line("%s",
			 _("* first the number of a message, as in brackets before it, or - "
			   "for the last one"));
	return id;
}

/* The last one of either side: of what can be done with both. */
static uint64_t newest(const struct chat *chat)
{
	return chat->shown > chat->last_sent ? chat->shown : chat->last_sent;
}

/* Calls; `result` is the caller's to free. False: has said why. */
static bool call(struct chat *chat, const char *method, struct json *take_params,
		 struct json **result)
{
	struct client_error error;

	if (client_call(chat->cli->client, method, take_params, CALL_MS, result, &error) == 0)
		return true;
	out_error(error.err, error.message, error.hint);
	return false;
}

static void call_and_tell(struct chat *chat, const char *method, struct json *take_params)
{
	struct json *result = NULL;
	const struct json *m;

	if (call(chat, method, take_params, &result)) {
		/* A message that is another one now is told by `changed`. */
		m = json_get(result, "message");
		if (!m || !json_is_object(m))
			out_done("%s", _("done"));
	}
	json_free(result);
}

/* --- the commands --- */

static void do_reply(struct chat *chat, const char *rest)
{
	const char *id = take_id(&rest, chat->shown);
	struct json *params;

	if (!id)
		return;
	params = json_set_text(json_object(), "replyTo", id);
	chat_post(chat, "send", json_set_text(params, "text", rest));
}

static void do_edit(struct chat *chat, const char *rest)
{
	const char *id = take_id(&rest, chat->last_sent);

	if (id)
		call_and_tell(
			chat, "editMessage",
			json_set_text(json_set_text(json_object(), "id", id), "text", rest));
}

static void do_react(struct chat *chat, const char *rest)
{
	const char *id = take_id(&rest, chat->shown);

	if (id)
		call_and_tell(chat, "sendReaction",
			      json_set_text(json_set_text(json_object(), "id", id), "reactions",
					    rest));
}

/* With --here before or behind the number: on this machine alone. */
static bool take_here(const char **rest)
{
	static const char here[] = "--here";
	size_t size = strcspn(*rest, " ");

	if (size != strlen(here) || strncmp(*rest, here, size))
		return false;
	*rest += size + strspn(*rest + size, " ");
	return true;
}

static void do_delete(struct chat *chat, const char *rest)
{
	bool is_here = take_here(&rest);
	const char *id = take_id(&rest, is_here ? newest(chat) : chat->last_sent);
	struct json *params, *result = NULL;

	if (!id)
		return;
	is_here = take_here(&rest) || is_here;
	params = json_set_text(json_object(), "id", id);
	if (!call(chat, "deleteMessage", json_set_bool(params, "here", is_here), &result))
		return;
	if (is_here) /* else `changed` tells it */
		out_done("%s", _("It is deleted on this machine; others keep theirs."));
	json_free(result);
}

static void do_forward(struct chat *chat, const char *rest)
{
	const char *id = take_id(&rest, newest(chat));
	struct json *params, *result = NULL;
	const char *to;
	uint64_t said;

	if (!id)
		return;
	params = json_set_text(json_set_text(json_object(), "id", id), "conversation", rest);
	if (!call(chat, "forward", params, &result))
		return;
	to = json_text(result, "conversation");
	out_done(_("It goes on to %s."), to ? out_safe(to) : out_safe(rest));
	/* To the one whom one talks with: then it is the last one here. */
	if (to && !strcmp(to, chat->name) && json_id(result, "id", &said) == 0 &&
	    said > chat->last_sent)
		chat->last_sent = said;
	json_free(result);
}

static void do_file(struct chat *chat, const char *rest)
{
	char *file = take_word(&rest), *path;
	const char *home = getenv("HOME");
	struct json *params;

	if (!file) {
		out_line("%s", _("* /file PATH, and words to go with it"));
		return;
	}
	if (!strncmp(file, "~/", 2) && home) {
		size_t size = strlen(home) + strlen(file) + 1;
		path = memory_new(size);
		snprintf(path, size, "%s%s", home, file + 1);
	} else {
		path = cli_absolute(file);
	}
	params = json_set_text(json_object(), "path", path);
	if (*rest)
		json_set_text(params, "caption", rest);
	chat_post(chat, "sendFile", params);
	free(path);
	free(file);
}

static void change_file(struct chat *chat, const char *method, const char *rest)
{
	const char *id = take_id(&rest, chat->shown);
	struct json *result = NULL;
	const struct json *t;
	char words[512];

	if (!id || !call(chat, method, json_set_text(json_object(), "id", id), &result))
		return;
	t = json_get(result, "transfer");
	cmd_transfer_words(t, json_bool(t, "own", false), chat->name, json_text(t, "id"), words,
			   sizeof words);
	out_line("* [%s] %s: %s", json_text(t, "id"), out_safe(json_text(t, "name")), words);
	json_free(result);
}

/* As the command line does it, in lines of its own; without a name it is about who is talked with. */
static bool do_outside(struct chat *chat, const char *name, const char *rest)
{
	static const char *const with_name[] = { "accept",  "block",   "consent", "hide",
						 "history", "profile", "remove",  "safety",
						 "timer",   "unhide",  "verify" };
	struct client_place place = { .home = chat->cli->home, .socket = chat->cli->socket };
	char *line = NULL;
	int err;

	if (!outside_can(name))
		return false;
	for (size_t i = 0; !*rest && i < sizeof with_name / sizeof *with_name; i++)
		if (!strcmp(name, with_name[i]))
			rest = chat->name;
	if (asprintf(&line, "%s %s", name, rest) < 0)
		return false;
	err = outside_run(&place, line);
	if (err < 0)
		out_error(err, error_text(err), "");
	free(line);
	return true;
}

static void do_accept(struct chat *chat, const char *rest)
{
	char word[64];

	/* a file by its number, else a person */
	snprintf(word, sizeof word, "%.*s", (int)strcspn(rest, " "), rest);
	if (!*word || (strcmp(word, "-") != 0 && !cmd_id(word))) {
		do_outside(chat, "accept", rest);
		return;
	}
	change_file(chat, "acceptFile", rest);
}

static void do_pause(struct chat *chat, const char *rest)
{
	change_file(chat, "pauseFile", rest);
}

static void do_cancel(struct chat *chat, const char *rest)
{
	change_file(chat, "cancelFile", rest);
}

static void do_show(struct chat *chat, const char *rest)
{
	const char *id = take_id(&rest, newest(chat));

	if (id)
		cmd_show_message(chat->cli, id);
}

static void do_help(struct chat *chat, const char *rest);

static void do_quit(struct chat *chat, const char *rest)
{
	(void)rest;
	chat->is_input_over = chat->is_leaving = true;
}

static void do_chat(struct chat *chat, const char *rest)
{
	if (*rest)
		chat_open(chat, rest);
	else
		out_line("%s", _("* first with whom: /chat NAME; /ls tells who there is"));
}

static void do_ls(struct chat *chat, const char *rest)
{
	(void)rest;
	cmd_ls(chat->cli);
}

static void do_add(struct chat *chat, const char *rest)
{
	struct json *result = NULL;

	if (call(chat, "addContact", json_set_text(json_object(), "contact", rest), &result))
		out_done("%s", _("done"));
	json_free(result);
}

static void do_search(struct chat *chat, const char *rest)
{
	chat->cli->o.arguments[0] = rest;
	chat->cli->o.argument_count = 1;
	cmd_search(chat->cli);
	chat->cli->o.argument_count = 0;
}

static const struct row {
	const char *name, *arguments, *about;
	void (*run)(struct chat *chat, const char *rest);
} rows[] = {
	{ "reply", N_("N TEXT"), N_("answers message N"), do_reply },
	{ "edit", N_("N TEXT"), N_("another text for a message of yours"), do_edit },
	{ "react", N_("N SIGNS"), N_("as 👍; none takes it back"), do_react },
	{ "delete", "N [--here]",
	  N_("takes a message of yours back; with --here any, on this machine alone"),
	  do_delete },
	{ "forward", N_("N NAME"), N_("to somebody else"), do_forward },
	{ "file", N_("PATH [WORDS]"), N_("sends a file or a folder"), do_file },
	{ "accept", N_("N or NAME"),
	  N_("fetches a file, or goes on with it; says yes to who asks"), do_accept },
	{ "pause", "N", N_("lets a file rest"), do_pause },
	{ "cancel", "N", N_("ends a file"), do_cancel },
	{ "show", "N", N_("all that is known of a message; an image as one"), do_show },
	{ "chat", N_("NAME"), N_("talks with somebody else from now on"), do_chat },
	{ "ls", "", N_("who there is"), do_ls },
	{ "add", N_("NAME"), N_("asks somebody, or says yes to who asks"), do_add },
	{ "search", N_("WORDS"), N_("messages with all of these words"), do_search },
	{ "help", "", N_("these lines"), do_help },
	{ "quit", "", N_("leaves the chat"), do_quit },
};
enum { ROWS = sizeof rows / sizeof *rows };

void chat_help(FILE *out)
{
	for (size_t i = 0; i < ROWS; i++) {
		char left[64];
		snprintf(left, sizeof left, "/%s %s", rows[i].name,
			 *rows[i].arguments ? _(rows[i].arguments) : "");
		fprintf(out, "  %-*s %s\n", text_pad(left, 22), left, _(rows[i].about));
	}
	fprintf(out, "  %s\n",
		_("Every other command of palique does what it does there, as /requests, "
		  "/safety, "
		  "/block, /status, /devices, /settings, /link, /passwd, /backup FILE"));
	fprintf(out, "  %s\n",
		_("N is the number in brackets before a message, or - for the last one; "
		  "two slashes begin a text with one"));
}

static void do_help(struct chat *chat, const char *rest)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)chat;
	(void)rest;
	assert(out);
	chat_help(out);
	fclose(out);
	text[size - 1] = '\0'; /* its last newline, which the line brings */
	out_line("%s", text);
	free(text);
}

void chat_command(struct chat *chat, struct bytes line)
{
	char *text = memory_new(line.size + 1), *name;
	size_t size;

	memcpy(text, line.data, line.size);
	size = strcspn(text + 1, " ");
	for (size_t i = 0; i < ROWS; i++) {
		if (strlen(rows[i].name) != size || strncmp(rows[i].name, text + 1, size))
			continue;
		const char *rest = text + 1 + size;
		rows[i].run(chat, rest + strspn(rest, " "));
		free(text);
		return;
	}
	name = memory_text(text + 1);
	name[size] = '\0';
	if (!do_outside(chat, name, text + 1 + size + strspn(text + 1 + size, " ")))
		out_line(_("* there is no /%s here: /help tells what there is"),
			 out_safe(name));
	free(name);
	free(text);
}
