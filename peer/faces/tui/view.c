#include "peer/faces/tui/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "peer/faces/tui/draft.h"
#include "peer/faces/tui/screen.h"
#include "peer/faces/tui/timeline.h"
#include "shared/text.h"

enum {
	LIST_COLUMNS = 28,
	BOTH_COLUMNS = 66,
	COMPOSE_ROWS_MAX = 6,
	BOTTOM_ROWS_MAX = 4,
	LIST_ROW = 2
};

/* --- places --- */

/* What stands below everything. */
static const char *bottom_words(const struct view *v, enum style *style)
{
	*style = STYLE_WARN;
	if (v->is_slow && !v->is_lost)
		return _("Waiting for the engine …; what you type stays.");
	if (!v->is_lost && !*v->notice) {
		*style = STYLE_FAINT;
		return v->hint;
	}
	if (v->is_lost || v->is_error)
		*style = STYLE_BAD;
	return v->is_lost ? _("The line to the engine is lost; trying again … Enter begins it "
			      "anew.")
			  : v->notice;
}

/* As it is shown there: whole, on as many lines as it takes. The caller frees. */
static struct sheet *bottom_sheet(const struct view *v, unsigned columns)
{
	struct sheet *s = sheet_new(columns);
	enum style style;
	const char *words = bottom_words(v, &style);

	sheet_add(s, style, words);
	return s;
}

static unsigned bottom_rows(const struct view *v, unsigned columns, unsigned rows)
{
	struct sheet *s;
	size_t lines;

	if (rows < 8 || !columns)
		return 1;
	s = bottom_sheet(v, columns);
	lines = sheet_lines(s);
	sheet_free(s);
	return lines < 1 ? 1 : lines > BOTTOM_ROWS_MAX ? BOTTOM_ROWS_MAX : (unsigned)lines;
}

void view_draw_bottom(const struct view *v)
{
	const struct places *p = &v->places;
	struct sheet *s = bottom_sheet(v, p->columns);
	unsigned y = p->rows - p->bottom_rows;

	for (size_t i = 0; i < p->bottom_rows; i++) {
		screen_fill(0, y + (unsigned)i, p->columns, STYLE_PLAIN);
		if (i < sheet_lines(s))
			screen_line(0, y + (unsigned)i, p->columns, sheet_line(s, i), false);
	}
	sheet_free(s);
}

void view_arrange(struct view *v, unsigned columns, unsigned rows, const struct model *m)
{
	struct places *p = &v->places;
	const struct talk *t = model_open(m);
	bool both = columns >= BOTH_COLUMNS;
	unsigned lines = 1;

	*p = (struct places){ .columns = columns, .rows = rows };
	if (both || !t || v->shows_list_alone)
		p->list_columns = both ? LIST_COLUMNS : columns;
	if (both) {
		p->talk_x = LIST_COLUMNS + 1;
		p->talk_columns = columns - p->talk_x;
	} else if (!p->list_columns) {
		p->talk_columns = columns;
	}
	if (t && p->talk_columns > 4)
		lines = draft_rows(t->compose, p->talk_columns - 2, NULL);
	if (lines > COMPOSE_ROWS_MAX)
		lines = COMPOSE_ROWS_MAX;
	if (t && (t->answers || t->edits))
		lines++;
	if (rows < 8)
		lines = 1;
	p->bottom_rows = bottom_rows(v, columns, rows);
	p->compose_rows = lines;
	p->compose_y = rows > lines + 1 + p->bottom_rows ? rows - p->bottom_rows - lines
							 : rows - 1;
	p->talk_y = 1;
	p->talk_rows = p->compose_y > 2 ? p->compose_y - 2 : 1;
}

/* --- who there is --- */

const char *view_title(const struct talk *t)
{
	const char *title = json_text(t->contact, "title");

	return title && *title ? title : t->name;
}

const char *view_path(const char *path, char *out, size_t size)
{
	const char *home = getenv("HOME");
	size_t length = home ? strlen(home) : 0;

	if (length < 2 || strncmp(path, home, length) != 0 || path[length] != '/' ||
	    strlen(path) - length + 1 >= size)
		return path;
	snprintf(out, size, "~%s", path + length);
	return out;
}

