/* Shell: the history of one or all conversations into a file of JSON lines or a folder with a page
 * (peer/transcript.h), in slices between the engine's steps; copies of files are made in a worker.
 * What is said meanwhile may be in it or not. One at a time. */
#ifndef PALIQUE_PEER_HISTORY_EXPORT_H
#define PALIQUE_PEER_HISTORY_EXPORT_H

#include <uv.h>

#include "peer/engine.h"
#include "peer/transcript.h"
#include "shared/json.h"

struct history_export;

struct history_export_config {
	uv_loop_t *loop;
	struct engine *engine;
	void *user;
	/* How it ended; `detail` is an English sentence, marked for translation, or "". */
	void (*done)(void *user, uint64_t ticket, int err, const char *detail);
};

struct history_export *history_export_new(const struct history_export_config *config);
/* Gives up what goes on; done() is called for it, now or as the loop ends. Before the engine is
 * closed; history_export_free() after the loop has run to its end. */
void history_export_close(struct history_export *x);
void history_export_free(struct history_export *x);

/* To the absolute `path`, which must not be there: a file of mode 0600, or a folder of 0700 with
 * index.html and media/. It gets its name when all is in it and on disk. `name` NULL: everybody.
 * ERR_BUSY: one is being made; ERR_FORMAT; ERR_EXISTS; ERR_NOT_FOUND: no such person, or no folder to
 * write into; ERR_IO, ERR_FULL. `reason` gets a sentence. */
int history_export_begin(struct history_export *x, const char *path,
			 enum transcript_format format, const char *name, wall_ms now,
			 uint64_t ticket, char *reason, size_t reason_size);

/* state: "none", "writing"; messages and files so far, of the last one when it is over; `skipped`: files that
 * were here and could not be copied. */
void history_export_status(const struct history_export *x, struct json *result);

#endif
