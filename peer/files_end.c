/* Where files go, and how they end. */
#include "peer/files_inside.h"
#include "peer/settings.h"

char *files_folder(struct files *f, const char *folder)
{
	struct engine_settings settings;

	if (folder && *folder)
		return memory_text(folder);
	settings_read(f->rooms->store, &settings);
	if (settings.downloads[0])
		return memory_text(settings.downloads);
	return f->downloads ? memory_text(f->downloads) : NULL;
}

void files_end(struct files *f, const struct file_row *row, enum files_code code, bool drop)
{
	struct filing_work *w;

	serves_stop(f, row->id, code);
	if (!row->is_ours || !(row->flags & FILE_HERE)) {
		gets_stop(f, row->id, code, drop);
		if (drop && row->state != TRANSFER_DONE)
			part_drop(f, row);
	} else if (drop && (row->flags & FILE_SPOOLED) && row->path) {
		w = filing_work_new(FILING_REMOVE);
		w->path = memory_text(row->path);
		files_remove_later(f, w);
	}
}
