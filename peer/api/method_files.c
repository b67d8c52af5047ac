#include "peer/api/method_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/api/spoken.h"
#include "peer/spool.h"
#include "peer/api/who.h"
#include "peer/filing_manifest.h"
#include "shared/error.h"
#include "shared/offer.h"
#include "shared/text.h"

/* --- what has no file of its own: standard input ---
 *
 * A face asks for an empty file in the home's spool folder, writes into it, and sends it by its
 * name; the engine removes it when nobody needs it any more. */

enum { SPOOL_RANDOM = SPOOL_DIGITS / 2 };

int method_new_spool(struct call *call)
{
	char path[HOME_PATH_MAX], name[SPOOL_DIGITS + 1];
	uint8_t random[SPOOL_RANDOM];
	int fd, err = spool_path(call->shell->home, NULL, path);

	if (err < 0)
		return err;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return ERR_IO;
	spool_sweep(call->shell->home, call->engine, SPOOL_STALE_S);
	randombytes_buf(random, sizeof random);
	bytes_to_hex(BYTES(random), name);
	err = spool_path(call->shell->home, name, path);
	if (err < 0)
		return err;
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == ENOSPC ? ERR_FULL : ERR_IO;
	close(fd);
	json_set_text(call->result, "spool", name);
	json_set_text(call->result, "path", path);
	return 0;
}

/* --- sending --- */

/* Which file: `path`, or `spool` as method_new_spool() called it. */
static int find_source(struct call *call, char path[HOME_PATH_MAX], bool *is_spooled)
{
	const char *given = call_text(call, "path"), *spool = call_text(call, "spool");

	*is_spooled = spool != NULL;
	if (!given == !spool) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("either a path or a spool, and one of both"));
		return ERR_FORMAT;
	}
	if (given && *given != '/') {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("the path of a file is needed, from / on"));
		return ERR_FORMAT;
	}
	if (given)
		return snprintf(path, HOME_PATH_MAX, "%s", given) < HOME_PATH_MAX ? 0
										  : ERR_LIMIT;
	if (!spool_is_name(spool))
		return ERR_NOT_FOUND;
	return spool_path(call->shell->home, spool, path);
}

static void explain_send(struct call *call, int err, const char *path)
{
	if (err == ERR_NOT_FOUND && access(path, F_OK) < 0)
		snprintf(call->reason, sizeof call->reason, _("there is no file %.300s"), path);
	if (err == ERR_LIMIT)
		snprintf(call->reason, sizeof call->reason,
			 _("too long: a name has up to %d bytes, a caption %d, an alternative "
			   "text %d"),
			 OFFER_NAME_MAX, OFFER_CAPTION_MAX, OFFER_ALT_MAX);
}

int method_send_file(struct call *call)
{
	struct engine_file file = { 0 };
	char path[HOME_PATH_MAX] = "";
	struct who who;
	int err = find_source(call, path, &file.is_spooled);

	if (err == 0)
		err = who_conversation(call, "conversation", &who, &file.to);
	if (err < 0)
		return err;
	file.path = path;
	file.name = call_text(call, "name");
	file.type = call_text(call, "type");
	file.alt = call_text(call, "alt");
	file.caption = call_text(call, "caption");
	file.bot = call->bot ? call->bot->name.text : NULL;
	file.speaker = call->bot ? call->bot->id : 0;
	json_id(call->params, "replyTo", &file.reply_to);
	if (file.name && (!*file.name || strchr(file.name, '/'))) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("a file's name is not empty, and has no / in it"));
		return ERR_FORMAT;
	}
	err = engine_send_file(call->engine, &file, call->ticket);
	explain_send(call, err, path);
	return err < 0 ? err : API_LATER;
}

