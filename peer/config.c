#include "peer/config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/text.h"

static int set_listen(struct peer_config *c, const char *value)
{
	struct address a;
	int err = address_parse(&a, value, 0);

	/* Port 0 cannot be written as an address of its own: an address alone means it. */
	if (err < 0) {
		err = address_parse(&a, value, 1);
		a.port = 0;
	}
	if (err < 0)
		return err;
	c->listen = a;
	c->is_port_chosen = a.port != 0;
	return 0;
}

static int set_switch(bool *is_on, const char *value)
{
	if (!strcmp(value, "yes") || !strcmp(value, "true") || !strcmp(value, "on"))
		*is_on = true;
	else if (!strcmp(value, "no") || !strcmp(value, "false") || !strcmp(value, "off"))
		*is_on = false;
	else
		return ERR_FORMAT;
	return 0;
}

static int set_durable(struct peer_config *c, const char *value)
{
	return set_switch(&c->durable, value);
}

static int set_map_ports(struct peer_config *c, const char *value)
{
	return set_switch(&c->maps_ports, value);
}

static int set_lan(struct peer_config *c, const char *value)
{
	return set_switch(&c->has_lan, value);
}

static int set_metered(struct peer_config *c, const char *value)
{
	bool is_on;
	int err = 0;

	if (!strcmp(value, "auto")) {
		c->metered = METERED_AUTO;
		return 0;
	}
	err = set_switch(&is_on, value);
	if (err == 0)
		c->metered = is_on ? METERED_YES : METERED_NO;
	return err;
}

static int set_device(struct peer_config *c, const char *value)
{
	size_t size = strlen(value);

	if (size == 0 || size > CERTIFICATE_LABEL_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
			return ERR_FORMAT;
	if (!bytes_is_utf8(bytes_text(value)))
		return ERR_FORMAT;
	memcpy(c->device, value, size + 1);
	return 0;
}

static int set_log(struct peer_config *c, const char *value)
{
	static const char *const names[] = { "error", "warning", "notice", "info", "debug" };

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		if (!strcmp(value, names[i])) {
			c->log = (enum log_level)(LOG_ERROR + i);
			return 0;
		}
	}
	return ERR_FORMAT;
}

static int set_directory(struct peer_config *c, const char *value)
{
	int err = place_parse(&c->directory, value);

	c->has_directory = err == 0;
	return err;
}

static const struct key {
	const char *name;
	int (*set)(struct peer_config *c, const char *value);
	const char *wanted;
} keys[] = {
	{ "listen", set_listen, N_("an address and port, as in [::]:7373 or 0.0.0.0:7373") },
	{ "durable", set_durable, N_("yes or no") },
	{ "device", set_device, N_("1 to 32 bytes of text") },
	{ "log", set_log, N_("error, warning, notice, info or debug") },
	{ "directory", set_directory, N_("HOST or HOST:PORT") },
	{ "map-ports", set_map_ports, N_("yes or no") },
	{ "lan", set_lan, N_("yes or no") },
	{ "metered", set_metered, N_("auto, yes or no") },
};

struct reading {
	struct peer_config *config;
	FILE *file;
	int line, stopped_at; /* the line that inih shall not see; 0: none */
	char trouble[256], stopped_by[256];
};

/* As fgets(). A line that inih could not hold whole would be two to it; a section it would
 * tell at the next key only, or never. Both end the reading here. */
static char *next_line(char *out, int size, void *user)
{
	struct reading *r = user;

	if (!fgets(out, size, r->file))
		return NULL;
	r->line++;
	if (out[0] == '[')
		snprintf(r->stopped_by, sizeof r->stopped_by,
			 _("there are no sections here, but this says %.32s"),
			 strtok(out, "\r\n"));
	else if (!strchr(out, '\n') && !feof(r->file))
		snprintf(r->stopped_by, sizeof r->stopped_by, _("this line is too long"));
	else
		return out;
	r->stopped_at = r->line;
	return NULL;
}

static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;

	if (r->trouble[0])
		return 1; /* inih goes on behind an error; the first one is what is told */
	(void)section;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (strcmp(keys[i].name, name))
			continue;
		if (keys[i].set(r->config, value) == 0)
			return 1;
		snprintf(r->trouble, sizeof r->trouble, _("%s wants %s"), name,
			 _(keys[i].wanted));
		return 0;
	}
	snprintf(r->trouble, sizeof r->trouble, _("unknown key %.32s"), name);
	return 0;
}

static void set_default(struct peer_config *c)
{
	memset(c, 0, sizeof *c);
	c->listen.family = 6;
	c->durable = true;
	c->maps_ports = true;
	c->has_lan = true;
	c->log = LOG_NOTICE;
	if (gethostname(c->device, sizeof c->device - 1) < 0 || !c->device[0] ||
	    !bytes_is_utf8(bytes_text(c->device)))
		snprintf(c->device, sizeof c->device, "palique");
}

int peer_config_read(struct peer_config *c, const char *path, char *reason, size_t reason_size)
{
	struct reading reading = { .config = c };

	set_default(c);
	reading.file = fopen(path, "re");
	if (!reading.file && errno == ENOENT)
		return 0;
	if (!reading.file) {
		snprintf(reason, reason_size, _("cannot read %s: %s"), path, strerror(errno));
		return ERR_IO;
	}
	int line = ini_parse_stream(next_line, &reading, on_key, &reading);
	fclose(reading.file);
	if (line == 0 && reading.stopped_at) {
		line = reading.stopped_at;
		memcpy(reading.trouble, reading.stopped_by, sizeof reading.trouble);
	}
	if (line == 0)
		return 0;
	snprintf(reason, reason_size, "%s:%d: %s", path, line,
		 reading.trouble[0] ? reading.trouble
				    : _("not a line of the form key = value"));
	set_default(c);
	return ERR_FORMAT;
}
