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

/* Keys that terminals send and the table of ncurses may not name, or name otherwise: what stands in the
 * table is that of TERM, and a terminal within another one (tmux, a console by ssh) sends its own. Codes of ours
 * stand above those that ncurses gives to the names of a table. */
enum { CODE_OWN = KEY_MAX + 4096, CODE_PASTE_BEGIN = CODE_OWN, CODE_PASTE_END, CODE_KEYS };
enum { SEQUENCE_MAX = 4096, PASTE_MS = 500 };

static const struct {
	const char *sequence;
	enum key key;
	bool is_alt, is_ctrl;
} sequences[] = {
	{ "\033[I", KEYS_LOOKED_AT, false, false },
	{ "\033[O", KEYS_LOOKED_AWAY, false, false },
	{ "\033\r", KEYS_ENTER, true, false },
	{ "\033OM", KEYS_ENTER, false, false },
	{ "\033[13;2u", KEYS_ENTER, true, false }, /* Shift+Enter, where it is told from Enter */
	{ "\033[27;2;13~", KEYS_ENTER, true, false },
	{ "\033[A", KEYS_UP, false, false },
	{ "\033[B", KEYS_DOWN, false, false },
	{ "\033[C", KEYS_RIGHT, false, false },
	{ "\033[D", KEYS_LEFT, false, false },
	{ "\033OA", KEYS_UP, false, false },
	{ "\033OB", KEYS_DOWN, false, false },
	{ "\033OC", KEYS_RIGHT, false, false },
	{ "\033OD", KEYS_LEFT, false, false },
	{ "\033[1;3A", KEYS_UP, true, false },
	{ "\033[1;3B", KEYS_DOWN, true, false },
	{ "\033[1;3C", KEYS_RIGHT, true, false },
	{ "\033[1;3D", KEYS_LEFT, true, false },
	{ "\033[1;5C", KEYS_RIGHT, false, true },
	{ "\033[1;5D", KEYS_LEFT, false, true },
	{ "\033[1;5H", KEYS_HOME, false, true },
	{ "\033[1;5F", KEYS_END, false, true },
	{ "\033[H", KEYS_HOME, false, false },
	{ "\033OH", KEYS_HOME, false, false },
	{ "\033[1~", KEYS_HOME, false, false },
	{ "\033[7~", KEYS_HOME, false, false },
	{ "\033[F", KEYS_END, false, false },
	{ "\033OF", KEYS_END, false, false },
	{ "\033[4~", KEYS_END, false, false },
	{ "\033[8~", KEYS_END, false, false },
	{ "\033[3~", KEYS_DELETE, false, false },
	{ "\033[5~", KEYS_PAGE_UP, false, false },
	{ "\033[6~", KEYS_PAGE_DOWN, false, false },
	{ "\033[Z", KEYS_BACK_TAB, false, false },
};
enum { SEQUENCES = sizeof sequences / sizeof *sequences };

static char *pasted;

/* Whether the table gives it one of the names that ncurses has itself. */
static bool is_key(const char *sequence)
{
	int code = key_defined(sequence);

	return code > 0 && code <= KEY_MAX;
}

void screen_keys_begin(void)
{
	define_key("\033[200~", CODE_PASTE_BEGIN);
	define_key("\033[201~", CODE_PASTE_END);
	for (int i = 0; i < SEQUENCES; i++)
		if (!is_key(sequences[i].sequence))
			define_key(sequences[i].sequence, CODE_KEYS + i);
	/* F1 to F4 of the two kinds of terminals that there are */
	for (int i = 0; i < 4; i++) {
		char both[2][8] = { { '\033', 'O', (char)('P' + i) },
				    { '\033', '[', '1', (char)('1' + i), '~' } };

		for (int k = 0; k < 2; k++)
			if (!is_key(both[k]))
				define_key(both[k], KEY_F(i + 1));
	}
}

void screen_keys_end(void)
{
	free(pasted);
	pasted = NULL;
}

static const struct {
	int code;
	enum key key;
} codes[] = {
	{ KEY_ENTER, KEYS_ENTER },
	{ KEY_BTAB, KEYS_BACK_TAB },
	{ KEY_BACKSPACE, KEYS_BACKSPACE },
	{ KEY_DC, KEYS_DELETE },
	{ KEY_LEFT, KEYS_LEFT },
	{ KEY_RIGHT, KEYS_RIGHT },
	{ KEY_UP, KEYS_UP },
	{ KEY_DOWN, KEYS_DOWN },
	{ KEY_HOME, KEYS_HOME },
	{ KEY_END, KEYS_END },
	{ KEY_PPAGE, KEYS_PAGE_UP },
	{ KEY_NPAGE, KEYS_PAGE_DOWN },
	{ KEY_RESIZE, KEYS_RESIZE },
};

static void add_wide(struct buf *b, wint_t c)
{
	char text[MB_LEN_MAX + 1];
	mbstate_t state = { 0 };
	size_t size = wcrtomb(text, (wchar_t)c, &state);

	if (size != (size_t)-1)
		buf_append(b, bytes_of(text, size));
}

static bool is_more_here(void)
{
	wint_t c;
	int kind;

	nodelay(stdscr, TRUE);
	kind = get_wch(&c);

	if (kind == KEY_CODE_YES)
		ungetch((int)c);
	else if (kind == OK)
		unget_wch((wchar_t)c);
	return kind != ERR;
}

/* All until the end of what is pasted; what comes too late for it is typed. Nobody types in the very moment in which
 * it ends: what stands there is of the paste, and has said itself that it is over. */
static bool take_paste(struct input *in)
{
	struct buf b;
	wint_t c;
	int kind;

	buf_init(&b, SCREEN_PASTE_MAX);
	timeout(PASTE_MS);
	while ((kind = get_wch(&c)) != ERR) {
		if (kind == KEY_CODE_YES && c == CODE_PASTE_END) {
			if (!is_more_here())
				break;
			timeout(PASTE_MS);
			continue;
		}
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
	if (c >= CODE_KEYS && c < CODE_KEYS + SEQUENCES) {
		in->key = sequences[c - CODE_KEYS].key;
		in->is_alt = sequences[c - CODE_KEYS].is_alt;
		in->is_ctrl = sequences[c - CODE_KEYS].is_ctrl;
		return true;
	}
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		if ((wint_t)codes[i].code != c)
			continue;
		in->key = codes[i].key;
		return true;
	}
	return false;
}

/* The rest of a sequence that nobody knows (ECMA-48, 5.4 and 5.6), whose first two characters were ESC and `kind`: it is
 * not what somebody writes. */
static void pass_over(wint_t kind)
{
	wint_t c = 0, before = 0;
	unsigned more = 0; /* behind its end: where a click was, as old terminals tell it */

	for (unsigned i = 0; i < SEQUENCE_MAX && get_wch(&c) == OK; i++) {
		if (more && --more == 0)
			return;
		if (!more && kind == '[' && i == 0 && c == 'M')
			more = 3;
		else if (!more &&
			 (kind == '[' ? c >= 0x40 && c <= 0x7e
				      : kind == 'O' || c == 7 || (before == 27 && c == '\\')))
			return;
		before = c;
	}
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
			if (kind == OK && c == 27) /* twice, at once */
				unget_wch(27);
			if (kind == ERR || (kind == OK && c == 27)) {
				in->key = KEYS_ESCAPE;
				return true;
			}
			if (kind == OK && strchr("[O]P^_", (int)c) && c && is_more_here()) {
				pass_over(c);
				continue;
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
