#include "shared/vault.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/kdf.h"
#include "shared/pack.h"

static const char DOMAIN[] = "palique-vault-v1";
static const char WRAP_DOMAIN[] = "palique-wrap-v1";

enum {
	FORMAT = 3,          /* the first number of the contents */
	WITHOUT_HIDDEN = 2,  /* read, and written where nobody is hidden from anybody ... */
	WITHOUT_CONSENT = 1, /* ... and only read: every contact is CONSENT_DIRECT */
	NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	SEED_SIZE = crypto_sign_SEEDBYTES,
	PLAIN_MAX = (VAULT_SIZE_MAX - VAULT_OVERHEAD) / VAULT_STEP * VAULT_STEP,
	BOUND_MAX = sizeof DOMAIN - 1 + 1 + NAME_MAX + 8, /* additional data */
	SIGNED_MAX = sizeof DOMAIN - 1 + NAME_MAX + 8 + 32,
};
_Static_assert(VAULT_OVERHEAD == (int)NONCE_SIZE + (int)TAG_SIZE, "XChaCha20-Poly1305");
_Static_assert(VAULT_WRAP_SIZE == (int)NONCE_SIZE + 32 + (int)TAG_SIZE, "a key, sealed");

void vault_clear(struct vault *v)
{
	if (v->contacts) {
		sodium_memzero(v->contacts, v->count * sizeof v->contacts[0]);
		free(v->contacts);
	}
	sodium_memzero(v, sizeof *v);
}

/* --- contents ---------------------------------------------------------------------------- */

static uint64_t format_of(const struct vault *v)
{
	bool is_hidden = v->is_invisible;

	for (unsigned i = 0; i < v->count; i++)
		is_hidden |= v->contacts[i].is_hidden;
	return is_hidden ? FORMAT : WITHOUT_HIDDEN;
}

static void encode_contact(struct pack *p, const struct vault_contact *c, uint64_t format)
{
	pack_array(p, format == FORMAT ? 7 : 6);
	pack_text(p, bytes_text(c->name.text));
	pack_uint(p, c->state);
	if (c->has_identity)
		pack_bin(p, BYTES(c->identity.bytes));
	else
		pack_nil(p);
	pack_bool(p, c->is_verified);
	pack_uint(p, c->consent);
	if (format == FORMAT)
		pack_bool(p, c->is_hidden);
	pack_uint(p, c->stamp);
}

static int by_name(const void *a, const void *b)
{
	const struct vault_contact *const *x = a, *const *y = b;

	return strcmp((*x)->name.text, (*y)->name.text);
}

/* Sorted by name, so that the same contents are the same bytes, and one name stands once. */
static void encode_contacts(struct pack *p, const struct vault *v, uint64_t format)
{
	const struct vault_contact **sorted = memory_array(v->count + 1, sizeof *sorted);

	for (unsigned i = 0; i < v->count; i++)
		sorted[i] = &v->contacts[i];
	qsort(sorted, v->count, sizeof *sorted, by_name);
	pack_array(p, v->count);
	for (unsigned i = 0; i < v->count; i++) {
		assert(i == 0 || by_name(&sorted[i - 1], &sorted[i]) < 0);
		encode_contact(p, sorted[i], format);
	}
	free(sorted);
}

static int encode(const struct vault *v, struct buf *out)
{
	uint64_t format = format_of(v);
	struct pack p;

	pack_begin(&p, out);
	pack_array(&p, format == FORMAT ? 9 : 8);
	pack_uint(&p, format);
	pack_bin(&p, bytes_of(v->identity.secret.bytes, SEED_SIZE));
	if (v->has_next)
		pack_bin(&p, bytes_of(v->next.secret.bytes, SEED_SIZE));
	else
		pack_nil(&p);
	pack_array(&p, v->past_count);
	for (unsigned i = 0; i < v->past_count; i++) {
		pack_array(&p, 2);
		pack_bin(&p, BYTES(v->past[i].identity.bytes));
		pack_bin(&p, BYTES(v->past[i].signature));
	}
	if (v->has_recovery)
		pack_bin(&p, BYTES(v->recovery.bytes));
	else
		pack_nil(&p);
	pack_uint(&p, v->requests);
	if (format == FORMAT)
		pack_bool(&p, v->is_invisible);
	pack_uint(&p, v->settings_stamp);
	encode_contacts(&p, v, format);
	return pack_end(&p);
}

/* The first error sticks. */
static void check(struct unpack *u, bool holds, int err)
{
	if (u->err == 0 && !holds)
		u->err = err;
}

static void decode_contact(struct vault_contact *c, const struct vault_contact *before,
			   struct unpack *u, uint64_t format)
{
	unpack_array_of(u, 4 + (unsigned)format);
	check(u, name_check(&c->name, unpack_text(u, NAME_MAX)) == 0, ERR_FORMAT);
	check(u, !before || strcmp(before->name.text, c->name.text) < 0, ERR_FORMAT);
	c->state = (enum vault_state)unpack_uint(u, VAULT_GONE);
	c->has_identity = !unpack_is_nil(u);
	if (c->has_identity)
		unpack_bin_to(u, c->identity.bytes, sizeof c->identity.bytes);
	c->is_verified = unpack_bool(u);
	if (format != WITHOUT_CONSENT)
		c->consent = (enum consent)unpack_uint(u, CONSENT_NEVER);
	if (format == FORMAT)
		c->is_hidden = unpack_bool(u);
	c->stamp = unpack_uint(u, INT64_MAX);
}

