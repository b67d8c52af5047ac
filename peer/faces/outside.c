#include "peer/faces/outside.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "peer/faces/cli/options.h"
#include "shared/bytes.h"
#include "shared/error.h"

extern char **environ;

enum { WORDS_MAX = 64, WORDS_BEFORE = 3 };

bool outside_can(const char *name)
{
	/* those that would run on, or begin another face */
	static const enum command not_here[] = { CMD_CHAT,       CMD_RPC,  CMD_DAEMON,
						 CMD_COMPLETION, CMD_RECV, COMMAND_COUNT };
	size_t i = 0;

	for (; not_here[i] < COMMAND_COUNT; i++)
		if (!strcmp(options_command_name(not_here[i]), name))
			return false;
	for (i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(options_command_name((enum command)i), name))
			return true;
	return false;
}

/* The next word, which ends where it stands; `rest` goes on behind it. NULL: none, or (`*err`) no end. */
static char *take_word(char **rest, int *err)
{
	char *from = *rest + strspn(*rest, " "), *end;
	char quote = *from == '"' || *from == '\'' ? *from : '\0';

	if (!*from)
		return NULL;
	from += quote != '\0';
	end = from + strcspn(from, (char[]){ quote ? quote : ' ', '\0' });
	if (quote && !*end) {
		*err = ERR_FORMAT;
		return NULL;
	}
	*rest = end + (*end != '\0');
	*end = '\0';
	return from;
}

static char *at_home(const char *word)
{
	const char *home = getenv("HOME");
	char *out = NULL;

	if (strncmp(word, "~/", 2) != 0 || !home)
		return memory_text(word);
	return asprintf(&out, "%s%s", home, word + 1) < 0 ? memory_text(word) : out;
}

/* What Ctrl+C and Ctrl+\ mean is the command's matter as long as it runs; Ctrl+Z would stop a face that
 * waits, and not the shell's job. */
static int spawn(char **words)
{
	static const int ours[] = { SIGINT, SIGQUIT, SIGTSTP };
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before[3];
	posix_spawnattr_t attributes;
	sigset_t usual;
	pid_t child;
	int status = 0, err;

	sigemptyset(&usual);
	sigaddset(&usual, SIGINT);
	sigaddset(&usual, SIGQUIT);
	for (int i = 0; i < 3; i++)
		sigaction(ours[i], &ignore, &before[i]);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	err = posix_spawn(&child, "/proc/self/exe", NULL, &attributes, words, environ);
	posix_spawnattr_destroy(&attributes);
	while (err == 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	for (int i = 0; i < 3; i++)
		sigaction(ours[i], &before[i], NULL);
	if (err)
		return ERR_IO;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int outside_run(const struct client_place *place, const char *line)
{
	char *words[WORDS_BEFORE + WORDS_MAX + 1] = { "palique", "--home",
						      (char *)place->home };
	char *copy = memory_text(line), *rest = copy, *word;
	int count = WORDS_BEFORE, err = 0;

	while ((word = take_word(&rest, &err)) && count < WORDS_BEFORE + WORDS_MAX)
		words[count++] = at_home(word);
	if (word)
		err = ERR_FORMAT;
	if (err == 0)
		err = spawn(words);
	for (int i = WORDS_BEFORE; i < count; i++)
		free(words[i]);
	free(copy);
	return err;
}
