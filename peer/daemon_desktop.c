#include "peer/daemon_inside.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "shared/error.h"
#include "shared/log.h"

void daemon_happened(void *user, const struct event *event)
{
	struct daemon *d = user;
	const char *who = event->kind == EVENT_HEARD ? event->message.contact.text
						     : event->name.text;
	struct attention_rules rules;
	struct contact contact;
	struct profile profile;

	if (!d->desktop || !attention_wants(event) || !desktop_listens(d->desktop))
		return;
	engine_profile(d->engine, &profile);
	rules.notifications = engine_notifications(d->engine);
	rules.is_busy = profile.availability == BUSY;
	rules.is_looked_at = api_is_looked_at(d->api, who);
	rules.is_decided = engine_contact(d->engine, who, &contact) < 0 ||
			   (contact.state != CONTACT_REQUESTS && !contact.is_key_changed);
	desktop_hear(d->desktop, event, &rules);
}

/* In the browser: the conversation that it was about. */
static void on_clicked(void *user, const char *name)
{
	struct daemon *d = user;
	char url[API_URL_MAX] = "", reason[256];
	uint16_t port;
	size_t used;
	int err;

	err = daemon_open_web(d, 0, url, &port, reason, sizeof reason);
	used = strlen(url);
	if (err == 0 && snprintf(url + used, sizeof url - used, "&chat=%s", name) >=
				(int)(sizeof url - used))
		err = ERR_LIMIT;
	if (err == 0)
		err = browser_open(d->browser, url);
	if (err < 0)
		log_event(LOG_WARNING, "not-opened", "error", log_error(err), NULL);
	sodium_memzero(url, sizeof url);
}

void daemon_open_desktop(struct daemon *d)
{
	struct desktop_config config = { .loop = &d->loop, .user = d };

	d->browser = browser_new(&d->loop);
	config.clicked = d->browser && d->web_face ? on_clicked : NULL;
	d->desktop = desktop_new(&config);
}

void daemon_seen(void *user, const char *name)
{
	struct daemon *d = user;

	if (d->desktop)
		desktop_seen(d->desktop, name);
}
