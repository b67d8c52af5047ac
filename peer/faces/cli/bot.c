/* Programs with a token: bot. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "shared/error.h"
#include "shared/name.h"
#include "shared/text.h"

/* --- where the token lies --- */

/* HOME/bots/NAME, or HOME/bots alone; the name was checked by the engine. */
static int token_path(const struct cli *c, const char *name, char out[CLI_PATH_MAX])
{
	int size = snprintf(out, CLI_PATH_MAX, "%s/bots%s%s", c->home, name ? "/" : "",
			    name ? name : "");

	return size < CLI_PATH_MAX ? 0 : ERR_LIMIT;
}

/* For nobody else's eyes, and never over something that is there under another's control: a new file takes the
 * place of an old one as a whole. */
static int write_token(const struct cli *c, const char *name, const char *token,
		       char path[CLI_PATH_MAX])
{
	char fresh[CLI_PATH_MAX + 8];
	size_t size = strlen(token);
	int fd, err = ERR_IO;

	if (token_path(c, NULL, path) < 0 || (mkdir(path, 0700) < 0 && errno != EEXIST) ||
	    token_path(c, name, path) < 0)
		return ERR_IO;
	snprintf(fresh, sizeof fresh, "%s.new", path);
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return ERR_IO;
	if (write(fd, token, size) == (ssize_t)size && write(fd, "\n", 1) == 1 &&
	    fsync(fd) == 0 && rename(fresh, path) == 0)
		err = 0;
	close(fd);
	if (err < 0)
		unlink(fresh);
	return err;
}

/* --- words --- */

static const char *right_words(const struct json *bot)
{
	const char *may = json_text(bot, "may");

	if (may && !strcmp(may, "send"))
		return _("may send");
	if (may && !strcmp(may, "propose"))
		return _("may propose");
	return _("may read");
}

static void names_words(const struct json *bot, char *words, size_t size)
{
	const struct json *list = json_get(bot, "conversations");
	size_t at = 0;

	words[0] = '\0';
	for (size_t i = 0; i < json_count(list) && at < size; i++) {
		const char *name = json_text_at(list, i);

		if (name && !strcmp(name, "*"))
			name = _("everybody");
		at += (size_t)snprintf(words + at, size - at, "%s%s", i ? ", " : "",
				       name ? out_safe(name) : "?");
	}
}

static void print_bot(const struct json *bot)
{
	const char *name = json_text(bot, "name");
	char with[1024];
	int64_t expires = json_int(bot, "expires", 0), seen = json_int(bot, "seen", 0);

	names_words(bot, with, sizeof with);
	/* TRANSLATORS: name, "may send" or so, contacts, a number */
	out_line(_("%-16s %s, with %s; %lld a minute"), name ? out_safe(name) : "?",
		 right_words(bot), with, (long long)json_int(bot, "rate", 0));
	if (expires)
		out_line(_("  until %s"), out_time(expires));
	if (seen)
		out_line(_("  last here %s"), out_time(seen));
	else
		out_line("  %s", _("it was never here"));
}

/* --- making and ending --- */

static struct json *names_of(const struct cli *c)
{
	struct json *names = json_array();

	if (c->o.value[OPT_ALL])
		json_add_text(names, "*");
	if (c->o.value[OPT_WITH])
		json_add_text(names, c->o.value[OPT_WITH]);
	for (int i = 2; i < c->o.argument_count; i++)
		json_add_text(names, c->o.arguments[i]);
	return names;
}

/* What was not given is left out. */
static int read_limits(const struct cli *c, struct json *params)
{
	const char *typed = c->o.value[OPT_EXPIRES];
	bool is_endless = typed && !strcmp(typed, "never");
	long rate, expires = 0;

	if (options_number(&c->o, OPT_RATE, 1, 600, 0, &rate) < 0)
		return cli_usage(_("--rate is a number of messages in a minute, from 1 to 600"),
				 "palique help bot");
	if (!is_endless &&
	    (options_duration(&c->o, OPT_EXPIRES, 0, &expires) < 0 || (typed && expires < 1)))
		return cli_usage(_("--expires is a time as 90m, 12h or 7d, or never"),
				 "palique help bot");
	if (rate)
		json_set_int(params, "rate", rate);
	if (expires || is_endless)
		json_set_int(params, "expires", expires);
	if (c->o.value[OPT_MAY])
		json_set_text(params, "may", c->o.value[OPT_MAY]);
	if (c->o.value[OPT_ALL] || c->o.value[OPT_WITH])
		json_set(params, "conversations", names_of(c));
	return EXIT_DONE;
}

