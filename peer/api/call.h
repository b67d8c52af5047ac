/* One call of a face: what a method is given, and what it gives back. A method knows the engine
 * and the shell around it, and nothing of connections: what it changes about the face that
 * called stands in the call, and api.c does it. */
#ifndef PALIQUE_PEER_API_CALL_H
#define PALIQUE_PEER_API_CALL_H

#include "peer/config.h"
#include "peer/engine.h"
#include "peer/home.h"
#include "shared/json.h"

enum {
	API_MESSAGES_MAX = 1000, /* messages in one answer of getMessages */
	API_LIST_MAX =
		2 << 20, /* bytes of the list in an answer, and one thing more: what others have
	                          * said may be so long that an answer of a thousand would end its face */
	API_ADDRESSES_MAX = 32,
	API_URL_MAX = 1024,
	API_VERSION = 1, /* counts what would break a face */
};

/* What the shell gives. */
struct api_config {
	struct engine *engine;
	const struct home *home;          /* NULL: none (tests) */
	const struct peer_config *config; /* NULL: none */
	wall_ms started;
	void *user; /* for the functions below, each of which may be NULL */
	/* To whom `connection` (api_connect) stands for; a failure means that it is gone or
	 * will be, and nothing more is sent there. */
	int (*send)(void *connection, struct bytes line);
	/* Bytes that `connection` has not read yet: much is told again only while they are few. */
	size_t (*backlog)(void *connection);
	void (*wake)(void *user); /* the engine has something to do */
	void (*stop)(void *user); /* somebody asked the engine to end */
	/* A directory in this process: begin (or find) one, listening at `listen` (NULL: where it
	 * listened before). On failure `reason` gets a sentence. */
	int (*host)(void *user, const struct address *listen, char *reason, size_t reason_size);
	/* Adds what is known of it to `result`; ERR_STATE: no directory here. */
	int (*host_status)(void *user, struct json *result);
	int (*host_invite)(void *user, const struct json *params, struct json *result,
			   char *reason, size_t reason_size);
	/* The account into one sealed file; answered by api_answer() when it is whole. */
	int (*export_account)(void *user, const char *file, struct bytes passphrase,
			      bool replace, uint64_t ticket, char *reason, size_t reason_size);
	void (*export_status)(void *user, struct json *result);
	/* What was said into a file or folder that is not there yet; `name` NULL: with everybody. */
	int (*export_history)(void *user, const char *path, bool is_page, const char *name,
			      uint64_t ticket, char *reason, size_t reason_size);
	void (*export_history_status)(void *user, struct json *result);
	/* The face in a browser, in this process: a URL that opens one session of it, API_URL_MAX bytes;
	 * `port` 0: any. */
	int (*open_web)(void *user, uint16_t port, char *url, uint16_t *listens, char *reason,
			size_t reason_size);
	void (*close_web)(void *user);
	/* What happened, before faces are told; not what is told again, nor answers. */
	void (*happened)(void *user, const struct event *event);
	/* A face shows the conversation with `name` now, or a person has read in it. */
	void (*seen)(void *user, const char *name);
	/* Ends a connection: nothing more is said there, and api_disconnect() comes of it. */
	void (*end)(void *connection);
};

/* What the shell knows of the machine; for status and doctor. */
struct api_machine {
	struct address addresses[API_ADDRESSES_MAX];
	unsigned address_count;
	uint16_t port; /* of the endpoint's socket */
};

enum {
	API_LATER = 1, /* a method's answer comes by ticket */
	/* Run again behind the next step, with the result and `at` as they are now. */
	API_AGAIN = 2,
};

enum call_wish { WISH_NONE, WISH_SUBSCRIBE, WISH_UNSUBSCRIBE };

struct call {
	struct engine *engine;
	const struct api_config *shell;
	const struct api_machine *machine;
	const struct json *params; /* an object, checked against the method's row; never NULL */
	const struct bot *bot;     /* the program that calls; NULL: a person's face */
	wall_ms wall;              /* now */
	uint64_t ticket;           /* what to give to the engine when API_LATER is returned */

	struct json *result;       /* an object to fill in */
	struct search_at at;       /* where a search goes on */
	char subject[URI_MAX + 1]; /* whom or what it was about, for the hint of an error */
	char reason[512];          /* instead of explain()'s, when not empty */
	char hint[192];            /* instead of explain()'s, when not empty */
	const char *secret;        /* the text in `result` that is wiped once it is said */
	struct recovery_code code; /* kept for the answer, then wiped */

	/* Of the face that called, when the method returns 0. */
	/* Whether it is told events: from now on, or from behind `since`. */
	enum call_wish wish;
	bool has_since;
	uint64_t since;
	bool has_looked; /* it says what it shows: `looks_at` (empty: nothing), and whether it notifies */
	struct name looks_at;
	bool notifies;
	/* The bot whose token was shown: the face is that from now on; 0: as before. */
	uint64_t becomes;
	bool is_guess;        /* a token was shown that is none */
	const char *language; /* in which it is answered from now on; NULL: as before */
};

/* `added` is in the list of the answer, which holds `size` bytes so far. False: it is large enough; `more` is true in
 * the answer then, and who wants the rest asks again from there. */
bool call_has_room(struct call *call, size_t *size, const struct json *added);

/* A parameter that is text; NULL: left out. */
const char *call_text(const struct call *call, const char *key);
/* The same of one that is required and says whom it is about: kept for the hint of an error. */
const char *call_about(struct call *call, const char *key);

#endif
