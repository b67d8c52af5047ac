#include "peer/api/method_bots.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/spoken.h"
#include "shared/clock.h"
#include "shared/error.h"
#include "shared/menu.h"
#include "shared/text.h"

static const char *const rights[] = {
	[BOT_READS] = "read",
	[BOT_PROPOSES] = "propose",
	[BOT_SENDS] = "send",
};
enum { RIGHTS = sizeof rights / sizeof *rights };

/* --- who they are --- */

static struct json *names_view(const char *names)
{
	struct json *list = json_array();
	char name[NAME_MAX + 1];

	for (const char *at = names; *at;) {
		size_t size = strcspn(at, " ");

		if (size > 0 && size < sizeof name) {
			snprintf(name, sizeof name, "%.*s", (int)size, at);
			json_add_text(list, name);
		}
		at += size + (at[size] == ' ');
	}
	return list;
}

static struct json *bot_view(const struct bot *bot)
{
	struct json *o = json_set_text(json_object(), "name", bot->name.text);

	json_set(o, "conversations", names_view(bot->names));
	json_set_text(o, "may", rights[bot->may]);
	json_set_int(o, "rate", bot->rate);
	if (bot->expires)
		json_set_int(o, "expires", bot->expires);
	json_set_int(o, "created", bot->created);
	if (bot->seen)
		json_set_int(o, "seen", bot->seen);
	json_set_id(o, "acknowledged", bot->acknowledged);
	return o;
}

/* Left out it stays. */
static int read_right(struct call *call, struct bot *bot)
{
	const char *may = call_text(call, "may");

	if (!may)
		return 0;
	bot->may = 0;
	for (unsigned i = BOT_READS; i < RIGHTS; i++) {
		if (!strcmp(may, rights[i]))
			bot->may = (enum bot_may)i;
	}
	if (bot->may)
		return 0;
	snprintf(call->reason, sizeof call->reason, "%s", _("a bot may read, propose or send"));
	return ERR_FORMAT;
}

/* A name that is nobody's is a mistake, not a wish. */
static int read_names(struct call *call, struct bot *bot)
{
	const struct json *list = json_get(call->params, "conversations");
	struct contact contact;
	int err = 0;

	if (!list)
		return 0;
	bot->names[0] = '\0';
	if (json_count(list) == 0) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("at least one conversation is needed, or * for all"));
		return ERR_FORMAT;
	}
	for (size_t i = 0; err == 0 && i < json_count(list); i++) {
		const char *name = json_text_at(list, i);

		if (!strcmp(name, "*") && json_count(list) > 1) {
			snprintf(call->reason, sizeof call->reason, "%s",
				 _("either some conversations, or * for all"));
			return ERR_FORMAT;
		}
		if (strcmp(name, "*") != 0)
			err = engine_contact(call->engine, name, &contact);
		if (err == ERR_NOT_FOUND) {
			snprintf(call->reason, sizeof call->reason, _("%s is not a contact"),
				 name);
			snprintf(call->hint, sizeof call->hint, "palique ls");
		}
		if (err == 0)
			err = bot_add_name(bot, name);
	}
	return err;
}

int method_create_bot(struct call *call)
{
	struct bot bot = { .rate = (unsigned)json_int(call->params, "rate", BOT_RATE) };
	int64_t life = json_int(call->params, "expires", 0);
	char token[BOT_TOKEN_SIZE] = "";
	int err = name_parse(&bot.name, bytes_text(call_about(call, "name")));

	if (err == 0)
		err = read_right(call, &bot);
	if (err == 0)
		err = read_names(call, &bot);
	if (err == 0 && life > 0)
		bot.expires = call->wall + life * 1000;
	if (err == 0)
		err = engine_create_bot(call->engine, &bot, token);
	if (err == ERR_EXISTS)
		snprintf(call->reason, sizeof call->reason,
			 _("there is a bot called %s already"), bot.name.text);
	if (err == 0) {
		bot.created = call->wall;
		json_set(call->result, "bot", bot_view(&bot));
		json_set_text(call->result, "token", token);
		call->secret = "token";
	}
	sodium_memzero(token, sizeof token);
	return err;
}

static void no_bot(struct call *call, const char *name)
{
	snprintf(call->reason, sizeof call->reason, _("there is no bot called %s"), name);
}

/* What is left out stays as it is. */
int method_change_bot(struct call *call)
{
	const char *name = call_about(call, "name");
	bool is_new = json_bool(call->params, "newToken", false);
	int64_t life = json_int(call->params, "expires", -1);
	char token[BOT_TOKEN_SIZE] = "";
	struct bot bot;
	int err = engine_bot_named(call->engine, name, &bot);

	if (err == ERR_NOT_FOUND)
		no_bot(call, name);
	if (err == 0)
		err = read_right(call, &bot);
	if (err == 0)
		err = read_names(call, &bot);
	if (err == 0) {
		bot.rate = (unsigned)json_int(call->params, "rate", bot.rate);
		if (life >= 0)
			bot.expires = life > 0 ? call->wall + life * 1000 : 0;
		err = engine_change_bot(call->engine, &bot, is_new ? token : NULL);
	}
	if (err == 0) {
		json_set(call->result, "bot", bot_view(&bot));
		if (is_new)
			json_set_text(call->result, "token", token);
		call->secret = "token";
	}
	sodium_memzero(token, sizeof token);
	return err;
}

