#include "directory/keyholder_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/log.h"

extern char **environ;

struct child {
	char *folder, *user;
	bool is_json;
	pid_t pid; /* 0: none */
	bool was_there;
};

enum { LINE = 3 }; /* the descriptor at which the child finds its end */

/* It has nothing that would have to be put away, so it is not asked to end. */
static void reap(struct child *c)
{
	int status;

	if (!c->pid)
		return;
	kill(c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
}

static int spawn(struct child *c, int end)
{
	char line[] = "3";
	char *argv[11] = { "palique-directory", "keyholder", "serve", "--secrets",
			   c->folder,           "--line",    line };
	int count = 7;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int err;

	if (c->user) {
		argv[count++] = "--keyholder-user";
		argv[count++] = c->user;
	}
	if (c->is_json)
		argv[count++] = "--json";
	argv[count] = NULL;
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	/* its own group: what a terminal sends us to end is for us alone */
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, end, LINE);
	err = posix_spawn(&c->pid, "/proc/self/exe", &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (!err)
		return 0;
	c->pid = 0;
	log_event(LOG_ERROR, "keyholder-not-started", "reason", strerror(err), NULL);
	return ERR_IO;
}

static int dial(void *user)
{
	struct child *c = user;
	int pair[2], err;

	reap(c);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return ERR_IO;
	err = spawn(c, pair[1]);
	close(pair[1]);
	if (err < 0) {
		close(pair[0]);
		return err;
	}
	if (c->was_there)
		log_event(LOG_NOTICE, "keyholder-started-anew", NULL);
	c->was_there = true;
	return pair[0];
}

static void child_close(void *user)
{
	struct child *c = user;

	reap(c);
	free(c->folder);
	free(c->user);
	free(c);
}

struct holder_dialer keyholder_child(const char *folder, const char *user, bool is_json)
{
	struct child *c = memory_new(sizeof *c);

	c->folder = memory_text(folder);
	c->user = user ? memory_text(user) : NULL;
	c->is_json = is_json;
	return (struct holder_dialer){ .dial = dial, .user = c, .close = child_close };
}
