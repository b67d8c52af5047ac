#include "peer/faces/cli/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/faces/cli/output.h"
#include "shared/clock.h"
#include "shared/error.h"
#include "shared/name.h"
#include "shared/text.h"
#include "shared/wire.h"

extern char **environ;

enum { VARIABLES = 6, VARIABLE_SIZE = WIRE_TEXT_MAX + 64, END_LOOK_MS = 20 };

/* One conversation, and the messages of it that wait. */
struct queue {
	char name[NAME_MAX + 1];
	uint64_t *ids;
	size_t count, capacity, taken;
	bool is_running;
};

/* A process, and what goes in and comes out. */
struct run {
	struct queue *queue; /* NULL: none */
	char id[24];
	pid_t child;
	int in, out; /* -1: closed */
	char *input; /* a line of JSON */
	size_t size, fed;
	struct buf output;
	mono_ns until;
};

struct exec {
	struct cli *c;
	mono_ns patience;
	unsigned jobs;
	struct run runs[EXEC_JOBS_MAX];
	struct queue **queues;
	size_t queue_count, next; /* whose turn it is */
	bool is_over;             /* the engine has gone */
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

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* In a group of its own: what it begins ends with it. */
static int spawn(struct run *r, const struct cli *c, char *const *variables)
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
	close_end(&r->in);
	close_end(&r->out);
	return err == ENOENT ? ERR_NOT_FOUND : ERR_IO;
}

