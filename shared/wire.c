#include "shared/wire.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/ksf.h"
#include "shared/pack.h"

/* --- fields: each function writes the field when there is a `to`, else reads it from
 * `from`, and checks it both ways; so the two directions cannot drift apart ----------- */

struct coder {
	struct pack *to;
	struct unpack *from;
};

/* The first error sticks. */
static void refuse(struct coder *c, int err)
{
	int *sticky = c->to ? &c->to->err : &c->from->err;

	if (*sticky == 0)
		*sticky = err;
}

static bool is_refused(const struct coder *c)
{
	return (c->to ? c->to->err : c->from->err) < 0;
}

static void check(struct coder *c, bool holds, int err)
{
	if (!holds)
		refuse(c, err);
}

/* A struct of `count` fields. */
static void nest(struct coder *c, uint32_t count)
{
	if (c->to)
		pack_array(c->to, count);
	else
		unpack_array_of(c->from, count);
}

static void list_of(struct coder *c, unsigned *count, uint32_t max)
{
	if (c->to)
		pack_array(c->to, *count);
	else
		*count = unpack_array(c->from, max);
	check(c, *count <= max, ERR_LIMIT);
}

static void number(struct coder *c, uint64_t *v, uint64_t min, uint64_t max)
{
	if (c->to)
		pack_uint(c->to, *v);
	else
		*v = unpack_uint(c->from, max);
	check(c, *v >= min && *v <= max, ERR_LIMIT);
}

static void flag(struct coder *c, bool *v)
{
	if (c->to)
		pack_bool(c->to, *v);
	else
		*v = unpack_bool(c->from);
}

static void time_of_day(struct coder *c, wall_ms *v)
{
	if (c->to)
		pack_int(c->to, *v);
	else
		*v = unpack_int(c->from);
}

static void fixed(struct coder *c, void *data, size_t size)
{
	if (c->to)
		pack_bin(c->to, bytes_of(data, size));
	else
		unpack_bin_to(c->from, data, size);
}

static void text(struct coder *c, struct bytes *b, size_t min, size_t max)
{
	if (c->to)
		pack_text(c->to, *b);
	else
		*b = unpack_text(c->from, max);
	check(c, b->size >= min && b->size <= max, ERR_LIMIT);
}

/* Whether an optional field is there: nil stands for one that is not. */
static bool optional(struct coder *c, bool is_there)
{
	if (!c->to)
		return !unpack_is_nil(c->from);
	if (!is_there)
		pack_nil(c->to);
	return is_there;
}

static void name(struct coder *c, struct name *n)
{
	struct bytes view = bytes_of(n->text, c->to ? strnlen(n->text, sizeof n->text) : 0);
	struct name checked;

	text(c, &view, NAME_MIN, NAME_MAX);
	if (is_refused(c))
		return;
	check(c, name_check(&checked, view) == 0, ERR_NAME);
	if (!c->to && !is_refused(c))
		*n = checked;
}

static void address(struct coder *c, struct address *a)
{
	uint8_t room[ADDRESS_WIRE_MAX];
	struct buf wire = { .data = room, .capacity = sizeof room, .limit = sizeof room };

	if (c->to) {
		check(c, address_encode(a, &wire) == 0, ERR_FORMAT);
		pack_bin(c->to, buf_view(&wire));
	} else {
		check(c, address_decode(a, unpack_bin(c->from, ADDRESS_WIRE_MAX)) == 0,
		      ERR_FORMAT);
	}
	check(c, address_is_unicast(a), ERR_FORMAT);
}

static void candidate(struct coder *c, struct candidate *one)
{
	uint64_t kind = one->kind;

	nest(c, 2);
	number(c, &kind, CANDIDATE_HOST, CANDIDATE_RELAY);
	one->kind = (enum candidate_kind)kind;
	address(c, &one->address);
}

static void candidates(struct coder *c, struct candidates *all)
{
	list_of(c, &all->count, CANDIDATES_MAX);
	for (unsigned i = 0; i < all->count && !is_refused(c); i++)
		candidate(c, &all->list[i]);
}

