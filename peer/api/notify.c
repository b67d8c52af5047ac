#include "peer/api/notify.h"

#include "peer/api/network.h"
#include "peer/api/spoken.h"
#include "shared/error.h"
#include "shared/text.h"

const char *notify_account_state(enum account_state state)
{
	static const char *const names[] = {
		[ACCOUNT_NONE] = "none",
		[ACCOUNT_JOINING] = "joining",
		[ACCOUNT_CONNECTING] = "connecting",
		[ACCOUNT_ONLINE] = "online",
		[ACCOUNT_REFUSED] = "refused",
	};

	return state < sizeof names / sizeof *names ? names[state] : "none";
}

static const char *contact_state_name(enum contact_state state)
{
	static const char *const names[] = {
		[CONTACT_ASKED] = "asked",
		[CONTACT_REQUESTS] = "requests",
		[CONTACT_MUTUAL] = "mutual",
		[CONTACT_BLOCKED] = "blocked",
	};

	return state < sizeof names / sizeof *names ? names[state] : "asked";
}

/* The engine's own sentences are English; here they get their language. */
static const char *told(const char *detail)
{
	return *detail ? _(detail) : "";
}

/* The path of a link that is up; without one only that there is none. */
static void set_path(struct json *o, bool is_up, const struct path *path,
		     enum path_kind path_kind, mono_ns round_trip)
{
	const char *kind = is_up ? network_path_kind(path_kind) : NULL;
	char text[ADDRESS_TEXT_SIZE];

	if (kind)
		json_set_text(o, "pathKind", kind);
	else
		json_set(o, "pathKind", json_null());
	if (!is_up)
		return;
	json_set_real(o, "roundTripMs", (double)round_trip / (double)MILLISECOND);
	if (path->tunnel || path->remote.family == 0)
		return;
	address_print(&path->remote, text);
	json_set_text(o, "address", text);
}

static void set_relay(struct json *o, const struct contact *c)
{
	if (c->is_linked && c->path_kind == PATH_RELAYED && c->relay.text[0])
		json_set_text(o, "relay", c->relay.text);
}

static void set_identity(struct json *o, const char *key, const char *fingerprint,
			 const struct identity_public *identity)
{
	char base64[BYTES_BASE64_SIZE(32)], words[FINGERPRINT_SIZE];

	bytes_to_base64(BYTES(identity->bytes), base64);
	fingerprint_of(identity, words);
	json_set_text(o, key, base64);
	json_set_text(o, fingerprint, words);
}

/* The key that a contact shows instead of the one known, and whether that one vouches for it. */
static void set_new_key(struct json *o, const struct contact *c)
{
	set_identity(o, "newIdentity", "newFingerprint", &c->new_identity);
	json_set(o, "keyChange", json_set_bool(json_object(), "signed", c->is_change_signed));
}

static void set_link(struct json *o, const struct contact *c)
{
	json_set_text(o, "name", c->name.text);
	json_set_bool(o, "connected", c->is_linked);
	set_path(o, c->is_linked, &c->path, c->path_kind, c->round_trip);
	set_relay(o, c);
	json_set_bool(o, "looking", c->is_looking);
	json_set_text(o, "consent", network_consent(c->consent));
}

struct json *notify_path(const struct contact *c)
{
	struct json *o = json_object();

	set_link(o, c);
	return o;
}

/* What they show of themselves. */
static void set_profile(struct json *o, const struct contact *c)
{
	json_set_text(o, "availability", spoken_availability(c->availability));
	if (c->title[0])
		json_set_text(o, "title", c->title);
	if (c->status[0])
		json_set_text(o, "status", c->status);
	json_set_bool(o, "hasPicture", c->has_picture);
	json_set_bool(o, "typing", c->is_typing);
}

/* That a program speaks there, and what it can be told to do. */
static void set_program(struct engine *e, struct json *o, const struct contact *c)
{
	struct bytes menu;

	if (c->is_bot)
		json_set_bool(o, "bot", true);
	if (engine_menu(e, c->name.text, &menu) == 0 && menu.size)
		json_set(o, "commands", spoken_commands(menu));
}

