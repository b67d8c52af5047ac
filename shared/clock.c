#include <time.h>

#include "shared/clock.h"

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
