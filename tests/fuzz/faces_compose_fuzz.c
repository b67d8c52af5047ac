/* Any keys in any order: what is written stays UTF-8, within its limit, with the cursor between characters. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/tui/compose.h"
#include "peer/faces/tui/draft.h"
#include "shared/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct compose *c)
{
	const char *text = compose_text(c);
	size_t cursor = compose_cursor(c);
	unsigned row, rows = draft_rows(c, 1 + (unsigned)cursor % 40, &row);

	if (!bytes_is_utf8(bytes_text(text)) || strlen(text) > COMPOSE_MAX ||
	    cursor > strlen(text) || ((uint8_t)text[cursor] & 0xc0) == 0x80 || row >= rows)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_begun;
	struct compose *c = compose_new();

	if (!is_begun)
		setlocale(LC_ALL, "C.UTF-8");
	is_begun = true;
	for (size_t i = 0; i + 1 < size; i += 2) {
		enum compose_move move = data[i + 1] % (MOVE_DOWN + 1);
		size_t more = data[i + 1] % 32;

		switch (data[i] % 6) {
		case 0:
			compose_move(c, move);
			break;
		case 1:
			compose_cut(c, move);
			break;
		case 2:
			compose_yank(c);
			break;
		case 3:
			compose_recall(c, data[i + 1] & 1);
			break;
		case 4:
			free(compose_take(c));
			break;
		default:
			more = more < size - i - 2 ? more : size - i - 2;
			compose_insert(c, (const char *)data + i + 2, more);
			i += more;
			break;
		}
		look(c);
	}
	compose_free(c);
	return 0;
}
