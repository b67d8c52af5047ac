/* What can be done now, said in the line at the bottom; and all of it drawn. */
#include <stdio.h>
#include <string.h>

#include "peer/faces/tui/tui_inside.h"
#include "shared/text.h"

static bool is(const struct json *o, const char *key, const char *value)
{
	const char *has = json_text(o, key);

	return has && !strcmp(has, value);
}

static const char *about_file(const struct json *f, bool is_own)
{
	if (is(f, "state", "offered"))
		return is_own ? _("/pause, /cancel hold the file back · Enter sends · F1 help")
			      : _("/fetch gets the file · /cancel refuses it · F1 help");
	if (is(f, "state", "running") || is(f, "state", "waiting"))
		return _("/pause lets the file rest · /cancel ends it · F1 help");
	if (is(f, "state", "paused"))
		return _("/fetch goes on with the file · /cancel ends it · F1 help");
	if (is(f, "state", "stopped"))
		return _("/cancel ends the file · Enter sends · F1 help");
	if (is(f, "state", "failed") && !is_own && !is(f, "error", "expired"))
		return _("/fetch tries the file again · /cancel ends it · F1 help");
	return NULL;
}

/* What can be done about the newest message, where that is not answering it. */
static const char *about_newest(const struct talk *t)
{
	const struct json *m = t->count ? t->list[t->count - 1].message : NULL,
			  *f = json_get(m, "file");
	bool is_own = json_bool(m, "own", false);

	if (json_count(json_get(m, "buttons")) > 0 && !is_own)
		return _("/press 1 presses the first button · Enter sends · F1 help");
	return f ? about_file(f, is_own) : NULL;
}

/* About whom one talks with; NULL: nothing out of the ordinary. */
static const char *about_contact(const struct talk *t)
{
	const char *state = json_text(t->contact, "state");

	if (!t->contact)
		return _("no contact any more: /add asks them again · Ctrl+G list · F1 help");
	if (json_bool(t->contact, "keyChanged", false))
		return _("another key: /safety compares · /accept takes it · nothing is sent "
			 "until then");
	if (state && !strcmp(state, "requests"))
		return _("/accept says yes · /block no, for good · /about tells who it is");
	if (state && !strcmp(state, "asked"))
		return _("what you write waits until they accept · /remove takes it back");
	if (state && !strcmp(state, "blocked"))
		return _("/unblock lets them ask again · Ctrl+G list · F1 help");
	return NULL;
}

static const char *about_writing(const struct talk *t)
{
	const char *words;

	if (t->edits)
		return _("Enter sends the other text · Esc leaves it as it was");
	if (t->answers)
		return _("Enter sends the answer · Esc answers nothing");
	if (!compose_is_empty(t->compose))
		return _("Enter sends · Alt+Enter new line · Tab completes · Ctrl+U removes");
	if (t->up || t->has_newer)
		return _("End to the newest · PgUp PgDn scroll · Shift+Tab messages · F1 help");
	words = about_contact(t);
	if (!words)
		words = about_newest(t);
	if (words)
		return words;
	return _("Enter sends · Alt+Enter new line · Shift+Tab messages · Ctrl+G list · F1 "
		 "help");
}

/* A message is chosen: what is possible with this one. */
static void hint_of_message(const struct talk *t, char *out, size_t size)
{
	const struct said *s = talk_find(t, t->chosen);
	const struct json *f = s ? json_get(s->message, "file") : NULL;
	bool is_gone = s && (json_bool(s->message, "retracted", false) ||
			     json_bool(s->message, "gone", false));

	snprintf(out, size, "%s%s%s%s%s%s",
		 is_gone ? "" : _("r reply · x react · f forward · "),
		 s && s->is_own && !is_gone ? _("e edit · d delete · ") : "",
		 f && !s->is_own ? _("g get file · ") : "",
		 f ? _("p pause · c cancel file · ") : "",
		 s && json_count(json_get(s->message, "buttons")) ? _("1-8 press · ") : "",
		 _("i info · Esc back"));
}

