#include "peer/faces/web/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WAITING_HIGH = 256 << 10 /* bytes: above, the browser waits for the disk */ };
enum { HEADERS_MAX = 2048 };

struct transfer {
	struct http_request *request; /* NULL: gone */
	uv_loop_t *loop;
	uv_fs_t work;
	bool is_working;
	char *headers, *range, *path;
	int file; /* -1: not open */
	uint64_t at, left;
	/* sending */
	bool is_image, has_begun, is_room;
	uint8_t *piece; /* HTTP_PIECE_MAX bytes */
	size_t piece_size;
	/* receiving */
	bool is_receiving, has_all, is_paused;
	struct buf waiting, writing;
	struct transfer *next; /* of those that receive */
};

/* Those that write: two into one spool would mix. */
static struct transfer *receiving;

static struct transfer *transfer_new(struct http_request *r, uv_loop_t *loop, const char *path,
				     const char *headers)
{
	struct transfer *t = memory_new(sizeof *t);

	t->request = r;
	t->loop = loop;
	t->path = memory_text(path);
	t->headers = memory_text(headers);
	t->file = -1;
	t->work.data = t;
	return t;
}

static void release(struct transfer *t)
{
	for (struct transfer **at = &receiving; *at; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			break;
		}
	if (t->file >= 0)
		close(t->file);
	buf_clear(&t->waiting);
	buf_clear(&t->writing);
	free(t->piece);
	free(t->headers);
	free(t->range);
	free(t->path);
	free(t);
}

void transfer_gone(struct transfer *t)
{
	t->request = NULL;
	if (!t->is_working)
		release(t);
}

/* The thread is through. False: nobody waits for it any more. */
static bool is_back(struct transfer *t, ssize_t *result)
{
	*result = t->work.result;
	uv_fs_req_cleanup(&t->work);
	t->is_working = false;
	if (t->request)
		return true;
	release(t);
	return false;
}

static void refuse(struct transfer *t, int status)
{
	http_answer(t->request, status, t->headers, bytes_of(NULL, 0));
}

/* --- sending --- */