/* The bot in `result`, with the token that is in it; `words` has a %s for its name. A token that cannot be kept is
 * useless: ERR_IO. */
static int keep_and_tell(const struct cli *c, const struct json *result, const char *words)
{
	const struct json *bot = json_get(result, "bot");
	const char *token = json_text(result, "token"), *name = json_text(bot, "name");
	struct json *o = json_set(json_object(), "bot", json_keep((struct json *)bot));
	bool shows = token && c->o.value[OPT_SHOW];
	char path[CLI_PATH_MAX] = "";

	if (token && (!name || write_token(c, name, token, path) < 0)) {
		json_free(o);
		return ERR_IO;
	}
	if (token)
		json_set_text(o, "tokenFile", path);
	if (shows)
		json_set_text(o, "token", token);
	out_json(o);
	out_done(words, out_safe(name ? name : "?"));
	print_bot(bot);
	if (shows)
		out_line("%s", token);
	else if (token)
		out_say(_("Its token is in %s. Whoever reads that file is the bot."),
			out_safe(path));
	return 0;
}

static int no_file(void)
{
	return cli_failed(ERR_IO, _("the token could not be written to a file"),
			  "palique doctor");
}

static void wipe(struct json *take_result)
{
	const char *token = json_text(take_result, "token");

	if (token)
		sodium_memzero((char *)token, strlen(token));
	json_free(take_result);
}

static int create(struct cli *c)
{
	struct json *params, *result = NULL;
	int code;

	if (!c->o.value[OPT_ALL] && !c->o.value[OPT_WITH])
		return cli_usage(_("with whom may it speak? --with NAME, or --all"),
				 "palique bot create NAME --with CONTACT");
	if (c->o.value[OPT_EXPIRES] && !strcmp(c->o.value[OPT_EXPIRES], "never"))
		c->o.value[OPT_EXPIRES] = NULL; /* as it is anyway */
	params = json_set_text(json_object(), "name", c->o.arguments[1]);
	json_set_text(params, "may", "send");
	code = read_limits(c, params);
	if (code != EXIT_DONE) {
		json_free(params);
		return code;
	}
	code = cli_call(c, "createBot", params, &result);
	if (code != EXIT_DONE)
		return code;
	if (keep_and_tell(c, result, _("The bot %s is made.")) < 0) {
		const char *name = json_text(json_get(result, "bot"), "name");
		struct json *gone = NULL;

		/* A bot whose token nobody has is of no use. */
		cli_call(c, "removeBot", json_set_text(json_object(), "name", name), &gone);
		json_free(gone);
		code = no_file();
	}
	wipe(result);
	return code;
}

static int change(struct cli *c)
{
	bool names_some = c->o.value[OPT_ALL] || c->o.value[OPT_WITH];
	struct json *params, *result = NULL;
	int code;

	if ((c->o.argument_count > 2 && !names_some) ||
	    (!names_some && !c->o.value[OPT_MAY] && !c->o.value[OPT_RATE] &&
	     !c->o.value[OPT_EXPIRES] && !c->o.value[OPT_NEW_TOKEN]))
		return cli_usage(_("what is to be changed? --with, --all, --may, --rate, "
				   "--expires or --new-token"),
				 "palique bot change NAME --may read");
	params = json_set_text(json_object(), "name", c->o.arguments[1]);
	if (c->o.value[OPT_NEW_TOKEN])
		json_set_bool(params, "newToken", true);
	code = read_limits(c, params);
	if (code != EXIT_DONE) {
		json_free(params);
		return code;
	}
	code = cli_call(c, "changeBot", params, &result);
	if (code != EXIT_DONE)
		return code;
	if (keep_and_tell(c, result, _("The bot %s is changed.")) < 0)
		code = no_file();
	wipe(result);
	return code;
}

static int list(struct cli *c)
{
	struct json *result = NULL;
	const struct json *bots;
	int code = cli_call(c, "listBots", NULL, &result);

	if (code != EXIT_DONE)
		return code;
	bots = json_get(result, "bots");
	for (size_t i = 0; i < json_count(bots); i++) {
		print_bot(json_at(bots, i));
		out_json(json_keep((struct json *)json_at(bots, i)));
	}
	if (json_count(bots) == 0)
		out_say("%s", _("There is no bot. palique bot create NAME --with CONTACT makes "
				"one."));
	json_free(result);
	return EXIT_DONE;
}

