/* How a stream ends: in order, or abandoned by one of the sides (RFC 9000 sections 3.5 and 19.4). What
 * was abandoned stays here, unseen by its owner, until the library has let go of it: that may say
 * again what was sent, out of our memory. */
#ifndef PALIQUE_SHARED_LINK_ABANDON_H
#define PALIQUE_SHARED_LINK_ABANDON_H

#include <stdint.h>

struct link;
struct stream;

/* link_abandon() (shared/endpoint.h) is here, too.
 *
 * The other side has cut off one direction or both: we do not go on with the other either, and our
 * owner is told, if it has heard of the stream. */
void link_abandoned(struct link *l, struct stream *s, uint64_t code);

/* Gone from both sides: it is kept until its end has been read, or its being abandoned been told. */
void link_release_if_done(struct link *l, struct stream *s);

#endif
