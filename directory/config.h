/* directory.conf: `key = value` in lines, `#` or `;` before a comment. Unknown keys,
 * values out of range and keys given twice are errors that name file and line. The only
 * room of the directory that knows ini.h. docs/man/palique-directory.conf.5 lists the keys. */
#ifndef PALIQUE_DIRECTORY_CONFIG_H
#define PALIQUE_DIRECTORY_CONFIG_H

#include "directory/limits.h"
#include "directory/server.h"
#include "shared/log.h"
#include "shared/uri.h"

enum {
	CONFIG_LISTEN_MAX = 16,
	CONFIG_FILE_MAX = 65536,
	CONFIG_PATH_SIZE = 108, /* of a Unix socket, unix(7) */
	CONFIG_HEALTH_PORT = 7273,
	CONFIG_OUTSIDE_MAX = 4,
	CONFIG_SIGHT_NONE = -1,
	CONFIG_RESTART_SECONDS = 5,
};

struct config {
	unsigned listen_count; /* 0: [::]:7272 */
	struct address listen[CONFIG_LISTEN_MAX];
	/* The port of each address where clients may ask how they are seen, besides the main one;
	 * 0: the one above it, except on loopback. */
	int sight_port;
	unsigned outside_count; /* where clients reach us, when the machine itself has it not */
	struct address outside[CONFIG_OUTSIDE_MAX];
	enum registration registration;
	bool has_place;
	struct directory_place place; /* the public name, put in links */
	enum log_level log_level;
	bool log_json;
	uint32_t online_max;   /* devices with a session at a time */
	uint32_t guests_max;   /* logins and registrations at a time */
	uint32_t contacts_max; /* names one session may list */
	struct limits_config limits;
	bool has_health;
	struct address health;    /* HTTP for monitoring, loopback only */
	uint32_t restart_seconds; /* clients are told to come back so long after an end */
	char keyholder[CONFIG_PATH_SIZE]; /* its socket; empty: the secrets lie in the folder */
	bool listen_given, json_given;    /* by the command line: a reload leaves them */
};

/* Every key's default. */
void config_init(struct config *c);

/* Reads `text` over what `c` holds. On failure `c` is untouched and `reason` gets a
 * sentence with `file` and the line: ERR_FORMAT, ERR_LIMIT. */
int config_parse(struct config *c, const char *file, struct bytes text, char *reason,
		 size_t reason_size);
/* The same from a file. ERR_NOT_FOUND: there is none; ERR_IO. */
int config_read(struct config *c, const char *path, char *reason, size_t reason_size);

/* What of it concerns the core. Borrows from nothing. */
struct server_config config_for_server(const struct config *c, const char *data);

#endif
