#include "peer/home.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "shared/bytes.h"
#include "shared/error.h"
#include "shared/text.h"

enum { SUN_PATH_FITS = HOME_SOCKET_MAX - 1 };
enum { LOCK_PAUSE_NS = 20000000 }; /* between two looks whether it is free */

/* Every missing folder on the way; the last ones are ours alone. */
static int make_folders(const char *path)
{
	char part[HOME_PATH_MAX];
	size_t size = strlen(path);

	if (size == 0 || size >= sizeof part)
		return ERR_LIMIT;
	for (size_t i = 1; i <= size; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return ERR_IO;
	}
	return 0;
}

static int choose(char out[HOME_PATH_MAX], const char *option)
{
	const char *from = option;
	const char *behind = "";

	if (!from || !*from)
		from = getenv("PALIQUE_HOME");
	if (!from || !*from) {
		from = getenv("XDG_DATA_HOME");
		behind = "/palique";
		/* The XDG specification has relative paths ignored. */
		if (from && *from != '/')
			from = NULL;
	}
	if (!from || !*from) {
		from = getenv("HOME");
		behind = "/.local/share/palique";
	}
	if (!from || !*from)
		return ERR_NOT_FOUND;
	int size = snprintf(out, HOME_PATH_MAX, "%s%s", from, behind);
	return size >= HOME_PATH_MAX ? ERR_LIMIT : 0;
}

static int choose_socket(struct home *home)
{
	static const char in_home[] = "/engine.sock";
	size_t folder_size = strlen(home->folder);
	uint8_t hash[8];
	char hex[BYTES_HEX_SIZE(sizeof hash)];
	const char *run = getenv("XDG_RUNTIME_DIR");

	if (folder_size + sizeof in_home - 1 <= SUN_PATH_FITS) {
		memcpy(home->socket, home->folder, folder_size);
		memcpy(home->socket + folder_size, in_home, sizeof in_home);
		return 0;
	}
	if (!run || *run != '/')
		return ERR_LIMIT;
	crypto_generichash_blake2b(hash, sizeof hash, (const uint8_t *)home->folder,
				   folder_size, NULL, 0);
	bytes_to_hex(BYTES(hash), hex);
	int size = snprintf(home->socket, sizeof home->socket, "%s/palique-%s.sock", run, hex);
	return size > SUN_PATH_FITS ? ERR_LIMIT : 0;
}

int home_find(struct home *home, const char *option, char *reason, size_t reason_size)
{
	char wanted[HOME_PATH_MAX];
	char *real = NULL;
	struct stat st;
	int err = choose(wanted, option);

	memset(home, 0, sizeof *home);
	if (err < 0) {
		snprintf(reason, reason_size, "%s",
			 err == ERR_LIMIT ? _("the path of the home folder is too long")
					  : _("no home folder: neither --home nor PALIQUE_HOME "
					      "nor HOME is set"));
		goto out;
	}
	err = make_folders(wanted);
	if (err < 0) {
		snprintf(reason, reason_size, _("cannot make the folder %s: %s"), wanted,
			 strerror(errno));
		goto out;
	}
	err = ERR_IO;
	real = realpath(wanted, NULL);
	if (!real || stat(real, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    strlen(real) >= HOME_PATH_MAX) {
		snprintf(reason, reason_size, _("%s is not a folder that can be used"), wanted);
		goto out;
	}
	err = ERR_REFUSED;
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH))) {
		snprintf(reason, reason_size,
			 _("%s belongs to, or can be written by, somebody else; try: chmod 700 "
			   "%s"),
			 real, real);
		goto out;
	}
	memcpy(home->folder, real, strlen(real) + 1);
	err = choose_socket(home);
	if (err < 0)
		snprintf(reason, reason_size,
			 _("the path %s is too long for a socket, and XDG_RUNTIME_DIR is not "
			   "set"),
			 real);
out:
	free(real);
	return err;
}

int home_path(const struct home *home, const char *name, char out[HOME_PATH_MAX])
{
	int size = snprintf(out, HOME_PATH_MAX, "%s/%s", home->folder, name);
	return size >= HOME_PATH_MAX ? ERR_LIMIT : 0;
}

/* Whether somebody listens on the home's socket. */
static bool is_answered(const struct home *home)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool is;

	memcpy(address.sun_path, home->socket, strlen(home->socket) + 1);
	is = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	if (fd >= 0)
		close(fd);
	return is;
}

static bool is_folder(const char *path)
{
	struct stat s;

	return path[0] == '/' && stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

int home_downloads(const struct home *home, char out[HOME_PATH_MAX])
{
	const char *said = getenv("XDG_DOWNLOAD_DIR"), *own = getenv("HOME");

	if (said && is_folder(said) && strlen(said) < HOME_PATH_MAX) {
		snprintf(out, HOME_PATH_MAX, "%s", said);
		return 0;
	}
	if (own && snprintf(out, HOME_PATH_MAX, "%s/Downloads", own) < HOME_PATH_MAX &&
	    is_folder(out))
		return 0;
	return home_path(home, "downloads", out);
}

int home_lock(const struct home *home, unsigned seconds)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
	unsigned tries = seconds * (1000000000 / LOCK_PAUSE_NS), answered = 0;
	char path[HOME_PATH_MAX];
	int fd, err = home_path(home, "lock", path);

	if (err < 0)
		return err;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ERR_IO;
	for (;;) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		err = errno == EWOULDBLOCK ? ERR_LOCKED : ERR_IO;
		/* twice: one that was killed answers until the system has put it away */
		answered = err == ERR_LOCKED && tries && is_answered(home) ? answered + 1 : 0;
		if (answered == 2)
			err = ERR_EXISTS;
		if (err != ERR_LOCKED || !tries--)
			break;
		nanosleep(&pause, NULL);
	}
	close(fd);
	return err;
}

int home_start_lock(const struct home *home)
{
	char path[HOME_PATH_MAX];
	int fd, err = home_path(home, "start.lock", path);

	if (err < 0)
		return err;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ERR_IO;
	while (flock(fd, LOCK_EX) < 0) {
		if (errno == EINTR)
			continue;
		close(fd);
		return ERR_IO;
	}
	return fd;
}

int home_remember(const struct home *home, const char *name, const char *text)
{
	char path[HOME_PATH_MAX], temporary[HOME_PATH_MAX];
	size_t size = strlen(text);
	int err = home_path(home, name, path);

	if (err < 0)
		return err;
	if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
		return ERR_LIMIT;
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ERR_IO;
	err = write(fd, text, size) == (ssize_t)size && fsync(fd) == 0 ? 0 : ERR_IO;
	close(fd);
	if (err == 0 && rename(temporary, path) < 0)
		err = ERR_IO;
	return err;
}

int home_recall(const struct home *home, const char *name, char *out, size_t size)
{
	char path[HOME_PATH_MAX];
	int err = home_path(home, name, path);

	if (err < 0)
		return err;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	ssize_t got = read(fd, out, size);
	close(fd);
	if (got < 0)
		return ERR_IO;
	if ((size_t)got >= size)
		return ERR_LIMIT;
	out[got] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	return 0;
}
