#include "directory/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/log.h"
#include "shared/text.h"

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* close_range(2) by number: the C library's wrapper is younger than the kernel's call. */
static void close_others(const struct sandbox *s)
{
	unsigned from = 3;

	if (s->keep_count)
		qsort(s->keep, s->keep_count, sizeof *s->keep, compare);
	for (unsigned i = 0; i < s->keep_count; i++) {
		if (s->keep[i] < 3)
			continue;
		if ((unsigned)s->keep[i] > from)
			syscall(SYS_close_range, from, (unsigned)s->keep[i] - 1, 0);
		from = (unsigned)s->keep[i] + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0);
}

static int become(const char *user, char *reason, size_t reason_size)
{
	struct passwd *p;

	if (!user || geteuid() != 0)
		return 0;
	p = getpwnam(user);
	if (!p) {
		snprintf(reason, reason_size,
			 _("There is no user %s on this machine. Make it: adduser --system %s"),
			 user, user);
		return ERR_NOT_FOUND;
	}
	if (setgroups(0, NULL) < 0 || setresgid(p->pw_gid, p->pw_gid, p->pw_gid) < 0 ||
	    setresuid(p->pw_uid, p->pw_uid, p->pw_uid) < 0) {
		snprintf(reason, reason_size, _("Cannot become the user %s: %s."), user,
			 strerror(errno));
		return ERR_IO;
	}
	return 0;
}

/* A network of its own, in which there is nothing. Without privileges only in a user namespace
 * of its own, where foreign user ids can no longer be told apart: not where we accept. */
static void leave_network(bool is_root, bool may_accept)
{
	if (is_root ? unshare(CLONE_NEWNET) < 0
		    : may_accept || unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		log_event(LOG_DEBUG, "network-not-left", NULL);
}

/* What root is, and what everybody is in a user namespace of their own. */
static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (syscall(SYS_capset, &header, none) < 0)
		log_event(LOG_WARNING, "capabilities-not-dropped", NULL);
}

/* What a loop over descriptors, arithmetic, memory and one line on stderr need. */
static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(close),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(getrandom),
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(mlock),
	SCMP_SYS(munlock),
	SCMP_SYS(futex),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(tgkill), /* abort() */
};
static const int allowed_to_accept[] = { SCMP_SYS(accept4), SCMP_SYS(getsockopt),
					 SCMP_SYS(geteuid), SCMP_SYS(fcntl) };

static int add_rules(scmp_filter_ctx filter, bool may_accept)
{
	int err = 0;

	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
		err |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0;
	     may_accept && i < sizeof allowed_to_accept / sizeof allowed_to_accept[0]; i++)
		err |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_to_accept[i], 0);
	/* memory, but none that could be executed */
	err |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	err |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return err;
}

static void filter_calls(bool may_accept)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err = filter ? add_rules(filter, may_accept) : -ENOMEM;

	if (!err)
		err = seccomp_load(filter);
	if (err)
		log_event(LOG_WARNING, "calls-not-filtered", "reason", strerror(-err), NULL);
	if (filter)
		seccomp_release(filter);
}

int sandbox_enter(const struct sandbox *s, char *reason, size_t reason_size)
{
	bool is_root = geteuid() == 0;
	int err;

	close_others(s);
	if (is_root) /* while we still may */
		leave_network(true, s->may_accept);
	err = become(s->user, reason, reason_size);
	if (err < 0)
		return err;
	if (!is_root)
		leave_network(false, s->may_accept);
	drop_capabilities();
	/* after the change of user, which sets it anew */
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		snprintf(reason, reason_size, _("Privileges cannot be given up: %s."),
			 strerror(errno));
		return ERR_IO;
	}
	filter_calls(s->may_accept);
	return 0;
}

void sandbox_exit(int status)
{
	fflush(NULL);
	_exit(status);
}
