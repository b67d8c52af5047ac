/* A link that is taken is printed in a form that is taken as the same link. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[URI_MAX + 64], out[URI_MAX + 1], again[URI_MAX + 1];
	struct uri uri, second;

	if (size >= sizeof text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (uri_parse(&uri, text) < 0 || uri_print(&uri, out) < 0)
		return 0;
	if (uri_parse(&second, out) < 0 || memcmp(&uri, &second, sizeof uri) != 0)
		abort();
	if (uri_print(&second, again) < 0 || strcmp(out, again) != 0)
		abort();
	return 0;
}
