#include "peer/faces/web/assets.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/file.h"

enum { LIVE_MAX = 4 << 20, PATH_SIZE = 4096 };

static const char *type_of(const char *name)
{
	static const struct {
		const char *end, *type;
	} rows[] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".json", "application/json" },
		{ ".webmanifest", "application/manifest+json" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".woff2", "font/woff2" },
	};
	const char *end = strrchr(name, '.');

	for (size_t i = 0; end && i < sizeof rows / sizeof *rows; i++)
		if (!strcmp(end, rows[i].end))
			return rows[i].type;
	return "application/octet-stream";
}

static bool find_live(const char *folder, const char *name, struct asset *out)
{
	static uint8_t *live;
	char path[PATH_SIZE];
	struct stat s;
	int file, err = -1;

	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return false;
	file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return false;
	if (fstat(file, &s) == 0 && S_ISREG(s.st_mode) && s.st_size <= LIVE_MAX) {
		free(live);
		live = memory_new((size_t)s.st_size + 1);
		err = file_read(file, live, (size_t)s.st_size);
		out->bytes = bytes_of(live, (size_t)s.st_size);
	}
	close(file);
	out->tag = "";
	return err == 0;
}

bool assets_find(const char *name, struct asset *out)
{
	const char *folder = getenv("PALIQUE_WEB_DIR");

	out->type = type_of(name);
	if (folder && *folder && find_live(folder, name, out))
		return true;
	for (const struct assets_row *row = assets_rows; row->name; row++) {
		if (strcmp(row->name, name) != 0)
			continue;
		out->bytes = bytes_of(row->begin, (size_t)(row->end - row->begin));
		out->tag = row->tag;
		return true;
	}
	return false;
}
