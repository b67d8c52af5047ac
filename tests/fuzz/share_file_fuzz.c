/* A share that somebody kept in a drawer: refused, or what is printed of it means the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "directory/share_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct share_file f, again;
	struct buf text = { 0 };

	if (share_file_parse(&f, bytes_of(data, size)) < 0)
		return 0;
	share_file_print(&text, &f);
	if (share_file_parse(&again, buf_view(&text)) < 0 || memcmp(&f, &again, sizeof f) != 0)
		abort();
	buf_clear(&text);
	return 0;
}
