#include "peer/api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/api_inside.h"
#include "shared/clock.h"
#include "shared/error.h"
#include "shared/text.h"

struct api *api_new(const struct api_config *config)
{
	struct api *api = memory_new(sizeof *api);

	api->config = *config;
	api->last = &api->first;
	api->next_ticket = 1;
	return api;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	api_clients_free(api);
	buf_clear(&api->line);
	api_forget_all(api);
	free(api);
}

void api_set_addresses(struct api *api, const struct address *list, unsigned count,
		       uint16_t port)
{
	struct api_machine *m = &api->machine;

	m->address_count = count < API_ADDRESSES_MAX ? count : API_ADDRESSES_MAX;
	if (m->address_count)
		memcpy(m->addresses, list, m->address_count * sizeof *list);
	m->port = port;
}

/* --- one request --- */

/* What the method changed about its face. */
static void grant(struct api_client *client, const struct call *call)
{
	if (call->becomes)
		api_narrow(client, call->becomes);
	if (call->language) {
		snprintf(client->language, sizeof client->language, "%s", call->language);
		text_use(client->language);
	}
	if (call->has_looked) {
		client->looks_at = call->looks_at;
		client->notifies = call->notifies;
	}
	if (call->wish == WISH_NONE)
		return;
	client->is_subscribed = call->wish == WISH_SUBSCRIBE;
	client->told = call->has_since ? call->since : engine_last_event(call->engine);
	client->is_behind = call->has_since && call->since < engine_last_event(call->engine);
}

static void run(struct api_client *client, const struct rpc_request *request)
{
	struct api *api = client->api;
	struct call call = api_call_of(api, api->next_ticket);
	struct bot bot;
	int err = ERR_BUSY;

	call.params = request->params;
	if (client->pending_count < API_PENDING_MAX)
		err = api_admit(client, &call, &bot, request->method->name);
	if (err == 0)
		err = request->method->run(&call);
	err = api_check_token(client, &call, err);
	if (err == 0) {
		api_veil(client, &call, request->method->name);
		grant(client, &call);
	}
	if (err == API_LATER || err == API_AGAIN) {
		api->next_ticket++;
		api_remember(client, &call, request, err == API_AGAIN);
		if (api->config.wake)
			api->config.wake(api->config.user);
	} else if (request->id) {
		api_answer_after_commit(client, request->id, request->method, &call, err);
	} else if (api->config.wake) {
		api->config.wake(api->config.user);
	}
	api_call_clear(&call);
}

static void take_line(struct api_client *client, struct bytes line)
{
	struct rpc_request request;

	if (client->is_gone || client->is_ending)
		return;
	if (rpc_parse(&request, line) == 0) {
		run(client, &request);
	} else {
		api_count_refusal(client);
		api_refuse_after_commit(client, &request);
	}
	rpc_clear(&request);
}

void api_line(struct api_client *client, struct bytes line)
{
	text_use(client->language);
	take_line(client, line);
	text_use(NULL);
}

/* Answers that waited for the commit; but for those of a guess. */
static void flush_all(struct api *api)
{
	for (struct api_client *client = api->clients; client; client = client->next)
		if (!client->is_gone && client->answers.size && client->hold <= clock_now())
			api_flush(client);
}

bool api_step(struct api *api)
{
	struct event event;
	bool is_more;

	flush_all(api);
	while (engine_next_event(api->config.engine, &event)) {
		if (event.kind == EVENT_ANSWER)
			api_answered(api, &event);
		else if (api->config.happened)
			api->config.happened(api->config.user, &event);
		if (event.kind != EVENT_ANSWER)
			api_tell(api, &event);
	}
	is_more = api_step_again(api);
	api->is_pressed = false;
	is_more |= api_tell_again(api);
	api_end_those_that_are_over(api);
	api_sweep(api);
	return is_more;
}

bool api_is_pressed(const struct api *api)
{
	return api->is_pressed;
}
