#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/frame.h"
#include "shared/ksf.h"
#include "shared/wire.h"
#include "tests/world/dice.h"

enum { ROUNDS = 200, TYPES = 128 };

/* --- random messages ------------------------------------------------------------------ */

static struct dice dice;
static uint8_t body[WIRE_VAULT_GET_PART]; /* what views of a random message point into */

static void fill(void *data, size_t size)
{
	uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)dice_next(&dice);
}

static uint64_t any_number(void)
{
	return dice_next(&dice) >> dice_below(&dice, 64);
}

static uint64_t any_sequence(void)
{
	uint64_t n = any_number();

	return n ? n : 1;
}

static void any_name(struct name *n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t size = dice_between(&dice, NAME_MIN, NAME_MAX);

	memset(n, 0, sizeof *n);
	for (size_t i = 0; i < size; i++)
		n->text[i] = letters[dice_below(&dice, i == 0 ? 36 : 39)];
}

static void any_address(struct address *a)
{
	do {
		memset(a, 0, sizeof *a);
		a->family = dice_chance(&dice, 500) ? 4 : 6;
		fill(a->ip, a->family == 4 ? 4 : 16);
		a->port = (uint16_t)dice_next(&dice);
	} while (!address_is_unicast(a));
}

static void any_candidates(struct candidates *all)
{
	uint64_t count = dice_between(&dice, 0, CANDIDATES_MAX);

	memset(all, 0, sizeof *all);
	while (all->count < count) {
		struct address a;

		any_address(&a);
		candidates_add(all, (enum candidate_kind)dice_between(&dice, 1, 4), &a);
	}
}

static void any_certificate(struct certificate *c)
{
	struct identity who;
	struct device_public machine;
	char label[CERTIFICATE_LABEL_MAX + 1] = { 0 };

	identity_make(&who);
	fill(machine.bytes, sizeof machine.bytes);
	memset(label, 'x', dice_below(&dice, sizeof label));
	certificate_make(c, &who, &machine, label, any_number(), (wall_ms)any_number());
	identity_wipe(&who);
}

static void any_nat(struct nat *nat)
{
	memset(nat, 0, sizeof *nat);
	nat->mapping = (enum nat_mapping)dice_between(&dice, NAT_UNKNOWN, NAT_RANDOM);
	nat->filtering = (enum nat_filtering)dice_between(&dice, 0, NAT_FILTERED);
	nat->low = nat->mapping == NAT_SEQUENTIAL || nat->mapping == NAT_BLOCK ? 1024 : 0;
	nat->high = nat->mapping == NAT_SEQUENTIAL ? 2 : nat->mapping == NAT_BLOCK ? 1535 : 0;
}

static void any_record(struct peer_record *r, const struct device_public *of)
{
	struct identity who;

	memset(r, 0, sizeof *r);
	r->device = *of;
	r->number = any_sequence();
	fill(r->knock.bytes, sizeof r->knock.bytes);
	any_nat(&r->nat);
	r->is_relay = dice_chance(&dice, 300);
	any_candidates(&r->candidates);
	identity_make(&who);
	peer_record_sign(r, &who);
	identity_wipe(&who);
}

static void any_device(struct wire_device *d, bool has_record)
{
	any_certificate(&d->certificate);
	if (has_record)
		any_record(&d->record, &d->certificate.device);
	if (dice_chance(&dice, 500))
		any_address(&d->seen);
}

static void any_reader(struct wire_forwarding_reader *r)
{
	fill(r->token, sizeof r->token);
	fill(r->key, sizeof r->key);
}

static void any_device_list(struct device_list *l)
{
	struct identity before, now;
	uint64_t count = dice_between(&dice, 1, DEVICE_LIST_MAX);

	memset(l, 0, sizeof *l);
	for (unsigned i = 0; i < count; i++) {
		struct device_public machine;
		char label[LABEL_MAX + 1] = { 0 };

		fill(machine.bytes, sizeof machine.bytes);
		memset(label, 'y', dice_below(&dice, sizeof label));
		device_list_add(l, &machine, label, (wall_ms)dice_next(&dice));
	}
	l->version = any_number() >> 2;
	identity_make(&now);
	device_list_sign(l, &now);
	for (uint64_t past = dice_between(&dice, 0, DEVICE_LIST_PAST_MAX); past > 0; past--) {
		before = now;
		identity_make(&now);
		device_list_succeed(l, &before, &now.public);
		device_list_sign(l, &now);
	}
	identity_wipe(&before);
	identity_wipe(&now);
}

static void any_newcomer(struct wire_newcomer *n)
{
	any_certificate(&n->certificate);
	fill(n->proof_of_possession, sizeof n->proof_of_possession);
	any_device_list(&n->devices);
}

static void any_first_vault(struct wire_first_vault *v)
{
	fill(v->wrap, sizeof v->wrap);
	fill(v->signature, sizeof v->signature);
	fill(v->sealed, sizeof v->sealed);
}

static void any_work(struct wire_work *w)
{
	w->is_done = dice_chance(&dice, 500);
	w->nonce = w->is_done ? any_number() : 0;
}

/* Long enough not to be taken for one of the fields of a fixed size beside it. */
static struct bytes any_part(uint64_t *total, uint64_t *offset, size_t max)
{
	size_t size = dice_chance(&dice, 50) ? max : dice_between(&dice, 100, 300);

	fill(body, size < sizeof body ? size : sizeof body);
	*offset = dice_between(&dice, 0, VAULT_SIZE_MAX - max);
	*total = dice_between(&dice, *offset + size, VAULT_SIZE_MAX);
	return bytes_of(body, size);
}

static uint64_t any_version(void)
{
	uint64_t version = any_number() >> 1;

	return version ? version : 1;
}

static struct bytes any_text(size_t min, size_t max)
{
	size_t size = dice_chance(&dice, 100)
			      ? max
			      : dice_between(&dice, min, dice_chance(&dice, 700) ? 40 : max);

	size = size > max ? max : size;
	for (size_t i = 0; i < size; i++)
		body[i] = (uint8_t)dice_between(&dice, 1, 127);
	return bytes_of(body, size);
}

static struct bytes any_sealed_record(void)
{
	fill(body, WIRE_SEALED_RECORD_MAX);
	return bytes_of(body, dice_between(&dice, 100, WIRE_SEALED_RECORD_MAX));
}

static enum consent any_consent(void)
{
	return (enum consent)dice_between(&dice, CONSENT_DIRECT, CONSENT_HIDDEN);
}

static struct bytes any_greeting(void)
{
	if (dice_chance(&dice, 300))
		return (struct bytes){ 0 };
	fill(body, WIRE_SEALED_GREETING_MAX);
	return bytes_of(body, dice_between(&dice, SEAL_OVERHEAD, WIRE_SEALED_GREETING_MAX));
}

/* Under a password, under a recovery code, or none. */
static struct bytes any_wrap(void)
{
	static const size_t sizes[] = { 0, VAULT_WRAP_SIZE, VAULT_RECOVERY_SIZE };

	fill(body, VAULT_RECOVERY_SIZE);
	return bytes_of(body, sizes[dice_below(&dice, 3)]);
}

static struct bytes any_bytes(size_t min, size_t max)
{
	size_t size = dice_between(&dice, (int64_t)min, (int64_t)max);

	fill(body, size);
	return bytes_of(body, size);
}

static struct bytes any_body(enum say_kind kind)
{
	switch (kind) {
	case SAY_TEXT:
		return any_text(1, WIRE_TEXT_MAX);
	case SAY_EDIT:
		return any_text(0, WIRE_TEXT_MAX);
	case SAY_REACT:
		return dice_chance(&dice, 500) ? bytes_text("\xf0\x9f\x91\x8d ok")
					       : any_bytes(0, 0);
	case SAY_RETRACT:
	case SAY_TIMER:
		return any_bytes(0, 0);
	case SAY_GONE:
		return any_bytes(32, 32);
	default:
		return any_bytes(1, 2000);
	}
}

static void any_say_of(struct wire_say *s, enum say_kind kind)
{
	bool is_shown = kind == SAY_TEXT || kind == SAY_FILE;
	bool is_free = is_shown || kind > SAY_GONE;

	fill(s->conversation.bytes, 16);
	fill(s->author.bytes, 32);
	fill(s->previous.bytes, 32);
	s->seq = any_sequence();
	s->time = (wall_ms)dice_next(&dice);
	s->kind = kind;
	s->body = any_body(kind);
	s->is_about = kind == SAY_EDIT || kind == SAY_RETRACT || kind == SAY_REACT ||
		      (is_free && dice_chance(&dice, 500));
	s->is_forwarded = is_free && dice_chance(&dice, 300);
	if ((is_free || kind == SAY_TIMER) && dice_chance(&dice, 300))
		s->life = (uint32_t)dice_between(&dice, 0, WIRE_LIFE_MAX);
	if (!s->is_about)
		return;
	fill(s->about_author.bytes, 32);
	s->about_seq = any_sequence();
}

