/* The account store as a row of functions, so that another database is another row.
 * Questions return at once; the answer is an event with the asker's ticket, taken by
 * next(): SQLite has it in the queue already, a server would bring it later.
 *
 * What is stored for an account: name, OPAQUE record, identity key, enrolled devices. No
 * contacts, no addresses, no times of use. */
#ifndef PALIQUE_DIRECTORY_REGISTRY_H
#define PALIQUE_DIRECTORY_REGISTRY_H

#include "shared/certificate.h"
#include "shared/clock.h"
#include "shared/ksf.h"
#include "shared/name.h"
#include "shared/opaque.h"

enum {
	REGISTRY_DEVICES_MAX =
		16, /* enrolled for one account; one more pushes out the oldest */
	REGISTRY_INVITE_USES_MAX = 10000,
	REGISTRY_CODE_BYTES = 12, /* random, in base64url: an invitation's code */
};

/* Who may make an account here. */
enum registration { REGISTRATION_INVITE, REGISTRATION_OPEN, REGISTRATION_CLOSED };

/* What a new account brings. */
struct registry_new {
	struct name name;
	uint8_t record[OPAQUE_RECORD_SIZE];
	bool has_identity;              /* else set by the first login */
	struct certificate certificate; /* identity and first device */
	bool needs_invite;
	struct bytes invite;
};

struct registry_answer {
	uint64_t ticket;
	int err;       /* 0, or why not; ERR_IO and the like: the store failed */
	bool is_found; /* find: the name exists; else the record is the fake one */
	bool has_identity;
	struct name name;
	uint8_t record[OPAQUE_RECORD_SIZE];
	struct identity_public identity;
};

/* One account in a list. */
struct registry_user {
	struct name name;
	bool has_identity;
	unsigned devices;
	wall_ms created; /* the day */
};

struct registry;
struct registry {
	/* May somebody register as `name`? The invitation is looked at first, if one is needed:
	 * ERR_REFUSED: none such or not for this name, ERR_EXPIRED, ERR_EXISTS: taken. */
	void (*may_register)(struct registry *r, uint64_t ticket, const struct name *name,
			     bool needs_invite, struct bytes invite, wall_ms now);
	/* Account, first device and the use of the invitation, all or nothing. Errors as above;
	 * ERR_EXISTS also for a device key that is enrolled elsewhere. */
	void (*create)(struct registry *r, uint64_t ticket, const struct registry_new *account,
		       wall_ms now);
	/* The record of `name`, or for an unknown one the fake record, by the same query. */
	void (*find)(struct registry *r, uint64_t ticket, const struct name *name);
	/* Enrols a device; sets the identity of an account that has none. ERR_AUTH: another
	 * identity, or a device of another account, or no such account. */
	void (*enrol)(struct registry *r, uint64_t ticket, const struct name *name,
		      const struct certificate *certificate, wall_ms now);
	/* Whose device it is: name and identity. ERR_NOT_FOUND. */
	void (*device)(struct registry *r, uint64_t ticket, const struct device_public *device);

	/* The next answer. */
	bool (*next)(struct registry *r, struct registry_answer *answer);

	/* --- for the operator: these block --- */
	int (*invite)(struct registry *r, const char *code, const struct name *only,
		      unsigned uses, wall_ms expires, wall_ms now);
	/* Removes the account, its devices and nothing else. ERR_NOT_FOUND. */
	int (*remove)(struct registry *r, const struct name *name);
	/* By name; `each` returns false to stop. */
	int (*list)(struct registry *r, bool (*each)(void *user, const struct registry_user *u),
		    void *user);
	uint64_t (*count)(struct registry *r);
	/* Of passwords, for all accounts; and the store's own, made with it. */
	enum ksf (*ksf)(struct registry *r);

	void (*close)(struct registry *r);
};

/* SQLite in one file, DATA/accounts.db: the default. Made once by create: ERR_EXISTS.
 * Several processes may have it open. */
int registry_sqlite_create(const char *data, enum ksf ksf, char *reason, size_t reason_size);
int registry_sqlite_open(struct registry **r, const char *data, bool is_hasty, char *reason,
			 size_t reason_size);

#endif
