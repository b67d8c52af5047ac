/* The page of HTML. Text of others goes through escape() alone, which lets no character through that
 * means something to a browser, and through text_safe(), which shows those that play tricks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peer/image.h"
#include "peer/transcript_inside.h"
#include "shared/menu.h"
#include "shared/text.h"

enum { NESTED_MAX = 3 };

static void put(struct buf *out, const char *markup)
{
	buf_append(out, bytes_text(markup));
}

/* --- text of others --- */

static void escape(struct buf *out, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		switch (text[i]) {
		case '&':
			put(out, "&amp;");
			break;
		case '<':
			put(out, "&lt;");
			break;
		case '>':
			put(out, "&gt;");
			break;
		case '"':
			put(out, "&quot;");
			break;
		case '\'':
			put(out, "&#39;");
			break;
		case '`':
			put(out, "&#96;");
			break;
		case '\n':
			put(out, "<br>");
			break;
		default:
			buf_append_byte(out, (uint8_t)text[i]);
		}
	}
}

/* One line of it, as in an attribute. */
static void escape_line(struct buf *out, struct bytes text)
{
	char *safe = text_safe((const char *)text.data, text.size, false);

	escape(out, safe, strlen(safe));
	free(safe);
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80;
}

/* Where the sign that stands at text[at] closes again, in the same line, around something and not
 * inside of a word; 0: nowhere. */
static size_t closes_at(const char *text, size_t size, size_t at)
{
	char sign = text[at];

	if ((at > 0 && is_word(text[at - 1])) || at + 2 >= size || text[at + 1] == ' ' ||
	    text[at + 1] == sign)
		return 0;
	for (size_t i = at + 2; i < size && text[i] != '\n'; i++)
		if (text[i] == sign && text[i - 1] != ' ' &&
		    (i + 1 == size || !is_word(text[i + 1])))
			return i;
	return 0;
}

static const char *element_of(char sign)
{
	return sign == '*' ? "b" : sign == '_' ? "i" : sign == '`' ? "code" : NULL;
}

static void format(struct buf *out, const char *text, size_t size, unsigned depth)
{
	size_t done = 0;
	uint8_t dead[256] = { 0 }; /* signs that close nowhere are not looked after for ever */

	for (size_t i = 0; i < size; i++) {
		const char *element = depth < NESTED_MAX ? element_of(text[i]) : NULL;
		char tag[16];
		size_t end;

		if (text[i] == '\n')
			memset(dead, 0, sizeof dead);
		if (!element || dead[(uint8_t)text[i]] > 8)
			continue;
		end = closes_at(text, size, i);
		if (end == 0) {
			dead[(uint8_t)text[i]]++;
			continue;
		}
		escape(out, text + done, i - done);
		snprintf(tag, sizeof tag, "<%s>", element);
		put(out, tag);
		if (text[i] == '`')
			escape(out, text + i + 1, end - i - 1);
		else
			format(out, text + i + 1, end - i - 1, depth + 1);
		snprintf(tag, sizeof tag, "</%s>", element);
		put(out, tag);
		i = end;
		done = end + 1;
	}
	escape(out, text + done, size - done);
}

void transcript_html_text(struct buf *out, struct bytes text)
{
	char *safe = text_safe((const char *)text.data, text.size, true);

	format(out, safe, strlen(safe), 0);
	free(safe);
}

/* --- the page --- */

static void put_time(struct buf *out, wall_ms at, const char *css)
{
	char text[64] = "", line[160];
	time_t seconds = (time_t)(wall_shown(at) / 1000);
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm);
	snprintf(line, sizeof line, "<time class=\"%s\">%s</time>", css, text);
	put(out, line);
}

