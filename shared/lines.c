#include "shared/lines.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "shared/error.h"

enum {
	READ_SIZE = 65536,
	BACKLOG = 128,      /* connections not accepted yet */
	KEPT_MAX = 1 << 18, /* a larger buffer is given back when it is empty */
};

struct lines_server {
	uv_pipe_t pipe;
	struct lines_calls calls;
	void *user;
	char *path;
	ino_t inode; /* of our socket, to leave a successor's alone */
	struct lines *first;
	unsigned count;
};

struct lines {
	uv_pipe_t pipe;
	struct lines_calls calls;
	void *user, *own;
	struct lines_server *server; /* NULL: it is closed, or has not let it in */
	struct lines *next, **back;  /* among the server's */
	struct buf in;               /* the beginning of a line */
	struct buf out, flying;      /* to write, being written */
	uv_write_t write;
	bool is_closing, is_quiet;
};

/* --- closing ----------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	struct lines *l = handle->data;

	if (l->server) {
		*l->back = l->next;
		if (l->next)
			l->next->back = l->back;
		l->server->count--;
		l->server = NULL;
	}
	if (!l->is_quiet && l->calls.on_gone)
		l->calls.on_gone(l->user, l);
	buf_clear(&l->in);
	buf_clear(&l->out);
	buf_clear(&l->flying);
	free(l);
}

/* The rest comes from the loop: nobody is called back from inside his own call. */
static void begin_closing(struct lines *l)
{
	if (l->is_closing)
		return;
	l->is_closing = true;
	uv_close((uv_handle_t *)&l->pipe, on_closed);
}

void lines_close(struct lines *l)
{
	if (!l)
		return;
	l->is_quiet = true;
	begin_closing(l);
}

/* --- reading ----------------------------------------------------------------------- */

/* One for all connections of a thread: between two reads it holds nothing. */
static _Thread_local char scratch[READ_SIZE];

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
	(void)handle;
	(void)suggested;
	*room = uv_buf_init(scratch, sizeof scratch);
}

static void empty(struct buf *b)
{
	if (b->capacity > KEPT_MAX) {
		size_t limit = b->limit;

		buf_clear(b);
		buf_init(b, limit);
		return;
	}
	if (b->size)
		explicit_bzero(b->data, b->size); /* passwords pass here */
	b->size = 0;
}

/* Hands out the whole lines in `b`; keeps the rest. ERR_LIMIT: a line is too long. */
static int take_lines(struct lines *l, struct bytes b)
{
	while (b.size && !l->is_closing) {
		const uint8_t *end = memchr(b.data, '\n', b.size);
		size_t size = end ? (size_t)(end - b.data) : b.size;
		struct bytes line = bytes_of(b.data, size);

		if (l->in.size + size > LINES_MAX)
			return ERR_LIMIT;
		if (!end || l->in.size) {
			int err = buf_append(&l->in, line);

			if (err < 0)
				return err;
			line = buf_view(&l->in);
		}
		if (!end)
			return 0;
		b = bytes_of(end + 1, b.size - size - 1);
		l->calls.on_line(l->user, l, line);
		empty(&l->in);
	}
	return 0;
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *room)
{
	struct lines *l = stream->data;

	if (size < 0) {
		begin_closing(l);
		return;
	}
	if (take_lines(l, bytes_of(room->base, (size_t)size)) < 0)
		begin_closing(l);
	explicit_bzero(room->base, (size_t)size);
}

/* --- writing ----------------------------------------------------------------------- */

static void flush(struct lines *l);

static void on_written(uv_write_t *request, int status)
{
	struct lines *l = request->data;

	empty(&l->flying);
	if (status < 0)
		begin_closing(l);
	else if (!l->is_closing && l->out.size)
		flush(l);
}

/* What is queued while one write is under way leaves with the next, together. */
static void flush(struct lines *l)
{
	struct buf written = l->flying;
	uv_buf_t out;

	l->flying = l->out;
	l->out = written;
	out = uv_buf_init((char *)l->flying.data, (unsigned)l->flying.size);
	l->write.data = l;
	if (uv_write(&l->write, (uv_stream_t *)&l->pipe, &out, 1, on_written) < 0)
		begin_closing(l);
}

int lines_send(struct lines *l, struct bytes line)
{
	assert(!memchr(line.data ? line.data : (const uint8_t *)"", '\n', line.size));
	if (l->is_closing)
		return ERR_CLOSED;
	if (l->out.size + l->flying.size + line.size + 1 > LINES_BACKLOG_MAX) {
		begin_closing(l);
		return ERR_FULL;
	}
	(void)buf_append(&l->out, line);
	(void)buf_append_byte(&l->out, '\n');
	if (!l->flying.size)
		flush(l);
	return 0;
}

size_t lines_backlog(const struct lines *l)
{
	return l->out.size + l->flying.size;
}

void lines_set_user(struct lines *l, void *user)
{
	l->own = user;
}

void *lines_user(const struct lines *l)
{
	return l->own;
}

/* --- sockets ----------------------------------------------------------------------- */

/* The folder's descriptor, and an address that names the socket in it. Through the
 * descriptor, for sun_path is shorter than the paths of this world. */
