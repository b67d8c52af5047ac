/* The account store as a row of functions, so that another database is another row.
 * Questions return at once; the answer is an event with the asker's ticket, taken by
 * next(): SQLite has it in the queue already, a server would bring it later.
 *
 * What is stored for an account: name, OPAQUE record, identity key, device list, enrolled
 * devices, the sealed vault with its two wraps, the public half of a recovery code, how many
 * logins failed since the last one. No contacts, no addresses, no times of use. */
#ifndef PALIQUE_DIRECTORY_REGISTRY_H
#define PALIQUE_DIRECTORY_REGISTRY_H

#include "shared/certificate.h"
#include "shared/clock.h"
#include "shared/device_list.h"
#include "shared/ksf.h"
#include "shared/name.h"
#include "shared/opaque.h"
#include "shared/vault.h"
#include "shared/wire.h"

enum {
	REGISTRY_HURRY_MS = 100,
	REGISTRY_INVITE_USES_MAX = 10000,
	REGISTRY_CODE_BYTES = 12, /* random, in base64url: an invitation's code */
	REGISTRY_HANDLE_SIZE = 9, /* 8 hexadecimal digits of a code's hash, NUL: what an
	                             operator calls it by */
};

/* Who may make an account here. */
enum registration { REGISTRATION_INVITE, REGISTRATION_OPEN, REGISTRATION_CLOSED };

/* What a new account brings. */
struct registry_new {
	struct name name;
	uint8_t record[OPAQUE_RECORD_SIZE];
	/* Identity, first device and vault; NULL: an operator made it, the first login brings them. */
	const struct wire_newcomer *newcomer;
	const struct wire_first_vault *vault;
	bool needs_invite;
	struct bytes invite;
};

/* A change of password, all or nothing. */
struct registry_password {
	struct name name;
	uint8_t record[OPAQUE_RECORD_SIZE];
	/* VAULT_WRAP_SIZE; NULL: the vault stays sealed, the old wrap goes. */
	const uint8_t *wrap;
	const struct device_list *devices; /* NULL: they stay */
	struct bytes reset_code;           /* used up with it; empty: none */
};

struct registry_answer {
	uint64_t ticket;
	int err;       /* 0, or why not; ERR_IO and the like: the store failed */
	bool is_found; /* find: the name exists; else the record is the fake one */
	bool has_identity, is_suspended, has_recovery;
	struct name name;
	uint8_t record[OPAQUE_RECORD_SIZE];
	struct identity_public identity;
	/* Of find: the code's public half; a random one where there is none. */
	struct identity_public recovery;
	uint32_t failed;
	struct device_list devices;
	uint64_t vault_version; /* 0: none */
	uint8_t vault_signature[VAULT_SIGNATURE_SIZE];
	uint64_t vault_size, vault_offset; /* get_vault: of all, and where `blob` begins */
	/* What was asked for: a wrap, or a part of the vault; until the next next(). */
	struct bytes blob;
};

/* Logins that came to nothing. */
struct registry_failures {
	struct name name;
	uint32_t count;
};
/* One account in a list. */
struct registry_user {
	struct name name;
	bool has_identity, is_suspended, has_recovery;
	unsigned devices;
	wall_ms created; /* the day */
};
/* One invitation, or one-time code for a password, in a list. */
struct registry_invite {
	char handle[REGISTRY_HANDLE_SIZE];
	bool is_reset, has_name;
	struct name name;
	unsigned uses; /* left */
	wall_ms expires;
};

struct registry;
struct registry {
	/* --- guests: may they, and who are they? --- */

	/* May somebody register as `name`? The invitation is looked at first, if one is needed:
	 * ERR_REFUSED: none such or not for this name, ERR_EXPIRED, ERR_EXISTS: taken. */
	void (*may_register)(struct registry *r, uint64_t ticket, const struct name *name,
			     bool needs_invite, struct bytes invite, wall_ms now);
	/* Account, first device, vault and the use of the invitation, all or nothing. Errors as above. */
	void (*create)(struct registry *r, uint64_t ticket, const struct registry_new *account,
		       wall_ms now);
	/* The record of `name` and what a recovery code is checked with, or for an unknown one
	 * what stands for it, by the same query. */
	void (*find)(struct registry *r, uint64_t ticket, const struct name *name);
	/* Whose password may be set with this code: `name`. ERR_REFUSED, ERR_EXPIRED. */
	void (*reset)(struct registry *r, uint64_t ticket, struct bytes code, wall_ms now);

	/* --- who has proved to own the account --- */

