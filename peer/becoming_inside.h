/* The inside of one exchange, for the files that make it up and nobody else; from the bottom up:
 * becoming_state.c (what is held of it, and its steps), becoming_vault.c (the account and its vault,
 * as the directory shows them), becoming_said.c (what is said), becoming.c (whose turn it is). */
#ifndef PALIQUE_PEER_BECOMING_INSIDE_H
#define PALIQUE_PEER_BECOMING_INSIDE_H

#include "peer/becoming.h"
#include "peer/entry.h"

enum stage {
	STAGE_AWAY,     /* no line yet */
	STAGE_ASKED,    /* the first message is said, or to be said */
	STAGE_WORKING,  /* it is to be said again with work */
	STAGE_PROVED,   /* waits for LOGIN_DONE */
	STAGE_FETCHING, /* the vault, in parts */
	STAGE_SETTING,  /* PASSWORD_START said */
	STAGE_SET,      /* PASSWORD_FINISH said */
	STAGE_KEYS,     /* the owner makes keys durable */
	STAGE_LAST,     /* the last message */
};

struct becoming {
	enum stage stage;
	enum becoming_kind kind;
	bool has_key, is_pinned, begin_anew, is_said;
	enum wire_type say; /* the next message; 0: none */
	struct name name;
	struct directory_place place;
	struct device_public directory_key;
	char code[URI_CODE_MAX + 1];
	uint64_t ticket;
	enum ksf weakest;
	uint8_t handshake_hash[64];
	const char *detail;
	struct entry proof, setting;

	struct work puzzle;
	struct wire_work work;
	uint64_t work_job;
	unsigned works, agains;

	struct recovery_keys recovery;
	struct device_list devices;
	uint32_t failed;
	uint64_t least_version; /* the vault is at least this one */
	bool has_home_key, has_vault_key, has_vault, is_kept;
	bool had_identity;        /* the account, as this home knows or was shown before */
	struct device_list known; /* of this home; version 0: none */
	struct identity_public home_identity; /* with home_key */
	struct symmetric_key home_key, vault_key;
	struct buf sealed;
	struct wire_vault_part head; /* of the first part; without the part */
	struct vault vault;
	struct device_list shorter; /* version 0: none */
	struct wire_message last;
};

/* --- becoming_state.c: what each of these returns is what its caller returns --- */

int becoming_fail(struct becoming *b, int err, const char *detail);
/* `say`: the next message, or 0. */
int becoming_go(struct becoming *b, enum stage stage, enum wire_type say);
/* A new password, or the same one under which nothing is wrapped yet. */
int becoming_begin_setting(struct becoming *b);
int becoming_want_keys(struct becoming *b);
/* Once more from the start, with the password that counts now. */
int becoming_begin_again(struct becoming *b);

/* --- becoming_vault.c --- */

int becoming_on_login_done(struct becoming *b, const struct wire_message *m);
int becoming_on_vault_part(struct becoming *b, const struct wire_message *m);

#endif
