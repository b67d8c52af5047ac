/* What a machine's worker threads and its resolver would do: jobs of its engine, answered after a
 * while, and forgotten when it dies. */
#ifndef PALIQUE_TESTS_WORLD_ERRANDS_H
#define PALIQUE_TESTS_WORLD_ERRANDS_H

#include "peer/engine.h"
#include "tests/world/dice.h"

enum { ERRANDS_MAX = 16 };

struct errand {
	mono_ns due; /* NEVER: free */
	struct job job;
};
struct errands {
	struct errand list[ERRANDS_MAX];
};

void errands_forget(struct errands *e); /* all of them; also the beginning */
/* Takes what the engine asks for; false: there is no room for all. */
bool errands_take(struct errands *e, struct engine *engine, mono_ns now, struct dice *dice);
/* Answers what is due; "directory.world" is at `directory`. */
void errands_run(struct errands *e, struct engine *engine, mono_ns now,
		 const struct address *directory);
mono_ns errands_deadline(const struct errands *e);

#endif
