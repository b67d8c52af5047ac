#include "peer/api/api_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/narrow.h"
#include "shared/clock.h"
#include "shared/error.h"
#include "shared/text.h"

#define GUESS_HOLD (1 * SECOND) /* until a wrong token is answered */
#define END_WITHIN (3 * SECOND) /* for who has to read why first */

/* --- their life --- */

static struct api_client *client_new(struct api *api, void *connection, bool is_guest)
{
	struct api_client *client = memory_new(sizeof *client);

	client->api = api;
	client->connection = connection;
	client->is_guest = is_guest;
	client->next = api->clients;
	api->clients = client;
	api->client_count += !is_guest;
	return client;
}

/* It is told nothing more, and its connection goes in the next step. */
void api_end(struct api_client *client)
{
	mono_ns now = clock_now();

	if (client->is_ending)
		return;
	client->is_ending = true;
	client->is_subscribed = false;
	client->end_at = (client->hold > now ? client->hold : now) + END_WITHIN;
	if (client->api->config.wake)
		client->api->config.wake(client->api->config.user);
}

struct api_client *api_connect(struct api *api, void *connection)
{
	return api->client_count < API_CLIENTS_MAX ? client_new(api, connection, false) : NULL;
}

struct api_client *api_connect_guest(struct api *api, void *connection)
{
	struct api_client *oldest = NULL; /* the list has the newest first */
	unsigned guests = 0, strangers = 0, held = 0;

	for (struct api_client *c = api->clients; c; c = c->next) {
		held += c->is_guest && !c->is_gone;
		if (!c->is_guest || c->is_gone || c->is_ending)
			continue;
		guests++;
		if (c->bot)
			continue;
		strangers++;
		oldest = c;
	}
	if (guests >= API_GUESTS_MAX || held >= API_HELD_MAX)
		return NULL;
	if (strangers >= API_STRANGERS_MAX)
		api_end(oldest);
	return client_new(api, connection, true);
}

/* Only marks: it may come from inside of a `send` while the list is being walked. */
void api_disconnect(struct api_client *client)
{
	if (!client || client->is_gone)
		return;
	client->is_gone = true;
	client->connection = NULL;
	for (struct pending *p = client->api->first; p; p = p->next)
		if (p->client == client)
			p->client = NULL;
	if (client->api->config.wake)
		client->api->config.wake(client->api->config.user);
}

static void client_free(struct api_client *client)
{
	buf_clear(&client->answers);
	free(client);
}

void api_clients_free(struct api *api)
{
	while (api->clients) {
		struct api_client *next = api->clients->next;
		client_free(api->clients);
		api->clients = next;
	}
}

void api_sweep(struct api *api)
{
	for (struct api_client **at = &api->clients; *at;) {
		struct api_client *client = *at;
		if (!client->is_gone) {
			at = &client->next;
			continue;
		}
		*at = client->next;
		api->client_count -= !client->is_guest;
		client_free(client);
	}
}

/* --- what a bot may --- */

void api_narrow(struct api_client *client, uint64_t id)
{
	struct bot bot;

	client->bot = id;
	if (engine_bot(client->api->config.engine, id, clock_wall(), &bot) != ERR_NOT_FOUND)
		client->turns = bot.turns;
	client->refusals = 0;
	client->is_subscribed = client->is_behind = false;
}

void api_count_refusal(struct api_client *client)
{
	mono_ns now = clock_now();

	if (!client->bot && !client->is_guest)
		return;
	if (client->bot && now - client->refused_at > SECOND) {
		client->refused_at = now;
		client->refusals = 0;
	}
	client->refusals++;
	if (client->refusals >= (client->bot ? API_REFUSED_MAX : API_STRANGE_MAX))
		api_end(client);
}

/* What the bot of a face may now; by another token than its own it is nobody's face. */
static int bot_of(const struct api_client *client, struct bot *bot)
{
	int err = engine_bot(client->api->config.engine, client->bot, clock_wall(), bot);

	return err == 0 && bot->turns != client->turns ? ERR_AUTH : err;
}

int api_check_bot(struct api_client *client, struct call *call, struct bot *bot)
{
	int err = bot_of(client, bot);

	if (err == 0)
		return 0;
	api_end(client);
	snprintf(call->reason, sizeof call->reason, "%s",
		 err == ERR_EXPIRED ? _("the token of this bot has expired")
		 : err == ERR_AUTH  ? _("this bot was given another token")
				    : _("this bot was removed"));
	return err == ERR_EXPIRED ? err : ERR_AUTH;
}

int api_admit(struct api_client *client, struct call *call, struct bot *bot, const char *method)
{
	int err;

	if (!client->bot) {
		if (!client->is_guest || !strcmp(method, "authenticate"))
			return 0;
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("this socket is for bots: authenticate with a token first"));
		api_count_refusal(client);
		return ERR_AUTH;
	}
	err = api_check_bot(client, call, bot);
	if (err < 0)
		return err;
	call->bot = bot;
	err = narrow_check(call, bot, method, clock_now());
	if (err < 0)
		api_count_refusal(client);
	return err;
}

int api_check_token(struct api_client *client, struct call *call, int err)
{
	unsigned faces = 0;

	if (call->is_guess) {
		client->hold = clock_now() + GUESS_HOLD;
		api_end(client);
	}
	for (struct api_client *c = client->api->clients; c && call->becomes; c = c->next)
		faces += c->bot == call->becomes && !c->is_gone && !c->is_ending;
	if (faces < API_BOT_FACES)
		return err;
	call->becomes = 0;
	snprintf(call->reason, sizeof call->reason, _("this bot has %d connections already"),
		 API_BOT_FACES);
	return ERR_BUSY;
}

/* How much it says: what is in its lists. */
static size_t size_of(const struct json *result)
{
	const struct json *value;
	size_t size = 0;
	void *it = NULL;

	while (json_each(result, &it, &value) != NULL)
		size += json_count(value);
	return size;
}

/* As much work was done for what it does not see. */
void api_veil(struct api_client *client, struct call *call, const char *method)
{
	struct bot bot;

	if (!client->bot)
		return;
	/* One that was removed meanwhile has no conversations. */
	if (engine_bot(call->engine, client->bot, call->wall, &bot) == ERR_NOT_FOUND)
		bot = (struct bot){ 0 };
	engine_bot_owe(call->engine, bot.id, (unsigned)(size_of(call->result) / BOT_SLICE));
	call->result = narrow_result(call->result, &bot, method);
}

void api_end_those_that_are_over(struct api *api)
{
	const struct api_config *shell = &api->config;
	struct bot bot;

	for (struct api_client *client = api->clients; client; client = client->next) {
		if (client->is_gone)
			continue;
		if (client->bot && bot_of(client, &bot) < 0)
			api_end(client);
		if (!client->is_ending || !client->connection)
			continue; /* without one: the shell ends it, and says so */
		if (clock_now() < client->end_at &&
		    (client->answers.size ||
		     (shell->backlog && shell->backlog(client->connection) > 0))) {
			api->is_pressed = true;
			continue;
		}
		if (shell->end)
			shell->end(client->connection);
		else
			api_disconnect(client);
	}
}
