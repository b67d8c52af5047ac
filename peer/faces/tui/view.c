#include "peer/faces/tui/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "peer/faces/tui/screen.h"
#include "peer/faces/tui/timeline.h"
#include "shared/text.h"

enum { LIST_COLUMNS = 28, BOTH_COLUMNS = 66, COMPOSE_ROWS_MAX = 6, LIST_ROW = 2 };

/* --- places --- */

/* Where the cursor stands in text broken for so many columns: cell by cell, as it is drawn. */
struct spot {
	unsigned x, y;
};

void view_arrange(struct view *v, unsigned columns, unsigned rows, const struct model *m)
{
	struct places *p = &v->places;
	const struct talk *t = model_open(m);
	bool both = columns >= BOTH_COLUMNS;
	const char *text = t ? compose_text(t->compose) : "";
	unsigned lines = 1, used = 0;

	*p = (struct places){ .columns = columns, .rows = rows };
	if (both || !t || v->shows_list_alone)
		p->list_columns = both ? LIST_COLUMNS : columns;
	if (both) {
		p->talk_x = LIST_COLUMNS + 1;
		p->talk_columns = columns - p->talk_x;
	} else if (!p->list_columns) {
		p->talk_columns = columns;
	}
	for (const char *c = text; p->talk_columns > 4 && *c;) {
		size_t size = strcspn(c, "\n");
		char *line = memory_new(size + 1);

		memcpy(line, c, size);
		used = sheet_columns(line);
		lines += used / (p->talk_columns - 2);
		free(line);
		c += size;
		if (*c == '\n') {
			lines++;
			c++;
		}
	}
	if (lines > COMPOSE_ROWS_MAX)
		lines = COMPOSE_ROWS_MAX;
	if (t && (t->answers || t->edits))
		lines++;
	if (rows < 8)
		lines = 1;
	p->compose_rows = lines;
	p->compose_y = rows > lines + 2 ? rows - 1 - lines : rows - 1;
	p->talk_y = 1;
	p->talk_rows = p->compose_y > 2 ? p->compose_y - 2 : 1;
}

/* --- who there is --- */

const char *view_title(const struct talk *t)
{
	const char *title = json_text(t->contact, "title");

	return title && *title ? title : t->name;
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

static void put_safe(unsigned x, unsigned y, unsigned columns, enum style style,
		     const char *text)
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

static void draw_entry(const struct view *v, const struct model *m, const struct talk *t,
		       unsigned y)
{
	const struct places *p = &v->places;
	const char *words, *sign;
	enum style style;
	bool is_open = model_open(m) == t;
	bool is_chosen = v->focus == FOCUS_LIST && !strcmp(v->list_chosen, t->name);
	char count[16];
	unsigned left = p->list_columns - 1;

	sign = view_presence(t->contact, &words, &style);
	if (is_chosen)
		screen_fill(p->list_x, y, p->list_columns, STYLE_CHOSEN);
	screen_put(p->list_x, y, 1, STYLE_GOOD, is_open ? "▌" : " ");
	screen_put(p->list_x + 1, y, 1, style, sign);
	if (t->unread) {
		snprintf(count, sizeof count, t->unread > 99 ? " 99+ " : " %u ", t->unread);
		left -= sheet_columns(count);
		screen_put(p->list_x + left, y, 6, STYLE_BADGE, count);
	}
	put_safe(p->list_x + 3, y, left > 4 ? left - 4 : 1,
		 is_chosen              ? STYLE_CHOSEN
		 : t->unread || is_open ? STYLE_STRONG
					: STYLE_PLAIN,
		 view_title(t));
	if (!compose_is_empty(t->compose) && !is_open)
		screen_put(p->list_x + 3, y + 1, p->list_columns - 4, STYLE_WARN, _("draft"));
	else
		put_safe(p->list_x + 3, y + 1, p->list_columns - 4, STYLE_FAINT, under(t));
}

static void draw_list(struct view *v, const struct model *m)
{
	const struct places *p = &v->places;
	const struct json *account = model_account(m);
	const char *name = json_text(account, "name"), *state = json_text(account, "state");
	bool is_online = state && !strcmp(state, "online");
	size_t chosen = 0, shown = (p->rows - 2) / LIST_ROW;
	struct talk *t;

	screen_fill(p->list_x, 0, p->list_columns, STYLE_BAR);
	screen_put(p->list_x + 1, 0, 2, STYLE_BAR, is_online ? "●" : "○");
	put_safe(p->list_x + 3, 0, p->list_columns - 4, STYLE_BAR, name ? name : "Palique");
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
						   : _("/add NAME adds somebody"));
	if (p->talk_columns)
		screen_vertical(p->list_x + p->list_columns, 0, p->rows - 1);
}

