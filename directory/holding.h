/* What a directory and its key-holder say to each other over a Unix socket: questions and
 * answers of one size each, in the order they were asked.
 *
 *   question: version (1) | kind (1) | ticket (8) | name, filled up with zeros (32)
 *             | blinded element (32) | key share (32)
 *   answer:   version (1) | error (1) | ticket (8) | evaluated element (32) | shared (32)
 *
 * Numbers are big-endian. What a kind does not use is zero; so is what an error leaves out.
 * The answer to HOLDING_KEY has the AKE key's public half in place of the evaluated element. */
#ifndef PALIQUE_DIRECTORY_HOLDING_H
#define PALIQUE_DIRECTORY_HOLDING_H

#include "directory/holder.h"

enum {
	HOLDING_VERSION = 1,
	HOLDING_QUESTION_SIZE = 1 + 1 + 8 + NAME_MAX + 32 + 32,
	HOLDING_ANSWER_SIZE = 1 + 1 + 8 + 32 + 32,
};
enum holding_kind { HOLDING_KEY = 1, HOLDING_REGISTER = 2, HOLDING_LOGIN = 3 };

struct holding_question {
	enum holding_kind kind;
	uint64_t ticket;
	struct name name;     /* but for HOLDING_KEY */
	uint8_t blinded[32];  /* likewise */
	uint8_t keyshare[32]; /* HOLDING_LOGIN */
};
void holding_ask(uint8_t out[HOLDING_QUESTION_SIZE], const struct holding_question *q);
/* ERR_FORMAT: another version, an unknown kind, no name, or something where zeros should be. */
int holding_read_question(struct holding_question *q, const uint8_t in[HOLDING_QUESTION_SIZE]);

/* `err`: 0, ERR_AUTH or ERR_BUSY. */
void holding_answer(uint8_t out[HOLDING_ANSWER_SIZE], const struct holder_answer *a);
/* ERR_FORMAT likewise. */
int holding_read_answer(struct holder_answer *a, const uint8_t in[HOLDING_ANSWER_SIZE]);

#endif
