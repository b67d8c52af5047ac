#include "peer/faces/cli/exec_run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/wire.h"

extern char **environ;

enum { VARIABLES = 6, VARIABLE_SIZE = WIRE_TEXT_MAX + 64, END_LOOK_MS = 20 };

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

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* In the child: the program, or why not. In a group of its own: what it begins ends with it. It ends with us, too,
 * however we end. */
static _Noreturn void become(char *const *arguments, char *const *variables, pid_t parent,
			     int in, int out, int trouble)
{
	int why;

	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
		execvpe(arguments[0], arguments, variables);
	why = errno;
	_exit(write(trouble, &why, sizeof why) == sizeof why ? 127 : 126);
}

/* Whether it has become the program: the pipe closes then, and brings the reason otherwise. */
static int wait_for_program(pid_t child, int trouble)
{
	int why = 0, status;
	ssize_t got;

	while ((got = read(trouble, &why, sizeof why)) < 0 && errno == EINTR)
		;
	if (got == 0)
		return 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return why == ENOENT ? ERR_NOT_FOUND : why == EACCES ? ERR_REFUSED : ERR_IO;
}

static int spawn(struct exec_run *r, const struct cli *c, char *const *variables)
{
	char *arguments[ARGUMENTS_MAX + 2];
	int in[2], out[2], trouble[2], err = ERR_IO, count = 0;
	pid_t us = getpid();

	arguments[count++] = (char *)c->o.value[OPT_EXEC];
	for (int i = 0; i < c->o.argument_count; i++)
		arguments[count++] = (char *)c->o.arguments[i];
	arguments[count] = NULL;
	if (!make_pipes(in, out))
		return ERR_IO;
	r->in = in[1];
	r->out = out[0];
	if (pipe2(trouble, O_CLOEXEC) == 0) {
		r->child = fork();
		if (r->child == 0)
			become(arguments, variables, us, in[0], out[1], trouble[1]);
		close(trouble[1]);
		if (r->child > 0)
			err = wait_for_program(r->child, trouble[0]);
		close(trouble[0]);
	}
	close(in[0]);
	close(out[1]);
	fcntl(r->in, F_SETFL, O_NONBLOCK);
	fcntl(r->out, F_SETFL, O_NONBLOCK);
	if (err == 0)
		return 0;
	close_end(&r->in);
	close_end(&r->out);
	return err;
}

int exec_run_begin(struct exec_run *r, const struct cli *c, const struct json *receive,
		   mono_ns patience)
{
	struct surroundings s = { .all = NULL };
	int err;

	*r = (struct exec_run){ .in = -1, .out = -1, .input = json_print(receive) };
	r->size = strlen(r->input);
	r->until = clock_now() + patience;
	surround(&s, c, receive);
	err = spawn(r, c, s.all);
	free(s.all);
	if (err < 0)
		exec_run_clear(r);
	return err;
}

void exec_run_clear(struct exec_run *r)
{
	free(r->input);
	buf_clear(&r->output);
	*r = (struct exec_run){ .in = -1, .out = -1 };
}

/* --- what goes in, and comes out --- */

void exec_run_watch(const struct exec_run *r, struct pollfd fds[2])
{
	fds[0] = (struct pollfd){ .fd = r->out, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = r->in, .events = POLLOUT };
}

int exec_run_wait(const struct exec_run *r, mono_ns now)
{
	int64_t ms = r->until > now ? (int64_t)((r->until - now) / MILLISECOND) + 1 : 0;

	if (r->out < 0 && ms > END_LOOK_MS)
		ms = END_LOOK_MS; /* its end is looked for */
	return (int)(ms > INT_MAX ? INT_MAX : ms);
}

static void feed(struct exec_run *r)
{
	ssize_t done = write(r->in, r->input + r->fed, r->size - r->fed);

	if (done > 0)
		r->fed += (size_t)done;
	/* One that does not want to read is no failure. */
	if (r->fed == r->size || (done < 0 && errno != EAGAIN && errno != EINTR))
		close_end(&r->in);
}

static void drain(struct exec_run *r)
{
	char part[4096];
	ssize_t got = read(r->out, part, sizeof part);

	if (got > 0 && r->output.size < EXEC_OUTPUT_MAX)
		buf_append(&r->output, bytes_of(part, (size_t)got));
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		close_end(&r->out);
}

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

/* --- its end --- */

void exec_run_kill(struct exec_run *r)
{
	int status;

	close_end(&r->in);
	close_end(&r->out);
	kill(-r->child, SIGKILL);
	while (waitpid(r->child, &status, 0) < 0 && errno == EINTR)
		;
}

enum exec_end exec_run_step(struct exec_run *r, const struct pollfd fds[2], int *code)
{
	int status = 0;

	if (r->in >= 0 && fds[1].revents)
		feed(r);
	if (r->out >= 0 && fds[0].revents)
		drain(r);
	if (r->out < 0 && waitpid(r->child, &status, WNOHANG) == r->child) {
		close_end(&r->in);
		kill(-r->child, SIGKILL); /* what it left behind */
		trim(&r->output);
		*code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
		return EXEC_ENDED;
	}
	if (clock_now() < r->until)
		return EXEC_GOES_ON;
	exec_run_kill(r);
	return EXEC_LATE;
}
