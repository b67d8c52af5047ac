/* Token buckets, counted by the prefix of an address (a /24 or /48) and by name. The
 * table has a fixed size: where it is crowded the bucket closest to full, which says
 * least, gives way. Time is given. */
#ifndef PALIQUE_DIRECTORY_LIMITS_H
#define PALIQUE_DIRECTORY_LIMITS_H

#include "shared/address.h"
#include "shared/clock.h"
#include "shared/name.h"

/* One bucket by itself, in the storage of whom it limits. Zeroed: full. */
struct bucket {
	uint32_t used; /* tokens taken, in thousandths */
	uint32_t at;   /* when, in milliseconds that wrap */
};
struct bucket_size {
	uint32_t burst;     /* tokens in a full bucket: 1 to 1000000 */
	uint32_t refill_ms; /* one token comes back so often: 1 or more */
};
/* Takes `cost` tokens: true; or none: false, and `wait` (may be NULL) is when there
 * will be enough. */
bool bucket_take(struct bucket *b, const struct bucket_size *size, uint32_t cost, mono_ns now,
		 mono_ns *wait);
void bucket_give_back(struct bucket *b, uint32_t cost);

enum limit {
	LIMIT_LOGIN,        /* KE2 answers, by prefix and name together */
	LIMIT_LOGIN_PREFIX, /* KE2 answers, by prefix */
	LIMIT_LOGIN_NAME,   /* KE2 answers, by name, wherever from */
	LIMIT_REGISTER,     /* registrations begun, by prefix */
	LIMIT_KEY_QUERY,    /* questions for our key, by prefix */
	LIMIT_SIGHT,        /* questions of sight, by prefix */
	LIMIT_COME,         /* clients that come online, by device: each is told to others */
	LIMIT_COUNT
};
/* Beyond its bucket an attempt costs work (shared/work.h), the more the further beyond. */
enum {
	LIMITS_WORK_MIN = 17,     /* bits: some 40 ms of one core, just beyond */
	LIMITS_WORK_DEFAULT = 24, /* ... and at most: some 5 to 10 s */
	LIMITS_OVERUSE_MAX = 32,  /* times the burst: more is not counted */
};
struct limits_config {
	struct bucket_size size[LIMIT_COUNT];
	uint32_t work_bits_max; /* 0: no work is asked for, only time helps */
};
/* What holds where nothing else is said. */
struct limits_config limits_default(void);

enum { LIMITS_BUCKETS = 1 << 15, LIMITS_WAYS = 8 };

struct limits;
struct limits *limits_new(const struct limits_config *config, const uint8_t key[16]);
void limits_free(struct limits *l);
void limits_configure(struct limits *l, const struct limits_config *config);

/* 0, or ERR_BUSY and the seconds to wait. `from` and `name` as the limit counts; what it
 * does not count by may be NULL. */
int limits_take(struct limits *l, enum limit which, const struct address *from,
		const struct name *name, mono_ns now, uint32_t *retry_after);
/* Bits of work that one more costs now; 0: a token is there. */
unsigned limits_work(const struct limits *l, enum limit which, const struct address *from,
		     const struct name *name, mono_ns now);
/* Takes a token that is not there: paid for with work. */
void limits_overdraw(struct limits *l, enum limit which, const struct address *from,
		     const struct name *name, mono_ns now);
void limits_give_back(struct limits *l, enum limit which, const struct address *from,
		      const struct name *name);

#endif
