/* A name that a person may type is, lower-cased, one that may stand on the wire. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "shared/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct name typed, sent;

	if (name_parse(&typed, bytes_of(data, size)) < 0) {
		if (name_check(&sent, bytes_of(data, size)) == 0)
			abort();
		return 0;
	}
	if (name_check(&sent, bytes_text(typed.text)) < 0 || !name_equal(&typed, &sent))
		abort();
	return 0;
}
