/* What can be done with what was said: edit, react, delete, forward, timer, forget. */
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "shared/error.h"
#include "shared/text.h"

/* The first argument of the command as `id` of `params`; NULL: has said why, in `code`. */
static struct json *id_params(struct cli *c, char id[24], int *code)
{
	*code = cmd_take_id(c, c->o.arguments[0], id);
	return *code == EXIT_DONE ? json_set_text(json_object(), "id", id) : NULL;
}

/* Shows the message as it is now, and gives it out. Takes `result`. */
static int tell_message(int code, struct json *take_result)
{
	const struct json *m = code == EXIT_DONE ? json_get(take_result, "message") : NULL;

	if (m && json_is_object(m)) {
		cmd_print(m);
		out_json(json_keep((struct json *)m));
	}
	json_free(take_result);
	return code;
}

/* The words behind the message's number are the parameter `key` of the method. */
static int change_message(struct cli *c, const char *method, const char *key)
{
	struct json *params, *result = NULL;
	char id[24], *text;
	int code;

	params = id_params(c, id, &code);
	if (!params)
		return code;
	text = cli_rest(c, 1);
	json_set_text(params, key, text);
	free(text);
	code = cli_call(c, method, params, &result);
	return tell_message(code, result);
}

int cmd_edit(struct cli *c)
{
	return change_message(c, "editMessage", "text");
}

int cmd_react(struct cli *c)
{
	return change_message(c, "sendReaction", "reactions");
}

int cmd_delete(struct cli *c)
{
	bool is_here = c->o.value[OPT_HERE] != NULL;
	struct json *params, *result = NULL;
	char id[24];
	int code;

	params = id_params(c, id, &code);
	if (!params)
		return code;
	json_set_bool(params, "here", is_here);
	code = cli_call(c, "deleteMessage", params, &result);
	if (code == EXIT_DONE) {
		if (is_here)
			out_done("%s", _("It is deleted on this machine; others keep theirs."));
		else
			out_done("%s", _("It is taken back; a mark stays in its place."));
		out_json(json_set_text(json_object(), "deleted", id));
	}
	json_free(result);
	return code;
}

int cmd_forward(struct cli *c)
{
	struct json *params, *result = NULL;
	char id[24];
	int code;

	params = id_params(c, id, &code);
	if (!params)
		return code;
	json_set_text(params, "conversation", c->o.arguments[1]);
	code = cli_call(c, "forward", params, &result);
	if (code == EXIT_DONE) {
		out_done(_("It goes on to %s."), out_safe(json_text(result, "conversation")));
		out_json(json_keep(result));
	}
	json_free(result);
	return code;
}

/* --- messages that disappear --- */

static void tell_timer(const struct json *contact)
{
	const struct json *timer = json_get(contact, "timer");
	int64_t ours = timer ? json_int(timer, "ours", 0) : 0,
		theirs = timer ? json_int(timer, "theirs", 0) : 0,
		both = timer ? json_int(timer, "seconds", 0) : 0;
	const char *name = out_safe(json_text(contact, "name"));

	if (both > 0)
		out_line(_("What is said with %s from now on disappears after %s."), name,
			 out_span(both));
	else if (ours > 0)
		out_line(_("You want messages with %s to disappear after %s; they have not "
			   "agreed yet, so messages stay."),
			 name, out_span(ours));
	else if (theirs > 0)
		out_line(_("%s wants messages to disappear after %s; if you want it, too: "
			   "palique "
			   "timer %s TIME"),
			 name, out_span(theirs), name);
	else
		out_line(_("What is said with %s stays."), name);
}

int cmd_timer(struct cli *c)
{
	const char *wanted = c->o.argument_count > 1 ? c->o.arguments[1] : NULL;
	struct json *params, *result = NULL;
	long seconds = 0;
	int code;

	if (wanted && strcmp(wanted, "off") && options_parse_duration(wanted, &seconds) < 0)
		return cli_usage(_("a time is 30s, 5m, 12h, 1d or 2w, up to a year; or off"),
				 "palique help timer");
	params = json_set_text(json_object(), wanted ? "conversation" : "name",
			       c->o.arguments[0]);
	if (wanted)
		json_set_int(params, "seconds", seconds);
	code = cli_call(c, wanted ? "setTimer" : "getContact", params, &result);
	if (code == EXIT_DONE && json_get(result, "contact")) {
		tell_timer(json_get(result, "contact"));
		out_json(json_keep(
			(struct json *)json_get(json_get(result, "contact"), "timer")));
	}
	json_free(result);
	return code;
}

int cmd_forget(struct cli *c)
{
	struct json *result = NULL;
	char question[256];
	int code;

	snprintf(question, sizeof question,
		 _("All that was said with %.64s will be deleted on this machine, for good. Do "
		   "it?"),
		 out_safe(c->o.arguments[0]));
	code = cli_sure(c, question);
	if (code == EXIT_DONE)
		code = cli_call(c, "forgetConversation",
				json_set_text(json_object(), "conversation", c->o.arguments[0]),
				&result);
	if (code == EXIT_DONE) {
		out_done(_("What was said with %s is deleted here; the contact stays, and they "
			   "keep what they have."),
			 out_safe(c->o.arguments[0]));
		out_json(json_keep(result));
	}
	json_free(result);
	return code;
}
