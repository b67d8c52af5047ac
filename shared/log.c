#include "shared/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shared/bytes.h"
#include "shared/error.h"
#include "shared/text.h"

enum {
	VALUE_MAX = 512, /* bytes shown of one value: some come from outside */
	LINE_MAX_BYTES = 16384,
	RING = 16, /* numbers in one event */
};

/* Priorities of sd-daemon(3) and syslog(3). */
static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_ERROR] = { "error", 3 },   [LOG_WARNING] = { "warning", 4 },
	[LOG_NOTICE] = { "notice", 5 }, [LOG_INFO] = { "info", 6 },
	[LOG_DEBUG] = { "debug", 7 },
};

static enum log_level log_up_to = LOG_NOTICE;
static bool is_json, is_journal;

static _Thread_local char ring[RING][24];
static _Thread_local unsigned ring_next;

/* Whether stderr is the stream that the journal gave us (systemd.exec(5), JOURNAL_STREAM),
 * and not something it was redirected to since. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	if (!stream || sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_init(enum log_level level, bool json)
{
	log_up_to = level;
	is_json = json;
	is_journal = !json && stderr_is_journal();
}

static void add(struct buf *line, const char *text)
{
	(void)buf_append(line, bytes_text(text)); /* a longer line is cut */
}

static void add_escaped(struct buf *line, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)buf_append_byte(line, '\\');
		(void)buf_append_byte(line, (uint8_t)*text);
	}
}

static bool is_number(const char *value)
{
	const char *begin = (const char *)ring;

	return value >= begin && value < begin + sizeof ring;
}

static void add_value(struct buf *line, const char *value)
{
	size_t size = value ? strlen(value) : 0;
	bool is_cut = size > VALUE_MAX;
	char *safe;

	if (is_number(value)) {
		add(line, value);
		return;
	}
	/* No control characters and well-formed UTF-8 from here on, so a line stays one line. */
	safe = text_safe(value, is_cut ? VALUE_MAX : size, false);
	if (is_json || is_cut || !*safe || strpbrk(safe, " \"=\\")) {
		add(line, "\"");
		add_escaped(line, safe);
		add(line, is_cut ? "...\"" : "\"");
	} else {
		add(line, safe);
	}
	free(safe);
}

static void begin(struct buf *line, enum log_level level, const char *event)
{
	struct timespec now;
	struct tm utc;
	char text[64], when[32];

	if (is_journal) { /* which keeps the time itself */
		snprintf(text, sizeof text, "<%d>", levels[level].priority);
		add(line, text);
		add(line, event);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, sizeof text, "%s.%03ldZ", when, now.tv_nsec / 1000000);
	add(line, is_json ? "{\"time\":\"" : "");
	add(line, text);
	add(line, is_json ? "\",\"level\":\"" : " ");
	add(line, levels[level].name);
	add(line, is_json ? "\",\"event\":" : " ");
	if (is_json)
		add_value(line, event);
	else
		add(line, event);
}

void log_event(enum log_level level, const char *event, ...)
{
	struct buf line;
	const char *key;
	va_list fields;

	if (level > log_up_to)
		return;
	buf_init(&line, LINE_MAX_BYTES);
	begin(&line, level, event);
	va_start(fields, event);
	while ((key = va_arg(fields, const char *))) {
		add(&line, is_json ? ",\"" : " ");
		add(&line, key);
		add(&line, is_json ? "\":" : "=");
		add_value(&line, va_arg(fields, const char *));
	}
	va_end(fields);
	line.limit += 2; /* the end of a line always has room */
	add(&line, is_json ? "}\n" : "\n");
	/* One write for one line, so that threads and processes do not mix theirs. */
	if (write(STDERR_FILENO, line.data, line.size) < 0) {
		/* there is nobody left to tell */
	}
	buf_clear(&line);
}

const char *log_int(int64_t v)
{
	char *text = ring[ring_next++ % RING];

	snprintf(text, sizeof ring[0], "%" PRId64, v);
	return text;
}

const char *log_error(int err)
{
	return error_name(err);
}