/* --- what is said --- */

static void draw_header(const struct view *v, const struct talk *t)
{
	const struct places *p = &v->places;
	const char *words, *status = json_text(t->contact, "status");
	char line[1024];
	enum style style;

	view_presence(t->contact, &words, &style);
	if (json_bool(t->contact, "typing", false))
		words = _("types …");
	snprintf(line, sizeof line, "%s  %s%s%s%s%s", view_title(t), words,
		 json_bool(t->contact, "verified", false) ? " ✔" : "",
		 json_int(json_get(t->contact, "timer"), "seconds", 0) > 0 ? " ⧖" : "",
		 status && *status ? " · " : "", status ? status : "");
	screen_fill(p->talk_x, 0, p->talk_columns, STYLE_BAR);
	put_safe(p->talk_x + 1, 0, p->talk_columns - 2, STYLE_BAR, line);
}

static void draw_rule(const struct view *v, const struct talk *t)
{
	const struct places *p = &v->places;
	unsigned y = p->compose_y - 1;
	char line[4 * 512] = "";

	for (unsigned i = 0; i < p->talk_columns && i < 500; i++)
		strcat(line, "─");
	screen_put(p->talk_x, y, p->talk_columns, STYLE_FAINT, line);
	if (t->up || t->has_newer)
		screen_put(p->talk_x + 2, y, p->talk_columns - 4, STYLE_WARN,
			   t->unread ? _(" newer ones below: End ")
				     : _(" End: to the newest "));
}

/* The text as it is typed: row by row, without breaking between words, so that the cursor is where one
 * expects it. The last rows are seen where there are too many. */
static void draw_compose(const struct view *v, const struct talk *t)
{
	const struct places *p = &v->places;
	unsigned width = p->talk_columns > 4 ? p->talk_columns - 2 : 1, y = 0, x = 0;
	unsigned first_row = p->compose_y, rows = p->compose_rows, skip;
	size_t cursor = compose_cursor(t->compose), at = 0;
	const char *text = compose_text(t->compose);
	char cell[16];
	struct spot spot = { 0, 0 };

	if (t->answers || t->edits) {
		const struct said *s = talk_find(t, t->answers ? t->answers : t->edits);
		char line[512];
		const char *said = s ? json_text(s->message, "text") : NULL;
		snprintf(line, sizeof line, "%s %s",
			 t->answers ? _("↪ answers:") : _("✎ edits:"), said ? said : "");
		put_safe(p->talk_x, first_row, p->talk_columns, STYLE_WARN, line);
		first_row++;
		rows--;
	}
	/* where the cursor is, first: it decides which rows are seen */
	for (at = 0; text[at] && at < cursor;) {
		size_t size = sheet_fit(text + at, 2), one = 1;
		unsigned columns;

		while (one < size && ((unsigned char)text[at + one] & 0xc0) == 0x80)
			one++;
		memcpy(cell, text + at, one < 8 ? one : 8);
		cell[one < 8 ? one : 8] = '\0';
		columns = sheet_columns(cell);
		if (text[at] == '\n' || spot.x + columns > width) {
			spot.x = 0;
			spot.y++;
		}
		if (text[at] != '\n')
			spot.x += columns;
		at += one;
	}
	if (spot.x >= width) {
		spot.x = 0;
		spot.y++;
	}
	skip = spot.y >= rows ? spot.y - rows + 1 : 0;
	screen_put(p->talk_x, first_row, 2, STYLE_GOOD, "> ");
	for (at = 0; text[at];) {
		size_t one = 1;
		unsigned columns;

		while (((unsigned char)text[at + one] & 0xc0) == 0x80 && one < 4)
			one++;
		memcpy(cell, text + at, one);
		cell[one] = '\0';
		columns = sheet_columns(cell);
		/* with what combines with it */
		while (text[at + one]) {
			char next[8] = { 0 };
			size_t more = 1;
			while (((unsigned char)text[at + one + more] & 0xc0) == 0x80 &&
			       more < 4)
				more++;
			memcpy(next, text + at + one, more);
			if (text[at + one] == '\n' || sheet_columns(next) > 0 ||
			    one + more >= sizeof cell)
				break;
			memcpy(cell + one, next, more + 1);
			one += more;
		}
		if (text[at] == '\n' || x + columns > width) {
			x = 0;
			y++;
		}
		if (text[at] != '\n') {
			if (y >= skip && y - skip < rows) {
				char *safe = text_safe(cell, strlen(cell), false);
				screen_put(p->talk_x + 2 + x, first_row + y - skip, columns,
					   STYLE_PLAIN, text[at] == '\t' ? " " : safe);
				free(safe);
			}
			x += columns;
		}
		at += one;
	}
	if (v->focus == FOCUS_COMPOSE)
		screen_cursor(p->talk_x + 2 + spot.x, first_row + spot.y - skip);
}