static void certificate(struct coder *c, struct certificate *one)
{
	uint8_t room[CERTIFICATE_SIZE_MAX];
	struct buf wire = { .data = room, .capacity = sizeof room, .limit = sizeof room };
	struct bytes read;

	if (c->to) {
		check(c, certificate_encode(one, &wire) == 0, ERR_FORMAT);
		pack_bin(c->to, buf_view(&wire));
		return;
	}
	read = unpack_bin(c->from, CERTIFICATE_SIZE_MAX);
	if (!is_refused(c))
		check(c, certificate_decode(one, read) == 0, ERR_FORMAT);
}

static void device(struct coder *c, struct wire_device *d)
{
	nest(c, 3);
	certificate(c, &d->certificate);
	fixed(c, d->knock.bytes, sizeof d->knock.bytes);
	candidates(c, &d->candidates);
}

/* Sealed bytes are no shorter than the seal itself. */
static void greeting(struct coder *c, struct bytes *b)
{
	if (c->to)
		pack_bin(c->to, *b);
	else
		*b = unpack_bin(c->from, WIRE_SEALED_GREETING_MAX);
	check(c, b->size == 0 || b->size >= SEAL_OVERHEAD, ERR_FORMAT);
	check(c, b->size <= WIRE_SEALED_GREETING_MAX, ERR_LIMIT);
}

static void ksf(struct coder *c, uint64_t *id)
{
	number(c, id, 1, UINT8_MAX);
	check(c, ksf_is_known(*id), ERR_VERSION);
}

static void device_list(struct coder *c, struct device_list *l)
{
	uint8_t room[DEVICE_LIST_SIZE_MAX];
	struct buf wire = { .data = room, .capacity = sizeof room, .limit = sizeof room };
	struct bytes read;

	if (c->to) {
		check(c, device_list_encode(l, &wire) == 0, ERR_FORMAT);
		pack_bin(c->to, buf_view(&wire));
		return;
	}
	read = unpack_bin(c->from, DEVICE_LIST_SIZE_MAX);
	if (!is_refused(c))
		check(c, device_list_decode(l, read) == 0, ERR_FORMAT);
}

/* nil stands for a list that is not there: version 0. */
static void maybe_device_list(struct coder *c, struct device_list *l)
{
	if (optional(c, l->version > 0))
		device_list(c, l);
}

static void work(struct coder *c, struct wire_work *w)
{
	w->is_done = optional(c, w->is_done);
	if (w->is_done)
		number(c, &w->nonce, 0, UINT64_MAX);
}

static void newcomer(struct coder *c, struct wire_newcomer *n)
{
	nest(c, 3);
	certificate(c, &n->certificate);
	fixed(c, n->proof_of_possession, sizeof n->proof_of_possession);
	device_list(c, &n->devices);
}

static void first_vault(struct coder *c, struct wire_first_vault *v)
{
	nest(c, 3);
	fixed(c, v->wrap, sizeof v->wrap);
	fixed(c, v->signature, sizeof v->signature);
	fixed(c, v->sealed, sizeof v->sealed);
}

/* A part of something longer: at least one byte, and inside of it. */
static void part_of(struct coder *c, uint64_t *total, uint64_t *offset, struct bytes *part,
		    size_t max)
{
	number(c, total, 1, VAULT_SIZE_MAX);
	number(c, offset, 0, VAULT_SIZE_MAX);
	if (c->to)
		pack_bin(c->to, *part);
	else
		*part = unpack_bin(c->from, max);
	check(c, part->size >= 1 && part->size <= max, ERR_LIMIT);
	check(c, *offset <= *total && part->size <= *total - *offset, ERR_FORMAT);
}

/* --- messages: their fields in the order of wire.h ------------------------------------ */

static void register_start(struct coder *c, struct wire_message *m)
{
	name(c, &m->register_start.name);
	text(c, &m->register_start.invite, 0, WIRE_INVITE_MAX);
	fixed(c, m->register_start.request, sizeof m->register_start.request);
	work(c, &m->register_start.work);
}

