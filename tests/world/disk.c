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

/* A file, or a folder, which is not gone into by itself. */
typedef void each_entry(void *user, const char *path, const char *name, bool is_folder);

static void walk(const char *folder, each_entry *each, void *user)
{
	DIR *dir = opendir(folder);
	char path[PATH_SIZE];

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    (entry->d_type != DT_REG && entry->d_type != DT_DIR))
			continue;
		snprintf(path, sizeof path, "%.512s/%s", folder, entry->d_name);
		each(user, path, entry->d_name, entry->d_type == DT_DIR);
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

static void copy(void *user, const char *path, const char *name, bool is_folder)
{
	char to[PATH_SIZE];
	size_t size;
	uint8_t *all;
	int out;

	snprintf(to, sizeof to, "%.512s/%s", (const char *)user, name);
	if (is_folder) {
		disk_copy(path, to);
		return;
	}
	all = read_file(path, &size);
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
	walk(from, copy, (void *)to);
}

static void remove_one(void *user, const char *path, const char *name, bool is_folder)
{
	(void)user;
	(void)name;
	if (is_folder)
		disk_remove(path);
	else
		unlink(path);
}

void disk_remove(const char *folder)
{
	walk(folder, remove_one, NULL);
	rmdir(folder);
}

struct search {
	const void *bytes;
	size_t size;
	bool is_found;
};

static void search(void *user, const char *path, const char *name, bool is_folder)
{
	struct search *s = user;
	size_t size;
	uint8_t *all;

	(void)name;
	if (is_folder) {
		walk(path, search, user);
		return;
	}
	all = read_file(path, &size);
	if (memmem(all, size, s->bytes, s->size))
		s->is_found = true;
	free(all);
}

bool disk_holds(const char *folder, const void *bytes, size_t size)
{
	struct search s = { .bytes = bytes, .size = size };

	walk(folder, search, &s);
	return s.is_found;
}
