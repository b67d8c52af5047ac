#include "peer/api/who.h"

#include <string.h>

#include "peer/api/notify.h"
#include "shared/text.h"

void who_account(const struct call *call, struct engine_account *account)
{
	const struct api_config *shell = call->shell;
	struct json *host = json_object();
	const char *link;
	struct uri uri;

	engine_account(call->engine, account);
	if (account->name.text[0] && shell->host_status &&
	    shell->host_status(shell->user, host) == 0) {
		link = json_text(host, "link");
		if (link && uri_parse(&uri, link) == 0 && uri.has_directory_key &&
		    device_public_equal(&uri.directory_key, &account->directory_key))
			account->place = uri.place;
	}
	json_free(host);
}

void who_link(const struct engine_account *account, char out[URI_MAX + 1])
{
	struct uri uri = {
		.kind = URI_CONTACT,
		.place = account->place,
		.name = account->name,
		.has_identity = true,
		.identity = account->identity,
	};

	if (uri_print(&uri, out) < 0)
		out[0] = '\0';
}

struct json *who_view(const struct engine_account *a)
{
	struct json *o = json_set_text(json_object(), "state", notify_account_state(a->state));
	char text[URI_MAX + ADDRESS_TEXT_SIZE], base64[BYTES_BASE64_SIZE(32)],
		words[FINGERPRINT_SIZE];

	if (a->state == ACCOUNT_NONE || !a->name.text[0])
		return o;
	json_set_text(o, "name", a->name.text);
	place_print(&a->place, text);
	json_set_text(o, "directory", text);
	bytes_to_base64(BYTES(a->directory_key.bytes), base64);
	json_set_text(o, "directoryKey", base64);
	json_set_bool(o, "directoryPinnedOnTrust", a->is_key_pinned_on_trust);
	fingerprint_of(&a->identity, words);
	json_set_text(o, "fingerprint", words);
	who_link(a, text);
	json_set_text(o, "link", text);
	if (a->observed.family) {
		address_print(&a->observed, text);
		json_set_text(o, "observed", text);
	}
	if (a->state == ACCOUNT_ONLINE && a->online_since > 0)
		json_set_int(o, "onlineSince", a->online_since);
	json_set_text(o, "trouble", a->trouble[0] ? _(a->trouble) : "");
	return o;
}
