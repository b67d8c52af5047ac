/* What is taken has exactly one form. */
#include <stdlib.h>

#include "shared/peer_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct identity_public somebody = { { 1 } };
	struct peer_record r;
	struct buf again = { 0 };

	if (peer_record_decode(&r, bytes_of(data, size)) < 0)
		return 0;
	if (peer_record_encode(&r, &again) < 0 ||
	    !bytes_equal(buf_view(&again), bytes_of(data, size)))
		abort();
	if (!peer_record_equal(&r, &r) || peer_record_verify(&r, &somebody) == 0)
		abort();
	buf_clear(&again);
	return 0;
}
