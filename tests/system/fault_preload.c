/* Loaded in front of a real program (LD_PRELOAD): its memory runs out once, its datagrams are lost,
 * doubled and out of order, its clock is years wrong. What it does stands in a file that whoever
 * began it may change at any time (PALIQUE_FAULTS: its path; tests/faults.h). */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/faults.h"

/* What the C library calls its own by, so that nothing is looked up before anything is there. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *at, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static struct faults *faults;
static atomic_uint_fast64_t random_state = 88172645463325252u;

/* Where it was when it broke; then it dies of it all the same. */
static void on_break(int number)
{
	static const char line[] = "broken at:\n";
	void *frames[24];

	(void)!write(2, line, sizeof line - 1);
	backtrace_symbols_fd(frames, backtrace(frames, 24), 2);
	signal(number, SIG_DFL);
	raise(number);
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("PALIQUE_FAULTS");
	void *first; /* the first call of backtrace(3) allocates */
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	(void)backtrace(&first, 1);
	signal(SIGSEGV, on_break);
	signal(SIGBUS, on_break);
	if (fd < 0)
		return;
	map = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		faults = map;
	random_state += (uint64_t)getpid() * 0x9e3779b97f4a7c15u;
}

/* --- memory --- */

/* Into the log, should it not end well. */
static void tell_where(uint64_t number)
{
	void *frames[24];
	char line[64];
	int count = backtrace(frames, 24),
	    size = snprintf(line, sizeof line, "no memory for allocation %llu:\n",
			    (unsigned long long)number);

	(void)!write(2, line, (size_t)size);
	backtrace_symbols_fd(frames, count, 2);
}

/* The one whose turn it is fails. */
static bool is_refused(void)
{
	struct faults *f = faults;

	if (!f || f->fail_allocation == 0 || f->allocating_pid != getpid())
		return false;
	if (atomic_fetch_add(&f->allocations, 1) + 1 != f->fail_allocation)
		return false;
	atomic_fetch_add(&f->refused, 1);
	tell_where(f->fail_allocation);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return is_refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return is_refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *at, size_t size)
{
	return size > 0 && is_refused() ? NULL : __libc_realloc(at, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return is_refused() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	*out = is_refused() ? NULL : __libc_memalign(alignment, size);
	return *out ? 0 : ENOMEM;
}

/* --- the clock on the wall --- */

int clock_gettime(clockid_t clock, struct timespec *out)
{
	int result = (int)syscall(SYS_clock_gettime, clock, out);

	if (result == 0 && faults &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		out->tv_sec += faults->clock_offset_s;
	return result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return -1;
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}

/* --- datagrams --- */

static bool chance(uint32_t per_mille)
{
	uint64_t x = atomic_load(&random_state);

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	atomic_store(&random_state, x);
	return (x >> 20) % 1000 < per_mille;
}

enum { HELD_MAX = 65536 };

/* One that was held back goes behind the one after it. */
static struct {
	bool is_there;
	int fd;
	struct sockaddr_storage to;
	socklen_t to_size;
	size_t size, control_size;
	uint8_t data[HELD_MAX];
	uint8_t control[256];
} held;

static ssize_t send_now(int fd, const struct msghdr *h, int flags)
{
	return syscall(SYS_sendmsg, fd, h, flags);
}

static bool hold(int fd, const struct msghdr *h)
{
	size_t size = 0;

	if (held.is_there || h->msg_controllen > sizeof held.control ||
	    h->msg_namelen > sizeof held.to)
		return false;
	for (size_t i = 0; i < (size_t)h->msg_iovlen; i++) {
		if (size + h->msg_iov[i].iov_len > HELD_MAX)
			return false;
		memcpy(held.data + size, h->msg_iov[i].iov_base, h->msg_iov[i].iov_len);
		size += h->msg_iov[i].iov_len;
	}
	held.fd = fd;
	held.size = size;
	held.to_size = h->msg_namelen;
	held.control_size = h->msg_controllen;
	if (h->msg_name)
		memcpy(&held.to, h->msg_name, h->msg_namelen);
	if (h->msg_control)
		memcpy(held.control, h->msg_control, h->msg_controllen);
	held.is_there = true;
	return true;
}

static void let_go(void)
{
	struct iovec part = { held.data, held.size };
	struct msghdr h = { .msg_name = held.to_size ? &held.to : NULL,
			    .msg_namelen = held.to_size,
			    .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = held.control_size ? held.control : NULL,
			    .msg_controllen = held.control_size };

	if (!held.is_there)
		return;
	held.is_there = false;
	send_now(held.fd, &h, MSG_DONTWAIT);
}

static bool is_spoilt(int fd)
{
	int domain = 0;
	socklen_t size = sizeof domain;

	return faults && (faults->loss || faults->duplicate || faults->reorder) &&
	       getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
	       (domain == AF_INET || domain == AF_INET6);
}

static size_t size_of(const struct msghdr *h)
{
	size_t size = 0;

	for (size_t i = 0; i < (size_t)h->msg_iovlen; i++)
		size += h->msg_iov[i].iov_len;
	return size;
}

ssize_t sendmsg(int fd, const struct msghdr *h, int flags)
{
	ssize_t sent;

	if (!is_spoilt(fd))
		return send_now(fd, h, flags);
	if (chance(faults->loss)) {
		atomic_fetch_add(&faults->lost, 1);
		return (ssize_t)size_of(h);
	}
	if (chance(faults->reorder) && hold(fd, h)) {
		atomic_fetch_add(&faults->late, 1);
		return (ssize_t)size_of(h);
	}
	sent = send_now(fd, h, flags);
	if (sent >= 0 && chance(faults->duplicate)) {
		atomic_fetch_add(&faults->doubled, 1);
		send_now(fd, h, flags);
	}
	let_go();
	return sent;
}

int sendmmsg(int fd, struct mmsghdr *list, unsigned count, int flags)
{
	if (!is_spoilt(fd))
		return (int)syscall(SYS_sendmmsg, fd, list, count, flags);
	for (unsigned i = 0; i < count; i++) {
		ssize_t sent = sendmsg(fd, &list[i].msg_hdr, flags);

		if (sent < 0)
			return i > 0 ? (int)i : -1;
		list[i].msg_len = (unsigned)sent;
	}
	return (int)count;
}
