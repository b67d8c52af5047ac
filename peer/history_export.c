#include "peer/history_export.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/persons.h"
#include "shared/error.h"
#include "shared/text.h"

enum {
	SLICE = 100, /* messages: a millisecond or two */
	SLICE_EVERY_MS = 2,
	SLICE_BYTES = 1 << 20, /* and then it is enough */
	COPY_BYTES = 1 << 18,
	PATH_ROOM = 4096,
};

/* Behind the name while it is written. What is found there is removed: nobody else calls a file so. */
#define UNFINISHED ".palique-unfinished"

/* A file to be copied: both paths behind each other. */
struct copy {
	char *from, *to;
};

struct history_export {
	struct history_export_config config;
	uv_timer_t timer;
	uv_work_t request;
	bool is_busy, is_working, is_closing;
	enum transcript_format format;
	char language[TEXT_LANGUAGE_MAX + 1];  /* of the face that asked */
	char path[PATH_ROOM], work[PATH_ROOM]; /* until it is whole */
	int out;
	bool has_media;
	struct name *names;
	unsigned name_count, name_at;
	bool has_begun_name;
	uint64_t after; /* the last message that is in it */
	struct buf text, quote;
	struct copy *copies; /* of this slice */
	unsigned copy_count;
	uint64_t messages;
	_Atomic uint64_t files, skipped;
	uint64_t ticket;
	int err;
	_Atomic bool is_given_up;
};

static int error_of(int code)
{
	switch (code) {
	case ENOSPC:
	case EDQUOT:
		return ERR_FULL;
	case EEXIST:
		return ERR_EXISTS;
	case ENOENT:
	case ENOTDIR:
		return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_REFUSED;
	default:
		return ERR_IO;
	}
}

static const char *why_not(int err)
{
	switch (err) {
	case ERR_CLOSED:
		return "";
	case ERR_FULL:
		return N_("there is no room left on the disk; nothing was exported");
	case ERR_EXISTS:
		return N_("there is something of that name already; choose another name");
	case ERR_NOT_FOUND:
		return N_("there is no folder to write it into");
	case ERR_REFUSED:
		return N_("you may not write there; choose another folder");
	default:
		return N_("it could not be written; nothing was exported");
	}
}

/* --- beginning and end ------------------------------------------------------------- */

struct history_export *history_export_new(const struct history_export_config *config)
{
	struct history_export *x = memory_new(sizeof *x);

	x->config = *config;
	x->out = -1;
	uv_timer_init(config->loop, &x->timer);
	x->timer.data = x;
	x->request.data = x;
	return x;
}

static void drop_copies(struct history_export *x)
{
	for (unsigned i = 0; i < x->copy_count; i++) {
		free(x->copies[i].from);
		free(x->copies[i].to);
	}
	free(x->copies);
	x->copies = NULL;
	x->copy_count = 0;
}

/* What was made here and nothing else: media/ has no folders in it. */
static void remove_work(struct history_export *x)
{
	char path[PATH_ROOM + 300];
	uv_fs_t request;
	uv_dirent_t entry;

	if (x->format == TRANSCRIPT_JSONL) {
		unlink(x->work);
		return;
	}
	snprintf(path, sizeof path, "%s/media", x->work);
	if (uv_fs_scandir(NULL, &request, path, 0, NULL) > 0) {
		while (uv_fs_scandir_next(&request, &entry) == 0) {
			snprintf(path, sizeof path, "%s/media/%s", x->work, entry.name);
			unlink(path);
		}
	}
	uv_fs_req_cleanup(&request);
	snprintf(path, sizeof path, "%s/media", x->work);
	rmdir(path);
	snprintf(path, sizeof path, "%s/index.html", x->work);
	unlink(path);
	rmdir(x->work);
}

static void finish(struct history_export *x, int err)
{
	if (x->out >= 0)
		close(x->out);
	x->out = -1;
	if (err < 0)
		remove_work(x);
	drop_copies(x);
	buf_clear(&x->text);
	buf_clear(&x->quote);
	free(x->names);
	x->names = NULL;
	x->is_busy = false;
	uv_timer_stop(&x->timer);
	x->config.done(x->config.user, x->ticket, err, err < 0 ? why_not(err) : "");
}

void history_export_close(struct history_export *x)
{
	if (!x)
		return;
	x->is_closing = true;
	atomic_store(&x->is_given_up, true);
	if (x->is_busy && !x->is_working)
		finish(x, ERR_CLOSED);
	uv_close((uv_handle_t *)&x->timer, NULL);
}

void history_export_free(struct history_export *x)
{
	if (!x)
		return;
	assert(!x->is_busy);
	free(x);
}

