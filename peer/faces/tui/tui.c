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

#include "peer/faces/tui/commands.h"
#include "peer/faces/tui/tui_inside.h"
#include "shared/error.h"
#include "shared/text.h"

enum {
	NOTICE_MS = 8000,
	RETRY_MS = 1000,
	SLOW_MS = 3000, /* without an answer the engine is said to be slow */
	PENDING_MAX = 4096,
};

struct pending {
	int id;
	struct request request; /* of the model, when `answered` is NULL */
	tui_answered *answered;
	void *context;
	bool is_models;
	int64_t since;
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
	tui->notice_at = tui_now();
	tui->notice_until = tui->notice_at + NOTICE_MS;
	model_touch(tui->model);
}

void tui_show(struct tui *tui, struct page *take_page)
{
	struct page *before = tui->page;

	if (take_page && !tui->again.make) { /* closed before it came */
		page_free(take_page);
		return;
	}
	if (!take_page)
		tui->again.make = NULL;
	tui->page = take_page;
	if (take_page)
		page_done(take_page);
	if (take_page && !before)
		*tui->view.notice = '\0'; /* which was of something else */
	if (take_page && before && !strcmp(page_title(before), page_title(take_page)))
		page_stay(take_page, before, tui_page_rows(tui));
	page_free(before);
	model_touch(tui->model);
}

void tui_open_page(struct tui *tui, tui_page *make, const char *words, uint64_t id)
{
	tui->again.make = make;
	tui->again.id = id;
	snprintf(tui->again.words, sizeof tui->again.words, "%s", words);
	make(tui, tui->again.words, id);
}

void tui_refresh_page(struct tui *tui)
{
	if (tui->page && tui->again.make)
		tui->again.make(tui, tui->again.words, tui->again.id);
}

struct compose *tui_compose(struct tui *tui)
{
	struct talk *t = model_open(tui->model);

	return t ? t->compose : tui->bare;
}

/* --- the line to the engine --- */

static void lose(struct tui *tui)
{
	struct pending *lost = tui->pending;
	size_t count = tui->pending_count;

	tui->pending = NULL;
	tui->pending_count = tui->pending_capacity = 0;
	client_close(tui->client);
	tui->client = NULL;
	for (size_t i = 0; i < count; i++) {
		if (lost[i].answered)
			lost[i].answered(tui, NULL, lost[i].context);
		free(lost[i].context);
	}
	free(lost);
	tui->view.is_lost = true;
	tui->retry_at = tui_now() + RETRY_MS;
	model_touch(tui->model);
}

/* Whether a request can be sent without waiting: an engine that hangs reads nothing, and this face goes
 * on all the same. There is room for the longest then (unix(7): a quarter is the most that may be taken). */
static bool can_send(const struct tui *tui)
{
	struct pollfd room = { .fd = client_fd(tui->client), .events = POLLOUT };

	return poll(&room, 1, 0) == 1 && room.revents & POLLOUT &&
	       tui->pending_count < PENDING_MAX;
}

static struct pending *post(struct tui *tui, const char *method, struct json *take_params)
{
	struct pending *p;
	int id;

	if (!tui->client || !can_send(tui)) {
		json_free(take_params);
		tui_tell(tui, true,
			 tui->client ? _("The engine does not answer; nothing was sent.")
				     : _("The line to the engine is lost; nothing was sent."));
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
	*p = (struct pending){ .id = id, .since = tui_now() };
	return p;
}

void tui_call(struct tui *tui, const char *method, struct json *take_params,
	      tui_answered *answered, void *take_context)
{
	struct pending *p = post(tui, method, take_params);

	if (!p) {
		if (answered)
			answered(tui, NULL, take_context);
		free(take_context);
		return;
	}
	p->answered = answered;
	p->context = take_context;
}

static void send_requests(struct tui *tui)
{
	struct request r;

	while (tui->client && can_send(tui) && model_next_request(tui->model, &r)) {
		struct pending *p = post(tui, r.method, r.params);

		if (!p)
			continue;
		r.params = NULL;
		p->request = r;
		p->is_models = true;
	}
}

/* An error in words, with the command that helps as it is typed here. */
static void tell_error(struct tui *tui, const struct client_error *error)
{
	static const char begin[] = "palique ";
	const char *command = error->hint + strnlen(error->hint, strlen(begin));
	const struct slash *helps = command_find(command, strcspn(command, " "));
	bool is_command = !strncmp(error->hint, begin, strlen(begin)) && helps && helps->run;
	char words[sizeof error->message + sizeof error->hint + 8];

	snprintf(words, sizeof words, "%s%s%s", error->message, is_command ? " · /" : "",
		 is_command ? command : "");
	tui_tell(tui, true, words);
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
		if (p.request.asked == ASKED_CONTACT &&
		    (tui->again.make == pages_requests || tui->again.make == pages_contact))
			tui_refresh_page(tui);
	} else {
		if (!result)
			tell_error(tui, &error);
		if (p.answered)
			p.answered(tui, result, p.context);
	}
	free(p.context);
}

