#include "peer/faces/cli/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "peer/faces/cli/output.h"
#include "shared/clock.h"
#include "shared/error.h"
#include "shared/name.h"
#include "shared/text.h"
#include "shared/wire.h"

extern char **environ;

enum { VARIABLES = 6, VARIABLE_SIZE = WIRE_TEXT_MAX + 64 };

/* A process, and what goes in and comes out. */
struct run {
	pid_t child;
	int in, out; /* -1: closed */
	const char *input;
	size_t left;
	struct buf output;
	mono_ns until;
};

/* --- its environment: ours without what is ours, and a few facts --- */

struct surroundings {
	char own[VARIABLES][VARIABLE_SIZE];
	char home[CLI_PATH_MAX + 32];
	char **all; /* owned; the texts are not */
};

static void surround(struct surroundings *s, const struct cli *c, const struct json *receive)
{
	static const char *const facts[][2] = { { "PALIQUE_CONVERSATION", "conversation" },
						{ "PALIQUE_FROM", "from" },
						{ "PALIQUE_ID", "id" } };
	const char *kind = json_text(json_get(receive, "message"), "kind");
	const char *text = json_text(json_get(receive, "message"), "text");
	size_t count = 0, had = 0;

	while (environ[had])
		had++;
	s->all = memory_array(had + VARIABLES + 2, sizeof *s->all);
	for (size_t i = 0; i < had; i++) {
		if (strncmp(environ[i], "PALIQUE_", 8) != 0)
			s->all[count++] = environ[i];
	}
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
		const char *value = json_text(receive, facts[i][1]);

		snprintf(s->own[i], VARIABLE_SIZE, "%s=%s", facts[i][0], value ? value : "");
		s->all[count++] = s->own[i];
	}
	snprintf(s->own[3], VARIABLE_SIZE, "PALIQUE_KIND=%s", kind ? kind : "text");
	s->all[count++] = s->own[3];
	snprintf(s->own[4], VARIABLE_SIZE, "PALIQUE_TEXT=%s", text ? text : "");
	s->all[count++] = s->own[4];
	snprintf(s->home, sizeof s->home, "PALIQUE_HOME=%s", c->home);
	s->all[count++] = s->home;
	s->all[count] = NULL;
}

/* --- the process --- */

static bool make_pipes(int in[2], int out[2])
{
	if (pipe2(in, O_CLOEXEC) < 0)
		return false;
	if (pipe2(out, O_CLOEXEC) == 0)
		return true;
	close(in[0]);
	close(in[1]);
	return false;
}

/* In a group of its own: what it begins ends with it. */
static int begin(struct run *r, const struct cli *c, char *const *variables)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char *arguments[ARGUMENTS_MAX + 2];
	int in[2], out[2], err, count = 0;

	arguments[count++] = (char *)c->o.value[OPT_EXEC];
	for (int i = 0; i < c->o.argument_count; i++)
		arguments[count++] = (char *)c->o.arguments[i];
	arguments[count] = NULL;
	if (!make_pipes(in, out))
		return ERR_IO;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	err = posix_spawnp(&r->child, arguments[0], &actions, &attributes, arguments,
			   variables);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	r->in = in[1];
	r->out = out[0];
	fcntl(r->in, F_SETFL, O_NONBLOCK);
	fcntl(r->out, F_SETFL, O_NONBLOCK);
	if (err == 0)
		return 0;
	close(r->in);
	close(r->out);
	return err == ENOENT ? ERR_NOT_FOUND : ERR_IO;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void feed(struct run *r)
{
	ssize_t done = write(r->in, r->input, r->left);

	if (done > 0) {
		r->input += done;
		r->left -= (size_t)done;
	}
	/* One that does not want to read is no failure. */
	if (r->left == 0 || (done < 0 && errno != EAGAIN && errno != EINTR))
		close_end(&r->in);
}

static void drain(struct run *r)
{
	char part[4096];
	ssize_t got = read(r->out, part, sizeof part);

	if (got > 0 && r->output.size < EXEC_OUTPUT_MAX)
		buf_append(&r->output, bytes_of(part, (size_t)got));
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		close_end(&r->out);
}

