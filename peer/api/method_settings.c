#include "peer/api/method_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/notify.h"
#include "shared/error.h"
#include "shared/text.h"

static const char *const policies[] = {
	[REQUESTS_ANYONE] = "anyone",
	[REQUESTS_LINK] = "link",
	[REQUESTS_NONE] = "none",
};
static const char *const notifications[] = {
	[NOTIFICATIONS_OFF] = "off",
	[NOTIFICATIONS_NAMES] = "names",
	[NOTIFICATIONS_ALL] = "all",
};
enum { NOTIFICATION_COUNT = sizeof notifications / sizeof *notifications };
enum { POLICY_COUNT = sizeof policies / sizeof *policies };

static int settings_of_all(struct call *call)
{
	struct engine_settings *s;
	char usual[HOME_PATH_MAX];

	if (!engine_is_readable(call->engine))
		return ERR_IO;
	s = memory_new(sizeof *s);
	engine_settings(call->engine, s);
	if (call->shell->home && home_downloads(call->shell->home, usual) == 0)
		json_set_text(call->result, "usualDownloads", usual);
	json_set_text(call->result, "requests", policies[engine_requests(call->engine)]);
	json_set_int(call->result, "acceptUpTo", (int64_t)s->accept_up_to);
	json_set_text(call->result, "downloads", s->downloads);
	json_set_bool(call->result, "readMarks", s->tells_read);
	json_set_int(call->result, "keepDays", s->keep_days);
	json_set_text(call->result, "notifications", notifications[s->notifications]);
	free(s);
	return 0;
}

/* What holds for one contact, and whether it was set for them alone. */
static int settings_of(struct call *call, const char *text)
{
	struct engine_settings *s = memory_new(sizeof *s);
	struct json *o = json_object();
	struct contact_settings own;
	struct contact contact;
	struct name name;
	int err = name_parse(&name, bytes_text(text));

	if (err == 0)
		err = engine_contact(call->engine, name.text, &contact);
	if (err == 0)
		err = engine_contact_settings(call->engine, name.text, &own);
	if (err < 0)
		goto out;
	engine_settings(call->engine, s);
	json_set_text(o, "name", name.text);
	json_set_int(o, "keepDays", own.keep_days < 0 ? (int64_t)s->keep_days : own.keep_days);
	json_set_bool(o, "keepDaysOwn", own.keep_days >= 0);
	json_set(o, "timer", notify_timer(&contact));
	json_set_bool(o, "readMarks", own.tells_read < 0 ? s->tells_read : own.tells_read);
	json_set_bool(o, "readMarksOwn", own.tells_read >= 0);
	json_set_bool(o, "hidden", contact.is_hidden_from);
	json_set_bool(o, "hiddenOwn", own.is_hidden);
	json_set(call->result, "contact", json_keep(o));
out:
	json_free(o);
	free(s);
	return err;
}

int method_settings(struct call *call)
{
	bool is_of_one = json_has(call->params, "name");

	return is_of_one ? settings_of(call, call_about(call, "name")) : settings_of_all(call);
}

int method_set_requests(struct call *call)
{
	const char *wanted = call_text(call, "from");
	unsigned i = 0;
	int err;

	while (i < POLICY_COUNT && strcmp(policies[i], wanted))
		i++;
	if (i == POLICY_COUNT) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("requests are heard from anyone, link or none"));
		return ERR_FORMAT;
	}
	err = engine_set_requests(call->engine, (enum request_policy)i);
	return err < 0 ? err : settings_of_all(call);
}

static int take_notifications(struct call *call, struct engine_settings *s)
{
	const char *wanted = call_text(call, "notifications");
	unsigned i = 0;

	while (wanted && i < NOTIFICATION_COUNT && strcmp(notifications[i], wanted))
		i++;
	if (i == NOTIFICATION_COUNT) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("notifications are off, names or all"));
		return ERR_FORMAT;
	}
	if (wanted)
		s->notifications = (enum notifications)i;
	return 0;
}

int method_set_settings(struct call *call)
{
	const char *downloads = call_text(call, "downloads");
	struct engine_settings *s = memory_new(sizeof *s);
	int err;

	engine_settings(call->engine, s);
	err = take_notifications(call, s);
	if (json_has(call->params, "acceptUpTo"))
		s->accept_up_to = (uint64_t)json_int(call->params, "acceptUpTo", 0);
	if (json_has(call->params, "keepDays"))
		s->keep_days = (uint32_t)json_int(call->params, "keepDays", 0);
	s->tells_read = json_bool(call->params, "readMarks", s->tells_read);
	if (err == 0 && downloads && *downloads && *downloads != '/')
		err = ERR_FORMAT;
	else if (downloads)
		snprintf(s->downloads, sizeof s->downloads, "%s", downloads);
	if (err == 0)
		err = engine_set_settings(call->engine, s);
	free(s);
	if (err == ERR_FORMAT && !call->reason[0])
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("the path of a folder is needed, from / on"));
	return err < 0 ? err : settings_of_all(call);
}

static int answer_contact(struct call *call, const struct name *name)
{
	struct contact contact;
	int err = engine_contact(call->engine, name->text, &contact);

	if (err == 0)
		json_set(call->result, "contact", notify_contact(call->engine, &contact));
	return err;
}

int method_set_read_marks(struct call *call)
{
	struct name name;
	int tells = json_has(call->params, "on") ? json_bool(call->params, "on", true) : -1;
	int err = name_parse(&name, bytes_text(call_about(call, "name")));

	if (err == 0)
		err = engine_set_read_marks(call->engine, name.text, tells);
	return err < 0 ? err : answer_contact(call, &name);
}

int method_set_keep(struct call *call)
{
	struct name name;
	int err = name_parse(&name, bytes_text(call_about(call, "conversation")));

	if (err == 0)
		err = engine_set_keep(call->engine, name.text,
				      (int)json_int(call->params, "days", -1));
	return err < 0 ? err : answer_contact(call, &name);
}
