/* Messages of every type of shared/wire.h with random fields within their limits, the same ones in
 * each run. Views in them are valid until the next message. */
#ifndef PALIQUE_TESTS_ANY_MESSAGE_H
#define PALIQUE_TESTS_ANY_MESSAGE_H

#include "shared/wire.h"

/* Every type, once, and who may send it (enum wire_side, or-ed). */
struct any_row {
	enum wire_type type;
	unsigned from;
};
extern const struct any_row any_rows[];
extern const size_t any_row_count;

void any_begin(void);
/* The row of a type that has one. */
size_t any_row_of(enum wire_type type);
/* One of those who may send it. */
enum wire_side any_sender(size_t row);

/* A message of that row; `out` becomes its bytes. Asserts that they fit into a frame. */
void any_message(struct wire_message *m, struct buf *out, size_t row);
void any_say_of(struct wire_say *s, enum say_kind kind);
void any_device_list(struct device_list *l);
void any_device(struct wire_device *d, bool has_record);

#endif
