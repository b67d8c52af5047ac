#include "directory/keystore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/text.h"

static const char magic[] = "palique-directory-keys 1\n";

enum {
	MAGIC_SIZE = sizeof magic - 1,
	MAGIC_NAME = MAGIC_SIZE - 2, /* without version and newline */
	SECRETS_SIZE = 32 + 64 + 32,
	SUM_SIZE = 32,
	FILE_SIZE = MAGIC_SIZE + SECRETS_SIZE + SUM_SIZE,
};

static void checksum(uint8_t out[SUM_SIZE], const uint8_t *file)
{
	crypto_generichash(out, SUM_SIZE, file, FILE_SIZE - SUM_SIZE, NULL, 0);
}

static int path_of(char path[PATH_MAX], const char *data, const char *name)
{
	return snprintf(path, PATH_MAX, "%s/%s", data, name) < PATH_MAX ? 0 : ERR_LIMIT;
}

static int write_whole(int fd, const uint8_t *file)
{
	size_t done = 0;

	while (done < FILE_SIZE) {
		ssize_t n = write(fd, file + done, FILE_SIZE - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return errno == ENOSPC ? ERR_FULL : ERR_IO;
		done += n;
	}
	return fsync(fd) < 0 ? ERR_IO : 0;
}

/* A name's being there is durable only when its folder is. */
static int sync_folder(const char *data)
{
	int fd = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 || fsync(fd) < 0 ? ERR_IO : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

static int write_new(const char *data, const char *path, const uint8_t *file)
{
	char fresh[PATH_MAX];
	int fd = -1, err = path_of(fresh, data, "keys.new");

	if (err < 0)
		return err;
	unlink(fresh); /* left by one that was interrupted: never in use */
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return ERR_IO;
	err = write_whole(fd, file);
	close(fd);
	/* link() does not replace, as rename() would */
	if (!err && link(fresh, path) < 0)
		err = errno == EEXIST ? ERR_EXISTS : ERR_IO;
	unlink(fresh);
	return err ? err : sync_folder(data);
}

int keystore_make(const char *data, char *reason, size_t reason_size)
{
	struct keystore *keys = sodium_malloc(sizeof *keys);
	uint8_t *file = sodium_malloc(FILE_SIZE);
	char path[PATH_MAX];
	int err;

	if (!keys || !file)
		abort();
	err = path_of(path, data, "keys");
	if (err < 0)
		goto out;
	device_make(&keys->noise);
	opaque_server_make(&keys->opaque);
	memcpy(file, magic, MAGIC_SIZE);
	memcpy(file + MAGIC_SIZE, keys->noise.secret.bytes, 32);
	memcpy(file + MAGIC_SIZE + 32, keys->opaque.oprf_seed, 64);
	memcpy(file + MAGIC_SIZE + 96, keys->opaque.secret, 32);
	checksum(file + FILE_SIZE - SUM_SIZE, file);
	err = write_new(data, path, file);
out:
	if (err == ERR_EXISTS)
		snprintf(reason, reason_size,
			 _("%s exists already; keys are never written over."), path);
	else if (err < 0)
		snprintf(reason, reason_size, _("The keys cannot be written to %s: %s."), data,
			 errno ? strerror(errno) : error_text(err));
	sodium_free(keys);
	sodium_free(file);
	return err;
}

/* Reads the file into `file`; it must be ours alone. */
static int read_file(const char *path, uint8_t *file, char *reason, size_t reason_size)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	ssize_t got;

	if (fd < 0) {
		snprintf(reason, reason_size, _("%s cannot be read: %s."), path,
			 strerror(errno));
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 077) ||
	    (st.st_uid != geteuid() && geteuid() != 0)) {
		close(fd);
		snprintf(reason, reason_size,
			 _("%s must be a file that only its owner can read. Try: chmod 600 %s"),
			 path, path);
		return ERR_REFUSED;
	}
	/* one byte more would be seen by its size */
	got = st.st_size == FILE_SIZE ? read(fd, file, FILE_SIZE) : 0;
	close(fd);
	if (got != FILE_SIZE) {
		snprintf(reason, reason_size,
			 _("%s has the wrong size. It has been left as it is; bring back a "
			   "copy."),
			 path);
		return ERR_CORRUPT;
	}
	return 0;
}

/* Fills `keys` from a file's contents. */
static int unpack(struct keystore *keys, const uint8_t *file)
{
	uint8_t sum[SUM_SIZE];

	if (memcmp(file, magic, MAGIC_NAME) != 0)
		return ERR_CORRUPT;
	if (memcmp(file, magic, MAGIC_SIZE) != 0)
		return ERR_VERSION;
	checksum(sum, file);
	if (memcmp(sum, file + FILE_SIZE - SUM_SIZE, SUM_SIZE) != 0)
		return ERR_CORRUPT;
	memcpy(keys->noise.secret.bytes, file + MAGIC_SIZE, 32);
	memcpy(keys->opaque.oprf_seed, file + MAGIC_SIZE + 32, 64);
	memcpy(keys->opaque.secret, file + MAGIC_SIZE + 96, 32);
	if (crypto_scalarmult_base(keys->noise.public.bytes, keys->noise.secret.bytes) != 0)
		return ERR_CORRUPT;
	if (crypto_scalarmult_ristretto255_base(keys->opaque.public, keys->opaque.secret) != 0)
		return ERR_CORRUPT;
	return 0;
}

int keystore_open(struct keystore **keys, const char *data, char *reason, size_t reason_size)
{
	struct keystore *k = sodium_malloc(sizeof *k);
	uint8_t *file = sodium_malloc(FILE_SIZE);
	char path[PATH_MAX] = "";
	int err;

	if (!k || !file)
		abort();
	*keys = NULL;
	err = path_of(path, data, "keys");
	if (err < 0) {
		snprintf(reason, reason_size, _("The path of the data folder is too long."));
		goto out;
	}
	err = read_file(path, file, reason, reason_size);
	if (err < 0)
		goto out;
	err = unpack(k, file);
	if (err == ERR_VERSION)
		snprintf(reason, reason_size, _("%s was made by a newer version."), path);
	else if (err < 0)
		snprintf(reason, reason_size,
			 _("%s is damaged. It has been left as it is; bring back a copy."),
			 path);
	else
		*keys = k;
out:
	if (err < 0)
		sodium_free(k);
	sodium_free(file);
	return err;
}

void keystore_close(struct keystore *keys)
{
	sodium_free(keys); /* wipes */
}
