/* Text, name and type of a file from outside into a page: no markup but our own comes out. */
#include <stdlib.h>
#include <string.h>

#include "peer/transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_ours(const char *tag)
{
	static const char *const tags[] = { "<b>",  "</b>",   "<i>",    "</i>",
					    "<br>", "<code>", "</code>" };

	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
		if (!strncmp(tag, tags[i], strlen(tags[i])))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message m = { .kind = MESSAGE_FILE,
			     .has_file = true,
			     .state = MESSAGE_RECEIVED };
	struct bytes all = bytes_of(data, size);
	char name[TRANSCRIPT_NAME_MAX];
	struct buf out = { 0 };
	unsigned opens = 0, closes = 0;

	transcript_html_text(&out, all);
	buf_append_byte(&out, '\0');
	for (const char *c = (const char *)out.data; *c; c++) {
		if (*c == '<' && !is_ours(c))
			abort();
		if (*c == '"' || *c == '\'' || (*c > 0 && *c < ' ' && *c != '\t'))
			abort();
		opens += *c == '<' && c[1] != '/' && c[1] != 'b';
		closes += *c == '<' && c[1] == '/' && c[2] != 'b';
	}
	if (opens != closes || !bytes_is_utf8(bytes_of(out.data, out.size - 1)))
		abort();
	m.file.name = m.file.alt = m.file.type = m.file.thumbnail = m.text = all;
	m.our_reactions = all;
	transcript_media_name(&m, name);
	if (strchr(name, '/') || strstr(name, "..") || strlen(name) >= sizeof name)
		abort();
	out.size = 0;
	transcript_quote(TRANSCRIPT_HTML, &out, &m);
	transcript_message(TRANSCRIPT_HTML, &out, &m, name, (struct bytes){ 0 });
	transcript_message(TRANSCRIPT_JSONL, &out, &m, NULL, (struct bytes){ 0 });
	buf_clear(&out);
	return 0;
}
