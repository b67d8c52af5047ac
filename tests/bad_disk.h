/* A disk that can be spoilt: a VFS beneath everything that SQLite opens in this process. It
 * remembers what was written since the last sync, so that a power cut can take it away; it fills up,
 * fails, or is in use by another process, at a moment that is planned. Disks are folders: each
 * machine of a test has one. */
#ifndef PALIQUE_TESTS_BAD_DISK_H
#define PALIQUE_TESTS_BAD_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum bad_disk_fault {
	BAD_DISK_WELL,
	BAD_DISK_POWER, /* what the disk held then is in `image`; nothing is written any more */
	BAD_DISK_FULL,  /* half of a write comes through, and no room for the rest */
	BAD_DISK_FAILS, /* an I/O error */
	BAD_DISK_LOCKED, /* another process has it */
};

/* Operations, as bits. */
enum {
	BAD_DISK_READS = 1,
	BAD_DISK_WRITES = 2, /* and truncations */
	BAD_DISK_SYNCS = 4,
	BAD_DISK_LOCKS = 8,
};

struct bad_disk_plan {
	enum bad_disk_fault fault;
	unsigned operations; /* which are counted, and struck */
	uint64_t after;      /* so many go well first ... */
	uint64_t count;      /* ... and so many are struck; 0: all */
	const char *image;   /* BAD_DISK_POWER: a folder, made then; stays the caller's */
	uint64_t seed;       /* ... and what is lost */
};

/* Before the first database is opened: SQLite's own VFS lies beneath, db_seal's above. */
void bad_disk_begin(void);

/* From now on; counting begins anew. BAD_DISK_WELL ends it. */
void bad_disk_plan(const char *folder, const struct bad_disk_plan *plan);
/* How many operations of the plan's kinds there were since then; how many it has struck. */
uint64_t bad_disk_seen(const char *folder);
uint64_t bad_disk_struck(const char *folder);

/* Of the operations that a test would strike one after the other it strikes each so many-th: 1, or as the
 * environment's PALIQUE_FAULT_STRIDE says, for builds that are slow. */
uint64_t bad_disk_stride(void);

/* SQLite keeps hardly a page in memory from now on, and reads all the more; or as ever. */
void bad_disk_read_often(bool often);

/* The power is gone now: `to` (made here) gets what the disk of `from` holds. Each write since the
 * last sync of its file, or each sector of it, is there or is not. `from` stays, for a process that
 * does not know yet: nothing that it writes there counts. Files that are not SQLite's, and folders within, are there whole. */
void bad_disk_lose_power(const char *from, const char *to, uint64_t seed);
/* No file of it is open any more. */
void bad_disk_forget(const char *folder);

#endif
