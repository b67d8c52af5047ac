/* Signs by their names between colons, as ":heart:". */
#ifndef PALIQUE_PEER_FACES_TUI_EMOJI_H
#define PALIQUE_PEER_FACES_TUI_EMOJI_H

#include <stddef.h>

/* The i-th name and sign; NULL: no more. */
const char *emoji_at(size_t i, const char **sign);
/* Copies `text` with the names that are known replaced; cut off, whole characters, where `size` ends. */
void emoji_replace(const char *text, char *out, size_t size);

#endif
