/* The pages that stand over the conversations: help, search, files, messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peer/faces/tui/pages_inside.h"
#include "peer/faces/tui/commands.h"
#include "shared/bytes.h"
#include "shared/qr.h"
#include "shared/text.h"

enum { SEARCH_LIMIT = 100, ABOUT_COLUMN = 34, BESIDE_MIN = 18 };

/* --- small things --- */

struct page *pages_begin(struct tui *tui, const char *title, page_chosen *chosen)
{
	return page_new(title, tui->width, chosen);
}

void pages_heading(struct sheet *s, const char *words)
{
	sheet_fresh(s);
	sheet_break(s);
	sheet_add(s, STYLE_STRONG, words);
	sheet_break(s);
}

/* "label   value" in a line; a long value goes on below itself. */
void pages_row(struct sheet *s, const char *label, const char *value)
{
	unsigned used = sheet_columns(label), width = sheet_width(s);
	unsigned about = width >= 2 * ABOUT_COLUMN ? ABOUT_COLUMN : width / 2;

	sheet_fresh(s);
	sheet_indent(s, 2);
	sheet_addf(s, STYLE_FAINT, "%s%*s", label, used < about ? (int)(about - used) : 1, "");
	sheet_indent(s, 2 + about);
	sheet_add(s, STYLE_PLAIN, value ? value : "");
	sheet_fresh(s);
	sheet_indent(s, 0);
}

const char *pages_word(const char *word)
{
	static const char *const rows[][2] = {
		{ "none", N_("no account") },
		{ "joining", N_("being made") },
		{ "connecting", N_("looking for the directory") },
		{ "online", N_("online") },
		{ "refused", N_("refused by the directory") },
		{ "available", N_("available") },
		{ "away", N_("away") },
		{ "busy", N_("busy") },
		{ "queued", N_("waits to be delivered") },
		{ "delivered", N_("delivered") },
		{ "read", N_("read") },
		{ "received", N_("received") },
		{ "proposed", N_("proposed by a program") },
		{ "loopback", N_("on this machine") },
		{ "lan", N_("same network") },
		{ "ipv6", N_("direct by IPv6") },
		{ "public", N_("direct") },
		{ "mapped", N_("direct, by a port that a router opened") },
		{ "punched", N_("direct, through the routers") },
		{ "sprayed", N_("direct, through the routers by a guessed port") },
		{ "relayed", N_("through a contact of both") },
		{ "direct", N_("yes") },
		{ "relay", N_("no; only through a contact of both who relays") },
		{ "never", N_("no, and no connection is made") },
	};

	for (size_t i = 0; word && i < sizeof rows / sizeof *rows; i++)
		if (!strcmp(rows[i][0], word))
			return _(rows[i][1]);
	return word ? word : "";
}

void pages_time(int64_t ms, char *out, size_t size)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	if (!ms || !localtime_r(&seconds, &tm) || !strftime(out, size, "%F %H:%M", &tm))
		snprintf(out, size, "–");
}

const char *pages_yes_or_no(bool is)
{
	return is ? _("yes") : _("no");
}

/* To the message of an item "ID NAME". */
static void go_to(struct tui *tui, const char *item)
{
	char name[64];
	unsigned long long id;

	if (sscanf(item, "%llu %63s", &id, name) != 2)
		return;
	tui_show(tui, NULL);
	model_go_to(tui->model, name, id);
	tui->view.focus = FOCUS_TALK;
}

void pages_write(struct tui *tui, const char *command)
{
	tui_show(tui, NULL);
	tui->view.focus = FOCUS_COMPOSE;
	tui->view.shows_list_alone = false;
	compose_set(tui_compose(tui), command);
}

static bool draw_qr(const char *text, struct buf *out)
{
	*out = (struct buf){ .limit = 65536 };
	if (qr_print(out, text) == 0 && buf_append_byte(out, 0) == 0)
		return true;
	buf_clear(out);
	return false;
}

size_t pages_qr_rows(const char *text)
{
	struct buf drawn;
	size_t rows = 0;

	if (!draw_qr(text, &drawn))
		return 0;
	for (const char *at = (char *)drawn.data; *at; at++)
		rows += *at == '\n';
	buf_clear(&drawn);
	return rows;
}

