#include "directory/config.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/text.h"
#include "shared/wire.h"
#include "shared/work.h"

/* A key: how it is read, its range, where it goes. */
struct key {
	const char *name;
	/* 0, or an error and why in `why`. */
	int (*read)(struct config *c, const struct key *key, const char *value,
		    const char **why);
	uint32_t min, max;
	size_t at;
	bool is_repeatable;
};

static int read_number(struct config *c, const struct key *key, const char *value,
		       const char **why)
{
	static char range[128];
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || errno || n < key->min || n > key->max) {
		snprintf(range, sizeof range, _("a number from %u to %u is wanted"), key->min,
			 key->max);
		*why = range;
		return errno || (end != value && !*end) ? ERR_LIMIT : ERR_FORMAT;
	}
	memcpy((char *)c + key->at, &(uint32_t){ n }, sizeof(uint32_t));
	return 0;
}

static int read_listen(struct config *c, const struct key *key, const char *value,
		       const char **why)
{
	(void)key;
	if (c->listen_count == CONFIG_LISTEN_MAX) {
		*why = _("too many addresses to listen on");
		return ERR_LIMIT;
	}
	if (address_parse(&c->listen[c->listen_count], value, DIRECTORY_PORT) < 0) {
		*why = _("an address is wanted, as 0.0.0.0:7272 or [::]:7272");
		return ERR_FORMAT;
	}
	c->listen_count++;
	return 0;
}

static int read_outside(struct config *c, const struct key *key, const char *value,
			const char **why)
{
	struct address a;

	(void)key;
	if (c->outside_count == CONFIG_OUTSIDE_MAX) {
		*why = _("too many outside addresses");
		return ERR_LIMIT;
	}
	if (address_parse(&a, value, DIRECTORY_PORT) < 0 || !address_is_unicast(&a)) {
		*why = _("an address that others reach is wanted, as 203.0.113.5:7272");
		return ERR_FORMAT;
	}
	c->outside[c->outside_count++] = a;
	return 0;
}

static int read_sight_port(struct config *c, const struct key *key, const char *value,
			   const char **why)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	(void)key;
	if (strcmp(value, "none") == 0) {
		c->sight_port = CONFIG_SIGHT_NONE;
		return 0;
	}
	if (value[0] < '0' || value[0] > '9' || *end || n < 1 || n > UINT16_MAX) {
		*why = _("a port from 1 to 65535 is wanted, or none");
		return ERR_FORMAT;
	}
	c->sight_port = (int)n;
	return 0;
}

static int read_place(struct config *c, const struct key *key, const char *value,
		      const char **why)
{
	(void)key;
	if (place_parse(&c->place, value) < 0) {
		*why = _("a public name is wanted, as dir.example.org or 192.0.2.1:7272");
		return ERR_FORMAT;
	}
	c->has_place = true;
	return 0;
}

/* One of some words: its index. */
static int read_word(const char *const *words, const char *value, const char *hint,
		     const char **why)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], value) == 0)
			return i;
	*why = hint;
	return ERR_FORMAT;
}

static int read_registration(struct config *c, const struct key *key, const char *value,
			     const char **why)
{
	static const char *const words[] = {
		[REGISTRATION_INVITE] = "invite",
		[REGISTRATION_OPEN] = "open",
		[REGISTRATION_CLOSED] = "closed",
		NULL,
	};
	int i = read_word(words, value, _("one of invite, open, closed is wanted"), why);

	(void)key;
	if (i >= 0)
		c->registration = (enum registration)i;
	return i < 0 ? i : 0;
}