/* Until it closes its output. False: it takes too long. */
static bool talk(struct run *r)
{
	while (r->out >= 0) {
		struct pollfd fds[2] = { { .fd = r->out, .events = POLLIN },
					 { .fd = r->in, .events = POLLOUT } };
		mono_ns now = clock_now();

		if (now >= r->until)
			return false;
		if (poll(fds, 2, (int)((r->until - now) / MILLISECOND) + 1) < 0 &&
		    errno != EINTR)
			return false;
		if (fds[1].revents && r->in >= 0)
			feed(r);
		if (fds[0].revents)
			drain(r);
	}
	return true;
}

/* Waits for its end, which has a time, too. */
static int end(struct run *r, bool is_patient)
{
	const struct timespec moment = { 0, 10 * 1000 * 1000 };
	int status = 0;

	close_end(&r->in);
	close_end(&r->out);
	while (is_patient && clock_now() < r->until) {
		if (waitpid(r->child, &status, WNOHANG) == r->child) {
			kill(-r->child, SIGKILL); /* what it left behind */
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
		}
		nanosleep(&moment, NULL);
	}
	kill(-r->child, SIGKILL);
	while (waitpid(r->child, &status, 0) < 0 && errno == EINTR)
		;
	return -1;
}

/* --- the answer --- */

/* What it printed without what a message does not hold: NULs, the newlines at its end, more than fits. */
static void trim(struct buf *output)
{
	size_t kept = 0;

	for (size_t i = 0; i < output->size; i++) {
		if (output->data[i] != '\0')
			output->data[kept++] = output->data[i];
	}
	if (kept > WIRE_TEXT_MAX) {
		kept = WIRE_TEXT_MAX;
		while (kept > 0 && (output->data[kept] & 0xc0) == 0x80)
			kept--;
	}
	while (kept > 0 && (output->data[kept - 1] == '\n' || output->data[kept - 1] == '\r'))
		kept--;
	output->size = kept;
}

/* What it is called to others: as its file, where that can be a name. */
static void name_of(const struct cli *c, char out[NAME_MAX + 1])
{
	const char *file = strrchr(c->o.value[OPT_EXEC], '/');
	struct name name;
	size_t size;

	file = file ? file + 1 : c->o.value[OPT_EXEC];
	size = strcspn(file, ".");
	snprintf(out, NAME_MAX + 1, "%s",
		 name_parse(&name, bytes_of(file, size)) == 0 ? name.text : "program");
}

static void say(struct cli *c, const struct json *receive, struct buf *output)
{
	struct json *params = json_object(), *result = NULL;
	char name[NAME_MAX + 1];

	name_of(c, name);
	json_set_text(params, "conversation", json_text(receive, "conversation"));
	json_set_text(params, "replyTo", json_text(receive, "id"));
	json_set_text(params, "bot", name);
	json_set_bytes(params, "text", buf_view(output));
	if (cli_call(c, "send", params, &result) == EXIT_DONE)
		json_free(result);
}

bool exec_answer(struct cli *c, const struct json *receive)
{
	const struct json *message = json_get(receive, "message");
	struct surroundings s = { .all = NULL };
	struct run r = { .until = clock_now() + EXEC_SECONDS * SECOND };
	bool is_over;
	char *line;
	int err, code;

	if (!c->o.value[OPT_EXEC] || json_text(message, "bot") ||
	    json_bool(receive, "fromBot", false))
		return false;
	line = json_print(receive);
	r.input = line;
	r.left = strlen(line);
	surround(&s, c, receive);
	signal(SIGPIPE, SIG_IGN);
	err = begin(&r, c, s.all);
	if (err < 0) {
		cli_failed(err, _("the program of --exec cannot be begun"),
			   "palique help recv");
	} else {
		is_over = talk(&r);
		code = end(&r, is_over);
		trim(&r.output);
		if (code < 0)
			out_say(_("the program of --exec took longer than %d s and was ended"),
				EXEC_SECONDS);
		else if (code > 0)
			out_say(_("the program of --exec failed with exit code %d"), code);
		else if (r.output.size > 0)
			say(c, receive, &r.output);
	}
	free(s.all);
	free(line);
	buf_clear(&r.output);
	return true;
}
