/* What is read can be printed, and what was printed is read as the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *first, *second;
	char *text, *again;

	if (json_parse(&first, bytes_of(data, size)) < 0)
		return 0;
	text = json_print(first);
	if (strchr(text, '\n') || json_parse(&second, bytes_text(text)) < 0)
		abort();
	again = json_print(second);
	if (strcmp(text, again) != 0)
		abort();
	free(text);
	free(again);
	json_free(first);
	json_free(second);
	return 0;
}
