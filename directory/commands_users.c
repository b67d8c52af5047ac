#include "directory/commands_inside.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "directory/desk.h"
#include "directory/enlist.h"
#include "directory/password.h"
#include "shared/error.h"
#include "shared/qr.h"
#include "shared/text.h"
#include "shared/uri.h"

/* --- links and invitations --- */

/* A link, and its code where a person looks at it. */
static void show_link(const struct json *answer)
{
	const char *link = json_text(answer, "link");
	struct buf code = { 0 };

	printf("%s\n", link);
	fflush(stdout);
	if (isatty(STDOUT_FILENO) && qr_print(&code, link) == 0)
		fwrite(code.data, 1, code.size, stdout);
	buf_clear(&code);
}

int command_link(const struct options *o)
{
	struct json *answer;
	int code = desk_ask(o, desk_question("link"), &answer);

	if (code != EXIT_OK)
		return code;
	if (o->given & OPTION_JSON)
		desk_print(answer);
	else
		show_link(answer);
	json_free(answer);
	return EXIT_OK;
}

/* The day and minute here. */
static const char *date_of(wall_ms when)
{
	time_t t = (time_t)(when / 1000);
	static char text[32];
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm);
	return text;
}

static int make_invitation(const struct options *o)
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
		show_link(answer);
		if (o->word_count)
			fprintf(stderr, _("For %s alone, until %s."), json_text(answer, "name"),
				date_of(json_int(answer, "expires", 0)));
		else
			fprintf(stderr,
				ngettext("For %d person, until %s.", "For %d people, until %s.",
					 o->count),
				(int)o->count, date_of(json_int(answer, "expires", 0)));
		fprintf(stderr, _(" They type: palique join LINK\n"));
	}
	json_free(answer);
	return EXIT_OK;
}

/* Each of a list in an answer: one object on a line, or by `print`. */
static int print_list(const struct options *o, const char *command, const char *key,
		      void (*print)(const struct json *one), const char *when_empty)
{
	struct json *answer;
	const struct json *list;
	int code = desk_ask(o, desk_question(command), &answer);

	if (code != EXIT_OK)
		return code;
	list = json_get(answer, key);
	if (json_count(list) == 0 && !(o->given & OPTION_JSON))
		fprintf(stderr, when_empty, desk_same_data(o));
	for (size_t i = 0; i < json_count(list); i++) {
		if (o->given & OPTION_JSON)
			desk_print(json_at(list, i));
		else
			print(json_at(list, i));
	}
	json_free(answer);
	return EXIT_OK;
}

static void print_invite(const struct json *i)
{
	const char *name = json_text(i, "name");
	int uses = (int)json_int(i, "uses", 0);

	printf("%s  %s  ", json_text(i, "handle"), date_of(json_int(i, "expires", 0)));
	if (strcmp(json_text(i, "kind"), "passwd-reset") == 0)
		printf(_("a new password for %s\n"), name ? name : "?");
	else if (name)
		printf(_("for %s alone\n"), name);
	else
		printf(ngettext("for %d more person\n", "for %d more people\n", uses), uses);
}

static int revoke_invitation(const struct options *o)
{
	struct json *q = json_set_text(desk_question("revoke"), "handle", o->words[1]), *answer;
	int code = desk_ask(o, q, &answer);

	if (code != EXIT_OK)
		return code;
	if (o->given & OPTION_JSON)
		desk_print(answer);
	else
		printf("%s\n", json_text(answer, "revoked"));
	json_free(answer);
	return EXIT_OK;
}

int command_invite(const struct options *o)
{
	const char *what = o->word_count ? o->words[0] : "";

	if (strcmp(what, "list") == 0 && o->word_count == 1)
		return print_list(o, "invites", "invites", print_invite,
				  _("No invitation is open. Make one: palique-directory "
				    "invite%s\n"));
	if (strcmp(what, "revoke") == 0 && o->word_count == 2)
		return revoke_invitation(o);
	if (strcmp(what, "revoke") == 0 || o->word_count > 1)
		return desk_fail_usage(o, ERR_FORMAT,
				       _("invite takes: [NAME] | list | revoke HANDLE. See: "
					 "palique-directory help invite"));
	return make_invitation(o);
}

/* --- accounts --- */

static void print_user(const struct json *u)
{
	int devices = (int)json_int(u, "devices", 0);

	printf("%-32s  ", json_text(u, "name"));
	if (json_bool(u, "has_identity", false))
		printf(ngettext("%d device", "%d devices", devices), devices);
	else
		printf("%s", _("never logged in"));
	if (json_bool(u, "is_banned", false))
		printf(", %s", _("banned"));
	printf("\n");
}

