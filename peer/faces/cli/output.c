#include "peer/faces/cli/output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/qr.h"
#include "shared/text.h"
#include "shared/uri.h"

enum {
	RING = 16,
	COLUMNS_MIN = 20, /* in less, nothing is gained by breaking lines */
};

static struct {
	bool is_json, is_quiet, has_colors, is_terminal;
	char *safe[RING];
	char *colored[RING];
	char times[RING][32];
	unsigned safe_at, colored_at, time_at;
} out;

int out_init(const struct options *o)
{
	const char *color = o->value[OPT_COLOR] ? o->value[OPT_COLOR] : "auto";
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	out.is_json = o->value[OPT_JSON] != NULL;
	out.is_quiet = o->value[OPT_QUIET] != NULL;
	out.is_terminal = isatty(STDOUT_FILENO);
	/* Lines leave as they are made: the reader of a pipe sees them when they happen. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(color, "always"))
		out.has_colors = true;
	else if (!strcmp(color, "never"))
		out.has_colors = false;
	else if (!strcmp(color, "auto"))
		out.has_colors = out.is_terminal && !(no_color && *no_color) &&
				 !(term && !strcmp(term, "dumb"));
	else
		return ERR_FORMAT;
	return 0;
}

bool out_has_colors(void)
{
	return out.has_colors;
}

bool out_is_terminal(void)
{
	return out.is_terminal;
}

bool out_is_silent(void)
{
	return out.is_quiet || out.is_json;
}

void out_line(const char *format, ...)
{
	va_list args;

	if (out.is_json)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* --- lines broken between words --- */

/* Colours have no width. */
static unsigned columns_of(const char *text, size_t size)
{
	unsigned columns = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\033')
			while (i < size && text[i] != 'm')
				i++;
		else
			columns += ((uint8_t)text[i] & 0xc0) != 0x80;
	}
	return columns;
}

/* A command to type begins here: "palique", behind a bracket or a quotation mark, too. */
static bool is_command(const char *text)
{
	static const char name[] = "palique";

	if (!strncmp(text, "«", strlen("«")))
		text += strlen("«");
	else
		text += strspn(text, "(\"");
	return !strncmp(text, name, sizeof name - 1) && text[sizeof name - 1] == ' ';
}

/* Bytes up to where the line may be broken next. */
static size_t unit_of(const char *text, unsigned room)
{
	size_t word = strcspn(text, " \n"), size = word;

	if (!is_command(text))
		return word;
	while (text[size] == ' ' && !strchr(").,;:\"", text[size - 1]) &&
	       strncmp(text + size - strlen("»"), "»", strlen("»")) != 0) {
		size_t blanks = strspn(text + size, " ");
		size += blanks + strcspn(text + size + blanks, " \n");
	}
	return columns_of(text, size) <= room ? size : word;
}

char *out_broken(const char *text, unsigned columns, unsigned used, unsigned indent)
{
	struct buf broken = { 0 };

	while (*text) {
		size_t blanks = strspn(text, " "), size;
		unsigned margin = blanks > indent ? (unsigned)blanks : indent;
		bool is_first = true;

		if (margin >= columns / 2)
			margin = 0;
		for (size_t i = 0; i < blanks; i++, used++)
			buf_append_byte(&broken, ' ');
		text += blanks;
		for (; *text && *text != '\n'; text += size, is_first = false) {
			unsigned gap = (unsigned)strspn(text, " ");
			text += gap;
			size = unit_of(text, columns - margin);
			if (!is_first && used + gap + columns_of(text, size) > columns) {
				buf_append_byte(&broken, '\n');
				for (used = 0; used < margin; used++)
					buf_append_byte(&broken, ' ');
				gap = 0;
			}
			for (used += gap; gap; gap--)
				buf_append_byte(&broken, ' ');
			buf_append(&broken, bytes_of(text, size));
			used += columns_of(text, size);
		}
		if (*text)
			buf_append_byte(&broken, (uint8_t)*text++);
		used = 0;
	}
	buf_append_byte(&broken, '\0');
	return (char *)broken.data;
}

