#include "peer/faces/client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/text.h"

enum {
	LINE_MAX_BYTES = 8 << 20, /* of an answer: a page of long messages */
	READ_SIZE = 65536,
	START_TIMEOUT_MS = 30000,
	LOG_KEEP = 1 << 20, /* bytes of engine.log before it begins anew */
	READY_FD = 3,
	PASSPHRASE_FD = 4,
};

struct note {
	struct note *next;
	struct json *object;
};

struct client {
	int fd;
	int last_id;
	bool has_started_engine;
	struct buf in;
	size_t scanned; /* bytes of `in` known to hold no newline */
	size_t taken;   /* bytes at the front given out by client_read_line() */
	struct note *first, **last;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int left_ms(int timeout_ms, int64_t started)
{
	int64_t left;

	if (timeout_ms < 0)
		return -1;
	left = started + timeout_ms - now_ms();
	return left > 0 ? (int)left : 0;
}

/* --- beginning an engine --- */

static int connect_once(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t size = strlen(path);

	if (size >= sizeof address.sun_path)
		return ERR_LIMIT;
	memcpy(address.sun_path, path, size + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_IO;
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return ERR_OFFLINE;
}

/* Becomes the engine. Only what exec leaves behind matters here. `passphrase`: to read one
 * from, or -1. */
static void become_engine(const struct client_place *place, int ready, int passphrase)
{
	char log[4096 + 16];
	struct stat st;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), out;

	snprintf(log, sizeof log, "%s/engine.log", place->home);
	umask(077);
	bool is_long = stat(log, &st) == 0 && st.st_size > LOG_KEEP;
	out = open(log,
		   O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW |
			   (is_long ? O_TRUNC : 0),
		   0600);
	if (null < 0 || out < 0 || chdir("/") < 0)
		_exit(127);
	/* `out` or `null` may be the very number that another must become. */
	out = fcntl(out, F_DUPFD_CLOEXEC, PASSPHRASE_FD + 1);
	ready = fcntl(ready, F_DUPFD_CLOEXEC, PASSPHRASE_FD + 1);
	if (passphrase >= 0)
		passphrase = fcntl(passphrase, F_DUPFD_CLOEXEC, PASSPHRASE_FD + 1);
	if (out < 0 || ready < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(out, 2) < 0 || dup2(ready, READY_FD) < 0)
		_exit(127);
	if (passphrase >= 0 && dup2(passphrase, PASSPHRASE_FD) < 0)
		_exit(127);
	close_range(passphrase >= 0 ? PASSPHRASE_FD + 1 : READY_FD + 1, ~0U, 0);
	setsid();
	char *arguments[16] = {
		"palique",    "daemon", "--foreground", "--home", (char *)place->home,
		"--ready-fd", "3"
	};
	int count = 7;
	if (passphrase >= 0) {
		arguments[count++] = "--passphrase-fd";
		arguments[count++] = "4";
	}
	if (place->begin_anew)
		arguments[count++] = "--begin-anew";
	execv("/proc/self/exe", arguments);
	_exit(127);
}

/* The engine says "ready", or the name of an error and a sentence, and where it knows what
 * helps, a tab and that. */
static int read_ready(int fd, struct client_error *error)
{
	char line[1024];
	size_t size = 0;
	int64_t started = now_ms();
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	while (size < sizeof line - 1) {
		int ready = poll(&wait, 1, left_ms(START_TIMEOUT_MS, started));
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			break;
		ssize_t got = read(fd, line + size, sizeof line - 1 - size);
		if (got <= 0)
			break;
		size += (size_t)got;
	}
	line[size] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (!strcmp(line, "ready"))
		return 0;
	char *sentence = strchr(line, ' ');
	if (!sentence) {
		snprintf(error->message, sizeof error->message, "%s",
			 _("the engine did not start; engine.log in the home folder may say "
			   "why"));
		return ERR_OFFLINE;
	}
	*sentence++ = '\0';
	char *hint = strchr(sentence, '\t');
	if (hint) {
		*hint++ = '\0';
		snprintf(error->hint, sizeof error->hint, "%s", hint);
	}
	snprintf(error->message, sizeof error->message, "%s", sentence);
	for (int err = -1; err > ERR_LAST; err--)
		if (!strcmp(error_name(err), line))
			return err;
	return ERR_OFFLINE;
}

/* A pipe that holds the passphrase and ends behind it. It fits: a pipe holds 4096 bytes at
 * least. -1: there is none to give. */
static int pour(const char *passphrase)
{
	int pipes[2];
	size_t size = passphrase ? strlen(passphrase) : 0;

	if (!passphrase || size > PIPE_BUF - 1 || pipe2(pipes, O_CLOEXEC) < 0)
		return -1;
	if (write(pipes[1], passphrase, size) != (ssize_t)size ||
	    write(pipes[1], "\n", 1) != 1) {
		close(pipes[0]);
		pipes[0] = -1;
	}
	close(pipes[1]);
	return pipes[0];
}

static int start_engine(const struct client_place *place, struct client_error *error)
{
	int pipes[2], passphrase;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return ERR_IO;
	passphrase = pour(place->passphrase);
	pid_t child = fork();
	if (child == 0) {
		/* Twice, so that it is nobody's child and leaves no zombie behind. */
		if (fork() == 0)
			become_engine(place, pipes[1], passphrase);
		_exit(0);
	}
	close(pipes[1]);
	if (passphrase >= 0)
		close(passphrase);
	if (child < 0) {
		close(pipes[0]);
		return ERR_IO;
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	int err = read_ready(pipes[0], error);
	close(pipes[0]);
	return err;
}

/* Two commands at once begin one engine: the second waits for the first here. */
static int connect_or_start(const struct client_place *place, struct client_error *error)
{
	char path[4096 + 16];
	int err;

	snprintf(path, sizeof path, "%s/start.lock", place->home);
	int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0) {
		int why = errno;

		snprintf(error->message, sizeof error->message, _("cannot write in %s: %s"),
			 place->home, strerror(why));
		snprintf(error->hint, sizeof error->hint, "%s '%.200s'",
			 why == EROFS ? "findmnt -T" : "ls -ld", place->home);
		return ERR_IO;
	}
	while (flock(lock, LOCK_EX) < 0 && errno == EINTR)
		;
	int fd = connect_once(place->socket);
	if (fd == ERR_OFFLINE) {
		err = start_engine(place, error);
		fd = err < 0 ? err : connect_once(place->socket);
	}
	close(lock);
	return fd;
}

/* What helps depends on why an engine does not start. */
static const char *start_hint(int err)
{
	switch (err) {
	case ERR_FORMAT:
	case ERR_EXISTS:
		return "man palique.conf";
	case ERR_FULL:
		return "df -h";
	case ERR_REFUSED:
	case ERR_NOT_FOUND:
		return ""; /* the sentence names the command */
	case ERR_LOCKED:
		return "palique status";
	case ERR_AUTH:
	case ERR_CORRUPT:
	case ERR_VERSION:
		return _("palique --home OTHER-FOLDER status");
	default:
		return "palique daemon --foreground";
	}
}

int client_open(struct client **out, const struct client_place *place, bool may_start,
		struct client_error *error)
{
	bool is_absent;
	int fd;

