#include "peer/daemon_inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "peer/spool.h"
#include "shared/error.h"
#include "shared/log.h"
#include "shared/text.h"

/* Among all of them by `next` and `back`. */
struct face {
	struct face *next, **back;
	struct daemon *daemon;
	struct lines *lines; /* NULL: a page */
	struct web_page *page;
	struct api_client *client;
};

static struct face *face_new(struct daemon *d, struct lines *lines, struct web_page *page,
			     bool is_bot)
{
	struct face *face = memory_new(sizeof *face);

	*face = (struct face){ .daemon = d, .lines = lines, .page = page };
	face->client = (is_bot ? api_connect_guest : api_connect)(d->api, face);
	if (!face->client) {
		log_event(LOG_WARNING, "too-many-faces", NULL);
		free(face);
		return NULL;
	}
	face->next = d->faces;
	face->back = &d->faces;
	if (face->next)
		face->next->back = &face->next;
	d->faces = face;
	return face;
}

static void face_free(struct face *face)
{
	if (!face)
		return;
	api_disconnect(face->client);
	*face->back = face->next;
	if (face->next)
		face->next->back = face->back;
	free(face);
}

/* --- on a socket --- */

static void on_connect(void *user, struct lines *who)
{
	struct face *face = face_new(user, who, NULL, false);

	if (!face)
		lines_close(who);
	else
		lines_set_user(who, face);
}

static void on_connect_bot(void *user, struct lines *who)
{
	struct face *face = face_new(user, who, NULL, true);

	if (!face)
		lines_close(who);
	else
		lines_set_user(who, face);
}

static void on_line(void *user, struct lines *from, struct bytes line)
{
	struct face *face = lines_user(from);

	(void)user;
	if (face)
		api_line(face->client, line);
}

static void on_gone(void *user, struct lines *who)
{
	(void)user;
	face_free(lines_user(who));
}

int daemon_listen(struct daemon *d, char *reason, size_t reason_size)
{
	static const struct lines_calls calls = { .on_line = on_line,
						  .on_gone = on_gone,
						  .on_connect = on_connect };
	static const struct lines_calls bot_calls = { .on_line = on_line,
						      .on_gone = on_gone,
						      .on_connect = on_connect_bot };
	char path[HOME_PATH_MAX];
	int err = lines_listen(&d->server, &d->loop, d->home.socket, &calls, d);

	if (err < 0)
		snprintf(reason, reason_size, _("cannot open the socket %s: %s"),
			 d->home.socket, error_text(err));
	/* Without it programs have no way in, and people have. */
	if (err == 0 && (home_path(&d->home, "bot.sock", path) < 0 ||
			 lines_listen(&d->bot_server, &d->loop, path, &bot_calls, d) < 0))
		log_event(LOG_WARNING, "no-socket-for-bots", NULL);
	return err;
}

/* --- the face in a browser --- */

static void *on_page(void *user, struct web_page *page)
{
	return face_new(user, NULL, page, false);
}

static void on_page_line(void *user, void *client, struct bytes line)
{
	struct face *face = client;

	(void)user;
	api_line(face->client, line);
}

static void on_page_gone(void *user, void *client)
{
	(void)user;
	face_free(client);
}

static int on_spool(void *user, const char *name, char *out, size_t size)
{
	struct daemon *d = user;
	char path[HOME_PATH_MAX];
	int err = spool_is_name(name) ? spool_path(&d->home, name, path) : ERR_NOT_FOUND;

	if (err == 0 && snprintf(out, size, "%s", path) >= (int)size)
		err = ERR_LIMIT;
	return err;
}

int daemon_open_web(void *user, uint16_t port, char *url, uint16_t *listens, char *reason,
		    size_t reason_size)
{
	static const struct daemon_web_calls calls = { .connect = on_page,
						       .line = on_page_line,
						       .disconnect = on_page_gone,
						       .spool = on_spool };
	struct daemon *d = user;

	if (!d->web_face || d->is_stopping)
		return ERR_STATE;
	if (!d->web)
		d->web = d->web_face->make(&d->loop, &calls, d);
	return d->web_face->open(d->web, port, url, listens, reason, reason_size);
}

void daemon_close_web(void *user)
{
	struct daemon *d = user;

	if (d->web)
		d->web_face->close(d->web);
}

/* --- what the API is given of them --- */

int daemon_face_send(void *connection, struct bytes line)
{
	struct face *face = connection;

	return face->lines ? lines_send(face->lines, line)
			   : face->daemon->web_face->send(face->page, line);
}

size_t daemon_face_backlog(void *connection)
{
	struct face *face = connection;

	return face->lines ? lines_backlog(face->lines)
			   : face->daemon->web_face->backlog(face->page);
}

void daemon_face_end(void *connection)
{
	struct face *face = connection;

	/* A page has no token of a bot. */
	if (face->lines)
		lines_close(face->lines);
	face_free(face);
}

void daemon_free_faces(struct daemon *d)
{
	while (d->faces)
		face_free(d->faces);
}