/* 0: not a terminal, or none that says how wide it is. */
static unsigned columns_at(FILE *stream)
{
	struct winsize size = { 0 };

	if (ioctl(fileno(stream), TIOCGWINSZ, &size) < 0 || size.ws_col < COLUMNS_MIN)
		return 0;
	return size.ws_col;
}

static void print_broken(FILE *stream, unsigned used, unsigned indent, const char *format,
			 va_list args)
{
	unsigned columns = columns_at(stream);
	char *whole = NULL, *broken;

	if (!columns) {
		vfprintf(stream, format, args);
	} else if (vasprintf(&whole, format, args) < 0) {
		abort(); /* no memory */
	} else {
		broken = out_broken(whole, columns, used, indent);
		fputs(broken, stream);
		free(broken);
	}
	fputc('\n', stream);
	free(whole);
}

void out_prose(const char *format, ...)
{
	va_list args;

	if (out.is_json)
		return;
	va_start(args, format);
	print_broken(stdout, 0, 2, format, args);
	va_end(args);
}

void out_done(const char *format, ...)
{
	va_list args;

	if (out.is_json || out.is_quiet)
		return;
	printf("%s ", out_color(COLOR_GOOD, "✔"));
	va_start(args, format);
	print_broken(stdout, 2, 2, format, args);
	va_end(args);
}

void out_say(const char *format, ...)
{
	va_list args;

	if (out.is_json || out.is_quiet)
		return;
	fflush(stdout);
	va_start(args, format);
	print_broken(stderr, 0, *format == '*' ? 2 : 0, format, args);
	va_end(args);
}

void out_json(struct json *take_object)
{
	if (out.is_json) {
		char *line = json_print(take_object),
		     *safe = text_safe_json(line, strlen(line));
		puts(safe);
		free(safe);
		free(line);
	}
	json_free(take_object);
}

static void print_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void print_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_broken(stderr, 0, 2, format, args);
	va_end(args);
}

void out_error(int err, const char *message, const char *hint)
{
	fflush(stdout);
	if (out.is_json) {
		struct json *error = json_set_text(json_object(), "kind", error_name(err));
		json_set_text(error, "message", message);
		json_set_text(error, "hint", hint);
		out_json(json_set(json_object(), "error", error));
		return;
	}
	print_error("palique: %s", out_safe(message));
	if (*hint)
		fprintf(stderr, "  %s %s\n", _("try:"), out_safe(hint));
}

/* A row of a QR code. Its light modules are drawn: where there are colours they are light and the others dark,
 * whatever the terminal's own are. */
static void print_row(FILE *to, const uint8_t *row, size_t size)
{
	fprintf(to, "%s%.*s%s", out.has_colors ? "\033[97;40m" : "", (int)size,
		(const char *)row, out.has_colors ? "\033[0m" : "");
}

/* Of characters nobody can read a code who reads with a voice, or on paper. */
static bool draws_codes(void)
{
	const char *term = getenv("TERM");

	return term && *term && strcmp(term, "dumb") != 0;
}

void out_qr(const char *link, const char *words)
{
	enum { GAP = 2, BESIDE_MIN = 24 }; /* columns */
	unsigned columns = columns_at(stderr), wide;
	struct buf code;
	const uint8_t *at, *end;
	char *broken, *line, *rest;

	if (out.is_json || out.is_quiet || !isatty(STDERR_FILENO) || !draws_codes()) {
		if (*words)
			out_say("%s", words);
		return;
	}
	buf_init(&code, 65536);
	if (qr_print(&code, link) < 0)
		code.size = 0;
	fflush(stdout);
	at = code.size ? memchr(code.data, '\n', code.size) : NULL;
	wide = at ? columns_of((char *)code.data, (size_t)(at - code.data)) + GAP : 0;
	broken = wide + BESIDE_MIN <= columns ? out_broken(words, columns - wide, 0, 0)
					      : memory_text("");
	line = strtok_r(broken, "\n", &rest);
	for (at = code.data; at && at < code.data + code.size; at = end + 1) {
		end = memchr(at, '\n', (size_t)(code.data + code.size - at));
		print_row(stderr, at, (size_t)(end - at));
		/* One row above the first line, as margin. */
		fprintf(stderr, "%s%s\n", at > code.data && line ? "  " : "",
			at > code.data && line ? line : "");
		if (at > code.data && line)
			line = strtok_r(NULL, "\n", &rest);
	}
	if (*words && (!wide || wide + BESIDE_MIN > columns))
		out_say("%s", words);
	free(broken);
	buf_clear(&code);
}