int method_bots(struct call *call)
{
	struct json *list = json_array();
	struct bot bot;

	for (unsigned i = 0; engine_bot_at(call->engine, i, &bot) == 0; i++)
		json_add(list, bot_view(&bot));
	json_set(call->result, "bots", list);
	return 0;
}

int method_remove_bot(struct call *call)
{
	const char *name = call_about(call, "name");
	int err = engine_remove_bot(call->engine, name);

	if (err == ERR_NOT_FOUND)
		no_bot(call, name);
	json_set_text(call->result, "name", name);
	return err;
}

/* --- what they call --- */

int method_authenticate(struct call *call)
{
	struct bot bot;
	uint64_t id = 0;
	int err;

	if (call->bot)
		return ERR_REFUSED;
	err = engine_bot_of(call->engine, bytes_text(call_text(call, "token")), call->wall,
			    &id);
	if (err == 0)
		err = engine_bot(call->engine, id, call->wall, &bot);
	if (err == 0)
		err = engine_bot_spend(call->engine, id, BOT_CALL, clock_now());
	call->is_guess = err == ERR_AUTH;
	if (err == ERR_AUTH)
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("this is not the token of a bot"));
	if (err == ERR_EXPIRED)
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("the token of this bot has expired"));
	if (err == ERR_BUSY)
		snprintf(call->reason, sizeof call->reason,
			 _("the bot %s asks too much at once"), bot.name.text);
	if (err < 0)
		return err;
	call->becomes = id;
	json_set(call->result, "bot", bot_view(&bot));
	return 0;
}

/* What only makes sense by a bot. */
static int need_bot(struct call *call)
{
	if (call->bot)
		return 0;
	snprintf(call->reason, sizeof call->reason, "%s",
		 _("this is for bots: authenticate with a token first"));
	return ERR_STATE;
}

int method_ack_events(struct call *call)
{
	uint64_t event = 0;
	int err = need_bot(call);

	if (err == 0)
		err = json_id(call->params, "eventId", &event);
	if (err == 0 && event > engine_last_event(call->engine))
		err = ERR_LIMIT;
	return err < 0 ? err : engine_bot_acknowledge(call->engine, call->bot->id, event);
}

int bots_lines(const struct call *call, const char *key, struct buf *lines)
{
	const struct json *list = json_get(call->params, key);

	for (size_t i = 0; i < json_count(list); i++) {
		const char *line = json_text_at(list, i);

		if (!*line || strchr(line, '\n'))
			return ERR_FORMAT;
		if (i > 0)
			buf_append_byte(lines, '\n');
		buf_append(lines, bytes_text(line));
	}
	return 0;
}

int method_set_commands(struct call *call)
{
	struct buf menu = { 0 };
	bool is_shown = false;
	int err = need_bot(call);

	if (err == 0)
		err = bots_lines(call, "commands", &menu);
	if (err == 0)
		err = engine_bot_menu(call->engine, call->bot->id, buf_view(&menu), &is_shown);
	if (err == ERR_FORMAT || err == ERR_LIMIT)
		snprintf(call->reason, sizeof call->reason,
			 _("a command is a name of [a-z0-9_-] with up to %d bytes, a space, "
			   "and up to "
			   "%d bytes of what it is for"),
			 MENU_NAME_MAX, MENU_ABOUT_MAX);
	json_set_bool(call->result, "shown", is_shown);
	buf_clear(&menu);
	return err;
}

/* --- what they want to say --- */

struct proposed {
	struct call *call;
	struct json *list;
	size_t size;
};

static bool add_proposal(void *user, const struct proposal *one)
{
	struct proposed *all = user;
	struct json *shown = spoken_proposal(one);

	json_add(all->list, shown);
	return call_has_room(all->call, &all->size, shown);
}

int method_proposals(struct call *call)
{
	struct proposed all = { .call = call, .list = json_array() };

	json_set(call->result, "proposals", all.list);
	return engine_proposals(call->engine, 0, add_proposal, &all);
}

static bool put_name(void *user, const struct proposal *one)
{
	struct call *call = user;

	snprintf(call->subject, sizeof call->subject, "%s", one->to.text);
	return false;
}

/* Zero is no number of one. */
static int proposal_of(struct call *call, uint64_t *id)
{
	int err = json_id(call->params, "id", id);

	if (err == 0)
		err = *id == 0 ? ERR_NOT_FOUND
			       : engine_proposals(call->engine, *id, put_name, call);
	if (err == ERR_NOT_FOUND)
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("there is no such proposal (any more)"));
	return err;
}

int method_approve(struct call *call)
{
	const char *text = call_text(call, "text");
	uint64_t id = 0;
	int err = text && !*text ? ERR_FORMAT : proposal_of(call, &id);

	/* Other words that are none are no yes to those that were proposed. */
	if (err == ERR_FORMAT)
		snprintf(call->reason, sizeof call->reason, "%s", _("the message is empty"));
	if (err == 0)
		err = engine_approve(call->engine, id, bytes_text(text ? text : ""),
				     call->ticket);
	return err < 0 ? err : API_LATER;
}

int method_reject(struct call *call)
{
	uint64_t id = 0;
	int err = proposal_of(call, &id);

	return err < 0 ? err : engine_reject(call->engine, id);
}
