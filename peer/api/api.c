#include "peer/api/api.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

/* JSON-RPC 2.0 section 5.1; a failure of ours is API_FAILED + its (negative) number. */
enum rpc_code {
	RPC_PARSE = -32700,
	RPC_INVALID = -32600,
	RPC_NO_METHOD = -32601,
	RPC_PARAMS = -32602,
	API_FAILED = -32000,
};

enum { SHOWN_MAX = 64 }; /* bytes of a face's own words repeated in an error */

struct api_client {
	struct api *api;
	struct api_client *next;
	void *connection;
	bool is_gone; /* freed by the next sweep */
	bool is_subscribed;
	bool is_behind; /* events up to `told` were told; older ones are still owed */
	uint64_t told;
	unsigned pending_count;
	char language[TEXT_LANGUAGE_MAX + 1]; /* "": the engine's own */
	struct buf answers;                   /* lines that wait for the engine's commit */
};

struct pending {
	struct pending *next;
	struct api_client *client; /* NULL: it left */
	struct json *id;           /* NULL: a notification */
	const struct method *method;
	uint64_t ticket;
	char subject[URI_MAX + 1];
};

struct api {
	struct api_config config;
	struct api_client *clients;
	unsigned client_count;
	struct pending *first, **last;
	uint64_t next_ticket;
	struct address addresses[API_ADDRESSES_MAX];
	unsigned address_count;
	uint16_t port;
	bool is_pressed;
};

struct api *api_new(const struct api_config *config)
{
	struct api *api = memory_new(sizeof *api);

	api->config = *config;
	api->last = &api->first;
	api->next_ticket = 1;
	return api;
}

static void pending_free(struct pending *p)
{
	json_free(p->id);
	free(p);
}

static void client_free(struct api_client *client)
{
	buf_clear(&client->answers);
	free(client);
}

void api_free(struct api *api)
{
	if (!api)
		return;
	while (api->clients) {
		struct api_client *next = api->clients->next;
		client_free(api->clients);
		api->clients = next;
	}
	while (api->first) {
		struct pending *next = api->first->next;
		pending_free(api->first);
		api->first = next;
	}
	free(api);
}

struct engine *api_engine(const struct api *api)
{
	return api->config.engine;
}

const struct api_config *api_shell(const struct api *api)
{
	return &api->config;
}

void api_set_addresses(struct api *api, const struct address *list, unsigned count,
		       uint16_t port)
{
	api->address_count = count < API_ADDRESSES_MAX ? count : API_ADDRESSES_MAX;
	if (api->address_count)
		memcpy(api->addresses, list, api->address_count * sizeof *list);
	api->port = port;
}

unsigned api_addresses(const struct api *api, const struct address **list, uint16_t *port)
{
	*list = api->addresses;
	*port = api->port;
	return api->address_count;
}

struct api_client *api_connect(struct api *api, void *connection)
{
	struct api_client *client;

	if (api->client_count >= API_CLIENTS_MAX)
		return NULL;
	client = memory_new(sizeof *client);
	client->api = api;
	client->connection = connection;
	client->next = api->clients;
	api->clients = client;
	api->client_count++;
	return client;
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

static void sweep(struct api *api)
{
	for (struct api_client **at = &api->clients; *at;) {
		struct api_client *client = *at;
		if (!client->is_gone) {
			at = &client->next;
			continue;
		}
		*at = client->next;
		api->client_count--;
		client_free(client);
	}
}

static void send_line(struct api_client *client, struct bytes line)
{
	if (!client->connection || !client->api->config.send)
		return;
	/* The shell ends a face that does not read; until it says so, we say nothing more. */
	if (client->api->config.send(client->connection, line) < 0)
		client->connection = NULL;
}

static void send_json(struct api_client *client, struct json *take_object)
{
	char *line = json_print(take_object);

	send_line(client, bytes_text(line));
	free(line);
	json_free(take_object);
}

/* --- answers --- */

static void answer_after_commit(struct api_client *client, struct json *take_object)
{
	char *line = json_print(take_object);

	buf_append(&client->answers, bytes_text(line));
	buf_append_byte(&client->answers, '\n');
	free(line);
	json_free(take_object);
	if (client->api->config.wake)
		client->api->config.wake(client->api->config.user);
}

static void flush_answers(struct api_client *client)
{
	struct buf out = client->answers;
	size_t start = 0;

	memset(&client->answers, 0, sizeof client->answers);
	for (size_t i = 0; i < out.size; i++) {
		if (out.data[i] != '\n')
			continue;
		send_line(client, bytes_of(out.data + start, i - start));
		start = i + 1;
	}
	buf_clear(&out);
}

static struct json *envelope(const struct json *id)
{
	struct json *o = json_set_text(json_object(), "jsonrpc", "2.0");

