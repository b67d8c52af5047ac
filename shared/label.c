#include "shared/label.h"

#include <string.h>

/* UTF-8 without C0, DEL or C1 (U+0080 to U+009F is c2 80 to c2 9f). */
bool label_is_good(struct bytes label)
{
	if (label.size > LABEL_MAX || !bytes_is_utf8(label))
		return false;
	for (size_t i = 0; i < label.size; i++) {
		if (label.data[i] < 0x20 || label.data[i] == 0x7f)
			return false;
		if (label.data[i] == 0xc2 && label.data[i + 1] < 0xa0)
			return false;
	}
	return true;
}

size_t label_cut(const char *label)
{
	size_t length = strnlen(label, LABEL_MAX);

	while (!label_is_good(bytes_of(label, length)))
		length--;
	return length;
}