void pages_qr(struct sheet *s, const char *text, enum style style, const char *words)
{
	struct buf drawn;
	struct sheet *beside = NULL;
	char *line, *rest;
	unsigned columns;

	sheet_fresh(s);
	if (!draw_qr(text, &drawn))
		return;
	rest = (char *)drawn.data;
	columns = 2;
	for (const char *at = rest; *at && *at != '\n'; at++)
		columns += ((unsigned char)*at & 0xc0) != 0x80;
	if (words && sheet_width(s) >= columns + BESIDE_MIN) {
		beside = sheet_new(sheet_width(s) - columns);
		sheet_add(beside, style, words);
	} else if (words) {
		sheet_add(s, style, words);
		sheet_break(s);
	}
	for (size_t i = 0; (line = strsep(&rest, "\n")) && *line; i++) {
		sheet_add(s, STYLE_QR, line);
		if (beside && i > 0 && i <= sheet_lines(beside)) {
			sheet_add(s, STYLE_PLAIN, "  ");
			sheet_add_line(s, sheet_line(beside, i - 1));
		}
		sheet_break(s);
	}
	sheet_free(beside);
	buf_clear(&drawn);
}

/* --- help --- */

void pages_help(struct tui *tui, const char *words, uint64_t id)
{
	static const struct {
		const char *keys, *about;
	} keys[] = {
		{ N_("Enter"), N_("sends; Alt+Enter or Ctrl+J begins a new line") },
		{ "↑ ↓", N_("what you wrote before") },
		{ "Tab", N_("completes a command, a name, a path or a :sign") },
		{ "Alt+↑ Alt+↓",
		  N_("the conversation before, the next one; also Ctrl+P, Ctrl+N") },
		{ "Alt+1 … Alt+9", N_("the first nine of the list") },
		{ "Alt+A", N_("the next one with something unread") },
		{ "Ctrl+G, F2", N_("the list of conversations; type to find one") },
		{ N_("PgUp PgDn"), N_("older, newer; also the wheel") },
		{ N_("Home End"), N_("the oldest, the newest, where nothing is being written; "
				     "Ctrl with them does it always") },
		{ N_("Shift+Tab"),
		  N_("chooses a message: r e x d f g p c i do something with it") },
		{ "Esc", N_("back, or cancels") },
		{ "Ctrl+F", N_("searches in all that was said; Enter goes there") },
		{ "Ctrl+O", N_("sends a file; Tab completes its path") },
		{ "Ctrl+A E B W U K Y D", N_("as in a shell; so Alt+B F D") },
		{ N_("Shift and the mouse"), N_("marks text, as the terminal does it") },
		{ "Ctrl+Z", N_("back to the shell; fg comes here again") },
		{ "Ctrl+L", N_("draws all of it anew") },
	};
	struct page *p = pages_begin(tui, _("Help"), NULL);
	struct sheet *s = page_sheet(p);
	const struct slash *c;

	(void)words;
	(void)id;

	pages_heading(s, _("Keys"));
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		pages_row(s, _(keys[i].keys), _(keys[i].about));
	pages_heading(s, _("Commands"));
	for (size_t i = 0; (c = command_at(i)); i++) {
		char left[96];

		snprintf(left, sizeof left, "/%s %s%s%s", c->name,
			 *c->arguments ? _(c->arguments) : "", *c->key ? "  " : "",
			 *c->key ? _(c->key) : "");
		pages_row(s, left, _(c->about));
	}
	sheet_break(s);
	sheet_add(s, STYLE_FAINT,
		  _("Who needs a screen reader types: palique --plain. The same in a browser: "
		    "palique web."));
	tui_show(tui, p);
}

/* --- search --- */

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
	p = pages_begin(tui, title, go_to);
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
		pages_time(json_int(m, "timestamp", 0), when, sizeof when);
		sheet_addf(s, STYLE_FAINT, "%s ", when);
		sheet_addf(s, json_bool(m, "own", false) ? STYLE_OWN : STYLE_THEIRS,
			   "%s%s: ", json_bool(m, "own", false) ? _("you to ") : "", name);
		add_snippet(s, snippet ? snippet : "");
	}
	if (!json_count(messages))
		sheet_add(s, STYLE_PLAIN, _("Nothing was found with all of these words."));
	page_set_keys(p, _("↑ ↓ Enter goes there · / command · Esc closes"), NULL);
	tui_show(tui, p);
}

void pages_search(struct tui *tui, const char *words, uint64_t id)
{
	struct json *params = json_set_text(json_object(), "query", words);
	struct talk *t = id ? model_open(tui->model) : NULL;

	if (t)
		json_set_text(params, "conversation", t->name);
	tui_call(tui, "searchMessages", json_set_int(params, "limit", SEARCH_LIMIT), on_found,
		 memory_text(words));
}

/* --- files and messages --- */

