#include "peer/api/who.h"

#include <stdio.h>
#include <string.h>

#include "peer/api/network.h"
#include "peer/api/notify.h"
#include "shared/error.h"
#include "shared/text.h"

void who_account(const struct call *call, struct engine_account *account)
{
	const struct api_config *shell = call->shell;
	struct json *host = json_object();
	struct engine_reach reach;
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
	engine_reach(call->engine, &reach);
	if (network_is_blocked(&reach, account))
		snprintf(account->trouble, sizeof account->trouble, "%s",
			 network_is_alone(&reach.network) ? network_alone_trouble
							  : network_blocked_trouble);
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
	json_set_bool(o, "recovery", a->has_recovery);
	json_set_id(o, "vaultVersion", a->vault_version);
	json_set_bool(o, "vaultDue", a->is_vault_due);
	json_set_bool(o, "vaultBehind", a->is_vault_behind);
	json_set_text(o, "trouble", a->trouble[0] ? _(a->trouble) : "");
	return o;
}

bool who_same_place(const struct directory_place *a, const struct directory_place *b)
{
	return a->port == b->port && !strcmp(a->host, b->host);
}

int who_needs_account(struct call *call)
{
	struct engine_account account;

	engine_account(call->engine, &account);
	if (account.state != ACCOUNT_NONE && account.name.text[0])
		return 0;
	snprintf(call->reason, sizeof call->reason, "%s", _("there is no account here yet"));
	snprintf(call->hint, sizeof call->hint, "%s",
		 _("palique join LINK, or palique login NAME@DIRECTORY"));
	return ERR_STATE;
}

int who_needs_directory(struct call *call)
{
	char place[URI_HOST_MAX + 9];
	struct engine_account account;
	int err = who_needs_account(call);

	if (err < 0)
		return err;
	who_account(call, &account);
	if (account.state != ACCOUNT_REFUSED)
		return 0;
	place_print(&account.place, place);
	snprintf(call->reason, sizeof call->reason, "%s",
		 account.trouble[0] ? _(account.trouble)
				    : _("the directory does not let this device in"));
	snprintf(call->hint, sizeof call->hint, "palique login %s@%s", account.name.text,
		 place);
	return ERR_REFUSED;
}

/* --- whom I mean --- */

/* One directory can go by several addresses, at home, on the net: only two different names
 * are surely two directories. The key in the link says who is meant in any case. */
static bool are_surely_apart(const struct directory_place *a, const struct directory_place *b)
{
	struct address ignored;

	return place_address(a, &ignored) < 0 && place_address(b, &ignored) < 0 &&
	       !who_same_place(a, b);
}

/* A contact link; or NAME@DIRECTORY as people write it, which holds no key. */
static int parse_whom(struct uri *uri, const char *whom)
{
	const char *at = strchr(whom, '@');
	int err = uri_parse(uri, whom);

	if (err == 0 || !at)
		return err;
	memset(uri, 0, sizeof *uri);
	uri->kind = URI_CONTACT;
	err = name_parse(&uri->name, bytes_of(whom, (size_t)(at - whom)));
	return err < 0 ? ERR_FORMAT : place_parse(&uri->place, at + 1);
}

static int refuse_other_place(struct call *call, const struct uri *uri,
			      const struct engine_account *account)
{
	char theirs[URI_HOST_MAX + 9], ours[URI_HOST_MAX + 9];

	place_print(&uri->place, theirs);
	place_print(&account->place, ours);
	snprintf(call->reason, sizeof call->reason,
		 _("%s is at the directory %s, but this account is at %s"), uri->name.text,
		 theirs, ours);
	return ERR_REFUSED;
}

int who_meant(struct call *call, const char *text, struct who *who)
{
	struct engine_account account;
	struct uri uri;
	int err;

	memset(who, 0, sizeof *who);
	who_account(call, &account);
	if (name_parse(&who->name, bytes_text(text)) < 0) {
		err = parse_whom(&uri, text);
		if (err == 0 && uri.kind != URI_CONTACT)
			err = ERR_FORMAT;
		if (err < 0) {
			snprintf(call->reason, sizeof call->reason, "%s",
				 _("this is neither a name nor the link of a contact"));
			return err;
		}
		if (account.name.text[0] && are_surely_apart(&uri.place, &account.place))
			return refuse_other_place(call, &uri, &account);
		who->name = uri.name;
		who->has_identity = uri.has_identity;
		who->identity = uri.identity;
	}
	snprintf(call->subject, sizeof call->subject, "%s", who->name.text);
	if (!name_equal(&who->name, &account.name))
		return 0;
	snprintf(call->reason, sizeof call->reason, "%s", _("this is your own name"));
	snprintf(call->hint, sizeof call->hint, "palique link");
	return ERR_REFUSED;
}

int who_conversation(struct call *call, const char *key, struct who *who, const char **to)
{
	const char *text = call_about(call, key);
	struct engine_account account;
	struct contact contact;
	int err;

	memset(who, 0, sizeof *who);
	*to = who->name.text;
	engine_account(call->engine, &account);
	if (account.state == ACCOUNT_NONE) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("there is no account here yet"));
		snprintf(call->hint, sizeof call->hint, "%s",
			 _("palique join LINK, or palique login NAME@DIRECTORY"));
		return ERR_STATE;
	}
	err = name_parse(&who->name, bytes_text(text));
	if (err == 0 || !strpbrk(text, "@:"))
		return err;
	err = who_meant(call, text, who);
	if (err < 0)
		return err;
	err = engine_contact(call->engine, who->name.text, &contact);
	if (err == 0 && who->has_identity && contact.has_identity &&
	    !identity_public_equal(&who->identity, &contact.identity)) {
		snprintf(call->reason, sizeof call->reason,
			 _("the key in this link is not the one known of %s"), who->name.text);
		snprintf(call->hint, sizeof call->hint, "palique safety %s", who->name.text);
		return ERR_KEY_CHANGED;
	}
	if (who->has_identity) {
		*to = text; /* whose key the link vouches for, too */
		return 0;
	}
	return err == ERR_NOT_FOUND ? engine_add(call->engine, who->name.text, NULL, "") : err;
}
