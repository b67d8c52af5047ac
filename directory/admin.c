#include "directory/admin.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "directory/metrics.h"
#include "shared/error.h"
#include "shared/text.h"
#include "shared/uri.h"

static struct json *refuse(int err, const char *message)
{
	struct json *j = json_object();

	json_set_text(j, "error", error_name(err));
	return json_set_text(j, "message", message);
}

static struct json *status(const struct admin_desk *desk, const struct json *request)
{
	struct server_status s;

	(void)request;
	if (!desk->server)
		return refuse(ERR_OFFLINE, _("The directory is not running."));
	server_status(desk->server, &s);
	return metrics_json(&s);
}

/* 0, or an error and its answer in `refusal`. */
static int make_link(const struct admin_desk *desk, enum uri_kind kind, const char *code,
		     char out[URI_MAX + 1], struct json **refusal)
{
	struct uri uri = {
		.kind = kind,
		.place = desk->place,
		.has_directory_key = true,
		.directory_key = *desk->key,
	};
	int err = ERR_STATE;

	if (!desk->place.host[0]) {
		*refusal = refuse(err, _("No public name is known. Set name = HOST in "
					 "directory.conf."));
		return err;
	}
	if (code)
		memcpy(uri.code, code, strlen(code) + 1);
	err = uri_print(&uri, out);
	if (err < 0)
		*refusal = refuse(err,
				  _("The public name is too long for a link. Set a shorter "
				    "name = HOST in directory.conf."));
	return err;
}

static struct json *link_of(const struct admin_desk *desk, const struct json *request)
{
	char text[URI_MAX + 1];
	struct json *refusal;

	(void)request;
	if (make_link(desk, URI_DIRECTORY, NULL, text, &refusal) < 0)
		return refusal;
	return json_set_text(json_object(), "link", text);
}

/* A name that the request may or must hold. */
static int name_of(const struct json *request, struct name *name)
{
	const char *text = json_text(request, "name");

	if (!text)
		return ERR_NOT_FOUND;
	return name_parse(name, bytes_text(text));
}

static struct json *no_name(void)
{
	return refuse(ERR_NAME,
		      _("A name is 2 to 32 of a-z, 0-9, dot, dash and underscore, and "
			"begins with a letter or digit."));
}

/* A fresh code, its link where a public name is known (an owner that makes links itself, the
 * peer's host, needs none here), and until when. */
struct ticket {
	char code[BYTES_BASE64_SIZE(REGISTRY_CODE_BYTES)], link[URI_MAX + 1];
	wall_ms expires;
};

/* `refusal`, or NULL and a ticket. */
static struct json *make_ticket(struct ticket *t, const struct admin_desk *desk,
				enum uri_kind kind, const struct json *request,
				int64_t usual_life)
{
	int64_t life = json_int(request, "expires", usual_life);
	uint8_t random[REGISTRY_CODE_BYTES];
	struct json *refusal = NULL;

	memset(t, 0, sizeof *t);
	if (life < ADMIN_LIFE_MIN || life > ADMIN_LIFE_MAX)
		return refuse(ERR_LIMIT, _("It may live from a minute to ten years."));
	randombytes_buf(random, sizeof random);
	bytes_to_base64(BYTES(random), t->code);
	sodium_memzero(random, sizeof random);
	t->expires = desk->now + life * 1000;
	if (desk->place.host[0])
		make_link(desk, kind, t->code, t->link, &refusal);
	return refusal;
}

static struct json *ticket_json(struct ticket *t)
{
	struct json *j = json_set_text(json_object(), "link", t->link[0] ? t->link : NULL);

	json_set_text(j, "code", t->code);
	json_set_int(j, "expires", t->expires);
	sodium_memzero(t, sizeof *t);
	return j;
}

/* What the store said of a change, in the operator's words. */
static struct json *store_trouble(int err, const char *what)
{
	char text[512];

