/* A sheet of any text at any width: no line is wider than it may be but by one wide character, and all of it is
 * safe UTF-8. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/tui/bidi.h"
#include "peer/faces/tui/sheet.h"
#include "shared/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(struct sheet *s, unsigned width)
{
	for (size_t i = 0; i < sheet_lines(s); i++) {
		const struct sheet_line *line = sheet_line(s, i);
		unsigned columns = 0;

		for (size_t k = 0; k < line->count; k++) {
			const char *text = line->pieces[k].text;

			columns += line->pieces[k].columns;
			if (!bytes_is_utf8(bytes_text(text)) ||
			    sheet_columns(text) != line->pieces[k].columns)
				abort();
			for (; *text; text++)
				if ((uint8_t)*text < 0x20 || *text == 0x7f)
					abort();
		}
		if (columns > width && columns > 2)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_begun;
	unsigned width;
	struct sheet *s;
	char *text;

	if (!is_begun)
		setlocale(LC_ALL, "C.UTF-8");
	is_begun = true;
	if (size < 2)
		return 0;
	width = 1 + data[0] % 120;
	s = sheet_new(width);
	text = memory_new(size);
	memcpy(text, data + 2, size - 2);
	sheet_indent(s, data[1] % 16);
	sheet_add_marked(s, STYLE_PLAIN, text);
	sheet_add(s, STYLE_FAINT, text);
	sheet_break(s);
	sheet_add(s, STYLE_OWN, text);
	look(s, width);
	sheet_free(s);
	free(text);
	return 0;
}
