#include "peer/filing.h"

#include <stdlib.h>

#include "peer/filing_inside.h"
#include "shared/job.h"

struct filing_work *filing_work_new(enum filing_task what)
{
	struct filing_work *w = memory_new(sizeof *w);

	w->what = what;
	return w;
}

void filing_work_free(struct filing_work *w)
{
	if (!w)
		return;
	free(w->path);
	free(w->folder);
	free(w->name);
	buf_clear(&w->manifest);
	filing_room_free(&w->data);
	filing_source_free(w->source);
	filing_sink_free(w->sink);
	free(w);
}

int filing_run(struct job *job)
{
	static int (*const tasks[])(struct filing_work * w) = {
		[FILING_LOOK] = filing_look,     [FILING_OPEN] = filing_open,
		[FILING_READ] = filing_read,     [FILING_HASH] = filing_hash,
		[FILING_BEGIN] = filing_begin,   [FILING_CHECK] = filing_check,
		[FILING_WRITE] = filing_write,   [FILING_SYNC] = filing_sync,
		[FILING_FINISH] = filing_finish, [FILING_PLACE] = filing_place,
		[FILING_REMOVE] = filing_clear,
	};
	struct filing_work *w = job->task;

	return tasks[w->what](w);
}
