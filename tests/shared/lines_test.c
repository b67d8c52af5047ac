/* Real sockets in a folder of their own, server and clients on one loop. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/lines.h"

enum { SEEN_MAX = 256 };

struct seen {
	unsigned lines, connected, gone;
	size_t bytes;
	char last[SEEN_MAX];
	struct lines *who;
	bool answers, closes, closes_server, floods;
	struct lines_server *server;
};

struct room {
	char folder[64], path[96];
	uv_loop_t loop;
	struct seen at_server;
	struct lines_server *server;
	int client; /* or -1 */
};

static void on_line(void *user, struct lines *from, struct bytes line)
{
	struct seen *seen = user;

	seen->lines++;
	seen->bytes += line.size;
	seen->who = from;
	snprintf(seen->last, sizeof seen->last, "%.*s", (int)line.size,
		 (const char *)line.data);
	if (seen->answers)
		assert_int_equal(lines_send(from, line), 0);
	if (seen->closes)
		lines_close(from);
	if (seen->closes_server) {
		lines_server_close(seen->server);
		seen->server = NULL;
	}
}

static void on_gone(void *user, struct lines *who)
{
	struct seen *seen = user;

	seen->gone++;
	if (seen->who == who)
		seen->who = NULL;
}

static void on_connect(void *user, struct lines *who)
{
	struct seen *seen = user;

	seen->connected++;
	seen->who = who;
}

static const struct lines_calls calls = { on_line, on_gone, on_connect };

static int set_up(void **state)
{
	struct room *r = calloc(1, sizeof *r);

	snprintf(r->folder, sizeof r->folder, "/tmp/palique-lines-XXXXXX");
	if (!mkdtemp(r->folder) || uv_loop_init(&r->loop) != 0)
		return -1;
	snprintf(r->path, sizeof r->path, "%s/socket", r->folder);
	r->client = -1;
	*state = r;
	return lines_listen(&r->server, &r->loop, r->path, &calls, &r->at_server);
}

static int tear_down(void **state)
{
	struct room *r = *state;
	char command[96];

	if (r->client >= 0)
		close(r->client);
	lines_server_close(r->server);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&r->loop) != 0) /* every handle has been closed */
		return -1;
	snprintf(command, sizeof command, "rm -rf '%s'", r->folder);
	free(r);
	return system(command);
}

static struct bytes many(size_t size)
{
	static uint8_t text[LINES_MAX + 100];

	memset(text, 'a', sizeof text);
	return bytes_of(text, size);
}

static int raw_connection(struct room *r)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, r->path, strlen(r->path));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static void connect_to(struct room *r)
{
	r->client = raw_connection(r);
	while (!r->at_server.connected)
		uv_run(&r->loop, UV_RUN_ONCE);
}

/* The loop reads meanwhile what is more than the socket holds. */
static void say(struct room *r, struct bytes line)
{
	for (size_t at = 0; at <= line.size;) {
		bool is_end = at == line.size;
		ssize_t sent = is_end ? send(r->client, "\n", 1, MSG_DONTWAIT)
				      : send(r->client, line.data + at, line.size - at,
					     MSG_DONTWAIT);

		if (sent > 0)
			at += (size_t)sent;
		else if (errno == EAGAIN)
			uv_run(&r->loop, UV_RUN_ONCE);
		else
			return; /* it was closed meanwhile */
	}
}

