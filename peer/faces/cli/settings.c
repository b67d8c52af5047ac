/* What is set: for all, and for one contact. */
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "shared/text.h"

static const char *on_or_off(bool is_on)
{
	return is_on ? _("on") : _("off");
}

/* As one types it: 16M, not 16.8 MB. */
static void size_words(int64_t bytes, char *words, size_t size)
{
	static const char *const units[] = { "", "k", "M", "G", "T" };
	unsigned i = 0;

	for (; bytes && bytes % 1024 == 0 && i + 1 < sizeof units / sizeof *units; i++)
		bytes /= 1024;
	snprintf(words, size, "%lld%s", (long long)bytes, units[i]);
}

/* "90 days", "forever" */
static const char *keep_words(const struct json *s)
{
	static char words[64];
	int64_t keep = json_int(s, "keepDays", 0);

	if (keep == 0)
		return _("forever");
	snprintf(words, sizeof words, ngettext("%lld day", "%lld days", (unsigned long)keep),
		 (long long)keep);
	return words;
}

static void print_settings(const struct json *s)
{
	int64_t accept = json_int(s, "acceptUpTo", 0);
	const char *downloads = json_text(s, "downloads");
	char size[32];

	size_words(accept, size, sizeof size);
	out_line("accept-up-to  %s", accept ? size : _("nothing unasked"));
	if (!downloads || !*downloads)
		downloads = json_text(s, "usualDownloads");
	out_line("downloads     %s", downloads ? out_safe(downloads) : "?");
	out_line("read-marks    %s", on_or_off(json_bool(s, "readMarks", true)));
	out_line("keep          %s", keep_words(s));
	out_line("notifications %s",
		 json_text(s, "notifications") ? json_text(s, "notifications") : "?");
}

/* --- of one contact --- */

/* Behind what holds: where that was said. */
static const char *whose(const struct json *s, const char *key)
{
	return json_bool(s, key, false) ? _("for this contact alone") : _("as for everybody");
}

static void print_disappearing(const struct json *s)
{
	const struct json *timer = json_get(s, "timer");
	int64_t ours = json_int(timer, "ours", 0), theirs = json_int(timer, "theirs", 0),
		both = json_int(timer, "seconds", 0);

	if (both > 0)
		out_line(_("timer         after %s"), out_span(both));
	else if (ours > 0)
		out_line(_("timer         off (you want %s; they have not agreed yet)"),
			 out_span(ours));
	else if (theirs > 0)
		out_line(_("timer         off (they want %s)"), out_span(theirs));
	else
		out_line("timer         %s", on_or_off(false));
}

static void print_contact_settings(const struct json *s)
{
	bool is_hidden = json_bool(s, "hidden", false);

	out_line("keep          %s (%s)", keep_words(s), whose(s, "keepDaysOwn"));
	print_disappearing(s);
	out_line("read-marks    %s (%s)", on_or_off(json_bool(s, "readMarks", true)),
		 whose(s, "readMarksOwn"));
	out_line("hide          %s%s", on_or_off(is_hidden),
		 is_hidden && !json_bool(s, "hiddenOwn", false) ? _(" (invisible to all)")
								: "");
}

/* Of the contact where there is one, else of all. */
static int show_settings(struct cli *c, const char *with)
{
	struct json *params = json_object(), *result = NULL;
	int code;

	if (with)
		json_set_text(params, "name", with);
	code = cli_call(c, "getSettings", params, &result);
	if (code == EXIT_DONE && with)
		print_contact_settings(json_get(result, "contact"));
	else if (code == EXIT_DONE)
		print_settings(result);
	if (code == EXIT_DONE)
		out_json(json_keep(result));
	json_free(result);
	return code;
}

/* --- changes --- */

/* Each takes the word behind it, or says what it wants; `is_one`: of one contact. NULL: done. */
static const char *take_size(const char *value, bool is_one, struct json *params)
{
	int64_t bytes;

	(void)is_one;
	if (options_parse_bytes(value, &bytes) < 0)
		return N_("a size is 500k, 50M, 2G, or 0 for none");
	json_set_int(params, "acceptUpTo", bytes);
	return NULL;
}

static const char *take_folder(const char *value, bool is_one, struct json *params)
{
	char *path = *value ? cli_absolute(value) : memory_text("");

	(void)is_one;
	json_set_text(params, "downloads", path);
	free(path);
	return NULL;
}

static const char *take_marks(const char *value, bool is_one, struct json *params)
{
	if (is_one && !strcmp(value, "default"))
		return NULL;
	if (strcmp(value, "on") && strcmp(value, "off"))
		return N_("read marks are on or off; of one contact also default");
	json_set_bool(params, is_one ? "on" : "readMarks", !strcmp(value, "on"));
	return NULL;
}

static const char *take_days(const char *value, bool is_one, struct json *params)
{
	const char *key = is_one ? "days" : "keepDays";
	long days;
	char *end;

	if (is_one && !strcmp(value, "default")) {
		json_set_int(params, key, -1);
		return NULL;
	}
	days = strtol(value, &end, 10);
	if (!strcmp(value, "forever"))
		days = 0;
	else if (end == value || days < 1 || days > 36500 || (*end && strcmp(end, "d")))
		return N_("messages are kept 90d, or forever; of one contact also default");
	json_set_int(params, key, days);
	return NULL;
}

static const char *take_notifications(const char *value, bool is_one, struct json *params)
{
	(void)is_one;
	if (strcmp(value, "off") && strcmp(value, "names") && strcmp(value, "all"))
		return N_("notifications are off, names (who, not what) or all");
	json_set_text(params, "notifications", value);
	return NULL;
}

static const struct setting_row {
	const char *name;
	const char *(*take)(const char *value, bool is_one, struct json *params);
	const char *one_method, *one_key; /* of one contact; NULL: of all only */
} settings[] = {
	{ "accept-up-to", take_size, NULL, NULL },
	{ "downloads", take_folder, NULL, NULL },
	{ "read-marks", take_marks, "setReadMarks", "name" },
	{ "keep", take_days, "setKeep", "conversation" },
	{ "notifications", take_notifications, NULL, NULL },
};

static int change_setting(struct cli *c, const struct setting_row *row, struct json **result)
{
	const char *with = c->o.value[OPT_WITH], *trouble = NULL;
	struct json *params = json_object();

	if (with && !row->one_method)
		trouble = N_("only read-marks and keep can be set for one contact");
	else
		trouble = row->take(c->o.arguments[1], with != NULL, params);
	if (trouble) {
		json_free(params);
		return cli_usage(_(trouble), "palique help settings");
	}
	if (with)
		json_set_text(params, row->one_key, with);
	return cli_call(c, with ? row->one_method : "setSettings", params, result);
}

int cmd_settings(struct cli *c)
{
	struct json *result = NULL;
	int code;

	if (c->o.argument_count == 0)
		return show_settings(c, c->o.value[OPT_WITH]);
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		if (c->o.argument_count != 2 || strcmp(settings[i].name, c->o.arguments[0]))
			continue;
		code = change_setting(c, &settings[i], &result);
		if (code == EXIT_DONE) {
			out_done(_("%s is set."), settings[i].name);
			out_json(json_keep(result));
		}
		json_free(result);
		return code;
	}
	return cli_usage(_("settings are accept-up-to, downloads, read-marks, keep and "
			   "notifications, and what they are to be"),
			 "palique help settings");
}
