/* Files that are whole or not there: reading and writing all of it, and giving a finished one
 * its name. */
#ifndef PALIQUE_SHARED_FILE_H
#define PALIQUE_SHARED_FILE_H

#include "shared/bytes.h"

/* What a failed call of the system means, by errno: ERR_FULL (also a quota, or a limit on the
 * size of files), ERR_NOT_FOUND, ERR_EXISTS, else ERR_IO. */
int file_error(void);

/* All of it, or an error. */
int file_write(int fd, struct bytes all);
/* Exactly `size` bytes; ERR_CORRUPT: there are fewer. */
int file_read(int fd, void *out, size_t size);

/* Gives the finished file `from` the name `to` in the same folder, durably. Unless `replace`, a
 * file of that name stays: ERR_EXISTS. */
int file_place(const char *from, const char *to, bool replace);
/* What happened to names in the folder of `path` is on disk. */
void file_sync_folder(const char *path);

#endif
