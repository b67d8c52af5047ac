#include "peer/faces/tui/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/options.h"
#include "peer/faces/tui/commands_inside.h"
#include "peer/faces/tui/pages_inside.h"
#include "shared/text.h"

/* What is typed behind a name. */
enum kind { KIND_SIZE, KIND_DAYS, KIND_FOLDER, KIND_SWITCH, KIND_WHO, KIND_WORD, KIND_WISH };

static const struct setting {
	const char *name, *key; /* of the API */
	const char *about;
	enum kind kind;
} settings[] = {
	{ "accept-up-to", "acceptUpTo", N_("files fetched unasked, up to"), KIND_SIZE },
	{ "downloads", "downloads", N_("downloads folder"), KIND_FOLDER },
	{ "read-marks", "readMarks", N_("contacts are told what I read"), KIND_SWITCH },
	{ "keep", "keepDays", N_("messages are kept, in days"), KIND_DAYS },
	{ "requests", "requests", N_("requests are heard from: anyone, link or none"),
	  KIND_WHO },
	{ "notifications", "notifications",
	  N_("notifications on the desktop: off, names or all"), KIND_WORD },
	{ "bell", NULL, N_("rings for what you do not look at"), KIND_WISH },
	{ "mouse", NULL, N_("clicks and the wheel (off: the terminal marks text)"), KIND_WISH },
	{ "images", NULL, N_("images are drawn"), KIND_WISH },
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static const struct setting *find(const char *name)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (!strcmp(settings[i].name, name))
			return &settings[i];
	return NULL;
}

/* What is shown again, where the page is open. */
static void is_set(struct tui *tui)
{
	tui_tell(tui, false, _("Done."));
	tui_refresh_page(tui);
}

static void on_set(struct tui *tui, const struct json *result, void *context)
{
	(void)context;
	if (result)
		is_set(tui);
}

/* --- a value that was typed --- */

static const char *put_size(struct json *params, const char *key, const char *value)
{
	int64_t bytes;

	if (options_parse_bytes(value, &bytes) < 0)
		return _("a size is 500k, 50M, 2G, or 0 for none");
	json_set_int(params, key, bytes);
	return NULL;
}

static const char *put_days(struct json *params, const char *key, const char *value)
{
	char *end;
	long days = strtol(value, &end, 10);

	if (end == value || *end || days < 0 || days > 36500)
		return _("days, or 0 for ever");
	json_set_int(params, key, days);
	return NULL;
}

static void set_wish(struct tui *tui, const char *name, const char *value)
{
	int is_on = command_on_or_off(tui, value);

	if (is_on < 0)
		return;
	*wishes_find(&tui->wishes, name) = is_on;
	screen_mouse(tui->wishes.mouse);
	pictures_forget(tui);
	if (wishes_keep(&tui->wishes, tui->config->place->home) < 0)
		tui_tell(tui, true, _("It could not be kept: it holds until you leave."));
	else
		is_set(tui);
}

void settings_set(struct tui *tui, const char *name, const char *value)
{
	const struct setting *s = find(name);
	struct json *params;
	const char *trouble = NULL;
	char *path;
	int is_on;

	if (!s) {
		tui_tell(tui, true,
			 _("There is no such setting; /settings tells what there is."));
		return;
	}
	if (s->kind == KIND_WISH) {
		set_wish(tui, name, value);
		return;
	}
	params = json_object();
	switch (s->kind) {
	case KIND_SIZE:
		trouble = put_size(params, s->key, value);
		break;
	case KIND_DAYS:
		trouble = put_days(params, s->key, value);
		break;
	case KIND_SWITCH:
		is_on = command_on_or_off(tui, value);
		trouble = is_on < 0 ? _("on or off") : NULL;
		json_set_bool(params, s->key, is_on > 0);
		break;
	case KIND_FOLDER:
		path = *value ? command_path(value) : memory_text("");
		json_set_text(params, s->key, path ? path : "");
		free(path);
		break;
	case KIND_WORD:
		json_set_text(params, s->key, value);
		break;
	default:
		json_set_text(params, "from", value);
		break;
	}
	if (trouble) {
		tui_tell(tui, true, trouble);
		json_free(params);
		return;
	}
	tui_call(tui, s->kind == KIND_WHO ? "setRequests" : "setSettings", params, on_set,
		 NULL);
}

/* --- the page --- */

enum { VALUE_COLUMNS = 16 };

static const char *on_off(bool is_on)
{
	return is_on ? _("on") : _("off");
}

static const char *value_of(struct tui *tui, const struct setting *s, const struct json *now,
			    char *out, size_t size)
{
	int64_t number = s->key ? json_int(now, s->key, 0) : 0;
	const char *text = s->key ? json_text(now, s->key) : NULL;

	*out = '\0';
	switch (s->kind) {
	case KIND_SIZE:
		if (number % (1 << 20) == 0 && number)
			snprintf(out, size, "%lldM", (long long)(number >> 20));
		else
			snprintf(out, size, "%lldk", (long long)(number >> 10));
		return number ? out : "0";
	case KIND_DAYS:
		snprintf(out, size, "%lld", (long long)number);
		return out;
	case KIND_SWITCH:
		return on_off(json_bool(now, s->key, false));
	case KIND_WISH:
		return on_off(*wishes_find(&tui->wishes, s->name));
	case KIND_FOLDER:
		if (!text || !*text)
			text = json_text(now, "usualDownloads");
		return text ? view_path(text, out, size) : "";
	default:
		break;
	}
	return text ? text : "";
}

/* A switch is turned; anything else is written into the line, to be changed there. */
static void on_chosen(struct tui *tui, const char *item)
{
	const char *value = strchr(item, ' ');
	const struct setting *s;
	char name[32], line[PAGE_ITEM_MAX + 8];

	snprintf(name, sizeof name, "%.*s", (int)strcspn(item, " "), item);
	s = find(name);
	if (!s || !value)
		return;
	if (s->kind == KIND_SWITCH || s->kind == KIND_WISH) {
		settings_set(tui, name, !strcmp(value + 1, _("on")) ? "off" : "on");
		return;
	}
	snprintf(line, sizeof line, "/set %s", item);
	pages_write(tui, line);
}

static void on_settings(struct tui *tui, const struct json *result, void *context)
{
	char value[PAGE_ITEM_MAX], item[PAGE_ITEM_MAX + 40];
	struct page *p;

	(void)context;
	if (!result)
		return;
	p = pages_begin(tui, _("Settings"), on_chosen);
	for (size_t i = 0; i < SETTINGS; i++) {
		const char *is = value_of(tui, &settings[i], result, value, sizeof value);

		snprintf(item, sizeof item, "%s %s", settings[i].name, is);
		page_item(p, item);
		sheet_addf(page_sheet(p), STYLE_STRONG, "%-13s %s%*s ", settings[i].name, is,
			   sheet_columns(is) < VALUE_COLUMNS
				   ? (int)(VALUE_COLUMNS - sheet_columns(is))
				   : 0,
			   "");
		sheet_add(page_sheet(p), STYLE_FAINT, _(settings[i].about));
	}
	page_item(p, NULL);
	sheet_break(page_sheet(p));
	sheet_add(
		page_sheet(p), STYLE_FAINT,
		_("Those of one contact: /about, /keep, /timer, /readmarks, /consent, /hide."));
	page_set_keys(p, _("↑ ↓ Enter changes · / command · Esc closes"), NULL);
	tui_show(tui, p);
}

void pages_settings(struct tui *tui, const char *words, uint64_t id)
{
	(void)words;
	(void)id;
	tui_call(tui, "getSettings", NULL, on_settings, NULL);
}