void out_beside_qr(const char *text, const char *const *lines, unsigned count)
{
	struct buf code;
	unsigned row = 0;
	const uint8_t *at, *end;
	unsigned columns = columns_at(stdout);

	if (out.is_json)
		return;
	buf_init(&code, 65536);
	if (out.is_terminal && !out.is_quiet && draws_codes())
		(void)qr_print(&code, text);
	at = code.data ? memchr(code.data, '\n', code.size) : NULL;
	if (at && columns &&
	    columns_of((char *)code.data, (size_t)(at - code.data)) + 2 + OUT_BESIDE >
		    columns) {
		for (at = code.data; at < code.data + code.size; at = end + 1) {
			end = memchr(at, '\n', (size_t)(code.data + code.size - at));
			print_row(stdout, at, (size_t)(end - at));
			putchar('\n');
		}
		buf_drop_front(&code, code.size);
	}
	for (at = code.data; at && at < code.data + code.size; at = end + 1, row++) {
		end = memchr(at, '\n', (size_t)(code.data + code.size - at));
		print_row(stdout, at, (size_t)(end - at));
		/* One row above the first line, as margin. */
		printf("%s%s\n", row && row <= count && *lines[row - 1] ? "  " : "",
		       row && row <= count ? lines[row - 1] : "");
	}
	for (row = row ? row - 1 : 0; row < count; row++)
		printf("%s\n", lines[row]);
	buf_clear(&code);
}

static const char *keep(char *ring[RING], unsigned *at, char *take_text)
{
	unsigned i = (*at)++ % RING;

	free(ring[i]);
	ring[i] = take_text;
	return take_text;
}

const char *out_color(enum out_color color, const char *text)
{
	static const char *const codes[] = { [COLOR_NONE] = "",
					     [COLOR_GOOD] = "32",
					     [COLOR_BAD] = "31",
					     [COLOR_NAME] = "1",
					     [COLOR_FAINT] = "2" };
	size_t size = strlen(text) + 16;
	char *colored;

	if (!out.has_colors || color == COLOR_NONE)
		return text;
	colored = memory_new(size);
	snprintf(colored, size, "\033[%sm%s\033[0m", codes[color], text);
	return keep(out.colored, &out.colored_at, colored);
}

const char *out_safe(const char *text)
{
	return text ? keep(out.safe, &out.safe_at, text_safe(text, strlen(text), false)) : "";
}

/* Lines behind the first are indented: a message cannot look like several. */
const char *out_safe_lines(const char *text)
{
	static const char indent[] = "\n      ";
	char *safe = text_safe(text ? text : "", text ? strlen(text) : 0, true);
	struct buf indented = { 0 };

	for (const char *at = safe; *at; at++) {
		if (*at == '\n')
			buf_append(&indented, bytes_text(indent));
		else
			buf_append_byte(&indented, (uint8_t)*at);
	}
	buf_append_byte(&indented, '\0');
	free(safe);
	return keep(out.safe, &out.safe_at, (char *)indented.data);
}

/* --- light formatting --- */