void transcript_page_begin(struct buf *out, const char *account, wall_ms now)
{
	put(out, "<!DOCTYPE html>\n<html lang=\"");
	put(out, text_language());
	put(out, "\"><head><meta charset=\"utf-8\">\n"
		 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		 "img-src 'self' file: data:; style-src 'unsafe-inline'\">\n"
		 "<meta name=\"referrer\" content=\"no-referrer\">\n"
		 "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
	escape_line(out, bytes_text(account));
	put(out, "</title>\n<style>\n"
		 "body{font:16px/1.4 sans-serif;max-width:48em;margin:1em auto;padding:0 1em}\n"
		 "article{margin:.5em 0;padding:.5em .8em;border-radius:.6em;"
		 "background:#eee;color:#111;overflow-wrap:anywhere}\n"
		 "article.ours{background:#d7e8fa;margin-left:15%}\n"
		 "article.theirs{margin-right:15%}\n"
		 "small,time{color:#555;font-size:.8em}\nimg{max-width:100%;display:block}\n"
		 "blockquote{margin:.3em 0;padding-left:.6em;border-left:3px solid #aaa}\n"
		 "blockquote a{color:inherit;text-decoration:none}\n"
		 ".mark{font-style:italic;color:#555}\n"
		 ".buttons span{display:inline-block;margin:.3em .4em 0 0;padding:0 .6em;"
		 "border:1px solid #888;border-radius:.6em}\n</style></head><body>\n<h1>");
	escape_line(out, bytes_text(account));
	put(out, "</h1>\n<p>");
	put_time(out, now, "made");
	put(out, "</p>\n");
}

void transcript_page_end(struct buf *out)
{
	put(out, "</body></html>\n");
}

void transcript_page_with(struct buf *out, const struct name *name)
{
	put(out, "<h2>");
	escape_line(out, bytes_text(name->text));
	put(out, "</h2>\n");
}

static void mark(struct buf *out, const char *text)
{
	put(out, "<div class=\"mark\">");
	escape(out, text, strlen(text));
	put(out, "</div>");
}

static void put_thumbnail(struct buf *out, const struct message_file *f)
{
	enum image_kind kind = IMAGE_NONE;
	char *text;
	size_t size;

	if (f->thumbnail.size >= 16)
		kind = image_sniff(f->thumbnail);
	if (kind == IMAGE_NONE)
		return;
	text = memory_new(BYTES_BASE64_SIZE(f->thumbnail.size));
	bytes_to_base64(f->thumbnail, text);
	size = strlen(text);
	for (size_t i = 0; i < size; i++)
		text[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	put(out, "<img src=\"data:");
	put(out, image_type(kind));
	put(out, ";base64,");
	put(out, text);
	put(out, size % 4 == 2 ? "==" : size % 4 == 3 ? "=" : "");
	put(out, "\" alt=\"");
	escape_line(out, f->alt);
	put(out, "\">");
	free(text);
}

static bool is_picture(const struct message_file *f)
{
	static const char *const types[] = { "image/png", "image/jpeg", "image/webp",
					     "image/gif" };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (bytes_equal(f->type, bytes_text(types[i])))
			return true;
	return false;
}

static void put_file(struct buf *out, const struct message_file *f, const char *media)
{
	char size[64];

	snprintf(size, sizeof size,
		 ngettext(" (%llu byte)", " (%llu bytes)", (unsigned long)f->size),
		 (unsigned long long)f->size);
	if (media && is_picture(f)) {
		put(out, "<img src=\"");
		put(out, media);
		put(out, "\" alt=\"");
		escape_line(out, f->alt);
		put(out, "\">");
	} else {
		put_thumbnail(out, f);
	}
	put(out, "<div>");
	if (media) {
		put(out, "<a download href=\"");
		put(out, media);
		put(out, "\">");
	}
	escape_line(out, f->name);
	put(out, media ? "</a>" : "");
	escape(out, size, strlen(size));
	put(out, "</div>");
	if (f->alt.size) {
		put(out, "<small>");
		escape_line(out, f->alt);
		put(out, "</small>");
	}
}

static void put_marks(struct buf *out, const struct message *m)
{
	char text[128];

	if (m->missing) {
		snprintf(text, sizeof text,
			 ngettext("%llu message is missing before this one",
				  "%llu messages are missing before this one",
				  (unsigned long)m->missing),
			 (unsigned long long)m->missing);
		mark(out, text);
	}
	if (m->is_forwarded)
		mark(out, _("forwarded"));
	if (m->is_retracted)
		mark(out, _("taken back"));
	else if (m->is_gone)
		mark(out, _("this message is gone"));
	else if (m->kind == MESSAGE_UNKNOWN)
		mark(out, _("a message of a kind that this program does not know"));
	if (m->is_reply_missing)
		mark(out, _("in reply to a message that is not here"));
}

static void put_reactions(struct buf *out, const struct message *m)
{
	if (m->our_reactions.size + m->their_reactions.size == 0)
		return;
	put(out, "<div><small>");
	escape_line(out, m->their_reactions);
	put(out, m->our_reactions.size && m->their_reactions.size ? " " : "");
	escape_line(out, m->our_reactions);
	put(out, "</small></div>");
}

/* Which program said it for its author. */
static void put_bot(struct buf *out, struct bytes bot)
{
	char text[NAME_MAX + 64], name[NAME_MAX + 1];

	if (bot.size == 0)
		return;
	snprintf(name, sizeof name, "%.*s", (int)(bot.size < NAME_MAX ? bot.size : NAME_MAX),
		 (const char *)bot.data);
	snprintf(text, sizeof text, _("bot %s"), name);
	put(out, " &#183; ");
	escape_line(out, bytes_text(text));
}

static void put_buttons(struct buf *out, struct bytes lines)
{
	struct bytes line;

	if (lines.size == 0)
		return;
	put(out, "<div class=\"buttons\">");
	while (menu_next(&lines, &line)) {
		put(out, "<span>");
		escape_line(out, line);
		put(out, "</span>");
	}
	put(out, "</div>");
}

/* The first line, cut between two characters. */
static void put_beginning(struct buf *out, struct bytes text)
{
	const uint8_t *end = text.size ? memchr(text.data, '\n', text.size) : NULL;
	size_t size = end ? (size_t)(end - text.data) : text.size;

	if (size > TRANSCRIPT_QUOTE_MAX) {
		size = TRANSCRIPT_QUOTE_MAX;
		while (size && (text.data[size] & 0xc0) == 0x80)
			size--;
	}
	escape_line(out, bytes_of(text.data, size));
	if (size < text.size)
		put(out, "&#8230;");
}

void transcript_page_quote(struct buf *out, const struct message *m)
{
	char line[64];

	snprintf(line, sizeof line, "<blockquote><a href=\"#m%llu\"><small>",
		 (unsigned long long)m->id);
	put(out, line);
	escape_line(out, bytes_text(m->is_ours ? _("me") : m->contact.text));
	put(out, "</small> ");
	if (m->is_retracted || m->is_gone)
		put(out, m->is_retracted ? _("taken back") : _("this message is gone"));
	else
		put_beginning(out, m->text.size || !m->has_file ? m->text : m->file.name);
	put(out, "</a></blockquote>");
}

void transcript_page_message(struct buf *out, const struct message *m, const char *media,
			     struct bytes quote)
{
	char line[160];

	snprintf(line, sizeof line, "<article id=\"m%llu\" class=\"%s\"><small>",
		 (unsigned long long)m->id, m->is_ours ? "ours" : "theirs");
	put(out, line);
	escape_line(out, bytes_text(m->is_ours ? _("me") : m->contact.text));
	put_bot(out, m->bot);
	put(out, "</small> ");
	put_time(out, m->sent_at, "sent");
	put_marks(out, m);
	buf_append(out, quote);
	if (m->reply_to && quote.size == 0) {
		snprintf(line, sizeof line, "<div><a href=\"#m%llu\">&#8617;</a></div>",
			 (unsigned long long)m->reply_to);
		put(out, line);
	}
	if (m->has_file)
		put_file(out, &m->file, media);
	if (m->text.size) {
		put(out, "<div dir=\"auto\">");
		transcript_html_text(out, m->text);
		put(out, "</div>");
	}
	if (m->is_edited && !m->is_gone)
		mark(out, _("edited"));
	put_buttons(out, m->buttons);
	put_reactions(out, m);
	put(out, "</article>\n");
}
