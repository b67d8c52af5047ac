#include "peer/faces/cli/options.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/nearest.h"
#include "shared/text.h"

#define BIT(option) (UINT64_C(1) << (option))

/* Tables, to be read as such. */
/* clang-format off */
static const struct option_row {
	const char *name;
	char letter;
	const char *value; /* what stands for its value in --help; NULL: takes none */
	const char *about; /* NULL: not shown */
} options[OPTION_COUNT] = {
	[OPT_HOME] = { "--home", 0, N_("DIR"),
		       N_("the folder of the account (default: $PALIQUE_HOME)") },
	[OPT_JSON] = { "--json", 0, NULL, N_("one JSON object per line on standard output") },
	[OPT_NO_INPUT] = { "--no-input", 0, NULL, N_("never ask; fail instead") },
	[OPT_QUIET] = { "--quiet", 'q', NULL, N_("say only what was asked for, and errors") },
	[OPT_VERBOSE] = { "--verbose", 'v', NULL, N_("say more") },
	[OPT_COLOR] = { "--color", 0, "auto|always|never",
			N_("colours (default: on a terminal, unless NO_COLOR is set)") },
	[OPT_HELP] = { "--help", 'h', NULL, N_("this help") },
	[OPT_VERSION] = { "--version", 0, NULL, N_("the version") },
	[OPT_NAME] = { "--name", 0, N_("NAME"),
		       N_("join, host: your name at the directory; send: what the file is called there; "
			  "profile: the name that others are shown") },
	[OPT_PASSWORD_FD] = { "--password-fd", 0, "N",
			      N_("read the password from this file descriptor") },
	[OPT_LISTEN] = { "--listen", 0, N_("ADDRESS:PORT"),
			 N_("where the directory listens (default: [::]:7272)") },
	[OPT_COUNT] = { "--count", 0, "N",
			N_("how often the invitation can be used (default: once)") },
	[OPT_EXPIRES] = { "--expires", 0, N_("TIME"),
			  N_("how long it holds: 90m, 12h, 7d (default: 7d)") },
	[OPT_WAIT] = { "--wait", 0, "queued|delivered",
		       N_("what to wait for before returning") },
	[OPT_TIMEOUT] = { "--timeout", 0, N_("SECONDS"), N_("how long to wait at most") },
	[OPT_FOLLOW] = { "--follow", 'f', NULL, N_("go on as messages come") },
	[OPT_SINCE] = { "--since", 0, "ID", N_("begin behind this event") },
	[OPT_LIMIT] = { "--limit", 0, "N", N_("at most so many messages (default: 20)") },
	[OPT_BEFORE] = { "--before", 0, "ID", N_("only messages older than this one") },
	[OPT_BEGIN_ANEW] = { "--begin-anew", 0, NULL,
			     N_("login: a new identity, where the vault cannot be opened any more; daemon: an "
				"empty store, where the old one is lost") },
	[OPT_EVERYWHERE] = { "--everywhere", 0, NULL, N_("log out all other devices as well") },
	[OPT_WORDS_FD] = { "--words-fd", 0, "N",
			   N_("read the recovery code from this file descriptor") },
	[OPT_PASSPHRASE_FD] = { "--passphrase-fd", 0, "N",
				N_("read the passphrase from this file descriptor") },
	[OPT_CHANGE] = { "--change", 0, NULL, N_("another passphrase; the lock stays") },
	[OPT_REMOVE] = { "--remove", 0, NULL, N_("take the lock away for good") },
	[OPT_YES] = { "--yes", 'y', NULL, N_("do it without asking once more") },
	[OPT_FORCE] = { "--force", 0, NULL,
			N_("recovery: write the words to what is no terminal, too; export: over a file "
			   "that is there") },
	[OPT_UNDO] = { "--undo", 0, NULL, N_("take it back") },
	[OPT_RATE] = { "--rate", 0, N_("BYTES"),
		       N_("at most so many in a second for each two people: 64k, 2M (default: 256k)") },
	[OPT_FILE] = { "--file", 'f', N_("FILE"),
		       N_("a file or a folder, any size; - is standard input") },
	[OPT_CAPTION] = { "--caption", 0, N_("TEXT"), N_("words that go with the file") },
	[OPT_ALT] = { "--alt", 0, N_("TEXT"),
		      N_("what an image shows, for who cannot see it") },
	[OPT_REPLY_TO] = { "--reply-to", 0, "ID", N_("as an answer to this message") },
	[OPT_HERE] = { "--here", 0, NULL, N_("delete it on this machine alone") },
	[OPT_TO] = { "--to", 0, N_("FOLDER"),
		     N_("where the file goes (default: the downloads folder); - writes it to standard "
			"output, too") },
	[OPT_ALL] = { "--all", 0, NULL,
		      N_("files: those that are over, too; devices grant: all that was said; export: all "
			 "conversations") },
	[OPT_WITH] = { "--with", 0, N_("NAME"), N_("only of the conversation with this contact") },
	[OPT_AFTER] = { "--after", 0, "ID", N_("only messages newer than this one, the oldest first") },
	[OPT_STATUS] = { "--status", 0, N_("TEXT"), N_("a line that contacts see; '' for none") },
	[OPT_PICTURE] = { "--picture", 0, N_("FILE"),
			  N_("an image that contacts see, made small; '' for none") },
	[OPT_DAYS] = { "--days", 0, "N", N_("only what came in so many days") },
	[OPT_FORMAT] = { "--format", 0, "jsonl|html",
			 N_("conversations in the clear: lines of JSON, or a page to read") },
	[OPT_FOREGROUND] = { "--foreground", 0, NULL,
			     N_("stay here, and log to standard error") },
	[OPT_READY_FD] = { "--ready-fd", 0, "N", NULL },
};