static const char *pages_file_state(const char *state)
{
	static const struct {
		const char *state, *words;
	} rows[] = {
		{ "offered", N_("offered") },    { "waiting", N_("waits for the other side") },
		{ "running", N_("on its way") }, { "paused", N_("paused") },
		{ "stopped", N_("paused") },     { "checking", N_("is being checked") },
		{ "done", N_("has arrived") },   { "cancelled", N_("cancelled") },
		{ "failed", N_("failed") },
	};

	for (size_t i = 0; state && i < sizeof rows / sizeof *rows; i++)
		if (!strcmp(rows[i].state, state))
			return _(rows[i].words);
	return state ? state : "";
}

static bool key_of_file(struct tui *tui, char letter, const char *item)
{
	const char *method = letter == 'g'   ? "acceptFile"
			     : letter == 'p' ? "pauseFile"
			     : letter == 'c' ? "cancelFile"
					     : NULL;

	if (!method || !item)
		return false;
	tui_call(tui, method, json_set_id(json_object(), "id", strtoull(item, NULL, 10)), NULL,
		 NULL);
	return true;
}

static void on_transfers(struct tui *tui, const struct json *result, void *context)
{
	const struct json *list = json_get(result, "transfers");
	struct page *p;
	struct sheet *s;
	char item[PAGE_ITEM_MAX];

	(void)context;
	if (!result)
		return;
	p = pages_begin(tui, _("Files"), go_to);
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
			   pages_file_state(json_text(f, "state")),
			   size > 0 ? (long long)(100 * json_int(f, "done", 0) / size) : 0LL);
	}
	if (!json_count(list))
		sheet_add(s, STYLE_PLAIN, _("No file is on its way."));
	page_set_keys(p, _("Enter goes there · g fetch · p pause · c cancel · Esc closes"),
		      key_of_file);
	tui_show(tui, p);
}

void pages_files(struct tui *tui, const char *words, uint64_t id)
{
	(void)words;
	tui_call(tui, "listTransfers", json_set_bool(json_object(), "all", id != 0),
		 on_transfers, NULL);
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

void pages_forward(struct tui *tui, const char *words, uint64_t id)
{
	struct page *p = pages_begin(tui, _("Forward to"), on_forward_chosen);
	char item[PAGE_ITEM_MAX];

	(void)words;
	for (size_t i = 0; i < model_count(tui->model); i++) {
		const struct talk *t = model_at(tui->model, i);

		if (!t->contact || !json_text(t->contact, "state") ||
		    strcmp(json_text(t->contact, "state"), "mutual") != 0)
			continue;
		snprintf(item, sizeof item, "%llu %s", (unsigned long long)id, t->name);
		page_item(p, item);
		sheet_add(page_sheet(p), STYLE_PLAIN, view_title(t));
	}
	tui_show(tui, p);
}

static void row_of_size(struct sheet *s, const struct json *f)
{
	char number[48];

	snprintf(number, sizeof number, "%lld B", (long long)json_int(f, "size", 0));
	pages_row(s, _("size"), number);
	pages_row(s, _("transfer"), pages_file_state(json_text(f, "state")));
}

/* As large as there is room for. */
static void add_picture(struct tui *tui, struct sheet *s, const struct talk *t,
			const struct said *said)
{
	struct sheet *picture = (struct sheet *)pictures_of(tui, t, said,
							    tui->width > 80 ? 80 : tui->width);

	for (size_t i = 0; picture && i < sheet_lines(picture); i++) {
		sheet_add_line(s, sheet_line(picture, i));
		sheet_break(s);
	}
}

void pages_message(struct tui *tui, const char *words, uint64_t id)
{
	struct talk *t = model_find(tui->model, words);
	struct said *said = t ? talk_find(t, id) : NULL;
	const struct json *f;
	struct page *p;
	struct sheet *s;
	char when[32], path[1024];

	if (!said)
		return;
	p = pages_begin(tui, _("A message"), NULL);
	s = page_sheet(p);
	f = json_get(said->message, "file");
	pages_time(json_int(said->message, "timestamp", 0), when, sizeof when);
	pages_row(s, _("written"), when);
	pages_time(json_int(said->message, "arrivedAt", 0), when, sizeof when);
	pages_row(s, said->is_own ? _("stored") : _("arrived"), when);
	pages_row(s, _("state"), pages_word(json_text(said->message, "state")));
	if (f && json_text(f, "path"))
		pages_row(s, _("file"), view_path(json_text(f, "path"), path, sizeof path));
	if (f && json_text(f, "type"))
		pages_row(s, _("type"), json_text(f, "type"));
	if (f && json_text(f, "alt"))
		pages_row(s, _("shows"), json_text(f, "alt"));
	if (f)
		row_of_size(s, f);
	add_picture(tui, s, t, said);
	sheet_break(s);
	if (json_text(said->message, "text"))
		sheet_add_marked(s, STYLE_PLAIN, json_text(said->message, "text"));
	tui_show(tui, p);
}
