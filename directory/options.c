#include "directory/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/text.h"

static int read_data(struct options *o, const char *value)
{
	size_t size = strlen(value);

	if (!size || size >= sizeof o->data)
		return ERR_FORMAT;
	memcpy(o->data, value, size + 1);
	return 0;
}

static int read_listen(struct options *o, const char *value)
{
	if (o->listen_count == CONFIG_LISTEN_MAX)
		return ERR_FORMAT;
	return address_parse(&o->listen[o->listen_count++], value, DIRECTORY_PORT);
}

/* Digits only, 0 to `max`. */
static int read_number(const char *value, unsigned long max, unsigned long *out, char **end)
{
	if (value[0] < '0' || value[0] > '9' || strlen(value) > 10)
		return ERR_FORMAT;
	*out = strtoul(value, end, 10);
	return *out <= max ? 0 : ERR_FORMAT;
}

static int read_count(struct options *o, const char *value)
{
	unsigned long n;
	char *end;

	if (read_number(value, 10000, &n, &end) < 0 || *end || n < 1)
		return ERR_FORMAT;
	o->count = (unsigned)n;
	return 0;
}

static int read_expires(struct options *o, const char *value)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	unsigned long n;
	char *end;

	if (read_number(value, 1000000, &n, &end) < 0 || n < 1 || !end[0] || end[1])
		return ERR_FORMAT;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (units[i].letter == end[0]) {
			o->expires = (int64_t)n * units[i].seconds;
			return 0;
		}
	return ERR_FORMAT;
}

static int read_password_fd(struct options *o, const char *value)
{
	unsigned long n;
	char *end;

	if (read_number(value, 65535, &n, &end) < 0 || *end)
		return ERR_FORMAT;
	o->password_fd = (int)n;
	return 0;
}

static int read_secrets(struct options *o, const char *value)
{
	o->secrets = value;
	return value[0] && strlen(value) < sizeof o->data ? 0 : ERR_FORMAT;
}

static int read_socket(struct options *o, const char *value)
{
	o->socket = value;
	return value[0] ? 0 : ERR_FORMAT;
}

static int read_allow(struct options *o, const char *value)
{
	if (o->allow_count == OPTIONS_ALLOW_MAX || !value[0])
		return ERR_FORMAT;
	o->allow[o->allow_count++] = value;
	return 0;
}

static int read_keyholder_user(struct options *o, const char *value)
{
	o->keyholder_user = value;
	return value[0] ? 0 : ERR_FORMAT;
}

static int read_line(struct options *o, const char *value)
{
	unsigned long n;
	char *end;

	if (read_number(value, 65535, &n, &end) < 0 || *end)
		return ERR_FORMAT;
	o->line = (int)n;
	return 0;
}

static const struct row {
	enum option_bit bit;
	const char *name, *value, *help;
	int (*read)(struct options *o, const char *value);
} rows[] = {
	{ OPTION_DATA, "data", N_("DIR"), N_("folder of keys, accounts and configuration"),
	  read_data },
	{ OPTION_LISTEN, "listen", N_("ADDRESS:PORT"), N_("where to listen; may be repeated"),
	  read_listen },
	{ OPTION_COUNT, "count", "N", N_("for how many people, 1 to 10000 (1)"), read_count },
	{ OPTION_EXPIRES, "expires", N_("TIME"), N_("how long it lives: 30m, 12h, 7d, 4w (7d)"),
	  read_expires },
	{ OPTION_PASSWORD_FD, "password-fd", "N", N_("read the password from this descriptor"),
	  read_password_fd },
	{ OPTION_SECRETS, "secrets", N_("DIR"),
	  N_("the key-holder's folder (keyholder in the data folder)"), read_secrets },
	{ OPTION_SOCKET, "socket", N_("PATH"), N_("where the key-holder listens"),
	  read_socket },
	{ OPTION_ALLOW_USER, "allow-user", N_("USER"),
	  N_("who may ask besides root; may be repeated"), read_allow },
	{ OPTION_KEYHOLDER_USER, "keyholder-user", N_("USER"),
	  N_("whom the key-holder becomes, started by root"), read_keyholder_user },
	{ OPTION_LINE, "line", "N", N_("be asked on this descriptor only"), read_line },
	{ OPTION_DRY_RUN, "dry-run", NULL, N_("look at everything, change nothing"), NULL },
	{ OPTION_JSON, "json", NULL, N_("answer in JSON, one object on a line"), NULL },
	{ OPTION_HELP, "help", NULL, N_("this help"), NULL },
	{ OPTION_VERSION, "version", NULL, N_("the version"), NULL },
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static void default_data(struct options *o)
{
	const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (geteuid() == 0)
		snprintf(o->data, sizeof o->data, "/var/lib/palique-directory");
	else if (xdg && xdg[0] == '/')
		snprintf(o->data, sizeof o->data, "%s/palique-directory", xdg);
	else
		snprintf(o->data, sizeof o->data, "%s/.local/share/palique-directory",
			 home ? home : "");
}

static int read_one(struct options *o, const struct row *row, unsigned taken, char *reason,
		    size_t reason_size)
{
	if (!(row->bit & (taken | OPTIONS_ALWAYS))) {
		snprintf(reason, reason_size, _("--%s does not belong to this command."),
			 row->name);
		return ERR_FORMAT;
	}
	o->given |= row->bit;
	if (row->read && row->read(o, optarg) < 0) {
		snprintf(reason, reason_size, _("--%s wants %s: %s."), row->name, _(row->value),
			 _(row->help));
		return ERR_FORMAT;
	}
	return 0;
}

int options_read(struct options *o, int argc, char **argv, unsigned taken, char *reason,
		 size_t reason_size)
{
	struct option longs[ROWS + 1];
	int c, err;

	memset(longs, 0, sizeof longs);
	for (int i = 0; i < ROWS; i++) {
		longs[i].name = rows[i].name;
		longs[i].has_arg = rows[i].read ? required_argument : no_argument;
		longs[i].val = 256 + i;
	}
	*o = (struct options){ .password_fd = -1, .count = 1, .line = -1 };
	default_data(o);
	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (c < 256) {
			snprintf(reason, reason_size,
				 c == ':' ? _("%s wants a value.")
					  : _("There is no option %s."),
				 argv[optind - 1]);
			return ERR_FORMAT;
		}
		err = read_one(o, &rows[c - 256], taken, reason, reason_size);
		if (err < 0)
			return err;
	}
	o->words = argv + optind;
	o->word_count = argc - optind;
	return 0;
}

void options_help(unsigned taken)
{
	for (int i = 0; i < ROWS; i++) {
		char left[40];

		if (!(rows[i].bit & (taken | OPTIONS_ALWAYS)))
			continue;
		snprintf(left, sizeof left, "--%s%s%s", rows[i].name, rows[i].value ? " " : "",
			 rows[i].value ? _(rows[i].value) : "");
		printf("  %-*s %s\n", text_pad(left, 22), left, _(rows[i].help));
	}
}
