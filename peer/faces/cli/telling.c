/* What several commands say in the same words: a way, a notice, why there is no line. */
#include <string.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "shared/text.h"

static bool is(const struct json *o, const char *key, const char *value)
{
	const char *text = json_text(o, key);

	return text && !strcmp(text, value);
}

/* --- the path to a contact --- */

static const struct path_words {
	const char *kind, *brief, *full;
} paths[] = {
	{ "loopback", N_(" (on this machine %s, %s)"), N_("linked: on this machine, %s, %s") },
	{ "lan", N_(" (same network %s, %s)"), N_("linked: on the same network, %s, %s") },
	{ "ipv6", N_(" (direct %s, %s)"), N_("linked: direct by IPv6, %s, %s") },
	{ "public", N_(" (direct %s, %s)"), N_("linked: direct, %s, %s") },
	{ "mapped", N_(" (direct %s, %s)"),
	  N_("linked: direct by a port that a router opened, %s, %s") },
	{ "punched", N_(" (direct %s, %s)"), N_("linked: direct through the routers, %s, %s") },
	{ "sprayed", N_(" (direct %s, %s)"),
	  N_("linked: direct through the routers by a guessed port, %s, %s") },
	{ "relayed", N_(" (through %s, %s)"), N_("linked: through %s (relay), %s") },
};
static const struct path_words plain = { "", N_(" (direct %s, %s)"),
					 N_("linked: direct, %s, %s") };

/* False: there is no link. */
static bool find_path(const struct json *contact, const struct path_words **words,
		      const char **where)
{
	const char *kind = json_text(contact, "pathKind");

	*words = &plain;
	*where = json_text(contact, "address");
	for (size_t i = 0; kind && i < sizeof paths / sizeof *paths; i++)
		if (!strcmp(kind, paths[i].kind))
			*words = &paths[i];
	if (kind && !strcmp(kind, "relayed"))
		*where = json_text(contact, "relay") ? json_text(contact, "relay") : "?";
	return *where && json_bool(contact, "connected", true);
}

const char *cmd_way(const struct json *contact)
{
	static char way[160];
	const struct path_words *words;
	const char *where;

	*way = '\0';
	if (find_path(contact, &words, &where))
		snprintf(way, sizeof way, _(words->brief), where,
			 out_duration(json_real(contact, "roundTripMs", 0)));
	return way;
}

void cmd_path(const struct json *contact, char *out, size_t size)
{
	const struct path_words *words;
	const char *where, *without;

	if (find_path(contact, &words, &where)) {
		snprintf(out, size, _(words->full), where,
			 out_duration(json_real(contact, "roundTripMs", 0)));
		return;
	}
	if (is(contact, "consent", "never"))
		without = _("online; you chose that no connection is made");
	else if (json_bool(contact, "looking", false))
		without = _("online, looking for a path");
	else if (is(contact, "consent", "relay"))
		without = _("online; only through a contact of both who relays, as you chose");
	else
		without = _("online");
	snprintf(out, size, "%s", without);
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
