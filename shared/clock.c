#include <time.h>

#include "shared/clock.h"

wall_ms wall_shown(wall_ms when)
{
	const wall_ms last = 253370764800000; /* 9999-01-01: that year everywhere on earth */

	return when < 0 ? 0 : when > last ? last : when;
}

mono_ns clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (mono_ns)t.tv_sec * SECOND + (mono_ns)t.tv_nsec;
}

wall_ms clock_wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (wall_ms)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
