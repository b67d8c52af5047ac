/* The table of what can be typed behind a slash. */
#ifndef PALIQUE_PEER_FACES_TUI_COMMANDS_H
#define PALIQUE_PEER_FACES_TUI_COMMANDS_H

#include "peer/faces/tui/tui_inside.h"

enum complete { COMPLETE_NONE, COMPLETE_NAME, COMPLETE_PATH, COMPLETE_EMOJI };

struct command {
	const char *name, *arguments, *about; /* the two last marked for translation */
	const char *key;                      /* that does it, or "" */
	enum complete complete;
	bool needs_more; /* without an argument it says what it wants */
	void (*run)(struct tui *tui, const char *rest);
};

const struct command *command_at(size_t i); /* NULL: no more */
const struct command *command_find(const char *name, size_t size);

#endif
