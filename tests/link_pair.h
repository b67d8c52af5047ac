/* One network and two endpoints in it, to be linked: the set-ups of the tests of links. */
#ifndef PALIQUE_TESTS_LINK_PAIR_H
#define PALIQUE_TESTS_LINK_PAIR_H

#include "tests/link_net.h"

extern struct net wires;

/* Set-ups: nobody yet; two that admit each other; these, linked; one that admits who it knows, and a
 * directory, which admits anybody. */
int nobody(void **state);
int two_peers(void **state);
int two_linked(void **state);
int device_and_directory(void **state);
int net_end(void **state);

#define EMPTY(f)     cmocka_unit_test_setup_teardown(f, nobody, net_end)
#define PEERS(f)     cmocka_unit_test_setup_teardown(f, two_peers, net_end)
#define LINKED(f)    cmocka_unit_test_setup_teardown(f, two_linked, net_end)
#define DIRECTORY(f) cmocka_unit_test_setup_teardown(f, device_and_directory, net_end)

bool both_up(struct net *n);
/* Number 0 dials; both are up. */
void connect_both(void);
/* The same, and what there is to say behind a handshake has been said. */
void settle_both(void);
/* What is said on the control stream arrives. */
void assert_works(unsigned from, unsigned to);

#endif
