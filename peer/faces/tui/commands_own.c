/* Commands about oneself: how one is seen, devices, settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/faces/outside.h"
#include "peer/faces/tui/commands_inside.h"
#include "peer/faces/tui/settings.h"
#include "shared/error.h"
#include "shared/text.h"

/* --- what the command line does itself: passwords, paper, archives --- */

static void wait_for_enter(void)
{
	char c = '\0';

	printf("\n%s", _("Enter goes back to the conversations: "));
	fflush(stdout);
	while (c != '\n' && read(STDIN_FILENO, &c, 1) == 1)
		;
}

bool command_outside(struct tui *tui, const char *name, const char *rest)
{
	char *line = NULL;
	int err;

	if (!outside_can(name) || asprintf(&line, "%s %s", name, rest) < 0)
		return false;
	screen_leave();
	err = outside_run(tui->config->place, line);
	free(line);
	if (err >= 0)
		wait_for_enter();
	screen_return();
	if (err < 0)
		tui_tell(tui, true, error_text(err));
	return true;
}

/* --- how one is seen --- */

static void do_availability(struct tui *tui, const char *as, const char *rest)
{
	struct json *params = json_set_text(json_object(), "availability", as);

	json_set_bool(params, "invisible", false);
	if (*rest)
		json_set_text(params, "status", rest);
	tui_call(tui, "setProfile", params, command_done, NULL);
}

void do_available(struct tui *tui, const char *rest)
{
	do_availability(tui, "available", rest);
}

void do_away(struct tui *tui, const char *rest)
{
	do_availability(tui, "away", rest);
}

void do_busy(struct tui *tui, const char *rest)
{
	do_availability(tui, "busy", rest);
}

void do_invisible(struct tui *tui, const char *rest)
{
	(void)rest;
	tui_call(tui, "setProfile", json_set_bool(json_object(), "invisible", true),
		 command_done, NULL);
}

void do_status(struct tui *tui, const char *rest)
{
	if (*rest)
		tui_call(tui, "setProfile", json_set_text(json_object(), "status", rest),
			 command_done, NULL);
	else
		tui_open_page(tui, pages_status, "", 0);
}

void do_name(struct tui *tui, const char *rest)
{
	tui_call(tui, "setProfile", json_set_text(json_object(), "title", rest), command_done,
		 NULL);
}

void do_picture(struct tui *tui, const char *rest)
{
	char *path = *rest ? command_path(rest) : memory_text("");

	if (path)
		tui_call(tui, "setProfile", json_set_text(json_object(), "picture", path),
			 command_done, NULL);
	free(path);
}

void do_link(struct tui *tui, const char *rest)
{
	(void)rest;
	tui_open_page(tui, pages_link, "", 0);
}

void do_invite(struct tui *tui, const char *rest)
{
	long count = strtol(rest, NULL, 10);

	tui_open_page(tui, pages_invite, "", count > 0 ? (uint64_t)count : 1);
}

void do_devices(struct tui *tui, const char *rest)
{
	(void)rest;
	tui_open_page(tui, pages_devices, "", 0);
}

/* "rename ID NAME" and the like: what the keys of the page of devices write. */
void do_device(struct tui *tui, const char *rest)
{
	static const struct {
		const char *word, *method;
		bool is_on;
	} rows[] = {
		{ "rename", "nameDevice", false },
		{ "remove", "revokeDevice", false },
		{ "grant", "grantHistory", true },
		{ "refuse", "grantHistory", false },
	};
	char word[16], id[64];
	int used = 0;

	if (sscanf(rest, "%15s %63s %n", word, id, &used) < 2) {
		tui_tell(tui, true, _("Easier from the page: /devices"));
		return;
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct json *params;

		if (strcmp(word, rows[i].word) != 0)
			continue;
		params = json_set_text(json_object(), "device", id);
		if (!strcmp(rows[i].method, "nameDevice"))
			json_set_text(params, "name", rest + used);
		else if (!strcmp(rows[i].method, "grantHistory"))
			json_set_bool(params, "on", rows[i].is_on);
		tui_call(tui, rows[i].method, params, command_done, NULL);
		return;
	}
	tui_tell(tui, true, _("Easier from the page: /devices"));
}

void do_settings(struct tui *tui, const char *rest)
{
	(void)rest;
	tui_open_page(tui, pages_settings, "", 0);
}

void do_set(struct tui *tui, const char *rest)
{
	size_t size = strcspn(rest, " ");
	char name[32];

	snprintf(name, sizeof name, "%.*s", size < sizeof name ? (int)size : 0, rest);
	settings_set(tui, name, rest + size + strspn(rest + size, " "));
}

void do_bell(struct tui *tui, const char *rest)
{
	settings_set(tui, "bell", rest);
}

static void on_web(struct tui *tui, const struct json *result, void *context)
{
	const char *url = json_text(result, "url");
	char words[512];

	(void)context;
	if (!url)
		return;
	snprintf(words, sizeof words, _("Open in a browser, once: %s"), url);
	tui_tell(tui, false, words);
}

void do_web(struct tui *tui, const char *rest)
{
	(void)rest;
	tui_call(tui, "openWeb", NULL, on_web, NULL);
}

/* --- programs with a token --- */

void do_proposals(struct tui *tui, const char *rest)
{
	(void)rest;
	tui_open_page(tui, pages_proposals, "", 0);
}

void do_approve(struct tui *tui, const char *rest)
{
	char *text;
	uint64_t id = strtoull(rest, &text, 10);
	struct json *params;

	if (text == rest) {
		tui_tell(tui, true, _("Easier from the page: /proposals"));
		return;
	}
	params = json_set_id(json_object(), "id", id);
	text += strspn(text, " ");
	if (*text)
		json_set_text(params, "text", text);
	tui_call(tui, "approveProposal", params, command_done, NULL);
}

void do_reject(struct tui *tui, const char *rest)
{
	char *end;
	uint64_t id = strtoull(rest, &end, 10);

	if (end == rest)
		tui_tell(tui, true, _("Easier from the page: /proposals"));
	else
		tui_call(tui, "rejectProposal", json_set_id(json_object(), "id", id),
			 command_done, NULL);
}

void do_bots(struct tui *tui, const char *rest)
{
	(void)rest;
	tui_open_page(tui, pages_bots, "", 0);
}

void do_bot(struct tui *tui, const char *rest)
{
	static const char word[] = "remove ";

	if (strncmp(rest, word, strlen(word)) != 0)
		tui_open_page(tui, pages_bots, "", 0);
	else
		tui_call(tui, "removeBot",
			 json_set_text(json_object(), "name", rest + strlen(word)),
			 command_done, NULL);
}
