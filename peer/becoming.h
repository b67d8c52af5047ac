/* One exchange with a directory that needs a password, a recovery code or an operator's one-time
 * code: becoming somebody there, or setting another password. From the wish to the last message;
 * lives in locked memory and is wiped whole. What needs our keys or the store, its owner does. */
#ifndef PALIQUE_PEER_BECOMING_H
#define PALIQUE_PEER_BECOMING_H

#include "shared/job.h"
#include "shared/recovery.h"
#include "shared/uri.h"
#include "shared/vault.h"
#include "shared/wire.h"

struct becoming;

enum {
	BECOMING_WORKS = 6,  /* times that work is done for one exchange */
	BECOMING_AGAINS = 4, /* logins anew because the account changed in between */
};

enum becoming_kind {
	BECOMING_NEW,     /* REGISTER_*: identity, first vault */
	BECOMING_LOGIN,   /* LOGIN_*, the vault, ENROL */
	BECOMING_RECOVER, /* RECOVER, the vault, PASSWORD_*, ENROL */
	BECOMING_RESET,   /* RESET, PASSWORD_* and nothing else */
	BECOMING_PASSWD,  /* in our client's session: LOGIN_*, PASSWORD_* */
};

struct becoming_wish {
	enum becoming_kind kind;
	struct name name; /* of BECOMING_RESET the directory tells it */
	struct directory_place place;
	const struct device_public *directory_key; /* NULL: to be pinned */
	const char *code;                          /* invitation or reset code, or NULL */
	const struct recovery_code *recovery;      /* of BECOMING_RECOVER */
	struct bytes password;     /* the one that is; of NEW, RECOVER, RESET the one to be */
	struct bytes new_password; /* of BECOMING_PASSWD */
	enum ksf weakest;          /* 0: any of the table */
	bool begin_anew;           /* with another identity, if the vault cannot be opened */
	/* What this home holds of the account already, or NULL; `known` is its list. */
	const struct identity_public *identity;
	const struct symmetric_key *vault_key;
	const struct device_list *known;
	/* Of BECOMING_PASSWD: all that shall stay, or NULL. */
	const struct device_list *devices;
	uint64_t ticket;
};

/* Copies everything. ERR_FORMAT: empty password, ERR_LIMIT: over OPAQUE_PASSWORD_MAX. */
int becoming_new(struct becoming **b, const struct becoming_wish *wish);
void becoming_free(struct becoming *b);

enum becoming_kind becoming_kind(const struct becoming *b);
const struct name *becoming_name(const struct becoming *b);
const struct directory_place *becoming_place(const struct becoming *b);
const struct device_public *becoming_directory_key(const struct becoming *b); /* NULL */
void becoming_pin(struct becoming *b, const struct device_public *key);
bool becoming_is_pinned(const struct becoming *b);
uint64_t becoming_ticket(const struct becoming *b);
/* What to tell people beside the last error: English, or NULL. */
const char *becoming_detail(const struct becoming *b);
bool becoming_is_working(const struct becoming *b); /* solves what the directory asked for */

/* The line is up, with this handshake hash: the first message is next. */
int becoming_up(struct becoming *b, const uint8_t handshake_hash[64]);
/* True and the next thing to say, which may point into `b`; to be wiped. */
bool becoming_next(struct becoming *b, struct wire_message *m);

/* What came of a message or of a job's answer, beside errors, which end the exchange. */
enum becoming_went {
	BECOMING_ON,
	BECOMING_WANTS_KEYS, /* becoming_take_keys() is next */
	BECOMING_AGAIN,      /* the line is to be made anew; then becoming_up() */
	BECOMING_OVER,       /* done */
};
/* ERR_STATE, ERR_FORMAT with no detail: the directory broke the protocol. */
int becoming_hear(struct becoming *b, const struct wire_message *m);
/* `number` (not 0) tells its answer from one to an earlier exchange. */
bool becoming_next_job(struct becoming *b, uint64_t number, struct job *job);
bool becoming_wants(const struct becoming *b, const struct job *answer);
/* ERR_AUTH: wrong name or password. */
int becoming_answered(struct becoming *b, const struct job *answer);

/* For BECOMING_WANTS_KEYS: what the directory said of the account (version 0: it has no identity
 * yet), its identity as the vault has it (NULL: begin with a fresh one, or with the one that
 * this home holds: becoming_is_kept()), and the vault's key (NULL: likewise). */
const struct device_list *becoming_devices(const struct becoming *b);
const struct vault *becoming_vault(const struct becoming *b);
const struct symmetric_key *becoming_vault_key(const struct becoming *b);
uint64_t becoming_vault_version(const struct becoming *b);
bool becoming_is_kept(const struct becoming *b);
uint32_t becoming_failed(const struct becoming *b); /* attempts that failed before */

struct becoming_keys {
	const struct identity *identity;
	const struct certificate *certificate;
	const struct device_list *devices; /* signed, with our device in it */
	const struct symmetric_key *vault_key;
	const struct vault *first; /* a first vault goes along, or NULL */
};
/* They are durable after the next commit; becoming_next() is called after it. */
int becoming_take_keys(struct becoming *b, const struct becoming_keys *keys);
/* The last message waits to be said. */
bool becoming_is_ready(const struct becoming *b);
/* The last message was said: from then on the outcome is the directory's. */
bool becoming_is_sent(const struct becoming *b);
/* The new password was said, and not answered. */
bool becoming_is_setting(const struct becoming *b);

#endif
