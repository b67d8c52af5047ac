/* One password exchange with a directory (OPAQUE, RFC 9807), registration or login, from
 * the password to the last message. Lives in locked memory and is wiped whole. */
#ifndef PALIQUE_PEER_BECOMING_H
#define PALIQUE_PEER_BECOMING_H

#include "shared/job.h"
#include "shared/uri.h"
#include "shared/wire.h"

struct becoming;

struct becoming_wish {
	bool is_new; /* registration, else login */
	struct name name;
	struct directory_place place;
	const struct device_public *directory_key; /* NULL: to be pinned */
	const char *code;                          /* invitation, or NULL */
	struct bytes password;
	enum ksf weakest; /* 0: any of the table */
	uint64_t ticket;
};

/* Copies everything. ERR_FORMAT: empty password, ERR_LIMIT: over OPAQUE_PASSWORD_MAX. */
int becoming_new(struct becoming **b, const struct becoming_wish *wish);
void becoming_free(struct becoming *b);

bool becoming_is_new(const struct becoming *b);
const struct name *becoming_name(const struct becoming *b);
const struct directory_place *becoming_place(const struct becoming *b);
const struct device_public *becoming_directory_key(const struct becoming *b); /* NULL */
void becoming_pin(struct becoming *b, const struct device_public *key);
bool becoming_is_pinned(const struct becoming *b);
uint64_t becoming_ticket(const struct becoming *b);
bool becoming_has_code(const struct becoming *b); /* an invitation is at hand */

/* REGISTER_START or LOGIN_START, for the link with this handshake hash. */
int becoming_start(struct becoming *b, const uint8_t handshake_hash[64],
		   struct wire_message *m);
/* The directory's challenge; a job is next. ERR_STATE, ERR_FORMAT: not one of ours. */
int becoming_challenged(struct becoming *b, const struct wire_message *m);
/* `number` (not 0) tells its answer from one to an earlier exchange. */
bool becoming_next_job(struct becoming *b, uint64_t number, struct job *job);
bool becoming_wants(const struct becoming *b, const struct job *answer);
/* Makes the last message and forgets the password. ERR_AUTH: wrong name or password. */
int becoming_finish(struct becoming *b, const struct job *answer,
		    const struct identity *identity, const struct certificate *certificate);
/* The last message, once; from then on the outcome is the directory's. */
bool becoming_take_last(struct becoming *b, struct wire_message *m);
bool becoming_is_sent(const struct becoming *b);

#endif
