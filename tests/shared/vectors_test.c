/* Published vectors, from $PALIQUE_VECTORS or tests/vectors. */
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "tests/vectors_run.h"

int main(void)
{
	const char *folder = getenv("PALIQUE_VECTORS");
	unsigned passed, failed;

	if (sodium_init() < 0)
		abort();
	failed = vectors_run_folder(folder && folder[0] != '\0' ? folder : "tests/vectors",
				    &passed);
	printf("%u passed, %u failed\n", passed, failed);
	return failed > 0;
}