static int remove_one(struct cli *c)
{
	const char *name = c->o.arguments[1];
	char path[CLI_PATH_MAX];
	struct json *result = NULL;
	struct name checked;
	int code = cli_call(c, "removeBot", json_set_text(json_object(), "name", name),
			    &result);

	if (code != EXIT_DONE)
		return code;
	if (name_parse(&checked, bytes_text(name)) == 0 &&
	    token_path(c, checked.text, path) == 0)
		unlink(path);
	out_done(_("The bot %s is removed: its token is void."), out_safe(name));
	out_json(result);
	return EXIT_DONE;
}

/* --- what they want to say --- */

/* All that would be said, and nothing of it at the beginning of a line: whatever a program wants to say, it cannot
 * look as another proposal. */
static void print_proposal(const struct json *p)
{
	const char *bot = json_text(p, "bot"), *to = json_text(p, "conversation"),
		   *text = json_text(p, "text"), *id = json_text(p, "id"),
		   *reply = json_text(p, "replyTo");
	const struct json *buttons = json_get(p, "buttons");
	char who[64], whom[64],
		*safe = text_safe(text ? text : "", strlen(text ? text : ""), true);

	snprintf(who, sizeof who, "%s", bot ? out_safe(bot) : "?");
	snprintf(whom, sizeof whom, "%s", to ? out_safe(to) : "?");
	/* TRANSLATORS: number, name of a bot, name of a contact */
	out_line(_("%s  bot %s to %s:"), id ? id : "?", who, whom);
	for (char *line = safe, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		out_line("    | %s", line);
	}
	free(safe);
	for (size_t i = 0; i < json_count(buttons); i++)
		out_line("    [%s]", out_safe(json_text_at(buttons, i)));
	if (reply) {
		char words[128];

		snprintf(words, sizeof words, _("in answer to message %s"), out_safe(reply));
		out_line("    %s", words);
	}
}

static int proposals(struct cli *c)
{
	struct json *result = NULL;
	const struct json *all;
	int code = cli_call(c, "listProposals", NULL, &result);

	if (code != EXIT_DONE)
		return code;
	all = json_get(result, "proposals");
	for (size_t i = 0; i < json_count(all); i++) {
		print_proposal(json_at(all, i));
		out_json(json_keep((struct json *)json_at(all, i)));
	}
	if (json_count(all) == 0)
		out_say("%s", _("Nothing waits to be decided."));
	else
		out_say("%s", _("palique bot approve NUMBER says it; palique bot reject NUMBER "
				"does not."));
	json_free(result);
	return EXIT_DONE;
}

static int approve(struct cli *c)
{
	struct json *params, *result = NULL;
	char id[24], *text = c->o.argument_count > 2 ? cli_rest(c, 2) : NULL;
	int code = cmd_take_id(c, c->o.arguments[1], id);

	if (code != EXIT_DONE) {
		free(text);
		return code;
	}
	params = json_set_text(json_object(), "id", id);
	if (text)
		json_set_text(params, "text", text);
	free(text);
	code = cli_call(c, "approveProposal", params, &result);
	if (code != EXIT_DONE)
		return code;
	out_done(_("It is said to %s."), out_safe(json_text(result, "conversation")));
	out_json(result);
	return EXIT_DONE;
}

static int reject(struct cli *c)
{
	struct json *result = NULL;
	char id[24];
	int code = cmd_take_id(c, c->o.arguments[1], id);

	if (code == EXIT_DONE)
		code = cli_call(c, "rejectProposal", json_set_text(json_object(), "id", id),
				&result);
	if (code != EXIT_DONE)
		return code;
	out_done("%s", _("It is not said."));
	json_free(result);
	out_json(json_set_text(json_object(), "rejected", id));
	return EXIT_DONE;
}

int cmd_bot(struct cli *c)
{
	static const struct {
		const char *word;
		int (*run)(struct cli *c);
		int least; /* arguments */
	} rows[] = {
		{ "ls", list, 1 },
		{ "create", create, 2 },
		{ "change", change, 2 },
		{ "remove", remove_one, 2 },
		{ "approve", approve, 2 },
		{ "reject", reject, 2 },
		{ "proposals", proposals, 1 },
	};

	if (c->o.argument_count == 0)
		return list(c);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!strcmp(rows[i].word, c->o.arguments[0]) &&
		    c->o.argument_count >= rows[i].least)
			return rows[i].run(c);
	}
	return cli_usage(_("bot takes ls, create NAME, change NAME, remove NAME, proposals, "
			   "approve NUMBER "
			   "or reject NUMBER"),
			 "palique help bot");
}
