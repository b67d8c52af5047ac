#include "peer/faces/cli/picture.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "peer/faces/cli/output.h"
#include "shared/error.h"

/* Our own: TERM, COLORTERM, the locale, and whether colours are wanted. */
static void look(struct picture_terminal *t)
{
	const char *term = getenv("TERM"), *color = getenv("COLORTERM");
	struct winsize size;

	*t = (struct picture_terminal){ .columns = 80, .rows = PICTURE_ROWS };
	if (!term)
		term = "";
	if (!color)
		color = "";
	t->has_unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	t->has_few_glyphs = strcmp(term, "linux") == 0;
	if (!out_has_colors())
		t->colors = PICTURE_PLAIN;
	else if (!strcmp(color, "truecolor") || !strcmp(color, "24bit") ||
		 strstr(term, "-direct"))
		t->colors = PICTURE_TRUE;
	else
		t->colors = strstr(term, "256color") ? PICTURE_256 : PICTURE_16;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row) {
		t->columns = size.ws_col;
		t->rows = size.ws_row > 3 ? size.ws_row - 2U
					  : 1; /* what is said of it stays seen */
	}
}

int picture_show(const struct cli *c, struct bytes image, unsigned columns)
{
	unsigned most = columns ? columns : PICTURE_COLUMNS;
	struct picture_terminal t;
	uint32_t width, height;
	uint8_t *rgba;
	char *text;
	int err;

	if (!out_is_terminal())
		return ERR_STATE;
	if (!picture_can_draw())
		return ERR_NOT_FOUND;
	err = c->programs->see(image, &width, &height, &rgba);
	if (err < 0)
		return err;
	look(&t);
	if (t.columns > most)
		t.columns = most;
	if (t.rows > PICTURE_ROWS)
		t.rows = PICTURE_ROWS;
	text = picture_draw(rgba, width, height, &t);
	if (text)
		puts(text);
	free(text);
	free(rgba);
	return 0;
}
