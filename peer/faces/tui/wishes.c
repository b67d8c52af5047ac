#include "peer/faces/tui/wishes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/json.h"

enum { FILE_MAX = 4096 };

static const char *const names[] = { "bell", "mouse", "images" };
enum { NAMES = sizeof names / sizeof *names };

bool *wishes_find(struct wishes *w, const char *name)
{
	bool *const places[NAMES] = { &w->bell, &w->mouse, &w->images };

	for (size_t i = 0; i < NAMES; i++)
		if (!strcmp(names[i], name))
			return places[i];
	return NULL;
}

struct wishes wishes_read(const char *home)
{
	struct wishes w = { .bell = true, .mouse = true, .images = true };
	char path[4200], text[FILE_MAX];
	struct json *o = NULL;
	ssize_t size = -1;
	int fd;

	snprintf(path, sizeof path, "%s/terminal.json", home);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		size = read(fd, text, sizeof text);
		close(fd);
	}
	if (size > 0 && json_parse(&o, bytes_of(text, (size_t)size)) == 0)
		for (size_t i = 0; i < NAMES; i++)
			*wishes_find(&w, names[i]) = json_bool(o, names[i],
							       *wishes_find(&w, names[i]));
	json_free(o);
	return w;
}

int wishes_keep(const struct wishes *wanted, const char *home)
{
	struct wishes w = *wanted;
	struct json *o = json_object();
	char path[4200], fresh[4210], *text;
	int fd, err = ERR_IO;

	for (size_t i = 0; i < NAMES; i++)
		json_set_bool(o, names[i], *wishes_find(&w, names[i]));
	text = json_print(o);
	json_free(o);
	snprintf(path, sizeof path, "%s/terminal.json", home);
	snprintf(fresh, sizeof fresh, "%s.new", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		if (write(fd, text, strlen(text)) == (ssize_t)strlen(text))
			err = 0;
		close(fd);
		if (err == 0 && rename(fresh, path) < 0)
			err = ERR_IO;
	}
	free(text);
	return err;
}