static void any_say(struct wire_say *s)
{
	any_say_of(s, dice_chance(&dice, 100)
			      ? SAY_LAST
			      : (enum say_kind)dice_between(&dice, SAY_TEXT, SAY_GONE));
}

static void any_told(struct wire_told *t)
{
	t->at = any_sequence() >> 1 | 1;
	any_name(&t->contact);
	fill(t->theirs.bytes, 32);
	fill(t->ours.bytes, 32);
	t->is_ours = dice_chance(&dice, 500);
	t->arrived_at = (wall_ms)dice_next(&dice);
	t->delivered = any_sequence();
	t->read = any_sequence();
	any_say(&t->say);
	if (t->say.kind == SAY_TEXT || t->say.kind == SAY_EDIT)
		t->say.body = bytes_text("hola");
}

static void any_fields(struct wire_message *m)
{
	switch (m->type) {
	case WIRE_REGISTER_START:
		any_name(&m->register_start.name);
		m->register_start.invite = any_text(0, WIRE_INVITE_MAX);
		fill(m->register_start.request, OPAQUE_REQUEST_SIZE);
		any_work(&m->register_start.work);
		break;
	case WIRE_REGISTER_CHALLENGE:
		fill(m->register_challenge.response, OPAQUE_RESPONSE_SIZE);
		m->register_challenge.ksf = KSF_ARGON2ID_256M;
		break;
	case WIRE_REGISTER_FINISH:
		fill(m->register_finish.record, OPAQUE_RECORD_SIZE);
		any_newcomer(&m->register_finish.newcomer);
		any_first_vault(&m->register_finish.vault);
		break;
	case WIRE_REGISTER_DONE:
	case WIRE_ENROL_DONE:
	case WIRE_PASSWORD_DONE:
	case WIRE_RECOVERY_DONE:
	case WIRE_DELETE_DONE:
		break;
	case WIRE_LOGIN_START:
		any_name(&m->login_start.name);
		fill(m->login_start.ke1, OPAQUE_KE1_SIZE);
		any_work(&m->login_start.work);
		break;
	case WIRE_LOGIN_CHALLENGE:
		fill(m->login_challenge.ke2, OPAQUE_KE2_SIZE);
		m->login_challenge.ksf = KSF_ARGON2ID_64M;
		break;
	case WIRE_LOGIN_FINISH:
		fill(m->login_finish.ke3, OPAQUE_KE3_SIZE);
		break;
	case WIRE_LOGIN_DONE:
		m->login_done.has_identity = dice_chance(&dice, 800);
		if (m->login_done.has_identity)
			any_device_list(&m->login_done.devices);
		m->login_done.wrap = any_wrap();
		m->login_done.has_recovery = dice_chance(&dice, 500);
		m->login_done.vault_version = any_number() >> 1;
		m->login_done.failed = (uint32_t)any_number();
		break;
	case WIRE_ENROL:
		any_newcomer(&m->enrol.newcomer);
		m->enrol.has_vault = dice_chance(&dice, 500);
		if (m->enrol.has_vault)
			any_first_vault(&m->enrol.vault);
		break;
	case WIRE_RECOVER:
		any_name(&m->recover.name);
		fill(m->recover.proof, 64);
		any_work(&m->recover.work);
		break;
	case WIRE_RESET:
		m->reset.code = any_text(1, WIRE_INVITE_MAX);
		break;
	case WIRE_RESET_DONE:
		any_name(&m->reset_done.name);
		break;
	case WIRE_REFUSAL:
		m->refusal.about = WIRE_LOGIN_START;
		m->refusal.error = -(int)dice_between(&dice, 1, -(ERR_LAST + 1));
		m->refusal.retry_after = (uint32_t)any_number();
		if (dice_chance(&dice, 500)) {
			fill(m->refusal.work.challenge, WORK_CHALLENGE_SIZE);
			m->refusal.work.bits = (uint8_t)dice_between(&dice, 1, WORK_BITS_MAX);
		}
		break;
	case WIRE_WELCOME:
		any_name(&m->welcome.name);
		if (dice_chance(&dice, 500))
			any_address(&m->welcome.observed);
		m->welcome.now = (wall_ms)dice_next(&dice);
		m->welcome.vault_version = any_number() >> 1;
		m->welcome.failed = (uint32_t)any_number();
		m->welcome.sight_count = (unsigned)dice_between(&dice, 0, WIRE_SIGHTS_MAX);
		for (unsigned i = 0; i < m->welcome.sight_count; i++)
			any_address(&m->welcome.sights[i]);
		break;
	case WIRE_OBSERVED:
		any_address(&m->observed.observed);
		break;
	case WIRE_PUBLISH: {
		struct device_public machine;

		fill(machine.bytes, sizeof machine.bytes);
		any_record(&m->publish.open, &machine);
		any_record(&m->publish.shut, &machine);
		m->publish.shut.candidates.count = 0;
		break;
	}
	case WIRE_LIST:
		m->list.is_first = dice_chance(&dice, 500);
		m->list.is_last = dice_chance(&dice, 500);
		m->list.count = (unsigned)dice_between(&dice, 0, WIRE_LIST_CHUNK);
		for (unsigned i = 0; i < m->list.count; i++)
			any_name(&m->list.list[i].name),
				m->list.list[i].consent = any_consent();
		break;
	case WIRE_LIST_ADD:
		any_name(&m->list_add.name);
		m->list_add.consent = any_consent();
		m->list_add.greeting = any_greeting();
		break;
	case WIRE_LIST_REMOVE:
		any_name(&m->list_remove.name);
		break;
	case WIRE_PRESENCE:
		any_name(&m->presence.name);
		if (dice_chance(&dice, 700))
			any_device_list(&m->presence.devices);
		m->presence.device_count = (unsigned)dice_between(&dice, 0, WIRE_DEVICES_MAX);
		for (unsigned i = 0; i < m->presence.device_count; i++)
			any_device(&m->presence.online[i], dice_chance(&dice, 800));
		break;
	case WIRE_ASKED:
		any_name(&m->asked.name);
		fill(m->asked.identity.bytes, 32);
		m->asked.greeting = any_greeting();
		break;
	case WIRE_INTRODUCE:
		any_name(&m->introduce.name);
		break;
	case WIRE_INTRODUCTION:
		any_name(&m->introduction.name);
		any_device(&m->introduction.device, true);
		m->introduction.is_dialler = dice_chance(&dice, 500);
		m->introduction.our_round_trip = (uint32_t)any_number();
		m->introduction.their_round_trip = (uint32_t)any_number();
		break;
	case WIRE_SUSPECT:
		any_name(&m->suspect.name);
		fill(m->suspect.device.bytes, 32);
		break;
	case WIRE_CHECK:
		m->check.nonce = any_number();
		break;
	case WIRE_CHECK_ANSWER:
		m->check_answer.nonce = any_number();
		break;
	case WIRE_LEAVING:
		m->leaving.retry_after = (uint32_t)dice_between(&dice, 0, 86400);
		break;
	case WIRE_PASSWORD_START:
		fill(m->password_start.request, OPAQUE_REQUEST_SIZE);
		break;
	case WIRE_PASSWORD_CHALLENGE:
		fill(m->password_challenge.response, OPAQUE_RESPONSE_SIZE);
		m->password_challenge.ksf = KSF_ARGON2ID_256M;
		break;
	case WIRE_PASSWORD_FINISH:
		fill(m->password_finish.record, OPAQUE_RECORD_SIZE);
		m->password_finish.has_wrap = dice_chance(&dice, 700);
		if (m->password_finish.has_wrap)
			fill(m->password_finish.wrap, VAULT_WRAP_SIZE);
		m->password_finish.has_devices = dice_chance(&dice, 500);
		if (m->password_finish.has_devices)
			any_device_list(&m->password_finish.devices);
		break;
	case WIRE_VAULT_GET:
		m->vault_get.offset = dice_between(&dice, 0, VAULT_SIZE_MAX);
		break;
	case WIRE_VAULT_PART:
		m->vault_part.version = any_version();
		fill(m->vault_part.signature, VAULT_SIGNATURE_SIZE);
		m->vault_part.part = any_part(&m->vault_part.total, &m->vault_part.offset,
					      WIRE_VAULT_GET_PART);
		break;
	case WIRE_VAULT_PUT:
		m->vault_put.version = any_version();
		fill(m->vault_put.signature, VAULT_SIGNATURE_SIZE);
		m->vault_put.part = any_part(&m->vault_put.total, &m->vault_put.offset,
					     WIRE_VAULT_PUT_PART);
		break;
	case WIRE_VAULT_NOW:
		m->vault_now.version = any_number() >> 1;
		break;
	case WIRE_DEVICES_PUT:
		any_device_list(&m->devices_put.devices);
		break;
	case WIRE_DEVICES_DONE:
		m->devices_done.version = any_version();
		break;
	case WIRE_RECOVERY_PUT:
		m->recovery_put.is_none = dice_chance(&dice, 300);
		if (m->recovery_put.is_none)
			break;
		fill(m->recovery_put.prove.bytes, 32);
		fill(m->recovery_put.wrap, VAULT_RECOVERY_SIZE);
		break;
	case WIRE_DELETE:
		fill(m->delete.proof, 64);
		break;
	case WIRE_HAVE:
		fill(m->have.conversation.bytes, 16);
		fill(m->have.author.bytes, 32);
		m->have.next = any_sequence();
		fill(m->have.last.bytes, 32);
		break;
	case WIRE_SAY:
		any_say(&m->say);
		break;
	case WIRE_ACK:
		fill(m->ack.conversation.bytes, 16);
		fill(m->ack.author.bytes, 32);
		m->ack.next = any_sequence();
		break;
	case WIRE_DEVICES:
		any_device_list(&m->devices.devices);
		break;
	case WIRE_DELIVERED:
		fill(m->delivered.conversation.bytes, 16);
		m->delivered.next = any_sequence();
		break;
	case WIRE_READ:
		fill(m->read.conversation.bytes, 16);
		fill(m->read.author.bytes, 32);
		m->read.next = any_sequence();
		break;
	case WIRE_TYPING:
		fill(m->typing.conversation.bytes, 16);
		m->typing.is_typing = dice_chance(&dice, 500);
		break;
	case WIRE_PROFILE:
		m->profile.number = any_sequence() >> 1 | 1;
		m->profile.availability = (enum availability)dice_between(&dice, AVAILABLE,
									  BUSY);
		m->profile.title = any_text(0, WIRE_TITLE_MAX);
		m->profile.status = bytes_of(m->profile.title.data, m->profile.title.size);
		m->profile.picture = bytes_of(body, dice_below(&dice, WIRE_PICTURE_MAX));
		break;
	case WIRE_PROFILE_HAVE:
		m->profile_have.number = any_number() >> 1;
		fill(m->profile_have.mark.bytes, 16);
		break;
	case WIRE_FILE_GET:
		fill(m->file_get.id, 16);
		m->file_get.offset = any_number() >> 14;
		break;
	case WIRE_FILE_HEAD:
		m->file_head.error = dice_chance(&dice, 500) ? ERR_NOT_FOUND : 0;
		m->file_head.size = any_number() >> 14;
		break;
	case WIRE_FILE_TAIL:
		m->file_tail.error = dice_chance(&dice, 500) ? ERR_IO : 0;
		fill(m->file_tail.hash, 32);
		break;
	case WIRE_FILE_DONE:
		m->file_done.error = dice_chance(&dice, 500) ? ERR_CORRUPT : 0;
		break;
	case WIRE_FILE_STANDS:
		fill(m->file_stands.id, 16);
		m->file_stands.error = dice_chance(&dice, 500) ? ERR_FULL : 0;
		break;
	case WIRE_FILE_NOTED:
		fill(m->file_noted.id, 16);
		m->file_noted.error = dice_chance(&dice, 500) ? ERR_CORRUPT : 0;
		break;
	case WIRE_GRANT:
		m->grant.number = any_number() >> 1;
		m->grant.since = (wall_ms)dice_next(&dice);
		break;
	case WIRE_HISTORY_GET:
		m->history_get.number = any_sequence() >> 1 | 1;
		m->history_get.goes_on = dice_chance(&dice, 500);
		m->history_get.before = any_number() >> 1;
		break;
	case WIRE_HISTORY:
		m->history.count = dice_below(&dice, WIRE_HISTORY_MAX + 1);
		for (unsigned i = 0; i < m->history.count; i++)
			any_told(&m->history.list[i]);
		break;
	case WIRE_RECORD: {
		struct device_public machine;

		fill(machine.bytes, sizeof machine.bytes);
		any_record(&m->record.record, &machine);
		break;
	}
	case WIRE_FORWARDING:
		m->forwarding.number = any_sequence();
		m->forwarding.record = any_sealed_record();
		m->forwarding.count = (unsigned)dice_between(&dice, 0, WIRE_FORWARDING_MAX);
		for (unsigned i = 0; i < m->forwarding.count; i++)
			any_reader(&m->forwarding.readers[i]);
		break;
	case WIRE_WHERE:
		m->where.count = (unsigned)dice_between(&dice, 0, WIRE_WHERE_MAX);
		fill(m->where.tokens, m->where.count * sizeof m->where.tokens[0]);
		break;
	case WIRE_THERE:
		any_reader(&m->there.reader);
		m->there.number = any_sequence();
		m->there.record = any_sealed_record();
		if (dice_chance(&dice, 500))
			any_address(&m->there.seen);
		break;
	case WIRE_RELAY_OPEN:
		m->relay_open.circuit = (uint32_t)dice_between(&dice, 1, UINT32_MAX);
		fill(m->relay_open.nonce, 16);
		fill(m->relay_open.target, 16);
		break;
	case WIRE_RELAY_OFFER:
		m->relay_offer.circuit = (uint32_t)dice_between(&dice, 1, UINT32_MAX);
		fill(m->relay_offer.identity.bytes, 32);
		fill(m->relay_offer.device.bytes, 32);
		break;
	case WIRE_RELAY_ANSWER:
		m->relay_answer.circuit = (uint32_t)dice_between(&dice, 1, UINT32_MAX);
		m->relay_answer.error = -(int)dice_between(&dice, 0, -(ERR_LAST + 1));
		m->relay_answer.rate = (uint32_t)any_number();
		break;
	case WIRE_RELAY_CLOSE:
		m->relay_close.circuit = (uint32_t)dice_between(&dice, 1, UINT32_MAX);
		break;
	}
}

