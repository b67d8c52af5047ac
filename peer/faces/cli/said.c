/* One message as lines for people: who, when, what, and what became of it. */
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "shared/text.h"

enum { WORDS_MAX = 1024 };

bool cmd_is(const struct json *o, const char *key, const char *value)
{
	const char *text = json_text(o, key);

	return text && !strcmp(text, value);
}

/* A Message holds what was said itself, a notification in its `message`. */
static const struct json *body_of(const struct json *m)
{
	const struct json *body = json_get(m, "message");

	return body ? body : m;
}

bool cmd_is_own(const struct json *m)
{
	return json_has(m, "own") ? json_bool(m, "own", false) : !json_has(m, "from");
}

/* --- files --- */

/* "PNG" of "image/png"; "": it is none. */
static void image_kind(const struct json *file, char *kind, size_t size)
{
	static const char before[] = "image/";
	const char *type = json_text(file, "type");

	*kind = '\0';
	if (!type || strncmp(type, before, sizeof before - 1))
		return;
	snprintf(kind, size, "%s", out_safe(type + sizeof before - 1));
	for (char *at = kind; *at; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
}

void cmd_file_words(const struct json *file, char *words, size_t size)
{
	const char *name = json_text(file, "name"), *alt = json_text(file, "alt");
	const char *much = out_size(json_int(file, "size", 0));
	long long width = json_int(file, "width", 0), height = json_int(file, "height", 0);
	char kind[32], sides[48] = "";

	image_kind(file, kind, sizeof kind);
	if (width && height)
		snprintf(sides, sizeof sides, " %lldx%lld", width, height);
	name = name ? out_safe(name) : "?";
	if (json_bool(file, "folder", false))
		/* TRANSLATORS: name, number of files, size in all */
		snprintf(words, size, _("[folder %s, files: %lld, %s]"), name,
			 (long long)json_int(file, "files", 0), much);
	else if (*kind)
		/* TRANSLATORS: as in [image PNG 1920x1080, 2.1 MB: what it shows] */
		snprintf(words, size, _("[image %s%s, %s: %s]"), kind, sides, much,
			 alt && *alt ? out_safe(alt) : name);
	else
		snprintf(words, size, _("[file %s, %s]"), name, much);
}

void cmd_transfer_figures(const struct json *t, char *words, size_t size)
{
	int64_t whole = json_int(t, "size", 0), done = json_int(t, "done", 0),
		left = json_int(t, "secondsLeft", -1), rate = json_int(t, "rate", 0);
	size_t used;

	/* TRANSLATORS: "43 %, 0.9 MB of 2.1 MB" */
	snprintf(words, size, _("%d %%, %s of %s"),
		 whole > 0 ? (int)((double)done / (double)whole * 100) : 100, out_size(done),
		 out_size(whole));
	used = strlen(words);
	if (rate > 0)
		snprintf(words + used, size - used, _(", %s/s"), out_size(rate));
	used = strlen(words);
	if (left >= 0)
		snprintf(words + used, size - used, _(", %s left"), out_span(left));
}

/* A row for each state: of a file of ours, and of one of theirs. %s is the name of the other one, or
 * the number of the message where a command needs it. */
static const struct state_row {
	const char *state, *ours, *theirs;
	bool is_ours_by_id, is_theirs_by_id;
} states[] = {
	{ "offered", N_("offered; %s has not fetched it yet"),
	  N_("not fetched: palique files accept %s"), false, true },
	{ "waiting", N_("waits for %s"), N_("waits for %s"), false, false },
	{ "paused", N_("paused: palique files resume %s"),
	  N_("paused: palique files resume %s"), true, true },
	{ "stopped", N_("%s has paused it"), N_("%s has paused it"), false, false },
	{ "checking", N_("is being looked at for %s"), N_("is being checked"), false, false },
	{ "cancelled", N_("cancelled; %s does not get it"),
	  N_("cancelled; palique files accept %s fetches it"), false, true },
};

/* Begun, and not going on: with how far it is. */
static bool resting_words(const struct json *t, bool is_own, const char *name, const char *id,
			  char *words, size_t size)
{
	int64_t whole = json_int(t, "size", 0), done = json_int(t, "done", 0);
	int percent = whole > 0 ? (int)((double)done / (double)whole * 100) : 0;
	const char *reason = json_text(t, "reason");

	if (is_own && done > 0 && cmd_is(t, "state", "offered"))
		snprintf(words, size,
			 _("interrupted at %d %%: goes on when %s is there and asks for the "
			   "rest"),
			 percent, name);
	else if (done > 0 && cmd_is(t, "state", "stopped"))
		snprintf(words, size, _("%s has paused it at %d %%"), name, percent);
	else if (done > 0 && cmd_is(t, "state", "paused"))
		snprintf(words, size, _("paused at %d %%: palique files resume %s"), percent,
			 id);
	else if (reason && cmd_is(t, "state", "waiting"))
		snprintf(words, size, _("waits for %s: %s"), name, out_safe(reason));
	else
		return false;
	return true;
}

void cmd_transfer_words(const struct json *t, bool is_own, const char *name, const char *id,
			char *words, size_t size)
{
	const char *state = json_text(t, "state"), *path = json_text(t, "path"),
		   *reason = json_text(t, "reason");

	*words = '\0';
	if (!state)
		return;
	if (!strcmp(state, "running")) {
		cmd_transfer_figures(t, words, size);
	} else if (!strcmp(state, "done") && is_own) {
		snprintf(words, size, _("has arrived at %s"), name);
	} else if (!strcmp(state, "done")) {
		snprintf(words, size, _("saved: %s"), path ? out_safe(path) : "?");
	} else if (!strcmp(state, "failed") && cmd_is(t, "error", "expired")) {
		snprintf(words, size,
			 is_own ? _("%s has cancelled it; they may fetch it all the same")
				: _("%s has taken the offer back"),
			 name);
	} else if (!strcmp(state, "failed")) {
		snprintf(words, size, _("failed: %s"),
			 reason ? out_safe(reason) : _("for an unknown reason"));
	}
	if (is_own && !path && !strcmp(state, "offered")) {
		snprintf(words, size, "%s", _("offered by another device of yours"));
		return;
	}
	if (resting_words(t, is_own, name, id, words, size))
		return;
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		const struct state_row *row = &states[i];
		bool by_id = is_own ? row->is_ours_by_id : row->is_theirs_by_id;
		if (!strcmp(row->state, state))
			snprintf(words, size, is_own ? _(row->ours) : _(row->theirs),
				 by_id ? id : name);
	}
}