static const uint64_t GLOBAL = BIT(OPT_HOME) | BIT(OPT_JSON) | BIT(OPT_NO_INPUT) |
			       BIT(OPT_QUIET) | BIT(OPT_VERBOSE) | BIT(OPT_COLOR) |
			       BIT(OPT_HELP) | BIT(OPT_VERSION);

static const struct command_row {
	const char *name;
	const char *arguments;
	const char *about;
	uint64_t options; /* besides the global ones */
	int min, max;     /* arguments; -1: any number, "the rest of the line" */
	const char *more; /* in its --help: what the words mean; NULL: nothing to explain */
} commands[COMMAND_COUNT] = {
	[CMD_JOIN] = { "join", N_("LINK"), N_("make an account at a directory"),
		       BIT(OPT_NAME) | BIT(OPT_PASSWORD_FD), 1, 1 },
	[CMD_LOGIN] = { "login", N_("NAME@DIRECTORY"),
			N_("your account on this machine too, by its password"),
			BIT(OPT_PASSWORD_FD) | BIT(OPT_BEGIN_ANEW), 1, 1 },
	[CMD_RECOVER] = { "recover", N_("NAME@DIRECTORY"),
			  N_("the password is forgotten: log in with the recovery code"),
			  BIT(OPT_PASSWORD_FD) | BIT(OPT_WORDS_FD), 1, 1 },
	[CMD_RESET] = { "reset", N_("LINK"),
			N_("a new password, with the link that the operator gave you"),
			BIT(OPT_PASSWORD_FD), 1, 1 },
	[CMD_PASSWD] = { "passwd", "", N_("choose another password"),
			 BIT(OPT_PASSWORD_FD) | BIT(OPT_EVERYWHERE), 0, 0 },
	[CMD_RECOVERY] = { "recovery", N_("[remove]"),
			   N_("twelve words on paper that help when the password is forgotten"),
			   BIT(OPT_FORCE) | BIT(OPT_YES), 0, 1 },
	[CMD_DEVICES] = { "devices", N_("[name|revoke|grant DEVICE]"),
			  N_("the machines of this account"),
			  BIT(OPT_YES) | BIT(OPT_DAYS) | BIT(OPT_ALL) | BIT(OPT_UNDO), 0, 3,
			  N_("  name DEVICE NEW-NAME: calls it otherwise\n"
			     "  revoke DEVICE: it is lost or sold, and belongs to the account no more\n"
			     "  grant DEVICE [--days N]: it may have what was said before it came in\n"
			     "  DEVICE is its name, or the beginning of its id.") },
	[CMD_ACCOUNT] = { "account", N_("delete|renew"),
			  N_("end the account; or take a new identity after a theft"),
			  BIT(OPT_YES), 1, 1 },
	[CMD_BACKUP] = { "backup", N_("FILE"),
			 N_("the account and its history into one encrypted file"),
			 BIT(OPT_FORCE) | BIT(OPT_PASSPHRASE_FD), 1, 1 },
	[CMD_RESTORE] = { "restore", N_("FILE"),
			  N_("an account out of such a file, on another machine"),
			  BIT(OPT_PASSPHRASE_FD), 1, 1 },
	[CMD_EXPORT] = { "export", N_("[NAME] PATH"),
			 N_("conversations to be read, with --format; without it as backup"),
			 BIT(OPT_FORCE) | BIT(OPT_PASSPHRASE_FD) | BIT(OPT_FORMAT) | BIT(OPT_ALL), 1, 2 },
	[CMD_IMPORT] = { "import", N_("FILE"), N_("another word for restore"),
			 BIT(OPT_PASSPHRASE_FD), 1, 1 },
	[CMD_LOCK] = { "lock", "", N_("nobody opens this home's store without a passphrase"),
		       BIT(OPT_CHANGE) | BIT(OPT_PASSPHRASE_FD), 0, 0 },
	[CMD_UNLOCK] = { "unlock", "", N_("begin the engine of a locked home"),
			 BIT(OPT_REMOVE) | BIT(OPT_PASSPHRASE_FD), 0, 0 },
	[CMD_HOST] = { "host", "", N_("run a directory here, for a household or a team"),
		       BIT(OPT_LISTEN) | BIT(OPT_NAME) | BIT(OPT_PASSWORD_FD), 0, 0 },
	[CMD_INVITE] = { "invite", "", N_("an invitation to the directory hosted here"),
			 BIT(OPT_COUNT) | BIT(OPT_EXPIRES), 0, 0 },
	[CMD_LINK] = { "link", "", N_("your contact link, to give to others"), 0, 0, 0 },
	[CMD_ADD] = { "add", N_("NAME|LINK [GREETING...]"), N_("ask a person to be your contact"),
		      0, 1, -1 },
	[CMD_ACCEPT] = { "accept", N_("NAME|ID"),
			 N_("say yes to a request, to a changed key, or to a file"),
			 BIT(OPT_TO) | BIT(OPT_WAIT) | BIT(OPT_TIMEOUT), 1, 1 },
	[CMD_BLOCK] = { "block", N_("NAME"), N_("never hear of this name again"), 0, 1, 1 },
	[CMD_UNBLOCK] = { "unblock", N_("NAME"), N_("take a block back"), 0, 1, 1 },
	[CMD_REMOVE] = { "remove", N_("NAME"), N_("forget a contact; the history stays"), 0, 1, 1 },
	[CMD_REQUESTS] = { "requests", "[anyone|link|none]", N_("who may ask to be your contact"),
			   0, 0, 1 },
	[CMD_CONSENT] = { "consent", N_("NAME [direct|relay|never]"),
			  N_("whether a contact may have your address"), 0, 1, 2,
			  N_("  direct: yes, you are connected directly where that can be (so it is at first)\n"
			     "  relay:  no address; only through a contact of both who relays\n"
			     "  never:  no address and no connection; what you write waits\n"
			     "  Without a word it tells what holds now.") },
	[CMD_RELAY] = { "relay", "[on|off]",
			N_("carry what contacts say to each other who find no direct path"),
			BIT(OPT_RATE), 0, 1,
			N_("  Off at first. Who relays sees how much two contacts say to each other, and when;\n"
			   "  never what. Without a word it tells what is carried now.") },
	[CMD_SAFETY] = { "safety", N_("NAME"),
			 N_("the number to compare, to know that nobody stands between"), 0, 1, 1 },
	[CMD_VERIFY] = { "verify", N_("NAME [DIGITS]"),
			 N_("the numbers were compared and are the same"),
			 BIT(OPT_UNDO) | BIT(OPT_YES), 1, 64 },
	[CMD_LS] = { "ls", "", N_("contacts and requests"), 0, 0, 0 },
	[CMD_SEND] = { "send", N_("NAME TEXT...|-f FILE"),
		       N_("send a message, or a file; - reads it from standard input"),
		       BIT(OPT_WAIT) | BIT(OPT_TIMEOUT) | BIT(OPT_FILE) | BIT(OPT_NAME) |
			       BIT(OPT_CAPTION) | BIT(OPT_ALT) | BIT(OPT_REPLY_TO), 1, -1,
		       N_("  NAME is a contact, or the contact link of somebody who is none yet: then they are\n"
			  "  asked, and what you say waits until they accept.\n"
			  "  Words behind a file go with it as a caption.") },
	[CMD_REPLY] = { "reply", N_("ID TEXT..."), N_("answer a message"),
			BIT(OPT_WAIT) | BIT(OPT_TIMEOUT), 2, -1 },
	[CMD_EDIT] = { "edit", N_("ID TEXT..."), N_("another text for a message of yours"), 0, 2, -1 },
	[CMD_REACT] = { "react", N_("ID [SIGN...]"),
			N_("your reactions to a message, as 👍; none takes them back"), 0, 1, -1 },
	[CMD_DELETE] = { "delete", "ID", N_("take a message of yours back, for both; a mark stays"),
			 BIT(OPT_HERE), 1, 1 },
	[CMD_FORWARD] = { "forward", N_("ID NAME"), N_("say a message, or its file, to somebody else"),
			  0, 2, 2 },
	[CMD_RECV] = { "recv", "", N_("show what came and was not read"),
		       BIT(OPT_FOLLOW) | BIT(OPT_SINCE) | BIT(OPT_TIMEOUT), 0, 0 },
	[CMD_READ] = { "read", N_("NAME"), N_("show what came from one contact and was not read"),
		       0, 1, 1 },
	[CMD_CHAT] = { "chat", N_("NAME"), N_("talk, line by line"), BIT(OPT_TIMEOUT), 1, 1 },
	[CMD_HISTORY] = { "history", N_("NAME"), N_("what was said"),
			  BIT(OPT_LIMIT) | BIT(OPT_BEFORE) | BIT(OPT_AFTER), 1, 1 },
	[CMD_SEARCH] = { "search", N_("WORDS..."), N_("messages with all of these words"),
			 BIT(OPT_WITH) | BIT(OPT_LIMIT) | BIT(OPT_BEFORE), 1, -1,
			 N_("  The last word may be a beginning; words between quotes follow each other.") },
	[CMD_SHOW] = { "show", "ID", N_("one message with all that is known of it; an image as one"),
		       0, 1, 1 },
	[CMD_FILES] = { "files", N_("[NAME]"), N_("files on their way, and what to do with them"),
			BIT(OPT_ALL) | BIT(OPT_TO) | BIT(OPT_LIMIT) | BIT(OPT_WAIT) | BIT(OPT_TIMEOUT), 0, 2,
			N_("  files [NAME]: those on their way; with --all those that have arrived, too\n"
			   "  files accept ID [--to FOLDER]: fetches it, and shows how far it is\n"
			   "  files pause ID, files resume ID: lets it rest, and goes on\n"
			   "  files cancel ID: ends it; what came so far goes") },
	[CMD_TIMER] = { "timer", N_("NAME [TIME|off]"),
			N_("after how long messages disappear, if both want it"), 0, 1, 2,
			N_("  TIME is 30s, 5m, 12h, 1d or 2w. When both have one the longer holds; what was said\n"
			   "  before stays. Without a word it tells what holds now.") },
	[CMD_FORGET] = { "forget", N_("NAME"), N_("delete all that was said with somebody, here alone"),
			 BIT(OPT_YES), 1, 1 },
	[CMD_PROFILE] = { "profile", N_("[NAME]"), N_("what you, or a contact, show of yourselves"),
			  BIT(OPT_NAME) | BIT(OPT_STATUS) | BIT(OPT_PICTURE), 0, 1 },
	[CMD_HIDE] = { "hide", N_("NAME"), N_("a contact does not see that you are there"), 0, 1, 1 },
	[CMD_UNHIDE] = { "unhide", N_("NAME"), N_("they see it again"), 0, 1, 1 },
	[CMD_SETTINGS] = { "settings", N_("[WHAT VALUE]"), N_("files, read marks, how long messages stay"),
			   BIT(OPT_WITH), 0, 2,
			   N_("  accept-up-to SIZE: files up to it are fetched unasked: 50M, 2G, 0 for none\n"
			      "  downloads FOLDER: where they go\n"
			      "  read-marks on|off: whether contacts see what you have read\n"
			      "  keep 90d|forever: how long messages are kept\n"
			      "  The last two also for one contact: --with NAME; \"default\" takes that back.") },
	[CMD_STATUS] = { "status", "[available|away|busy|invisible]",
			 N_("who and where you are, and what waits; or how you are seen"), 0, 0, 1 },
	[CMD_DOCTOR] = { "doctor", "", N_("check everything, and say what to do"), 0, 0, 0 },
	[CMD_RPC] = { "rpc", "", N_("JSON-RPC on standard input and output"), 0, 0, 0 },
	[CMD_STOP] = { "stop", "", N_("end the engine of this home"), 0, 0, 0 },
	[CMD_DAEMON] = { "daemon", "", N_("begin the engine (commands do so by themselves)"),
			 BIT(OPT_FOREGROUND) | BIT(OPT_READY_FD) | BIT(OPT_BEGIN_ANEW) |
				 BIT(OPT_PASSPHRASE_FD), 0, 0 },
	[CMD_HELP] = { "help", N_("[COMMAND]"), N_("this help"), 0, 0, 1 },
};
/* clang-format on */

