/* Folders: what a machine that dies leaves behind. */
#ifndef PALIQUE_TESTS_WORLD_DISK_H
#define PALIQUE_TESTS_WORLD_DISK_H

#include <stdbool.h>
#include <stddef.h>

/* Makes the folder `to` with all that is in `from` as it is now: what a process killed at
 * this moment would leave. Aborts on failure. */
void disk_copy(const char *from, const char *to);
void disk_remove(const char *folder);
/* Whether a file in it, or in a folder in it, has these bytes. */
bool disk_holds(const char *folder, const void *bytes, size_t size);

#endif
