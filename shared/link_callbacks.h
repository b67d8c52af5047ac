/* What the library asks and tells of one link: its table of callbacks. */
#ifndef PALIQUE_SHARED_LINK_CALLBACKS_H
#define PALIQUE_SHARED_LINK_CALLBACKS_H

#include "shared/quic_compat.h"

struct link;

/* The library's user data is the struct link. */
ngtcp2_callbacks link_callbacks(bool is_server);

#endif
