#include "shared/noise_pattern.h"

/* Short names, so that a row reads as in the specification. */
enum { E = NOISE_E, S = NOISE_S, EE = NOISE_EE, ES = NOISE_ES, SE = NOISE_SE, SS = NOISE_SS };
enum {
	NONE = NOISE_KNOWS_NONE,
	INITIATOR = NOISE_KNOWS_INITIATOR,
	RESPONDER = NOISE_KNOWS_RESPONDER,
	BOTH = NOISE_KNOWS_BOTH,
};

/* clang-format off */
static const struct noise_pattern patterns[] = {
	/* Section 7.4: one way */
	{ "N",    RESPONDER, { { E, ES } } },
	{ "K",    BOTH,      { { E, ES, SS } } },
	{ "X",    RESPONDER, { { E, ES, S, SS } } },
	/* Section 7.5: interactive */
	{ "NN",   NONE,      { { E }, { E, EE } } },
	{ "NK",   RESPONDER, { { E, ES }, { E, EE } } },
	{ "NX",   NONE,      { { E }, { E, EE, S, ES } } },
	{ "XN",   NONE,      { { E }, { E, EE }, { S, SE } } },
	{ "XK",   RESPONDER, { { E, ES }, { E, EE }, { S, SE } } },
	{ "XX",   NONE,      { { E }, { E, EE, S, ES }, { S, SE } } },
	{ "KN",   INITIATOR, { { E }, { E, EE, SE } } },
	{ "KK",   BOTH,      { { E, ES, SS }, { E, EE, SE } } },
	{ "KX",   INITIATOR, { { E }, { E, EE, SE, S, ES } } },
	{ "IN",   NONE,      { { E, S }, { E, EE, SE } } },
	{ "IK",   RESPONDER, { { E, ES, S, SS }, { E, EE, SE } } },
	{ "IX",   NONE,      { { E, S }, { E, EE, SE, S, ES } } },
	/* Section 18.1 (appendix): deferred */
	{ "NK1",  RESPONDER, { { E }, { E, EE, ES } } },
	{ "NX1",  NONE,      { { E }, { E, EE, S }, { ES } } },
	{ "X1N",  NONE,      { { E }, { E, EE }, { S }, { SE } } },
	{ "X1K",  RESPONDER, { { E, ES }, { E, EE }, { S }, { SE } } },
	{ "XK1",  RESPONDER, { { E }, { E, EE, ES }, { S, SE } } },
	{ "X1K1", RESPONDER, { { E }, { E, EE, ES }, { S }, { SE } } },
	{ "X1X",  NONE,      { { E }, { E, EE, S, ES }, { S }, { SE } } },
	{ "XX1",  NONE,      { { E }, { E, EE, S }, { ES, S, SE } } },
	{ "X1X1", NONE,      { { E }, { E, EE, S }, { ES, S }, { SE } } },
	{ "K1N",  INITIATOR, { { E }, { E, EE }, { SE } } },
	{ "K1K",  BOTH,      { { E, ES }, { E, EE }, { SE } } },
	{ "KK1",  BOTH,      { { E }, { E, EE, SE, ES } } },
	{ "K1K1", BOTH,      { { E }, { E, EE, ES }, { SE } } },
	{ "K1X",  INITIATOR, { { E }, { E, EE, S, ES }, { SE } } },
	{ "KX1",  INITIATOR, { { E }, { E, EE, SE, S }, { ES } } },
	{ "K1X1", INITIATOR, { { E }, { E, EE, S }, { SE, ES } } },
	{ "I1N",  NONE,      { { E, S }, { E, EE }, { SE } } },
	{ "I1K",  RESPONDER, { { E, ES, S }, { E, EE }, { SE } } },
	{ "IK1",  RESPONDER, { { E, S }, { E, EE, SE, ES } } },
	{ "I1K1", RESPONDER, { { E, S }, { E, EE, ES }, { SE } } },
	{ "I1X",  NONE,      { { E, S }, { E, EE, S, ES }, { SE } } },
	{ "IX1",  NONE,      { { E, S }, { E, EE, SE, S }, { ES } } },
	{ "I1X1", NONE,      { { E, S }, { E, EE, S }, { SE, ES } } },
};
/* clang-format on */

const struct noise_pattern *noise_pattern_find(struct bytes name)
{
	size_t i;

	for (i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
		if (bytes_equal(bytes_text(patterns[i].name), name))
			return &patterns[i];
	return NULL;
}

unsigned noise_pattern_messages(const struct noise_pattern *pattern)
{
	unsigned count = 0;

	while (count < NOISE_MESSAGES_MAX && pattern->messages[count][0] != NOISE_END)
		count++;
	return count;
}

bool noise_pattern_sends(const struct noise_pattern *pattern, enum noise_role role,
			 enum noise_token token)
{
	unsigned m, i;

	for (m = role; m < NOISE_MESSAGES_MAX; m += 2)
		for (i = 0; i < NOISE_TOKENS_MAX; i++)
			if (pattern->messages[m][i] == token)
				return true;
	return false;
}
