/* A program that answers messages: recv --exec. It is begun without a shell, so that nobody's words are part of a
 * command; the message is its standard input, what it prints the answer. */
#ifndef PALIQUE_PEER_FACES_CLI_EXEC_H
#define PALIQUE_PEER_FACES_CLI_EXEC_H

#include "peer/faces/cli/cli.h"

enum {
	EXEC_SECONDS = 60,       /* then it is ended, and nothing is answered */
	EXEC_OUTPUT_MAX = 64000, /* bytes that are read; a message holds fewer */
};

/* Runs the program of --exec for a message (a `receive`, with `event`), and says its answer. False: it was not one to
 * answer (a program said it), or there is no --exec. */
bool exec_answer(struct cli *c, const struct json *receive);

#endif
