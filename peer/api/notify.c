#include "peer/api/notify.h"

#include <string.h>

#include "peer/api/network.h"
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

struct json *notify_contact(const struct contact *c)
{
	struct json *o = json_object();

	set_link(o, c);
	json_set_text(o, "state", contact_state_name(c->state));
	json_set_bool(o, "online", c->is_online);
	if (c->last_seen > 0)
		json_set_int(o, "lastSeen", c->last_seen);
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
		json_set_int(o, "since", d->since);
		json_add(devices, o);
	}
	return devices;
}

static void set_message(struct json *o, const struct message *m)
{
	json_set_id(o, "id", m->id);
	json_set_text(o, "conversation", m->contact.text);
	json_set_int(o, "timestamp", m->sent_at);
}

static void set_body(struct json *o, const struct message *m)
{
	json_set_bytes(o, "text", m->text);
	if (m->reply_to)
		json_set_id(o, "replyTo", m->reply_to);
}

struct json *notify_message(const struct message *m)
{
	static const char *const states[] = {
		[MESSAGE_QUEUED] = "queued",
		[MESSAGE_DELIVERED] = "delivered",
		[MESSAGE_RECEIVED] = "received",
	};
	struct json *o = json_object();

	set_message(o, m);
	json_set_bool(o, "own", m->is_ours);
	json_set_int(o, "arrivedAt", m->arrived_at);
	json_set_text(o, "state",
		      m->state <= MESSAGE_RECEIVED && states[m->state] ? states[m->state]
								       : "queued");
	set_body(o, m);
	return o;
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
		json_set(p, "contact", notify_contact(&contact));
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
	json_set_bool(p, "connected", event->is_online);
	set_path(p, event->is_online, &event->path, event->path_kind, event->round_trip);
	if (event->is_online && event->path_kind == PATH_RELAYED &&
	    engine_contact(e, event->name.text, &contact) == 0)
		set_relay(p, &contact);
}

static void tell_message(struct engine *e, const struct event *event, struct json *p)
{
	struct json *body = json_object();

	set_message(p, &event->message);
	if (event->message.is_ours)
		json_set_bool(p, "otherDevice",
			      !device_public_equal(&event->message.author, engine_device(e)));
	if (!event->message.is_ours) {
		json_set_text(p, "from", event->message.contact.text);
		json_set_int(p, "arrivedAt", event->message.arrived_at);
	}
	set_body(body, &event->message);
	json_set(p, "message", body);
}

static bool take_author(void *user, const struct message *m)
{
	*(struct device_public *)user = m->author;
	return false;
}

static void tell_delivery(struct engine *e, const struct event *event, struct json *p)
{
	struct device_public author = *engine_device(e);

	engine_message(e, event->message_id, take_author, &author);
	json_set_text(p, "conversation", event->name.text);
	json_set_id(p, "upTo", event->message_id);
	json_set_bool(p, "otherDevice", !device_public_equal(&author, engine_device(e)));
	json_set_text(p, "state", "delivered");
}

static void tell_detail(struct engine *e, const struct event *event, struct json *p)
{
	(void)e;
	if (event->name.text[0])
		json_set_text(p, "name", event->name.text);
	json_set_text(p, "detail", told(event->detail));
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
	[EVENT_DELIVERED] = { "delivery", tell_delivery },
	[EVENT_WARNING] = { "warning", tell_detail },
	[EVENT_NOTICE] = { "notice", tell_detail },
	[EVENT_DEVICES] = { "devices", tell_devices },
};

const char *notify_event(struct engine *e, const struct event *event, struct json *params)
{
	if ((size_t)event->kind >= sizeof rows / sizeof *rows || !rows[event->kind].method)
		return NULL;
	json_set_id(params, "eventId", event->id);
	rows[event->kind].tell(e, event, params);
	return rows[event->kind].method;
}
