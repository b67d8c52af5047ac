#include "directory/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "directory/admin.h"
#include "directory/ask.h"
#include "directory/desk.h"
#include "directory/enlist.h"
#include "directory/keystore.h"
#include "directory/options.h"
#include "directory/password.h"
#include "directory/serve.h"
#include "directory/summary.h"
#include "shared/error.h"
#include "shared/nearest.h"
#include "shared/qr.h"
#include "shared/text.h"
#include "shared/version.h"

/* --- the commands --- */

static int make_parents(const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return ERR_IO;
	}
	return 0;
}

/* A first directory.conf, so that the name is in one place from now on. */
static int write_config(const struct options *o, const struct directory_place *place)
{
	char path[PATH_MAX], name[URI_HOST_MAX + 9];
	int fd;

	desk_config_path(o, path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == EEXIST ? 0 : ERR_IO; /* the operator's own: kept */
	place_print(place, name);
	dprintf(fd, "# palique-directory.conf(5)\nname = %s\n", name);
	if (place->port != DIRECTORY_PORT)
		dprintf(fd, "listen = [::]:%u\n", place->port);
	return close(fd) < 0 ? ERR_IO : 0;
}

static int run_init(const struct options *o)
{
	struct directory_place place;
	char reason[512] = "";
	struct json *j;
	int err;

	if (o->word_count && place_parse(&place, o->words[0]) < 0)
		return desk_fail_usage(o, ERR_FORMAT,
				       _("A public name is HOST or HOST:PORT, as "
					 "dir.example.org or 192.0.2.1:7272."));
	if (make_parents(o->data) < 0) {
		snprintf(reason, sizeof reason, _("%s cannot be made: %s."), o->data,
			 strerror(errno));
		return desk_fail(o, ERR_IO, reason);
	}
	err = server_init(o->data, reason, sizeof reason);
	if (err < 0)
		return desk_fail(o, err, reason);
	if (o->word_count && write_config(o, &place) < 0)
		return desk_fail(o, ERR_IO,
				 _("directory.conf could not be written. Set name = HOST "
				   "in it."));
	if (o->given & OPTION_JSON) {
		j = json_set_text(json_object(), "data", o->data);
		desk_print(j);
		json_free(j);
		return EXIT_OK;
	}
	printf("%s\n", o->data);
	fprintf(stderr,
		_("A directory is ready. Keep a copy of %s/keys in a safe place.\n"
		  "Start it:       palique-directory serve%s\n"
		  "Invite people:  palique-directory invite%s\n"),
		o->data, desk_same_data(o), desk_same_data(o));
	return EXIT_OK;
}

static int run_serve(const struct options *o)
{
	char path[PATH_MAX], reason[512] = "";
	struct config c;
	int err = desk_config(o, &c, reason, sizeof reason);

	if (err < 0)
		return desk_fail(o, err, reason);
	log_init(c.log_level, c.log_json || (o->given & OPTION_JSON));
	desk_config_path(o, path);
	err = serve_run(o->data, path, &c, reason, sizeof reason);
	return err < 0 ? desk_fail(o, err, reason) : EXIT_OK;
}

/* The code of a link, where a person looks at it. */
static void show_code(const char *link)
{
	struct buf code = { 0 };

	if (isatty(STDOUT_FILENO) && qr_print(&code, link) == 0)
		fwrite(code.data, 1, code.size, stdout);
	buf_clear(&code);
}

static int run_link(const struct options *o)
{
	struct json *answer;
	int code = desk_ask(o, desk_question("link"), &answer);

	if (code != EXIT_OK)
		return code;
	if (o->given & OPTION_JSON) {
		desk_print(answer);
	} else {
		printf("%s\n", json_text(answer, "link"));
		show_code(json_text(answer, "link"));
	}
	json_free(answer);
	return EXIT_OK;
}

static void print_date(FILE *to, wall_ms when)
{
	time_t t = (time_t)(when / 1000);
	char text[32];
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm);
	fputs(text, to);
}

static int run_invite(const struct options *o)
{
	struct json *q = desk_question("invite"), *answer;
	int code;

	json_set_int(q, "count", o->count);
	if (o->given & OPTION_EXPIRES)
		json_set_int(q, "expires", o->expires);
	if (o->word_count)
		json_set_text(q, "name", o->words[0]);
	code = desk_ask(o, q, &answer);
	if (code != EXIT_OK)
		return code;
	if (o->given & OPTION_JSON) {
		desk_print(answer);
	} else {
		printf("%s\n", json_text(answer, "link"));
		show_code(json_text(answer, "link"));
		if (o->word_count)
			fprintf(stderr, _("For %s alone, until "), o->words[0]);
		else
			fprintf(stderr,
				ngettext("For %d person, until ", "For %d people, until ",
					 o->count),
				(int)o->count);
		print_date(stderr, json_int(answer, "expires", 0));
		fprintf(stderr, _(". They type: palique join LINK\n"));
	}
	json_free(answer);
	return EXIT_OK;
}

