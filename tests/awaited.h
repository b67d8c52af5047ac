/* What a bench waits for has a name and an end: SIGALRM. */
#ifndef PALIQUE_TESTS_AWAITED_H
#define PALIQUE_TESTS_AWAITED_H

enum { AWAITED_S = 300 };

/* Unless awaited_came() is called within AWAITED_S, the program says that `what` never came, and exits.
 * `what` is borrowed until then. */
void awaited(const char *what);
void awaited_came(void);

#endif
