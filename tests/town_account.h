/* What a person does with an account in a town. */
#ifndef PALIQUE_TESTS_TOWN_ACCOUNT_H
#define PALIQUE_TESTS_TOWN_ACCOUNT_H

#include "shared/recovery.h"
#include "shared/vault.h"
#include "tests/town.h"

/* Where the directory of a town is, and the password of all that join there. */
extern const struct directory_place town_place;
extern const char town_password[];

/* 0, or the error that it was answered with. */
int login(struct town *t, struct home *h, const char *name, const char *password,
	  bool begin_anew);
int recover(struct town *t, struct home *h, const char *name, const struct recovery_code *code,
	    const char *new);
void make_code(struct town *t, struct home *h, struct recovery_code *code);
/* Alice in 0, Bob in 1, and Alice's second device in 2. */
void two_devices(struct town *t);
/* One more device of the account of that name, which has contacts a moment later. */
void another_device(struct town *t, struct home *h, const char *name);
void pass_seconds(struct town *t, unsigned seconds);

enum account_state state_of(const struct home *h);
/* Of those events one has `part` in its detail. */
bool was_told(const struct home *h, enum event_kind kind, const char *part);
struct contact get(const struct home *h, const char *name);
bool knows(const struct home *h, const char *name);
/* What would stand in the vault of our own account; whether a key to come does. */
struct vault ours_in_vault(const struct home *h);
bool has_next(void *home);
/* This home is Alice, online, under that identity, and Bob hears from her; nothing is left half done. */
void assert_is_alice(struct town *t, struct home *h, const struct identity_public *identity);

#endif
