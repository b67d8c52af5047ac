/* The first byte chooses: sealed bytes out of nowhere, or contents behind a true seal, as whoever
 * has the vault's key could make them. What opens must seal and open to the same again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "shared/vault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct symmetric_key key = { "the vault's key" };
static const struct name name = { "alice" };

/* Padded as a vault is, and sealed for "alice" and version 1. */
static void seal(struct buf *out, struct bytes contents)
{
	static const uint8_t bound[] = "palique-vault-v1\5alice\0\0\0\0\0\0\0\1";
	size_t padded = (contents.size / VAULT_STEP + 1) * VAULT_STEP;
	uint8_t *plain = memory_new(padded), *room = buf_room(out, padded + VAULT_OVERHEAD);

	if (contents.size > 0)
		memcpy(plain, contents.data, contents.size);
	plain[contents.size] = 0x80;
	memset(room, 0, 24);
	crypto_aead_xchacha20poly1305_ietf_encrypt(room + 24, NULL, plain, padded, bound,
						   sizeof bound - 1, NULL, room, key.bytes);
	buf_grew(out, padded + VAULT_OVERHEAD);
	free(plain);
}

static void check(const struct vault *v)
{
	struct vault again;
	struct buf sealed = { 0 };

	if (vault_seal(v, &key, &name, 2, &sealed) < 0 ||
	    vault_open(&again, buf_view(&sealed), &key, &name, 2) < 0 ||
	    again.count != v->count || again.past_count != v->past_count ||
	    memcmp(&again.identity, &v->identity, sizeof v->identity) != 0 ||
	    again.has_next != v->has_next ||
	    memcmp(&again.next, &v->next, sizeof v->next) != 0)
		abort();
	for (unsigned i = 0; i < v->count; i++)
		if (memcmp(&again.contacts[i], &v->contacts[i], sizeof v->contacts[i]) != 0)
			abort();
	vault_clear(&again);
	buf_clear(&sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf sealed = { 0 };
	struct vault v;
	struct bytes rest;

	if (size == 0 || sodium_init() < 0)
		return 0;
	rest = bytes_of(data + 1, size - 1);
	if (data[0] & 1)
		seal(&sealed, rest);
	else
		buf_append(&sealed, rest);
	if (vault_open(&v, buf_view(&sealed), &key, &name, 1) == 0) {
		if (!(data[0] & 1))
			abort(); /* nobody makes a seal by chance */
		check(&v);
		vault_clear(&v);
	}
	buf_clear(&sealed);
	return 0;
}