static int read_log(struct config *c, const struct key *key, const char *value,
		    const char **why)
{
	static const char *const words[] = {
		[LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
		[LOG_INFO] = "info",   [LOG_DEBUG] = "debug",     NULL,
	};
	int i = read_word(words, value,
			  _("one of error, warning, notice, info, debug is wanted"), why);

	(void)key;
	if (i >= 0)
		c->log_level = (enum log_level)i;
	return i < 0 ? i : 0;
}

static int read_log_format(struct config *c, const struct key *key, const char *value,
			   const char **why)
{
	static const char *const words[] = { "text", "json", NULL };
	int i = read_word(words, value, _("one of text, json is wanted"), why);

	(void)key;
	if (i >= 0)
		c->log_json = i == 1;
	return i < 0 ? i : 0;
}

static int read_health(struct config *c, const struct key *key, const char *value,
		       const char **why)
{
	(void)key;
	if (address_parse(&c->health, value, CONFIG_HEALTH_PORT) < 0) {
		*why = _("an address is wanted, as 127.0.0.1:7273 or [::1]:7273");
		return ERR_FORMAT;
	}
	if (!address_is_loopback(&c->health)) {
		*why = _(
			"it must be a loopback address, as 127.0.0.1:7273: whoever reaches it "
			"may ask. From elsewhere, let a web server of this machine pass it on");
		return ERR_REFUSED;
	}
	c->has_health = true;
	return 0;
}

static int read_keyholder(struct config *c, const struct key *key, const char *value,
			  const char **why)
{
	size_t size = strlen(value);

	(void)key;
	if (value[0] != '/' || size >= sizeof c->keyholder) {
		*why = _("the path of a socket is wanted, with / in front and at most 107 "
			 "bytes, as /run/palique-keyholder/socket");
		return ERR_FORMAT;
	}
	memcpy(c->keyholder, value, size + 1);
	return 0;
}

#define BURST(which) offsetof(struct config, limits.size[which].burst)

/* The defaults stand in config_init(). */
static const struct key keys[] = {
	{ "listen", read_listen, 0, 0, 0, true },
	{ "sight-port", read_sight_port },
	{ "outside-address", read_outside, 0, 0, 0, true },
	{ "name", read_place },
	{ "registration", read_registration },
	{ "log", read_log },
	{ "log-format", read_log_format },
	{ "max-online", read_number, 1, 10000000, offsetof(struct config, online_max) },
	{ "max-guests", read_number, 1, 100000, offsetof(struct config, guests_max) },
	{ "health-listen", read_health },
	{ "keyholder", read_keyholder },
	{ "restart-seconds", read_number, 0, 3600, offsetof(struct config, restart_seconds) },
	{ "contacts-max", read_number, 1, WIRE_CONTACTS_MAX,
	  offsetof(struct config, contacts_max) },
	{ "logins-per-name", read_number, 1, 1000000, BURST(LIMIT_LOGIN_NAME) },
	{ "logins-per-name-and-prefix", read_number, 1, 1000000, BURST(LIMIT_LOGIN) },
	{ "logins-per-prefix", read_number, 1, 1000000, BURST(LIMIT_LOGIN_PREFIX) },
	{ "registrations-per-prefix", read_number, 1, 1000000, BURST(LIMIT_REGISTER) },
	{ "key-queries-per-prefix", read_number, 1, 1000000, BURST(LIMIT_KEY_QUERY) },
	{ "sights-per-prefix", read_number, 1, 1000000, BURST(LIMIT_SIGHT) },
	{ "work-bits", read_number, 0, WORK_BITS_MAX,
	  offsetof(struct config, limits.work_bits_max) },
	{ "visits-per-device", read_number, 1, 1000000, BURST(LIMIT_COME) },
};
enum { KEYS = sizeof keys / sizeof keys[0] };

void config_init(struct config *c)
{
	*c = (struct config){
		.registration = REGISTRATION_INVITE,
		.log_level = LOG_NOTICE,
		.online_max = SERVER_ONLINE_MAX,
		.guests_max = SERVER_GUESTS_MAX,
		.contacts_max = WIRE_CONTACTS_MAX,
		.restart_seconds = CONFIG_RESTART_SECONDS,
		.limits = limits_default(),
	};
}

/* inih under way: it tells the first bad line, we remember what was wrong with it. */
struct reading {
	struct config config;
	struct bytes rest;
	int line;
	bool is_seen[KEYS];
	int err, err_line;
	const char *file;
	char *reason;
	size_t reason_size;
};

static int complain(struct reading *r, int err, const char *name, const char *why)
{
	if (!r->err) {
		char *shown = text_safe(name, strlen(name), false);

		snprintf(r->reason, r->reason_size, "%s:%d: %s: %s", r->file, r->line, shown,
			 why);
		free(shown);
		r->err = err;
		r->err_line = r->line;
	}
	return 0;
}

/* As fgets(), from memory. A line that inih could not hold whole, or a NUL in it, would be
 * understood as something else: refused here. */
static char *next_line(char *out, int size, void *user)
{
	struct reading *r = user;
	const uint8_t *end;
	size_t length;

	if (!r->rest.size)
		return NULL;
	end = memchr(r->rest.data, '\n', r->rest.size);
	length = end ? (size_t)(end - r->rest.data) + 1 : r->rest.size;
	r->line++;
	if (length >= (size_t)size || memchr(r->rest.data, 0, length)) {
		complain(r, ERR_LIMIT, _("this line"), _("it is too long or not text"));
		return NULL;
	}
	memcpy(out, r->rest.data, length);
	out[length] = 0;
	if (out[0] == '[') { /* inih would tell it at the next key only, or never */
		out[strcspn(out, "\r\n")] = 0;
		complain(r, ERR_FORMAT, out, _("there are no sections in this file"));
		return NULL;
	}
	r->rest.data += length;
	r->rest.size -= length;
	return out;
}

static int on_value(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	const char *why = NULL;
	int err;

	if (r->err)
		return 0;
	if (section[0])
		return complain(r, ERR_FORMAT, section,
				_("there are no sections in this file"));
	for (unsigned i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].name, name) != 0)
			continue;
		if (r->is_seen[i] && !keys[i].is_repeatable)
			return complain(r, ERR_FORMAT, name, _("given twice"));
		r->is_seen[i] = true;
		if (keys[i].is_repeatable && r->config.listen_count && !value[0])
			return complain(r, ERR_FORMAT, name, _("a value is wanted"));
		err = keys[i].read(&r->config, &keys[i], value, &why);
		return err < 0 ? complain(r, err, name, why) : 1;
	}
	return complain(r, ERR_FORMAT, name, _("there is no such key"));
}

