/* Talking: what devices say to one another. */
#include "shared/wire_fields.h"

#include "shared/error.h"
#include "shared/menu.h"
#include "shared/offer.h"

/* --- conversations ------------------------------------------------------------------------ */

void fields_devices(struct coder *c, struct wire_message *m)
{
	coder_device_list(c, &m->devices.devices);
}

void fields_delivered(struct coder *c, struct wire_message *m)
{
	coder_fixed(c, m->delivered.conversation.bytes, sizeof m->delivered.conversation.bytes);
	coder_number(c, &m->delivered.next, 1, UINT64_MAX);
}

void fields_have(struct coder *c, struct wire_message *m)
{
	coder_fixed(c, m->have.conversation.bytes, sizeof m->have.conversation.bytes);
	coder_fixed(c, m->have.author.bytes, sizeof m->have.author.bytes);
	coder_number(c, &m->have.next, 1, UINT64_MAX);
	coder_fixed(c, m->have.last.bytes, sizeof m->have.last.bytes);
}

void fields_ack(struct coder *c, struct wire_message *m)
{
	coder_fixed(c, m->ack.conversation.bytes, sizeof m->ack.conversation.bytes);
	coder_fixed(c, m->ack.author.bytes, sizeof m->ack.author.bytes);
	coder_number(c, &m->ack.next, 1, UINT64_MAX);
}

/* Reactions stand apart by one space each: as many spaces as that, and nothing that a line cannot
 * show. */
static void check_reactions(struct coder *c, struct bytes all)
{
	size_t size = 0, count = all.size > 0;

	for (size_t i = 0; i < all.size && !coder_is_refused(c); i++) {
		size = all.data[i] == ' ' ? 0 : size + 1;
		count += all.data[i] == ' ';
		coder_check(c, size <= WIRE_REACTION_MAX && count <= WIRE_REACTIONS_MAX,
			    ERR_LIMIT);
		coder_check(c,
			    all.data[i] > ' ' || (size == 0 && i > 0 && all.data[i - 1] != ' '),
			    ERR_FORMAT);
	}
	coder_check(c, all.size == 0 || size > 0, ERR_FORMAT);
}

static void say_body(struct coder *c, struct wire_say *s)
{
	switch (s->kind) {
	case SAY_TEXT:
		coder_text(c, &s->body, 1, WIRE_TEXT_MAX);
		break;
	case SAY_EDIT:
		coder_text(c, &s->body, 0, WIRE_TEXT_MAX);
		break;
	case SAY_REACT:
		coder_text(c, &s->body, 0, WIRE_REACTIONS_MAX * (WIRE_REACTION_MAX + 1) - 1);
		if (!coder_is_refused(c))
			check_reactions(c, s->body);
		break;
	case SAY_RETRACT:
	case SAY_TIMER:
		coder_bytes(c, &s->body, 0, 0);
		break;
	case SAY_GONE:
		coder_bytes(c, &s->body, sizeof(struct message_hash),
			    sizeof(struct message_hash));
		break;
	default:
		coder_bytes(c, &s->body, s->kind == SAY_FILE, WIRE_SAY_MAX);
		break;
	}
}

static void about(struct coder *c, struct wire_say *s)
{
	coder_fixed(c, s->about_author.bytes, sizeof s->about_author.bytes);
	coder_number(c, &s->about_seq, 1, UINT64_MAX);
}

/* What a program said, and answers to press. */
static void by_program(struct coder *c, struct wire_say *s)
{
	struct name name;

	coder_text(c, &s->bot, 0, NAME_MAX);
	coder_text(c, &s->buttons, 0, MENU_BUTTONS_SIZE);
	if (coder_is_refused(c))
		return;
	coder_check(c, s->bot.size > 0 || s->buttons.size > 0, ERR_FORMAT);
	coder_check(c, s->bot.size == 0 || name_check(&name, s->bot) == 0, ERR_NAME);
	coder_check(c, menu_check_buttons(s->buttons) == 0, ERR_FORMAT);
}

/* nil: nothing; two fields: what it is about; three: that (two fields, or nil), forwarded, life; five: those
 * three, the program's name, buttons. Each value has one form, since it is hashed; each longer form is
 * younger than those before it, and chains hold them all. */
static void say_more(struct coder *c, struct wire_say *s)
{
	bool is_programs = s->bot.size > 0 || s->buttons.size > 0;
	bool is_long = s->is_forwarded || s->life > 0 || is_programs;
	unsigned count = is_programs ? 5 : is_long ? 3 : 2;

	if (!coder_optional(c, s->is_about || is_long))
		return;
	coder_list(c, &count, 5);
	if (count == 2) {
		s->is_about = true;
		about(c, s);
		return;
	}
	coder_check(c, count == 3 || count == 5, ERR_FORMAT);
	s->is_about = coder_optional(c, s->is_about);
	if (s->is_about) {
		coder_nest(c, 2);
		about(c, s);
	}
	coder_flag(c, &s->is_forwarded);
	coder_number32(c, &s->life, 0, WIRE_LIFE_MAX);
	coder_check(c, count == 5 || s->is_forwarded || s->life > 0, ERR_FORMAT);
	if (count == 5)
		by_program(c, s);
}

