#include "directory/desk.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "directory/admin.h"
#include "directory/ask.h"
#include "directory/holder_socket.h"
#include "shared/error.h"
#include "shared/text.h"

#define KEYHOLDER_PATIENCE (5 * SECOND)

/* --- saying how it went --- */

static const struct {
	int err;
	enum exit_code code;
} codes[] = {
	{ ERR_OFFLINE, EXIT_NOT_RUNNING }, { ERR_LOCKED, EXIT_NOT_RUNNING },
	{ ERR_NOT_FOUND, EXIT_NOT_FOUND }, { ERR_REFUSED, EXIT_REFUSED },
	{ ERR_AUTH, EXIT_REFUSED },        { ERR_NAME, EXIT_USAGE },
};

static int exit_code(int err)
{
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (codes[i].err == err)
			return codes[i].code;
	return err < 0 ? EXIT_FAILED : EXIT_OK;
}

void desk_print(const struct json *j)
{
	char *text = json_print(j);

	puts(text);
	free(text);
}

/* What helps against the troubles of a disk, whatever was tried. */
static const struct {
	int err;
	const char *words;
} advice[] = {
	{ ERR_FULL, N_("Make room on the disk and try again.") },
	{ ERR_CORRUPT, N_("Bring a backup back: palique-directory help restore") },
};

static const char *advice_on(int err)
{
	for (size_t i = 0; i < sizeof advice / sizeof advice[0]; i++)
		if (advice[i].err == err)
			return _(advice[i].words);
	return NULL;
}

int desk_fail(const struct options *o, int err, const char *what)
{
	char message[4096];

	snprintf(message, sizeof message, advice_on(err) ? "%s %s" : "%s", what,
		 advice_on(err));
	return desk_fail_told(o, err, message);
}

int desk_fail_told(const struct options *o, int err, const char *message)
{
	if (o->given & OPTION_JSON) {
		struct json *error = json_set_text(json_object(), "kind", error_name(err)), *j;

		json_set_text(error, "message", message);
		j = json_set(json_object(), "error", error);
		desk_print(j);
		json_free(j);
	} else {
		fprintf(stderr, "palique-directory: %s\n", message);
	}
	return exit_code(err);
}

int desk_fail_usage(const struct options *o, int err, const char *message)
{
	desk_fail(o, err, message);
	return EXIT_USAGE;
}

const char *desk_same_data(const struct options *o)
{
	static char text[sizeof o->data + 16];

	text[0] = 0;
	if (o->given & OPTION_DATA)
		snprintf(text, sizeof text, " --data %s", o->data);
	return text;
}

/* The number of an error that admin.c named. */
static int error_of(const char *name)
{
	for (int err = -1; err > ERR_LAST; err--)
		if (strcmp(error_name(err), name) == 0)
			return err;
	return ERR_STATE;
}

bool desk_is_refusal(const struct options *o, const struct json *answer, int *code)
{
	const char *error = json_text(answer, "error"), *message = json_text(answer, "message");

	if (!error)
		return false;
	*code = desk_fail(o, error_of(error), message ? message : error);
	return true;
}

/* --- the data folder --- */

wall_ms desk_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (wall_ms)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void desk_config_path(const struct options *o, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/directory.conf", o->data);
}

int desk_config(const struct options *o, struct config *c, char *reason, size_t reason_size)
{
	char path[PATH_MAX];
	int err;

	desk_config_path(o, path);
	config_init(c);
	err = config_read(c, path, reason, reason_size);
	if (err == ERR_NOT_FOUND)
		err = 0;
	c->json_given = (o->given & OPTION_JSON) != 0;
	if (!err && o->listen_count) {
		c->listen_given = true;
		c->listen_count = o->listen_count;
		memcpy(c->listen, o->listen, sizeof o->listen);
	}
	return err;
}

/* An address by which others may reach this machine, for who has set no name: v4 first. */
static struct directory_place guess_place(const struct config *c)
{
	struct directory_place place = { .host = "127.0.0.1" };
	struct ifaddrs *all = NULL;
	struct address a;
	int best = 0;