	return json_set(o, "id", id ? json_keep((struct json *)id) : json_null());
}

static struct json *error_object(int code, const char *message, const char *kind,
				 const char *hint)
{
	struct json *data = json_set_text(json_object(), "kind", kind);
	struct json *error = json_set_int(json_object(), "code", code);

	json_set_text(data, "hint", hint);
	json_set_text(error, "message", message);
	return json_set(error, "data", data);
}

static void refuse(struct api_client *client, const struct json *id, int code,
		   const char *message)
{
	struct json *o;

	if (!id && code != RPC_PARSE && code != RPC_INVALID)
		return; /* a notification is never answered (JSON-RPC 2.0, section 4.1) */
	o = envelope(id);
	json_set(o, "error", error_object(code, message, "request", "palique rpc --help"));
	answer_after_commit(client, o);
}

static void answer_failure(struct api_client *client, const struct json *id,
			   const struct method *method, const struct call *call, int err)
{
	struct json *o = envelope(id);
	char message[512], hint[256];

	method_explain(method, err, call->subject, message, sizeof message, hint, sizeof hint);
	json_set(o, "error",
		 error_object(API_FAILED + err, call->reason[0] ? call->reason : message,
			      error_name(err), call->hint[0] ? call->hint : hint));
	answer_after_commit(client, o);
}

/* --- one request --- */

static bool param_fits(const struct param *p, const struct json *params)
{
	uint64_t id;
	const char *text = json_text(params, p->name);

	switch (p->kind) {
	case PARAM_TEXT:
	case PARAM_SECRET:
		return text && strlen(text) <= (p->max ? (size_t)p->max : 1024);
	case PARAM_ID:
		return json_id(params, p->name, &id) == 0;
	case PARAM_INT:
		return json_int(params, p->name, p->min) == json_int(params, p->name, p->max) &&
		       json_int(params, p->name, p->min) >= p->min &&
		       json_int(params, p->name, p->max) <= p->max;
	case PARAM_BOOL:
		return json_bool(params, p->name, false) == json_bool(params, p->name, true);
	}
	return false;
}

static const struct param *find_param(const struct method *method, const char *name)
{
	for (unsigned i = 0; i < METHOD_PARAMS_MAX && method->params[i].name; i++)
		if (!strcmp(method->params[i].name, name))
			return &method->params[i];
	return NULL;
}

/* Unknown, missing and ill-typed parameters are refused by name. */
static bool params_fit(const struct method *method, const struct json *params, char *reason,
		       size_t size)
{
	const struct json *value;
	const char *key;
	void *it = NULL;

	while ((key = json_each(params, &it, &value)) != NULL) {
		const struct param *p = find_param(method, key);
		if (!p) {
			snprintf(reason, size, _("%s has no parameter \"%.*s\""), method->name,
				 SHOWN_MAX, key);
			return false;
		}
		if (!param_fits(p, params)) {
			static const char *const wanted[] = {
				[PARAM_TEXT] = N_("text within its limit"),
				[PARAM_SECRET] = N_("text within its limit"),
				[PARAM_ID] = N_("an id: a string of digits"),
				[PARAM_INT] = N_("a whole number in its range"),
				[PARAM_BOOL] = N_("true or false"),
			};
			snprintf(reason, size, _("the parameter \"%s\" of %s must be %s"), key,
				 method->name, _(wanted[p->kind]));
			return false;
		}
	}
	for (unsigned i = 0; i < METHOD_PARAMS_MAX && method->params[i].name; i++) {
		if (!method->params[i].is_required || json_has(params, method->params[i].name))
			continue;
		snprintf(reason, size, _("%s needs the parameter \"%s\""), method->name,
			 method->params[i].name);
		return false;
	}
	return true;
}

/* Passwords do not stay in the parsed request longer than the call. */
static void wipe_secrets(const struct method *method, const struct json *params)
{
	for (unsigned i = 0; i < METHOD_PARAMS_MAX && method->params[i].name; i++) {
		const char *text = json_text(params, method->params[i].name);
		if (method->params[i].kind == PARAM_SECRET && text)
			sodium_memzero((char *)text, strlen(text));
	}
}

static void remember(struct call *call, const struct method *method, const struct json *id)
{
	struct api *api = call->api;
	struct pending *p = memory_new(sizeof *p);

	p->client = call->client;
	p->id = id ? json_keep((struct json *)id) : NULL;
	p->method = method;
	p->ticket = call->ticket;
	memcpy(p->subject, call->subject, sizeof p->subject);
	*api->last = p;
	api->last = &p->next;
	call->client->pending_count++;
}

static void run(struct api_client *client, const struct method *method,
		const struct json *params, const struct json *id)
{
	struct api *api = client->api;
	struct call call = {
		.api = api, .client = client, .params = params, .ticket = api->next_ticket
	};
	int err = ERR_BUSY;

	call.result = json_object();
	if (client->pending_count < API_PENDING_MAX)
		err = method->run(&call);
	wipe_secrets(method, params);
	if (err == API_LATER) {
		api->next_ticket++;
		remember(&call, method, id);
		if (api->config.wake)
			api->config.wake(api->config.user);
	} else if (id && err < 0) {
		answer_failure(client, id, method, &call, err);
	} else if (id) {
		answer_after_commit(client,
				    json_set(envelope(id), "result", json_keep(call.result)));
	} else if (api->config.wake) {
		api->config.wake(api->config.user);
	}
	json_free(call.result);
}

/* An id is text or a whole number; null is what an error without one carries. */
static bool id_fits(const struct json *request)
{
	return json_text(request, "id") ||
	       json_int(request, "id", 0) == json_int(request, "id", 1);
}

void api_speak(struct api_client *client, const char *language)
{
	snprintf(client->language, sizeof client->language, "%s", language);
	text_use(client->language);
}

static void take_line(struct api_client *client, struct bytes line)
{
	struct json *request = NULL, *none = NULL;
	const struct json *id = NULL, *params;
	const struct method *method;
	const char *name, *version;
	char reason[256];

	if (client->is_gone)
		return;
	if (json_parse(&request, line) < 0) {
		refuse(client, NULL, RPC_PARSE, _("this line is not JSON"));
		return;
	}
	if (json_is_array(request)) {
		refuse(client, NULL, RPC_INVALID,
		       _("batches are not taken: send one request per line"));
		goto out;
	}
	version = json_text(request, "jsonrpc");
	name = json_text(request, "method");
	if (json_has(request, "id") && !id_fits(request)) {
		refuse(client, NULL, RPC_INVALID, _("the id must be text or a whole number"));
		goto out;
	}
	id = json_get(request, "id");
	if (!version || strcmp(version, "2.0") || !name) {
		refuse(client, id, RPC_INVALID,
		       _("a request needs \"jsonrpc\":\"2.0\" and a \"method\""));
		goto out;
	}
	method = method_find(name);
	if (!method) {
		snprintf(reason, sizeof reason, _("there is no method \"%.*s\""), SHOWN_MAX,
			 name);
		refuse(client, id, RPC_NO_METHOD, reason);
		goto out;
	}
	params = json_get(request, "params");
	if (!params)
		params = none = json_object();
	if (!json_is_object(params)) {
		refuse(client, id, RPC_PARAMS, _("\"params\" must be an object"));
		goto out;
	}
	if (!params_fit(method, params, reason, sizeof reason)) {
		wipe_secrets(method, params);
		refuse(client, id, RPC_PARAMS, reason);
		goto out;
	}
	run(client, method, params, id);
out:
	json_free(none);
	json_free(request);
}

void api_line(struct api_client *client, struct bytes line)
{
	text_use(client->language);
	take_line(client, line);
	text_use(NULL);
}

/* --- what the engine says --- */

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

static void answered(struct api *api, const struct event *event)
{
	struct pending *p = take_pending(api, event->ticket);

	if (!p)
		return;
	if (p->client) {
		struct call call = { .api = api, .client = p->client, .ticket = p->ticket };
		int err = event->error;
		call.result = json_object();
		memcpy(call.subject, p->subject, sizeof call.subject);
		text_use(p->client->language);
		if (err < 0 && event->detail[0])
			snprintf(call.reason, sizeof call.reason, "%s", _(event->detail));
		else if (p->method->finish)
			err = p->method->finish(&call, event);
		p->client->pending_count--;
		if (p->id && err < 0)
			answer_failure(p->client, p->id, p->method, &call, err);
		else if (p->id)
			answer_after_commit(p->client, json_set(envelope(p->id), "result",
								json_keep(call.result)));
		text_use(NULL);
		/* It comes from behind the commit already. */
		flush_answers(p->client);
		json_free(call.result);
	}
	pending_free(p);
}

static struct json *notification(struct engine *e, const struct event *event)
{
	struct json *params = json_object();
	const char *method = notify_event(e, event, params);
	struct json *o;

