/* What happens in a world, from one seed: a storm (every fault at once, then calm, then the
 * verdict) or a quiet day (hours of little talk, and what must stay true in them). */
#ifndef PALIQUE_TESTS_WORLD_STORY_H
#define PALIQUE_TESTS_WORLD_STORY_H

#include "tests/world/people.h"

struct story_result {
	char trouble[512]; /* "": all is well */
	const char *kind;
	mono_ns simulated;
	struct people_counts people;
	struct network_counts network;
	struct world_counts world;
	uint64_t directory_bytes;
	uint64_t introductions, logins;
};

/* The story of a seed: mostly storms, every fifth a quiet day, every tenth one without a directory, every
 * twentieth one with a directory that lies, one of messages that disappear, one in which
 * somebody hides and one of messages that are kept for a while. */
void story_run(uint64_t seed, struct story_result *result);

/* Two peers in fair weather say `count` texts of `size` bytes each. */
void story_talk(uint64_t seed, unsigned count, size_t size, struct story_result *result);

#endif