void cmd_left_out(const struct json *left)
{
	int64_t links = left ? json_int(left, "links", 0) : 0,
		others = left ? json_int(left, "others", 0) : 0;

	if (links > 0)
		out_say(ngettext("  left out: %lld link (it may lead out of the folder; send "
				 "by itself what it leads to)",
				 "  left out: %lld links (they may lead out of the folder; "
				 "send by itself what they lead to)",
				 (unsigned long)links),
			(long long)links);
	if (others > 0)
		out_say(ngettext("  left out: %lld special file (a socket, pipe or device "
				 "holds nothing that can be sent)",
				 "  left out: %lld special files (sockets, pipes and devices "
				 "hold nothing that can be sent)",
				 (unsigned long)others),
			(long long)others);
}

/* --- messages --- */

static void quote_words(const struct json *m, char *words, size_t size)
{
	const struct json *quote = json_get(m, "quote");
	const char *text = quote ? json_text(quote, "begins") : NULL,
		   *name = quote ? json_text(quote, "name") : NULL;

	*words = '\0';
	if (quote && text && *text)
		snprintf(words, size, _(", to \"%s\""), out_safe(text));
	else if (quote && name)
		snprintf(words, size, _(", to \"%s\""), out_safe(name));
	else if (quote)
		snprintf(words, size, "%s", _(", to a message that is gone"));
	else if (json_has(m, "replyTo") || json_bool(m, "replyMissing", false))
		snprintf(words, size, "%s", _(", to a message that is not here"));
}

static const char *mark(const struct json *m)
{
	if (cmd_is(m, "state", "read"))
		return " ✔✔";
	if (cmd_is(m, "state", "delivered"))
		return " ✔";
	return cmd_is(m, "state", "queued") ? " …" : "";
}

/* What is said where there is no text any more, or none that we know; NULL: there is. */
static const char *in_place_of_text(const struct json *m)
{
	if (json_bool(m, "retracted", false))
		return _("(taken back)");
	if (json_bool(m, "gone", false))
		return _("(not kept any more)");
	if (cmd_is(m, "kind", "unknown"))
		return _("(this needs a newer palique to be shown)");
	return NULL;
}

static void flag_words(const struct json *m, char *words, size_t size)
{
	int64_t life = json_int(m, "life", 0);
	size_t used;

	*words = '\0';
	if (in_place_of_text(m))
		return;
	if (json_bool(m, "forwarded", false))
		snprintf(words, size, "%s", _(" (forwarded)"));
	used = strlen(words);
	if (json_bool(m, "edited", false))
		snprintf(words + used, size - used, "%s", _(" (edited)"));
	used = strlen(words);
	if (life > 0)
		snprintf(words + used, size - used, _(" (disappears after %s)"),
			 out_span(life));
}

/* "bob: 👍; you: ❤", or "". */
static void reaction_words(const struct json *m, const char *name, char *words, size_t size)
{
	const struct json *reactions = json_get(m, "reactions");
	const char *ours = reactions ? json_text(reactions, "ours") : NULL,
		   *theirs = reactions ? json_text(reactions, "theirs") : NULL;
	size_t used;

	*words = '\0';
	if (theirs && *theirs)
		snprintf(words, size, "%s: %s", name, out_safe(theirs));
	used = strlen(words);
	if (ours && *ours)
		snprintf(words + used, size - used, "%s%s: %s", used ? "; " : "", _("you"),
			 out_safe(ours));
}

