/* What the operator's commands share: how it went in words or JSON, the folder they are about,
 * its keys and accounts, a question to it. */
#ifndef PALIQUE_DIRECTORY_DESK_H
#define PALIQUE_DIRECTORY_DESK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "directory/config.h"
#include "directory/holder.h"
#include "directory/keystore.h"
#include "directory/options.h"
#include "directory/registry.h"
#include "shared/clock.h"
#include "shared/json.h"

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_RUNNING = 3, /* or locked by another process */
	EXIT_NOT_FOUND = 4,
	EXIT_REFUSED = 5,
};

/* One object on a line of standard output. */
void desk_print(const struct json *j);
/* A failure in a sentence, or as {"error": {"kind", "message"}}; the program's exit code. */
int desk_fail(const struct options *o, int err, const char *message);
/* The same where the message says already what to do. */
int desk_fail_told(const struct options *o, int err, const char *message);
/* The same where the command line was wrong. */
int desk_fail_usage(const struct options *o, int err, const char *message);
/* Whether `answer`, of admin.c, is a refusal; then it has been told and `code` set. */
bool desk_is_refusal(const struct options *o, const struct json *answer, int *code);
/* What a command to type next needs so that it means the same folder. */
const char *desk_same_data(const struct options *o);

wall_ms desk_now(void);
void desk_config_path(const struct options *o, char path[PATH_MAX]);
/* The configuration with what the options change, all defaults where there is none. */
int desk_config(const struct options *o, struct config *c, char *reason, size_t reason_size);

struct desk {
	struct keystore *keys;
	struct registry *registry;
	struct config config;
};

/* Also beside a server that is running. */
int desk_open(struct desk *d, const struct options *o, char *reason, size_t reason_size);
void desk_close(struct desk *d);
/* Who has the secrets of passwords, as the configuration says; the caller closes it. */
int desk_holder(struct holder **h, const struct desk *d, const struct options *o, char *reason,
		size_t reason_size);

struct json *desk_question(const char *command);
/* Asks a row of admin.c: the running server if there is one, else the files of the folder.
 * EXIT_OK and an answer, or what went wrong has been told. Takes `question`. */
int desk_ask(const struct options *o, struct json *question, struct json **answer);

#endif
