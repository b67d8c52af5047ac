#include "peer/api/api_inside.h"

#include <stdlib.h>
#include <string.h>

#include "peer/api/narrow.h"
#include "peer/api/notify.h"
#include "shared/clock.h"
#include "shared/error.h"
#include "shared/text.h"

void api_send(struct api_client *client, struct bytes line)
{
	if (!client->connection || !client->api->config.send)
		return;
	/* The shell ends a face that does not read; until it says so, we say nothing more. */
	if (client->api->config.send(client->connection, line) < 0)
		client->connection = NULL;
}

bool api_is_looked_at(const struct api *api, const char *name)
{
	for (const struct api_client *c = api->clients; c; c = c->next)
		if (!c->is_gone && c->connection &&
		    (c->notifies || !strcmp(c->looks_at.text, name)))
			return true;
	return false;
}

/* api->line: what is told of an event in the language of now, to a program or a person. False: nothing. */
static bool print_event(struct api *api, const struct event *event, bool is_to_bot)
{
	struct json *params = json_object();
	const char *method = notify_event(api->config.engine, event, params);

	api->line.size = 0;
	if (method && is_to_bot)
		narrow_event(params);
	if (method)
		rpc_notification(&api->line, method, params);
	json_free(params);
	return method != NULL;
}

/* It has not read enough to be told more. */
static bool is_slow(const struct api_client *client)
{
	const struct api_config *shell = &client->api->config;

	return shell->backlog && client->connection &&
	       shell->backlog(client->connection) > API_BACKLOG_HIGH;
}

/* What is not counted (typing, progress) is for who keeps up: it is stale in a moment, and told to
 * nobody again. */
static bool is_new_to(const struct api_client *client, const struct event *event)
{
	return event->id ? event->id > client->told : !is_slow(client);
}

/* To a program what it may hear of it, as it may. */
static void tell_bot(struct api_client *client, const struct event *event)
{
	struct api *api = client->api;
	bool is_told;
	struct bot bot;

	if (engine_bot(api->config.engine, client->bot, clock_wall(), &bot) < 0 ||
	    !right_hears(&bot, event))
		return;
	text_use(client->language);
	is_told = print_event(api, event, true);
	text_use(NULL);
	if (is_told)
		api_send(client, buf_view(&api->line));
}

/* One after the other; what is told to persons is printed anew only where the language is another one. */
void api_tell(struct api *api, const struct event *event)
{
	const char *language = NULL; /* of api->line */
	bool is_told;

	for (struct api_client *client = api->clients; client; client = client->next) {
		if (!client->is_subscribed || client->is_behind || !is_new_to(client, event))
			continue;
		if (client->bot) {
			if (event->id)
				client->told = event->id;
			tell_bot(client, event);
			language = NULL;
			continue;
		}
		if (!language || strcmp(language, client->language) != 0) {
			text_use(client->language);
			is_told = print_event(api, event, false);
			text_use(NULL);
			if (!is_told)
				return;
			language = client->language;
		}
		if (event->id)
			client->told = event->id;
		api_send(client, buf_view(&api->line));
	}
}

struct replay {
	struct api_client *client;
	unsigned left;
	bool is_more;
};

static bool tell_again(void *user, const struct event *event)
{
	struct replay *replay = user;

	if (replay->left == 0 || is_slow(replay->client)) {
		replay->is_more = true;
		return false;
	}
	replay->left--;
	replay->client->told = event->id;
	if (replay->client->bot) {
		tell_bot(replay->client, event);
		return replay->client->connection != NULL;
	}
	if (print_event(replay->client->api, event, false))
		api_send(replay->client, buf_view(&replay->client->api->line));
	return replay->client->connection != NULL;
}

/* As much of a slice as a bot may be told again now. */
static unsigned slice_of(struct api_client *client)
{
	unsigned count = 0;

	if (!client->bot)
		return API_REPLAY_SLICE;
	while (count < API_BOT_SLICES &&
	       engine_bot_spend(client->api->config.engine, client->bot, BOT_REPLAY,
				clock_now()) == 0)
		count++;
	return count * BOT_SLICE;
}

/* A slice at a time, so that one face's past does not hold up everybody's present. False: it has to wait, since it has
 * not read enough, or was told enough. */
static bool catch_up(struct api_client *client)
{
	struct replay replay = { .client = client,
				 .left = is_slow(client) ? 0 : slice_of(client) };

	client->replayed = ++client->api->replays;
	if (replay.left == 0) {
		client->api->is_pressed = true;
		return false;
	}
	text_use(client->language);
	engine_events_since(client->api->config.engine, client->told, tell_again, &replay);
	text_use(NULL);
	client->is_behind = replay.is_more;
	return true;
}

static bool is_owed(const struct api_client *client)
{
	return !client->is_gone && client->connection && client->is_behind;
}

/* The bot whose last turn is longest ago, and before `turn`. */
static struct api_client *next_bot(struct api *api, uint64_t turn)
{
	struct api_client *next = NULL;

	for (struct api_client *c = api->clients; c; c = c->next) {
		if (c->bot && is_owed(c) && c->replayed <= turn &&
		    (!next || c->replayed < next->replayed))
			next = c;
	}
	return next;
}

/* To each person's face in each step, but to one bot alone: however many there are, and whatever they ask for, they hold
 * up a step no longer than one of them. */
bool api_tell_again(struct api *api)
{
	uint64_t turn = api->replays;
	bool is_more = false, has_moved = false;
	struct api_client *bot;

	for (struct api_client *c = api->clients; c; c = c->next) {
		if (!c->bot && is_owed(c))
			is_more |= catch_up(c) && c->is_behind;
	}
	while (!has_moved && (bot = next_bot(api, turn)) != NULL)
		has_moved = catch_up(bot);
	return is_more || (has_moved && next_bot(api, UINT64_MAX));
}