/* A page that shows what has changed shows it as it is now. */
static void refresh_page(struct tui *tui, const char *method)
{
	static const struct {
		const char *method;
		tui_page *page;
	} rows[] = {
		{ "devices", pages_devices },         { "transferProgress", pages_files },
		{ "contactRequest", pages_requests }, { "contact", pages_requests },
		{ "contact", pages_safety },          { "contact", pages_contact },
		{ "connection", pages_contact },      { "account", pages_status },
		{ "connection", pages_status },       { "keyChanged", pages_safety },
		{ "proposal", pages_proposals },      { "proposalSettled", pages_proposals },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].page == tui->again.make && !strcmp(rows[i].method, method)) {
			tui_refresh_page(tui);
			return;
		}
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
		if (method) {
			model_notified(tui->model, method, json_get(object, "params"));
			refresh_page(tui, method);
		} else {
			take_answer(tui, object);
		}
		json_free(object);
		object = NULL;
	}
}

/* Again with all that is to be known; what is being written stays. */
void tui_connect_again(struct tui *tui, bool may_start)
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
		compose_free(is->compose); /* with what was said before */
		is->compose = was->compose;
		was->compose = compose_new();
		is->answers = was->answers;
		is->edits = was->edits;
	}
	model_choose(tui->model, open);
	*tui->looked_at = '\0';
	model_look(tui->model, model_is_looked_at(old));
	model_free(old);
	client_tell(tui->client, "setLanguage",
		    json_set_text(json_object(), "language", text_language()));
}

static void take_notices(struct tui *tui)
{
	struct notice n;
	char who[64];

	while (model_next_notice(tui->model, &n))
		tui_tell(tui, n.is_error, n.words);
	if (model_next_ring(tui->model, who) && tui->wishes.bell)
		screen_ring();
	if (tui_now() < tui->notice_until)
		return;
	tui->is_asked_to_leave = false;
	if (*tui->view.notice) {
		*tui->view.notice = '\0';
		model_touch(tui->model);
	}
}

/* Which conversation a person sees now: of that one the desktop is not told. */
static void tell_looking(struct tui *tui)
{
	struct talk *t = model_open(tui->model);
	const char *name = t && model_is_looked_at(tui->model) ? t->name : "";
	struct json *params;

	if (!tui->client || !can_send(tui) || !strcmp(name, tui->looked_at))
		return;
	snprintf(tui->looked_at, sizeof tui->looked_at, "%s", name);
	params = json_object();
	if (*name)
		json_set_text(params, "conversation", name);
	client_tell(tui->client, "looking", params);
}

/* Whether the engine owes an answer for so long that it should be said. */
static void look_whether_slow(struct tui *tui)
{
	int64_t since = 0;
	bool was_slow = tui->view.is_slow;

	for (size_t i = 0; i < tui->pending_count; i++)
		if (!since || tui->pending[i].since < since)
			since = tui->pending[i].since;
	tui->slow_since = since;
	tui->view.is_slow = since && tui_now() >= since + SLOW_MS;
	if (was_slow != tui->view.is_slow)
		model_touch(tui->model);
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
	sigaction(SIGINT, &end, NULL);
	tui->model = model_new();
	tui->bare = compose_new();
	tui->filter = compose_new();
	tui->pictures = pictures_new();
	tui->wishes = wishes_read(tui->config->place->home);
	screen_mouse(tui->wishes.mouse);
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
	int timeout = *tui->view.notice || !tui->client || tui->slow_since ? 250 : 30000;

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

/* It was deleted, here or by another device: there is nothing to be shown any more. */
static bool is_account_gone(const struct tui *tui)
{
	const char *state = json_text(model_account(tui->model), "state");

	return state && !strcmp(state, "none");
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
	while (!tui.is_leaving && !is_told_to_end && !is_account_gone(&tui)) {
		send_requests(&tui);
		take_notices(&tui);
		look_whether_slow(&tui);
		tell_looking(&tui);
		settle_list(&tui);
		if (tui.drawn != model_revision(tui.model))
			tui_draw(&tui);
		send_requests(&tui);
		wait_for_something(&tui);
		if (!tui.client && tui_now() >= tui.retry_at)
			tui_connect_again(&tui, false);
		while (screen_next(&in)) {
			keys_typed(&tui, &in);
			model_touch(tui.model);
		}
		take_line(&tui);
	}
	screen_close();
	if (is_account_gone(&tui))
		puts(_("There is no account here any more. palique begins another one."));
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
