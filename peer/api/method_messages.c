#include "peer/api/method_messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/notify.h"
#include "peer/api/spoken.h"
#include "peer/api/who.h"
#include "shared/error.h"
#include "shared/text.h"

/* The message in the parameter `id`; kept for the hint of an error. */
static uint64_t message_of(struct call *call)
{
	uint64_t id = 0;

	call_about(call, "id");
	json_id(call->params, "id", &id);
	return id;
}

static int later(int err)
{
	return err < 0 ? err : API_LATER;
}

int method_forward(struct call *call)
{
	uint64_t id = 0;
	const char *to;
	struct who who;
	int err = who_conversation(call, "conversation", &who, &to);

	if (err < 0)
		return err;
	json_id(call->params, "id", &id);
	err = engine_forward(call->engine, id, to, call->ticket);
	if (err == ERR_NOT_FOUND || err == ERR_STATE)
		message_of(call);
	return later(err);
}

int method_edit(struct call *call)
{
	const char *text = call_text(call, "text");
	int err = engine_edit(call->engine, message_of(call), bytes_text(text), call->ticket);

	if (err == ERR_LIMIT)
		snprintf(call->reason, sizeof call->reason,
			 _("a message holds at most %d bytes; this one has %zu"), WIRE_TEXT_MAX,
			 strlen(text));
	if (err == ERR_FORMAT)
		snprintf(call->reason, sizeof call->reason, "%s", _("the message is empty"));
	return later(err);
}

/* Taken back for both; or forgotten here alone. */
int method_delete_message(struct call *call)
{
	uint64_t id = message_of(call);

	if (json_bool(call->params, "here", false))
		return engine_forget_message(call->engine, id);
	return later(engine_retract(call->engine, id, call->ticket));
}

int method_react(struct call *call)
{
	const char *reactions = call_text(call, "reactions");
	int err = engine_react(call->engine, message_of(call), bytes_text(reactions),
			       call->ticket);

	if (err == ERR_LIMIT || err == ERR_FORMAT)
		snprintf(call->reason, sizeof call->reason,
			 _("reactions are up to %d words or signs of %d bytes, with a space "
			   "between two"),
			 WIRE_REACTIONS_MAX, WIRE_REACTION_MAX);
	return later(err);
}

static bool put_message(void *user, const struct message *m)
{
	*(struct json **)user = spoken_message(m);
	return false;
}

int method_finish_message(struct call *call, const struct event *answer)
{
	struct json *message = NULL;
	uint64_t id = strtoull(call->subject, NULL, 10);

	(void)answer;
	json_set_id(call->result, "id", id);
	if (engine_message(call->engine, id, put_message, &message) == 0 && message) {
		spoken_add_quote(call->engine, message);
		json_set(call->result, "message", message);
	}
	return 0;
}

int method_typing(struct call *call)
{
	struct name name;
	int err = name_parse(&name, bytes_text(call_about(call, "conversation")));

	return err < 0 ? err
		       : engine_typing(call->engine, name.text,
				       json_bool(call->params, "typing", true));
}

int method_set_timer(struct call *call)
{
	struct name name;
	int err = name_parse(&name, bytes_text(call_about(call, "conversation")));

	if (err == 0)
		err = engine_set_timer(call->engine, name.text,
				       (uint32_t)json_int(call->params, "seconds", 0),
				       call->ticket);
	return later(err);
}

int method_finish_contact(struct call *call, const struct event *answer)
{
	struct contact contact;

	(void)answer;
	if (engine_contact(call->engine, call->subject, &contact) == 0)
		json_set(call->result, "contact", notify_contact(call->engine, &contact));
	return 0;
}

int method_forget_conversation(struct call *call)
{
	struct name name = { 0 };
	int err = name_parse(&name, bytes_text(call_about(call, "conversation")));

	if (err == 0)
		err = engine_forget_history(call->engine, name.text);
	json_set_text(call->result, "conversation", name.text);
	return err;
}
