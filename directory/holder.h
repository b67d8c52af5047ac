/* The key-holder: whoever has the OPRF seed and the key of the login's key exchange, and does
 * one thing with them. As a row of functions, so that it can be a process of its own with
 * its own user (holder_socket.c, keyholder.c), or stand in this process (holder_local.c:
 * `palique host`, tests). Questions return at once; the answer has the asker's ticket and is
 * taken by next(). */
#ifndef PALIQUE_DIRECTORY_HOLDER_H
#define PALIQUE_DIRECTORY_HOLDER_H

#include "shared/name.h"
#include "shared/opaque.h"

struct holder_answer {
	uint64_t ticket;
	int err; /* 0; ERR_AUTH: not an element; ERR_BUSY: its own limit; ERR_OFFLINE: it is away */
	struct opaque_held held;
};

struct holder;
struct holder {
	/* `keyshare` NULL: for a registration. */
	void (*ask)(struct holder *h, uint64_t ticket, const struct name *name,
		    const uint8_t blinded[32], const uint8_t *keyshare);
	bool (*next)(struct holder *h, struct holder_answer *answer);
	/* The AKE key's public half, which is in every account's record; NULL: not known yet. */
	const uint8_t *(*public_key)(const struct holder *h);
	/* Whether it would answer now. NULL: always, it lies in this process. */
	bool (*is_there)(const struct holder *h);
	void (*close)(struct holder *h);
};

/* The secrets lie in this process; `keys` is borrowed (directory/secrets.h). */
struct holder *holder_local(const struct opaque_server *keys);
/* The same with those of DATA/keyholder, opened here and wiped by close(). An older DATA/keys
 * is split first. Errors of secrets_open(). */
int holder_local_open(struct holder **h, const char *data, char *reason, size_t reason_size);
/* The same with those of another folder. */
int holder_local_secrets(struct holder **h, const char *folder, char *reason,
			 size_t reason_size);

#endif