static int list_users(const struct options *o)
{
	struct json *answer;
	const struct json *list;
	int code = desk_ask(o, desk_question("users"), &answer);

	if (code != EXIT_OK)
		return code;
	list = json_get(answer, "users");
	if (json_count(list) == 0 && !(o->given & OPTION_JSON))
		fprintf(stderr, _("Nobody yet. Invite people: palique-directory invite%s\n"),
			desk_same_data(o));
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *u = json_at(list, i);

		if (o->given & OPTION_JSON) {
			desk_print(u);
			continue;
		}
		printf("%-32s  ", json_text(u, "name"));
		if (json_bool(u, "has_identity", false))
			printf(ngettext("%d device", "%d devices", json_int(u, "devices", 0)),
			       (int)json_int(u, "devices", 0));
		else
			printf("%s", _("never logged in"));
		printf("\n");
	}
	json_free(answer);
	return EXIT_OK;
}

static const char *password_trouble(int err)
{
	if (err == ERR_STATE)
		return _("There is no terminal to ask on. Use --password-fd N.");
	if (err == ERR_LIMIT)
		return _("A password is 1 to 1024 bytes.");
	if (err == ERR_AUTH)
		return _("The two are not the same. Nothing was changed.");
	return _("The password could not be read.");
}

static int enlist_here(const struct options *o, const struct name *name, struct password *p)
{
	char reason[512] = "";
	struct desk d;
	int err = desk_open(&d, o, reason, sizeof reason);

	if (err < 0)
		return desk_fail(o, err, reason);
	if (!(o->given & OPTION_JSON))
		fprintf(stderr, _("Stretching the password ...\n"));
	err = enlist(d.registry, d.keys, name, bytes_of(p->text, p->size), desk_now());
	desk_close(&d);
	if (err == ERR_EXISTS)
		return desk_fail(o, err, _("There is an account of that name already."));
	if (err < 0) {
		snprintf(reason, sizeof reason, _("The account could not be made: %s."),
			 error_text(err));
		return desk_fail(o, err, reason);
	}
	return EXIT_OK;
}

static int add_user(const struct options *o, const char *text)
{
	struct password *p;
	struct name name;
	struct json *j;
	int code, err;

	if (name_parse(&name, bytes_text(text)) < 0)
		return desk_fail(o, ERR_NAME,
				 _("A name is 2 to 32 of a-z, 0-9, dot, dash and "
				   "underscore, and begins with a letter or digit."));
	err = password_read(&p, o->password_fd);
	if (err < 0)
		return desk_fail_usage(o, err == ERR_AUTH ? ERR_STATE : err,
				       password_trouble(err));
	code = enlist_here(o, &name, p);
	password_free(p);
	if (code != EXIT_OK)
		return code;
	if (o->given & OPTION_JSON) {
		j = json_set_text(json_object(), "added", name.text);
		desk_print(j);
		json_free(j);
	} else {
		printf("%s\n", name.text);
		fprintf(stderr, _("They type: palique login %s@DIRECTORY\n"), name.text);
	}
	return EXIT_OK;
}

static int remove_user(const struct options *o, const char *text)
{
	struct json *q = json_set_text(desk_question("remove"), "name", text), *answer,
		    *dropped;
	int code = desk_ask(o, q, &answer);

	if (code != EXIT_OK)
		return code;
	/* a running server still has their sessions */
	q = json_set_text(desk_question("drop"), "name", text);
	if (ask_running(&dropped, o->data, q) == 0)
		json_free(dropped);
	json_free(q);
	if (o->given & OPTION_JSON)
		desk_print(answer);
	else
		printf("%s\n", json_text(answer, "removed"));
	json_free(answer);
	return EXIT_OK;
}

static int run_user(const struct options *o)
{
	const char *what = o->words[0];

	if (strcmp(what, "list") == 0 && o->word_count == 1)
		return list_users(o);
	if (strcmp(what, "add") == 0 && o->word_count == 2)
		return add_user(o, o->words[1]);
	if (strcmp(what, "remove") == 0 && o->word_count == 2)
		return remove_user(o, o->words[1]);
	return desk_fail_usage(
		o, ERR_FORMAT,
		_("user takes: list | add NAME | remove NAME. See: palique-directory "
		  "help user"));
}

static int run_status(const struct options *o)
{
	struct json *q = desk_question("status"), *answer;
	char reason[512];
	int code, err = ask_running(&answer, o->data, q);

	json_free(q);
	if (err == ERR_OFFLINE) {
		snprintf(reason, sizeof reason,
			 _("No directory runs on %s. Start it: palique-directory serve%s"),
			 o->data, desk_same_data(o));
		return desk_fail(o, err, reason);
	}
	if (err < 0) {
		snprintf(reason, sizeof reason, _("The directory does not answer: %s."),
			 error_text(err));
		return desk_fail(o, err, reason);
	}
	if (desk_is_refusal(o, answer, &code)) {
		json_free(answer);
		return code;
	}
	if (o->given & OPTION_JSON)
		desk_print(answer);
	else
		summary_print(stdout, answer);
	json_free(answer);
	return EXIT_OK;
}

