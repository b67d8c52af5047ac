/* Inside of filing, from the bottom up: filing_hash, filing_name and filing_manifest are rooms of their own;
 * filing_room.c has room for contents; filing_folder.c walks and opens within a folder; filing_source.c
 * reads, filing_sink.c stores, filing_place.c gives names, filing_look.c looks; filing.c has the table. */
#ifndef PALIQUE_PEER_FILING_INSIDE_H
#define PALIQUE_PEER_FILING_INSIDE_H

#include "peer/filing.h"
#include "peer/filing_hash.h"
#include "peer/filing_manifest.h"

struct stat;

enum { FILING_PAGE = 4096 }; /* no disk wants more of O_DIRECT */

/* --- filing_folder.c: nothing here follows a link --- */

/* As file_error(), with ERR_REFUSED for what we may not do. */
int filing_error(void);
uint64_t filing_modified(const struct stat *st); /* ns */
/* The folder, made with all above it (mode 0700) if `make`; a descriptor or an error. Links in the path
 * of the folder itself are its person's own, and are followed. */
int filing_folder(const char *path, bool make);
/* Opens `path` (relative, of safe names) within the folder `at`; with O_CREAT the folders on the way
 * are made. A descriptor or an error. */
int filing_within(int at, const char *path, int flags);
/* A file, or a folder with all in it; 0 also when it is not there. */
int filing_remove(int at, const char *name);
int filing_pread(int fd, uint64_t at, void *out, size_t size);
int filing_pwrite(int fd, uint64_t at, struct bytes data);

/* Over what is stored; not while it is at work. */
struct filing_hash *filing_sink_hash(struct filing_sink *s);

/* --- the tasks --- */

int filing_look(struct filing_work *w);
int filing_open(struct filing_work *w);
int filing_read(struct filing_work *w);
int filing_hash(struct filing_work *w);
int filing_begin(struct filing_work *w);
int filing_check(struct filing_work *w);
int filing_write(struct filing_work *w);
int filing_sync(struct filing_work *w);
int filing_finish(struct filing_work *w);
int filing_place(struct filing_work *w);
/* `path`: a name in the folder that is free. */
int filing_choose(struct filing_work *w);
int filing_clear(struct filing_work *w);

#endif