static void register_challenge(struct coder *c, struct wire_message *m)
{
	fixed(c, m->register_challenge.response, sizeof m->register_challenge.response);
	ksf(c, &m->register_challenge.ksf);
}

static void register_finish(struct coder *c, struct wire_message *m)
{
	struct wire_register_finish *f = &m->register_finish;

	fixed(c, f->record, sizeof f->record);
	newcomer(c, &f->newcomer);
	first_vault(c, &f->vault);
}

static void nothing(struct coder *c, struct wire_message *m)
{
	(void)c;
	(void)m;
}

static void login_start(struct coder *c, struct wire_message *m)
{
	name(c, &m->login_start.name);
	fixed(c, m->login_start.ke1, sizeof m->login_start.ke1);
	work(c, &m->login_start.work);
}

static void login_challenge(struct coder *c, struct wire_message *m)
{
	fixed(c, m->login_challenge.ke2, sizeof m->login_challenge.ke2);
	ksf(c, &m->login_challenge.ksf);
}

static void login_finish(struct coder *c, struct wire_message *m)
{
	fixed(c, m->login_finish.ke3, sizeof m->login_finish.ke3);
}

static void login_done(struct coder *c, struct wire_message *m)
{
	struct wire_login_done *d = &m->login_done;
	uint64_t failed = d->failed;

	flag(c, &d->has_identity);
	maybe_device_list(c, &d->devices);
	check(c, d->has_identity == (d->devices.version > 0), ERR_FORMAT);
	if (c->to)
		pack_bin(c->to, d->wrap);
	else
		d->wrap = unpack_bin(c->from, VAULT_RECOVERY_SIZE);
	check(c, d->wrap.size == 0 || d->wrap.size == VAULT_WRAP_SIZE ||
			 d->wrap.size == VAULT_RECOVERY_SIZE,
	      ERR_FORMAT);
	flag(c, &d->has_recovery);
	number(c, &d->vault_version, 0, INT64_MAX);
	number(c, &failed, 0, UINT32_MAX);
	d->failed = (uint32_t)failed;
}

static void enrol(struct coder *c, struct wire_message *m)
{
	newcomer(c, &m->enrol.newcomer);
	m->enrol.has_vault = optional(c, m->enrol.has_vault);
	if (m->enrol.has_vault)
		first_vault(c, &m->enrol.vault);
}

static void recover(struct coder *c, struct wire_message *m)
{
	name(c, &m->recover.name);
	fixed(c, m->recover.proof, sizeof m->recover.proof);
	work(c, &m->recover.work);
}

static void reset(struct coder *c, struct wire_message *m)
{
	text(c, &m->reset.code, 1, WIRE_INVITE_MAX);
}

static void reset_done(struct coder *c, struct wire_message *m)
{
	name(c, &m->reset_done.name);
}

static void refusal(struct coder *c, struct wire_message *m)
{
	struct wire_refusal *r = &m->refusal;
	uint64_t about = r->about, error = (uint64_t) - (int64_t)r->error;
	uint64_t retry_after = r->retry_after;

	number(c, &about, 1, UINT8_MAX);
	check(c, wire_name((enum wire_type)about) != NULL, ERR_FORMAT);
	number(c, &error, 1, -(ERR_LAST + 1));
	number(c, &retry_after, 0, UINT32_MAX);
	r->about = (enum wire_type)about;
	r->error = -(int)error;
	r->retry_after = (uint32_t)retry_after;
	if (optional(c, r->work.bits > 0)) {
		uint64_t bits = r->work.bits;

		nest(c, 2);
		fixed(c, r->work.challenge, sizeof r->work.challenge);
		number(c, &bits, 1, WORK_BITS_MAX);
		r->work.bits = (uint8_t)bits;
	}
}

static void welcome(struct coder *c, struct wire_message *m)
{
	uint64_t failed = m->welcome.failed;

	name(c, &m->welcome.name);
	if (optional(c, m->welcome.observed.family != 0))
		address(c, &m->welcome.observed);
	time_of_day(c, &m->welcome.now);
	number(c, &m->welcome.vault_version, 0, INT64_MAX);
	number(c, &failed, 0, UINT32_MAX);
	m->welcome.failed = (uint32_t)failed;
}

