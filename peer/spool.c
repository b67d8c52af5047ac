#include "peer/spool.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "peer/engine.h"

bool spool_is_name(const char *name)
{
	return strlen(name) == SPOOL_DIGITS && strspn(name, "0123456789abcdef") == SPOOL_DIGITS;
}

int spool_path(const struct home *home, const char *name, char path[HOME_PATH_MAX])
{
	char relative[SPOOL_DIGITS + 8];

	snprintf(relative, sizeof relative, "spool%s%s", name ? "/" : "", name ? name : "");
	return home_path(home, relative, path);
}

static bool is_old(const char *path, unsigned seconds)
{
	struct stat s;

	return lstat(path, &s) == 0 && S_ISREG(s.st_mode) &&
	       (seconds == 0 || time(NULL) - s.st_mtime >= (time_t)seconds);
}

void spool_sweep(const struct home *home, struct engine *engine, unsigned seconds)
{
	char path[HOME_PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	if (spool_path(home, NULL, path) < 0 || !(dir = opendir(path)))
		return;
	while ((entry = readdir(dir)) != NULL) {
		/* Where it cannot be known whether somebody wants it, it stays. */
		if (spool_is_name(entry->d_name) &&
		    spool_path(home, entry->d_name, path) == 0 && is_old(path, seconds) &&
		    engine_wants_spooled(engine, entry->d_name) == 0)
			unlink(path);
	}
	closedir(dir);
}
