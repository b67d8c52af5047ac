/* The inside of a login, for the files that make it up and nobody else; from the bottom up:
 * login_charge.c (what attempts cost), login_register.c, login_prove.c (who is it?),
 * login_owner.c (what the owner may do), login.c (which of them is whose turn). */
#ifndef PALIQUE_DIRECTORY_LOGIN_INSIDE_H
#define PALIQUE_DIRECTORY_LOGIN_INSIDE_H

#include "directory/login.h"

enum login_state {
	LOGIN_BEGINS,        /* nobody yet */
	LOGIN_MAY_REGISTER,  /* the registry is asked */
	LOGIN_REGISTER_HELD, /* the key-holder is asked */
	LOGIN_REGISTER_CHALLENGED,
	LOGIN_CREATING, /* registry */
	LOGIN_FINDING,  /* registry */
	LOGIN_HELD,     /* key-holder */
	LOGIN_CHALLENGED,
	LOGIN_RECOVERING,    /* registry */
	LOGIN_TELLING,       /* registry */
	LOGIN_RESETTING,     /* registry */
	LOGIN_PROVED,        /* the owner */
	LOGIN_PASSWORD_HELD, /* key-holder */
	LOGIN_PASSWORD_CHALLENGED,
	LOGIN_CHANGING,  /* registry */
	LOGIN_READING,   /* registry */
	LOGIN_ENROLLING, /* registry */
};

/* How somebody has proved to be the owner. */
enum login_proof { LOGIN_BY_NOTHING, LOGIN_BY_PASSWORD, LOGIN_BY_RECOVERY, LOGIN_BY_RESET };

struct login {
	const struct login_desk *desk;
	enum login_state state;
	enum login_proof proof;
	uint8_t handshake_hash[64];
	struct address from;
	struct name only; /* empty: a guest */
	struct name name; /* whom it is about */
	bool is_foreign;  /* a client that asks for another name: fails in the end */
	bool has_set_password;
	bool is_outdated; /* what was proved, or is being, counts no more */

	enum limit charged[LIMIT_COUNT]; /* for the attempt under way */
	unsigned charged_count;
	bool is_answered; /* whoever guesses knows now whether it was right */
	struct work work; /* that was asked for; bits 0: none */
	struct name work_name;
	enum wire_type work_about;

	uint8_t code[WIRE_INVITE_MAX]; /* of an invitation or a reset */
	size_t code_size;
	bool needs_invite;
	union {
		uint8_t request[OPAQUE_REQUEST_SIZE];
		struct {
			uint8_t ke1[OPAQUE_KE1_SIZE], record[OPAQUE_RECORD_SIZE];
		} start;
		struct opaque_pending pending;
		uint8_t recover[64]; /* the proof */
	};
	bool is_changed;
	struct device_list devices; /* put by the step under way */
};

/* One step: `reply` has type 0 beforehand. As in login.h. */
struct login_turn {
	uint64_t ticket;
	mono_ns now;
	wall_ms wall;
	struct wire_message *reply;
};

/* --- login_charge.c --- */

/* Says why not: 1. */
int login_refuse(struct wire_message *reply, enum wire_type about, int err);
/* The same for what a store or the key-holder answered: what is their own trouble is told as
 * ERR_OFFLINE, to be tried again; so nobody is told that he tried too often. */
int login_refuse_answer(struct wire_message *reply, enum wire_type about, int err);
/* 0: paid, by a token of each limit or by work; 1: refused. Ends the attempt before. */
int login_charge(struct login *l, const enum limit *which, unsigned count,
		 const struct name *name, const struct wire_work *work, enum wire_type about,
		 const struct login_turn *t);
/* The attempt went well: what it cost is given back. */
void login_refund(struct login *l);
/* The attempt is over: if it was answered it counts as failed, for the account's owner. */
void login_failed(struct login *l);

/* The proof, if there was one, counts no more: 1 and ERR_AUTH. */
int login_is_over(struct login *l, enum wire_type about, struct wire_message *reply);

/* --- the rest: what is done with each message and answer --- */

typedef int login_handler(struct login *l, const struct wire_message *m,
			  const struct login_turn *t);
typedef int login_answered(struct login *l, const struct registry_answer *a,
			   const struct login_turn *t);
typedef int login_held(struct login *l, const struct holder_answer *a,
		       struct wire_message *reply);

login_handler login_register_start, login_register_finish;
login_answered login_may_register, login_created;
login_held login_register_held;

login_handler login_start, login_finish, login_recover, login_reset;
login_answered login_found, login_recovery_found, login_told, login_reset_found;
login_held login_challenge;

login_handler login_password_start, login_password_finish, login_vault_get, login_enrol;
login_answered login_password_changed, login_vault_read, login_enrolled;
login_held login_password_held;

/* A device that comes in, with the account's first vault or NULL: whether all of it is signed
 * by one identity, whose owner is on this link. ERR_AUTH. */
int login_check_newcomer(const struct login *l, const struct wire_newcomer *n,
			 const struct wire_first_vault *vault, wall_ms wall);
/* Asks the key-holder for what a new password needs; refuses where it is away: 0 or 1. */
int login_hold_request(struct login *l, const uint8_t request[OPAQUE_REQUEST_SIZE],
		       enum login_state state, enum wire_type about,
		       const struct login_turn *t);

#endif
