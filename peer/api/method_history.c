#include "peer/api/method_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/spoken.h"
#include "shared/error.h"
#include "shared/text.h"

struct page {
	struct call *call;
	struct json *list[API_MESSAGES_MAX];
	unsigned count;
	size_t size;
};

static struct page *page_new(struct call *call)
{
	struct page *page = memory_new(sizeof *page);

	page->call = call;
	return page;
}

static bool add(struct page *page, struct json *take_message)
{
	page->list[page->count++] = take_message;
	return call_has_room(page->call, &page->size, take_message) &&
	       page->count < API_MESSAGES_MAX;
}

static bool add_message(void *user, const struct message *m)
{
	return add(user, spoken_message(m));
}

/* Into the result, with what each replies to: only now, as no walk goes on any more. */
static void put_page(struct call *call, struct page *page, bool is_newest_first)
{
	struct json *list = json_array();

	for (unsigned i = 0; i < page->count; i++) {
		struct json *m = page->list[is_newest_first ? page->count - 1 - i : i];
		spoken_add_quote(call->engine, m);
		json_add(list, m);
	}
	json_set(call->result, "messages", list);
}

int method_messages(struct call *call)
{
	unsigned limit = (unsigned)json_int(call->params, "limit", 50);
	bool is_forward = json_has(call->params, "after");
	struct page *page = page_new(call);
	uint64_t from = 0;
	struct name name;
	int err = name_parse(&name, bytes_text(call_about(call, "conversation")));

	if (err == 0 && is_forward && json_has(call->params, "before")) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("either before or after a message, not both"));
		err = ERR_FORMAT;
	}
	json_id(call->params, is_forward ? "after" : "before", &from);
	if (err == 0)
		err = (is_forward ? engine_history_after : engine_history)(
			call->engine, name.text, from, limit, add_message, page);
	put_page(call, page, !is_forward);
	free(page);
	return err;
}

static bool put_message(void *user, const struct message *m)
{
	*(struct json **)user = spoken_message(m);
	return false;
}

int method_message(struct call *call)
{
	struct json *message = NULL;
	uint64_t id = 0;
	int err;

	call_about(call, "id");
	json_id(call->params, "id", &id);
	err = engine_message(call->engine, id, put_message, &message);
	if (err < 0 || !message)
		return err < 0 ? err : ERR_NOT_FOUND;
	spoken_add_quote(call->engine, message);
	json_set(call->result, "message", message);
	return 0;
}

static bool add_hit(void *user, const struct hit *hit)
{
	return add(user, spoken_hit(hit));
}

/* Behind those that were found before. */
static void add_hits(struct call *call, struct page *page)
{
	struct json *list = (struct json *)json_get(call->result, "messages");

	if (!list) {
		put_page(call, page, false);
		return;
	}
	for (unsigned i = 0; i < page->count; i++) {
		spoken_add_quote(call->engine, page->list[i]);
		json_add(list, page->list[i]);
	}
}

int method_search(struct call *call)
{
	size_t found = json_count(json_get(call->result, "messages"));
	unsigned limit = (unsigned)json_int(call->params, "limit", 20);
	struct page *page = page_new(call);
	bool has_name = json_has(call->params, "conversation");
	struct name name = { 0 };
	uint64_t before = 0;
	int err = 0;

	if (found)
		page->size = json_size(json_get(call->result, "messages"));
	if (has_name)
		err = name_parse(&name, bytes_text(call_about(call, "conversation")));
	json_id(call->params, "before", &before);
	if (err == 0)
		err = engine_search(call->engine, call_text(call, "query"),
				    has_name ? name.text : NULL, before,
				    limit - (unsigned)found, &call->at, add_hit, page);
	if (err == ERR_FORMAT)
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("there is no word in this to search for"));
	add_hits(call, page);
	free(page);
	return err == 1 ? API_AGAIN : err;
}

int method_grant_history(struct call *call)
{
	const char *id = call_about(call, "device");
	const struct listed_device *listed;
	struct device_public device;

	if (strlen(id) != BYTES_BASE64_SIZE(sizeof device.bytes) - 1 ||
	    bytes_from_base64(id, strlen(id), device.bytes, sizeof device.bytes) < 0) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("this is not the id of a device"));
		return ERR_FORMAT;
	}
	listed = device_list_find(engine_devices(call->engine), &device);
	if (listed && listed->label[0])
		snprintf(call->subject, sizeof call->subject, "%s", listed->label);
	return engine_grant_history(call->engine, &device, json_int(call->params, "since", 0),
				    json_bool(call->params, "on", true));
}
