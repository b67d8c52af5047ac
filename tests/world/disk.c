#include "tests/world/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/bytes.h"

enum { PATH_SIZE = 1024 };

typedef void each_file(void *user, const char *path, const char *name);

static void walk(const char *folder, each_file *each, void *user)
{
	DIR *dir = opendir(folder);
	char path[PATH_SIZE];

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_type != DT_REG)
			continue;
		snprintf(path, sizeof path, "%.512s/%s", folder, entry->d_name);
		each(user, path, entry->d_name);
	}
	closedir(dir);
}

/* The whole file; the caller frees it. */
static uint8_t *read_file(const char *path, size_t *size)
{
	int in = open(path, O_RDONLY);
	struct stat about;
	uint8_t *all;

	if (in < 0 || fstat(in, &about) < 0)
		abort();
	*size = (size_t)about.st_size;
	all = memory_new(*size + 1);
	if (read(in, all, *size) != (ssize_t)*size)
		abort();
	close(in);
	return all;
}

static void copy_file(void *user, const char *path, const char *name)
{
	char to[PATH_SIZE];
	size_t size;
	uint8_t *all = read_file(path, &size);
	int out;

	snprintf(to, sizeof to, "%s/%s", (const char *)user, name);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (out < 0 || write(out, all, size) != (ssize_t)size)
		abort();
	close(out);
	free(all);
}

void disk_copy(const char *from, const char *to)
{
	if (mkdir(to, 0700) < 0)
		abort();
	walk(from, copy_file, (void *)to);
}

static void remove_file(void *user, const char *path, const char *name)
{
	(void)user;
	(void)name;
	unlink(path);
}

void disk_remove(const char *folder)
{
	walk(folder, remove_file, NULL);
	rmdir(folder);
}

struct search {
	const void *bytes;
	size_t size;
	bool is_found;
};

static void search_file(void *user, const char *path, const char *name)
{
	struct search *s = user;
	size_t size;
	uint8_t *all = read_file(path, &size);

	(void)name;
	if (memmem(all, size, s->bytes, s->size))
		s->is_found = true;
	free(all);
}

bool disk_holds(const char *folder, const void *bytes, size_t size)
{
	struct search s = { .bytes = bytes, .size = size };

	walk(folder, search_file, &s);
	return s.is_found;
}
