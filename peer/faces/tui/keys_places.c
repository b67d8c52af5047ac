/* Keys where something is chosen: in the list of conversations, among the messages, on a page. */
#include <stdio.h>
#include <string.h>

#include "peer/faces/tui/tui_inside.h"

void keys_open_list(struct tui *tui)
{
	struct talk *t = model_open(tui->model);

	tui->view.focus = FOCUS_LIST;
	tui->view.shows_list_alone = true;
	compose_set(tui->filter, "");
	if (!t)
		t = view_listed(&tui->view, tui->model, 0);
	snprintf(tui->view.list_chosen, sizeof tui->view.list_chosen, "%s", t ? t->name : "");
}

void keys_leave_list(struct tui *tui, bool is_chosen)
{
	if (is_chosen && *tui->view.list_chosen)
		model_choose(tui->model, tui->view.list_chosen);
	compose_set(tui->filter, "");
	tui->view.focus = FOCUS_COMPOSE;
	tui->view.shows_list_alone = false;
}

static void move_in_list(struct tui *tui, long by)
{
	struct talk *t, *first = view_listed(&tui->view, tui->model, 0);
	size_t i = 0, at = 0;

	for (; (t = view_listed(&tui->view, tui->model, i)); i++)
		if (!strcmp(t->name, tui->view.list_chosen))
			at = i;
	if (!first)
		return;
	if (by < 0 && at < (size_t)-by)
		at = 0;
	else
		at = at + (size_t)by >= i ? i - 1 : at + (size_t)by;
	t = view_listed(&tui->view, tui->model, at);
	snprintf(tui->view.list_chosen, sizeof tui->view.list_chosen, "%s", t->name);
}

bool keys_in_list(struct tui *tui, const struct input *in)
{
	switch (in->key) {
	case KEYS_UP:
		move_in_list(tui, -1);
		return true;
	case KEYS_DOWN:
		move_in_list(tui, 1);
		return true;
	case KEYS_PAGE_UP:
		move_in_list(tui, -10);
		return true;
	case KEYS_PAGE_DOWN:
		move_in_list(tui, 10);
		return true;
	case KEYS_ENTER:
	case KEYS_RIGHT:
		keys_leave_list(tui, true);
		return true;
	case KEYS_ESCAPE:
		keys_leave_list(tui, false);
		return true;
	case KEYS_BACKSPACE:
		compose_cut(tui->filter, MOVE_LEFT);
		break;
	case KEYS_TEXT:
		if (in->is_ctrl || in->is_alt)
			return false;
		if (*in->text == '/' && compose_is_empty(tui->filter)) {
			keys_leave_list(tui, false);
			compose_set(tui_compose(tui), "/");
			return true;
		}
		compose_insert(tui->filter, in->text, strlen(in->text));
		break;
	default:
		return false;
	}
	tui->view.filter = compose_text(tui->filter);
	move_in_list(tui, 0);
	if (!view_listed(&tui->view, tui->model, 0))
		*tui->view.list_chosen = '\0';
	return true;
}

/* A message is chosen: letters do something with it. */
static const struct {
	char letter;
	const char *command;
} on_message[] = {
	{ 'r', "reply" },  { 'e', "edit" },    { 'x', "react" },
	{ 'd', "delete" }, { 'f', "forward" }, { 'g', "fetch" },
	{ 'i', "info" },   { 'p', "pause" },   { 'c', "cancel" },
};

bool keys_in_talk(struct tui *tui, const struct input *in)
{
	struct talk *t = model_open(tui->model);

	if (!t)
		return false;
	switch (in->key) {
	case KEYS_UP:
	case KEYS_BACK_TAB:
		view_choose(&tui->view, tui->model, true);
		return true;
	case KEYS_DOWN:
		if (!view_choose(&tui->view, tui->model, false))
			tui->view.focus = FOCUS_COMPOSE;
		return true;
	case KEYS_ESCAPE:
	case KEYS_TAB:
		t->chosen = 0;
		tui->view.focus = FOCUS_COMPOSE;
		return true;
	case KEYS_ENTER:
		command_do(tui, "info", "");
		return true;
	case KEYS_TEXT:
		if (*in->text >= '1' && *in->text <= '8' && !in->is_ctrl && !in->is_alt) {
			command_do(tui, "press", in->text);
			return true;
		}
		for (size_t i = 0; i < sizeof on_message / sizeof *on_message; i++) {
			if (in->is_ctrl || in->is_alt || on_message[i].letter != *in->text)
				continue;
			tui->view.focus = FOCUS_COMPOSE;
			command_do(tui, on_message[i].command, "");
			return true;
		}
		return false;
	default:
		return false;
	}
}

static bool letter_on_page(struct tui *tui, const struct input *in)
{
	page_key *key = page_keys(tui->page);

	if (in->is_ctrl && strchr("cqzlgfopn", *in->text)) {
		tui_show(tui, NULL);
		return *in->text == 'c';
	}
	if (in->is_ctrl || in->is_alt)
		return true;
	if (*in->text == '/') {
		tui_show(tui, NULL);
		tui->view.focus = FOCUS_COMPOSE;
		tui->view.shows_list_alone = false;
		compose_set(tui_compose(tui), "/");
	} else if (!(key && key(tui, *in->text, page_chosen_item(tui->page))) &&
		   (*in->text == 'q' || *in->text == ' ')) {
		tui_show(tui, NULL);
	}
	return true;
}

bool keys_on_page(struct tui *tui, const struct input *in)
{
	size_t rows = tui_page_rows(tui);
	const char *item;

	switch (in->key) {
	case KEYS_UP:
		page_move(tui->page, -1, rows);
		return true;
	case KEYS_DOWN:
		page_move(tui->page, 1, rows);
		return true;
	case KEYS_PAGE_UP:
	case KEYS_WHEEL_UP:
		page_move(tui->page, in->key == KEYS_PAGE_UP ? -(long)rows : -3, rows);
		return true;
	case KEYS_PAGE_DOWN:
	case KEYS_WHEEL_DOWN:
		page_move(tui->page, in->key == KEYS_PAGE_DOWN ? (long)rows : 3, rows);
		return true;
	case KEYS_CLICK:
		if (in->y < 1 || !page_choose_line(tui->page, page_top(tui->page) + in->y - 1))
			return true;
		/* fallthrough */
	case KEYS_ENTER:
		item = page_chosen_item(tui->page);
		if (item && page_action(tui->page))
			page_action(tui->page)(tui, item);
		else if (in->key == KEYS_ENTER)
			tui_show(tui, NULL);
		return true;
	case KEYS_RESIZE:
		return false;
	case KEYS_HOME:
	case KEYS_END:
		page_move(tui->page, in->key == KEYS_HOME ? -100000 : 100000, rows);
		return true;
	case KEYS_TEXT:
		return letter_on_page(tui, in);
	case KEYS_FUNCTION:
		return in->number == 1;
	case KEYS_LEFT:
	case KEYS_ESCAPE:
		tui_show(tui, NULL);
		return true;
	case KEYS_LOOKED_AT:
	case KEYS_LOOKED_AWAY:
		return false;
	default:
		return true;
	}
}
