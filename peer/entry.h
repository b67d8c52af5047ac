/* One password, typed once: proved to a directory or set there, with OPAQUE (RFC 9807), from the
 * password to the last message of it. Its owner holds it in locked memory, and wipes it. */
#ifndef PALIQUE_PEER_ENTRY_H
#define PALIQUE_PEER_ENTRY_H

#include "shared/job.h"
#include "shared/opaque.h"

enum entry_step {
	ENTRY_TYPED,
	ENTRY_ASKED,      /* the first message is made */
	ENTRY_STRETCHING, /* a job, given or to be given */
	ENTRY_DONE,
};

struct entry {
	enum entry_step step;
	bool is_setting; /* a registration; else a login */
	enum ksf ksf, weakest;
	uint64_t job; /* 0: not given yet */
	size_t size;
	uint8_t password[OPAQUE_PASSWORD_MAX];
	struct opaque_client opaque;
	uint8_t first[OPAQUE_KE1_SIZE]; /* a request (OPAQUE_REQUEST_SIZE), or KE1 */
	uint8_t oprf_output[OPAQUE_OPRF_SIZE];
	/* Of ENTRY_DONE: a record, or KE3 (OPAQUE_KE3_SIZE). */
	uint8_t last[OPAQUE_RECORD_SIZE];
	uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE]; /* likewise */
};

/* Copies the password. ERR_FORMAT: empty, ERR_LIMIT: over OPAQUE_PASSWORD_MAX. `weakest`: the
 * weakest stretching a directory may ask for; 0: any of the table. */
int entry_init(struct entry *e, bool is_setting, struct bytes password, enum ksf weakest);

/* From the beginning, as on another link: `first` is another one then. */
int entry_start(struct entry *e);
/* The directory's answer: OPAQUE_RESPONSE_SIZE or OPAQUE_KE2_SIZE bytes; a job is next.
 * ERR_STATE, ERR_FORMAT, ERR_AUTH: not one of ours. */
int entry_challenged(struct entry *e, uint64_t ksf, const uint8_t *answer);
/* `number` (not 0) tells its answer from one to an earlier exchange. */
bool entry_next_job(struct entry *e, uint64_t number, struct job *job);
bool entry_wants(const struct entry *e, const struct job *answer);
/* Makes `last` and `export_key`. ERR_AUTH: wrong name or password. */
int entry_finish(struct entry *e, const struct job *answer, const uint8_t handshake_hash[64]);

#endif
