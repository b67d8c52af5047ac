/* What can be typed behind a slash: one row each. The help page, the hint line, completion and the keys on
 * a chosen message are made from the table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/faces/tui/commands.h"
#include "peer/faces/tui/emoji.h"
#include "shared/error.h"
#include "shared/text.h"

/* --- what commands are about --- */

/* The open conversation; NULL: has said that there is none. */
static struct talk *open_talk(struct tui *tui)
{
	struct talk *t = model_open(tui->model);

	if (!t)
		tui_tell(tui, true, _("Open a conversation first: Ctrl+G, or /chat NAME"));
	return t;
}

/* The message it is about: the chosen one, else the newest of theirs or of ours; NULL: has said so. */
static struct said *message(struct tui *tui, bool is_own)
{
	struct talk *t = open_talk(tui);
	struct said *s = t ? talk_find(t, t->chosen) : NULL;

	for (size_t i = t ? t->count : 0; i > 0 && !s; i--)
		if (t->list[i - 1].is_own == is_own)
			s = &t->list[i - 1];
	if (t && !s)
		tui_tell(tui, true,
			 _("There is no message for that; choose one with Shift+Tab."));
	return s;
}

/* The same of a file that is not over. */
static struct said *file(struct tui *tui)
{
	struct talk *t = open_talk(tui);
	struct said *s = t ? talk_find(t, t->chosen) : NULL;

	for (size_t i = t ? t->count : 0; i > 0 && !s; i--) {
		const struct json *f = json_get(t->list[i - 1].message, "file");
		const char *state = json_text(f, "state");

		if (state && strcmp(state, "done") != 0)
			s = &t->list[i - 1];
	}
	if (t && (!s || !json_get(s->message, "file"))) {
		tui_tell(tui, true, _("There is no file here for that."));
		return NULL;
	}
	return s;
}

static struct json *of_message(const struct said *s)
{
	return json_set_id(json_object(), "id", s->id);
}

/* A name that was typed, or that of the open conversation; NULL: has said what is wanted. */
static const char *name_or_open(struct tui *tui, const char *rest)
{
	struct talk *t;

	if (*rest)
		return rest;
	t = open_talk(tui);
	return t ? t->name : NULL;
}

/* --- answers --- */

static void on_contact(struct tui *tui, const struct json *result, void *context)
{
	const struct json *c = json_get(result, "contact");
	const char *name = json_text(c, "name"), *state = json_text(c, "state");
	struct json *news;
	char words[256];

	(void)context;
	if (!result || !name)
		return;
	news = json_set_text(json_object(), "name", name);
	json_set(news, "contact", json_keep((struct json *)c));
	model_notified(tui->model, "contact", news);
	json_free(news);
	if (state && !strcmp(state, "mutual"))
		snprintf(words, sizeof words, _("You are in contact with %s."), name);
	else if (state && !strcmp(state, "asked"))
		snprintf(words, sizeof words, _("%s was asked; you see it when they answer."),
			 name);
	else
		snprintf(words, sizeof words, _("Done."));
	tui_tell(tui, false, words);
}

static void on_done(struct tui *tui, const struct json *result, void *words)
{
	if (result)
		tui_tell(tui, false, words ? words : _("Done."));
}

/* What was not taken stands in the composer again: nothing that was written is lost. */
struct sent {
	char name[64];
	uint64_t answers, edits;
	char text[];
};

static void on_said(struct tui *tui, const struct json *result, void *context)
{
	struct sent *sent = context;
	struct talk *t = model_find(tui->model, sent->name);

	if (result || !t || !compose_is_empty(t->compose))
		return;
	compose_set(t->compose, sent->text);
	t->answers = sent->answers;
	t->edits = sent->edits;
}

static void say(struct tui *tui, const char *text)
{
	struct talk *t = open_talk(tui);
	struct json *params = json_set_text(json_object(), "text", text);
	struct sent *sent;

	if (!t) {
		json_free(params);
		compose_set(tui->bare, text);
		return;
	}
	sent = memory_new(sizeof *sent + strlen(text) + 1);
	memcpy(sent->name, t->name, sizeof sent->name);
	memcpy(sent->text, text, strlen(text) + 1);
	sent->answers = t->answers;
	sent->edits = t->edits;
	if (t->edits) {
		json_set_id(params, "id", t->edits);
		tui_call(tui, "editMessage", params, on_said, sent);
	} else {
		json_set_text(params, "conversation", t->name);
		if (t->answers)
			json_set_id(params, "replyTo", t->answers);
		tui_call(tui, "send", params, on_said, sent);
	}
	t->answers = t->edits = t->chosen = 0;
	t->up = 0;
	if (t->has_newer)
		model_want_newest(tui->model);
}

