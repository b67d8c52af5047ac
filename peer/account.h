/* Who I am: keys of this home and the account they stand for; becoming somebody at a directory, and
 * what it is asked to change of us. */
#ifndef PALIQUE_PEER_ACCOUNT_H
#define PALIQUE_PEER_ACCOUNT_H

#include "peer/rooms.h"
#include "peer/view.h"
#include "shared/job.h"
#include "shared/recovery.h"
#include "shared/uri.h"
#include "shared/vault.h"
#include "shared/wire.h"

struct account;

/* Reads the account, or makes a device key and a knock for a new home (to be committed). */
int account_new(struct account **a, struct rooms *rooms, const char *label, enum ksf ksf);
void account_free(struct account *a);
/* After a rollback: what the store says is true again. */
void account_reload(struct account *a);
/* A commit went well: what was begun before it stays when a later one fails. */
void account_kept(struct account *a);

/* The endpoint learns our certificate: at the start and when it changes. */
void account_equip(struct account *a);

const struct device *account_device_keys(const struct account *a);
const struct device_public *account_device(const struct account *a);
const struct identity_public *account_identity(const struct account *a); /* NULL: none yet */
const struct name *account_name(const struct account *a);
const struct knock *account_knock(const struct account *a);
void account_rotate_knock(struct account *a); /* in the transaction; tells the endpoint */
void account_fill(const struct account *a, struct engine_account *out);

/* Our devices as last signed or heard; version 0: no account yet. */
const struct device_list *account_devices(const struct account *a);
/* A list of our account, from the directory or another device of ours: 1 when it is newer and
 * was taken (EVENT_DEVICES; without us in it we are revoked: STANDING_REFUSED), 0: known
 * already, or older. ERR_AUTH: not ours, or forged. */
int account_hear_devices(struct account *a, const struct device_list *devices);

/* The list that the directory shows under our own name. An older one than ours: it was put back from
 * an old copy, and is given what we know again, one version after the other, until it is newer
 * than what others have seen. */
void account_told_devices(struct account *a, const struct device_list *devices);

/* With our identity: our device's record, signed; the secret that we share with another one
 * (shared/pair.h). ERR_STATE: we have none; ERR_AUTH: theirs is no good. */
int account_sign_record(const struct account *a, struct peer_record *r);
int account_make_pair(const struct account *a, struct symmetric_key *out,
		      const struct identity_public *theirs);

/* Text sealed to us: the length, or an error. NUL-terminated, checked. */
int account_open_seal(const struct account *a, struct bytes sealed, char *out, size_t size);

enum standing {
	STANDING_NONE,    /* no account in this home */
	STANDING_PENDING, /* the directory may or may not have us: ask with the device key */
	STANDING_MEMBER,
	STANDING_REFUSED, /* the directory does not know this device any more */
};
enum standing account_standing(const struct account *a);
/* Which directory; its key when known (from a link or pinned before). */
const struct directory_place *account_place(const struct account *a);
const struct device_public *account_directory_key(const struct account *a);
/* The first answer of a directory without a key in hand. */
void account_pin_directory(struct account *a, const struct device_public *key);

/* An exchange of a guest is under way: the line must be a guest's. */
bool account_is_becoming(const struct account *a);
/* As peer/engine.h has them. */
int account_join(struct account *a, const struct uri *link, const char *name,
		 struct bytes password, uint64_t ticket);
int account_login(struct account *a, const char *name, const struct directory_place *place,
		  const struct device_public *directory_key, struct bytes password,
		  bool begin_anew, uint64_t ticket);
int account_recover(struct account *a, const char *name, const struct directory_place *place,
		    const struct device_public *directory_key, const struct recovery_code *code,
		    struct bytes new_password, uint64_t ticket);
int account_reset(struct account *a, const struct uri *link, struct bytes new_password,
		  uint64_t ticket);
int account_passwd(struct account *a, struct bytes old_password, struct bytes new_password,
		   bool everywhere, uint64_t ticket);
int account_delete(struct account *a, uint64_t ticket);
/* Another identity, in steps of which each leaves an account that one can log in to: this device
 * alone, the next identity into the vault, then the list of which it is the identity. */
