/* Talking: what devices say to one another. */
#include "shared/wire_fields.h"

#include "shared/error.h"

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

void fields_of_say(struct coder *c, struct wire_say *s)
{
	uint64_t kind = s->kind;

	coder_fixed(c, s->conversation.bytes, sizeof s->conversation.bytes);
	coder_fixed(c, s->author.bytes, sizeof s->author.bytes);
	coder_number(c, &s->seq, 1, UINT64_MAX);
	coder_fixed(c, s->previous.bytes, sizeof s->previous.bytes);
	coder_time(c, &s->time);
	coder_number(c, &kind, SAY_TEXT, SAY_TEXT);
	s->kind = (enum say_kind)kind;
	coder_text(c, &s->body, 1, WIRE_TEXT_MAX);
	s->is_reply = coder_optional(c, s->is_reply);
	if (!s->is_reply)
		return;
	coder_nest(c, 2);
	coder_fixed(c, s->reply_author.bytes, sizeof s->reply_author.bytes);
	coder_number(c, &s->reply_seq, 1, UINT64_MAX);
}

void fields_say(struct coder *c, struct wire_message *m)
{
	fields_of_say(c, &m->say);
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
	uint64_t error = (uint64_t) - (int64_t)a->error;

	coder_number32(c, &a->circuit, 1, UINT32_MAX);
	coder_number(c, &error, 0, -(ERR_LAST + 1));
	if (!c->to)
		a->error = -(int)error;
	coder_number32(c, &a->rate, 0, UINT32_MAX);
}

void fields_relay_close(struct coder *c, struct wire_message *m)
{
	coder_number32(c, &m->relay_close.circuit, 1, UINT32_MAX);
}