const char *view_presence(const struct json *contact, const char **words, enum style *style)
{
	const char *state = json_text(contact, "state"),
		   *as = json_text(contact, "availability");

	*style = STYLE_FAINT;
	if (!contact || !state) {
		*words = _("no contact");
		return " ";
	}
	if (!strcmp(state, "requests")) {
		*words = _("wants to talk with you");
		*style = STYLE_WARN;
		return "?";
	}
	if (!strcmp(state, "asked")) {
		*words = _("asked; has not answered yet");
		return "…";
	}
	if (!strcmp(state, "blocked")) {
		*words = _("blocked");
		return "×";
	}
	if (json_bool(contact, "keyChanged", false)) {
		*words = _("shows another key");
		*style = STYLE_BAD;
		return "!";
	}
	if (!json_bool(contact, "online", false) && !json_bool(contact, "connected", false)) {
		*words = _("offline");
		return "○";
	}
	if (as && !strcmp(as, "away")) {
		*words = _("away");
		*style = STYLE_WARN;
		return "◐";
	}
	if (as && !strcmp(as, "busy")) {
		*words = _("busy");
		*style = STYLE_BAD;
		return "◉";
	}
	*words = _("online");
	*style = STYLE_GOOD;
	return "●";
}

static bool passes(const struct view *v, const struct talk *t)
{
	const char *state = json_text(t->contact, "state");

	if (state && !strcmp(state, "blocked"))
		return false;
	if (!t->contact && !t->last)
		return false;
	return !v->filter || !*v->filter || strcasestr(t->name, v->filter) ||
	       strcasestr(view_title(t), v->filter);
}

struct talk *view_listed(const struct view *v, const struct model *m, size_t i)
{
	for (size_t k = 0; k < model_count(m); k++)
		if (passes(v, model_at(m, k)) && i-- == 0)
			return model_at(m, k);
	return NULL;
}

/* Made safe, on one line. */
static char *safe_line(const char *text)
{
	char *safe = text_safe(text, strlen(text), true);

	safe[strcspn(safe, "\n")] = '\0';
	return safe;
}

void view_put_safe(unsigned x, unsigned y, unsigned columns, enum style style, const char *text)
{
	char *safe = safe_line(text);

	screen_put(x, y, columns, style, safe);
	free(safe);
}

/* What a conversation's second row says. */
static const char *under(const struct talk *t)
{
	const struct json *m = t->last, *f = json_get(m, "file");
	const char *text = json_text(m, "text"), *greeting = json_text(t->contact, "greeting");
	const char *words, *state = json_text(t->contact, "state");
	enum style style;

	if (json_bool(t->contact, "typing", false))
		return _("types …");
	if (state && !strcmp(state, "requests")) {
		view_presence(t->contact, &words, &style);
		return greeting ? greeting : words;
	}
	if (!m) {
		view_presence(t->contact, &words, &style);
		return words;
	}
	if (json_bool(m, "retracted", false))
		return _("(deleted)");
	if (json_bool(m, "gone", false))
		return _("(not kept any more)");
	if (text && *text)
		return text;
	return f && json_text(f, "name") ? json_text(f, "name") : "";
}

/* Today the time, else the day. */
static void when_words(int64_t ms, char *out, size_t size)
{
	time_t seconds = (time_t)(ms / 1000), now = time(NULL);
	struct tm tm, today;
	bool is_known = ms > 0 && localtime_r(&seconds, &tm) && localtime_r(&now, &today);

	*out = '\0';
	if (is_known)
		strftime(out, size,
			 tm.tm_year == today.tm_year && tm.tm_yday == today.tm_yday ? "%H:%M"
			 : tm.tm_year == today.tm_year                              ? "%e %b"
										    : "%Y",
			 &tm);
}

