#include "tests/scratch.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

char scratch[] = "/tmp/palique-test-XXXXXX";

int scratch_begin(void **state)
{
	(void)state;
	umask(077);
	return sodium_init() < 0 || !mkdtemp(scratch) ? -1 : 0;
}

int scratch_end(void **state)
{
	char command[sizeof scratch + 16];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", scratch);
	return system(command);
}