static int run_check_config(const struct options *o)
{
	char path[PATH_MAX], reason[512] = "";
	struct config c;
	struct json *j;
	int err;

	if (o->word_count)
		snprintf(path, sizeof path, "%s", o->words[0]);
	else
		desk_config_path(o, path);
	config_init(&c);
	err = config_read(&c, path, reason, sizeof reason);
	bool is_absent = err == ERR_NOT_FOUND && !o->word_count; /* the defaults hold then */
	if (err < 0 && !is_absent)
		return desk_fail(o, err, reason);
	if (o->given & OPTION_JSON) {
		j = json_set_text(json_object(), "file", path);
		desk_print(json_set_bool(j, "ok", true));
		json_free(j);
	} else {
		fprintf(stderr,
			is_absent ? _("There is no %s: the defaults hold.\n")
				  : _("%s is fine.\n"),
			path);
	}
	return EXIT_OK;
}

static int run_help(const struct options *o);

static const struct command {
	const char *name, *words, *help;
	int words_min, words_max;
	unsigned options;
	int (*run)(const struct options *o);
} commands[] = {
	{ "init", N_("[HOST[:PORT]]"), N_("make keys and an empty account store"), 0, 1, 0,
	  run_init },
	{ "serve", "", N_("run the directory"), 0, 0, OPTION_LISTEN, run_serve },
	{ "link", "", N_("print the directory's link"), 0, 0, 0, run_link },
	{ "invite", N_("[NAME]"), N_("print an invitation, for one name or any"), 0, 1,
	  OPTION_COUNT | OPTION_EXPIRES, run_invite },
	{ "user", N_("list | add NAME | remove NAME"), N_("look after accounts"), 1, 2,
	  OPTION_PASSWORD_FD, run_user },
	{ "status", "", N_("counters of the running directory"), 0, 0, 0, run_status },
	{ "check-config", N_("[FILE]"), N_("look for mistakes in directory.conf"), 0, 1, 0,
	  run_check_config },
	{ "help", N_("[COMMAND]"), N_("this help"), 0, 1, 0, run_help },
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const struct command *find_command(const char *name)
{
	for (int i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static const char *words_of(const struct command *c)
{
	return c->words[0] ? _(c->words) : ""; /* "" in a catalogue is its header */
}

static int help_on(const struct command *c)
{
	printf(_("Usage: palique-directory %s %s\n"), c->name, words_of(c));
	printf("  %s\n\n", _(c->help));
	options_help(c->options);
	return EXIT_OK;
}

static int help_on_all(FILE *to)
{
	fprintf(to, _("Usage: palique-directory COMMAND [OPTION]...\n"
		      "The server of Palique: who is who and who is where.\n\n"));
	for (int i = 0; i < COMMANDS; i++) {
		char left[64];

		snprintf(left, sizeof left, "%s %s", commands[i].name, words_of(&commands[i]));
		fprintf(to, "  %-*s %s\n", text_pad(left, 36), left, _(commands[i].help));
	}
	fprintf(to,
		_("\nEach takes --data DIR, --json and --help. See palique-directory(8).\n"));
	return EXIT_OK;
}

static int run_help(const struct options *o)
{
	const struct command *c = o->word_count ? find_command(o->words[0]) : NULL;

	if (!c && o->word_count)
		return desk_fail_usage(
			o, ERR_FORMAT,
			_("There is no such command. Try: palique-directory help"));
	return c ? help_on(c) : help_on_all(stdout);
}

int commands_run(int argc, char **argv)
{
	const struct command *c;
	char reason[512] = "";
	struct options o;

	if (argc < 2) {
		help_on_all(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("palique-directory " PALIQUE_VERSION);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--help") == 0)
		return help_on_all(stdout);
	c = find_command(argv[1]);
	if (!c) {
		struct nearest meant;

		nearest_begin(&meant, argv[1]);
		for (int i = 0; i < COMMANDS; i++)
			nearest_offer(&meant, commands[i].name);
		fprintf(stderr,
			_("palique-directory: there is no command \"%s\". "
			  "Try: palique-directory %s\n"),
			argv[1], meant.word ? meant.word : "help");
		return EXIT_USAGE;
	}
	int err = options_read(&o, argc - 1, argv + 1, c->options, reason, sizeof reason);
	if (!err && !(o.given & (OPTION_HELP | OPTION_VERSION))) {
		err = ERR_FORMAT;
		if (o.word_count < c->words_min)
			snprintf(reason, sizeof reason, _("%s needs: %s."), c->name,
				 words_of(c));
		else if (o.word_count > c->words_max)
			snprintf(reason, sizeof reason, _("One word too many: %s."),
				 o.words[c->words_max]);
		else
			err = 0;
	}
	if (err) {
		fprintf(stderr, _("palique-directory: %s See: palique-directory help %s\n"),
			reason, c->name);
		return EXIT_USAGE;
	}
	if (o.given & OPTION_HELP)
		return help_on(c);
	if (o.given & OPTION_VERSION) {
		puts("palique-directory " PALIQUE_VERSION);
		return EXIT_OK;
	}
	return c->run(&o);
}
