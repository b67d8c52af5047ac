/* Commands about what is said: messages, and files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/faces/tui/commands_inside.h"
#include "peer/faces/tui/emoji.h"
#include "shared/error.h"
#include "shared/text.h"

/* The message it is about: the chosen one, else the newest of theirs or of ours; NULL: has said so. */
static struct said *message(struct tui *tui, bool is_own)
{
	struct talk *t = command_talk(tui);
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
	struct talk *t = command_talk(tui);
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

void command_say(struct tui *tui, const char *text)
{
	struct talk *t = command_talk(tui);
	struct json *params = json_set_text(json_object(), "text", text);
	struct sent *sent;

	if (!t) {
		json_free(params);
		compose_set(tui->bare, text);
		return;
	}
	if (t->contact && !strcmp(json_text(t->contact, "state"), "requests")) {
		json_free(params);
		compose_set(t->compose, text);
		tui_tell(tui, true, _("Say yes first: /accept"));
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
	talk_to_bottom(t);
	if (t->has_newer)
		model_want_newest(tui->model);
}

void do_reply(struct tui *tui, const char *rest)
{
	struct said *s = message(tui, false);
	struct talk *t = model_open(tui->model);

	if (!s)
		return;
	t->answers = s->id;
	t->edits = 0;
	if (*rest)
		command_say(tui, rest);
}

void do_edit(struct tui *tui, const char *rest)
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
		command_say(tui, rest);
	else
		compose_set(t->compose, text ? text : "");
}

void do_react(struct tui *tui, const char *rest)
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
	model_open(tui->model)->chosen = 0;
	tui_call(tui, "sendReaction", json_set_text(of_message(s), "reactions", signs), NULL,
		 NULL);
}

void do_delete(struct tui *tui, const char *rest)
{
	bool is_here = !strcmp(rest, "--here");
	struct said *s = message(tui, true);

	if (!s)
		return;
	model_open(tui->model)->chosen = 0;
	tui_call(tui, "deleteMessage", json_set_bool(of_message(s), "here", is_here),
		 command_done,
		 memory_text(is_here ? _("It is deleted on this machine; others keep theirs.")
				     : _("It is taken back; a mark stays in its place.")));
}

void do_forward(struct tui *tui, const char *rest)
{
	struct said *s = message(tui, false);

	if (!s)
		return;
	if (!*rest) {
		tui_open_page(tui, pages_forward, "", s->id);
		return;
	}
	tui_call(tui, "forward", json_set_text(of_message(s), "conversation", rest),
		 command_done, NULL);
}

/* "~/x" and relative paths are the person's, not the engine's. */
char *command_path(const char *path)
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

/* What of a folder is not sent is told. */
static void on_file_said(struct tui *tui, const struct json *result, void *context)
{
	const struct json *left = json_get(result, "leftOut");
	char words[160];

	(void)context;
	if (!left)
		return;
	snprintf(words, sizeof words,
		 _("Left out of the folder: %lld links, %lld others that are no files."),
		 (long long)json_int(left, "links", 0), (long long)json_int(left, "others", 0));
	tui_tell(tui, true, words);
}

void do_file(struct tui *tui, const char *rest)
{
	struct talk *t = command_talk(tui);
	char quote = *rest == '"' || *rest == '\'' ? *rest : '\0';
	char *word, *path;
	size_t size;
	struct json *params;

	if (!t || !*rest)
		return;
	/* The whole rest where that is a file: names have spaces. */
	path = command_path(rest);
	if (quote || (path && access(path, F_OK) != 0)) {
		size = quote ? strcspn(rest + 1, (char[]){ quote, '\0' }) : strcspn(rest, " ");
		word = memory_new(size + 1);
		memcpy(word, rest + (quote != '\0'), size);
		rest += size + (quote ? 2 : 0);
		free(path);
		path = command_path(word);
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
	tui_call(tui, "sendFile", params, on_file_said, NULL);
	free(path);
}

static void on_file(struct tui *tui, const char *method)
{
	struct said *s = file(tui);

	if (s)
		tui_call(tui, method, of_message(s), NULL, NULL);
}

void do_fetch(struct tui *tui, const char *rest)
{
	(void)rest;
	on_file(tui, "acceptFile");
}

void do_save(struct tui *tui, const char *rest)
{
	struct said *s = file(tui);
	char *folder = s ? command_path(rest) : NULL;

	if (folder)
		tui_call(tui, "acceptFile", json_set_text(of_message(s), "folder", folder),
			 NULL, NULL);
	free(folder);
}

void do_pause(struct tui *tui, const char *rest)
{
	(void)rest;
	on_file(tui, "pauseFile");
}

void do_cancel(struct tui *tui, const char *rest)
{
	(void)rest;
	on_file(tui, "cancelFile");
}

void do_info(struct tui *tui, const char *rest)
{
	struct said *s = message(tui, false);

	(void)rest;
	if (s)
		tui_open_page(tui, pages_message, model_open(tui->model)->name, s->id);
}

void do_press(struct tui *tui, const char *rest)
{
	struct talk *t = command_talk(tui);
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
		command_say(tui, copy);
		free(copy);
	} else if (t) {
		tui_tell(tui, true, _("There is no such button; /press 1 is the first one."));
	}
}