int config_parse(struct config *c, const char *file, struct bytes text, char *reason,
		 size_t reason_size)
{
	struct reading r = {
		.config = *c,
		.rest = text,
		.file = file,
		.reason = reason,
		.reason_size = reason_size,
	};
	int line;

	if (text.size > CONFIG_FILE_MAX) {
		snprintf(reason, reason_size, _("%s: larger than %d bytes"), file,
			 CONFIG_FILE_MAX);
		return ERR_LIMIT;
	}
	r.config.listen_count = r.config.outside_count = 0;
	line = ini_parse_stream(next_line, &r, on_value, &r);
	if (line && (!r.err || line < r.err_line)) {
		snprintf(reason, reason_size, _("%s:%d: not a line of the form key = value"),
			 file, line);
		return ERR_FORMAT;
	}
	if (r.err)
		return r.err;
	if (!r.config.listen_count) {
		r.config.listen_count = c->listen_count;
		memcpy(r.config.listen, c->listen, sizeof c->listen);
	}
	if (!r.config.outside_count) {
		r.config.outside_count = c->outside_count;
		memcpy(r.config.outside, c->outside, sizeof c->outside);
	}
	*c = r.config;
	return 0;
}

int config_read(struct config *c, const char *path, char *reason, size_t reason_size)
{
	struct buf text = { .limit = CONFIG_FILE_MAX + 1 };
	ssize_t got = 0;
	int err, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		snprintf(reason, reason_size, "%s: %s", path, strerror(errno));
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	}
	while (text.size <= CONFIG_FILE_MAX) {
		got = read(fd, buf_room(&text, CONFIG_FILE_MAX + 1 - text.size),
			   CONFIG_FILE_MAX + 1 - text.size);
		if (got <= 0)
			break;
		buf_grew(&text, got);
	}
	err = ERR_IO;
	if (got < 0)
		snprintf(reason, reason_size, "%s: %s", path, strerror(errno));
	else
		err = config_parse(c, path, buf_view(&text), reason, reason_size);
	close(fd);
	buf_clear(&text);
	return err;
}

struct server_config config_for_server(const struct config *c, const char *data)
{
	return (struct server_config){
		.data = data,
		.registration = c->registration,
		.has_place = c->has_place,
		.place = c->place,
		.online_max = c->online_max,
		.guests_max = c->guests_max,
		.contacts_max = c->contacts_max,
		.has_limits = true,
		.limits = c->limits,
	};
}
