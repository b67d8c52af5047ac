#include "directory/fitness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/file.h"
#include "shared/log.h"

enum { PROBE_SIZE = 4096 };

/* In English, as the whole log. */
static const struct {
	const char *name, *lost, *back, *advice;
} parts[FITNESS_PARTS] = {
	[FITNESS_ACCOUNTS] = { "accounts", "accounts-unreadable", "accounts-readable",
			       "nobody can log in: look at the disk; if accounts.db is "
			       "damaged, "
			       "stop, palique-directory restore a backup, start" },
	[FITNESS_DISK] = { "disk", "disk-not-writable", "disk-writable",
			   "accounts cannot change: make room, or mount it writable; who is "
			   "online stays so" },
	[FITNESS_KEYHOLDER] = { "keyholder", "keyholder-lost", "keyholder-back",
				"no logins by password until it is back, devices log in as "
				"ever: "
				"systemctl status palique-keyholder" },
	[FITNESS_SOCKET] = { "socket", "socket-lost", "socket-bound", "start it anew" },
};

const char *fitness_name(enum fitness_part part)
{
	return parts[part].name;
}

static bool stop_at_first(void *user, const struct registry_user *u)
{
	(void)user;
	(void)u;
	return false;
}

static int error_of_errno(void)
{
	if (errno == EROFS || errno == EACCES || errno == EPERM)
		return ERR_REFUSED;
	return file_error() == ERR_FULL ? ERR_FULL : ERR_IO;
}

static int try_to_write(const char *data)
{
	static const char zeros[PROBE_SIZE];
	char path[4096];
	int fd, err = 0;

	snprintf(path, sizeof path, "%s/writable", data);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_of_errno();
	if (write(fd, zeros, sizeof zeros) != sizeof zeros)
		err = error_of_errno();
	if (close(fd) < 0 && !err)
		err = error_of_errno();
	unlink(path);
	return err;
}

void fitness_check(struct fitness *f, const char *data, struct registry *registry,
		   const struct holder *holder, unsigned sockets)
{
	bool is_away = holder && (holder->is_there ? !holder->is_there(holder)
						   : !holder->public_key(holder));
	struct statvfs disk;

	memset(f, 0, sizeof *f);
	f->err[FITNESS_ACCOUNTS] = registry->list(registry, stop_at_first, NULL);
	f->err[FITNESS_DISK] = try_to_write(data);
	f->err[FITNESS_KEYHOLDER] = is_away ? ERR_OFFLINE : 0;
	f->err[FITNESS_SOCKET] = sockets ? 0 : ERR_CLOSED;
	if (statvfs(data, &disk) == 0)
		f->disk_free = (uint64_t)disk.f_bavail * disk.f_frsize;
}

bool fitness_is_ready(const struct fitness *f)
{
	for (int i = 0; i < FITNESS_PARTS; i++)
		if (f->err[i] < 0)
			return false;
	return true;
}

void fitness_log(const struct fitness *before, const struct fitness *now)
{
	for (int i = 0; i < FITNESS_PARTS; i++) {
		if (before->err[i] == now->err[i])
			continue;
		if (now->err[i] < 0)
			log_event(LOG_ERROR, parts[i].lost, "reason", log_error(now->err[i]),
				  "do", parts[i].advice, NULL);
		else
			log_event(LOG_NOTICE, parts[i].back, NULL);
	}
}
