#include "directory/server_inside.h"

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "shared/proof.h"

/* What changes the store is durable when it is answered, which costs the disk something:
 * a person does it a few times a day, a device that mends its list of contacts some more. */
static const struct bucket_size write_rate = { 60, 1000 };

static const struct name *name_of(const struct server *s, const struct session *who)
{
	return names_of(s->names, who->account);
}

static const struct identity_public *identity_of(const struct session *who)
{
	return &record_certificate(who->record)->identity;
}

static int refuse(struct server *s, struct session *who, enum wire_type about, int err)
{
	server_refuse(s, who, about, err, 0);
	return 0;
}

bool server_may_write(struct server *s, struct session *who, enum wire_type about)
{
	mono_ns wait;

	if (bucket_take(&who->writes, &write_rate, 1, s->now, &wait))
		return true;
	server_refuse(s, who, about, ERR_BUSY, (uint32_t)(wait / SECOND + 1));
	return false;
}

/* Before the registry is asked: the answer may be there at once. */
static void wait_for(struct session *who, enum wire_type about)
{
	who->is_waiting = true;
	who->asked = about;
}

/* --- the vault --- */

int server_on_vault_get(struct server *s, struct session *who, const struct wire_message *m)
{
	struct registry *r = s->desk.registry;

	wait_for(who, m->type);
	r->get_vault(r, who->ticket, name_of(s, who), m->vault_get.offset);
	return 0;
}

static void tell_part(struct server *s, struct session *who, const struct registry_answer *a)
{
	struct wire_message m = { .type = WIRE_VAULT_PART };

	m.vault_part.version = a->vault_version;
	memcpy(m.vault_part.signature, a->vault_signature, sizeof m.vault_part.signature);
	m.vault_part.total = a->vault_size;
	m.vault_part.offset = a->vault_offset;
	m.vault_part.part = a->blob;
	server_reply(s, who, &m);
}

/* Room for one more: whoever began longest ago gives way, and begins anew. */
static struct session_vault *begin_vault(struct server *s, struct session *who,
					 const struct wire_vault_put *m)
{
	struct session_vault *v;

	server_drop_vault(s, who);
	if (s->putting_count == SERVER_PUTTING_MAX)
		server_drop_vault(s, s->putting[0]);
	s->putting[s->putting_count++] = who;
	v = who->vault = memory_new(sizeof *v);
	v->version = m->version;
	v->total = m->total;
	memcpy(v->signature, m->signature, sizeof v->signature);
	buf_init(&v->sealed, VAULT_SIZE_MAX);
	return v;
}

static bool is_next_part(const struct session_vault *v, const struct wire_vault_put *m)
{
	return v && m->version == v->version && m->total == v->total &&
	       m->offset == v->sealed.size &&
	       memcmp(m->signature, v->signature, sizeof v->signature) == 0;
}

int server_on_vault_put(struct server *s, struct session *who, const struct wire_message *m)
{
	const struct wire_vault_put *put = &m->vault_put;
	struct registry *r = s->desk.registry;
	struct session_vault *v = who->vault;

	if (put->offset == 0) {
		if (!server_may_write(s, who, m->type))
			return 0;
		v = begin_vault(s, who, put);
	} else if (!is_next_part(v, put)) {
		server_drop_vault(s, who);
		return refuse(s, who, m->type, ERR_FORMAT);
	}
	if (buf_append(&v->sealed, put->part) < 0)
		return ERR_LIMIT; /* cannot be: total is within the limit */
	if (v->sealed.size < v->total)
		return 0;
	if (vault_verify(v->signature, identity_of(who), name_of(s, who), v->version,
			 buf_view(&v->sealed)) < 0) {
		server_drop_vault(s, who);
		return refuse(s, who, m->type, ERR_AUTH);
	}
	wait_for(who, m->type);
	r->put_vault(r, who->ticket, name_of(s, who), v->version, v->signature,
		     buf_view(&v->sealed));
	return 0;
}