/* In the reader's language; "" stands for nothing, and would be the catalogue's header. */
static const char *said(const char *text)
{
	return text && *text ? _(text) : "";
}

const char *options_command_name(enum command command)
{
	return command < COMMAND_COUNT ? commands[command].name : "";
}

static enum command find_command(const char *name)
{
	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(commands[i].name, name))
			return (enum command)i;
	return COMMAND_COUNT;
}

/* One letter can stand for two options: the one that the command takes, if it takes one. */
static int find_letter(char letter, uint64_t taken)
{
	int found = -1;

	for (int i = 0; i < OPTION_COUNT; i++) {
		if (options[i].letter != letter)
			continue;
		if (found < 0 || (taken & BIT(i)))
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
		size_t size = strlen(options[i].name);
		if (strncmp(word, options[i].name, size))
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
		 has_command ? commands[r->o->command].name : "", has_command ? " " : "");
	return ERR_FORMAT;
}

/* Messages are "the rest of the line": once one has begun, a word with a single dash
 * belongs to it ("-5 degrees"). Two dashes are always meant for us, so that an option
 * typed behind the text is never sent to somebody. */
static bool is_option(const struct options *o, const char *word)
{
	bool in_text = o->command < COMMAND_COUNT && commands[o->command].max < 0 &&
		       o->argument_count >= 1;

	if (word[0] != '-' || !word[1])
		return false;
	/* A device's key may begin with a dash, and is longer than any single letter. */
	if (o->command == CMD_DEVICES && o->argument_count == 1 && word[1] != '-' && word[2])
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
		nearest_offer(&meant, commands[i].name);
	if (meant.word)
		snprintf(r->next, r->next_size, "palique %s", meant.word);
	return err;
}