static void draw_entry(const struct view *v, const struct model *m, const struct talk *t,
		       unsigned y)
{
	const struct places *p = &v->places;
	const char *words, *sign;
	enum style style;
	bool is_open = model_open(m) == t;
	bool is_chosen = v->focus == FOCUS_LIST && !strcmp(v->list_chosen, t->name);
	char count[32] = "";
	unsigned left = p->list_columns - 1;

	sign = view_presence(t->contact, &words, &style);
	for (unsigned i = 0; is_chosen && i < LIST_ROW; i++)
		screen_fill(p->list_x, y + i, p->list_columns, STYLE_CHOSEN);
	screen_put(p->list_x, y, 1, STYLE_GOOD, is_open ? "▌" : " ");
	screen_put(p->list_x + 1, y, 1, is_chosen ? STYLE_CHOSEN : style, sign);
	if (!t->unread && t->last) {
		when_words(json_int(t->last, "timestamp", 0), count, sizeof count);
		left -= sheet_columns(count) + 1;
		screen_put(p->list_x + left, y, 12, is_chosen ? STYLE_CHOSEN : STYLE_FAINT,
			   count);
	} else if (t->unread) {
		snprintf(count, sizeof count, t->unread > 99 ? " 99+ " : " %u ", t->unread);
		left -= sheet_columns(count);
		screen_put(p->list_x + left, y, 6, STYLE_BADGE, count);
	}
	view_put_safe(p->list_x + 3, y, left > 4 ? left - 4 : 1,
		      is_chosen              ? STYLE_CHOSEN
		      : t->unread || is_open ? STYLE_STRONG
					     : STYLE_PLAIN,
		      view_title(t));
	if (!compose_is_empty(t->compose) && !is_open)
		screen_put(p->list_x + 3, y + 1, p->list_columns - 4, STYLE_WARN, _("draft"));
	else
		view_put_safe(p->list_x + 3, y + 1, p->list_columns - 4,
			      is_chosen ? STYLE_CHOSEN : STYLE_FAINT, under(t));
}

static void draw_list(struct view *v, const struct model *m)
{
	const struct places *p = &v->places;
	const struct json *account = model_account(m);
	const char *name = json_text(account, "name"), *state = json_text(account, "state");
	bool is_online = state && !strcmp(state, "online");
	size_t chosen = 0, shown = (p->rows - 1 - p->bottom_rows) / LIST_ROW;
	struct talk *t;

	screen_fill(p->list_x, 0, p->list_columns, STYLE_BAR);
	screen_put(p->list_x + 1, 0, 2, STYLE_BAR, is_online ? "●" : "○");
	view_put_safe(p->list_x + 3, 0, p->list_columns - 4, STYLE_BAR,
		      name ? name : "Palique");
	for (size_t i = 0; (t = view_listed(v, m, i)); i++)
		if (!strcmp(t->name, v->focus == FOCUS_LIST ? v->list_chosen
				     : model_open(m)        ? model_open(m)->name
							    : ""))
			chosen = i;
	if (chosen < v->list_top)
		v->list_top = chosen;
	if (chosen >= v->list_top + shown)
		v->list_top = chosen - shown + 1;
	for (size_t i = 0; i < shown && (t = view_listed(v, m, v->list_top + i)); i++)
		draw_entry(v, m, t, 1 + (unsigned)i * LIST_ROW);
	if (!view_listed(v, m, 0) && model_is_ready(m))
		screen_put(p->list_x + 1, 2, p->list_columns - 2, STYLE_FAINT,
			   v->filter && *v->filter ? _("nobody of that name")
						   : _("nobody yet"));
	if (p->talk_columns)
		screen_vertical(p->list_x + p->list_columns, 0, p->rows - p->bottom_rows);
}

/* --- what is said --- */

static void draw_header(const struct view *v, const struct talk *t)
{
	const struct places *p = &v->places;
	const char *words, *status = json_text(t->contact, "status"), *sign;
	char line[1024];
	enum style style;

	sign = view_presence(t->contact, &words, &style);
	if (json_bool(t->contact, "typing", false))
		words = _("types …");
	snprintf(line, sizeof line, "%s %s  %s%s%s%s%s%s", sign, view_title(t), words,
		 json_bool(t->contact, "verified", false) &&
				 !json_bool(t->contact, "keyChanged", false)
			 ? " ✔"
			 : "",
		 json_bool(t->contact, "bot", false) ? _(" [bot]") : "",
		 json_int(json_get(t->contact, "timer"), "seconds", 0) > 0 ? " ⧖" : "",
		 status && *status ? " · " : "", status ? status : "");
	screen_fill(p->talk_x, 0, p->talk_columns, STYLE_BAR);
	view_put_safe(p->talk_x + 1, 0, p->talk_columns - 2, STYLE_BAR, line);
}

