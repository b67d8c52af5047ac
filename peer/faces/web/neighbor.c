#include "peer/faces/web/neighbor.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 4096, LINE_MAX_SIZE = 512 };

/* As the other end sees it: its own address first. */
struct ends {
	struct sockaddr_in theirs, ours;
};

static bool find_ends(int fd, struct ends *e)
{
	socklen_t theirs = sizeof e->theirs, ours = sizeof e->ours;

	return getpeername(fd, (struct sockaddr *)&e->theirs, &theirs) == 0 &&
	       getsockname(fd, (struct sockaddr *)&e->ours, &ours) == 0 &&
	       e->theirs.sin_family == AF_INET && e->ours.sin_family == AF_INET;
}

/* --- asked by its four numbers (sock_diag(7)) --- */

struct question {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

static struct question question_of(const struct ends *e)
{
	struct question q = { 0 };

	q.header.nlmsg_len = sizeof q;
	q.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	q.header.nlmsg_flags = NLM_F_REQUEST;
	q.body.sdiag_family = AF_INET;
	q.body.sdiag_protocol = IPPROTO_TCP;
	q.body.idiag_states = UINT32_MAX;
	q.body.id.idiag_sport = e->theirs.sin_port;
	q.body.id.idiag_dport = e->ours.sin_port;
	q.body.id.idiag_src[0] = e->theirs.sin_addr.s_addr;
	q.body.id.idiag_dst[0] = e->ours.sin_addr.s_addr;
	q.body.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	q.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return q;
}

/* 1: of this user; 0: of another one, or nobody's any more; -1: not found that way. */
static int ask_kernel(const struct ends *e)
{
	struct question q = question_of(e);
	union {
		struct nlmsghdr header;
		uint8_t bytes[ANSWER_MAX];
	} answer;
	const struct inet_diag_msg *found = NLMSG_DATA(&answer.header);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	ssize_t size = -1;

	if (fd < 0)
		return -1;
	/* The kernel answers before send() returns. */
	if (send(fd, &q, sizeof q, 0) == (ssize_t)sizeof q)
		size = recv(fd, &answer, sizeof answer, 0);
	close(fd);
	if (size < (ssize_t)NLMSG_LENGTH(sizeof *found) ||
	    answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return -1;
	/* One that is closed has no inode, and the user 0. */
	return found->idiag_inode != 0 && found->idiag_uid == geteuid();
}

/* --- looked for in the list of all (proc(5)), where the kernel has no such questions --- */

/* 1, 0 or -1, as above: what a line says. */
static int read_line(const char *line, const struct ends *e, bool is_mapped)
{
	const char *ipv4 = is_mapped ? "0000000000000000FFFF0000" : "";
	char wanted[160];
	unsigned user, state;
	unsigned long inode;
	int used = 0;

	snprintf(wanted, sizeof wanted, "%s%08" PRIX32 ":%04X %s%08" PRIX32 ":%04X ", ipv4,
		 (uint32_t)e->theirs.sin_addr.s_addr, ntohs(e->theirs.sin_port), ipv4,
		 (uint32_t)e->ours.sin_addr.s_addr, ntohs(e->ours.sin_port));
	line = strchr(line, ':');
	if (!line || strncmp(line + 2, wanted, strlen(wanted)) != 0)
		return -1;
	line += 2 + strlen(wanted);
	if (sscanf(line, "%x %*x:%*x %*x:%*x %*x %u %*u %lu%n", &state, &user, &inode, &used) !=
		    3 ||
	    !used)
		return -1;
	return inode != 0 && user == geteuid();
}

static int look_up(const char *path, const struct ends *e, bool is_mapped)
{
	FILE *list = fopen(path, "re");
	char line[LINE_MAX_SIZE];
	int found = -1;

	if (!list)
		return -1;
	while (found < 0 && fgets(line, sizeof line, list))
		found = read_line(line, e, is_mapped);
	fclose(list);
	return found;
}

bool neighbor_is_ours(int fd)
{
	struct ends e;
	int answer;

	if (!find_ends(fd, &e))
		return false;
	answer = ask_kernel(&e);
	if (answer < 0)
		answer = look_up("/proc/net/tcp", &e, false);
	if (answer < 0)
		answer = look_up("/proc/net/tcp6", &e, true);
	return answer == 1;
}
