/* What can be set from here: of the account, of this device, of this face. */
#ifndef PALIQUE_PEER_FACES_TUI_SETTINGS_H
#define PALIQUE_PEER_FACES_TUI_SETTINGS_H

#include "peer/faces/tui/tui_inside.h"

/* Sets it as it was typed, or says what it wants. */
void settings_set(struct tui *tui, const char *name, const char *value);

#endif
