/* How time is written down. Cores are given time; only shells read a clock. */
#ifndef PALIQUE_SHARED_CLOCK_H
#define PALIQUE_SHARED_CLOCK_H

#include <stdint.h>

/* Monotonic time in nanoseconds, for deadlines and durations. QUIC counts so,
 * and one unit everywhere cannot be mixed up. */
typedef uint64_t mono_ns;

/* Milliseconds since 1970-01-01 UTC, for people. May jump; decides nothing. */
typedef int64_t wall_ms;

#define MILLISECOND ((mono_ns)1000000)
#define SECOND      ((mono_ns)1000000000)
#define NEVER       ((mono_ns)UINT64_MAX)

/* A moment as it is written for people and other programs. What others say may lie where no calendar reaches: a page's
 * dates end in the year 275760, Python's in 9999, and neither shows anything of a text that was said later. It is
 * moved to 1970, or to the beginning of 9999. */
static inline wall_ms wall_shown(wall_ms when)
{
	const wall_ms last = 253370764800000; /* 9999-01-01: that year everywhere on earth */

	return when < 0 ? 0 : when > last ? last : when;
}

/* For shells, and programs that are one. */
mono_ns clock_now(void);
wall_ms clock_wall(void);

static inline mono_ns mono_earlier(mono_ns a, mono_ns b)
{
	return a < b ? a : b;
}

#endif