static const struct {
	enum wire_type type;
	unsigned from;
} all[] = {
	{ WIRE_REGISTER_START, WIRE_FROM_GUEST },
	{ WIRE_REGISTER_CHALLENGE, WIRE_FROM_DIRECTORY },
	{ WIRE_REGISTER_FINISH, WIRE_FROM_GUEST },
	{ WIRE_REGISTER_DONE, WIRE_FROM_DIRECTORY },
	{ WIRE_LOGIN_START, WIRE_FROM_GUEST | WIRE_FROM_CLIENT },
	{ WIRE_LOGIN_CHALLENGE, WIRE_FROM_DIRECTORY },
	{ WIRE_LOGIN_FINISH, WIRE_FROM_GUEST | WIRE_FROM_CLIENT },
	{ WIRE_LOGIN_DONE, WIRE_FROM_DIRECTORY },
	{ WIRE_REFUSAL, WIRE_FROM_DIRECTORY },
	{ WIRE_ENROL, WIRE_FROM_GUEST },
	{ WIRE_ENROL_DONE, WIRE_FROM_DIRECTORY },
	{ WIRE_RECOVER, WIRE_FROM_GUEST },
	{ WIRE_RESET, WIRE_FROM_GUEST },
	{ WIRE_RESET_DONE, WIRE_FROM_DIRECTORY },
	{ WIRE_WELCOME, WIRE_FROM_DIRECTORY },
	{ WIRE_PUBLISH, WIRE_FROM_CLIENT },
	{ WIRE_LIST, WIRE_FROM_CLIENT },
	{ WIRE_LIST_ADD, WIRE_FROM_CLIENT },
	{ WIRE_LIST_REMOVE, WIRE_FROM_CLIENT },
	{ WIRE_PRESENCE, WIRE_FROM_DIRECTORY },
	{ WIRE_ASKED, WIRE_FROM_DIRECTORY },
	{ WIRE_INTRODUCE, WIRE_FROM_CLIENT },
	{ WIRE_INTRODUCTION, WIRE_FROM_DIRECTORY },
	{ WIRE_SUSPECT, WIRE_FROM_CLIENT },
	{ WIRE_CHECK, WIRE_FROM_DIRECTORY },
	{ WIRE_CHECK_ANSWER, WIRE_FROM_CLIENT },
	{ WIRE_LEAVING, WIRE_FROM_DIRECTORY },
	{ WIRE_OBSERVED, WIRE_FROM_DIRECTORY },
	{ WIRE_PASSWORD_START, WIRE_FROM_GUEST | WIRE_FROM_CLIENT },
	{ WIRE_PASSWORD_CHALLENGE, WIRE_FROM_DIRECTORY },
	{ WIRE_PASSWORD_FINISH, WIRE_FROM_GUEST | WIRE_FROM_CLIENT },
	{ WIRE_PASSWORD_DONE, WIRE_FROM_DIRECTORY },
	{ WIRE_VAULT_GET, WIRE_FROM_GUEST | WIRE_FROM_CLIENT },
	{ WIRE_VAULT_PART, WIRE_FROM_DIRECTORY },
	{ WIRE_VAULT_PUT, WIRE_FROM_CLIENT },
	{ WIRE_VAULT_NOW, WIRE_FROM_DIRECTORY },
	{ WIRE_DEVICES_PUT, WIRE_FROM_CLIENT },
	{ WIRE_DEVICES_DONE, WIRE_FROM_DIRECTORY },
	{ WIRE_RECOVERY_PUT, WIRE_FROM_CLIENT },
	{ WIRE_RECOVERY_DONE, WIRE_FROM_DIRECTORY },
	{ WIRE_DELETE, WIRE_FROM_CLIENT },
	{ WIRE_DELETE_DONE, WIRE_FROM_DIRECTORY },
	{ WIRE_HAVE, WIRE_FROM_PEER },
	{ WIRE_SAY, WIRE_FROM_PEER },
	{ WIRE_ACK, WIRE_FROM_PEER },
	{ WIRE_DEVICES, WIRE_FROM_PEER },
	{ WIRE_DELIVERED, WIRE_FROM_PEER },
	{ WIRE_RECORD, WIRE_FROM_PEER },
	{ WIRE_FORWARDING, WIRE_FROM_PEER },
	{ WIRE_WHERE, WIRE_FROM_PEER },
	{ WIRE_THERE, WIRE_FROM_PEER },
	{ WIRE_RELAY_OPEN, WIRE_FROM_PEER },
	{ WIRE_RELAY_OFFER, WIRE_FROM_PEER },
	{ WIRE_RELAY_ANSWER, WIRE_FROM_PEER },
	{ WIRE_RELAY_CLOSE, WIRE_FROM_PEER },
	{ WIRE_READ, WIRE_FROM_PEER },
	{ WIRE_TYPING, WIRE_FROM_PEER },
	{ WIRE_PROFILE, WIRE_FROM_PEER },
	{ WIRE_PROFILE_HAVE, WIRE_FROM_PEER },
	{ WIRE_FILE_GET, WIRE_FROM_PEER },
	{ WIRE_FILE_HEAD, WIRE_FROM_PEER },
	{ WIRE_FILE_TAIL, WIRE_FROM_PEER },
	{ WIRE_FILE_DONE, WIRE_FROM_PEER },
	{ WIRE_GRANT, WIRE_FROM_PEER },
	{ WIRE_HISTORY_GET, WIRE_FROM_PEER },
	{ WIRE_HISTORY, WIRE_FROM_PEER },
	{ WIRE_FILE_STANDS, WIRE_FROM_PEER },
	{ WIRE_FILE_NOTED, WIRE_FROM_PEER },
};
enum { ALL = sizeof all / sizeof all[0] };

