/* The key-holder as a core: a question goes in, an answer comes out. It counts the questions
 * itself, by name and all together, so that a directory which was taken over guesses no
 * faster than this. No sockets, no clock; the process around it is keyholder_process.h. */
#ifndef PALIQUE_DIRECTORY_KEYHOLDER_H
#define PALIQUE_DIRECTORY_KEYHOLDER_H

#include "directory/holding.h"
#include "directory/limits.h"

struct keyholder_limits {
	struct bucket_size name, all;
};
/* Wide enough for what a directory lets through (directory/limits.h), guessers who pay with
 * work included: 1000 questions about one name and one more every two seconds; 20000
 * altogether and 1000 more a second. Our choice. */
struct keyholder_limits keyholder_limits_default(void);

struct keyholder;
/* `secrets` is borrowed (directory/secrets.h). */
struct keyholder *keyholder_new(const struct opaque_server *secrets,
				const struct keyholder_limits *limits);
void keyholder_free(struct keyholder *k);

/* ERR_FORMAT: not a question (holding_read_question()): who says such things is hung up on,
 * and there is no answer. Otherwise 0, whatever is answered. */
int keyholder_answer(struct keyholder *k, const uint8_t question[HOLDING_QUESTION_SIZE],
		     uint8_t answer[HOLDING_ANSWER_SIZE], mono_ns now);

#endif
