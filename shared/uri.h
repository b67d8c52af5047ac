/* palique: links. At most 134 bytes, so that the QR code fits an 80x24 terminal.
 *
 *   palique:HOST[:PORT]?k=KEY              a directory
 *   palique:HOST[:PORT]/i/CODE?k=KEY       an invitation to it
 *   palique:HOST[:PORT]/r/CODE?k=KEY       a one-time code to set a password anew
 *   palique:NAME@HOST[:PORT]?i=IDENTITY    a contact
 *
 * KEY and IDENTITY are 32 bytes in base64url; k may be missing: then the first
 * contact pins the key (trust on first use) and says so. */
#ifndef PALIQUE_SHARED_URI_H
#define PALIQUE_SHARED_URI_H

#include "shared/address.h"
#include "shared/keys.h"
#include "shared/name.h"

enum { URI_MAX = 134, URI_HOST_MAX = 64, URI_CODE_MAX = 32 };
enum { DIRECTORY_PORT = 7272 }; /* UDP, our choice */

/* Where a directory is: "dir.example.org", "192.168.1.5:7272", "[fd00::1]:7272". */
struct directory_place {
	char host[URI_HOST_MAX + 1]; /* name or IP without brackets, lower case */
	uint16_t port;
};

enum uri_kind { URI_DIRECTORY, URI_INVITATION, URI_CONTACT, URI_RESET };

struct uri {
	enum uri_kind kind;
	struct directory_place place;
	struct name name;            /* contact */
	char code[URI_CODE_MAX + 1]; /* invitation, reset: [A-Za-z0-9_-] */
	bool has_directory_key, has_identity;
	struct device_public directory_key; /* the directory's Noise static key */
	struct identity_public identity;
};

/* Accepts a link, and as courtesy "HOST[:PORT]" and "NAME@HOST[:PORT]" without the
 * scheme. ERR_FORMAT, ERR_LIMIT, ERR_NAME. */
int uri_parse(struct uri *uri, const char *text);
int uri_print(const struct uri *uri, char out[URI_MAX + 1]);

int place_parse(struct directory_place *place, const char *text);
/* ERR_FORMAT: it is a name, which has to be resolved. */
int place_address(const struct directory_place *place, struct address *out);
/* The port only if it is not DIRECTORY_PORT. */
void place_print(const struct directory_place *place, char out[URI_HOST_MAX + 9]);

#endif
