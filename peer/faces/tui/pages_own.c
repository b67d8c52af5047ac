/* Pages about oneself: devices, how one stands, links. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peer/faces/tui/pages_inside.h"
#include "shared/text.h"

/* --- devices --- */

static bool key_of_device(struct tui *tui, char letter, const char *item)
{
	const char *word = letter == 'n'   ? "rename"
			   : letter == 'x' ? "remove"
			   : letter == 'h' ? "grant"
			   : letter == 'r' ? "refuse"
					   : NULL;
	char command[PAGE_ITEM_MAX + 32];

	if (!word || !item)
		return false;
	snprintf(command, sizeof command, "/device %s %s ", word, item);
	pages_write(tui, command);
	return true;
}

static void on_devices(struct tui *tui, const struct json *result, void *context)
{
	const struct json *devices = json_get(result, "devices");
	struct page *p;
	struct sheet *s;
	char when[32];

	(void)context;
	if (!result)
		return;
	p = pages_begin(tui, _("Your devices"), NULL);
	s = page_sheet(p);
	for (size_t i = 0; i < json_count(devices); i++) {
		const struct json *d = json_at(devices, i);

		page_item(p, json_text(d, "id") ? json_text(d, "id") : "");
		sheet_add(s, STYLE_STRONG, json_text(d, "name") ? json_text(d, "name") : "");
		pages_time(json_int(d, "since", 0), when, sizeof when);
		sheet_addf(s, STYLE_FAINT, "  %s, %s",
			   json_bool(d, "current", false)  ? _("this one")
			   : json_bool(d, "online", false) ? _("online")
							   : _("offline"),
			   when);
	}
	page_item(p, NULL);
	sheet_break(s);
	sheet_add(s, STYLE_FAINT,
		  _("Another machine comes in by: palique login NAME@DIRECTORY. What was said "
		    "before it came in it has when you grant it. What is typed by a letter "
		    "stands in the line first; Enter does it."));
	page_set_keys(p, _("n rename · x remove · h grant history · r refuse it · Esc closes"),
		      key_of_device);
	tui_show(tui, p);
}

void pages_devices(struct tui *tui, const char *words, uint64_t id)
{
	(void)words;
	(void)id;
	tui_call(tui, "listDevices", NULL, on_devices, NULL);
}

/* --- how one stands --- */

/* How contacts see us. */
static void add_profile(struct sheet *s, const struct json *profile)
{
	const char *title = json_text(profile, "title"), *status = json_text(profile, "status");

	pages_row(s, _("presence"),
		  json_bool(profile, "invisible", false)
			  ? _("invisible to all")
			  : pages_word(json_text(profile, "availability")));
	if (title && *title)
		pages_row(s, _("name to show"), title);
	if (status && *status)
		pages_row(s, _("status"), status);
	if (json_bool(profile, "hasPicture", false))
		pages_row(s, _("picture"), _("yes"));
	if (json_bool(profile, "bot", false))
		pages_row(s, _("who speaks here"), _("a program, and nobody reads"));
}

static void add_paths(struct sheet *s, const struct json *paths)
{
	char words[200];

	for (size_t i = 0; i < json_count(paths); i++) {
		const struct json *path = json_at(paths, i);
		const char *kind = json_text(path, "pathKind"), *name = json_text(path, "name"),
			   *address = json_text(path, "address");

		snprintf(words, sizeof words, "%s %s",
			 kind ? pages_word(kind) : _("not connected"), address ? address : "");
		pages_row(s, name ? name : "", words);
	}
}

static void on_status(struct tui *tui, const struct json *result, void *context)
{
	const struct json *account = json_get(result, "account");
	static const struct {
		const char *key, *label;
	} rows[] = {
		{ "name", N_("name") },
		{ "directory", N_("directory") },
		{ "state", N_("state") },
		{ "trouble", N_("trouble") },
		{ "fingerprint", N_("fingerprint") },
	};
	struct page *p;
	struct sheet *s;
	char count[32];

	(void)context;
	if (!result)
		return;
	p = pages_begin(tui, _("How you stand"), NULL);
	s = page_sheet(p);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *value = json_text(account, rows[i].key);

		if (value && *value)
			pages_row(s, _(rows[i].label),
				  !strcmp(rows[i].key, "state") ? pages_word(value) : value);
	}
	pages_row(s, _("recovery code"),
		  json_bool(account, "recovery", false) ? _("yes")
							: _("none: /recovery makes one"));
	add_profile(s, json_get(result, "profile"));
	snprintf(count, sizeof count, "%lld", (long long)json_int(result, "devices", 0));
	pages_row(s, _("devices"), count);
	snprintf(count, sizeof count, "%lld", (long long)json_int(result, "queued", 0));
	pages_row(s, _("waiting to be delivered"), count);
	add_paths(s, json_get(result, "paths"));
	tui_show(tui, p);
}

void pages_status(struct tui *tui, const char *words, uint64_t id)
{
	(void)words;
	(void)id;
	tui_call(tui, "status", NULL, on_status, NULL);
}

/* --- links --- */

/* The link above the code, where it can be marked in one go; beside it where both would not be seen at once. */
static void show_link(struct tui *tui, const char *title, const char *words, const char *link)
{
	struct page *p = pages_begin(tui, title, NULL);
	struct sheet *s = page_sheet(p);
	char *beside = NULL;

	sheet_add(s, STYLE_PLAIN, words);
	sheet_break(s);
	sheet_add_marked(s, STYLE_PLAIN, link);
	sheet_break(s);
	if (sheet_lines(s) + pages_qr_rows(link) > tui_page_rows(tui) &&
	    asprintf(&beside, "%s\n\n%s", words, link) > 0)
		sheet_cut(s, 0);
	pages_qr(s, link, STYLE_PLAIN, beside);
	free(beside);
	tui_show(tui, p);
}

static void on_link(struct tui *tui, const struct json *result, void *context)
{
	(void)context;
	if (json_text(result, "link"))
		show_link(tui, _("Your contact link"),
			  _("Who has it can ask you, and knows your key:"),
			  json_text(result, "link"));
}

void pages_link(struct tui *tui, const char *words, uint64_t id)
{
	(void)words;
	(void)id;
	tui_call(tui, "getLink", NULL, on_link, NULL);
}

static void on_invite(struct tui *tui, const struct json *result, void *context)
{
	(void)context;
	if (json_text(result, "link"))
		show_link(tui, _("An invitation"),
			  _("Who has it can make an account at your directory (palique join "
			    "LINK):"),
			  json_text(result, "link"));
}

/* Made once: a page that is drawn again for another width makes no other. */
void pages_invite(struct tui *tui, const char *words, uint64_t id)
{
	(void)words;
	if (!tui->page)
		tui_call(tui, "createInvite", json_set_int(json_object(), "count", (int64_t)id),
			 on_invite, NULL);
}