static void draw_bottom(const struct view *v)
{
	unsigned y = v->places.rows - 1;

	screen_fill(0, y, v->places.columns, STYLE_PLAIN);
	if (v->is_lost)
		screen_put(0, y, v->places.columns, STYLE_BAD,
			   _("The line to the engine is lost; trying again …"));
	else if (*v->notice)
		put_safe(0, y, v->places.columns, v->is_error ? STYLE_BAD : STYLE_WARN,
			 v->notice);
	else
		put_safe(0, y, v->places.columns, STYLE_FAINT, v->hint);
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
		timeline_draw(v, t);
		draw_rule(v, t);
	} else if (v->places.talk_columns) {
		screen_fill(v->places.talk_x, 0, v->places.talk_columns, STYLE_BAR);
		screen_put(v->places.talk_x + 1, 0, v->places.talk_columns - 2, STYLE_BAR,
			   "Palique");
		screen_put(v->places.talk_x + 2, 2, v->places.talk_columns - 4, STYLE_PLAIN,
			   _("Choose a conversation with the arrows and Enter."));
		screen_put(v->places.talk_x + 2, 3, v->places.talk_columns - 4, STYLE_FAINT,
			   _("/add NAME adds somebody, /help tells the rest."));
	}
	draw_bottom(v);
	if (v->places.talk_columns && t)
		draw_compose(v, t);
}

/* --- pointing and scrolling --- */

const char *view_name_at(const struct view *v, const struct model *m, unsigned x, unsigned y)
{
	const struct places *p = &v->places;
	struct talk *t;

	if (!p->list_columns || x >= p->list_columns || y < 1 || y + 1 >= p->rows)
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

static size_t all_rows(const struct view *v, const struct talk *t, size_t from)
{
	size_t rows = 0;

	for (size_t i = from; i < t->count; i++)
		rows += timeline_rows(v, t, i);
	return rows;
}

void view_scroll(struct view *v, struct model *m, long rows)
{
	struct talk *t = model_open(m);
	long most, up;

	if (!t || !v->places.talk_columns)
		return;
	most = (long)all_rows(v, t, 0) - (long)v->places.talk_rows;
	up = (long)t->up + rows;
	if (up > most)
		up = most;
	if (up < 0)
		up = 0;
	t->up = (size_t)up;
	if (rows > 0 && most - up < (long)v->places.talk_rows * 2)
		model_want_older(m);
	if (rows < 0 && up < (long)v->places.talk_rows)
		model_want_newer(m);
	model_touch(m);
}

bool view_choose(struct view *v, struct model *m, bool older)
{
	struct talk *t = model_open(m);
	size_t i, below;
	unsigned rows;

	if (!t || !t->count)
		return false;
	for (i = t->count; i > 0 && t->list[i - 1].id != t->chosen; i--)
		;
	if (i == 0) /* none yet: the newest */
		i = older ? t->count + 1 : t->count;
	if (older ? i <= 1 : i >= t->count) {
		if (older)
			model_want_older(m);
		else
			t->chosen = 0;
		model_touch(m);
		return false;
	}
	i = older ? i - 1 : i + 1;
	t->chosen = t->list[i - 1].id;
	below = all_rows(v, t, i);
	rows = timeline_rows(v, t, i - 1);
	if (below < t->up)
		t->up = below;
	else if (below + rows > t->up + v->places.talk_rows)
		t->up = below + rows - v->places.talk_rows;
	if (i < 10)
		model_want_older(m);
	model_touch(m);
	return true;
}
