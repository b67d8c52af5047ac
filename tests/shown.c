#include "tests/shown.h"

#include <assert.h>
#include <string.h>

/* In front of what is there: history is told newest first. */
static void put_before(struct shown *s, struct bytes text)
{
	size_t size = strlen(s->text) + 1;

	assert(size + text.size <= sizeof s->text);
	memmove(s->text + text.size, s->text, size);
	if (text.size)
		memcpy(s->text, text.data, text.size);
}

static bool show_one(void *user, const struct message *m)
{
	put_before(user, bytes_text(m->state == MESSAGE_QUEUED ? "- " : " "));
	put_before(user, m->text);
	put_before(user, bytes_text(m->is_ours ? ">" : ""));
	return true;
}

void shown_read(struct shown *s, struct engine *engine, const char *with)
{
	int err;

	s->text[0] = 0;
	err = engine_history(engine, with, 0, 100, show_one, s);
	assert(err == 0);
	(void)err;
}
