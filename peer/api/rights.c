#include "peer/api/rights.h"

#include <string.h>

#include "shared/error.h"

/* clang-format off */
static const struct right rights[] = {
	{ "version", BOT_READS, "", .view = VIEW_ALL },
	{ "methods", BOT_READS, "" },
	{ "setLanguage", BOT_READS, "language" },
	{ "status", BOT_READS, "", .view = VIEW_STATUS },
	{ "listContacts", BOT_READS, "", .view = VIEW_CONTACTS },
	{ "getContact", BOT_READS, "name", .conversation = "name", .view = VIEW_CONTACTS },
	{ "getPicture", BOT_READS, "name", .conversation = "name" },
	{ "getMessages", BOT_READS, "conversation limit before after", .conversation = "conversation", .view = VIEW_MESSAGES },
	{ "getMessage", BOT_READS, "id", .message = "id", .view = VIEW_MESSAGES },
	{ "searchMessages", BOT_READS, "query conversation before limit", .conversation = "conversation", .view = VIEW_MESSAGES },
	{ "listTransfers", BOT_READS, "conversation all limit", .conversation = "conversation", .view = VIEW_MESSAGES },
	{ "getThumbnail", BOT_READS, "id", .message = "id" },
	{ "subscribe", BOT_READS, "since resume" },
	{ "unsubscribe", BOT_READS, "" },
	{ "ackEvents", BOT_READS, "eventId" },
	/* One that may propose only gets a proposal. */
	{ "send", BOT_PROPOSES, "conversation text replyTo buttons", .conversation = "conversation", .message = "replyTo", .is_counted = true },
	{ "setCommands", BOT_PROPOSES, "commands", .is_counted = true },
	{ "editMessage", BOT_SENDS, "id text", .message = "id", .is_own = true, .is_counted = true, .view = VIEW_MESSAGES },
	{ "deleteMessage", BOT_SENDS, "id", .message = "id", .is_own = true, .is_counted = true, .view = VIEW_MESSAGES },
	{ "sendReaction", BOT_SENDS, "id reactions", .message = "id", .is_counted = true, .view = VIEW_MESSAGES },
	{ "sendTyping", BOT_SENDS, "conversation typing", .conversation = "conversation", .is_counted = true },
	{ "newSpool", BOT_SENDS, "", .is_counted = true },
	{ "sendFile", BOT_SENDS, "conversation spool name type alt caption replyTo", .conversation = "conversation", .message = "replyTo", .is_counted = true },
	{ "acceptFile", BOT_SENDS, "id", .message = "id", .is_counted = true, .view = VIEW_MESSAGES },
};
/* clang-format on */

const struct right *right_find(const char *method)
{
	for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
		if (!strcmp(rights[i].method, method))
			return &rights[i];
	}
	return NULL;
}

static bool has_word(const char *words, const char *word)
{
	size_t size = strlen(word);

	for (; *words; words += strcspn(words, " "), words += strspn(words, " ")) {
		if (strcspn(words, " ") == size && !strncmp(words, word, size))
			return size > 0;
	}
	return false;
}

int right_check(const struct right *right, const struct bot *bot, const struct json *params)
{
	const struct json *value;
	const char *key, *name;
	void *it = NULL;

	if (!right || bot->may < right->may)
		return ERR_REFUSED;
	while ((key = json_each(params, &it, &value)) != NULL) {
		if (!has_word(right->params, key))
			return ERR_REFUSED;
	}
	if (!right->conversation)
		return 0;
	name = json_text(params, right->conversation);
	return name && bot_has(bot, name) ? 0 : ERR_REFUSED;
}

bool right_hears(const struct bot *bot, const struct event *event)
{
	switch (event->kind) {
	case EVENT_SAID:
	case EVENT_HEARD:
	case EVENT_DELIVERED:
	case EVENT_READ:
	case EVENT_CHANGED:
	case EVENT_TYPING:
	case EVENT_PRESENCE:
	case EVENT_FILE:
	case EVENT_PROGRESS:
		return bot_has(bot, event->name.text);
	case EVENT_SETTLED:
		/* One of that name of before may have had others. */
		return event->id > bot->first && !strcmp(event->detail, bot->name.text);
	default:
		return false;
	}
}
