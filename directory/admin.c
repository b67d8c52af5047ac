#include "directory/admin.h"

#include <sodium.h>
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
static int make_link(const struct admin_desk *desk, const char *code, char out[URI_MAX + 1],
		     struct json **refusal)
{
	struct uri uri = {
		.kind = code ? URI_INVITATION : URI_DIRECTORY,
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
	if (make_link(desk, NULL, text, &refusal) < 0)
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

static struct json *invite(const struct admin_desk *desk, const struct json *request)
{
	int64_t count = json_int(request, "count", 1);
	int64_t life = json_int(request, "expires", ADMIN_INVITE_DAYS * 86400);
	uint8_t random[REGISTRY_CODE_BYTES];
	char code[BYTES_BASE64_SIZE(sizeof random)], text[URI_MAX + 1];
	struct json *answer;
	struct name only;
	bool has_name;
	int err = name_of(request, &only);

	if (err == ERR_NAME)
		return no_name();
	has_name = err == 0;
	if (count < 1 || count > REGISTRY_INVITE_USES_MAX)
		return refuse(ERR_LIMIT, _("An invitation is for 1 to 10000 people."));
	if (life < 60 || life > (int64_t)10 * 365 * 86400)
		return refuse(ERR_LIMIT, _("An invitation lives from a minute to ten years."));
	randombytes_buf(random, sizeof random);
	bytes_to_base64(BYTES(random), code);
	/* an owner that makes links itself (the peer's host) needs no name here */
	if (desk->place.host[0] && make_link(desk, code, text, &answer) < 0)
		return answer;
	err = desk->registry->invite(desk->registry, code, has_name ? &only : NULL,
				     (unsigned)count, desk->now + life * 1000, desk->now);
	if (err < 0)
		return refuse(err, _("The invitation could not be stored."));
	answer = json_set_text(json_object(), "link", desk->place.host[0] ? text : NULL);
	json_set_text(answer, "code", code);
	json_set_int(answer, "expires", desk->now + life * 1000);
	json_set_int(answer, "count", count);
	return json_set_text(answer, "name", has_name ? only.text : NULL);
}

static bool add_user(void *user, const struct registry_user *u)
{
	struct json *j = json_set_text(json_object(), "name", u->name.text);

	json_set_bool(j, "has_identity", u->has_identity);
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
		return refuse(err, _("The accounts could not be read."));
	}
	return json_set(json_object(), "users", list);
}

static struct json *drop(const struct admin_desk *desk, const struct json *request)
{
	struct name name;

	if (!desk->server)
		return refuse(ERR_OFFLINE, _("The directory is not running."));
	if (name_of(request, &name) < 0)
		return no_name();
	return json_set_int(json_object(), "dropped", server_drop(desk->server, &name));
}

static struct json *remove_user(const struct admin_desk *desk, const struct json *request)
{
	struct name name;
	int err;

	if (name_of(request, &name) < 0)
		return no_name();
	err = desk->registry->remove(desk->registry, &name);
	if (err == ERR_NOT_FOUND)
		return refuse(err, _("There is no account of that name. See: palique-directory "
				     "user list"));
	if (err < 0)
		return refuse(err, _("The account could not be removed."));
	if (desk->server)
		server_drop(desk->server, &name);
	return json_set_text(json_object(), "removed", name.text);
}

static const struct command {
	const char *name;
	struct json *(*run)(const struct admin_desk *desk, const struct json *request);
} commands[] = {
	{ "status", status }, { "link", link_of },       { "invite", invite },
	{ "users", users },   { "remove", remove_user }, { "drop", drop },
};

struct json *admin_answer(const struct admin_desk *desk, const struct json *request)
{
	const char *name = json_is_object(request) ? json_text(request, "command") : NULL;

	for (size_t i = 0; name && i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(desk, request);
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
