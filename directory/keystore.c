#include "directory/keystore.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/key_file.h"
#include "directory/secrets.h"
#include "shared/error.h"
#include "shared/text.h"

static const struct key_kind kind = { "palique-directory-keys", 2, { 32 + 64 + 32, 32 } };

int keystore_write(const char *folder, const struct keystore *keys, char *reason,
		   size_t reason_size)
{
	return key_file_write(folder, "keys", &kind, keys->noise.secret.bytes, false, reason,
			      reason_size);
}

int keystore_make(const char *data, char *reason, size_t reason_size)
{
	struct keystore *keys = sodium_malloc(sizeof *keys);
	int err;

	if (!keys)
		abort();
	device_make(&keys->noise);
	err = keystore_write(data, keys, reason, reason_size);
	sodium_free(keys);
	return err;
}

int keystore_open(struct keystore **keys, const char *data, char *reason, size_t reason_size)
{
	struct keystore *k = sodium_malloc(sizeof *k);
	uint8_t *packed = sodium_malloc(KEY_FILE_SECRETS_MAX);
	unsigned version;
	int err;

	if (!k || !packed)
		abort();
	*keys = NULL;
	err = key_file_read(packed, &version, data, "keys", &kind, reason, reason_size);
	if (err < 0)
		goto out;
	memcpy(k->noise.secret.bytes, packed, 32); /* first in every version */
	err = ERR_CORRUPT;
	if (crypto_scalarmult_base(k->noise.public.bytes, k->noise.secret.bytes) != 0) {
		snprintf(reason, reason_size,
			 _("%s/keys is damaged. It has been left as it is; bring back a copy."),
			 data);
		goto out;
	}
	*keys = k;
	err = 0;
out:
	if (err < 0)
		sodium_free(k);
	sodium_free(packed);
	return err;
}

void keystore_close(struct keystore *keys)
{
	sodium_free(keys); /* wipes */
}

/* An interrupted split has written them already: then they are the same. */
static int secrets_are(const char *folder, const struct opaque_server *wanted, char *reason,
		       size_t reason_size)
{
	struct opaque_server *there;
	int err = secrets_open(&there, folder, reason, reason_size);

	if (err < 0)
		return err;
	if (sodium_memcmp(there->oprf_seed, wanted->oprf_seed, sizeof wanted->oprf_seed) != 0 ||
	    sodium_memcmp(there->secret, wanted->secret, sizeof wanted->secret) != 0) {
		err = ERR_EXISTS;
		snprintf(reason, reason_size,
			 _("%s has other secrets than those of this directory. Name another "
			   "folder, or move it away."),
			 folder);
	}
	secrets_close(there);
	return err;
}

int keystore_split(const char *data, const char *folder, char *reason, size_t reason_size)
{
	struct opaque_server *secrets = sodium_malloc(sizeof *secrets);
	uint8_t *packed = sodium_malloc(KEY_FILE_SECRETS_MAX);
	unsigned version;
	int err;

	if (!secrets || !packed)
		abort();
	err = key_file_read(packed, &version, data, "keys", &kind, reason, reason_size);
	if (err < 0 || version > 1)
		goto out;
	memset(secrets, 0, sizeof *secrets);
	memcpy(secrets->oprf_seed, packed + 32, 64);
	memcpy(secrets->secret, packed + 96, 32);
	err = secrets_write(folder, secrets, reason, reason_size);
	if (err == ERR_EXISTS)
		err = secrets_are(folder, secrets, reason, reason_size);
	/* only now, when they are durable there, do they go from here */
	if (!err)
		err = key_file_write(data, "keys", &kind, packed, true, reason, reason_size);
out:
	sodium_free(secrets);
	sodium_free(packed);
	return err;
}