static int no_option(struct reading *r, const char *typed)
{
	bool has_command = r->o->command < COMMAND_COUNT;
	uint64_t taken = GLOBAL | (has_command ? commands[r->o->command].options : 0);
	struct nearest meant;
	int err;

	if (has_command && commands[r->o->command].max < 0)
		err = wrong(r,
			    _("there is no option %s (if it belongs to a message, put -- "
			      "before the message)"),
			    typed);
	else
		err = wrong(r, _("there is no option %s"), typed);
	nearest_begin(&meant, typed);
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if ((taken & BIT(i)) && options[i].about)
			nearest_offer(&meant, options[i].name);
	if (meant.word)
		snprintf(r->next, r->next_size, "palique %s%s%s",
			 has_command ? commands[r->o->command].name : "",
			 has_command ? " " : "", meant.word);
	return err;
}

static int take_option(struct reading *r, int argc, char **argv, int *at)
{
	const char *inside, *word = argv[*at];
	bool has_command = r->o->command < COMMAND_COUNT;
	uint64_t taken = has_command ? commands[r->o->command].options : 0;
	int which = find_option(word, taken, &inside);

	if (which < 0)
		return no_option(r, word);
	if (!options[which].value) {
		if (inside)
			return wrong(r, _("%s takes no value"), options[which].name);
		r->o->value[which] = "";
		return 0;
	}
	if (!inside && *at + 1 >= argc)
		return wrong(r, _("%s needs a value"), options[which].name);
	r->o->value[which] = inside ? inside : argv[++*at];
	return 0;
}