/* --- the commands: what stands behind the word is in `rest` --- */

static void do_chat(struct tui *tui, const char *rest)
{
	if (!model_find(tui->model, rest)) {
		tui_tell(tui, true, _("Nobody of that name is here; /add NAME asks them."));
		return;
	}
	model_choose(tui->model, rest);
	tui->view.focus = FOCUS_COMPOSE;
	tui->view.shows_list_alone = false;
}

static void do_add(struct tui *tui, const char *rest)
{
	size_t size = strcspn(rest, " ");
	char *who = memory_new(size + 1);
	struct json *params;

	memcpy(who, rest, size);
	rest += size + strspn(rest + size, " ");
	params = json_set_text(json_object(), "contact", who);
	free(who);
	if (*rest)
		json_set_text(params, "greeting", rest);
	tui_call(tui, "addContact", params, on_contact, NULL);
}

static void with_name(struct tui *tui, const char *method, const char *rest, tui_answered *then)
{
	const char *name = name_or_open(tui, rest);

	if (name)
		tui_call(tui, method, json_set_text(json_object(), "name", name), then, NULL);
}

static void do_accept(struct tui *tui, const char *rest)
{
	with_name(tui, "acceptContact", rest, on_contact);
}

static void do_block(struct tui *tui, const char *rest)
{
	with_name(tui, "blockContact", rest, on_contact);
}

static void do_remove(struct tui *tui, const char *rest)
{
	with_name(tui, "removeContact", rest, on_done);
}

static void do_reply(struct tui *tui, const char *rest)
{
	struct said *s = message(tui, false);
	struct talk *t = model_open(tui->model);

	if (!s)
		return;
	t->answers = s->id;
	t->edits = 0;
	if (*rest)
		say(tui, rest);
}

static void do_edit(struct tui *tui, const char *rest)
{
	struct said *s = message(tui, true);
	struct talk *t = model_open(tui->model);
	const char *text = s ? json_text(s->message, "text") : NULL;

	if (!s)
		return;
	if (!s->is_own) {
		tui_tell(tui, true, _("Only messages of yours can be edited."));
		return;
	}
	t->edits = s->id;
	t->answers = 0;
	if (*rest)
		say(tui, rest);
	else
		compose_set(t->compose, text ? text : "");
}

static void do_react(struct tui *tui, const char *rest)
{
	struct said *s = message(tui, false);
	char signs[512];

	if (!s)
		return;
	if (!*rest && !json_get(s->message, "reactions")) {
		compose_set(tui_compose(tui), "/react ");
		tui_tell(tui, false, _("A sign, or its name: /react :thumbsup:"));
		return;
	}
	emoji_replace(rest, signs, sizeof signs);
	tui_call(tui, "sendReaction", json_set_text(of_message(s), "reactions", signs), NULL,
		 NULL);
}

static void do_delete(struct tui *tui, const char *rest)
{
	bool is_here = !strcmp(rest, "--here");
	struct said *s = message(tui, true);

	if (!s)
		return;
	tui_call(tui, "deleteMessage", json_set_bool(of_message(s), "here", is_here), on_done,
		 memory_text(is_here ? _("It is deleted on this machine; others keep theirs.")
				     : _("It is taken back; a mark stays in its place.")));
}

static void do_forward(struct tui *tui, const char *rest)
{
	struct said *s = message(tui, false);

	if (!s)
		return;
	if (!*rest) {
		pages_forward(tui, s->id);
		return;
	}
	tui_call(tui, "forward", json_set_text(of_message(s), "conversation", rest), on_done,
		 NULL);
}

/* "~/x" and relative paths are the person's, not the engine's. */
static char *absolute(const char *path)
{
	const char *home = getenv("HOME");
	char *folder = *path == '/' ? NULL : realpath(".", NULL), *out = NULL;

	if (!strncmp(path, "~/", 2) && home) {
		if (asprintf(&out, "%s%s", home, path + 1) < 0)
			out = NULL;
	} else if (asprintf(&out, "%s%s%s", folder ? folder : "", folder ? "/" : "", path) <
		   0) {
		out = NULL;
	}
	free(folder);
	return out;
}

