/* Pictures in all colours. ncurses knows as many as the table of terminals says, and draws them in the nearest of
 * those; over that they are written as they are. It does not know, and need not: the same characters stand there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/tui/screen.h"
#include "peer/faces/tui/screen_inside.h"
#include "shared/bytes.h"

static struct over {
	unsigned x, y, front, back;
	char text[8];
} * over, *over_before;
static size_t over_count, over_before_count, over_capacity;

bool screen_has_true_colors(void)
{
	const char *can = getenv("COLORTERM");

	return screen_colors() >= 256 && can &&
	       (!strcmp(can, "truecolor") || !strcmp(can, "24bit"));
}

void over_put(unsigned x, unsigned y, unsigned columns, const struct piece *p, const char *text)
{
	for (unsigned i = 0; *text && i < columns; i++) {
		size_t size = sheet_fit(text, 1);
		struct over *o;

		if (!size || size >= sizeof o->text || y >= screen_rows() ||
		    x + i >= screen_columns())
			return;
		if (over_count == over_capacity) {
			over_capacity = over_capacity ? 2 * over_capacity : 512;
			over = memory_grow(over, over_capacity, sizeof *over);
			over_before = memory_grow(over_before, over_capacity,
						  sizeof *over_before);
		}
		o = &over[over_count++];
		memset(o, 0, sizeof *o);
		*o = (struct over){ .x = x + i, .y = y, .front = p->front, .back = p->back };
		memcpy(o->text, text, size);
		text += size;
	}
}

void over_show(bool is_anew)
{
	struct over *swap = over_before;

	if (is_anew || over_count != over_before_count ||
	    (over_count && memcmp(over, over_before, over_count * sizeof *over) != 0)) {
		for (size_t i = 0; i < over_count; i++) {
			const struct over *o = &over[i];

			/* DECSC, and at the end DECRC: ncurses finds its cursor where it left it */
			printf("%s\033[%u;%uH\033[38;2;%u;%u;%u;48;2;%u;%u;%um%s",
			       i ? "" : "\0337", o->y + 1, o->x + 1, o->front >> 16,
			       o->front >> 8 & 0xff, o->front & 0xff, o->back >> 16,
			       o->back >> 8 & 0xff, o->back & 0xff, o->text);
		}
		if (over_count)
			fputs("\0338", stdout);
		fflush(stdout);
	}
	over_before = over;
	over_before_count = over_count;
	over = swap;
	over_count = 0;
}

void over_clear(void)
{
	over_count = 0;
}

void over_end(void)
{
	free(over);
	free(over_before);
	over = over_before = NULL;
	over_count = over_before_count = over_capacity = 0;
}
