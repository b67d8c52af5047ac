#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/child.h"
#include "peer/image_inside.h"
#include "shared/clock.h"
#include "shared/error.h"
#include "shared/file.h"
#include "shared/job.h"
#include "shared/worker.h"

enum {
	/* Then it is killed. What may be used of the processor is bounded below; a machine that
	 * does much else lets a child wait for it. */
	DEADLINE_MS = 20000,
	DEADLINE_GIVEN_MS = 10000,
	SECONDS = 12, /* of the processor */
	SECONDS_GIVEN = 2,
	MEGABYTES = 512, /* a progressive JPEG or a lossless WebP of 100 million pixels */
	MEGABYTES_GIVEN = 64,
	ARGUMENTS = 7,
	ARGUMENT_SIZE = 32,
};

/* What our own person wants to send may be large. */
static const struct image_task own = {
	.side = IMAGE_THUMBNAIL_SIDE,
	.pixels_max = IMAGE_PIXELS_MAX,
	.megabytes = MEGABYTES,
	.seconds = SECONDS,
};
static const struct image_task foreign = {
	.side = IMAGE_THUMBNAIL_SIDE,
	.pixels_max = IMAGE_GIVEN_PIXELS_MAX,
	.megabytes = MEGABYTES_GIVEN,
	.seconds = SECONDS_GIVEN,
};

bool image_answer_fits(const struct image_answer *a, const struct image_task *task,
		       size_t follows)
{
	uint64_t pixels = (uint64_t)a->width * a->height;

	if (a->err != 0)
		return follows == 0 && a->err < 0 && a->err > ERR_LAST;
	if (a->kind != IMAGE_PNG && a->kind != IMAGE_JPEG && a->kind != IMAGE_WEBP)
		return false;
	if (a->width > IMAGE_SIDE_MAX || a->height > IMAGE_SIDE_MAX ||
	    pixels > task->pixels_max)
		return false;
	if (a->small_width == 0 || a->small_width > task->side || a->small_width > a->width ||
	    a->small_height == 0 || a->small_height > task->side || a->small_height > a->height)
		return false;
	if (task->wants_pixels)
		return a->size == follows &&
		       follows == (size_t)a->small_width * a->small_height * 4;
	return a->size == follows && follows > 0 && follows <= IMAGE_THUMBNAIL_MAX;
}

/* --- what it reads --- */