	place.port = c->listen_count && c->listen[0].port ? c->listen[0].port : DIRECTORY_PORT;
	if (getifaddrs(&all) < 0)
		return place;
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		int worth;

		if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) ||
		    address_from_sockaddr(&a, i->ifa_addr) < 0 || address_is_loopback(&a) ||
		    address_is_link_local(&a))
			continue;
		worth = a.family == 4 ? 2 : 1;
		if (worth <= best)
			continue;
		best = worth;
		inet_ntop(a.family == 4 ? AF_INET : AF_INET6, a.ip, place.host,
			  sizeof place.host);
	}
	freeifaddrs(all);
	return place;
}

int desk_open(struct desk *d, const struct options *o, char *reason, size_t reason_size)
{
	int err;

	memset(d, 0, sizeof *d);
	err = desk_config(o, &d->config, reason, reason_size);
	if (err < 0)
		return err;
	err = registry_sqlite_open(&d->registry, o->data, false, reason, reason_size);
	if (err < 0)
		return err;
	err = keystore_open(&d->keys, o->data, reason, reason_size);
	if (err < 0)
		d->registry->close(d->registry);
	return err;
}

void desk_close(struct desk *d)
{
	d->registry->close(d->registry);
	keystore_close(d->keys);
}

int desk_holder(struct holder **h, const struct desk *d, const struct options *o, char *reason,
		size_t reason_size)
{
	struct holder_dialer dialer;
	int err;

	if (!d->config.keyholder[0])
		return o->secrets ? holder_local_secrets(h, o->secrets, reason, reason_size)
				  : holder_local_open(h, o->data, reason, reason_size);
	dialer = holder_dialer_path(d->config.keyholder);
	*h = holder_socket_alone(&dialer);
	err = holder_socket_meet(*h, KEYHOLDER_PATIENCE, false);
	if (err < 0) {
		(*h)->close(*h);
		snprintf(
			reason, reason_size,
			_("The key-holder does not answer at %s. Is it running? See: systemctl "
			  "status palique-keyholder"),
			d->config.keyholder);
	}
	return err;
}

/* Without a server: the same rows, on the files. */
static int ask_files(const struct options *o, const struct json *question, struct json **answer)
{
	struct admin_desk ad = { .now = desk_now() };
	char reason[512] = "";
	struct desk d;
	int err = desk_open(&d, o, reason, sizeof reason);

	if (err < 0)
		return desk_fail(o, err, reason);
	ad.registry = d.registry;
	ad.key = &d.keys->noise.public;
	if (d.config.has_place)
		ad.place = d.config.place;
	*answer = admin_answer(&ad, question);
	desk_close(&d);
	return EXIT_OK;
}

/* What to put into links where no public name is configured. */
static void offer_place(const struct options *o, struct json *question)
{
	char reason[512], text[URI_HOST_MAX + 9];
	struct config c;
	struct directory_place place;

	if (desk_config(o, &c, reason, sizeof reason) < 0)
		return; /* who needs the configuration complains of it */
	place = c.has_place ? c.place : guess_place(&c);
	place_print(&place, text);
	json_set_text(question, "place", text);
}

int desk_ask(const struct options *o, struct json *question, struct json **answer)
{
	char reason[4096];
	int code = EXIT_OK, err;

	offer_place(o, question);
	err = ask_running(answer, o->data, question);
	if (err == ERR_OFFLINE) {
		code = ask_files(o, question, answer);
	} else if (err < 0) {
		snprintf(reason, sizeof reason,
			 _("The directory that runs on %s does not answer: %s. Its log says "
			   "more; as another user than its own or root one may not ask."),
			 o->data, error_text(err));
		code = desk_fail(o, err, reason);
	}
	json_free(question);
	if (*answer && desk_is_refusal(o, *answer, &code)) {
		json_free(*answer);
		*answer = NULL;
	}
	return code;
}

struct json *desk_question(const char *command)
{
	struct json *q = json_set_text(json_object(), "command", command);

	return json_set_text(q, "language", text_language());
}
