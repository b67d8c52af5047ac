#include "peer/faces/tui/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peer/faces/tui/screen.h"
#include "shared/text.h"

enum {
	ROWS_MAX = 512,
	BREAKS_MAX = 3,
	FOLDED_FROM = 60,
	FOLDED_TO = 40,
	GUTTER = 6,          /* left of what is said: a time and a space */
	GUTTER_FROM = 31,    /* columns; narrower ones have no room for it */
	FOLLOWS_MS = 180000, /* so soon after the one before: as the page does it */
};

static uint64_t drawn[ROWS_MAX]; /* the message of each row of the terminal */

/* --- words --- */

static void clock_words(wall_ms when, char *out, size_t size)
{
	time_t seconds = (time_t)(when / 1000);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || !strftime(out, size, "%H:%M", &tm))
		snprintf(out, size, "--:--");
}

static void day_words(wall_ms when, char *out, size_t size)
{
	time_t seconds = (time_t)(when / 1000), now = time(NULL);
	struct tm tm, today;

	*out = '\0';
	if (!localtime_r(&seconds, &tm) || !localtime_r(&now, &today))
		return;
	if (tm.tm_year == today.tm_year && tm.tm_yday == today.tm_yday)
		snprintf(out, size, "%s", _("today"));
	else if (tm.tm_year == today.tm_year && tm.tm_yday + 1 == today.tm_yday)
		snprintf(out, size, "%s", _("yesterday"));
	else if (!strftime(out, size, "%A %e %B %Y", &tm))
		*out = '\0';
}

static bool is_other_day(const struct talk *t, size_t i)
{
	return i == 0 || t->list[i].day != t->list[i - 1].day;
}

/* A day, and where what is new begins, before message `i`. */
static unsigned before_rows(const struct talk *t, size_t i)
{
	return (is_other_day(t, i) ? 1u : 0u) + (t->list[i].id == t->first_unread ? 1u : 0u);
}

/* What became of one of ours: a sign, and the style it is shown in. */
static const char *state_sign(const struct json *m, enum style *style)
{
	const char *state = json_text(m, "state");

	*style = STYLE_FAINT;
	if (!state || !strcmp(state, "queued"))
		return "…";
	if (!strcmp(state, "proposed"))
		return "?";
	if (!strcmp(state, "delivered"))
		return "✓";
	if (!strcmp(state, "read")) {
		*style = STYLE_GOOD;
		return "✓✓";
	}
	*style = STYLE_BAD;
	return "!";
}

static const char *size_words(int64_t bytes, char *out, size_t size)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	double value = (double)bytes / 1000;
	int unit = 0;

	if (bytes < 1000) {
		snprintf(out, size, "%d B", (int)bytes);
		return out;
	}
	for (; value >= 1000 && unit < 3; unit++)
		value /= 1000;
	snprintf(out, size, value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return out;
}

static bool is(const struct json *o, const char *key, const char *value)
{
	const char *has = json_text(o, key);

	return has && !strcmp(has, value);
}

/* How the transfer of a file stands, and what can be done about it. */
static void add_file_state(struct sheet *s, const struct json *f, bool is_own)
{
	int64_t size = json_int(f, "size", 0), done = json_int(f, "done", 0);
	int64_t rate = json_int(f, "rate", 0), left = json_int(f, "secondsLeft", 0);
	unsigned bar = sheet_width(s) < 60 ? 8 : 16; /* with its figures on one line */
	unsigned part = size > 0 ? (unsigned)(100 * done / size) : 0;
	const char *reason = json_text(f, "reason"), *path = json_text(f, "path");
	char here[32], speed[32], where[1024];

	size_words(done, here, sizeof here);
	if (is(f, "state", "running")) {
		for (unsigned i = 0; i < bar; i++)
			sheet_add(s, STYLE_GOOD, i < part * bar / 100 ? "█" : "░");
		sheet_addf(s, STYLE_FAINT, " %u %% %s", part, here);
		if (rate)
			sheet_addf(s, STYLE_FAINT, " %s/s",
				   size_words(rate, speed, sizeof speed));
		if (left)
			sheet_addf(s, STYLE_FAINT, _(", %d s left"), (int)left);
	} else if (is(f, "state", "offered") && is_own && done > 0) {
		sheet_addf(s, STYLE_FAINT, _("%u %% fetched; goes on when they ask for more"),
			   part);
	} else if (is(f, "state", "offered")) {
		sheet_add(s, STYLE_FAINT,
			  is_own ? _("offered; not fetched yet") : _("/fetch gets it"));
	} else if (is(f, "state", "waiting")) {
		sheet_add(s, STYLE_FAINT, _("waits for the other side"));
	} else if (is(f, "state", "paused") || is(f, "state", "stopped")) {
		sheet_addf(s, STYLE_WARN, _("paused at %u %%; /fetch goes on"), part);
	} else if (is(f, "state", "checking")) {
		sheet_add(s, STYLE_FAINT, _("is being checked"));
	} else if (is(f, "state", "done")) {
		if (is_own)
			sheet_add(s, STYLE_FAINT, _("has arrived"));
		else
			sheet_addf(s, STYLE_FAINT, "→ %s",
				   path ? view_path(path, where, sizeof where) : "");
	} else if (is(f, "state", "cancelled")) {
		sheet_add(s, STYLE_FAINT, _("cancelled"));
	} else {
		sheet_add(s, is(f, "error", "expired") ? STYLE_FAINT : STYLE_BAD,
			  reason ? reason : _("failed"));
	}
}

