#include "peer/faces/tui/tui.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "peer/faces/tui/tui_inside.h"
#include "shared/error.h"
#include "shared/text.h"

enum {
	NOTICE_MS = 8000,
	TYPING_MS = 4000, /* how often the other side is told that we type */
	RETRY_MS = 1000,
	LEAVE_MS = 3000, /* Ctrl-C twice within this leaves */
	PENDING_MAX = 4096,
};

struct pending {
	int id;
	struct request request; /* of the model, when `answered` is NULL */
	tui_answered *answered;
	void *context;
	bool is_models;
};

static volatile sig_atomic_t is_told_to_end;

int64_t tui_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void tui_tell(struct tui *tui, bool is_error, const char *words)
{
	snprintf(tui->view.notice, sizeof tui->view.notice, "%s", words);
	tui->view.is_error = is_error;
	tui->notice_until = tui_now() + NOTICE_MS;
	model_touch(tui->model);
}

void tui_show(struct tui *tui, struct page *take_page)
{
	page_free(tui->page);
	tui->page = take_page;
	if (take_page)
		page_done(take_page);
	model_touch(tui->model);
}

struct compose *tui_compose(struct tui *tui)
{
	struct talk *t = model_open(tui->model);

	return t ? t->compose : tui->bare;
}

/* --- the line to the engine --- */

static void lose(struct tui *tui)
{
	for (size_t i = 0; i < tui->pending_count; i++)
		free(tui->pending[i].context);
	tui->pending_count = 0;
	client_close(tui->client);
	tui->client = NULL;
	tui->view.is_lost = true;
	tui->retry_at = tui_now() + RETRY_MS;
	model_touch(tui->model);
}

static struct pending *post(struct tui *tui, const char *method, struct json *take_params)
{
	struct pending *p;
	int id;

	if (!tui->client || tui->pending_count == PENDING_MAX) {
		json_free(take_params);
		tui_tell(tui, true, _("The line to the engine is lost; nothing was sent."));
		return NULL;
	}
	id = client_post(tui->client, method, take_params);
	if (id < 0) {
		lose(tui);
		return NULL;
	}
	if (tui->pending_count == tui->pending_capacity) {
		tui->pending_capacity = tui->pending_capacity ? 2 * tui->pending_capacity : 16;
		tui->pending = memory_grow(tui->pending, tui->pending_capacity,
					   sizeof *tui->pending);
	}
	p = &tui->pending[tui->pending_count++];
	*p = (struct pending){ .id = id };
	return p;
}

void tui_call(struct tui *tui, const char *method, struct json *take_params,
	      tui_answered *answered, void *take_context)
{
	struct pending *p = post(tui, method, take_params);

	if (!p) {
		free(take_context);
		return;
	}
	p->answered = answered;
	p->context = take_context;
}

static void send_requests(struct tui *tui)
{
	struct request r;

	while (tui->client && model_next_request(tui->model, &r)) {
		struct pending *p = post(tui, r.method, r.params);

		if (!p)
			continue;
		r.params = NULL;
		p->request = r;
		p->is_models = true;
	}
}

static void take_answer(struct tui *tui, const struct json *object)
{
	int id = (int)json_int(object, "id", 0);
	struct client_error error = { .message = "" };
	const struct json *result = NULL;
	struct pending p = { .id = 0 };

	for (size_t i = 0; i < tui->pending_count && !p.id; i++) {
		if (tui->pending[i].id != id)
			continue;
		p = tui->pending[i];
		memmove(tui->pending + i, tui->pending + i + 1,
			(--tui->pending_count - i) * sizeof *tui->pending);
	}
	if (!p.id)
		return;
	if (client_outcome(object, &result, &error) < 0)
		result = NULL;
	if (p.is_models) {
		model_answer(tui->model, &p.request, result, error.message);
	} else {
		if (!result)
			tui_tell(tui, true, error.message);
		if (p.answered)
			p.answered(tui, result, p.context);
	}
	free(p.context);
}

static void take_line(struct tui *tui)
{
	struct json *object = NULL;
	const char *method;
	int err;

	while (tui->client && (err = client_next(tui->client, 0, &object)) != ERR_TIMEOUT) {
		if (err < 0) {
			lose(tui);
			return;
		}
		method = json_text(object, "method");
		if (method)
			model_notified(tui->model, method, json_get(object, "params"));
		else
			take_answer(tui, object);
		json_free(object);
		object = NULL;
	}
}