static void hint(struct tui *tui)
{
	char *out = tui->view.hint;
	size_t size = sizeof tui->view.hint;
	struct talk *t = model_open(tui->model);

	if (tui->page && *page_hint(tui->page)) {
		snprintf(out, size, "%s", page_hint(tui->page));
	} else if (tui->page) {
		snprintf(out, size, "%s",
			 page_chosen_item(tui->page)
				 ? _("↑ ↓ Enter choose · / command · Esc closes")
				 : _("↑ ↓ PgUp PgDn scroll · / command · Esc closes"));
	} else if (tui->view.focus == FOCUS_LIST) {
		snprintf(out, size, "%s%s", compose_text(tui->filter),
			 compose_is_empty(tui->filter) &&
					 !view_listed(&tui->view, tui->model, 0)
				 ? _("/add NAME asks somebody · /link · Ctrl+Q quit · F1 help")
			 : compose_is_empty(tui->filter)
				 ? _("type to find · ↑ ↓ Enter open · / command · Ctrl+Q quit "
				     "· Esc back")
				 : _("  (Enter opens, Esc back)"));
	} else if (tui->view.focus == FOCUS_TALK && t && t->chosen) {
		hint_of_message(t, out, size);
	} else {
		command_hint(tui, out, size);
		if (!*out)
			snprintf(out, size, "%s",
				 t ? about_writing(t)
				   : _("Ctrl+G list · /add NAME · F1 help · Ctrl+Q quit"));
	}
}

/* What does not fit goes from before the last: that is the way back, or to the help. */
static void fit_hint(char *hint, unsigned columns)
{
	static const char between[] = " · ";

	while (sheet_columns(hint) > columns) {
		char *last = NULL, *before = NULL;

		for (char *at = hint; (at = strstr(at, between)); at += strlen(between)) {
			before = last;
			last = at;
		}
		if (!before)
			return;
		memmove(before, last, strlen(last) + 1);
	}
}

static void draw_page(struct tui *tui)
{
	const struct places *p = &tui->view.places;
	size_t lines = page_lines(tui->page), top = page_top(tui->page),
	       rows = tui_page_rows(tui);
	bool is_chosen;
	char place[64];

	screen_clear();
	screen_hide_cursor();
	screen_fill(0, 0, p->columns, STYLE_BAR);
	view_put_safe(2, 0, p->columns - 4, STYLE_BAR, page_title(tui->page));
	if (lines > rows) {
		snprintf(place, sizeof place, " %zu/%zu ",
			 top + rows < lines ? top + rows : lines, lines);
		screen_put(p->columns - sheet_columns(place), 0, p->columns, STYLE_BAR, place);
	}
	for (unsigned y = 1; y <= rows && top + y - 1 < lines; y++) {
		const struct sheet_line *line = page_line(tui->page, top + y - 1, &is_chosen);
		if (is_chosen)
			screen_fill(1, y, p->columns - 2, STYLE_CHOSEN);
		screen_line(2, y, p->columns - 4, line, is_chosen);
	}
	view_draw_bottom(&tui->view);
}

size_t tui_page_rows(const struct tui *tui)
{
	const struct places *p = &tui->view.places;

	return p->rows > 1 + p->bottom_rows ? p->rows - 1 - p->bottom_rows : 1;
}

void tui_draw(struct tui *tui)
{
	struct talk *t = model_open(tui->model);

	hint(tui);
	fit_hint(tui->view.hint, screen_columns());
	view_arrange(&tui->view, screen_columns(), screen_rows(), tui->model);
	if (tui->page && tui->view.places.rows >= 4 && tui->view.places.columns >= 20) {
		draw_page(tui);
	} else {
		view_draw(&tui->view, tui->model);
		/* what is on the screen is read */
		if (t && tui->view.places.talk_columns && !t->up && tui->client &&
		    model_is_looked_at(tui->model))
			model_mark_read(tui->model, t);
	}
	screen_show();
	tui->drawn = model_revision(tui->model);
}