static void add_file(struct sheet *s, const struct json *f, bool is_own)
{
	const char *name = json_text(f, "name"), *alt = json_text(f, "alt");
	bool is_image = json_text(f, "type") && !strncmp(json_text(f, "type"), "image/", 6);
	int64_t width = json_int(f, "width", 0), height = json_int(f, "height", 0);
	char words[32];

	sheet_fresh(s);
	sheet_addf(s, STYLE_STRONG, "%s ",
		   json_bool(f, "folder", false) ? "▤"
		   : is_image                    ? "▣"
						 : "▦");
	sheet_add(s, STYLE_STRONG, name ? name : "");
	sheet_addf(s, STYLE_FAINT, " %s",
		   size_words(json_int(f, "size", 0), words, sizeof words));
	if (json_bool(f, "folder", false))
		sheet_addf(s, STYLE_FAINT, _(", files: %lld"),
			   (long long)json_int(f, "files", 0));
	if (is_image && width && height)
		sheet_addf(s, STYLE_FAINT, ", %lldx%lld", (long long)width, (long long)height);
	if (alt) {
		sheet_fresh(s);
		sheet_addf(s, STYLE_ITALIC, "“%s”", alt);
	}
	sheet_fresh(s);
	add_file_state(s, f, is_own);
	sheet_fresh(s);
}

static void add_quote(struct sheet *s, const struct talk *t, const struct json *m)
{
	const struct json *q = json_get(m, "quote");
	const char *begins = json_text(q, "begins"), *name = json_text(q, "name");

	if (json_bool(m, "replyMissing", false)) {
		sheet_addf(s, STYLE_FAINT, "▏%s", _("answers a message that is not here"));
		sheet_fresh(s);
	}
	if (!q)
		return;
	if (json_bool(q, "retracted", false))
		begins = _("(deleted)");
	else if (json_bool(q, "gone", false))
		begins = _("(not kept any more)");
	else if (!begins || !*begins)
		begins = name ? name : "";
	sheet_addf(s, STYLE_FAINT,
		   "▏%s: ", json_bool(q, "ours", false) ? _("you") : view_title(t));
	char *begin = memory_text(begins);
	begin[strcspn(begin, "\n")] = '\0';
	begin[sheet_fit(begin, 60)] = '\0';
	sheet_add(s, STYLE_FAINT, begin);
	free(begin);
	sheet_fresh(s);
}

static void add_reactions(struct sheet *s, const struct json *m)
{
	const struct json *r = json_get(m, "reactions");
	const char *ours = json_text(r, "ours"), *theirs = json_text(r, "theirs");

	if (!r)
		return;
	sheet_fresh(s);
	sheet_addf(s, STYLE_PLAIN, "%s%s%s", theirs ? theirs : "",
		   theirs && *theirs && ours && *ours ? " " : "", ours ? ours : "");
}

