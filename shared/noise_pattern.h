/* The handshake patterns of the Noise Protocol Framework (revision 34), as a table. */
#ifndef PALIQUE_SHARED_NOISE_PATTERN_H
#define PALIQUE_SHARED_NOISE_PATTERN_H

#include "shared/bytes.h"
#include "shared/noise.h"

enum noise_token {
	NOISE_END,
	NOISE_E,
	NOISE_S,
	NOISE_EE,
	NOISE_ES,
	NOISE_SE,
	NOISE_SS,
	NOISE_PSK, /* never in the table: it comes from the name's modifiers */
};

/* Whose static key the other side knows before the first message. */
enum noise_known {
	NOISE_KNOWS_NONE = 0,
	NOISE_KNOWS_INITIATOR = 1,
	NOISE_KNOWS_RESPONDER = 2,
	NOISE_KNOWS_BOTH = 3,
};

enum { NOISE_MESSAGES_MAX = 4, NOISE_TOKENS_MAX = 5 }; /* of a pattern, of a message */

struct noise_pattern {
	char name[5];
	uint8_t known; /* enum noise_known, whose values are bits */
	/* The initiator's first; each ends with NOISE_END, as does the list. */
	uint8_t messages[NOISE_MESSAGES_MAX][NOISE_TOKENS_MAX];
};

/* By its name without modifiers, as "IK"; NULL if there is none. */
const struct noise_pattern *noise_pattern_find(struct bytes name);

unsigned noise_pattern_messages(const struct noise_pattern *pattern);

/* Whether the side with `role` sends `token` in any message. */
bool noise_pattern_sends(const struct noise_pattern *pattern, enum noise_role role,
			 enum noise_token token);

#endif