	*out = NULL;
	memset(error, 0, sizeof *error);
	fd = connect_once(place->socket);
	is_absent = fd == ERR_OFFLINE;
	if (is_absent && may_start)
		fd = connect_or_start(place, error);
	if (fd < 0) {
		error->err = fd;
		if (!error->message[0])
			snprintf(error->message, sizeof error->message, "%s",
				 fd == ERR_OFFLINE ? _("the engine is not running")
						   : error_text(fd));
		if (!error->hint[0])
			snprintf(error->hint, sizeof error->hint, "%s", start_hint(fd));
		return fd;
	}
	struct client *client = memory_new(sizeof *client);
	client->fd = fd;
	client->has_started_engine = is_absent;
	client->last = &client->first;
	buf_init(&client->in, LINE_MAX_BYTES);
	/* The engine may have been begun by somebody who speaks another. */
	client_tell(client, "setLanguage",
		    json_set_text(json_object(), "language", text_language()));
	*out = client;
	return 0;
}

void client_close(struct client *client)
{
	if (!client)
		return;
	while (client->first) {
		struct note *next = client->first->next;
		json_free(client->first->object);
		free(client->first);
		client->first = next;
	}
	close(client->fd);
	buf_clear(&client->in);
	free(client);
}

bool client_has_started_engine(const struct client *client)
{
	return client->has_started_engine;
}

int client_fd(const struct client *client)
{
	return client->fd;
}

bool client_has_more(const struct client *client)
{
	size_t from = client->taken;

	return client->first || (client->in.size > from &&
				 memchr(client->in.data + from, '\n', client->in.size - from));
}

/* --- lines --- */

int client_write_line(struct client *client, struct bytes line)
{
	const struct bytes parts[2] = { line, bytes_of("\n", 1) };

	for (unsigned i = 0; i < 2; i++) {
		for (size_t done = 0; done < parts[i].size;) {
			ssize_t sent = send(client->fd, parts[i].data + done,
					    parts[i].size - done, MSG_NOSIGNAL);
			if (sent < 0 && errno == EINTR)
				continue;
			if (sent < 0)
				return ERR_CLOSED;
			done += (size_t)sent;
		}
	}
	return 0;
}

static int read_more(struct client *client, int timeout_ms)
{
	struct pollfd wait = { .fd = client->fd, .events = POLLIN };
	uint8_t *room;
	ssize_t got;
	int ready = poll(&wait, 1, timeout_ms);

	if (ready < 0)
		return errno == EINTR ? 0 : ERR_IO;
	if (ready == 0)
		return ERR_TIMEOUT;
	room = buf_room(&client->in, READ_SIZE);
	if (!room)
		return ERR_LIMIT;
	got = recv(client->fd, room, READ_SIZE, 0);
	if (got < 0 && errno == EINTR)
		return 0;
	if (got <= 0)
		return ERR_CLOSED;
	buf_grew(&client->in, (size_t)got);
	return 0;
}

int client_read_line(struct client *client, int timeout_ms, struct bytes *line)
{
	int64_t started = now_ms();

	if (client->taken) {
		buf_drop_front(&client->in, client->taken);
		client->taken = client->scanned = 0;
	}
	for (;;) {
		const uint8_t *from = client->in.size ? client->in.data + client->scanned
						      : NULL;
		const uint8_t *end = from ? memchr(from, '\n',
						   client->in.size - client->scanned)
					  : NULL;
		if (end) {
			*line = bytes_of(client->in.data, (size_t)(end - client->in.data));
			client->taken = line->size + 1;
			return 0;
		}
		client->scanned = client->in.size;
		int err = read_more(client, left_ms(timeout_ms, started));
		if (err < 0)
			return err;
	}
}

static int read_object(struct client *client, int timeout_ms, struct json **object)
{
	struct bytes line;
	int err = client_read_line(client, timeout_ms, &line);

	*object = NULL;
	return err < 0 ? err : json_parse(object, line);
}

/* --- calls --- */

/* `id` 0: none, so no answer. */
static int request(struct client *client, int id, const char *method, struct json *take_params)
{
	struct json *o = json_set_text(json_object(), "jsonrpc", "2.0");
	int err;

	if (id)
		json_set_int(o, "id", id);
	json_set_text(o, "method", method);
	if (take_params)
		json_set(o, "params", take_params);
	char *line = json_print(o);
	json_free(o);
	err = client_write_line(client, bytes_text(line));
	sodium_memzero(line, strlen(line)); /* it may have held a password */
	free(line);
	return err;
}

int client_post(struct client *client, const char *method, struct json *take_params)
{
	int id = ++client->last_id;
	int err = request(client, id, method, take_params);

	return err < 0 ? err : id;
}

int client_tell(struct client *client, const char *method, struct json *take_params)
{
	return request(client, 0, method, take_params);
}

int client_outcome(const struct json *answer, const struct json **result,
		   struct client_error *error)
{
	const struct json *failure = json_get(answer, "error"), *data;
	const char *kind, *message, *hint;

