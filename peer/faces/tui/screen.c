#define _XOPEN_SOURCE_EXTENDED 1
#include "peer/faces/tui/screen.h"

#include <curses.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "shared/bytes.h"
#include "shared/error.h"

/* Keys that terminals send and the table of ncurses does not name. */
enum {
	CODE_PASTE_BEGIN = KEY_MAX + 1,
	CODE_PASTE_END,
	CODE_ALT_UP,
	CODE_ALT_DOWN,
	CODE_CTRL_LEFT,
	CODE_CTRL_RIGHT,
	CODE_ALT_ENTER,
};

static bool is_open;
static unsigned colors;
static char *pasted;
static short next_pair; /* of pictures */

/* --- styles --- */

static const struct {
	attr_t attributes;
	short front, back, front_8; /* -1: the terminal's own */
} looks[STYLE_COUNT] = {
	[STYLE_PLAIN] = { A_NORMAL, -1, -1, -1 },
	[STYLE_FAINT] = { A_DIM, 245, -1, -1 },
	[STYLE_STRONG] = { A_BOLD, -1, -1, -1 },
	[STYLE_OWN] = { A_BOLD, 72, -1, COLOR_GREEN },
	[STYLE_THEIRS] = { A_BOLD, 74, -1, COLOR_CYAN },
	[STYLE_GOOD] = { A_NORMAL, 72, -1, COLOR_GREEN },
	[STYLE_BAD] = { A_BOLD, 203, -1, COLOR_RED },
	[STYLE_WARN] = { A_NORMAL, 179, -1, COLOR_YELLOW },
	[STYLE_LINK] = { A_UNDERLINE, 74, -1, COLOR_CYAN },
	[STYLE_FOUND] = { A_REVERSE, -1, -1, -1 },
	[STYLE_ITALIC] = { A_ITALIC, -1, -1, -1 },
	[STYLE_CODE] = { A_NORMAL, 179, -1, COLOR_YELLOW },
	[STYLE_BADGE] = { A_BOLD | A_REVERSE, 72, -1, COLOR_GREEN },
	[STYLE_CHOSEN] = { A_REVERSE, -1, -1, -1 },
	[STYLE_BAR] = { A_REVERSE, -1, -1, -1 },
};

static void make_styles(void)
{
	for (short i = 1; i < STYLE_COUNT; i++)
		init_pair(i, colors >= 256 ? looks[i].front : looks[i].front_8, looks[i].back);
	next_pair = STYLE_COUNT;
}

static attr_t look(enum style style, short *pair)
{
	*pair = 0;
	if (!colors)
		return looks[style].attributes;
	*pair = (short)style;
	/* where there is grey, faint is grey: A_DIM is hard to read on many */
	return style == STYLE_FAINT && colors >= 256 ? A_NORMAL : looks[style].attributes;
}

/* --- life --- */

int screen_open(bool has_colors)
{
	SCREEN *screen;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return ERR_STATE;
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return ERR_STATE;
	if (!tigetstr("cup") || tigetstr("cup") == (char *)-1) {
		endwin();
		delscreen(screen);
		return ERR_STATE;
	}
	is_open = true;
	raw();
	noecho();
	nonl();
	set_escdelay(25);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	meta(stdscr, TRUE);
	mousemask(BUTTON1_CLICKED | BUTTON1_PRESSED | BUTTON3_PRESSED | BUTTON4_PRESSED |
			  BUTTON5_PRESSED,
		  NULL);
	mouseinterval(0);
	define_key("\033[200~", CODE_PASTE_BEGIN);
	define_key("\033[201~", CODE_PASTE_END);
	define_key("\033[1;3A", CODE_ALT_UP);
	define_key("\033[1;3B", CODE_ALT_DOWN);
	define_key("\033[1;5D", CODE_CTRL_LEFT);
	define_key("\033[1;5C", CODE_CTRL_RIGHT);
	define_key("\033\r", CODE_ALT_ENTER);
	if (has_colors && start_color() == OK && COLORS >= 8) {
		use_default_colors();
		colors = COLORS >= 256 ? 256 : COLORS >= 16 ? 16 : 8;
		make_styles();
	}
	fputs("\033[?2004h", stdout); /* pasted text is told from typed (bracketed paste) */
	fflush(stdout);
	return 0;
}

void screen_close(void)
{
	if (!is_open)
		return;
	is_open = false;
	colors = 0;
	fputs("\033[?2004l", stdout);
	fflush(stdout);
	endwin();
	free(pasted);
	pasted = NULL;
}

