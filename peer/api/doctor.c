#include "peer/api/doctor_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "peer/api/network.h"
#include "peer/api/who.h"
#include "shared/error.h"
#include "shared/text.h"

enum {
	CLOCK_FINE_MS = 60 * 1000
};                           /* our choice: message times differ by less than people notice */
enum { DISK_LOW = 1 << 20 }; /* bytes: below, writing fails soon or does already: our choice */
enum {
	LATELY = 3,          /* notices told again */
	LATELY_EVENTS = 500, /* looked through for them */
};

static void check_home(struct findings *f, const struct api_config *shell)
{
	char path[HOME_PATH_MAX + 16], text[HOME_PATH_MAX + 128];
	struct stat st;

	if (!shell->home)
		return;
	bool is_private = stat(shell->home->folder, &st) == 0 && !(st.st_mode & 077);
	snprintf(text, sizeof text,
		 is_private ? _("the home folder is %s")
			    : _("others can look into the home folder %s"),
		 shell->home->folder);
	snprintf(path, sizeof path, "chmod 700 %s", shell->home->folder);
	doctor_note(f, "home", text, is_private ? NULL : path);
	if (home_path(shell->home, "store.db", path) < 0)
		return;
	if (stat(path, &st) == 0)
		snprintf(text, sizeof text, _("the store is open and sealed (%lld kB)"),
			 (long long)st.st_size / 1024);
	else
		snprintf(text, sizeof text, _("the store %s is gone from under the engine"),
			 path);
	doctor_note(f, "store", text, stat(path, &st) == 0 ? NULL : "palique stop");
}

static void check_disk(struct findings *f, const struct api_config *shell)
{
	char text[HOME_PATH_MAX + 128], hint[HOME_PATH_MAX + 32];
	struct statvfs disk;

	if (!shell->home || statvfs(shell->home->folder, &disk) < 0 ||
	    (uint64_t)disk.f_bavail * disk.f_frsize >= DISK_LOW)
		return;
	snprintf(text, sizeof text, _("the disk of %s is full: nothing new can be kept"),
		 shell->home->folder);
	snprintf(hint, sizeof hint, _("df -h %s, and make room"), shell->home->folder);
	doctor_note(f, "disk", text, hint);
}

static void check_clock(struct findings *f, const struct engine_account *account)
{
	char text[256];
	int64_t ahead = account->directory_ahead_ms;

	if (!account->has_directory_clock)
		return;
	bool is_fine = llabs(ahead) < CLOCK_FINE_MS;
	if (is_fine)
		snprintf(text, sizeof text,
			 _("the clock agrees with the directory's (%lld ms apart)"),
			 (long long)ahead);
	else
		snprintf(text, sizeof text,
			 _("the clock differs from the directory's by %lld s"),
			 (long long)ahead / 1000);
	doctor_note(f, "clock", text, is_fine ? NULL : "timedatectl set-ntp true");
}

/* What helps where the directory does not let us in, or is not there. */
static const char *way_back(const struct engine_account *account)
{
	switch (account->why) {
	case ERR_SUSPENDED:
		return _("ask the operator of the directory");
	case ERR_FORMAT:
		return _("update Palique here; if that changes nothing, its operator is to "
			 "update the directory");
	case ERR_EXISTS:
		return _(
			"stop the other copy: a home is for one machine (palique stop, there)");
	default:
		return _("another network; if it is the same there, ask its operator whether "
			 "it runs");
	}
}

