/* What faces ask about files. */
#include "peer/engine_inside.h"

#include <stdlib.h>

#include "peer/files.h"
#include "peer/history.h"
#include "peer/persons.h"
#include "shared/error.h"

enum { FILES_LIST_MAX = 1000 };

int engine_send_file(struct engine *e, const struct engine_file *file, uint64_t ticket)
{
	struct file_wish wish = { .path = file->path,
				  .is_spooled = file->is_spooled,
				  .name = file->name,
				  .type = file->type,
				  .alt = file->alt,
				  .caption = file->caption,
				  .reply_to = file->reply_to,
				  .bot = file->bot,
				  .speaker = file->speaker,
				  .ticket = ticket };
	struct name name;
	int err = engine_is_readable(e) ? files_check(&wish) : ERR_IO;

	if (err == 0)
		err = engine_whom(e, file->to, &name);
	if (err < 0)
		return err;
	wish.to = persons_find(e->rooms.persons, &name);
	return files_send(e->rooms.files, &wish);
}

int engine_wants_spooled(struct engine *e, const char *name)
{
	return engine_is_readable(e) ? files_want_spooled(e->rooms.files, name) : ERR_IO;
}

int engine_accept_file(struct engine *e, uint64_t id, const char *folder)
{
	int err = engine_is_readable(e) ? files_accept(e->rooms.files, id, folder) : ERR_IO;

	return err < 0 ? err : engine_settle(e);
}

int engine_pause_file(struct engine *e, uint64_t id)
{
	int err = engine_is_readable(e) ? files_pause(e->rooms.files, id) : ERR_IO;

	return err < 0 ? err : engine_settle(e);
}

int engine_cancel_file(struct engine *e, uint64_t id)
{
	int err = engine_is_readable(e) ? files_cancel(e->rooms.files, id) : ERR_IO;

	return err < 0 ? err : engine_settle(e);
}

int engine_files(struct engine *e, const char *text, bool active, unsigned limit,
		 engine_each_message *each, void *user)
{
	uint64_t *ids;
	struct name name;
	const struct person *p = NULL;
	unsigned count;
	int err = text ? name_parse(&name, bytes_text(text)) : 0;

	if (err < 0)
		return err;
	p = text ? persons_find(e->rooms.persons, &name) : NULL;
	if (text && !p)
		return ERR_NOT_FOUND;
	if (limit > FILES_LIST_MAX)
		limit = FILES_LIST_MAX;
	ids = memory_array(limit + 1, sizeof *ids);
	count = files_list(e->rooms.files, p, active, ids, limit);
	/* One whose message is not shown any more is none. */
	for (unsigned i = 0; i < count && (err == 0 || err == ERR_NOT_FOUND); i++)
		err = engine_message(e, ids[i], each, user);
	free(ids);
	return err == ERR_NOT_FOUND ? 0 : err;
}
