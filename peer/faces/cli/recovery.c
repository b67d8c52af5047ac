/* The twelve words on paper: recovery. */
#include <sodium.h>
#include <string.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "peer/faces/cli/prompt.h"
#include "shared/error.h"
#include "shared/recovery.h"
#include "shared/text.h"

enum {
	COLUMNS = 3,
	CHECKED = 2, /* words that are asked back */
	TRIES = 3,
	OWN_MAX = 384, /* bytes of NAME@DIRECTORY */
};

struct words {
	char word[RECOVERY_WORDS][RECOVERY_WORD_MAX + 1];
};

static int split(struct words *w, const char *text)
{
	unsigned count = 0;

	memset(w, 0, sizeof *w);
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t size = strcspn(text, " ");
		if (count == RECOVERY_WORDS || size > RECOVERY_WORD_MAX)
			return ERR_FORMAT;
		memcpy(w->word[count++], text, size);
		text += size;
	}
	return count == RECOVERY_WORDS ? 0 : ERR_FORMAT;
}

/* Down each column, as it is read aloud and written. */
static void print_words(const struct words *w)
{
	enum { ROWS = RECOVERY_WORDS / COLUMNS };

	out_line("%s", "");
	for (unsigned row = 0; row < ROWS; row++)
		out_line("  %2u %-*s  %2u %-*s  %2u %s", row + 1, RECOVERY_WORD_MAX,
			 w->word[row], row + ROWS + 1, RECOVERY_WORD_MAX, w->word[row + ROWS],
			 row + 2 * ROWS + 1, w->word[row + 2 * ROWS]);
	out_line("%s", "");
}

/* False: it was not asked back to the end, or not right. */
static bool ask_back(struct cli *c, const struct words *w, unsigned which)
{
	char question[128], line[128];
	bool is_right = false;

	snprintf(question, sizeof question,
		 _("as a check, word %u of your paper (Enter: skip)"), which + 1);
	for (unsigned i = 0; i < TRIES && !is_right; i++) {
		if (prompt_line(line, sizeof line, &c->o, question, "") < 0 || !*line)
			break;
		is_right = !strcmp(line, w->word[which]);
		if (!is_right)
			out_say("%s", _("  That is another word than above: look once more."));
	}
	sodium_memzero(line, sizeof line);
	return is_right;
}

static void check_paper(struct cli *c, const struct words *w)
{
	unsigned first = randombytes_uniform(RECOVERY_WORDS / 2);
	unsigned second = RECOVERY_WORDS / 2 + randombytes_uniform(RECOVERY_WORDS / 2);

	if (!out_is_terminal() || c->o.value[OPT_NO_INPUT] || c->o.value[OPT_JSON])
		return;
	if (ask_back(c, w, first) && ask_back(c, w, second))
		out_done("%s",
			 _("Paper and account agree. Keep it where you keep a passport."));
	else
		out_say("%s", _("  Not checked. If the paper is wrong: palique recovery makes "
				"another one."));
}

static int make(struct cli *c, const char *own)
{
	struct json *result = NULL;
	struct words words;
	const char *text;
	int code;

	out_say("%s", _("asking the directory..."));
	code = cli_call(c, "createRecoveryCode", NULL, &result);
	if (code != EXIT_DONE)
		return code;
	text = json_text(result, "words");
	if (!text || split(&words, text) < 0) {
		json_free(result);
		return cli_failed(ERR_FORMAT, _("the engine's answer makes no sense"),
				  "palique --version");
	}
	out_done("%s", _("This recovery code counts from now on. Write it on paper:"));
	print_words(&words);
	out_say(_("  Who has the paper and your name has the account. With it, on any "
		  "machine:\n"
		  "  palique recover %s"),
		own);
	out_json(json_keep(result));
	sodium_memzero((char *)text, strlen(text));
	json_free(result);
	check_paper(c, &words);
	sodium_memzero(&words, sizeof words);
	return EXIT_DONE;
}

static int take_away(struct cli *c)
{
	struct json *result = NULL;
	int code = cmd_needs_account(c);

	if (code == EXIT_DONE)
		code = cli_sure(
			c, _("Without a recovery code a forgotten password is the end of the "
			     "account. Remove it?"));

	if (code == EXIT_DONE)
		code = cli_call(c, "removeRecoveryCode", NULL, &result);
	if (code == EXIT_DONE) {
		out_done("%s", _("There is no recovery code any more; the paper is void."));
		out_json(json_set_bool(json_object(), "recovery", false));
	}
	json_free(result);
	return code;
}

/* One that exists is not made void in passing. `own` becomes NAME@DIRECTORY. */
static int check_older(struct cli *c, char *own, size_t size)
{
	struct json *status = NULL;
	const struct json *account;
	const char *name, *directory;
	int code = cli_call(c, "status", NULL, &status);

	account = code == EXIT_DONE ? json_get(status, "account") : NULL;
	name = account ? json_text(account, "name") : NULL;
	directory = account ? json_text(account, "directory") : NULL;
	snprintf(own, size, "%s@%s", name ? name : "?", directory ? directory : "?");
	if (account && json_bool(account, "recovery", false))
		code = cli_sure(c,
				_("There is a recovery code already; a new one makes it void. "
				  "Make a new one?"));
	json_free(status);
	return code;
}

int cmd_recovery(struct cli *c)
{
	const char *what = c->o.argument_count ? c->o.arguments[0] : NULL;
	char own[OWN_MAX];
	int code;

	if (what && strcmp(what, "remove"))
		return cli_usage(_("recovery makes a code; recovery remove takes it away"),
				 "palique help recovery");
	if (what)
		return take_away(c);
	if (!out_is_terminal() && !c->o.value[OPT_FORCE])
		return cli_usage(
			_("the words are for paper, and standard output is no terminal"),
			"palique recovery --force");
	code = cmd_needs_account(c);
	if (code == EXIT_DONE)
		code = check_older(c, own, sizeof own);
	return code == EXIT_DONE ? make(c, own) : code;
}