static size_t row_of(enum wire_type type)
{
	size_t row = 0;

	while (all[row].type != type)
		row++;
	return row;
}

/* One of those who may send it. */
static enum wire_side sender(size_t row)
{
	return (enum wire_side)(all[row].from & -all[row].from);
}

static void any_message(struct wire_message *m, struct buf *out, size_t row)
{
	memset(m, 0, sizeof *m);
	m->type = all[row].type;
	any_fields(m);
	out->size = 0;
	assert_int_equal(wire_encode(m, out), 0);
	assert_true(out->size <= FRAME_MAX);
}

static int setup(void **state)
{
	(void)state;
	dice_init(&dice, 1, 0);
	return sodium_init() < 0;
}

/* --- the tests ------------------------------------------------------------------------ */

static void every_type_has_a_row_and_a_sender(void **state)
{
	unsigned named = 0;

	(void)state;
	for (int type = 0; type < TYPES; type++)
		named += wire_name((enum wire_type)type) != NULL;
	assert_int_equal(named, ALL);
	assert_string_equal(wire_name(WIRE_LOGIN_START), "LOGIN_START");
	assert_null(wire_name((enum wire_type)0));
	assert_null(wire_name((enum wire_type)1000));
}

/* Views have other addresses, so what was decoded is compared by encoding it again. */
static void every_message_comes_back(void **state)
{
	static struct wire_message sent, got;
	struct buf first = { 0 }, second = { 0 };

	(void)state;
	for (size_t row = 0; row < ALL; row++) {
		for (int round = 0; round < ROUNDS; round++) {
			any_message(&sent, &first, row);
			assert_int_equal(wire_decode(&got, buf_view(&first), sender(row)), 0);
			assert_int_equal(got.type, sent.type);
			second.size = 0;
			assert_int_equal(wire_encode(&got, &second), 0);
			assert_true(bytes_equal(buf_view(&first), buf_view(&second)));
		}
	}
	buf_clear(&first);
	buf_clear(&second);
}

static void fields_arrive_in_their_places(void **state)
{
	static struct wire_message sent, got;
	struct buf out = { 0 };

	(void)state;
	any_message(&sent, &out, row_of(WIRE_SAY));
	memset(&sent.say, 0, sizeof sent.say);
	any_say_of(&sent.say, SAY_TEXT);
	sent.say.is_about = sent.say.is_forwarded = true;
	sent.say.about_seq = 9;
	sent.say.life = 60;
	sent.say.time = -5;
	out.size = 0;
	assert_int_equal(wire_encode(&sent, &out), 0);
	assert_int_equal(wire_decode(&got, buf_view(&out), WIRE_FROM_PEER), 0);
	assert_true(bytes_equal(sent.say.body, got.say.body));
	sent.say.body = got.say.body;
	assert_memory_equal(&sent.say, &got.say, sizeof sent.say);

	for (size_t row = 0; row < ALL; row++) {
		if (all[row].type != WIRE_PRESENCE && all[row].type != WIRE_LIST &&
		    all[row].type != WIRE_REFUSAL && all[row].type != WIRE_HAVE &&
		    all[row].type != WIRE_ENROL && all[row].type != WIRE_PASSWORD_FINISH &&
		    all[row].type != WIRE_RECOVERY_PUT && all[row].type != WIRE_RECOVER &&
		    all[row].type != WIRE_WELCOME && all[row].type != WIRE_INTRODUCTION &&
		    all[row].type != WIRE_RECORD && all[row].type != WIRE_WHERE &&
		    all[row].type != WIRE_RELAY_ANSWER && all[row].type != WIRE_RELAY_OFFER)
			continue;
		any_message(&sent, &out, row);
		assert_int_equal(wire_decode(&got, buf_view(&out), sender(row)), 0);
		assert_memory_equal(&sent, &got, sizeof sent);
	}
	buf_clear(&out);
}

static void assert_encoded(const struct wire_message *m, enum wire_side from, const char *hex)
{
	static struct wire_message got;
	struct buf out = { 0 };
	char text[2048];

	assert_int_equal(wire_encode(m, &out), 0);
	assert_true(out.size < sizeof text / 2);
	bytes_to_hex(buf_view(&out), text);
	assert_string_equal(text, hex);
	assert_int_equal(wire_decode(&got, buf_view(&out), from), 0);
	buf_clear(&out);
}

/* docs/protocol.md, Examples: made by another implementation, so that both sides of ours
 * cannot be wrong in the same way. */
static void the_bytes_are_those_of_the_documentation(void **state)
{
	static struct wire_message m;

	(void)state;
	memset(&m, 0, sizeof m);
	m.type = WIRE_WELCOME;
	m.welcome.name = (struct name){ "alice" };
	assert_encoded(&m, WIRE_FROM_DIRECTORY, "9710a5616c696365c000000090");

	memset(&m, 0, sizeof m);
	m.type = WIRE_LIST;
	m.list.is_first = true;
	m.list.count = 2;
	m.list.list[0].name = (struct name){ "bob" };
	m.list.list[1].name = (struct name){ "carol" };
	m.list.list[1].consent = CONSENT_RELAY;
	assert_encoded(&m, WIRE_FROM_CLIENT, "9412c3c29292a3626f620092a56361726f6c01");

	memset(&m, 0, sizeof m);
	m.type = WIRE_REFUSAL;
	m.refusal.about = WIRE_LOGIN_START;
	m.refusal.error = ERR_BUSY;
	m.refusal.retry_after = 200;
	assert_encoded(&m, WIRE_FROM_DIRECTORY, "95090508ccc8c0");
	m.refusal.retry_after = 0;
	m.refusal.work.bits = 20;
	memset(m.refusal.work.challenge, 7, sizeof m.refusal.work.challenge);
	assert_encoded(&m, WIRE_FROM_DIRECTORY,
		       "950905080092c4100707070707070707070707070707070714");

	memset(&m, 0, sizeof m);
	m.type = WIRE_RECORD;
	memset(m.record.record.device.bytes, 4, 32);
	m.record.record.number = 1700000000000;
	memset(m.record.record.knock.bytes, 5, 16);
	m.record.record.nat = (struct nat){ NAT_SEQUENTIAL, NAT_FILTERED, 40000, 1 };
	m.record.record.candidates.count = 2;
	m.record.record.candidates.list[0].kind = CANDIDATE_HOST;
	address_parse(&m.record.record.candidates.list[0].address, "192.168.1.5:7272", 0);
	m.record.record.candidates.list[1].kind = CANDIDATE_REFLEXIVE;
	address_parse(&m.record.record.candidates.list[1].address, "[2001:db8::1]:65535", 0);
	memset(m.record.record.signature, 6, 64);
	assert_encoded(&m, WIRE_FROM_PEER,
		       "9245c4a997c42004040404040404040404040404040404040404040404040404040404"
		       "04040404cf0000018bcfe56800c41005050505050505050505050505050505940302cd"
		       "9c4001c2929201c406c0a801051c689202c41220010db8000000000000000000000001"
		       "ffffc44006060606060606060606060606060606060606060606060606060606060606"
		       "060606060606060606060606060606060606060606060606060606060606060606");

	memset(&m, 0, sizeof m);
	m.type = WIRE_WHERE;
	m.where.count = 2;
	memset(m.where.tokens[0], 1, 8);
	memset(m.where.tokens[1], 2, 8);
	assert_encoded(&m, WIRE_FROM_PEER, "924792c4080101010101010101c4080202020202020202");
}