void server_tell_vault(struct server *s, struct session *who, uint64_t version)
{
	struct wire_message m = { .type = WIRE_VAULT_NOW, .vault_now.version = version };

	who->vault_now = server_tell(s, who, &m) < 0 ? version : 0;
}

static void vault_answered(struct server *s, struct session *who,
			   const struct registry_answer *a)
{
	server_drop_vault(s, who);
	if (a->err == ERR_STATE) {
		server_refuse(s, who, WIRE_VAULT_PUT, ERR_STATE, 0);
		server_tell_vault(s, who, a->vault_version);
		return;
	}
	for (unsigned slot = 0; slot < PRESENCE_SLOTS; slot++) {
		struct record *r = presence_at(s->presence, who->account, slot);

		if (r)
			server_tell_vault(s, record_user(r), a->vault_version);
	}
}

/* --- devices --- */

int server_on_devices_put(struct server *s, struct session *who, const struct wire_message *m)
{
	struct registry *r = s->desk.registry;
	const struct device_list *list = &m->devices_put.devices;

	if (!server_may_write(s, who, m->type))
		return 0;
	if (device_list_verify(list) < 0)
		return refuse(s, who, m->type, ERR_AUTH);
	wait_for(who, m->type);
	if (!who->devices)
		who->devices = memory_new(sizeof *who->devices);
	*who->devices = *list;
	r->put_devices(r, who->ticket, name_of(s, who), list);
	return 0;
}

static void devices_answered(struct server *s, struct session *who)
{
	struct wire_message m = { .type = WIRE_DEVICES_DONE };
	struct device_list list = *who->devices;
	struct name name = *name_of(s, who);

	m.devices_done.version = list.version;
	server_reply(s, who, &m);
	server_devices_changed(s, &name, &list);
}

/* --- recovery code, and the end --- */

int server_on_recovery_put(struct server *s, struct session *who, const struct wire_message *m)
{
	struct registry *r = s->desk.registry;

	if (!server_may_write(s, who, m->type))
		return 0;
	/* one that no proof could ever hold under would also be told by the time it takes */
	if (!m->recovery_put.is_none &&
	    !crypto_core_ed25519_is_valid_point(m->recovery_put.prove.bytes))
		return refuse(s, who, m->type, ERR_FORMAT);
	wait_for(who, m->type);
	r->put_recovery(r, who->ticket, name_of(s, who), &m->recovery_put);
	return 0;
}

int server_on_delete(struct server *s, struct session *who, const struct wire_message *m)
{
	struct registry *r = s->desk.registry;

	if (!server_may_write(s, who, m->type))
		return 0;
	if (proof_delete_verify(m->delete.proof, identity_of(who),
				link_handshake_hash(who->link), name_of(s, who)) < 0)
		return refuse(s, who, m->type, ERR_AUTH);
	wait_for(who, m->type);
	r->delete (r, who->ticket, name_of(s, who));
	return 0;
}

static void deleted(struct server *s, struct session *who)
{
	struct wire_message m = { .type = WIRE_DELETE_DONE };
	struct name name = *name_of(s, who);

	server_reply(s, who, &m);
	server_drop(s, &name, LINK_CODE_UNKNOWN);
}

void server_on_account_answer(struct server *s, struct session *who,
			      const struct registry_answer *a)
{
	struct wire_message m = { .type = WIRE_RECOVERY_DONE };

	who->is_waiting = false;
	if (a->err < 0 && (who->asked != WIRE_VAULT_PUT || a->err != ERR_STATE)) {
		server_drop_vault(s, who);
		server_refuse_answer(s, who, who->asked, a->err);
		return;
	}
	switch (who->asked) {
	case WIRE_VAULT_GET:
		tell_part(s, who, a);
		return;
	case WIRE_VAULT_PUT:
		vault_answered(s, who, a);
		return;
	case WIRE_DEVICES_PUT:
		devices_answered(s, who);
		return;
	case WIRE_RECOVERY_PUT:
		server_outdate(s, who, name_of(s, who), LOGIN_NEW_CODE);
		server_reply(s, who, &m);
		return;
	default:
		deleted(s, who);
	}
}