static void decode_contacts(struct vault *v, struct unpack *u, uint64_t format)
{
	unsigned count = unpack_array(u, VAULT_CONTACTS_MAX);

	if (count == 0)
		return;
	v->contacts = memory_array(count, sizeof v->contacts[0]);
	for (v->count = 0; v->count < count && u->err == 0; v->count++)
		decode_contact(&v->contacts[v->count],
			       v->count > 0 ? &v->contacts[v->count - 1] : NULL, u, format);
}

static void decode_identity(struct identity *id, struct unpack *u)
{
	uint8_t seed[SEED_SIZE];

	unpack_bin_to(u, seed, sizeof seed);
	if (u->err == 0)
		crypto_sign_seed_keypair(id->public.bytes, id->secret.bytes, seed);
	sodium_memzero(seed, sizeof seed);
}

/* On failure `v` may hold something: the caller clears it. */
static int decode(struct vault *v, struct bytes contents)
{
	struct unpack u;
	uint64_t format;
	unsigned count;

	unpack_begin(&u, contents);
	count = unpack_array(&u, UINT32_MAX);
	format = unpack_uint(&u, UINT64_MAX);
	check(&u, format >= WITHOUT_CONSENT && format <= FORMAT, ERR_VERSION);
	check(&u, count == (format == FORMAT ? 9 : 8), ERR_FORMAT);
	decode_identity(&v->identity, &u);
	v->has_next = !unpack_is_nil(&u);
	if (v->has_next)
		decode_identity(&v->next, &u);
	v->past_count = unpack_array(&u, DEVICE_LIST_PAST_MAX);
	for (unsigned i = 0; i < v->past_count && u.err == 0; i++) {
		unpack_array_of(&u, 2);
		unpack_bin_to(&u, v->past[i].identity.bytes, sizeof v->past[i].identity);
		unpack_bin_to(&u, v->past[i].signature, sizeof v->past[i].signature);
	}
	v->has_recovery = !unpack_is_nil(&u);
	if (v->has_recovery)
		unpack_bin_to(&u, v->recovery.bytes, sizeof v->recovery.bytes);
	v->requests = (enum request_policy)unpack_uint(&u, REQUESTS_NONE);
	if (format == FORMAT)
		v->is_invisible = unpack_bool(&u);
	v->settings_stamp = unpack_uint(&u, INT64_MAX);
	decode_contacts(v, &u, format);
	return unpack_end(&u);
}

/* --- the seal ---------------------------------------------------------------------------- */

/* Appends to what has room for it; returns the new end. */
static uint8_t *put(uint8_t *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	return to + size;
}

static uint8_t *put_u64(uint8_t *to, uint64_t v)
{
	for (size_t i = 0; i < 8; i++)
		to[i] = (uint8_t)(v >> (56 - 8 * i));
	return to + 8;
}

/* domain | length of the name | name; returns the new end. */
static uint8_t *put_bound(uint8_t *to, const char *domain, const struct name *name)
{
	size_t length = strlen(name->text);

	to = put(to, domain, strlen(domain));
	*to++ = (uint8_t)length;
	return put(to, name->text, length);
}

/* `out` has room for VAULT_OVERHEAD more than `plain`. */
static void seal(uint8_t *out, struct bytes plain, struct bytes bound, const uint8_t key[32])
{
	randombytes_buf(out, NONCE_SIZE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_SIZE, NULL, plain.data,
						   plain.size, bound.data, bound.size, NULL,
						   out, key);
}

static int open(uint8_t *out, struct bytes sealed, struct bytes bound, const uint8_t key[32])
{
	return crypto_aead_xchacha20poly1305_ietf_decrypt(
		       out, NULL, NULL, sealed.data + NONCE_SIZE, sealed.size - NONCE_SIZE,
		       bound.data, bound.size, sealed.data, key) == 0
		       ? 0
		       : ERR_AUTH;
}

int vault_seal(const struct vault *v, const struct symmetric_key *key, const struct name *name,
	       uint64_t version, struct buf *out)
{
	uint8_t bound[BOUND_MAX], *end, *room;
	struct buf plain = { .capacity = PLAIN_MAX, .limit = PLAIN_MAX };
	size_t padded;
	int err;

	assert(v->past_count <= DEVICE_LIST_PAST_MAX && v->settings_stamp <= INT64_MAX);
	if (v->count > VAULT_CONTACTS_MAX)
		return ERR_LIMIT;
	plain.data = sodium_malloc(PLAIN_MAX);
	if (!plain.data)
		abort();
	err = encode(v, &plain);
	if (err < 0)
		goto out;
	err = ERR_LIMIT;
	if (sodium_pad(&padded, plain.data, plain.size, VAULT_STEP, PLAIN_MAX) != 0)
		goto out;
	room = buf_room(out, padded + VAULT_OVERHEAD);
	if (!room)
		goto out;
	end = put_u64(put_bound(bound, DOMAIN, name), version);
	seal(room, bytes_of(plain.data, padded), bytes_of(bound, end - bound), key->bytes);
	buf_grew(out, padded + VAULT_OVERHEAD);
	err = 0;
out:
	sodium_free(plain.data);
	return err;
}

