/* The pages that stand over the conversations: help, search, safety numbers, devices and the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peer/faces/tui/commands.h"
#include "shared/bytes.h"
#include "shared/qr.h"
#include "shared/text.h"

enum { SEARCH_LIMIT = 100, ABOUT_COLUMN = 30 };

/* --- small things --- */

static struct page *begin(struct tui *tui, const char *title, page_chosen *chosen)
{
	return page_new(title, tui->width, chosen);
}

static void heading(struct sheet *s, const char *words)
{
	sheet_fresh(s);
	sheet_break(s);
	sheet_add(s, STYLE_STRONG, words);
	sheet_break(s);
}

/* "label   value" in a line */
static void row(struct sheet *s, const char *label, const char *value)
{
	unsigned used = sheet_columns(label);

	sheet_fresh(s);
	sheet_indent(s, 2);
	sheet_addf(s, STYLE_FAINT, "%s%*s", label,
		   used < ABOUT_COLUMN ? (int)(ABOUT_COLUMN - used) : 1, "");
	sheet_add(s, STYLE_PLAIN, value);
	sheet_fresh(s);
	sheet_indent(s, 0);
}

static void time_words(int64_t ms, char *out, size_t size)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	if (!ms || !localtime_r(&seconds, &tm) || !strftime(out, size, "%F %H:%M", &tm))
		snprintf(out, size, "–");
}

static const char *yes_or_no(bool is)
{
	return is ? _("yes") : _("no");
}

/* --- help --- */

void pages_help(struct tui *tui)
{
	static const struct {
		const char *keys, *about;
	} keys[] = {
		{ "Enter", N_("sends; Alt+Enter or Ctrl+J begins a new line") },
		{ "↑ ↓", N_("what you wrote before") },
		{ "Tab", N_("completes a command, a name, a path or a :sign") },
		{ "Alt+↑ Alt+↓",
		  N_("the conversation before, the next one; also Ctrl+P, Ctrl+N") },
		{ "Ctrl+G, F2", N_("the list of conversations; type to find one") },
		{ "PgUp PgDn End", N_("older, newer, the newest") },
		{ "Shift+Tab", N_("chooses a message: r e x d f g i do something with it") },
		{ "Esc", N_("back, or cancels") },
		{ "Ctrl+A E W U K Y", N_("as in a shell") },
		{ "Ctrl+L", N_("draws all of it anew") },
	};
	struct page *p = begin(tui, _("Help"), NULL);
	struct sheet *s = page_sheet(p);
	const struct command *c;

	heading(s, _("Keys"));
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		row(s, keys[i].keys, _(keys[i].about));
	heading(s, _("Commands"));
	for (size_t i = 0; (c = command_at(i)); i++) {
		char left[96];

		snprintf(left, sizeof left, "/%s %s%s%s", c->name,
			 *c->arguments ? _(c->arguments) : "", *c->key ? "  " : "", c->key);
		row(s, left, _(c->about));
	}
	sheet_break(s);
	sheet_add(s, STYLE_FAINT,
		  _("Who needs a screen reader types: palique --plain. The same in a browser: "
		    "palique web."));
	tui_show(tui, p);
}

/* --- search --- */

static void on_found_chosen(struct tui *tui, const char *item)
{
	char name[64];
	unsigned long long id;

	if (sscanf(item, "%llu %63s", &id, name) != 2)
		return;
	tui_show(tui, NULL);
	model_go_to(tui->model, name, id);
	tui->view.focus = FOCUS_TALK;
}

/* What was found stands between U+0002 and U+0003. */
static void add_snippet(struct sheet *s, const char *snippet)
{
	while (*snippet) {
		bool is_found = *snippet == 2;
		size_t size;
		char *part;

		snippet += is_found;
		size = strcspn(snippet, is_found ? "\003" : "\002");
		part = memory_new(size + 1);
		memcpy(part, snippet, size);
		sheet_add(s, is_found ? STYLE_FOUND : STYLE_PLAIN, part);
		free(part);
		snippet += size;
		snippet += is_found && *snippet == 3;
	}
}

