/* Pages about programs: what they propose to say, and which have a token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/tui/pages_inside.h"
#include "shared/text.h"

static bool key_of_proposal(struct tui *tui, char letter, const char *item)
{
	const char *method = letter == 'a'   ? "approveProposal"
			     : letter == 'r' ? "rejectProposal"
					     : NULL;
	char command[PAGE_ITEM_MAX + 16];

	if (item && letter == 'e') { /* the other text is written behind it */
		snprintf(command, sizeof command, "/approve %s ", item);
		pages_write(tui, command);
		return true;
	}
	if (!method || !item)
		return false;
	tui_call(tui, method, json_set_id(json_object(), "id", strtoull(item, NULL, 10)), NULL,
		 NULL);
	return true;
}

/* All that would be said, as it is, and set in: so that it cannot look as another proposal. */
static void add_words(struct sheet *s, const struct json *one, const char *text)
{
	const struct json *buttons = json_get(one, "buttons");
	const char *reply = json_text(one, "replyTo");

	sheet_indent(s, 4);
	sheet_fresh(s);
	sheet_add(s, STYLE_PLAIN, text ? text : "");
	if (json_count(buttons))
		sheet_fresh(s);
	for (size_t i = 0; i < json_count(buttons); i++) {
		const char *label = json_text_at(buttons, i);

		sheet_addf(s, STYLE_BADGE, "[%s]", label ? label : "");
		sheet_add(s, STYLE_PLAIN, " ");
	}
	if (reply) {
		sheet_fresh(s);
		sheet_addf(s, STYLE_FAINT, _("in answer to message %s"), reply);
	}
	sheet_fresh(s);
	sheet_indent(s, 0);
}

static void on_proposals(struct tui *tui, const struct json *result, void *context)
{
	const struct json *list = json_get(result, "proposals");
	struct page *p;
	struct sheet *s;

	(void)context;
	if (!result)
		return;
	p = pages_begin(tui, _("What programs want to say"), NULL);
	s = page_sheet(p);
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *one = json_at(list, i);
		const char *bot = json_text(one, "bot"), *to = json_text(one, "conversation"),
			   *text = json_text(one, "text");
		char item[PAGE_ITEM_MAX];
		uint64_t id;

		if (json_id(one, "id", &id) < 0)
			continue;
		snprintf(item, sizeof item, "%llu", (unsigned long long)id);
		page_item(p, item);
		sheet_addf(s, STYLE_THEIRS, _("bot %s"), bot ? bot : "?");
		sheet_addf(s, STYLE_FAINT, " → %s:", to ? to : "?");
		add_words(s, one, text);
	}
	if (!json_count(list))
		sheet_add(s, STYLE_PLAIN, _("Nothing waits to be decided."));
	page_set_keys(p, _("a say it · e say another text · r do not · Esc closes"),
		      key_of_proposal);
	tui_show(tui, p);
}

void pages_proposals(struct tui *tui, const char *words, uint64_t id)
{
	(void)words;
	(void)id;
	tui_call(tui, "listProposals", NULL, on_proposals, NULL);
}

static void on_changed(struct tui *tui, const struct json *result, void *context)
{
	(void)context;
	if (result)
		pages_bots(tui, "", 0);
}

static bool key_of_bot(struct tui *tui, char letter, const char *item)
{
	const char *may = letter == 's'   ? "send"
			  : letter == 'p' ? "propose"
			  : letter == 'r' ? "read"
					  : NULL;
	char command[PAGE_ITEM_MAX + 16];

	if (item && may) {
		tui_call(tui, "changeBot",
			 json_set_text(json_set_text(json_object(), "name", item), "may", may),
			 on_changed, NULL);
		return true;
	}
	if (!item || letter != 'x')
		return false;
	snprintf(command, sizeof command, "/bot remove %s", item);
	pages_write(tui, command);
	return true;
}

static void on_bots(struct tui *tui, const struct json *result, void *context)
{
	const struct json *list = json_get(result, "bots");
	struct page *p;
	struct sheet *s;
	char when[32];

	(void)context;
	if (!result)
		return;
	p = pages_begin(tui, _("Programs with a token"), NULL);
	s = page_sheet(p);
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *b = json_at(list, i), *with = json_get(b, "conversations");
		const char *name = json_text(b, "name"), *may = json_text(b, "may");

		page_item(p, name ? name : "?");
		sheet_add(s, STYLE_STRONG, name ? name : "?");
		pages_time(json_int(b, "seen", 0), when, sizeof when);
		sheet_addf(s, STYLE_FAINT, "  %s, %s", may ? may : "", when);
		for (size_t k = 0; k < json_count(with); k++)
			sheet_addf(s, STYLE_PLAIN, " %s",
				   json_text_at(with, k) ? json_text_at(with, k) : "");
	}
	page_item(p, NULL);
	sheet_break(s);
	sheet_add(s, STYLE_FAINT, _("One more is made by: palique bot create NAME"));
	page_set_keys(p,
		      _("s send · p propose · r read: what it may · x takes its token away · "
			"Esc closes"),
		      key_of_bot);
	tui_show(tui, p);
}

void pages_bots(struct tui *tui, const char *words, uint64_t id)
{
	(void)words;
	(void)id;
	tui_call(tui, "listBots", NULL, on_bots, NULL);
}
