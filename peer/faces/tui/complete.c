/* Completion of what is typed: commands, names, paths and signs; Tab again brings the next one. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "peer/faces/tui/commands.h"
#include "peer/faces/tui/emoji.h"
#include "shared/bytes.h"
#include "shared/text.h"

enum { CANDIDATES_MAX = 256 };

/* What Tab offers in turn, as long as nothing else is typed between. */
static struct {
	char *words[CANDIDATES_MAX];
	size_t count, next;
	char *before; /* the text as the last Tab left it */
	size_t shown; /* bytes of the word that stands there */
} offer;

static void forget(void)
{
	for (size_t i = 0; i < offer.count; i++)
		free(offer.words[i]);
	free(offer.before);
	offer.count = offer.next = offer.shown = 0;
	offer.before = NULL;
}

static void add(const char *front, const char *word, const char *behind)
{
	char *text = NULL;

	if (offer.count == CANDIDATES_MAX || asprintf(&text, "%s%s%s", front, word, behind) < 0)
		return;
	offer.words[offer.count++] = text;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void offer_commands(const char *begin)
{
	const struct slash *c;

	for (size_t i = 0; (c = command_at(i)); i++)
		if (!strncmp(c->name, begin + 1, strlen(begin + 1)))
			add("/", c->name, " ");
}

static void offer_names(const struct tui *tui, const char *begin)
{
	for (size_t i = 0; i < model_count(tui->model); i++) {
		const struct talk *t = model_at(tui->model, i);

		if (t->contact && !strncmp(t->name, begin, strlen(begin)))
			add("", t->name, "");
	}
}

/* Those of a command that are always the same. */
static void offer_words(const char *words, const char *begin)
{
	char *all = memory_text(words), *rest = all, *word;

	while ((word = strsep(&rest, " ")))
		if (!strncmp(word, begin, strlen(begin)))
			add("", word, " ");
	free(all);
}

static void offer_emoji(const char *begin)
{
	const char *name, *sign;

	for (size_t i = 0; (name = emoji_at(i, &sign)); i++)
		if (!strncmp(name, begin + 1, strlen(begin + 1)))
			add("", sign, "");
}

static void offer_paths(const char *begin)
{
	const char *slash = strrchr(begin, '/'), *home = getenv("HOME"), *last;
	size_t size = slash ? (size_t)(slash - begin) + 1 : 0;
	char *front = memory_new(size + 1), *folder = NULL, *path;
	struct dirent *one;
	struct stat st;
	DIR *d;

	memcpy(front, begin, size);
	last = begin + size;
	if (!strncmp(front, "~/", 2) && home) {
		if (asprintf(&folder, "%s/%s", home, front + 2) < 0)
			folder = NULL;
	} else {
		folder = memory_text(size ? front : ".");
	}
	d = folder ? opendir(folder) : NULL;
	while (d && (one = readdir(d))) {
		bool is_folder;

		if (strncmp(one->d_name, last, strlen(last)) != 0 ||
		    (*one->d_name == '.' && *last != '.') ||
		    !bytes_is_utf8(bytes_text(one->d_name)) || strpbrk(one->d_name, "\n\r"))
			continue;
		if (asprintf(&path, "%s/%s", folder, one->d_name) < 0)
			break;
		is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
		free(path);
		add(front, one->d_name, is_folder ? "/" : "");
	}
	if (d)
		closedir(d);
	free(folder);
	free(front);
}

/* What stands before the cursor decides; `size` is how much of it is replaced. */
static void find(const struct tui *tui, const char *text, size_t *size)
{
	const char *space = strchr(text, ' '), *last = strrchr(text, ' ');
	const struct slash *c = NULL;

	last = last ? last + 1 : text;
	*size = strlen(last);
	if (*text == '/' && text[1] != '/') {
		if (!space) {
			offer_commands(text);
			return;
		}
		c = command_find(text + 1, (size_t)(space - text) - 1);
	}
	if (*last == ':' && last[1]) {
		offer_emoji(last);
	} else if (c && c->complete == COMPLETE_NAME) {
		offer_names(tui, last);
	} else if (c && c->complete == COMPLETE_WORDS && last == space + 1) {
		offer_words(c->words, last);
	} else if (c && c->complete == COMPLETE_PATH) {
		*size = strlen(space + 1);
		offer_paths(space + 1);
	}
	if (offer.count)
		qsort(offer.words, offer.count, sizeof *offer.words, by_text);
}

void command_complete(struct tui *tui)
{
	struct compose *c = tui_compose(tui);
	size_t cursor = compose_cursor(c), size;
	char *before = memory_new(cursor + 1);

	memcpy(before, compose_text(c), cursor);
	if (!offer.before || strcmp(offer.before, before) != 0) {
		forget();
		find(tui, before, &size);
	} else {
		size = offer.shown;
	}
	free(before);
	if (!offer.count)
		return;
	compose_replace(c, size, offer.words[offer.next]);
	offer.shown = strlen(offer.words[offer.next]);
	offer.next = (offer.next + 1) % offer.count;
	free(offer.before);
	cursor = compose_cursor(c);
	offer.before = memory_new(cursor + 1);
	memcpy(offer.before, compose_text(c), cursor);
}