/* Who points where, and whose life is counted. */
static void check_say(struct coder *c, const struct wire_say *s)
{
	bool is_shown = s->kind == SAY_TEXT || s->kind == SAY_FILE;
	bool is_change = s->kind == SAY_EDIT || s->kind == SAY_RETRACT || s->kind == SAY_REACT;

	if (s->kind > SAY_GONE)
		return;
	coder_check(c, is_shown || s->kind == SAY_GONE || s->is_about == is_change, ERR_FORMAT);
	coder_check(c, is_shown || !s->is_forwarded, ERR_FORMAT);
	coder_check(c, is_shown || s->kind == SAY_TIMER || s->life == 0, ERR_FORMAT);
	coder_check(c, is_shown || (s->bot.size == 0 && s->buttons.size == 0), ERR_FORMAT);
}

void fields_of_say(struct coder *c, struct wire_say *s)
{
	uint64_t kind = s->kind;

	coder_fixed(c, s->conversation.bytes, sizeof s->conversation.bytes);
	coder_fixed(c, s->author.bytes, sizeof s->author.bytes);
	coder_number(c, &s->seq, 1, UINT64_MAX);
	coder_fixed(c, s->previous.bytes, sizeof s->previous.bytes);
	coder_time(c, &s->time);
	coder_number(c, &kind, SAY_TEXT, SAY_LAST);
	s->kind = (enum say_kind)kind;
	say_body(c, s);
	say_more(c, s);
	if (!coder_is_refused(c))
		check_say(c, s);
}

void fields_say(struct coder *c, struct wire_message *m)
{
	fields_of_say(c, &m->say);
}

/* --- registers ---------------------------------------------------------------------------- */

void fields_read(struct coder *c, struct wire_message *m)
{
	coder_fixed(c, m->read.conversation.bytes, sizeof m->read.conversation.bytes);
	coder_fixed(c, m->read.author.bytes, sizeof m->read.author.bytes);
	coder_number(c, &m->read.next, 1, UINT64_MAX);
}

void fields_typing(struct coder *c, struct wire_message *m)
{
	coder_fixed(c, m->typing.conversation.bytes, sizeof m->typing.conversation.bytes);
	coder_flag(c, &m->typing.is_typing);
}

void fields_of_profile(struct coder *c, struct wire_profile *p)
{
	uint64_t availability = p->availability;

	coder_number(c, &p->number, 1, INT64_MAX);
	coder_number(c, &availability, AVAILABLE, BUSY);
	p->availability = (enum availability)availability;
	coder_text(c, &p->title, 0, WIRE_TITLE_MAX);
	coder_text(c, &p->status, 0, WIRE_STATUS_MAX);
	coder_bytes(c, &p->picture, 0, WIRE_PICTURE_MAX);
}

/* The sixth field stands where there is something in it: who shows no program has the form, and the
 * mark, that it had before there were any. */
void fields_of_profile_program(struct coder *c, struct wire_profile *p)
{
	coder_nest(c, 2);
	coder_flag(c, &p->is_bot);
	coder_text(c, &p->menu, 0, MENU_COMMANDS_SIZE);
	if (coder_is_refused(c))
		return;
	coder_check(c, p->is_bot || p->menu.size > 0, ERR_FORMAT);
	coder_check(c, menu_check_commands(p->menu) == 0, ERR_FORMAT);
}

void fields_profile(struct coder *c, struct wire_message *m)
{
	fields_of_profile(c, &m->profile);
}

void fields_profile_have(struct coder *c, struct wire_message *m)
{
	coder_number(c, &m->profile_have.number, 0, INT64_MAX);
	coder_fixed(c, m->profile_have.mark.bytes, sizeof m->profile_have.mark.bytes);
}

/* --- files -------------------------------------------------------------------------------- */

/* 0 or a failure; sent as its negated number. */
static void failure(struct coder *c, int *err)
{
	uint64_t error = (uint64_t) - (int64_t)*err;

	coder_number(c, &error, 0, -(ERR_LAST + 1));
	if (!c->to)
		*err = -(int)error;
}

void fields_file_get(struct coder *c, struct wire_message *m)
{
	coder_fixed(c, m->file_get.id, sizeof m->file_get.id);
	coder_number(c, &m->file_get.offset, 0, OFFER_SIZE_MAX);
}

void fields_file_head(struct coder *c, struct wire_message *m)
{
	failure(c, &m->file_head.error);
	coder_number(c, &m->file_head.size, 0, OFFER_SIZE_MAX);
}

void fields_file_tail(struct coder *c, struct wire_message *m)
{
	failure(c, &m->file_tail.error);
	coder_fixed(c, m->file_tail.hash, sizeof m->file_tail.hash);
}

