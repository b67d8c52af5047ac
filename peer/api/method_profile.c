#include "peer/api/method_profile.h"

#include <stdio.h>
#include <string.h>

#include "peer/api/notify.h"
#include "peer/api/spoken.h"
#include "peer/api/who.h"
#include "shared/error.h"
#include "shared/text.h"

int method_profile(struct call *call)
{
	struct profile profile;

	if (!engine_is_readable(call->engine))
		return ERR_IO;
	engine_profile(call->engine, &profile);
	json_set(call->result, "profile", spoken_profile(&profile));
	return 0;
}

int method_finish_profile(struct call *call, const struct event *answer)
{
	(void)answer;
	return method_profile(call);
}

/* What is to change: the rest stays NULL. */
static int read_change(struct call *call, struct engine_profile_change *change,
		       enum availability *availability, bool *is_invisible, bool *is_bot)
{
	const char *wanted = call_text(call, "availability");

	*is_invisible = json_bool(call->params, "invisible", false);
	if (json_has(call->params, "invisible"))
		change->is_invisible = is_invisible;
	*is_bot = json_bool(call->params, "bot", false);
	if (json_has(call->params, "bot"))
		change->is_bot = is_bot;
	change->title = call_text(call, "title");
	change->status = call_text(call, "status");
	change->picture = call_text(call, "picture");
	if (wanted) {
		if (spoken_find_availability(wanted, availability) < 0) {
			snprintf(call->reason, sizeof call->reason, "%s",
				 _("one is available, away or busy"));
			return ERR_FORMAT;
		}
		change->availability = availability;
	}
	if (change->picture && *change->picture && *change->picture != '/') {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("the path of a file is needed, from / on"));
		return ERR_FORMAT;
	}
	return 0;
}

int method_set_profile(struct call *call)
{
	struct engine_profile_change change = { 0 };
	enum availability availability;
	bool is_invisible, is_bot;
	int err = who_needs_account(call);

	if (err == 0)
		err = read_change(call, &change, &availability, &is_invisible, &is_bot);
	if (err < 0)
		return err;
	err = engine_set_profile(call->engine, &change, call->ticket);
	if (err == ERR_LIMIT)
		snprintf(call->reason, sizeof call->reason,
			 _("a name to show has up to %d bytes, a status line %d"),
			 WIRE_TITLE_MAX, WIRE_STATUS_MAX);
	else if (err == ERR_FORMAT)
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("a name and a status line are each one line of plain text"));
	return err < 0 ? err : API_LATER;
}

static void put_picture(struct call *call, struct bytes picture)
{
	char base64[BYTES_BASE64_SIZE(WIRE_PICTURE_MAX)];

	if (picture.size > WIRE_PICTURE_MAX)
		return;
	bytes_to_base64(picture, base64);
	json_set_text(call->result, "data", base64);
	json_set_text(call->result, "type", spoken_image_type(picture));
}

int method_picture(struct call *call)
{
	bool has_name = json_has(call->params, "name");
	struct bytes picture = { 0 };
	struct profile profile;
	struct name name;
	int err = 0;

	if (has_name) {
		err = name_parse(&name, bytes_text(call_about(call, "name")));
		if (err == 0)
			err = engine_picture(call->engine, name.text, &picture);
	} else {
		engine_profile(call->engine, &profile);
		picture = profile.picture;
		err = picture.size ? 0 : ERR_NOT_FOUND;
	}
	if (err == ERR_NOT_FOUND && has_name)
		snprintf(call->reason, sizeof call->reason, _("%s shows no picture"),
			 name.text);
	else if (err == ERR_NOT_FOUND)
		snprintf(call->reason, sizeof call->reason, "%s", _("you show no picture"));
	if (err == 0)
		put_picture(call, picture);
	return err;
}

int method_hide_from(struct call *call)
{
	struct contact contact;
	struct name name;
	int err = name_parse(&name, bytes_text(call_about(call, "name")));

	if (err == 0)
		err = engine_hide_from(call->engine, name.text,
				       json_bool(call->params, "hidden", true));
	if (err == 0)
		err = engine_contact(call->engine, name.text, &contact);
	if (err == 0)
		json_set(call->result, "contact", notify_contact(call->engine, &contact));
	return err;
}
