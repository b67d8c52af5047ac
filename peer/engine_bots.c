/* Programs that speak for the account, and what a person decides about them. */
#include "peer/engine_inside.h"

#include <string.h>

#include "peer/account.h"
#include "peer/bots.h"
#include "peer/profiles.h"
#include "peer/proposals.h"
#include "shared/error.h"

/* --- who they are --- */

int engine_create_bot(struct engine *e, const struct bot *wish, char *token)
{
	int err = engine_is_readable(e) ? 0 : ERR_IO;

	if (err == 0 && account_standing(e->rooms.account) == STANDING_NONE)
		err = ERR_STATE;
	if (err == 0)
		err = bots_create(e->bots, wish, e->rooms.wall, token);
	return err < 0 ? err : engine_settle(e);
}

int engine_bot_at(struct engine *e, unsigned index, struct bot *out)
{
	const struct bot *bot = bots_at(e->bots, index);

	if (!bot)
		return ERR_NOT_FOUND;
	*out = *bot;
	return 0;
}

int engine_bot(struct engine *e, uint64_t id, wall_ms wall, struct bot *out)
{
	const struct bot *bot = bots_find(e->bots, id);

	if (!bot)
		return ERR_NOT_FOUND;
	*out = *bot;
	return bot_is_expired(bot, wall) ? ERR_EXPIRED : 0;
}

/* Only what changes here is said: another device of the account may show programs of its own, and the two
 * would never end. */
static void show_menu(struct engine *e)
{
	struct buf menu = { 0 };

	bots_menu(e->bots, e->rooms.wall, &menu);
	if (e->has_menu && !bytes_equal(buf_view(&menu), buf_view(&e->menu)))
		profiles_set_menu(e->rooms.profiles, buf_view(&menu));
	buf_clear(&e->menu);
	e->menu = menu;
	e->has_menu = true;
}

int engine_remove_bot(struct engine *e, const char *text)
{
	struct name name;
	uint64_t id;
	int err = engine_is_readable(e) ? name_parse(&name, bytes_text(text)) : ERR_IO;

	if (err == 0)
		err = bots_remove(e->bots, &name, &id);
	if (err < 0)
		return err;
	proposals_drop(e->proposals, id);
	show_menu(e);
	return engine_settle(e);
}

int engine_bot_named(struct engine *e, const char *text, struct bot *out)
{
	const struct bot *bot;
	struct name name;

	if (name_parse(&name, bytes_text(text)) < 0)
		return ERR_NAME;
	bot = bots_named(e->bots, &name);
	if (!bot)
		return ERR_NOT_FOUND;
	*out = *bot;
	return 0;
}

int engine_change_bot(struct engine *e, const struct bot *wish, char *token)
{
	int err = engine_is_readable(e) ? bots_change(e->bots, wish, token) : ERR_IO;

	if (err < 0)
		return err;
	show_menu(e);
	return engine_settle(e);
}

int engine_bot_of(struct engine *e, struct bytes token, wall_ms wall, uint64_t *id)
{
	return engine_is_readable(e) ? bots_of(e->bots, token, wall, id) : ERR_IO;
}

int engine_bot_acknowledge(struct engine *e, uint64_t id, uint64_t event)
{
	if (!engine_is_readable(e))
		return ERR_IO;
	bots_acknowledge(e->bots, id, event);
	return 0;
}

int engine_bot_menu(struct engine *e, uint64_t id, struct bytes menu, bool *is_shown)
{
	const struct bot *bot = bots_find(e->bots, id);
	int err = !engine_is_readable(e) ? ERR_IO : bot ? 0 : ERR_NOT_FOUND;

	if (err == 0)
		err = bots_set_menu(e->bots, id, menu);
	if (err < 0)
		return err;
	*is_shown = bot_is_shown(bot);
	show_menu(e);
	return engine_settle(e);
}

int engine_bot_spend(struct engine *e, uint64_t id, enum bot_spends what, mono_ns now)
{
	return bots_spend(e->bots, id, what, now);
}

void engine_bot_owe(struct engine *e, uint64_t id, unsigned calls)
{
	bots_owe(e->bots, id, calls);
}

mono_ns engine_step_bots(struct engine *e)
{
	struct rooms *r = &e->rooms;
	wall_ms at;

	if (account_standing(r->account) == STANDING_NONE) {
		if (bots_at(e->bots, 0)) {
			bots_drop_all(e->bots);
			proposals_drop(e->proposals, 0);
		}
		return NEVER;
	}
	show_menu(e);
	at = bots_expire_at(e->bots, r->wall);
	if (at == 0)
		return NEVER;
	/* The wall clock may be put: looked at again within the hour. */
	at -= r->wall;
	return r->now + (mono_ns)(at < 3600 * 1000 ? at : 3600 * 1000) * MILLISECOND;
}

/* --- what they want to say --- */

int engine_propose(struct engine *e, uint64_t id, const struct engine_text *what, uint64_t *out)
{
	const struct bot *bot = bots_find(e->bots, id);
	struct proposal one = { .bot = id,
				.text = what->text,
				.buttons = what->buttons,
				.reply_to = what->reply_to,
				.at = e->rooms.wall };
	int err = !engine_is_readable(e) ? ERR_IO : bot ? 0 : ERR_NOT_FOUND;

	if (err == 0)
		err = engine_check_text(e, what, &one.to);
	if (err < 0)
		return err;
	one.name = bot->name;
	err = proposals_add(e->proposals, &one);
	if (err == 0)
		err = engine_settle(e);
	*out = one.id;
	return err;
}

int engine_proposals(struct engine *e, uint64_t id, engine_each_proposal *each, void *user)
{
	return proposals_walk(e->proposals, id, each, user);
}

struct approval {
	struct engine *e;
	struct bytes text;
	uint64_t ticket;
	int err;
};

static bool approve(void *user, const struct proposal *one)
{
	struct approval *a = user;
	const struct engine_text what = {
		.to = one->to.text,
		.text = a->text.size > 0 ? a->text : one->text,
		.buttons = one->buttons,
		.bot = one->name.text,
		.speaker = one->bot,
	};
	struct wish wish = { .kind = SAY_TEXT,
			     .target = one->reply_to,
			     .ticket = a->ticket,
			     .proposal = one->id };

	a->err = engine_check_text(a->e, &what, &wish.to);
	if (a->err == 0)
		a->err = engine_wish(a->e, wish, &what);
	return false;
}

int engine_approve(struct engine *e, uint64_t id, struct bytes text, uint64_t ticket)
{
	struct approval a = { .e = e, .text = text, .ticket = ticket };
	int err = id == 0 ? ERR_NOT_FOUND : proposals_walk(e->proposals, id, approve, &a);

	return err < 0 ? err : a.err;
}

int engine_reject(struct engine *e, uint64_t id)
{
	int err = engine_is_readable(e) ? proposals_settle(e->proposals, id, false) : ERR_IO;

	return err < 0 ? err : engine_settle(e);
}
