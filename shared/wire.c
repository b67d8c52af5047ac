#include "shared/wire.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/menu.h"
#include "shared/wire_fields.h"

static void nothing(struct coder *c, struct wire_message *m)
{
	(void)c;
	(void)m;
}

/* Here, because it names another message. */
static void refusal(struct coder *c, struct wire_message *m)
{
	struct wire_refusal *r = &m->refusal;
	uint64_t about = r->about, error = (uint64_t) - (int64_t)r->error;

	coder_number(c, &about, 1, UINT8_MAX);
	coder_check(c, wire_name((enum wire_type)about) != NULL, ERR_FORMAT);
	coder_number(c, &error, 1, -(ERR_LAST + 1));
	r->about = (enum wire_type)about;
	r->error = -(int)error;
	coder_number32(c, &r->retry_after, 0, UINT32_MAX);
	if (coder_optional(c, r->work.bits > 0)) {
		uint64_t bits = r->work.bits;

		coder_nest(c, 2);
		coder_fixed(c, r->work.challenge, sizeof r->work.challenge);
		coder_number(c, &bits, 1, WORK_BITS_MAX);
		r->work.bits = (uint8_t)bits;
	}
}

/* --- the table -------------------------------------------------------------------------- */

enum {
	GUEST = WIRE_FROM_GUEST,
	CLIENT = WIRE_FROM_CLIENT,
	DIRECTORY = WIRE_FROM_DIRECTORY,
	PEER = WIRE_FROM_PEER,
};

#define PART(name) sizeof(((struct wire_message *)NULL)->name)

