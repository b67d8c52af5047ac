#include "peer/faces/cli/options_table.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/nearest.h"
#include "shared/text.h"

const char *options_command_name(enum command command)
{
	return command < COMMAND_COUNT ? command_rows[command].name : "";
}

static enum command find_command(const char *name)
{
	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(command_rows[i].name, name))
			return (enum command)i;
	return COMMAND_COUNT;
}

/* One letter can stand for two options: the one that the command takes, if it takes one. */
static int find_letter(char letter, uint64_t taken)
{
	int found = -1;

	for (int i = 0; i < OPTION_COUNT; i++) {
		if (option_rows[i].letter != letter)
			continue;
		if (found < 0 || (taken & OPTION_BIT(i)))
			found = i;
	}
	return found;
}

/* "--name", "--name=value" or "-n"; `inside` points to the value behind "=". */
static int find_option(const char *word, uint64_t taken, const char **inside)
{
	*inside = NULL;
	if (word[1] != '-')
		return word[2] ? -1 : find_letter(word[1], taken);
	for (int i = 0; i < OPTION_COUNT; i++) {
		size_t size = strlen(option_rows[i].name);
		if (strncmp(word, option_rows[i].name, size))
			continue;
		if (word[size] == '=')
			*inside = word + size + 1;
		if (word[size] == '=' || !word[size])
			return i;
	}
	return -1;
}

struct reading {
	struct options *o;
	char *trouble, *next;
	size_t size, next_size;
};

static int wrong(struct reading *r, const char *format, const char *what)
{
	bool has_command = r->o->command < COMMAND_COUNT;

	snprintf(r->trouble, r->size, format, what);
	snprintf(r->next, r->next_size, "palique %s%s--help",
		 has_command ? command_rows[r->o->command].name : "", has_command ? " " : "");
	return ERR_FORMAT;
}

/* Messages are "the rest of the line": once one has begun, a word with a single dash
 * belongs to it ("-5 degrees"). Two dashes are always meant for us, so that an option
 * typed behind the text is never sent to somebody. */
static bool is_option(const struct options *o, const char *word)
{
	bool in_text = o->command < COMMAND_COUNT && command_rows[o->command].max < 0 &&
		       o->argument_count >= 1;
	const char *inside;

	if (word[0] != '-' || !word[1])
		return false;
	/* A device's key may begin with a dash, or with two: it is longer than any single
	 * letter, and no option of ours. */
	if (o->command == CMD_DEVICES && o->argument_count == 1 && word[2] &&
	    find_option(word, 0, &inside) < 0)
		return false;
	/* A file may stand in place of the text. */
	if (o->command == CMD_SEND && o->argument_count == 1 && !strcmp(word, "-f"))
		return true;
	if (in_text)
		return word[1] == '-';
	return true;
}

static int no_command(struct reading *r, const char *typed)
{
	struct nearest meant;
	int err = wrong(r, _("there is no command %s"), typed);

	nearest_begin(&meant, typed);
	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		nearest_offer(&meant, command_rows[i].name);
	if (meant.word)
		snprintf(r->next, r->next_size, "palique %s", meant.word);
	return err;
}

static int no_option(struct reading *r, const char *typed)
{
	bool has_command = r->o->command < COMMAND_COUNT;
	uint64_t taken = OPTIONS_GLOBAL |
			 (has_command ? command_rows[r->o->command].options : 0);
	struct nearest meant;
	int err;

	if (has_command && command_rows[r->o->command].max < 0)
		err = wrong(r,
			    _("there is no option %s (if it belongs to a message, put -- "
			      "before the message)"),
			    typed);
	else
		err = wrong(r, _("there is no option %s"), typed);
	nearest_begin(&meant, typed);
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if ((taken & OPTION_BIT(i)) && option_rows[i].about)
			nearest_offer(&meant, option_rows[i].name);
	if (meant.word)
		snprintf(r->next, r->next_size, "palique %s%s%s",
			 has_command ? command_rows[r->o->command].name : "",
			 has_command ? " " : "", meant.word);
	return err;
}

