#define _XOPEN_SOURCE_EXTENDED 1
#include "peer/faces/tui/screen.h"

#include <curses.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "peer/faces/tui/bidi.h"
#include "peer/faces/tui/screen_inside.h"
#include "shared/error.h"

/* What is asked of a terminal beyond its entry in the table: pasted text is told from typed, it tells
 * whether it is looked at, and leaves the order of what is read from right to left to us (ECMA-48,
 * BDSM). Those that do not know them pass over them. */
#define ASK_TERMINAL   "\033[?2004h\033[?1004h"
#define LEAVE_TERMINAL "\033[?1004l\033[?2004l"
#define ASK_ORDER      "\033[8l"
#define LEAVE_ORDER    "\033[8h"

static bool is_open, is_drawn_anew; /* the latter: all of it, by the next refresh() */
static unsigned colors;
static short next_pair; /* of pictures */

/* --- styles --- */

static const struct {
	attr_t attributes;
	short front, back,
		front_8; /* -1: the terminal's own; a back above 15 needs no reverse */
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
	[STYLE_CHOSEN] = { A_REVERSE, 255, 238, -1 },
	[STYLE_BAR] = { A_REVERSE | A_BOLD, 252, 236, -1 },
	[STYLE_QR] = { A_BOLD, 231, COLOR_BLACK, COLOR_WHITE },
};

static void make_styles(void)
{
	for (short i = 1; i < STYLE_COUNT; i++)
		init_pair(i, colors >= 256 ? looks[i].front : looks[i].front_8,
			  colors >= 256 || looks[i].back <= COLOR_WHITE ? looks[i].back : -1);
	next_pair = STYLE_COUNT;
}

static attr_t look(enum style style, short *pair)
{
	*pair = 0;
	if (!colors)
		return looks[style].attributes;
	*pair = (short)style;
	/* where there are greys, a ground of one is quieter than one reversed */
	if (colors >= 256 && looks[style].back > COLOR_WHITE)
		return looks[style].attributes & ~(attr_t)A_REVERSE;
	/* and faint is grey: A_DIM is hard to read on many */
	return style == STYLE_FAINT && colors >= 256 ? A_NORMAL : looks[style].attributes;
}

/* --- life --- */

static bool is_order_ours; /* since something was read from right to left */

static void say(const char *sequence)
{
	fputs(sequence, stdout);
	fflush(stdout);
}

int screen_open(bool has_colors)
{
	SCREEN *screen;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return ERR_STATE;
	/* Terminals of today speak UTF-8, whatever a login forgot to say. */
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
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
	set_escdelay(50);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	meta(stdscr, TRUE);
	screen_mouse(true);
	mouseinterval(0);
	screen_keys_begin();
	if (has_colors && start_color() == OK && COLORS >= 8) {
		use_default_colors();
		colors = COLORS >= 256 ? 256 : COLORS >= 16 ? 16 : 8;
		make_styles();
	}
	say(ASK_TERMINAL);
	return 0;
}

void screen_close(void)
{
	if (!is_open)
		return;
	is_open = false;
	colors = 0;
	say(LEAVE_TERMINAL);
	if (is_order_ours)
		say(LEAVE_ORDER);
	is_order_ours = false;
	curs_set(1);
	endwin();
	screen_keys_end();
	over_end();
}

void screen_leave(void)
{
	say(LEAVE_TERMINAL);
	if (is_order_ours)
		say(LEAVE_ORDER);
	is_order_ours = false;
	curs_set(1);
	endwin();
}

void screen_return(void)
{
	say(ASK_TERMINAL);
	flushinp(); /* what was typed for something else */
	screen_redraw();
	refresh();
}

void screen_suspend(void)
{
	struct sigaction usual = { .sa_handler = SIG_DFL }, ours;

	screen_leave();
	sigaction(SIGTSTP, &usual, &ours);
	kill(0, SIGTSTP);
	/* and on again */
	sigaction(SIGTSTP, &ours, NULL);
	screen_return();
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
	over_clear();
}