static void check_directory(struct findings *f, const struct engine_account *account)
{
	char place[URI_HOST_MAX + 9], text[512], address[ADDRESS_TEXT_SIZE],
		hint[URI_HOST_MAX + 64];

	if (account->state == ACCOUNT_NONE) {
		doctor_note(f, "account", _("there is no account here yet"),
			    _("palique join LINK, or palique login NAME@DIRECTORY"));
		return;
	}
	place_print(&account->place, place);
	snprintf(text, sizeof text, _("this is %s@%s"), account->name.text, place);
	doctor_note(f, "account", text, NULL);
	switch (account->state) {
	case ACCOUNT_ONLINE:
		snprintf(text, sizeof text, _("the directory %s answers"), place);
		doctor_note(f, "directory", text, NULL);
		if (account->observed.family) {
			address_print(&account->observed, address);
			snprintf(text, sizeof text, _("it sees us at %s"), address);
			doctor_note(f, "observed", text, NULL);
		}
		break;
	case ACCOUNT_REFUSED:
		if (account->trouble[0])
			snprintf(text, sizeof text, "%s", _(account->trouble));
		else
			snprintf(text, sizeof text,
				 _("the directory %s does not know this device any more"),
				 place);
		snprintf(hint, sizeof hint, "palique login %s@%s", account->name.text, place);
		doctor_note(f, "directory", text, hint);
		break;
	default:
		/* Of that, doctor_check_network() has said what it is and what helps. */
		if (!strcmp(account->trouble, network_blocked_trouble) ||
		    !strcmp(account->trouble, network_alone_trouble))
			break;
		if (account->trouble[0])
			snprintf(text, sizeof text,
				 _("no line to the directory %s: %s; open conversations go on"),
				 place, _(account->trouble));
		else
			snprintf(
				text, sizeof text,
				_("the directory %s does not answer; open conversations go on"),
				place);
		doctor_note(f, "directory", text, way_back(account));
	}
	if (account->is_key_pinned_on_trust) {
		char key[BYTES_BASE64_SIZE(32)];

		bytes_to_base64(BYTES(account->directory_key.bytes), key);
		snprintf(text, sizeof text,
			 _("the directory's key was believed at first sight; compare with its "
			   "operator: palique:%s?k=%s"),
			 place, key);
		doctor_remark(f, "key", text);
	}
	check_clock(f, account);
}

/* What helps when the password is forgotten or a machine lost, before it is. */
static void check_keeping(struct findings *f, struct engine *e,
			  const struct engine_account *account)
{
	const struct device_list *list = engine_devices(e);
	char text[256];

	if (account->state == ACCOUNT_NONE)
		return;
	if (account->has_recovery)
		doctor_note(f, "recovery", _("there is a recovery code; where is the paper?"),
			    NULL);
	else
		doctor_remark(f, "recovery",
			      _("there is no recovery code yet: a forgotten password would be "
				"the end "
				"of the account (palique recovery)"));
	if (account->is_vault_due && account->state == ACCOUNT_ONLINE)
		doctor_remark(f, "vault",
			      _("the last changes are on their way to the directory"));
	else if (account->is_vault_due)
		doctor_remark(
			f, "vault",
			_("the last changes are on this machine only, until the directory "
			  "answers"));
	if (list->count > 1) {
		unsigned online = 0;
		for (unsigned i = 0; i < list->count; i++)
			online += engine_device_is_online(e, &list->devices[i].device);
		snprintf(text, sizeof text,
			 _("%u devices belong to the account, %u online (palique devices)"),
			 list->count, online);
		doctor_note(f, "devices", text, NULL);
	}
}

/* What was told lately: perhaps nobody was looking. */
struct lately {
	char text[LATELY][NAME_MAX + 2 + 256]; /* a name, and an event's detail */
	unsigned count;
};

static bool remember(void *user, const struct event *event)
{
	struct lately *l = user;

	if (event->kind == EVENT_NOTICE || event->kind == EVENT_WARNING)
		snprintf(l->text[l->count++ % LATELY], sizeof l->text[0], "%s%s%s",
			 event->name.text, event->name.text[0] ? " " : "", _(event->detail));
	return true;
}

static void check_lately(struct findings *f, struct engine *e)
{
	uint64_t last = engine_last_event(e);
	struct lately l = { .count = 0 };

	engine_events_since(e, last > LATELY_EVENTS ? last - LATELY_EVENTS : 0, remember, &l);
	for (unsigned i = l.count > LATELY ? l.count - LATELY : 0; i < l.count; i++) {
		char text[sizeof l.text[0] + 32];
		snprintf(text, sizeof text, _("lately: %s"), l.text[i % LATELY]);
		doctor_remark(f, "lately", text);
	}
}