/* Who said it and when, and what became of it: the first line. */
static void add_head(struct sheet *s, const struct talk *t, const struct said *said)
{
	const struct json *m = said->message;
	const char *bot = json_text(m, "bot"), *sign;
	int64_t missing = json_int(m, "missing", 0);
	enum style style;
	char when[16];

	if (missing > 0) {
		sheet_addf(s, STYLE_WARN,
			   ngettext("… %lld message is missing here and was asked for",
				    "… %lld messages are missing here and were asked for",
				    (unsigned long)missing),
			   (long long)missing);
		sheet_break(s);
	}
	clock_words(json_int(m, "timestamp", 0), when, sizeof when);
	sheet_addf(s, STYLE_FAINT, "%s ", when);
	sheet_add(s, said->is_own ? STYLE_OWN : STYLE_THEIRS,
		  said->is_own ? _("you") : view_title(t));
	if (bot)
		sheet_addf(s, STYLE_FAINT, _(" [bot %s]"), bot);
	if (json_bool(m, "forwarded", false))
		sheet_addf(s, STYLE_FAINT, " %s", _("(forwarded)"));
	if (json_bool(m, "edited", false))
		sheet_addf(s, STYLE_FAINT, " %s", _("(edited)"));
	if (said->is_passing)
		sheet_add(s, STYLE_FAINT, " ⧖");
	if (said->is_own) {
		sign = state_sign(m, &style);
		sheet_addf(s, style, " %s", sign);
	}
}

static void add_picture(struct sheet *s, const struct view *v, const struct talk *t,
			const struct said *said, unsigned columns)
{
	struct sheet *picture = v->picture && columns > 6
					? (struct sheet *)v->picture(v->context, t, said,
								     columns - 6)
					: NULL;

	for (size_t i = 0; picture && i < sheet_lines(picture); i++) {
		sheet_add_line(s, sheet_line(picture, i));
		sheet_break(s);
	}
}

static void add_buttons(struct sheet *s, const struct json *buttons)
{
	for (size_t i = 0; i < json_count(buttons); i++) {
		const char *label = json_text_at(buttons, i);

		if (i == 0)
			sheet_fresh(s);
		sheet_addf(s, STYLE_BADGE, "[%zu %s]", i + 1, label ? label : "");
		sheet_add(s, STYLE_PLAIN, " ");
	}
}

/* What is said, without what would push all else out of sight: more than two empty lines in a row, and what is
 * longer than two screens. The page of the message has all of it. */
static void add_text(struct sheet *s, const char *text)
{
	char *close = memory_text(text), *out = close;
	size_t before = sheet_lines(s), lines;
	unsigned breaks = 0;

	for (const char *at = text; *at; at++) {
		breaks = *at == '\n' ? breaks + 1 : 0;
		if (breaks <= BREAKS_MAX)
			*out++ = *at;
	}
	*out = '\0';
	sheet_add_marked(s, STYLE_PLAIN, close);
	free(close);
	lines = sheet_lines(s) - before;
	if (lines <= FOLDED_FROM)
		return;
	sheet_cut(s, before + FOLDED_TO);
	/* TRANSLATORS: so many lines of a long message are not shown */
	sheet_addf(s, STYLE_FAINT, _("… %zu lines more: /info shows them"), lines - FOLDED_TO);
}

struct sheet *view_message(const struct view *v, const struct talk *t, const struct said *said,
			   unsigned columns)
{
	struct sheet *s = sheet_new(columns);
	const struct json *m = said->message, *f = json_get(m, "file");
	const char *text = json_text(m, "text");

	if (!said->follows)
		add_head(s, t, said);
	sheet_indent(s, columns >= GUTTER_FROM ? GUTTER : 1);
	if (!said->follows)
		sheet_break(s);
	add_quote(s, t, m);
	if (json_bool(m, "retracted", false)) {
		sheet_add(s, STYLE_FAINT, _("(deleted)"));
	} else if (json_bool(m, "gone", false)) {
		sheet_add(s, STYLE_FAINT, _("(not kept any more)"));
	} else if (is(m, "kind", "unknown")) {
		sheet_add(s, STYLE_FAINT,
			  _("(something that needs a newer version of Palique)"));
	} else {
		if (f) {
			add_picture(s, v, t, said, columns);
			add_file(s, f, said->is_own);
		}
		if (text && *text)
			add_text(s, text);
		if (said->follows && json_bool(m, "edited", false))
			sheet_addf(s, STYLE_FAINT, " %s", _("(edited)"));
		add_buttons(s, json_get(m, "buttons"));
	}
	add_reactions(s, m);
	if (!sheet_lines(s)) /* nothing is said, but it can be chosen */
		sheet_break(s);
	return s;
}

/* --- rows --- */

/* A head of its own would say what that of the one before has said, and what is below a file would look like
 * words that belong to it. Of all that are here it is asked again and again: nothing is looked up. */
static bool is_alike(const struct said *a, const struct said *b)
{
	wall_ms between = (wall_ms)((uint64_t)b->written - (uint64_t)a->written);

	return a->is_own == b->is_own && between > -FOLLOWS_MS && between < FOLLOWS_MS &&
	       !a->is_apart && !b->is_apart && a->is_passing == b->is_passing &&
	       (a->bot && b->bot ? !strcmp(a->bot, b->bot) : a->bot == b->bot);
}

