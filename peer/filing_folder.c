#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/filing_inside.h"
#include "shared/error.h"
#include "shared/file.h"

enum { REMOVE_DEPTH_MAX = MANIFEST_DEPTH_MAX + 4 };

int filing_error(void)
{
	switch (errno) {
	case EACCES:
	case EPERM:
	case EROFS:
	case ELOOP: /* a link where none may be */
		return ERR_REFUSED;
	case ENOTDIR:
		return ERR_NOT_FOUND;
	default:
		return file_error();
	}
}

uint64_t filing_modified(const struct stat *st)
{
	return st->st_mtim.tv_sec < 0 ? 0
				      : (uint64_t)st->st_mtim.tv_sec * 1000000000u +
						(uint64_t)st->st_mtim.tv_nsec;
}

static int make_all(const char *path)
{
	char *part = memory_text(path);
	int err = 0;

	for (char *at = part + 1; err == 0 && at[-1]; at++) {
		char was = *at;

		if (was != '/' && was)
			continue;
		*at = 0;
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			err = filing_error();
		*at = was;
		if (!was)
			break;
	}
	free(part);
	return err;
}

int filing_folder(const char *path, bool make)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd >= 0 || !make || errno != ENOENT)
		return fd >= 0 ? fd : filing_error();
	err = make_all(path);
	if (err < 0)
		return err;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : filing_error();
}

/* One more step down; `at` is closed. */
static int descend(int at, const char *name, bool make)
{
	int fd, err = 0;

	if (make && mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		err = filing_error();
	fd = err < 0 ? err : openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		fd = filing_error();
	close(at);
	return fd;
}

int filing_within(int at, const char *path, int flags)
{
	int fd = dup(at), err = 0;
	const char *slash;

	if (fd < 0)
		return ERR_IO;
	while (fd >= 0 && (slash = strchr(path, '/')) != NULL) {
		char name[FILING_NAME_MAX + 1];

		if ((size_t)(slash - path) >= sizeof name)
			err = ERR_LIMIT;
		if (err < 0) {
			close(fd);
			return err;
		}
		snprintf(name, sizeof name, "%.*s", (int)(slash - path), path);
		fd = descend(fd, name, flags & O_CREAT);
		path = slash + 1;
	}
	if (fd < 0)
		return fd;
	if (flags & O_DIRECTORY)
		return descend(fd, path, flags & O_CREAT);
	err = openat(fd, path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (err < 0)
		err = filing_error();
	close(fd);
	return err;
}

static int remove_all(int at, const char *name, unsigned depth)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), err = 0;
	struct dirent *one;
	DIR *folder;

	if (fd < 0 || depth > REMOVE_DEPTH_MAX) {
		if (fd >= 0)
			close(fd);
		return fd < 0 ? filing_error() : ERR_LIMIT;
	}
	folder = fdopendir(fd);
	if (!folder)
		abort(); /* only memory can be missing */
	while ((one = readdir(folder)) != NULL) {
		if (strcmp(one->d_name, ".") == 0 || strcmp(one->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, one->d_name, 0) == 0 || errno == ENOENT)
			continue;
		err = errno == EISDIR || errno == EPERM ? remove_all(fd, one->d_name, depth + 1)
							: filing_error();
		if (err < 0)
			break;
	}
	closedir(folder);
	if (err == 0 && unlinkat(at, name, AT_REMOVEDIR) < 0)
		err = filing_error();
	return err;
}

int filing_remove(int at, const char *name)
{
	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return 0;
	return errno == EISDIR || errno == EPERM ? remove_all(at, name, 0) : filing_error();
}

int filing_pread(int fd, uint64_t at, void *out, size_t size)
{
	uint8_t *to = out;

	while (size > 0) {
		ssize_t got = pread(fd, to, size, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? ERR_IO : ERR_CORRUPT;
		to += got;
		at += (uint64_t)got;
		size -= (size_t)got;
	}
	return 0;
}

int filing_pwrite(int fd, uint64_t at, struct bytes data)
{
	while (data.size > 0) {
		ssize_t done = pwrite(fd, data.data, data.size, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return filing_error();
		at += (uint64_t)done;
		data = bytes_of(data.data + done, data.size - (size_t)done);
	}
	return 0;
}
