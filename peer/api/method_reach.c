#include "peer/api/method_reach.h"

#include <stdio.h>

#include "peer/api/network.h"
#include "peer/api/notify.h"
#include "peer/api/who.h"
#include "shared/error.h"
#include "shared/text.h"

int method_set_consent(struct call *call)
{
	const char *wanted = call_text(call, "consent");
	struct contact contact;
	enum consent consent;
	struct name name;
	int err = name_parse(&name, bytes_text(call_about(call, "name")));

	if (err < 0)
		return err;
	if (network_consent_parse(&consent, wanted) < 0) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("whether a contact may have your address: direct, relay or never"));
		return ERR_FORMAT;
	}
	err = engine_set_consent(call->engine, name.text, consent);
	if (err == 0)
		err = engine_contact(call->engine, name.text, &contact);
	if (err == 0)
		json_set(call->result, "contact", notify_contact(call->engine, &contact));
	return err;
}

int method_set_relay(struct call *call)
{
	struct engine_reach reach;
	bool is_on = json_bool(call->params, "on", false);
	int64_t rate;
	int err = who_needs_account(call);

	if (err < 0)
		return err;
	engine_reach(call->engine, &reach);
	rate = json_int(call->params, "rate",
			reach.is_relay ? (int64_t)reach.relay_rate : NETWORK_RELAY_RATE);
	err = engine_set_relay(call->engine, is_on, (uint32_t)rate);
	if (err < 0)
		return err;
	engine_reach(call->engine, &reach);
	json_set(call->result, "relay", network_relay(&reach));
	return 0;
}