static void print_below(const char *words)
{
	if (*words)
		out_line("      %s", words);
}

static void print_missing(const struct json *m, const char *name)
{
	int64_t missing = json_int(m, "missing", 0);

	if (missing > 0)
		out_line(ngettext("  (%lld message of %s is missing here and was asked for)",
				  "  (%lld messages of %s are missing here and were asked for)",
				  (unsigned long)missing),
			 (long long)missing, name);
}

void cmd_print(const struct json *m)
{
	const struct json *body = body_of(m), *file = json_get(body, "file");
	bool is_own = cmd_is_own(m);
	const char *id = json_text(m, "id"), *contact = json_text(m, "conversation"),
		   *text = json_text(body, "text"), *instead = in_place_of_text(body),
		   *name = out_safe(contact ? contact : "?");
	char quote[WORDS_MAX], flags[128], number[32], words[WORDS_MAX], what[WORDS_MAX] = "";

	quote_words(body, quote, sizeof quote);
	flag_words(body, flags, sizeof flags);
	print_missing(body, is_own ? _("you") : name);
	if (file && !instead)
		cmd_file_words(file, what, sizeof what);
	snprintf(number, sizeof number, "[%s]", id ? id : "?");
	out_line("%s %s %s%s%s: %s%s%s%s",
		 out_color(COLOR_FAINT, out_time(json_int(m, "timestamp", 0))),
		 out_color(COLOR_FAINT, number),
		 is_own ? _("you") : out_color(COLOR_NAME, name), is_own ? mark(m) : "", quote,
		 what, *what && text && *text ? " " : "",
		 instead ? out_color(COLOR_FAINT, instead) : out_marked(text ? text : ""),
		 flags);
	if (file && !instead) {
		cmd_transfer_words(file, is_own, name, id ? id : "ID", words, sizeof words);
		print_below(words);
	}
	reaction_words(body, name, words, sizeof words);
	print_below(words);
}

/* --- what happens to them later --- */

void cmd_print_change(const struct json *params)
{
	const struct json *m = json_get(params, "message");
	const char *id = json_text(params, "id"), *contact = json_text(params, "conversation"),
		   *text = m ? json_text(m, "text") : NULL;
	bool is_own = m && cmd_is_own(m);
	char words[WORDS_MAX];
	const char *who;

	if (!id || !contact)
		return;
	contact = out_safe(contact);
	who = is_own ? _("you") : contact;
	if (cmd_is(params, "change", "edited") && text)
		/* TRANSLATORS: %1: the number of a message, %2: whose it is, %3: its new text */
		out_line(_("* [%s] of %s is now: %s"), id, who, out_marked(text));
	else if (cmd_is(params, "change", "retracted"))
		out_line(_("* [%s] of %s was taken back"), id, who);
	else if (cmd_is(params, "change", "gone"))
		out_line(_("* [%s] of %s is not kept any more"), id, who);
	if (!cmd_is(params, "change", "reactions") || !m)
		return;
	reaction_words(m, contact, words, sizeof words);
	/* TRANSLATORS: the number of a message, then who reacts how */
	out_line(_("* [%s] %s"), id, *words ? words : _("has no reactions any more"));
}

/* Only what has come to an end, or to a stop: between them is for `files`. */
void cmd_print_transfer(const struct json *t)
{
	static const char *const told[] = { "done", "failed", "stopped", "cancelled" };
	const char *id = json_text(t, "id"), *contact = json_text(t, "conversation"),
		   *name = json_text(t, "name");
	char words[WORDS_MAX];

	for (size_t i = 0; id && contact && name && i < sizeof told / sizeof *told; i++) {
		if (!cmd_is(t, "state", told[i]) || !json_has(t, "eventId"))
			continue;
		cmd_transfer_words(t, json_bool(t, "own", false), out_safe(contact), id, words,
				   sizeof words);
		out_line("* [%s] %s: %s", id, out_safe(name), words);
	}
}

/* --- numbers by which people name messages --- */

const char *cmd_id(const char *typed)
{
	static char id[24];
	size_t size;

	typed += *typed == '#' || *typed == '[';
	size = strspn(typed, "0123456789");
	if (size == 0 || size > 19 || (typed[size] && strcmp(typed + size, "]")))
		return NULL;
	snprintf(id, sizeof id, "%.*s", (int)size, typed);
	return id;
}

int cmd_take_id(struct cli *c, const char *typed, char id[24])
{
	char hint[64], trouble[160];

	if (cmd_id(typed)) {
		snprintf(id, 24, "%s", cmd_id(typed));
		return EXIT_DONE;
	}
	snprintf(hint, sizeof hint, "palique help %s", options_command_name(c->o.command));
	snprintf(trouble, sizeof trouble,
		 _("\"%.32s\" is not the number of a message, as palique history shows it in "
		   "brackets"),
		 out_safe(typed));
	return cli_usage(trouble, hint);
}
