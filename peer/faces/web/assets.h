/* The files of the page, inside of the program: made by tools/embed from peer/faces/web/page and the
 * catalogues. With PALIQUE_WEB_DIR in the environment they are read from that folder instead, each time: for
 * who works on the page. */
#ifndef PALIQUE_PEER_FACES_WEB_ASSETS_H
#define PALIQUE_PEER_FACES_WEB_ASSETS_H

#include "shared/bytes.h"

struct asset {
	struct bytes bytes;
	const char *type; /* MIME */
	const char *tag; /* of its contents, in quotes; "": it may be another one at any time */
};

/* `name` as "app.js": a name and no path. Valid until the next call. */
bool assets_find(const char *name, struct asset *out);

/* As tools/embed writes them; the last has no name. */
struct assets_row {
	const char *name, *tag;
	const uint8_t *begin, *end;
};
extern const struct assets_row assets_rows[];

#endif
