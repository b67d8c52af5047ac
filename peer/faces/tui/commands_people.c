/* Commands about contacts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/faces/tui/commands_inside.h"
#include "shared/text.h"

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

void do_add(struct tui *tui, const char *rest)
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
	const char *name = command_name(tui, rest);

	if (name)
		tui_call(tui, method, json_set_text(json_object(), "name", name), then, NULL);
}

void do_accept(struct tui *tui, const char *rest)
{
	with_name(tui, "acceptContact", rest, on_contact);
}

void do_block(struct tui *tui, const char *rest)
{
	with_name(tui, "blockContact", rest, on_contact);
}

void do_remove(struct tui *tui, const char *rest)
{
	with_name(tui, "removeContact", rest, command_done);
}

void do_safety(struct tui *tui, const char *rest)
{
	const char *name = command_name(tui, rest);

	if (name)
		tui_open_page(tui, pages_safety, name, 0);
}

void do_verify(struct tui *tui, const char *rest)
{
	with_name(tui, "verifyContact", rest, on_contact);
}

void do_about(struct tui *tui, const char *rest)
{
	const char *name = command_name(tui, rest);

	if (name)
		tui_open_page(tui, pages_contact, name, 0);
}

void do_timer(struct tui *tui, const char *rest)
{
	static const struct {
		char unit;
		long seconds;
	} units[] = { { 's', 1 },     { 'm', 60 },         { 'h', 3600 },
		      { 'd', 86400 }, { 'w', 7L * 86400 }, { '\0', 1 } };
	struct talk *t = command_talk(tui);
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
			 command_done, NULL);
		return;
	}
	if (!strcmp(rest, "off"))
		tui_call(tui, "setTimer",
			 json_set_int(json_set_text(json_object(), "conversation", t->name),
				      "seconds", 0),
			 command_done, NULL);
	else
		tui_tell(tui, true, _("/timer 1d, 8h, 30m, 2w, or off"));
}

/* --- what holds for one of them --- */

void do_unblock(struct tui *tui, const char *rest)
{
	with_name(tui, "removeContact", rest, command_done);
}

void do_unverify(struct tui *tui, const char *rest)
{
	with_name(tui, "unverifyContact", rest, on_contact);
}

void do_hide(struct tui *tui, const char *rest)
{
	with_name(tui, "hideFrom", rest, on_contact);
}

void do_unhide(struct tui *tui, const char *rest)
{
	const char *name = command_name(tui, rest);

	if (name)
		tui_call(tui, "hideFrom",
			 json_set_bool(json_set_text(json_object(), "name", name), "hidden",
				       false),
			 on_contact, NULL);
}

void do_read_marks(struct tui *tui, const char *rest)
{
	struct talk *t = command_talk(tui);
	struct json *params;
	int is_on;

	if (!t)
		return;
	params = json_set_text(json_object(), "name", t->name);
	if (*rest) {
		is_on = command_on_or_off(tui, rest);
		if (is_on < 0) {
			json_free(params);
			return;
		}
		json_set_bool(params, "on", is_on);
	}
	tui_call(tui, "setReadMarks", params, on_contact, NULL);
}

void do_consent(struct tui *tui, const char *rest)
{
	struct talk *t = command_talk(tui);

	if (t)
		tui_call(tui, "setConsent",
			 json_set_text(json_set_text(json_object(), "name", t->name), "consent",
				       rest),
			 on_contact, NULL);
}

void do_keep(struct tui *tui, const char *rest)
{
	struct talk *t = command_talk(tui);
	char *end;
	long days = strtol(rest, &end, 10);

	if (!t)
		return;
	if (!strcmp(rest, "default"))
		days = -1;
	else if (end == rest || *end || days < 0 || days > 36500) {
		tui_tell(tui, true, _("/keep 30 (days), 0 for ever, or default"));
		return;
	}
	tui_call(tui, "setKeep",
		 json_set_int(json_set_text(json_object(), "conversation", t->name), "days",
			      days),
		 on_contact, NULL);
}

/* All that was said goes: that is done where the name is typed, and not by a slip. */
static void on_forgotten(struct tui *tui, const struct json *result, void *context)
{
	(void)context;
	if (!result)
		return;
	model_forget(tui->model, json_text(result, "conversation"));
	tui_tell(tui, false, _("It is deleted on this machine; others keep theirs."));
}

void do_forget(struct tui *tui, const char *rest)
{
	tui_call(tui, "forgetConversation", json_set_text(json_object(), "conversation", rest),
		 on_forgotten, NULL);
}