static int check_use(struct reading *r)
{
	const struct options *o = r->o;
	const struct command_row *row;

	if (o->command == COMMAND_COUNT || o->value[OPT_HELP] || o->value[OPT_VERSION])
		return 0;
	row = &commands[o->command];
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (o->value[i] && !((row->options | GLOBAL) & BIT(i)))
			return wrong(r, _("%s does not belong to this command"),
				     options[i].name);
	if (o->argument_count < row->min)
		return wrong(r, _("this needs: %s"), said(row->arguments));
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

static void help_option(FILE *out, unsigned i)
{
	char left[96];

	if (!options[i].about)
		return;
	snprintf(left, sizeof left, "%s%s%s%s", options[i].name, options[i].letter ? ", -" : "",
		 options[i].letter ? (char[]){ options[i].letter, '\0' } : "", "");
	if (options[i].value)
		snprintf(left + strlen(left), sizeof left - strlen(left), " %s",
			 said(options[i].value));
	fprintf(out, "  %-*s %s\n", text_pad(left, 28), left, _(options[i].about));
}

static void help_options(FILE *out, uint64_t which)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (which & BIT(i))
			help_option(out, i);
}

void options_help(FILE *out, enum command command)
{
	if (command < COMMAND_COUNT) {
		const struct command_row *row = &commands[command];
		fprintf(out, "palique %s%s%s\n  %s\n", row->name, *row->arguments ? " " : "",
			said(row->arguments), _(row->about));
		if (row->more)
			fprintf(out, "\n%s\n", _(row->more));
		if (row->options) {
			fprintf(out, "\n");
			help_options(out, row->options);
		}
		fprintf(out, "\n%s\n", _("Everywhere:"));
		help_options(out, GLOBAL);
		return;
	}
	fprintf(out, "%s\n\n", _("palique: talk directly, encrypted, from machine to machine"));
	for (unsigned i = 0; i < COMMAND_COUNT; i++) {
		char left[64];
		snprintf(left, sizeof left, "%s %s", commands[i].name,
			 said(commands[i].arguments));
		fprintf(out, "  %-*s %s\n", text_pad(left, 28), left, _(commands[i].about));
	}
	fprintf(out, "\n%s\n", _("Everywhere:"));
	help_options(out, GLOBAL);
	fprintf(out, "\n%s\n",
		_("Exit codes: 0 done, 1 failed, 2 usage, 3 no engine or home locked, 4 not "
		  "found, "
		  "5 refused,\n6 still queued (send --wait delivered), 7 timeout, 130 "
		  "interrupted."));
}
