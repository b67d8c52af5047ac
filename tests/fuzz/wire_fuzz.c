/* The first byte says who sends; what is decoded must have exactly one form. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "shared/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire_message m;
	struct buf again = { 0 };
	struct bytes in;

	if (size == 0)
		return 0;
	in = bytes_of(data + 1, size - 1);
	if (wire_decode(&m, in, (enum wire_side)(1 << (data[0] % 4))) < 0)
		return 0;
	if (wire_encode(&m, &again) < 0 || !bytes_equal(buf_view(&again), in))
		abort();
	if (m.type == WIRE_SAY)
		message_hash(&m.say);
	buf_clear(&again);
	return 0;
}
