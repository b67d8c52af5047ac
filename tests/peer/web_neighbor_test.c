#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/faces/web/neighbor.h"

enum { SOMEBODY_ELSE = 65534 };

struct pair {
	int listening, theirs, ours;
};

static struct pair connect_over(int family)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6 };
	struct pair p = { .listening = socket(AF_INET, SOCK_STREAM, 0) };
	socklen_t size = sizeof at;

	assert_int_equal(bind(p.listening, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(p.listening, 1), 0);
	assert_int_equal(getsockname(p.listening, (struct sockaddr *)&at, &size), 0);
	p.theirs = socket(family, SOCK_STREAM, 0);
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
	mapped.sin6_port = at.sin_port;
	if (family == AF_INET)
		assert_int_equal(connect(p.theirs, (struct sockaddr *)&at, sizeof at), 0);
	else
		assert_int_equal(connect(p.theirs, (struct sockaddr *)&mapped, sizeof mapped),
				 0);
	p.ours = accept(p.listening, NULL, NULL);
	assert_true(p.ours >= 0);
	return p;
}

static void hang_up(const struct pair *p)
{
	close(p->listening);
	close(p->theirs);
	close(p->ours);
}

static void a_connection_of_this_user_is_ours(void **state)
{
	struct pair p = connect_over(AF_INET);

	(void)state;
	assert_true(neighbor_is_ours(p.ours));
	hang_up(&p);
}

static void so_is_one_from_a_socket_of_ipv6(void **state)
{
	struct pair p;
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	(void)state;
	if (fd < 0)
		skip();
	close(fd);
	p = connect_over(AF_INET6);
	assert_true(neighbor_is_ours(p.ours));
	hang_up(&p);
}

/* The kernel calls its user 0 then, which may be us. */
static void an_end_that_is_closed_is_nobodys(void **state)
{
	struct pair p = connect_over(AF_INET);

	(void)state;
	close(p.theirs);
	assert_false(neighbor_is_ours(p.ours));
	p.theirs = -1;
	hang_up(&p);
}

static void what_is_no_such_connection_is_nobodys(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_false(neighbor_is_ours(fds[0]));
	assert_false(neighbor_is_ours(-1));
	close(fds[0]);
	close(fds[1]);
}

static void a_connection_of_another_user_is_not_ours(void **state)
{
	struct pair p = connect_over(AF_INET);
	int status = -1;
	pid_t child;

	(void)state;
	if (geteuid() != 0)
		skip();
	child = fork();
	if (child == 0)
		/* Who asks is another one here: the connection is root's. */
		_exit(seteuid(SOMEBODY_ELSE) == 0 && !neighbor_is_ours(p.ours) ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	hang_up(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_of_this_user_is_ours),
		cmocka_unit_test(so_is_one_from_a_socket_of_ipv6),
		cmocka_unit_test(an_end_that_is_closed_is_nobodys),
		cmocka_unit_test(what_is_no_such_connection_is_nobodys),
		cmocka_unit_test(a_connection_of_another_user_is_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