static void a_chain_is_that_of_the_documentation(void **state)
{
	static struct wire_message m;
	struct identity_public a, b;

	(void)state;
	memset(&a, 1, sizeof a);
	memset(&b, 2, sizeof b);
	memset(&m, 0, sizeof m);
	m.type = WIRE_SAY;
	m.say.conversation = conversation_of(&b, &a);
	memset(&m.say.author, 3, sizeof m.say.author);
	m.say.seq = 1;
	m.say.time = 1700000000000;
	m.say.kind = SAY_TEXT;
	m.say.body = bytes_text("hola");
	assert_encoded(
		&m, WIRE_FROM_PEER,
		"9941c41009de711bd5b3306b62b705888bdcad76c42003030303030303030303030303"
		"0303030303030303030303030303030303030301c42000000000000000000000000000"
		"00000000000000000000000000000000000000cf0000018bcfe5680001a4686f6c61c0");

	m.say.previous = message_hash(&m.say);
	m.say.seq = 2;
	m.say.time = -1;
	m.say.body = bytes_text("\xc3\xb1");
	m.say.is_about = true;
	m.say.about_author = m.say.author;
	m.say.about_seq = 1;
	assert_encoded(&m, WIRE_FROM_PEER,
		       "9941c41009de711bd5b3306b62b705888bdcad76c42003030303030303030303030303"
		       "0303030303030303030303030303030303030302c420d6643b1737678e203018dd7159"
		       "3bc95b5e7e168a72c27c570b0c70ee6bb0f696ff01a2c3b192c4200303030303030303"
		       "03030303030303030303030303030303030303030303030301");
}

static void only_those_who_may_send_a_message_can(void **state)
{
	static const struct wire_message nothing;
	static struct wire_message sent, got;
	struct buf out = { 0 };

	(void)state;
	for (size_t row = 0; row < ALL; row++) {
		any_message(&sent, &out, row);
		for (unsigned side = WIRE_FROM_GUEST; side <= WIRE_FROM_PEER; side *= 2) {
			int err = wire_decode(&got, buf_view(&out), (enum wire_side)side);

			assert_int_equal(err, all[row].from & side ? 0 : ERR_REFUSED);
			if (err < 0)
				assert_memory_equal(&got, &nothing, sizeof got);
		}
	}
	buf_clear(&out);
}

static void every_truncation_and_every_trailing_byte_is_refused(void **state)
{
	static const struct wire_message nothing;
	static struct wire_message sent, got;
	struct buf out = { 0 };

	(void)state;
	for (size_t row = 0; row < ALL; row++) {
		any_message(&sent, &out, row);
		for (size_t size = 0; size < out.size; size++) {
			uint8_t *exact = malloc(size ? size : 1); /* reading beyond is seen */

			memcpy(exact, out.data, size);
			assert_true(wire_decode(&got, bytes_of(exact, size), sender(row)) < 0);
			assert_memory_equal(&got, &nothing, sizeof got);
			free(exact);
		}
		assert_int_equal(buf_append_byte(&out, 0), 0);
		assert_int_equal(wire_decode(&got, buf_view(&out), sender(row)), ERR_FORMAT);
	}
	buf_clear(&out);
}

/* One value of msgpack as our encoder writes it: how long it is (of an array: its head). */
static size_t value_size(const uint8_t *p)
{
	if (p[0] >= 0xa0 && p[0] <= 0xbf)
		return 1u + (p[0] & 0x1f);
	switch (p[0]) {
	case 0xc4:
	case 0xd9:
		return 2u + p[1];
	case 0xc5:
	case 0xda:
		return 3u + (p[1] << 8 | p[2]);
	case 0xcc:
	case 0xd0:
		return 2;
	case 0xcd:
	case 0xd1:
	case 0xdc:
		return 3;
	case 0xce:
	case 0xd2:
		return 5;
	case 0xcf:
	case 0xd3:
		return 9;
	}
	return 1;
}

static char kind_of(uint8_t first)
{
	if (first == 0xc0)
		return 'n';
	if (first == 0xc2 || first == 0xc3)
		return 'b';
	if ((first >= 0xa0 && first <= 0xbf) || (first >= 0xd9 && first <= 0xdb))
		return 't';
	if ((first >= 0x90 && first <= 0x9f) || first == 0xdc || first == 0xdd)
		return 'a';
	if (first >= 0xc4 && first <= 0xc6)
		return 'x';
	return first < 0x80 || first >= 0xe0 || (first >= 0xcc && first <= 0xd3) ? 'i' : '?';
}

/* Puts `with` in the place of the value at `at` and says how decoding went. What is taken
 * in spite of it must at least have one form. */
static bool is_taken_with(struct bytes m, size_t at, struct bytes with, size_t row)
{
	static struct wire_message got;
	struct buf changed = { 0 }, again = { 0 };
	size_t behind = at + value_size(m.data + at);
	bool taken;

	buf_append(&changed, bytes_of(m.data, at));
	buf_append(&changed, with);
	buf_append(&changed, bytes_of(m.data + behind, m.size - behind));
	taken = wire_decode(&got, buf_view(&changed), sender(row)) == 0;
	if (taken) {
		assert_int_equal(wire_encode(&got, &again), 0);
		assert_true(bytes_equal(buf_view(&changed), buf_view(&again)));
	}
	buf_clear(&changed);
	buf_clear(&again);
	return taken;
}

/* Where nil stands for a single value that is not there: an address, the nonce of work, a
 * device list, a wrap, a record. Counted from the array's head. */
static bool may_be_nil(enum wire_type type, unsigned place)
{
	static const struct {
		enum wire_type type;
		unsigned place;
	} places[] = { { WIRE_WELCOME, 3 },
		       { WIRE_REGISTER_START, 5 },
		       { WIRE_LOGIN_START, 4 },
		       { WIRE_RECOVER, 4 },
		       { WIRE_PRESENCE, 3 },
		       { WIRE_PASSWORD_FINISH, 3 },
		       { WIRE_PASSWORD_FINISH, 4 },
		       { WIRE_INTRODUCTION, 6 },
		       { WIRE_THERE, 7 } };

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (places[i].type == type && places[i].place == place)
			return true;
	/* A device of a PRESENCE is its head, certificate, record and the address seen. */
	return type == WIRE_PRESENCE && place >= 5 && (place - 5) % 4 >= 2;
}

static void a_value_of_another_kind_is_refused_in_every_place(void **state)
{
	static const struct {
		const char *data;
		size_t size;
	} others[] = { { "\xc0", 1 },         { "\xc3", 1 },      { "\x07", 1 },
		       { "\xff", 1 },         { "\xc4\x01x", 3 }, { "\xa2xy", 3 },
		       { "\x90", 1 },         { "\x80", 1 },      { "\xc1", 1 },
		       { "\xca\0\0\0\0", 5 }, { "\xd4\1\1", 3 },  { "\x91\x01", 2 } };
	static struct wire_message sent;
	struct buf out = { 0 };

	(void)state;
	for (size_t row = 0; row < ALL; row++) {
		unsigned place = 0;

		any_message(&sent, &out, row);
		for (size_t at = 0; at < out.size; at += value_size(out.data + at)) {
			for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
				uint8_t is = out.data[at], other = (uint8_t)others[i].data[0];
				bool may = kind_of(is) == kind_of(other) ||
					   ((is == 0xc0 || other == 0xc0) &&
					    may_be_nil(all[row].type, place));

				if (is_taken_with(buf_view(&out), at,
						  bytes_of(others[i].data, others[i].size),
						  row) &&
				    !may)
					fail_msg("%s: %02x taken for %02x at %zu",
						 wire_name(all[row].type), other, is, at);
			}
			place++;
		}
	}
	buf_clear(&out);
}

