/* text_safe(): whatever comes in, well-formed UTF-8 without controls comes out. */
#include <stdlib.h>
#include <string.h>

#include "shared/bytes.h"
#include "shared/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool lines = size && (data[0] & 1);
	char *safe = text_safe((const char *)data, size, lines);
	char *again = text_safe(safe, strlen(safe), lines);

	if (!bytes_is_utf8(bytes_text(safe)) || strcmp(safe, again) != 0)
		abort();
	for (const char *c = safe; *c; c++)
		if (((uint8_t)*c < 0x20 || *c == 0x7f) &&
		    !(lines && (*c == '\n' || *c == '\t')))
			abort();
	free(safe);
	free(again);
	return 0;
}
