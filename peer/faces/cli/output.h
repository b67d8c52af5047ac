/* What is said and how: text for people or JSON for programs, data on standard output, talk
 * on standard error. Whatever came from outside goes through text_safe(). */
#ifndef PALIQUE_PEER_FACES_CLI_OUTPUT_H
#define PALIQUE_PEER_FACES_CLI_OUTPUT_H

#include <stdio.h>

#include "peer/faces/cli/options.h"
#include "shared/bytes.h"
#include "shared/clock.h"
#include "shared/json.h"

enum out_color { COLOR_NONE, COLOR_GOOD, COLOR_BAD, COLOR_NAME, COLOR_FAINT };

/* ERR_FORMAT: --color has another value than auto, always, never. */
int out_init(const struct options *o);
bool out_is_terminal(void); /* standard output is one */
bool out_has_colors(void);  /* they can be shown there, and are wanted */
bool out_is_silent(void);   /* nobody is to be told of progress: --quiet or --json */

/* A terminal's lines are broken between words, and a command to type (from "palique" to the next
 * punctuation) stays on one line where it fits: in what out_done(), out_say(), out_prose() and
 * out_error() say. What goes elsewhere, and data, are left as they are. */

/* A line of data. Not with --json. */
void out_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A sentence of data. */
void out_prose(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "✔ ..." on standard output: how a command without data of its own ended. */
void out_done(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Talk: progress, advice. On standard error; silent with --quiet and --json. */
void out_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One object, one line, on standard output; only with --json. Takes `object`. */
void out_json(struct json *take_object);
/* "palique: message", and what to type next (may be ""). With --json also an object with
 * `error`. Never silent. */
void out_error(int err, const char *message, const char *hint);
/* The link's QR code, on a terminal, with what is to be said of it beside it where there is room: of 80 columns
 * and 24 rows it leaves two for the link. Elsewhere the words alone, as out_say(). */
void out_qr(const char *link, const char *words);
/* On a terminal that both are seen on: the QR code of `text` with the lines beside it, or below where
 * it is too narrow, as data; else the lines alone. For lines of up to OUT_BESIDE columns. */
enum { OUT_BESIDE = 36 };
void out_beside_qr(const char *text, const char *const *lines, unsigned count);

/* `text` with its lines broken for a terminal of so many columns, of which the first line has
 * `used` already; those behind it begin with as many spaces as their own line, at least `indent`.
 * Returns memory of the caller's to free. */
char *out_broken(const char *text, unsigned columns, unsigned used, unsigned indent);

/* Colours a word where colours are on; the result lives in a small ring. */
const char *out_color(enum out_color color, const char *text);
/* Text from outside, made safe for a terminal; from the same kind of ring. */
const char *out_safe(const char *text);
const char *out_safe_lines(const char *text); /* keeps newlines, and indents behind them */
/* Text from outside, safe, where *this*, _this_ and `this` show on a terminal as what they stand for; the
 * signs stay, and without colours nothing else happens. Lines as out_safe_lines(). */
const char *out_marked(const char *text);
/* What was found in it stands between U+0002 and U+0003: shown so where there are colours. */
const char *out_found(const char *text);
const char *out_size(int64_t bytes); /* "812 bytes", "2.1 MB": of 1000 */
/* A moment in the local zone: "14:05" if today, else "2026-11-22 14:05". */
const char *out_time(wall_ms when);
const char *out_duration(double ms);   /* "0.4 ms", "12 ms", "1.3 s" */
const char *out_span(int64_t seconds); /* "40 s", "12 min", "3 h", "2 days" */

#endif
