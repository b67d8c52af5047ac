/* What decodes has one form only, and no forged one verifies. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "shared/device_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct device_list l;
	struct buf again = { 0 };

	if (device_list_decode(&l, bytes_of(data, size)) < 0)
		return 0;
	if (device_list_encode(&l, &again) < 0 ||
	    !bytes_equal(buf_view(&again), bytes_of(data, size)) ||
	    device_list_verify(&l) == 0 || !device_list_descends(&l, &l.identity))
		abort();
	for (unsigned i = 0; i < l.count; i++)
		if (device_list_find(&l, &l.devices[i].device) != &l.devices[i])
			abort();
	while (l.count > 0) {
		struct device_public last = l.devices[l.count / 2].device;

		if (device_list_remove(&l, &last) < 0 || device_list_find(&l, &last))
			abort();
	}
	buf_clear(&again);
	return 0;
}
