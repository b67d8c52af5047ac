#include <string.h>

#include "peer/image_inside.h"

enum {
	SOI_SIZE = 2,
	MARKERS_MAX = 64, /* looked at; Exif stands before the others by its own rule */
	APP1 = 0xe1,
	SOS = 0xda,
	ORIENTATION = 0x0112,
	SHORT = 3,
	ENTRY_SIZE = 12,
};

static uint32_t number(const uint8_t *at, unsigned size, bool is_little)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value = value << 8 | at[is_little ? size - 1 - i : i];
	return value;
}

/* TIFF 6.0, section 2: a header, and the first directory of twelve bytes an entry. */
static unsigned orientation_in(struct bytes tiff)
{
	bool is_little;
	uint32_t at, count, value;

	if (tiff.size < 8 ||
	    (memcmp(tiff.data, "II*\0", 4) != 0 && memcmp(tiff.data, "MM\0*", 4) != 0))
		return 1;
	is_little = tiff.data[0] == 'I';
	at = number(tiff.data + 4, 4, is_little);
	if (at > tiff.size - 2)
		return 1;
	count = number(tiff.data + at, 2, is_little);
	at += 2;
	for (; count && tiff.size - at >= ENTRY_SIZE; count--, at += ENTRY_SIZE) {
		const uint8_t *entry = tiff.data + at;

		if (number(entry, 2, is_little) != ORIENTATION)
			continue;
		value = number(entry + 8, 2, is_little);
		return number(entry + 2, 2, is_little) == SHORT && value >= 1 && value <= 8
			       ? value
			       : 1;
	}
	return 1;
}

unsigned image_exif_orientation(struct bytes jpeg)
{
	size_t at = SOI_SIZE;

	for (int i = 0; i < MARKERS_MAX && at + 4 <= jpeg.size; i++) {
		const uint8_t *marker = jpeg.data + at;
		size_t size = number(marker + 2, 2, false);

		if (marker[0] != 0xff || marker[1] == SOS)
			break;
		if (marker[1] == 0xff) { /* a filler */
			at++;
			continue;
		}
		if (size < 2 || size > jpeg.size - at - 2)
			break;
		if (marker[1] == APP1 && size >= 8 && memcmp(marker + 4, "Exif\0\0", 6) == 0)
			return orientation_in(bytes_of(marker + 10, size - 8));
		at += 2 + size;
	}
	return 1;
}