void fields_file_done(struct coder *c, struct wire_message *m)
{
	failure(c, &m->file_done.error);
}

void fields_file_stands(struct coder *c, struct wire_message *m)
{
	coder_fixed(c, m->file_stands.id, sizeof m->file_stands.id);
	failure(c, &m->file_stands.error);
}

void fields_file_noted(struct coder *c, struct wire_message *m)
{
	coder_fixed(c, m->file_noted.id, sizeof m->file_noted.id);
	failure(c, &m->file_noted.error);
}

/* --- history for a new device --------------------------------------------------------------- */

void fields_grant(struct coder *c, struct wire_message *m)
{
	coder_number(c, &m->grant.number, 0, INT64_MAX);
	coder_time(c, &m->grant.since);
}

void fields_history_get(struct coder *c, struct wire_message *m)
{
	coder_number(c, &m->history_get.number, 1, INT64_MAX);
	coder_flag(c, &m->history_get.goes_on);
	coder_number(c, &m->history_get.before, 0, INT64_MAX);
}

static void told(struct coder *c, struct wire_told *t)
{
	coder_nest(c, 16);
	coder_number(c, &t->at, 1, INT64_MAX);
	coder_name(c, &t->contact);
	coder_fixed(c, t->theirs.bytes, sizeof t->theirs.bytes);
	coder_fixed(c, t->ours.bytes, sizeof t->ours.bytes);
	coder_flag(c, &t->is_ours);
	coder_time(c, &t->arrived_at);
	coder_number(c, &t->delivered, 1, UINT64_MAX);
	coder_number(c, &t->read, 1, UINT64_MAX);
	fields_of_say(c, &t->say);
}

void fields_history(struct coder *c, struct wire_message *m)
{
	struct wire_history *h = &m->history;

	coder_list(c, &h->count, WIRE_HISTORY_MAX);
	for (unsigned i = 0; i < h->count && !coder_is_refused(c); i++)
		told(c, &h->list[i]);
}

/* --- where somebody is ------------------------------------------------------------------- */

void fields_record(struct coder *c, struct wire_message *m)
{
	fields_of_record(c, &m->record.record);
}

static void reader(struct coder *c, struct wire_forwarding_reader *r)
{
	coder_nest(c, 2);
	coder_fixed(c, r->token, sizeof r->token);
	coder_fixed(c, r->key, sizeof r->key);
}

/* Sealed bytes are longer than the seal itself. */
static void sealed_record(struct coder *c, struct bytes *b)
{
	coder_bytes(c, b, WIRE_SEALED_OVERHEAD + 1, WIRE_SEALED_RECORD_MAX);
}

void fields_forwarding(struct coder *c, struct wire_message *m)
{
	struct wire_forwarding *f = &m->forwarding;

	coder_number(c, &f->number, 1, UINT64_MAX);
	sealed_record(c, &f->record);
	coder_list(c, &f->count, WIRE_FORWARDING_MAX);
	for (unsigned i = 0; i < f->count && !coder_is_refused(c); i++)
		reader(c, &f->readers[i]);
}

void fields_where(struct coder *c, struct wire_message *m)
{
	struct wire_where *w = &m->where;

	coder_list(c, &w->count, WIRE_WHERE_MAX);
	for (unsigned i = 0; i < w->count && !coder_is_refused(c); i++)
		coder_fixed(c, w->tokens[i], sizeof w->tokens[i]);
}

void fields_there(struct coder *c, struct wire_message *m)
{
	reader(c, &m->there.reader);
	coder_number(c, &m->there.number, 1, UINT64_MAX);
	sealed_record(c, &m->there.record);
	fields_of_maybe_address(c, &m->there.seen);
}

/* --- through a contact of both ------------------------------------------------------------ */

void fields_relay_open(struct coder *c, struct wire_message *m)
{
	struct wire_relay_open *o = &m->relay_open;

	coder_number32(c, &o->circuit, 1, UINT32_MAX);
	coder_fixed(c, o->nonce, sizeof o->nonce);
	coder_fixed(c, o->target, sizeof o->target);
}

void fields_relay_offer(struct coder *c, struct wire_message *m)
{
	struct wire_relay_offer *o = &m->relay_offer;

	coder_number32(c, &o->circuit, 1, UINT32_MAX);
	coder_fixed(c, o->identity.bytes, sizeof o->identity.bytes);
	coder_fixed(c, o->device.bytes, sizeof o->device.bytes);
}

void fields_relay_answer(struct coder *c, struct wire_message *m)
{
	struct wire_relay_answer *a = &m->relay_answer;

	coder_number32(c, &a->circuit, 1, UINT32_MAX);
	failure(c, &a->error);
	coder_number32(c, &a->rate, 0, UINT32_MAX);
}

void fields_relay_close(struct coder *c, struct wire_message *m)
{
	coder_number32(c, &m->relay_close.circuit, 1, UINT32_MAX);
}
