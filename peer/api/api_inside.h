/* The inside of the API, for the files that make it up and nobody else: api_told.c (events, and what is told
 * again), api_clients.c (connections, and what bots may on theirs), api_later.c (calls that are answered later), and
 * above them api.c. */
#ifndef PALIQUE_PEER_API_API_INSIDE_H
#define PALIQUE_PEER_API_API_INSIDE_H

#include "peer/api/api.h"
#include "peer/api/rpc.h"
#include "shared/text.h"

struct api_client {
	struct api *api;
	struct api_client *next;
	void *connection;
	bool is_gone;      /* freed by the next sweep */
	bool is_guest;     /* counted as one */
	uint64_t bot;      /* it is that of a program; 0: of a person, or of nobody yet */
	unsigned turns;    /* of the bot's token, as it was shown */
	unsigned refusals; /* lines that were refused since ... */
	mono_ns refused_at;
	uint64_t replayed;    /* its turn when it was told again last */
	bool is_ending;       /* once it was answered, or `end_at` */
	mono_ns hold, end_at; /* answers wait until then */
	bool is_subscribed;
	bool is_behind; /* events up to `told` were told; older ones are still owed */
	uint64_t told;
	unsigned pending_count;
	char language[TEXT_LANGUAGE_MAX + 1]; /* "": the engine's own */
	struct name looks_at;                 /* empty: nothing */
	bool notifies;                        /* by itself */
	struct buf answers;                   /* lines that wait for the engine's commit */
};

struct pending {
	struct pending *next;
	struct api_client *client; /* NULL: it left */
	struct json *id;           /* NULL: a notification */
	const struct method *method;
	uint64_t ticket;
	struct json *params, *result; /* of what is run again; else NULL */
	struct search_at at;
	char subject[URI_MAX + 1];
	struct recovery_code code; /* wiped with the rest */
};

struct api {
	struct api_config config;
	struct api_client *clients;
	unsigned client_count; /* without guests */
	struct pending *first, **last;
	uint64_t next_ticket;
	struct api_machine machine;
	bool is_pressed;
	uint64_t replays; /* turns of bots */
	struct buf line;  /* scratch: what is told */
};

/* --- api_told.c --- */

void api_send(struct api_client *client, struct bytes line);
/* To each who has subscribed and may hear of it. */
void api_tell(struct api *api, const struct event *event);
/* A slice of what is owed to each. True: there is more. */
bool api_tell_again(struct api *api);

/* --- api_clients.c --- */

/* Frees those that are gone; all of them. */
void api_sweep(struct api *api);
void api_clients_free(struct api *api);

/* It is told nothing more, and its connection goes in the next step. */
void api_end(struct api_client *client);
/* Of a bot's face: what the bot may now. ERR_EXPIRED; ERR_AUTH: it was removed, or has another token. Then the call
 * says why, and the face ends. */
int api_check_bot(struct api_client *client, struct call *call, struct bot *bot);
/* Whether the face may call this: a person's may call anything, one that shows no token yet nothing else. */
int api_admit(struct api_client *client, struct call *call, struct bot *bot,
	      const char *method);
/* Behind `authenticate`: a token that is none is answered late, and once; one that is good does not open any number
 * of lines. */
int api_check_token(struct api_client *client, struct call *call, int err);
/* It is that bot's from now on: told what the bot may hear, and nothing that a person was. */
void api_narrow(struct api_client *client, uint64_t bot);
/* What a bot is not to see goes out of an answer, and much of it is counted. */
void api_veil(struct api_client *client, struct call *call, const char *method);
/* A line of a bot, or of nobody yet, was refused: with too many in a row it goes. */
void api_count_refusal(struct api_client *client);
/* Those of bots that are no more, and who was told why it has to go and has read it. */
void api_end_those_that_are_over(struct api *api);

/* --- api_later.c --- */

struct call api_call_of(struct api *api, uint64_t ticket);
void api_call_clear(struct call *call);
/* Behind the next commit. */
void api_answer_after_commit(struct api_client *client, const struct json *id,
			     const struct method *method, const struct call *call, int err);
void api_refuse_after_commit(struct api_client *client, const struct rpc_request *request);
void api_flush(struct api_client *client);
/* The call is answered later; or (`is_again`) run again. */
void api_remember(struct api_client *client, const struct call *call,
		  const struct rpc_request *request, bool is_again);
void api_answered(struct api *api, const struct event *event);
/* One of those that are run again, and each in its turn. True: there are more. */
bool api_step_again(struct api *api);
void api_forget_all(struct api *api);

#endif
