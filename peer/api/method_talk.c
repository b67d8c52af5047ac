#include "peer/api/method_talk.h"

#include <stdio.h>
#include <string.h>

#include "peer/api/method_bots.h"
#include "peer/api/who.h"
#include "shared/error.h"
#include "shared/menu.h"
#include "shared/text.h"

int method_finish_send(struct call *call, const struct event *answer)
{
	json_set_id(call->result, "id", answer->message_id);
	json_set_text(call->result, "conversation", call->subject);
	json_set_int(call->result, "timestamp", answer->message.sent_at);
	/* It leaves for the contact only after the commit that this answer waited for. */
	json_set_text(call->result, "state", "queued");
	if (answer->message.file.links || answer->message.file.others) {
		struct json *left = json_object();

		json_set_int(left, "links", answer->message.file.links);
		json_set_int(left, "others", answer->message.file.others);
		json_set(call->result, "leftOut", left);
	}
	return 0;
}

/* What a bot says that may propose only waits for a person. */
static int propose(struct call *call, const struct engine_text *what)
{
	uint64_t id = 0;
	int err = engine_propose(call->engine, call->bot->id, what, &id);

	json_set_id(call->result, "id", id);
	json_set_text(call->result, "conversation", call->subject);
	json_set_text(call->result, "state", "proposed");
	if (err == ERR_FULL)
		snprintf(call->reason, sizeof call->reason,
			 _("%d proposals wait already for somebody to decide"), PROPOSALS_MAX);
	return err;
}

static int say(struct call *call, const struct engine_text *what)
{
	int err = menu_check_buttons(what->buttons);

	if (err < 0) {
		snprintf(call->reason, sizeof call->reason,
			 _("a button is a line of 1 to %d bytes"), MENU_BUTTON_MAX);
		return err;
	}
	if (call->bot && call->bot->may < BOT_SENDS)
		return propose(call, what);
	err = engine_say(call->engine, what, call->ticket);
	return err < 0 ? err : API_LATER;
}

int method_send(struct call *call)
{
	const char *text = call_text(call, "text");
	struct engine_text what = { .text = bytes_text(text) };
	struct buf buttons = { 0 };
	struct name by;
	struct who who;
	int err = who_conversation(call, "conversation", &who, &what.to);

	if (err == 0)
		err = bots_lines(call, "buttons", &buttons);
	if (err < 0) {
		buf_clear(&buttons);
		return err;
	}
	json_id(call->params, "replyTo", &what.reply_to);
	what.buttons = buf_view(&buttons);
	what.bot = call->bot ? call->bot->name.text : call_text(call, "bot");
	what.speaker = call->bot ? call->bot->id : 0;
	err = what.bot ? name_check(&by, bytes_text(what.bot)) : 0;
	if (err == 0)
		err = say(call, &what);
	buf_clear(&buttons);
	if (err == ERR_LIMIT && !call->reason[0])
		snprintf(call->reason, sizeof call->reason,
			 _("a message holds at most %d bytes; this one has %zu"), WIRE_TEXT_MAX,
			 strlen(text));
	if (err == ERR_FORMAT && !call->reason[0])
		snprintf(call->reason, sizeof call->reason, "%s", _("the message is empty"));
	return err;
}

int method_mark_read(struct call *call)
{
	struct name name;
	uint64_t up_to = 0;
	int err = name_parse(&name, bytes_text(call_about(call, "conversation")));

	if (err == 0)
		err = json_id(call->params, "upTo", &up_to);
	if (err == 0)
		err = engine_mark_read(call->engine, name.text, up_to);
	if (err == 0 && call->shell->seen)
		call->shell->seen(call->shell->user, name.text);
	return err;
}

int method_looking(struct call *call)
{
	bool is_at_one = json_has(call->params, "conversation");
	struct name name = { 0 };
	int err = is_at_one ? name_parse(&name, bytes_text(call_about(call, "conversation")))
			    : 0;

	if (err < 0)
		return err;
	call->has_looked = true;
	call->looks_at = name;
	call->notifies = json_bool(call->params, "notifies", false);
	if (is_at_one && call->shell->seen)
		call->shell->seen(call->shell->user, name.text);
	return 0;
}

/* Behind what the bot has dealt with; at first from now on, which is kept: whatever happens next is told. */
static int resume(struct call *call, uint64_t last)
{
	if (!call->bot || call->has_since) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("to resume is for bots, and without `since`"));
		return ERR_FORMAT;
	}
	call->has_since = true;
	call->since = call->bot->acknowledged;
	if (call->since > 0)
		return 0;
	call->since = last;
	return engine_bot_acknowledge(call->engine, call->bot->id, last > 0 ? last : 1);
}

int method_subscribe(struct call *call)
{
	uint64_t last = engine_last_event(call->engine);

	call->has_since = json_has(call->params, "since");
	if (call->has_since)
		json_id(call->params, "since", &call->since);
	if (call->since > last)
		return ERR_LIMIT;
	if (json_bool(call->params, "resume", false)) {
		int err = resume(call, last);

		if (err < 0)
			return err;
	}
	json_set_id(call->result, "lastEventId", last);
	call->wish = WISH_SUBSCRIBE;
	return 0;
}

int method_unsubscribe(struct call *call)
{
	call->wish = WISH_UNSUBSCRIBE;
	return 0;
}