static void draw_rule(const struct view *v, const struct talk *t)
{
	const struct places *p = &v->places;
	unsigned y = p->compose_y - 1;

	screen_rule(p->talk_x, y, p->talk_columns);
	if (t->up || t->has_newer)
		screen_put(p->talk_x + 2, y, p->talk_columns - 4, STYLE_WARN,
			   t->unread ? _(" newer ones below: End ")
				     : _(" End: to the newest "));
}

/* What is being written, under a line that tells what it is about. */
static void draw_compose(const struct view *v, const struct talk *t)
{
	const struct places *p = &v->places;
	unsigned y = p->compose_y, rows = p->compose_rows;

	if ((t->answers || t->edits) && rows > 1) {
		const struct said *s = talk_find(t, t->answers ? t->answers : t->edits);
		const char *said = s ? json_text(s->message, "text") : NULL;
		char line[512];

		snprintf(line, sizeof line, "%s %s",
			 t->answers ? _("↪ answers:") : _("✎ edits:"), said ? said : "");
		view_put_safe(p->talk_x, y++, p->talk_columns, STYLE_WARN, line);
		rows--;
	}
	screen_put(p->talk_x, y, 2, STYLE_GOOD, "> ");
	if (compose_is_empty(t->compose) && !t->answers && !t->edits)
		screen_put(p->talk_x + 2, y, p->talk_columns - 2, STYLE_FAINT,
			   _("Write a message"));
	draft_draw(t->compose, p->talk_x + 2, y, p->talk_columns - 2, rows,
		   v->focus == FOCUS_COMPOSE);
}

/* Who has opened none is told how one begins. */
static void draw_welcome(const struct view *v, const struct model *m)
{
	const struct places *p = &v->places;
	bool has_any = view_listed(v, m, 0) || (v->filter && *v->filter);
	unsigned left = p->talk_columns - 4, y = 2;
	struct sheet *s = sheet_new(left ? left : 1);

	screen_fill(p->talk_x, 0, p->talk_columns, STYLE_BAR);
	screen_put(p->talk_x + 1, 0, p->talk_columns - 2, STYLE_BAR, "Palique");
	if (has_any) {
		sheet_add(s, STYLE_PLAIN,
			  _("Choose a conversation with the arrows and Enter."));
	} else if (model_is_ready(m)) {
		sheet_add(s, STYLE_PLAIN, _("Nobody is here yet."));
		sheet_break(s);
		sheet_break(s);
		sheet_add(
			s, STYLE_PLAIN,
			_("/add NAME asks somebody who is at your directory. /link shows your "
			  "contact link, with which others ask you, from anywhere."));
	}
	sheet_break(s);
	sheet_break(s);
	sheet_add(s, STYLE_FAINT, _("F1 or /help tells the rest."));
	for (size_t i = 0; i < sheet_lines(s) && y + p->bottom_rows < p->rows; i++, y++)
		screen_line(p->talk_x + 2, y, left, sheet_line(s, i), false);
	sheet_free(s);
}

void view_draw(struct view *v, const struct model *m)
{
	struct talk *t = model_open(m);

	screen_clear();
	screen_hide_cursor();
	if (v->places.rows < 4 || v->places.columns < 20) {
		screen_put(0, 0, v->places.columns, STYLE_PLAIN, _("too small"));
		return;
	}
	if (v->places.list_columns)
		draw_list(v, m);
	if (v->places.talk_columns && t) {
		draw_header(v, t);
		view_settle(v, t);
		timeline_draw(v, t);
		draw_rule(v, t);
	} else if (v->places.talk_columns) {
		draw_welcome(v, m);
	}
	view_draw_bottom(v);
	if (v->places.talk_columns && t)
		draw_compose(v, t);
}

/* --- pointing and scrolling --- */

const char *view_name_at(const struct view *v, const struct model *m, unsigned x, unsigned y)
{
	const struct places *p = &v->places;
	struct talk *t;

	if (!p->list_columns || x >= p->list_columns || y < 1 || y + p->bottom_rows >= p->rows)
		return NULL;
	t = view_listed(v, m, v->list_top + (y - 1) / LIST_ROW);
	return t ? t->name : NULL;
}

