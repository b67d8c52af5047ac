#include "peer/image.h"

#include <string.h>

static const char *const types[] = {
	[IMAGE_PNG] = "image/png",
	[IMAGE_JPEG] = "image/jpeg",
	[IMAGE_WEBP] = "image/webp",
};

enum image_kind image_sniff(struct bytes head)
{
	if (head.size >= 8 && memcmp(head.data, "\x89PNG\r\n\x1a\n", 8) == 0)
		return IMAGE_PNG;
	if (head.size >= 3 && memcmp(head.data, "\xff\xd8\xff", 3) == 0)
		return IMAGE_JPEG;
	if (head.size >= 16 && memcmp(head.data, "RIFF", 4) == 0 &&
	    memcmp(head.data + 8, "WEBPVP8", 7) == 0)
		return IMAGE_WEBP;
	return IMAGE_NONE;
}

const char *image_type(enum image_kind kind)
{
	return (unsigned)kind < sizeof types / sizeof types[0] ? types[kind] : NULL;
}
