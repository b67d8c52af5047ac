/* By what way I am reached: consent, relay. */
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "shared/error.h"
#include "shared/text.h"

enum {
	RATE_MIN = 16 << 10,  /* bytes in a second: docs/local-api.md, setRelay */
	RATE_MAX = 256 << 20, /* our choice: more is a slip of the finger */
};

/* --- consent --- */

static int get_contact(struct cli *c, struct json **result)
{
	return cli_call(c, "getContact",
			json_set_text(json_object(), "name", c->o.arguments[0]), result);
}

static int set_consent(struct cli *c, struct json **result)
{
	struct json *params = json_set_text(json_object(), "name", c->o.arguments[0]);

	json_set_text(params, "consent", c->o.arguments[1]);
	return cli_call(c, "setConsent", params, result);
}

int cmd_consent(struct cli *c)
{
	static const struct {
		const char *consent, *words;
	} rows[] = {
		{ "direct", N_("%s may have your addresses: you are connected directly where "
			       "that can be.") },
		{ "relay", N_("%s does not get your addresses: you are connected only through "
			      "a contact of both who relays (palique relay on, there).") },
		{ "never", N_("%s does not get your addresses, and no connection is made: what "
			      "you write waits.") },
	};
	bool is_change = c->o.argument_count > 1;
	struct json *result = NULL;
	const struct json *contact;
	int code = is_change ? set_consent(c, &result) : get_contact(c, &result);
	const char *name, *consent;

	if (code != EXIT_DONE)
		return code;
	contact = json_get(result, "contact");
	name = json_text(contact, "name");
	consent = json_text(contact, "consent");
	for (size_t i = 0; name && consent && i < sizeof rows / sizeof *rows; i++) {
		if (strcmp(consent, rows[i].consent) != 0)
			continue;
		if (is_change)
			out_done(_(rows[i].words), name);
		else
			out_prose(_(rows[i].words), name);
	}
	out_json(result);
	return EXIT_DONE;
}

/* --- relay --- */

static int set_relay(struct cli *c, struct json **result)
{
	const char *wanted = c->o.arguments[0];
	struct json *params;
	int64_t rate;

	if (options_bytes(&c->o, OPT_RATE, 0, &rate) < 0 ||
	    (c->o.value[OPT_RATE] && (rate < RATE_MIN || rate > RATE_MAX)))
		return cli_usage(_("--rate is a number of bytes in a second from 16k to 256M"),
				 "palique relay on --rate 256k");
	if (strcmp(wanted, "on") != 0 && strcmp(wanted, "off") != 0)
		return cli_usage(_("relaying is on or off"), "palique relay on");
	params = json_set_bool(json_object(), "on", !strcmp(wanted, "on"));
	if (c->o.value[OPT_RATE])
		json_set_int(params, "rate", rate);
	return cli_call(c, "setRelay", params, result);
}

static int get_relay(struct cli *c, struct json **result)
{
	struct json *status = NULL;
	const struct json *network;
	int code;

	*result = NULL;
	if (c->o.value[OPT_RATE])
		return cli_usage(_("--rate goes with \"on\""), "palique relay on --rate 256k");
	code = cli_call(c, "status", NULL, &status);
	if (code != EXIT_DONE)
		return code;
	network = json_get(status, "network");
	*result = json_object();
	if (network && json_get(network, "relay"))
		json_set(*result, "relay",
			 json_keep((struct json *)json_get(network, "relay")));
	json_free(status);
	return EXIT_DONE;
}

static void print_relay(const struct json *relay, bool is_change)
{
	long long rate = (long long)json_int(relay, "rate", 0) >> 10;

	if (json_bool(relay, "on", false) && is_change)
		out_done(
			_("This device relays for your contacts, up to %lld kB in a second for "
			  "each two of them. It sees how much they say, and nothing of what."),
			rate);
	else if (json_bool(relay, "on", false))
		out_line(_("on, up to %lld kB/s for each two people; connections now: %lld, kB "
			   "so far: %lld"),
			 rate, (long long)json_int(relay, "circuits", 0),
			 (long long)json_int(relay, "bytes", 0) >> 10);
	else if (is_change)
		out_done("%s", _("This device does not relay."));
	else
		out_line("%s", _("off (palique relay on: contacts who find no direct path to "
				 "each other go through this device)"));
}

int cmd_relay(struct cli *c)
{
	bool is_change = c->o.argument_count > 0;
	struct json *result = NULL;
	int code = is_change ? set_relay(c, &result) : get_relay(c, &result);

	if (code != EXIT_DONE)
		return code;
	print_relay(json_get(result, "relay"), is_change);
	out_json(result);
	return EXIT_DONE;
}