	if (err == ERR_NOT_FOUND)
		return refuse(err, _("There is no account of that name. See: palique-directory "
				     "user list"));
	snprintf(text, sizeof text, _("%s: %s. Nothing was changed."), what, error_text(err));
	return refuse(err, text);
}

static struct json *invite(const struct admin_desk *desk, const struct json *request)
{
	int64_t count = json_int(request, "count", 1);
	struct json *answer;
	struct ticket ticket;
	struct name only;
	bool has_name;
	int err = name_of(request, &only);

	if (err == ERR_NAME)
		return no_name();
	has_name = err == 0;
	if (count < 1 || count > REGISTRY_INVITE_USES_MAX)
		return refuse(ERR_LIMIT, _("An invitation is for 1 to 10000 people."));
	answer = make_ticket(&ticket, desk, URI_INVITATION, request,
			     (int64_t)ADMIN_INVITE_DAYS * 86400);
	if (answer)
		return answer;
	err = desk->registry->invite(desk->registry, ticket.code, has_name ? &only : NULL,
				     (unsigned)count, ticket.expires, desk->now);
	if (err < 0)
		return store_trouble(err, _("The invitation could not be stored"));
	answer = ticket_json(&ticket);
	json_set_int(answer, "count", count);
	return json_set_text(answer, "name", has_name ? only.text : NULL);
}

static bool add_invite(void *user, const struct registry_invite *i)
{
	struct json *j = json_set_text(json_object(), "handle", i->handle);

	json_set_text(j, "kind", i->is_reset ? "passwd-reset" : "invitation");
	json_set_text(j, "name", i->has_name ? i->name.text : NULL);
	json_set_int(j, "uses", i->uses);
	json_set_int(j, "expires", i->expires);
	json_add(user, j);
	return true;
}

static struct json *invites(const struct admin_desk *desk, const struct json *request)
{
	struct json *list = json_array();
	int err = desk->registry->invites(desk->registry, add_invite, list);

	(void)request;
	if (err < 0) {
		json_free(list);
		return store_trouble(err, _("The invitations could not be read"));
	}
	return json_set(json_object(), "invites", list);
}

static struct json *revoke(const struct admin_desk *desk, const struct json *request)
{
	const char *handle = json_text(request, "handle");
	int err;

	if (!handle || strlen(handle) != REGISTRY_HANDLE_SIZE - 1 ||
	    strspn(handle, "0123456789abcdef") != REGISTRY_HANDLE_SIZE - 1)
		return refuse(ERR_FORMAT,
			      _("An invitation is called by 8 digits and letters a to f. See: "
				"palique-directory invite list"));
	err = desk->registry->revoke_invite(desk->registry, handle);
	if (err == ERR_NOT_FOUND)
		return refuse(err, _("There is no such invitation: used up, past its time or "
				     "revoked before. See: palique-directory invite list"));
	if (err < 0)
		return store_trouble(err, _("The invitation could not be revoked"));
	return json_set_text(json_object(), "revoked", handle);
}

static bool add_user(void *user, const struct registry_user *u)
{
	struct json *j = json_set_text(json_object(), "name", u->name.text);

	json_set_bool(j, "has_identity", u->has_identity);
	json_set_bool(j, "is_banned", u->is_suspended);
	json_set_bool(j, "has_recovery", u->has_recovery);
	json_set_int(j, "devices", u->devices);
	json_set_int(j, "created", u->created);
	json_add(user, j);
	return true;
}

static struct json *users(const struct admin_desk *desk, const struct json *request)
{
	struct json *list = json_array();
	int err = desk->registry->list(desk->registry, add_user, list);

	(void)request;
	if (err < 0) {
		json_free(list);
		return store_trouble(err, _("The accounts could not be read"));
	}
	return json_set(json_object(), "users", list);
}

/* Ends the sessions of `name`, where they are. */
static struct json *with_dropped(struct json *answer, const struct admin_desk *desk,
				 const struct name *name, enum link_code code)
{
	unsigned count = desk->server ? server_drop(desk->server, name, code) : 0;

	return json_set_int(answer, "dropped", count);
}

