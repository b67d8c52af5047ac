/* One line per event on stderr: level, time, event, key=value pairs. It has no way to
 * print a secret type, and no caller gives it addresses of users or their contacts. */
#ifndef PALIQUE_SHARED_LOG_H
#define PALIQUE_SHARED_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* JSON lines when `json`; "<N>" prefixes (sd-daemon) when stderr is a journal. */
void log_init(enum log_level level, bool json);

/* Fields are pairs: a key and a value made by the functions below, ended by NULL:
 *     log_event(LOG_NOTICE, "listening", "port", log_int(7272), NULL);
 * Values are quoted where needed; control characters are escaped. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
const char *log_int(int64_t v); /* from a small ring: valid for one log_event() */
const char *log_error(int err); /* error_name() */

#endif