static void a_byte_string_one_longer_or_shorter_is_refused(void **state)
{
	static struct wire_message sent;
	struct buf out = { 0 };

	(void)state;
	for (size_t row = 0; row < ALL; row++) {
		any_message(&sent, &out, row);
		for (size_t at = 0; at < out.size; at += value_size(out.data + at)) {
			size_t size = value_size(out.data + at);
			uint8_t with[258] = { 0xc4 };

			if (out.data[at] != 0xc4 || size > 255 ||
			    all[row].type == WIRE_LIST_ADD ||
			    (all[row].type == WIRE_ASKED && size != 34) ||
			    (all[row].type == WIRE_VAULT_PART && size != 66) ||
			    (all[row].type == WIRE_VAULT_PUT && size != 66) ||
			    all[row].type == WIRE_PROFILE ||
			    (all[row].type == WIRE_SAY && size != 34 && size != 18) ||
			    (all[row].type == WIRE_HISTORY && size != 34 && size != 18) ||
			    (all[row].type == WIRE_FORWARDING && size > 60) ||
			    (all[row].type == WIRE_THERE && size > 60))
				continue; /* of any length within its limits */
			memcpy(with, out.data + at, size);
			with[1]++;
			assert_false(is_taken_with(buf_view(&out), at, bytes_of(with, size + 1),
						   row));
			with[1] -= 2;
			assert_false(is_taken_with(buf_view(&out), at, bytes_of(with, size - 1),
						   row));
		}
	}
	buf_clear(&out);
}

/* The row of `type`, encoded after `spoil` has made one field wrong. */
static int spoilt(enum wire_type type, void (*spoil)(struct wire_message *))
{
	static struct wire_message m;
	struct buf out = { 0 };
	int err;

	any_message(&m, &out, row_of(type));
	out.size = 0;
	spoil(&m);
	err = wire_encode(&m, &out);
	assert_true(err == 0 || out.size == 0);
	buf_clear(&out);
	return err;
}

