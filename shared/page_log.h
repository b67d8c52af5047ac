/* What is in a sealed write-ahead log, seen without SQLite. */
#ifndef PALIQUE_SHARED_PAGE_LOG_H
#define PALIQUE_SHARED_PAGE_LOG_H

#include "shared/page.h"

struct page_log {
	bool is_ours;          /* some frame opens */
	bool has_first;        /* SQLite will find the first page in it */
	unsigned commits_lost; /* finished transactions from a bad frame or header on */
	bool is_headless;      /* the header is bad: it is synced before any frame comes */
};

/* The log of the store at `path`. One that is not there is an empty one. */
void page_log_look(struct page_log *out, const struct page_keys *k, const char *path);

#endif
