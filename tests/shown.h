/* All that an engine shows with somebody on one line, oldest first: ">one two three- ": '>': we
 * said it; '-': it is still queued. For tests that compare it whole. */
#ifndef PALIQUE_TESTS_SHOWN_H
#define PALIQUE_TESTS_SHOWN_H

#include "peer/engine.h"

struct shown {
	char text[4096];
};

/* Asserts that there is such a conversation, and that it fits. */
void shown_read(struct shown *s, struct engine *engine, const char *with);

#endif
