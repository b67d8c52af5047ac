/* How far something is, on standard error: a bar on a terminal, after half a second; else a line for
 * each tenth. Silent with --quiet and --json. */
#ifndef PALIQUE_PEER_FACES_CLI_PROGRESS_H
#define PALIQUE_PEER_FACES_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum { PROGRESS_BAR_AFTER_MS = 500, PROGRESS_BAR_WIDTH = 24 };

struct progress {
	char label[128];
	int64_t began_ms;
	int tenth; /* told last; -1: none */
	bool is_terminal, has_bar;
};

/* `label` is safe to show. `now_ms` of any clock that does not jump. */
void progress_begin(struct progress *p, const char *label, int64_t now_ms);
/* `figures` stands behind the bar: bytes, rate, time left. */
void progress_show(struct progress *p, int64_t done, int64_t whole, const char *figures,
		   int64_t now_ms);
/* Takes the bar away: what comes next stands on a line of its own. */
void progress_end(struct progress *p);

#endif
