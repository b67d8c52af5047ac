#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "peer/filing_inside.h"
#include "shared/error.h"

void filing_part_name(const uint8_t id[OFFER_ID_SIZE], char out[48])
{
	char hex[BYTES_HEX_SIZE(OFFER_ID_SIZE)];

	bytes_to_hex(bytes_of(id, OFFER_ID_SIZE), hex);
	snprintf(out, 48, ".palique-%s", hex);
}

static char *path_in(const char *folder, const char *name)
{
	size_t size = strlen(folder) + strlen(name) + 2;
	char *path = memory_new(size);

	snprintf(path, size, "%s%s%s", folder,
		 *folder && folder[strlen(folder) - 1] == '/' ? "" : "/", name);
	return path;
}

int filing_choose(struct filing_work *w)
{
	char name[FILING_NAME_MAX + 1];
	int folder = filing_folder(w->folder, true), err = ERR_FULL;
	struct stat st;

	if (folder < 0)
		return folder;
	for (unsigned i = 1; i <= FILING_NAMES_MAX && err == ERR_FULL; i++) {
		filing_numbered(w->name, i, name);
		if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			err = errno == ENOENT ? 0 : filing_error();
	}
	close(folder);
	if (err < 0)
		return err;
	free(w->path);
	w->path = path_in(w->folder, name);
	return 0;
}

/* Where the file system cannot rename without replacing: a second name for the file; a folder takes the
 * place of an empty one that we have just made. */
static int rename_otherwise(int from_at, const char *from, int to_at, const char *to,
			    bool is_folder)
{
	if (!is_folder) {
		if (linkat(from_at, from, to_at, to, 0) < 0)
			return filing_error();
		return unlinkat(from_at, from, 0) < 0 ? filing_error() : 0;
	}
	if (mkdirat(to_at, to, 0700) < 0)
		return filing_error();
	return renameat(from_at, from, to_at, to) < 0 ? filing_error() : 0;
}

static int rename_to(int from_at, const char *from, int to_at, const char *to, bool is_folder)
{
	if (renameat2(from_at, from, to_at, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return filing_error();
	return rename_otherwise(from_at, from, to_at, to, is_folder);
}

/* A crash came between giving the name and taking note of it. */
static bool is_there(const struct filing_work *w, int folder, const char *name)
{
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return w->is_folder ? S_ISDIR(st.st_mode)
			    : S_ISREG(st.st_mode) && (uint64_t)st.st_size == w->size;
}

/* From when on it is looked at for having been changed (FILING_OPEN). */
static int note_time(struct filing_work *w, int folder, const char *name)
{
	struct timespec now;
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return filing_error();
	clock_gettime(CLOCK_REALTIME, &now);
	w->modified = w->is_folder ? (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec
				   : filing_modified(&st);
	return 0;
}

int filing_place(struct filing_work *w)
{
	const char *name = strrchr(w->path, '/') + 1;
	int folder = filing_folder(w->folder, false), from = folder, err;

	if (folder < 0)
		return folder;
	if (w->is_folder)
		from = filing_within(folder, w->part, O_DIRECTORY);
	err = from < 0 ? from
		       : rename_to(from, w->is_folder ? "files" : w->part, folder, name,
				   w->is_folder);
	if (w->is_folder && from >= 0)
		close(from);
	if (err == ERR_NOT_FOUND && is_there(w, folder, name))
		err = 0;
	if (err == 0) {
		if (w->is_folder)
			filing_remove(folder, w->part);
		(void)fsync(folder); /* some file systems have nothing to sync here */
		err = note_time(w, folder, name);
	}
	close(folder);
	if (err == ERR_EXISTS) {
		err = filing_choose(w);
		return err < 0 ? err : ERR_EXISTS;
	}
	return err;
}

int filing_clear(struct filing_work *w)
{
	int at = AT_FDCWD, err;

	if (!w->folder)
		return filing_remove(AT_FDCWD, w->path);
	at = filing_folder(w->folder, false);
	if (at < 0)
		return at == ERR_NOT_FOUND ? 0 : at;
	err = filing_remove(at, w->part);
	close(at);
	return err;
}
