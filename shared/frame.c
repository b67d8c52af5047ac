#include "shared/frame.h"

#include <string.h>

#include "shared/error.h"

int frame_append(struct buf *out, struct bytes contents)
{
	uint8_t *room;

	if (contents.size == 0)
		return ERR_FORMAT;
	if (contents.size > FRAME_MAX)
		return ERR_LIMIT;
	room = buf_room(out, FRAME_HEADER + contents.size);
	if (!room)
		return ERR_LIMIT;
	room[0] = 0;
	room[1] = (uint8_t)(contents.size >> 16);
	room[2] = (uint8_t)(contents.size >> 8);
	room[3] = (uint8_t)contents.size;
	memcpy(room + FRAME_HEADER, contents.data, contents.size);
	buf_grew(out, FRAME_HEADER + contents.size);
	return 0;
}

int frame_take(struct bytes stream, struct bytes *contents, size_t *total)
{
	uint32_t size;

	if (stream.size < FRAME_HEADER)
		return 0;
	size = (uint32_t)stream.data[0] << 24 | (uint32_t)stream.data[1] << 16 |
	       (uint32_t)stream.data[2] << 8 | stream.data[3];
	if (size == 0)
		return ERR_FORMAT;
	if (size > FRAME_MAX)
		return ERR_LIMIT;
	if (stream.size - FRAME_HEADER < size)
		return 0;
	*contents = bytes_of(stream.data + FRAME_HEADER, size);
	*total = FRAME_HEADER + size;
	return 1;
}