/* --- in a worker: writing, copying, waiting for the disk --------------------------- */

static int write_all(int fd, struct bytes b)
{
	while (b.size > 0) {
		ssize_t n = write(fd, b.data, b.size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_of(errno);
		b = bytes_of(b.data + n, b.size - (size_t)n);
	}
	return 0;
}

/* What is not there any more, or no plain file, is skipped: ERR_NOT_FOUND. */
static int copy_file(struct history_export *x, const struct copy *c)
{
	uint8_t *block = memory_new(COPY_BYTES);
	int in = open(c->from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), to = -1;
	int err = ERR_NOT_FOUND;
	struct stat what;
	ssize_t n;

	if (in < 0 || fstat(in, &what) < 0 || !S_ISREG(what.st_mode))
		goto out;
	to = open(c->to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	err = to < 0 ? error_of(errno) : 0;
	while (err == 0 && (n = read(in, block, COPY_BYTES)) != 0) {
		if (atomic_load(&x->is_given_up))
			err = ERR_CLOSED;
		else if (n < 0)
			err = ERR_NOT_FOUND;
		else
			err = write_all(to, bytes_of(block, (size_t)n));
	}
	if (err == ERR_NOT_FOUND && to >= 0)
		unlink(c->to);
out:
	if (in >= 0)
		close(in);
	if (to >= 0)
		close(to);
	free(block);
	return err;
}

static bool is_last(const struct history_export *x)
{
	return x->name_at == x->name_count;
}

/* The name is given by a link that fails where there is one, and a folder's by a rename that fails
 * where there is one with something in it. */
static int give_name(struct history_export *x)
{
	if (fsync(x->out) < 0)
		return error_of(errno);
	if (x->format == TRANSCRIPT_JSONL) {
		if (link(x->work, x->path) < 0)
			return error_of(errno);
		unlink(x->work);
		return 0;
	}
	if (access(x->path, F_OK) == 0)
		return ERR_EXISTS;
	return rename(x->work, x->path) < 0 ? error_of(errno) : 0;
}

static void on_work(uv_work_t *request)
{
	struct history_export *x = request->data;

	x->err = write_all(x->out, buf_view(&x->text));
	for (unsigned i = 0; x->err == 0 && i < x->copy_count; i++) {
		int err = copy_file(x, &x->copies[i]);

		if (err == 0)
			atomic_fetch_add(&x->files, 1);
		else if (err == ERR_NOT_FOUND)
			atomic_fetch_add(&x->skipped, 1);
		else
			x->err = err;
	}
	if (x->err == 0 && atomic_load(&x->is_given_up))
		x->err = ERR_CLOSED;
	if (x->err == 0 && is_last(x))
		x->err = give_name(x);
}

static void on_timer(uv_timer_t *timer);

static void on_worked(uv_work_t *request, int status)
{
	struct history_export *x = request->data;
	int err = status != 0 ? ERR_CLOSED : x->err;

	x->is_working = false;
	x->text.size = 0;
	drop_copies(x);
	if (err < 0 || is_last(x))
		finish(x, err);
	else if (x->is_closing)
		finish(x, ERR_CLOSED);
	else
		uv_timer_start(&x->timer, on_timer, SLICE_EVERY_MS, 0);
}

/* --- reading, between the engine's steps ------------------------------------------- */

static bool on_quoted(void *user, const struct message *m)
{
	struct history_export *x = user;

	transcript_quote(x->format, &x->quote, m);
	return false;
}

static bool on_message(void *user, const struct message *m)
{
	struct history_export *x = user;
	char name[TRANSCRIPT_NAME_MAX], media[TRANSCRIPT_NAME_MAX + 8], to[PATH_ROOM + 300];
	bool is_here = x->format == TRANSCRIPT_HTML && m->has_file && !m->file.is_folder &&
		       m->file.path.size > 0 && (m->is_ours || m->file.state == TRANSFER_DONE);

	if (is_here) {
		char *from = memory_new(m->file.path.size + 1);

		memcpy(from, m->file.path.data, m->file.path.size);
		transcript_media_name(m, name);
		snprintf(media, sizeof media, "media/%s", name);
		snprintf(to, sizeof to, "%s/%s", x->work, media);
		x->copies = memory_grow(x->copies, x->copy_count + 1, sizeof *x->copies);
		x->copies[x->copy_count++] = (struct copy){ from, memory_text(to) };
	}
	x->quote.size = 0;
	if (m->reply_to && x->format == TRANSCRIPT_HTML)
		(void)engine_message(x->config.engine, m->reply_to, on_quoted, x);
	transcript_message(x->format, &x->text, m, is_here ? media : NULL, buf_view(&x->quote));
	x->after = m->id;
	x->messages++;
	return x->text.size < SLICE_BYTES;
}

static int read_slice(struct history_export *x)
{
	const struct name *name = &x->names[x->name_at];
	uint64_t before = x->messages;
	int err;

	if (!x->has_begun_name) {
		x->has_begun_name = true;
		x->after = 0;
		transcript_with(x->format, &x->text, name);
	}
	err = engine_history_after(x->config.engine, name->text, x->after, SLICE, on_message,
				   x);
	if (err == 0 && x->messages == before) {
		x->name_at++;
		x->has_begun_name = false;
	}
	return err;
}

static void on_timer(uv_timer_t *timer)
{
	struct history_export *x = timer->data;
	int err = 0;

	text_use(x->language);
	for (int i = 0; err == 0 && i < 4 && !is_last(x) && x->text.size == 0; i++)
		err = read_slice(x);
	if (err < 0) {
		text_use(NULL);
		finish(x, err);
		return;
	}
	if (is_last(x))
		transcript_end(x->format, &x->text);
	text_use(NULL);
	x->is_working = true;
	if (uv_queue_work(x->config.loop, &x->request, on_work, on_worked) != 0)
		abort(); /* only a missing callback can make it fail */
}

/* --- what is asked ----------------------------------------------------------------- */

static int collect(struct history_export *x, const char *name)
{
	struct rooms *r = engine_rooms(x->config.engine);
	struct name only;
	struct person *p;
	int err = name ? name_parse(&only, bytes_text(name)) : 0;

	if (err < 0)
		return err;
	x->name_count = x->name_at = 0;
	for (unsigned i = 0; (p = persons_at(r->persons, i)) != NULL; i++) {
		if (name && !name_equal(&p->name, &only))
			continue;
		x->names = memory_grow(x->names, x->name_count + 1, sizeof *x->names);
		x->names[x->name_count++] = p->name;
	}
	return name && x->name_count == 0 ? ERR_NOT_FOUND : 0;
}

static int make_work(struct history_export *x)
{
	char path[PATH_ROOM + 300];
	bool is_page = x->format == TRANSCRIPT_HTML;

	remove_work(x); /* of one that was killed */
	if (access(x->path, F_OK) == 0)
		return ERR_EXISTS;
	if (is_page) {
		snprintf(path, sizeof path, "%s/media", x->work);
		if (mkdir(x->work, 0700) < 0 || mkdir(path, 0700) < 0)
			return error_of(errno);
	}
	snprintf(path, sizeof path, "%s%s", x->work, is_page ? "/index.html" : "");
	x->out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return x->out < 0 ? error_of(errno) : 0;
}

int history_export_begin(struct history_export *x, const char *path,
			 enum transcript_format format, const char *name, wall_ms now,
			 uint64_t ticket, char *reason, size_t reason_size)
{
	struct engine_account account;
	int err;

	if (x->is_closing)
		return ERR_CLOSED;
	if (x->is_busy) {
		snprintf(reason, reason_size, "%s",
			 _("an export is being made already; wait for it"));
		return ERR_BUSY;
	}
	if (path[0] != '/' || strlen(path) + sizeof UNFINISHED > sizeof x->path ||
	    path[strlen(path) - 1] == '/') {
		snprintf(reason, reason_size, "%s", _("the file to write is an absolute path"));
		return ERR_FORMAT;
	}
	err = collect(x, name);
	if (err < 0)
		return err;
	snprintf(x->path, sizeof x->path, "%s", path);
	snprintf(x->work, sizeof x->work, "%.*s" UNFINISHED,
		 (int)(PATH_ROOM - sizeof UNFINISHED), path);
	x->format = format;
	snprintf(x->language, sizeof x->language, "%s", text_language());
	err = make_work(x);
	if (err < 0) {
		snprintf(reason, reason_size, "%s", _(why_not(err)));
		free(x->names);
		x->names = NULL;
		return err;
	}
	x->messages = x->after = 0;
	atomic_store(&x->files, 0);
	atomic_store(&x->skipped, 0);
	x->has_begun_name = false;
	x->ticket = ticket;
	x->is_busy = true;
	engine_account(x->config.engine, &account);
	transcript_begin(format, &x->text, account.name.text, now);
	uv_timer_start(&x->timer, on_timer, 0, 0);
	return 0;
}

void history_export_status(const struct history_export *x, struct json *result)
{
	json_set_text(result, "state", x->is_busy ? "writing" : "none");
	json_set_int(result, "messages", (int64_t)x->messages);
	json_set_int(result, "files", (int64_t)atomic_load(&x->files));
	json_set_int(result, "skipped", (int64_t)atomic_load(&x->skipped));
}