static void publish(struct coder *c, struct wire_message *m)
{
	fixed(c, m->publish.knock.bytes, sizeof m->publish.knock.bytes);
	candidates(c, &m->publish.candidates);
}

static void list(struct coder *c, struct wire_message *m)
{
	flag(c, &m->list.is_first);
	flag(c, &m->list.is_last);
	list_of(c, &m->list.count, WIRE_LIST_CHUNK);
	for (unsigned i = 0; i < m->list.count && !is_refused(c); i++)
		name(c, &m->list.names[i]);
}

static void list_add(struct coder *c, struct wire_message *m)
{
	name(c, &m->list_add.name);
	greeting(c, &m->list_add.greeting);
}

static void list_remove(struct coder *c, struct wire_message *m)
{
	name(c, &m->list_remove.name);
}

static void presence(struct coder *c, struct wire_message *m)
{
	name(c, &m->presence.name);
	maybe_device_list(c, &m->presence.devices);
	list_of(c, &m->presence.device_count, WIRE_DEVICES_MAX);
	for (unsigned i = 0; i < m->presence.device_count && !is_refused(c); i++)
		device(c, &m->presence.online[i]);
}

static void asked(struct coder *c, struct wire_message *m)
{
	name(c, &m->asked.name);
	fixed(c, m->asked.identity.bytes, sizeof m->asked.identity.bytes);
	greeting(c, &m->asked.greeting);
}

static void introduce(struct coder *c, struct wire_message *m)
{
	name(c, &m->introduce.name);
}

static void introduction(struct coder *c, struct wire_message *m)
{
	name(c, &m->introduction.name);
	device(c, &m->introduction.device);
}

static void suspect(struct coder *c, struct wire_message *m)
{
	name(c, &m->suspect.name);
	fixed(c, m->suspect.device.bytes, sizeof m->suspect.device.bytes);
}

static void check_nonce(struct coder *c, struct wire_message *m)
{
	number(c, &m->check.nonce, 0, UINT64_MAX);
}

static void check_answer(struct coder *c, struct wire_message *m)
{
	number(c, &m->check_answer.nonce, 0, UINT64_MAX);
}

static void leaving(struct coder *c, struct wire_message *m)
{
	uint64_t retry_after = m->leaving.retry_after;

	number(c, &retry_after, 0, 86400);
	m->leaving.retry_after = (uint32_t)retry_after;
}

static void password_start(struct coder *c, struct wire_message *m)
{
	fixed(c, m->password_start.request, sizeof m->password_start.request);
}

static void password_challenge(struct coder *c, struct wire_message *m)
{
	fixed(c, m->password_challenge.response, sizeof m->password_challenge.response);
	ksf(c, &m->password_challenge.ksf);
}

static void password_finish(struct coder *c, struct wire_message *m)
{
	struct wire_password_finish *f = &m->password_finish;

	fixed(c, f->record, sizeof f->record);
	f->has_wrap = optional(c, f->has_wrap);
	if (f->has_wrap)
		fixed(c, f->wrap, sizeof f->wrap);
	f->has_devices = optional(c, f->has_devices);
	if (f->has_devices)
		device_list(c, &f->devices);
}

static void vault_get(struct coder *c, struct wire_message *m)
{
	number(c, &m->vault_get.offset, 0, VAULT_SIZE_MAX);
}

static void vault_part(struct coder *c, struct wire_message *m)
{
	struct wire_vault_part *p = &m->vault_part;

	number(c, &p->version, 1, INT64_MAX);
	fixed(c, p->signature, sizeof p->signature);
	part_of(c, &p->total, &p->offset, &p->part, WIRE_VAULT_GET_PART);
}

static void vault_put(struct coder *c, struct wire_message *m)
{
	struct wire_vault_put *p = &m->vault_put;

	number(c, &p->version, 1, INT64_MAX);
	fixed(c, p->signature, sizeof p->signature);
	part_of(c, &p->total, &p->offset, &p->part, WIRE_VAULT_PUT_PART);
}