uint64_t view_message_at(const struct view *v, unsigned x, unsigned y)
{
	const struct places *p = &v->places;

	if (!p->talk_columns || x < p->talk_x || y < p->talk_y || y >= p->talk_y + p->talk_rows)
		return 0;
	return timeline_at(y);
}

static size_t rows_from(const struct view *v, const struct talk *t, size_t from)
{
	size_t rows = 0;

	for (size_t i = from; i < t->count; i++)
		rows += timeline_rows(v, t, i);
	return rows;
}

static size_t place_of(const struct talk *t, uint64_t id)
{
	size_t i = t->count;

	while (i > 0 && t->list[i - 1].id != id)
		i--;
	return i; /* counted from 1; 0: not here */
}

/* Remembers which message is at the bottom of what is seen. */
static void anchor(const struct view *v, struct talk *t)
{
	size_t below = 0;

	t->anchor = 0;
	for (size_t i = t->count; i > 0 && (t->up || t->has_newer) && !t->anchor; i--) {
		size_t rows = timeline_rows(v, t, i - 1);

		if (below + rows > t->up) {
			t->anchor = t->list[i - 1].id;
			t->anchor_rows = t->up - below;
		}
		below += rows;
	}
}

/* So that message `i` (from 1) is seen; not moved where it is. */
static void bring_into_sight(const struct view *v, struct talk *t, size_t i)
{
	size_t below = rows_from(v, t, i), rows = timeline_rows(v, t, i - 1);

	if (below < t->up)
		t->up = below;
	else if (below + rows > t->up + v->places.talk_rows)
		t->up = below + rows - v->places.talk_rows;
	anchor(v, t);
}

void view_settle(struct view *v, struct talk *t)
{
	size_t i = place_of(t, t->anchor), most, rows;

	if (i) {
		rows = timeline_rows(v, t, i - 1);
		t->up = rows_from(v, t, i) +
			(t->anchor_rows < rows ? t->anchor_rows : rows - 1);
	}
	if (t->up) {
		rows = rows_from(v, t, 0);
		most = rows > v->places.talk_rows ? rows - v->places.talk_rows : 0;
		t->up = t->up < most ? t->up : most;
	}
	i = t->is_out_of_sight ? place_of(t, t->chosen) : 0;
	if (i) {
		t->up = rows_from(v, t, i); /* with some of what stands behind it */
		t->up -= t->up < v->places.talk_rows / 3u ? t->up : v->places.talk_rows / 3u;
		bring_into_sight(v, t, i);
		t->is_out_of_sight = false;
	}
	anchor(v, t);
}

void view_scroll(struct view *v, struct model *m, long rows)
{
	struct talk *t = model_open(m);
	long most, up;

	if (!t || !v->places.talk_columns)
		return;
	view_settle(v, t);
	most = (long)rows_from(v, t, 0) - (long)v->places.talk_rows;
	up = (long)t->up + rows;
	if (up > most)
		up = most;
	if (up < 0)
		up = 0;
	t->up = (size_t)up;
	anchor(v, t);
	if (rows > 0 && most - up < (long)v->places.talk_rows * 2)
		model_want_older(m);
	if (rows < 0 && up < (long)v->places.talk_rows)
		model_want_newer(m);
	model_touch(m);
}

bool view_choose(struct view *v, struct model *m, bool older)
{
	struct talk *t = model_open(m);
	size_t i;

	if (!t || !t->count || !v->places.talk_columns)
		return false;
	view_settle(v, t);
	i = place_of(t, t->chosen);
	if (i == 0) /* none yet: the newest */
		i = older ? t->count + 1 : t->count;
	if (older ? i <= 1 : i >= t->count) {
		if (older)
			model_want_older(m);
		else if (!t->has_newer)
			t->chosen = 0;
		else
			model_want_newer(m);
		model_touch(m);
		return older || t->has_newer;
	}
	i = older ? i - 1 : i + 1;
	t->chosen = t->list[i - 1].id;
	bring_into_sight(v, t, i);
	if (i < 10)
		model_want_older(m);
	if (t->count - i < 10)
		model_want_newer(m);
	model_touch(m);
	return true;
}
