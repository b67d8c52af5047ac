/* The lower rooms of one peer, without an engine: a store in memory, an account, its contacts,
 * addresses and the address book. What a room above needs besides, its test has in place of it:
 * the endpoint's and reach's functions are the test's own. */
#ifndef PALIQUE_TESTS_SMALL_HOME_H
#define PALIQUE_TESTS_SMALL_HOME_H

#include "peer/address_book.h"
#include "peer/network.h"

#define SMALL_HOME_WALL ((wall_ms)1800000000000) /* 2027 */

struct small_home {
	struct rooms rooms;
	struct name name;
	struct identity identity;
	struct device device;
	struct knock knock;
	struct device_list devices;
	struct network network;
};

void small_home_begin(struct small_home *h, const char *name);
/* Another device of the account; the first learns of it, too. */
void small_home_begin_sibling(struct small_home *h, const char *name, struct small_home *first);
void small_home_end(struct small_home *h);
/* All rooms begin anew on the same store. */
void small_home_restart(struct small_home *h);
void small_home_commit(struct small_home *h);

/* A contact, both ways open on this side. */
struct person *small_home_meet(struct small_home *h, const struct small_home *other);
struct person *small_home_person(struct small_home *h, const struct small_home *other);
/* Their list is of now; of our own account, too. */
void small_home_hears_list(struct small_home *h, const struct small_home *other);
/* One interface more, of index `link`, with this address (as text, without port). */
void small_home_plug(struct small_home *h, const char *address, uint32_t link);
/* A record of the device of `h`, signed by it. */
struct peer_record small_home_record(const struct small_home *h, uint64_t number);
struct address small_address(const char *text);

#endif