/* After so many seconds messages with them disappear: the longer wish, when both have one. */
static uint32_t agreed_timer(const struct contact *c)
{
	if (!c->our_timer || !c->their_timer)
		return 0;
	return c->our_timer > c->their_timer ? c->our_timer : c->their_timer;
}

struct json *notify_timer(const struct contact *c)
{
	struct json *o = json_set_int(json_object(), "ours", c->our_timer);

	json_set_int(o, "theirs", c->their_timer);
	return json_set_int(o, "seconds", agreed_timer(c));
}

/* What holds between both, and what is missing. */
static void set_agreed(struct json *o, const struct contact *c)
{
	json_set_bool(o, "hidden", c->is_hidden_from);
	json_set_bool(o, "readMarks", c->tells_read);
	json_set(o, "timer", notify_timer(c));
	json_set_int(o, "missing", (int64_t)c->missing);
}

struct json *notify_contact(struct engine *e, const struct contact *c)
{
	struct json *o = json_object();

	set_link(o, c);
	json_set_text(o, "state", contact_state_name(c->state));
	json_set_bool(o, "online", c->is_online);
	if (c->last_seen > 0)
		json_set_int(o, "lastSeen", wall_shown(c->last_seen));
	json_set_int(o, "unread", (int64_t)c->unread);
	json_set_int(o, "queued", (int64_t)c->queued);
	if (c->greeting[0])
		json_set_text(o, "greeting", c->greeting);
	if (c->has_identity)
		set_identity(o, "identity", "fingerprint", &c->identity);
	json_set_bool(o, "keyChanged", c->is_key_changed);
	if (c->is_key_changed)
		set_new_key(o, c);
	json_set_bool(o, "verified", c->is_verified);
	json_set_int(o, "held", (int64_t)c->held);
	json_set_int(o, "devices", c->devices);
	set_profile(o, c);
	set_agreed(o, c);
	set_program(e, o, c);
	return o;
}

struct json *notify_devices(const struct engine *e)
{
	const struct device_list *list = engine_devices(e);
	char id[BYTES_BASE64_SIZE(sizeof list->devices->device.bytes)];
	struct json *devices = json_array();

	for (unsigned i = 0; i < list->count; i++) {
		const struct listed_device *d = &list->devices[i];
		struct json *o = json_object();
		bytes_to_base64(BYTES(d->device.bytes), id);
		json_set_text(o, "id", id);
		json_set_text(o, "name", d->label);
		json_set_bool(o, "current", device_public_equal(&d->device, engine_device(e)));
		json_set_bool(o, "online", engine_device_is_online(e, &d->device));
		json_set_int(o, "since", wall_shown(d->since));
		json_add(devices, o);
	}
	return devices;
}

static void tell_account(struct engine *e, const struct event *event, struct json *p)
{
	(void)e;
	json_set_text(p, "state", notify_account_state(event->account));
	json_set_text(p, "detail", told(event->detail));
}

static void tell_contact(struct engine *e, const struct event *event, struct json *p)
{
	struct contact contact;

	json_set_text(p, "name", event->name.text);
	if (engine_contact(e, event->name.text, &contact) == 0)
		json_set(p, "contact", notify_contact(e, &contact));
	else
		json_set(p, "contact", json_null());
}

static void tell_presence(struct engine *e, const struct event *event, struct json *p)
{
	(void)e;
	json_set_text(p, "name", event->name.text);
	json_set_bool(p, "online", event->is_online);
}

static void tell_request(struct engine *e, const struct event *event, struct json *p)
{
	(void)e;
	json_set_text(p, "name", event->name.text);
	if (event->greeting[0])
		json_set_text(p, "greeting", event->greeting);
}

static void tell_key_changed(struct engine *e, const struct event *event, struct json *p)
{
	struct contact contact;

	json_set_text(p, "name", event->name.text);
	if (engine_contact(e, event->name.text, &contact) < 0 || !contact.is_key_changed)
		return;
	set_identity(p, "identity", "fingerprint", &contact.identity);
	set_new_key(p, &contact);
	json_set_bool(p, "verified", contact.is_verified);
}

