/* What SAY_FILE carries: a file or a folder that can be fetched by its id. As a msgpack array of the fields in
 * this order. */
#ifndef PALIQUE_SHARED_OFFER_H
#define PALIQUE_SHARED_OFFER_H

#include "shared/bytes.h"

enum {
	OFFER_ID_SIZE = 16,
	OFFER_NAME_MAX = 255, /* bytes of UTF-8 */
	OFFER_TYPE_MAX = 127, /* RFC 6838 section 4.2 */
	OFFER_CAPTION_MAX = 4096,
	OFFER_ALT_MAX = 1000,
	OFFER_THUMBNAIL_MAX = 24 << 10,
	OFFER_FILES_MAX = 100000, /* in a folder */
	OFFER_MANIFEST_MAX = 32 << 20,
};
#define OFFER_SIZE_MAX ((uint64_t)1 << 50)

struct offer {
	uint8_t id[OFFER_ID_SIZE]; /* random */
	uint64_t size;             /* of the contents; a folder's begin with its manifest */
	bool is_folder;
	uint32_t files,
		manifest;     /* a folder: how many files, and bytes of the manifest; else 0 */
	struct bytes name;    /* as its owner calls it: 1 byte at least, not to be believed */
	struct bytes type;    /* MIME, not to be believed; may be empty */
	struct bytes caption; /* text said with it; may be empty */
	struct bytes alt;     /* what an image shows, in words; may be empty */
	uint32_t width, height; /* an image's; else 0 */
	struct bytes thumbnail; /* not to be believed (peer/image.h); may be empty */
};

/* ERR_LIMIT, ERR_FORMAT: a field is not what the reader would take. */
int offer_encode(const struct offer *offer, struct buf *out);
/* Views point into `b`. */
int offer_decode(struct offer *offer, struct bytes b);

#endif