static void on_found(struct tui *tui, const struct json *result, void *context)
{
	const struct json *messages = json_get(result, "messages");
	char title[160], item[PAGE_ITEM_MAX], when[32];
	struct page *p;
	struct sheet *s;

	if (!result)
		return;
	snprintf(title, sizeof title, _("Search: %s"), (const char *)context);
	p = begin(tui, title, on_found_chosen);
	s = page_sheet(p);
	for (size_t i = 0; i < json_count(messages); i++) {
		const struct json *m = json_at(messages, i);
		const char *name = json_text(m, "conversation"),
			   *snippet = json_text(m, "snippet");
		uint64_t id;

		if (!name || json_id(m, "id", &id) < 0)
			continue;
		snprintf(item, sizeof item, "%llu %s", (unsigned long long)id, name);
		page_item(p, item);
		time_words(json_int(m, "timestamp", 0), when, sizeof when);
		sheet_addf(s, STYLE_FAINT, "%s ", when);
		sheet_addf(s, json_bool(m, "own", false) ? STYLE_OWN : STYLE_THEIRS,
			   "%s%s: ", json_bool(m, "own", false) ? _("you to ") : "", name);
		add_snippet(s, snippet ? snippet : "");
	}
	if (!json_count(messages))
		sheet_add(s, STYLE_PLAIN, _("Nothing was found with all of these words."));
	tui_show(tui, p);
}

void pages_search(struct tui *tui, const char *words, const char *within)
{
	struct json *params = json_set_text(json_object(), "query", words);

	if (within)
		json_set_text(params, "conversation", within);
	tui_call(tui, "searchMessages", json_set_int(params, "limit", SEARCH_LIMIT), on_found,
		 memory_text(words));
}

/* --- safety --- */

static void add_qr(struct sheet *s, const char *text)
{
	struct buf drawn = { 0 };

	if (qr_print(&drawn, text) == 0 && buf_append_byte(&drawn, 0) == 0)
		sheet_add(s, STYLE_PLAIN, (const char *)drawn.data);
	buf_clear(&drawn);
}

static void on_safety(struct tui *tui, const struct json *result, void *context)
{
	const char *digits = json_text(result, "digits"), *code = json_text(result, "code");
	struct page *p;
	struct sheet *s;
	char title[128];

	if (!result || !digits)
		return;
	snprintf(title, sizeof title, _("Safety number with %s"), (const char *)context);
	p = begin(tui, title, NULL);
	s = page_sheet(p);
	sheet_add(s, STYLE_PLAIN,
		  _("Read it to each other on the telephone, or hold the screens side by side. "
		    "If the number is the same on both, nobody stands between you."));
	sheet_break(s);
	sheet_break(s);
	for (size_t i = 0; i < strlen(digits); i += 5) {
		sheet_addf(s, STYLE_STRONG, "  %.5s", digits + i);
		if (i % 20 == 15)
			sheet_break(s);
	}
	sheet_break(s);
	sheet_add(s, json_bool(result, "verified", false) ? STYLE_GOOD : STYLE_WARN,
		  json_bool(result, "verified", false)
			  ? _("You have compared it: verified.")
			  : _("Not compared yet. When it is the same: /verify"));
	sheet_break(s);
	if (code)
		add_qr(s, code);
	tui_show(tui, p);
}

void pages_safety(struct tui *tui, const char *name)
{
	tui_call(tui, "getSafety", json_set_text(json_object(), "name", name), on_safety,
		 memory_text(name));
}

/* --- devices --- */

static void on_devices(struct tui *tui, const struct json *result, void *context)
{
	const struct json *devices = json_get(result, "devices");
	struct page *p;
	struct sheet *s;
	char when[32];

	(void)context;
	if (!result)
		return;
	p = begin(tui, _("Your devices"), NULL);
	s = page_sheet(p);
	for (size_t i = 0; i < json_count(devices); i++) {
		const struct json *d = json_at(devices, i);

		sheet_fresh(s);
		sheet_add(s, STYLE_STRONG, json_text(d, "name") ? json_text(d, "name") : "");
		time_words(json_int(d, "since", 0), when, sizeof when);
		sheet_addf(s, STYLE_FAINT, "  %s, %s",
			   json_bool(d, "current", false)  ? _("this one")
			   : json_bool(d, "online", false) ? _("online")
							   : _("offline"),
			   when);
	}
	sheet_break(s);
	sheet_break(s);
	sheet_add(s, STYLE_FAINT,
		  _("Another machine comes in by: palique login NAME@DIRECTORY. One is "
		    "renamed, removed or given "
		    "the history by: palique devices"));
	tui_show(tui, p);
}

void pages_devices(struct tui *tui)
{
	tui_call(tui, "listDevices", NULL, on_devices, NULL);
}

/* --- settings, and how one stands --- */

