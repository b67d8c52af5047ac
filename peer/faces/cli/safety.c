/* That nobody stands between two people: safety, verify. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "peer/faces/cli/prompt.h"
#include "shared/error.h"
#include "shared/safety.h"
#include "shared/text.h"

enum {
	GROUP = 5, /* digits */
	GROUPS_IN_LINE = 4,
	DIGIT_LINES = SAFETY_DIGITS / (GROUP * GROUPS_IN_LINE),
	LINES_MAX = 20, /* with the code they fit 24 rows */
	LINE_SIZE = OUT_BESIDE * 4 + 1,
};

struct sheet {
	char line[LINES_MAX][LINE_SIZE];
	unsigned count;
};

static char *new_line(struct sheet *s)
{
	return s->count < LINES_MAX ? s->line[s->count++] : NULL;
}

static void add_digits(struct sheet *s, const char *digits)
{
	for (unsigned row = 0; row < DIGIT_LINES; row++) {
		char *out = new_line(s), *start = out;
		for (unsigned g = 0; out && g < GROUPS_IN_LINE; g++, digits += GROUP)
			out += snprintf(out, LINE_SIZE - (size_t)(out - start), "%s%.*s",
					g ? " " : "", GROUP, digits);
	}
}

static unsigned columns_of(const char *text, size_t size)
{
	unsigned columns = 0;

	for (size_t i = 0; i < size; i++)
		columns += ((uint8_t)text[i] & 0xc0) != 0x80;
	return columns;
}

/* Broken between words. */
static void add_text(struct sheet *s, const char *text)
{
	char *line = NULL;

	while (*text) {
		size_t size = strcspn(text, " ");
		unsigned wanted = columns_of(text, size);
		if (!line || columns_of(line, strlen(line)) + 1 + wanted > OUT_BESIDE) {
			line = new_line(s);
			if (!line)
				return;
		}
		snprintf(line + strlen(line), LINE_SIZE - strlen(line), "%s%.*s",
			 *line ? " " : "", (int)size, text);
		text += size;
		text += strspn(text, " ");
	}
}

/* `is_asking`: whether they are the same is asked right behind. */
static void print_safety(const struct json *result, bool is_asking)
{
	bool is_verified = json_bool(result, "verified", false),
	     is_changed = json_bool(result, "keyChanged", false);
	const char *name = json_text(result, "name"), *digits = json_text(result, "digits"),
		   *code = json_text(result, "code");
	const char *lines[LINES_MAX];
	struct sheet sheet = { .count = 0 };
	char text[512];

	if (!name || !digits || strlen(digits) != SAFETY_DIGITS || !code)
		return;
	snprintf(text, sizeof text,
		 is_changed    ? _("You and %s (the new key)")
		 : is_verified ? _("You and %s (verified)")
			       : _("You and %s"),
		 name);
	add_text(&sheet, text);
	new_line(&sheet);
	add_digits(&sheet, digits);
	new_line(&sheet);
	snprintf(text, sizeof text,
		 _("Compare with what %s sees at \"palique safety\" with your name: face to "
		   "face, "
		   "or on the phone if you know the voice. The same on both sides: nobody "
		   "stands "
		   "between you."),
		 name);
	add_text(&sheet, text);
	if (is_changed || (!is_verified && !is_asking)) {
		add_text(&sheet, _("Then type:"));
		snprintf(text, sizeof text,
			 is_changed ? "palique accept %s" : "palique verify %s", name);
		add_text(&sheet, text);
	}
	for (unsigned i = 0; i < sheet.count; i++)
		lines[i] = sheet.line[i];
	out_beside_qr(code, lines, sheet.count);
}

static struct json *name_params(const struct cli *c)
{
	return json_set_text(json_object(), "name", c->o.arguments[0]);
}

int cmd_safety(struct cli *c)
{
	struct json *result = NULL;
	int code = cli_call(c, "getSafety", name_params(c), &result);

	if (code == EXIT_DONE) {
		print_safety(result, false);
		out_json(json_keep(result));
	}
	json_free(result);
	return code;
}

/* What was read to us, in groups or not, or what a camera read; NULL: usage, which was said. */
static char *compared(const struct cli *c)
{
	static const char scanned[] = "palique-safety:";
	char *text = cli_rest(c, 1), trouble[256];
	size_t count = 0;

	if (!strncmp(text, scanned, sizeof scanned - 1))
		return text;
	for (size_t i = 0; text[i]; i++) {
		if (isdigit((unsigned char)text[i]))
			text[count++] = text[i];
		else if (!strchr(" -.\t", text[i]))
			count = SAFETY_DIGITS + 1; /* whatever it is, it is none of them */
		if (count > SAFETY_DIGITS)
			break;
	}
	if (count == SAFETY_DIGITS) {
		text[count] = '\0';
		return text;
	}
	free(text);
	snprintf(trouble, sizeof trouble, _("a safety number has %d digits"), SAFETY_DIGITS);
	cli_usage(trouble, "palique help verify");
	return NULL;
}

/* Shows the number and asks; what was shown is what is said to be the same. */
static int ask(struct cli *c, struct json *params)
{
	struct json *result = NULL;
	char trouble[256];
	bool is_same = c->o.value[OPT_YES] != NULL;
	int code = cli_call(c, "getSafety", name_params(c), &result);

	if (code != EXIT_DONE)
		return code;
	if (!is_same) {
		print_safety(result, true);
		if (prompt_yes(&is_same, &c->o, _("Do both of you see the same?")) < 0) {
			json_free(result);
			return cli_usage(
				_("this wants a yes and there is nobody to ask: give the "
				  "digits, or --yes"),
				"palique help verify");
		}
	}
	json_set_text(params, "safety", json_text(result, "digits"));
	json_free(result);
	if (is_same)
		return EXIT_DONE;
	snprintf(trouble, sizeof trouble,
		 _("%.64s is not verified. If the numbers differ, somebody may stand between "
		   "you: "
		   "send nothing that matters"),
		 c->o.arguments[0]);
	return cli_failed(ERR_AUTH, trouble, "palique doctor");
}

int cmd_verify(struct cli *c)
{
	bool is_undo = c->o.value[OPT_UNDO] != NULL;
	struct json *params = name_params(c), *result = NULL;
	char *text = NULL;
	int code = EXIT_DONE;

	if (is_undo && c->o.argument_count > 1) {
		code = cli_usage(_("--undo needs no digits"), "palique help verify");
	} else if (!is_undo && c->o.argument_count > 1) {
		text = compared(c);
		if (text)
			json_set_text(params, "safety", text);
		else
			code = EXIT_USAGE;
		free(text);
	} else if (!is_undo) {
		code = ask(c, params);
	}
	if (code != EXIT_DONE) {
		json_free(params);
		return code;
	}
	code = cli_call(c, is_undo ? "unverifyContact" : "verifyContact", params, &result);
	if (code == EXIT_DONE) {
		out_done(is_undo ? _("%s is not marked as verified any more.")
				 : _("%s is verified. If their key ever changes, nothing is "
				     "sent "
				     "until you decide."),
			 out_safe(c->o.arguments[0]));
		out_json(json_keep(result));
	}
	json_free(result);
	return code;
}