static void tell_link(struct engine *e, const struct event *event, struct json *p)
{
	struct contact contact;

	json_set_text(p, "name", event->name.text);
	json_set_bool(p, "connected", event->is_linked);
	set_path(p, event->is_linked, &event->path, event->path_kind, event->round_trip);
	if (event->is_linked && event->path_kind == PATH_RELAYED &&
	    engine_contact(e, event->name.text, &contact) == 0)
		set_relay(p, &contact);
}

static void tell_message(struct engine *e, const struct event *event, struct json *p)
{
	const struct message *m = &event->message;
	struct contact contact;
	struct json *body = spoken_body(m);

	json_set_id(p, "id", m->id);
	json_set_text(p, "conversation", m->contact.text);
	json_set_int(p, "timestamp", wall_shown(m->sent_at));
	if (m->is_ours) {
		json_set_bool(p, "otherDevice",
			      !device_public_equal(&m->author, engine_device(e)));
	} else {
		json_set_text(p, "from", m->contact.text);
		json_set_int(p, "arrivedAt", wall_shown(m->arrived_at));
		if (engine_contact(e, m->contact.text, &contact) == 0 && contact.is_bot)
			json_set_bool(p, "fromBot", true);
	}
	spoken_add_quote(e, body);
	json_set(p, "message", body);
}

static bool take_author(void *user, const struct message *m)
{
	*(struct device_public *)user = m->author;
	return false;
}

static void tell_how_far(struct engine *e, const struct event *event, struct json *p)
{
	struct device_public author = *engine_device(e);

	engine_message(e, event->message_id, take_author, &author);
	json_set_text(p, "conversation", event->name.text);
	json_set_id(p, "upTo", event->message_id);
	json_set_bool(p, "otherDevice", !device_public_equal(&author, engine_device(e)));
	json_set_text(p, "state", event->kind == EVENT_READ ? "read" : "delivered");
}

/* What we have read ourselves, at another device. */
static void tell_seen(struct engine *e, const struct event *event, struct json *p)
{
	struct contact contact;

	json_set_text(p, "conversation", event->name.text);
	if (engine_contact(e, event->name.text, &contact) == 0)
		json_set_int(p, "unread", (int64_t)contact.unread);
}

static bool put_message(void *user, const struct message *m)
{
	*(struct json **)user = spoken_message(m);
	return false;
}

/* As it is when this is sent. */
static void tell_changed(struct engine *e, const struct event *event, struct json *p)
{
	static const char *const changes[] = {
		[CHANGE_EDITED] = "edited",       [CHANGE_RETRACTED] = "retracted",
		[CHANGE_REACTIONS] = "reactions", [CHANGE_GONE] = "gone",
		[CHANGE_FORGOTTEN] = "forgotten",
	};
	bool is_known = (size_t)event->change < sizeof changes / sizeof *changes &&
			changes[event->change];
	struct json *message = NULL;

	json_set_id(p, "id", event->message_id);
	json_set_text(p, "conversation", event->name.text);
	json_set_text(p, "change", is_known ? changes[event->change] : "edited");
	if (engine_message(e, event->message_id, put_message, &message) == 0 && message)
		spoken_add_quote(e, message);
	json_set(p, "message", message ? message : json_null());
}

static void tell_typing(struct engine *e, const struct event *event, struct json *p)
{
	(void)e;
	json_set_text(p, "conversation", event->name.text);
	json_set_bool(p, "typing", event->is_typing);
}

static void tell_missing(struct engine *e, const struct event *event, struct json *p)
{
	struct contact contact;

	json_set_text(p, "conversation", event->name.text);
	json_set_bool(p, "arrived", event->has_come);
	if (engine_contact(e, event->name.text, &contact) == 0)
		json_set_int(p, "missing", (int64_t)contact.missing);
}

static void tell_timer(struct engine *e, const struct event *event, struct json *p)
{
	struct contact contact;

	json_set_text(p, "conversation", event->name.text);
	json_set_bool(p, "own", !event->is_theirs);
	if (engine_contact(e, event->name.text, &contact) == 0)
		json_set(p, "timer", notify_timer(&contact));
}

static void tell_profile(struct engine *e, const struct event *event, struct json *p)
{
	struct engine_account account;
	struct profile profile;
	struct contact contact;

	engine_account(e, &account);
	json_set_text(p, "name", event->name.text);
	json_set_bool(p, "own", name_equal(&event->name, &account.name));
	if (name_equal(&event->name, &account.name)) {
		engine_profile(e, &profile);
		json_set(p, "profile", spoken_profile(&profile));
	} else if (engine_contact(e, event->name.text, &contact) == 0) {
		json_set(p, "contact", notify_contact(e, &contact));
	}
}

