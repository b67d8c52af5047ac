/* Being somebody: what client and directory say. */
#include "shared/wire_fields.h"

#include "shared/error.h"

/* Sealed bytes are no shorter than the seal itself. */
static void greeting(struct coder *c, struct bytes *b)
{
	coder_bytes(c, b, 0, WIRE_SEALED_GREETING_MAX);
	coder_check(c, b->size == 0 || b->size >= SEAL_OVERHEAD, ERR_FORMAT);
}

void fields_of_maybe_address(struct coder *c, struct address *a)
{
	if (coder_optional(c, a->family != 0))
		coder_address(c, a);
}

static void consent(struct coder *c, enum consent *v)
{
	uint64_t number = *v;

	coder_number(c, &number, CONSENT_DIRECT, CONSENT_HIDDEN);
	if (!c->to)
		*v = (enum consent)number;
}

/* Inside a byte string: so what the signature covers stays in one piece. */
void fields_of_record(struct coder *c, struct peer_record *r)
{
	uint8_t room[PEER_RECORD_SIZE_MAX];
	struct buf wire = { .data = room, .capacity = sizeof room, .limit = sizeof room };
	struct bytes read;
	int err = 0;

	if (c->to) {
		err = peer_record_encode(r, &wire);
		pack_bin(c->to, buf_view(&wire));
	} else {
		read = unpack_bin(c->from, PEER_RECORD_SIZE_MAX);
		if (!coder_is_refused(c))
			err = peer_record_decode(r, read);
	}
	coder_check(c, err == 0, err);
}

/* The record is the device's that the certificate names. */
static void device(struct coder *c, struct wire_device *d)
{
	coder_nest(c, 3);
	coder_certificate(c, &d->certificate);
	if (coder_optional(c, d->record.number > 0)) {
		fields_of_record(c, &d->record);
		coder_check(c, device_public_equal(&d->record.device, &d->certificate.device),
			    ERR_FORMAT);
	}
	fields_of_maybe_address(c, &d->seen);
}

void fields_welcome(struct coder *c, struct wire_message *m)
{
	struct wire_welcome *w = &m->welcome;

	coder_name(c, &w->name);
	fields_of_maybe_address(c, &w->observed);
	coder_time(c, &w->now);
	coder_number(c, &w->vault_version, 0, INT64_MAX);
	coder_number32(c, &w->failed, 0, UINT32_MAX);
	coder_list(c, &w->sight_count, WIRE_SIGHTS_MAX);
	for (unsigned i = 0; i < w->sight_count && !coder_is_refused(c); i++)
		coder_address(c, &w->sights[i]);
}

void fields_observed(struct coder *c, struct wire_message *m)
{
	coder_address(c, &m->observed.observed);
}

/* Two versions of what one device says; the second gives nothing away. */
void fields_publish(struct coder *c, struct wire_message *m)
{
	struct wire_publish *p = &m->publish;

	fields_of_record(c, &p->open);
	fields_of_record(c, &p->shut);
	coder_check(c, device_public_equal(&p->open.device, &p->shut.device), ERR_FORMAT);
	coder_check(c, p->shut.candidates.count == 0, ERR_FORMAT);
}

static void listed(struct coder *c, struct wire_listed *l)
{
	coder_nest(c, 2);
	coder_name(c, &l->name);
	consent(c, &l->consent);
}

void fields_list(struct coder *c, struct wire_message *m)
{
	coder_flag(c, &m->list.is_first);
	coder_flag(c, &m->list.is_last);
	coder_list(c, &m->list.count, WIRE_LIST_CHUNK);
	for (unsigned i = 0; i < m->list.count && !coder_is_refused(c); i++)
		listed(c, &m->list.list[i]);
}

void fields_list_add(struct coder *c, struct wire_message *m)
{
	coder_name(c, &m->list_add.name);
	consent(c, &m->list_add.consent);
	greeting(c, &m->list_add.greeting);
}

void fields_list_remove(struct coder *c, struct wire_message *m)
{
	coder_name(c, &m->list_remove.name);
}

void fields_presence(struct coder *c, struct wire_message *m)
{
	struct wire_presence *p = &m->presence;

	coder_name(c, &p->name);
	coder_maybe_device_list(c, &p->devices);
	coder_list(c, &p->device_count, WIRE_DEVICES_MAX);
	for (unsigned i = 0; i < p->device_count && !coder_is_refused(c); i++)
		device(c, &p->online[i]);
}

void fields_asked(struct coder *c, struct wire_message *m)
{
	coder_name(c, &m->asked.name);
	coder_fixed(c, m->asked.identity.bytes, sizeof m->asked.identity.bytes);
	greeting(c, &m->asked.greeting);
}

void fields_introduce(struct coder *c, struct wire_message *m)
{
	coder_name(c, &m->introduce.name);
}

void fields_introduction(struct coder *c, struct wire_message *m)
{
	struct wire_introduction *i = &m->introduction;

	coder_name(c, &i->name);
	device(c, &i->device);
	coder_check(c, i->device.record.number > 0, ERR_FORMAT);
	coder_flag(c, &i->is_dialler);
	coder_number32(c, &i->our_round_trip, 0, UINT32_MAX);
	coder_number32(c, &i->their_round_trip, 0, UINT32_MAX);
}

void fields_suspect(struct coder *c, struct wire_message *m)
{
	coder_name(c, &m->suspect.name);
	coder_fixed(c, m->suspect.device.bytes, sizeof m->suspect.device.bytes);
}

void fields_check_nonce(struct coder *c, struct wire_message *m)
{
	coder_number(c, &m->check.nonce, 0, UINT64_MAX);
}

void fields_check_answer(struct coder *c, struct wire_message *m)
{
	coder_number(c, &m->check_answer.nonce, 0, UINT64_MAX);
}

void fields_leaving(struct coder *c, struct wire_message *m)
{
	coder_number32(c, &m->leaving.retry_after, 0, WIRE_LEAVING_MAX);
}
