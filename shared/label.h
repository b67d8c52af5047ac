/* What a person calls a device: a line of text that can be shown as it is. */
#ifndef PALIQUE_SHARED_LABEL_H
#define PALIQUE_SHARED_LABEL_H

#include "shared/bytes.h"

enum { LABEL_MAX = 32 }; /* bytes: our choice */

/* At most LABEL_MAX bytes of UTF-8 without control characters; may be empty. */
bool label_is_good(struct bytes label);

/* How many bytes of `label` make its longest beginning that is good. */
size_t label_cut(const char *label);

#endif
