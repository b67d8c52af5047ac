#include "peer/exporter.h"

#include <assert.h>
#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/archive.h"
#include "shared/db.h"
#include "shared/error.h"
#include "shared/text.h"

enum {
	SLICE_PAGES = 64, /* a quarter of a MiB: about two milliseconds */
	SLICE_EVERY_MS = 4,
	PAGE_SIZE_BYTES = 4096,
};

static const char copy_name[] = "export.db";

enum state { STATE_NONE, STATE_COPYING, STATE_SEALING };

struct passphrase {
	size_t size;
	uint8_t bytes[ARCHIVE_PASSPHRASE_MAX];
};

struct exporter {
	struct exporter_config config;
	uv_timer_t timer;
	uv_work_t request;
	enum state state;
	struct db_copy *copy;
	struct passphrase *passphrase; /* guarded memory */
	char copy_path[HOME_PATH_MAX];
	char file[HOME_PATH_MAX];
	bool replace, is_closing;
	wall_ms made_at;
	uint64_t ticket, total;
	_Atomic uint64_t done;
	_Atomic bool is_given_up;
	int err; /* the worker's answer */
};

/* --- beginning and end ------------------------------------------------------------- */

/* An export that was killed leaves a sealed copy in the home. */
static void remove_copies(const struct home *home)
{
	DIR *folder = opendir(home->folder);
	const struct dirent *entry;

	while (folder && (entry = readdir(folder)) != NULL)
		if (!strncmp(entry->d_name, copy_name, sizeof copy_name - 1))
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
}

struct exporter *exporter_new(const struct exporter_config *config)
{
	struct exporter *x = memory_new(sizeof *x);

	x->config = *config;
	uv_timer_init(config->loop, &x->timer);
	x->timer.data = x;
	x->request.data = x;
	remove_copies(config->home);
	return x;
}

static void finish(struct exporter *x, int err)
{
	remove_copies(x->config.home);
	sodium_free(x->passphrase); /* wipes */
	x->passphrase = NULL;
	x->state = STATE_NONE;
	uv_timer_stop(&x->timer);
	x->config.done(x->config.user, x->ticket, err,
		       err < 0 && err != ERR_CLOSED ? archive_why_not_written(err) : "");
}

void exporter_close(struct exporter *x)
{
	if (!x)
		return;
	x->is_closing = true;
	atomic_store(&x->is_given_up, true);
	if (x->state == STATE_COPYING) {
		db_backup_end(x->copy);
		x->copy = NULL;
		finish(x, ERR_CLOSED);
	}
	uv_close((uv_handle_t *)&x->timer, NULL);
}

void exporter_free(struct exporter *x)
{
	if (!x)
		return;
	assert(x->state == STATE_NONE);
	free(x);
}

/* --- sealing, in a worker ---------------------------------------------------------- */

static void on_work(uv_work_t *request)
{
	struct exporter *x = request->data;
	struct archive_order order = {
		.file = x->file,
		.replace = x->replace,
		.passphrase = bytes_of(x->passphrase->bytes, x->passphrase->size),
		.ksf = x->config.ksf,
		.store_key = x->config.key,
		.store = x->copy_path,
		.made_at = x->made_at,
		.done = &x->done,
		.is_given_up = &x->is_given_up,
	};

	x->err = archive_write(&order);
}

static void on_worked(uv_work_t *request, int status)
{
	struct exporter *x = request->data;

	finish(x, status != 0 ? ERR_CLOSED : x->err);
}

/* --- copying, between the engine's steps ------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
	struct exporter *x = timer->data;
	uint64_t done, total;
	int err;

	/* What a face has asked for waits for the step's commit. */
	if (db_in_transaction(engine_db(x->config.engine)))
		return;
	err = db_backup_step(x->copy, SLICE_PAGES);
	db_backup_progress(x->copy, &done, &total);
	x->done = done * PAGE_SIZE_BYTES;
	x->total = total * PAGE_SIZE_BYTES;
	if (err > 0)
		return;
	err = db_backup_end(x->copy);
	x->copy = NULL;
	if (err < 0) {
		finish(x, err);
		return;
	}
	uv_timer_stop(timer);
	x->state = STATE_SEALING;
	x->done = 0;
	if (uv_queue_work(x->config.loop, &x->request, on_work, on_worked) != 0)
		abort(); /* only a missing callback can make it fail */
}

/* --- what is asked ----------------------------------------------------------------- */

/* Beside the store it would go where the store goes; or cover it. */
static bool is_in_home(const struct exporter *x, const char *file)
{
	char folder[HOME_PATH_MAX];
	char *real;
	bool is;

	snprintf(folder, sizeof folder, "%s", file);
	*strrchr(folder, '/') = '\0';
	real = realpath(folder[0] ? folder : "/", NULL);
	is = real && strcmp(real, x->config.home->folder) == 0;
	free(real);
	return is;
}

static int check(const struct exporter *x, const char *file, bool replace, char *reason,
		 size_t size)
{
	const char *last = strrchr(file, '/');

	if (x->is_closing)
		return ERR_CLOSED;
	if (x->state != STATE_NONE) {
		snprintf(reason, size, "%s", _("an export is being made already; wait for it"));
		return ERR_BUSY;
	}
	if (file[0] != '/' || !last[1] || strlen(file) + sizeof ".new" > sizeof x->file) {
		snprintf(reason, size, "%s", _("the file to write is an absolute path"));
		return ERR_FORMAT;
	}
	if (is_in_home(x, file)) {
		snprintf(reason, size, "%s",
			 _("a copy inside of the home itself would be lost with it; choose "
			   "another folder"));
		return ERR_REFUSED;
	}
	if (!replace && access(file, F_OK) == 0) {
		snprintf(reason, size, "%s", _(archive_why_not_written(ERR_EXISTS)));
		return ERR_EXISTS;
	}
	return 0;
}

int exporter_begin(struct exporter *x, const char *file, struct bytes passphrase, bool replace,
		   wall_ms now, uint64_t ticket, char *reason, size_t reason_size)
{
	int err = check(x, file, replace, reason, reason_size);

	if (err == 0 && (passphrase.size == 0 || passphrase.size > ARCHIVE_PASSPHRASE_MAX))
		err = ERR_LIMIT;
	if (err == 0)
		err = home_path(x->config.home, copy_name, x->copy_path);
	if (err == 0)
		err = db_backup_begin(engine_db(x->config.engine), x->copy_path, false,
				      &x->copy);
	if (err < 0)
		return err;
	x->passphrase = sodium_malloc(sizeof *x->passphrase);
	if (!x->passphrase)
		abort();
	memcpy(x->passphrase->bytes, passphrase.data, passphrase.size);
	x->passphrase->size = passphrase.size;
	snprintf(x->file, sizeof x->file, "%s", file);
	x->replace = replace;
	x->made_at = now;
	x->ticket = ticket;
	x->done = 0;
	x->total = 0;
	x->state = STATE_COPYING;
	uv_timer_start(&x->timer, on_timer, 0, SLICE_EVERY_MS);
	return 0;
}

void exporter_status(const struct exporter *x, struct json *result)
{
	static const char *const names[] = {
		[STATE_NONE] = "none",
		[STATE_COPYING] = "copying",
		[STATE_SEALING] = "sealing",
	};

	json_set_text(result, "state", names[x->state]);
	if (x->state == STATE_NONE)
		return;
	json_set_int(result, "done", (int64_t)atomic_load(&x->done));
	json_set_int(result, "total", (int64_t)x->total);
}
