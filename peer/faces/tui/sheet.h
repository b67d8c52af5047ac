/* Text laid out for a terminal: made safe, measured in columns, broken between words into lines
 * of pieces, each with a style. Knows no terminal. */
#ifndef PALIQUE_PEER_FACES_TUI_SHEET_H
#define PALIQUE_PEER_FACES_TUI_SHEET_H

#include <stdbool.h>
#include <stddef.h>

enum style {
	STYLE_PLAIN,
	STYLE_FAINT,  /* times, hints */
	STYLE_STRONG, /* names, headings */
	STYLE_OWN,    /* what we said */
	STYLE_THEIRS,
	STYLE_GOOD, /* online, delivered, verified */
	STYLE_BAD,  /* errors, another key */
	STYLE_WARN, /* away, missing */
	STYLE_LINK,
	STYLE_FOUND, /* by a search */
	STYLE_ITALIC,
	STYLE_CODE,
	STYLE_BADGE, /* unread */
	STYLE_CHOSEN,
	STYLE_BAR, /* the lines above and below */
	STYLE_QR,  /* light on dark, whatever the terminal's own are */
	STYLE_COUNT,
};

struct piece {
	enum style style;
	const char *text; /* UTF-8, safe; the sheet's */
	unsigned columns;
	/* 0: the style's own; else 1 + foreground + 256 * background: a picture. */
	unsigned color;
	bool has_true_colors;
	unsigned front, back; /* of a picture, 0xrrggbb */
};

struct sheet_line {
	struct piece *pieces;
	size_t count;
	unsigned columns;
	bool goes_on;          /* the one before did not fit on one */
	bool is_right_to_left; /* the first strong character of what it is a part of is (UAX 9, P2) */
	bool has_right_to_left; /* some of it is */
};

struct sheet;

enum {
	SHEET_LINES_MAX = 4096, /* more are left out, and the last line says so */
	SHEET_MARKS_MAX = 6,    /* marks on one character; more would grow over other lines */
};

struct sheet *sheet_new(unsigned width); /* columns, at least 1 */
void sheet_free(struct sheet *s);
unsigned sheet_width(const struct sheet *s);

/* Lines that follow begin so far in, also those that are broken. */
void sheet_indent(struct sheet *s, unsigned columns);
/* Words from outside, broken where they do not fit; newlines begin lines. */
void sheet_add(struct sheet *s, enum style style, const char *text);
void sheet_addf(struct sheet *s, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with *bold*, _italic_ and `code` shown as such, their signs kept (XEP-0393), and links as
 * links. */
void sheet_add_marked(struct sheet *s, enum style style, const char *text);
/* Ends the line; on an empty one that leaves it empty. */
void sheet_break(struct sheet *s);
/* Ends the line if something stands on it. */
void sheet_fresh(struct sheet *s);
/* A piece that is not measured or broken by us: of another sheet, or a part of a picture. Its text is copied. */
void sheet_add_piece(struct sheet *s, const struct piece *piece);

size_t sheet_lines(struct sheet *s); /* ends the last one */
const struct sheet_line *sheet_line(const struct sheet *s, size_t i);

/* Leaves the first `lines` of them. */
void sheet_cut(struct sheet *s, size_t lines);
/* A line of another sheet goes on with what stands here; all lines of one. */
void sheet_add_line(struct sheet *s, const struct sheet_line *line);

/* The columns of safe text; those of what is not printable count as 0. */
unsigned sheet_columns(const char *text);
/* The bytes of it that fit into so many columns, whole characters with what combines with them. */
size_t sheet_fit(const char *text, unsigned columns);

#endif
