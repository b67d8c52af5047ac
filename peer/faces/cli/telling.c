/* What several commands say in the same words: a message, a way, a notice, why there is no line. */
#include <string.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "shared/text.h"

const char *cmd_way(const struct json *contact)
{
	static char way[160];
	const char *address = json_text(contact, "address");

	*way = '\0';
	if (address)
		snprintf(way, sizeof way, _(" (direct %s, %s)"), address,
			 out_duration(json_real(contact, "roundTripMs", 0)));
	return way;
}

static bool is(const struct json *o, const char *key, const char *value)
{
	const char *text = json_text(o, key);

	return text && !strcmp(text, value);
}

void cmd_print(const struct json *m, const char *who, const char *text, bool is_own)
{
	out_line("%s %s: %s", out_color(COLOR_FAINT, out_time(json_int(m, "timestamp", 0))),
		 out_color(is_own ? COLOR_NONE : COLOR_NAME, out_safe(who)),
		 out_safe_lines(text));
}

void cmd_notice(const struct json *params)
{
	const char *detail = params ? json_text(params, "detail") : NULL;
	const char *name = params ? json_text(params, "name") : NULL;

	/* The sentence of one with a name begins with it. */
	if (detail && *detail)
		out_say("* %s%s%s", name ? out_safe(name) : "", name ? " " : "",
			out_safe(detail));
}

void cmd_standing(struct cli *c)
{
	struct json *status = NULL;
	const struct json *account;
	const char *trouble;

	if (cli_call(c, "status", NULL, &status) != EXIT_DONE)
		return;
	account = json_get(status, "account");
	trouble = account ? json_text(account, "trouble") : NULL;
	if (trouble && *trouble && !is(account, "state", "online"))
		out_say("* %s", out_safe(trouble));
	json_free(status);
}

void cmd_key_changed(const struct json *params, char *words, size_t size)
{
	const struct json *change = json_get(params, "keyChange");
	const char *name = json_text(params, "name");

	if (change && json_bool(change, "signed", false))
		snprintf(words, size,
			 _("%s has a new key, which the old one vouches for; you had verified "
			   "the "
			   "old one, so nothing is sent until you decide (palique safety %s, "
			   "palique accept %s)"),
			 name, name, name);
	else
		snprintf(words, size,
			 _("%s shows another key: nothing is sent until you decide (palique "
			   "accept %s)"),
			 name, name);
}

void cmd_json_event(const char *event, const struct json *fields)
{
	struct json *o = json_set_text(json_object(), "event", event);
	const struct json *value;
	const char *key;
	void *it = NULL;

	while ((key = json_each(fields, &it, &value)) != NULL)
		json_set(o, key, json_keep((struct json *)value));
	out_json(o);
}
