/* Names of files that come from others, made safe: to show, to store, and not to be mistaken. */
#ifndef PALIQUE_PEER_FILING_NAME_H
#define PALIQUE_PEER_FILING_NAME_H

#include "shared/bytes.h"

enum { FILING_NAME_MAX = 255 }; /* bytes, of ext4 and most others */

/* A name for the downloads folder: never empty, without separators, control or bidirectional
 * characters, characters that other systems forbid, or anything but a name; not hidden, no device's
 * name; short enough for " (99999)" and still with its extension. `out` has room for
 * FILING_NAME_MAX + 1. */
void filing_safe_name(struct bytes name, char *out);
/* The same for one component of a path inside of a folder, which may be hidden, and is refused where it
 * cannot be kept apart from others: ERR_FORMAT ("", ".", "..", a separator), ERR_LIMIT. */
int filing_safe_component(struct bytes name, char *out);
/* "name (2).ext" of "name.ext"; number 1 gives the name itself. */
void filing_numbered(const char *name, unsigned number, char *out);

/* MIME by the name's extension; "" where it says nothing. */
const char *filing_type_of_name(const char *name);
/* MIME by the first bytes, or NULL: those that are neither images (peer/image.h) nor to be found by
 * their beginning alone. */
const char *filing_type_of_head(struct bytes head);

#endif