/* What of a folder cannot be sent, by its name, and what can be done all the same. */
void method_fail_send_file(struct call *call, const struct event *answer)
{
	char *where = text_safe(answer->detail, strlen(answer->detail), false);
	size_t size = sizeof call->reason;

	if (answer->error == ERR_FORMAT && *where)
		snprintf(call->reason, size,
			 _("in this folder the name %s is not UTF-8: rename it, or send "
			   "the folder as one file"),
			 where);
	else if (answer->error == ERR_LIMIT && *where)
		snprintf(call->reason, size,
			 _("in this folder %s lies too deep (up to %d folders), or its "
			   "path is too long: send the folder as one file"),
			 where, MANIFEST_DEPTH_MAX);
	else if (answer->error == ERR_LIMIT)
		snprintf(
			call->reason, size,
			_("too large: a folder holds up to %d files, and all of them up to %s"),
			OFFER_FILES_MAX, "1 PiB");
	else if (answer->error == ERR_EXISTS)
		snprintf(call->reason, size, "%s",
			 _("two names in this folder would become one where it arrives, as a:b "
			   "and a?b do: rename one, or send the folder as one file"));
	else if (*where)
		snprintf(call->reason, size,
			 _("in this folder %s may not be read: allow it, or leave it out"),
			 where);
	if (call->reason[0] && answer->error != ERR_REFUSED)
		snprintf(call->hint, sizeof call->hint,
			 _("tar -c FOLDER | palique send %s -f - --name FOLDER.tar"),
			 call->subject);
	free(where);
}

/* --- fetching --- */

static int answer_transfer(struct call *call, uint64_t id, int err)
{
	struct json *transfer = json_object();

	if (err == 0)
		err = spoken_transfer(call->engine, id, transfer);
	json_set(call->result, "transfer", transfer);
	return err;
}

static uint64_t message_of(struct call *call)
{
	uint64_t id = 0;

	call_about(call, "id");
	json_id(call->params, "id", &id);
	return id;
}

int method_accept_file(struct call *call)
{
	const char *folder = call_text(call, "folder");
	uint64_t id = message_of(call);

	if (folder && *folder != '/') {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("the path of a folder is needed, from / on"));
		return ERR_FORMAT;
	}
	return answer_transfer(call, id, engine_accept_file(call->engine, id, folder));
}

int method_pause_file(struct call *call)
{
	uint64_t id = message_of(call);

	return answer_transfer(call, id, engine_pause_file(call->engine, id));
}

int method_cancel_file(struct call *call)
{
	uint64_t id = message_of(call);

	return answer_transfer(call, id, engine_cancel_file(call->engine, id));
}

struct transfers {
	struct call *call;
	struct json *list;
	size_t size;
};

static bool add_transfer(void *user, const struct message *m)
{
	struct transfers *all = user;
	struct json *one = spoken_message(m);

	json_add(all->list, one);
	return call_has_room(all->call, &all->size, one);
}

int method_transfers(struct call *call)
{
	struct transfers all = { .call = call, .list = json_array() };
	bool has_name = json_has(call->params, "conversation");
	struct name name = { 0 };
	int err = 0;

	if (has_name)
		err = name_parse(&name, bytes_text(call_about(call, "conversation")));
	if (err == 0)
		err = engine_files(call->engine, has_name ? name.text : NULL,
				   !json_bool(call->params, "all", false),
				   (unsigned)json_int(call->params, "limit", 50), add_transfer,
				   &all);
	json_set(call->result, "transfers", all.list);
	return err;
}

/* --- images --- */

static bool put_thumbnail(void *user, const struct message *m)
{
	char base64[BYTES_BASE64_SIZE(OFFER_THUMBNAIL_MAX)];

	if (!m->has_file || !m->file.thumbnail.size ||
	    m->file.thumbnail.size > OFFER_THUMBNAIL_MAX)
		return false;
	bytes_to_base64(m->file.thumbnail, base64);
	json_set_text(user, "data", base64);
	json_set_text(user, "type", spoken_image_type(m->file.thumbnail));
	return false;
}

int method_thumbnail(struct call *call)
{
	int err = engine_message(call->engine, message_of(call), put_thumbnail, call->result);

	if (err == 0 && !json_has(call->result, "data")) {
		snprintf(call->reason, sizeof call->reason,
			 _("message %s has no small image with it"), call->subject);
		return ERR_STATE;
	}
	return err;
}
