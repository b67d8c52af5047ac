/* The inside of our line to the directory, for the files that make it up and nobody else; from the
 * bottom up: directory_client_dial.c (the way to a line, and its end), directory_client_heard.c (what
 * the directory says on it), directory_client.c (events of the link, what is due, what we say). */
#ifndef PALIQUE_PEER_DIRECTORY_CLIENT_INSIDE_H
#define PALIQUE_PEER_DIRECTORY_CLIENT_INSIDE_H

#include "peer/directory_client.h"
#include "peer/line.h"
#include "shared/key_query.h"

#define SUSPENDED_TROUBLE N_("the directory's operator has suspended this account; ask there")

/* What one says is heard as fast as it may be stored and checked for ever: a burst, and so much in
 * each second (directory_client_heard.c); then it waits for a pause. */
#define HEARD_BURST ((int64_t)32 << 20)
#define HEARD_PAUSE (100 * MILLISECOND)

enum state {
	STATE_REST,    /* nobody to be */
	STATE_WAITING, /* until `until` */
	STATE_RESOLVING,
	STATE_ASKING_KEY,
	STATE_DIALLING,
	STATE_UP, /* a guest's exchange, or WELCOME to come */
	STATE_ONLINE,
};

struct directory_client {
	struct rooms *rooms;
	enum state state;
	bool is_guest, is_restarting, is_job_given;
	bool has_here; /* a directory in our own process */
	struct device_public here_key;
	struct address here;
	uint64_t job; /* number of the last one: older answers are not ours */
	struct address addresses[JOB_ADDRESSES_MAX];
	unsigned address_count;
	struct key_query_nonce nonce;
	mono_ns ask_at; /* the key again */
	mono_ns until;  /* end of this state; NEVER */
	mono_ns check_at, settled_at;
	mono_ns away_at; /* called, and not online by then: it is away. NEVER: not called */
	unsigned failures;
	uint32_t wait_ms; /* asked for by the directory */
	struct link *link;
	struct line line;
	int64_t patience; /* what may still be heard now; below 0: it waits */
	mono_ns patient_at;
	struct buf token; /* spares a returning sender one round trip */
	bool is_token_new;
};

/* --- directory_client_dial.c --- */

/* The line we have is not wanted any more: the next step hangs up and calls again. */
bool directory_client_is_restarting(const struct directory_client *d);
/* `length` NEVER: until something happens. */
void directory_client_enter(struct directory_client *d, enum state state, mono_ns length);
void directory_client_hang_up(struct directory_client *d, enum link_code code);
/* The line is gone (the link too): wait, then try again; a guest gives up. */
void directory_client_lost(struct directory_client *d, int err, const char *trouble);
/* The same for a line that we end. */
void directory_client_drop(struct directory_client *d, int err, enum link_code code,
			   const char *trouble);
/* The next try waits longer. */
void directory_client_wait_out_suspension(struct directory_client *d);
/* Looks for the directory that our account wants, if any. */
void directory_client_begin(struct directory_client *d);
void directory_client_ask_key(struct directory_client *d);
/* True: it was an answer to us. */
bool directory_client_on_stray(struct directory_client *d, const struct link_event *event);

/* --- directory_client_heard.c --- */

/* The end comes together with the last that was said: why, and until when. */
int directory_client_last_words(struct directory_client *d);

#endif
