/* Where everybody is, as last heard: the newest signed record of each device of each contact, and
 * of our other devices, kept in the store, so that people find each other again when the
 * directory does not help; and our own record, made anew whenever something of it changed. */
#ifndef PALIQUE_PEER_ADDRESS_BOOK_H
#define PALIQUE_PEER_ADDRESS_BOOK_H

#include "peer/person.h"
#include "peer/rooms.h"
#include "shared/peer_record.h"

struct address_book;

struct address_book *address_book_new(struct rooms *rooms);
void address_book_free(struct address_book *b);
void address_book_reload(struct address_book *b); /* after a rollback */

/* Ours: with our addresses, and without any. NULL while we have no identity. Signed when first
 * asked for in a step after a change; the number rises, and that of the open one is above that of
 * the shut one. A change of anybody's consent is one too: else who had the open one would not
 * take the shut one. */
const struct peer_record *address_book_open(struct address_book *b);
const struct peer_record *address_book_shut(struct address_book *b);
/* At the end of a step, before the commit: looks for changes that came behind the first question,
 * so that nothing is to be signed after it. */
void address_book_settle(struct address_book *b);
/* Whether a contact may know our addresses: which of both it is given; NULL: neither. */
const struct peer_record *address_book_for(struct address_book *b, const struct person *p);

/* Whether our records say that we relay (relay.c tells). */
void address_book_set_relay(struct address_book *b, bool is_relay);

/* A record of one of the person's devices, from wherever. Checked: signed by their identity, the
 * device theirs, newer than what we have; then kept. Returns whether it is now the newest (or
 * was known just so). Our clock has no say: theirs or ours may be years wrong, and they would be
 * reached by nobody. */
bool address_book_learn(struct address_book *b, const struct person *p,
			const struct peer_record *record);
/* The newest known; NULL: none. Valid until the next of the device is learned, a person is
 * forgotten, or all is reloaded. */
const struct peer_record *address_book_of(struct address_book *b, const struct person *p,
					  const struct device_public *device);
/* Also where the device was last seen to answer from: tried first when nothing newer is known. */
void address_book_saw(struct address_book *b, const struct person *p,
		      const struct device_public *device, const struct address *at);
bool address_book_last(struct address_book *b, const struct person *p,
		       const struct device_public *device, struct address *at);
/* The person goes, or has another identity. */
void address_book_forget(struct address_book *b, struct person *p);

/* The pair key with the person, made when first asked for; NULL: no identity, or no good one. */
const struct symmetric_key *address_book_pair(struct address_book *b, struct person *p);

#endif
