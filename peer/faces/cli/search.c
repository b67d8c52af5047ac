/* Finding what was said, and looking at one message: search, show. */
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "peer/faces/cli/picture.h"
#include "shared/error.h"
#include "shared/text.h"

static void print_hit(const struct json *m)
{
	const char *id = json_text(m, "id"), *contact = json_text(m, "conversation"),
		   *snippet = json_text(m, "snippet");
	char number[32], who[128];

	snprintf(number, sizeof number, "[%s]", id ? id : "?");
	contact = contact ? out_safe(contact) : "?";
	if (cmd_is_own(m))
		snprintf(who, sizeof who, _("you to %s"), contact);
	out_line("%s %s %s: %s", out_color(COLOR_FAINT, out_time(json_int(m, "timestamp", 0))),
		 out_color(COLOR_FAINT, number),
		 cmd_is_own(m) ? who : out_color(COLOR_NAME, contact),
		 out_found(snippet ? snippet : ""));
}

int cmd_search(struct cli *c)
{
	struct json *params = json_object(), *result = NULL;
	const struct json *list;
	size_t count;
	char *query;
	long limit;
	int code = EXIT_DONE;

	if (options_number(&c->o, OPT_LIMIT, 1, 1000, 20, &limit) < 0)
		code = cli_usage(_("--limit is a number from 1 to 1000"),
				 "palique help search");
	if (code == EXIT_DONE && c->o.value[OPT_BEFORE] && !cmd_id(c->o.value[OPT_BEFORE]))
		code = cli_usage(_("--before and --after are the number of a message"),
				 "palique help search");
	if (code != EXIT_DONE) {
		json_free(params);
		return code;
	}
	query = cli_rest(c, 0);
	json_set_text(params, "query", query);
	free(query);
	json_set_int(params, "limit", limit);
	if (c->o.value[OPT_BEFORE])
		json_set_text(params, "before", cmd_id(c->o.value[OPT_BEFORE]));
	if (c->o.value[OPT_WITH])
		json_set_text(params, "conversation", c->o.value[OPT_WITH]);
	code = cli_call(c, "searchMessages", params, &result);
	if (code != EXIT_DONE)
		return code;
	list = json_get(result, "messages");
	count = json_count(list);
	for (size_t i = 0; i < count; i++) {
		print_hit(json_at(list, i));
		out_json(json_keep((struct json *)json_at(list, i)));
	}
	if (count == 0)
		out_say("%s", _("Nothing was found."));
	else if (((long)count == limit || json_bool(result, "more", false)) &&
		 out_is_terminal())
		out_say(_("  more: the same with --before %s"),
			json_text(json_at(list, count - 1), "id"));
	json_free(result);
	return EXIT_DONE;
}

/* --- show --- */

static void print_fact(const char *what, const char *value)
{
	if (value && *value)
		out_line("  %-*s %s", text_pad(what, 14), what, value);
}

static const char *when(const struct json *o, const char *key)
{
	int64_t at = json_int(o, key, 0);

	return at > 0 ? out_time(at) : NULL;
}

static void print_file(const struct json *file)
{
	char figures[160];

	print_fact(_("name"), out_safe(json_text(file, "name")));
	print_fact(_("type"), out_safe(json_text(file, "type")));
	print_fact(_("shows"), out_safe(json_text(file, "alt")));
	print_fact(_("size"), out_size(json_int(file, "size", 0)));
	print_fact(_("stored as"), out_safe(json_text(file, "path")));
	if (cmd_is(file, "state", "running")) {
		cmd_transfer_figures(file, figures, sizeof figures);
		print_fact(_("on its way"), figures);
	}
}

static void print_facts(const struct json *m)
{
	const struct json *file = json_get(m, "file"), *quote = json_get(m, "quote");

	print_fact(_("arrived"), cmd_is_own(m) ? NULL : when(m, "arrivedAt"));
	print_fact(_("edited"), when(m, "editedAt"));
	print_fact(_("disappears"), when(m, "expiresAt"));
	print_fact(_("answers"), json_text(m, "replyTo"));
	print_fact(_("there stood"), quote ? out_safe(json_text(quote, "begins")) : NULL);
	if (file)
		print_file(file);
}

/* The small image that came with the message; none, or none that can be drawn here, is no failure. */
static void draw(struct cli *c, const char *id)
{
	struct client_error error;
	struct json *result = NULL;
	const char *data;
	size_t size;
	uint8_t *image;
	int err = 0;

	if (!out_is_terminal() ||
	    client_call(c->client, "getThumbnail", json_set_text(json_object(), "id", id),
			CLIENT_FOREVER, &result, &error) < 0)
		return;
	data = json_text(result, "data");
	size = data ? strlen(data) * 3 / 4 : 0;
	image = memory_new(size + 1);
	if (size && bytes_from_base64(data, strlen(data), image, size) == 0)
		err = picture_show(c, bytes_of(image, size), 0);
	if (err == ERR_NOT_FOUND)
		out_say("%s", _("  (with libchafa installed it would be drawn here)"));
	free(image);
	json_free(result);
}

int cmd_show_message(struct cli *c, const char *id)
{
	struct json *result = NULL;
	const struct json *m, *file;
	int code = cli_call(c, "getMessage", json_set_text(json_object(), "id", id), &result);

	if (code != EXIT_DONE)
		return code;
	m = json_get(result, "message");
	file = json_get(m, "file");
	cmd_print(m);
	print_facts(m);
	if (file && json_bool(file, "hasThumbnail", false) && !c->o.value[OPT_JSON])
		draw(c, id);
	out_json(json_keep((struct json *)m));
	json_free(result);
	return EXIT_DONE;
}

int cmd_show(struct cli *c)
{
	char id[24];
	int code = cmd_take_id(c, c->o.arguments[0], id);

	return code == EXIT_DONE ? cmd_show_message(c, id) : code;
}
