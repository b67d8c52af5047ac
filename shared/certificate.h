/* An identity vouches for a device: the identity key's signature over the device
 * key, its label, a serial and the last moment it holds. */
#ifndef PALIQUE_SHARED_CERTIFICATE_H
#define PALIQUE_SHARED_CERTIFICATE_H

#include "shared/clock.h"
#include "shared/keys.h"
#include "shared/label.h"

enum { CERTIFICATE_LABEL_MAX = LABEL_MAX };
enum { CERTIFICATE_SIZE_MAX = 32 + 32 + 8 + 8 + 1 + CERTIFICATE_LABEL_MAX + 64 };

struct certificate {
	struct identity_public identity;
	struct device_public device;
	uint64_t serial;
	wall_ms not_after; /* 0: does not end by itself */
	char label[CERTIFICATE_LABEL_MAX + 1];
	uint8_t signature[64];
};

/* Fills and signs. `label` is cut at the limit, at a character's boundary, and before the
 * first character that may not stand in one. */
void certificate_make(struct certificate *c, const struct identity *by,
		      const struct device_public *device, const char *label, uint64_t serial,
		      wall_ms not_after);

/* ERR_AUTH: the signature does not hold. Says nothing about time. */
int certificate_verify(const struct certificate *c);
/* Whether it has not run out by `now`. */
bool certificate_holds(const struct certificate *c, wall_ms now);

/* The wire form (docs/protocol.md, Certificate). Decoding wants all of `b`, checks
 * form and limits, not the signature. */
int certificate_encode(const struct certificate *c, struct buf *out);
int certificate_decode(struct certificate *c, struct bytes b);

#endif