static int address_of(struct sockaddr_un *address, int *folder, const char *path)
{
	char *copy = memory_text(path);
	char *slash = strrchr(copy, '/');
	int size;

	if (slash)
		*slash = 0;
	*folder = open(!slash          ? "."
		       : slash == copy ? "/"
				       : copy,
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (*folder < 0)
		return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
	slash = strrchr(path, '/');
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	size = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s",
			*folder, slash ? slash + 1 : path);
	if (size < 0 || (size_t)size >= sizeof address->sun_path) {
		close(*folder);
		*folder = -1;
		return ERR_LIMIT;
	}
	return 0;
}

/* 0: somebody does, or may not be asked. ERR_OFFLINE: nobody; ERR_NOT_FOUND: nothing is there at all. */
static int who_listens(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int why;

	if (fd < 0)
		return ERR_IO;
	why = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? errno : 0;
	close(fd);
	switch (why) {
	case ENOENT:
		return ERR_NOT_FOUND;
	case ECONNREFUSED:
		return ERR_OFFLINE;
	case 0:
	case EAGAIN: /* and is not quick enough */
	case EACCES:
	case EPERM:
		return 0;
	default:
		return ERR_IO;
	}
}

/* Root could become us anyway, and administers what runs under a name of its own. */
static bool is_trusted(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	return peer.uid == geteuid() || peer.uid == 0 || geteuid() == 0;
}

static struct lines *connection_new(uv_loop_t *loop, const struct lines_calls *calls,
				    void *user)
{
	struct lines *l = memory_new(sizeof *l);

	if (uv_pipe_init(loop, &l->pipe, 0) != 0)
		abort();
	l->pipe.data = l;
	l->calls = *calls;
	l->user = user;
	buf_init(&l->in, LINES_MAX);
	buf_init(&l->out, LINES_BACKLOG_MAX);
	buf_init(&l->flying, LINES_BACKLOG_MAX);
	return l;
}

/* --- server ------------------------------------------------------------------------ */

static void on_connection(uv_stream_t *stream, int status)
{
	struct lines_server *server = stream->data;
	struct lines *l;
	uv_os_fd_t fd;

	if (status < 0)
		return;
	l = connection_new(stream->loop, &server->calls, server->user);
	if (uv_accept(stream, (uv_stream_t *)&l->pipe) < 0 ||
	    server->count >= LINES_CLIENTS_MAX || uv_fileno((uv_handle_t *)&l->pipe, &fd) < 0 ||
	    !is_trusted(fd) || uv_read_start((uv_stream_t *)&l->pipe, on_room, on_read) < 0) {
		lines_close(l);
		return;
	}
	l->server = server;
	l->next = server->first;
	l->back = &server->first;
	if (l->next)
		l->next->back = &l->next;
	server->first = l;
	server->count++;
	if (server->calls.on_connect)
		server->calls.on_connect(server->user, l);
}

/* A socket of mode 0600 at the address. A dead one is replaced; what is no socket stays. */
static int claim(int *out, const struct sockaddr_un *address)
{
	int fd, err = who_listens(address);
	struct stat st;

	if (err == ERR_OFFLINE) {
		if (lstat(address->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
			return ERR_EXISTS;
		if (unlink(address->sun_path) < 0)
			return ERR_IO;
	} else if (err != ERR_NOT_FOUND) {
		return err == ERR_IO ? ERR_IO : ERR_EXISTS;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return ERR_IO;
	/* Before it has a name, so that it is never open to others, not for a moment. */
	if (fchmod(fd, 0600) < 0 ||
	    bind(fd, (const struct sockaddr *)address, sizeof *address) < 0) {
		err = errno == EADDRINUSE ? ERR_EXISTS : ERR_IO;
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

static void on_server_closed(uv_handle_t *handle)
{
	struct lines_server *server = handle->data;

	free(server->path);
	free(server);
}

int lines_listen(struct lines_server **out, uv_loop_t *loop, const char *path,
		 const struct lines_calls *calls, void *user)
{
	struct lines_server *server;
	struct sockaddr_un address;
	struct stat st;
	int folder, fd = -1, err;

	signal(SIGPIPE, SIG_IGN); /* a write to one who is gone is an error, not the end */
	err = address_of(&address, &folder, path);
	if (err < 0)
		return err;
	/* Of two that find a dead socket only one may replace it. */
	if (flock(folder, LOCK_EX) < 0)
		err = ERR_IO;
	if (err == 0)
		err = claim(&fd, &address);
	if (err < 0)
		goto out;

	server = memory_new(sizeof *server);
	if (uv_pipe_init(loop, &server->pipe, 0) != 0)
		abort();
	server->pipe.data = server;
	server->calls = *calls;
	server->user = user;
	server->path = memory_text(path);
	if (lstat(address.sun_path, &st) == 0)
		server->inode = st.st_ino;
	if (uv_pipe_open(&server->pipe, fd) < 0) {
		close(fd);
		err = ERR_IO;
	} else if (uv_listen((uv_stream_t *)&server->pipe, BACKLOG, on_connection) < 0) {
		err = ERR_IO;
	}
	if (err < 0)
		lines_server_close(server);
	else
		*out = server;
out:
	close(folder); /* and the lock */
	return err;
}

void lines_server_close(struct lines_server *server)
{
	struct stat st;

	if (!server)
		return;
	for (struct lines *l = server->first; l; l = l->next) {
		l->server = NULL; /* which may be freed before the connection is */
		lines_close(l);
	}
	if (lstat(server->path, &st) == 0 && st.st_ino == server->inode)
		unlink(server->path);
	uv_close((uv_handle_t *)&server->pipe, on_server_closed);
}