static const char *type_of(struct bytes head)
{
	static const struct {
		const char *magic;
		size_t at, size;
		const char *type;
	} rows[] = {
		{ "\x89PNG\r\n\x1a\n", 0, 8, "image/png" },
		{ "\xff\xd8\xff", 0, 3, "image/jpeg" },
		{ "WEBP", 8, 4, "image/webp" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (head.size >= rows[i].at + rows[i].size &&
		    !memcmp(head.data + rows[i].at, rows[i].magic, rows[i].size))
			return rows[i].type;
	return NULL;
}

static void give(struct transfer *t)
{
	if (!t->is_room || !t->piece_size)
		return;
	t->is_room = false;
	http_piece(t->request, bytes_of(t->piece, t->piece_size));
	t->piece_size = 0;
}

/* Whether and how it is answered is known when its first bytes are. */
static void begin_answer(struct transfer *t, int status, uint64_t size)
{
	const char *type = "application/octet-stream";
	char headers[HEADERS_MAX], range[128] = "";

	if (t->is_image)
		type = type_of(bytes_of(t->piece, t->piece_size));
	if (!type) {
		refuse(t, 404);
		return;
	}
	if (status == 206)
		snprintf(range, sizeof range, "Content-Range: bytes %llu-%llu/%llu\r\n",
			 (unsigned long long)(t->at - t->piece_size),
			 (unsigned long long)(t->at + t->left - 1), (unsigned long long)size);
	snprintf(headers, sizeof headers, "%sContent-Type: %s\r\nAccept-Ranges: bytes\r\n%s",
		 t->headers, type, range);
	t->has_begun = true;
	http_begin(t->request, status, headers, t->left + t->piece_size);
}

static void read_on(struct transfer *t);

static void on_read(uv_fs_t *work)
{
	struct transfer *t = work->data;
	ssize_t got;

	if (!is_back(t, &got))
		return;
	if (got <= 0) { /* it became shorter, or cannot be read any more */
		if (t->has_begun)
			http_abort(t->request);
		else
			refuse(t, 404);
		return;
	}
	t->piece_size = (size_t)got;
	t->at += (uint64_t)got;
	t->left -= (uint64_t)got;
	if (!t->has_begun) {
		struct stat s;

		if (fstat(t->file, &s) < 0) {
			refuse(t, 404);
			return;
		}
		begin_answer(t, t->range ? 206 : 200, (uint64_t)s.st_size);
	}
	if (t->has_begun)
		give(t);
}

static void read_on(struct transfer *t)
{
	uv_buf_t room;

	if (t->is_working || t->piece_size || t->left == 0)
		return;
	if (!t->piece)
		t->piece = memory_new(HTTP_PIECE_MAX);
	room = uv_buf_init((char *)t->piece,
			   t->left < HTTP_PIECE_MAX ? (unsigned)t->left : HTTP_PIECE_MAX);
	t->is_working = true;
	uv_fs_read(t->loop, &t->work, t->file, &room, 1, (int64_t)t->at, on_read);
}

static void begin_sending(struct transfer *t)
{
	char headers[HEADERS_MAX];
	struct stat s;
	int status;

	if (fstat(t->file, &s) < 0 || !S_ISREG(s.st_mode) ||
	    (t->is_image && s.st_size > TRANSFER_IMAGE_MAX)) {
		refuse(t, 404);
		return;
	}
	status = guard_range(t->range, (uint64_t)s.st_size, &t->at, &t->left);
	if (status != 206) {
		free(t->range);
		t->range = NULL; /* it is all of it */
	}
	if (status == 416) {
		snprintf(headers, sizeof headers, "%sContent-Range: bytes */%llu\r\n",
			 t->headers, (unsigned long long)s.st_size);
		http_answer(t->request, 416, headers, bytes_of(NULL, 0));
	} else if (t->left == 0) {
		if (t->is_image)
			refuse(t, 404);
		else
			http_answer(t->request, 200, t->headers, bytes_of(NULL, 0));
	} else {
		read_on(t);
	}
}

static void on_open(uv_fs_t *work)
{
	struct transfer *t = work->data;
	ssize_t file = work->result;

	if (file >= 0)
		t->file = (int)file;
	if (!is_back(t, &file))
		return;
	if (file < 0)
		refuse(t, 404);
	else
		begin_sending(t);
}

struct transfer *transfer_send(struct http_request *r, uv_loop_t *loop, const char *path,
			       const char *headers, const char *range, bool is_image)
{
	struct transfer *t = transfer_new(r, loop, path, headers);

	t->range = range ? memory_text(range) : NULL;
	t->is_image = is_image;
	t->is_working = true;
	/* What lies there may be a pipe by now: that is not waited for. */
	uv_fs_open(loop, &t->work, t->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0,
		   on_open);
	return t;
}

void transfer_room(struct transfer *t)
{
	t->is_room = true;
	give(t);
	read_on(t);
}

/* --- receiving --- */

static void answer_length(struct transfer *t, int status)
{
	char body[48], headers[HEADERS_MAX];

	snprintf(body, sizeof body, "{\"length\":%llu}", (unsigned long long)t->at);
	snprintf(headers, sizeof headers, "%sContent-Type: application/json\r\n", t->headers);
	http_answer(t->request, status, headers, bytes_text(body));
}

static void write_on(struct transfer *t);

static void go_on(struct transfer *t)
{
	if (t->is_paused)
		http_pause(t->request, false);
	t->is_paused = false;
}

static void on_written(uv_fs_t *work)
{
	struct transfer *t = work->data;
	ssize_t put;

	if (!is_back(t, &put))
		return;
	if (put <= 0) {
		t->has_all = true; /* nothing more is taken */
		go_on(t);
		refuse(t, put == -ENOSPC || put == -EDQUOT || put == -EFBIG ? 507 : 503);
		return;
	}
	t->at += (uint64_t)put;
	buf_drop_front(&t->writing, (size_t)put);
	write_on(t);
}

static void write_on(struct transfer *t)
{
	uv_buf_t piece;

	if (t->is_working)
		return;
	if (!t->writing.size) {
		struct buf empty = t->writing;

		t->writing = t->waiting;
		t->waiting = empty;
		go_on(t);
	}
	if (!t->writing.size) {
		if (t->has_all)
			answer_length(t, 200);
		return;
	}
	piece = uv_buf_init((char *)t->writing.data, (unsigned)t->writing.size);
	t->is_working = true;
	uv_fs_write(t->loop, &t->work, t->file, &piece, 1, (int64_t)t->at, on_written);
}

void transfer_body(struct transfer *t, struct bytes piece)
{
	if (!t->is_receiving || t->has_all)
		return;
	buf_append(&t->waiting, piece);
	write_on(t);
	if (!t->is_paused && t->waiting.size >= WAITING_HIGH) {
		t->is_paused = true;
		http_pause(t->request, true);
	}
}

void transfer_body_end(struct transfer *t)
{
	if (!t->is_receiving || t->has_all)
		return;
	t->has_all = true;
	write_on(t);
}

static bool is_received(const char *path)
{
	for (const struct transfer *t = receiving; t; t = t->next)
		if (!strcmp(t->path, path))
			return true;
	return false;
}

/* Spools are files of the home's: opening one waits for nobody. */
static int open_spool(struct transfer *t, int how)
{
	struct stat s;

	t->file = open(t->path, how | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	if (t->file < 0 || fstat(t->file, &s) < 0 || !S_ISREG(s.st_mode))
		return 404;
	t->at = (uint64_t)s.st_size;
	return 0;
}

struct transfer *transfer_receive(struct http_request *r, uv_loop_t *loop, const char *path,
				  const char *headers, uint64_t offset)
{
	bool is_busy = is_received(path);
	struct transfer *t = transfer_new(r, loop, path, headers);
	int status = open_spool(t, O_WRONLY);

	if (status != 0) {
		refuse(t, status);
	} else if (is_busy || t->at != offset) {
		answer_length(t, 409);
	} else {
		t->is_receiving = true;
		t->next = receiving;
		receiving = t;
	}
	return t;
}

struct transfer *transfer_tell(struct http_request *r, const char *path, const char *headers)
{
	struct transfer *t = transfer_new(r, NULL, path, headers);
	int status = open_spool(t, O_RDONLY);

	if (status != 0)
		refuse(t, status);
	else
		answer_length(t, 200);
	return t;
}
