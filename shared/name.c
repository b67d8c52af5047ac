#include "shared/name.h"

#include <string.h>

#include "shared/error.h"

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

int name_check(struct name *name, struct bytes text)
{
	struct name checked = { 0 };

	if (text.size < NAME_MIN || text.size > NAME_MAX)
		return ERR_NAME;
	memcpy(checked.text, text.data, text.size);
	if (!is_letter_or_digit(checked.text[0]))
		return ERR_NAME;
	for (size_t i = 1; i < text.size; i++) {
		char c = checked.text[i];

		if (!is_letter_or_digit(c) && c != '.' && c != '_' && c != '-')
			return ERR_NAME;
	}
	*name = checked;
	return 0;
}

int name_parse(struct name *name, struct bytes text)
{
	uint8_t lower[NAME_MAX];

	if (text.size > NAME_MAX)
		return ERR_NAME;
	for (size_t i = 0; i < text.size; i++) {
		uint8_t c = text.data[i];

		lower[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
	}
	return name_check(name, bytes_of(lower, text.size));
}

bool name_equal(const struct name *a, const struct name *b)
{
	return strcmp(a->text, b->text) == 0;
}