static void upper_name(struct wire_message *m)
{
	m->introduce.name = (struct name){ "Bob" };
}
static void short_name(struct wire_message *m)
{
	m->introduce.name = (struct name){ "b" };
}
static void zero_seq(struct wire_message *m)
{
	m->say.seq = 0;
}
static void zero_next(struct wire_message *m)
{
	m->ack.next = 0;
}
/* One of the kind, with a right body. */
static void of_kind(struct wire_message *m, enum say_kind kind)
{
	memset(&m->say, 0, sizeof m->say);
	any_say_of(&m->say, kind);
}
static void zero_reply(struct wire_message *m)
{
	of_kind(m, SAY_TEXT);
	m->say.is_about = true, m->say.about_seq = 0;
}
static void other_kind(struct wire_message *m)
{
	m->say.kind = SAY_LAST + 1;
}
static void edit_of_nothing(struct wire_message *m)
{
	of_kind(m, SAY_EDIT);
	m->say.is_about = false;
}
static void timer_of_something(struct wire_message *m)
{
	of_kind(m, SAY_TIMER);
	m->say.is_about = true, m->say.about_seq = 1;
}
static void forwarded_edit(struct wire_message *m)
{
	of_kind(m, SAY_EDIT);
	m->say.is_forwarded = true;
}
static void mortal_reaction(struct wire_message *m)
{
	of_kind(m, SAY_REACT);
	m->say.life = 1;
}
static void long_life(struct wire_message *m)
{
	of_kind(m, SAY_TEXT);
	m->say.life = WIRE_LIFE_MAX + 1;
}
static void retraction_with_words(struct wire_message *m)
{
	of_kind(m, SAY_RETRACT);
	m->say.body = bytes_text("x");
}
static void short_hash(struct wire_message *m)
{
	of_kind(m, SAY_GONE);
	m->say.body.size = 31;
}
static void many_reactions(struct wire_message *m)
{
	of_kind(m, SAY_REACT);
	m->say.body = bytes_text("1 2 3 4 5 6 7 8 9");
}
static void long_reaction(struct wire_message *m)
{
	of_kind(m, SAY_REACT);
	m->say.body = bytes_text("a bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
}
static void reactions_far_apart(struct wire_message *m)
{
	of_kind(m, SAY_REACT);
	m->say.body = bytes_text("a  b");
}
static void reaction_of_two_lines(struct wire_message *m)
{
	of_kind(m, SAY_REACT);
	m->say.body = bytes_text("a\nb");
}
static void reaction_behind_nothing(struct wire_message *m)
{
	of_kind(m, SAY_REACT);
	m->say.body = bytes_text("a ");
}
static void empty_offer(struct wire_message *m)
{
	of_kind(m, SAY_FILE);
	m->say.body.size = 0;
}
static void long_offer(struct wire_message *m)
{
	static uint8_t data[WIRE_SAY_MAX + 1];

	of_kind(m, SAY_FILE);
	m->say.body = BYTES(data);
}
static void nothing_read(struct wire_message *m)
{
	m->read.next = 0;
}
static void profile_of_nobody(struct wire_message *m)
{
	m->profile.number = 0;
}
static void other_availability(struct wire_message *m)
{
	m->profile.availability = BUSY + 1;
}
static void huge_picture(struct wire_message *m)
{
	static uint8_t data[WIRE_PICTURE_MAX + 1];

	m->profile.picture = BYTES(data);
}
static void huge_file(struct wire_message *m)
{
	m->file_head.size = ((uint64_t)1 << 50) + 1;
}
static void far_offset(struct wire_message *m)
{
	m->file_get.offset = ((uint64_t)1 << 50) + 1;
}
static void no_grant(struct wire_message *m)
{
	m->history_get.number = 0;
}
static void much_history(struct wire_message *m)
{
	m->history.count = WIRE_HISTORY_MAX + 1;
}
static void no_body(struct wire_message *m)
{
	of_kind(m, SAY_TEXT);
	m->say.body.size = 0;
}
static void bad_utf8(struct wire_message *m)
{
	of_kind(m, SAY_TEXT);
	m->say.body = bytes_of("\xff", 1);
}
static void nul_in_body(struct wire_message *m)
{
	of_kind(m, SAY_TEXT);
	m->say.body = bytes_of("a\0b", 3);
}
static void long_body(struct wire_message *m)
{
	static uint8_t data[WIRE_TEXT_MAX + 1];

	of_kind(m, SAY_TEXT);
	memset(data, 'x', sizeof data);
	m->say.body = BYTES(data);
}
static void long_invite(struct wire_message *m)
{
	m->register_start.invite = bytes_text("123456789012345678901234567890123");
}
static void unknown_ksf(struct wire_message *m)
{
	m->login_challenge.ksf = 99;
}
static void no_error(struct wire_message *m)
{
	m->refusal.error = 0;
}
static void other_error(struct wire_message *m)
{
	m->refusal.error = ERR_LAST;
}
static void other_about(struct wire_message *m)
{
	m->refusal.about = 99;
}
static void short_seal(struct wire_message *m)
{
	m->list_add.greeting = bytes_of(body, SEAL_OVERHEAD - 1);
}
static void long_seal(struct wire_message *m)
{
	m->list_add.greeting = bytes_of(body, WIRE_SEALED_GREETING_MAX + 1);
}
static void many_names(struct wire_message *m)
{
	m->list.count = WIRE_LIST_CHUNK + 1;
}
static void many_devices(struct wire_message *m)
{
	m->presence.device_count = WIRE_DEVICES_MAX + 1;
}
static void many_candidates(struct wire_message *m)
{
	m->publish.open.candidates.count = CANDIDATES_MAX + 1;
}
static void multicast(struct wire_message *m)
{
	m->publish.open.candidates.count = 1;
	address_parse(&m->publish.open.candidates.list[0].address, "224.0.0.1:5", 0);
	m->publish.open.candidates.list[0].kind = CANDIDATE_HOST;
}
static void other_candidate(struct wire_message *m)
{
	multicast(m);
	address_parse(&m->publish.open.candidates.list[0].address, "1.2.3.4:5", 0);
	m->publish.open.candidates.list[0].kind = 5;
}
static void no_record(struct wire_message *m)
{
	m->publish.shut.number = 0;
}
static void record_of_another(struct wire_message *m)
{
	m->publish.shut.device.bytes[0] ^= 1;
}
static void shut_but_with_an_address(struct wire_message *m)
{
	m->publish.shut.candidates.count = 1;
	address_parse(&m->publish.shut.candidates.list[0].address, "1.2.3.4:5", 0);
	m->publish.shut.candidates.list[0].kind = CANDIDATE_HOST;
}
static void introduced_without_a_record(struct wire_message *m)
{
	m->introduction.device.record.number = 0;
}
static void introduced_with_the_record_of_another(struct wire_message *m)
{
	m->introduction.device.record.device.bytes[0] ^= 1;
}
static void other_consent(struct wire_message *m)
{
	m->list_add.consent = (enum consent)(CONSENT_HIDDEN + 1);
}
static void other_consent_in_a_list(struct wire_message *m)
{
	m->list.count = 1;
	m->list.list[0].consent = (enum consent)(CONSENT_HIDDEN + 1);
	m->list.list[0].name = (struct name){ "bob" };
}
static void many_sights(struct wire_message *m)
{
	m->welcome.sight_count = WIRE_SIGHTS_MAX + 1;
}
static void seen_from_nowhere(struct wire_message *m)
{
	m->observed.observed.family = 0;
}
static void many_readers(struct wire_message *m)
{
	m->forwarding.count = WIRE_FORWARDING_MAX + 1;
}
static void short_record(struct wire_message *m)
{
	m->forwarding.record = bytes_of(body, WIRE_SEALED_OVERHEAD);
}
static void long_record(struct wire_message *m)
{
	m->there.record = bytes_of(body, WIRE_SEALED_RECORD_MAX + 1);
}
static void unnumbered(struct wire_message *m)
{
	m->there.number = 0;
}
static void many_tokens(struct wire_message *m)
{
	m->where.count = WIRE_WHERE_MAX + 1;
}
static void no_circuit(struct wire_message *m)
{
	m->relay_open.circuit = 0;
}
static void no_answer_of_ours(struct wire_message *m)
{
	m->relay_answer.error = ERR_LAST;
}
static void no_port(struct wire_message *m)
{
	m->welcome.observed = (struct address){ .family = 4, .ip = { 1, 2, 3, 4 } };
}
static void much_work(struct wire_message *m)
{
	m->refusal.work.bits = WORK_BITS_MAX + 1;
}
static void list_without_devices(struct wire_message *m)
{
	m->devices_put.devices.count = 0;
}
static void device_twice(struct wire_message *m)
{
	m->devices.devices.count = 2;
	m->devices.devices.devices[1] = m->devices.devices.devices[0];
}
static void no_identity_but_a_list(struct wire_message *m)
{
	any_device_list(&m->login_done.devices);
	m->login_done.has_identity = false;
}
static void identity_without_a_list(struct wire_message *m)
{
	m->login_done.has_identity = true;
	m->login_done.devices.version = 0;
}
static void other_wrap(struct wire_message *m)
{
	m->login_done.wrap = bytes_of(body, VAULT_WRAP_SIZE + 1);
}
static void empty_part(struct wire_message *m)
{
	m->vault_put.part.size = 0;
}
static void large_part(struct wire_message *m)
{
	m->vault_put.offset = 0;
	m->vault_put.total = VAULT_SIZE_MAX;
	m->vault_put.part = bytes_of(body, WIRE_VAULT_PUT_PART + 1);
}
static void part_behind_the_end(struct wire_message *m)
{
	m->vault_part.total = m->vault_part.offset + m->vault_part.part.size - 1;
}
static void part_far_behind_the_end(struct wire_message *m)
{
	m->vault_part.offset = 2000;
	m->vault_part.total = 1000;
}
static void large_vault(struct wire_message *m)
{
	m->vault_part.total = VAULT_SIZE_MAX + 1;
}
static void vault_version_zero(struct wire_message *m)
{
	m->vault_put.version = 0;
}
static void empty_code(struct wire_message *m)
{
	m->reset.code.size = 0;
}
static void away_for_days(struct wire_message *m)
{
	m->leaving.retry_after = 86401;
}
static void nothing_delivered(struct wire_message *m)
{
	m->delivered.next = 0;
}

/* The same checks stand in the decoder: fields are written and read by one function. */
static void fields_beyond_their_limits_are_refused(void **state)
{
	static const struct {
		enum wire_type type;
		void (*spoil)(struct wire_message *);
		int err;
	} rows[] = {
		{ WIRE_INTRODUCE, upper_name, ERR_NAME },
		{ WIRE_INTRODUCE, short_name, ERR_LIMIT },
		{ WIRE_SAY, zero_seq, ERR_LIMIT },
		{ WIRE_ACK, zero_next, ERR_LIMIT },
		{ WIRE_SAY, zero_reply, ERR_LIMIT },
		{ WIRE_SAY, other_kind, ERR_LIMIT },
		{ WIRE_SAY, edit_of_nothing, ERR_FORMAT },
		{ WIRE_SAY, timer_of_something, ERR_FORMAT },
		{ WIRE_SAY, forwarded_edit, ERR_FORMAT },
		{ WIRE_SAY, mortal_reaction, ERR_FORMAT },
		{ WIRE_SAY, long_life, ERR_LIMIT },
		{ WIRE_SAY, retraction_with_words, ERR_LIMIT },
		{ WIRE_SAY, short_hash, ERR_LIMIT },
		{ WIRE_SAY, many_reactions, ERR_LIMIT },
		{ WIRE_SAY, long_reaction, ERR_LIMIT },
		{ WIRE_SAY, reactions_far_apart, ERR_FORMAT },
		{ WIRE_SAY, reaction_of_two_lines, ERR_FORMAT },
		{ WIRE_SAY, reaction_behind_nothing, ERR_FORMAT },
		{ WIRE_SAY, empty_offer, ERR_LIMIT },
		{ WIRE_SAY, long_offer, ERR_LIMIT },
		{ WIRE_READ, nothing_read, ERR_LIMIT },
		{ WIRE_PROFILE, profile_of_nobody, ERR_LIMIT },
		{ WIRE_PROFILE, other_availability, ERR_LIMIT },
		{ WIRE_PROFILE, huge_picture, ERR_LIMIT },
		{ WIRE_FILE_HEAD, huge_file, ERR_LIMIT },
		{ WIRE_FILE_GET, far_offset, ERR_LIMIT },
		{ WIRE_HISTORY_GET, no_grant, ERR_LIMIT },
		{ WIRE_HISTORY, much_history, ERR_LIMIT },
		{ WIRE_SAY, no_body, ERR_LIMIT },
		{ WIRE_SAY, bad_utf8, ERR_FORMAT },
		{ WIRE_SAY, nul_in_body, ERR_FORMAT },
		{ WIRE_SAY, long_body, ERR_LIMIT },
		{ WIRE_REGISTER_START, long_invite, ERR_LIMIT },
		{ WIRE_LOGIN_CHALLENGE, unknown_ksf, ERR_VERSION },
		{ WIRE_REFUSAL, no_error, ERR_LIMIT },
		{ WIRE_REFUSAL, other_error, ERR_LIMIT },
		{ WIRE_REFUSAL, other_about, ERR_FORMAT },
		{ WIRE_LIST_ADD, short_seal, ERR_FORMAT },
		{ WIRE_LIST_ADD, long_seal, ERR_LIMIT },
		{ WIRE_LIST, many_names, ERR_LIMIT },
		{ WIRE_PRESENCE, many_devices, ERR_LIMIT },
		{ WIRE_PUBLISH, many_candidates, ERR_LIMIT },
		{ WIRE_PUBLISH, multicast, ERR_FORMAT },
		{ WIRE_PUBLISH, other_candidate, ERR_LIMIT },
		{ WIRE_PUBLISH, no_record, ERR_LIMIT },
		{ WIRE_PUBLISH, record_of_another, ERR_FORMAT },
		{ WIRE_PUBLISH, shut_but_with_an_address, ERR_FORMAT },
		{ WIRE_INTRODUCTION, introduced_without_a_record, ERR_FORMAT },
		{ WIRE_INTRODUCTION, introduced_with_the_record_of_another, ERR_FORMAT },
		{ WIRE_LIST_ADD, other_consent, ERR_LIMIT },
		{ WIRE_LIST, other_consent_in_a_list, ERR_LIMIT },
		{ WIRE_WELCOME, many_sights, ERR_LIMIT },
		{ WIRE_OBSERVED, seen_from_nowhere, ERR_FORMAT },
		{ WIRE_FORWARDING, many_readers, ERR_LIMIT },
		{ WIRE_FORWARDING, short_record, ERR_LIMIT },
		{ WIRE_THERE, long_record, ERR_LIMIT },
		{ WIRE_THERE, unnumbered, ERR_LIMIT },
		{ WIRE_WHERE, many_tokens, ERR_LIMIT },
		{ WIRE_RELAY_OPEN, no_circuit, ERR_LIMIT },
		{ WIRE_RELAY_ANSWER, no_answer_of_ours, ERR_LIMIT },
		{ WIRE_WELCOME, no_port, ERR_FORMAT },
		{ WIRE_REFUSAL, much_work, ERR_LIMIT },
		{ WIRE_DEVICES_PUT, list_without_devices, ERR_FORMAT },
		{ WIRE_DEVICES, device_twice, ERR_FORMAT },
		{ WIRE_LOGIN_DONE, no_identity_but_a_list, ERR_FORMAT },
		{ WIRE_LOGIN_DONE, identity_without_a_list, ERR_FORMAT },
		{ WIRE_LOGIN_DONE, other_wrap, ERR_FORMAT },
		{ WIRE_VAULT_PUT, empty_part, ERR_LIMIT },
		{ WIRE_VAULT_PUT, large_part, ERR_LIMIT },
		{ WIRE_VAULT_PUT, vault_version_zero, ERR_LIMIT },
		{ WIRE_VAULT_PART, part_behind_the_end, ERR_FORMAT },
		{ WIRE_VAULT_PART, part_far_behind_the_end, ERR_FORMAT },
		{ WIRE_VAULT_PART, large_vault, ERR_LIMIT },
		{ WIRE_RESET, empty_code, ERR_LIMIT },
		{ WIRE_LEAVING, away_for_days, ERR_LIMIT },
		{ WIRE_DELIVERED, nothing_delivered, ERR_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int err = spoilt(rows[i].type, rows[i].spoil);

		if (err != rows[i].err)
			fail_msg("case %zu: %s", i, error_name(err));
	}
}

/* What is said in one piece fits into a frame, and what a client says into what a directory
 * takes of it (SESSION_FRAME_MAX). */
static void the_largest_messages_fit_into_a_frame(void **state)
{
	static struct wire_message m;
	struct buf out = { 0 };

	(void)state;
	memset(&m, 0, sizeof m);
	m.type = WIRE_PRESENCE;
	memset(m.presence.name.text, 'a', NAME_MAX);
	for (m.presence.devices.count = 0; m.presence.devices.count < DEVICE_LIST_MAX;)
		any_device_list(&m.presence.devices);
	m.presence.device_count = WIRE_DEVICES_MAX;
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		struct wire_device *d = &m.presence.online[i];

		do {
			any_device(d, true);
		} while (d->record.candidates.count < CANDIDATES_MAX);
	}
	assert_int_equal(wire_encode(&m, &out), 0);
	assert_true(out.size > 4000 && out.size <= FRAME_MAX);

	memset(&m, 0, sizeof m);
	m.type = WIRE_FORWARDING;
	m.forwarding.number = UINT64_MAX;
	m.forwarding.record = bytes_of(body, WIRE_SEALED_RECORD_MAX);
	m.forwarding.count = WIRE_FORWARDING_MAX;
	out.size = 0;
	assert_int_equal(wire_encode(&m, &out), 0);
	assert_true(out.size > 15000 && out.size <= FRAME_MAX);

	memset(&m, 0, sizeof m);
	m.type = WIRE_LIST;
	m.list.count = WIRE_LIST_CHUNK;
	for (unsigned i = 0; i < WIRE_LIST_CHUNK; i++)
		memset(m.list.list[i].name.text, 'a', NAME_MAX);
	out.size = 0;
	assert_int_equal(wire_encode(&m, &out), 0);
	assert_true(out.size > 8000 && out.size <= 12288);
	buf_clear(&out);
}

static void hostile_bytes_are_refused(void **state)
{
	static const struct {
		const char *data;
		size_t size;
		enum wire_side from;
	} bad[] = {
		{ "", 0, WIRE_FROM_PEER },
		{ "\x90", 1, WIRE_FROM_PEER },
		{ "\x91\x00", 2, WIRE_FROM_PEER },
		{ "\x91\x63", 2, WIRE_FROM_PEER },
		{ "\x92\x04\x00", 3, WIRE_FROM_DIRECTORY }, /* REGISTER_DONE and more */
		{ "\xdd\xff\xff\xff\xff\x42", 6,
		  WIRE_FROM_PEER }, /* four thousand million fields */
		{ "\x94\x12\xc2\xc2\xdd\xff\xff\xff\xff", 9,
		  WIRE_FROM_CLIENT },                                    /* as many names */
		{ "\x94\x12\xc2\xc2\xdc\x01\x01", 7, WIRE_FROM_CLIENT }, /* LIST of 257 */
		{ "\x92\x17\xdb\xff\xff\xff\xff", 7, WIRE_FROM_CLIENT }, /* a name of 4 GiB */
		{ "\x92\x17\xa3"
		  "Bob",
		  6, WIRE_FROM_CLIENT },
		/* WELCOME from a v4-mapped address */
		{ "\x97\x10\xa3"
		  "bob\xc4\x12\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04\x00\x05\0\0\0\x90",
		  30, WIRE_FROM_DIRECTORY },
		{ "\x97\x10\xa3"
		  "bob\xc4\x06\x00\x00\x00\x00\x00\x05\0\0\0\x90",
		  18, WIRE_FROM_DIRECTORY },
		/* PASSWORD_DONE and more; a vault's part of 4 GiB */
		{ "\x92\x23\x00", 3, WIRE_FROM_DIRECTORY },
		{ "\x91\x26", 2, WIRE_FROM_CLIENT },
	};
	static struct wire_message got;
	static uint8_t nested[FRAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (wire_decode(&got, bytes_of(bad[i].data, bad[i].size), bad[i].from) >= 0)
			fail_msg("case %zu taken", i);
	assert_int_equal(wire_decode(&got, bytes_of("\x91\x04", 2), WIRE_FROM_DIRECTORY), 0);
	memset(nested, 0x91, sizeof nested);
	assert_int_equal(wire_decode(&got, BYTES(nested), WIRE_FROM_PEER), ERR_FORMAT);
}

static void a_conversation_is_the_same_from_both_sides(void **state)
{
	struct identity_public a = { "alice" }, b = { "bob" }, c = { "carol" };
	struct conversation_id ab = conversation_of(&a, &b), ba = conversation_of(&b, &a);
	struct conversation_id ac = conversation_of(&a, &c);

	(void)state;
	assert_memory_equal(&ab, &ba, sizeof ab);
	assert_memory_not_equal(&ab, &ac, sizeof ab);
}

static void a_message_hash_covers_every_field(void **state)
{
	static struct wire_message m, changed;
	struct buf out = { 0 };
	struct message_hash before, after;
	uint8_t *body_copy;

	(void)state;
	any_message(&m, &out, row_of(WIRE_SAY));
	memset(&m.say, 0, sizeof m.say);
	any_say_of(&m.say, SAY_TEXT);
	m.say.is_about = true;
	m.say.about_seq = 5;
	before = message_hash(&m.say);
	after = message_hash(&m.say);
	assert_memory_equal(&before, &after, sizeof before);
#define CHANGED(what)                                                                          \
	do {                                                                                   \
		changed = m;                                                                   \
		what;                                                                          \
		after = message_hash(&changed.say);                                            \
		assert_memory_not_equal(&before, &after, sizeof before);                       \
	} while (0)
	CHANGED(changed.say.conversation.bytes[0] ^= 1);
	CHANGED(changed.say.author.bytes[0] ^= 1);
	CHANGED(changed.say.seq ^= 2);
	CHANGED(changed.say.previous.bytes[31] ^= 1);
	CHANGED(changed.say.time ^= 1);
	CHANGED(changed.say.about_seq++);
	CHANGED(changed.say.about_author.bytes[9] ^= 1);
	CHANGED(changed.say.is_about = false);
	CHANGED(changed.say.is_forwarded ^= 1);
	CHANGED(changed.say.life++);
	body_copy = malloc(m.say.body.size);
	memcpy(body_copy, m.say.body.data, m.say.body.size);
	body_copy[0] = body_copy[0] == 'a' ? 'b' : 'a';
	CHANGED(changed.say.body.data = body_copy);
	free(body_copy);
	buf_clear(&out);
}

static void the_longest_message_has_a_hash(void **state)
{
	static uint8_t text[WIRE_TEXT_MAX];
	struct wire_say say = {
		.seq = UINT64_MAX,
		.time = INT64_MIN,
		.kind = SAY_TEXT,
		.is_about = true,
		.about_seq = UINT64_MAX,
	};
	struct message_hash hash, zeros = { 0 };

	(void)state;
	memset(text, 'x', sizeof text);
	say.body = BYTES(text);
	hash = message_hash(&say);
	assert_memory_not_equal(&hash, &zeros, sizeof hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_a_row_and_a_sender),
		cmocka_unit_test(every_message_comes_back),
		cmocka_unit_test(fields_arrive_in_their_places),
		cmocka_unit_test(the_bytes_are_those_of_the_documentation),
		cmocka_unit_test(a_chain_is_that_of_the_documentation),
		cmocka_unit_test(only_those_who_may_send_a_message_can),
		cmocka_unit_test(every_truncation_and_every_trailing_byte_is_refused),
		cmocka_unit_test(a_value_of_another_kind_is_refused_in_every_place),
		cmocka_unit_test(a_byte_string_one_longer_or_shorter_is_refused),
		cmocka_unit_test(fields_beyond_their_limits_are_refused),
		cmocka_unit_test(the_largest_messages_fit_into_a_frame),
		cmocka_unit_test(hostile_bytes_are_refused),
		cmocka_unit_test(a_conversation_is_the_same_from_both_sides),
		cmocka_unit_test(a_message_hash_covers_every_field),
		cmocka_unit_test(the_longest_message_has_a_hash),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
