/* What each key does, by where it is typed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/tui/tui_inside.h"
#include "shared/text.h"

enum {
	TYPING_MS = 4000, /* how often the other side is told that we type */
	LEAVE_MS = 3000,  /* Ctrl-C twice within this leaves */
	SEEN_MS = 1000,   /* a line at the bottom that stood so long goes with the next key */
};

/* Sends what stands in the composer, or does it. */
static void enter(struct tui *tui)
{
	struct compose *c = tui_compose(tui);
	char *line;

	if (!tui->client) {
		tui_connect_again(tui, true);
		return;
	}
	if (compose_is_empty(c))
		return;
	line = compose_take(c);
	command_run(tui, line);
	free(line);
	model_touch(tui->model);
}

/* The next one of the list with something unread, after the open one. */
static void next_unread(struct tui *tui)
{
	struct talk *open = model_open(tui->model), *one, *first = NULL, *next = NULL;
	bool is_behind = false;

	tui->view.filter = "";
	for (size_t i = 0; (one = view_listed(&tui->view, tui->model, i)); i++) {
		if (one == open)
			is_behind = true;
		else if (one->unread && is_behind && !next)
			next = one;
		else if (one->unread && !first)
			first = one;
	}
	next = next ? next : first;
	if (!next) {
		tui_tell(tui, false, _("Nothing is unread."));
		return;
	}
	model_choose(tui->model, next->name);
	tui->view.focus = FOCUS_COMPOSE;
}

static void nth_talk(struct tui *tui, size_t n)
{
	struct talk *t;

	tui->view.filter = "";
	t = view_listed(&tui->view, tui->model, n);
	if (!t)
		return;
	model_choose(tui->model, t->name);
	tui->view.focus = FOCUS_COMPOSE;
}

static void next_talk(struct tui *tui, bool older)
{
	struct talk *t = model_open(tui->model), *one;
	size_t i = 0, at = 0;
	bool is_found = false;

	tui->view.filter = "";
	for (; (one = view_listed(&tui->view, tui->model, i)); i++) {
		if (one == t) {
			at = i;
			is_found = true;
		}
	}
	if (!i)
		return;
	at = !is_found ? 0 : older ? (at + 1) % i : (at + i - 1) % i;
	model_choose(tui->model, view_listed(&tui->view, tui->model, at)->name);
	tui->view.focus = FOCUS_COMPOSE;
}

static void say_typing(struct tui *tui)
{
	struct talk *t = model_open(tui->model);
	const char *text = t ? compose_text(t->compose) : "";

	if (!t || !tui->client || *text == '/' || !*text ||
	    tui_now() < tui->typed_at + TYPING_MS)
		return;
	tui->typed_at = tui_now();
	client_tell(tui->client, "sendTyping",
		    json_set_text(json_object(), "conversation", t->name));
}

/* Ctrl-C: removes what is being written; on an empty line, twice, it leaves. */
static bool ask_to_leave(struct tui *tui)
{
	struct compose *c = tui_compose(tui);

	if (!compose_is_empty(c)) {
		compose_set(c, "");
		return true;
	}
	if (tui->is_asked_to_leave && tui_now() < tui->notice_until) {
		tui->is_leaving = true;
		return true;
	}
	tui->is_asked_to_leave = true;
	tui_tell(tui, false,
		 _("Ctrl-C once more leaves; the engine goes on and takes messages."));
	tui->notice_until = tui_now() + LEAVE_MS;
	return true;
}

/* Ctrl and a letter, as the line editors of shells have them. */
static bool key_with_ctrl(struct tui *tui, char letter)
{
	struct compose *c = tui_compose(tui);

	switch (letter) {
	case 'a':
		return compose_move(c, MOVE_HOME);
	case 'e':
		return compose_move(c, MOVE_END);
	case 'b':
		return compose_move(c, MOVE_LEFT);
	case 'd':
		compose_cut(c, MOVE_RIGHT);
		return true;
	case 'k':
		compose_cut(c, MOVE_END);
		return true;
	case 'u':
		compose_cut(c, MOVE_HOME);
		return true;
	case 'w':
		compose_cut(c, MOVE_WORD_LEFT);
		return true;
	case 'y':
		compose_yank(c);
		return true;
	case 'j':
		compose_insert(c, "\n", 1);
		return true;
	case 'l':
		screen_redraw();
		return true;
	case 'g':
		keys_open_list(tui);
		return true;
	case 'f':
		compose_set(c, "/search ");
		return true;
	case 'o':
		compose_set(c, "/file ");
		return true;
	case 'n':
		next_talk(tui, true);
		return true;
	case 'p':
		next_talk(tui, false);
		return true;
	case 'q':
		tui->is_leaving = true;
		return true;
	case 'z':
		screen_suspend();
		return true;
	case 'c':
		return ask_to_leave(tui);
	default:
		return false;
	}
}