static void do_file(struct tui *tui, const char *rest)
{
	struct talk *t = open_talk(tui);
	char quote = *rest == '"' || *rest == '\'' ? *rest : '\0';
	char *word, *path;
	size_t size;
	struct json *params;

	if (!t || !*rest)
		return;
	/* The whole rest where that is a file: names have spaces. */
	path = absolute(rest);
	if (quote || (path && access(path, F_OK) != 0)) {
		size = quote ? strcspn(rest + 1, (char[]){ quote, '\0' }) : strcspn(rest, " ");
		word = memory_new(size + 1);
		memcpy(word, rest + (quote != '\0'), size);
		rest += size + (quote ? 2 : 0);
		free(path);
		path = absolute(word);
		free(word);
		rest += strspn(rest, " ");
	} else {
		rest = "";
	}
	if (!path)
		return;
	params = json_set_text(json_set_text(json_object(), "conversation", t->name), "path",
			       path);
	if (*rest)
		json_set_text(params, "caption", rest);
	if (t->answers)
		json_set_id(params, "replyTo", t->answers);
	t->answers = 0;
	tui_call(tui, "sendFile", params, NULL, NULL);
	free(path);
}

static void on_file(struct tui *tui, const char *method)
{
	struct said *s = file(tui);

	if (s)
		tui_call(tui, method, of_message(s), NULL, NULL);
}

static void do_fetch(struct tui *tui, const char *rest)
{
	(void)rest;
	on_file(tui, "acceptFile");
}

static void do_pause(struct tui *tui, const char *rest)
{
	(void)rest;
	on_file(tui, "pauseFile");
}

static void do_cancel(struct tui *tui, const char *rest)
{
	(void)rest;
	on_file(tui, "cancelFile");
}

static void do_info(struct tui *tui, const char *rest)
{
	struct said *s = message(tui, false);

	(void)rest;
	if (s)
		pages_message(tui, model_open(tui->model)->name, s->id);
}

static void do_press(struct tui *tui, const char *rest)
{
	struct talk *t = open_talk(tui);
	long which = strtol(rest, NULL, 10);
	const char *label = NULL;

	for (size_t i = t ? t->count : 0; i > 0 && !label; i--) {
		const struct json *buttons = json_get(t->list[i - 1].message, "buttons");

		if (t->chosen && t->list[i - 1].id != t->chosen)
			continue;
		if (json_count(buttons) == 0)
			continue;
		if (which < 1 || (size_t)which > json_count(buttons))
			break;
		label = json_text_at(buttons, (size_t)which - 1);
		t->answers = t->list[i - 1].id;
	}
	if (label) {
		char *copy = memory_text(label);
		say(tui, copy);
		free(copy);
	} else if (t) {
		tui_tell(tui, true, _("There is no such button; /press 1 is the first one."));
	}
}

static void do_search(struct tui *tui, const char *rest)
{
	pages_search(tui, rest, NULL);
}

static void do_safety(struct tui *tui, const char *rest)
{
	const char *name = name_or_open(tui, rest);

	if (name)
		pages_safety(tui, name);
}

static void do_verify(struct tui *tui, const char *rest)
{
	with_name(tui, "verifyContact", rest, on_contact);
}

static void do_about(struct tui *tui, const char *rest)
{
	const char *name = name_or_open(tui, rest);

	if (name)
		pages_contact(tui, name);
}

static void do_timer(struct tui *tui, const char *rest)
{
	static const struct {
		char unit;
		long seconds;
	} units[] = { { 's', 1 },     { 'm', 60 },         { 'h', 3600 },
		      { 'd', 86400 }, { 'w', 7L * 86400 }, { '\0', 1 } };
	struct talk *t = open_talk(tui);
	char *end;
	long value = strtol(rest, &end, 10);

	if (!t)
		return;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (end == rest || *end != units[i].unit || value < 0 || value > 31622400)
			continue;
		tui_call(tui, "setTimer",
			 json_set_int(json_set_text(json_object(), "conversation", t->name),
				      "seconds", value * units[i].seconds),
			 on_done, NULL);
		return;
	}
	if (!strcmp(rest, "off"))
		tui_call(tui, "setTimer",
			 json_set_int(json_set_text(json_object(), "conversation", t->name),
				      "seconds", 0),
			 on_done, NULL);
	else
		tui_tell(tui, true, _("/timer 1d, 8h, 30m, 2w, or off"));
}

