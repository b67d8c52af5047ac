/* The table of what can be typed behind a slash. */
#ifndef PALIQUE_PEER_FACES_TUI_COMMANDS_H
#define PALIQUE_PEER_FACES_TUI_COMMANDS_H

#include "peer/faces/tui/tui_inside.h"

enum complete { COMPLETE_NONE, COMPLETE_NAME, COMPLETE_PATH, COMPLETE_EMOJI, COMPLETE_WORDS };

/* `rest`: what stands behind the word. */
typedef void command_does(struct tui *tui, const char *rest);

struct slash {
	const char *name, *arguments, *about; /* the two last marked for translation */
	const char *key;                      /* that does it, or "" */
	enum complete complete;
	bool needs_more; /* without an argument it says what it wants */
	/* NULL: as palique does it behind that word, on the terminal itself. */
	command_does *run;
	const char *words; /* of COMPLETE_WORDS, with a space between */
};

const struct slash *command_at(size_t i); /* NULL: no more */
const struct slash *command_find(const char *name, size_t size);

#endif
