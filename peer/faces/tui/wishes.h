/* What a person wants of this face alone: kept beside the store, in HOME/terminal.json. */
#ifndef PALIQUE_PEER_FACES_TUI_WISHES_H
#define PALIQUE_PEER_FACES_TUI_WISHES_H

#include <stdbool.h>
#include <stddef.h>

struct wishes {
	bool bell;   /* rings for what nobody looks at */
	bool mouse;  /* clicks and the wheel are ours; else the terminal's, for marking text */
	bool images; /* are drawn */
};

/* Those that were kept; the usual ones where none were, or what was is damaged. */
struct wishes wishes_read(const char *home);
/* ERR_IO: they hold until the end of this run. */
int wishes_keep(const struct wishes *w, const char *home);

/* By its name; NULL: there is none. */
bool *wishes_find(struct wishes *w, const char *name);

#endif