static void do_availability(struct tui *tui, const char *as, const char *rest)
{
	struct json *params = json_set_text(json_object(), "availability", as);

	json_set_bool(params, "invisible", false);
	if (*rest)
		json_set_text(params, "status", rest);
	tui_call(tui, "setProfile", params, on_done, NULL);
}

static void do_available(struct tui *tui, const char *rest)
{
	do_availability(tui, "available", rest);
}

static void do_away(struct tui *tui, const char *rest)
{
	do_availability(tui, "away", rest);
}

static void do_busy(struct tui *tui, const char *rest)
{
	do_availability(tui, "busy", rest);
}

static void do_invisible(struct tui *tui, const char *rest)
{
	(void)rest;
	tui_call(tui, "setProfile", json_set_bool(json_object(), "invisible", true), on_done,
		 NULL);
}

static void do_status(struct tui *tui, const char *rest)
{
	if (*rest)
		tui_call(tui, "setProfile", json_set_text(json_object(), "status", rest),
			 on_done, NULL);
	else
		pages_status(tui);
}

static void do_name(struct tui *tui, const char *rest)
{
	tui_call(tui, "setProfile", json_set_text(json_object(), "title", rest), on_done, NULL);
}

static void do_requests(struct tui *tui, const char *rest)
{
	(void)rest;
	pages_requests(tui);
}

static void do_files(struct tui *tui, const char *rest)
{
	(void)rest;
	pages_files(tui);
}

static void do_devices(struct tui *tui, const char *rest)
{
	(void)rest;
	pages_devices(tui);
}

static void do_settings(struct tui *tui, const char *rest)
{
	(void)rest;
	pages_settings(tui);
}

static void do_help(struct tui *tui, const char *rest)
{
	(void)rest;
	pages_help(tui);
}

static void do_quit(struct tui *tui, const char *rest)
{
	(void)rest;
	tui->is_leaving = true;
}

/* One row each, so that the table can be read as one. */
/* clang-format off */
static const struct command commands[] = {
	{ "chat", N_("NAME"), N_("opens the conversation with somebody"), "Ctrl+G", COMPLETE_NAME, true, do_chat },
	{ "reply", N_("[TEXT]"), N_("answers the chosen message, else the newest of theirs"), "r", COMPLETE_NONE, false, do_reply },
	{ "edit", N_("[TEXT]"), N_("another text for a message of yours"), "e", COMPLETE_NONE, false, do_edit },
	{ "react", N_("SIGNS"), N_("as 👍 or :heart:; none takes it back"), "x", COMPLETE_EMOJI, false, do_react },
	{ "delete", "[--here]", N_("takes a message of yours back; with --here any, on this machine alone"), "d", COMPLETE_NONE, false, do_delete },
	{ "forward", N_("[NAME]"), N_("says a message again to somebody else"), "f", COMPLETE_NAME, false, do_forward },
	{ "info", "", N_("all that is known of a message; an image in full"), "i", COMPLETE_NONE, false, do_info },
	{ "press", "N", N_("presses a button of a message"), "", COMPLETE_NONE, true, do_press },
	{ "file", N_("PATH [WORDS]"), N_("sends a file or a folder"), "Ctrl+O", COMPLETE_PATH, true, do_file },
	{ "fetch", "", N_("fetches a file, or goes on with it"), "g", COMPLETE_NONE, false, do_fetch },
	{ "pause", "", N_("lets a file rest"), "p", COMPLETE_NONE, false, do_pause },
	{ "cancel", "", N_("ends a file"), "", COMPLETE_NONE, false, do_cancel },
	{ "files", "", N_("files on their way"), "", COMPLETE_NONE, false, do_files },
	{ "search", N_("WORDS"), N_("messages with all of these words"), "Ctrl+F", COMPLETE_NONE, true, do_search },
	{ "add", N_("NAME or LINK [GREETING]"), N_("asks somebody"), "", COMPLETE_NONE, true, do_add },
	{ "accept", N_("[NAME]"), N_("says yes to a request, or to a changed key"), "", COMPLETE_NAME, false, do_accept },
	{ "block", N_("[NAME]"), N_("nothing more is heard of them"), "", COMPLETE_NAME, false, do_block },
	{ "remove", N_("[NAME]"), N_("ends the contact; what was said stays"), "", COMPLETE_NAME, false, do_remove },
	{ "requests", "", N_("who wants to talk with you"), "", COMPLETE_NONE, false, do_requests },
	{ "about", N_("[NAME]"), N_("all about a contact"), "", COMPLETE_NAME, false, do_about },
	{ "safety", N_("[NAME]"), N_("the safety number, to compare"), "", COMPLETE_NAME, false, do_safety },
	{ "verify", N_("[NAME]"), N_("the numbers were compared and are the same"), "", COMPLETE_NAME, false, do_verify },
	{ "timer", N_("TIME or off"), N_("messages disappear after that, where both wish it"), "", COMPLETE_NONE, true, do_timer },
	{ "available", N_("[STATUS]"), N_("you are there"), "", COMPLETE_NONE, false, do_available },
	{ "away", N_("[STATUS]"), N_("you are not there"), "", COMPLETE_NONE, false, do_away },
	{ "busy", N_("[STATUS]"), N_("you do not want to be disturbed"), "", COMPLETE_NONE, false, do_busy },
	{ "invisible", "", N_("nobody sees that you are there"), "", COMPLETE_NONE, false, do_invisible },
	{ "status", N_("[TEXT]"), N_("a line that contacts see; without it: how you stand"), "", COMPLETE_NONE, false, do_status },
	{ "name", N_("TEXT"), N_("the name that contacts see"), "", COMPLETE_NONE, false, do_name },
	{ "devices", "", N_("your devices"), "", COMPLETE_NONE, false, do_devices },
	{ "settings", "", N_("what is set"), "", COMPLETE_NONE, false, do_settings },
	{ "help", "", N_("these lines"), "F1", COMPLETE_NONE, false, do_help },
	{ "quit", "", N_("leaves; the engine goes on and takes messages"), "Ctrl+Q", COMPLETE_NONE, false, do_quit },
};
/* clang-format on */
enum { COMMANDS = sizeof commands / sizeof *commands };

