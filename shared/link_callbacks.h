/* What the library asks and tells of one link: its table of callbacks. */
#ifndef PALIQUE_SHARED_LINK_CALLBACKS_H
#define PALIQUE_SHARED_LINK_CALLBACKS_H

#include "shared/link_stream.h"
#include "shared/quic_compat.h"

struct link;

/* The library's user data is the struct link. */
ngtcp2_callbacks link_callbacks(bool is_server);

/* Frees a stream that is gone from the library once its end has been read; the other
 * side may then open another. */
void link_release_if_done(struct link *l, struct stream *s);

#endif
