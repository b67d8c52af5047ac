/* What the child does with one image, from its first byte to the thumbnail. A PNG's checksums are
 * put right after each mutation: else little else would be found than that they are wrong. */
#include <assert.h>
#include <string.h>

#include "peer/image_inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

/* Of a chunk's name and data (PNG 1.2, section 3.4). */
static uint32_t checksum(const uint8_t *data, size_t size)
{
	uint32_t crc = 0xffffffff;

	for (; size; size--) {
		crc ^= *data++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	size_t at = 8;

	(void)seed;
	size = LLVMFuzzerMutate(data, size, most);
	if (image_sniff(bytes_of(data, size)) != IMAGE_PNG)
		return size;
	while (size - at >= 12) {
		uint32_t length = (uint32_t)data[at] << 24 | (uint32_t)data[at + 1] << 16 |
				  (uint32_t)data[at + 2] << 8 | data[at + 3];
		uint32_t crc;

		if (length > size - at - 12)
			break;
		crc = checksum(data + at + 4, length + 4);
		at += 8 + length;
		for (int i = 0; i < 4; i++)
			data[at++] = (uint8_t)(crc >> (24 - i * 8));
	}
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct image_task task = { .side = 48, .pixels_max = 1 << 18 };
	struct image image = { .file = bytes_of(data, size), .task = &task };
	struct buf out = { 0 };
	enum image_kind kind;

	if (image_decode(&image, &kind) == 0) {
		assert(image.width && image.height);
		assert((uint64_t)image.width * image.height <= task.pixels_max);
		assert(image.small.width && image.small.width <= task.side);
		assert(image.small.height && image.small.height <= task.side);
		assert(image_encode(&image, &out) == 0);
		assert(out.size > 0 && out.size <= IMAGE_THUMBNAIL_MAX);
	}
	buf_clear(&out);
	image_clear(&image);
	return 0;
}
