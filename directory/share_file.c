#include "directory/share_file.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

static const char magic[] = "palique-keyholder-share ", version[] = "1";
static const char bound[] = "palique-keyholder-share-v1";

enum { NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, PLAIN_SIZE = 64 + 32 };
_Static_assert((int)SHARE_SEALED_SIZE ==
		       NONCE + PLAIN_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES,
	       "nonce, secrets, tag");

/* --- splitting and joining --- */

static void seal(uint8_t sealed[SHARE_SEALED_SIZE], const struct opaque_server *secrets,
		 const struct symmetric_key *key)
{
	uint8_t plain[PLAIN_SIZE];

	memcpy(plain, secrets->oprf_seed, 64);
	memcpy(plain + 64, secrets->secret, 32);
	randombytes_buf(sealed, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE, NULL, plain, sizeof plain,
						   (const uint8_t *)bound, sizeof bound - 1,
						   NULL, sealed, key->bytes);
	sodium_memzero(plain, sizeof plain);
}

static int open_sealed(struct opaque_server *secrets, const uint8_t sealed[SHARE_SEALED_SIZE],
		       const struct symmetric_key *key)
{
	uint8_t plain[PLAIN_SIZE], point[32];
	int err = ERR_AUTH;

	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    plain, NULL, NULL, sealed + NONCE, SHARE_SEALED_SIZE - NONCE,
		    (const uint8_t *)bound, sizeof bound - 1, sealed, key->bytes) != 0 ||
	    crypto_scalarmult_ristretto255_base(point, plain + 64) != 0)
		goto out;
	memcpy(secrets->oprf_seed, plain, 64);
	memcpy(secrets->secret, plain + 64, 32);
	memcpy(secrets->public, point, 32);
	err = 0;
out:
	sodium_memzero(plain, sizeof plain);
	return err;
}

void share_files_split(struct share_file files[SHARES_COUNT],
		       const struct opaque_server *secrets)
{
	struct share shares[SHARES_COUNT];
	struct symmetric_key key;

	shares_make(&key, shares);
	seal(files[0].sealed, secrets, &key);
	for (int i = 0; i < SHARES_COUNT; i++) {
		files[i].share = shares[i];
		memmove(files[i].sealed, files[0].sealed, SHARE_SEALED_SIZE);
	}
	sodium_memzero(shares, sizeof shares);
	sodium_memzero(&key, sizeof key);
}

int share_files_join(struct opaque_server *secrets, const struct share_file *a,
		     const struct share_file *b)
{
	struct symmetric_key key;
	int err;

	if (memcmp(a->sealed, b->sealed, SHARE_SEALED_SIZE) != 0)
		return ERR_STATE;
	err = shares_join(&key, &a->share, &b->share);
	if (err < 0)
		return err;
	err = open_sealed(secrets, a->sealed, &key);
	sodium_memzero(&key, sizeof key);
	return err;
}

/* --- as text --- */

static void add(struct buf *out, const char *text)
{
	(void)buf_append(out, bytes_text(text));
}

void share_file_print(struct buf *out, const struct share_file *f)
{
	char share[BYTES_BASE64_SIZE(SHARE_SIZE)], sealed[BYTES_BASE64_SIZE(SHARE_SEALED_SIZE)];
	char number[16];

	bytes_to_base64(BYTES(f->share.bytes), share);
	bytes_to_base64(BYTES(f->sealed), sealed);
	snprintf(number, sizeof number, "%u", f->share.number);
	add(out, magic);
	add(out, version);
	add(out, "\n# ");
	add(out, _("Any two of the three files bring the key-holder's secrets back, one alone "
		   "says nothing."));
	add(out, "\n# palique-directory keyholder join FILE FILE\nnumber ");
	add(out, number);
	add(out, "\nshare ");
	add(out, share);
	add(out, "\nsealed ");
	add(out, sealed);
	add(out, "\n");
	sodium_memzero(share, sizeof share);
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next line, without spaces around it; false: there is none. */
static bool next_line(struct bytes *rest, struct bytes *line)
{
	const uint8_t *end;

	if (!rest->size)
		return false;
	end = memchr(rest->data, '\n', rest->size);
	*line = bytes_of(rest->data, end ? (size_t)(end - rest->data) : rest->size);
	rest->data += line->size + (end ? 1 : 0);
	rest->size -= line->size + (end ? 1 : 0);
	while (line->size && is_space(line->data[line->size - 1]))
		line->size--;
	while (line->size && is_space(*line->data)) {
		line->data++;
		line->size--;
	}
	return true;
}

/* What stands behind `word ` in the line. */
static bool begins(struct bytes line, const char *word, struct bytes *value)
{
	size_t size = strlen(word);

	if (line.size <= size || memcmp(line.data, word, size) != 0)
		return false;
	*value = bytes_of(line.data + size, line.size - size);
	return true;
}

enum { NUMBER = 1, SHARE = 2, SEALED = 4, ALL = 7 };

static int read_value(struct share_file *f, struct bytes line, unsigned *seen)
{
	unsigned which;
	struct bytes v;
	int err = 0;

	if (begins(line, "number ", &v)) {
		which = NUMBER;
		if (v.size != 1 || v.data[0] < '1' || v.data[0] > '0' + SHARES_COUNT)
			return ERR_FORMAT;
		f->share.number = v.data[0] - '0';
	} else if (begins(line, "share ", &v)) {
		which = SHARE;
		err = bytes_from_base64((const char *)v.data, v.size, f->share.bytes,
					SHARE_SIZE);
	} else if (begins(line, "sealed ", &v)) {
		which = SEALED;
		err = bytes_from_base64((const char *)v.data, v.size, f->sealed,
					SHARE_SEALED_SIZE);
	} else {
		return ERR_FORMAT;
	}
	if (*seen & which)
		return ERR_FORMAT;
	*seen |= which;
	return err;
}

int share_file_parse(struct share_file *f, struct bytes text)
{
	struct share_file read = { 0 };
	struct bytes line = { 0 }, v;
	unsigned seen = 0;
	int err = ERR_LIMIT;

	if (text.size > SHARE_FILE_MAX)
		goto out;
	err = ERR_FORMAT;
	if (!next_line(&text, &line) || !begins(line, magic, &v))
		goto out;
	err = ERR_VERSION;
	if (!bytes_equal(v, bytes_text(version)))
		goto out;
	while (next_line(&text, &line)) {
		if (!line.size || line.data[0] == '#')
			continue;
		err = read_value(&read, line, &seen);
		if (err < 0)
			goto out;
	}
	err = ERR_FORMAT;
	if (seen != ALL)
		goto out;
	*f = read;
	err = 0;
out:
	sodium_memzero(&read, sizeof read);
	return err;
}
