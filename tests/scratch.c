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

unsigned count_in(const char *folder)
{
	char command[300], line[300];
	unsigned count = 0;
	FILE *out;

	snprintf(command, sizeof command, "ls -A '%s' 2>/dev/null", folder);
	out = popen(command, "r");
	while (fgets(line, sizeof line, out))
		count++;
	pclose(out);
	return count;
}
