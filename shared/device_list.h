/* What an account says of itself, signed by its identity: which devices are its own, and which
 * identities it had before. A device that is not in the newest list is not the account's any
 * more, whatever certificate it shows. The directory keeps the newest, contacts and the
 * account's own devices hold it too; a list with a lower version is an old one. */
#ifndef PALIQUE_SHARED_DEVICE_LIST_H
#define PALIQUE_SHARED_DEVICE_LIST_H

#include "shared/certificate.h"
#include "shared/clock.h"

enum {
	DEVICE_LIST_MAX = 16,     /* devices of one account: our choice */
	DEVICE_LIST_PAST_MAX = 4, /* identities before; the oldest is forgotten first */
	DEVICE_LIST_SIZE_MAX = 2048,
	DEVICE_LIST_LEAP = 1 << 20, /* versions that may have been missed: our choice */
};

struct listed_device {
	struct device_public device;
	wall_ms since;                         /* when it was taken in, by its own clock */
	char label[CERTIFICATE_LABEL_MAX + 1]; /* as the person calls it; as in a certificate */
};

/* An identity that this account had, and its word for the one that came after it. */
struct past_identity {
	struct identity_public identity;
	uint8_t signature[64]; /* Ed25519 over "palique-successor-v1" | old | new */
};

struct device_list {
	struct identity_public identity;
	uint64_t version; /* from 1; 0: no list at all */
	unsigned count, past_count;
	struct listed_device devices[DEVICE_LIST_MAX];
	struct past_identity past[DEVICE_LIST_PAST_MAX]; /* oldest first */
	uint8_t signature[64];
};

/* Takes a device in, or changes its label; `label` is cut as a certificate's. ERR_FULL: no
 * room. Neither version nor signature changes: see device_list_sign(). */
int device_list_add(struct device_list *l, const struct device_public *device,
		    const char *label, wall_ms since);
/* `label`, cut, or where another device has it already the first free of "label 2", "label 3" ...:
 * two devices with one name cannot be told apart. An empty one stays empty. */
void device_list_distinct(const struct device_list *l, const char *label,
			  char out[CERTIFICATE_LABEL_MAX + 1]);
/* ERR_NOT_FOUND. */
int device_list_remove(struct device_list *l, const struct device_public *device);
const struct listed_device *device_list_find(const struct device_list *l,
					     const struct device_public *device); /* or NULL */

/* One version more, signed by `by`, whose list it becomes. */
void device_list_sign(struct device_list *l, const struct identity *by);
/* `to` is the identity from now on, and `from` vouches for it; to be signed by `to` next. */
void device_list_succeed(struct device_list *l, const struct identity *from,
			 const struct identity_public *to);

/* ERR_AUTH: the list's own signature, or one of those before, does not hold. */
int device_list_verify(const struct device_list *l);
/* Whether whoever had `old` has vouched, in one step or several, for the list's identity.
 * True also for that identity itself. Only after device_list_verify(). */
bool device_list_descends(const struct device_list *l, const struct identity_public *old);

/* Whether a list of `version` can come after one of `known` (0: none): it is newer, and by not
 * more than DEVICE_LIST_LEAP. A device that was stolen can sign any number; without this it could
 * sign the highest there is, and no list could ever leave it out. */
bool device_list_follows(uint64_t version, uint64_t known);

/* The wire form (docs/protocol.md, Device list). Decoding wants all of `b`, checks form,
 * limits, labels and that no device or identity stands in it twice; not the signatures. */
int device_list_encode(const struct device_list *l, struct buf *out);
int device_list_decode(struct device_list *l, struct bytes b);

#endif