static ssize_t hear(struct room *r, char *out, size_t size)
{
	ssize_t got;

	while ((got = recv(r->client, out, size, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
		uv_run(&r->loop, UV_RUN_NOWAIT);
	return got;
}

/* With what it had not read an end is a reset. */
static void wait_for_the_end(struct room *r)
{
	char byte;

	assert_true(hear(r, &byte, 1) <= 0);
}

static void a_line_goes_there_and_its_answer_comes_back(void **state)
{
	struct room *r = *state;
	char answer[8] = "";

	r->at_server.answers = true;
	connect_to(r);
	say(r, bytes_text("hola"));
	assert_int_equal(hear(r, answer, sizeof answer), 5);
	assert_string_equal(r->at_server.last, "hola");
	assert_string_equal(answer, "hola\n");
}

static void lines_arrive_whole_and_in_order_however_they_are_cut(void **state)
{
	struct room *r = *state;
	static const char text[] = "one\n\ntwo\nthree\r\nhalf";
	int fd = raw_connection(r);

	for (size_t i = 0; i < sizeof text - 1; i++) {
		assert_int_equal(send(fd, text + i, 1, 0), 1);
		uv_run(&r->loop, UV_RUN_NOWAIT);
	}
	while (r->at_server.lines < 4)
		uv_run(&r->loop, UV_RUN_ONCE);
	assert_string_equal(r->at_server.last, "three\r");
	assert_int_equal(r->at_server.bytes, 3 + 0 + 3 + 6);
	close(fd);
	while (!r->at_server.gone)
		uv_run(&r->loop, UV_RUN_ONCE);
	assert_int_equal(r->at_server.lines, 4); /* half a line is none */
}

static void many_lines_in_one_write_are_many_lines(void **state)
{
	struct room *r = *state;

	connect_to(r);
	for (int i = 0; i < 10000; i++)
		say(r, bytes_text("0123456789"));
	while (r->at_server.lines < 10000)
		uv_run(&r->loop, UV_RUN_ONCE);
	assert_int_equal(r->at_server.bytes, 100000);
}

static void the_longest_line_passes_and_a_longer_one_closes(void **state)
{
	struct room *r = *state;

	connect_to(r);
	say(r, many(LINES_MAX));
	while (!r->at_server.lines)
		uv_run(&r->loop, UV_RUN_ONCE);
	assert_int_equal(r->at_server.bytes, LINES_MAX);
	say(r, many(LINES_MAX + 1));
	wait_for_the_end(r);
	assert_int_equal(r->at_server.lines, 1);
	assert_int_equal(r->at_server.gone, 1);
}

static void a_client_that_does_not_read_is_closed(void **state)
{
	struct room *r = *state;
	int fd = raw_connection(r), err = 0;
	unsigned sent = 0;

	while (!r->at_server.connected)
		uv_run(&r->loop, UV_RUN_ONCE);
	while (err == 0 && sent++ < 100)
		err = lines_send(r->at_server.who, many(LINES_MAX));
	assert_int_equal(err, ERR_FULL);
	assert_int_equal(r->at_server.gone, 0); /* not from inside the call */
	assert_int_equal(lines_send(r->at_server.who, many(1)), ERR_CLOSED);
	while (!r->at_server.gone)
		uv_run(&r->loop, UV_RUN_ONCE);
	close(fd);
}

static void whoever_closes_is_not_told(void **state)
{
	struct room *r = *state;

	r->at_server.closes = true;
	connect_to(r);
	say(r, bytes_text("a\nb"));
	wait_for_the_end(r);
	assert_int_equal(r->at_server.lines, 1); /* the second came too late */
	assert_int_equal(r->at_server.gone, 0);
}

static void a_server_may_be_closed_from_a_line(void **state)
{
	struct room *r = *state;

	r->at_server.closes_server = true;
	r->at_server.server = r->server;
	connect_to(r);
	say(r, bytes_text("a"));
	wait_for_the_end(r);
	r->server = NULL;
	assert_int_equal(access(r->path, F_OK), -1);
	assert_int_equal(r->at_server.gone, 0);
}

static void the_socket_is_for_its_owner_only(void **state)
{
	struct room *r = *state;
	struct stat st;

	assert_int_equal(stat(r->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void another_user_is_not_let_in(void **state)
{
	struct room *r = *state;
	char byte;
	int fd;

	if (geteuid() != 0)
		skip(); /* only root can be somebody else */
	lines_server_close(r->server);
	r->server = NULL;
	/* A server of user 65534 and a client of user 65533. As the mode already refuses him,
	 * it is opened: the credentials alone must do. */
	assert_int_equal(chmod(r->folder, 0777), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(lines_listen(&r->server, &r->loop, r->path, &calls, &r->at_server), 0);
	assert_int_equal(chmod(r->path, 0666), 0);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(seteuid(65533), 0);
	fd = raw_connection(r);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(seteuid(65534), 0);
	while (!r->at_server.connected && recv(fd, &byte, 1, MSG_DONTWAIT) < 0 &&
	       errno == EAGAIN)
		uv_run(&r->loop, UV_RUN_NOWAIT);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(r->at_server.connected, 0);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
}

static void a_socket_in_use_is_not_taken_and_a_dead_one_is(void **state)
{
	struct room *r = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct lines_server *second = NULL;
	FILE *file;
	int fd;

	assert_int_equal(lines_listen(&second, &r->loop, r->path, &calls, &r->at_server),
			 ERR_EXISTS);
	lines_server_close(r->server);
	r->server = NULL;
	uv_run(&r->loop, UV_RUN_NOWAIT);
	assert_int_equal(access(r->path, F_OK), -1);
	memcpy(address.sun_path, r->path, strlen(r->path));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd); /* as after kill -9: a name that nobody answers */
	assert_int_equal(lines_listen(&r->server, &r->loop, r->path, &calls, &r->at_server), 0);
	connect_to(r);
	lines_server_close(r->server);
	r->server = NULL;
	file = fopen(r->path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(lines_listen(&r->server, &r->loop, r->path, &calls, &r->at_server),
			 ERR_EXISTS);
	assert_int_equal(access(r->path, F_OK), 0); /* somebody's file, not ours to remove */
}

static void a_folder_with_a_long_path_is_no_obstacle(void **state)
{
	struct room *r = *state;
	char path[400], command[500];
	struct lines_server *server = NULL;
	struct seen seen = { 0 };
	int folder;

	snprintf(path, sizeof path, "%s/%0*d", r->folder, 200, 0);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/%0*d/socket", r->folder, 200, 0);
	assert_int_equal(lines_listen(&server, &r->loop, path, &calls, &seen), 0);
	snprintf(command, sizeof command, "%s/%0*d", r->folder, 200, 0);
	folder = open(command, O_PATH | O_DIRECTORY);
	snprintf(r->path, sizeof r->path, "/proc/self/fd/%d/socket", folder);
	r->client = raw_connection(r);
	close(folder);
	say(r, bytes_text("far"));
	while (!seen.lines)
		uv_run(&r->loop, UV_RUN_ONCE);
	lines_server_close(server);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(command, sizeof command, "rmdir '%s/%0*d'", r->folder, 200, 0);
	assert_int_equal(system(command), 0);
}

static void a_connection_has_a_pointer_of_its_own(void **state)
{
	struct room *r = *state;
	int mine;

	connect_to(r);
	assert_null(lines_user(r->at_server.who));
	lines_set_user(r->at_server.who, &mine);
	assert_ptr_equal(lines_user(r->at_server.who), &mine);
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOM(a_line_goes_there_and_its_answer_comes_back),
		IN_ROOM(lines_arrive_whole_and_in_order_however_they_are_cut),
		IN_ROOM(many_lines_in_one_write_are_many_lines),
		IN_ROOM(the_longest_line_passes_and_a_longer_one_closes),
		IN_ROOM(a_client_that_does_not_read_is_closed),
		IN_ROOM(whoever_closes_is_not_told),
		IN_ROOM(a_server_may_be_closed_from_a_line),
		IN_ROOM(the_socket_is_for_its_owner_only),
		IN_ROOM(another_user_is_not_let_in),
		IN_ROOM(a_socket_in_use_is_not_taken_and_a_dead_one_is),
		IN_ROOM(a_folder_with_a_long_path_is_no_obstacle),
		IN_ROOM(a_connection_has_a_pointer_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
