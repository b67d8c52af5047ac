#include "peer/api/spoken.h"

#include <stdlib.h>
#include <string.h>

#include "peer/image.h"
#include "shared/error.h"
#include "shared/menu.h"
#include "shared/text.h"

/* --- names of states --- */

static const char *message_state(enum message_state state)
{
	static const char *const names[] = {
		[MESSAGE_QUEUED] = "queued",
		[MESSAGE_DELIVERED] = "delivered",
		[MESSAGE_RECEIVED] = "received",
		[MESSAGE_READ] = "read",
	};

	return state >= MESSAGE_QUEUED && state <= MESSAGE_READ ? names[state] : "queued";
}

static const char *transfer_state(enum transfer_state state)
{
	static const char *const names[] = {
		[TRANSFER_OFFERED] = "offered", [TRANSFER_WAITING] = "waiting",
		[TRANSFER_RUNNING] = "running", [TRANSFER_PAUSED] = "paused",
		[TRANSFER_STOPPED] = "stopped", [TRANSFER_CHECKING] = "checking",
		[TRANSFER_DONE] = "done",       [TRANSFER_CANCELLED] = "cancelled",
		[TRANSFER_FAILED] = "failed",
	};

	return state >= TRANSFER_OFFERED && state <= TRANSFER_FAILED ? names[state] : "offered";
}

static const char *message_kind(enum message_kind kind)
{
	static const char *const names[] = {
		[MESSAGE_TEXT] = "text",
		[MESSAGE_FILE] = "file",
		[MESSAGE_UNKNOWN] = "unknown",
	};

	return kind >= MESSAGE_TEXT && kind <= MESSAGE_UNKNOWN ? names[kind] : "unknown";
}

static const char *const availabilities[] = {
	[AVAILABLE] = "available",
	[AWAY] = "away",
	[BUSY] = "busy",
};
enum { AVAILABILITIES = sizeof availabilities / sizeof *availabilities };

const char *spoken_availability(enum availability availability)
{
	return (unsigned)availability < AVAILABILITIES ? availabilities[availability]
						       : availabilities[AVAILABLE];
}

int spoken_find_availability(const char *name, enum availability *out)
{
	for (unsigned i = 0; i < AVAILABILITIES; i++) {
		if (strcmp(availabilities[i], name))
			continue;
		*out = (enum availability)i;
		return 0;
	}
	return ERR_FORMAT;
}

/* --- files --- */

/* A name as others gave it that misleads nobody: nothing invisible, no folder in it. */
static void set_name(struct json *o, struct bytes name)
{
	char *safe = text_safe((const char *)name.data, name.size, false);

	for (char *at = safe; *at; at++)
		if (*at == '/')
			*at = '_';
	json_set_text(o, "name", safe);
	free(safe);
}

static void set_seconds_left(struct json *o, const struct message_file *f)
{
	if (f->rate && f->size >= f->done)
		json_set_int(o, "secondsLeft",
			     (int64_t)((f->size - f->done + f->rate - 1) / f->rate));
}

/* Why ours does not come to them, and what to do (peer/files_told.c). */
static const char *why_not_theirs(int err)
{
	switch (err) {
	case ERR_NOT_FOUND:
		return _("the file is not where it was: put it back there, and they may fetch "
			 "it again");
	case ERR_CORRUPT:
		return _("the file was changed after it was offered: send it again");
	case ERR_IO:
		return _("the file cannot be read now: once it can, they may fetch it again");
	case ERR_FULL:
		return _("the other side has no room for it: they may fetch it again when "
			 "they have");
	case ERR_REFUSED:
		return _("the other side cannot store it: they may fetch it again when they "
			 "can");
	case ERR_EXPIRED:
		return _("the other side has cancelled it: they may fetch it all the same");
	case ERR_FORMAT:
		return _("it arrived damaged, twice: send it again");
	default:
		return error_text(err);
	}
}