static void vault_now(struct coder *c, struct wire_message *m)
{
	number(c, &m->vault_now.version, 0, INT64_MAX);
}

static void devices_put(struct coder *c, struct wire_message *m)
{
	device_list(c, &m->devices_put.devices);
}

static void devices_done(struct coder *c, struct wire_message *m)
{
	number(c, &m->devices_done.version, 1, INT64_MAX);
}

static void recovery_put(struct coder *c, struct wire_message *m)
{
	m->recovery_put.is_none = !optional(c, !m->recovery_put.is_none);
	if (m->recovery_put.is_none)
		return;
	nest(c, 2);
	fixed(c, m->recovery_put.prove.bytes, sizeof m->recovery_put.prove.bytes);
	fixed(c, m->recovery_put.wrap, sizeof m->recovery_put.wrap);
}

static void delete_account(struct coder *c, struct wire_message *m)
{
	fixed(c, m->delete.proof, sizeof m->delete.proof);
}

static void devices(struct coder *c, struct wire_message *m)
{
	device_list(c, &m->devices.devices);
}

static void delivered(struct coder *c, struct wire_message *m)
{
	fixed(c, m->delivered.conversation.bytes, sizeof m->delivered.conversation.bytes);
	number(c, &m->delivered.next, 1, UINT64_MAX);
}

static void have(struct coder *c, struct wire_message *m)
{
	fixed(c, m->have.conversation.bytes, sizeof m->have.conversation.bytes);
	fixed(c, m->have.author.bytes, sizeof m->have.author.bytes);
	number(c, &m->have.next, 1, UINT64_MAX);
	fixed(c, m->have.last.bytes, sizeof m->have.last.bytes);
}

static void say_fields(struct coder *c, struct wire_say *s)
{
	uint64_t kind = s->kind;

	fixed(c, s->conversation.bytes, sizeof s->conversation.bytes);
	fixed(c, s->author.bytes, sizeof s->author.bytes);
	number(c, &s->seq, 1, UINT64_MAX);
	fixed(c, s->previous.bytes, sizeof s->previous.bytes);
	time_of_day(c, &s->time);
	number(c, &kind, SAY_TEXT, SAY_TEXT);
	s->kind = (enum say_kind)kind;
	text(c, &s->body, 1, WIRE_TEXT_MAX);
	s->is_reply = optional(c, s->is_reply);
	if (!s->is_reply)
		return;
	nest(c, 2);
	fixed(c, s->reply_author.bytes, sizeof s->reply_author.bytes);
	number(c, &s->reply_seq, 1, UINT64_MAX);
}

static void say(struct coder *c, struct wire_message *m)
{
	say_fields(c, &m->say);
}

static void ack(struct coder *c, struct wire_message *m)
{
	fixed(c, m->ack.conversation.bytes, sizeof m->ack.conversation.bytes);
	fixed(c, m->ack.author.bytes, sizeof m->ack.author.bytes);
	number(c, &m->ack.next, 1, UINT64_MAX);
}

/* --- the table -------------------------------------------------------------------------- */

enum {
	GUEST = WIRE_FROM_GUEST,
	CLIENT = WIRE_FROM_CLIENT,
	DIRECTORY = WIRE_FROM_DIRECTORY,
	PEER = WIRE_FROM_PEER,
};