	*result = json_get(answer, "result");
	if (!failure)
		return 0;
	data = json_get(failure, "data");
	kind = data ? json_text(data, "kind") : NULL;
	hint = data ? json_text(data, "hint") : NULL;
	message = json_text(failure, "message");
	snprintf(error->message, sizeof error->message, "%s", message ? message : "");
	snprintf(error->hint, sizeof error->hint, "%s", hint ? hint : "");
	error->err = ERR_FORMAT;
	for (int err = -1; kind && err > ERR_LAST; err--)
		if (!strcmp(error_name(err), kind))
			error->err = err;
	return error->err;
}

static void keep(struct client *client, struct json *take_object)
{
	struct note *note = memory_new(sizeof *note);

	note->object = take_object;
	*client->last = note;
	client->last = &note->next;
}

int client_call(struct client *client, const char *method, struct json *take_params,
		int timeout_ms, struct json **result, struct client_error *error)
{
	int64_t started = now_ms();
	struct json *answer = NULL;
	const struct json *inside;
	int id = client_post(client, method, take_params);
	int err = id < 0 ? id : 0;

	*result = NULL;
	memset(error, 0, sizeof *error);
	while (err == 0) {
		err = read_object(client, left_ms(timeout_ms, started), &answer);
		if (err < 0)
			break;
		if (json_int(answer, "id", 0) == id)
			break;
		keep(client, answer);
		answer = NULL;
	}
	if (err < 0) {
		error->err = err;
		snprintf(error->message, sizeof error->message, "%s",
			 err == ERR_CLOSED ? _("the engine has ended") : error_text(err));
		snprintf(error->hint, sizeof error->hint, "palique status");
		return err;
	}
	err = client_outcome(answer, &inside, error);
	if (err == 0)
		*result = inside ? json_keep((struct json *)inside) : json_object();
	json_free(answer);
	return err;
}

int client_next(struct client *client, int timeout_ms, struct json **object)
{
	struct note *note = client->first;

	if (!note)
		return read_object(client, timeout_ms, object);
	*object = note->object;
	client->first = note->next;
	if (!client->first)
		client->last = &client->first;
	free(note);
	return 0;
}
