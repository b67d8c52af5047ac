/* What is typed, clicked and pasted. */
#define _XOPEN_SOURCE_EXTENDED 1
#include <curses.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "peer/faces/tui/screen.h"
#include "peer/faces/tui/screen_inside.h"
#include "shared/bytes.h"

/* Keys that terminals send and the table of ncurses does not name. */
enum {
	CODE_PASTE_BEGIN = KEY_MAX +
			   4096, /* above those that ncurses gives to the names of a table */
	CODE_PASTE_END,
	CODE_ALT_UP,
	CODE_ALT_DOWN,
	CODE_CTRL_LEFT,
	CODE_CTRL_RIGHT,
	CODE_ALT_ENTER,
	CODE_FOCUS_IN,
	CODE_FOCUS_OUT,
};

static char *pasted;

void screen_keys_begin(void)
{
	define_key("\033[200~", CODE_PASTE_BEGIN);
	define_key("\033[201~", CODE_PASTE_END);
	define_key("\033[1;3A", CODE_ALT_UP);
	define_key("\033[1;3B", CODE_ALT_DOWN);
	define_key("\033[1;5D", CODE_CTRL_LEFT);
	define_key("\033[1;5C", CODE_CTRL_RIGHT);
	define_key("\033\r", CODE_ALT_ENTER);
	define_key("\033[I", CODE_FOCUS_IN);
	define_key("\033[O", CODE_FOCUS_OUT);
}

void screen_keys_end(void)
{
	free(pasted);
	pasted = NULL;
}

static const struct {
	int code;
	enum key key;
	bool is_alt, is_ctrl;
} codes[] = {
	{ KEY_ENTER, KEYS_ENTER, false, false },
	{ KEY_BTAB, KEYS_BACK_TAB, false, false },
	{ KEY_BACKSPACE, KEYS_BACKSPACE, false, false },
	{ KEY_DC, KEYS_DELETE, false, false },
	{ KEY_LEFT, KEYS_LEFT, false, false },
	{ KEY_RIGHT, KEYS_RIGHT, false, false },
	{ KEY_UP, KEYS_UP, false, false },
	{ KEY_DOWN, KEYS_DOWN, false, false },
	{ KEY_HOME, KEYS_HOME, false, false },
	{ KEY_END, KEYS_END, false, false },
	{ KEY_PPAGE, KEYS_PAGE_UP, false, false },
	{ KEY_NPAGE, KEYS_PAGE_DOWN, false, false },
	{ KEY_RESIZE, KEYS_RESIZE, false, false },
	{ CODE_ALT_UP, KEYS_UP, true, false },
	{ CODE_ALT_DOWN, KEYS_DOWN, true, false },
	{ CODE_CTRL_LEFT, KEYS_LEFT, false, true },
	{ CODE_CTRL_RIGHT, KEYS_RIGHT, false, true },
	{ CODE_ALT_ENTER, KEYS_ENTER, true, false },
	{ CODE_FOCUS_IN, KEYS_LOOKED_AT, false, false },
	{ CODE_FOCUS_OUT, KEYS_LOOKED_AWAY, false, false },
};

static void add_wide(struct buf *b, wint_t c)
{
	char text[MB_LEN_MAX + 1];
	mbstate_t state = { 0 };
	size_t size = wcrtomb(text, (wchar_t)c, &state);

	if (size != (size_t)-1)
		buf_append(b, bytes_of(text, size));
}

/* All until the end of what is pasted; what comes too late for it is typed. */
static bool take_paste(struct input *in)
{
	struct buf b;
	wint_t c;
	int kind;

	buf_init(&b, SCREEN_PASTE_MAX);
	timeout(500);
	while ((kind = get_wch(&c)) != ERR) {
		if (kind == KEY_CODE_YES && c == CODE_PASTE_END)
			break;
		if (kind == KEY_CODE_YES && c == KEY_ENTER)
			c = '\n';
		else if (kind == KEY_CODE_YES)
			continue;
		add_wide(&b, c);
	}
	nodelay(stdscr, TRUE);
	free(pasted);
	pasted = memory_new(b.size + 1);
	if (b.size)
		memcpy(pasted, b.data, b.size);
	in->key = KEYS_PASTE;
	in->pasted = pasted;
	in->pasted_size = b.size;
	buf_clear(&b);
	return true;
}

static bool take_mouse(struct input *in)
{
	MEVENT event;

	if (getmouse(&event) != OK)
		return false;
	in->x = (unsigned)event.x;
	in->y = (unsigned)event.y;
	in->number = 1;
	if (event.bstate & BUTTON4_PRESSED)
		in->key = KEYS_WHEEL_UP;
	else if (event.bstate & BUTTON5_PRESSED)
		in->key = KEYS_WHEEL_DOWN;
	else
		in->key = KEYS_CLICK;
	if (event.bstate & BUTTON3_PRESSED)
		in->number = 3;
	return true;
}

static bool take_code(struct input *in, wint_t c)
{
	if (c == CODE_PASTE_BEGIN)
		return take_paste(in);
	if (c == KEY_MOUSE)
		return take_mouse(in);
	if (c >= KEY_F(1) && c <= KEY_F(12)) {
		in->key = KEYS_FUNCTION;
		in->number = c - KEY_F0;
		return true;
	}
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		if ((wint_t)codes[i].code != c)
			continue;
		in->key = codes[i].key;
		in->is_alt = codes[i].is_alt;
		in->is_ctrl = codes[i].is_ctrl;
		return true;
	}
	return false;
}

static bool take_character(struct input *in, wint_t c)
{
	mbstate_t state = { 0 };
	size_t size;

	switch (c) {
	case '\r':
		in->key = KEYS_ENTER;
		return true;
	case '\t':
		in->key = KEYS_TAB;
		return true;
	case 127:
	case '\b':
		in->key = KEYS_BACKSPACE;
		return true;
	default:
		break;
	}
	in->key = KEYS_TEXT;
	if (c < 32) {
		in->is_ctrl = true;
		in->text[0] = (char)(c + 96);
		return true;
	}
	size = wcrtomb(in->text, (wchar_t)c, &state);
	if (size == (size_t)-1 || size >= sizeof in->text)
		return false;
	in->text[size] = '\0';
	return true;
}

bool screen_next(struct input *in)
{
	wint_t c;
	int kind;

	while ((kind = get_wch(&c)) != ERR) {
		*in = (struct input){ .key = KEYS_NONE };
		if (kind == KEY_CODE_YES) {
			if (take_code(in, c))
				return true;
			continue;
		}
		if (c == 27) { /* alone, or before what is typed with Alt */
			kind = get_wch(&c);
			if (kind == ERR) {
				in->key = KEYS_ESCAPE;
				return true;
			}
			in->is_alt = true;
			if (kind == KEY_CODE_YES ? take_code(in, c) : take_character(in, c)) {
				in->is_alt = true;
				return true;
			}
			continue;
		}
		if (take_character(in, c))
			return true;
	}
	return false;
}
