#include <stdlib.h>

#include "directory/registry_inside.h"

int registry_finish(struct registry_sqlite *r, int err)
{
	if (!err)
		err = db_commit(r->db);
	if (err)
		db_rollback(r->db);
	return err;
}

void registry_answers(struct registry_sqlite *r, const struct registry_answer *a)
{
	struct registry_waiting *w;

	if (r->count == r->room) {
		size_t room = r->room ? r->room * 2 : 16;
		struct registry_waiting *grown = memory_array(room, sizeof *grown);

		for (size_t i = 0; i < r->count; i++)
			grown[i] = r->answers[(r->first + i) % r->room];
		free(r->answers);
		r->answers = grown;
		r->room = room;
		r->first = 0;
	}
	w = &r->answers[(r->first + r->count++) % r->room];
	w->answer = *a;
	w->blob = (struct buf){ 0 };
	buf_append(&w->blob, a->blob);
}

bool registry_next(struct registry *row, struct registry_answer *out)
{
	struct registry_sqlite *r = registry_self(row);
	struct registry_waiting *w;

	buf_clear(&r->blob);
	if (!r->count)
		return false;
	w = &r->answers[r->first];
	r->blob = w->blob;
	*out = w->answer;
	out->blob = buf_view(&r->blob);
	r->first = (r->first + 1) % r->room;
	r->count--;
	return true;
}

void registry_answers_clear(struct registry_sqlite *r)
{
	for (size_t i = 0; i < r->count; i++)
		buf_clear(&r->answers[(r->first + i) % r->room].blob);
	buf_clear(&r->blob);
	free(r->answers);
}
