#include "directory/secrets.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/key_file.h"
#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"

static const struct key_kind kind = { "palique-keyholder", 1, { 64 + 32 } };

void secrets_folder(char folder[PATH_MAX], const char *data)
{
	snprintf(folder, PATH_MAX, "%s/keyholder", data);
}

/* By root for whom the folder above belongs to. */
static int make_folder(const char *folder, char *reason, size_t reason_size)
{
	char above[PATH_MAX];
	struct stat st;

	if (mkdir(folder, 0700) < 0) {
		if (errno == EEXIST)
			return 0;
		snprintf(reason, reason_size, _("%s cannot be made: %s."), folder,
			 strerror(errno));
		return file_error() == ERR_FULL ? ERR_FULL : ERR_IO;
	}
	snprintf(above, sizeof above, "%s/..", folder);
	if (geteuid() == 0 && stat(above, &st) == 0 &&
	    chown(folder, st.st_uid, st.st_gid) < 0) {
		snprintf(reason, reason_size, _("%s cannot be given to its owner: %s."), folder,
			 strerror(errno));
		return ERR_IO;
	}
	return 0;
}

int secrets_write(const char *folder, const struct opaque_server *secrets, char *reason,
		  size_t reason_size)
{
	uint8_t *packed = sodium_malloc(64 + 32);
	int err;

	if (!packed)
		abort();
	memcpy(packed, secrets->oprf_seed, 64);
	memcpy(packed + 64, secrets->secret, 32);
	err = make_folder(folder, reason, reason_size);
	if (!err)
		err = key_file_write(folder, "secrets", &kind, packed, false, reason,
				     reason_size);
	sodium_free(packed);
	return err;
}

int secrets_make(const char *folder, char *reason, size_t reason_size)
{
	struct opaque_server *fresh = sodium_malloc(sizeof *fresh);
	int err;

	if (!fresh)
		abort();
	opaque_server_make(fresh);
	err = secrets_write(folder, fresh, reason, reason_size);
	sodium_free(fresh);
	return err;
}

int secrets_open(struct opaque_server **secrets, const char *folder, char *reason,
		 size_t reason_size)
{
	struct opaque_server *s = sodium_malloc(sizeof *s);
	uint8_t *packed = sodium_malloc(KEY_FILE_SECRETS_MAX);
	unsigned version;
	int err;

	if (!s || !packed)
		abort();
	*secrets = NULL;
	err = key_file_read(packed, &version, folder, "secrets", &kind, reason, reason_size);
	if (err < 0)
		goto out;
	memcpy(s->oprf_seed, packed, 64);
	memcpy(s->secret, packed + 64, 32);
	err = ERR_CORRUPT;
	if (crypto_scalarmult_ristretto255_base(s->public, s->secret) != 0) {
		snprintf(reason, reason_size,
			 _("%s/secrets is damaged. It has been left as it is; bring back a "
			   "copy."),
			 folder);
		goto out;
	}
	*secrets = s;
	err = 0;
out:
	if (err < 0)
		sodium_free(s);
	sodium_free(packed);
	return err;
}

void secrets_close(struct opaque_server *secrets)
{
	sodium_free(secrets); /* wipes */
}