static bool is_word(char c)
{
	return ((uint8_t)c & 0x80) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* Bytes up to the sign that ends what begins at text[0], itself included: on one line, around
 * something, not within a word. 0: text[0] is only a sign. */
static size_t marked_size(const char *text)
{
	char sign = text[0];

	if (!text[1] || text[1] == ' ' || text[1] == '\n' || text[1] == sign)
		return 0;
	for (size_t i = 2; text[i] && text[i] != '\n'; i++)
		if (text[i] == sign && text[i - 1] != ' ' && !is_word(text[i + 1]))
			return i + 1;
	return 0;
}

const char *out_marked(const char *text)
{
	static const struct {
		char sign;
		const char *code;
	} signs[] = { { '*', "1" }, { '_', "3" }, { '`', "2" } };
	const char *safe = out_safe_lines(text);
	struct buf marked = { 0 };
	char before = ' ';

	if (!out.has_colors)
		return safe;
	while (*safe) {
		const char *code = NULL;
		size_t size = 1;
		for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
			if (*safe == signs[i].sign && !is_word(before))
				code = signs[i].code;
		if (code && (size = marked_size(safe)) > 0) {
			buf_append(&marked, bytes_text("\033["));
			buf_append(&marked, bytes_text(code));
			buf_append_byte(&marked, 'm');
			buf_append(&marked, bytes_of(safe, size));
			buf_append(&marked, bytes_text("\033[0m"));
		} else {
			size = 1;
			buf_append_byte(&marked, (uint8_t)*safe);
		}
		before = safe[size - 1];
		safe += size;
	}
	buf_append_byte(&marked, '\0');
	return keep(out.colored, &out.colored_at, (char *)marked.data);
}

const char *out_found(const char *text)
{
	struct buf whole = { 0 };

	while (*text) {
		size_t size = strcspn(text, "\002\003");
		char *safe = text_safe(text, size, false);
		buf_append(&whole, bytes_text(safe));
		free(safe);
		text += size;
		if (out.has_colors && *text)
			buf_append(&whole, bytes_text(*text == '\002' ? "\033[1m" : "\033[0m"));
		text += *text != '\0';
	}
	buf_append_byte(&whole, '\0');
	return keep(out.colored, &out.colored_at, (char *)whole.data);
}

/* --- figures --- */

const char *out_size(int64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB" };
	char *text = out.times[out.time_at++ % RING];
	double figure = (double)bytes / 1000;
	unsigned i = 0;

	if (bytes < 1000) {
		snprintf(text, sizeof out.times[0],
			 ngettext("%lld byte", "%lld bytes", (unsigned long)bytes),
			 (long long)bytes);
		return text;
	}
	/* What would be rounded to 1000 of a unit is 1 of the next. */
	for (; figure >= 999.5 && i + 1 < sizeof units / sizeof *units; i++)
		figure /= 1000;
	snprintf(text, sizeof out.times[0], figure < 9.95 ? "%.1f %s" : "%.0f %s", figure,
		 units[i]);
	return text;
}

const char *out_span(int64_t seconds)
{
	char *text = out.times[out.time_at++ % RING];
	long long s = seconds;

	if (s < 100)
		snprintf(text, sizeof out.times[0], _("%lld s"), s);
	else if (s < 100 * 60)
		snprintf(text, sizeof out.times[0], _("%lld min"), (s + 30) / 60);
	else if (s < 48 * 3600)
		snprintf(text, sizeof out.times[0], _("%lld h"), (s + 1800) / 3600);
	else
		snprintf(text, sizeof out.times[0],
			 ngettext("%lld day", "%lld days", (unsigned long)(s / 86400)),
			 (s + 43200) / 86400);
	return text;
}

const char *out_time(wall_ms when)
{
	char *text = out.times[out.time_at++ % RING];
	time_t seconds = (time_t)(when / 1000), now = time(NULL);
	struct tm at, today;

	if (!localtime_r(&seconds, &at) || !localtime_r(&now, &today))
		return "?";
	bool is_today = at.tm_year == today.tm_year && at.tm_yday == today.tm_yday;
	strftime(text, sizeof out.times[0], is_today ? "%H:%M" : "%Y-%m-%d %H:%M", &at);
	return text;
}

const char *out_duration(double ms)
{
	char *text = out.times[out.time_at++ % RING];

	if (ms < 10)
		snprintf(text, sizeof out.times[0], "%.1f ms", ms);
	else if (ms < 1000)
		snprintf(text, sizeof out.times[0], "%.0f ms", ms);
	else
		snprintf(text, sizeof out.times[0], "%.1f s", ms / 1000);
	return text;
}