int vault_open(struct vault *v, struct bytes sealed, const struct symmetric_key *key,
	       const struct name *name, uint64_t version)
{
	uint8_t bound[BOUND_MAX], *end, *plain = NULL;
	struct vault opened = { 0 };
	size_t padded, size;
	int err = ERR_LIMIT;

	if (sealed.size > VAULT_SIZE_MAX)
		goto out;
	err = ERR_FORMAT;
	if (sealed.size < VAULT_FIRST_SIZE || (sealed.size - VAULT_OVERHEAD) % VAULT_STEP != 0)
		goto out;
	padded = sealed.size - VAULT_OVERHEAD;
	plain = sodium_malloc(padded);
	if (!plain)
		abort();
	end = put_u64(put_bound(bound, DOMAIN, name), version);
	err = open(plain, sealed, bytes_of(bound, end - bound), key->bytes);
	if (err < 0)
		goto out;
	err = ERR_FORMAT;
	if (sodium_unpad(&size, plain, padded, VAULT_STEP) != 0)
		goto out;
	err = decode(&opened, bytes_of(plain, size));
	if (err < 0)
		goto out;
	*v = opened;
	opened = (struct vault){ 0 };
out:
	vault_clear(&opened);
	sodium_free(plain);
	return err;
}

/* --- the identity's word ------------------------------------------------------------------ */

static size_t signed_form(uint8_t out[SIGNED_MAX], const struct name *name, uint64_t version,
			  struct bytes sealed)
{
	uint8_t *end = put(out, DOMAIN, sizeof DOMAIN - 1);

	end = put(end, name->text, strlen(name->text));
	end = put_u64(end, version);
	crypto_generichash(end, 32, sealed.data, sealed.size, NULL, 0);
	return end + 32 - out;
}

void vault_doubt_stamps(struct vault *v, wall_ms now)
{
	uint64_t most = (now > 0 ? (uint64_t)now : 0) + VAULT_STAMP_AHEAD;

	if (v->settings_stamp > most)
		v->settings_stamp = 0;
	for (unsigned i = 0; i < v->count; i++)
		if (v->contacts[i].stamp > most)
			v->contacts[i].stamp = 0;
}

void vault_sign(uint8_t out[VAULT_SIGNATURE_SIZE], const struct identity *by,
		const struct name *name, uint64_t version, struct bytes sealed)
{
	uint8_t form[SIGNED_MAX];
	size_t size = signed_form(form, name, version, sealed);

	crypto_sign_detached(out, NULL, form, size, by->secret.bytes);
}

int vault_verify(const uint8_t signature[VAULT_SIGNATURE_SIZE],
		 const struct identity_public *by, const struct name *name, uint64_t version,
		 struct bytes sealed)
{
	uint8_t form[SIGNED_MAX];
	size_t size = signed_form(form, name, version, sealed);

	if (crypto_sign_verify_detached(signature, form, size, by->bytes) != 0)
		return ERR_AUTH;
	return 0;
}

/* --- the key under a password -------------------------------------------------------------- */

static void wrapping_key(uint8_t out[32], const uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE])
{
	int err = hkdf_expand(out, 32, export_key, bytes_text(DOMAIN));

	_Static_assert((int)OPAQUE_EXPORT_KEY_SIZE == (int)HKDF_PRK_SIZE, "a PRK");
	assert(err == 0);
	(void)err;
}

void vault_wrap(uint8_t out[VAULT_WRAP_SIZE], const struct symmetric_key *key,
		const uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE], const struct name *name)
{
	uint8_t wrapping[32], bound[BOUND_MAX];
	uint8_t *end = put_bound(bound, WRAP_DOMAIN, name);

	wrapping_key(wrapping, export_key);
	seal(out, BYTES(key->bytes), bytes_of(bound, end - bound), wrapping);
	sodium_memzero(wrapping, sizeof wrapping);
}

int vault_unwrap(struct symmetric_key *key, const uint8_t wrapped[VAULT_WRAP_SIZE],
		 const uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE], const struct name *name)
{
	uint8_t wrapping[32], bound[BOUND_MAX], plain[sizeof key->bytes];
	uint8_t *end = put_bound(bound, WRAP_DOMAIN, name);
	int err;

	wrapping_key(wrapping, export_key);
	err = open(plain, bytes_of(wrapped, VAULT_WRAP_SIZE), bytes_of(bound, end - bound),
		   wrapping);
	if (err == 0)
		memcpy(key->bytes, plain, sizeof plain);
	sodium_memzero(wrapping, sizeof wrapping);
	sodium_memzero(plain, sizeof plain);
	return err;
}
