/* Every failure of the project, and its text for people. */
#ifndef PALIQUE_SHARED_ERROR_H
#define PALIQUE_SHARED_ERROR_H

/* 0 is success; a failure is negative. A function that can fail returns one of
 * these as int. Programming mistakes are assert()ed, exhausted memory aborts. */
enum error {
	ERR_OK = 0,
	ERR_FORMAT = -1,       /* malformed bytes, text or field */
	ERR_LIMIT = -2,        /* larger or more than the named limit */
	ERR_AUTH = -3,         /* a signature, tag, password or proof does not hold */
	ERR_STATE = -4,        /* not now: the call does not fit the state */
	ERR_NOT_FOUND = -5,    /* no such thing, or one that may not be told apart from it */
	ERR_EXISTS = -6,       /* already there: name taken, contact known, home in use */
	ERR_REFUSED = -7,      /* the other side or a rule says no */
	ERR_BUSY = -8,         /* too many requests now; later may work */
	ERR_IO = -9,           /* the operating system failed a read or a write */
	ERR_FULL = -10,        /* disk, queue or buffer is full */
	ERR_CORRUPT = -11,     /* a store whose contents cannot be trusted */
	ERR_LOCKED = -12,      /* another process holds it */
	ERR_VERSION = -13,     /* made by a newer or unknown version */
	ERR_EXPIRED = -14,     /* invitation, certificate or attempt past its time */
	ERR_OFFLINE = -15,     /* the directory or the contact cannot be reached now */
	ERR_TIMEOUT = -16,     /* no answer within the time given */
	ERR_NAME = -17,        /* not a valid user name: [a-z0-9][a-z0-9._-]{1,31} */
	ERR_KEY_CHANGED = -18, /* the contact's identity key is not the one known */
	ERR_CLOSED = -19,      /* the other end is gone */
	ERR_SUSPENDED = -20,   /* the directory's operator has suspended the account */
	ERR_LAST = -21,
};

/* One English sentence fragment for `err`, without a full stop; translated by
 * gettext where the program has called text_init(). Never NULL. */
const char *error_text(int err);

/* The stable name of `err` as machines see it: "not-found". Never NULL. */
const char *error_name(int err);

#endif
