/* What is said beside the chains and not kept in them: how far something was read (READ), and that
 * somebody types (TYPING). Said over links that are there, on link up and when it changes; our own devices are
 * called to hear what was read. Heard, believed as far as it can be true, and forgotten again if it is only of
 * the moment. */
#ifndef PALIQUE_PEER_MARKS_H
#define PALIQUE_PEER_MARKS_H

#include "peer/person.h"
#include "peer/rooms.h"
#include "shared/wire.h"

/* That we type is said again so often, and taken back when nobody says it for so long; that they
 * do is forgotten after so long. */
#define MARKS_TYPING_AGAIN   (3 * SECOND)
#define MARKS_TYPING_SILENCE (6 * SECOND)
#define MARKS_TYPING_HEARD   (10 * SECOND)
/* What could not be believed yet is looked at again when something comes, and so often, ever less. */
#define MARKS_LATER      (1 * SECOND)
#define MARKS_LATER_MOST (64 * SECOND)

struct marks;
struct marks *marks_new(struct rooms *rooms);
void marks_free(struct marks *m); /* NULL is harmless */
/* After a rollback. */
void marks_reload(struct marks *m);

/* In the transaction. The person here has read what they said, up to and with this message. */
void marks_read(struct marks *m, struct person *p, uint64_t up_to);
/* Whether read marks go to them, or to all who have no rule of their own, was decided anew. */
void marks_changed(struct marks *m, struct person *p);
void marks_type(struct marks *m, struct person *p, bool is_typing);

struct way;
/* READ or TYPING. Below 0: it breaks the protocol. */
int marks_hear(struct marks *m, struct way *from, const struct wire_message *message);
/* Says what is due; when to be called again. */
mono_ns marks_step(struct marks *m);

void marks_fill(const struct marks *m, const struct person *p, struct contact *out);

#endif