	if (!method) {
		json_free(params);
		return NULL;
	}
	o = json_set_text(json_object(), "jsonrpc", "2.0");
	json_set_text(o, "method", method);
	return json_set(o, "params", params);
}

static void tell(struct api *api, const struct event *event)
{
	char *line = NULL;

	for (struct api_client *client = api->clients; client; client = client->next) {
		if (!client->is_subscribed || client->is_behind || event->id <= client->told)
			continue;
		if (!line) {
			struct json *o = notification(api->config.engine, event);
			if (!o)
				return;
			line = json_print(o);
			json_free(o);
		}
		client->told = event->id;
		send_line(client, bytes_text(line));
	}
	free(line);
}

int api_subscribe(struct api_client *client, bool has_since, uint64_t since)
{
	uint64_t last = engine_last_event(client->api->config.engine);

	if (has_since && since > last)
		return ERR_LIMIT;
	client->is_subscribed = true;
	client->told = has_since ? since : last;
	client->is_behind = has_since && since < last;
	return 0;
}

void api_unsubscribe(struct api_client *client)
{
	client->is_subscribed = false;
	client->is_behind = false;
}

struct replay {
	struct api_client *client;
	unsigned left;
	bool is_more;
};

static bool tell_again(void *user, const struct event *event)
{
	struct replay *replay = user;
	struct json *o;

	if (replay->left == 0) {
		replay->is_more = true;
		return false;
	}
	replay->left--;
	replay->client->told = event->id;
	o = notification(replay->client->api->config.engine, event);
	if (o)
		send_json(replay->client, o);
	return replay->client->connection != NULL;
}

/* A slice at a time, so that one face's past does not hold up everybody's present. */
static bool catch_up(struct api_client *client)
{
	struct replay replay = { .client = client, .left = API_REPLAY_SLICE };
	const struct api_config *shell = &client->api->config;

	if (shell->backlog && shell->backlog(client->connection) > API_BACKLOG_HIGH) {
		client->api->is_pressed = true;
		return false;
	}
	engine_events_since(client->api->config.engine, client->told, tell_again, &replay);
	client->is_behind = replay.is_more;
	return client->is_behind;
}

bool api_step(struct api *api)
{
	struct event event;
	bool is_more = false;

	for (struct api_client *client = api->clients; client; client = client->next)
		if (!client->is_gone && client->answers.size)
			flush_answers(client);
	while (engine_next_event(api->config.engine, &event)) {
		if (event.kind == EVENT_ANSWER)
			answered(api, &event);
		else
			tell(api, &event);
	}
	api->is_pressed = false;
	for (struct api_client *client = api->clients; client; client = client->next)
		if (!client->is_gone && client->connection && client->is_behind)
			is_more |= catch_up(client);
	sweep(api);
	return is_more;
}

bool api_is_pressed(const struct api *api)
{
	return api->is_pressed;
}
