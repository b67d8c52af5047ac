#include "shared/words.h"

#include <string.h>

int words_find(const char list[WORDS_COUNT][WORDS_MAX + 1], const char *typed)
{
	int low = 0, high = WORDS_COUNT - 1;
	size_t size = strlen(typed);

	if (size < WORDS_PREFIX)
		return -1;
	while (low <= high) {
		int middle = (low + high) / 2;
		int order = memcmp(list[middle], typed, WORDS_PREFIX);

		if (order == 0)
			return strncmp(list[middle], typed, size) == 0 ? middle : -1;
		if (order < 0)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return -1;
}
