#include "peer/api/api_inside.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

enum { ANSWERS_KEPT = 4096 }; /* bytes: a larger buffer is given back when it is empty */

/* --- answers --- */

static void end_answer(struct api_client *client)
{
	buf_append_byte(&client->answers, '\n');
	if (client->api->config.wake)
		client->api->config.wake(client->api->config.user);
}

void api_answer_after_commit(struct api_client *client, const struct json *id,
			     const struct method *method, const struct call *call, int err)
{
	rpc_answer(&client->answers, id, method, call, err);
	end_answer(client);
}

void api_refuse_after_commit(struct api_client *client, const struct rpc_request *request)
{
	if (rpc_refusal(&client->answers, request))
		end_answer(client);
}

void api_flush(struct api_client *client)
{
	struct buf *out = &client->answers;
	size_t start = 0;

	for (size_t i = 0; i < out->size; i++) {
		if (out->data[i] != '\n')
			continue;
		api_send(client, bytes_of(out->data + start, i - start));
		start = i + 1;
	}
	if (out->capacity > ANSWERS_KEPT)
		buf_clear(out);
	else if (out->size > 0)
		sodium_memzero(out->data, out->size); /* a recovery code, perhaps */
	out->size = 0;
}

struct call api_call_of(struct api *api, uint64_t ticket)
{
	return (struct call){
		.engine = api->config.engine,
		.shell = &api->config,
		.machine = &api->machine,
		.wall = clock_wall(),
		.ticket = ticket,
		.result = json_object(),
	};
}

void api_call_clear(struct call *call)
{
	const char *secret = call->secret ? json_text(call->result, call->secret) : NULL;

	if (secret)
		sodium_memzero((char *)secret, strlen(secret));
	sodium_memzero(&call->code, sizeof call->code);
	json_free(call->result);
}

/* --- those that are waited for --- */

static void pending_free(struct pending *p)
{
	json_free(p->id);
	json_free(p->params);
	json_free(p->result);
	sodium_memzero(&p->code, sizeof p->code);
	free(p);
}

static void append(struct api *api, struct pending *p)
{
	p->next = NULL;
	*api->last = p;
	api->last = &p->next;
}

void api_remember(struct api_client *client, const struct call *call,
		  const struct rpc_request *request, bool is_again)
{
	struct api *api = client->api;
	struct pending *p = memory_new(sizeof *p);

	p->client = client;
	p->id = request->id ? json_keep((struct json *)request->id) : NULL;
	p->method = request->method;
	p->ticket = call->ticket;
	memcpy(p->subject, call->subject, sizeof p->subject);
	p->code = call->code;
	if (is_again) {
		p->params = json_keep((struct json *)request->params);
		p->result = json_keep(call->result);
		p->at = call->at;
	}
	append(api, p);
	client->pending_count++;
}

static struct pending *take_pending(struct api *api, uint64_t ticket)
{
	for (struct pending **at = &api->first; *at; at = &(*at)->next) {
		struct pending *p = *at;
		if (p->ticket != ticket)
			continue;
		*at = p->next;
		if (api->last == &p->next)
			api->last = at;
		return p;
	}
	return NULL;
}

static void conclude(struct pending *p, struct call *call, int err)
{
	if (err == 0)
		api_veil(p->client, call, p->method->name);
	p->client->pending_count--;
	if (p->id)
		api_answer_after_commit(p->client, p->id, p->method, call, err);
}

void api_answered(struct api *api, const struct event *event)
{
	struct pending *p = take_pending(api, event->ticket);
	/* The bare name of an error says less than explain() has to say of it. */
	bool is_telling = event->detail[0] && strcmp(event->detail, error_text(event->error));

	if (!p)
		return;
	if (p->client) {
		struct call call = api_call_of(api, p->ticket);
		int err = event->error;

		memcpy(call.subject, p->subject, sizeof call.subject);
		call.code = p->code;
		text_use(p->client->language);
		if (err < 0 && p->method->fail)
			p->method->fail(&call, event);
		else if (err < 0 && is_telling)
			snprintf(call.reason, sizeof call.reason, "%s", _(event->detail));
		else if (err == 0 && p->method->finish)
			err = p->method->finish(&call, event);
		conclude(p, &call, err);
		text_use(NULL);
		/* It comes from behind the commit already. */
		if (p->client->hold <= clock_now())
			api_flush(p->client);
		api_call_clear(&call);
	}
	pending_free(p);
}

void api_answer(struct api *api, uint64_t ticket, int err, const char *detail)
{
	struct event event = { .kind = EVENT_ANSWER, .ticket = ticket, .error = err };

	snprintf(event.detail, sizeof event.detail, "%s", detail);
	api_answered(api, &event);
}

static void go_on(struct api *api, struct pending *p)
{
	struct call call = api_call_of(api, p->ticket);
	struct bot bot;
	int err = 0;

	json_free(call.result);
	call.result = json_keep(p->result);
	call.params = p->params;
	call.at = p->at;
	memcpy(call.subject, p->subject, sizeof call.subject);
	text_use(p->client->language);
	if (p->client->bot)
		err = api_check_bot(p->client, &call, &bot);
	if (err == 0)
		err = p->method->run(&call);
	p->at = call.at;
	if (err == API_AGAIN) {
		append(api, take_pending(api, p->ticket));
	} else {
		take_pending(api, p->ticket);
		conclude(p, &call, err);
		pending_free(p);
	}
	text_use(NULL);
	api_call_clear(&call);
}

/* One of those that are run again, and each in its turn. True: there are more. */
bool api_step_again(struct api *api)
{
	struct pending *next;
	bool is_more = false;

	for (struct pending *p = api->first; p; p = next) {
		next = p->next;
		if (!p->params)
			continue;
		if (p->client) {
			go_on(api, p);
			break;
		}
		pending_free(take_pending(api, p->ticket));
	}
	for (struct pending *p = api->first; p && !is_more; p = p->next)
		is_more = p->params != NULL;
	return is_more;
}

void api_forget_all(struct api *api)
{
	while (api->first) {
		struct pending *next = api->first->next;
		pending_free(api->first);
		api->first = next;
	}
}
