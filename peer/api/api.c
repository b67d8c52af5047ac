#include "peer/api/api.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/narrow.h"
#include "peer/api/notify.h"
#include "peer/api/rpc.h"
#include "shared/clock.h"
#include "shared/error.h"
#include "shared/text.h"

#define GUESS_HOLD (1 * SECOND) /* until a wrong token is answered */
enum { VEIL_SLICE = 20 };       /* messages in an answer that count as one call */
#define END_WITHIN (3 * SECOND) /* for who has to read why first */

struct api_client {
	struct api *api;
	struct api_client *next;
	void *connection;
	bool is_gone;         /* freed by the next sweep */
	bool is_guest;        /* counted as one */
	uint64_t bot;         /* it is that of a program; 0: of a person, or of nobody yet */
	bool is_ending;       /* once it was answered, or `end_at` */
	mono_ns hold, end_at; /* answers wait until then */
	bool is_subscribed;
	bool is_behind; /* events up to `told` were told; older ones are still owed */
	uint64_t told;
	unsigned pending_count;
	char language[TEXT_LANGUAGE_MAX + 1]; /* "": the engine's own */
	struct name looks_at;                 /* empty: nothing */
	bool notifies;                        /* by itself */
	struct buf answers;                   /* lines that wait for the engine's commit */
};

struct pending {
	struct pending *next;
	struct api_client *client; /* NULL: it left */
	struct json *id;           /* NULL: a notification */
	const struct method *method;
	uint64_t ticket;
	struct json *params, *result; /* of what is run again; else NULL */
	struct search_at at;
	char subject[URI_MAX + 1];
	struct recovery_code code; /* wiped with the rest */
};

struct api {
	struct api_config config;
	struct api_client *clients;
	unsigned client_count; /* without guests */
	struct pending *first, **last;
	uint64_t next_ticket;
	struct api_machine machine;
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
	json_free(p->params);
	json_free(p->result);
	sodium_memzero(&p->code, sizeof p->code);
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

void api_set_addresses(struct api *api, const struct address *list, unsigned count,
		       uint16_t port)
{
	struct api_machine *m = &api->machine;

	m->address_count = count < API_ADDRESSES_MAX ? count : API_ADDRESSES_MAX;
	if (m->address_count)
		memcpy(m->addresses, list, m->address_count * sizeof *list);
	m->port = port;
}

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

struct api_client *api_connect(struct api *api, void *connection)
{
	return api->client_count < API_CLIENTS_MAX ? client_new(api, connection, false) : NULL;
}

/* It is told nothing more, and its connection goes in the next step. */
static void end(struct api_client *client)
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

struct api_client *api_connect_guest(struct api *api, void *connection)
{
	struct api_client *oldest = NULL; /* the list has the newest first */
	unsigned guests = 0, strangers = 0;

