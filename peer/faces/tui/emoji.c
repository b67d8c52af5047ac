#include "peer/faces/tui/emoji.h"

#include <string.h>

static const struct {
	const char *name, *sign;
} table[] = {
	{ "+1", "👍" },         { "-1", "👎" },           { "angry", "😡" },
	{ "beer", "🍺" },       { "bell", "🔔" },         { "bug", "🐛" },
	{ "cake", "🎂" },       { "calendar", "📅" },     { "camera", "📷" },
	{ "car", "🚗" },        { "cat", "🐱" },          { "clap", "👏" },
	{ "coffee", "☕" },     { "cool", "😎" },         { "cry", "😢" },
	{ "dog", "🐶" },        { "eyes", "👀" },         { "fire", "🔥" },
	{ "gift", "🎁" },       { "grin", "😀" },         { "handshake", "🤝" },
	{ "heart", "❤️" }, { "house", "🏠" },        { "hug", "🤗" },
	{ "hundred", "💯" },    { "idea", "💡" },         { "joy", "😂" },
	{ "key", "🔑" },        { "kiss", "😘" },         { "lock", "🔒" },
	{ "love", "😍" },       { "moon", "🌙" },         { "music", "🎵" },
	{ "no", "❌" },         { "ok", "👌" },           { "party", "🎉" },
	{ "pizza", "🍕" },      { "plane", "✈️" },   { "pray", "🙏" },
	{ "rain", "🌧️" }, { "rocket", "🚀" },       { "rose", "🌹" },
	{ "sad", "😞" },        { "sleep", "😴" },        { "smile", "😊" },
	{ "sob", "😭" },        { "sparkles", "✨" },     { "star", "⭐" },
	{ "strong", "💪" },     { "sun", "🌞" },          { "surprised", "😮" },
	{ "sweat", "😅" },      { "thanks", "🙏" },       { "thinking", "🤔" },
	{ "thumbsdown", "👎" }, { "thumbsup", "👍" },     { "train", "🚆" },
	{ "tree", "🌳" },       { "warning", "⚠️" }, { "wave", "👋" },
	{ "wine", "🍷" },       { "wink", "😉" },         { "yes", "✅" },
};
enum { COUNT = sizeof table / sizeof *table };

const char *emoji_at(size_t i, const char **sign)
{
	if (i >= COUNT)
		return NULL;
	*sign = table[i].sign;
	return table[i].name;
}

/* The sign of a ":name:" that begins here, and its length; NULL: none. */
static const char *named(const char *text, size_t *size)
{
	const char *end = *text == ':' ? strchr(text + 1, ':') : NULL;

	for (size_t i = 0; end && i < COUNT; i++) {
		if (strlen(table[i].name) != (size_t)(end - text - 1) ||
		    strncmp(table[i].name, text + 1, (size_t)(end - text - 1)) != 0)
			continue;
		*size = (size_t)(end - text) + 1;
		return table[i].sign;
	}
	return NULL;
}

void emoji_replace(const char *text, char *out, size_t size)
{
	size_t used = 0;

	while (*text && size) {
		size_t taken = 1, more;
		const char *from = named(text, &taken);

		if (!from) {
			from = text;
			while (((unsigned char)text[taken] & 0xc0) == 0x80)
				taken++;
			more = taken;
		} else {
			more = strlen(from);
		}
		if (used + more >= size)
			break;
		memcpy(out + used, from, more);
		used += more;
		text += taken;
	}
	if (size)
		out[used] = '\0';
}
