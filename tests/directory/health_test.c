#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "directory/health.h"
#include "shared/error.h"

static uv_loop_t loop;
static struct health *health;
static struct address bound;
static bool is_fit;
static char answer[65536], reason[512];

static bool is_ready(void *user, struct buf *out)
{
	(void)user;
	buf_append(out, bytes_text(is_fit ? "accounts ok\n" : "accounts corrupt\n"));
	return is_fit;
}

static void metrics(void *user, struct buf *out)
{
	(void)user;
	for (int i = 0; i < 3000; i++) /* more than fits a request's memory */
		buf_append(out, bytes_text("a_line 1\n"));
}

static const struct health_calls calls = { .is_ready = is_ready, .metrics = metrics };

static int begin(void **state)
{
	struct address at;

	(void)state;
	is_fit = true;
	uv_loop_init(&loop);
	address_parse(&at, "127.0.0.1:0", 0);
	return health_start(&health, &loop, &at, &calls, NULL, &bound, reason, sizeof reason);
}

static int end(void **state)
{
	(void)state;
	health_stop(health);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static int dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(bound.port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

/* The other end lives in the same thread: the loop turns until it has closed. */
static void hear(int fd)
{
	size_t size = 0;
	ssize_t got;

	for (;;) {
		got = recv(fd, answer + size, sizeof answer - 1 - size, MSG_DONTWAIT);
		if (got > 0)
			size += (size_t)got;
		else if (got == 0 || errno != EAGAIN)
			break;
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	answer[size] = 0;
	close(fd);
}

static void ask(const char *request)
{
	int fd = dial();

	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	hear(fd);
}

static void get(const char *path)
{
	char request[256];

	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	ask(request);
}

static void assert_status(const char *status)
{
	char line[64];

	snprintf(line, sizeof line, "HTTP/1.1 %s ", status);
	if (strncmp(answer, line, strlen(line)) != 0)
		fail_msg("%s is wanted: %.80s", status, answer);
}

static void who_lives_says_so(void **state)
{
	(void)state;
	get("/livez");
	assert_status("200");
	assert_non_null(strstr(answer, "\r\n\r\nok\n"));
	is_fit = false;
	get("/livez");
	assert_status("200");
}

static void who_is_not_ready_says_why(void **state)
{
	(void)state;
	get("/readyz");
	assert_status("200");
	is_fit = false;
	get("/readyz");
	assert_status("503");
	assert_non_null(strstr(answer, "accounts corrupt\n"));
}

static void metrics_come_whole(void **state)
{
	const char *body;

	(void)state;
	get("/metrics");
	assert_status("200");
	assert_non_null(strstr(answer, "version=0.0.4"));
	body = strstr(answer, "\r\n\r\n");
	assert_non_null(body);
	assert_int_equal(strlen(body + 4), 3000 * strlen("a_line 1\n"));
}

static void head_has_no_body(void **state)
{
	(void)state;
	ask("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
	assert_status("200");
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void nothing_else_is_answered(void **state)
{
	(void)state;
	get("/");
	assert_status("404");
	get("/metrics/../livez");
	assert_status("404");
	ask("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello");
	assert_status("405");
	assert_non_null(strstr(answer, "GET, HEAD"));
	ask("DELETE /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
	assert_status("405");
}

static void nonsense_and_endless_requests_end(void **state)
{
	static char endless[20000];
	int fd;

	(void)state;
	ask("\x16\x03\x01 nonsense\r\n\r\n");
	assert_null(strstr(answer, "200 OK"));
	memset(endless, 'a', sizeof endless);
	memcpy(endless, "GET /livez?", 11);
	fd = dial();
	(void)!send(fd, endless, sizeof endless, MSG_NOSIGNAL);
	hear(fd);
	assert_null(strstr(answer, "200 OK"));
	get("/livez");
	assert_status("200");
}

static void idle_connections_do_not_keep_others_out_for_long(void **state)
{
	int idle[HEALTH_CONNECTIONS_MAX];

	(void)state;
	for (int i = 0; i < HEALTH_CONNECTIONS_MAX; i++) {
		idle[i] = dial();
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	get("/livez"); /* its turn comes when they have been put out */
	assert_status("200");
	for (int i = 0; i < HEALTH_CONNECTIONS_MAX; i++)
		close(idle[i]);
}

static void it_is_for_this_machine_only(void **state)
{
	static const char *const others[] = { "0.0.0.0:0", "192.0.2.1:7273", "[::]:0" };
	struct health *h;
	struct address at;

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		address_parse(&at, others[i], 0);
		assert_int_equal(health_start(&h, &loop, &at, &calls, NULL, &bound, reason,
					      sizeof reason),
				 ERR_REFUSED);
		assert_non_null(strstr(reason, "loopback"));
	}
}

static void an_address_in_use_is_named(void **state)
{
	struct health *h;
	struct address again;

	(void)state;
	assert_int_equal(
		health_start(&h, &loop, &bound, &calls, NULL, &again, reason, sizeof reason),
		ERR_EXISTS);
	assert_non_null(strstr(reason, "127.0.0.1:"));
	assert_null(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(who_lives_says_so),
		ROW(who_is_not_ready_says_why),
		ROW(metrics_come_whole),
		ROW(head_has_no_body),
		ROW(nothing_else_is_answered),
		ROW(nonsense_and_endless_requests_end),
		ROW(idle_connections_do_not_keep_others_out_for_long),
		ROW(it_is_for_this_machine_only),
		ROW(an_address_in_use_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
