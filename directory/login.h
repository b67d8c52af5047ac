/* Becoming somebody, step by step, for one guest: registration, login by password (OPAQUE, RFC
 * 9807), by recovery code or by a reset code; then what only the account's owner may do: fetch
 * the vault, set another password, enrol a device. And the same for a client that changes
 * its password. A step either answers at once, or asks the registry or the key-holder and
 * goes on when they answer. Wrong password, wrong code and unknown name cannot be told apart:
 * ERR_AUTH, by the same steps. */
#ifndef PALIQUE_DIRECTORY_LOGIN_H
#define PALIQUE_DIRECTORY_LOGIN_H

#include "directory/failures.h"
#include "directory/holder.h"
#include "directory/limits.h"
#include "directory/registry.h"
#include "shared/wire.h"

enum { LOGIN_RETRY_SECONDS = 5 }; /* told when the store fails or the key-holder is away */

/* What all logins of a directory have in common. */
struct login_desk {
	struct registry *registry;
	struct holder *holder;
	struct limits *limits;
	struct failures *failures;
	enum registration registration;
	enum ksf ksf;
};

struct login;

/* `handshake_hash` (64 bytes) is the link's; `from` the other's address; `only` the name of a
 * client, which can prove to be nobody else; NULL: a guest. `desk` must outlive it. */
struct login *login_new(const struct login_desk *desk, const uint8_t *handshake_hash,
			const struct address *from, const struct name *only);
/* Wipes; an attempt that was answered and not finished has failed. NULL is harmless. */
void login_free(struct login *l);

/* Each: 1: `reply` is to be sent, a REFUSAL perhaps, whose views hold until the answer that
 * brought them goes; 0: somebody was asked under `ticket`, and until his answer no message
 * may be given; ERR_STATE: a message that does not fit, the link is not worth keeping. */
int login_message(struct login *l, const struct wire_message *m, uint64_t ticket, mono_ns now,
		  wall_ms wall, struct wire_message *reply);
int login_registry_answer(struct login *l, const struct registry_answer *a, uint64_t ticket,
			  struct wire_message *reply);
int login_holder_answer(struct login *l, const struct holder_answer *a,
			struct wire_message *reply);

/* What somebody else has made of the account `name`: another password, another recovery code, or
 * it is suspended or gone. Whoever has proved by what counts no more has proved nothing: his next
 * step is refused, ERR_AUTH. About another name: nothing. */
enum login_news { LOGIN_NEW_PASSWORD, LOGIN_NEW_CODE, LOGIN_NO_ENTRY };
void login_outdate(struct login *l, const struct name *name, enum login_news news);

/* Whose attempt it is or was, and the device list that the last step has changed the account's
 * to; NULL: it has not. */
const struct name *login_name(const struct login *l);
const struct device_list *login_devices(const struct login *l);

#endif
