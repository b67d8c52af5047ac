/* A network namespace of the test's own, for what needs interfaces that come and go. */
#ifndef PALIQUE_TESTS_OWN_NETWORK_H
#define PALIQUE_TESTS_OWN_NETWORK_H

/* This process moves into a fresh namespace whose loopback is up; what it opened before stays where
 * it was. NULL, or why not, for people: then the test is skipped. Not with threads running. */
const char *own_network_enter(void);
/* A command of iproute2 there, as printf(); it must succeed. */
void own_network_ip(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