static void on_settings(struct tui *tui, const struct json *result, void *context)
{
	struct page *p;
	struct sheet *s;
	char words[64];
	const char *downloads = json_text(result, "downloads");

	(void)context;
	if (!result)
		return;
	p = begin(tui, _("Settings"), NULL);
	s = page_sheet(p);
	row(s, _("requests are heard from"),
	    json_text(result, "requests") ? json_text(result, "requests") : "");
	snprintf(words, sizeof words, "%.0f MB",
		 (double)json_int(result, "acceptUpTo", 0) / 1048576);
	row(s, _("files fetched unasked, up to"), words);
	row(s, _("downloads folder"),
	    downloads && *downloads ? downloads : json_text(result, "usualDownloads"));
	row(s, _("contacts are told what I read"),
	    yes_or_no(json_bool(result, "readMarks", false)));
	snprintf(words, sizeof words, "%lld", (long long)json_int(result, "keepDays", 0));
	row(s, _("messages are kept, in days"),
	    json_int(result, "keepDays", 0) ? words : _("for ever"));
	sheet_break(s);
	sheet_add(s, STYLE_FAINT, _("They are changed by: palique settings"));
	tui_show(tui, p);
}

void pages_settings(struct tui *tui)
{
	tui_call(tui, "getSettings", NULL, on_settings, NULL);
}

static void on_status(struct tui *tui, const struct json *result, void *context)
{
	const struct json *account = json_get(result, "account"), *value;
	static const char *const keys[] = { "name",    "directory",   "state",
					    "trouble", "fingerprint", "link" };
	struct page *p;
	struct sheet *s;

	(void)context;
	if (!result)
		return;
	p = begin(tui, _("How you stand"), NULL);
	s = page_sheet(p);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (json_text(account, keys[i]) && *json_text(account, keys[i]))
			row(s, keys[i], json_text(account, keys[i]));
	value = json_get(result, "paths");
	for (size_t i = 0; i < json_count(value); i++) {
		const struct json *path = json_at(value, i);
		char words[160];

		snprintf(words, sizeof words, "%s %s",
			 json_text(path, "pathKind") ? json_text(path, "pathKind")
						     : _("not connected"),
			 json_text(path, "address") ? json_text(path, "address") : "");
		row(s, json_text(path, "name") ? json_text(path, "name") : "", words);
	}
	if (json_text(account, "link")) {
		sheet_break(s);
		add_qr(s, json_text(account, "link"));
	}
	tui_show(tui, p);
}

void pages_status(struct tui *tui)
{
	tui_call(tui, "status", NULL, on_status, NULL);
}

/* --- contacts --- */

static void on_person_chosen(struct tui *tui, const char *item)
{
	tui_show(tui, NULL);
	model_choose(tui->model, item);
	tui->view.focus = FOCUS_COMPOSE;
	tui->view.shows_list_alone = false;
}

void pages_requests(struct tui *tui)
{
	struct page *p = begin(tui, _("Who wants to talk with you"), on_person_chosen);
	struct sheet *s = page_sheet(p);
	bool is_any = false;

	for (size_t i = 0; i < model_count(tui->model); i++) {
		const struct talk *t = model_at(tui->model, i);
		const char *state = json_text(t->contact, "state");
		const char *greeting = json_text(t->contact, "greeting");

		if (!state || strcmp(state, "requests") != 0)
			continue;
		page_item(p, t->name);
		sheet_add(s, STYLE_STRONG, t->name);
		if (greeting)
			sheet_addf(s, STYLE_PLAIN, "  “%s”", greeting);
		is_any = true;
	}
	page_item(p, NULL);
	sheet_break(s);
	sheet_add(s, STYLE_FAINT,
		  is_any ? _("Enter opens it; there /accept says yes, /block no for good.")
			 : _("Nobody, at this moment."));
	tui_show(tui, p);
}

void pages_contact(struct tui *tui, const char *name)
{
	struct talk *t = model_find(tui->model, name);
	const struct json *c = t ? t->contact : NULL, *timer = json_get(c, "timer");
	const char *words;
	enum style style;
	struct page *p;
	struct sheet *s;
	char title[128], number[64];

	if (!c) {
		tui_tell(tui, true, _("That is no contact."));
		return;
	}
	snprintf(title, sizeof title, _("About %s"), name);
	p = begin(tui, title, NULL);
	s = page_sheet(p);
	view_presence(c, &words, &style);
	row(s, _("name to show"), view_title(t));
	row(s, _("presence"), words);
	if (json_text(c, "status"))
		row(s, _("status"), json_text(c, "status"));
	if (json_bool(c, "connected", false)) {
		snprintf(number, sizeof number, "%s, %.1f ms",
			 json_text(c, "pathKind") ? json_text(c, "pathKind") : "",
			 json_real(c, "roundTripMs", 0));
		row(s, _("connection"), number);
	}
	time_words(json_int(c, "lastSeen", 0), number, sizeof number);
	row(s, _("last seen"), number);
	row(s, _("verified"), yes_or_no(json_bool(c, "verified", false)));
	if (json_text(c, "fingerprint"))
		row(s, _("fingerprint"), json_text(c, "fingerprint"));
	row(s, _("is told what I read"), yes_or_no(json_bool(c, "readMarks", false)));
	row(s, _("I am invisible to them"), yes_or_no(json_bool(c, "hidden", false)));
	snprintf(number, sizeof number, "%lld s", (long long)json_int(timer, "seconds", 0));
	row(s, _("messages disappear after"),
	    json_int(timer, "seconds", 0) ? number : _("they stay"));
	snprintf(number, sizeof number, "%lld", (long long)json_int(c, "queued", 0));
	row(s, _("waiting to be delivered"), number);
	tui_show(tui, p);
}

