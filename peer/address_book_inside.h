/* Inside of the address book: address_book_own.c has our own records, address_book.c those of
 * others. */
#ifndef PALIQUE_PEER_ADDRESS_BOOK_INSIDE_H
#define PALIQUE_PEER_ADDRESS_BOOK_INSIDE_H

#include "peer/address_book.h"

/* What our records were made of. Compared as bytes: begin with zeros. */
struct made_of {
	struct identity_public identity;
	struct knock knock;
	uint64_t candidates, consents;
	uint8_t is_relay, has_identity;
};

struct address_book {
	struct rooms *rooms;
	struct entry **list; /* by contact, then device */
	unsigned count;
	bool is_relay;
	uint64_t number; /* the highest that was given to a record of ours */
	struct made_of made_of;
	mono_ns looked_at; /* NEVER: not yet */
	struct peer_record open, shut;
};

/* From the store; both records are made anew when they are next asked for. */
void address_book_load_own(struct address_book *b);

#endif