static const struct row {
	const char *name;
	unsigned from;                                           /* enum wire_side, or-ed */
	uint32_t count;                                          /* of fields */
	void (*fields)(struct coder *c, struct wire_message *m); /* encodes and decodes */
} rows[] = {
	[WIRE_REGISTER_START] = { "REGISTER_START", GUEST, 4, register_start },
	[WIRE_REGISTER_CHALLENGE] = { "REGISTER_CHALLENGE", DIRECTORY, 2, register_challenge },
	[WIRE_REGISTER_FINISH] = { "REGISTER_FINISH", GUEST, 3, register_finish },
	[WIRE_REGISTER_DONE] = { "REGISTER_DONE", DIRECTORY, 0, nothing },
	[WIRE_LOGIN_START] = { "LOGIN_START", GUEST | CLIENT, 3, login_start },
	[WIRE_LOGIN_CHALLENGE] = { "LOGIN_CHALLENGE", DIRECTORY, 2, login_challenge },
	[WIRE_LOGIN_FINISH] = { "LOGIN_FINISH", GUEST | CLIENT, 1, login_finish },
	[WIRE_LOGIN_DONE] = { "LOGIN_DONE", DIRECTORY, 6, login_done },
	[WIRE_REFUSAL] = { "REFUSAL", DIRECTORY, 4, refusal },
	[WIRE_ENROL] = { "ENROL", GUEST, 2, enrol },
	[WIRE_ENROL_DONE] = { "ENROL_DONE", DIRECTORY, 0, nothing },
	[WIRE_RECOVER] = { "RECOVER", GUEST, 3, recover },
	[WIRE_RESET] = { "RESET", GUEST, 1, reset },
	[WIRE_RESET_DONE] = { "RESET_DONE", DIRECTORY, 1, reset_done },
	[WIRE_WELCOME] = { "WELCOME", DIRECTORY, 5, welcome },
	[WIRE_PUBLISH] = { "PUBLISH", CLIENT, 2, publish },
	[WIRE_LIST] = { "LIST", CLIENT, 3, list },
	[WIRE_LIST_ADD] = { "LIST_ADD", CLIENT, 2, list_add },
	[WIRE_LIST_REMOVE] = { "LIST_REMOVE", CLIENT, 1, list_remove },
	[WIRE_PRESENCE] = { "PRESENCE", DIRECTORY, 3, presence },
	[WIRE_ASKED] = { "ASKED", DIRECTORY, 3, asked },
	[WIRE_INTRODUCE] = { "INTRODUCE", CLIENT, 1, introduce },
	[WIRE_INTRODUCTION] = { "INTRODUCTION", DIRECTORY, 2, introduction },
	[WIRE_SUSPECT] = { "SUSPECT", CLIENT, 2, suspect },
	[WIRE_CHECK] = { "CHECK", DIRECTORY, 1, check_nonce },
	[WIRE_CHECK_ANSWER] = { "CHECK_ANSWER", CLIENT, 1, check_answer },
	[WIRE_LEAVING] = { "LEAVING", DIRECTORY, 1, leaving },
	[WIRE_PASSWORD_START] = { "PASSWORD_START", GUEST | CLIENT, 1, password_start },
	[WIRE_PASSWORD_CHALLENGE] = { "PASSWORD_CHALLENGE", DIRECTORY, 2, password_challenge },
	[WIRE_PASSWORD_FINISH] = { "PASSWORD_FINISH", GUEST | CLIENT, 3, password_finish },
	[WIRE_PASSWORD_DONE] = { "PASSWORD_DONE", DIRECTORY, 0, nothing },
	[WIRE_VAULT_GET] = { "VAULT_GET", GUEST | CLIENT, 1, vault_get },
	[WIRE_VAULT_PART] = { "VAULT_PART", DIRECTORY, 5, vault_part },
	[WIRE_VAULT_PUT] = { "VAULT_PUT", CLIENT, 5, vault_put },
	[WIRE_VAULT_NOW] = { "VAULT_NOW", DIRECTORY, 1, vault_now },
	[WIRE_DEVICES_PUT] = { "DEVICES_PUT", CLIENT, 1, devices_put },
	[WIRE_DEVICES_DONE] = { "DEVICES_DONE", DIRECTORY, 1, devices_done },
	[WIRE_RECOVERY_PUT] = { "RECOVERY_PUT", CLIENT, 1, recovery_put },
	[WIRE_RECOVERY_DONE] = { "RECOVERY_DONE", DIRECTORY, 0, nothing },
	[WIRE_DELETE] = { "DELETE", CLIENT, 1, delete_account },
	[WIRE_DELETE_DONE] = { "DELETE_DONE", DIRECTORY, 0, nothing },
	[WIRE_HAVE] = { "HAVE", PEER, 4, have },
	[WIRE_SAY] = { "SAY", PEER, 8, say },
	[WIRE_ACK] = { "ACK", PEER, 3, ack },
	[WIRE_DEVICES] = { "DEVICES", PEER, 1, devices },
	[WIRE_DELIVERED] = { "DELIVERED", PEER, 2, delivered },
};