/* --- files and messages --- */

static void on_transfers(struct tui *tui, const struct json *result, void *context)
{
	const struct json *list = json_get(result, "transfers");
	struct page *p;
	struct sheet *s;
	char item[PAGE_ITEM_MAX];

	(void)context;
	if (!result)
		return;
	p = begin(tui, _("Files on their way"), on_found_chosen);
	s = page_sheet(p);
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *m = json_at(list, i), *f = json_get(m, "file");
		const char *name = json_text(m, "conversation");
		int64_t size = json_int(f, "size", 0);
		uint64_t id;

		if (!name || json_id(m, "id", &id) < 0)
			continue;
		snprintf(item, sizeof item, "%llu %s", (unsigned long long)id, name);
		page_item(p, item);
		sheet_addf(s, STYLE_FAINT,
			   "%s %s: ", json_bool(m, "own", false) ? _("to") : _("from"), name);
		sheet_add(s, STYLE_STRONG, json_text(f, "name") ? json_text(f, "name") : "");
		sheet_addf(s, STYLE_FAINT, "  %s, %lld %%",
			   json_text(f, "state") ? json_text(f, "state") : "",
			   size > 0 ? (long long)(100 * json_int(f, "done", 0) / size) : 0LL);
	}
	if (!json_count(list))
		sheet_add(s, STYLE_PLAIN, _("No file is on its way."));
	tui_show(tui, p);
}

void pages_files(struct tui *tui)
{
	tui_call(tui, "listTransfers", NULL, on_transfers, NULL);
}

static void on_forward_chosen(struct tui *tui, const char *item)
{
	char name[64];
	unsigned long long id;

	if (sscanf(item, "%llu %63s", &id, name) != 2)
		return;
	tui_show(tui, NULL);
	tui_call(tui, "forward",
		 json_set_text(json_set_id(json_object(), "id", id), "conversation", name),
		 NULL, NULL);
}

void pages_forward(struct tui *tui, uint64_t id)
{
	struct page *p = begin(tui, _("Forward to"), on_forward_chosen);
	char item[PAGE_ITEM_MAX];

	for (size_t i = 0; i < model_count(tui->model); i++) {
		const struct talk *t = model_at(tui->model, i);

		if (!t->contact)
			continue;
		snprintf(item, sizeof item, "%llu %s", (unsigned long long)id, t->name);
		page_item(p, item);
		sheet_add(page_sheet(p), STYLE_PLAIN, view_title(t));
	}
	tui_show(tui, p);
}

void pages_message(struct tui *tui, const char *name, uint64_t id)
{
	struct talk *t = model_find(tui->model, name);
	struct said *said = t ? talk_find(t, id) : NULL;
	const struct json *f;
	struct page *p;
	struct sheet *s;
	char when[32];

	if (!said)
		return;
	p = begin(tui, _("A message"), NULL);
	s = page_sheet(p);
	f = json_get(said->message, "file");
	time_words(json_int(said->message, "timestamp", 0), when, sizeof when);
	row(s, _("written"), when);
	time_words(json_int(said->message, "arrivedAt", 0), when, sizeof when);
	row(s, said->is_own ? _("stored") : _("arrived"), when);
	row(s, _("state"),
	    json_text(said->message, "state") ? json_text(said->message, "state") : "");
	if (f && json_text(f, "path"))
		row(s, _("file"), json_text(f, "path"));
	if (f && json_text(f, "type"))
		row(s, _("type"), json_text(f, "type"));
	if (f && json_text(f, "alt"))
		row(s, _("shows"), json_text(f, "alt"));
	sheet_break(s);
	if (json_text(said->message, "text"))
		sheet_add_marked(s, STYLE_PLAIN, json_text(said->message, "text"));
	tui_show(tui, p);
}