static int list_users(const struct options *o)
{
	return print_list(o, "users", "users", print_user,
			  _("Nobody yet. Invite people: palique-directory invite%s\n"));
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

static void enlist_trouble(int err, char *reason, size_t reason_size)
{
	if (err == ERR_EXISTS)
		snprintf(reason, reason_size, "%s",
			 _("There is an account of that name already. See: palique-directory "
			   "user list"));
	else if (err == ERR_OFFLINE)
		snprintf(reason, reason_size, "%s",
			 _("The key-holder does not answer. Is it running? See: systemctl "
			   "status palique-keyholder"));
	else if (err == ERR_AUTH)
		snprintf(reason, reason_size, "%s",
			 _("The accounts were made with the secrets of another key-holder. "
			   "Bring those back; see palique-directory(8)."));
	else
		snprintf(reason, reason_size, _("The account could not be made: %s."),
			 error_text(err));
}

static int enlist_here(const struct options *o, const struct name *name, struct password *p)
{
	struct holder *holder = NULL;
	char reason[512] = "";
	struct desk d;
	int err = desk_open(&d, o, reason, sizeof reason);

	if (err < 0)
		return desk_fail(o, err, reason);
	err = desk_holder(&holder, &d, o, reason, sizeof reason);
	if (!err) {
		if (!(o->given & OPTION_JSON))
			fprintf(stderr, _("Stretching the password ...\n"));
		err = enlist(d.registry, holder, name, bytes_of(p->text, p->size), desk_now());
		holder->close(holder);
		if (err < 0)
			enlist_trouble(err, reason, sizeof reason);
	}
	desk_close(&d);
	return err < 0 ? desk_fail(o, err, reason) : EXIT_OK;
}

static int add_user(const struct options *o)
{
	struct password *p;
	struct name name;
	struct json *j;
	int code, err;

	if (name_parse(&name, bytes_text(o->words[1])) < 0)
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

/* Asks about one account; the caller prints and frees. */
static int ask_about(const struct options *o, const char *command, struct json **answer)
{
	struct json *q = json_set_text(desk_question(command), "name", o->words[1]);

	if (o->given & OPTION_EXPIRES)
		json_set_int(q, "expires", o->expires);
	return desk_ask(o, q, answer);
}

/* A change of one account, with what to say of it. */
static int change_user(const struct options *o, const char *command, const char *key,
		       const char *words)
{
	struct json *answer;
	int code = ask_about(o, command, &answer);

	if (code != EXIT_OK)
		return code;
	if (o->given & OPTION_JSON) {
		desk_print(answer);
	} else {
		printf("%s\n", json_text(answer, key));
		fprintf(stderr, words, (int)json_int(answer, "dropped", 0));
	}
	json_free(answer);
	return EXIT_OK;
}

static int remove_user(const struct options *o)
{
	return change_user(o, "remove", "removed",
			   _("The account is gone, and so is its vault. Sessions ended: %d\n"));
}

static int ban_user(const struct options *o)
{
	return change_user(o, "ban", "banned",
			   _("Kept out until: palique-directory user unban NAME. Sessions "
			     "ended: %d\n"));
}

static int unban_user(const struct options *o)
{
	return change_user(
		o, "unban", "unbanned",
		_("May come back; their devices try by themselves, within two minutes.\n"));
}

static int kick_user(const struct options *o)
{
	return change_user(
		o, "kick", "kicked",
		_("Sessions ended: %d. Their devices come back by themselves; to keep "
		  "them out: palique-directory user ban NAME\n"));
}

static int reset_password(const struct options *o)
{
	char place[URI_HOST_MAX + 9] = "DIRECTORY";
	struct json *answer;
	struct uri uri;
	int code = ask_about(o, "reset", &answer);

	if (code != EXIT_OK)
		return code;
	if (uri_parse(&uri, json_text(answer, "link")) == 0)
		place_print(&uri.place, place);
	if (o->given & OPTION_JSON) {
		desk_print(answer);
	} else {
		show_link(answer);
		fprintf(stderr,
			_("For %s alone, once, until %s. Give it only to them. They type:\n"
			  "  palique reset LINK         sets a new password\n"
			  "  palique login %s@%s\n"
			  "Their vault stays sealed: their recovery code opens it, or another "
			  "device of theirs.\n"),
			json_text(answer, "name"), date_of(json_int(answer, "expires", 0)),
			json_text(answer, "name"), place);
	}
	json_free(answer);
	return EXIT_OK;
}

static const struct action {
	const char *name;
	int words;
	int (*run)(const struct options *o);
} actions[] = {
	{ "list", 1, list_users },
	{ "add", 2, add_user },
	{ "remove", 2, remove_user },
	{ "ban", 2, ban_user },
	{ "unban", 2, unban_user },
	{ "kick", 2, kick_user },
	{ "passwd-reset", 2, reset_password },
};

int command_user(const struct options *o)
{
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (strcmp(actions[i].name, o->words[0]) == 0 &&
		    actions[i].words == o->word_count)
			return actions[i].run(o);
	return desk_fail_usage(
		o, ERR_FORMAT,
		_("user takes: list | add NAME | remove NAME | ban NAME | unban NAME "
		  "| kick NAME | passwd-reset NAME. See: palique-directory help "
		  "user"));
}