static const char with_alt[] = "abfd123456789";

/* A letter with Alt. */
static void key_with_alt(struct tui *tui, char letter)
{
	struct compose *c = tui_compose(tui);

	switch (letter) {
	case 'a':
		next_unread(tui);
		break;
	case 'b':
		compose_move(c, MOVE_WORD_LEFT);
		break;
	case 'f':
		compose_move(c, MOVE_WORD_RIGHT);
		break;
	case 'd':
		compose_cut(c, MOVE_WORD_RIGHT);
		break;
	default:
		if (letter >= '1' && letter <= '9')
			nth_talk(tui, (size_t)(letter - '1'));
		break;
	}
}

static void key_function(struct tui *tui, unsigned number)
{
	switch (number) {
	case 1:
		tui_open_page(tui, pages_help, "", 0);
		break;
	case 2:
		keys_open_list(tui);
		break;
	case 3:
		compose_set(tui_compose(tui), "/search ");
		break;
	case 10:
		tui->is_leaving = true;
		break;
	default:
		break;
	}
}

static void click(struct tui *tui, const struct input *in)
{
	const char *name = view_name_at(&tui->view, tui->model, in->x, in->y);
	struct talk *t = model_open(tui->model);
	uint64_t id = view_message_at(&tui->view, in->x, in->y);

	if (name) {
		model_choose(tui->model, name);
		keys_leave_list(tui, false);
	} else if (t && id) {
		if (t->chosen == id)
			command_do(tui, "info", "");
		t->chosen = id;
		tui->view.focus = FOCUS_TALK;
	} else if (t) {
		t->chosen = 0;
		tui->view.focus = FOCUS_COMPOSE;
	}
}

static void escape(struct tui *tui)
{
	struct talk *t = model_open(tui->model);

	if (!t)
		return;
	if (t->answers || t->edits) {
		if (t->edits)
			compose_set(t->compose, "");
		t->answers = t->edits = 0;
	} else if (t->chosen) {
		t->chosen = 0;
	} else if (t->up || t->has_newer) {
		talk_to_bottom(t);
		if (t->has_newer)
			model_want_newest(tui->model);
	} else if (!tui->view.places.list_columns) {
		keys_open_list(tui);
	}
}

static bool moves_in_text(struct tui *tui, const struct input *in)
{
	struct compose *c = tui_compose(tui);

	switch (in->key) {
	case KEYS_LEFT:
		return compose_move(c, in->is_ctrl || in->is_alt ? MOVE_WORD_LEFT : MOVE_LEFT);
	case KEYS_RIGHT:
		return compose_move(c,
				    in->is_ctrl || in->is_alt ? MOVE_WORD_RIGHT : MOVE_RIGHT);
	case KEYS_HOME:
		if (in->is_ctrl || compose_is_empty(c))
			model_want_oldest(tui->model);
		return compose_move(c, MOVE_HOME);
	case KEYS_UP:
		return compose_move(c, MOVE_UP) || compose_recall(c, true);
	case KEYS_DOWN:
		return compose_move(c, MOVE_DOWN) || compose_recall(c, false);
	case KEYS_BACKSPACE:
		compose_cut(c, in->is_alt ? MOVE_WORD_LEFT : MOVE_LEFT);
		return true;
	case KEYS_DELETE:
		compose_cut(c, MOVE_RIGHT);
		return true;
	default:
		return false;
	}
}

static void to_newest(struct tui *tui)
{
	struct talk *t = model_open(tui->model);

	if (!t || (!t->up && !t->has_newer)) {
		compose_move(tui_compose(tui), MOVE_END);
		return;
	}
	talk_to_bottom(t);
	t->chosen = 0;
	if (t->has_newer)
		model_want_newest(tui->model);
}

