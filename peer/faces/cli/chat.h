/* The inside of `palique chat`: what its two files share, the talk itself and what is typed after a
 * slash. */
#ifndef PALIQUE_PEER_FACES_CLI_CHAT_H
#define PALIQUE_PEER_FACES_CLI_CHAT_H

#include "peer/faces/cli/cli.h"

struct chat {
	struct cli *cli;
	char name[64];
	struct buf input;
	bool is_input_over, is_typed, is_leaving;
	bool is_lost;       /* the engine has ended */
	bool has_everybody; /* palique --plain: what others say is told, too; `name` may be "" */
	bool is_online, is_typing;
	int unanswered;     /* sends the engine has not confirmed yet */
	uint64_t last_sent; /* id of our newest message */
	uint64_t told_delivered, told_read;
	uint64_t shown; /* newest of theirs on the screen */
	int64_t linger_until;
	/* the transfer that was told of last */
	uint64_t transfer;
	int tenth;
	char way[160];
};

/* Another conversation from now on, with the last that was said in it. Exit code; has said why. */
int chat_open(struct chat *chat, const char *name);
/* Until it is over: what comes, and what is typed. Exit code. */
int chat_talk(struct chat *chat, long linger_s);
/* Something that is about another conversation than the open one, told in a line (chat_plain.c). */
void chat_elsewhere(const char *method, const struct json *params);

/* A line that begins with a slash. */
void chat_command(struct chat *chat, struct bytes line);
/* What those lines may be. */
void chat_help(FILE *out);
/* Says `params` (of `send` or `sendFile`, without whom); counted until it is answered. */
void chat_post(struct chat *chat, const char *method, struct json *take_params);

#endif
