/* The inside of an account, for the files that make it up and nobody else; from the bottom up:
 * account_shown.c (what others ask, what people are told), account_store.c (what is stored),
 * account_vault.c (what the vault holds of us), account_changes.c (what the directory is asked to
 * change), account_becoming.c (a password exchange with it), account.c (who we are to it). */
#ifndef PALIQUE_PEER_ACCOUNT_INSIDE_H
#define PALIQUE_PEER_ACCOUNT_INSIDE_H

#include "peer/account.h"
#include "peer/becoming.h"
#include "peer/events.h"
#include "peer/store.h"

enum change_kind {
	CHANGE_NONE,
	CHANGE_DEVICE_NAME,
	CHANGE_REVOKE,
	CHANGE_REKEY,
	CHANGE_RECOVERY,
	CHANGE_DELETE,
	CHANGE_RESTORE, /* nobody asked: the directory lost a newer list */
};

/* What a person asked for and the directory has not confirmed; one at a time. */
struct change {
	enum change_kind kind;
	uint64_t ticket;
	mono_ns until;
	unsigned tries;
	bool is_due;      /* to be said after the next commit */
	bool is_said;     /* and not answered */
	bool is_outdated; /* the directory has a newer list than this one was made from */
	bool is_new;      /* not committed yet */
	/* CHANGE_REKEY: the next identity is made; the directory's vault holds it. */
	bool is_keeping, is_kept;
	struct device_public device;
	char label[CERTIFICATE_LABEL_MAX + 1];
	struct device_list list; /* as it shall be */
	bool is_none;            /* CHANGE_RECOVERY: without one from now on */
	struct identity_public prove;
	struct device_public recovery;
	uint8_t wrap[VAULT_RECOVERY_SIZE];
};

struct account {
	struct rooms *rooms;
	char label[CERTIFICATE_LABEL_MAX + 1];
	enum ksf weakest;

	enum standing standing;
	struct name name;
	struct directory_place place;
	bool has_directory_key, is_pinned_on_trust;
	struct device_public directory_key;
	bool has_identity, has_certificate;
	struct identity identity;
	struct device device;
	struct certificate certificate;
	struct knock knock;
	struct device_list devices;
	uint64_t called_with; /* their version when this line was begun */

	/* About to take the place of ours, or said to the directory and not confirmed: it may be
	 * the account's already. Of our own making, or another device's, found in the vault.
	 * Ours and none: it was given up, and the vault may hold it yet. */
	bool has_next, is_next_ours, is_trying_next;
	bool is_next_said; /* on this line, and not answered */
	struct identity next;

	bool has_vault_key, is_vault_due;
	struct symmetric_key vault_key;
	uint64_t vault_version; /* the highest that was taken in here */
	uint64_t vault_kept;    /* as the directory told last */
	uint64_t vault_changes; /* counted */
	bool has_recovery, is_recovery_offered;
	struct device_public recovery;
	enum request_policy requests;
	bool is_invisible;
	uint64_t settings_stamp;

	uint64_t jobs;                /* given so far */
	struct becoming *becoming;    /* an exchange, or NULL */
	bool is_begun;                /* ... not committed yet */
	bool is_to_tell;              /* one was taken back: how we stand now */
	struct device_list enrolling; /* the list it asked for */
	bool is_undone;               /* its last message cannot be said: a commit failed */
	bool was_refused;             /* standing before its last message */
	uint64_t waiting;             /* ticket of one whose outcome is unknown */
	struct change change;
	bool wants_call;
	bool has_heard_unknown; /* since the last call: a commit that fails takes back what came of it */
	mono_ns call_again_at; /* to hear it again; 0: no need */
	enum account_state told;
	bool is_online;
	uint8_t handshake_hash[64]; /* of the line on which we are online */
	struct address observed;
	wall_ms online_since;
	bool has_clock;
	int64_t ahead_ms; /* the directory's clock against ours */
	char trouble[192];
	int why; /* ... there is trouble */
};

/* --- account_shown.c --- */

void account_notice(struct account *a, const char *text);
void account_tell_failed(struct account *a, uint32_t failed); /* attempts to log in */

/* --- account_store.c --- */

/* Writes the rows, in the transaction. */
void account_save(struct account *a);
void account_save_vault(struct account *a);
/* Our certificate by the identity that we have now. */
void account_certify(struct account *a);
/* The list is ours from now on. */
void account_take_devices(struct account *a, const struct device_list *devices);
/* Nobody any more: keys, name and vault go. */
void account_empty(struct account *a);

/* --- account_vault.c --- */

/* Our identity and the one that was asked for change places; to be settled by what the directory
 * says. */
void account_swap_identities(struct account *a);
/* The identity that was asked for takes the place of ours. */
void account_swap_next(struct account *a);
/* It will not: here, and in the vault from its next version on. */
void account_drop_next(struct account *a);
/* The recovery code is another one, or (NULL) there is none. */
void account_set_recovery(struct account *a, const struct device_public *recovery);

/* --- account_changes.c --- */

void account_change_over(struct account *a, int err, const char *detail);
/* The directory or another device of ours showed this list, which is ours now or was known. */
void account_change_heard(struct account *a, const struct device_list *devices);
/* The directory has this older list of ours. */
void account_change_restore(struct account *a, const struct device_list *devices);
void account_change_lost(struct account *a); /* the line went */
void account_change_back(struct account *a); /* ... and is here again */
bool account_change_next(struct account *a, struct wire_message *m);
int account_change_hear(struct account *a, const struct wire_message *m);

/* --- account_becoming.c --- */

int account_becoming_hear(struct account *a, const struct wire_message *m);
void account_becoming_over(struct account *a, int err, const char *detail);

#endif