/* Through what was said; false: no such key. */
static bool scrolls(struct tui *tui, enum key key)
{
	long page = (long)tui->view.places.talk_rows - 1, rows;

	switch (key) {
	case KEYS_PAGE_UP:
		rows = page;
		break;
	case KEYS_PAGE_DOWN:
		rows = -page;
		break;
	case KEYS_WHEEL_UP:
		rows = 3;
		break;
	case KEYS_WHEEL_DOWN:
		rows = -3;
		break;
	default:
		return false;
	}
	view_scroll(&tui->view, tui->model, rows);
	return true;
}

static void write_text(struct tui *tui, const struct input *in)
{
	if (in->is_ctrl) {
		key_with_ctrl(tui, *in->text);
		return;
	}
	if (in->is_alt) {
		key_with_alt(tui, *in->text);
		return;
	}
	tui->view.focus = FOCUS_COMPOSE;
	if (!compose_insert(tui_compose(tui), in->text, strlen(in->text)))
		tui_tell(tui, true, _("This is as long as a message can be."));
	say_typing(tui);
}

static void write_pasted(struct tui *tui, const struct input *in)
{
	tui->view.focus = FOCUS_COMPOSE;
	if (!compose_insert(tui_compose(tui), in->pasted, in->pasted_size))
		tui_tell(tui, true,
			 _("That is too long for a message; send it as a file: /file PATH"));
	say_typing(tui);
}

static void key_anywhere(struct tui *tui, const struct input *in)
{
	switch (in->key) {
	case KEYS_TEXT:
		write_text(tui, in);
		return;
	case KEYS_PASTE:
		write_pasted(tui, in);
		return;
	case KEYS_ENTER:
		if (in->is_alt)
			compose_insert(tui_compose(tui), "\n", 1);
		else
			enter(tui);
		return;
	case KEYS_TAB:
		command_complete(tui);
		return;
	case KEYS_BACK_TAB:
		if (view_choose(&tui->view, tui->model, true))
			tui->view.focus = FOCUS_TALK;
		return;
	case KEYS_ESCAPE:
		escape(tui);
		return;
	case KEYS_END:
		to_newest(tui);
		return;
	case KEYS_FUNCTION:
		key_function(tui, in->number);
		return;
	case KEYS_CLICK:
		click(tui, in);
		return;
	default:
		moves_in_text(tui, in);
		return;
	}
}

/* What the terminal itself tells; false: it was a key. */
static bool was_told(struct tui *tui, const struct input *in)
{
	switch (in->key) {
	case KEYS_RESIZE:
		screen_redraw();
		tui->width = screen_columns() > 4 ? screen_columns() - 4 : 1;
		view_arrange(&tui->view, screen_columns(), screen_rows(), tui->model);
		tui_refresh_page(tui);
		return true;
	case KEYS_LOOKED_AT:
	case KEYS_LOOKED_AWAY:
		model_look(tui->model, in->key == KEYS_LOOKED_AT);
		return true;
	default:
		return false;
	}
}

void keys_typed(struct tui *tui, const struct input *in)
{
	if (was_told(tui, in))
		return;
	model_look(tui->model, true); /* who types, looks */
	if (*tui->view.notice && tui_now() >= tui->notice_at + SEEN_MS)
		*tui->view.notice = '\0';
	if (in->is_alt && in->key == KEYS_TEXT && !strchr(with_alt, *in->text)) {
		/* Esc, and the letter right behind it */
		struct input plain = *in;

		plain.is_alt = false;
		keys_typed(tui, &(struct input){ .key = KEYS_ESCAPE });
		keys_typed(tui, &plain);
		return;
	}
	if (tui->page && keys_on_page(tui, in))
		return;
	if (in->is_alt && (in->key == KEYS_UP || in->key == KEYS_DOWN)) {
		next_talk(tui, in->key == KEYS_DOWN);
		return;
	}
	if (tui->view.focus == FOCUS_LIST && keys_in_list(tui, in))
		return;
	if (tui->view.focus == FOCUS_TALK && keys_in_talk(tui, in))
		return;
	if (!scrolls(tui, in->key))
		key_anywhere(tui, in);
}