/* The three ways in which a key is another one now, and what to do in each. */
static void describe_key_change(const struct contact *c, char *text, size_t size, char *hint,
				size_t hint_size)
{
	char words[FINGERPRINT_SIZE];
	const char *pattern;

	fingerprint_of(&c->new_identity, words);
	if (c->is_verified && c->is_change_signed)
		pattern = _("%s has a new key, %s, which the old one vouches for; you had "
			    "verified the old one, so nothing is sent until you decide");
	else if (c->is_change_signed)
		pattern = _("%s has a new key, %s, which the old one vouches for");
	else
		pattern = _("%s shows another key, %s; nothing is sent until you decide");
	snprintf(text, size, pattern, c->name.text, words);
	snprintf(hint, hint_size,
		 _("palique accept %s, if their \"palique status\" shows that key"),
		 c->name.text);
}

static void check_contacts(struct findings *f, struct engine *e,
			   const struct engine_account *account)
{
	struct contact c;
	char text[384], hint[160];

	for (unsigned i = 0; engine_contact_at(e, i, &c) == 0; i++) {
		const char *todo = NULL;
		if (c.is_key_changed) {
			describe_key_change(&c, text, sizeof text, hint, sizeof hint);
			todo = hint;
		} else if (c.held) {
			snprintf(text, sizeof text,
				 ngettext("%s has a new key, which the old one vouches for; "
					  "%llu message written before waits",
					  "%s has a new key, which the old one vouches for; "
					  "%llu messages written before wait",
					  (unsigned long)c.held),
				 c.name.text, (unsigned long long)c.held);
			snprintf(hint, sizeof hint, "palique accept %s", c.name.text);
			todo = hint;
		} else if (c.state == CONTACT_REQUESTS) {
			snprintf(text, sizeof text,
				 _("%s asks to be your contact (palique accept %s)"),
				 c.name.text, c.name.text);
		} else if (c.state != CONTACT_MUTUAL) {
			continue;
		} else if (c.is_linked) {
			doctor_describe_path(&c, text, sizeof text);
		} else if (c.is_online && c.consent == CONSENT_NEVER) {
			snprintf(
				text, sizeof text,
				_("%s is online; you chose that no connection is made (palique "
				  "consent %s direct)"),
				c.name.text, c.name.text);
		} else if (c.is_online && c.queued && c.consent == CONSENT_RELAY) {
			snprintf(text, sizeof text,
				 _("%s is online; you chose that they do not get your address, "
				   "and no contact of both relays now; messages waiting: %llu"),
				 c.name.text, (unsigned long long)c.queued);
			todo = _("a contact of both types: palique relay on");
		} else if (c.is_online && c.queued) {
			snprintf(text, sizeof text,
				 _("%s is online but no path was found yet; it goes on being "
				   "tried; messages waiting: %llu"),
				 c.name.text, (unsigned long long)c.queued);
			/* Else the directory's line says what to do. */
			if (account->state == ACCOUNT_ONLINE)
				todo = _(
					"a contact of both types: palique relay on; or let UDP "
					"through the firewalls on both sides");
		} else if (c.queued) {
			snprintf(text, sizeof text, _("%s is offline; messages waiting: %llu"),
				 c.name.text, (unsigned long long)c.queued);
		} else {
			snprintf(text, sizeof text,
				 c.is_online ? _("%s is online") : _("%s is offline"),
				 c.name.text);
		}
		if (todo || c.is_online)
			doctor_note(f, "contact", text, todo);
		else
			doctor_remark(f, "contact", text);
	}
}

int doctor_run(struct call *call)
{
	struct engine *e = call->engine;
	struct findings f = { .list = json_array(), .is_well = true };
	struct engine_account account;

	who_account(call, &account);
	check_home(&f, call->shell);
	check_disk(&f, call->shell);
	doctor_check_network(&f, call, &account);
	check_directory(&f, &account);
	check_keeping(&f, e, &account);
	check_contacts(&f, e, &account);
	check_lately(&f, e);
	json_set(call->result, "checks", f.list);
	json_set_bool(call->result, "well", f.is_well);
	return 0;
}
