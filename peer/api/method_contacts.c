#include "peer/api/method_contacts.h"

#include <stdio.h>
#include <string.h>

#include "peer/api/notify.h"
#include "peer/api/who.h"
#include "shared/error.h"
#include "shared/text.h"

static int answer_contact(struct call *call, const char *name)
{
	struct contact contact;
	int err = engine_contact(call->engine, name, &contact);

	if (err == 0)
		json_set(call->result, "contact", notify_contact(call->engine, &contact));
	return err;
}

int method_add(struct call *call)
{
	const char *greeting = call_text(call, "greeting");
	struct engine *e = call->engine;
	struct engine_account account;
	struct contact contact;
	struct who whom;
	int err = who_meant(call, call_text(call, "contact"), &whom);

	if (err < 0)
		return err;
	who_account(call, &account);
	err = engine_add(e, whom.name.text, whom.has_identity ? &whom.identity : NULL,
			 greeting ? greeting : "");
	if (err == ERR_REFUSED && whom.has_identity)
		snprintf(call->reason, sizeof call->reason,
			 _("the key in the link of %s is that of another contact"),
			 whom.name.text);
	if (err == ERR_STATE && greeting && *greeting && !whom.has_identity &&
	    account.name.text[0]) {
		snprintf(call->reason, sizeof call->reason,
			 _("a greeting can only be sealed with %s's contact link in hand"),
			 whom.name.text);
		snprintf(call->hint, sizeof call->hint, "palique add %s", whom.name.text);
	}
	if (err == ERR_EXISTS && engine_contact(e, whom.name.text, &contact) == 0 &&
	    contact.state == CONTACT_ASKED)
		snprintf(call->reason, sizeof call->reason,
			 _("%s was asked already and has not accepted yet"), whom.name.text);
	return err < 0 ? err : answer_contact(call, whom.name.text);
}

static int change_contact(struct call *call, int (*change)(struct engine *e, const char *name))
{
	struct name name;
	int err = name_parse(&name, bytes_text(call_about(call, "name")));

	if (err < 0)
		return err;
	err = change(call->engine, name.text);
	return err < 0 ? err : answer_contact(call, name.text);
}

/* Whether the changed key is still the one that the person was shown, if they say which:
 * a directory that lies may show another one each moment. */
static int check_key_shown(struct call *call)
{
	const char *shown = call_text(call, "newIdentity");
	char now[BYTES_BASE64_SIZE(32)];
	struct contact contact;
	int err = shown ? engine_contact(call->engine, call_about(call, "name"), &contact) : 0;

	if (!shown || err < 0)
		return err;
	bytes_to_base64(BYTES(contact.new_identity.bytes), now);
	return contact.is_key_changed && strcmp(shown, now) == 0 ? 0 : ERR_KEY_CHANGED;
}

int method_accept(struct call *call)
{
	struct contact contact;
	int err = check_key_shown(call);

	if (err < 0)
		return err;
	err = change_contact(call, engine_accept);
	if (err != ERR_STATE || engine_contact(call->engine, call->subject, &contact) < 0)
		return err;
	if (contact.state == CONTACT_ASKED)
		snprintf(call->reason, sizeof call->reason,
			 _("%s has not accepted yet: it is their turn"), contact.name.text);
	else if (contact.state == CONTACT_BLOCKED)
		snprintf(call->reason, sizeof call->reason, _("%s is blocked"),
			 contact.name.text);
	else
		snprintf(call->reason, sizeof call->reason, _("%s is a contact already"),
			 contact.name.text);
	snprintf(call->hint, sizeof call->hint,
		 contact.state == CONTACT_BLOCKED ? "palique unblock %s" : "palique ls",
		 contact.name.text);
	return err;
}

int method_block(struct call *call)
{
	return change_contact(call, engine_block);
}

int method_remove(struct call *call)
{
	struct name name = { 0 };
	int err = name_parse(&name, bytes_text(call_about(call, "name")));

	if (err == 0)
		err = engine_remove(call->engine, name.text);
	json_set_text(call->result, "name", name.text);
	return err;
}

int method_contact(struct call *call)
{
	struct name name;
	int err = name_parse(&name, bytes_text(call_about(call, "name")));

	return err < 0 ? err : answer_contact(call, name.text);
}

int method_contacts(struct call *call)
{
	struct contact contact;
	struct json *list;

	if (!engine_is_readable(call->engine))
		return ERR_IO;
	list = json_array();
	for (unsigned i = 0; engine_contact_at(call->engine, i, &contact) == 0; i++)
		json_add(list, notify_contact(call->engine, &contact));
	json_set(call->result, "contacts", list);
	return 0;
}

/* --- that nobody stands between --- */

int method_safety(struct call *call)
{
	struct engine_safety safety;
	struct name name;
	int err = name_parse(&name, bytes_text(call_about(call, "name")));

	if (err == 0)
		err = engine_safety(call->engine, name.text, &safety);
	if (err < 0)
		return err;
	json_set_text(call->result, "name", name.text);
	json_set_text(call->result, "digits", safety.digits);
	json_set_text(call->result, "code", safety.code);
	json_set_bool(call->result, "verified", safety.is_verified);
	json_set_bool(call->result, "keyChanged", safety.is_key_changed);
	return 0;
}

/* What was compared, digits or scanned code, if they say: keys may change in between. */
static int check_safety(struct call *call, const char *name)
{
	const char *compared = call_text(call, "safety");
	struct engine_safety now;
	int err = compared ? engine_safety(call->engine, name, &now) : 0;

	if (err < 0 || !compared)
		return err;
	return strcmp(compared, now.digits) == 0 || strcmp(compared, now.code) == 0 ? 0
										    : ERR_AUTH;
}

static int set_verified(struct call *call, bool is_verified)
{
	struct name name;
	int err = name_parse(&name, bytes_text(call_about(call, "name")));

	if (err == 0)
		err = check_safety(call, name.text);
	if (err == 0)
		err = engine_verify(call->engine, name.text, is_verified);
	return err < 0 ? err : answer_contact(call, name.text);
}

int method_verify(struct call *call)
{
	return set_verified(call, true);
}

int method_unverify(struct call *call)
{
	return set_verified(call, false);
}
