/* Somebody who becomes somebody at a directory, step by step: with a registry that answers what the test wants and
 * a key-holder that may be away. */
#ifndef PALIQUE_TESTS_LOGIN_STEPS_H
#define PALIQUE_TESTS_LOGIN_STEPS_H

#include "directory/login.h"

/* A registry that answers what the test wants, and remembers what it was asked. */
struct fake_registry {
	struct registry row;
	const char *asked;
	struct registry_answer answer;
	uint8_t wrap[VAULT_WRAP_SIZE];
	bool has_vault, has_wrap, has_devices, by_recovery;
	struct name name;
	uint32_t failures;
};
struct fake_holder {
	struct holder row;
	struct holder *real;
	bool is_away, is_unknown;
};

extern struct fake_registry store;
extern struct fake_holder keys;
extern struct login_desk desk;
extern mono_ns now;
extern const wall_ms wall;
/* The link of who comes, and what is tried on it. */
extern const uint8_t link_hash[64];
extern const struct address client_address;
extern struct login *our_login;
/* Who that is. */
extern const struct name alice;
extern struct identity identity;
extern struct device device;
extern struct certificate certificate;
extern struct device_list devices;
/* What is said next by say_it(), and what the directory said to it. */
extern struct wire_message said, reply;

int begin_login(void **state);
int end_login(void **state);
#define LOGIN(test) cmocka_unit_test_setup_teardown(test, begin_login, end_login)

/* Another link; who comes on it may prove to be `only` alone, NULL: anybody. */
void new_link(const struct name *only);
/* `said` is heard; the registry gives store.answer. Both return 0: the registry is asked (store.asked);
 * 1: `reply`; the error of a refusal; ERR_CLOSED: the link is not worth keeping. */
int say_it(void);
int answered(void);

/* A record made beforehand by both sides in one place. */
void make_record(const char *password, const char *name, uint8_t record[OPAQUE_RECORD_SIZE]);

/* --- steps: the first makes `said`, the others go on until there is a `reply` --- */

void start_registration(void);
void be_challenged(void);
/* `said` is what comes after the challenge, with everything right for a link of that hash. */
void finish_registration(const uint8_t *bound_to);

void start_login(const char *password);
/* KE1 said and KE2 taken; `said` is what LOGIN_FINISH would be, with everything right. */
void challenge_login(const char *password, const uint8_t *bound_to, enum ksf ksf);
void log_in(void);

int enrol_device(const uint8_t *bound_to, bool has_vault);
int start_password(void);
int finish_password(bool has_wrap, bool has_devices);

#endif
