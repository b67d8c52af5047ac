/* Parts that nobody wants any more. They stand in the store until they are gone: the engine may end before
 * that, or a step not be stored. */
#include <stdio.h>
#include <string.h>

#include "peer/files_get_inside.h"
#include "peer/store.h"

void part_drop(struct files *f, const struct file_row *row)
{
	struct statement *s;
	char part[48];

	if (!row->folder)
		return;
	filing_part_name(row->id, part);
	store_write(f->rooms->store);
	s = db_sql(store_db(f->rooms->store),
		   "INSERT OR REPLACE INTO dropped(part, folder) VALUES(?, ?)");
	bind_text(s, 1, part);
	bind_text(s, 2, row->folder);
	store_run(f->rooms->store, s);
	f->has_dropped = true;
}

static void forget(struct files *f, const char *part)
{
	struct statement *s;

	store_write(f->rooms->store);
	s = db_sql(store_db(f->rooms->store), "DELETE FROM dropped WHERE part = ?");
	bind_text(s, 1, part);
	store_run(f->rooms->store, s);
}

void part_keep(struct files *f, const struct file_row *row)
{
	char part[48];

	filing_part_name(row->id, part);
	forget(f, part);
}

static void on_removed(struct files *f, void *owner, const struct job *answer)
{
	const struct filing_work *w = answer->task;

	(void)owner;
	if (answer->err == 0)
		forget(f, w->part);
}

static void order(struct files *f, const char *part, const char *folder)
{
	struct filing_work *w = filing_work_new(FILING_REMOVE);

	snprintf(w->part, sizeof w->part, "%s", part);
	w->folder = memory_text(folder);
	files_order(f, JOB_FILING, w, on_removed, NULL);
}

/* Somebody fetches into it, or did just now. */
static bool is_held(const struct files *f, const char *part)
{
	char name[48];

	for (unsigned i = 0; i < FILES_WAITING; i++) {
		if (!f->gets[i])
			continue;
		filing_part_name(f->gets[i]->row.id, name);
		if (strcmp(name, part) == 0)
			return true;
	}
	return false;
}

void parts_release(struct files *f)
{
	struct statement *s;
	int err;

	if (!f->has_dropped)
		return;
	s = db_sql(store_db(f->rooms->store), "SELECT part, folder FROM dropped");
	while ((err = db_step(s)) == 1) {
		const char *part = column_text(s, 0);

		if (!is_held(f, part) && !files_is_removing(f, part))
			order(f, part, column_text(s, 1));
	}
	db_done(s);
	f->has_dropped = err < 0;
}