	/* All that LOGIN_DONE tells; `blob`: the wrap under the recovery code or the password.
	 * The count of failed logins is told once. */
	void (*account)(struct registry *r, uint64_t ticket, const struct name *name,
			bool by_recovery);
	/* Takes a device in. ERR_STATE: the list's version does not fit; ERR_AUTH: another
	 * identity, no such account, or a device of the list that is not enrolled; ERR_EXISTS:
	 * there is a vault, and one is given. A new identity is taken only with a vault and only where the
	 * wrap under the password is gone. */
	void (*enrol)(struct registry *r, uint64_t ticket, const struct name *name,
		      const struct wire_enrol *enrol);
	void (*put_password)(struct registry *r, uint64_t ticket,
			     const struct registry_password *change, wall_ms now);
	/* From `offset`: up to WIRE_VAULT_GET_PART bytes in `blob`. ERR_NOT_FOUND. */
	void (*get_vault)(struct registry *r, uint64_t ticket, const struct name *name,
			  uint64_t offset);

	/* --- devices --- */

	/* Whose device it is, under this identity: name, device list, vault version, failed
	 * logins (told once). ERR_NOT_FOUND. */
	void (*device)(struct registry *r, uint64_t ticket, const struct device_public *device,
		       const struct identity_public *identity);
	/* ERR_STATE: not the next version; ERR_AUTH: a device in it is not enrolled, or another
	 * identity that the old one has not vouched for. What is not in it is enrolled no more. */
	void (*put_devices)(struct registry *r, uint64_t ticket, const struct name *name,
			    const struct device_list *devices);
	/* ERR_STATE: not the next version; the answer has the one that is kept. */
	void (*put_vault)(struct registry *r, uint64_t ticket, const struct name *name,
			  uint64_t version, const uint8_t signature[VAULT_SIGNATURE_SIZE],
			  struct bytes sealed);
	void (*put_recovery)(struct registry *r, uint64_t ticket, const struct name *name,
			     const struct wire_recovery_put *recovery);
	void (*delete)(struct registry *r, uint64_t ticket, const struct name *name);

	/* The next answer. */
	bool (*next)(struct registry *r, struct registry_answer *answer);

	/* Logins that failed, to be told to whom they were aimed at, all in one transaction;
	 * unknown names are passed over. */
	int (*add_failures)(struct registry *r, const struct registry_failures *list,
			    unsigned count);

	/* --- for the operator: these block --- */
	int (*invite)(struct registry *r, const char *code, const struct name *only,
		      unsigned uses, wall_ms expires, wall_ms now);
	/* A one-time code by which the account's password may be set anew. ERR_NOT_FOUND. */
	int (*invite_reset)(struct registry *r, const char *code, const struct name *name,
			    wall_ms expires, wall_ms now);
	int (*invites)(struct registry *r,
		       bool (*each)(void *user, const struct registry_invite *i), void *user);
	int (*revoke_invite)(struct registry *r, const char *handle); /* ERR_NOT_FOUND */
	/* Removes the account and all that is its own. ERR_NOT_FOUND. */
	int (*remove)(struct registry *r, const struct name *name);
	/* Keeps its devices and logins out, until it is lifted. ERR_NOT_FOUND. */
	int (*suspend)(struct registry *r, const struct name *name, bool is_suspended);
	/* By name; `each` returns false to stop. */
	int (*list)(struct registry *r, bool (*each)(void *user, const struct registry_user *u),
		    void *user);
	uint64_t (*count)(struct registry *r);
	/* Of passwords, for all accounts; and the store's own, made with it. */
	enum ksf (*ksf)(struct registry *r);
	/* The AKE public key that the records were made with: set once, then compared.
	 * ERR_AUTH: it is another one: these accounts belong to another key-holder. */
	int (*bind_holder)(struct registry *r, const uint8_t server_public[32]);
	/* An online copy. ERR_EXISTS. */
	int (*backup)(struct registry *r, const char *path);

	/* From now on nothing waits longer than REGISTRY_HURRY_MS for another program that has the
	 * store locked, but is answered with ERR_LOCKED: for a server, whose clients try again,
	 * and whose loop must go on. Without it, seconds. */
	void (*hurry)(struct registry *r);

	void (*close)(struct registry *r);
};

/* SQLite in one file, DATA/accounts.db: the default. Made once by create: ERR_EXISTS.
 * Several processes may have it open. */
int registry_sqlite_create(const char *data, enum ksf ksf, char *reason, size_t reason_size);
int registry_sqlite_open(struct registry **r, const char *data, bool is_hasty, char *reason,
			 size_t reason_size);
/* Reads all of it, which takes its time: ERR_CORRUPT where a page or a row does not fit. */
int registry_sqlite_check(struct registry *r);

#endif
