/* What can be typed behind a slash: one row each. The help page, the hint line, completion and the keys on
 * a chosen message are made from the table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/faces/tui/commands_inside.h"
#include "peer/faces/tui/emoji.h"
#include "shared/text.h"

/* The open conversation; NULL: has said that there is none. */
struct talk *command_talk(struct tui *tui)
{
	struct talk *t = model_open(tui->model);

	if (!t)
		tui_tell(tui, true, _("Open a conversation first: Ctrl+G, or /chat NAME"));
	return t;
}

/* A name that was typed, or that of the open conversation; NULL: has said what is wanted. */
const char *command_name(struct tui *tui, const char *rest)
{
	struct talk *t;

	if (*rest)
		return rest;
	t = command_talk(tui);
	return t ? t->name : NULL;
}

void command_done(struct tui *tui, const struct json *result, void *words)
{
	if (result)
		tui_tell(tui, false, words ? words : _("Done."));
}

int command_on_or_off(struct tui *tui, const char *rest)
{
	if (!strcmp(rest, "on") || !strcmp(rest, _("on")))
		return 1;
	if (!strcmp(rest, "off") || !strcmp(rest, _("off")))
		return 0;
	tui_tell(tui, true, _("on or off"));
	return -1;
}

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

static void do_search(struct tui *tui, const char *rest)
{
	tui_open_page(tui, pages_search, rest, 0);
}

static void do_requests(struct tui *tui, const char *rest)
{
	(void)rest;
	tui_open_page(tui, pages_requests, "", 0);
}

static void do_files(struct tui *tui, const char *rest)
{
	tui_open_page(tui, pages_files, "", !strcmp(rest, "all"));
}

static void do_help(struct tui *tui, const char *rest)
{
	(void)rest;
	tui_open_page(tui, pages_help, "", 0);
}

static void do_quit(struct tui *tui, const char *rest)
{
	(void)rest;
	tui->is_leaving = true;
}

static void do_here(struct tui *tui, const char *rest)
{
	if (command_talk(tui))
		tui_open_page(tui, pages_search, rest, 1);
}

/* What keys do, also by a word. */
static void do_list(struct tui *tui, const char *rest)
{
	(void)rest;
	keys_open_list(tui);
}

static void do_next(struct tui *tui, const char *rest)
{
	(void)rest;
	keys_typed(tui, &(struct input){ .key = KEYS_DOWN, .is_alt = true });
}

static void do_previous(struct tui *tui, const char *rest)
{
	(void)rest;
	keys_typed(tui, &(struct input){ .key = KEYS_UP, .is_alt = true });
}

static void do_unread(struct tui *tui, const char *rest)
{
	(void)rest;
	keys_typed(tui, &(struct input){ .key = KEYS_TEXT, .is_alt = true, .text = "a" });
}

static void do_choose(struct tui *tui, const char *rest)
{
	(void)rest;
	keys_typed(tui, &(struct input){ .key = KEYS_BACK_TAB });
}

static void do_oldest(struct tui *tui, const char *rest)
{
	(void)rest;
	model_want_oldest(tui->model);
}

static void do_newest(struct tui *tui, const char *rest)
{
	(void)rest;
	keys_typed(tui, &(struct input){ .key = KEYS_END });
}

static void do_redraw(struct tui *tui, const char *rest)
{
	(void)tui;
	(void)rest;
	screen_redraw();
}