static struct json *kick(const struct admin_desk *desk, const struct json *request)
{
	struct name name;

	if (!desk->server)
		return refuse(ERR_OFFLINE,
			      _("The directory is not running: nobody is online."));
	if (name_of(request, &name) < 0)
		return no_name();
	return with_dropped(json_set_text(json_object(), "kicked", name.text), desk, &name,
			    LINK_CODE_RESTART);
}

static struct json *remove_user(const struct admin_desk *desk, const struct json *request)
{
	struct name name;
	int err;

	if (name_of(request, &name) < 0)
		return no_name();
	err = desk->registry->remove(desk->registry, &name);
	if (err < 0)
		return store_trouble(err, _("The account could not be removed"));
	return with_dropped(json_set_text(json_object(), "removed", name.text), desk, &name,
			    LINK_CODE_UNKNOWN);
}

/* Their devices are told, and try again now and then. */
static struct json *ban(const struct admin_desk *desk, const struct json *request)
{
	unsigned dropped = 0;
	struct name name;
	int err;

	if (name_of(request, &name) < 0)
		return no_name();
	err = desk->registry->suspend(desk->registry, &name, true);
	if (err < 0)
		return store_trouble(err, _("The account could not be banned"));
	if (desk->server)
		dropped = server_suspend(desk->server, &name);
	return json_set_int(json_set_text(json_object(), "banned", name.text), "dropped",
			    dropped);
}

static struct json *unban(const struct admin_desk *desk, const struct json *request)
{
	struct name name;
	int err;

	if (name_of(request, &name) < 0)
		return no_name();
	err = desk->registry->suspend(desk->registry, &name, false);
	if (err < 0)
		return store_trouble(err, _("The ban could not be lifted"));
	return json_set_text(json_object(), "unbanned", name.text);
}

static struct json *reset(const struct admin_desk *desk, const struct json *request)
{
	struct json *answer;
	struct ticket ticket;
	struct name name;
	int err;

	if (name_of(request, &name) < 0)
		return no_name();
	answer = make_ticket(&ticket, desk, URI_RESET, request,
			     (int64_t)ADMIN_RESET_HOURS * 3600);
	if (answer)
		return answer;
	err = desk->registry->invite_reset(desk->registry, ticket.code, &name, ticket.expires,
					   desk->now);
	if (err < 0)
		return store_trouble(err, _("The one-time code could not be stored"));
	return json_set_text(ticket_json(&ticket), "name", name.text);
}

static const struct command {
	const char *name;
	struct json *(*run)(const struct admin_desk *desk, const struct json *request);
} commands[] = {
	{ "status", status },      { "link", link_of },  { "invite", invite },
	{ "invites", invites },    { "revoke", revoke }, { "users", users },
	{ "remove", remove_user }, { "ban", ban },       { "unban", unban },
	{ "kick", kick },          { "reset", reset },
};

/* Where no public name is configured, the operator's command may offer one. */
static struct admin_desk with_place(const struct admin_desk *desk, const struct json *request)
{
	const char *offered = json_text(request, "place");
	struct admin_desk d = *desk;

	if (!d.place.host[0] && offered && place_parse(&d.place, offered) < 0)
		d.place = (struct directory_place){ 0 };
	return d;
}

struct json *admin_answer(const struct admin_desk *given, const struct json *request)
{
	struct admin_desk desk = with_place(given, request);
	const char *name = json_is_object(request) ? json_text(request, "command") : NULL;

	for (size_t i = 0; name && i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(&desk, request);
	return refuse(ERR_FORMAT, _("There is no such command."));
}

struct json *admin_server(struct server *s, const struct json *request)
{
	struct admin_desk desk = {
		.registry = server_registry(s),
		.key = server_key(s),
		.place = *server_place(s),
		.server = s,
		.now = server_wall(s),
	};

	return admin_answer(&desk, request);
}
