#include "shared/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/error.h"

int file_error(void)
{
	switch (errno) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_FULL;
	case ENOENT:
		return ERR_NOT_FOUND;
	case EEXIST:
		return ERR_EXISTS;
	default:
		return ERR_IO;
	}
}

int file_write(int fd, struct bytes all)
{
	while (all.size) {
		ssize_t done = write(fd, all.data, all.size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return file_error();
		all = bytes_of(all.data + done, all.size - (size_t)done);
	}
	return 0;
}

int file_read(int fd, void *out, size_t size)
{
	uint8_t *at = out;

	while (size) {
		ssize_t got = read(fd, at, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? ERR_IO : ERR_CORRUPT;
		at += got;
		size -= (size_t)got;
	}
	return 0;
}

void file_sync_folder(const char *path)
{
	char *folder = memory_text(path);
	char *slash = strrchr(folder, '/');
	int fd;

	if (slash)
		slash[slash == folder] = 0; /* "/x" is in "/" */
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd); /* some file systems have nothing to sync here */
		close(fd);
	}
	free(folder);
}

int file_place(const char *from, const char *to, bool replace)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, replace ? 0 : RENAME_NOREPLACE) < 0) {
		if (replace || (errno != EINVAL && errno != ENOSYS))
			return file_error();
		if (link(from, to) < 0) /* a file system without the flag */
			return file_error();
		unlink(from);
	}
	file_sync_folder(to);
	return 0;
}