	for (struct api_client *c = api->clients; c; c = c->next) {
		if (!c->is_guest || c->is_gone || c->is_ending)
			continue;
		guests++;
		if (c->bot)
			continue;
		strangers++;
		oldest = c;
	}
	if (guests >= API_GUESTS_MAX)
		return NULL;
	if (strangers >= API_STRANGERS_MAX)
		end(oldest);
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

static void sweep(struct api *api)
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
	json_print_to(take_object, &client->answers);
	buf_append_byte(&client->answers, '\n');
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

/* --- one request --- */

static void append(struct api *api, struct pending *p)
{
	p->next = NULL;
	*api->last = p;
	api->last = &p->next;
}

static void remember(struct api_client *client, const struct call *call,
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

/* From now on it is told what the bot may hear, and nothing that a person was. */
static void narrow(struct api_client *client, uint64_t bot)
{
	client->bot = bot;
	client->is_subscribed = client->is_behind = false;
}

/* What the method changed about its face. */
static void grant(struct api_client *client, const struct call *call)
{
	if (call->becomes)
		narrow(client, call->becomes);
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

static struct call call_of(struct api *api, uint64_t ticket)
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

/* Whether the face may call this: a person's may call anything, one that shows no token yet nothing else. */
static int admit(struct api_client *client, struct call *call, struct bot *bot,
		 const char *method)
{
	int err;

	if (!client->bot) {
		if (!client->is_guest || !strcmp(method, "authenticate"))
			return 0;
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("this socket is for bots: authenticate with a token first"));
		return ERR_AUTH;
	}
	err = engine_bot(call->engine, client->bot, call->wall, bot);
	if (err < 0) {
		end(client);
		snprintf(call->reason, sizeof call->reason, "%s",
			 err == ERR_EXPIRED ? _("the token of this bot has expired")
					    : _("this bot was removed"));
		return err == ERR_EXPIRED ? err : ERR_AUTH;
	}
	call->bot = bot;
	return narrow_check(call, bot, method, clock_now());
}

/* A token that is none is answered late, and once; one that is good does not open any number of lines. */
static int check_token(struct api_client *client, struct call *call, int err)
{
	unsigned faces = 0;

	if (call->is_guess) {
		client->hold = clock_now() + GUESS_HOLD;
		end(client);
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

/* What a bot is not to see goes out of an answer. */
static void veil(struct api_client *client, struct call *call, const char *method)
{
	struct bot bot;

	if (client->bot &&
	    engine_bot(call->engine, client->bot, call->wall, &bot) != ERR_NOT_FOUND)
		call->result = narrow_result(call->result, &bot, method);
	else
		return;
	/* Much in one answer counts as many calls. */
	for (size_t i = VEIL_SLICE; i < json_count(json_get(call->result, "messages"));
	     i += VEIL_SLICE)
		engine_bot_spend(call->engine, bot.id, true, clock_now());
}

static void call_clear(struct call *call)
{
	const char *secret = call->secret ? json_text(call->result, call->secret) : NULL;

	if (secret)
		sodium_memzero((char *)secret, strlen(secret));
	sodium_memzero(&call->code, sizeof call->code);
	json_free(call->result);
}

static void run(struct api_client *client, const struct rpc_request *request)
{
	struct api *api = client->api;
	struct call call = call_of(api, api->next_ticket);
	struct bot bot;
	int err = ERR_BUSY;

	call.params = request->params;
	if (client->pending_count < API_PENDING_MAX)
		err = admit(client, &call, &bot, request->method->name);
	if (err == 0)
		err = request->method->run(&call);
	err = check_token(client, &call, err);
	if (err == 0) {
		veil(client, &call, request->method->name);
		grant(client, &call);
	}
	if (err == API_LATER || err == API_AGAIN) {
		api->next_ticket++;
		remember(client, &call, request, err == API_AGAIN);
		if (api->config.wake)
			api->config.wake(api->config.user);
	} else if (request->id) {
		answer_after_commit(client,
				    rpc_answer(request->id, request->method, &call, err));
	} else if (api->config.wake) {
		api->config.wake(api->config.user);
	}
	call_clear(&call);
}

static void take_line(struct api_client *client, struct bytes line)
{
	struct rpc_request request;
	struct json *refusal;

	if (client->is_gone || client->is_ending)
		return;
	if (rpc_parse(&request, line) == 0) {
		run(client, &request);
	} else {
		refusal = rpc_refusal(&request);
		if (refusal)
			answer_after_commit(client, refusal);
	}
	rpc_clear(&request);
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
	/* The bare name of an error says less than explain() has to say of it. */
	bool is_telling = event->detail[0] && strcmp(event->detail, error_text(event->error));

	if (!p)
		return;
	if (p->client) {
		struct call call = call_of(api, p->ticket);
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
		if (err == 0)
			veil(p->client, &call, p->method->name);
		p->client->pending_count--;
		if (p->id)
			answer_after_commit(p->client,
					    rpc_answer(p->id, p->method, &call, err));
		text_use(NULL);
		/* It comes from behind the commit already. */
		if (p->client->hold <= clock_now())
			flush_answers(p->client);
		call_clear(&call);
	}
	pending_free(p);
}

void api_answer(struct api *api, uint64_t ticket, int err, const char *detail)
{
	struct event event = { .kind = EVENT_ANSWER, .ticket = ticket, .error = err };

	snprintf(event.detail, sizeof event.detail, "%s", detail);
	answered(api, &event);
}

static void go_on(struct api *api, struct pending *p)
{
	struct call call = call_of(api, p->ticket);
	int err;

	json_free(call.result);
	call.result = json_keep(p->result);
	call.params = p->params;
	call.at = p->at;
	memcpy(call.subject, p->subject, sizeof call.subject);
	text_use(p->client->language);
	err = p->method->run(&call);
	p->at = call.at;
	if (err == API_AGAIN) {
		append(api, take_pending(api, p->ticket));
	} else {
		take_pending(api, p->ticket);
		if (err == 0)
			veil(p->client, &call, p->method->name);
		p->client->pending_count--;
		if (p->id)
			answer_after_commit(p->client,
					    rpc_answer(p->id, p->method, &call, err));
		pending_free(p);
	}
	text_use(NULL);
	call_clear(&call);
}

/* One of those that are run again, and each in its turn. True: there are more. */
static bool step_again(struct api *api)
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

bool api_is_looked_at(const struct api *api, const char *name)
{
	for (const struct api_client *c = api->clients; c; c = c->next)
		if (!c->is_gone && c->connection &&
		    (c->notifies || !strcmp(c->looks_at.text, name)))
			return true;
	return false;
}

static struct json *notification(struct engine *e, const struct event *event)
{
	struct json *params = json_object();
	const char *method = notify_event(e, event, params);

	if (method)
		return rpc_notification(method, params);
	json_free(params);
	return NULL;
}

/* What is not counted (typing, progress) is for who keeps up: it is stale in a moment, and told to
 * nobody again. */
static bool is_new_to(const struct api_client *client, const struct event *event)
{
	const struct api_config *shell = &client->api->config;

	if (event->id)
		return event->id > client->told;
	return !shell->backlog || !client->connection ||
	       shell->backlog(client->connection) <= API_BACKLOG_HIGH;
}

/* To a program what it may hear of it, as it may. */
static void tell_bot(struct api_client *client, const struct event *event)
{
	struct engine *e = client->api->config.engine;
	struct json *o;
	struct bot bot;

	if (engine_bot(e, client->bot, clock_wall(), &bot) < 0 || !right_hears(&bot, event))
		return;
	text_use(client->language);
	o = notification(e, event);
	text_use(NULL);
	if (!o)
		return;
	narrow_event((struct json *)json_get(o, "params"));
	send_json(client, o);
}

static void tell(struct api *api, const struct event *event)
{
	const char *language = NULL; /* of `line` */
	char *line = NULL;

	for (struct api_client *client = api->clients; client; client = client->next) {
		if (!client->is_subscribed || client->is_behind || !is_new_to(client, event))
			continue;
		if (client->bot) {
			if (event->id)
				client->told = event->id;
			tell_bot(client, event);
			continue;
		}
		if (!line || strcmp(language, client->language)) {
			struct json *o;
			text_use(client->language);
			o = notification(api->config.engine, event);
			text_use(NULL);
			free(line);
			line = NULL;
			if (!o)
				return;
			line = json_print(o);
			language = client->language;
			json_free(o);
		}
		if (event->id)
			client->told = event->id;
		send_line(client, bytes_text(line));
	}
	free(line);
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
	if (replay->client->bot) {
		tell_bot(replay->client, event);
		return replay->client->connection != NULL;
	}
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
	text_use(client->language);
	engine_events_since(client->api->config.engine, client->told, tell_again, &replay);
	text_use(NULL);
	client->is_behind = replay.is_more;
	return client->is_behind;
}

/* Answers that waited for the commit; but for those of a guess. */
static void flush_all(struct api *api)
{
	for (struct api_client *client = api->clients; client; client = client->next)
		if (!client->is_gone && client->answers.size && client->hold <= clock_now())
			flush_answers(client);
}

/* Those of bots that are no more, and who was told why it has to go and has read it. */
static void end_those_that_are_over(struct api *api)
{
	const struct api_config *shell = &api->config;
	struct bot bot;

	for (struct api_client *client = api->clients; client; client = client->next) {
		if (client->is_gone)
			continue;
		if (client->bot &&
		    engine_bot(shell->engine, client->bot, clock_wall(), &bot) < 0)
			end(client);
		if (!client->is_ending)
			continue;
		if (client->connection && clock_now() < client->end_at &&
		    (client->answers.size ||
		     (shell->backlog && shell->backlog(client->connection) > 0))) {
			api->is_pressed = true;
			continue;
		}
		if (client->connection && shell->end)
			shell->end(client->connection);
		else
			api_disconnect(client);
	}
}

bool api_step(struct api *api)
{
	struct event event;
	bool is_more = false;

	flush_all(api);
	while (engine_next_event(api->config.engine, &event)) {
		if (event.kind == EVENT_ANSWER)
			answered(api, &event);
		else if (api->config.happened)
			api->config.happened(api->config.user, &event);
		if (event.kind != EVENT_ANSWER)
			tell(api, &event);
	}
	is_more = step_again(api);
	api->is_pressed = false;
	for (struct api_client *client = api->clients; client; client = client->next)
		if (!client->is_gone && client->connection && client->is_behind)
			is_more |= catch_up(client);
	end_those_that_are_over(api);
	sweep(api);
	return is_more;
}

bool api_is_pressed(const struct api *api)
{
	return api->is_pressed;
}