bool timeline_follows(const struct view *v, const struct talk *t, size_t i)
{
	return i > 0 && v->places.talk_columns >= GUTTER_FROM && before_rows(t, i) == 0 &&
	       is_alike(&t->list[i - 1], &t->list[i]);
}

static struct sheet *lay_out(const struct view *v, const struct talk *t, struct said *s)
{
	struct sheet *sheet = view_message(v, t, s, v->places.talk_columns);

	s->rows = (unsigned)sheet_lines(sheet);
	s->width = v->places.talk_columns;
	return sheet;
}

unsigned timeline_rows(const struct view *v, const struct talk *t, size_t i)
{
	struct said *s = &t->list[i];
	bool follows = timeline_follows(v, t, i);

	if (s->width != v->places.talk_columns || !s->rows || s->follows != follows) {
		s->follows = follows;
		sheet_free(lay_out(v, t, s));
	}
	return s->rows + before_rows(t, i);
}

static void draw_rule(const struct view *v, unsigned y, const char *words, enum style style)
{
	const struct places *p = &v->places;
	unsigned used = sheet_columns(words) + 2;
	unsigned at = p->talk_columns > used ? (p->talk_columns - used) / 2 : 0;

	screen_rule(p->talk_x, y, p->talk_columns);
	screen_put(p->talk_x + at, y, p->talk_columns - at, STYLE_PLAIN, " ");
	screen_put(p->talk_x + at + 1, y, p->talk_columns - at - 1, style, words);
	screen_put(p->talk_x + at + used - 1, y, 1, STYLE_PLAIN, " ");
}

/* Before the text of one that follows, where others have their time: that it begins here, and its state. */
static void draw_gutter(unsigned x, unsigned y, const struct said *s)
{
	enum style style = STYLE_FAINT;
	const char *sign = s->is_own ? state_sign(s->message, &style) : "·";
	unsigned columns = sheet_columns(sign);

	screen_put(x + GUTTER - 1 - columns, y, columns, style, sign);
}

/* One message whose last row is `bottom` (it may lie outside, as may its first). */
static void draw_message(const struct view *v, const struct talk *t, size_t i, long bottom)
{
	const struct places *p = &v->places;
	struct said *s = &t->list[i];
	struct sheet *sheet;
	long y;
	char day[128];

	s->follows = timeline_follows(v, t, i);
	sheet = lay_out(v, t, s);
	y = bottom - (long)timeline_rows(v, t, i) + 1;

	if (is_other_day(t, i)) {
		if (y >= p->talk_y && y < (long)(p->talk_y + p->talk_rows)) {
			day_words(json_int(s->message, "timestamp", 0), day, sizeof day);
			draw_rule(v, (unsigned)y, day, STYLE_FAINT);
		}
		y++;
	}
	if (s->id == t->first_unread) {
		if (y >= p->talk_y && y < (long)(p->talk_y + p->talk_rows))
			draw_rule(v, (unsigned)y, _("new"), STYLE_GOOD);
		y++;
	}
	for (size_t k = 0; k < sheet_lines(sheet); k++, y++) {
		if (y < p->talk_y || y >= (long)(p->talk_y + p->talk_rows))
			continue;
		screen_line(p->talk_x, (unsigned)y, p->talk_columns, sheet_line(sheet, k),
			    s->id == t->chosen);
		if (k == 0 && s->follows)
			draw_gutter(p->talk_x, (unsigned)y, s);
		if (y < ROWS_MAX)
			drawn[y] = s->id;
	}
	sheet_free(sheet);
}

uint64_t timeline_at(unsigned y)
{
	return y < ROWS_MAX ? drawn[y] : 0;
}

void timeline_draw(struct view *v, struct talk *t)
{
	const struct places *p = &v->places;
	long bottom = (long)(p->talk_y + p->talk_rows) - 1 + (long)t->up;

	memset(drawn, 0, sizeof drawn);
	for (size_t i = t->count; i > 0 && bottom >= (long)p->talk_y; i--) {
		long rows = (long)timeline_rows(v, t, i - 1);

		if (bottom - rows + 1 < (long)(p->talk_y + p->talk_rows))
			draw_message(v, t, i - 1, bottom);
		bottom -= rows;
	}
	if (t->is_here && !t->count)
		screen_put(p->talk_x, p->talk_y, p->talk_columns, STYLE_FAINT,
			   _("Nothing was said yet. What you write goes straight to their "
			     "machine."));
}
