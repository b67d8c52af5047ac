#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "peer/filing_inside.h"
#include "shared/error.h"

struct look {
	struct manifest manifest;
	char *where; /* what could not be taken */
	/* What is neither a file nor a folder, and links (which may lead out of it), are left out. */
	uint32_t links, others;
};

static int look_into(struct look *l, int folder, const char *path, unsigned depth);

static int fail_at(struct look *l, const char *path, int err)
{
	if (err < 0 && !l->where)
		l->where = memory_text(path);
	return err;
}

static int look_at(struct look *l, int folder, const char *path, const char *name,
		   unsigned depth)
{
	struct manifest *m = &l->manifest;
	char below[MANIFEST_PATH_MAX + 1];
	uint32_t before = m->count;
	struct stat st;
	int fd, err;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : filing_error();
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		*(S_ISLNK(st.st_mode) ? &l->links : &l->others) += 1;
		return 0;
	}
	/* With room for the "/" of an empty folder. */
	if (snprintf(below, sizeof below, "%s%s%s", path, *path ? "/" : "", name) >=
		    MANIFEST_PATH_MAX ||
	    depth >= MANIFEST_DEPTH_MAX)
		return fail_at(l, below, ERR_LIMIT);
	if (!bytes_is_utf8(bytes_text(name)))
		return fail_at(l, below, ERR_FORMAT);
	if (S_ISREG(st.st_mode))
		return manifest_add(m, below, false, (uint64_t)st.st_size,
				    filing_modified(&st) / 1000000000u);
	fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_at(l, below, filing_error());
	err = look_into(l, fd, below, depth + 1);
	if (err == 0 && m->count == before)
		err = manifest_add(m, below, true, 0, filing_modified(&st) / 1000000000u);
	return err;
}

/* Closes it. */
static int look_into(struct look *l, int fd, const char *path, unsigned depth)
{
	DIR *folder = fdopendir(fd);
	struct dirent *one;
	int err = 0;

	if (!folder)
		abort(); /* only memory can be missing */
	while (err == 0 && (one = readdir(folder)) != NULL) {
		if (strcmp(one->d_name, ".") != 0 && strcmp(one->d_name, "..") != 0)
			err = look_at(l, fd, path, one->d_name, depth);
	}
	closedir(folder);
	return err;
}

/* As who fetches it will read it. */
static int check_names(struct bytes encoded)
{
	struct manifest safe;
	int err = manifest_decode(&safe, encoded);

	manifest_clear(&safe);
	return err == ERR_FORMAT ? ERR_EXISTS : err;
}

static int look_at_folder(struct filing_work *w)
{
	struct look l = { 0 };
	struct timespec now;
	int fd = filing_folder(w->path, false), err;

	if (fd < 0)
		return fd;
	clock_gettime(CLOCK_REALTIME, &now);
	w->modified = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	buf_init(&w->manifest, OFFER_MANIFEST_MAX);
	err = look_into(&l, fd, "", 0);
	if (err == 0)
		err = manifest_encode(&l.manifest, &w->manifest);
	if (err == 0)
		err = check_names(buf_view(&w->manifest));
	w->is_folder = true;
	w->where = l.where;
	w->links = l.links;
	w->others = l.others;
	w->files = l.manifest.files;
	w->manifest_size = (uint32_t)w->manifest.size;
	w->size = l.manifest.size + w->manifest.size;
	if (err == 0 && w->size > OFFER_SIZE_MAX)
		err = ERR_LIMIT;
	manifest_clear(&l.manifest);
	return err;
}

static int look_at_file(struct filing_work *w, int fd, const struct stat *st)
{
	ssize_t got = pread(fd, w->head, sizeof w->head, 0);

	if (got < 0)
		return filing_error();
	w->head_size = (size_t)got;
	w->size = (uint64_t)st->st_size;
	w->modified = filing_modified(st);
	return w->size > OFFER_SIZE_MAX ? ERR_LIMIT : 0;
}

/* Where it really is; of what was spooled only the folder is looked up: what lies there by the name is removed one
 * day, and must not be something else. */
static char *real_path(const struct filing_work *w)
{
	const char *slash = strrchr(w->path, '/');
	char *folder, *real = NULL;
	size_t size;

	if (!w->is_spooled || !slash || slash == w->path)
		return realpath(w->path, NULL);
	folder = memory_text(w->path);
	folder[slash - w->path] = '\0';
	real = realpath(folder, NULL);
	free(folder);
	if (!real)
		return NULL;
	size = strlen(real) + strlen(slash) + 1;
	folder = memory_array(size, 1);
	snprintf(folder, size, "%s%s", real, slash);
	free(real);
	return folder;
}

int filing_look(struct filing_work *w)
{
	char *real = real_path(w);
	struct stat st;
	int fd, err;

	if (!real)
		return filing_error();
	free(w->path);
	w->path = real;
	fd = open(real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENXIO ? ERR_REFUSED : filing_error();
	if (fstat(fd, &st) < 0)
		err = filing_error();
	else if (S_ISDIR(st.st_mode))
		err = look_at_folder(w);
	else
		err = S_ISREG(st.st_mode) ? look_at_file(w, fd, &st) : ERR_REFUSED;
	close(fd);
	return err;
}
