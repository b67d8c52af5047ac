/* Shell: the store of a running engine into an archive (peer/archive.h). First a copy in
 * slices between the engine's steps, sealed like the store itself; then a worker makes the
 * archive of it. One at a time. */
#ifndef PALIQUE_PEER_EXPORTER_H
#define PALIQUE_PEER_EXPORTER_H

#include <uv.h>

#include "peer/engine.h"
#include "peer/home.h"
#include "shared/json.h"

struct exporter;

struct exporter_config {
	uv_loop_t *loop;
	struct engine *engine;
	const struct home *home;
	const struct symmetric_key *key; /* of the store; as long as the exporter lives */
	enum ksf ksf;
	void *user;
	/* How it ended; `detail` is an English sentence, marked for translation, or "". */
	void (*done)(void *user, uint64_t ticket, int err, const char *detail);
};

/* Removes what an earlier one left in the home. */
struct exporter *exporter_new(const struct exporter_config *config);
/* Gives up what goes on; done() is called for it, now or as the loop ends. Before the engine is
 * closed; exporter_free() after the loop has run to its end. */
void exporter_close(struct exporter *x);
void exporter_free(struct exporter *x);

/* The passphrase is copied into guarded memory. ERR_BUSY: one is being made; ERR_FORMAT: `file` is
 * no absolute path; ERR_REFUSED: it is in the home itself, where it would be lost with it;
 * ERR_EXISTS: there is one, and not `replace`. `reason` gets a sentence. */
int exporter_begin(struct exporter *x, const char *file, struct bytes passphrase, bool replace,
		   wall_ms now, uint64_t ticket, char *reason, size_t reason_size);

/* state: "none", "copying", "sealing"; done and total of each in bytes. */
void exporter_status(const struct exporter *x, struct json *result);

#endif
