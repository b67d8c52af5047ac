#include "tests/any_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/frame.h"
#include "shared/ksf.h"
#include "tests/world/dice.h"

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

void any_device(struct wire_device *d, bool has_record)
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

void any_device_list(struct device_list *l)
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

void any_say_of(struct wire_say *s, enum say_kind kind)
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
	if (is_free && dice_chance(&dice, 200))
		s->bot = bytes_text("echo");
	if (is_free && dice_chance(&dice, 200))
		s->buttons = bytes_text("s\xc3\xad\nno");
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
		m->profile.is_bot = dice_chance(&dice, 300);
		if (dice_chance(&dice, 300))
			m->profile.menu = bytes_text("list what waits\nend it is over");
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

const struct any_row any_rows[] = {
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
const size_t any_row_count = sizeof any_rows / sizeof any_rows[0];

size_t any_row_of(enum wire_type type)
{
	size_t row = 0;

	while (any_rows[row].type != type)
		row++;
	return row;
}

enum wire_side any_sender(size_t row)
{
	return (enum wire_side)(any_rows[row].from & -any_rows[row].from);
}

void any_message(struct wire_message *m, struct buf *out, size_t row)
{
	memset(m, 0, sizeof *m);
	m->type = any_rows[row].type;
	any_fields(m);
	out->size = 0;
	assert_int_equal(wire_encode(m, out), 0);
	assert_true(out->size <= FRAME_MAX);
}

void any_begin(void)
{
	assert_true(sodium_init() >= 0);
	dice_init(&dice, 1, 0);
}