/* Why a file did not come, to who waits for it. */
static const char *why_not(int err)
{
	switch (err) {
	case ERR_EXPIRED:
		return _("the other side has withdrawn it");
	case ERR_IO:
		return _("it cannot be read there, or stored here");
	case ERR_NOT_FOUND:
		return _("the other side does not have it any more");
	case ERR_CORRUPT:
		return _("it is not what was offered: changed there since, or damaged");
	case ERR_FULL:
		return _("there is no room for it on this disk");
	case ERR_REFUSED:
		return _("nothing can be written into the folder where it goes");
	default:
		return error_text(err);
	}
}

static void set_progress(struct json *o, const struct message_file *f, bool is_ours)
{
	json_set_text(o, "state", transfer_state(f->state));
	json_set_int(o, "done", (int64_t)f->done);
	json_set_int(o, "size", (int64_t)f->size);
	if (f->state == TRANSFER_RUNNING) {
		json_set_int(o, "rate", (int64_t)f->rate);
		set_seconds_left(o, f);
	}
	if (f->path.size)
		json_set_bytes(o, "path", f->path);
	if (f->error < 0) {
		json_set_text(o, "error", error_name(f->error));
		/* Ours are where they were offered from; what we have not is another device's. */
		json_set_text(o, "reason",
			      is_ours && f->path.size ? why_not_theirs(f->error)
						      : why_not(f->error));
	}
}

static struct json *file_view(const struct message_file *f, bool is_ours)
{
	struct json *o = json_object();

	set_name(o, f->name);
	json_set_bytes(o, "type", f->type);
	set_progress(o, f, is_ours);
	if (f->alt.size)
		json_set_bytes(o, "alt", f->alt);
	if (f->is_folder) {
		json_set_bool(o, "folder", true);
		json_set_int(o, "files", f->files);
	}
	if (f->width && f->height) {
		json_set_int(o, "width", f->width);
		json_set_int(o, "height", f->height);
	}
	json_set_bool(o, "hasThumbnail", f->thumbnail.size > 0);
	return o;
}

struct transfer {
	struct json *out;
	bool has_file;
};

static bool put_transfer(void *user, const struct message *m)
{
	struct transfer *t = user;

	t->has_file = m->has_file;
	json_set_id(t->out, "id", m->id);
	json_set_text(t->out, "conversation", m->contact.text);
	json_set_bool(t->out, "own", m->is_ours);
	if (m->has_file) {
		set_name(t->out, m->file.name);
		set_progress(t->out, &m->file, m->is_ours);
	}
	return false;
}

int spoken_transfer(struct engine *e, uint64_t id, struct json *out)
{
	struct transfer t = { .out = out };
	int err = engine_message(e, id, put_transfer, &t);

	return err < 0 ? err : t.has_file ? 0 : ERR_NOT_FOUND;
}

/* --- messages --- */

static void set_reactions(struct json *o, const struct message *m)
{
	struct json *reactions;

	if (!m->our_reactions.size && !m->their_reactions.size)
		return;
	reactions = json_set_bytes(json_object(), "ours", m->our_reactions);
	json_set(o, "reactions", json_set_bytes(reactions, "theirs", m->their_reactions));
}

/* Only what is so: most messages are a text and nothing more. */
static void set_flag(struct json *o, const char *key, bool is_so)
{
	if (is_so)
		json_set_bool(o, key, true);
}

static struct json *buttons_of(struct bytes lines)
{
	struct json *list = json_array();
	struct bytes line;

	while (menu_next(&lines, &line))
		json_add_bytes(list, line);
	return list;
}

struct json *spoken_commands(struct bytes menu)
{
	struct json *list = json_array();
	struct bytes line, name, about;

	while (menu_next(&menu, &line)) {
		menu_split(line, &name, &about);
		json_add(list, json_set_bytes(json_set_bytes(json_object(), "name", name),
					      "about", about));
	}
	return list;
}

struct json *spoken_proposal(const struct proposal *one)
{
	struct json *o = json_object();

