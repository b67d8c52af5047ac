/* Becoming somebody, step by step, for one guest: registration and password login (OPAQUE,
 * RFC 9807), each ending with a device enrolled. A step either refuses at once, or asks the
 * registry and goes on when its answer comes. All failures of a login are ERR_AUTH: wrong
 * password, unknown name, wrong proof and wrong identity cannot be told apart. */
#ifndef PALIQUE_DIRECTORY_LOGIN_H
#define PALIQUE_DIRECTORY_LOGIN_H

#include "directory/limits.h"
#include "directory/registry.h"
#include "shared/wire.h"

/* What all logins of a directory have in common. */
struct login_desk {
	const struct opaque_server *opaque;
	struct registry *registry;
	struct limits *limits;
	enum registration registration;
	enum ksf ksf;
};

struct login;

/* `handshake_hash` (64 bytes) is the link's; `from` the guest's address. */
struct login *login_new(const uint8_t *handshake_hash, const struct address *from);
void login_free(struct login *l); /* wipes; NULL is harmless */

/* A message of the guest, one of REGISTER_START, REGISTER_FINISH, LOGIN_START, LOGIN_FINISH.
 * 0: the registry was asked under `ticket`; until its answer no message may be given.
 * Otherwise what REFUSAL shall say, with `retry_after` for ERR_BUSY; ERR_STATE: a message
 * that does not fit, the link is not worth keeping. */
int login_message(struct login *l, const struct login_desk *desk, const struct wire_message *m,
		  uint64_t ticket, mono_ns now, wall_ms wall, uint32_t *retry_after);

/* The registry's answer. 0: `reply` is to be sent; otherwise as above, and `about` is what
 * the refusal is about. */
int login_answer(struct login *l, const struct login_desk *desk,
		 const struct registry_answer *answer, struct wire_message *reply,
		 enum wire_type *about);

#endif