static int take_option(struct reading *r, int argc, char **argv, int *at)
{
	const char *inside, *word = argv[*at];
	bool has_command = r->o->command < COMMAND_COUNT;
	uint64_t taken = has_command ? command_rows[r->o->command].options : 0;
	int which = find_option(word, taken, &inside);

	if (which < 0)
		return no_option(r, word);
	if (!option_rows[which].value) {
		if (inside)
			return wrong(r, _("%s takes no value"), option_rows[which].name);
		r->o->value[which] = "";
		return 0;
	}
	if (!inside && *at + 1 >= argc)
		return wrong(r, _("%s needs a value"), option_rows[which].name);
	r->o->value[which] = inside ? inside : argv[++*at];
	return 0;
}

static int check_use(struct reading *r)
{
	const struct options *o = r->o;
	const struct command_row *row;

	if (o->command == COMMAND_COUNT || o->value[OPT_HELP] || o->value[OPT_VERSION])
		return 0;
	row = &command_rows[o->command];
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (o->value[i] && !((row->options | OPTIONS_GLOBAL) & OPTION_BIT(i)))
			return wrong(r, _("%s does not belong to this command"),
				     option_rows[i].name);
	if (o->argument_count < row->min)
		return wrong(r, _("this needs: %s"), options_said(row->arguments));
	if (row->max >= 0 && o->argument_count > row->max)
		return wrong(r, _("one word too many: %s"), o->arguments[row->max]);
	return 0;
}

int options_parse(struct options *o, int argc, char **argv, char *trouble, size_t size,
		  char *next, size_t next_size)
{
	struct reading r = { o, trouble, next, size, next_size };
	bool is_over = false;
	int err = 0;

	memset(o, 0, sizeof *o);
	o->command = COMMAND_COUNT;
	for (int i = 1; i < argc && err == 0; i++) {
		if (!is_over && !strcmp(argv[i], "--"))
			is_over = true;
		else if (!is_over && is_option(o, argv[i]))
			err = take_option(&r, argc, argv, &i);
		else if (o->command == COMMAND_COUNT) {
			o->command = find_command(argv[i]);
			if (o->command == COMMAND_COUNT)
				err = no_command(&r, argv[i]);
		} else if (o->argument_count < ARGUMENTS_MAX)
			o->arguments[o->argument_count++] = argv[i];
		else
			err = wrong(&r, _("one word too many: %s"), argv[i]);
	}
	return err < 0 ? err : check_use(&r);
}

static int parse_long(const char *text, char **end, long *out)
{
	errno = 0;
	*out = strtol(text, end, 10);
	return errno || *end == text ? ERR_FORMAT : 0;
}

int options_number(const struct options *o, enum option which, long min, long max, long missing,
		   long *out)
{
	char *end;

	*out = missing;
	if (!o->value[which])
		return 0;
	if (parse_long(o->value[which], &end, out) < 0 || *end || *out < min || *out > max)
		return ERR_FORMAT;
	return 0;
}

int options_parse_duration(const char *text, long *out)
{
	static const struct {
		char letter;
		long seconds;
	} units[] = { { '\0', 1 },   { 's', 1 },     { 'm', 60 },
		      { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 } };
	char *end;

	if (parse_long(text, &end, out) < 0 || *out <= 0 || *out > 366L * 86400)
		return ERR_FORMAT;
	for (unsigned i = 0; i < sizeof units / sizeof *units; i++) {
		if (*end != units[i].letter || (*end && end[1]))
			continue;
		*out *= units[i].seconds;
		return 0;
	}
	return ERR_FORMAT;
}

int options_duration(const struct options *o, enum option which, long missing, long *out)
{
	*out = missing;
	return o->value[which] ? options_parse_duration(o->value[which], out) : 0;
}

int options_parse_bytes(const char *text, int64_t *out)
{
	static const char units[] = "kMGT";
	const char *unit;
	unsigned shift = 0;
	char *end;
	long number;

	if (parse_long(text, &end, &number) < 0 || number < 0)
		return ERR_FORMAT;
	unit = *end ? strchr(units, *end == 'K' ? 'k' : *end) : NULL;
	if ((*end && !unit) || (unit && end[1]))
		return ERR_FORMAT;
	if (unit)
		shift = 10 * (unsigned)(unit - units + 1);
	if (number > INT64_MAX >> shift)
		return ERR_FORMAT;
	*out = (int64_t)number << shift;
	return 0;
}

int options_bytes(const struct options *o, enum option which, int64_t missing, int64_t *out)
{
	*out = missing;
	return o->value[which] ? options_parse_bytes(o->value[which], out) : 0;
}
