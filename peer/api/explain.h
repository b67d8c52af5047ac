/* A failed call in words for people, and what to type next. */
#ifndef PALIQUE_PEER_API_EXPLAIN_H
#define PALIQUE_PEER_API_EXPLAIN_H

#include <stddef.h>

/* `method` failed with `err` over `subject` (may be ""); `next` "": nothing to type. */
void explain(const char *method, int err, const char *subject, char *message,
	     size_t message_size, char *next, size_t next_size);

#endif