static void tell_transfer(struct engine *e, const struct event *event, struct json *p)
{
	json_set_id(p, "id", event->message_id);
	json_set_text(p, "conversation", event->name.text);
	spoken_transfer(e, event->message_id, p);
}

static void tell_history(struct engine *e, const struct event *event, struct json *p)
{
	(void)e;
	json_set_int(p, "messages", (int64_t)event->message_id);
	json_set_bool(p, "over", event->is_over);
}

static void tell_detail(struct engine *e, const struct event *event, struct json *p)
{
	(void)e;
	if (event->name.text[0])
		json_set_text(p, "name", event->name.text);
	json_set_text(p, "detail", told(event->detail));
}

static bool put_proposal(void *user, const struct proposal *one)
{
	*(struct json **)user = spoken_proposal(one);
	return false;
}

static void tell_proposal(struct engine *e, const struct event *event, struct json *p)
{
	struct json *one = NULL;
	const struct json *value;
	const char *key;
	void *it = NULL;

	engine_proposals(e, event->message_id, put_proposal, &one);
	while (one && (key = json_each(one, &it, &value)) != NULL)
		json_set(p, key, json_keep((struct json *)value));
	json_free(one);
}

static void tell_settled(struct engine *e, const struct event *event, struct json *p)
{
	(void)e;
	json_set_id(p, "id", event->message_id);
	json_set_text(p, "bot", event->detail);
	json_set_text(p, "conversation", event->name.text);
	json_set_bool(p, "approved", event->is_approved);
}

/* As they are when this is sent. */
static void tell_devices(struct engine *e, const struct event *event, struct json *p)
{
	(void)event;
	json_set(p, "devices", notify_devices(e));
}

static const struct row {
	const char *method;
	void (*tell)(struct engine *e, const struct event *event, struct json *params);
} rows[] = {
	[EVENT_ACCOUNT] = { "account", tell_account },
	[EVENT_CONTACT] = { "contact", tell_contact },
	[EVENT_PRESENCE] = { "presence", tell_presence },
	[EVENT_REQUEST] = { "contactRequest", tell_request },
	[EVENT_KEY_CHANGED] = { "keyChanged", tell_key_changed },
	[EVENT_LINK] = { "connection", tell_link },
	[EVENT_SAID] = { "sent", tell_message },
	[EVENT_HEARD] = { "receive", tell_message },
	[EVENT_DELIVERED] = { "delivery", tell_how_far },
	[EVENT_WARNING] = { "warning", tell_detail },
	[EVENT_NOTICE] = { "notice", tell_detail },
	[EVENT_DEVICES] = { "devices", tell_devices },
	[EVENT_CHANGED] = { "changed", tell_changed },
	[EVENT_READ] = { "delivery", tell_how_far },
	[EVENT_SEEN] = { "read", tell_seen },
	[EVENT_TYPING] = { "typing", tell_typing },
	[EVENT_MISSING] = { "missing", tell_missing },
	[EVENT_TIMER] = { "timer", tell_timer },
	[EVENT_PROFILE] = { "profile", tell_profile },
	[EVENT_FILE] = { "transferProgress", tell_transfer },
	[EVENT_PROGRESS] = { "transferProgress", tell_transfer },
	[EVENT_HISTORY] = { "history", tell_history },
	[EVENT_PROPOSAL] = { "proposal", tell_proposal },
	[EVENT_SETTLED] = { "proposalSettled", tell_settled },
};

const char *notify_event(struct engine *e, const struct event *event, struct json *params)
{
	if ((size_t)event->kind >= sizeof rows / sizeof *rows || !rows[event->kind].method)
		return NULL;
	if (event->id)
		json_set_id(params, "eventId", event->id);
	rows[event->kind].tell(e, event, params);
	if (event->kind == EVENT_PROPOSAL && !json_has(params, "id"))
		return NULL; /* it was decided meanwhile, which is told behind it */
	return rows[event->kind].method;
}