static const struct row *row_of(uint64_t type)
{
	if (type >= sizeof rows / sizeof rows[0] || !rows[type].name)
		return NULL;
	return &rows[type];
}

const char *wire_name(enum wire_type type)
{
	const struct row *row = row_of(type);

	return row ? row->name : NULL;
}

/* The array's head and the type; the fields follow. */
static void begin(struct pack *p, struct buf *out, enum wire_type type)
{
	pack_begin(p, out);
	pack_array(p, 1 + rows[type].count);
	pack_uint(p, type);
}

int wire_encode(const struct wire_message *m, struct buf *out)
{
	const struct row *row = row_of(m->type);
	size_t before = out->size;
	struct pack p;
	struct coder c = { .to = &p };
	int err;

	assert(row);
	begin(&p, out, m->type);
	row->fields(&c, (struct wire_message *)(uintptr_t)m); /* only read: there is a `to` */
	err = pack_end(&p);
	if (err < 0)
		out->size = before;
	return err;
}

int wire_decode(struct wire_message *m, struct bytes b, enum wire_side from)
{
	const struct row *row;
	struct unpack u;
	struct coder c = { .from = &u };
	uint32_t count;
	uint64_t type;
	int err;

	memset(m, 0, sizeof *m);
	unpack_begin(&u, b);
	count = unpack_array(&u, UINT8_MAX);
	type = unpack_uint(&u, UINT8_MAX);
	row = row_of(type);
	err = u.err ? u.err : ERR_FORMAT;
	if (u.err < 0 || !row || count != 1 + row->count)
		return err;
	if (!(row->from & from))
		return ERR_REFUSED;
	m->type = (enum wire_type)type;
	row->fields(&c, m);
	err = unpack_end(&u);
	if (err < 0)
		memset(m, 0, sizeof *m);
	return err;
}

enum { SAY_OVERHEAD_MAX = 256 }; /* of an encoded SAY around its text; 154 is the most */

/* --- what is named by a hash ------------------------------------------------------------ */

struct conversation_id conversation_of(const struct identity_public *a,
				       const struct identity_public *b)
{
	static const char domain[] = "palique-conversation-v1";
	bool is_a_first = memcmp(a->bytes, b->bytes, sizeof a->bytes) <= 0;
	const struct identity_public *first = is_a_first ? a : b, *second = is_a_first ? b : a;
	struct conversation_id id;
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, sizeof id.bytes);
	crypto_generichash_update(&state, (const uint8_t *)domain, sizeof domain - 1);
	crypto_generichash_update(&state, first->bytes, sizeof first->bytes);
	crypto_generichash_update(&state, second->bytes, sizeof second->bytes);
	crypto_generichash_final(&state, id.bytes, sizeof id.bytes);
	return id;
}

/* Hashed for each message said and heard: no copy of the large union, no allocation. */
struct message_hash message_hash(const struct wire_say *said)
{
	static const char domain[] = "palique-message-v1";
	uint8_t room[WIRE_TEXT_MAX + SAY_OVERHEAD_MAX];
	struct buf encoded = { .data = room, .capacity = sizeof room, .limit = sizeof room };
	struct message_hash hash;
	crypto_generichash_state state;
	struct pack p;
	struct coder c = { .to = &p };
	int err;

	begin(&p, &encoded, WIRE_SAY);
	say_fields(&c, (struct wire_say *)(uintptr_t)said);
	err = pack_end(&p);
	assert(err == 0);
	(void)err;
	crypto_generichash_init(&state, NULL, 0, sizeof hash.bytes);
	crypto_generichash_update(&state, (const uint8_t *)domain, sizeof domain - 1);
	crypto_generichash_update(&state, encoded.data, encoded.size);
	crypto_generichash_final(&state, hash.bytes, sizeof hash.bytes);
	sodium_memzero(room, encoded.size);
	return hash;
}