/* One row each, so that the table can be read as one. */
/* clang-format off */
static const struct slash commands[] = {
	{ "chat", N_("NAME"), N_("opens the conversation with somebody"), "", COMPLETE_NAME, true, do_chat },
	{ "reply", N_("[TEXT]"), N_("answers the chosen message, else the newest of theirs"), "r", COMPLETE_NONE, false, do_reply },
	{ "edit", N_("[TEXT]"), N_("another text for a message of yours"), "e", COMPLETE_NONE, false, do_edit },
	{ "react", N_("SIGNS"), N_("as 👍 or :heart:; none takes it back"), "x", COMPLETE_EMOJI, false, do_react },
	{ "delete", "[--here]", N_("takes a message of yours back; with --here any, on this machine alone"), "d", COMPLETE_NONE, false, do_delete },
	{ "forward", N_("[NAME]"), N_("says a message again to somebody else"), "f", COMPLETE_NAME, false, do_forward },
	{ "info", "", N_("all that is known of a message; an image in full"), "i", COMPLETE_NONE, false, do_info },
	{ "press", "N", N_("presses a button of a message"), "", COMPLETE_NONE, true, do_press },
	{ "file", N_("PATH [WORDS]"), N_("sends a file or a folder"), "Ctrl+O", COMPLETE_PATH, true, do_file },
	{ "fetch", "", N_("fetches a file, or goes on with it"), "g", COMPLETE_NONE, false, do_fetch },
	{ "save", N_("FOLDER"), N_("fetches a file into a folder of yours"), "", COMPLETE_PATH, true, do_save },
	{ "pause", "", N_("lets a file rest"), "p", COMPLETE_NONE, false, do_pause },
	{ "cancel", "", N_("ends a file"), "", COMPLETE_NONE, false, do_cancel },
	{ "files", "[all]", N_("files on their way; with all those that are over, too"), "", COMPLETE_WORDS, false, do_files, "all" },
	{ "search", N_("WORDS"), N_("messages with all of these words"), "Ctrl+F", COMPLETE_NONE, true, do_search },
	{ "here", N_("WORDS"), N_("the same in this conversation"), "", COMPLETE_NONE, true, do_here },
	{ "add", N_("NAME or LINK [GREETING]"), N_("asks somebody"), "", COMPLETE_NONE, true, do_add },
	{ "accept", N_("[NAME]"), N_("says yes to a request, or to a changed key"), "", COMPLETE_NAME, false, do_accept },
	{ "block", N_("[NAME]"), N_("nothing more is heard of them"), "", COMPLETE_NAME, false, do_block },
	{ "unblock", N_("NAME"), N_("they may ask again"), "", COMPLETE_NAME, true, do_unblock },
	{ "remove", N_("[NAME]"), N_("ends the contact; what was said stays"), "", COMPLETE_NAME, false, do_remove },
	{ "requests", "", N_("who wants to talk with you"), "", COMPLETE_NONE, false, do_requests },
	{ "about", N_("[NAME]"), N_("all about a contact"), "", COMPLETE_NAME, false, do_about },
	{ "safety", N_("[NAME]"), N_("the safety number, to compare"), "", COMPLETE_NAME, false, do_safety },
	{ "verify", N_("[NAME]"), N_("the numbers were compared and are the same"), "", COMPLETE_NAME, false, do_verify },
	{ "unverify", N_("[NAME]"), N_("takes that back"), "", COMPLETE_NAME, false, do_unverify },
	{ "timer", N_("TIME or off"), N_("messages disappear after that, where both wish it"), "", COMPLETE_WORDS, true, do_timer, "off 30m 8h 1d 1w 4w" },
	{ "keep", N_("DAYS, 0 or default"), N_("how long what is said with them is kept here"), "", COMPLETE_WORDS, true, do_keep, "0 7 30 90 365 default" },
	{ "readmarks", N_("[on or off]"), N_("whether they are told what you read; without it as for everybody"), "", COMPLETE_WORDS, false, do_read_marks, "on off" },
	{ "consent", N_("direct, relay or never"), N_("whether they may have your addresses"), "", COMPLETE_WORDS, true, do_consent, "direct relay never" },
	{ "hide", N_("[NAME]"), N_("you are invisible to them alone"), "", COMPLETE_NAME, false, do_hide },
	{ "unhide", N_("[NAME]"), N_("takes that back"), "", COMPLETE_NAME, false, do_unhide },
	{ "forget", N_("NAME"), N_("deletes all that was said with them, on this machine"), "", COMPLETE_NAME, true, do_forget },
	{ "available", N_("[STATUS]"), N_("you are there"), "", COMPLETE_NONE, false, do_available },
	{ "away", N_("[STATUS]"), N_("you are not there"), "", COMPLETE_NONE, false, do_away },
	{ "busy", N_("[STATUS]"), N_("you do not want to be disturbed"), "", COMPLETE_NONE, false, do_busy },
	{ "invisible", "", N_("nobody sees that you are there"), "", COMPLETE_NONE, false, do_invisible },
	{ "status", N_("[TEXT]"), N_("a line that contacts see; without it: how you stand"), "", COMPLETE_NONE, false, do_status },
	{ "name", N_("TEXT"), N_("the name that contacts see"), "", COMPLETE_NONE, false, do_name },
	{ "picture", N_("[PATH]"), N_("the picture that contacts see; without it none"), "", COMPLETE_PATH, false, do_picture },
	{ "link", "", N_("your contact link, with a QR code"), "", COMPLETE_NONE, false, do_link },
	{ "invite", N_("[HOW MANY]"), N_("an invitation to the directory that you host"), "", COMPLETE_NONE, false, do_invite },
	{ "devices", "", N_("your devices"), "", COMPLETE_NONE, false, do_devices },
	{ "device", N_("rename, remove, grant or refuse; ID"), N_("changes one; the page of devices writes it for you"), "", COMPLETE_WORDS, true, do_device, "rename remove grant refuse" },
	{ "passwd", "[--everywhere]", N_("another password, asked for without being shown; with --everywhere all other devices are logged out"), "", COMPLETE_WORDS, false, NULL, "--everywhere" },
	{ "recovery", "[remove]", N_("twelve words for paper, which open the account where the password is forgotten"), "", COMPLETE_WORDS, false, NULL, "remove" },
	{ "backup", N_("FILE"), N_("all of the account into one sealed file; palique restore FILE opens it"), "", COMPLETE_PATH, true, NULL },
	{ "export", N_("[NAME] PATH --format html"), N_("what was said, to read elsewhere: html or jsonl"), "", COMPLETE_PATH, true, NULL },
	{ "lock", "[--change]", N_("nobody opens what is stored here without a passphrase; palique unlock ends that"), "", COMPLETE_WORDS, false, NULL, "--change" },
	{ "account", N_("renew or delete"), N_("a new key for the account, or its end"), "", COMPLETE_WORDS, true, NULL, "renew delete" },
	{ "relay", N_("[on or off]"), N_("whether you carry what two contacts say who cannot reach each other"), "", COMPLETE_WORDS, false, NULL, "on off" },
	{ "doctor", "", N_("checks everything, and says what to do"), "", COMPLETE_NONE, false, NULL },
	{ "proposals", "", N_("what programs want to say, for you to decide"), "", COMPLETE_NONE, false, do_proposals },
	{ "approve", N_("ID [TEXT]"), N_("it is said, or another text in its place"), "", COMPLETE_NONE, true, do_approve },
	{ "reject", "ID", N_("it is not said"), "", COMPLETE_NONE, true, do_reject },
	{ "bots", "", N_("programs with a token"), "", COMPLETE_NONE, false, do_bots },
	{ "bot", N_("remove NAME"), N_("its token is void"), "", COMPLETE_WORDS, false, do_bot, "remove" },
	{ "settings", "", N_("what is set"), "", COMPLETE_NONE, false, do_settings },
	{ "set", N_("SETTING VALUE"), N_("changes what is set"), "", COMPLETE_WORDS, true, do_set, "accept-up-to downloads read-marks keep requests notifications bell mouse images" },
	{ "bell", N_("on or off"), N_("rings for what you do not look at"), "", COMPLETE_WORDS, true, do_bell, "on off" },
	{ "web", "", N_("the same in a browser"), "", COMPLETE_NONE, false, do_web },
	{ "list", "", N_("the list of conversations"), "Ctrl+G", COMPLETE_NONE, false, do_list },
	{ "unread", "", N_("the next conversation with something unread"), "Alt+A", COMPLETE_NONE, false, do_unread },
	{ "next", "", N_("the next conversation"), "Alt+↓", COMPLETE_NONE, false, do_next },
	{ "previous", "", N_("the conversation before"), "Alt+↑", COMPLETE_NONE, false, do_previous },
	{ "choose", "", N_("chooses a message"), N_("Shift+Tab"), COMPLETE_NONE, false, do_choose },
	{ "oldest", "", N_("to the oldest message"), N_("Home"), COMPLETE_NONE, false, do_oldest },
	{ "newest", "", N_("to the newest message"), N_("End"), COMPLETE_NONE, false, do_newest },
	{ "redraw", "", N_("draws all of it anew"), "Ctrl+L", COMPLETE_NONE, false, do_redraw },
	{ "help", "", N_("these lines"), "F1", COMPLETE_NONE, false, do_help },
	{ "quit", "", N_("leaves; the engine goes on and takes messages"), "Ctrl+Q", COMPLETE_NONE, false, do_quit },
};
/* clang-format on */
enum { COMMANDS = sizeof commands / sizeof *commands };

