/* A folder in /tmp of a test program's own, for cmocka_run_group_tests(): made before its tests
 * (with libsodium begun, and files for the owner alone), and gone behind them with all that is
 * in it. */
#ifndef PALIQUE_TESTS_SCRATCH_H
#define PALIQUE_TESTS_SCRATCH_H

extern char scratch[]; /* its path */

int scratch_begin(void **state);
int scratch_end(void **state);

/* How much is in a folder, hidden or not; 0: there is none. */
unsigned count_in(const char *folder);

#endif
