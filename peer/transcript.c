#include "peer/transcript.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "peer/transcript_inside.h"
#include "shared/menu.h"
#include "shared/json.h"

/* --- names --- */

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* Opened in a browser these would run as a page of its own. */
static bool is_active(const char *name)
{
	static const char *const endings[] = { ".html",    ".htm",  ".xhtml", ".xht", ".shtml",
					       ".svg",     ".svgz", ".xml",   ".xsl", ".mht",
					       ".mhtml",   ".mjs",  ".swf",   ".hta", ".url",
					       ".desktop", ".lnk",  ".webloc" };
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
		if (strcasecmp(dot, endings[i]) == 0)
			return true;
	return false;
}

void transcript_media_name(const struct message *m, char out[TRANSCRIPT_NAME_MAX])
{
	enum { ROOM = TRANSCRIPT_NAME_MAX - (int)sizeof ".txt" };
	const uint8_t *data = m->file.name.data;
	size_t from = 0, size = m->file.name.size;
	int at = snprintf(out, ROOM, "%llu-", (unsigned long long)m->id);

	/* The end of a long name says more: its ending. */
	if (size > (size_t)(ROOM - at - 1))
		from = size - (size_t)(ROOM - at - 1);
	for (size_t i = from; i < size; i++) {
		char c = (char)data[i];
		bool is_dot = c == '.' && i > from && data[i - 1] != '.' && i + 1 < size;

		out[at++] = is_plain(c) || is_dot ? c : '_';
	}
	out[at] = '\0';
	if (is_active(out))
		memcpy(out + at, ".txt", sizeof ".txt");
}

/* --- lines of JSON --- */

static struct json *reactions(struct bytes all)
{
	struct json *list = json_array();
	size_t begin = 0;

	for (size_t i = 0; i <= all.size; i++) {
		char one[128];

		if (i < all.size && all.data[i] != ' ')
			continue;
		if (i > begin) {
			snprintf(one, sizeof one, "%.*s", (int)(i - begin), all.data + begin);
			json_add_text(list, one);
		}
		begin = i + 1;
	}
	return list;
}

static struct json *file_of(const struct message_file *f, const char *media)
{
	static const char *const states[] = {
		[TRANSFER_OFFERED] = "offered", [TRANSFER_WAITING] = "waiting",
		[TRANSFER_RUNNING] = "running", [TRANSFER_PAUSED] = "paused",
		[TRANSFER_STOPPED] = "stopped", [TRANSFER_CHECKING] = "checking",
		[TRANSFER_DONE] = "done",       [TRANSFER_CANCELLED] = "cancelled",
		[TRANSFER_FAILED] = "failed",
	};
	struct json *j = json_object();
	char id[BYTES_HEX_SIZE(sizeof f->id)];

	bytes_to_hex(BYTES(f->id), id);
	json_set_text(j, "id", id);
	json_set_bytes(j, "name", f->name);
	json_set_bytes(j, "type", f->type);
	json_set_bytes(j, "alt", f->alt);
	json_set_int(j, "size", (int64_t)f->size);
	json_set_bool(j, "isFolder", f->is_folder);
	if (f->is_folder)
		json_set_int(j, "files", f->files);
	if (f->width) {
		json_set_int(j, "width", f->width);
		json_set_int(j, "height", f->height);
	}
	json_set_text(j, "state",
		      f->state >= TRANSFER_OFFERED && f->state <= TRANSFER_FAILED
			      ? states[f->state]
			      : "offered");
	if (f->path.size)
		json_set_bytes(j, "path", f->path);
	if (media)
		json_set_text(j, "media", media);
	return j;
}

static struct json *buttons(struct bytes lines)
{
	struct json *list = json_array();
	struct bytes line;

	while (menu_next(&lines, &line))
		json_add_bytes(list, line);
	return list;
}

/* Only where there is something to say, so that a line stays short. */
static void set_facts(struct json *j, const struct message *m)
{
	if (m->reply_to)
		json_set_id(j, "replyTo", m->reply_to);
	if (m->is_reply_missing)
		json_set_bool(j, "replyMissing", true);
	if (m->is_forwarded)
		json_set_bool(j, "forwarded", true);
	if (m->is_edited)
		json_set_int(j, "editedAt", wall_shown(m->edited_at));
	if (m->is_retracted)
		json_set_bool(j, "retracted", true);
	if (m->is_gone)
		json_set_bool(j, "gone", true);
	if (m->life)
		json_set_int(j, "life", m->life);
	if (m->expires_at)
		json_set_int(j, "expiresAt", wall_shown(m->expires_at));
	if (m->missing)
		json_set_int(j, "missingBefore", (int64_t)m->missing);
	if (m->bot.size)
		json_set_bytes(j, "bot", m->bot);
	if (m->buttons.size)
		json_set(j, "buttons", buttons(m->buttons));
	if (m->our_reactions.size)
		json_set(j, "ourReactions", reactions(m->our_reactions));
	if (m->their_reactions.size)
		json_set(j, "theirReactions", reactions(m->their_reactions));
}

static const char *state_of(const struct message *m)
{
	static const char *const names[] = { [MESSAGE_QUEUED] = "queued",
					     [MESSAGE_DELIVERED] = "delivered",
					     [MESSAGE_RECEIVED] = "received",
					     [MESSAGE_READ] = "read" };

	return names[m->state];
}

static void json_line(struct buf *out, const struct message *m, const char *media)
{
	static const char *const kinds[] = {
		[MESSAGE_TEXT] = "text", [MESSAGE_FILE] = "file", [MESSAGE_UNKNOWN] = "unknown"
	};
	struct json *j = json_object();
	char author[BYTES_HEX_SIZE(sizeof m->author.bytes)];
	char *line;

	bytes_to_hex(BYTES(m->author.bytes), author);
	json_set_text(j, "conversation", m->contact.text);
	json_set_id(j, "id", m->id);
	json_set_bool(j, "isOurs", m->is_ours);
	json_set_text(j, "author", author);
	json_set_id(j, "seq", m->seq);
	json_set_int(j, "sentAt", wall_shown(m->sent_at));
	json_set_int(j, "arrivedAt", wall_shown(m->arrived_at));
	json_set_text(j, "state", state_of(m));
	json_set_text(j, "kind", kinds[m->kind]);
	json_set_bytes(j, "text", m->text);
	set_facts(j, m);
	if (m->has_file)
		json_set(j, "file", file_of(&m->file, media));
	line = json_print(j);
	buf_append(out, bytes_text(line));
	buf_append_byte(out, '\n');
	free(line);
	json_free(j);
}

/* --- either --- */

void transcript_begin(enum transcript_format format, struct buf *out, const char *account,
		      wall_ms now)
{
	if (format == TRANSCRIPT_HTML)
		transcript_page_begin(out, account, now);
}

void transcript_end(enum transcript_format format, struct buf *out)
{
	if (format == TRANSCRIPT_HTML)
		transcript_page_end(out);
}

void transcript_with(enum transcript_format format, struct buf *out, const struct name *name)
{
	if (format == TRANSCRIPT_HTML)
		transcript_page_with(out, name);
}

void transcript_message(enum transcript_format format, struct buf *out, const struct message *m,
			const char *media, struct bytes quote)
{
	if (format == TRANSCRIPT_HTML)
		transcript_page_message(out, m, media, quote);
	else
		json_line(out, m, media);
}

void transcript_quote(enum transcript_format format, struct buf *out, const struct message *m)
{
	if (format == TRANSCRIPT_HTML)
		transcript_page_quote(out, m);
}
