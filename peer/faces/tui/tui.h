/* The terminal's face: `palique` alone on a terminal. Ties the line to the engine, the model, the
 * screen and what is typed together. */
#ifndef PALIQUE_PEER_FACES_TUI_TUI_H
#define PALIQUE_PEER_FACES_TUI_TUI_H

#include "peer/faces/client.h"

struct tui_config {
	struct client *client;            /* connected; the face's from now on */
	const struct client_place *place; /* to connect again */
	bool has_colors;
	/* A stranger's image, decoded in a process of its own: cli_programs.see */
	int (*see)(struct bytes image, uint32_t *width, uint32_t *height, uint8_t **rgba);
	const char *open; /* the conversation to begin with; NULL: the newest */
};

/* Until the person leaves. 0; ERR_STATE: this is no terminal that can do it. */
int tui_run(const struct tui_config *config);

#endif