const struct slash *command_at(size_t i)
{
	return i < COMMANDS ? &commands[i] : NULL;
}

const struct slash *command_find(const char *name, size_t size)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strlen(commands[i].name) == size && !strncmp(commands[i].name, name, size))
			return &commands[i];
	return NULL;
}

void command_do(struct tui *tui, const char *name, const char *rest)
{
	const struct slash *c = command_find(name, strlen(name));

	if (c && c->needs_more && !*rest) {
		char words[160];
		snprintf(words, sizeof words, "/%s %s: %s", c->name, _(c->arguments),
			 _(c->about));
		tui_tell(tui, true, words);
		return;
	}
	if (c && c->run)
		c->run(tui, rest);
	else if (c)
		command_outside(tui, c->name, rest);
}

void command_run(struct tui *tui, const char *line)
{
	size_t size = strcspn(line + 1, " \n");
	const struct slash *c = NULL;
	char words[160], *text;

	if (*line != '/' || line[1] == '/') {
		/* two slashes begin a text with one; :names: are signs */
		text = memory_new(strlen(line) * 4 + 1);
		emoji_replace(line + (*line == '/'), text, strlen(line) * 4 + 1);
		command_say(tui, text);
		free(text);
		return;
	}
	c = command_find(line + 1, size);
	if (c) {
		const char *rest = line + 1 + size;
		command_do(tui, c->name, rest + strspn(rest, " \n"));
		return;
	}
	snprintf(words, sizeof words, "%.*s", (int)(size < 40 ? size : 40), line + 1);
	if (command_outside(tui, words, line + 1 + size))
		return;
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
	const struct slash *c;

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
