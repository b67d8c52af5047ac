/* Whatever frames are in a stream, put together again they are the stream. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "shared/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = bytes_of(data, size), contents;
	struct buf again = { 0 };
	size_t total;

	while (frame_take(rest, &contents, &total) == 1) {
		if (frame_append(&again, contents) < 0)
			abort();
		rest = bytes_of(rest.data + total, rest.size - total);
	}
	if (!bytes_equal(buf_view(&again), bytes_of(data, size - rest.size)))
		abort();
	buf_clear(&again);
	return 0;
}