const struct command *command_at(size_t i)
{
	return i < COMMANDS ? &commands[i] : NULL;
}

const struct command *command_find(const char *name, size_t size)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strlen(commands[i].name) == size && !strncmp(commands[i].name, name, size))
			return &commands[i];
	return NULL;
}

void command_do(struct tui *tui, const char *name, const char *rest)
{
	const struct command *c = command_find(name, strlen(name));

	if (c && c->needs_more && !*rest) {
		char words[160];
		snprintf(words, sizeof words, "/%s %s: %s", c->name, _(c->arguments),
			 _(c->about));
		tui_tell(tui, true, words);
		return;
	}
	if (c)
		c->run(tui, rest);
}

void command_run(struct tui *tui, const char *line)
{
	size_t size = strcspn(line + 1, " ");
	const struct command *c = NULL;
	char words[160], *text;

	if (*line != '/' || line[1] == '/') {
		/* two slashes begin a text with one; :names: are signs */
		text = memory_new(strlen(line) * 4 + 1);
		emoji_replace(line + (*line == '/'), text, strlen(line) * 4 + 1);
		say(tui, text);
		free(text);
		return;
	}
	c = command_find(line + 1, size);
	if (c) {
		const char *rest = line + 1 + size;
		command_do(tui, c->name, rest + strspn(rest, " "));
		return;
	}
	snprintf(words, sizeof words,
		 _("There is no /%.*s; F1 tells what there is. Two slashes begin a text with "
		   "one."),
		 (int)(size < 40 ? size : 40), line + 1);
	tui_tell(tui, true, words);
	compose_set(tui_compose(tui), line);
}

void command_hint(const struct tui *tui, char *out, size_t size)
{
	struct talk *t = model_open(tui->model);
	const char *text = compose_text(t ? t->compose : tui->bare);
	size_t length = strcspn(text + (*text == '/'), " "), used = 0;
	const struct command *c;

	*out = '\0';
	if (*text != '/' || text[1] == '/')
		return;
	c = command_find(text + 1, length);
	if (c) {
		snprintf(out, size, "/%s %s: %s", c->name, *c->arguments ? _(c->arguments) : "",
			 _(c->about));
		return;
	}
	for (size_t i = 0; i < COMMANDS && used < size; i++) {
		if (strncmp(commands[i].name, text + 1, length))
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s/%s",
					 used ? " " : "Tab: ", commands[i].name);
	}
}
