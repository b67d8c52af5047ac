#include "directory/key_file.h"

#include <assert.h>
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
#include "shared/file.h"
#include "shared/text.h"

enum {
	MAGIC_MAX = 64,
	SUM_SIZE = 32,
	FILE_MAX = MAGIC_MAX + KEY_FILE_SECRETS_MAX + SUM_SIZE,
};

static int path_of(char path[PATH_MAX], const char *folder, const char *name,
		   const char *ending)
{
	return snprintf(path, PATH_MAX, "%s/%s%s", folder, name, ending) < PATH_MAX ? 0
										    : ERR_LIMIT;
}

static size_t magic_of(char magic[MAGIC_MAX], const struct key_kind *kind, unsigned version)
{
	int size = snprintf(magic, MAGIC_MAX, "%s %u\n", kind->label, version);

	assert(size > 0 && size < MAGIC_MAX);
	return (size_t)size;
}

/* --- writing --- */

/* What root makes belongs to whom the folder belongs to: who serves may be somebody else. */
static int give_away(int fd, const char *folder)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	return stat(folder, &st) < 0 || fchown(fd, st.st_uid, st.st_gid) < 0 ? ERR_IO : 0;
}

static int write_file(const char *folder, const char *name, struct bytes file,
		      bool is_replacing)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	int fd, err;

	if (path_of(path, folder, name, "") < 0 || path_of(fresh, folder, name, ".new") < 0)
		return ERR_LIMIT;
	unlink(fresh); /* left by one that was interrupted: never in use */
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return file_error() == ERR_FULL ? ERR_FULL : ERR_IO;
	err = give_away(fd, folder);
	if (!err)
		err = file_write(fd, file);
	if (!err && fsync(fd) < 0)
		err = file_error();
	close(fd);
	if (!err)
		err = file_place(fresh, path, is_replacing);
	if (err < 0)
		unlink(fresh);
	return err;
}

int key_file_write(const char *folder, const char *name, const struct key_kind *kind,
		   const uint8_t *secrets, bool is_replacing, char *reason, size_t reason_size)
{
	uint8_t *file = sodium_malloc(FILE_MAX);
	size_t size, count = kind->sizes[kind->versions - 1];
	char magic[MAGIC_MAX];
	int err;

	if (!file)
		abort();
	size = magic_of(magic, kind, kind->versions);
	memcpy(file, magic, size);
	memcpy(file + size, secrets, count);
	size += count;
	crypto_generichash(file + size, SUM_SIZE, file, size, NULL, 0);
	errno = 0;
	err = write_file(folder, name, bytes_of(file, size + SUM_SIZE), is_replacing);
	if (err == ERR_EXISTS)
		snprintf(reason, reason_size,
			 _("%s/%s exists already; keys are never written over."), folder, name);
	else if (err == ERR_FULL)
		snprintf(reason, reason_size,
			 _("No room left for the keys in %s; nothing was changed."), folder);
	else if (err < 0)
		snprintf(reason, reason_size, _("The keys cannot be written to %s: %s."),
			 folder, errno ? strerror(errno) : error_text(err));
	sodium_free(file);
	return err;
}

/* --- reading --- */

/* Whole into `file`; it must be ours alone. How many bytes, or an error. */
static ssize_t read_whole(const char *path, uint8_t file[FILE_MAX], char *reason,
			  size_t reason_size)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	ssize_t got;

	if (fd < 0) {
		int why = errno;

		snprintf(reason, reason_size, _("%s cannot be read: %s."), path, strerror(why));
		return why == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 077) ||
	    (st.st_uid != geteuid() && geteuid() != 0)) {
		close(fd);
		snprintf(reason, reason_size,
			 _("%s must be a file that only its owner can read. Try: chmod 600 %s"),
			 path, path);
		return ERR_REFUSED;
	}
	got = st.st_size <= FILE_MAX ? read(fd, file, FILE_MAX) : 0;
	close(fd);
	return got < 0 ? ERR_IO : got;
}

/* The version of which `file` is, whole. */
static int unpack(uint8_t *secrets, unsigned *version, const struct key_kind *kind,
		  struct bytes file)
{
	char magic[MAGIC_MAX];
	uint8_t sum[SUM_SIZE];
	size_t label = strlen(kind->label);
	unsigned v;

	if (file.size <= label || memcmp(file.data, kind->label, label) != 0 ||
	    file.data[label] != ' ')
		return ERR_CORRUPT;
	for (v = 1; v <= kind->versions; v++) {
		size_t at = magic_of(magic, kind, v), size = at + kind->sizes[v - 1];

		if (file.size < at || memcmp(file.data, magic, at) != 0)
			continue;
		if (file.size != size + SUM_SIZE)
			return ERR_CORRUPT;
		crypto_generichash(sum, SUM_SIZE, file.data, size, NULL, 0);
		if (memcmp(sum, file.data + size, SUM_SIZE) != 0)
			return ERR_CORRUPT;
		memcpy(secrets, file.data + at, kind->sizes[v - 1]);
		*version = v;
		return 0;
	}
	return ERR_VERSION;
}

int key_file_read(uint8_t *secrets, unsigned *version, const char *folder, const char *name,
		  const struct key_kind *kind, char *reason, size_t reason_size)
{
	uint8_t *file = sodium_malloc(FILE_MAX);
	char path[PATH_MAX];
	ssize_t size;
	int err;

	if (!file)
		abort();
	err = path_of(path, folder, name, "");
	if (err < 0) {
		snprintf(reason, reason_size, _("The path of the data folder is too long."));
		goto out;
	}
	size = read_whole(path, file, reason, reason_size);
	err = size < 0 ? (int)size : 0;
	if (err < 0)
		goto out;
	err = unpack(secrets, version, kind, bytes_of(file, (size_t)size));
	if (err == ERR_VERSION)
		snprintf(reason, reason_size, _("%s was made by a newer version."), path);
	else if (err < 0)
		snprintf(reason, reason_size,
			 _("%s is damaged. It has been left as it is; bring back a copy."),
			 path);
out:
	sodium_free(file);
	return err;
}
