#include "peer/api/method_talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/notify.h"
#include "shared/error.h"
#include "shared/text.h"

static bool put_message(void *user, const struct message *m)
{
	*(struct json **)user = notify_message(m);
	return false;
}

int method_finish_send(struct call *call, const struct event *answer)
{
	json_set_id(call->result, "id", answer->message_id);
	json_set_int(call->result, "timestamp", answer->message.sent_at);
	/* It leaves for the contact only after the commit that this answer waited for. */
	json_set_text(call->result, "state", "queued");
	return 0;
}

int method_send(struct call *call)
{
	const char *text = call_text(call, "text");
	uint64_t reply_to = 0;
	struct name name;
	int err = name_parse(&name, bytes_text(call_about(call, "conversation")));

	if (err < 0)
		return err;
	if (json_has(call->params, "replyTo"))
		json_id(call->params, "replyTo", &reply_to);
	err = engine_send(call->engine, name.text, bytes_text(text), reply_to, call->ticket);
	if (err == ERR_LIMIT)
		snprintf(call->reason, sizeof call->reason,
			 _("a message holds at most %d bytes; this one has %zu"), WIRE_TEXT_MAX,
			 strlen(text));
	if (err == ERR_FORMAT)
		snprintf(call->reason, sizeof call->reason, "%s", _("the message is empty"));
	return err < 0 ? err : API_LATER;
}

struct page {
	struct json *newest_first[API_MESSAGES_MAX];
	unsigned count;
};

static bool add_message(void *user, const struct message *m)
{
	struct page *page = user;

	page->newest_first[page->count++] = notify_message(m);
	return page->count < API_MESSAGES_MAX;
}

int method_messages(struct call *call)
{
	int64_t limit = json_int(call->params, "limit", 50);
	struct page *page = memory_new(sizeof *page);
	struct json *list = json_array();
	uint64_t before = 0;
	struct name name;
	int err = name_parse(&name, bytes_text(call_about(call, "conversation")));

	if (json_has(call->params, "before"))
		json_id(call->params, "before", &before);
	if (err == 0)
		err = engine_history(call->engine, name.text, before, (unsigned)limit,
				     add_message, page);
	while (page->count > 0)
		json_add(list, page->newest_first[--page->count]);
	json_set(call->result, "messages", list);
	free(page);
	return err;
}

int method_message(struct call *call)
{
	struct json *message = NULL;
	uint64_t id;
	int err = json_id(call->params, "id", &id);

	if (err == 0)
		err = engine_message(call->engine, id, put_message, &message);
	if (err < 0 || !message)
		return err < 0 ? err : ERR_NOT_FOUND;
	json_set(call->result, "message", message);
	return 0;
}

int method_mark_read(struct call *call)
{
	struct name name;
	uint64_t up_to = 0;
	int err = name_parse(&name, bytes_text(call_about(call, "conversation")));

	if (err == 0)
		err = json_id(call->params, "upTo", &up_to);
	return err < 0 ? err : engine_mark_read(call->engine, name.text, up_to);
}

int method_subscribe(struct call *call)
{
	uint64_t last = engine_last_event(call->engine);

	call->has_since = json_has(call->params, "since");
	if (call->has_since)
		json_id(call->params, "since", &call->since);
	if (call->since > last)
		return ERR_LIMIT;
	json_set_id(call->result, "lastEventId", last);
	call->wish = WISH_SUBSCRIBE;
	return 0;
}

int method_unsubscribe(struct call *call)
{
	call->wish = WISH_UNSUBSCRIBE;
	return 0;
}