/* Again with all that is to be known; what is being written stays. */
static void connect_again(struct tui *tui, bool may_start)
{
	struct client_error error;
	struct model *old = tui->model;
	char open[64];
	struct talk *t = model_open(old);

	tui->retry_at = tui_now() + RETRY_MS;
	if (client_open(&tui->client, tui->config->place, may_start, &error) < 0) {
		tui->client = NULL;
		return;
	}
	snprintf(open, sizeof open, "%s", t ? t->name : "");
	tui->view.is_lost = false;
	tui->model = model_new();
	for (size_t i = 0; i < model_count(old); i++) {
		struct talk *was = model_at(old, i), *is;

		if (compose_is_empty(was->compose) && strcmp(was->name, open) != 0)
			continue;
		model_choose(tui->model, was->name);
		is = model_find(tui->model, was->name);
		compose_set(is->compose, compose_text(was->compose));
		is->answers = was->answers;
		is->edits = was->edits;
	}
	model_choose(tui->model, open);
	model_free(old);
	client_tell(tui->client, "setLanguage",
		    json_set_text(json_object(), "language", text_language()));
}

/* --- what is typed --- */

/* Sends what stands in the composer, or does it. */
static void enter(struct tui *tui)
{
	struct compose *c = tui_compose(tui);
	char *line;

	if (!tui->client) {
		connect_again(tui, true);
		return;
	}
	if (compose_is_empty(c))
		return;
	line = compose_take(c);
	command_run(tui, line);
	free(line);
	model_touch(tui->model);
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

static void open_list(struct tui *tui)
{
	struct talk *t = model_open(tui->model);

	tui->view.focus = FOCUS_LIST;
	tui->view.shows_list_alone = true;
	compose_set(tui->filter, "");
	if (!t)
		t = view_listed(&tui->view, tui->model, 0);
	snprintf(tui->view.list_chosen, sizeof tui->view.list_chosen, "%s", t ? t->name : "");
}

static void leave_list(struct tui *tui, bool is_chosen)
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

static bool key_in_list(struct tui *tui, const struct input *in)
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
		leave_list(tui, true);
		return true;
	case KEYS_ESCAPE:
		leave_list(tui, false);
		return true;
	case KEYS_BACKSPACE:
		compose_cut(tui->filter, MOVE_LEFT);
		break;
	case KEYS_TEXT:
		if (in->is_ctrl || in->is_alt)
			return false;
		if (*in->text == '/' && compose_is_empty(tui->filter)) {
			leave_list(tui, false);
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
	bool needs_more; /* what to do it with is typed behind it */
} on_message[] = {
	{ 'r', "reply", true },   { 'e', "edit", true },     { 'x', "react", true },
	{ 'd', "delete", false }, { 'f', "forward", false }, { 'g', "fetch", false },
	{ 'i', "info", false },   { 'p', "pause", false },
};

static bool key_in_talk(struct tui *tui, const struct input *in)
{
	struct talk *t = model_open(tui->model);

	switch (in->key) {
	case KEYS_UP:
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

static bool key_on_page(struct tui *tui, const struct input *in)
{
	size_t rows = tui->view.places.rows - 2;
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
	case KEYS_TEXT:
		if (in->is_ctrl && *in->text != 'q')
			return false;
		if (*in->text != 'q' && *in->text != ' ')
			return true;
		/* fallthrough */
	case KEYS_ESCAPE:
		tui_show(tui, NULL);
		return true;
	default:
		return true;
	}
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
		open_list(tui);
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
	case 'c':
		if (!compose_is_empty(c)) {
			compose_set(c, "");
		} else if (tui->is_asked_to_leave && tui_now() < tui->notice_until) {
			tui->is_leaving = true;
		} else {
			tui->is_asked_to_leave = true;
			tui_tell(tui, false,
				 _("Ctrl-C once more leaves; the engine goes on and takes "
				   "messages."));
			tui->notice_until = tui_now() + LEAVE_MS;
		}
		return true;
	default:
		return false;
	}
}

static void key_function(struct tui *tui, unsigned number)
{
	switch (number) {
	case 1:
		pages_help(tui);
		break;
	case 2:
		open_list(tui);
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
		leave_list(tui, false);
	} else if (t && id) {
		if (t->chosen == id)
			command_do(tui, "info", "");
		t->chosen = id;
		tui->view.focus = FOCUS_TALK;
	} else {
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
	} else if (t->up) {
		t->up = 0;
		if (t->has_newer)
			model_want_newest(tui->model);
	} else if (!tui->view.places.list_columns) {
		open_list(tui);
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

	if (!t || !t->up) {
		compose_move(tui_compose(tui), MOVE_END);
		return;
	}
	t->up = 0;
	t->chosen = 0;
	if (t->has_newer)
		model_want_newest(tui->model);
}

static void typed(struct tui *tui, const struct input *in)
{
	struct compose *c = tui_compose(tui);
	long page = (long)tui->view.places.talk_rows - 1;

	if (in->key == KEYS_RESIZE) {
		tui->width = screen_columns() > 4 ? screen_columns() - 4 : 1;
		return;
	}
	if (tui->page && key_on_page(tui, in))
		return;
	if (in->is_alt && (in->key == KEYS_UP || in->key == KEYS_DOWN)) {
		next_talk(tui, in->key == KEYS_DOWN);
		return;
	}
	if (tui->view.focus == FOCUS_LIST && key_in_list(tui, in))
		return;
	if (tui->view.focus == FOCUS_TALK && key_in_talk(tui, in))
		return;
	switch (in->key) {
	case KEYS_TEXT:
		if (in->is_ctrl) {
			key_with_ctrl(tui, *in->text);
			return;
		}
		if (in->is_alt)
			return;
		tui->view.focus = FOCUS_COMPOSE;
		if (!compose_insert(c, in->text, strlen(in->text)))
			tui_tell(tui, true, _("This is as long as a message can be."));
		say_typing(tui);
		return;
	case KEYS_PASTE:
		if (!compose_insert(c, in->pasted, in->pasted_size))
			tui_tell(tui, true,
				 _("That is too long for a message; send it as a file: /file "
				   "PATH"));
		return;
	case KEYS_ENTER:
		if (in->is_alt)
			compose_insert(c, "\n", 1);
		else
			enter(tui);
		return;
	case KEYS_TAB:
		command_complete(tui);
		return;
	case KEYS_BACK_TAB:
		tui->view.focus = FOCUS_TALK;
		view_choose(&tui->view, tui->model, true);
		return;
	case KEYS_ESCAPE:
		escape(tui);
		return;
	case KEYS_PAGE_UP:
		view_scroll(&tui->view, tui->model, page);
		return;
	case KEYS_PAGE_DOWN:
		view_scroll(&tui->view, tui->model, -page);
		return;
	case KEYS_WHEEL_UP:
		view_scroll(&tui->view, tui->model, 3);
		return;
	case KEYS_WHEEL_DOWN:
		view_scroll(&tui->view, tui->model, -3);
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

/* --- what is shown --- */

static void hint(struct tui *tui)
{
	char *out = tui->view.hint;
	size_t size = sizeof tui->view.hint;
	struct talk *t = model_open(tui->model);

	if (tui->page) {
		snprintf(out, size, "%s",
			 page_chosen_item(tui->page) ? _("↑ ↓ Enter choose · Esc closes")
						     : _("↑ ↓ PgUp PgDn scroll · Esc closes"));
	} else if (tui->view.focus == FOCUS_LIST) {
		snprintf(out, size, "%s%s", compose_text(tui->filter),
			 compose_is_empty(tui->filter)
				 ? _("type to find · ↑ ↓ Enter open · Esc back · / command")
				 : _("  (Enter opens, Esc back)"));
	} else if (tui->view.focus == FOCUS_TALK) {
		snprintf(out, size, "%s",
			 _("r reply · e edit · x react · d delete · f forward · g get file · i "
			   "info · Esc"));
	} else {
		command_hint(tui, out, size);
		if (!*out && t)
			snprintf(out, size, "%s",
				 _("Enter sends · Alt+Enter new line · Shift+Tab messages · "
				   "Ctrl+G list · F1 help"));
		else if (!*out)
			snprintf(out, size, "%s",
				 _("Ctrl+G list · /add NAME · F1 help · Ctrl+Q quit"));
	}
}

static void draw_page(struct tui *tui)
{
	const struct places *p = &tui->view.places;
	size_t lines = page_lines(tui->page), top = page_top(tui->page);
	bool is_chosen;

	screen_clear();
	screen_hide_cursor();
	screen_fill(0, 0, p->columns, STYLE_BAR);
	screen_put(2, 0, p->columns - 4, STYLE_BAR, page_title(tui->page));
	for (unsigned y = 1; y + 1 < p->rows && top + y - 1 < lines; y++) {
		const struct sheet_line *line = page_line(tui->page, top + y - 1, &is_chosen);
		if (is_chosen)
			screen_fill(1, y, p->columns - 2, STYLE_CHOSEN);
		screen_line(2, y, p->columns - 4, line, is_chosen);
	}
	screen_put(0, p->rows - 1, p->columns, *tui->view.notice ? STYLE_WARN : STYLE_FAINT,
		   *tui->view.notice ? tui->view.notice : tui->view.hint);
}

static void draw(struct tui *tui)
{
	struct talk *t = model_open(tui->model);

	hint(tui);
	view_arrange(&tui->view, screen_columns(), screen_rows(), tui->model);
	if (tui->page && tui->view.places.rows >= 4 && tui->view.places.columns >= 20) {
		draw_page(tui);
	} else {
		view_draw(&tui->view, tui->model);
		/* what is on the screen is read */
		if (t && tui->view.places.talk_columns && !t->up && tui->client)
			model_mark_read(tui->model, t);
	}
	screen_show();
	tui->drawn = model_revision(tui->model);
}

static void take_notices(struct tui *tui)
{
	struct notice n;

	while (model_next_notice(tui->model, &n)) {
		tui_tell(tui, n.is_error, n.words);
		if (n.is_urgent)
			screen_ring();
	}
	if (*tui->view.notice && tui_now() >= tui->notice_until) {
		*tui->view.notice = '\0';
		tui->is_asked_to_leave = false;
		model_touch(tui->model);
	}
}

/* --- life --- */

static void on_end(int number)
{
	(void)number;
	is_told_to_end = 1;
}

static void begin(struct tui *tui)
{
	struct sigaction end = { .sa_handler = on_end };

	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	tui->model = model_new();
	tui->bare = compose_new();
	tui->filter = compose_new();
	tui->pictures = pictures_new();
	tui->view.filter = "";
	tui->view.picture = pictures_of;
	tui->view.context = tui;
	tui->width = screen_columns() > 4 ? screen_columns() - 4 : 1;
	client_tell(tui->client, "setLanguage",
		    json_set_text(json_object(), "language", text_language()));
	screen_title("Palique");
	if (tui->config->open)
		model_choose(tui->model, tui->config->open);
	else
		tui->view.focus = FOCUS_LIST;
}

static void wait_for_something(struct tui *tui)
{
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
				 { .fd = tui->client ? client_fd(tui->client) : -1,
				   .events = POLLIN } };
	int timeout = *tui->view.notice || !tui->client ? 250 : 30000;

	if (tui->client && client_has_more(tui->client))
		timeout = 0;
	if (poll(fds, 2, timeout) < 0 && errno != EINTR)
		tui->is_leaving = true;
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		tui->is_leaving = true;
}

/* With what the list shows chosen, once it is known. */
static void settle_list(struct tui *tui)
{
	struct talk *t;

	if (tui->view.focus != FOCUS_LIST || *tui->view.list_chosen)
		return;
	t = view_listed(&tui->view, tui->model, 0);
	if (t)
		snprintf(tui->view.list_chosen, sizeof tui->view.list_chosen, "%s", t->name);
}

int tui_run(const struct tui_config *config)
{
	struct tui tui = { .config = config, .client = config->client };
	int err = screen_open(config->has_colors);
	struct input in;

	if (err < 0) {
		client_close(config->client);
		return err;
	}
	begin(&tui);
	while (!tui.is_leaving && !is_told_to_end) {
		send_requests(&tui);
		take_notices(&tui);
		settle_list(&tui);
		if (tui.drawn != model_revision(tui.model))
			draw(&tui);
		send_requests(&tui);
		wait_for_something(&tui);
		if (!tui.client && tui_now() >= tui.retry_at)
			connect_again(&tui, false);
		while (screen_next(&in)) {
			typed(&tui, &in);
			model_touch(tui.model);
		}
		take_line(&tui);
	}
	screen_close();
	for (size_t i = 0; i < tui.pending_count; i++)
		free(tui.pending[i].context);
	free(tui.pending);
	page_free(tui.page);
	pictures_free(tui.pictures);
	compose_free(tui.bare);
	compose_free(tui.filter);
	model_free(tui.model);
	client_close(tui.client);
	return 0;
}