	json_set_id(o, "id", one->id);
	json_set_text(o, "bot", one->name.text);
	json_set_text(o, "conversation", one->to.text);
	json_set_bytes(o, "text", one->text);
	if (one->reply_to)
		json_set_id(o, "replyTo", one->reply_to);
	if (one->buttons.size)
		json_set(o, "buttons", buttons_of(one->buttons));
	json_set_int(o, "timestamp", one->at);
	return o;
}

static void set_body(struct json *o, const struct message *m)
{
	json_set_bytes(o, "text", m->text);
	json_set_text(o, "kind", message_kind(m->kind));
	if (m->reply_to)
		json_set_id(o, "replyTo", m->reply_to);
	set_flag(o, "replyMissing", m->is_reply_missing);
	set_flag(o, "forwarded", m->is_forwarded);
	set_flag(o, "edited", m->is_edited);
	if (m->is_edited && m->edited_at > 0)
		json_set_int(o, "editedAt", wall_shown(m->edited_at));
	set_flag(o, "retracted", m->is_retracted);
	set_flag(o, "gone", m->is_gone);
	if (m->life)
		json_set_int(o, "life", m->life);
	if (m->expires_at > 0)
		json_set_int(o, "expiresAt", wall_shown(m->expires_at));
	if (m->missing)
		json_set_int(o, "missing", (int64_t)m->missing);
	set_reactions(o, m);
	if (m->bot.size)
		json_set_bytes(o, "bot", m->bot);
	if (m->buttons.size)
		json_set(o, "buttons", buttons_of(m->buttons));
	if (m->has_file)
		json_set(o, "file", file_view(&m->file, m->is_ours));
}

struct json *spoken_body(const struct message *m)
{
	struct json *o = json_object();

	set_body(o, m);
	return o;
}

struct json *spoken_message(const struct message *m)
{
	struct json *o = json_object();

	json_set_id(o, "id", m->id);
	json_set_text(o, "conversation", m->contact.text);
	json_set_int(o, "timestamp", wall_shown(m->sent_at));
	json_set_bool(o, "own", m->is_ours);
	json_set_int(o, "arrivedAt", wall_shown(m->arrived_at));
	json_set_text(o, "state", message_state(m->state));
	set_body(o, m);
	return o;
}

/* The first line, cut between two characters. */
static struct bytes beginning(struct bytes text)
{
	const uint8_t *end = text.size ? memchr(text.data, '\n', text.size) : NULL;

	if (end)
		text.size = (size_t)(end - text.data);
	if (text.size <= SPOKEN_QUOTE_MAX)
		return text;
	text.size = SPOKEN_QUOTE_MAX;
	while (text.size && (text.data[text.size] & 0xc0) == 0x80)
		text.size--;
	return text;
}

static bool put_quote(void *user, const struct message *m)
{
	struct json *quote = json_object();

	json_set_bool(quote, "ours", m->is_ours);
	json_set_text(quote, "kind", message_kind(m->kind));
	set_flag(quote, "retracted", m->is_retracted);
	set_flag(quote, "gone", m->is_gone);
	json_set_bytes(quote, "begins", beginning(m->text));
	if (m->has_file)
		set_name(quote, m->file.name);
	json_set(user, "quote", quote);
	return false;
}

void spoken_add_quote(struct engine *e, struct json *message)
{
	uint64_t id;

	if (json_id(message, "replyTo", &id) == 0)
		engine_message(e, id, put_quote, message);
}

struct json *spoken_hit(const struct hit *hit)
{
	return json_set_bytes(spoken_message(&hit->message), "snippet", hit->snippet);
}

/* --- profiles --- */

const char *spoken_image_type(struct bytes image)
{
	const char *type = image_type(image_sniff(image));

	return type ? type : "application/octet-stream";
}

struct json *spoken_profile(const struct profile *p)
{
	struct json *o = json_object();

	json_set_text(o, "availability", spoken_availability(p->availability));
	json_set_bool(o, "invisible", p->is_invisible);
	json_set_text(o, "title", p->title);
	json_set_text(o, "status", p->status);
	json_set_bool(o, "hasPicture", p->picture.size > 0);
	set_flag(o, "bot", p->is_bot);
	return o;
}
