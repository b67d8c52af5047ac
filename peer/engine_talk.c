/* What faces say in conversations: looked at at once, done in the next step. */
#include "peer/engine_inside.h"

#include <string.h>

#include "peer/conversations.h"
#include "peer/events.h"
#include "peer/files.h"
#include "peer/history.h"
#include "peer/persons.h"
#include "peer/proposals.h"
#include "shared/error.h"
#include "shared/menu.h"

/* --- wishes --- */

static int wish_add(struct engine *e, struct wish wish, struct bytes text)
{
	if (e->wish_count == e->wish_capacity) {
		e->wish_capacity = e->wish_capacity ? e->wish_capacity * 2 : 64;
		e->wishes = memory_grow(e->wishes, e->wish_capacity, sizeof *e->wishes);
	}
	wish.text = e->texts.size;
	wish.size = text.size;
	e->wishes[e->wish_count++] = wish;
	return buf_append(&e->texts, text);
}

static void grant(struct engine *e, const struct wish *wish)
{
	struct rooms *r = &e->rooms;
	struct person *p = persons_find(r->persons, &wish->to);
	struct to_say what = {
		.kind = wish->kind,
		.body = bytes_of(e->texts.data + wish->text, wish->size),
		.target = wish->target,
		.is_forwarded = wish->is_forwarded,
		.life = wish->life,
		.bot = bytes_text(wish->bot.text),
		.speaker = wish->speaker,
		.buttons = bytes_of(e->texts.data + wish->text + wish->size, wish->buttons),
	};
	uint64_t id = 0;
	int err = person_may_be_told(p);

	/* Approved twice in one step it is said once. */
	if (err == 0 && wish->proposal && !proposals_has(e->proposals, wish->proposal))
		err = ERR_NOT_FOUND;

	if (err == 0)
		err = conversations_say_entry(r->conversations, p, &what, &id);
	if (err == 0 && wish->proposal)
		proposals_settle(e->proposals, wish->proposal, true);
	if (err == 0)
		events_answer_said(r->events, wish->ticket, id, r->wall);
	else
		events_answer(r->events, wish->ticket, err, NULL, 0);
}

void engine_grant_wishes(struct engine *e)
{
	for (size_t i = 0; i < e->wish_count; i++)
		grant(e, &e->wishes[i]);
	e->wish_count = 0;
	e->texts.size = 0;
}

/* --- to somebody --- */

static int find(struct engine *e, const char *text, struct name *name)
{
	int err = engine_whom(e, text, name);

	return err < 0 ? err : person_may_be_told(persons_find(e->rooms.persons, name));
}

static int check_text(struct bytes text, bool may_be_empty)
{
	if (text.size > WIRE_TEXT_MAX)
		return ERR_LIMIT;
	return (text.size == 0 && !may_be_empty) || !bytes_is_utf8(text) ? ERR_FORMAT : 0;
}

int engine_check_text(struct engine *e, const struct engine_text *what, struct name *to)
{
	int err = check_text(what->text, false);

	if (err == 0)
		err = menu_check_buttons(what->buttons);
	return err < 0 ? err : find(e, what->to, to);
}

int engine_wish(struct engine *e, struct wish wish, const struct engine_text *what)
{
	wish.buttons = what->buttons.size;
	wish.speaker = what->speaker;
	if (what->bot)
		memcpy(wish.bot.text, what->bot, strnlen(what->bot, NAME_MAX));
	wish_add(e, wish, what->text);
	return buf_append(&e->texts, what->buttons);
}

int engine_say(struct engine *e, const struct engine_text *what, uint64_t ticket)
{
	struct wish wish = { .kind = SAY_TEXT, .target = what->reply_to, .ticket = ticket };
	int err = engine_check_text(e, what, &wish.to);

	return err < 0 ? err : engine_wish(e, wish, what);
}

int engine_send(struct engine *e, const char *to, struct bytes text, uint64_t reply_to,
		uint64_t ticket)
{
	const struct engine_text what = { .to = to, .text = text, .reply_to = reply_to };

	return engine_say(e, &what, ticket);
}

int engine_set_timer(struct engine *e, const char *to, uint32_t seconds, uint64_t ticket)
{
	struct wish wish = { .kind = SAY_TIMER, .life = seconds, .ticket = ticket };
	int err = seconds > WIRE_LIFE_MAX ? ERR_LIMIT : find(e, to, &wish.to);

	return err < 0 ? err : wish_add(e, wish, (struct bytes){ 0 });
}

/* --- about a message --- */

struct about {
	struct name contact;
	enum message_kind kind;
	bool is_gone;
	struct buf *text, *alt; /* or NULL */
};

static bool on_message(void *user, const struct message *m)
{
	struct about *about = user;

	about->contact = m->contact;
	about->kind = m->kind;
	about->is_gone = m->is_gone || m->is_retracted;
	if (about->text)
		buf_append(about->text, m->text);
	if (about->alt)
		buf_append(about->alt, m->file.alt);
	return false;
}

static int wish_about(struct engine *e, uint64_t id, enum say_kind kind, struct bytes body,
		      uint64_t ticket)
{
	struct about about = { 0 };
	struct wish wish = { .kind = kind, .target = id, .ticket = ticket };
	struct person *p;
	int err = history_one(&e->rooms, id, on_message, &about);

	if (err < 0)
		return err;
	p = persons_find(e->rooms.persons, &about.contact);
	err = person_may_be_told(p);
	if (err == 0)
		err = conversations_may_say(e->rooms.conversations, p, kind, id);
	if (err == 0 && kind == SAY_EDIT)
		err = check_text(body, about.kind == MESSAGE_FILE);
	if (err < 0)
		return err;
	wish.to = about.contact;
	return wish_add(e, wish, body);
}

int engine_edit(struct engine *e, uint64_t id, struct bytes text, uint64_t ticket)
{
	return wish_about(e, id, SAY_EDIT, text, ticket);
}

int engine_retract(struct engine *e, uint64_t id, uint64_t ticket)
{
	return wish_about(e, id, SAY_RETRACT, (struct bytes){ 0 }, ticket);
}

int engine_react(struct engine *e, uint64_t id, struct bytes reactions, uint64_t ticket)
{
	int err = conversations_check_reactions(reactions);

	return err < 0 ? err : wish_about(e, id, SAY_REACT, reactions, ticket);
}

/* With the words that stand there now. */
static int forward_file(struct engine *e, uint64_t id, const struct name *to, struct buf *text,
			struct buf *alt, uint64_t ticket)
{
	buf_append(text, bytes_of("", 1));
	buf_append(alt, bytes_of("", 1));
	return files_forward(e->rooms.files, id, persons_find(e->rooms.persons, to),
			     (const char *)text->data, (const char *)alt->data, ticket);
}

int engine_forward(struct engine *e, uint64_t id, const char *to, uint64_t ticket)
{
	struct wish wish = { .kind = SAY_TEXT, .is_forwarded = true, .ticket = ticket };
	struct buf text = { 0 }, alt = { 0 };
	struct about about = { .text = &text, .alt = &alt };
	int err = find(e, to, &wish.to);

	if (err == 0)
		err = history_one(&e->rooms, id, on_message, &about);
	if (err == 0 && (about.is_gone || about.kind == MESSAGE_UNKNOWN))
		err = ERR_STATE;
	if (err == 0 && about.kind == MESSAGE_FILE)
		err = forward_file(e, id, &wish.to, &text, &alt, ticket);
	else if (err == 0)
		err = wish_add(e, wish, buf_view(&text));
	buf_clear(&text);
	buf_clear(&alt);
	return err;
}