static void feed(struct run *r)
{
	ssize_t done = write(r->in, r->input + r->fed, r->size - r->fed);

	if (done > 0)
		r->fed += (size_t)done;
	/* One that does not want to read is no failure. */
	if (r->fed == r->size || (done < 0 && errno != EAGAIN && errno != EINTR))
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

/* False: the engine did not take it. */
static bool say(struct exec *x, struct run *r)
{
	struct json *params = json_object(), *result = NULL;
	char name[NAME_MAX + 1];
	int code;

	name_of(x->c, name);
	json_set_text(params, "conversation", r->queue->name);
	json_set_text(params, "replyTo", r->id);
	json_set_text(params, "bot", name);
	json_set_bytes(params, "text", buf_view(&r->output));
	code = cli_call(x->c, "send", params, &result);
	json_free(result);
	return code != EXIT_NO_ENGINE;
}

/* --- one message --- */

static struct json *fetch(struct exec *x, const char *method, const char *key,
			  const char *value, int *code)
{
	struct json *result = NULL;

	*code = cli_call(x->c, method, json_set_text(json_object(), key, value), &result);
	if (*code == EXIT_NO_ENGINE)
		x->is_over = true;
	return result;
}

/* It is a person's, and still there. */
static bool is_to_answer(const struct json *message)
{
	return message && !json_text(message, "bot") && !json_bool(message, "own", false) &&
	       !json_bool(message, "retracted", false) && !json_bool(message, "gone", false);
}

static void take_off(struct queue *q)
{
	q->taken++;
	if (q->taken < q->count)
		return;
	q->taken = q->count = 0;
}

static void handled(struct exec *x, struct queue *q)
{
	cmd_mark_read(x->c, q->name, q->ids[q->taken]);
	take_off(q);
}

static void reset(struct run *r)
{
	free(r->input);
	buf_clear(&r->output);
	*r = (struct run){ .in = -1, .out = -1 };
}

static bool start(struct exec *x, struct run *r, const struct json *receive)
{
	struct surroundings s = { .all = NULL };
	int err;

	r->input = json_print(receive);
	r->size = strlen(r->input);
	r->until = clock_now() + x->patience;
	surround(&s, x->c, receive);
	err = spawn(r, x->c, s.all);
	free(s.all);
	if (err < 0)
		cli_failed(err, _("the program of --exec cannot be begun"),
			   "palique help recv");
	return err == 0;
}

/* The first of a queue. True: it runs; else it was none to answer, or the engine has gone. */
static bool begin(struct exec *x, struct run *r, struct queue *q)
{
	struct json *result, *contact = NULL, *receive = NULL;
	const struct json *message;
	bool is_running = false;
	int code;

	snprintf(r->id, sizeof r->id, "%llu", (unsigned long long)q->ids[q->taken]);
	result = fetch(x, "getMessage", "id", r->id, &code);
	message = json_get(result, "message");
	if (is_to_answer(message)) {
		contact = fetch(x, "getContact", "name", q->name, &code);
		if (!json_bool(json_get(contact, "contact"), "bot", false)) {
			receive = cmd_as_receive(message);
			is_running = start(x, r, receive);
		}
	}
	json_free(receive);
	json_free(contact);
	json_free(result);
	if (is_running) {
		r->queue = q;
		q->is_running = true;
		return true;
	}
	reset(r);
	if (!x->is_over)
		handled(x, q);
	return false;
}

/* It has ended, or (`is_late`) has to. */
static void finish(struct exec *x, struct run *r, int status, bool is_late)
{
	struct queue *q = r->queue;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;

	trim(&r->output);
	if (is_late)
		out_say(_("the program of --exec took longer than %lld s and was ended"),
			(long long)(x->patience / SECOND));
	else if (code > 0)
		out_say(_("the program of --exec failed with exit code %d"), code);
	else if (r->output.size > 0 && !say(x, r))
		x->is_over = true;
	q->is_running = false;
	reset(r);
	if (!x->is_over)
		handled(x, q);
}

/* With all that it has begun. */
static void kill_run(struct run *r)
{
	int status;

	close_end(&r->in);
	close_end(&r->out);
	kill(-r->child, SIGKILL);
	while (waitpid(r->child, &status, 0) < 0 && errno == EINTR)
		;
}

/* Its end has a time, too. */
static void look_after(struct exec *x, struct run *r, mono_ns now)
{
	int status = 0;

	if (r->out < 0 && waitpid(r->child, &status, WNOHANG) == r->child) {
		close_end(&r->in);
		kill(-r->child, SIGKILL); /* what it left behind */
		finish(x, r, status, false);
	} else if (now >= r->until) {
		kill_run(r);
		finish(x, r, status, true);
	}
}

/* --- all of them --- */

int exec_new(struct exec **out, struct cli *c)
{
	long jobs, seconds;
	struct exec *x;

	*out = NULL;
	if (!c->o.value[OPT_EXEC])
		return c->o.value[OPT_JOBS] || c->o.value[OPT_EXEC_TIMEOUT]
			       ? cli_usage(
					 _("--jobs and --exec-timeout are for --exec PROGRAM"),
					 "palique help recv")
			       : EXIT_DONE;
	if (options_number(&c->o, OPT_JOBS, 1, EXEC_JOBS_MAX, EXEC_JOBS, &jobs) < 0)
		return cli_usage(_("--jobs is a number from 1 to 32"), "palique help recv");
	if (options_duration(&c->o, OPT_EXEC_TIMEOUT, EXEC_SECONDS, &seconds) < 0 ||
	    seconds < 1 || seconds > EXEC_SECONDS_MAX)
		return cli_usage(_("--exec-timeout is a time as 90s, 5m or 12h"),
				 "palique help recv");
	signal(SIGPIPE, SIG_IGN);
	x = memory_new(sizeof *x);
	x->c = c;
	x->jobs = (unsigned)jobs;
	x->patience = (mono_ns)seconds * SECOND;
	for (unsigned i = 0; i < x->jobs; i++)
		reset(&x->runs[i]);
	*out = x;
	return EXIT_DONE;
}

void exec_free(struct exec *x)
{
	if (!x)
		return;
	for (unsigned i = 0; i < x->jobs; i++) {
		if (x->runs[i].queue)
			kill_run(&x->runs[i]);
		reset(&x->runs[i]);
	}
	for (size_t i = 0; i < x->queue_count; i++) {
		free(x->queues[i]->ids);
		free(x->queues[i]);
	}
	free(x->queues);
	free(x);
}

void exec_add(struct exec *x, const char *conversation, uint64_t id)
{
	struct queue *q = NULL;

	for (size_t i = 0; i < x->queue_count && !q; i++) {
		if (!strcmp(x->queues[i]->name, conversation))
			q = x->queues[i];
	}
	if (!q) {
		q = memory_new(sizeof *q);
		snprintf(q->name, sizeof q->name, "%s", conversation);
		x->queues = memory_grow(x->queues, x->queue_count + 1, sizeof(struct queue *));
		x->queues[x->queue_count++] = q;
	}
	if (q->count == q->capacity) {
		q->capacity = q->capacity ? q->capacity * 2 : 16;
		q->ids = memory_grow(q->ids, q->capacity, sizeof *q->ids);
	}
	q->ids[q->count++] = id;
}

bool exec_is_idle(const struct exec *x)
{
	for (size_t i = 0; i < x->queue_count; i++) {
		if (x->queues[i]->count > 0)
			return false;
	}
	return true;
}

/* The next conversation that has something to be done and nothing running; NULL: none. */
static struct queue *next_queue(struct exec *x)
{
	for (size_t i = 0; i < x->queue_count; i++) {
		struct queue *q = x->queues[x->next++ % x->queue_count];

		if (q->taken < q->count && !q->is_running)
			return q;
	}
	return NULL;
}

static void begin_more(struct exec *x)
{
	for (unsigned i = 0; i < x->jobs && !x->is_over; i++) {
		struct queue *q = NULL;

		while (!x->is_over && !x->runs[i].queue && (q = next_queue(x)) != NULL &&
		       !begin(x, &x->runs[i], q))
			;
		if (!x->runs[i].queue && !q)
			return;
	}
}

/* Until what; ms. */
static int wait_for(const struct exec *x, mono_ns now)
{
	int64_t wait = -1;

	for (unsigned i = 0; i < x->jobs; i++) {
		const struct run *r = &x->runs[i];
		int64_t ms = r->until > now ? (int64_t)((r->until - now) / MILLISECOND) + 1 : 0;

		if (!r->queue)
			continue;
		if (r->out < 0 && ms > END_LOOK_MS)
			ms = END_LOOK_MS;
		if (wait < 0 || ms < wait)
			wait = ms;
	}
	return (int)(wait > INT_MAX ? INT_MAX : wait);
}

bool exec_step(struct exec *x, int fd)
{
	struct pollfd fds[1 + 2 * EXEC_JOBS_MAX] = { { .fd = fd, .events = POLLIN } };
	bool is_running = false;

	begin_more(x);
	/* What is read of the engine meanwhile waits for who follows. */
	if (x->is_over || (fd >= 0 && client_has_more(x->c->client)))
		return !x->is_over;
	for (unsigned i = 0; i < x->jobs; i++) {
		is_running |= x->runs[i].queue != NULL;
		fds[1 + 2 * i] = (struct pollfd){ .fd = x->runs[i].out, .events = POLLIN };
		fds[2 + 2 * i] = (struct pollfd){ .fd = x->runs[i].in, .events = POLLOUT };
	}
	if (fd < 0 && !is_running)
		return true;
	poll(fds, 1 + 2 * x->jobs, wait_for(x, clock_now()));
	for (unsigned i = 0; i < x->jobs; i++) {
		struct run *r = &x->runs[i];

		if (!r->queue)
			continue;
		if (r->in >= 0 && fds[2 + 2 * i].revents)
			feed(r);
		if (r->out >= 0 && fds[1 + 2 * i].revents)
			drain(r);
		look_after(x, r, clock_now());
	}
	return !x->is_over;
}