unsigned screen_columns(void)
{
	return COLS > 0 ? (unsigned)COLS : 80;
}

unsigned screen_rows(void)
{
	return LINES > 0 ? (unsigned)LINES : 24;
}

unsigned screen_colors(void)
{
	return colors;
}

/* --- drawing --- */

void screen_clear(void)
{
	erase();
}

static unsigned put(unsigned x, unsigned y, unsigned columns, attr_t attributes, int pair,
		    const char *text)
{
	size_t size = sheet_fit(text, columns), count;
	wchar_t wide[1024];
	char part[4096];

	if (y >= screen_rows() || x >= screen_columns())
		return 0;
	if (size >= sizeof part)
		size = sizeof part - 1;
	memcpy(part, text, size);
	part[size] = '\0';
	count = mbstowcs(wide, part, sizeof wide / sizeof *wide - 1);
	if (count == (size_t)-1)
		return 0;
	wide[count] = L'\0';
	attr_set(attributes, (short)pair, &pair);
	mvaddnwstr((int)y, (int)x, wide, (int)count);
	attr_set(A_NORMAL, 0, NULL);
	return sheet_columns(part);
}

unsigned screen_put(unsigned x, unsigned y, unsigned columns, enum style style,
		    const char *text)
{
	short pair;
	attr_t attributes = look(style, &pair);

	return put(x, y, columns, attributes, pair, text);
}

void screen_fill(unsigned x, unsigned y, unsigned columns, enum style style)
{
	short pair;
	attr_t attributes = look(style, &pair);

	attr_set(attributes, pair, NULL);
	mvhline((int)y, (int)x, ' ', (int)columns);
	attr_set(A_NORMAL, 0, NULL);
}

/* The pair of a picture's cell: made when it is first needed; once all are taken, begun anew. */
static int picture_pair(unsigned color)
{
	static unsigned known[4096];
	int front = (int)((color - 1) & 0xff), back = (int)((color - 1) >> 8 & 0xff);
	int count = next_pair - STYLE_COUNT;

	for (int i = 0; i < count; i++)
		if (known[i] == color)
			return STYLE_COUNT + i;
	if (count == (int)(sizeof known / sizeof *known) || next_pair + 1 >= COLOR_PAIRS) {
		next_pair = STYLE_COUNT;
		count = 0;
	}
	known[count] = color;
	init_extended_pair(next_pair, front, back);
	return next_pair++;
}

void screen_line(unsigned x, unsigned y, unsigned columns, const struct sheet_line *line,
		 bool is_chosen)
{
	unsigned used = 0;

	for (size_t i = 0; i < line->count; i++)
		used += line->pieces[i].columns;
	/* its indentation stands before the pieces, or behind them where it is read the other way */
	unsigned at = line->is_right_to_left && used < columns ? x + columns - used
							       : x + line->columns - used;
	for (size_t i = 0; i < line->count; i++) {
		const struct piece *p = &line->pieces[i];
		short pair;
		attr_t attributes = look(p->style, &pair);
		unsigned left = at < x + columns ? x + columns - at : 0;

		if (p->color && colors >= 256)
			at += put(at, y, left, A_NORMAL, picture_pair(p->color), p->text);
		else
			at += put(at, y, left, attributes | (is_chosen ? A_REVERSE : 0), pair,
				  p->text);
	}
}

void screen_vertical(unsigned x, unsigned y, unsigned rows)
{
	short pair;
	attr_t attributes = look(STYLE_FAINT, &pair);

	attr_set(attributes, pair, NULL);
	mvvline((int)y, (int)x, 0, (int)rows);
	attr_set(A_NORMAL, 0, NULL);
}

void screen_cursor(unsigned x, unsigned y)
{
	curs_set(1);
	move((int)y, (int)x);
}

void screen_hide_cursor(void)
{
	curs_set(0);
	move((int)screen_rows() - 1, (int)screen_columns() - 1);
}

void screen_show(void)
{
	refresh();
}

void screen_redraw(void)
{
	clearok(curscr, TRUE);
}

void screen_ring(void)
{
	beep();
}

void screen_title(const char *text)
{
	const char *term = getenv("TERM");

	/* OSC 2, where it is known to be harmless */
	if (term && (!strncmp(term, "xterm", 5) || !strncmp(term, "tmux", 4) ||
		     !strncmp(term, "screen", 6))) {
		printf("\033]2;%s\a", text);
		fflush(stdout);
	}
}

/* --- input --- */

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
