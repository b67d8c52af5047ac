#include "shared/nearest.h"

#include <stdbool.h>
#include <string.h>

/* More mistakes than that and it was another word; half of a short one must be right. */
static unsigned worst(const char *typed)
{
	size_t size = strlen(typed);

	return size < 3 ? 0 : size < 4 ? 1 : 2;
}

void nearest_begin(struct nearest *n, const char *typed)
{
	*n = (struct nearest){ .typed = typed, .distance = worst(typed) + 1 };
}

static bool begins_with(const char *word, const char *start)
{
	return strlen(start) >= 2 && strncmp(word, start, strlen(start)) == 0;
}

void nearest_offer(struct nearest *n, const char *word)
{
	unsigned distance = begins_with(word, n->typed) ? 0 : nearest_distance(n->typed, word);

	if (distance < n->distance) {
		n->distance = distance;
		n->word = word;
	}
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: Damerau-Levenshtein without edits inside a swap. */
unsigned nearest_distance(const char *a, const char *b)
{
	unsigned cost[NEAREST_SIZE_MAX + 1][NEAREST_SIZE_MAX + 1];
	size_t m = strlen(a), n = strlen(b);

	if (m > NEAREST_SIZE_MAX || n > NEAREST_SIZE_MAX)
		return NEAREST_SIZE_MAX;
	for (unsigned i = 0; i <= m; i++) {
		for (unsigned k = 0; k <= n; k++) {
			if (i == 0 || k == 0) {
				cost[i][k] = i + k;
				continue;
			}
			cost[i][k] = least(least(cost[i - 1][k], cost[i][k - 1]) + 1,
					   cost[i - 1][k - 1] + (a[i - 1] != b[k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				cost[i][k] = least(cost[i][k], cost[i - 2][k - 2] + 1);
		}
	}
	return cost[m][n];
}