int account_rekey(struct account *a, uint64_t ticket);
/* `code` NULL: none from now on. */
int account_recovery(struct account *a, const struct recovery_code *code, uint64_t ticket);
int account_name_device(struct account *a, const struct device_public *device,
			const char *label, uint64_t ticket);
int account_revoke_device(struct account *a, const struct device_public *device,
			  uint64_t ticket);
/* What was not answered in time is answered; when to be called again. */
mono_ns account_step(struct account *a);

/* Who we are changed (an exchange began or ended): the line to the directory is to be made
 * anew. True until account_called(). */
bool account_wants_call(const struct account *a);
void account_called(struct account *a);
/* A line is begun: what we know by now the directory knows, unless it was put back. */
void account_calls(struct account *a);

/* The guest's line is up, with this handshake hash. */
void account_guest_up(struct account *a, const uint8_t handshake_hash[64]);
/* It went, or could not be had: `err`. */
void account_guest_down(struct account *a, int err, const char *trouble);
/* What the directory answers to a guest, or to what account_next() said; also a REFUSAL of that.
 * ERR_FORMAT, ERR_STATE: the directory broke the protocol. */
int account_message(struct account *a, const struct wire_message *m);
/* A password was stretched, or work was done. */
void account_job_done(struct account *a, const struct job *answer);
bool account_next_job(struct account *a, struct job *job);
/* After the commit, while the line is up: true and what is to be said on it; to be wiped. */
bool account_next(struct account *a, struct wire_message *m);

/* Our line to the directory: `observed` is how it sees us, NULL when the line is down. */
void account_set_online(struct account *a, const struct address *observed,
			const uint8_t *handshake_hash);
/* ... sees us by another address now. */
void account_set_observed(struct account *a, const struct address *observed);
/* How far the directory's clock is ahead of ours. */
void account_set_clock(struct account *a, int64_t ahead_ms);
/* Why not online: an error, and in English. */
void account_set_trouble(struct account *a, int why, const char *text);
void account_tell(struct account *a); /* EVENT_ACCOUNT if the state is not the one last told */

/* With the device key: the directory knows us, or does not. */
void account_welcomed(struct account *a, const struct wire_welcome *welcome);
void account_unknown(struct account *a);

/* --- what the vault holds of us (peer/safe.h keeps it in step) --- */

const struct symmetric_key *account_vault_key(const struct account *a); /* NULL: none */
uint64_t account_vault_version(const struct account *a); /* the highest taken in here */
uint64_t account_vault_kept(const struct account *a);    /* the directory's, as told last */
void account_vault_told(struct account *a, uint64_t version);
/* Something that belongs into it changed; in the transaction. The count tells whether more did
 * since it was asked. */
void account_vault_changed(struct account *a);
uint64_t account_vault_changes(const struct account *a);
bool account_vault_is_due(const struct account *a);
/* `version` was taken in, or put there, by now. */
void account_vault_held(struct account *a, uint64_t version, bool is_due);
/* Identity, recovery and settings; the contacts are not account's. */
void account_vault_fill(const struct account *a, struct vault *v);
/* The newer settings of both hold here; true: ours are newer than those of `v`. */
bool account_vault_merge(struct account *a, const struct vault *v);
/* The identity to come of `v` is kept here too, so that it is not lost with the device that made
 * it; unless we made or gave up one: true, `v` shall have ours, or none. */
bool account_next_merge(struct account *a, const struct vault *v);
/* The directory has a version that holds this identity as the next one. */
void account_next_kept(struct account *a, const struct identity_public *next);
void account_next_gone(struct account *a); /* ... or that holds none */
/* An identity whose vault it could be signed by: ours. */
int account_vault_sign(const struct account *a, uint8_t out[VAULT_SIGNATURE_SIZE],
		       uint64_t version, struct bytes sealed);

void account_set_requests(struct account *a, enum request_policy policy);
enum request_policy account_requests(const struct account *a);
/* Whether nobody is to know when we are there, on all our devices. What follows is contacts' to see to. */
void account_set_invisible(struct account *a, bool is_invisible);
bool account_is_invisible(const struct account *a);
/* There is something to lose by now: a recovery code is offered, once on this device. The vault
 * does not say so: a new one at that moment would tell the directory of the first message. */
void account_offer_recovery(struct account *a);
bool account_is_recovery_offered(const struct account *a);

#endif
