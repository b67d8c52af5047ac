#include "peer/upnp_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "peer/child.h"
#include "peer/upnp_line.h"
#include "shared/clock.h"
#include "shared/error.h"
#include "shared/worker.h"

static int begin(pid_t *pid, const struct job *job, int out)
{
	char text[UPNP_ARGUMENTS][UPNP_ARGUMENT_SIZE], *argv[UPNP_ARGUMENTS + 1] = { 0 };

	upnp_question_print(job, text);
	for (int i = 0; i < UPNP_ARGUMENTS; i++)
		argv[i] = text[i];
	return child_begin(pid, argv, -1, out);
}

/* A line, with its end. ERR_FORMAT: it ended before, or does not end. */
static int read_line(int fd, mono_ns until, bool may_stop, char line[UPNP_LINE_MAX],
		     size_t *size)
{
	*size = 0;
	for (;;) {
		struct pollfd one = { .fd = fd, .events = POLLIN };
		mono_ns at = clock_now();
		ssize_t got;

		if (may_stop && worker_has_stopped())
			return ERR_CLOSED;
		if (at >= until)
			return ERR_TIMEOUT;
		if (poll(&one, 1, CHILD_LOOK_MS) <= 0)
			continue;
		got = read(fd, line + *size, UPNP_LINE_MAX - *size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_FORMAT;
		*size += (size_t)got;
		if (memchr(line, '\n', *size))
			return 0;
		if (*size == UPNP_LINE_MAX)
			return ERR_FORMAT;
	}
}

int upnp_child_run(struct job *job)
{
	mono_ns until = clock_now() + MILLISECOND * (job->is_removal ? UPNP_REMOVAL_DEADLINE_MS
								     : UPNP_DEADLINE_MS);
	char line[UPNP_LINE_MAX];
	const char *end;
	size_t size;
	int pair[2], err;
	pid_t pid;

	if (job->address_count < 2 || pipe2(pair, O_CLOEXEC) < 0)
		return ERR_IO;
	err = begin(&pid, job, pair[1]);
	close(pair[1]);
	if (err < 0)
		goto out;
	err = read_line(pair[0], until, !job->is_removal, line, &size);
	child_end(pid);
	if (err < 0)
		goto out;
	end = memchr(line, '\n', size);
	if (end + 1 != line + size)
		err = ERR_FORMAT;
	else
		err = upnp_line_parse(job, bytes_of(line, size - 1));
	if (err == 0)
		err = job->err;
out:
	close(pair[0]);
	return err;
}
