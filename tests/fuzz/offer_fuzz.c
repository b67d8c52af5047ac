#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/offer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken comes out as it went in. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again = { 0 };
	struct offer offer;

	if (offer_decode(&offer, bytes_of(data, size)) == 0) {
		struct offer second;

		assert(offer_encode(&offer, &again) == 0);
		assert(offer_decode(&second, buf_view(&again)) == 0);
		assert(second.size == offer.size && bytes_equal(second.name, offer.name));
	}
	buf_clear(&again);
	return 0;
}
