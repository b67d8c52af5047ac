/* Pictures that came from others, or are to be shown to them, are decoded and made anew by a process of its
 * own (peer/image.h) before anybody sees them. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/profiles_inside.h"

enum { PICTURE_SIDE = 160 };

struct check *profiles_free_check(struct profiles *s, const struct person *p)
{
	struct check *found = NULL;

	for (unsigned i = 0; i < PROFILES_CHECKS; i++) {
		struct check *c = &s->checks[i];

		if (!c->work)
			found = c;
		else if (c->is_ours ? p->is_self : name_equal(&c->name, &p->name))
			return NULL; /* one at a time */
	}
	return found;
}

void profiles_check(struct check *c, const char *path, struct bytes given)
{
	c->is_given = false;
	c->work = memory_new(sizeof *c->work);
	c->work->side = PICTURE_SIDE;
	if (path) {
		c->work->path = memory_text(path);
		return;
	}
	c->said.size = 0;
	buf_append(&c->said, given);
	c->work->given = buf_view(&c->said);
}

void profiles_check_over(struct check *c)
{
	if (c->work)
		free(c->work->path);
	free(c->work);
	buf_clear(&c->said);
	buf_clear(&c->menu);
	memset(c, 0, sizeof *c);
}

bool profiles_next_job(struct profiles *s, struct job *job)
{
	for (unsigned i = 0; i <= PROFILES_CHECKS; i++) {
		struct check *c = &s->checks[i];

		if (!c->work || c->is_given)
			continue;
		c->is_given = true;
		memset(job, 0, sizeof *job);
		job->kind = JOB_IMAGE;
		job->task = c->work;
		return true;
	}
	return false;
}
