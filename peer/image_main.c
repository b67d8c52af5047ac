#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "peer/child.h"
#include "peer/image_inside.h"
#include "shared/error.h"

enum { ARGUMENTS = 7 };

/* --- a small room of its own --- */

/* What arithmetic, memory and one answer need. Nothing is opened, made or begun. */
static const int allowed[] = {
	SCMP_SYS(write),       SCMP_SYS(exit_group),   SCMP_SYS(brk),
	SCMP_SYS(munmap),      SCMP_SYS(mremap),       SCMP_SYS(madvise),
	SCMP_SYS(futex),       SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(getpid),      SCMP_SYS(gettid),       SCMP_SYS(tgkill), /* abort() */
	SCMP_SYS(sigaltstack), /* longjmp(), under AddressSanitizer */
};

/* Memory, but none that could be executed. */
static const int protecting[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect) };

/* Where the kernel cannot do this no stranger's image is read. */
static void filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err = filter ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < sizeof allowed / sizeof allowed[0]; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; !err && i < sizeof protecting / sizeof protecting[0]; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, protecting[i], 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!err)
		err = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	if (err)
		_exit(1);
}

void image_shut_in(const struct image_task *task)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXCPU, SIG_DFL);
	alarm(task->seconds * 5 + 1); /* if nobody kills us */
	/* by number: the C library's wrapper is younger than the kernel's call */
	syscall(SYS_close_range, 3U, ~0U, 0);
	child_limit_memory((rlim_t)task->megabytes << 20);
	child_limit(RLIMIT_CPU, task->seconds, 1); /* at the first SIGXCPU, which tells why */
	child_limit(RLIMIT_CORE, 0, 0);
	child_limit(RLIMIT_FSIZE, 0, 0); /* no file grows; a pipe is none */
	child_limit(RLIMIT_NOFILE, 3, 0);
	child_limit(RLIMIT_NPROC, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(1);
	filter_calls();
}

/* --- one image --- */

static bool read_number(const char *text, unsigned long most, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *out <= most;
}

static bool read_task(struct image_task *task, int argc, char *const *argv)
{
	static const unsigned long most[ARGUMENTS] = {
		0, 0, 1, IMAGE_THUMBNAIL_SIDE, IMAGE_PIXELS_MAX, 1024, 60
	};
	unsigned long numbers[ARGUMENTS];

	if (argc != ARGUMENTS)
		return false;
	for (int i = 2; i < ARGUMENTS; i++)
		if (!read_number(argv[i], most[i], &numbers[i]) || (i > 2 && numbers[i] == 0))
			return false;
	*task = (struct image_task){
		.wants_pixels = numbers[2],
		.side = (unsigned)numbers[3],
		.pixels_max = numbers[4],
		.megabytes = (unsigned)numbers[5],
		.seconds = (unsigned)numbers[6],
	};
	return true;
}

/* As it is now: who writes to it meanwhile does not change what we read. */
static struct bytes read_file(void)
{
	struct stat stat;
	uint8_t *all;
	size_t size = 0;

	if (fstat(STDIN_FILENO, &stat) < 0 || !S_ISREG(stat.st_mode) || stat.st_size <= 0 ||
	    stat.st_size > IMAGE_FILE_MAX)
		_exit(1);
	all = memory_new((size_t)stat.st_size);
	while (size < (size_t)stat.st_size) {
		ssize_t got = read(STDIN_FILENO, all + size, (size_t)stat.st_size - size);

		if (got <= 0)
			break;
		size += (size_t)got;
	}
	return bytes_of(all, size);
}

/* What the libraries look up once they look up now, while files can still be opened: on ARM which
 * processor it is. */
static void warm_up(void)
{
	static const uint8_t png[] = "\x89PNG\r\n\x1a\n"
				     "\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\0\0\0\0\x3a\x7e\x9b\x55"
				     "\0\0\0\nIDAT\x78\x9c\x63\x60\0\0\0\2\0\1\x48\xaf\xa4\x71"
				     "\0\0\0\0IEND\xae\x42\x60\x82";
	static uint8_t grey[16 * 16 * 4];
	static const struct image_pixels pixels = { 16, 16, grey };
	const struct image_task task = { .side = 8, .pixels_max = 16 * 16 };
	struct buf images[3] = { 0 };

	if (buf_append(&images[0], bytes_of(png, sizeof png - 1)) < 0 ||
	    image_jpeg_write(&pixels, 50, &images[1]) < 0 ||
	    image_webp_write(&pixels, 50, &images[2]) < 0)
		_exit(1);
	for (int i = 0; i < 3; i++) {
		struct image image = { .file = buf_view(&images[i]), .task = &task };
		enum image_kind kind;

		if (image_decode(&image, &kind) < 0)
			_exit(1);
		image_clear(&image);
		buf_clear(&images[i]);
	}
}

static void say(struct bytes all)
{
	while (all.size) {
		ssize_t put = write(STDOUT_FILENO, all.data, all.size);

		if (put <= 0)
			_exit(1);
		all = bytes_of(all.data + put, all.size - (size_t)put);
	}
}

static int look_at(struct image *image, struct image_answer *answer, struct buf *out)
{
	enum image_kind kind;
	int err = image_decode(image, &kind);

	if (err < 0)
		return err;
	if (image->task->wants_pixels)
		err = buf_append(out,
				 bytes_of(image->small.rgba, (size_t)image->small.width *
								     image->small.height * 4));
	else
		err = image_encode(image, out);
	if (err < 0)
		return err;
	*answer = (struct image_answer){
		.kind = kind,
		.width = image->width,
		.height = image->height,
		.small_width = image->small.width,
		.small_height = image->small.height,
		.size = (uint32_t)out->size,
	};
	return 0;
}

bool image_is_called(int argc, char *const *argv)
{
	return argc > 1 && strcmp(argv[1], IMAGE_COMMAND) == 0;
}

/* Memory is not given back: it ends here. */
int image_main(int argc, char *const *argv)
{
	struct image_answer answer = { 0 };
	struct image_task task;
	struct image image = { .task = &task };
	struct buf out = { 0 };
	int err;

	if (!read_task(&task, argc, argv))
		return 1;
	warm_up();
	image.file = read_file();
	image_shut_in(&task);
	err = look_at(&image, &answer, &out);
	if (err < 0) {
		answer = (struct image_answer){ .err = err };
		out.size = 0;
	}
	say(bytes_of(&answer, sizeof answer));
	say(buf_view(&out));
	_exit(0);
}
