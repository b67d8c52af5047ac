/* What decodes has one form only, and no forged one verifies. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "shared/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct certificate c;
	struct buf again = { 0 };

	if (certificate_decode(&c, bytes_of(data, size)) < 0)
		return 0;
	if (certificate_encode(&c, &again) < 0 ||
	    !bytes_equal(buf_view(&again), bytes_of(data, size)) || certificate_verify(&c) == 0)
		abort();
	buf_clear(&again);
	return 0;
}