/* A file and nothing that only looks like one: a pipe would be waited for, a device has no end. */
static int open_file(const char *path, int *fd)
{
	struct stat stat;
	int err = 0;

	*fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (*fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND
		       : errno == ELOOP                    ? ERR_FORMAT
							   : ERR_IO;
	if (fstat(*fd, &stat) < 0)
		err = ERR_IO;
	else if (!S_ISREG(stat.st_mode) || stat.st_size == 0)
		err = ERR_FORMAT;
	else if (stat.st_size > IMAGE_FILE_MAX)
		err = ERR_LIMIT;
	if (err < 0)
		close(*fd);
	return err;
}

static int open_given(struct bytes given, int *fd)
{
	int err;

	if (given.size == 0)
		return ERR_FORMAT;
	if (given.size > IMAGE_GIVEN_MAX)
		return ERR_LIMIT;
	*fd = memfd_create("image", MFD_CLOEXEC);
	if (*fd < 0)
		return ERR_IO;
	err = file_write(*fd, given);
	if (err == 0 && lseek(*fd, 0, SEEK_SET) < 0)
		err = ERR_IO;
	if (err < 0)
		close(*fd);
	return err;
}

/* --- the child --- */

static int begin(pid_t *pid, const struct image_task *task, int in, int out)
{
	char text[ARGUMENTS][ARGUMENT_SIZE], *argv[ARGUMENTS + 1] = { 0 };

	snprintf(text[0], ARGUMENT_SIZE, "palique");
	snprintf(text[1], ARGUMENT_SIZE, "%s", IMAGE_COMMAND);
	snprintf(text[2], ARGUMENT_SIZE, "%d", task->wants_pixels);
	snprintf(text[3], ARGUMENT_SIZE, "%u", task->side);
	snprintf(text[4], ARGUMENT_SIZE, "%llu", (unsigned long long)task->pixels_max);
	snprintf(text[5], ARGUMENT_SIZE, "%u", task->megabytes);
	snprintf(text[6], ARGUMENT_SIZE, "%u", task->seconds);
	for (int i = 0; i < ARGUMENTS; i++)
		argv[i] = text[i];
	return child_begin(pid, argv, in, out);
}

/* Until its end. `out` has room for one byte more than may come. */
static int read_all(int fd, mono_ns until, uint8_t *out, size_t room, size_t *size)
{
	*size = 0;
	for (;;) {
		struct pollfd one = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (worker_has_stopped())
			return ERR_CLOSED;
		if (clock_now() >= until)
			return ERR_LIMIT;
		if (poll(&one, 1, CHILD_LOOK_MS) <= 0)
			continue;
		got = read(fd, out + *size, room - *size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ERR_IO;
		if (got == 0)
			return 0;
		*size += (size_t)got;
		if (*size == room)
			return ERR_FORMAT;
	}
}

/* `answer` and behind it what follows: memory of the caller's to free, NULL with an error.
 * Closes `in`. */
static int ask(const struct image_task *task, int in, mono_ns until,
	       struct image_answer *answer, uint8_t **follows)
{
	size_t most = task->wants_pixels ? IMAGE_PIXELS_SIZE : IMAGE_THUMBNAIL_MAX;
	size_t room = sizeof *answer + most + 1, size = 0;
	uint8_t *all = NULL;
	int pair[2], err;
	pid_t pid;

	*follows = NULL;
	if (pipe2(pair, O_CLOEXEC) < 0) {
		close(in);
		return ERR_IO;
	}
	err = begin(&pid, task, in, pair[1]);
	close(pair[1]);
	close(in);
	if (err < 0)
		goto out;
	all = memory_new(room);
	err = read_all(pair[0], until, all, room, &size);
	if (child_end(pid)) /* it used too much */
		err = ERR_LIMIT;
	if (err < 0)
		goto out;
	err = ERR_FORMAT;
	if (size < sizeof *answer)
		goto out;
	memcpy(answer, all, sizeof *answer);
	if (!image_answer_fits(answer, task, size - sizeof *answer))
		goto out;
	err = answer->err;
	if (err < 0)
		goto out;
	memmove(all, all + sizeof *answer, size - sizeof *answer);
	*follows = all;
	all = NULL;
out:
	free(all);
	close(pair[0]);
	return err;
}

static unsigned bounded(unsigned side)
{
	return side == 0 || side > IMAGE_THUMBNAIL_SIDE ? IMAGE_THUMBNAIL_SIDE : side;
}

int image_run(struct job *job)
{
	struct image_work *w = job->task;
	struct image_task task = w->path ? own : foreign;
	mono_ns until = clock_now() + MILLISECOND * (w->path ? DEADLINE_MS : DEADLINE_GIVEN_MS);
	struct image_answer answer;
	uint8_t *thumbnail;
	int in, err;

	task.side = bounded(w->side);
	err = w->path ? open_file(w->path, &in) : open_given(w->given, &in);
	if (err == 0)
		err = ask(&task, in, until, &answer, &thumbnail);
	if (err < 0)
		return err;
	w->kind = (enum image_kind)answer.kind;
	w->width = answer.width;
	w->height = answer.height;
	w->small_width = answer.small_width;
	w->small_height = answer.small_height;
	w->size = answer.size;
	memcpy(w->thumbnail, thumbnail, answer.size);
	free(thumbnail);
	return 0;
}

int image_see(struct bytes given, unsigned side, struct image_pixels *out)
{
	struct image_task task = foreign;
	struct image_answer answer;
	int in, err;

	task.wants_pixels = true;
	task.side = bounded(side);
	err = open_given(given, &in);
	if (err == 0)
		err = ask(&task, in, clock_now() + MILLISECOND * DEADLINE_GIVEN_MS, &answer,
			  &out->rgba);
	if (err < 0)
		return err;
	out->width = answer.small_width;
	out->height = answer.small_height;
	return 0;
}
