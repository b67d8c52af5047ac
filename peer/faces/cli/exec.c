#include "peer/faces/cli/exec.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/exec_run.h"
#include "peer/faces/cli/output.h"
#include "shared/clock.h"
#include "shared/error.h"
#include "shared/name.h"
#include "shared/text.h"

/* One conversation, and the messages of it that wait. */
struct queue {
	char name[NAME_MAX + 1];
	uint64_t *ids;
	size_t count, capacity, taken;
	bool is_running;
};

/* What runs, and for which message: the first of its queue. */
struct job {
	struct queue *queue; /* NULL: nothing runs */
	char id[24];
	struct exec_run run;
};

struct exec {
	struct cli *c;
	mono_ns patience;
	struct job jobs[EXEC_JOBS_MAX];
	unsigned count; /* of them */
	struct queue **queues;
	size_t queue_count, next; /* whose turn it is */
	bool is_over;             /* the engine has gone, or the program cannot be begun */
	int code;                 /* for which it is over */
};

/* --- the answer --- */

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
static bool say(struct exec *x, struct job *j)
{
	struct json *params = json_object(), *result = NULL;
	char name[NAME_MAX + 1];
	int code;

	name_of(x->c, name);
	json_set_text(params, "conversation", j->queue->name);
	json_set_text(params, "replyTo", j->id);
	json_set_text(params, "bot", name);
	json_set_bytes(params, "text", buf_view(&j->run.output));
	code = cli_call(x->c, "send", params, &result);
	json_free(result);
	return code != EXIT_NO_ENGINE && code != EXIT_TIMEOUT;
}

/* --- one message --- */

static struct json *fetch(struct exec *x, const char *method, const char *key,
			  const char *value, int *code)
{
	struct json *result = NULL;

	*code = cli_call(x->c, method, json_set_text(json_object(), key, value), &result);
	/* A message is none to answer only where the engine says so. */
	if (*code != EXIT_DONE && *code != EXIT_NOT_FOUND)
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

static int say_why_not(int err, const char *program)
{
	char trouble[512], hint[256] = "palique help recv";

	if (err == ERR_NOT_FOUND) {
		snprintf(trouble, sizeof trouble, _("there is no program %.200s"), program);
	} else if (err == ERR_REFUSED) {
		snprintf(trouble, sizeof trouble, _("the program %.200s may not be run"),
			 program);
		snprintf(hint, sizeof hint, "chmod +x '%.200s'", program);
	} else {
		snprintf(trouble, sizeof trouble, "%s",
			 _("the program of --exec cannot be begun"));
	}
	return cli_failed(err, trouble, hint);
}

/* One that cannot be begun ends all: what nobody handles is not read. */
static bool start(struct exec *x, struct job *j, const struct json *receive)
{
	int err = exec_run_begin(&j->run, x->c, receive, x->patience);

	if (err < 0) {
		x->code = say_why_not(err, x->c->o.value[OPT_EXEC]);
		x->is_over = true;
	}
	return err == 0;
}

/* The first of a queue. True: it runs; else it was none to answer, or all is over. */
static bool begin(struct exec *x, struct job *j, struct queue *q)
{
	struct json *result, *contact = NULL, *receive = NULL;
	const struct json *message;
	bool is_running = false;
	int code;

	snprintf(j->id, sizeof j->id, "%llu", (unsigned long long)q->ids[q->taken]);
	result = fetch(x, "getMessage", "id", j->id, &code);
	message = json_get(result, "message");
	if (is_to_answer(message)) {
		contact = fetch(x, "getContact", "name", q->name, &code);
		if (!json_bool(json_get(contact, "contact"), "bot", false)) {
			receive = cmd_as_receive(message);
			is_running = start(x, j, receive);
		}
	}
	json_free(receive);
	json_free(contact);
	json_free(result);
	if (is_running) {
		j->queue = q;
		q->is_running = true;
		return true;
	}
	if (!x->is_over)
		handled(x, q);
	return false;
}

/* It has ended, or was. */
static void finish(struct exec *x, struct job *j, int code, bool is_late)
{
	struct queue *q = j->queue;

	if (is_late)
		out_say(_("the program of --exec took longer than %lld s and was ended"),
			(long long)(x->patience / SECOND));
	else if (code > 0)
		out_say(_("the program of --exec failed with exit code %d"), code);
	else if (j->run.output.size > 0 && !say(x, j))
		x->is_over = true;
	q->is_running = false;
	j->queue = NULL;
	exec_run_clear(&j->run);
	if (!x->is_over)
		handled(x, q);
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
	x->count = (unsigned)jobs;
	x->patience = (mono_ns)seconds * SECOND;
	x->code = EXIT_NO_ENGINE;
	*out = x;
	return EXIT_DONE;
}

void exec_free(struct exec *x)
{
	if (!x)
		return;
	for (unsigned i = 0; i < x->count; i++) {
		if (!x->jobs[i].queue)
			continue;
		exec_run_kill(&x->jobs[i].run);
		exec_run_clear(&x->jobs[i].run);
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
	for (unsigned i = 0; i < x->count && !x->is_over; i++) {
		struct queue *q = NULL;

		while (!x->is_over && !x->jobs[i].queue && (q = next_queue(x)) != NULL &&
		       !begin(x, &x->jobs[i], q))
			;
		if (!x->jobs[i].queue && !q)
			return;
	}
}

int exec_code(const struct exec *x)
{
	return x->code;
}

bool exec_step(struct exec *x, int fd)
{
	struct pollfd fds[1 + 2 * EXEC_JOBS_MAX] = { { .fd = fd, .events = POLLIN } };
	int wait = -1;

	begin_more(x);
	/* What is read of the engine meanwhile waits for who follows. */
	if (x->is_over || (fd >= 0 && client_has_more(x->c->client)))
		return !x->is_over;
	for (unsigned i = 0; i < x->count; i++) {
		struct pollfd *its = &fds[1 + 2 * i];
		int ms;

		its[0].fd = its[1].fd = -1;
		if (!x->jobs[i].queue)
			continue;
		exec_run_watch(&x->jobs[i].run, its);
		ms = exec_run_wait(&x->jobs[i].run, clock_now());
		wait = wait < 0 || ms < wait ? ms : wait;
	}
	if (fd < 0 && wait < 0)
		return true;
	poll(fds, 1 + 2 * x->count, wait);
	for (unsigned i = 0; i < x->count; i++) {
		struct job *j = &x->jobs[i];
		enum exec_end end = EXEC_GOES_ON;
		int code = 0;

		if (j->queue)
			end = exec_run_step(&j->run, &fds[1 + 2 * i], &code);
		if (end != EXEC_GOES_ON)
			finish(x, j, code, end == EXEC_LATE);
	}
	return !x->is_over;
}