static unsigned put(unsigned x, unsigned y, unsigned columns, attr_t attributes, int pair,
		    const char *text)
{
	size_t size = sheet_fit(text, columns), count;
	wchar_t wide[2048];
	char part[4096];

	if (y >= screen_rows() || x >= screen_columns())
		return 0;
	if (size >= sizeof part)
		for (size = sizeof part - 1; ((unsigned char)text[size] & 0xc0) == 0x80; size--)
			;
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

/* One piece of a line, or a part of it; returns the column behind it. */
static unsigned put_piece(unsigned at, unsigned y, unsigned end, const struct piece *p,
			  const char *text, bool is_chosen)
{
	short pair;
	attr_t attributes = look(p->style, &pair);
	unsigned left = at < end ? end - at : 0;

	if (p->color && p->has_true_colors)
		over_put(at, y, left, p, text);
	if (p->color && colors >= 256)
		return at + put(at, y, left, A_NORMAL, picture_pair(p->color), text);
	if (is_chosen && colors >= 256)
		attributes = look(STYLE_CHOSEN, &pair) |
			     (attributes & (A_BOLD | A_UNDERLINE | A_ITALIC));
	else if (is_chosen)
		attributes |= A_REVERSE;
	return at + put(at, y, left, attributes, pair, text);
}

/* The characters of a line with the piece that each belongs to; returns how many. */
static size_t flatten(const struct sheet_line *line, wchar_t *text, size_t *whose)
{
	size_t count = 0;

	for (size_t i = 0; i < line->count; i++) {
		const char *t = line->pieces[i].text;
		mbstate_t state = { 0 };
		size_t size;
		wchar_t c;

		for (; *t && count < BIDI_MAX; t += size) {
			size = mbrtowc(&c, t, strlen(t), &state);
			if (size == (size_t)-1 || size == (size_t)-2)
				return 0;
			whose[count] = i;
			text[count++] = c;
		}
	}
	return count;
}

/* A line in the order in which it is seen. False: that is the order in which it was written. */
static bool put_in_order(unsigned at, unsigned y, unsigned end, const struct sheet_line *line,
			 bool is_chosen)
{
	static wchar_t text[BIDI_MAX], seen[BIDI_MAX];
	static size_t whose[BIDI_MAX], from[BIDI_MAX];
	static char part[BIDI_MAX * 4 + 1];
	size_t count = flatten(line, text, whose), used = 0;

	if (!bidi_order(text, count, line->is_right_to_left, seen, from))
		return false;
	if (!is_order_ours)
		say(ASK_ORDER);
	is_order_ours = true;
	for (size_t i = 0; i < count; i++) {
		mbstate_t state = { 0 };
		size_t size = seen[i] == 0xfeff /* behind two that became one */
				      ? 0
				      : wcrtomb(part + used, seen[i], &state);

		used += size == (size_t)-1 ? 0 : size;
		if (i + 1 < count && whose[from[i + 1]] == whose[from[i]])
			continue;
		part[used] = '\0';
		at = put_piece(at, y, end, &line->pieces[whose[from[i]]], part, is_chosen);
		used = 0;
	}
	return true;
}

void screen_line(unsigned x, unsigned y, unsigned columns, const struct sheet_line *line,
		 bool is_chosen)
{
	unsigned used = 0, at;

	for (size_t i = 0; i < line->count; i++)
		used += line->pieces[i].columns;
	/* its indentation stands before the pieces, or behind them where it is read the other way */
	at = line->is_right_to_left && used < columns ? x + columns - used
						      : x + line->columns - used;
	if (line->has_right_to_left && put_in_order(at, y, x + columns, line, is_chosen))
		return;
	for (size_t i = 0; i < line->count; i++)
		at = put_piece(at, y, x + columns, &line->pieces[i], line->pieces[i].text,
			       is_chosen);
}

void screen_vertical(unsigned x, unsigned y, unsigned rows)
{
	for (unsigned i = 0; i < rows; i++)
		screen_put(x, y + i, 1, STYLE_FAINT, "│");
}

void screen_rule(unsigned x, unsigned y, unsigned columns)
{
	for (unsigned i = 0; i < columns; i++)
		screen_put(x + i, y, 1, STYLE_FAINT, "─");
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
	over_show(is_drawn_anew);
	is_drawn_anew = false;
}

void screen_redraw(void)
{
	clearok(curscr, TRUE);
	is_drawn_anew = true;
}

void screen_ring(void)
{
	beep();
}

void screen_mouse(bool is_ours)
{
	mousemask(is_ours ? BUTTON1_CLICKED | BUTTON1_PRESSED | BUTTON3_PRESSED |
				    BUTTON4_PRESSED | BUTTON5_PRESSED
			  : 0,
		  NULL);
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
