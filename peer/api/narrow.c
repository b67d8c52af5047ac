#include "peer/api/narrow.h"

#include <stdio.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

struct whose {
	const struct bot *bot;
	bool is_its; /* in one of its conversations */
	bool is_own; /* said by it */
};

static bool look(void *user, const struct message *m)
{
	struct whose *whose = user;

	whose->is_its = bot_has(whose->bot, m->contact.text);
	whose->is_own = m->is_ours && m->speaker == whose->bot->id;
	return false;
}

/* That of others' is as if it were not there. */
static int check_message(struct call *call, const struct bot *bot, const struct right *right)
{
	struct whose whose = { .bot = bot };
	uint64_t id;
	int err;

	if (!right->message || !json_has(call->params, right->message))
		return 0;
	err = json_id(call->params, right->message, &id);
	if (err == 0)
		err = engine_message(call->engine, id, look, &whose);
	if (err == 0 && !whose.is_its)
		err = ERR_NOT_FOUND;
	return err == 0 && right->is_own && !whose.is_own ? ERR_REFUSED : err;
}

int narrow_check(struct call *call, const struct bot *bot, const char *method, mono_ns now)
{
	const struct right *right = right_find(method);
	bool is_asking = engine_bot_spend(call->engine, bot->id, BOT_CALL, now) == 0;
	int err = is_asking ? right_check(right, bot, call->params) : ERR_BUSY;

	if (err == 0)
		err = check_message(call, bot, right);
	if (err == 0 && right->is_counted)
		err = engine_bot_spend(call->engine, bot->id, BOT_MESSAGE, now);
	if (err == ERR_REFUSED)
		snprintf(call->reason, sizeof call->reason, _("the bot %s may not do that"),
			 bot->name.text);
	if (err == ERR_BUSY && !is_asking)
		snprintf(call->reason, sizeof call->reason,
			 _("the bot %s asks too much at once"), bot->name.text);
	else if (err == ERR_BUSY)
		snprintf(call->reason, sizeof call->reason,
			 _("the bot %s says more than %u messages in a minute"), bot->name.text,
			 bot->rate);
	return err;
}

/* --- what it is shown --- */

static struct json *contact_view(const struct json *contact)
{
	static const char *const keys[] = { "name",  "state",   "online", "availability",
					    "title", "status",  "typing", "hasPicture",
					    "bot",   "commands" };
	struct json *o = json_object();

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (json_has(contact, keys[i]))
			json_set(o, keys[i],
				 json_keep((struct json *)json_get(contact, keys[i])));
	}
	return o;
}

static void narrow_contacts(struct json *result, const struct bot *bot)
{
	const struct json *list = json_get(result, "contacts"),
			  *one = json_get(result, "contact");
	struct json *its = json_array();

	for (size_t i = 0; i < json_count(list); i++) {
		const char *name = json_text(json_at(list, i), "name");

		if (name && bot_has(bot, name))
			json_add(its, contact_view(json_at(list, i)));
	}
	if (one)
		json_set(result, "contact", contact_view(one));
	if (list)
		json_set(result, "contacts", its);
	else
		json_free(its);
}

/* Where a file lies that a person has sent says more of this machine than a bot has to know. */
static void narrow_message(struct json *m, bool is_own)
{
	const struct json *file = json_get(m, "file");

	if (is_own && file)
		json_drop((struct json *)file, "path");
	if (is_own)
		json_drop(m, "path"); /* of a transfer, which is flat */
}

static void narrow_list(struct json *result, const char *key)
{
	const struct json *list = json_get(result, key);

	for (size_t i = 0; i < json_count(list); i++) {
		struct json *m = (struct json *)json_at(list, i);

		narrow_message(m, json_bool(m, "own", true));
	}
}

static void narrow_messages(struct json *result)
{
	static const char *const ones[] = { "message", "transfer" };

	for (size_t i = 0; i < sizeof ones / sizeof *ones; i++) {
		struct json *m = (struct json *)json_get(result, ones[i]);

		if (m && json_is_object(m))
			narrow_message(m, json_bool(m, "own", true));
	}
	narrow_list(result, "messages");
	narrow_list(result, "transfers");
}

static struct json *status_view(const struct json *status)
{
	const char *version = json_text(status, "version"),
		   *name = json_text(json_get(status, "account"), "name");

	return json_set(json_set_text(json_object(), "version", version), "account",
			json_set_text(json_object(), "name", name));
}

struct json *narrow_result(struct json *take_result, const struct bot *bot, const char *method)
{
	const struct right *right = right_find(method);
	struct json *status;

	switch (right ? right->view : VIEW_ALL) {
	case VIEW_MESSAGES:
		narrow_messages(take_result);
		break;
	case VIEW_CONTACTS:
		narrow_contacts(take_result, bot);
		break;
	case VIEW_STATUS:
		status = status_view(take_result);
		json_free(take_result);
		return status;
	case VIEW_ALL:
		break;
	}
	return take_result;
}

void narrow_event(struct json *params)
{
	struct json *message = (struct json *)json_get(params, "message");
	bool is_own = json_bool(params, "own", !json_has(params, "from"));

	narrow_message(params, is_own);
	if (message && json_is_object(message))
		narrow_message(message, json_bool(message, "own", is_own));
}