static const struct row {
	const char *name;
	unsigned from;       /* enum wire_side, or-ed */
	uint32_t count;      /* of fields */
	size_t size;         /* of its part of the union */
	wire_fields *fields; /* encodes and decodes */
} rows[] = {
	[WIRE_REGISTER_START] = { "REGISTER_START", GUEST, 4, PART(register_start),
				  fields_register_start },
	[WIRE_REGISTER_CHALLENGE] = { "REGISTER_CHALLENGE", DIRECTORY, 2,
				      PART(register_challenge), fields_register_challenge },
	[WIRE_REGISTER_FINISH] = { "REGISTER_FINISH", GUEST, 3, PART(register_finish),
				   fields_register_finish },
	[WIRE_REGISTER_DONE] = { "REGISTER_DONE", DIRECTORY, 0, 0, nothing },
	[WIRE_LOGIN_START] = { "LOGIN_START", GUEST | CLIENT, 3, PART(login_start),
			       fields_login_start },
	[WIRE_LOGIN_CHALLENGE] = { "LOGIN_CHALLENGE", DIRECTORY, 2, PART(login_challenge),
				   fields_login_challenge },
	[WIRE_LOGIN_FINISH] = { "LOGIN_FINISH", GUEST | CLIENT, 1, PART(login_finish),
				fields_login_finish },
	[WIRE_LOGIN_DONE] = { "LOGIN_DONE", DIRECTORY, 6, PART(login_done), fields_login_done },
	[WIRE_REFUSAL] = { "REFUSAL", DIRECTORY, 4, PART(refusal), refusal },
	[WIRE_ENROL] = { "ENROL", GUEST, 2, PART(enrol), fields_enrol },
	[WIRE_ENROL_DONE] = { "ENROL_DONE", DIRECTORY, 0, 0, nothing },
	[WIRE_RECOVER] = { "RECOVER", GUEST, 3, PART(recover), fields_recover },
	[WIRE_RESET] = { "RESET", GUEST, 1, PART(reset), fields_reset },
	[WIRE_RESET_DONE] = { "RESET_DONE", DIRECTORY, 1, PART(reset_done), fields_reset_done },
	[WIRE_WELCOME] = { "WELCOME", DIRECTORY, 6, PART(welcome), fields_welcome },
	[WIRE_PUBLISH] = { "PUBLISH", CLIENT, 2, PART(publish), fields_publish },
	[WIRE_LIST] = { "LIST", CLIENT, 3, PART(list), fields_list },
	[WIRE_LIST_ADD] = { "LIST_ADD", CLIENT, 3, PART(list_add), fields_list_add },
	[WIRE_LIST_REMOVE] = { "LIST_REMOVE", CLIENT, 1, PART(list_remove),
			       fields_list_remove },
	[WIRE_PRESENCE] = { "PRESENCE", DIRECTORY, 3, PART(presence), fields_presence },
	[WIRE_ASKED] = { "ASKED", DIRECTORY, 3, PART(asked), fields_asked },
	[WIRE_INTRODUCE] = { "INTRODUCE", CLIENT, 1, PART(introduce), fields_introduce },
	[WIRE_INTRODUCTION] = { "INTRODUCTION", DIRECTORY, 5, PART(introduction),
				fields_introduction },
	[WIRE_SUSPECT] = { "SUSPECT", CLIENT, 2, PART(suspect), fields_suspect },
	[WIRE_CHECK] = { "CHECK", DIRECTORY, 1, PART(check), fields_check_nonce },
	[WIRE_CHECK_ANSWER] = { "CHECK_ANSWER", CLIENT, 1, PART(check_answer),
				fields_check_answer },
	[WIRE_LEAVING] = { "LEAVING", DIRECTORY, 1, PART(leaving), fields_leaving },
	[WIRE_OBSERVED] = { "OBSERVED", DIRECTORY, 1, PART(observed), fields_observed },
	[WIRE_PASSWORD_START] = { "PASSWORD_START", GUEST | CLIENT, 1, PART(password_start),
				  fields_password_start },
	[WIRE_PASSWORD_CHALLENGE] = { "PASSWORD_CHALLENGE", DIRECTORY, 2,
				      PART(password_challenge), fields_password_challenge },
	[WIRE_PASSWORD_FINISH] = { "PASSWORD_FINISH", GUEST | CLIENT, 3, PART(password_finish),
				   fields_password_finish },
	[WIRE_PASSWORD_DONE] = { "PASSWORD_DONE", DIRECTORY, 0, 0, nothing },
	[WIRE_VAULT_GET] = { "VAULT_GET", GUEST | CLIENT, 1, PART(vault_get),
			     fields_vault_get },
	[WIRE_VAULT_PART] = { "VAULT_PART", DIRECTORY, 5, PART(vault_part), fields_vault_part },
	[WIRE_VAULT_PUT] = { "VAULT_PUT", CLIENT, 5, PART(vault_put), fields_vault_put },
	[WIRE_VAULT_NOW] = { "VAULT_NOW", DIRECTORY, 1, PART(vault_now), fields_vault_now },
	[WIRE_DEVICES_PUT] = { "DEVICES_PUT", CLIENT, 1, PART(devices_put),
			       fields_devices_put },
	[WIRE_DEVICES_DONE] = { "DEVICES_DONE", DIRECTORY, 1, PART(devices_done),
				fields_devices_done },
	[WIRE_RECOVERY_PUT] = { "RECOVERY_PUT", CLIENT, 1, PART(recovery_put),
				fields_recovery_put },
	[WIRE_RECOVERY_DONE] = { "RECOVERY_DONE", DIRECTORY, 0, 0, nothing },
	[WIRE_DELETE] = { "DELETE", CLIENT, 1, PART(delete), fields_delete_account },
	[WIRE_DELETE_DONE] = { "DELETE_DONE", DIRECTORY, 0, 0, nothing },
	[WIRE_HAVE] = { "HAVE", PEER, 4, PART(have), fields_have },
	[WIRE_SAY] = { "SAY", PEER, 8, PART(say), fields_say },
	[WIRE_ACK] = { "ACK", PEER, 3, PART(ack), fields_ack },
	[WIRE_DEVICES] = { "DEVICES", PEER, 1, PART(devices), fields_devices },
	[WIRE_DELIVERED] = { "DELIVERED", PEER, 2, PART(delivered), fields_delivered },
	[WIRE_RECORD] = { "RECORD", PEER, 1, PART(record), fields_record },
	[WIRE_FORWARDING] = { "FORWARDING", PEER, 3, PART(forwarding), fields_forwarding },
	[WIRE_WHERE] = { "WHERE", PEER, 1, PART(where), fields_where },
	[WIRE_THERE] = { "THERE", PEER, 3, PART(there), fields_there },
	[WIRE_RELAY_OPEN] = { "RELAY_OPEN", PEER, 3, PART(relay_open), fields_relay_open },
	[WIRE_RELAY_OFFER] = { "RELAY_OFFER", PEER, 3, PART(relay_offer), fields_relay_offer },
	[WIRE_RELAY_ANSWER] = { "RELAY_ANSWER", PEER, 3, PART(relay_answer),
				fields_relay_answer },
	[WIRE_RELAY_CLOSE] = { "RELAY_CLOSE", PEER, 1, PART(relay_close), fields_relay_close },
	[WIRE_READ] = { "READ", PEER, 3, PART(read), fields_read },
	[WIRE_TYPING] = { "TYPING", PEER, 2, PART(typing), fields_typing },
	[WIRE_PROFILE] = { "PROFILE", PEER, 5, PART(profile), fields_profile },
	[WIRE_PROFILE_HAVE] = { "PROFILE_HAVE", PEER, 2, PART(profile_have),
				fields_profile_have },
	[WIRE_FILE_GET] = { "FILE_GET", PEER, 2, PART(file_get), fields_file_get },
	[WIRE_FILE_HEAD] = { "FILE_HEAD", PEER, 2, PART(file_head), fields_file_head },
	[WIRE_FILE_TAIL] = { "FILE_TAIL", PEER, 2, PART(file_tail), fields_file_tail },
	[WIRE_FILE_DONE] = { "FILE_DONE", PEER, 1, PART(file_done), fields_file_done },
	[WIRE_GRANT] = { "GRANT", PEER, 2, PART(grant), fields_grant },
	[WIRE_HISTORY_GET] = { "HISTORY_GET", PEER, 3, PART(history_get), fields_history_get },
	[WIRE_HISTORY] = { "HISTORY", PEER, 1, PART(history), fields_history },
	[WIRE_FILE_STANDS] = { "FILE_STANDS", PEER, 2, PART(file_stands), fields_file_stands },
	[WIRE_FILE_NOTED] = { "FILE_NOTED", PEER, 2, PART(file_noted), fields_file_noted },
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
static void begin_with(struct pack *p, struct buf *out, enum wire_type type, uint32_t count)
{
	pack_begin(p, out);
	pack_array(p, 1 + count);
	pack_uint(p, type);
}

static void begin(struct pack *p, struct buf *out, enum wire_type type)
{
	begin_with(p, out, type, rows[type].count);
}

/* A PROFILE has one field more where a program speaks. */
static bool has_program(const struct wire_profile *p)
{
	return p->is_bot || p->menu.size > 0;
}

static void encode_profile(struct coder *c, struct buf *out, const struct wire_profile *said)
{
	struct wire_profile *p = (struct wire_profile *)(uintptr_t)said; /* only read */

	begin_with(c->to, out, WIRE_PROFILE, rows[WIRE_PROFILE].count + has_program(p));
	fields_of_profile(c, p);
	if (has_program(p))
		fields_of_profile_program(c, p);
}

int wire_encode(const struct wire_message *m, struct buf *out)
{
	const struct row *row = row_of(m->type);
	size_t before = out->size;
	struct pack p;
	struct coder c = { .to = &p };
	int err;

	assert(row);
	if (m->type == WIRE_PROFILE) {
		encode_profile(&c, out, &m->profile);
	} else {
		begin(&p, out, m->type);
		/* only read: there is a `to` */
		row->fields(&c, (struct wire_message *)(uintptr_t)m);
	}
	err = pack_end(&p);
	if (err < 0)
		out->size = before;
	return err;
}

/* Not the whole of it: the union is a hundred times as large as what is said most often. */
static void clear_part(struct wire_message *m, const struct row *row)
{
	if (row->size > 0)
		memset((uint8_t *)m + offsetof(struct wire_message, say), 0, row->size);
}

int wire_decode(struct wire_message *m, struct bytes b, enum wire_side from)
{
	const struct row *row;
	struct unpack u;
	struct coder c = { .from = &u };
	uint32_t count;
	bool is_longer;
	uint64_t type;
	int err;

	m->type = (enum wire_type)0;
	unpack_begin(&u, b);
	count = unpack_array(&u, UINT8_MAX);
	type = unpack_uint(&u, UINT8_MAX);
	row = row_of(type);
	err = u.err ? u.err : ERR_FORMAT;
	is_longer = row && type == WIRE_PROFILE && count == 2 + row->count;
	if (u.err < 0 || !row || (count != 1 + row->count && !is_longer))
		return err;
	if (!(row->from & from))
		return ERR_REFUSED;
	m->type = (enum wire_type)type;
	clear_part(m, row);
	row->fields(&c, m);
	if (is_longer)
		fields_of_profile_program(&c, &m->profile);
	err = unpack_end(&u);
	if (err == 0)
		return 0;
	m->type = (enum wire_type)0;
	clear_part(m, row);
	return err;
}

/* Of an encoded SAY around its body: 164 at most, and what a program adds. */
enum { SAY_OVERHEAD_MAX = 256 + NAME_MAX + MENU_BUTTONS_SIZE };

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
	uint8_t room[WIRE_SAY_MAX + SAY_OVERHEAD_MAX];
	struct buf encoded = { .data = room, .capacity = sizeof room, .limit = sizeof room };
	struct message_hash hash;
	crypto_generichash_state state;
	struct pack p;
	struct coder c = { .to = &p };
	int err;

	if (said->kind == SAY_GONE && said->body.size == sizeof hash.bytes) {
		memcpy(hash.bytes, said->body.data, sizeof hash.bytes);
		return hash;
	}
	begin(&p, &encoded, WIRE_SAY);
	fields_of_say(&c, (struct wire_say *)(uintptr_t)said);
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

struct profile_mark profile_mark(const struct wire_profile *profile)
{
	static const char domain[] = "palique-profile-v1";
	struct buf encoded = { .limit = WIRE_PICTURE_MAX + WIRE_STATUS_MAX + WIRE_TITLE_MAX +
					MENU_COMMANDS_SIZE + SAY_OVERHEAD_MAX };
	struct profile_mark mark;
	crypto_generichash_state state;
	struct pack p;
	struct coder c = { .to = &p };
	int err;

	encode_profile(&c, &encoded, profile);
	err = pack_end(&p);
	assert(err == 0);
	(void)err;
	crypto_generichash_init(&state, NULL, 0, sizeof mark.bytes);
	crypto_generichash_update(&state, (const uint8_t *)domain, sizeof domain - 1);
	crypto_generichash_update(&state, encoded.data, encoded.size);
	crypto_generichash_final(&state, mark.bytes, sizeof mark.bytes);
	buf_clear(&encoded);
	return mark;
}
